//! What clients see when something behind the gateway is killed: nothing at all where nothing had been executed, and where something
//! may have been, a MySQL error with the right number.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use e2e::bound::await_ok;
use e2e::cluster::{Cluster, manifest};
use e2e::tools::program;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, OptsBuilder};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// The connection was lost, and with it a transaction, or what the session kept there.
const LOST: u16 = 1053;
/// The connection was lost when something may have been committed.
const UNKNOWN: u16 = 1180;
/// Ids of rows that were inserted while a server was killed.
const STORM: u64 = 1_000_000;

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

/// Kills a process; it is gone afterwards, with its sockets.
fn kill_9(pid: &Value) {
    let pid = i32::try_from(pid.as_i64().unwrap()).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    // A zombie's threads may still have its sockets: only one that its parent has buried has none.
    await_ok(Duration::from_secs(20), || {
        anyhow::ensure!(kill(Pid::from_raw(pid), None).is_err(), "process {pid} lives");
        Ok(())
    })
    .unwrap();
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

// Several threads: clients go on while the test waits for a process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_processes_and_connections() {
    let mut cluster = Cluster::prepare().unwrap();
    let path = manifest("local").display().to_string();
    // This machine may be slow: no statement is to be refused for that.
    cluster
        .up(&["-f", &path, "--gate-arg=--buffer-window=100s"])
        .unwrap();
    idle_connections_are_replaced(&cluster).await;
    a_transaction_is_lost_with_its_connection(&cluster).await;
    a_running_statement_is_told(&cluster).await;
    a_read_is_run_again(&cluster).await;
    a_session_is_told_what_it_lost(&cluster).await;
    a_killed_mysqld_comes_back(&cluster).await;
    no_acknowledged_write_is_lost(&cluster).await;
    a_planned_switch_costs_no_error(&cluster).await;
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
    assert_eq!(code(conn.query_drop("COMMIT").await), Some(LOST));
    // It was told once.
    conn.query_drop("COMMIT").await.unwrap();
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
    assert_eq!(slow.await.unwrap(), Some(UNKNOWN));
    assert!(started.elapsed() < Duration::from_secs(20));
}

/// Reads whose answer has not begun are sent again, a second time too.
async fn a_read_is_run_again(cluster: &Cluster) {
    let mut conn = cluster.connect(Some("safe")).await.unwrap();
    let primary = tablet(cluster, "safe", "primary");
    let mut holder = behind(cluster, &primary).await;
    holder.query_drop("BEGIN").await.unwrap();
    holder
        .query_drop("SELECT v FROM safe.t WHERE id = 102 FOR UPDATE")
        .await
        .unwrap();
    let read =
        tokio::spawn(async move { code(conn.query_drop("SELECT v FROM t WHERE id = 102 FOR SHARE").await) });
    let mut admin = behind(cluster, &primary).await;
    let waiting = "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT v FROM t WHERE id = 102 FOR SH%'";
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let ids: Vec<u64> = admin.query(waiting).await.unwrap();
        for id in ids {
            if !seen.contains(&id) {
                seen.push(id);
                kill_backends(cluster, &primary).await;
            }
        }
    }
    holder.query_drop("ROLLBACK").await.unwrap();
    assert_eq!(read.await.unwrap(), None);
}

/// Temporary tables and locks go with their connection: the next statement says so, whatever it is.
async fn a_session_is_told_what_it_lost(cluster: &Cluster) {
    let primary = tablet(cluster, "safe", "primary");
    for keeps in ["CREATE TEMPORARY TABLE own (id INT)", "SELECT GET_LOCK('own', 0)"] {
        let mut conn = cluster.connect(Some("safe")).await.unwrap();
        conn.query_drop(keeps).await.unwrap();
        kill_backends(cluster, &primary).await;
        assert_eq!(
            code(conn.query_drop("SELECT * FROM t").await),
            Some(LOST),
            "{keeps}"
        );
        conn.query_drop("SELECT * FROM t").await.unwrap();
    }
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
    // One after another they wait for the server.
    let found: Option<(i64, i64)> = conn.query_first("SELECT COUNT(*), SUM(v) FROM t").await.unwrap();
    assert_eq!(found, Some((20, 190)));
    conn.query_drop("UPDATE t SET v = v + 1").await.unwrap();
    let again = tablet(cluster, "single", "primary");
    assert_eq!(
        again["mysqldStarts"].as_u64().unwrap(),
        primary["mysqldStarts"].as_u64().unwrap() + 1
    );

    // The primary of several members is still the record's holder: it starts again, too, under a new term.
    let mut conn = cluster.connect(Some("safe")).await.unwrap();
    let primary = tablet(cluster, "safe", "primary");
    kill_9(&primary["mysqldPid"]);
    conn.query_drop("UPDATE t SET v = 7 WHERE id = 102")
        .await
        .unwrap();
    let again = tablet(cluster, "safe", "primary");
    assert!(
        again["term"].as_u64().unwrap() > primary["term"].as_u64().unwrap(),
        "{again:#}"
    );
}

/// Clients that write one row after another, half of them in transactions.
struct Storm {
    stop: Arc<AtomicBool>,
    writers: Vec<tokio::task::JoinHandle<(Vec<u64>, usize)>>,
    watcher: Conn,
    first: u64,
}

impl Storm {
    /// Starts 8 of them. `number` tells several storms apart.
    async fn start(cluster: &Cluster, number: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut writers = Vec::new();
        let first = STORM * 10 * number;
        for writer in 0..8 {
            let mut conn = cluster.connect(Some("safe")).await.unwrap();
            let stop = stop.clone();
            writers.push(tokio::spawn(async move {
                let (mut acknowledged, mut doubts, mut in_doubt) = (Vec::new(), 0, false);
                for id in (first + STORM * writer).. {
                    let insert = format!("INSERT INTO t VALUES ({id}, 1)");
                    let told = match writer % 2 {
                        0 => code(conn.query_drop(insert).await),
                        _ => in_transaction(&mut conn, &insert).await,
                    };
                    match told {
                        None => acknowledged.push(id),
                        Some(UNKNOWN) => {}
                        // Rolled back, and told so.
                        Some(LOST) if writer % 2 == 1 => {}
                        Some(other) => panic!("error {other}"),
                    }
                    doubts += usize::from(told.is_some() && !in_doubt);
                    in_doubt = told.is_some();
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                }
                (acknowledged, doubts)
            }));
        }
        Self {
            stop,
            writers,
            watcher: cluster.connect(Some("safe")).await.unwrap(),
            first,
        }
    }

    /// Waits until so many more rows are there.
    async fn rages(&mut self, more: u64) {
        let count = format!("SELECT COUNT(*) FROM t WHERE id >= {}", self.first);
        let deadline = Instant::now() + Duration::from_secs(120);
        let mut wanted = None;
        loop {
            let rows: u64 = self.watcher.query_first(&count).await.unwrap().unwrap();
            if rows > *wanted.get_or_insert(rows + more) {
                return;
            }
            assert!(Instant::now() < deadline, "{rows} rows");
        }
    }

    /// Stops them; everything acknowledged must be there. How often the writes of a client had another end, at most: as a server dies, its
    /// connections are closed one after another, so that several writes in a row may be on their way.
    async fn ends(mut self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let mut most = 0;
        for writer in self.writers {
            let (acknowledged, doubts) = writer.await.unwrap();
            let (first, last) = (acknowledged.first().unwrap(), acknowledged.last().unwrap());
            let there: Vec<u64> = self
                .watcher
                .query(format!("SELECT id FROM t WHERE id BETWEEN {first} AND {last}"))
                .await
                .unwrap();
            let lost: Vec<_> = acknowledged.iter().filter(|id| !there.contains(id)).collect();
            assert!(lost.is_empty(), "acknowledged and not there: {lost:?}");
            most = most.max(doubts);
        }
        most
    }
}

async fn in_transaction(conn: &mut Conn, statement: &str) -> Option<u16> {
    for statement in ["BEGIN", statement, "COMMIT"] {
        if let Some(code) = code(conn.query_drop(statement).await) {
            return Some(code);
        }
    }
    None
}

/// What got OK is there, and no client sees more of a killed primary than the doubt about what was on its way.
async fn no_acknowledged_write_is_lost(cluster: &Cluster) {
    let term = |tablet: &Value| usize::try_from(tablet["term"].as_u64().unwrap()).unwrap();
    let before = tablet(cluster, "safe", "primary");
    let mut storm = Storm::start(cluster, 1).await;
    storm.rages(100).await;
    kill_9(&before["mysqldPid"]);
    storm.rages(100).await;
    let most = storm.ends().await;
    let terms = term(&tablet(cluster, "safe", "primary")) - term(&before);
    assert!(
        most <= terms,
        "a client was in doubt {most} times, over {terms} changes of the primary"
    );
}

/// Nobody sees a planned switch.
async fn a_planned_switch_costs_no_error(cluster: &Cluster) {
    let before = tablet(cluster, "safe", "primary");
    let mut storm = Storm::start(cluster, 2).await;
    storm.rages(100).await;
    // A member that was killed may still be on its way back.
    await_ok(Duration::from_secs(60), || {
        let output = Command::new(program("vitrail")?)
            .args(["reparent", "safe/-", "--dir"])
            .arg(cluster.data())
            .output()?;
        anyhow::ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    })
    .unwrap();
    storm.rages(100).await;
    assert_eq!(storm.ends().await, 0);
    assert_ne!(tablet(cluster, "safe", "primary")["name"], before["name"]);
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
    conn.query_drop("UPDATE t SET v = 8 WHERE id = 102")
        .await
        .unwrap();
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
    conn.query_drop("UPDATE t SET v = 9 WHERE id = 102")
        .await
        .unwrap();
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
    conn.query_drop("SELECT * FROM t").await.unwrap();
}
