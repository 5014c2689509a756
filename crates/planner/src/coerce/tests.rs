use vschema::vindex::Coverage;

use super::*;
use crate::value::Param;

fn column(domain: Domain) -> RoutingColumn {
    RoutingColumn {
        name: "c".into(),
        domain,
        coverage: Coverage::All,
        def: None,
        ordered: false,
    }
}

fn bigint() -> RoutingColumn {
    column(Domain::Int {
        bits: 64,
        unsigned: false,
    })
}

fn varchar(length: u64) -> RoutingColumn {
    column(Domain::Text {
        charset: StoredCharset::Utf8mb4,
        fixed: false,
        length,
    })
}

fn text(text: &str) -> Value<'_> {
    Value::Str(Cow::Borrowed(text.as_bytes()), Charset::Utf8)
}

fn decimal(text: &str) -> Value<'_> {
    Value::Decimal(Cow::Borrowed(text.as_bytes()))
}

fn bytes(bytes: &[u8]) -> Value<'_> {
    Value::Bytes(Cow::Borrowed(bytes))
}

fn stored(bytes: &[u8]) -> Stored<'_> {
    Stored::Bytes(Cow::Borrowed(bytes))
}

const STRICT: WriteMode = WriteMode {
    strict: true,
    no_auto_value_on_zero: false,
};
const LAX: WriteMode = WriteMode {
    strict: false,
    no_auto_value_on_zero: false,
};

#[test]
fn integers_route_by_what_provably_equals_one_integer() {
    let exact = |value, number| assert_eq!(coerce_read(&bigint(), value), Read::Exact(Stored::Int(number)));
    exact(Value::Int(1), 1);
    exact(Value::Int(-7), -7);
    exact(Value::Int(i64::MAX.into()), i64::MAX.into());
    exact(decimal("1.0"), 1);
    exact(decimal("-12.000"), -12);
    exact(decimal("9007199254740993.0"), 9_007_199_254_740_993);
    exact(Value::Float(1.0), 1);
    exact(Value::Float(-0.0), 0);
    exact(Value::Float(9_007_199_254_740_992.0), 9_007_199_254_740_992);
    exact(text("1"), 1);
    exact(text("-5"), -5);
    exact(text("0"), 0);
    assert_eq!(coerce_read(&bigint(), Value::Null), Read::Null);
}

#[test]
fn what_mysql_would_convert_scatters() {
    // On BIGINT all of these match rows: `'1abc'`, `' 1'`, `'1e0'` and `b'1'` match 1, `0x31` matches 49.
    for value in [
        text("1abc"),
        text(" 1"),
        text("1e0"),
        text("01"),
        text("+1"),
        text("-0"),
        text("1.0"),
        text(""),
        bytes(b"1"),
        bytes(&[1]),
        decimal("1.5"),
        Value::Float(0.5),
        Value::Float(9_007_199_254_740_994.0),
        Value::Float(f64::NAN),
        Value::Float(f64::INFINITY),
        Value::Int(i128::from(i64::MAX) + 1),
        text("9223372036854775808"),
        Value::Other,
    ] {
        assert_eq!(coerce_read(&bigint(), value.clone()), Read::Unknown, "{value:?}");
    }
}

#[test]
fn strings_route_by_strings_of_a_known_character_set() {
    let name = varchar(40);
    assert_eq!(coerce_read(&name, text("Ann")), Read::Exact(stored(b"Ann")));
    let latin = |bytes: &'static [u8]| Value::Str(Cow::Borrowed(bytes), Charset::Latin1);
    // latin1 E9 is stored as C3 A9; 80 is the euro sign.
    assert_eq!(
        coerce_read(&name, latin(b"\xe9\x80")),
        Read::Exact(stored("é€".as_bytes()))
    );
    let other = |bytes: &'static [u8], charset| Value::Str(Cow::Borrowed(bytes), charset);
    assert_eq!(
        coerce_read(&name, other(b"abc", Charset::AsciiSuperset)),
        Read::Exact(stored(b"abc"))
    );
    for value in [
        Value::Int(5),
        decimal("5.0"),
        bytes(b"Ann"),
        other(b"\xe9", Charset::Utf8),
        other(b"\xe9", Charset::AsciiSuperset),
        other(b"abc", Charset::Opaque),
    ] {
        assert_eq!(coerce_read(&name, value.clone()), Read::Unknown, "{value:?}");
    }
    let loose = RoutingColumn {
        coverage: Coverage::None,
        ..varchar(40)
    };
    assert_eq!(coerce_read(&loose, text("Ann")), Read::Unknown);
    assert_eq!(coerce_read(&loose, Value::Null), Read::Null);
}

#[test]
fn char_and_binary_columns_pad() {
    let char_column = column(Domain::Text {
        charset: StoredCharset::Utf8mb3,
        fixed: true,
        length: 10,
    });
    assert_eq!(coerce_read(&char_column, text("a  ")), Read::Exact(stored(b"a")));
    assert_eq!(coerce_read(&char_column, text("😀")), Read::Unknown);
    let binary = column(Domain::Bytes {
        padded: Some(4),
        length: 4,
    });
    assert_eq!(coerce_read(&binary, text("ab")), Read::Exact(stored(b"ab\0\0")));
    assert_eq!(
        coerce_write(&binary, bytes(b"ab"), STRICT, 1),
        Ok(stored(b"ab\0\0"))
    );
    assert_eq!(
        coerce_write(&char_column, text("ab "), STRICT, 1),
        Ok(stored(b"ab"))
    );
    let varbinary = column(Domain::Bytes {
        padded: None,
        length: 4,
    });
    assert_eq!(
        coerce_read(&varbinary, bytes(&[0, 255])),
        Read::Exact(stored(&[0, 255]))
    );
    assert_eq!(coerce_read(&varbinary, Value::Int(5)), Read::Unknown);
}

#[test]
fn written_integers_convert_as_mysql_does() {
    // Each of these was stored by MySQL 9.7.4 under strict mode as the number beside it.
    for (value, number) in [
        (decimal("10.5"), 11),
        (decimal("11.4999"), 11),
        (decimal("-7.5"), -8),
        (decimal(".5"), 1),
        (Value::Float(12.5), 12),
        (Value::Float(13.5), 14),
        (Value::Float(-8.5), -8),
        (text("20.5"), 21),
        (text("-20.5"), -21),
        (text(" 21"), 21),
        (text("22 "), 22),
        (text("+23"), 23),
        (text("007"), 7),
        (text("-0"), 0),
        (text("5."), 5),
        (text("0.5"), 1),
        (bytes(b"1"), 49),
        (bytes(&[5]), 5),
        (decimal("9223372036854775807.4"), i64::MAX.into()),
        (text("9223372036854775807.4"), i64::MAX.into()),
    ] {
        assert_eq!(
            coerce_write(&bigint(), value.clone(), STRICT, 1),
            Ok(Stored::Int(number)),
            "{value:?}"
        );
    }
}

#[test]
fn written_values_are_refused_where_conversion_is_not_certain() {
    for value in [
        text("1abc"),
        text("1e3"),
        text(""),
        text("- 5"),
        text("5\t"),
        Value::Float(1e300),
        Value::Other,
    ] {
        let error = coerce_write(&bigint(), value.clone(), STRICT, 1).unwrap_err();
        assert_eq!(error.errno, 1235, "{value:?}");
    }
    for value in [decimal("1.5"), Value::Float(1.5), Value::Other, bytes(&[0xff])] {
        let error = coerce_write(&varchar(40), value.clone(), STRICT, 1).unwrap_err();
        assert_eq!(error.errno, 1235, "{value:?}");
    }
    let other = column(Domain::Other);
    assert_eq!(
        coerce_write(&other, Value::Int(1), STRICT, 1).unwrap_err().errno,
        1235
    );
}

#[test]
fn values_that_do_not_fit_are_errors_or_clamped() {
    let tiny = column(Domain::Int {
        bits: 8,
        unsigned: true,
    });
    assert_eq!(
        coerce_write(&tiny, Value::Int(256), STRICT, 3),
        Err(PlanError::out_of_range("c", 3))
    );
    assert_eq!(coerce_write(&tiny, Value::Int(256), LAX, 1), Ok(Stored::Int(255)));
    assert_eq!(coerce_write(&tiny, Value::Int(-1), LAX, 1), Ok(Stored::Int(0)));
    assert_eq!(
        coerce_write(&varchar(2), text("äöü"), STRICT, 2),
        Err(PlanError::too_long("c", 2))
    );
    assert_eq!(
        coerce_write(&varchar(2), text("äö"), STRICT, 2),
        Ok(stored("äö".as_bytes()))
    );
    assert_eq!(
        coerce_write(&varchar(2), text("äöü"), LAX, 2).unwrap_err().errno,
        1235
    );
    assert_eq!(
        coerce_write(&varchar(5), Value::Int(7), STRICT, 1),
        Ok(stored(b"7"))
    );
    assert_eq!(
        coerce_write(&varchar(5), Value::Null, STRICT, 1),
        Ok(Stored::Null)
    );
}

#[test]
fn numbers_bound_as_double_route() {
    // Some drivers send every number as DOUBLE.
    let param = Param::Float(42.0);
    assert!(
        matches!(param, Param::Float(number) if coerce_read(&bigint(), Value::Float(number)) == Read::Exact(Stored::Int(42)))
    );
}

#[test]
fn large_integers_are_exact_among_constants_of_their_own_kind() {
    let exact = |values: &[Value<'static>]| {
        let mut constants = Constants::default();
        for value in values {
            constants.read(&bigint(), value.clone());
        }
        constants.are_exact()
    };
    let (large, small) = (Value::Int(1 << 53), Value::Int((1 << 53) - 1));
    assert!(exact(&[large.clone(), Value::Int(2), decimal("3.0")]));
    assert!(exact(&[text("9223372036854775807"), text("3")]));
    assert!(exact(&[small, text("3"), Value::Float(1.0), Value::Null]));
    assert!(!exact(&[Value::Int(2), text("9223372036854775807")]));
    assert!(!exact(&[Value::Float(9_007_199_254_740_992.0), Value::Int(2)]));
    assert!(!exact(&[text("-9007199254740992"), Value::Null]));
    assert!(!exact(&[large, text("x")]));
}
