//! The text protocol: every cell is a length-encoded string, or the byte 0xFB for NULL.

use std::io::Write;

use smallvec::SmallVec;

use super::{
    ColumnFormat, DECIMALS_NOT_FIXED, Date, DateTime, Form, Time, ValueError, ValueRef, check_count,
    float_text, integer_of, mismatch,
};
use crate::packet::{Reader, Writer};

/// Longest start of a cell that an error message quotes, in bytes.
const MAX_QUOTED: usize = 40;

/// The value in a cell of `column`.
///
/// A FLOAT's text has six digits only: the value that comes out may differ from the stored one.
///
/// # Errors
/// [`ValueError::Text`] when the cell is not what MySQL prints for the type.
pub fn decode<'a>(column: &ColumnFormat, cell: Option<&'a [u8]>) -> Result<ValueRef<'a>, ValueError> {
    let Some(cell) = cell else {
        return Ok(ValueRef::Null);
    };
    let value = match Form::of(column.ty)? {
        Form::Null => None,
        Form::Int1 | Form::Int2 | Form::Int4 | Form::Int8 if column.is_unsigned() => {
            number(cell).map(ValueRef::UInt)
        }
        Form::Int1 | Form::Int2 | Form::Int4 | Form::Int8 => number(cell).map(ValueRef::Int),
        Form::Float => float::<f32>(cell).map(ValueRef::Float),
        Form::Double => float::<f64>(cell).map(ValueRef::Double),
        Form::Date => Date::parse(cell).map(ValueRef::Date),
        Form::DateTime => DateTime::parse(cell).map(ValueRef::DateTime),
        Form::Time => Time::parse(cell).map(ValueRef::Time),
        Form::Decimal => is_decimal(cell).then_some(ValueRef::Decimal(cell)),
        Form::Bytes => Some(ValueRef::Bytes(cell)),
    };
    value.ok_or_else(|| {
        let start = cell.get(..MAX_QUOTED).unwrap_or(cell);
        ValueError::Text {
            ty: column.ty,
            text: String::from_utf8_lossy(start).into_owned(),
        }
    })
}

/// Reads the cells of a text row's payload without decoding them.
///
/// # Errors
/// When the payload does not hold exactly `columns` cells.
pub fn cells(payload: &[u8], columns: usize) -> Result<SmallVec<[Option<&[u8]>; 8]>, ValueError> {
    let mut reader = Reader::new(payload);
    // A cell takes a byte at least, which bounds what a wrong count can reserve.
    let mut cells = SmallVec::with_capacity(columns.min(payload.len()));
    for _ in 0..columns {
        cells.push(reader.lenenc_bytes_or_null()?);
    }
    reader.finish()?;
    Ok(cells)
}

/// Decodes a whole text row.
///
/// # Errors
/// See [`decode`] and [`cells`].
pub fn decode_row<'a>(
    columns: &[ColumnFormat],
    payload: &'a [u8],
) -> Result<SmallVec<[ValueRef<'a>; 8]>, ValueError> {
    columns
        .iter()
        .zip(cells(payload, columns.len())?)
        .map(|(column, cell)| decode(column, cell))
        .collect()
}

/// Appends `value` as a cell of `column`.
///
/// # Errors
/// When the column can't hold the value.
pub fn encode(column: &ColumnFormat, value: &ValueRef<'_>, out: &mut Writer<'_>) -> Result<(), ValueError> {
    match *value {
        ValueRef::Null => out.lenenc_bytes_or_null(None),
        ValueRef::Bytes(bytes) if matches!(Form::of(column.ty)?, Form::Bytes) => out.lenenc_bytes(bytes),
        _ => {
            let mut text = SmallVec::<[u8; 64]>::new();
            write(column, value, &mut text)?;
            out.lenenc_bytes(&text);
        }
    }
    Ok(())
}

/// Appends a text row of these values.
///
/// # Errors
/// When a value does not fit its column, or their numbers differ.
pub fn encode_row<'v>(
    columns: &[ColumnFormat],
    values: impl ExactSizeIterator<Item = ValueRef<'v>>,
    out: &mut Writer<'_>,
) -> Result<(), ValueError> {
    check_count(columns, values.len())?;
    columns
        .iter()
        .zip(values)
        .try_for_each(|(column, value)| encode(column, &value, out))
}

/// Appends the text of a value that is not NULL, as MySQL prints it for `column`.
pub(super) fn write(
    column: &ColumnFormat,
    value: &ValueRef<'_>,
    out: &mut SmallVec<[u8; 64]>,
) -> Result<(), ValueError> {
    let form = Form::of(column.ty)?;
    let mismatch = || mismatch(column, value);
    match form {
        Form::Int1 | Form::Int2 | Form::Int4 | Form::Int8 => {
            let number = integer_of(column, form, value)?;
            let _ = write!(out, "{number}");
        }
        Form::Float => match *value {
            ValueRef::Float(v) if column.decimals >= DECIMALS_NOT_FIXED => float_text::write_float(out, v),
            ValueRef::Float(v) => float_text::write_fixed(out, f64::from(v), column.decimals),
            _ => return Err(mismatch()),
        },
        Form::Double => {
            let number = match *value {
                ValueRef::Double(v) => v,
                ValueRef::Float(v) => f64::from(v),
                _ => return Err(mismatch()),
            };
            if column.decimals >= DECIMALS_NOT_FIXED {
                float_text::write_double(out, number);
            } else {
                float_text::write_fixed(out, number, column.decimals);
            }
        }
        Form::Date => match value {
            ValueRef::Date(v) => v.write_text(out),
            _ => return Err(mismatch()),
        },
        Form::DateTime => match value {
            ValueRef::DateTime(v) => v.write_text(out, column.decimals),
            _ => return Err(mismatch()),
        },
        Form::Time => match value {
            ValueRef::Time(v) => v.write_text(out, column.decimals),
            _ => return Err(mismatch()),
        },
        Form::Decimal => match *value {
            ValueRef::Decimal(v) => out.extend_from_slice(v),
            ValueRef::Int(v) => drop(write!(out, "{v}")),
            ValueRef::UInt(v) => drop(write!(out, "{v}")),
            _ => return Err(mismatch()),
        },
        Form::Bytes => match *value {
            ValueRef::Bytes(v) => out.extend_from_slice(v),
            _ => return Err(mismatch()),
        },
        Form::Null => return Err(mismatch()),
    }
    pad_with_zeros(out, column.zerofill_width());
    Ok(())
}

fn pad_with_zeros(text: &mut SmallVec<[u8; 64]>, width: usize) {
    let missing = width.saturating_sub(text.len());
    text.insert_many(0, std::iter::repeat_n(b'0', missing));
}

fn number<N: std::str::FromStr>(cell: &[u8]) -> Option<N> {
    // Rust's parser takes a plus sign, which MySQL never prints.
    std::str::from_utf8(cell)
        .ok()
        .filter(|text| !text.starts_with('+'))?
        .parse()
        .ok()
}

fn float<N: std::str::FromStr>(cell: &[u8]) -> Option<N> {
    // Rust's parser also takes words such as `inf`.
    cell.iter()
        .all(|b| matches!(b, b'0'..=b'9' | b'.' | b'-' | b'e'))
        .then(|| number(cell))
        .flatten()
}

/// Whether `text` is `[-]digits[.digits]` with at least one digit.
pub(super) fn is_decimal(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let mut points = 0;
    let plain = digits.iter().all(|b| {
        points += usize::from(*b == b'.');
        b.is_ascii_digit() || *b == b'.'
    });
    plain && points <= 1 && digits.len() > points
}
