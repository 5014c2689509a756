//! Parameters of prepared statements, and the literals that stand for them.

use mysql_wire::client::{ClientConnection, ConnectOptions, ExecuteResult};
use mysql_wire::column::ColumnType;
use mysql_wire::message::{Command, Query, StmtExecute};
use mysql_wire::value::literal::{self, LiteralStyle};
use mysql_wire::value::params::{
    Attribute, ExecuteRef, Param, ParamError, ParamType, ParamValue, decode_params, encode_execute,
};
use mysql_wire::value::{Date, DateTime, Time, Value, ValueRef};
use mysql_wire::{Capabilities, Error};

use crate::{cells, root, root_with};

/// What shows a parameter's value and type.
const PROBE: &str = "SELECT ? AS v, ? + 0 AS n, CONCAT(?) AS s, HEX(?) AS h, CHARSET(?) AS cs, COLLATION(?) AS co, ? <=> NULL AS nl";

fn typed(ty: ColumnType, value: ValueRef<'_>) -> Param<'_> {
    Param {
        ty: ParamType {
            ty,
            unsigned: matches!(value, ValueRef::UInt(_)),
        },
        value: ParamValue::Inline(value),
    }
}

fn all() -> Vec<Param<'static>> {
    let date = Date {
        year: 2026,
        month: 11,
        day: 21,
    };
    let datetime = DateTime {
        date,
        hour: 1,
        minute: 2,
        second: 3,
        micros: 0,
        offset_minutes: None,
    };
    let time = Time {
        negative: false,
        hours: 10,
        minute: 20,
        second: 30,
        micros: 0,
    };
    let mut params = Vec::new();
    for ty in [
        ColumnType::Tiny,
        ColumnType::Short,
        ColumnType::Long,
        ColumnType::LongLong,
    ] {
        params.extend([-1, 0, 127].map(|v| typed(ty, ValueRef::Int(v))));
        params.push(typed(ty, ValueRef::UInt(200)));
    }
    params.push(typed(ColumnType::LongLong, ValueRef::Int(i64::MIN)));
    params.push(typed(ColumnType::LongLong, ValueRef::UInt(u64::MAX)));
    for v in [
        0.0,
        -0.0,
        0.1,
        1.5,
        -1e15,
        1e18,
        5e-324,
        123_456_789.123_456_79,
        1e15,
    ] {
        params.push(typed(ColumnType::Double, ValueRef::Double(v)));
    }
    params.extend([0.1, 16_777_216.0, -1.5e-30].map(|v| typed(ColumnType::Float, ValueRef::Float(v))));
    for v in ["1", "1.50", "-0.001", "123456789012345678901234567890.123456789"] {
        params.push(typed(ColumnType::NewDecimal, ValueRef::Decimal(v.as_bytes())));
    }
    params.push(typed(ColumnType::Date, ValueRef::Date(date)));
    params.push(typed(ColumnType::DateTime, ValueRef::DateTime(datetime)));
    params.push(typed(
        ColumnType::Timestamp,
        ValueRef::DateTime(DateTime {
            micros: 500_000,
            ..datetime
        }),
    ));
    params.push(typed(ColumnType::Time, ValueRef::Time(time)));
    params.push(typed(
        ColumnType::Time,
        ValueRef::Time(Time {
            negative: true,
            hours: 838,
            micros: 0,
            ..time
        }),
    ));
    for text in [
        "",
        "abc",
        "it's",
        "\\",
        "a\\'b",
        "größe \u{1f980}",
        "nul\0byte",
        "%_\n\r\t\u{1a}\"`",
        "12abc",
    ] {
        params.push(typed(ColumnType::VarString, ValueRef::Bytes(text.as_bytes())));
        params.push(typed(ColumnType::String, ValueRef::Bytes(text.as_bytes())));
        params.push(typed(ColumnType::Blob, ValueRef::Bytes(text.as_bytes())));
    }
    params.push(typed(
        ColumnType::LongBlob,
        ValueRef::Bytes(&[0, 0xff, 0x27, 0x5c, 0x80]),
    ));
    params.push(typed(ColumnType::Null, ValueRef::Null));
    params.push(typed(ColumnType::LongLong, ValueRef::Null));
    params
}

async fn probe_by_params(c: &mut ClientConnection, param: Param<'_>) -> Result<ExecuteResult, Error> {
    let statement = c.prepare(PROBE).await?;
    let params = vec![param; PROBE.matches('?').count()];
    let result = c.execute(&statement, &params).await;
    c.close_statement(statement);
    result
}

async fn probe_by_literal(
    c: &mut ClientConnection,
    param: Param<'_>,
    style: &LiteralStyle<'_>,
) -> (String, ExecuteResult) {
    let ParamValue::Inline(value) = param.value else {
        panic!("{param:?}")
    };
    let mut text = Vec::new();
    literal::write(param.ty, &value, style, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let statement = c.prepare(PROBE.replace('?', &text)).await.unwrap();
    let result = c.execute(&statement, &[]).await.unwrap();
    c.close_statement(statement);
    (text, result)
}

/// MySQL computes with DECIMAL parameters as if they had 30 digits behind the point.
fn without_scale(values: &[Value]) -> Vec<Value> {
    let cut = |value: &Value| match value {
        Value::Decimal(digits) if digits.contains(&b'.') => {
            let end = digits
                .iter()
                .rposition(|&b| b != b'0' && b != b'.')
                .map_or(0, |last| last + 1);
            Value::Decimal(digits[..end].into())
        }
        other => other.clone(),
    };
    values.iter().map(cut).collect()
}

#[tokio::test]
async fn literals_mean_what_the_parameters_mean() {
    let mut c = root("parameters_literals").await;
    for sql_mode in [
        "",
        "NO_BACKSLASH_ESCAPES",
        "ANSI_QUOTES",
        "NO_ZERO_DATE,STRICT_ALL_TABLES",
    ] {
        c.query(format!("SET sql_mode = '{sql_mode}'")).await.unwrap();
        let style = LiteralStyle {
            no_backslash_escapes: sql_mode == "NO_BACKSLASH_ESCAPES",
            charset: "utf8mb4",
        };
        for param in all() {
            let bound = probe_by_params(&mut c, param).await.unwrap();
            let (text, written) = probe_by_literal(&mut c, param, &style).await;
            // A string beside a number takes the number's type when it is a parameter.
            let is_string = matches!(param.value, ParamValue::Inline(ValueRef::Bytes(_)));
            let from = if is_string { 2 } else { 1 };
            // MySQL calls a parameter utf8mb4 even if its bytes are not, or if it is NULL.
            let to = if text.starts_with("_binary") || text == "NULL" {
                4
            } else {
                7
            };
            assert_eq!(
                without_scale(&bound.rows[0][from..to]),
                without_scale(&written.rows[0][from..to]),
                "{param:?} as {text}"
            );
            // The first column is the value itself with its type.
            let (v_bound, v_written) = (&bound.rows[0][0], &written.rows[0][0]);
            let (t_bound, t_written) = (bound.columns[0].format.ty, written.columns[0].format.ty);
            assert_eq!(
                v_bound, v_written,
                "{param:?} as {text}: {t_bound:?} {t_written:?}"
            );
        }
    }
}

#[tokio::test]
async fn every_parameter_arrives() {
    let options = ConnectOptions {
        capabilities: Capabilities::QUERY_ATTRIBUTES,
        ..ConnectOptions::new("root", "")
    };
    for mut c in [
        root("parameters_all").await,
        root_with("parameters_all", options).await,
    ] {
        let params = all();
        // All in one statement: a wrong length of one would shift those behind it.
        let marks = vec!["HEX(?)"; params.len()].join(",");
        let statement = c.prepare(format!("SELECT {marks}")).await.unwrap();
        let together = c.execute(&statement, &params).await.unwrap();
        let single = c.prepare("SELECT HEX(?)").await.unwrap();
        for (param, cell) in params.iter().zip(&together.rows[0]) {
            let alone = c.execute(&single, &[*param]).await.unwrap();
            assert_eq!(alone.rows[0][0], *cell, "{param:?}");
        }
    }
}

#[tokio::test]
async fn types_are_remembered_and_missing_ones_refused() {
    let mut c = root("parameters_types").await;
    let statement = c.prepare("SELECT ? AS v").await.unwrap();
    let param = [typed(ColumnType::LongLong, ValueRef::Int(7))];
    let execute = ExecuteRef {
        statement_id: statement.id,
        cursor: 0,
        send_types: false,
        params: &param,
        attributes: &[],
    };
    let mut body = bytes::BytesMut::new();
    encode_execute(&execute, false, &mut mysql_wire::Writer::new(&mut body)).unwrap();
    let command = Command::StmtExecute(StmtExecute::decode(&body).unwrap());
    c.queue(&command);
    c.flush().await.unwrap();
    match c.read_executed().await {
        Err(Error::Sql(error)) => assert_eq!(error.code, 1210),
        other => panic!("{other:?}"),
    }
    c.execute(&statement, &param).await.unwrap();
    c.queue(&command);
    c.flush().await.unwrap();
    assert_eq!(c.read_executed().await.unwrap().rows, [[Value::Int(7)]]);
}

#[tokio::test]
async fn attributes_travel_with_queries_and_executions() {
    let options = ConnectOptions {
        capabilities: Capabilities::QUERY_ATTRIBUTES,
        ..ConnectOptions::new("root", "")
    };
    let mut c = root_with("parameters_attributes", options).await;
    let text = ParamType {
        ty: ColumnType::VarString,
        unsigned: false,
    };
    let attributes = [
        Attribute {
            name: b"first",
            ty: text,
            value: ValueRef::Bytes(b"one"),
        },
        Attribute {
            name: b"second",
            ty: text,
            value: ValueRef::Null,
        },
    ];
    // The function that reads attributes belongs to a component, which a server may lack.
    let has_function = c
        .query("INSTALL COMPONENT 'file://component_query_attributes'")
        .await
        .is_ok();
    let read = if has_function {
        "mysql_query_attribute_string('first')"
    } else {
        "'one'"
    };
    let sql = format!("SELECT {read}");
    let mut query = bytes::BytesMut::new();
    let mut w = mysql_wire::Writer::new(&mut query);
    mysql_wire::value::params::encode_query_attributes(&attributes, &mut w).unwrap();
    w.bytes(sql.as_bytes());
    let decoded = Query::decode(&query, Capabilities::QUERY_ATTRIBUTES).unwrap();
    c.queue(&Command::Query(decoded));
    c.flush().await.unwrap();
    assert_eq!(cells(&c.read_results().await.unwrap()[0]), [["one"]]);

    for params in [&[][..], &[typed(ColumnType::Long, ValueRef::Int(5))]] {
        let sql = format!("SELECT {read}{}", ", ?".repeat(params.len()));
        let statement = c.prepare(sql).await.unwrap();
        let execute = ExecuteRef {
            statement_id: statement.id,
            cursor: 0,
            send_types: true,
            params,
            attributes: &attributes,
        };
        let mut body = bytes::BytesMut::new();
        encode_execute(&execute, true, &mut mysql_wire::Writer::new(&mut body)).unwrap();
        c.queue(&Command::StmtExecute(StmtExecute::decode(&body).unwrap()));
        c.flush().await.unwrap();
        let rows = c.read_executed().await.unwrap().rows;
        assert_eq!(rows[0][0], Value::Bytes(b"one"[..].into()));
        assert_eq!(rows[0].len(), 1 + params.len());
    }
}

/// Where our idea of a type's packed form is wrong, the parameter behind it does not arrive.
#[tokio::test]
async fn every_type_takes_as_many_bytes_as_mysql_reads() {
    let mut c = root("parameters_forms").await;
    let statement = c.prepare("SELECT HEX(?), ?").await.unwrap();
    let end = typed(ColumnType::VarString, ValueRef::Bytes(b"end"));
    let mut accepted = std::collections::HashSet::new();
    for ty in (0..=255).filter_map(ColumnType::from_byte) {
        let values = [
            ValueRef::Int(1),
            ValueRef::Float(1.0),
            ValueRef::Double(1.0),
            ValueRef::Decimal(b"1.5"),
            ValueRef::Date(Date {
                year: 2026,
                month: 1,
                day: 2,
            }),
            ValueRef::DateTime(DateTime {
                hour: 5,
                ..DateTime::default()
            }),
            ValueRef::Time(Time {
                hours: 5,
                ..Time::default()
            }),
            ValueRef::Bytes(b"bytes"),
            ValueRef::Null,
        ];
        for value in values {
            match c.execute(&statement, &[typed(ty, value), end]).await {
                // Not a value of this type.
                Err(Error::Unexpected(_)) => {}
                Ok(result) => {
                    assert_eq!(
                        result.rows[0][1],
                        Value::Bytes(b"end"[..].into()),
                        "{ty:?} {value:?}"
                    );
                    accepted.insert(ty);
                }
                Err(error) => panic!("{ty:?} {value:?}: {error}"),
            }
        }
        let ours = ParamType { ty, unsigned: false }.is_bindable();
        assert_eq!(accepted.contains(&ty), ours, "{ty:?}");
        if !ours {
            let mut body = statement.id.to_le_bytes().to_vec();
            body.extend(b"\0\x01\0\0\0\0\x01");
            body.extend([ty.byte(), 0, ty.byte(), 0]);
            body.extend(b"\x01x\x01x");
            c.queue(&Command::StmtExecute(StmtExecute::decode(&body).unwrap()));
            c.flush().await.unwrap();
            match c.read_executed().await {
                Err(Error::Sql(error)) => assert!(matches!(error.code, 1210 | 1835), "{ty:?}: {error}"),
                other => panic!("{ty:?}: {other:?}"),
            }
        }
    }
}

/// On a connection with query attributes an execution says how many there are, flag or not.
#[tokio::test]
async fn executions_with_names_and_count() {
    let capabilities = Capabilities::QUERY_ATTRIBUTES;
    let mut c = root_with(
        "parameters_count",
        ConnectOptions {
            capabilities,
            ..ConnectOptions::new("root", "")
        },
    )
    .await;
    let statement = c.prepare("SELECT ?").await.unwrap();
    for (rest, is_good) in [
        (&b"\0\x01\0\0\0\x01\0\x01\xfd\0\0\x03abc"[..], true),
        (b"\x08\x01\0\0\0\x01\0\x01\xfd\0\0\x03abc", true),
        (b"\0\x01\0\0\0\0\x01\xfd\0\x03abc", false),
        (b"\0\x01\0\0\0\0\x01\xfd\0\0\x03abc", false),
        (b"\x08\x01\0\0\0\x01\0\x01\xfd\0\x03abc", false),
    ] {
        let body = [&statement.id.to_le_bytes(), rest].concat();
        let execute = StmtExecute::decode(&body).unwrap();
        let ours = execute.params(1, capabilities).map_err(ParamError::from);
        let ours = ours.and_then(|raw| decode_params(&raw, 1, &mut Vec::new(), |_| false));
        c.queue(&Command::StmtExecute(execute));
        c.flush().await.unwrap();
        let theirs = c.read_executed().await;
        assert_eq!(
            (ours.is_ok(), theirs.is_ok()),
            (is_good, is_good),
            "{rest:?}: {ours:?} {theirs:?}"
        );
    }
}
