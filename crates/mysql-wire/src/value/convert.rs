//! From the text protocol to the binary one, and back.
//!
//! Text to binary is exact except for FLOAT, whose text has six digits only. Binary to text gives what MySQL would
//! have sent as text for the same column.

use super::{ColumnFormat, ValueError, ValueRef, binary, text};
use crate::column::ColumnType;
use crate::packet::{Reader, Writer};

/// Appends a text cell that is not NULL in packed form.
///
/// # Errors
/// When the cell is not what MySQL prints for the column.
pub fn text_to_binary(column: &ColumnFormat, cell: &[u8], out: &mut Writer<'_>) -> Result<(), ValueError> {
    binary::encode(column, &text::decode(column, Some(cell))?, out)
}

/// Reads a packed value that is not NULL and appends it as a text cell.
///
/// # Errors
/// When the packed value is malformed or exceeds its column.
pub fn binary_to_text(
    column: &ColumnFormat,
    reader: &mut Reader<'_>,
    out: &mut Writer<'_>,
) -> Result<(), ValueError> {
    text::encode(column, &binary::decode(column, reader)?, out)
}

/// Appends the binary row that says the same as a text row's payload.
///
/// # Errors
/// When the payload is no text row of these columns.
pub fn text_row_to_binary(
    columns: &[ColumnFormat],
    payload: &[u8],
    out: &mut Writer<'_>,
) -> Result<(), ValueError> {
    binary::encode_row(columns, text::decode_row(columns, payload)?.into_iter(), out)
}

/// Appends the text row that says the same as a binary row's payload.
///
/// # Errors
/// When the payload is no binary row of these columns.
pub fn binary_row_to_text(
    columns: &[ColumnFormat],
    payload: &[u8],
    out: &mut Writer<'_>,
) -> Result<(), ValueError> {
    text::encode_row(columns, binary::decode_row(columns, payload)?.into_iter(), out)
}

/// The text of a value as MySQL prints it for `column`; `None` for NULL. For comparisons and messages: rows are
/// converted without such copies.
///
/// # Errors
/// When the column can't hold the value.
pub fn value_to_text(column: &ColumnFormat, value: &ValueRef<'_>) -> Result<Option<Vec<u8>>, ValueError> {
    if *value == ValueRef::Null {
        return Ok(None);
    }
    let mut out = smallvec::SmallVec::new();
    text::write(column, value, &mut out)?;
    Ok(Some(out.into_vec()))
}

/// As [`value_to_text`], with all digits of FLOAT and DOUBLE: the text reads back as the same value whatever decimals the
/// column is declared with.
///
/// # Errors
/// When the column can't hold the value.
pub fn value_to_exact_text(
    column: &ColumnFormat,
    value: &ValueRef<'_>,
) -> Result<Option<Vec<u8>>, ValueError> {
    const DOUBLE: ColumnFormat = ColumnFormat::of_type(ColumnType::Double);
    match *value {
        ValueRef::Float(v) => value_to_text(&DOUBLE, &ValueRef::Double(v.into())),
        ValueRef::Double(_) => value_to_text(&DOUBLE, value),
        _ => value_to_text(column, value),
    }
}
