//! The binary protocol: a bit map of NULLs, then the packed values.

use smallvec::SmallVec;

use super::{
    ColumnFormat, Date, DateTime, Form, Time, ValueError, ValueRef, check_count, integer_of, mismatch, text,
};
use crate::column::ColumnType;
use crate::error::DecodeError;
use crate::packet::{Reader, Writer};

/// Bits before the first column in a row's NULL bit map.
const ROW_BIT_OFFSET: usize = 2;

/// Bytes of a bit map for `count` values that begins with `offset` unused bits.
pub(super) const fn bitmap_len(count: usize, offset: usize) -> usize {
    (count + offset).div_ceil(8)
}

/// Whether value `index` is marked in a bit map that begins with `offset` unused bits.
pub(super) fn bit(bitmap: &[u8], index: usize, offset: usize) -> bool {
    bitmap
        .get((index + offset) / 8)
        .is_some_and(|byte| byte >> ((index + offset) % 8) & 1 == 1)
}

/// Marks value `index` in such a bit map.
pub(super) fn set_bit(bitmap: &mut [u8], index: usize, offset: usize) {
    if let Some(byte) = bitmap.get_mut((index + offset) / 8) {
        *byte |= 1 << ((index + offset) % 8);
    }
}

/// Reads one packed value that is not NULL.
///
/// # Errors
/// When the bytes are cut short or a time has a wrong length.
pub fn decode<'a>(column: &ColumnFormat, reader: &mut Reader<'a>) -> Result<ValueRef<'a>, ValueError> {
    let unsigned = column.is_unsigned();
    Ok(match Form::of(column.ty)? {
        Form::Null => ValueRef::Null,
        Form::Int1 if unsigned => ValueRef::UInt(reader.int1()?.into()),
        Form::Int1 => ValueRef::Int(i8::from_le_bytes(reader.array()?).into()),
        // YEAR is never negative, whatever its flags say.
        Form::Int2 if column.ty == ColumnType::Year && !unsigned => ValueRef::Int(reader.int2()?.into()),
        Form::Int2 if unsigned => ValueRef::UInt(reader.int2()?.into()),
        Form::Int2 => ValueRef::Int(i16::from_le_bytes(reader.array()?).into()),
        Form::Int4 if unsigned => ValueRef::UInt(reader.int4()?.into()),
        Form::Int4 => ValueRef::Int(i32::from_le_bytes(reader.array()?).into()),
        Form::Int8 if unsigned => ValueRef::UInt(reader.int8()?),
        Form::Int8 => ValueRef::Int(i64::from_le_bytes(reader.array()?)),
        Form::Float => ValueRef::Float(f32::from_le_bytes(reader.array()?)),
        Form::Double => ValueRef::Double(f64::from_le_bytes(reader.array()?)),
        Form::Date => ValueRef::Date(Date::read_binary(reader)?),
        Form::DateTime => ValueRef::DateTime(DateTime::read_binary(reader)?),
        Form::Time => ValueRef::Time(Time::read_binary(reader)?),
        Form::Decimal => ValueRef::Decimal(reader.lenenc_bytes()?),
        Form::Bytes => ValueRef::Bytes(reader.lenenc_bytes()?),
    })
}

/// Decodes a whole binary row.
///
/// # Errors
/// When the payload is no row of these columns.
pub fn decode_row<'a>(
    columns: &[ColumnFormat],
    payload: &'a [u8],
) -> Result<SmallVec<[ValueRef<'a>; 8]>, ValueError> {
    let mut reader = Reader::new(payload);
    let header = reader.int1()?;
    if header != 0 {
        return Err(DecodeError::Invalid {
            what: "header of a binary row",
            value: header.into(),
        }
        .into());
    }
    let nulls = reader.bytes(bitmap_len(columns.len(), ROW_BIT_OFFSET))?;
    let mut values = SmallVec::with_capacity(columns.len());
    for (index, column) in columns.iter().enumerate() {
        let is_null = bit(nulls, index, ROW_BIT_OFFSET);
        values.push(if is_null {
            ValueRef::Null
        } else {
            decode(column, &mut reader)?
        });
    }
    reader.finish()?;
    Ok(values)
}

/// Appends a value that is not NULL in packed form.
///
/// # Errors
/// When the column can't hold the value, NULL included (which only a row's bit map can say).
pub fn encode(column: &ColumnFormat, value: &ValueRef<'_>, out: &mut Writer<'_>) -> Result<(), ValueError> {
    let form = Form::of(column.ty)?;
    match (form, *value) {
        (Form::Int1 | Form::Int2 | Form::Int4 | Form::Int8, _) => {
            let bytes = integer_of(column, form, value)?.to_le_bytes();
            let len = match form {
                Form::Int1 => 1,
                Form::Int2 => 2,
                Form::Int4 => 4,
                _ => 8,
            };
            out.bytes(bytes.get(..len).unwrap_or_default());
        }
        (Form::Float, ValueRef::Float(v)) => out.bytes(&v.to_le_bytes()),
        (Form::Double, ValueRef::Double(v)) => out.bytes(&v.to_le_bytes()),
        (Form::Double, ValueRef::Float(v)) => out.bytes(&f64::from(v).to_le_bytes()),
        (Form::Date, ValueRef::Date(v)) => v.write_binary(out),
        (Form::DateTime, ValueRef::DateTime(v)) => v.write_binary(out),
        (Form::Time, ValueRef::Time(v)) => v.write_binary(out),
        (Form::Bytes, ValueRef::Bytes(v)) => out.lenenc_bytes(v),
        // DECIMAL travels as text in both protocols.
        (Form::Decimal, ValueRef::Decimal(_) | ValueRef::Int(_) | ValueRef::UInt(_)) => {
            text::encode(column, value, out)?;
        }
        _ => return Err(mismatch(column, value)),
    }
    Ok(())
}

/// Appends a binary row of these values.
///
/// # Errors
/// When a value does not fit its column, or their numbers differ. `out` may then hold a part of the row.
pub fn encode_row<'v>(
    columns: &[ColumnFormat],
    values: impl ExactSizeIterator<Item = ValueRef<'v>>,
    out: &mut Writer<'_>,
) -> Result<(), ValueError> {
    check_count(columns, values.len())?;
    out.int1(0);
    let bitmap_at = out.len();
    let bitmap_end = bitmap_at + bitmap_len(columns.len(), ROW_BIT_OFFSET);
    out.zeros(bitmap_end - bitmap_at);
    for (index, (column, value)) in columns.iter().zip(values).enumerate() {
        if value == ValueRef::Null {
            let bitmap = out
                .written_mut()
                .get_mut(bitmap_at..bitmap_end)
                .unwrap_or_default();
            set_bit(bitmap, index, ROW_BIT_OFFSET);
        } else {
            encode(column, &value, out)?;
        }
    }
    Ok(())
}
