//! Column definition of the 4.1 protocol: metadata of one column of a result set or statement.

use crate::{
    column::ColumnFlags,
    error::DecodeError,
    packet::{Reader, Writer},
};

/// Metadata of one column or parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ColumnDefinition<'a> {
    /// The database of the table.
    pub schema: &'a [u8],
    /// The table's name or alias in the statement.
    pub table: &'a [u8],
    /// The table's own name.
    pub org_table: &'a [u8],
    /// The column's name or alias in the statement.
    pub name: &'a [u8],
    /// The column's own name.
    pub org_name: &'a [u8],
    /// Id of the collation of the values.
    pub collation: u16,
    /// Longest value in bytes.
    pub length: u32,
    /// Type code, see [`ColumnType`](crate::column::ColumnType).
    pub column_type: u8,
    /// Flags of the column.
    pub flags: ColumnFlags,
    /// Digits after the decimal point; 0x1F for floating point numbers, 0 for integers and strings.
    pub decimals: u8,
    /// The default value, in the answer to COM_FIELD_LIST only: `Some(None)` is NULL.
    pub default: Option<Option<&'a [u8]>>,
}

impl<'a> ColumnDefinition<'a> {
    /// Decodes the payload. The catalog (always `def`) is not kept.
    pub fn decode(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(payload);
        let _catalog = r.lenenc_bytes()?;
        let schema = r.lenenc_bytes()?;
        let table = r.lenenc_bytes()?;
        let org_table = r.lenenc_bytes()?;
        let name = r.lenenc_bytes()?;
        let org_name = r.lenenc_bytes()?;
        let mut fixed = Reader::new(r.lenenc_bytes()?);
        Ok(Self {
            schema,
            table,
            org_table,
            name,
            org_name,
            collation: fixed.int2()?,
            length: fixed.int4()?,
            column_type: fixed.int1()?,
            flags: ColumnFlags::from_bits(fixed.int2()?),
            decimals: fixed.int1()?,
            default: if r.is_empty() {
                None
            } else {
                Some(r.lenenc_bytes_or_null()?)
            },
        })
    }

    /// Encodes the payload.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.lenenc_bytes(b"def");
        w.lenenc_bytes(self.schema);
        w.lenenc_bytes(self.table);
        w.lenenc_bytes(self.org_table);
        w.lenenc_bytes(self.name);
        w.lenenc_bytes(self.org_name);
        w.int1(0x0c);
        w.int2(self.collation);
        w.int4(self.length);
        w.int1(self.column_type);
        w.int2(self.flags.bits());
        w.int1(self.decimals);
        w.zeros(2);
        if let Some(default) = self.default {
            w.lenenc_bytes_or_null(default);
        }
    }
}
