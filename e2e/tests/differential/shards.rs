//! Transactions over several shards, looked at from outside: one MySQL, as far as clients can see.

use std::time::Duration;

use e2e::cluster::Cluster;
use e2e::exchange::Exchange;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error};

/// Ids of table `spread` on the first shard and on the second one.
const LOW: u64 = 1;
const HIGH: u64 = 1 << 63;

async fn connect(keyspace: &str) -> Conn {
    Cluster::shared().connect(Some(keyspace)).await.unwrap()
}

/// Runs statements; each must succeed.
async fn run(conn: &mut Conn, statements: &[&str]) {
    for statement in statements {
        if let Err(error) = conn.query_drop(*statement).await {
            panic!("{statement}: {error}");
        }
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> u16 {
    match result {
        Err(Error::Server(error)) => error.code,
        other => panic!("no error of the server: {other:?}"),
    }
}

/// Empties `spread`, and puts a row on each shard.
async fn fill() -> Conn {
    let mut conn = connect("sharded").await;
    run(
        &mut conn,
        &[
            "DELETE FROM spread",
            &format!("INSERT INTO spread VALUES ({LOW}, 0), ({HIGH}, 0)"),
        ],
    )
    .await;
    conn
}

/// Whether nobody holds a lock on a row of `spread`.
async fn is_free(conn: &mut Conn, id: u64) -> bool {
    let locked = conn
        .query_drop(format!("SELECT v FROM spread WHERE id = {id} FOR UPDATE NOWAIT"))
        .await;
    match locked {
        Ok(()) => true,
        other => {
            assert_eq!(code(other), 3572);
            false
        }
    }
}

/// What commits implicitly on one shard commits what is open on all.
#[tokio::test]
async fn implicit_commits_end_all_branches() {
    let mut watcher = fill().await;
    let mut conn = connect("sharded").await;
    run(
        &mut conn,
        &[
            "DROP TABLE IF EXISTS test.s_x",
            "CREATE TABLE test.s_x (id INT PRIMARY KEY)",
        ],
    )
    .await;
    let begins: &[&[&str]] = &[
        &["BEGIN"],
        &["SET autocommit=0"],
        &["SET autocommit=0", "SAVEPOINT a"],
    ];
    let ends = [
        "CREATE TABLE test.s_y (id INT)",
        "DROP TABLE test.s_y",
        "ANALYZE TABLE test.s_x",
        "TRUNCATE TABLE spread",
        "LOCK TABLES spread READ",
        "BEGIN",
        "FLUSH STATUS",
        "CREATE TABLE spread (id BIGINT UNSIGNED PRIMARY KEY, v INT)",
        "SET autocommit=1",
    ];
    for begin in begins {
        for end in ends {
            run(
                &mut conn,
                &[
                    "SET autocommit=1",
                    &format!("REPLACE INTO spread VALUES ({LOW}, 0), ({HIGH}, 0)"),
                ],
            )
            .await;
            run(&mut conn, begin).await;
            run(
                &mut conn,
                &[
                    &format!("SELECT * FROM spread WHERE id = {HIGH} FOR UPDATE"),
                    &format!("UPDATE spread SET v = 5 WHERE id = {LOW}"),
                ],
            )
            .await;
            assert!(!is_free(&mut watcher, HIGH).await && !is_free(&mut watcher, LOW).await);
            if end == "SET autocommit=1" && *begin == ["BEGIN"] {
                run(&mut conn, &[end, "ROLLBACK"]).await;
                let found: Vec<u64> = watcher.query("SELECT id FROM spread WHERE v = 5").await.unwrap();
                assert!(found.is_empty(), "autocommit was on already: {found:?}");
                continue;
            }
            // An error comes after the commit.
            let ended = conn.query_drop(end).await;
            assert_eq!(ended.is_err(), end.starts_with("CREATE TABLE spread"), "{end}");
            assert!(is_free(&mut watcher, HIGH).await, "{begin:?} {end}");
            assert!(is_free(&mut watcher, LOW).await, "{begin:?} {end}");
            run(&mut conn, &["ROLLBACK"]).await;
            let found: Vec<u64> = watcher.query("SELECT id FROM spread WHERE v = 5").await.unwrap();
            let expected: &[u64] = if end.starts_with("TRUNCATE") { &[] } else { &[LOW] };
            assert_eq!(found, expected, "{begin:?} {end}");
        }
    }
}

/// A stored procedure that commits ends what is open on other shards, too.
#[tokio::test]
async fn a_commit_inside_a_procedure_ends_all_branches() {
    let mut watcher = fill().await;
    let mut conn = connect("test").await;
    run(
        &mut conn,
        &[
            "DROP PROCEDURE IF EXISTS s_commit",
            "CREATE PROCEDURE s_commit() COMMIT",
        ],
    )
    .await;
    for begin in ["BEGIN", "SET autocommit=0"] {
        run(
            &mut conn,
            &[
                begin,
                &format!("SELECT * FROM sharded.spread WHERE id = {HIGH} FOR UPDATE"),
            ],
        )
        .await;
        assert!(!is_free(&mut watcher, HIGH).await);
        run(&mut conn, &["CALL s_commit()"]).await;
        assert!(is_free(&mut watcher, HIGH).await, "{begin}");
    }
    run(&mut conn, &["DROP PROCEDURE s_commit"]).await;
}

/// Savepoints under autocommit=0 are known to shards that join after them.
#[tokio::test]
async fn savepoints_reach_shards_that_join_later() {
    let mut watcher = fill().await;
    let mut conn = connect("sharded").await;
    run(
        &mut conn,
        &[
            "SET autocommit=0",
            "SAVEPOINT a",
            &format!("SELECT * FROM spread WHERE id = {HIGH} FOR UPDATE"),
            "SAVEPOINT b",
            &format!("UPDATE spread SET v = 1 WHERE id = {LOW}"),
            "ROLLBACK TO b",
            &format!("UPDATE spread SET v = v + 2 WHERE id = {LOW}"),
            "RELEASE SAVEPOINT b",
        ],
    )
    .await;
    assert_eq!(code(conn.query_drop("ROLLBACK TO b").await), 1305);
    run(&mut conn, &["COMMIT"]).await;
    let low = format!("SELECT v FROM spread WHERE id = {LOW}");
    assert_eq!(watcher.query_first::<i64, _>(&low).await.unwrap(), Some(2));
    run(
        &mut conn,
        &[
            "SAVEPOINT a",
            &format!("UPDATE spread SET v = 9 WHERE id = {LOW}"),
            "SELECT * FROM spread",
            "ROLLBACK TO a",
            "COMMIT",
        ],
    )
    .await;
    assert_eq!(watcher.query_first::<i64, _>(&low).await.unwrap(), Some(2));
}

/// A deadlock in a read of several shards rolls back all of the transaction.
#[tokio::test]
async fn a_deadlock_in_a_scatter_read_ends_the_transaction() {
    let mut watcher = fill().await;
    run(
        &mut watcher,
        &["INSERT INTO spread VALUES (2, 0), (3, 0), (4, 0)"],
    )
    .await;
    let mut heavy = connect("sharded").await;
    run(
        &mut heavy,
        &["BEGIN", "UPDATE spread SET v = 1 WHERE id IN (1, 3, 4)"],
    )
    .await;
    let mut victim = Exchange::gateway(Cluster::shared(), "sharded").await.unwrap();
    victim.run("BEGIN").await.unwrap();
    victim
        .run("SELECT v FROM spread WHERE id = 2 FOR UPDATE")
        .await
        .unwrap();
    victim
        .run(&format!("UPDATE spread SET v = 7 WHERE id = {HIGH}"))
        .await
        .unwrap();
    let waiting = tokio::spawn(async move {
        run(
            &mut heavy,
            &["SELECT v FROM spread WHERE id = 2 FOR UPDATE", "COMMIT"],
        )
        .await;
    });
    let told = victim
        .run("SELECT * FROM spread ORDER BY id FOR UPDATE")
        .await
        .unwrap();
    assert_eq!(told, ["error 1213 (40001)"]);
    waiting.await.unwrap();
    let status = victim.run("DO 1").await.unwrap();
    assert!(!status.first().unwrap().contains("IN_TRANS"), "{status:?}");
    assert!(is_free(&mut watcher, HIGH).await);
    let high = format!("SELECT v FROM spread WHERE id = {HIGH}");
    assert_eq!(watcher.query_first::<i64, _>(&high).await.unwrap(), Some(0));
}

/// KILL QUERY stops the statement, on one shard and on several, and not the transaction.
#[tokio::test]
async fn a_killed_read_keeps_the_transaction() {
    for condition in ["v = 0".to_owned(), format!("id = {LOW}")] {
        kill_read(format!("SELECT * FROM spread WHERE {condition} FOR UPDATE")).await;
    }
    let mut conn = connect("sharded").await;
    let set = conn.prep("SET @a = ? + 1").await.unwrap();
    conn.exec_drop(&set, (41,)).await.unwrap();
    assert_eq!(conn.query_first::<i64, _>("SELECT @a").await.unwrap(), Some(42));
}

async fn kill_read(text: String) {
    let mut holder = fill().await;
    let mut killer = connect("sharded").await;
    let mut conn = connect("sharded").await;
    let id: u64 = conn.query_first("SELECT CONNECTION_ID()").await.unwrap().unwrap();
    run(&mut conn, &["BEGIN", "INSERT INTO spread VALUES (50, 50)"]).await;
    run(
        &mut holder,
        &[
            "BEGIN",
            &format!("SELECT * FROM spread WHERE id IN ({LOW}, {HIGH}) FOR UPDATE"),
        ],
    )
    .await;
    let stopped = tokio::spawn(async move {
        let told = conn.query_drop(text).await;
        (conn, code(told))
    });
    loop {
        let running: Vec<mysql_async::Row> = killer.query("SHOW PROCESSLIST").await.unwrap();
        let is_it = |row: &mysql_async::Row| {
            row.get::<u64, _>(0) == Some(id) && row.get::<Option<String>, _>(7).flatten().is_some()
        };
        if running.iter().any(is_it) {
            break;
        }
    }
    let kill = killer.prep("KILL QUERY ?").await.unwrap();
    killer.exec_drop(&kill, (id,)).await.unwrap();
    let (mut conn, told) = await_join(stopped).await;
    assert_eq!(told, 1317);
    run(&mut holder, &["COMMIT"]).await;
    assert_eq!(
        conn.query_first::<i64, _>("SELECT v FROM spread WHERE id = 50")
            .await
            .unwrap(),
        Some(50)
    );
    run(&mut conn, &["COMMIT"]).await;
    assert_eq!(
        holder
            .query_first::<i64, _>("SELECT v FROM spread WHERE id = 50")
            .await
            .unwrap(),
        Some(50)
    );
}

/// A result that the gateway may not hold is refused, and the transaction around it goes on.
#[tokio::test]
async fn a_result_that_is_too_large_keeps_the_transaction() {
    let mut watcher = fill().await;
    let rows: Vec<String> = (100..180).map(|id| format!("({id}, 0)")).collect();
    run(
        &mut watcher,
        &[&format!("INSERT INTO spread VALUES {}", rows.join(","))],
    )
    .await;
    let mut conn = connect("sharded").await;
    run(
        &mut conn,
        &["BEGIN", &format!("UPDATE spread SET v = 3 WHERE id = {LOW}")],
    )
    .await;
    let told = conn
        .query_drop("SELECT DISTINCT RPAD(id, 4000000, 'x') COLLATE utf8mb4_bin FROM spread")
        .await;
    assert_eq!(code(told), 1104);
    run(&mut conn, &["COMMIT"]).await;
    let low = format!("SELECT v FROM spread WHERE id = {LOW}");
    assert_eq!(watcher.query_first::<i64, _>(&low).await.unwrap(), Some(3));
    run(&mut watcher, &["DELETE FROM spread"]).await;
}

/// DDL on several shards says each warning once, and an empty keyspace takes CREATE DATABASE.
#[tokio::test]
async fn ddl_on_several_shards_and_databases() {
    let mut sharded = Exchange::gateway(Cluster::shared(), "sharded").await.unwrap();
    let told = sharded.run("DROP TABLE IF EXISTS s_absent").await.unwrap();
    assert!(told.first().unwrap().contains("warnings 1 "), "{told:?}");
    let warnings = sharded.run("SHOW WARNINGS").await.unwrap();
    assert_eq!(
        warnings.first().unwrap().matches("1051").count(),
        1,
        "{warnings:?}"
    );

    let told = sharded.run("ALTER TABLE spread COMMENT ''").await.unwrap();
    assert!(
        told.first().unwrap().contains("Records: 0  Duplicates: 0"),
        "{told:?}"
    );

    let mut conn = connect("test").await;
    run(&mut conn, &["CREATE TABLE IF NOT EXISTS s_db (id INT)"]).await;
    assert_eq!(code(conn.query_drop("CREATE DATABASE test").await), 1007);
    run(&mut conn, &["CREATE DATABASE IF NOT EXISTS test"]).await;
    assert_eq!(conn.get_warnings(), 1);
    run(
        &mut conn,
        &[
            "DROP DATABASE test",
            "CREATE DATABASE test DEFAULT CHARACTER SET latin1",
            "CREATE TABLE s_db (name VARCHAR(10))",
        ],
    )
    .await;
    let charset = "SELECT CCSA.character_set_name FROM information_schema.tables t \
        JOIN information_schema.collation_character_set_applicability CCSA ON CCSA.collation_name = t.table_collation \
        WHERE t.table_schema = 'test' AND t.table_name = 's_db'";
    let found: Option<String> = conn.query_first(charset).await.unwrap();
    assert_eq!(found.as_deref(), Some("latin1"));
    run(
        &mut conn,
        &[
            "DROP DATABASE test",
            "CREATE DATABASE IF NOT EXISTS test",
            "CREATE TABLE s_db (name VARCHAR(10))",
        ],
    )
    .await;
    let found: Option<String> = conn.query_first(charset).await.unwrap();
    assert_eq!(found.as_deref(), Some("utf8mb4"));
    assert_eq!(code(conn.query_drop("CREATE DATABASE elsewhere").await), 1235);
    run(&mut conn, &["DROP TABLE s_db"]).await;
}

/// A name in the selected unsharded keyspace is never another keyspace's, and SET does not ask one shard for all.
#[tokio::test]
async fn names_stay_in_the_selected_keyspace() {
    let mut sharded = connect("sharded").await;
    run(&mut sharded, &["DELETE FROM client"]).await;
    let mut conn = connect("test").await;
    run(
        &mut conn,
        &[
            "CREATE TEMPORARY TABLE client (id INT PRIMARY KEY)",
            "INSERT INTO client VALUES (1)",
        ],
    )
    .await;
    let count = "SELECT COUNT(*) FROM sharded.client";
    assert_eq!(conn.query_first::<i64, _>(count).await.unwrap(), Some(0));
    // A pinned session keeps its connections over statements on several shards.
    for _ in 0..2 {
        run(
            &mut conn,
            &[
                "DELETE FROM sharded.spread",
                &format!("INSERT INTO sharded.spread VALUES ({LOW}, 0), ({HIGH}, 0)"),
                "SELECT COUNT(*) FROM sharded.spread",
                "INSERT INTO client (id) SELECT MAX(id) + 1 FROM (SELECT 1 AS id) AS t",
                "DELETE FROM client WHERE id = 2",
            ],
        )
        .await;
    }
    run(&mut conn, &["DROP TEMPORARY TABLE client"]).await;
    assert_eq!(
        code(conn.query_drop("INSERT INTO client (id) VALUES (2)").await),
        1146
    );
    let refused = conn
        .query_drop("SET @n = (SELECT COUNT(*) FROM sharded.client)")
        .await;
    assert_eq!(code(refused), 1235);
}

/// Prepared branches are for the gateway's own transactions, on a keyspace of one shard too.
#[tokio::test]
async fn xa_statements_of_clients_are_refused() {
    for keyspace in ["test", "sharded"] {
        let mut conn = connect(keyspace).await;
        for text in [
            "XA START 'x'",
            "xa begin 'x', 'y', 3",
            " /* c */ XA END 'x'",
            "/*!80000 XA PREPARE 'x' */",
            "XA COMMIT 'x' ONE PHASE",
            "XA ROLLBACK 'x'",
            "XA RECOVER CONVERT XID",
        ] {
            for text in [text, &format!("{text}; SELECT 1"), &format!("SELECT 1; {text}")] {
                assert_eq!(code(conn.query_drop(text).await), 1235, "{keyspace}: {text}");
            }
            let prepared = conn.prep(text).await.map(|statement| statement.id());
            assert_eq!(code(prepared), 1235, "{keyspace}: {text}");
        }
        run(&mut conn, &["SET @x = 'xa recover'"]).await;
        for texts in [
            ["PREPARE s FROM 'XA RECOVER'", "EXECUTE s"],
            ["PREPARE s FROM @x", "EXECUTE s"],
        ] {
            let mut told = conn.query_drop(texts[0]).await;
            if told.is_ok() {
                told = conn.query_drop(texts[1]).await;
            }
            assert_eq!(code(told), 1235, "{keyspace}: {texts:?}");
        }
        // A name is none.
        run(&mut conn, &["SELECT 1 AS xa", "SET @xa = 1"]).await;
    }
}

async fn await_join<T>(task: tokio::task::JoinHandle<T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), task)
        .await
        .unwrap()
        .unwrap()
}
