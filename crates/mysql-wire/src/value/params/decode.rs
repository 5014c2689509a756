//! Reading parameters.

use super::{Attribute, Param, ParamError, ParamType, ParamValue};
use crate::column::ColumnType;
use crate::message::{self, RawParams};
use crate::packet::Reader;
use crate::value::{Form, ValueError, ValueRef, binary};

/// The decoded parameters of a COM_STMT_EXECUTE.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BoundParams<'a> {
    /// Whether this packet brought types; they are then also in the remembered ones.
    pub types_sent: bool,
    /// The statement's parameters in order.
    pub params: Vec<Param<'a>>,
    /// Query attributes.
    pub attributes: Vec<Attribute<'a>>,
}

/// Decodes the parameters of an execution of a statement that has `param_count` of them.
///
/// `remembered` are the types of the statement's last execution (empty before the first one); it is replaced when
/// this packet brings types. `has_long_data` tells which parameters came by COM_STMT_SEND_LONG_DATA.
///
/// # Errors
/// See [`ParamError`]; `remembered` is then as before.
pub fn decode_params<'a>(
    raw: &RawParams<'a>,
    param_count: usize,
    remembered: &mut Vec<ParamType>,
    has_long_data: impl Fn(usize) -> bool,
) -> Result<BoundParams<'a>, ParamError> {
    let mut bound = BoundParams {
        types_sent: raw.types.is_some(),
        ..BoundParams::default()
    };
    if raw.null_bitmap.is_empty() && param_count == 0 {
        return Ok(bound);
    }
    if let Some(types) = &raw.types
        && types.len() < param_count
    {
        return Err(ParamError::TooFew {
            expected: param_count,
            got: types.len(),
        });
    }
    if raw.types.is_none() && remembered.len() != param_count {
        return Err(ParamError::TypesMissing);
    }
    let mut reader = Reader::new(raw.values);
    bound.params.reserve_exact(param_count);
    for index in 0..param_count {
        let ty = match &raw.types {
            Some(types) => types.get(index).map(|sent| known_type(index, sent)).transpose()?,
            None => remembered.get(index).copied(),
        };
        let ty = ty.ok_or(ParamError::TypesMissing)?;
        let value = if has_long_data(index) {
            ParamValue::LongData
        } else {
            ParamValue::Inline(read_value(&mut reader, raw, index, ty)?)
        };
        bound.params.push(Param { ty, value });
    }
    let sent_types = raw.types.as_deref().unwrap_or_default();
    for (index, sent) in sent_types.iter().enumerate().skip(param_count) {
        bound
            .attributes
            .push(read_attribute(&mut reader, raw, index, sent)?);
    }
    // Bytes behind the last value are ignored, as MySQL does: some clients send a spare one for each NULL.
    if bound.types_sent {
        remembered.clear();
        remembered.extend(bound.params.iter().map(|param| param.ty));
    }
    Ok(bound)
}

/// Decodes the query attributes of a COM_QUERY.
///
/// # Errors
/// See [`ParamError`].
pub fn decode_attributes<'a>(raw: &RawParams<'a>) -> Result<Vec<Attribute<'a>>, ParamError> {
    let mut reader = Reader::new(raw.values);
    let types = raw.types.as_deref().unwrap_or_default();
    types
        .iter()
        .enumerate()
        .map(|(index, sent)| read_attribute(&mut reader, raw, index, sent))
        .collect()
}

fn read_attribute<'a>(
    reader: &mut Reader<'a>,
    raw: &RawParams<'a>,
    index: usize,
    sent: &message::ParamType<'a>,
) -> Result<Attribute<'a>, ParamError> {
    let ty = known_type(index, sent)?;
    Ok(Attribute {
        name: sent.name,
        ty,
        value: read_value(reader, raw, index, ty)?,
    })
}

fn known_type(index: usize, sent: &message::ParamType<'_>) -> Result<ParamType, ParamError> {
    ColumnType::from_byte(sent.column_type)
        .map(|ty| ParamType {
            ty,
            unsigned: sent.unsigned,
        })
        .filter(|ty| ty.is_bindable())
        .ok_or(ParamError::Type {
            index,
            ty: sent.column_type,
        })
}

fn read_value<'a>(
    reader: &mut Reader<'a>,
    raw: &RawParams<'a>,
    index: usize,
    ty: ParamType,
) -> Result<ValueRef<'a>, ParamError> {
    if raw.is_null(index) {
        return Ok(ValueRef::Null);
    }
    let start = *reader;
    binary::decode(&ty.format(), reader).or_else(|error| {
        if let Some((value, after)) = long_value(start, ty) {
            *reader = after;
            return Ok(value);
        }
        Err(match error {
            ValueError::Decode(error) => ParamError::Decode(error),
            error => ParamError::Value { index, error },
        })
    })
}

/// A string whose length has eight bytes, of which only the low four count: so MySQL reads parameters, and mysql2 of Node.js repeats them
/// in the upper half.
fn long_value<'a>(mut reader: Reader<'a>, ty: ParamType) -> Option<(ValueRef<'a>, Reader<'a>)> {
    if reader.peek() != Some(0xfe) || !matches!(Form::of(ty.ty), Ok(Form::Bytes)) {
        return None;
    }
    reader.skip(1).ok()?;
    let len = usize::try_from(reader.int4().ok()?).ok()?;
    reader.skip(4).ok()?;
    Some((ValueRef::Bytes(reader.bytes(len).ok()?), reader))
}
