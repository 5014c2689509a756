//! Tablets of one shard on real mysqld servers.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

#[path = "../common/server.rs"]
mod server;
mod support;

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use nix::sys::signal::Signal;
use proto::v1::{
    ApplySchemaRequest, GeneratedKind, GetSchemaRequest, GetStatusResponse, ReparentRequest,
    StreamHealthRequest, TabletRole,
};
use support::{Shard, signal};

const SCHEMA: &str = "CREATE TABLE t (id INT UNSIGNED NOT NULL PRIMARY KEY, name VARCHAR(20) COLLATE latin1_bin, \
    kind ENUM('a','b') INVISIBLE, twice INT AS (id * 2) STORED, KEY by_name (name(5) DESC));\n\
    -- a trigger; with a body\n\
    CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW BEGIN IF NEW.name IS NULL THEN SET NEW.name='none'; END IF; END;";

/// One shard for everything that three members can show, since starting servers is what takes the time.
#[tokio::test]
async fn a_shard_of_three_comes_up_and_survives() {
    let mut shard = Shard::new(3, SCHEMA).await;
    comes_up(&mut shard).await;
    tables_are_reported(&shard).await;
    rights_are_narrow(&shard).await;
    ddl_through_the_agent(&shard).await;
    replica_server_killed(&shard).await;
    agent_killed(&shard).await;
    let primary = primary_agent_hangs(&shard).await;
    let primary = primary_server_killed(&shard, primary).await;
    let primary = handed_over_by_sigterm(&mut shard, primary).await;
    supervisor_killed(&mut shard, if primary == 3 { 2 } else { 3 }).await;
    stopped_and_started(&mut shard, primary).await;
    all_killed(&mut shard, primary).await;
    let primary = member_killed(&mut shard, primary).await;
    handed_over(&shard, primary).await;
    a_strange_transaction(&shard).await;
    a_lost_disk(&mut shard).await;
    commits_wait_for_an_acker(&mut shard).await;
}

async fn comes_up(shard: &mut Shard) {
    let begin = Instant::now();
    for serial in 1..=3 {
        shard.start(serial);
    }
    let primary = shard.serving(1, TabletRole::Primary).await;
    for serial in [2, 3] {
        let replica = shard.serving(serial, TabletRole::Replica).await;
        assert_eq!(replica.replication.unwrap().source, "c-1");
    }
    println!("up after {:?}", begin.elapsed());
    let record = shard.record().await;
    assert_eq!(
        (record.term, record.holder.as_deref(), record.acks),
        (1, Some("c-1"), 1)
    );
    assert_eq!(record.voters, ["c-1", "c-2", "c-3"]);
    assert_eq!((primary.term, primary.shard.as_str()), (1, "-"));
    assert_eq!(Some(primary.server_uuid), shard.tablet(1).await.server_uuid);
    let both = |s: &GetStatusResponse| s.health.as_ref().unwrap().semi_sync.unwrap().ackers == 2;
    shard.until(1, "acknowledged by both", both).await;
    // The trigger's body came through whole.
    shard
        .app(1)
        .await
        .query_drop("INSERT INTO t (id) VALUES (1)")
        .await
        .unwrap();
    for serial in [2, 3] {
        shard
            .until_rows(serial, "SELECT id FROM t WHERE name = 'none'", &[1])
            .await;
    }
}

async fn tables_are_reported(shard: &Shard) {
    let schema = shard
        .client(1)
        .await
        .unwrap()
        .get_schema(GetSchemaRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (schema.database.as_str(), schema.default_collation.as_str()),
        ("c", "utf8mb4_0900_ai_ci")
    );
    let [table] = schema.tables.as_slice() else {
        panic!("{:?}", schema.tables)
    };
    assert_eq!(
        (table.name.as_str(), table.engine.as_str(), table.charset.as_str()),
        ("t", "InnoDB", "utf8mb4")
    );
    let [id, name, kind, twice] = table.columns.as_slice() else {
        panic!("{:?}", table.columns)
    };
    assert!(id.unsigned && !id.nullable && id.data_type == "int" && id.pad_space.is_none());
    assert_eq!(
        (
            name.collation.as_deref(),
            name.pad_space,
            name.character_maximum_length
        ),
        (Some("latin1_bin"), Some(true), Some(20))
    );
    assert!(kind.invisible && kind.values == ["a", "b"]);
    assert_eq!(
        (twice.generated(), twice.generation_expression.as_str()),
        (GeneratedKind::Stored, "(`id` * 2)")
    );
    let [primary, by_name] = table.keys.as_slice() else {
        panic!("{:?}", table.keys)
    };
    assert!(primary.name == "PRIMARY" && primary.unique && !by_name.unique);
    assert_eq!(
        (by_name.parts[0].prefix_length, by_name.parts[0].descending),
        (Some(5), true)
    );
}

async fn rights_are_narrow(shard: &Shard) {
    let mut app = shard.app(1).await;
    let grants: Vec<String> = app.query("SHOW GRANTS").await.unwrap();
    assert_eq!(grants.len(), 2, "{grants:?}");
    assert_eq!(grants[0], "GRANT USAGE ON *.* TO `vitrail_app`@`localhost`");
    assert!(
        grants[1].contains(" ON `c`.* TO ") && !grants[1].contains("GRANT OPTION"),
        "{grants:?}"
    );
    for forbidden in [
        "SET GLOBAL super_read_only=ON",
        "SET sql_log_bin=0",
        "SET gtid_next='aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1'",
        "CREATE USER x@localhost",
        "STOP REPLICA",
        "CREATE DATABASE other",
        "SELECT * FROM mysql.user",
        "SELECT * FROM _vitrail.term",
        "SELECT LOAD_FILE('/etc/passwd') IS NOT NULL AND 1/0",
        "SHUTDOWN",
    ] {
        let result = app.query::<mysql_async::Row, _>(forbidden).await;
        let refused = matches!(&result, Err(mysql_async::Error::Server(e)) if matches!(e.code, 1044 | 1045 | 1142 | 1227 | 1410));
        let empty = forbidden.contains("LOAD_FILE") && result.is_ok();
        assert!(refused || empty, "{forbidden}: {result:?}");
    }
    assert!(shard.connect(1, "root", "").await.is_err(), "root is locked");
    let mut replica = shard.app(2).await;
    let error = replica
        .query_drop("INSERT INTO t (id) VALUES (99)")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("read-only"), "{error}");
}

async fn ddl_through_the_agent(shard: &Shard) {
    let mut client = shard.client(1).await.unwrap();
    let apply = |statements: &[&str], term| ApplySchemaRequest {
        statements: statements.iter().map(|s| (*s).to_owned()).collect(),
        term,
    };
    let status = client
        .apply_schema(apply(&["CREATE TABLE x (a INT)"], Some(9)))
        .await
        .unwrap_err();
    assert_eq!(status.code(), tonic::Code::FailedPrecondition);
    let done = client
        .apply_schema(apply(
            &["CREATE TABLE u (a INT)", "CREATE TABLE v (a INT)"],
            Some(1),
        ))
        .await
        .unwrap();
    assert!(done.into_inner().schema_revision >= 2);
    let status = client
        .apply_schema(apply(&["DROP TABLE v", "CREATE TABLE u (a INT)"], None))
        .await
        .unwrap_err();
    let error = proto::details::as_statement_error(&status).unwrap();
    assert_eq!(
        (error.index, error.mysql_errno, error.sqlstate.as_str()),
        (1, 1050, "42S01")
    );
    let on_replica = shard
        .client(2)
        .await
        .unwrap()
        .apply_schema(apply(&["DROP TABLE u"], None))
        .await
        .unwrap_err();
    assert_eq!(on_replica.code(), tonic::Code::FailedPrecondition);
    // What clients do is noticed by itself, on every member, and pushed to who follows.
    let mut stream = client
        .stream_health(StreamHealthRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        stream
            .message()
            .await
            .unwrap()
            .unwrap()
            .schema
            .unwrap()
            .tables
            .len(),
        2
    );
    shard
        .app(1)
        .await
        .query_drop("ALTER TABLE u ADD b INT")
        .await
        .unwrap();
    let changed = loop {
        let update = stream.message().await.unwrap().unwrap();
        if let Some(schema) = update.schema {
            break schema;
        }
    };
    assert_eq!(changed.tables[1].columns.len(), 2);
    let knows = |s: &GetStatusResponse| s.health.as_ref().unwrap().schema_revision >= 2;
    shard.until(3, "aware of the new column", knows).await;
}

async fn replica_server_killed(shard: &Shard) {
    let before = shard.status(2).await.unwrap();
    signal(before.mysqld_pid.unwrap(), Signal::SIGKILL);
    shard
        .until(2, "restarted", |s| {
            s.mysqld_starts > before.mysqld_starts && s.mysqld_pid.is_some()
        })
        .await;
    shard.serving(2, TabletRole::Replica).await;
    shard
        .app(1)
        .await
        .query_drop("INSERT INTO t (id) VALUES (2)")
        .await
        .unwrap();
    shard.until_rows(2, "SELECT id FROM t ORDER BY id", &[1, 2]).await;
    assert_eq!(
        shard.record().await.term,
        1,
        "a replica's restart is no change of the shard"
    );
}

async fn agent_killed(shard: &Shard) {
    for serial in [1, 2] {
        let before = shard.status(serial).await.unwrap();
        signal(before.agent_pid, Signal::SIGKILL);
        let after = shard
            .until(serial, "adopted", |s| {
                s.agent_pid != before.agent_pid && s.health.as_ref().unwrap().serving
            })
            .await;
        assert_eq!((after.mysqld_pid, after.mysqld_starts), (before.mysqld_pid, 0));
        let (before, after) = (before.health.unwrap(), after.health.unwrap());
        assert_eq!((after.term, after.role), (before.term, before.role));
        assert!(after.incarnation > before.incarnation);
    }
}

/// The deadline page: a primary whose agent stands still is killed, and so is the agent. Another member leads meanwhile.
async fn primary_agent_hangs(shard: &Shard) -> u32 {
    let term = shard.record().await.term;
    let before = shard.status(1).await.unwrap();
    signal(before.agent_pid, Signal::SIGSTOP);
    let begin = Instant::now();
    let primary = shard.new_primary(&[2, 3], term).await;
    println!(
        "a hung agent's shard has another primary after {:?}",
        begin.elapsed()
    );
    let again = |s: &GetStatusResponse| {
        s.agent_pid != before.agent_pid && s.health.as_ref().is_some_and(|h| h.serving)
    };
    let after = shard.until(1, "serving by another agent", again).await;
    println!("and a replica in its place after {:?}", begin.elapsed());
    assert_ne!(after.mysqld_pid, before.mysqld_pid);
    let health = after.health.unwrap();
    assert_eq!((health.term, health.role()), (term + 1, TabletRole::Replica));
    primary
}

async fn primary_server_killed(shard: &Shard, primary: u32) -> u32 {
    let term = shard.record().await.term;
    let before = shard.status(primary).await.unwrap();
    let others: Vec<u32> = (1..=3).filter(|s| *s != primary).collect();
    signal(before.mysqld_pid.unwrap(), Signal::SIGKILL);
    let begin = Instant::now();
    let next = shard.new_primary(&others, term).await;
    println!(
        "a killed server's shard has another primary after {:?}",
        begin.elapsed()
    );
    shard
        .app(next)
        .await
        .query_drop("INSERT INTO t (id) VALUES (3)")
        .await
        .unwrap();
    let health = shard.serving(primary, TabletRole::Replica).await;
    println!("and a replica in its place after {:?}", begin.elapsed());
    assert!(health.term > term);
    shard
        .until_rows(primary, "SELECT id FROM t ORDER BY id", &[1, 2, 3])
        .await;
    next
}

/// A member that is stopped alone hands over first.
async fn handed_over_by_sigterm(shard: &mut Shard, primary: u32) -> u32 {
    let term = shard.record().await.term;
    let others: Vec<u32> = (1..=3).filter(|s| *s != primary).collect();
    let begin = Instant::now();
    assert_eq!(shard.stop(&[primary], Signal::SIGTERM), [Some(0)]);
    println!("stopped after {:?}", begin.elapsed());
    let next = shard.new_primary(&others, term).await;
    assert_eq!(shard.record().await.term, term + 1, "one election");
    shard.start(primary);
    assert_eq!(shard.serving(primary, TabletRole::Replica).await.term, term + 1);
    next
}

async fn supervisor_killed(shard: &mut Shard, serial: u32) {
    let status = shard.status(serial).await.unwrap();
    shard.kill(serial);
    let begin = Instant::now();
    let alive =
        |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|s| !s.contains(") Z "));
    while alive(status.agent_pid) || alive(status.mysqld_pid.unwrap()) {
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "{:?}",
            shard.processes()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    shard.start(serial);
    shard.serving(serial, TabletRole::Replica).await;
}

async fn stopped_and_started(shard: &mut Shard, primary: u32) {
    let term = shard.record().await.term;
    let begin = Instant::now();
    assert_eq!(shard.stop(&[1, 2, 3], Signal::SIGINT), [Some(0); 3]);
    println!("stopped after {:?}", begin.elapsed());
    assert_eq!(shard.processes(), [""; 0]);
    let begin = Instant::now();
    for serial in [3, 2, 1] {
        shard.start(serial);
    }
    assert_eq!(shard.serving(primary, TabletRole::Primary).await.term, term + 1);
    println!("started after {:?}", begin.elapsed());
    everybody_has(shard, primary, &[1, 2, 3]).await;
}

/// All lose their power at once: the holder of the record has everything, and leads again.
async fn all_killed(shard: &mut Shard, primary: u32) {
    let term = shard.record().await.term;
    shard
        .app(primary)
        .await
        .query_drop("INSERT INTO t (id) VALUES (4)")
        .await
        .unwrap();
    for serial in 1..=3 {
        shard.kill(serial);
    }
    for serial in 1..=3 {
        shard.start(serial);
    }
    let health = shard.serving(primary, TabletRole::Primary).await;
    assert_eq!(health.term, term + 1);
    everybody_has(shard, primary, &[1, 2, 3, 4]).await;
}

async fn everybody_has(shard: &Shard, primary: u32, ids: &[i64]) {
    for serial in 1..=3 {
        let role = if serial == primary {
            TabletRole::Primary
        } else {
            TabletRole::Replica
        };
        shard.serving(serial, role).await;
        shard
            .until_rows(serial, "SELECT id FROM t ORDER BY id", ids)
            .await;
    }
}

/// The whole member of the primary is lost: another one leads within seconds, with everything that was acknowledged.
async fn member_killed(shard: &mut Shard, primary: u32) -> u32 {
    let term = shard.record().await.term;
    let others: Vec<u32> = (1..=3).filter(|s| *s != primary).collect();
    let mut app = shard.app(primary).await;
    app.query_drop("CREATE TABLE w (id INT PRIMARY KEY)")
        .await
        .unwrap();
    for id in 1..=50 {
        app.query_drop(format!("INSERT INTO w VALUES ({id})"))
            .await
            .unwrap();
    }
    shard.kill(primary);
    let begin = Instant::now();
    let next = shard.new_primary(&others, term).await;
    println!(
        "a lost member's shard has another primary after {:?}",
        begin.elapsed()
    );
    shard.until_rows(next, "SELECT COUNT(*) FROM w", &[50]).await;
    shard
        .app(next)
        .await
        .query_drop("INSERT INTO w VALUES (51)")
        .await
        .unwrap();
    shard.start(primary);
    shard.serving(primary, TabletRole::Replica).await;
    shard.until_rows(primary, "SELECT COUNT(*) FROM w", &[51]).await;
    next
}

/// By order, without a restart of any server: member 1 leads at the end.
async fn handed_over(shard: &Shard, mut primary: u32) {
    if primary == 1 {
        primary = reparent(shard, 1, "c-2").await;
    }
    let mut client = shard.client(primary).await.unwrap();
    for (to, why) in [
        (format!("c-{primary}"), "is the primary already"),
        (
            "c-9".to_owned(),
            "is no voter of the shard; its voters are c-1, c-2, c-3",
        ),
    ] {
        let status = client
            .reparent(ReparentRequest { to: Some(to) })
            .await
            .unwrap_err();
        assert_eq!(status.code(), tonic::Code::FailedPrecondition);
        assert!(status.message().contains(why), "{status}");
    }
    let mut replica = shard.client(1).await.unwrap();
    let status = replica.reparent(ReparentRequest { to: None }).await.unwrap_err();
    assert!(
        status
            .message()
            .contains("c-1 is not the shard's serving primary"),
        "{status}"
    );
    assert_eq!(reparent(shard, primary, "c-1").await, 1);
}

async fn reparent(shard: &Shard, primary: u32, to: &str) -> u32 {
    let before = shard.status(primary).await.unwrap();
    let mut client = shard.client(primary).await.unwrap();
    let request = ReparentRequest {
        to: Some(to.to_owned()),
    };
    let done = client.reparent(request).await.unwrap().into_inner();
    println!("handed over: {done:?}");
    let term = before.health.unwrap().term + 1;
    assert_eq!((done.primary.as_str(), done.term), (to, term));
    let replica = shard.serving(primary, TabletRole::Replica).await;
    assert_eq!(replica.term, term);
    let after = shard.status(primary).await.unwrap();
    assert_eq!(
        after.mysqld_pid, before.mysqld_pid,
        "a planned handover restarts nobody"
    );
    to.trim_start_matches("c-").parse().unwrap()
}

/// Somebody wrote to a replica: it gets its data anew from another member.
async fn a_strange_transaction(shard: &Shard) {
    let before = shard.tablet(2).await.server_uuid;
    let mut admin = shard.connect(2, "vitrail_agent", "agent-password").await.unwrap();
    // The agent shuts the door again any moment: one text.
    admin
        .query_drop("SET GLOBAL super_read_only=OFF; INSERT INTO c.t (id) VALUES (1000)")
        .await
        .unwrap();
    let begin = Instant::now();
    let another = |s: &GetStatusResponse| {
        let health = s.health.as_ref().unwrap();
        health.serving && Some(&health.server_uuid) != before.as_ref()
    };
    shard.until(2, "rebuilt", another).await;
    println!("rebuilt after {:?}", begin.elapsed());
    shard
        .until_rows(2, "SELECT COUNT(*) FROM t WHERE id >= 1000", &[0])
        .await;
    let both = |s: &GetStatusResponse| s.health.as_ref().unwrap().semi_sync.unwrap().ackers == 2;
    shard.until(1, "acknowledged by both", both).await;
}

/// New data in the place of a voter's becomes a voter of its own, once it has everything.
async fn a_lost_disk(shard: &mut Shard) {
    let before = shard.record().await;
    shard.kill(3);
    shard.wipe(3);
    shard.start(3);
    shard.serving(3, TabletRole::Replica).await;
    shard
        .until_rows(3, "SELECT id FROM t ORDER BY id", &[1, 2, 3, 4])
        .await;
    let both = |s: &GetStatusResponse| s.health.as_ref().unwrap().semi_sync.unwrap().ackers == 2;
    shard.until(1, "acknowledged by both", both).await;
    let record = shard.record().await;
    let [_, _, third] = record.voters.as_slice() else {
        panic!("{record:?}")
    };
    assert!(third.starts_with("c-3#"), "{third}");
    assert!(record.version > before.version && record.term == before.term);
}

/// Without an acker nothing is acknowledged, not even by a server that is being stopped, and a primary that restarts serves
/// nothing.
async fn commits_wait_for_an_acker(shard: &mut Shard) {
    let term = shard.record().await.term;
    shard.kill(2);
    shard.kill(3);
    let mut app = shard.app(1).await;
    let mut insert = Box::pin(app.query_drop("INSERT INTO t (id) VALUES (5)"));
    let early = tokio::time::timeout(Duration::from_millis(300), &mut insert).await;
    assert!(early.is_err(), "acknowledged by nobody: {early:?}");
    assert_eq!(shard.stop(&[1], Signal::SIGTERM), [Some(0)]);
    assert!(
        insert.await.is_err(),
        "mysqld's SIGTERM must not turn it into an OK"
    );
    shard.start(1);
    let waits = |s: &GetStatusResponse| {
        s.health
            .as_ref()
            .unwrap()
            .not_serving_reason
            .contains("acknowledgement")
    };
    shard.until(1, "waiting for its term's row", waits).await;
    assert!(
        shard.connect(1, "vitrail_app", "app-password").await.is_err(),
        "the gate is closed"
    );
    shard.start(2);
    assert_eq!(shard.serving(1, TabletRole::Primary).await.term, term + 1);
    shard.serving(2, TabletRole::Replica).await;
    shard
        .until_rows(2, "SELECT count(*) FROM t WHERE id <= 4", &[4])
        .await;
}

#[tokio::test]
async fn a_late_member_becomes_a_voter() {
    let mut shard = Shard::new(3, "CREATE TABLE t (id INT PRIMARY KEY)").await;
    shard.start(2);
    shard.start(3);
    assert_eq!(shard.serving(2, TabletRole::Primary).await.term, 1);
    assert_eq!(shard.record().await.voters, ["c-2", "c-3"]);
    shard
        .app(2)
        .await
        .query_drop("INSERT INTO t VALUES (1)")
        .await
        .unwrap();
    shard.start(1);
    let health = shard.serving(1, TabletRole::Replica).await;
    assert_eq!(health.replication.unwrap().source, "c-2");
    shard.until_rows(1, "SELECT id FROM t", &[1]).await;
    let acknowledges = |s: &GetStatusResponse| s.health.as_ref().unwrap().semi_sync.unwrap().enabled;
    shard.until(1, "a voter", acknowledges).await;
    let record = shard.record().await;
    assert_eq!((record.voters.len(), record.version, record.term), (3, 2, 1));
}

#[tokio::test]
async fn a_single_member_works_without_semi_sync_and_without_the_topology() {
    let mut shard = Shard::new(1, "CREATE TABLE t (id INT PRIMARY KEY)").await;
    shard.start(7);
    let health = shard.serving(7, TabletRole::Primary).await;
    assert_eq!((health.term, health.semi_sync.unwrap().enabled), (1, false));
    let mut app = shard.app(7).await;
    app.query_drop("INSERT INTO t VALUES (1)").await.unwrap();
    // An agent that starts while the topology is down adopts what runs.
    shard.stop_topology();
    let before = shard.status(7).await.unwrap();
    signal(before.agent_pid, Signal::SIGKILL);
    let adopted =
        |s: &GetStatusResponse| s.agent_pid != before.agent_pid && s.health.as_ref().unwrap().serving;
    assert_eq!(
        shard.until(7, "adopted", adopted).await.mysqld_pid,
        before.mysqld_pid
    );
    app.query_drop("INSERT INTO t VALUES (2)").await.unwrap();
    // A server that starts needs a term, and a term needs the topology.
    signal(before.mysqld_pid.unwrap(), Signal::SIGKILL);
    let waits = |s: &GetStatusResponse| s.mysqld_pid.is_none() && !s.health.as_ref().unwrap().serving;
    shard.until(7, "down", waits).await;
    shard.start_topology();
    assert_eq!(shard.serving(7, TabletRole::Primary).await.term, 2);
    shard.until_rows(7, "SELECT id FROM t ORDER BY id", &[1, 2]).await;
    assert_eq!(shard.stop(&[7], Signal::SIGTERM), [Some(0)]);
}

#[tokio::test]
async fn a_refused_statement_of_the_schema_is_named() {
    let mut shard = Shard::new(
        1,
        "CREATE TABLE a (id INT); CREATE TABLE b (id NOTYPE); CREATE TABLE c (id INT)",
    )
    .await;
    shard.start(1);
    let named = |s: &GetStatusResponse| {
        s.health
            .as_ref()
            .unwrap()
            .not_serving_reason
            .contains("statement 2")
    };
    let health = shard.until(1, "refusing the schema", named).await.health.unwrap();
    assert!(
        health.not_serving_reason.contains("1064") && health.not_serving_reason.contains("NOTYPE"),
        "{health:?}"
    );
    let mut keyspace = shard
        .store
        .require::<topology::records::Keyspace>(&topology::keys::keyspace("c"))
        .await
        .unwrap()
        .record;
    keyspace.schema = keyspace.schema.replace("NOTYPE", "INT");
    shard.store.put(&keyspace).await.unwrap();
    assert_eq!(shard.serving(1, TabletRole::Primary).await.schema_revision, 1);
    let tables: Vec<String> = shard.app(1).await.query("SHOW TABLES").await.unwrap();
    assert_eq!(tables, ["a", "b", "c"]);
}
