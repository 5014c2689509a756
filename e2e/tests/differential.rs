//! The same statements on one unsharded mysqld and on a sharded keyspace, with the same answers.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests fail by panicking and say what they saw"
)]

#[path = "differential/sessions.rs"]
mod sessions;
#[path = "differential/shards.rs"]
mod shards;

use std::sync::OnceLock;

use e2e::answer::Answer;
use e2e::cluster::Cluster;
use e2e::exchange::Exchange;
use e2e::plain::Plain;
use e2e::statements::generate::Generator;
use e2e::statements::{ODD_LITERALS, ODD_STRINGS, Statement, list, odd_params};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Value};

/// Statements of the generated test; a seed and its number name one.
const GENERATED: usize = 3000;
/// Share of the generated statements that the gateway must answer rather than refuse as not supported yet.
const ANSWERED_PERCENT_MIN: usize = 70;
/// Differences that are shown before a test ends.
const SHOWN_MAX: usize = 25;

fn plain() -> &'static Plain {
    static PLAIN: OnceLock<Plain> = OnceLock::new();
    PLAIN.get_or_init(|| Plain::start_default().unwrap())
}

/// Two connections with the same data behind them, and what was different so far.
struct Pair {
    gateway: Conn,
    reference: Conn,
    differences: Vec<String>,
    compared: usize,
    refused: usize,
    /// Answers that MySQL gives without its index only.
    without_index: usize,
}

impl Pair {
    /// The tables of `manifests/test.yaml`, filled by `statements/data.sql`.
    async fn new() -> Self {
        let cluster = Cluster::shared();
        let (plain, database) = (plain(), "sharded");
        plain
            .execute(
                None,
                &["DROP DATABASE IF EXISTS sharded", "CREATE DATABASE sharded"],
            )
            .await
            .unwrap();
        let mut reference = Conn::new(plain.opts(Some(database))).await.unwrap();
        let mut gateway = cluster.connect(Some(database)).await.unwrap();
        let manifest = include_str!("../manifests/test.yaml");
        let schema = manifest.split("  schema: |\n").nth(1).unwrap();
        for statement in list(&schema.lines().map(str::trim).collect::<Vec<_>>().join("\n")) {
            reference.query_drop(&statement.text).await.unwrap();
        }
        let tables: Vec<String> = reference.query("SHOW TABLES").await.unwrap();
        for table in tables {
            gateway.query_drop(format!("DELETE FROM {table}")).await.unwrap();
        }
        // The client library asks for another collation of utf8mb4 than servers choose by themselves.
        for conn in [&mut gateway, &mut reference] {
            conn.query_drop("SET NAMES utf8mb4").await.unwrap();
        }
        for statement in list(include_str!("../statements/data.sql")) {
            for conn in [&mut gateway, &mut reference] {
                conn.query_drop(&statement.text).await.unwrap();
            }
        }
        Self {
            gateway,
            reference,
            differences: Vec::new(),
            compared: 0,
            refused: 0,
            without_index: 0,
        }
    }

    /// Sends a statement both ways. One that the gateway does not support is not sent to the other: the data must stay the same.
    async fn compare(&mut self, statement: &Statement) {
        let got = answer(&mut self.gateway, statement, &statement.text).await;
        if got.is_not_supported() {
            self.refused += 1;
            if !statement.may_refuse {
                self.differ(statement, &got.to_string());
            }
            return;
        }
        let right = answer(&mut self.reference, statement, &statement.text).await;
        self.compared += 1;
        let Some(difference) = got.differs(&right, statement.ordered) else {
            return;
        };
        // MySQL itself may find other rows by an index than without: a shard with few rows chooses otherwise than a server with all.
        if let Some(text) = without_index(&statement.text) {
            let right = answer(&mut self.reference, statement, &text).await;
            if got.differs(&right, statement.ordered).is_none() {
                self.without_index += 1;
                return;
            }
        }
        self.differ(statement, &difference);
    }

    fn differ(&mut self, statement: &Statement, difference: &str) {
        let params = if statement.params.is_empty() {
            String::new()
        } else {
            format!(" {:?}", statement.params)
        };
        self.differences.push(format!(
            "line {}: {}{params}\n  {difference}",
            statement.line, statement.text
        ));
    }

    /// Fails if anything was different, or if the tables are at the end.
    async fn finish(mut self) {
        for table in [
            "users", "orders", "wide", "names", "codes", "bins", "big", "spread", "kinds",
        ] {
            self.compare(&plain_text(format!("SELECT * FROM {table}"))).await;
        }
        eprintln!(
            "{} statements compared, {} not supported yet, {} answered as without an index",
            self.compared, self.refused, self.without_index
        );
        let (known, unknown): (Vec<String>, Vec<String>) = std::mem::take(&mut self.differences)
            .into_iter()
            .partition(|difference| is_known(difference));
        eprintln!("{} differences of a known class", known.len());
        self.differences = unknown;
        let shown = self
            .differences
            .iter()
            .take(SHOWN_MAX)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n\n");
        assert!(
            self.differences.is_empty(),
            "{} differences:\n{shown}",
            self.differences.len()
        );
    }
}

/// What one side answers to a statement, or to another text with the same parameters.
async fn answer(conn: &mut Conn, statement: &Statement, text: &str) -> Answer {
    let sent = if statement.params.is_empty() {
        Answer::text(conn, text.as_bytes()).await
    } else {
        Answer::prepared(conn, text.as_bytes(), statement.params.clone()).await
    };
    sent.map_err(|error| error.context(text.to_owned())).unwrap()
}

/// A read of one table by a condition as MySQL runs it without an index.
fn without_index(text: &str) -> Option<String> {
    let (head, condition) = text.split_once(" WHERE ")?;
    let simple = head.starts_with("SELECT ") && head.matches(' ').count() == 3;
    simple.then(|| format!("{head} USE INDEX () WHERE {condition}"))
}

/// Whether `statements/known.txt` names the class of a difference: all texts of one of its lines occur.
fn is_known(difference: &str) -> bool {
    include_str!("../statements/known.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .any(|line| line.split('\t').all(|text| difference.contains(text)))
}

fn plain_text(text: String) -> Statement {
    Statement {
        text,
        params: Vec::new(),
        ordered: false,
        may_refuse: false,
        line: 0,
    }
}

#[tokio::test]
async fn written_statements() {
    let mut pair = Pair::new().await;
    for statement in list(include_str!("../statements/statements.sql")) {
        pair.compare(&statement).await;
    }
    pair.finish().await;
}

/// Tables by the type of their routing column.
const NUMBER_KEYS: &[(&str, &str)] = &[
    ("users", "id"),
    ("orders", "user_id"),
    ("wide", "id"),
    ("big", "id"),
    ("spread", "id"),
];
const STRING_KEYS: &[(&str, &str)] = &[("names", "name"), ("codes", "code"), ("bins", "k")];

/// Reads with every odd form of a routing value, as text.
#[tokio::test]
async fn odd_routing_values_read() {
    let mut pair = Pair::new().await;
    let numbers = NUMBER_KEYS.iter().flat_map(|key| {
        ODD_LITERALS
            .iter()
            .chain(ODD_STRINGS)
            .map(move |value| (key, value))
    });
    let strings = STRING_KEYS.iter().flat_map(|key| {
        ODD_STRINGS
            .iter()
            .chain(ODD_LITERALS)
            .map(move |value| (key, value))
    });
    for ((table, column), value) in numbers.chain(strings) {
        for condition in [
            format!("{column} = {value}"),
            format!("{value}\n = {column}"),
            format!("{column} <=> {value}"),
            format!("{column} IN ({value}\n)"),
            format!("{column} IN (2, {value}\n, '3')"),
            format!("{column} >= {value}"),
        ] {
            let mut statement = plain_text(format!("SELECT {column} FROM {table} WHERE {condition}"));
            // Not every expression is evaluated by the gateway; what it does evaluate must be right.
            statement.may_refuse = true;
            pair.compare(&statement).await;
        }
    }
    pair.finish().await;
}

/// The same as parameters of prepared statements, whose type the client chooses.
#[tokio::test]
async fn odd_routing_parameters_read() {
    let mut pair = Pair::new().await;
    for (table, column) in NUMBER_KEYS.iter().chain(STRING_KEYS) {
        for value in odd_params() {
            for text in [
                format!("SELECT {column} FROM {table} WHERE {column} = ?"),
                format!("SELECT {column} FROM {table} WHERE {column} IN (?, 2)"),
                format!("SELECT COUNT(*) FROM {table} WHERE {column} <=> ?"),
            ] {
                let mut statement = plain_text(text);
                statement.params = vec![value.clone()];
                pair.compare(&statement).await;
            }
        }
    }
    pair.finish().await;
}

/// Writes with odd routing values: stored where reads look for them, or refused.
#[tokio::test]
async fn odd_routing_values_written() {
    let mut pair = Pair::new().await;
    let numbers = NUMBER_KEYS
        .iter()
        .filter(|(table, _)| *table != "orders")
        .flat_map(|key| ODD_LITERALS.iter().map(move |v| (key, v)));
    let strings = STRING_KEYS
        .iter()
        .flat_map(|key| ODD_STRINGS.iter().map(move |value| (key, value)));
    for mode in ["", "STRICT_TRANS_TABLES,NO_ZERO_DATE"] {
        for conn in [&mut pair.gateway, &mut pair.reference] {
            conn.query_drop(format!("SET sql_mode = '{mode}'")).await.unwrap();
        }
        for ((table, column), value) in numbers.clone().chain(strings.clone()) {
            for text in [
                format!("INSERT INTO {table} ({column}) VALUES ({value}\n)"),
                format!("DELETE FROM {table} WHERE {column} = {value}"),
                format!("REPLACE INTO {table} ({column}) VALUES ({value}\n)"),
                format!("SELECT {column} FROM {table}"),
            ] {
                let mut statement = plain_text(text);
                statement.may_refuse = true;
                pair.compare(&statement).await;
            }
        }
    }
    pair.finish().await;
}

/// Prepared writes, with parameters of every type.
#[tokio::test]
async fn odd_routing_parameters_written() {
    let mut pair = Pair::new().await;
    for (table, column) in NUMBER_KEYS
        .iter()
        .chain(STRING_KEYS)
        .filter(|(table, _)| *table != "orders")
    {
        for value in odd_params() {
            for text in [
                format!("REPLACE INTO {table} ({column}) VALUES (?)"),
                format!("SELECT {column} FROM {table} WHERE {column} = ?"),
                format!("DELETE FROM {table} WHERE {column} = ?"),
            ] {
                let mut statement = plain_text(text);
                statement.params = vec![value.clone()];
                statement.may_refuse = true;
                pair.compare(&statement).await;
            }
        }
    }
    pair.finish().await;
}

/// Statements by chance. `E2E_SEED` repeats a run.
#[tokio::test]
async fn generated_statements() {
    let seed = std::env::var("E2E_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(1);
    eprintln!("E2E_SEED={seed}");
    let mut generator = Generator::new(seed);
    let mut pair = Pair::new().await;
    for number in 1..=GENERATED {
        let statement = Statement {
            line: number,
            ..generator.statement()
        };
        pair.compare(&statement).await;
    }
    let (answered, refused) = (pair.compared, pair.refused);
    pair.finish().await;
    assert!(
        answered * 100 >= (answered + refused) * ANSWERED_PERCENT_MIN,
        "{refused} of {GENERATED} are not supported"
    );
}

/// Statements that both ways prepare, with the values as parameters.
#[tokio::test]
async fn prepared_statements() {
    let mut pair = Pair::new().await;
    let text = |text: &str| Value::Bytes(text.as_bytes().to_vec());
    let statements: &[(&str, Vec<Value>)] = &[
        ("SELECT * FROM users WHERE id = ?", vec![Value::Int(3)]),
        (
            "SELECT ? AS a, ? + 1 AS b, id FROM users WHERE id = ?",
            vec![text("x"), Value::Int(2), Value::Int(3)],
        ),
        ("SELECT id FROM users ORDER BY id LIMIT ?", vec![Value::Int(5)]),
        (
            "SELECT id FROM users ORDER BY id LIMIT ? OFFSET ?",
            vec![Value::Int(5), Value::Int(3)],
        ),
        (
            "SELECT kind, COUNT(*), SUM(score), AVG(score) FROM users WHERE id > ? GROUP BY kind ORDER BY kind",
            vec![Value::Int(3)],
        ),
        (
            "SELECT u.id, o.id FROM users u JOIN orders o ON o.user_id = u.id WHERE u.id = ? ORDER BY o.id",
            vec![Value::Int(3)],
        ),
        ("SELECT * FROM wide WHERE id = ?", vec![Value::UInt(1)]),
        (
            "SELECT * FROM wide WHERE id IN (?, ?, ?)",
            vec![Value::Int(1), Value::Int(2), Value::NULL],
        ),
        (
            "INSERT INTO users (id, name, born, score) VALUES (?, ?, ?, ?), (?, ?, ?, ?)",
            vec![
                Value::Int(900),
                text("p"),
                Value::Date(2001, 2, 3, 0, 0, 0, 0),
                text("1.25"),
                Value::Int(901),
                Value::NULL,
                Value::NULL,
                Value::Double(2.5),
            ],
        ),
        (
            "UPDATE users SET name = ? WHERE id IN (?, ?)",
            vec![text("q"), Value::Int(900), Value::Int(901)],
        ),
        ("DELETE FROM users WHERE id >= ?", vec![Value::Int(900)]),
        ("INSERT INTO users (id) VALUES (?)", vec![Value::Int(1)]),
        ("SELECT nope FROM users WHERE id = ?", vec![Value::Int(1)]),
    ];
    for (number, (statement, params)) in statements.iter().enumerate() {
        let ordered = statement.contains("ORDER BY");
        let text = (*statement).to_owned();
        pair.compare(&Statement {
            text,
            params: params.clone(),
            ordered,
            may_refuse: false,
            line: number,
        })
        .await;
    }
    pair.finish().await;
}

/// A new session on an unsharded keyspace, and one on the reference.
async fn fresh_sessions() -> (Conn, Conn) {
    let plain = plain();
    plain
        .execute(None, &["CREATE DATABASE IF NOT EXISTS test"])
        .await
        .unwrap();
    let gateway = Cluster::shared().connect(Some("test")).await.unwrap();
    (gateway, Conn::new(plain.opts(Some("test"))).await.unwrap())
}

/// What a session is before anybody says anything.
#[tokio::test]
async fn a_fresh_session() {
    let (mut gateway, mut reference) = fresh_sessions().await;
    for text in [
        // The collation of the handshake counts.
        "SELECT @@character_set_client, @@character_set_connection, @@character_set_results, @@collation_connection",
        "SELECT 'a' = 'A', 'a'",
        "SELECT @@sql_mode, @@autocommit, @@time_zone, @@sql_select_limit, @@transaction_isolation, @@foreign_key_checks",
        // Without FOUND_ROWS(): the gateway answers it, but does not yet raise its deprecation warning 1287.
        "SELECT LAST_INSERT_ID(), ROW_COUNT(), DATABASE()",
        "SHOW WARNINGS",
    ] {
        let got = Answer::text(&mut gateway, text.as_bytes()).await.unwrap();
        let right = Answer::text(&mut reference, text.as_bytes()).await.unwrap();
        assert_eq!(got.differs(&right, true), None, "{text}");
    }
}

/// What cannot be read to its end does not keep the statements before it from running.
#[tokio::test]
async fn statements_before_one_that_cannot_be_read() {
    let mut gateway = Exchange::gateway(Cluster::shared(), "test").await.unwrap();
    let mut reference = Exchange::plain(plain(), "mysql").await.unwrap();
    for text in [
        "SET @a = 1; SELECT 'open",
        "SET @b = 1; SET @c = ';'; SELECT /* open",
        "SET @d = 1; SELECT `open; SET @e = 1",
        "SET @f = 1; CREATE PROCEDURE p() BEGIN SET @g = 1; SELECT 'open; END",
        "CREATE PROCEDURE p() BEGIN SET @h = 1; SELECT 'open; END",
        "SELECT @a, @b, @c, @d, @e, @f, @g, @h",
    ] {
        let right = reference.run(text).await.unwrap();
        assert_eq!(gateway.run(text).await.unwrap(), right, "{text}");
    }
}

/// What cannot be read is quoted from the same place.
#[tokio::test]
async fn syntax_errors_quote_the_same_text() {
    let (mut gateway, mut reference) = fresh_sessions().await;
    for text in [
        "SELECT b'01210'",
        "SELECT 1,\n x'ABC', 2",
        "SELECT _binary X'ABCDEFGH'",
        "SELECT 1, 'open",
        "SELECT 1, `open",
        "SELECT 1 /* open",
        "SELECT 1, 1.5e, 2",
        "SELECT 1, ] 2",
        "SELECT 1, FROM t",
    ] {
        let got = Answer::text(&mut gateway, text.as_bytes()).await.unwrap();
        let right = Answer::text(&mut reference, text.as_bytes()).await.unwrap();
        assert!(matches!(right, Answer::Refused { .. }), "{text}: {right}");
        assert_eq!(got.to_string(), right.to_string(), "{text}");
    }
}
