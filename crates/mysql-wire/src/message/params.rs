//! Parameters of COM_STMT_EXECUTE and COM_QUERY as raw parts: null bitmap, types with names, values.

use crate::{
    column::ColumnType,
    error::DecodeError,
    packet::{Reader, Writer},
};

/// The most parameters or attributes that one statement can have.
const MAX_PARAMS: u64 = 65_535;

/// Type of one parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamType<'a> {
    /// Type code, see [`ColumnType`].
    pub column_type: u8,
    /// Whether an integer is unsigned.
    pub unsigned: bool,
    /// Name of a query attribute; empty for parameters of the statement.
    pub name: &'a [u8],
}

/// Parameters split into their parts, values not decoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RawParams<'a> {
    /// One bit for each parameter, low bits first: the value is NULL and takes no bytes.
    pub null_bitmap: &'a [u8],
    /// The types; `None` when the client relies on those of an earlier execution.
    pub types: Option<Vec<ParamType<'a>>>,
    /// The values one after the other, and whatever follows them.
    pub values: &'a [u8],
}

impl<'a> RawParams<'a> {
    /// Splits the parameters at the reader's position; `named`: each type is followed by a name.
    pub(super) fn decode(r: &mut Reader<'a>, count: usize, named: bool) -> Result<Self, DecodeError> {
        if count == 0 {
            return Ok(Self {
                values: r.rest(),
                ..Self::default()
            });
        }
        let null_bitmap = r.bytes(count.div_ceil(8))?;
        let types = match r.int1()? {
            0 => None,
            1 => {
                let mut types = Vec::new();
                for _ in 0..count {
                    let [column_type, flags] = r.array()?;
                    let name = if named { r.lenenc_bytes()? } else { b"" };
                    types.push(ParamType {
                        column_type,
                        unsigned: flags & 0x80 != 0,
                        name,
                    });
                }
                Some(types)
            }
            other => {
                return Err(DecodeError::Invalid {
                    what: "new params bound flag",
                    value: u64::from(other),
                });
            }
        };
        Ok(Self {
            null_bitmap,
            types,
            values: r.rest(),
        })
    }

    /// Whether parameter `index` is NULL by the bitmap.
    #[must_use]
    pub fn is_null(&self, index: usize) -> bool {
        self.null_bitmap
            .get(index / 8)
            .is_some_and(|byte| byte >> (index % 8) & 1 == 1)
    }
}

/// Reads a parameter count.
pub(super) fn decode_count(r: &mut Reader<'_>) -> Result<usize, DecodeError> {
    match r.lenenc_int()? {
        count @ 0..=MAX_PARAMS => Ok(count as usize),
        value => Err(DecodeError::Invalid {
            what: "parameter count",
            value,
        }),
    }
}

/// Passes over one value of the binary protocol.
pub(super) fn skip_value(r: &mut Reader<'_>, column_type: u8) -> Result<(), DecodeError> {
    use ColumnType as T;
    let Some(known) = T::from_byte(column_type) else {
        return Err(DecodeError::Invalid {
            what: "parameter type",
            value: u64::from(column_type),
        });
    };
    match known {
        T::Null => Ok(()),
        T::Tiny | T::Bool => r.skip(1),
        T::Short | T::Year => r.skip(2),
        T::Long | T::Int24 | T::Float => r.skip(4),
        T::LongLong | T::Double => r.skip(8),
        T::Date | T::Time | T::DateTime | T::Timestamp => {
            let len = r.int1()?;
            r.skip(usize::from(len))
        }
        _ => r.lenenc_bytes().map(drop),
    }
}

/// Encodes the flag "new types follow" and the types.
pub fn encode_param_types<'t>(
    w: &mut Writer<'_>,
    types: impl IntoIterator<Item = &'t ParamType<'t>>,
    named: bool,
) {
    w.int1(1);
    for ty in types {
        w.int1(ty.column_type);
        w.int1(if ty.unsigned { 0x80 } else { 0 });
        if named {
            w.lenenc_bytes(ty.name);
        }
    }
}
