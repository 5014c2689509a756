//! What only a clone helps.

use std::net::TcpListener;
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use tablet_agent::mysqld::datadir;
use tablet_agent::rejoin::clone::{CloneError, Donor, Recipient, clone, complete, is_incomplete};
use tablet_agent::rejoin::{Rewind, RewindError, errant, keep_purged, logged, rewind};

use crate::pair::Pair;
use crate::support::Member;

/// An XA COMMIT that a rotation hid from the follower (MySQL bug 118797), committed when something later was acknowledged: the cut
/// does not undo it, which gtid_executed tells.
pub(crate) async fn a_hole(pair: &mut Pair) {
    pair.prepare_branch("h1", 4001).await;
    let known = pair.isolate().await;
    let mut conn = pair.leader.conn().await;
    let commit = tokio::spawn(async move {
        conn.query_drop("XA COMMIT 'h1'").await.unwrap();
    });
    pair.leader.has_logged(1, &known).await;
    let hidden = pair.leader.logged_beyond(&known);
    pair.leader.run(&["FLUSH BINARY LOGS"]).await;
    pair.follower.run(&["START REPLICA IO_THREAD"]).await;
    pair.leader.run(&["INSERT INTO d.t VALUES (4002, 1)"]).await;
    commit.await.unwrap();
    pair.leader
        .run(&["INSERT INTO d.t VALUES (4003, 1)", "CREATE TABLE d.hole (id INT)"])
        .await;
    pair.prepare_branch("h2", 4004).await;
    pair.leader.run(&["INSERT INTO d.t VALUES (4005, 1)"]).await;
    let seen = pair.leader.executed().await.difference(&hidden);
    while pair.follower.executed().await != seen {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    pair.leader.kill();
    let Rewind::Cut(cut) = rewind(pair.leader.data(), &seen, &datadir::random_uuid()).unwrap() else {
        panic!("the hidden transaction was not found")
    };
    assert_eq!((&cut.missing, cut.transactions), (&hidden, 6));
    pair.leader.start().await;
    let executed = pair.leader.executed().await;
    assert_eq!(executed.difference(&seen), hidden, "committed, cut or not");
    // What else was cut and is committed is told by gtid_executed too: nothing of it would be applied twice.
    let there: Vec<u64> = pair
        .leader
        .rows(
            "SELECT (SELECT COUNT(*) FROM d.t WHERE id IN (4002, 4003, 4005)) + (SELECT COUNT(*) FROM \
             information_schema.tables WHERE table_schema = 'd' AND table_name = 'hole')",
        )
        .await;
    let branches: Vec<(u32, u32, u32, String)> = pair.leader.rows("XA RECOVER").await;
    let told = executed.difference(&known).difference(&hidden).count();
    assert_eq!(told, there[0] + branches.len() as u64);
    assert!(told >= 4, "all but the last are on disk for sure: {told}");
    let (former, other) = (&mut pair.leader, &pair.follower);
    rebuild(former, other).await;
    assert_eq!(former.executed().await, seen);
    pair.swap().await;
    pair.leader.run(&["XA COMMIT 'h1'", "XA COMMIT 'h2'"]).await;
    pair.same().await;
}

/// A follower that has written, and was stopped in order.
pub(crate) async fn errant_transactions(pair: &mut Pair) {
    pair.same().await;
    let uuid = datadir::uuid(pair.leader.data()).unwrap().unwrap();
    pair.follower
        .run(&[
            "STOP REPLICA",
            "SET GLOBAL super_read_only=OFF, GLOBAL read_only=OFF",
            "CREATE DATABASE stranger",
            "CREATE TABLE stranger.t (id INT PRIMARY KEY)",
            "INSERT INTO d.t VALUES (5001, 1)",
        ])
        .await;
    let member = pair.follower.executed().await;
    let leader = pair.leader.executed().await;
    let strange = errant(&member, &leader, &[&uuid]);
    assert_eq!(strange.count(), 3);
    pair.follower.shut_down().await;
    let refused = rewind(pair.follower.data(), &leader, "unused").unwrap_err();
    assert!(
        matches!(&refused, RewindError::Committed(missing) if *missing == strange),
        "{refused}"
    );
    pair.follower.start().await;
    broken_off(&pair.follower).await;
    rebuild(&mut pair.follower, &pair.leader).await;
    assert_eq!(pair.follower.executed().await, leader);
    pair.follower.follow(&pair.leader).await;
    pair.leader.run(&["INSERT INTO d.t VALUES (5002, 1)"]).await;
    pair.same().await;
}

/// A cloned member's log begins behind what it was cloned with, which gtid_purged has from the first start on.
pub(crate) async fn what_no_log_tells(pair: &mut Pair) {
    let member = &mut pair.follower;
    let purged: Vec<String> = member.rows("SELECT @@global.gtid_purged").await;
    let executed = member.executed().await;
    member.kill();
    assert_ne!(logged(member.data()).unwrap(), executed);
    keep_purged(member.data(), &purged[0].parse().unwrap()).unwrap();
    assert_eq!(logged(member.data()).unwrap(), executed);
    member.start().await;
    assert_eq!(member.executed().await, executed);
}

/// A clone that mysqld did not survive: it starts as a server without transactions and without Vitrail's own tables.
pub(crate) async fn killed_halfway(pair: &mut Pair) {
    let member = &pair.follower;
    member
        .run(&["SET GLOBAL clone_autotune_concurrency=OFF, GLOBAL clone_max_concurrency=1, GLOBAL clone_max_data_bandwidth=1"])
        .await;
    let (socket, data) = (member.layout.mysql_socket.clone(), member.data().to_owned());
    let port = pair.leader.port;
    let work = tokio::spawn(async move {
        let recipient = Recipient {
            socket: &socket,
            password: "agent-password",
            data: &data,
        };
        clone(&recipient, &donor(port), Duration::from_secs(60), |_| {}).await
    });
    while !member.data().join("#clone/#replace_files").exists() {
        assert!(!work.is_finished());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    pair.follower.kill();
    // The connection's end is no failure here: the end of the process is awaited, and then the data looked at.
    work.await.unwrap().unwrap();
    let member = &mut pair.follower;
    assert!(!complete(member.data(), "unused").unwrap() && is_incomplete(member.data()));
    member.start().await;
    assert!(member.executed().await.is_empty());
    assert!(logged(member.data()).unwrap().is_empty());
    let databases: Vec<String> = member.rows("SHOW DATABASES LIKE '_vitrail'").await;
    assert!(databases.is_empty());
    rebuild(member, &pair.leader).await;
    pair.follower.follow(&pair.leader).await;
    pair.same().await;
}

/// A donor that is not there, and one that says nothing.
async fn broken_off(member: &Member) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let mut donor = donor(listener.local_addr().unwrap().port());
    let error = clone(&recipient(member), &donor, Duration::from_secs(2), |_| {})
        .await
        .unwrap_err();
    assert!(matches!(error, CloneError::Stalled(_)), "{error}");
    assert!(is_incomplete(member.data()) && !complete(member.data(), "unused").unwrap());
    drop(listener);
    donor.port = 1;
    let error = clone(&recipient(member), &donor, Duration::from_secs(60), |_| {})
        .await
        .unwrap_err();
    assert!(matches!(error, CloneError::Control(_)), "{error}");
    assert!(is_incomplete(member.data()));
}

/// Clones a running member from another, and starts it.
async fn rebuild(member: &mut Member, from: &Member) {
    let mut bytes = 0;
    clone(
        &recipient(member),
        &donor(from.port),
        Duration::from_secs(60),
        |seen| bytes = seen,
    )
    .await
    .unwrap();
    assert!(is_incomplete(member.data()));
    member.ended().await;
    let uuid = datadir::random_uuid();
    assert!(complete(member.data(), &uuid).unwrap() && !is_incomplete(member.data()));
    println!("cloned {bytes} bytes");
    member.start().await;
    let uuids: Vec<String> = member.rows("SELECT @@server_uuid").await;
    assert_eq!(uuids, [uuid]);
}

fn recipient(member: &Member) -> Recipient<'_> {
    Recipient {
        socket: &member.layout.mysql_socket,
        password: "agent-password",
        data: member.data(),
    }
}

fn donor(port: u16) -> Donor<'static> {
    Donor {
        host: "127.0.0.1",
        port,
        password: "repl-password",
    }
}
