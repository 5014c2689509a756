//! Real client libraries (`clients/`) against a plain mysqld, an unsharded and a sharded keyspace.
//!
//! The plain server comes first in each test: a program that fails there is wrong itself.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use e2e::cluster::Cluster;
use e2e::plain::{ACCOUNT, Plain};
use e2e::receiver::{Receiver, attribute};
use e2e::{bound, tools};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, TxOpts, Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS client (id BIGINT PRIMARY KEY, name VARCHAR(200), n DECIMAL(20,4), at DATETIME(6), data LONGBLOB)";

struct Place {
    name: &'static str,
    port: u16,
    user: String,
    password: String,
    database: &'static str,
}

impl Place {
    fn opts(&self) -> Opts {
        mysql_async::OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(self.port)
            .user(Some(&self.user))
            .pass(Some(&self.password))
            .db_name(Some(self.database))
            .prefer_socket(false)
            .ssl_opts(Some(
                mysql_async::SslOpts::default().with_danger_accept_invalid_certs(true),
            ))
            .into()
    }

    /// An empty table `client`.
    async fn prepare(&self) {
        let mut conn = Conn::new(self.opts()).await.unwrap();
        if self.database != "sharded" {
            conn.query_drop(TABLE).await.unwrap();
        }
        conn.query_drop("TRUNCATE TABLE client").await.unwrap();
        conn.disconnect().await.unwrap();
    }
}

fn plain() -> &'static Plain {
    static PLAIN: OnceLock<Plain> = OnceLock::new();
    PLAIN.get_or_init(|| Plain::start_default().unwrap())
}

async fn places() -> Vec<Place> {
    let plain = plain();
    plain
        .execute(None, &["CREATE DATABASE IF NOT EXISTS clients"])
        .await
        .unwrap();
    let cluster = Cluster::shared();
    let (user, password) = cluster.account().unwrap();
    let through = |name, database| Place {
        name,
        port: cluster.port,
        user: user.clone(),
        password: password.clone(),
        database,
    };
    vec![
        Place {
            name: "a plain mysqld",
            port: plain.port,
            user: ACCOUNT.0.to_owned(),
            password: ACCOUNT.1.to_owned(),
            database: "clients",
        },
        through("an unsharded keyspace", "test"),
        through("a sharded keyspace", "sharded"),
    ]
}

/// Runs a program in every place; `steps` of it must say `ok`.
async fn run(steps: usize, command: impl Fn() -> Command) {
    let mut failures = String::new();
    for place in places().await {
        place.prepare().await;
        let output = command()
            .current_dir(tools::root().join("e2e/clients"))
            .env("E2E_HOST", "127.0.0.1")
            .env("E2E_PORT", place.port.to_string())
            .env("E2E_USER", &place.user)
            .env("E2E_PASSWORD", &place.password)
            .env("E2E_DATABASE", place.database)
            .env("E2E_TABLE", "client")
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() || out.lines().filter(|line| line.starts_with("ok ")).count() != steps {
            let error = String::from_utf8_lossy(&output.stderr);
            failures.push_str(&format!("\non {} ({}):\n{out}{error}", place.name, output.status));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// A program of `scripts/lib`; the environment has it already when `scripts/test` runs.
fn tool(script: &str, args: &[&str], name: &str) -> String {
    std::env::var(name)
        .ok()
        .filter(|value| !value.is_empty())
        .unwrap_or_else(|| tools::assignment(script, args, name).unwrap())
}

#[tokio::test]
async fn pymysql() {
    let python = tool("clients", &["python"], "CLIENT_PYTHON");
    run(8, || {
        let mut command = Command::new(&python);
        command.args(["python/client.py", "pymysql"]);
        command
    })
    .await;
}

#[tokio::test]
async fn mysql_connector_python() {
    let python = tool("clients", &["python"], "CLIENT_PYTHON");
    run(8, || {
        let mut command = Command::new(&python);
        command.args(["python/client.py", "connector"]);
        command
    })
    .await;
}

#[tokio::test]
async fn go_sql_driver() {
    let program = tool("clients", &["go"], "CLIENT_GO");
    run(8, || Command::new(&program)).await;
}

#[tokio::test]
async fn connector_j() {
    let path = tool("clients", &["java"], "CLIENT_JAVA_PATH");
    run(16, || {
        let mut command = Command::new("java");
        command.args(["-cp", &path, "java/Client.java"]);
        command
    })
    .await;
}

#[tokio::test]
async fn node_mysql2() {
    let modules = tool("clients", &["node"], "CLIENT_NODE_MODULES");
    run(8, || {
        let mut command = Command::new("node");
        command.arg("node/client.js").env("NODE_PATH", &modules);
        command
    })
    .await;
}

#[tokio::test]
async fn mysql_command_line() {
    let mysql = tool("mysql", &[], "MYSQL");
    run(8, || {
        let mut command = Command::new("cli/client.sh");
        command.args([&mysql, "--ssl-mode=REQUIRED"]);
        command
    })
    .await;
}

/// A client that sends more than `max_allowed_packet` reads why, and not that its connection was reset.
#[tokio::test]
async fn a_packet_that_is_too_large() {
    let mysql = tool("mysql", &[], "MYSQL");
    let cluster = Cluster::shared();
    for mode in ["--ssl-mode=DISABLED", "--ssl-mode=REQUIRED"] {
        let mut client = Command::new(&mysql)
            .arg(format!(
                "--defaults-file={}",
                cluster.data().join("my.cnf").display()
            ))
            .args([mode, "--max-allowed-packet=1G"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let text = format!("SELECT LENGTH('{}')", "y".repeat(70_000_000));
        client.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = client.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains("ERROR 1153 (08S01)"), "{mode}: {error}");
    }
}

#[tokio::test]
async fn mariadb_command_line() {
    let mariadb = tool("clients", &["mariadb"], "MARIADB");
    run(8, || {
        let mut command = Command::new("cli/client.sh");
        command.args([&mariadb, "--ssl", "--disable-ssl-verify-server-cert"]);
        command
    })
    .await;
}

/// The same steps by mysql_async, in this process.
#[tokio::test]
async fn mysql_async() {
    for place in places().await {
        place.prepare().await;
        let mut conn = Conn::new(place.opts()).await.unwrap();

        conn.query_drop("INSERT INTO client (id, name, n) VALUES (1, 'one', 1.5), (2, 'two', NULL)")
            .await
            .unwrap();
        assert_eq!(conn.affected_rows(), 2, "{}", place.name);
        let rows: Vec<(i64, String, Option<String>)> = conn
            .query("SELECT id, name, n FROM client ORDER BY id")
            .await
            .unwrap();
        assert_eq!(
            rows,
            [(1, "one".into(), Some("1.5000".into())), (2, "two".into(), None)]
        );

        let insert = conn
            .prep("INSERT INTO client (id, name, at) VALUES (?, ?, ?)")
            .await
            .unwrap();
        let when = Value::Date(2024, 2, 29, 23, 59, 58, 123_456);
        conn.exec_drop(&insert, (10, "ten", when.clone())).await.unwrap();
        conn.exec_drop(&insert, (11, None::<String>, Value::NULL))
            .await
            .unwrap();
        let at: Option<Value> = conn
            .exec_first("SELECT at FROM client WHERE id = ?", (10,))
            .await
            .unwrap();
        assert_eq!(at, Some(when), "{}", place.name);

        let mut transaction = conn.start_transaction(TxOpts::default()).await.unwrap();
        transaction
            .query_drop("INSERT INTO client (id) VALUES (20)")
            .await
            .unwrap();
        transaction.rollback().await.unwrap();
        let count = "SELECT COUNT(*) FROM client WHERE id = 20";
        assert_eq!(
            conn.query_first::<i64, _>(count).await.unwrap(),
            Some(0),
            "{}",
            place.name
        );
        let mut transaction = conn.start_transaction(TxOpts::default()).await.unwrap();
        transaction
            .query_drop("INSERT INTO client (id) VALUES (20)")
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(
            conn.query_first::<i64, _>(count).await.unwrap(),
            Some(1),
            "{}",
            place.name
        );

        for (statement, code, state) in [
            ("INSERT INTO client (id) VALUES (1)", 1062, "23000"),
            ("SELEC 1", 1064, "42000"),
            ("SELECT x FROM client", 1054, "42S22"),
        ] {
            match conn.query_drop(statement).await {
                Err(mysql_async::Error::Server(error)) => {
                    assert_eq!(
                        (error.code, error.state.as_str()),
                        (code, state),
                        "{}: {error}",
                        place.name
                    );
                }
                other => panic!("{}: {statement}: {other:?}", place.name),
            }
        }

        let text = "Z\u{fc}rich \u{1f680} \\ ' \" \0 end";
        conn.exec_drop("INSERT INTO client (id, name) VALUES (?, ?)", (30, text))
            .await
            .unwrap();
        let back: Option<String> = conn
            .exec_first("SELECT name FROM client WHERE name = ?", (text,))
            .await
            .unwrap();
        assert_eq!(back.as_deref(), Some(text), "{}", place.name);

        let blob: Vec<u8> = (0..(17_u32 << 20) + 5)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        conn.exec_drop("INSERT INTO client (id, data) VALUES (?, ?)", (40, &blob))
            .await
            .unwrap();
        let back: Option<Vec<u8>> = conn
            .exec_first("SELECT data FROM client WHERE id = ?", (40,))
            .await
            .unwrap();
        assert!(
            back.unwrap() == blob,
            "{}: the blob came back different",
            place.name
        );
        let back: Option<Vec<u8>> = conn
            .query_first("SELECT data FROM client WHERE id = 40")
            .await
            .unwrap();
        assert!(
            back.unwrap() == blob,
            "{}: the blob came back different by text",
            place.name
        );
        conn.disconnect().await.unwrap();
    }
}

/// Spans of statements and shards, as a collector gets them from a second gateway of the cluster.
#[tokio::test(flavor = "multi_thread")]
async fn traces_reach_a_collector() {
    let cluster = Cluster::shared();
    let collector = Receiver::start().await.unwrap();
    let port = tools::free_port().unwrap();
    let mut gateway = bound::spawn(&tools::program("vtgate").unwrap(), |command| {
        command
            .arg(format!(
                "--topology=unix:{}/run/topology.sock",
                cluster.data().display()
            ))
            .arg(format!("--secrets={}/secrets.json", cluster.data().display()))
            .arg(format!("--mysql-listen=127.0.0.1:{port}"))
            .arg(format!("--otlp-endpoint={}", collector.endpoint))
            .env("OTEL_BSP_SCHEDULE_DELAY", "50");
    })
    .unwrap();
    let (user, password) = cluster.account().unwrap();
    let opts = Place {
        name: "traced",
        port,
        user: user.clone(),
        password: password.clone(),
        database: "sharded",
    }
    .opts();
    let ready = async {
        loop {
            match Conn::new(opts.clone()).await {
                Ok(conn) => return conn,
                Err(_) => assert_eq!(gateway.try_wait().unwrap(), None, "the gateway ended"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut conn = tokio::time::timeout(Duration::from_secs(60), ready)
        .await
        .unwrap();
    let below = |parent: &Span| {
        let id = parent.span_id.clone();
        move |span: &Span| span.parent_span_id == id
    };

    // One shard.
    conn.query_drop("SELECT name FROM users WHERE id = 70001")
        .await
        .unwrap();
    let one = collector
        .spans(1, |span| span.name == "SELECT users")
        .await
        .unwrap();
    let one = one.first().unwrap();
    assert_eq!((one.kind(), one.parent_span_id.len()), (SpanKind::Server, 0));
    for (key, value) in [
        ("db.system.name", "mysql"),
        ("db.namespace", "sharded"),
        ("db.operation.name", "SELECT"),
        ("db.query.summary", "SELECT users"),
    ] {
        assert_eq!(attribute(one, key), Some(value), "{one:?}");
    }
    assert_eq!(attribute(one, "error.type"), None);
    let part = collector.spans(1, below(one)).await.unwrap();
    let part = part.first().unwrap();
    assert_eq!((part.kind(), &part.trace_id), (SpanKind::Client, &one.trace_id));
    assert_eq!(attribute(part, "vitrail.keyspace"), Some("sharded"));
    let shard = attribute(part, "vitrail.shard").unwrap();
    assert!(
        attribute(part, "vitrail.tablet").is_some_and(|alias| alias.starts_with("sharded-")),
        "{part:?}"
    );
    assert_eq!(part.name, format!("SELECT sharded/{shard}"));

    // Both, by a client that says by a comment or by a query attribute who asks.
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let comment = format!("/*traceparent='00-{trace}-00f067aa0ba902b7-01'*/");
    conn.query_drop(format!(
        "SELECT COUNT(*) FROM users JOIN kinds ON kind = kinds.id {comment}"
    ))
    .await
    .unwrap();
    let asked = |parent: &'static str| {
        move |span: &Span| hex::encode(&span.trace_id) == trace && hex::encode(&span.parent_span_id) == parent
    };
    let both = collector.spans(1, asked("00f067aa0ba902b7")).await.unwrap();
    let both = both.first().unwrap();
    assert_eq!(both.name, "SELECT users kinds");
    let parts = collector.spans(2, below(both)).await.unwrap();
    let shards: BTreeSet<_> = parts
        .iter()
        .map(|part| attribute(part, "vitrail.shard"))
        .collect();
    assert_eq!(shards, BTreeSet::from([Some("-80"), Some("80-")]));
    // The only client here that sends query attributes.
    let script = tempfile::Builder::new()
        .prefix("query")
        .suffix(".test")
        .tempfile()
        .unwrap();
    let attributes = format!("query_attributes traceparent 00-{trace}-00000000000000aa-01;\nSELECT 1;\n");
    std::fs::write(script.path(), attributes).unwrap();
    let client = Command::new(tools::assignment("mysql", &["testsuite"], "MYSQLTEST").unwrap())
        .args(["--no-defaults", "--host=127.0.0.1", "--protocol=tcp"])
        .args([
            format!("--port={port}"),
            format!("--user={user}"),
            format!("--password={password}"),
        ])
        .args([
            "--database=sharded".to_owned(),
            format!("--test-file={}", script.path().display()),
        ])
        .output()
        .unwrap();
    assert!(
        client.status.success(),
        "{}{}",
        String::from_utf8_lossy(&client.stdout),
        String::from_utf8_lossy(&client.stderr)
    );
    let attributed = collector.spans(1, asked("00000000000000aa")).await.unwrap();
    assert_eq!(attributed.first().unwrap().name, "SELECT");
    // Whoever is not sampled there is not sampled here.
    conn.query_drop(format!("DO 1 {}", comment.replace("-01'", "-00'")))
        .await
        .unwrap();

    // Prepared, and wrong.
    let _: Vec<i64> = conn
        .exec("SELECT id FROM orders WHERE user_id = ?", (70001,))
        .await
        .unwrap();
    let prepared = collector
        .spans(1, |span| span.name == "SELECT orders")
        .await
        .unwrap();
    assert_eq!(
        collector
            .spans(1, below(prepared.first().unwrap()))
            .await
            .unwrap()
            .len(),
        1
    );
    conn.query_drop("SELECT nope FROM users WHERE id = 70001")
        .await
        .unwrap_err();
    let wrong = |span: &Span| attribute(span, "error.type") == Some("1054");
    let wrong = collector.spans(2, wrong).await.unwrap();
    for span in &wrong {
        assert_eq!(attribute(span, "db.response.status_code"), Some("1054"));
        assert_eq!(span.status.as_ref().unwrap().code(), StatusCode::Error);
    }

    let all = collector.spans(0, |_| true).await.unwrap();
    assert!(all.iter().all(|span| !span.name.starts_with("DO")), "{all:?}");
    assert!(
        !format!("{all:?}").contains("70001"),
        "a literal left the gateway"
    );
    gateway.kill().unwrap();
    gateway.wait().unwrap();
}
