//! A parameter's value as an SQL literal that means the same to MySQL: for executions that a gateway has to send as
//! text.

#[cfg(test)]
mod tests;

use std::io::Write;

use super::params::ParamType;
use super::{Date, Form, ValueError, ValueRef, text};
use crate::column::ColumnType;

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
}

/// Appends `value`, which was bound as `ty`, as a literal.
///
/// Integers stay integers, DOUBLE and FLOAT become a DOUBLE literal with the shortest digits that read back as the
/// same number, DECIMAL keeps its scale, times get their type's prefix. Text becomes a plain string literal, which
/// takes the connection's character set and collation just as a parameter does; blobs become `_binary` strings.
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
        ValueRef::UInt(v) => drop(write!(out, "{v}")),
        ValueRef::Float(v) => write_double(ty.ty, f64::from(v), out)?,
        ValueRef::Double(v) => write_double(ty.ty, v, out)?,
        ValueRef::Decimal(digits) => write_decimal(digits, style, out),
        ValueRef::Date(v) => write_temporal("DATE", is_literal_date(v), out, |out| v.write_text(out)),
        ValueRef::DateTime(v) => {
            let exact = is_literal_date(v.date) && v.hour < 24 && v.minute < 60 && v.second < 60;
            write_temporal("TIMESTAMP", exact, out, |out| {
                v.write_text(out, super::DECIMALS_NOT_FIXED)
            });
        }
        ValueRef::Time(v) => {
            let exact = v.hours < 839 && v.minute < 60 && v.second < 60;
            write_temporal("TIME", exact, out, |out| {
                v.write_text(out, super::DECIMALS_NOT_FIXED)
            });
        }
        ValueRef::Bytes(bytes) if is_binary(ty.ty)? => write_binary(bytes, style, out),
        ValueRef::Bytes(bytes) => write_text(bytes, style, out),
    }
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
pub fn write_binary(bytes: &[u8], style: &LiteralStyle<'_>, out: &mut Vec<u8>) {
    // With the introducer a hexadecimal literal is a string, without it could become a number.
    out.extend_from_slice(b"_binary ");
    if bytes.is_ascii() {
        write_quoted(bytes, style, out);
    } else {
        write_hex(bytes, out);
    }
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

/// Whether MySQL takes bytes bound with this type as binary, not as text in the client's character set.
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
