//! Commands and their answers.

use mysql_wire::client::ConnectOptions;
use mysql_wire::message::{Command, Query, SetOption};
use mysql_wire::value::params::{Param, ParamType, ParamValue};
use mysql_wire::value::{Value, ValueRef};
use mysql_wire::{Capabilities, Error, StatusFlags};

use crate::{cells, root, root_with, unix};

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> u16 {
    match result {
        Err(Error::Sql(error)) => error.code,
        other => panic!("{other:?}"),
    }
}

fn int(v: i64) -> Param<'static> {
    let value = ValueRef::Int(v);
    Param {
        ty: ParamType::of(&value),
        value: ParamValue::Inline(value),
    }
}

#[tokio::test]
async fn results_with_and_without_eof_packets() {
    for capabilities in [
        Capabilities::empty(),
        Capabilities::DEPRECATE_EOF | Capabilities::QUERY_ATTRIBUTES,
    ] {
        let options = ConnectOptions {
            capabilities,
            ..ConnectOptions::new("root", "")
        };
        let mut c = root_with("commands_eof", options).await;
        assert_eq!(
            c.capabilities() & (Capabilities::DEPRECATE_EOF | Capabilities::QUERY_ATTRIBUTES),
            capabilities
        );
        let rows = c
            .query("SELECT 1 AS a, NULL AS b UNION SELECT 2, 'x'")
            .await
            .unwrap();
        assert_eq!(cells(&rows), [["1", "NULL"], ["2", "x"]]);
        assert_eq!(rows.columns[1].name, b"b");
        let empty = c.query("SELECT 1 FROM DUAL WHERE FALSE").await.unwrap();
        assert_eq!((empty.columns.len(), empty.rows.len()), (1, 0));
        c.query("CREATE TEMPORARY TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)")
            .await
            .unwrap();
        let inserted = c.query("INSERT INTO t (v) VALUES (1), (2), (3)").await.unwrap();
        assert_eq!((inserted.ok.affected_rows, inserted.ok.last_insert_id), (3, 1));
        assert!(inserted.ok.info.starts_with(b"Records: 3"), "{inserted:?}");

        let statement = c
            .prepare("SELECT id, v FROM t WHERE id > ? AND v < ?")
            .await
            .unwrap();
        assert_eq!((statement.params.len(), statement.columns.len()), (2, 2));
        let rows = c.execute(&statement, &[int(1), int(9)]).await.unwrap();
        assert_eq!(
            rows.rows,
            [[Value::Int(2), Value::Int(2)], [Value::Int(3), Value::Int(3)]]
        );
        c.reset_statement(&statement).await.unwrap();
        c.close_statement(statement.clone());
        assert_eq!(code(c.execute(&statement, &[int(1), int(9)]).await), 1243);
        let update = c.prepare("UPDATE t SET v = v + ?").await.unwrap();
        assert_eq!(update.columns.len(), 0);
        assert_eq!(c.execute(&update, &[int(5)]).await.unwrap().ok.affected_rows, 3);
        assert_eq!(code(c.prepare("SELECT nothing FROM t").await), 1054);
    }
}

#[tokio::test]
async fn multi_statements_and_procedures_have_several_results() {
    let mut c = root("commands_multi").await;
    assert_eq!(code(c.query("SELECT 1; SELECT 2").await), 1064);
    c.run(&Command::SetOption(SetOption::MultiStatementsOn))
        .await
        .unwrap();
    let results = c.query_all("SELECT 1; DO 1; SELECT 2, 3").await.unwrap();
    assert_eq!(
        results.iter().map(|r| r.columns.len()).collect::<Vec<_>>(),
        [1, 0, 2]
    );
    assert_eq!(
        code(c.query_all("SELECT 1; SELECT nothing; SELECT 2").await),
        1054
    );
    c.run(&Command::SetOption(SetOption::MultiStatementsOff))
        .await
        .unwrap();
    c.query("DROP PROCEDURE IF EXISTS p").await.unwrap();
    c.query("CREATE PROCEDURE p(n INT) BEGIN SELECT n; SELECT n, n; END")
        .await
        .unwrap();
    assert_eq!(c.query_all("CALL p(7)").await.unwrap().len(), 3);
    let call = c.prepare("CALL p(?)").await.unwrap();
    assert_eq!(c.execute(&call, &[int(7)]).await.unwrap().rows, [[Value::Int(7)]]);
    assert_eq!(
        cells(&c.query("SELECT 'still in step'").await.unwrap()),
        [["still in step"]]
    );
}

#[tokio::test]
async fn pipelined_commands_are_answered_in_order() {
    let mut c = root("commands_pipeline").await;
    for sql in ["BEGIN", "SELECT nothing", "SELECT 42", "COMMIT"] {
        c.queue(&Command::Query(Query::new(sql.as_bytes())));
    }
    c.queue(&Command::Ping);
    c.queue(&Command::StmtPrepare(b"SELECT ?"));
    c.flush().await.unwrap();
    let begin = c.read_results().await.unwrap();
    assert!(begin[0].ok.status.contains(StatusFlags::IN_TRANS));
    assert_eq!(code(c.read_results().await), 1054);
    assert_eq!(cells(&c.read_results().await.unwrap()[0]), [["42"]]);
    assert!(
        !c.read_results().await.unwrap()[0]
            .ok
            .status
            .contains(StatusFlags::IN_TRANS)
    );
    c.read_ok().await.unwrap();
    let statement = c.read_prepared().await.unwrap();
    c.queue_execute(statement.id, &[int(1)]).unwrap();
    c.queue_execute(statement.id, &[int(2)]).unwrap();
    c.flush().await.unwrap();
    for n in [1, 2] {
        assert_eq!(c.read_executed().await.unwrap().rows, [[Value::Int(n)]]);
    }
}

#[tokio::test]
async fn the_session_can_be_reset_and_its_database_changed() {
    let mut c = root("commands_reset").await;
    c.query("SET @a = 1").await.unwrap();
    c.ping().await.unwrap();
    c.reset().await.unwrap();
    assert_eq!(
        cells(&c.query("SELECT @a, DATABASE()").await.unwrap()),
        [["NULL", "commands_reset"]]
    );
    assert_eq!(code(c.init_db("not_there").await), 1049);
    c.init_db("mysql").await.unwrap();
    assert_eq!(cells(&c.query("SELECT DATABASE()").await.unwrap()), [["mysql"]]);
    c.quit().await.unwrap();
}

#[tokio::test]
async fn local_files_are_never_sent() {
    let mut c = root("commands_infile").await;
    c.query("CREATE TEMPORARY TABLE t (a TEXT)").await.unwrap();
    let refused = c
        .query("LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE t")
        .await;
    assert_eq!(code(refused), 3948);
    assert_eq!(cells(&c.query("SELECT COUNT(*) FROM t").await.unwrap()), [["0"]]);
}

#[tokio::test]
async fn messages_of_more_than_16_megabytes() {
    let mut c = root("commands_large").await;
    // Around the border of one and of two packets: command byte and quotes count.
    for len in [0xff_ffff - 30, 0xff_ffff, 0xff_ffff + 1, 2 * 0xff_ffff + 7] {
        let text = "x".repeat(len);
        let sent = c.query(format!("SELECT LENGTH('{text}')")).await.unwrap();
        assert_eq!(cells(&sent), [[len.to_string()]]);
        let received = c.query(format!("SELECT REPEAT('y', {len}), 1")).await.unwrap();
        assert_eq!(received.cell(0, 0).unwrap().as_ref().unwrap().len(), len);
        let statement = c
            .prepare("SELECT LENGTH(?), SHA2(?, 256) = SHA2(REPEAT('x', ?), 256)")
            .await
            .unwrap();
        let value = ValueRef::Bytes(text.as_bytes());
        let text_param = Param {
            ty: ParamType::of(&value),
            value: ParamValue::Inline(value),
        };
        let long = Param {
            value: ParamValue::LongData,
            ..text_param
        };
        let len_param = int(i64::try_from(len).unwrap());
        for chunk in text.as_bytes().chunks(5_000_000) {
            c.send_long_data(&statement, 1, chunk).await.unwrap();
        }
        let rows = c
            .execute(&statement, &[text_param, long, len_param])
            .await
            .unwrap()
            .rows;
        assert_eq!(rows, [[Value::Int(i64::try_from(len).unwrap()), Value::Int(1)]]);
    }
    // A packet that is exactly full is followed by an empty one.
    let text = "x".repeat(0xff_ffff - "\u{3}SELECT LENGTH('')".len());
    let sent = c.query(format!("SELECT LENGTH('{text}')")).await.unwrap();
    assert_eq!(cells(&sent), [[text.len().to_string()]]);
}

#[tokio::test]
async fn results_and_time_are_limited() {
    let options = ConnectOptions {
        max_result_size: 10_000,
        ..ConnectOptions::new("root", "")
    };
    let mut c = root_with("commands_limits", options).await;
    let refused = c.query("SELECT REPEAT('x', 20000)").await;
    assert!(
        matches!(refused, Err(Error::TooLarge { limit: 10_000 })),
        "{refused:?}"
    );
    let options = ConnectOptions {
        command_timeout: Some(std::time::Duration::from_millis(100)),
        ..ConnectOptions::new("root", "")
    };
    let mut c = mysql_wire::client::connect(&unix(), &options).await.unwrap();
    match c.query("SELECT SLEEP(5)").await {
        Err(Error::Io(error)) => assert_eq!(error.kind(), std::io::ErrorKind::TimedOut),
        other => panic!("{other:?}"),
    }
}
