//! A leader killed in the middle of its work.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use tablet_agent::mysqld::datadir;
use tablet_agent::rejoin::{Rewind, rewind};

use crate::pair::Pair;

/// Acknowledged writes of one round before the leader is killed.
const ACKED: usize = 400;

/// With its acker attached or just `cut_off`: what was acknowledged is with the follower, and the former leader comes back with nothing else.
pub(crate) async fn killed_under_load(pair: &mut Pair, cut_off: bool) {
    let table = "CREATE TABLE IF NOT EXISTS d.load_test (id BIGINT PRIMARY KEY)";
    pair.leader
        .run(&[
            table,
            "TRUNCATE TABLE d.load_test",
            "DROP TABLE IF EXISTS d.ddl_test",
        ])
        .await;
    let acked = Arc::new(Mutex::new(Vec::new()));
    let mut clients = Vec::new();
    for client in 0..10 {
        let (conn, acked) = (pair.leader.conn().await, acked.clone());
        clients.push(tokio::spawn(async move {
            let Err(_) = match client {
                0 => definitions(conn).await,
                1 => rotations(conn).await,
                2..5 => branches(conn, client, &acked).await,
                _ => rows(conn, client, &acked).await,
            };
        }));
    }
    while acked.lock().unwrap().len() < ACKED {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    if cut_off {
        let known = pair.follower.all_applied().await;
        pair.leader.logs_beyond(&known).await;
    }
    pair.leader.kill();
    for client in clients {
        client.await.unwrap();
    }
    let known = pair.follower.all_applied().await;
    let outcome = rewind(pair.leader.data(), &known, &datadir::random_uuid()).unwrap();
    assert!(!cut_off || outcome != Rewind::Nothing);
    pair.leader.start().await;
    let executed = pair.leader.executed().await;
    assert!(executed.is_subset(&known), "{}", executed.difference(&known));
    pair.swap().await;
    let there: Vec<i64> = pair.leader.rows("SELECT id FROM d.load_test ORDER BY id").await;
    let lost: Vec<i64> = acked
        .lock()
        .unwrap()
        .iter()
        .filter(|id| there.binary_search(id).is_err())
        .copied()
        .collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let branches: Vec<(u32, u32, u32, String)> = pair.leader.rows("XA RECOVER").await;
    for (.., name) in branches {
        pair.leader.run(&[&format!("XA ROLLBACK '{name}'")]).await;
    }
    pair.same().await;
}

type Ended = Result<std::convert::Infallible, mysql_async::Error>;

/// Ids that no other client uses.
fn ids(client: i64) -> impl Iterator<Item = i64> {
    (1..).map(move |n| client * 1_000_000 + n)
}

async fn rows(mut conn: Conn, client: i64, acked: &Mutex<Vec<i64>>) -> Ended {
    let mut ids = ids(client);
    loop {
        let id = ids.next().unwrap();
        conn.query_drop(format!("INSERT INTO d.load_test VALUES ({id})"))
            .await?;
        acked.lock().unwrap().push(id);
    }
}

async fn branches(mut conn: Conn, client: i64, acked: &Mutex<Vec<i64>>) -> Ended {
    let mut ids = ids(client);
    loop {
        let id = ids.next().unwrap();
        for statement in [
            format!("XA START 'l{id}'"),
            format!("INSERT INTO d.load_test VALUES ({id})"),
            format!("XA END 'l{id}'"),
            format!("XA PREPARE 'l{id}'"),
            format!("XA COMMIT 'l{id}'"),
        ] {
            conn.query_drop(statement).await?;
        }
        acked.lock().unwrap().push(id);
    }
}

async fn definitions(mut conn: Conn) -> Ended {
    loop {
        for statement in [
            "CREATE TABLE IF NOT EXISTS d.ddl_test (id INT PRIMARY KEY)",
            "ALTER TABLE d.ddl_test ADD COLUMN v INT",
            "DROP TABLE d.ddl_test",
        ] {
            conn.query_drop(statement).await?;
        }
    }
}

async fn rotations(mut conn: Conn) -> Ended {
    loop {
        conn.query_drop("FLUSH BINARY LOGS").await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
