use super::*;
use crate::value::{DateTime, Time};

const PLAIN: LiteralStyle<'static> = LiteralStyle {
    no_backslash_escapes: false,
    charset: "utf8mb4",
};

fn literal(value: ValueRef<'_>) -> String {
    typed(ParamType::of(&value).ty, value, PLAIN)
}

fn typed(ty: ColumnType, value: ValueRef<'_>, style: LiteralStyle<'_>) -> String {
    let mut out = Vec::new();
    write(ParamType { ty, unsigned: false }, &value, &style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn numbers_keep_their_type() {
    assert_eq!(literal(ValueRef::Null), "NULL");
    assert_eq!(literal(ValueRef::Int(i64::MIN)), "-9223372036854775808");
    assert_eq!(literal(ValueRef::UInt(u64::MAX)), "18446744073709551615");
    assert_eq!(literal(ValueRef::UInt(5)), "CAST(5 AS UNSIGNED)");
    assert_eq!(literal(ValueRef::Double(5.0)), "5e0");
    assert_eq!(literal(ValueRef::Double(-0.1)), "-1e-1");
    assert_eq!(literal(ValueRef::Float(0.1)), "1.0000000149011612e-1");
    assert_eq!(literal(ValueRef::Decimal(b"-1.50")), "-1.50");
    assert_eq!(literal(ValueRef::Decimal(b"7")), "7.");
    assert_eq!(literal(ValueRef::Decimal(b"7 or 1=1")), "'7 or 1=1'");
    let nan = write(
        ParamType::of(&ValueRef::Double(0.0)),
        &ValueRef::Double(f64::NAN),
        &PLAIN,
        &mut Vec::new(),
    );
    assert!(nan.is_err());
}

#[test]
fn times_are_typed_unless_they_are_no_literals() {
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
        micros: 40,
        offset_minutes: None,
    };
    assert_eq!(literal(ValueRef::Date(date)), "DATE'2026-11-21'");
    assert_eq!(literal(ValueRef::Date(Date::default())), "'0000-00-00'");
    assert_eq!(
        literal(ValueRef::DateTime(datetime)),
        "TIMESTAMP'2026-11-21 01:02:03.000040'"
    );
    let offset = DateTime {
        micros: 0,
        offset_minutes: Some(330),
        ..datetime
    };
    assert_eq!(
        literal(ValueRef::DateTime(offset)),
        "TIMESTAMP'2026-11-21 01:02:03.000000+05:30'"
    );
    let time = Time {
        negative: true,
        hours: 100,
        minute: 0,
        second: 5,
        micros: 0,
    };
    assert_eq!(literal(ValueRef::Time(time)), "TIME'-100:00:05.000000'");
}

#[test]
fn strings_cannot_end_early() {
    let ansi = LiteralStyle {
        no_backslash_escapes: true,
        ..PLAIN
    };
    let nasty = ValueRef::Bytes(b"a'b\\c\0\"\n");
    assert_eq!(typed(ColumnType::VarString, nasty, PLAIN), "'a''b\\\\c\\0\"\n'");
    assert_eq!(typed(ColumnType::VarString, nasty, ansi), "'a''b\\c\0\"\n'");
    assert_eq!(
        typed(ColumnType::Blob, nasty, ansi),
        typed(ColumnType::VarString, nasty, ansi)
    );
    for ty in [ColumnType::Blob, ColumnType::VarString] {
        assert_eq!(typed(ty, ValueRef::Bytes(b"\xff'"), PLAIN), "_binary x'ff27'");
        assert_eq!(typed(ty, ValueRef::Bytes("\u{fc}".as_bytes()), PLAIN), "'\u{fc}'");
    }
    let latin1 = LiteralStyle {
        charset: "latin1",
        ..PLAIN
    };
    assert_eq!(
        typed(ColumnType::Blob, ValueRef::Bytes(b"\xff'"), latin1),
        "_binary x'ff27'"
    );
    let gbk = LiteralStyle {
        charset: "gbk",
        ..PLAIN
    };
    assert_eq!(
        typed(ColumnType::VarString, ValueRef::Bytes(b"\xbf\x5c' or 1"), gbk),
        "_gbk x'bf5c27206f722031'"
    );
    assert_eq!(
        typed(ColumnType::VarString, ValueRef::Bytes(b"ascii"), gbk),
        "'ascii'"
    );
}

#[test]
fn limits_are_digits() {
    let limit = |value: ValueRef<'_>| {
        let mut out = Vec::new();
        write_limit(ParamType::of(&value), &value, &mut out).map(|()| String::from_utf8(out).unwrap())
    };
    assert_eq!(limit(ValueRef::UInt(u64::MAX)).unwrap(), "18446744073709551615");
    assert_eq!(limit(ValueRef::Int(10)).unwrap(), "10");
    assert!(limit(ValueRef::Int(-1)).is_err());
    assert!(limit(ValueRef::Bytes(b"10")).is_err());
}
