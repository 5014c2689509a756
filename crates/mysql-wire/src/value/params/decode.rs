//! Reading parameters.

use super::{Attribute, COUNT_AVAILABLE, Param, ParamError, ParamType, ParamValue, UNSIGNED_BIT};
use crate::column::ColumnType;
use crate::error::DecodeError;
use crate::packet::Reader;
use crate::value::{Form, ValueError, ValueRef, binary};

/// A decoded COM_STMT_EXECUTE.
#[derive(Debug, Clone, PartialEq)]
pub struct Execute<'a> {
    /// The statement.
    pub statement_id: u32,
    /// The cursor bits of the flags: 0 none, 1 read only.
    pub cursor: u8,
    /// Whether this packet brought types; they are then also in the remembered ones.
    pub types_sent: bool,
    /// The statement's parameters in order.
    pub params: Vec<Param<'a>>,
    /// Query attributes.
    pub attributes: Vec<Attribute<'a>>,
}

/// The statement id of a COM_STMT_EXECUTE payload (without the command byte): what a server needs to find the
/// statement, without which the rest can't be read.
///
/// # Errors
/// When the payload is too short.
pub fn execute_statement_id(payload: &[u8]) -> Result<u32, DecodeError> {
    Reader::new(payload).int4()
}

/// Decodes a COM_STMT_EXECUTE payload (without the command byte) of a statement with `param_count` parameters.
///
/// `remembered` are the types of the statement's last execution (empty before the first one); it is replaced when
/// this packet brings types. `has_long_data` tells which parameters came by COM_STMT_SEND_LONG_DATA.
///
/// # Errors
/// See [`ParamError`]; `remembered` is then as before.
pub fn decode_execute<'a>(
    payload: &'a [u8],
    param_count: usize,
    query_attributes: bool,
    remembered: &mut Vec<ParamType>,
    has_long_data: impl Fn(usize) -> bool,
) -> Result<Execute<'a>, ParamError> {
    let mut reader = Reader::new(payload);
    let statement_id = reader.int4()?;
    let flags = reader.int1()?;
    // The iteration count is always 1; MySQL does not read it.
    reader.skip(4)?;
    let mut execute = Execute {
        statement_id,
        cursor: flags & !COUNT_AVAILABLE,
        types_sent: false,
        params: Vec::new(),
        attributes: Vec::new(),
    };
    let count = if query_attributes && flags & COUNT_AVAILABLE != 0 {
        bounded_count(&mut reader)?
    } else {
        param_count
    };
    if count < param_count {
        return Err(ParamError::TooFew {
            expected: param_count,
            got: count,
        });
    }
    if count == 0 {
        return Ok(execute);
    }
    let nulls = reader.bytes(binary::bitmap_len(count, 0))?;
    execute.types_sent = reader.int1()? != 0;
    let mut bound = Vec::new();
    if execute.types_sent {
        bound = read_types(&mut reader, count, query_attributes)?;
    } else if remembered.len() != param_count || count != param_count {
        return Err(ParamError::TypesMissing);
    } else {
        bound.extend(remembered.iter().map(|&ty| (ty, &b""[..])));
    }
    execute.params.reserve_exact(param_count);
    for (index, &(ty, name)) in bound.iter().enumerate() {
        let is_param = index < param_count;
        if is_param && has_long_data(index) {
            execute.params.push(Param {
                ty,
                value: ParamValue::LongData,
            });
            continue;
        }
        let value = read_value(&mut reader, nulls, index, ty)?;
        if is_param {
            execute.params.push(Param {
                ty,
                value: ParamValue::Inline(value),
            });
        } else {
            execute.attributes.push(Attribute { name, ty, value });
        }
    }
    reader.finish()?;
    if execute.types_sent {
        remembered.clear();
        remembered.extend(execute.params.iter().map(|param| param.ty));
    }
    Ok(execute)
}

/// Decodes the query attributes before the text of COM_QUERY (the reader stands behind the command byte), which are
/// there if `CLIENT_QUERY_ATTRIBUTES` was agreed on. What is left in the reader is the SQL text.
///
/// # Errors
/// See [`ParamError`].
pub fn decode_query_attributes<'a>(reader: &mut Reader<'a>) -> Result<Vec<Attribute<'a>>, ParamError> {
    let count = bounded_count(reader)?;
    let sets = reader.lenenc_int()?;
    if sets != 1 {
        return Err(DecodeError::Invalid {
            what: "parameter set count",
            value: sets,
        }
        .into());
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    let nulls = reader.bytes(binary::bitmap_len(count, 0))?;
    if reader.int1()? == 0 {
        return Err(ParamError::TypesMissing);
    }
    let types = read_types(reader, count, true)?;
    let read = |(index, (ty, name))| {
        let value = read_value(reader, nulls, index, ty)?;
        Ok(Attribute { name, ty, value })
    };
    types.into_iter().enumerate().map(read).collect()
}

/// A number of parameters, each of which takes bytes in the rest of the packet: a wrong one must not cost memory.
fn bounded_count(reader: &mut Reader<'_>) -> Result<usize, DecodeError> {
    let at = reader.position();
    let count = reader.lenenc_int()?;
    let left = reader.remaining();
    usize::try_from(count)
        .ok()
        .filter(|&count| count <= left.saturating_mul(8))
        .ok_or(DecodeError::Truncated {
            at,
            needed: usize::try_from(count).unwrap_or(usize::MAX),
            left,
        })
}

fn read_types<'a>(
    reader: &mut Reader<'a>,
    count: usize,
    named: bool,
) -> Result<Vec<(ParamType, &'a [u8])>, ParamError> {
    let mut types = Vec::with_capacity(count.min(reader.remaining() / 2));
    for index in 0..count {
        let [byte, flags] = reader.array()?;
        let ty = ColumnType::from_byte(byte)
            .filter(|&ty| Form::of(ty).is_ok())
            .ok_or(ParamError::Type { index, ty: byte })?;
        let name = if named { reader.lenenc_bytes()? } else { b"" };
        types.push((
            ParamType {
                ty,
                unsigned: flags & UNSIGNED_BIT != 0,
            },
            name,
        ));
    }
    Ok(types)
}

fn read_value<'a>(
    reader: &mut Reader<'a>,
    nulls: &[u8],
    index: usize,
    ty: ParamType,
) -> Result<ValueRef<'a>, ParamError> {
    if binary::bit(nulls, index, 0) {
        return Ok(ValueRef::Null);
    }
    binary::decode(&ty.format(), reader).map_err(|error| match error {
        ValueError::Decode(error) => ParamError::Decode(error),
        error => ParamError::Value { index, error },
    })
}
