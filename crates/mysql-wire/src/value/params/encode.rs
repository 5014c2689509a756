//! Writing parameters.

use super::{Attribute, Param, ParamError, ParamType, ParamValue, UNSIGNED_BIT};
use crate::message::PARAMETER_COUNT_AVAILABLE;
use crate::packet::Writer;
use crate::value::{ValueRef, binary};

/// A COM_STMT_EXECUTE to be written.
#[derive(Debug, Clone, Copy)]
pub struct ExecuteRef<'a> {
    /// The statement's id on the server that gets the packet.
    pub statement_id: u32,
    /// The cursor bits of the flags: 0 none, 1 read only.
    pub cursor: u8,
    /// Whether types are sent: the first execution of a statement on a connection needs them, and every one whose
    /// types differ from the last. Attributes are only sent with types.
    pub send_types: bool,
    /// The statement's parameters in order.
    pub params: &'a [Param<'a>],
    /// Query attributes; ignored where the connection can't carry them.
    pub attributes: &'a [Attribute<'a>],
}

/// A parameter or attribute while it is written.
#[derive(Debug, Clone, Copy)]
struct Bound<'a> {
    name: &'a [u8],
    ty: ParamType,
    value: ParamValue<'a>,
}

impl<'a> From<&Attribute<'a>> for Bound<'a> {
    fn from(attribute: &Attribute<'a>) -> Self {
        Self {
            name: attribute.name,
            ty: attribute.ty,
            value: ParamValue::Inline(attribute.value),
        }
    }
}

impl<'a> From<&Param<'a>> for Bound<'a> {
    fn from(param: &Param<'a>) -> Self {
        Self {
            name: b"",
            ty: param.ty,
            value: param.value,
        }
    }
}

/// Appends a COM_STMT_EXECUTE payload without the command byte. `query_attributes` says whether the connection
/// agreed on `CLIENT_QUERY_ATTRIBUTES`, which changes the layout.
///
/// # Errors
/// When a value does not fit its type; `out` then holds a part of the packet.
pub fn encode_execute(
    execute: &ExecuteRef<'_>,
    query_attributes: bool,
    out: &mut Writer<'_>,
) -> Result<(), ParamError> {
    let attributes = if query_attributes && execute.send_types {
        execute.attributes
    } else {
        &[]
    };
    let all: Vec<Bound<'_>> = execute
        .params
        .iter()
        .map(Into::into)
        .chain(attributes.iter().map(Into::into))
        .collect();
    out.int4(execute.statement_id);
    out.int1(
        execute.cursor
            | if query_attributes {
                PARAMETER_COUNT_AVAILABLE
            } else {
                0
            },
    );
    out.int4(1);
    if query_attributes {
        out.lenenc_int(all.len() as u64);
    }
    if all.is_empty() {
        return Ok(());
    }
    encode_values(&all, execute.send_types, query_attributes, out)
}

/// Appends the query attributes that stand before the text of COM_QUERY on connections with
/// `CLIENT_QUERY_ATTRIBUTES`, where they must be written even if there are none.
///
/// # Errors
/// When a value does not fit its type; `out` then holds a part of the packet.
pub fn encode_query_attributes(attributes: &[Attribute<'_>], out: &mut Writer<'_>) -> Result<(), ParamError> {
    out.lenenc_int(attributes.len() as u64);
    out.lenenc_int(1);
    if attributes.is_empty() {
        return Ok(());
    }
    let all: Vec<Bound<'_>> = attributes.iter().map(Into::into).collect();
    encode_values(&all, true, true, out)
}

fn encode_values(
    values: &[Bound<'_>],
    send_types: bool,
    named: bool,
    out: &mut Writer<'_>,
) -> Result<(), ParamError> {
    let bitmap_at = out.len();
    let bitmap_len = binary::bitmap_len(values.len(), 0);
    out.zeros(bitmap_len);
    let bitmap = out
        .written_mut()
        .get_mut(bitmap_at..bitmap_at + bitmap_len)
        .unwrap_or_default();
    for (index, param) in values.iter().enumerate() {
        if param.value == ParamValue::Inline(ValueRef::Null) {
            binary::set_bit(bitmap, index, 0);
        }
    }
    out.int1(u8::from(send_types));
    if send_types {
        for param in values {
            out.bytes(&[
                param.ty.ty.byte(),
                if param.ty.unsigned { UNSIGNED_BIT } else { 0 },
            ]);
            if named {
                out.lenenc_bytes(param.name);
            }
        }
    }
    for (index, param) in values.iter().enumerate() {
        if !param.ty.is_bindable() {
            return Err(ParamError::Type {
                index,
                ty: param.ty.ty.byte(),
            });
        }
        match param.value {
            ParamValue::LongData | ParamValue::Inline(ValueRef::Null) => {}
            ParamValue::Inline(value) => binary::encode(&param.ty.format(), &value, out)
                .map_err(|error| ParamError::Value { index, error })?,
        }
    }
    Ok(())
}
