//! The relay on the answers of a real MySQL server, which these tests start themselves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may fail by panicking"
)]

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "shared with other tests, which need more of it")]
mod common;

use common::MYSQLD;
use mysql_wire::{
    Capabilities,
    client::{ClientConnection, ConnectOptions, Target, connect},
    message::{Command, ErrPacket, FieldList, PrepareOk, Query, StmtExecute, StmtFetch},
    packet::{Frame, HEADER_LEN},
    relay::{Event, Expect, Relay},
};

/// What came through.
#[derive(Debug, Default, PartialEq, Eq)]
struct Relayed {
    events: Vec<Event>,
    rows: u64,
    /// The packets that events were reported for, without headers.
    packets: Vec<Vec<u8>>,
    /// Bytes that were forwarded.
    bytes: u64,
}

async fn open(classic: bool, more: Capabilities) -> ClientConnection {
    let mut options = ConnectOptions::new("root", "");
    options.capabilities = options.capabilities.without(Capabilities::DEPRECATE_EOF) | more;
    if !classic {
        options.capabilities.insert(Capabilities::DEPRECATE_EOF);
    }
    let mut connection = connect(&Target::Unix(MYSQLD.socket.clone()), &options)
        .await
        .unwrap();
    assert_eq!(
        connection.capabilities().contains(Capabilities::DEPRECATE_EOF),
        !classic
    );
    connection
        .query("CREATE DATABASE IF NOT EXISTS relay")
        .await
        .unwrap();
    connection.init_db("relay").await.unwrap();
    connection
}

/// Sends a command and relays its answer.
async fn relay(connection: &mut ClientConnection, expect: Expect, command: &Command<'_>) -> Relayed {
    connection.queue(command);
    connection.flush().await.unwrap();
    connection.begin_answer().unwrap();
    let mut relay = Relay::new(expect, connection.capabilities());
    let mut relayed = Relayed::default();
    let stream = connection.stream();
    while !relay.is_done() {
        let scan = relay.scan(stream.buffered()).unwrap();
        relayed.bytes += scan.forward as u64;
        stream.consume(scan.forward);
        let Some(event) = scan.event else {
            if !relay.is_done() {
                stream.fill().await.unwrap();
            }
            continue;
        };
        let packet = Frame::decode(stream.buffered()).unwrap();
        assert_eq!(packet.wire_len(), scan.packet_len);
        relayed.packets.push(packet.payload.to_vec());
        relayed.events.push(event);
        stream.consume(scan.packet_len);
    }
    assert!(
        stream.buffered().is_empty(),
        "{} bytes after the answer",
        stream.buffered().len()
    );
    assert_eq!(relayed.bytes, relay.bytes());
    relayed.rows = relay.rows();
    // The connection is in step: an ordinary command works.
    connection.ping().await.unwrap();
    relayed
}

async fn query(connection: &mut ClientConnection, sql: &str) -> Relayed {
    relay(
        connection,
        Expect::Result,
        &Command::Query(Query::new(sql.as_bytes())),
    )
    .await
}

fn run<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test)
}

#[test]
fn results_of_statements() {
    run(async {
        for classic in [false, true] {
            let mut c = open(classic, Capabilities::empty()).await;
            let empty = query(&mut c, "SELECT 1, 'a' FROM dual WHERE false").await;
            assert_eq!((&empty.events, empty.rows), (&vec![Event::RowsEnd], 0));
            let many = query(&mut c, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i, NULL, REPEAT('x', i) FROM n").await;
            assert_eq!((&many.events, many.rows), (&vec![Event::RowsEnd], 900));
            assert_eq!(query(&mut c, "DO 1").await.events, [Event::Ok]);
            assert_eq!(query(&mut c, "SELEC").await.events, [Event::Err]);
        }
    });
}

#[test]
fn an_error_between_rows() {
    run(async {
        for classic in [false, true] {
            let mut c = open(classic, Capabilities::empty()).await;
            query(&mut c, "DROP TABLE IF EXISTS e").await;
            query(&mut c, "CREATE TABLE e (i INT)").await;
            query(&mut c, "INSERT INTO e VALUES (1), (2), (3)").await;
            let relayed = query(&mut c, "SELECT IF(i < 3, i, (SELECT i FROM e)) FROM e").await;
            assert_eq!(relayed.events.last(), Some(&Event::Err));
            assert_eq!(relayed.rows, 2, "rows came before the error");
            assert_eq!(
                ErrPacket::decode(relayed.packets.last().unwrap()).unwrap().code,
                1242
            );
        }
    });
}

#[test]
fn several_results_of_a_procedure() {
    run(async {
        for classic in [false, true] {
            let mut c = open(classic, Capabilities::MULTI_STATEMENTS).await;
            query(&mut c, "DROP PROCEDURE IF EXISTS p").await;
            query(
                &mut c,
                "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2 UNION SELECT 3; END",
            )
            .await;
            let called = query(&mut c, "CALL p()").await;
            assert_eq!(called.events, [Event::RowsEnd, Event::RowsEnd, Event::Ok]);
            assert_eq!(called.rows, 3);
            let several = query(&mut c, "DO 1; SELECT 1; SELEC").await;
            assert_eq!(several.events, [Event::Ok, Event::RowsEnd, Event::Err]);
        }
    });
}

#[test]
fn prepared_statements_and_cursors() {
    run(async {
        for classic in [false, true] {
            let mut c = open(classic, Capabilities::QUERY_ATTRIBUTES).await;
            let prepared = relay(
                &mut c,
                Expect::Prepare,
                &Command::StmtPrepare(b"SELECT ?, ? UNION ALL SELECT 3, 4"),
            )
            .await;
            assert_eq!(prepared.events, [Event::PrepareOk]);
            let statement_id = PrepareOk::decode(&prepared.packets[0]).unwrap().statement_id;
            assert_eq!(
                relay(&mut c, Expect::Prepare, &Command::StmtPrepare(b"DO 1"))
                    .await
                    .events,
                [Event::PrepareOk]
            );
            assert_eq!(
                relay(&mut c, Expect::Prepare, &Command::StmtPrepare(b"SELEC"))
                    .await
                    .events,
                [Event::Err]
            );

            // Count, null bitmap, new types, (BIGINT, no name) twice, 1, 2.
            let mut body = vec![2, 0, 1, 8, 0, 0, 8, 0, 0];
            body.extend([1u64, 2].iter().flat_map(|n| n.to_le_bytes()));
            let execute = |flags: u8| {
                Command::StmtExecute(StmtExecute {
                    statement_id,
                    flags: flags | 8,
                    iterations: 1,
                    body: &body,
                })
            };
            let rows = relay(&mut c, Expect::Result, &execute(0)).await;
            assert_eq!((&rows.events, rows.rows), (&vec![Event::RowsEnd], 2));

            // A cursor: definitions only, rows by fetch.
            let opened = relay(&mut c, Expect::Result, &execute(1)).await;
            assert_eq!((&opened.events[..], opened.rows), (&[Event::RowsEnd][..], 0));
            let fetch = |rows| Command::StmtFetch(StmtFetch { statement_id, rows });
            for (asked, got) in [(1, 1), (5, 1)] {
                let fetched = relay(&mut c, Expect::Rows, &fetch(asked)).await;
                assert_eq!((&fetched.events[..], fetched.rows), (&[Event::RowsEnd][..], got));
            }
            assert_eq!(
                relay(&mut c, Expect::Rows, &fetch(1)).await.events,
                [Event::Err],
                "the cursor is closed"
            );
        }
    });
}

#[test]
fn columns_of_a_table() {
    run(async {
        for classic in [false, true] {
            let mut c = open(classic, Capabilities::empty()).await;
            query(&mut c, "CREATE TABLE IF NOT EXISTS f (a INT, b TEXT, c DATE)").await;
            let list = relay(
                &mut c,
                Expect::Rows,
                &Command::FieldList(FieldList {
                    table: b"f",
                    pattern: b"",
                }),
            )
            .await;
            assert_eq!((&list.events[..], list.rows), (&[Event::RowsEnd][..], 3));
        }
    });
}

#[test]
fn long_rows_whose_continuations_look_like_an_end() {
    run(async {
        for classic in [false, true] {
            let mut c = open(classic, Capabilities::empty()).await;
            // A row starts with nine bytes of length, so the second packet starts with byte 0xFFFFFF - 9 of the value.
            for (byte, tail) in [("FE", 4), ("FF", 100), ("FE", 0xff_ffff), ("00", 0xff_ffff + 3)] {
                let len = 0xff_ffff - 9 + tail;
                let sql = format!("SELECT REPEAT(X'{byte}', {len}) UNION ALL SELECT 'next'");
                let long = query(&mut c, &sql).await;
                assert_eq!(
                    (&long.events, long.rows),
                    (&vec![Event::RowsEnd], 2),
                    "{byte} {tail}"
                );
                assert!(long.bytes > (len + 2 * HEADER_LEN) as u64);
            }
        }
    });
}
