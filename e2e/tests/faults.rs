//! What clients see when something behind the gateway is killed: a MySQL error with the right number, or nothing at all where
//! nothing had been executed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::time::{Duration, Instant};

use e2e::bound::await_ok;
use e2e::cluster::{Cluster, manifest};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, OptsBuilder};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// Lost connection: the statement's outcome is unknown.
const LOST: u16 = 2013;
/// No tablet serves the shard now.
const UNAVAILABLE: u16 = 1105;
/// The connection was lost during COMMIT.
const COMMIT_UNKNOWN: u16 = 1180;

/// The first tablet of a role in a keyspace.
fn tablet(cluster: &Cluster, keyspace: &str, role: &str) -> Value {
    let status = cluster.status().unwrap();
    let keyspaces = status["keyspaces"].as_array().unwrap();
    let found = keyspaces
        .iter()
        .filter(|found| found["name"] == keyspace)
        .flat_map(|found| found["shards"].as_array().unwrap())
        .flat_map(|shard| shard["tablets"].as_array().unwrap())
        .find(|tablet| tablet["role"] == role);
    found
        .unwrap_or_else(|| panic!("no {role} of {keyspace}: {status:#}"))
        .clone()
}

fn kill_9(pid: &Value) {
    let pid = i32::try_from(pid.as_i64().unwrap()).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
}

/// The shard's own mysqld, past the gateway, as the agent's account.
async fn behind(cluster: &Cluster, tablet: &Value) -> Conn {
    let secrets: Value =
        serde_json::from_slice(&std::fs::read(cluster.data().join("secrets.json")).unwrap()).unwrap();
    let opts = OptsBuilder::default()
        .socket(tablet["mysqlSocket"].as_str())
        .user(Some("vitrail_agent"))
        .pass(secrets["agent"].as_str());
    Conn::new(opts).await.unwrap()
}

/// Kills all connections of the gateway on a shard's mysqld; how many there were.
async fn kill_backends(cluster: &Cluster, tablet: &Value) -> usize {
    let mut admin = behind(cluster, tablet).await;
    let ids: Vec<u64> = admin
        .query("SELECT id FROM information_schema.processlist WHERE user = 'vitrail_app'")
        .await
        .unwrap();
    for id in &ids {
        // One may have gone by itself.
        admin.query_drop(format!("KILL {id}")).await.ok();
    }
    admin.disconnect().await.unwrap();
    ids.len()
}

fn code(result: Result<(), Error>) -> Option<u16> {
    match result {
        Ok(()) => None,
        Err(Error::Server(error)) => Some(error.code),
        Err(error) => panic!("the gateway itself went away: {error}"),
    }
}

/// Runs a statement until it succeeds; every refusal must be one of `allowed`.
async fn until_it_works(conn: &mut Conn, statement: &str, allowed: &[u16]) -> usize {
    let started = Instant::now();
    let mut refused = 0;
    while let Some(code) = code(conn.query_drop(statement).await) {
        assert!(allowed.contains(&code), "error {code}: {statement}");
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "still error {code} after 60 s: {statement}"
        );
        refused += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    refused
}

#[tokio::test]
async fn killed_processes_and_connections() {
    let cluster = Cluster::start(&manifest("local")).unwrap();
    idle_connections_are_replaced(&cluster).await;
    a_transaction_is_lost_with_its_connection(&cluster).await;
    a_running_statement_is_told(&cluster).await;
    a_killed_mysqld_comes_back(&cluster).await;
    a_killed_replica_is_not_noticed(&cluster).await;
    a_killed_agent_is_not_noticed_for_long(&cluster).await;
    a_killed_gateway_comes_back(&cluster).await;
}

/// Connections that died while nobody used them cost no client an error: nothing was executed on them.
async fn idle_connections_are_replaced(cluster: &Cluster) {
    let mut conn = cluster.connect(Some("safe")).await.unwrap();
    let primary = tablet(cluster, "safe", "primary");
    for round in 0..5 {
        conn.query_drop("SELECT * FROM t").await.unwrap();
        assert!(kill_backends(cluster, &primary).await > 0);
        conn.query_drop("SELECT * FROM t").await.unwrap();
        kill_backends(cluster, &primary).await;
        conn.query_drop(format!("INSERT INTO t VALUES ({round}, {round})"))
            .await
            .unwrap();
        kill_backends(cluster, &primary).await;
        conn.exec_drop("UPDATE t SET v = v + 1 WHERE id = ?", (round,))
            .await
            .unwrap();
    }
    let found: Option<(i64, i64)> = conn
        .query_first("SELECT COUNT(*), SUM(v - id) FROM t")
        .await
        .unwrap();
    assert_eq!(found, Some((5, 5)), "each write happened once");
}

async fn a_transaction_is_lost_with_its_connection(cluster: &Cluster) {
    let mut conn = cluster.connect(Some("safe")).await.unwrap();
    let primary = tablet(cluster, "safe", "primary");
    conn.query_drop("BEGIN").await.unwrap();
    conn.query_drop("INSERT INTO t VALUES (100, 100)").await.unwrap();
    kill_backends(cluster, &primary).await;
    assert_eq!(
        code(conn.query_drop("INSERT INTO t VALUES (101, 101)").await),
        Some(LOST)
    );
    // The session goes on, without the transaction.
    let found: Option<i64> = conn
        .query_first("SELECT COUNT(*) FROM t WHERE id IN (100, 101)")
        .await
        .unwrap();
    assert_eq!(found, Some(0));
    conn.query_drop("INSERT INTO t VALUES (102, 102)").await.unwrap();
    let mut other = cluster.connect(Some("safe")).await.unwrap();
    let found: Option<i64> = other
        .query_first("SELECT COUNT(*) FROM t WHERE id = 102")
        .await
        .unwrap();
    assert_eq!(found, Some(1), "autocommit counts again");

    // Lost before COMMIT: the client must not take it for committed.
    conn.query_drop("BEGIN").await.unwrap();
    conn.query_drop("INSERT INTO t VALUES (103, 103)").await.unwrap();
    kill_backends(cluster, &primary).await;
    let told = code(conn.query_drop("COMMIT").await);
    assert!(matches!(told, Some(LOST | COMMIT_UNKNOWN)), "{told:?}");
    let found: Option<i64> = other
        .query_first("SELECT COUNT(*) FROM t WHERE id = 103")
        .await
        .unwrap();
    assert_eq!(found, Some(0));
}

async fn a_running_statement_is_told(cluster: &Cluster) {
    let mut conn = cluster.connect(Some("safe")).await.unwrap();
    let primary = tablet(cluster, "safe", "primary");
    let started = Instant::now();
    let slow =
        tokio::spawn(async move { code(conn.query_drop("UPDATE t SET v = SLEEP(30) WHERE id = 102").await) });
    let mut admin = behind(cluster, &primary).await;
    let running =
        "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'UPDATE t SET v = SLEEP%'";
    while admin.query_first::<i64, _>(running).await.unwrap() == Some(0) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    kill_backends(cluster, &primary).await;
    assert_eq!(slow.await.unwrap(), Some(LOST));
    assert!(started.elapsed() < Duration::from_secs(20));
}

/// A shard of one member: its mysqld is started again, and what was committed is there.
async fn a_killed_mysqld_comes_back(cluster: &Cluster) {
    let mut conn = cluster.connect(Some("single")).await.unwrap();
    for id in 0..20 {
        conn.query_drop(format!("INSERT INTO t VALUES ({id}, {id})"))
            .await
            .unwrap();
    }
    let primary = tablet(cluster, "single", "primary");
    kill_9(&primary["mysqldPid"]);
    until_it_works(&mut conn, "SELECT COUNT(*) FROM t", &[LOST, UNAVAILABLE]).await;
    let found: Option<(i64, i64)> = conn.query_first("SELECT COUNT(*), SUM(v) FROM t").await.unwrap();
    assert_eq!(found, Some((20, 190)));
    until_it_works(&mut conn, "UPDATE t SET v = v + 1", &[LOST, UNAVAILABLE]).await;
    let again = tablet(cluster, "single", "primary");
    assert_eq!(
        again["mysqldStarts"].as_u64().unwrap(),
        primary["mysqldStarts"].as_u64().unwrap() + 1
    );

    // The primary of several members is still the record's holder: it starts again, too, under a new term.
    let mut conn = cluster.connect(Some("safe")).await.unwrap();
    let primary = tablet(cluster, "safe", "primary");
    kill_9(&primary["mysqldPid"]);
    until_it_works(
        &mut conn,
        "UPDATE t SET v = 7 WHERE id = 102",
        &[LOST, UNAVAILABLE],
    )
    .await;
    let again = tablet(cluster, "safe", "primary");
    assert!(
        again["term"].as_u64().unwrap() > primary["term"].as_u64().unwrap(),
        "{again:#}"
    );
}

/// Semi-sync has another replica to wait for.
async fn a_killed_replica_is_not_noticed(cluster: &Cluster) {
    let mut conn = cluster.connect(Some("safe")).await.unwrap();
    let replica = await_ok(Duration::from_secs(60), || {
        let replica = tablet(cluster, "safe", "replica");
        anyhow::ensure!(replica["state"] == "Serving", "{replica:#}");
        Ok(replica)
    })
    .unwrap();
    kill_9(&replica["mysqldPid"]);
    for id in 200..220 {
        conn.query_drop(format!("INSERT INTO t VALUES ({id}, {id})"))
            .await
            .unwrap();
    }
    let name = replica["name"].clone();
    await_ok(Duration::from_secs(60), || {
        let status = cluster.status()?;
        let tablets = status["keyspaces"][0]["shards"][0]["tablets"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let back = tablets
            .iter()
            .find(|tablet| tablet["name"] == name && tablet["mysqldPid"] != replica["mysqldPid"]);
        anyhow::ensure!(
            back.is_some_and(|tablet| tablet["state"] == "Serving"),
            "{status:#}"
        );
        Ok(())
    })
    .unwrap();
}

async fn a_killed_agent_is_not_noticed_for_long(cluster: &Cluster) {
    let mut conn = cluster.connect(Some("safe")).await.unwrap();
    let primary = tablet(cluster, "safe", "primary");
    kill_9(&primary["agentPid"]);
    until_it_works(
        &mut conn,
        "UPDATE t SET v = 8 WHERE id = 102",
        &[LOST, UNAVAILABLE],
    )
    .await;
    let again = await_ok(Duration::from_secs(60), || {
        let status = cluster.status()?;
        let tablets = status["keyspaces"][0]["shards"][0]["tablets"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let again = tablets
            .into_iter()
            .find(|tablet| tablet["role"] == "primary" && tablet["state"] == "Serving");
        again
            .filter(|again| again["agentPid"] != primary["agentPid"])
            .ok_or_else(|| anyhow::anyhow!("{status:#}"))
    })
    .unwrap();
    assert_eq!(again["name"], primary["name"]);
    until_it_works(
        &mut conn,
        "UPDATE t SET v = 9 WHERE id = 102",
        &[LOST, UNAVAILABLE],
    )
    .await;
    let found: Option<i64> = conn
        .query_first("SELECT COUNT(*) FROM t WHERE id BETWEEN 200 AND 219")
        .await
        .unwrap();
    assert_eq!(found, Some(20));
}

async fn a_killed_gateway_comes_back(cluster: &Cluster) {
    let started: Value =
        serde_json::from_slice(&std::fs::read(cluster.data().join("processes.json")).unwrap()).unwrap();
    kill_9(&started["vtgate"]["pid"]);
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut conn = loop {
        match cluster.connect(Some("safe")).await {
            Ok(conn) => break conn,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    until_it_works(&mut conn, "SELECT * FROM t", &[UNAVAILABLE]).await;
}
