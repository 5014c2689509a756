//! A shard's primary goes and another one comes: what the gateway holds, what it runs again, and what it has to tell.
//!
//! The test plays the agents, so that each moment lasts as long as it takes to look at it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::OnceLock;
use std::time::Duration;

use e2e::plain::Plain;
use e2e::stage::{Member, Stage, furnish};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error};

const HELD: &str = "vtgate_buffer_held";
/// Long enough for every test to end its waits itself.
const PATIENT: &str = "--buffer-window=120s";
const NONE: Duration = Duration::ZERO;

/// The two servers that all tests share; each test furnishes them anew.
fn servers() -> &'static [Plain; 2] {
    static SERVERS: OnceLock<[Plain; 2]> = OnceLock::new();
    SERVERS.get_or_init(|| [Plain::start_default().unwrap(), Plain::start_default().unwrap()])
}

/// A shard of two members, `a` and `b`. A row of table `me` names each.
struct Shard {
    stage: Stage,
    a: Member,
    b: Member,
}

async fn shard(options: &[&str]) -> Shard {
    for (server, name) in servers().iter().zip(["a", "b"]) {
        furnish(
            server,
            "shop",
            &[
                "CREATE TABLE t (id INT PRIMARY KEY, v INT)",
                "INSERT INTO t VALUES (1, 0)",
                "CREATE TABLE me (name VARCHAR(9) PRIMARY KEY)",
                &format!("INSERT INTO me VALUES ('{name}')"),
            ],
        )
        .await
        .unwrap();
    }
    let stage = Stage::start(options).await.unwrap();
    stage.keyspace("shop").await.unwrap();
    let a = stage.member("a", "shop", &servers()[0]).await.unwrap();
    let b = stage.member("b", "shop", &servers()[1]).await.unwrap();
    Shard { stage, a, b }
}

impl Shard {
    /// A session, once the keyspace is known.
    async fn connect(&self) -> Conn {
        let mut tries = 0;
        loop {
            match Conn::new(self.stage.opts("shop")).await {
                Ok(conn) => return conn,
                Err(error) if tries == 500 => panic!("{error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
            tries += 1;
        }
    }

    /// Runs a statement beside the test.
    async fn run(&self, statement: &str) -> tokio::task::JoinHandle<Result<(), Error>> {
        let mut conn = self.connect().await;
        let statement = statement.to_owned();
        tokio::spawn(async move { conn.query_drop(statement).await })
    }

    /// Waits until the gateway has heard that a member is in this state.
    async fn heard(&self, alias: &str, state: &str) {
        let mut conn = self.connect().await;
        loop {
            let rows: Vec<mysql_async::Row> = conn.query("SHOW VITRAIL TABLETS").await.unwrap();
            let cell = |row: &mysql_async::Row, column: &str| row.get::<Option<String>, _>(column).flatten();
            let mut rows = rows.iter();
            let is_so = |row: &mysql_async::Row| {
                cell(row, "Alias").as_deref() == Some(alias) && cell(row, "State").as_deref() == Some(state)
            };
            if rows.any(is_so) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn held(&self, count: u64) {
        self.stage.await_metric(HELD, count).await.unwrap();
    }
}

/// Which server a session's statements run on.
async fn place(conn: &mut Conn) -> String {
    conn.query_first("SELECT name FROM me").await.unwrap().unwrap()
}

/// Number and words of a refusal.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> (u16, String) {
    match result {
        Err(Error::Server(error)) => (error.code, format!("{} {}", error.state, error.message)),
        other => panic!("no error of the gateway: {other:?}"),
    }
}

async fn direct(server: usize, statement: &str) {
    servers()[server].execute(None, &[statement]).await.unwrap();
}

#[tokio::test]
async fn statements_wait_for_a_primary() {
    let shard = shard(&[PATIENT]).await;
    let texts = [
        "SELECT v FROM t WHERE id = 1",
        "INSERT INTO t VALUES (2, 2)",
        "UPDATE t SET v = v + 1 WHERE id = 1",
        "SELECT 1; UPDATE t SET v = v + 10 WHERE id = 1; SELECT 2",
        "CREATE TABLE made (id INT)",
        "SHOW TABLES",
        "SET @x = (SELECT COUNT(*) FROM me)",
        "LOCK TABLES t READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT",
        "CALL nothing_of_the_kind_exists_but_that_is_for_mysql()",
    ];
    let mut running = Vec::new();
    for text in texts {
        running.push(shard.run(text).await);
    }
    // Prepared for what they need of MySQL, too.
    let mut conn = shard.connect().await;
    running.push(tokio::spawn(async move {
        conn.exec_drop("UPDATE t SET v = v + ? WHERE id = 1", (100,))
            .await
    }));
    let count = running.len() as u64;
    shard.held(count).await;
    assert!(running.iter().all(|task| !task.is_finished()));
    shard.a.leads(1);
    for (at, task) in running.into_iter().enumerate() {
        let outcome = task.await.unwrap();
        match texts.get(at) {
            Some(text) if text.starts_with("CALL") => assert_eq!(refused(outcome).0, 1305),
            text => assert!(outcome.is_ok(), "{text:?}: {outcome:?}"),
        }
    }
    shard.held(0).await;
    let released = shard.stage.metric("vtgate_buffer_released_total").await.unwrap();
    assert!(released >= count, "{released}");
    let mut conn = shard.connect().await;
    let sum: Option<(i64, i64)> = conn.query_first("SELECT SUM(v), COUNT(*) FROM t").await.unwrap();
    assert_eq!(sum, Some((113, 2)), "each ran once");
}

#[tokio::test]
async fn waits_end_as_statements_do() {
    let mut shard = shard(&[
        PATIENT,
        "--buffer-statements=2",
        "--buffer-bytes=2000",
        "--drain-s-max=20",
    ])
    .await;
    let mut other = shard.connect().await;

    let mut conn = shard.connect().await;
    let id = conn.id();
    let killed = tokio::spawn(async move {
        let told = conn.query_drop("SELECT * FROM t").await;
        (told, conn)
    });
    shard.held(1).await;
    other.query_drop(format!("KILL QUERY {id}")).await.unwrap();
    let (told, mut conn) = killed.await.unwrap();
    assert_eq!(refused(told).0, 1317);
    shard.held(0).await;

    let id = conn.id();
    let killed = tokio::spawn(async move { conn.query_drop("SELECT * FROM t").await });
    shard.held(1).await;
    other.query_drop(format!("KILL {id}")).await.unwrap();
    killed.await.unwrap().unwrap_err();

    // Whoever has gone away waits no more.
    let gone = shard.run("SELECT * FROM t").await;
    shard.held(1).await;
    gone.abort();
    shard.held(0).await;

    let first = shard.run("SELECT * FROM t").await;
    shard.held(1).await;
    let long = format!("SELECT '{}' FROM t", "x".repeat(2500));
    let (code, words) = refused(shard.run(&long).await.await.unwrap());
    assert_eq!(code, 1105);
    assert!(words.contains("--buffer-bytes"), "{words}");
    let second = shard.run("SELECT * FROM t").await;
    shard.held(2).await;
    let (code, words) = refused(other.query_drop("SELECT * FROM t").await);
    assert_eq!(code, 1105);
    assert!(
        words.contains("no serving primary") && words.contains("--buffer-statements"),
        "{words}"
    );

    let pid = nix::unistd::Pid::from_raw(i32::try_from(shard.stage.gateway.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    for held in [first, second] {
        assert_eq!(refused(held.await.unwrap()).0, 1053);
    }
    drop(other);
    assert!(shard.stage.gateway.wait().unwrap().success());
}

#[tokio::test]
async fn the_window_ends_and_may_be_shut() {
    let open = shard(&["--buffer-window=300ms", "--statement-ms-max=60000"]).await;
    let mut conn = open.connect().await;
    let (code, words) = refused(conn.query_drop("SELECT * FROM t").await);
    assert_eq!(code, 1105);
    assert!(
        words.contains("no serving primary tablet for shard shop/-; the statement waited for 300ms"),
        "{words}"
    );
    let refusals = open
        .stage
        .metric("vtgate_buffer_refused_total{reason=\"window\"}")
        .await;
    assert_eq!(refusals.unwrap(), 1);

    let shut = shard(&["--buffer-window=0"]).await;
    let mut conn = shut.connect().await;
    let (code, words) = refused(conn.query_drop("SELECT * FROM t").await);
    assert_eq!(
        (code, &*words),
        (1105, "HY000 no serving primary tablet for shard shop/-")
    );

    let limited = shard(&[PATIENT, "--statement-ms-max=300"]).await;
    let mut conn = limited.connect().await;
    assert_eq!(refused(conn.query_drop("SELECT * FROM t").await).0, 3024);
}

/// A planned switch: what is open ends where it is, what is new waits, and sessions keep what they have.
#[tokio::test]
async fn a_planned_switch_costs_no_error() {
    let shard = shard(&[PATIENT]).await;
    shard.a.leads(1);
    let mut open = shard.connect().await;
    open.query_drop("BEGIN").await.unwrap();
    open.query_drop("INSERT INTO t VALUES (7, 7)").await.unwrap();
    let mut pinned = shard.connect().await;
    pinned
        .query_drop("CREATE TEMPORARY TABLE own (id INT)")
        .await
        .unwrap();
    let mut session = shard.connect().await;
    session
        .query_drop("SET @x = 5, time_zone = '+03:00'")
        .await
        .unwrap();
    let prepared = session
        .prep("SELECT name, @x + ?, @@time_zone FROM me")
        .await
        .unwrap();
    type Row = (String, i64, String);
    let row: Option<Row> = session.exec_first(&prepared, (1,)).await.unwrap();
    assert_eq!(row, Some(("a".to_owned(), 6, "+03:00".to_owned())));

    shard.a.drains();
    shard.heard("a", "DRAINING").await;
    let waiting = tokio::spawn(async move {
        let row: Option<Row> = session.exec_first(&prepared, (2,)).await.unwrap();
        row
    });
    shard.held(1).await;
    open.query_drop("UPDATE t SET v = 8 WHERE id = 7").await.unwrap();
    open.query_drop("COMMIT").await.unwrap();
    pinned.query_drop("INSERT INTO own VALUES (1)").await.unwrap();
    // The next transaction of the same session is new work.
    let mut begun = shard.connect().await;
    begun.query_drop("BEGIN").await.unwrap();
    let next = tokio::spawn(async move {
        open.query_drop("BEGIN").await.unwrap();
        place(&mut open).await
    });
    let first = tokio::spawn(async move { place(&mut begun).await });
    shard.held(3).await;

    shard.a.rests();
    shard.b.leads(2);
    assert_eq!(
        waiting.await.unwrap(),
        Some(("b".to_owned(), 7, "+03:00".to_owned()))
    );
    assert_eq!(next.await.unwrap(), "b");
    assert_eq!(first.await.unwrap(), "b");
    // What only the old connection had is gone with it, and that is told once.
    assert_eq!(refused(pinned.query_drop("SELECT * FROM own").await).0, 1053);
    assert_eq!(place(&mut pinned).await, "b");
    assert_eq!(refused(pinned.query_drop("SELECT * FROM own").await).0, 1146);
    let count: Option<i64> = Conn::new(servers()[0].opts(Some("shop")))
        .await
        .unwrap()
        .query_first("SELECT v FROM t WHERE id = 7")
        .await
        .unwrap();
    assert_eq!(count, Some(8), "committed while the primary drained");
}

/// A handover that is called off.
#[tokio::test]
async fn draining_ends() {
    let shard = shard(&[PATIENT]).await;
    shard.a.leads(1);
    let mut conn = shard.connect().await;
    assert_eq!(place(&mut conn).await, "a");
    shard.a.drains();
    shard.heard("a", "DRAINING").await;
    let waiting = tokio::spawn(async move { place(&mut conn).await });
    shard.held(1).await;
    shard.a.leads(1);
    assert_eq!(waiting.await.unwrap(), "a");
}

/// Who was overtaken and does not know it yet is never asked.
#[tokio::test]
async fn a_lower_term_is_never_used() {
    let shard = shard(&[PATIENT]).await;
    shard.a.leads(5);
    let mut conn = shard.connect().await;
    assert_eq!(place(&mut conn).await, "a");
    let mut open = shard.connect().await;
    open.query_drop("BEGIN").await.unwrap();
    open.query_drop("INSERT INTO t VALUES (9, 9)").await.unwrap();
    // Both claim it.
    shard.b.leads(6);
    while place(&mut conn).await != "b" {}
    assert_eq!(
        refused(open.query_drop("COMMIT").await).0,
        1053,
        "never committed on a former primary"
    );
    // Even when it is the only one.
    shard.b.rests();
    shard.heard("b", "NOT_SERVING").await;
    let waiting = tokio::spawn(async move { place(&mut conn).await });
    shard.held(1).await;
    shard.b.leads(7);
    assert_eq!(waiting.await.unwrap(), "b");
}

/// The primary is fenced before anybody tells the gateway.
#[tokio::test]
async fn a_fenced_primary_turns_statements_away() {
    let shard = shard(&[PATIENT]).await;
    shard.a.leads(1);
    let mut sessions = Vec::new();
    for _ in 0..8 {
        let mut conn = shard.connect().await;
        assert_eq!(place(&mut conn).await, "a");
        sessions.push(conn);
    }
    let (mut open, mut committing, mut reading) = (
        sessions.pop().unwrap(),
        sessions.pop().unwrap(),
        sessions.pop().unwrap(),
    );
    for conn in [&mut open, &mut committing] {
        conn.query_drop("BEGIN").await.unwrap();
        conn.query_drop(format!("INSERT INTO t VALUES ({}, 0)", conn.id() + 100))
            .await
            .unwrap();
    }
    reading.query_drop("BEGIN").await.unwrap();
    reading.query_drop("SELECT * FROM t").await.unwrap();
    direct(0, "SET GLOBAL super_read_only=ON").await;

    let (code, words) = refused(open.query_drop("INSERT INTO t VALUES (50, 0)").await);
    assert_eq!(code, 1053);
    assert_eq!(
        words,
        "08S01 the primary of shard shop/- was lost; the transaction was rolled back"
    );
    // It was told: the end of what is no more is no error.
    open.query_drop("COMMIT").await.unwrap();
    assert_eq!(refused(committing.query_drop("COMMIT").await).0, 1053);
    // Nothing is lost by the end of what only read.
    reading.query_drop("COMMIT").await.unwrap();

    let texts: [&[&str]; 4] = [
        &["INSERT INTO t VALUES (20, 0)"],
        &["BEGIN", "INSERT INTO t VALUES (21, 0)", "COMMIT"],
        &["SET autocommit=0", "INSERT INTO t VALUES (22, 0)", "COMMIT"],
        &["CREATE TABLE made (id INT)"],
    ];
    let mut running = Vec::new();
    for texts in texts {
        let mut conn = sessions.pop().unwrap();
        running.push(tokio::spawn(async move {
            for text in texts {
                conn.query_drop(*text).await?;
            }
            Ok::<(), Error>(())
        }));
    }
    shard.held(4).await;
    shard.b.leads(2);
    for task in running {
        task.await.unwrap().unwrap();
    }
    let mut conn = shard.connect().await;
    let rows: Vec<i64> = conn
        .query("SELECT id FROM t WHERE id >= 20 ORDER BY id")
        .await
        .unwrap();
    assert_eq!(rows, [20, 21, 22]);
    assert_eq!(place(&mut conn).await, "b");
}

/// Connections are cut and nobody gets in, as the first step of a fence does it.
#[tokio::test]
async fn a_closed_primary_turns_statements_away() {
    let shard = shard(&[PATIENT]).await;
    shard.a.leads(1);
    let mut open = shard.connect().await;
    open.query_drop("BEGIN").await.unwrap();
    open.query_drop("INSERT INTO t VALUES (40, 0)").await.unwrap();
    let mut late = shard.connect().await;
    late.query_drop("BEGIN").await.unwrap();
    late.query_drop("INSERT INTO t VALUES (41, 0)").await.unwrap();
    let mut conn = shard.connect().await;
    assert_eq!(place(&mut conn).await, "a");
    let asleep = shard.run("UPDATE t SET v = SLEEP(60) WHERE id = 1").await;
    let mut watcher = Conn::new(servers()[0].opts(None)).await.unwrap();
    let sleeps =
        "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'UPDATE t SET v = SLEEP%'";
    while watcher.query_first::<i64, _>(sleeps).await.unwrap() == Some(0) {}
    direct(0, "SET GLOBAL offline_mode=ON").await;

    let (code, words) = refused(asleep.await.unwrap());
    assert_eq!(code, 1180);
    assert!(words.starts_with("08007") && words.contains("shop/-"), "{words}");
    assert_eq!(refused(open.query_drop("SELECT 1 FROM t").await).0, 1053);
    assert_eq!(refused(late.query_drop("COMMIT").await).0, 1053);
    let waiting = tokio::spawn(async move {
        conn.query_drop("INSERT INTO t VALUES (30, 0)").await.unwrap();
        place(&mut conn).await
    });
    shard.held(1).await;
    // The same primary again, though its agent never said that it was away: it is asked again after a while.
    direct(0, "SET GLOBAL offline_mode=OFF").await;
    assert_eq!(waiting.await.unwrap(), "a");
}

#[tokio::test]
async fn replicas_that_lag_are_not_read() {
    let shard = shard(&["--replica-lag-max=10s"]).await;
    shard.a.follows(1, Duration::from_secs(11));
    let mut conn = shard.connect().await;
    conn.query_drop("USE `shop@replica`").await.unwrap();
    let (code, words) = loop {
        let told = refused(conn.query_drop("SELECT 1 FROM t").await);
        if !told.1.contains("no serving replica") {
            break told;
        }
    };
    assert_eq!(code, 1105);
    assert!(
        words.contains("all 1 that serve lag more than --replica-lag-max"),
        "{words}"
    );
    shard.b.follows(1, NONE);
    while conn.query_drop("SELECT 1 FROM t").await.is_err() {}
    for _ in 0..4 {
        assert_eq!(place(&mut conn).await, "b");
    }
    let any = self::shard(&["--replica-lag-max=0"]).await;
    any.a.follows(1, Duration::from_secs(3600));
    let mut conn = any.connect().await;
    conn.query_drop("USE `shop@replica`").await.unwrap();
    while conn.query_drop("SELECT 1 FROM t").await.is_err() {}
    assert_eq!(place(&mut conn).await, "a");
}
