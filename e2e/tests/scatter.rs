//! Reads over several shards: what they hold in memory, what they leave behind when they are stopped, and how exact their values are.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::time::Duration;

use e2e::cluster::Cluster;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error};

const ROWS: u64 = 300;
/// Bytes of each row of the large results: all rows together exceed what the gateway may hold.
const WIDTH: usize = 1_000_000;

async fn filled(cluster: &Cluster) -> Conn {
    let mut conn = cluster.connect(Some("sharded")).await.unwrap();
    for table in ["big", "orders"] {
        conn.query_drop(format!("DELETE FROM {table}")).await.unwrap();
    }
    let rows: Vec<String> = (0..ROWS).map(|id| format!("({id}, {})", id % 7)).collect();
    conn.query_drop(format!("INSERT INTO big (id, v) VALUES {}", rows.join(", ")))
        .await
        .unwrap();
    conn
}

fn code(error: &Error) -> u16 {
    match error {
        Error::Server(error) => error.code,
        other => panic!("{other}"),
    }
}

/// The most memory that the gateway has used so far, bytes.
fn peak(cluster: &Cluster) -> usize {
    let started = std::fs::read(cluster.data().join("processes.json")).unwrap();
    let started: serde_json::Value = serde_json::from_slice(&started).unwrap();
    let pid = started["vtgate"]["pid"].as_u64().unwrap();
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// Rows in order, of a result that is larger than what the gateway may hold.
#[tokio::test]
async fn large_results_pass_through() {
    let cluster = Cluster::shared();
    let mut conn = filled(cluster).await;
    let before = peak(cluster);
    let large = format!("SELECT id, REPEAT('x', {WIDTH}) FROM big ORDER BY id DESC");
    let mut wanted = (0..ROWS).rev();
    let mut rows = conn.query_iter(&large).await.unwrap();
    rows.for_each(|row| {
        let (id, text): (u64, Vec<u8>) = mysql_async::from_row(row);
        assert_eq!((Some(id), text.len()), (wanted.next(), WIDTH));
    })
    .await
    .unwrap();
    assert_eq!(wanted.next(), None);
    let mut seen = 0;
    let statement = conn
        .prep(format!("SELECT REPEAT('x', {WIDTH}), ? FROM big"))
        .await
        .unwrap();
    let mut rows = conn.exec_iter(&statement, (5,)).await.unwrap();
    rows.for_each(|row| {
        let (text, five): (Vec<u8>, i64) = mysql_async::from_row(row);
        assert_eq!((text.len(), five), (WIDTH, 5));
        seen += 1;
    })
    .await
    .unwrap();
    assert_eq!(seen, ROWS);
    assert!(
        peak(cluster) - before < 128 << 20,
        "{} bytes more",
        peak(cluster) - before
    );
}

/// What has to be held is bounded.
#[tokio::test]
async fn held_rows_are_bounded() {
    let cluster = Cluster::shared();
    let mut conn = filled(cluster).await;
    for large in [
        format!("SELECT DISTINCT RPAD(id, {WIDTH}, 'x') COLLATE utf8mb4_bin FROM big"),
        format!("SELECT RPAD(id, {WIDTH}, 'x') COLLATE utf8mb4_bin AS k, COUNT(*) FROM big GROUP BY k"),
    ] {
        let refused = conn.query_drop(&large).await.unwrap_err();
        assert_eq!(code(&refused), 1104, "{large}: {refused}");
    }
    // The connection goes on.
    assert_eq!(
        conn.query_first("SELECT COUNT(*) FROM big").await.unwrap(),
        Some(ROWS)
    );
}

/// KILL QUERY ends the statement and leaves the transaction alone.
#[tokio::test]
async fn a_killed_read_leaves_its_transaction() {
    let cluster = Cluster::shared();
    let mut conn = filled(cluster).await;
    let mut other = cluster.connect(Some("sharded")).await.unwrap();
    conn.query_drop("BEGIN").await.unwrap();
    conn.query_drop("UPDATE big SET v = 77 WHERE id = 5")
        .await
        .unwrap();
    let id = conn.id();
    for slow in [
        "SELECT id, SLEEP(100) FROM big",
        "SELECT id, SLEEP(100) FROM big ORDER BY id",
    ] {
        let (ended, ()) = tokio::join!(conn.query_drop(slow), async {
            await_running(&mut other, id).await;
            other.query_drop(format!("KILL QUERY {id}")).await.unwrap();
        });
        assert_eq!(code(&ended.unwrap_err()), 1317);
        let seen: Option<i64> = conn.query_first("SELECT v FROM big WHERE id = 5").await.unwrap();
        assert_eq!(seen, Some(77));
    }
    conn.query_drop("COMMIT").await.unwrap();
    let seen: Option<i64> = other.query_first("SELECT v FROM big WHERE id = 5").await.unwrap();
    assert_eq!(seen, Some(77));
}

/// Waits until a session runs a statement that sleeps.
async fn await_running(conn: &mut Conn, id: u32) {
    loop {
        let sessions: Vec<mysql_async::Row> = conn.query("SHOW PROCESSLIST").await.unwrap();
        let running = sessions.into_iter().any(|mut row| {
            let (session, info): (u32, Option<String>) = (row.take("Id").unwrap(), row.take("Info").unwrap());
            session == id && info.is_some_and(|info| info.contains("SLEEP"))
        });
        if running {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// All bits of FLOAT and DOUBLE come through the binary protocol, merged or not.
#[tokio::test]
async fn floats_are_exact() {
    let cluster = Cluster::shared();
    let mut conn = cluster.connect(Some("sharded")).await.unwrap();
    conn.query_drop("DELETE FROM wide").await.unwrap();
    let values = [
        0.1_f32,
        16_777_217.0,
        1.000_000_1,
        -3.402_823_5e38,
        1.175_494_4e-38,
    ];
    for (id, value) in (1_i64..).zip(values) {
        conn.exec_drop("INSERT INTO wide (id, r) VALUES (?, ?)", (id, value))
            .await
            .unwrap();
    }
    let mut sorted = values;
    sorted.sort_by(f32::total_cmp);
    let read: Vec<f32> = conn.exec("SELECT r FROM wide ORDER BY r", ()).await.unwrap();
    assert_eq!(read, sorted);
    let mut read: Vec<f32> = conn.exec("SELECT r FROM wide", ()).await.unwrap();
    read.sort_by(f32::total_cmp);
    assert_eq!(read, sorted);
    let least: Option<f32> = conn.exec_first("SELECT MIN(r) FROM wide", ()).await.unwrap();
    assert_eq!(least, Some(sorted[0]));
}
