//! How a vindex column stores and compares values: the part of a column's definition that routing needs.

use vschema::table::{ColumnDef, ColumnType, Pad, TypeClass};
use vschema::vindex::{Coverage, Vindex};

/// The values that a column can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// An integer type.
    Int {
        /// 8, 16, 24, 32 or 64.
        bits: u8,
        /// UNSIGNED.
        unsigned: bool,
    },
    /// A character type.
    Text {
        /// How characters are stored.
        charset: StoredCharset,
        /// CHAR: trailing spaces are not stored.
        fixed: bool,
        /// Most characters that fit; for the TEXT types most bytes.
        length: u64,
    },
    /// A byte string.
    Bytes {
        /// BINARY(n): stored padded to n with zero bytes.
        padded: Option<u32>,
        /// Most bytes that fit.
        length: u64,
    },
    /// Any other type: not routed by value.
    Other,
}

/// Storage of characters, as far as routing tells it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredCharset {
    /// utf8mb4.
    Utf8mb4,
    /// utf8mb3: no characters beyond the BMP.
    Utf8mb3,
    /// Any other: ASCII characters only are routed.
    Other,
}

impl Domain {
    /// The domain of a column.
    pub fn of(column: &ColumnDef) -> Self {
        match column.class() {
            TypeClass::Integer => match int_bits(column.data_type) {
                Some(bits) => Self::Int {
                    bits,
                    unsigned: column.unsigned,
                },
                None => Self::Other,
            },
            TypeClass::Text => Self::Text {
                charset: match column.charset.as_deref() {
                    Some("utf8mb4") => StoredCharset::Utf8mb4,
                    Some("utf8mb3" | "utf8") => StoredCharset::Utf8mb3,
                    _ => StoredCharset::Other,
                },
                fixed: column.data_type == ColumnType::Char,
                length: column.char_length.unwrap_or(u64::MAX),
            },
            TypeClass::Binary => Self::Bytes {
                padded: match column.data_type {
                    ColumnType::Binary => column.char_length.and_then(|length| u32::try_from(length).ok()),
                    _ => None,
                },
                length: column.char_length.unwrap_or(u64::MAX),
            },
            _ => Self::Other,
        }
    }
}

/// Which comparisons of the column with a value route by the vindex, once the value is converted as the column stores it.
/// `part` is the column's place among the vindex's.
pub fn coverage(vindex: &Vindex, part: usize, column: &ColumnDef) -> Coverage {
    match vindex.coverage(part, column) {
        // A CHAR column never stores trailing spaces, so the trimmed literal is what is stored.
        Coverage::None if column.data_type == ColumnType::Char && !column.folds() => Coverage::All,
        coverage => coverage,
    }
}

/// Whether the column orders values as numbers or bytes.
pub fn orders(column: &ColumnDef) -> bool {
    match column.class() {
        TypeClass::Integer | TypeClass::Binary => true,
        TypeClass::Text => !column.folds() && column.pad == Some(Pad::None),
        _ => false,
    }
}

/// Whether equality of two columns means equality of what they store, up to what their common collation folds.
pub fn comparable(left: &ColumnDef, right: &ColumnDef) -> bool {
    match (left.class(), right.class()) {
        (TypeClass::Integer, TypeClass::Integer) => true,
        (TypeClass::Text, TypeClass::Text) => left.collation.is_some() && left.collation == right.collation,
        (TypeClass::Binary, TypeClass::Binary) => Domain::of(left) == Domain::of(right),
        _ => false,
    }
}

fn int_bits(data_type: ColumnType) -> Option<u8> {
    Some(match data_type {
        ColumnType::TinyInt => 8,
        ColumnType::SmallInt => 16,
        ColumnType::MediumInt => 24,
        ColumnType::Int => 32,
        ColumnType::BigInt => 64,
        _ => return None,
    })
}
