//! Values of literals and parameters, undecorated.

use std::borrow::Cow;

/// A value that a statement gives, before any conversion to a column's type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// An integer; literals beyond 64 bits are [`Value::Decimal`].
    Int(i128),
    /// A DECIMAL literal's text: sign, digits, point, digits.
    Decimal(Cow<'a, [u8]>),
    /// An approximate number.
    Float(f64),
    /// A character string and its character set.
    Str(Cow<'a, [u8]>, Charset),
    /// A hex or bit literal, or a binary string.
    Bytes(Cow<'a, [u8]>),
    /// Something that routing does not look into: dates, JSON.
    Other,
}

/// Character sets that routing can convert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Charset {
    /// utf8mb4, utf8mb3, ascii.
    #[default]
    Utf8,
    /// MySQL's latin1: cp1252 with the undefined bytes mapped to the same code points.
    Latin1,
    /// `binary`.
    Binary,
    /// Another one in which bytes below 0x80 are ASCII.
    AsciiSuperset,
    /// One in which they may be part of other characters (ucs2, utf16, utf32, gbk, big5, sjis ..).
    Opaque,
}

impl Charset {
    /// The class of a MySQL character set by its name (not a collation's).
    pub fn from_name(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "utf8mb4" | "utf8mb3" | "utf8" | "ascii" => Self::Utf8,
            "latin1" => Self::Latin1,
            "binary" => Self::Binary,
            "ucs2" | "utf16" | "utf16le" | "utf32" | "gbk" | "gb18030" | "big5" | "sjis" | "cp932"
            | "swe7" => Self::Opaque,
            _ => Self::AsciiSuperset,
        }
    }
}

/// What a prepared statement's parameter is bound to.
#[derive(Debug, Clone, PartialEq)]
pub enum Param<'a> {
    /// NULL.
    Null,
    /// A signed integer of any width.
    Int(i64),
    /// An unsigned integer of any width.
    UInt(u64),
    /// FLOAT or DOUBLE.
    Float(f64),
    /// DECIMAL, as text.
    Decimal(&'a [u8]),
    /// A string type, in the connection's character set.
    Str(&'a [u8]),
    /// A blob type: compared and stored as a string in the connection's character set as well.
    Blob(&'a [u8]),
    /// DATE, TIME, DATETIME, TIMESTAMP and the rest.
    Other,
}

/// A string as UTF-8; None when that is not known.
pub(crate) fn to_utf8<'a>(bytes: &'a [u8], charset: Charset) -> Option<Cow<'a, [u8]>> {
    match charset {
        Charset::Opaque => None,
        _ if bytes.is_ascii() => Some(Cow::Borrowed(bytes)),
        Charset::Utf8 => std::str::from_utf8(bytes).is_ok().then_some(Cow::Borrowed(bytes)),
        Charset::Latin1 => Some(Cow::Owned(
            bytes
                .iter()
                .map(|byte| cp1252(*byte))
                .collect::<String>()
                .into_bytes(),
        )),
        Charset::Binary | Charset::AsciiSuperset => None,
    }
}

/// Code points of the bytes 0x80 to 0x9F in MySQL's latin1.
const CP1252: [u16; 32] = [
    0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d,
    0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a,
    0x153, 0x9d, 0x17e, 0x178,
];

fn cp1252(byte: u8) -> char {
    let code = match byte {
        0x80..=0x9f => CP1252
            .get(usize::from(byte - 0x80))
            .copied()
            .unwrap_or(u16::from(byte)),
        _ => u16::from(byte),
    };
    char::from_u32(u32::from(code)).unwrap_or('?')
}

/// The value of a number's text: an integer if it is one that fits 64 bits.
pub(crate) fn integer_text(text: &[u8]) -> Option<i128> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let number = match digits.len() {
        0 => return None,
        1..=18 => digits
            .iter()
            .try_fold(0u64, |number, digit| {
                Some(number * 10 + u64::from(decimal_digit(*digit)?))
            })?
            .into(),
        19..=38 => digits.iter().try_fold(0i128, |number, digit| {
            Some(number * 10 + i128::from(decimal_digit(*digit)?))
        })?,
        _ => return None,
    };
    Some(if negative { -number } else { number })
}

fn decimal_digit(digit: u8) -> Option<u8> {
    digit.checked_sub(b'0').filter(|digit| *digit < 10)
}
