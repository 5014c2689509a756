//! Stock mysqldump: what it writes is imported through the gateway, and it dumps through the gateway.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::process::{Command, Stdio};

use e2e::answer::Answer;
use e2e::cluster::Cluster;
use e2e::plain::{ACCOUNT, Plain};
use e2e::statements::list;
use e2e::tools;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

const SETUP: &str = "
CREATE TABLE parent (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40) NOT NULL, UNIQUE KEY (name));
CREATE TABLE child (id INT PRIMARY KEY, parent_id INT, n DECIMAL(10,2), doubled DECIMAL(12,2) GENERATED ALWAYS AS (n * 2) STORED,
  b BLOB, j JSON, at TIMESTAMP NULL, bits BIT(9), FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE);
CREATE TABLE log (id INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(100)) ENGINE=InnoDB;
CREATE TABLE parts (id INT PRIMARY KEY, v INT) PARTITION BY HASH (id) PARTITIONS 3;
CREATE VIEW both_of_them AS SELECT p.name, c.n FROM parent p JOIN child c ON c.parent_id = p.id;
CREATE TRIGGER noted AFTER INSERT ON child FOR EACH ROW INSERT INTO log (what) VALUES (CONCAT('child ', NEW.id));
CREATE FUNCTION twice (x INT) RETURNS INT DETERMINISTIC RETURN x * 2;
CREATE EVENT never ON SCHEDULE AT '2100-01-01 00:00:00' DISABLE DO DELETE FROM log;
CREATE PROCEDURE names () SELECT name FROM parent ORDER BY id;
INSERT INTO parent (name) VALUES ('one'), ('zwei'), ('\u{6f22}\u{5b57} \u{1f680}'), ('quote '' and \\\\ backslash');
INSERT INTO child (id, parent_id, n, b, j, at, bits) VALUES (1, 1, 1.5, x'00FF27005C', '{\"a\": [1, null]}', '2024-01-01 00:00:00', b'101'),
  (2, 3, -7.25, '', NULL, NULL, NULL);
INSERT INTO parts VALUES (1, 1), (2, 4), (3, 9);
";

const QUESTIONS: &[&str] = &[
    "SELECT * FROM parent ORDER BY id",
    "SELECT * FROM child ORDER BY id",
    "SELECT * FROM log ORDER BY id",
    "SELECT * FROM parts ORDER BY id",
    "SELECT * FROM both_of_them ORDER BY name",
    "SELECT twice(21)",
    "CALL names()",
    "INSERT INTO child (id, parent_id, n) VALUES (10, 2, 1)",
    "SELECT what FROM log ORDER BY id",
    "INSERT INTO parent (name) VALUES ('five')",
    "SELECT * FROM parent WHERE name = 'five'",
    "INSERT INTO child (id, parent_id) VALUES (11, 99)",
];

struct Place {
    port: u16,
    user: String,
    password: String,
}

impl Place {
    /// A MySQL program that connects here.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(tools::assignment("mysql", &[], name).unwrap());
        command.args([
            "--no-defaults",
            "-h127.0.0.1",
            "--protocol=TCP",
            "--ssl-mode=REQUIRED",
            "--default-character-set=utf8mb4",
        ]);
        command.args([format!("--port={}", self.port), format!("--user={}", self.user)]);
        command.env("MYSQL_PWD", &self.password);
        command
    }

    fn dump(&self, args: &[&str]) -> Vec<u8> {
        let output = self.program("MYSQLDUMP").args(args).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.stdout.ends_with(b"\n") && output.stdout.len() > 1000);
        output.stdout
    }

    fn import(&self, database: Option<&str>, dump: &[u8]) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), dump).unwrap();
        let output = self
            .program("MYSQL")
            .args(database)
            .stdin(Stdio::from(std::fs::File::open(file.path()).unwrap()))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[tokio::test]
async fn a_dump_travels_both_ways() {
    let plain = Plain::start_default().unwrap();
    plain
        .execute(None, &["CREATE DATABASE test", "CREATE DATABASE again"])
        .await
        .unwrap();
    let statements: Vec<_> = list(SETUP);
    let texts: Vec<&str> = statements
        .iter()
        .map(|statement| statement.text.as_str())
        .collect();
    plain.execute(Some("test"), &texts).await.unwrap();
    let direct = Place {
        port: plain.port,
        user: ACCOUNT.0.to_owned(),
        password: ACCOUNT.1.to_owned(),
    };

    let cluster = Cluster::shared();
    let (user, password) = cluster.account().unwrap();
    let gateway = Place {
        port: cluster.port,
        user,
        password,
    };

    // In: with CREATE DATABASE, USE and the lines for GTIDs.
    let dump = direct.dump(&[
        "--routines",
        "--triggers",
        "--events",
        "--single-transaction",
        "--databases",
        "test",
    ]);
    let text = String::from_utf8_lossy(&dump).into_owned();
    assert!(
        ["GTID_PURGED", "SQL_LOG_BIN"]
            .iter()
            .all(|line| text.contains(line))
            && text.matches(&format!("DEFINER=`{}`@`%`", ACCOUNT.0)).count() == 5,
        "the dump must have the lines that this test is about"
    );
    gateway.import(None, &dump);

    // Out, by the gateway, and into another database of the plain server.
    let dump = gateway.dump(&[
        "--routines",
        "--triggers",
        "--events",
        "--set-gtid-purged=OFF",
        "--no-tablespaces",
        "test",
    ]);
    direct.import(Some("again"), &dump);

    let mut reference = Conn::new(plain.opts(Some("test"))).await.unwrap();
    let mut through = cluster.connect(Some("test")).await.unwrap();
    let mut back = Conn::new(plain.opts(Some("again"))).await.unwrap();
    for conn in [&mut reference, &mut through, &mut back] {
        conn.query_drop("SET NAMES utf8mb4").await.unwrap();
    }
    for question in QUESTIONS {
        let right = Answer::text(&mut reference, question.as_bytes()).await.unwrap();
        for (name, conn) in [("imported", &mut through), ("dumped", &mut back)] {
            let got = Answer::text(conn, question.as_bytes()).await.unwrap();
            assert_eq!(got.differs(&right, true), None, "{name}: {question}");
        }
    }
}

#[tokio::test]
async fn a_sharded_keyspace_is_dumped_whole() {
    let cluster = Cluster::shared();
    let (user, password) = cluster.account().unwrap();
    let gateway = Place {
        port: cluster.port,
        user,
        password,
    };
    let mut conn = cluster.connect(Some("sharded")).await.unwrap();
    conn.query_drop("DELETE FROM users").await.unwrap();
    for statement in list(include_str!("../statements/data.sql")).iter().take(1) {
        conn.query_drop(&statement.text).await.unwrap();
    }
    let dump = gateway.dump(&[
        "--set-gtid-purged=OFF",
        "--no-tablespaces",
        "--skip-triggers",
        "sharded",
        "users",
    ]);

    let plain = Plain::start_default().unwrap();
    plain.execute(None, &["CREATE DATABASE sharded"]).await.unwrap();
    let direct = Place {
        port: plain.port,
        user: ACCOUNT.0.to_owned(),
        password: ACCOUNT.1.to_owned(),
    };
    direct.import(Some("sharded"), &dump);
    let mut reference = Conn::new(plain.opts(Some("sharded"))).await.unwrap();
    let question = b"SELECT * FROM users ORDER BY id";
    let right = Answer::text(&mut reference, question).await.unwrap();
    for conn in [&mut conn, &mut reference] {
        conn.query_drop("SET NAMES utf8mb4").await.unwrap();
    }
    let got = Answer::text(&mut conn, question).await.unwrap();
    assert!(
        matches!(&right, Answer::Done { sets, .. } if sets.iter().any(|set| set.rows.len() == 17)),
        "{right}"
    );
    let right = Answer::text(&mut reference, question).await.unwrap();
    assert_eq!(got.differs(&right, true), None);

    // And in again, as a whole file with LOCK TABLES and multi-row INSERTs; DROP TABLE and CREATE TABLE of a table that the vschema
    // has are allowed.
    conn.query_drop("DELETE FROM users").await.unwrap();
    gateway.import(Some("sharded"), &dump);
    let again = Answer::text(&mut conn, question).await.unwrap();
    assert_eq!(again.differs(&right, true), None);
}
