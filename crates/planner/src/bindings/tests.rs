use sql::lexer::LexOptions;

use super::*;

fn values(text: &str, charset: Charset, lex_mode: LexMode) -> Vec<Value<'static>> {
    let mut fingerprint = Fingerprint::new();
    fingerprint
        .read(
            text.as_bytes(),
            LexOptions {
                mode: lex_mode,
                ..LexOptions::default()
            },
        )
        .unwrap();
    let bindings = Bindings {
        text: text.as_bytes(),
        fingerprint: &fingerprint,
        params: &[],
        lex_mode,
        charset,
        user_var: None,
    };
    let owned = |value: Value<'_>| match value {
        Value::Decimal(text) => Value::Decimal(text.into_owned().into()),
        Value::Str(bytes, charset) => Value::Str(bytes.into_owned().into(), charset),
        Value::Bytes(bytes) => Value::Bytes(bytes.into_owned().into()),
        Value::Null => Value::Null,
        Value::Int(number) => Value::Int(number),
        Value::Float(number) => Value::Float(number),
        Value::Other => Value::Other,
    };
    fingerprint
        .slots()
        .iter()
        .map(|slot| owned(bindings.literal(slot)))
        .collect()
}

fn one(text: &str) -> Value<'static> {
    let mut all = values(&format!("select {text}"), Charset::Utf8, LexMode::NONE);
    assert_eq!(all.len(), 1, "{text}");
    all.pop().unwrap()
}

fn string(text: &str) -> Value<'static> {
    Value::Str(text.as_bytes().to_vec().into(), Charset::Utf8)
}

#[test]
fn literals_have_mysql_s_values() {
    assert_eq!(one("12"), Value::Int(12));
    assert_eq!(one("-12"), Value::Int(-12));
    assert_eq!(one("18446744073709551615"), Value::Int(u64::MAX.into()));
    assert_eq!(
        one("18446744073709551616"),
        Value::Decimal(b"18446744073709551616".to_vec().into())
    );
    assert_eq!(one("1.50"), Value::Decimal(b"1.50".to_vec().into()));
    assert_eq!(one("1.5e3"), Value::Float(1500.0));
    assert_eq!(one("0x4D5"), Value::Bytes(vec![4, 0xd5].into()));
    assert_eq!(one("X'4D'"), Value::Bytes(vec![0x4d].into()));
    assert_eq!(one("b'101'"), Value::Bytes(vec![5].into()));
    assert_eq!(one("0b100000001"), Value::Bytes(vec![1, 1].into()));
}

#[test]
fn strings_lose_their_quotes_and_escapes() {
    assert_eq!(one("'a''b'"), string("a'b"));
    assert_eq!(one("'a\"b'"), string("a\"b"));
    assert_eq!(one("\"a\"\"b'\""), string("a\"b'"));
    assert_eq!(one(r"'a\'b\\c\n\0\Z\%\_\x'"), string("a'b\\c\n\0\u{1a}\\%\\_x"));
    let plain = values(r"select 'a\'", Charset::Utf8, LexMode::NO_BACKSLASH_ESCAPES);
    assert_eq!(plain, [string("a\\")]);
}

#[test]
fn multibyte_character_sets_are_trusted_for_ascii_only() {
    let mut fingerprint = Fingerprint::new();
    let text = b"select 'abc', '\xbf\x5c'";
    let options = LexOptions {
        charset: sql::charset::ClientCharset::Gbk,
        ..LexOptions::default()
    };
    fingerprint.read(text, options).unwrap();
    let bindings = Bindings {
        text,
        fingerprint: &fingerprint,
        params: &[],
        lex_mode: LexMode::NONE,
        charset: Charset::Opaque,
        user_var: None,
    };
    assert_eq!(
        bindings.slot(0),
        Value::Str(b"abc".into(), Charset::AsciiSuperset)
    );
    assert_eq!(bindings.slot(1), Value::Other);
}
