//! A parameter's value as an SQL literal that means the same to MySQL: for executions that a gateway has to send as
//! text.

#[cfg(test)]
mod tests;

use std::io::Write;

use super::params::ParamType;
use super::{Date, Form, ValueError, ValueRef, text};
use crate::column::ColumnType;

/// Digits of the second's fraction that MySQL gives to every time that comes as a parameter.
const PARAM_DECIMALS: u8 = 6;

/// How the server that gets the literal reads string literals.
#[derive(Debug, Clone, Copy)]
pub struct LiteralStyle<'a> {
    /// Whether sql_mode has NO_BACKSLASH_ESCAPES.
    pub no_backslash_escapes: bool,
    /// The connection's `character_set_client`, in which string parameters are.
    pub charset: &'a str,
}

impl LiteralStyle<'_> {
    /// Character sets in which a byte of a longer character can look like a quote or a backslash.
    fn hides_ascii(&self) -> bool {
        ["big5", "cp932", "gbk", "gb18030", "sjis"]
            .iter()
            .any(|name| self.charset.eq_ignore_ascii_case(name))
    }

    /// Whether bytes can stand in a string literal without an introducer.
    fn is_text(&self, bytes: &[u8], is_binary: bool) -> bool {
        // Blob parameters too are strings in the connection's collation, but their bytes are never converted.
        let is_utf8 =
            self.charset.eq_ignore_ascii_case("utf8mb4") || self.charset.eq_ignore_ascii_case("utf8mb3");
        bytes.is_ascii()
            || if is_utf8 {
                std::str::from_utf8(bytes).is_ok()
            } else {
                !is_binary
            }
    }
}

/// Appends `value`, which was bound as `ty`, as a literal.
///
/// Integers stay integers and signed or unsigned, DOUBLE and FLOAT become a DOUBLE literal with the shortest digits
/// that read back as the same number, DECIMAL keeps its scale, times get their type's prefix. Strings become plain
/// literals, which take the connection's character set and collation just as parameters do, unless they are not valid
/// in that character set: then `_binary` ones.
///
/// One difference remains: where a parameter stands beside a number in an expression, MySQL gives it that number's type
/// when it prepares the statement and converts a string or DECIMAL to it, while a literal keeps its own type.
///
/// # Errors
/// When the value is none that `ty` can carry, or a NaN or infinity.
pub fn write(
    ty: ParamType,
    value: &ValueRef<'_>,
    style: &LiteralStyle<'_>,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    match *value {
        ValueRef::Null => out.extend_from_slice(b"NULL"),
        ValueRef::Int(v) => drop(write!(out, "{v}")),
        // Literals up to the largest BIGINT are signed.
        ValueRef::UInt(v) if i64::try_from(v).is_ok() => drop(write!(out, "CAST({v} AS UNSIGNED)")),
        ValueRef::UInt(v) => drop(write!(out, "{v}")),
        ValueRef::Float(v) => write_double(ty.ty, f64::from(v), out)?,
        ValueRef::Double(v) => write_double(ty.ty, v, out)?,
        ValueRef::Decimal(digits) => write_decimal(digits, style, out),
        ValueRef::Date(v) => write_temporal("DATE", is_literal_date(v), out, |out| v.write_text(out)),
        ValueRef::DateTime(v) => {
            let exact = is_literal_date(v.date) && v.hour < 24 && v.minute < 60 && v.second < 60;
            write_temporal("TIMESTAMP", exact, out, |out| v.write_text(out, PARAM_DECIMALS));
        }
        ValueRef::Time(v) => {
            let exact = v.hours < 839 && v.minute < 60 && v.second < 60;
            write_temporal("TIME", exact, out, |out| v.write_text(out, PARAM_DECIMALS));
        }
        ValueRef::Bytes(bytes) if style.is_text(bytes, is_binary(ty.ty)?) => write_text(bytes, style, out),
        ValueRef::Bytes(bytes) => write_binary(bytes, out),
    }
    Ok(())
}

/// Appends a value of LIMIT or OFFSET, where MySQL's grammar takes nothing but digits.
///
/// # Errors
/// When the value is no integer, or negative.
pub fn write_limit(ty: ParamType, value: &ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), ValueError> {
    let rows = match *value {
        ValueRef::Int(v) => u64::try_from(v).map_err(|_| ValueError::OutOfRange {
            ty: ty.ty,
            value: v.into(),
        })?,
        ValueRef::UInt(v) => v,
        _ => {
            return Err(ValueError::Mismatch {
                ty: ty.ty,
                kind: value.kind(),
            });
        }
    };
    let _ = write!(out, "{rows}");
    Ok(())
}

/// Appends a string in the connection's character set as a literal.
pub fn write_text(bytes: &[u8], style: &LiteralStyle<'_>, out: &mut Vec<u8>) {
    if style.hides_ascii() && !bytes.is_ascii() {
        let _ = write!(out, "_{} ", style.charset);
        write_hex(bytes, out);
    } else {
        write_quoted(bytes, style, out);
    }
}

/// Appends bytes without a character set as a literal.
pub fn write_binary(bytes: &[u8], out: &mut Vec<u8>) {
    // With the introducer a hexadecimal literal is a string, without it could become a number.
    out.extend_from_slice(b"_binary ");
    write_hex(bytes, out);
}

fn write_quoted(bytes: &[u8], style: &LiteralStyle<'_>, out: &mut Vec<u8>) {
    out.reserve(bytes.len() + 2);
    out.push(b'\'');
    for &byte in bytes {
        match byte {
            b'\'' => out.extend_from_slice(b"''"),
            b'\\' if !style.no_backslash_escapes => out.extend_from_slice(b"\\\\"),
            0 if !style.no_backslash_escapes => out.extend_from_slice(b"\\0"),
            _ => out.push(byte),
        }
    }
    out.push(b'\'');
}

fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() * 2 + 3);
    out.extend_from_slice(b"x'");
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out.push(b'\'');
}

fn write_double(ty: ColumnType, x: f64, out: &mut Vec<u8>) -> Result<(), ValueError> {
    if !x.is_finite() {
        return Err(ValueError::Mismatch {
            ty,
            kind: "NaN or infinity",
        });
    }
    // The exponent makes it a DOUBLE: without one MySQL reads a DECIMAL.
    let _ = write!(out, "{x:e}");
    Ok(())
}

fn write_decimal(digits: &[u8], style: &LiteralStyle<'_>, out: &mut Vec<u8>) {
    if !text::is_decimal(digits) {
        // A client may send any text as DECIMAL; MySQL converts it as it does with strings.
        return write_quoted(digits, style, out);
    }
    out.extend_from_slice(digits);
    if !digits.contains(&b'.') {
        // Without a point MySQL reads an integer.
        out.push(b'.');
    }
}

fn write_temporal(keyword: &str, is_exact: bool, out: &mut Vec<u8>, text: impl FnOnce(&mut Vec<u8>)) {
    // A literal with a keyword must be a full date, a parameter need not: there the string converts the same way.
    if is_exact {
        out.extend_from_slice(keyword.as_bytes());
    }
    out.push(b'\'');
    text(out);
    out.push(b'\'');
}

fn is_literal_date(date: Date) -> bool {
    (1..=9999).contains(&date.year) && (1..=12).contains(&date.month) && (1..=31).contains(&date.day)
}

/// Whether bytes bound with this type are left alone, not converted from the client's character set.
fn is_binary(ty: ColumnType) -> Result<bool, ValueError> {
    if Form::of(ty)? != Form::Bytes {
        return Err(ValueError::Mismatch { ty, kind: "bytes" });
    }
    Ok(matches!(
        ty,
        ColumnType::TinyBlob
            | ColumnType::MediumBlob
            | ColumnType::LongBlob
            | ColumnType::Blob
            | ColumnType::Geometry
            | ColumnType::Vector
            | ColumnType::Bit
    ))
}
