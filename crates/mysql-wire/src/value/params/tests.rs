use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::Capabilities;
use crate::message::{Query, StmtExecute};
use crate::packet::Writer;
use crate::value::{Date, DateTime, Time};

fn never(_: usize) -> bool {
    false
}

#[derive(Debug, PartialEq)]
struct Execute<'a> {
    statement_id: u32,
    flags: u8,
    types_sent: bool,
    params: Vec<Param<'a>>,
    attributes: Vec<Attribute<'a>>,
}

fn capabilities(query_attributes: bool) -> Capabilities {
    Capabilities::empty().with(Capabilities::QUERY_ATTRIBUTES, query_attributes)
}

fn decode_execute<'a>(
    payload: &'a [u8],
    param_count: usize,
    query_attributes: bool,
    remembered: &mut Vec<ParamType>,
    has_long_data: impl Fn(usize) -> bool,
) -> Result<Execute<'a>, ParamError> {
    let execute = StmtExecute::decode(payload)?;
    let raw = execute.params(param_count, capabilities(query_attributes))?;
    let bound = decode_params(&raw, param_count, remembered, has_long_data)?;
    let BoundParams {
        types_sent,
        params,
        attributes,
    } = bound;
    Ok(Execute {
        statement_id: execute.statement_id,
        flags: execute.flags,
        types_sent,
        params,
        attributes,
    })
}

fn param(value: ValueRef<'_>) -> Param<'_> {
    Param {
        ty: ParamType::of(&value),
        value: ParamValue::Inline(value),
    }
}

fn encode(execute: &ExecuteRef<'_>, attributes: bool) -> BytesMut {
    let mut out = BytesMut::new();
    encode_execute(execute, attributes, &mut Writer::new(&mut out)).unwrap();
    out
}

#[test]
fn reads_the_example_of_mysqls_documentation() {
    // Statement 1 with one parameter 'foo' bound as VAR_STRING.
    let payload = b"\x01\0\0\0\0\x01\0\0\0\0\x01\x0f\0\x03foo";
    let mut remembered = Vec::new();
    let execute = decode_execute(payload, 1, false, &mut remembered, never).unwrap();
    let ty = ParamType {
        ty: ColumnType::VarChar,
        unsigned: false,
    };
    let want = Param {
        ty,
        value: ParamValue::Inline(ValueRef::Bytes(b"foo")),
    };
    assert_eq!(execute.params, [want]);
    assert_eq!(
        (execute.statement_id, execute.flags, execute.types_sent),
        (1, 0, true)
    );
    assert_eq!(remembered, [ty]);

    let again = b"\x01\0\0\0\x01\x01\0\0\0\0\0\x03bar";
    let execute = decode_execute(again, 1, false, &mut remembered, never).unwrap();
    assert_eq!(
        execute.params,
        [Param {
            ty,
            value: ParamValue::Inline(ValueRef::Bytes(b"bar"))
        }]
    );
    assert_eq!((execute.flags, execute.types_sent), (1, false));
    assert_eq!(
        decode_execute(again, 1, false, &mut Vec::new(), never),
        Err(ParamError::TypesMissing)
    );
}

#[test]
fn every_kind_of_value_survives() {
    let date = Date {
        year: 2026,
        month: 11,
        day: 21,
    };
    let values = [
        ValueRef::Null,
        ValueRef::Int(i64::MIN),
        ValueRef::UInt(u64::MAX),
        ValueRef::Float(0.1),
        ValueRef::Double(f64::MIN_POSITIVE),
        ValueRef::Decimal(b"-1.50"),
        ValueRef::Date(date),
        ValueRef::DateTime(DateTime {
            date,
            hour: 23,
            offset_minutes: Some(-90),
            ..DateTime::default()
        }),
        ValueRef::Time(Time {
            negative: true,
            hours: 838,
            ..Time::default()
        }),
        ValueRef::Bytes(b"\0\xff"),
    ];
    let mut params = values.map(param).to_vec();
    let text = ParamType {
        ty: ColumnType::Blob,
        unsigned: false,
    };
    params.push(Param {
        ty: text,
        value: ParamValue::LongData,
    });
    let attribute = Attribute {
        name: b"trace",
        ty: text,
        value: ValueRef::Bytes(b"id"),
    };
    for attributes in [&[][..], &[attribute]] {
        let execute = ExecuteRef {
            statement_id: 7,
            cursor: 1,
            send_types: true,
            params: &params,
            attributes,
        };
        for query_attributes in [false, true] {
            let wire = encode(&execute, query_attributes);
            let mut remembered = Vec::new();
            let got = decode_execute(&wire, 11, query_attributes, &mut remembered, |i| i == 10).unwrap();
            assert_eq!(got.params, params);
            assert_eq!((got.statement_id, got.flags & 1), (7, 1));
            assert_eq!(got.attributes, if query_attributes { attributes } else { &[] });
            let wire = encode(
                &ExecuteRef {
                    send_types: false,
                    ..execute
                },
                query_attributes,
            );
            let got = decode_execute(&wire, 11, query_attributes, &mut remembered, |i| i == 10).unwrap();
            assert_eq!(got.params, params);
        }
    }
}

#[test]
fn a_statement_without_parameters_may_have_attributes() {
    let bare = b"\x02\0\0\0\0\x01\0\0\0";
    assert!(
        decode_execute(bare, 0, true, &mut Vec::new(), never)
            .unwrap()
            .attributes
            .is_empty()
    );
    let attribute = Attribute {
        name: b"a",
        ty: ParamType::of(&ValueRef::Int(5)),
        value: ValueRef::Int(5),
    };
    let attributes = [
        attribute,
        Attribute {
            value: ValueRef::Null,
            ..attribute
        },
    ];
    let execute = ExecuteRef {
        statement_id: 2,
        cursor: 0,
        send_types: true,
        params: &[],
        attributes: &attributes,
    };
    let wire = encode(&execute, true);
    let got = decode_execute(&wire, 0, true, &mut Vec::new(), never).unwrap();
    assert_eq!(got.attributes, attributes);
}

#[test]
fn wrong_packets_are_refused_and_forget_nothing() {
    let int = ParamType {
        ty: ColumnType::LongLong,
        unsigned: false,
    };
    let mut remembered = vec![int];
    let mut decode = |payload: &[u8], attributes| {
        let error = decode_execute(payload, 1, attributes, &mut remembered, never).unwrap_err();
        assert_eq!(remembered, [int]);
        error.to_string()
    };
    assert_eq!(
        decode(b"\x01\0\0\0\0\x01\0\0\0\0\x01\xf4\0\x01", false),
        "parameter 0: type 0xf4 can't be bound"
    );
    assert_eq!(
        decode(b"\x01\0\0\0\0\x01\0\0\0\0\x01\x03\0\x01\0\0", false),
        "byte 0: 4 bytes needed, 3 left"
    );
    assert_eq!(
        decode(b"\x01\0\0\0\x08\x01\0\0\0\0", true),
        "parameter count: invalid value 0x0"
    );
    assert_eq!(
        decode(b"\x01\0\0\0\x08\x01\0\0\0\xfd\xff\xff\xff", true),
        "parameter count: invalid value 0xffffff"
    );
}

#[test]
fn what_mysql_tolerates_is_tolerated() {
    let spare = b"\x01\0\0\0\0\x01\0\0\0\0\x01\x01\0\x01x";
    let got = decode_execute(spare, 1, false, &mut Vec::new(), never).unwrap();
    assert_eq!(got.params.len(), 1);
    // The upper half of a length of eight bytes repeats the lower one.
    let long = b"\x01\0\0\0\0\x01\0\0\0\0\x01\xfd\0\xfe\x02\0\0\0\x02\0\0\0hi";
    let got = decode_execute(long, 1, false, &mut Vec::new(), never).unwrap();
    assert_eq!(got.params[0].value, ParamValue::Inline(ValueRef::Bytes(b"hi")));
}

#[test]
fn query_attributes_stand_before_the_text() {
    let attributes = [
        Attribute {
            name: b"n1",
            ty: ParamType::of(&ValueRef::Bytes(b"")),
            value: ValueRef::Bytes(b"v1"),
        },
        Attribute {
            name: b"",
            ty: ParamType::of(&ValueRef::UInt(1)),
            value: ValueRef::UInt(9),
        },
    ];
    for attributes in [&attributes[..], &[]] {
        let mut wire = BytesMut::new();
        encode_query_attributes(attributes, &mut Writer::new(&mut wire)).unwrap();
        wire.extend_from_slice(b"select 1");
        let query = Query::decode(&wire, capabilities(true)).unwrap();
        assert_eq!(decode_attributes(&query.attributes).unwrap(), attributes);
        assert_eq!(query.text, b"select 1");
    }
}

proptest! {
    #[test]
    fn no_packet_panics(payload in prop::collection::vec(any::<u8>(), 0..120), count in 0_usize..10, attributes: bool) {
        let mut remembered = Vec::new();
        let _ = decode_execute(&payload, count, attributes, &mut remembered, |i| i % 3 == 0);
        // A plausible head lets the rest be reached.
        let mut plausible = b"\x01\0\0\0\x08\x01\0\0\0".to_vec();
        if attributes { plausible.push(u8::try_from(count).unwrap()); }
        plausible.extend(vec![0; count.div_ceil(8)]);
        plausible.push(1);
        plausible.extend(&payload);
        let _ = decode_execute(&plausible, count, attributes, &mut remembered, never);
        if let Ok(query) = Query::decode(&payload, capabilities(true)) {
            let _ = decode_attributes(&query.attributes);
        }
    }
}
