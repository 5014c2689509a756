//! Rewind and clone of members of a shard, on real mysqld servers with semi-sync and the agent's configuration.
//!
//! One test, since starting servers is what takes the time: in each part the leader loses its acker, gets transactions that nobody
//! acknowledges, is killed, rewound and started, and follows the other, which leads in the next part.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod clones;
mod copies;
mod load;
mod pair;
#[path = "../common/server.rs"]
mod server;
mod support;

use pair::Pair;
use tablet_agent::mysqld::datadir;
use tablet_agent::rejoin::{Rewind, RewindError, before_start, logged, rewind};

#[tokio::test]
async fn former_primaries_and_strangers_rejoin() {
    let mut pair = Pair::new().await;
    nothing_to_cut(&mut pair).await;
    rows(&mut pair).await;
    definitions(&mut pair).await;
    databases(&mut pair).await;
    accounts(&mut pair).await;
    prepared_branches(&mut pair).await;
    a_rotation_that_did_not_wait(&mut pair).await;
    load::killed_under_load(&mut pair, false).await;
    load::killed_under_load(&mut pair, true).await;
    clones::a_hole(&mut pair).await;
    clones::errant_transactions(&mut pair).await;
    clones::what_no_log_tells(&mut pair).await;
    clones::killed_halfway(&mut pair).await;
}

/// The other has everything; what a kill left of a write at the end is mysqld's to trim.
async fn nothing_to_cut(pair: &mut Pair) {
    pair.leader
        .run(&[
            "CREATE DATABASE d",
            "CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)",
            "INSERT INTO d.t (v) VALUES (1), (2), (3)",
        ])
        .await;
    let known = pair.isolate().await;
    pair.leader.kill();
    let last = pair.leader.logs().pop().unwrap();
    let mut bytes = std::fs::read(&last).unwrap();
    bytes.extend([0; 100]);
    std::fs::write(&last, bytes).unwrap();
    let uuid = datadir::uuid(pair.leader.data()).unwrap();
    let outcome = rewind(pair.leader.data(), &known, "unused").unwrap();
    assert_eq!(outcome, Rewind::Nothing);
    assert_eq!(datadir::uuid(pair.leader.data()).unwrap(), uuid);
    pair.rejoin(&known).await;
}

/// Several clients' rows, compressed and tagged ones among them, behind the start of a file. A start that may have recovered them forbids the cut.
async fn rows(pair: &mut Pair) {
    let known = pair.isolate().await;
    pair.leader.run(&["FLUSH BINARY LOGS"]).await;
    pair.hang(&[
        &[
            "SET @x = 1 /*!80300 , gtid_next = 'AUTOMATIC:blue' */",
            "INSERT INTO d.t (v) VALUES (10)",
        ],
        &[
            "SET binlog_transaction_compression = ON",
            "INSERT INTO d.t (v) VALUES (13)",
        ],
        &["UPDATE d.t SET v = v + 100 WHERE id = 1"],
        &["DELETE FROM d.t WHERE id = 2"],
        &[
            "BEGIN",
            "INSERT INTO d.t (v) VALUES (11), (12)",
            "UPDATE d.t SET v = 0 WHERE id = 3",
            "COMMIT",
        ],
        &["INSERT INTO d.t (v) VALUES (5), (6), (7)"],
        &["REPLACE INTO d.t VALUES (1000, 1)"],
    ])
    .await;
    pair.leader.has_logged(7, &known).await;
    pair.leader.kill();
    let data = pair.leader.data();
    let mark = data.join("vitrail.started_behind");
    let before = std::fs::read(&mark).unwrap();
    before_start(data).unwrap();
    let refused = rewind(data, &known, "unused").unwrap_err();
    assert!(matches!(&refused, RewindError::Recovered(missing) if missing.count() == 7));
    assert!(refused.needs_clone());
    std::fs::write(&mark, before).unwrap();
    let cut = pair.cut(&known);
    assert_eq!((cut.missing.count(), cut.transactions, cut.files), (7, 7, 0));
    pair.rejoin(&known).await;
}

/// Every kind of DDL.
async fn definitions(pair: &mut Pair) {
    let mut setup: Vec<String> = (0..8)
        .map(|i| {
            format!(
                "CREATE TABLE d.t{i} (id INT PRIMARY KEY, v INT, w CHAR(10)) SELECT 1 AS id, 2 AS v, 'x' AS w"
            )
        })
        .collect();
    setup.push("CREATE VIEW d.view0 AS SELECT 1".to_owned());
    let setup: Vec<&str> = setup.iter().map(String::as_str).collect();
    pair.leader.run(&setup).await;
    let known = pair.isolate().await;
    pair.hang(&[
        &["CREATE TABLE d.made (id INT PRIMARY KEY)"],
        &["CREATE TABLE d.copied (PRIMARY KEY (id)) SELECT * FROM d.t0"],
        &["ALTER TABLE d.t1 ADD COLUMN instant INT, ALGORITHM=INSTANT"],
        &["ALTER TABLE d.t2 ADD KEY (v), ALGORITHM=INPLACE"],
        &["ALTER TABLE d.t3 MODIFY v BIGINT, ALGORITHM=COPY"],
        &["DROP TABLE d.t4"],
        &["TRUNCATE TABLE d.t5"],
        &["RENAME TABLE d.t6 TO d.renamed"],
        &["CREATE TRIGGER d.tr BEFORE INSERT ON d.t7 FOR EACH ROW SET NEW.v = 1"],
        &["CREATE VIEW d.view1 AS SELECT 2"],
        &["DROP VIEW d.view0"],
        &["CREATE PROCEDURE d.p() SELECT 1"],
    ])
    .await;
    pair.leader.has_logged(12, &known).await;
    pair.leader.kill();
    assert_eq!(pair.cut(&known).missing.count(), 12);
    pair.rejoin(&known).await;
    // What was undone can be done again.
    pair.leader
        .run(&[
            "CREATE TABLE d.made (id INT PRIMARY KEY)",
            "DROP TABLE d.t4",
            "ALTER TABLE d.t3 MODIFY v BIGINT",
        ])
        .await;
    pair.same().await;
}

/// Databases, whose directories are no part of any transaction.
async fn databases(pair: &mut Pair) {
    pair.leader
        .run(&["CREATE DATABASE old", "CREATE TABLE old.t (id INT PRIMARY KEY)"])
        .await;
    let known = pair.isolate().await;
    pair.hang(&[&["CREATE DATABASE fresh"], &["DROP DATABASE old"]])
        .await;
    pair.leader.has_logged(2, &known).await;
    pair.leader.kill();
    assert_eq!(pair.cut(&known).missing.count(), 2);
    pair.rejoin(&known).await;
    pair.leader
        .run(&["CREATE DATABASE fresh", "DROP DATABASE old"])
        .await;
    pair.same().await;
}

/// Account statements hold a lock that logins need: each is alone.
async fn accounts(pair: &mut Pair) {
    for statement in [
        "CREATE USER u@localhost IDENTIFIED BY 'x'",
        "GRANT SELECT ON d.* TO vitrail_app@localhost",
    ] {
        let known = pair.isolate().await;
        pair.hang(&[&[statement]]).await;
        pair.leader.has_logged(1, &known).await;
        pair.leader.kill();
        assert_eq!(pair.cut(&known).missing.count(), 1);
        pair.rejoin(&known).await;
    }
}

/// Prepared branches stay prepared when what ended them is cut, and are gone when their PREPARE is.
async fn prepared_branches(pair: &mut Pair) {
    for (name, id) in [("p1", 2001), ("p2", 2002), ("p3", 2003)] {
        pair.prepare_branch(name, id).await;
    }
    let known = pair.isolate().await;
    pair.hang(&[
        &["XA COMMIT 'p1'"],
        &["XA ROLLBACK 'p2'"],
        &[
            "XA START 'n1'",
            "INSERT INTO d.t VALUES (2004, 1)",
            "XA END 'n1'",
            "XA PREPARE 'n1'",
        ],
        &[
            "XA START 'o1'",
            "INSERT INTO d.t VALUES (2005, 1)",
            "XA END 'o1'",
            "XA COMMIT 'o1' ONE PHASE",
        ],
    ])
    .await;
    pair.leader.has_logged(4, &known).await;
    pair.leader.kill();
    assert_eq!(pair.cut(&known).missing.count(), 4);
    pair.rejoin(&known).await;
    let branches: Vec<(u32, u32, u32, String)> = pair.leader.rows("XA RECOVER").await;
    assert_eq!(branches.len(), 3);
    pair.leader
        .run(&["XA COMMIT 'p1'", "XA ROLLBACK 'p2'", "XA COMMIT 'p3'"])
        .await;
    pair.same().await;
    let rows: Vec<i32> = pair
        .follower
        .rows("SELECT id FROM d.t WHERE id > 2000 ORDER BY id")
        .await;
    assert_eq!(rows, [2001, 2003]);
}

/// XA COMMIT and ROLLBACK escape the rotation: the log is cut in a file that is not the last. A cut that was interrupted is taken up.
async fn a_rotation_that_did_not_wait(pair: &mut Pair) {
    for (name, id) in [("r1", 3001), ("r2", 3002)] {
        pair.prepare_branch(name, id).await;
    }
    let known = pair.isolate().await;
    pair.hang(&[&["XA COMMIT 'r1'"]]).await;
    pair.leader.has_logged(1, &known).await;
    pair.leader.run(&["FLUSH BINARY LOGS"]).await;
    pair.hang(&[&["XA ROLLBACK 'r2'"]]).await;
    pair.leader.has_logged(2, &known).await;
    pair.leader.run(&["FLUSH BINARY LOGS"]).await;
    pair.hang(&[&["INSERT INTO d.t VALUES (3003, 1)"], &["DROP TABLE d.t0"]])
        .await;
    pair.leader.has_logged(4, &known).await;
    pair.leader.kill();
    let tail = pair.leader.logged_beyond(&known);
    assert_eq!(logged(pair.leader.data()).unwrap(), known.union(&tail));
    copies::interrupted(pair, &known);
    copies::damaged(pair, &known);
    let cut = pair.cut(&known);
    assert_eq!((cut.missing.count(), cut.transactions, cut.files), (4, 4, 2));
    pair.rejoin(&known).await;
    pair.leader.run(&["XA COMMIT 'r1'", "XA COMMIT 'r2'"]).await;
    pair.same().await;
}
