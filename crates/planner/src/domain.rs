//! How a vindex column stores and compares values: the part of a column's definition that routing needs.

use vschema::table::{ColumnDef, ColumnType, Pad, TypeClass};

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
        /// Which strings compare as equal.
        comparison: Comparison,
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

/// Which strings a column's collation takes for equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Equal bytes only.
    Bytes,
    /// Equal bytes, trailing spaces aside.
    BytesPadded,
    /// UCA 5.2 or 9.0 weights: what these take for equal, the loose vindexes take for equal.
    Uca,
    /// Anything else.
    Loose,
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
                comparison: comparison(column),
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

    /// Whether equal values, as the column compares them, are always equal byte strings when stored, so that a
    /// vindex over bytes may route reads. `loose`: the vindex folds case and accents and trims spaces itself.
    pub fn compares_as_vindex(self, loose: bool) -> bool {
        match self {
            Self::Int { .. } | Self::Bytes { .. } => true,
            Self::Text {
                comparison, fixed, ..
            } => match comparison {
                Comparison::Bytes => true,
                // A CHAR column never stores trailing spaces, so the trimmed literal is what is stored.
                Comparison::BytesPadded => loose || fixed,
                Comparison::Uca => loose,
                Comparison::Loose => false,
            },
            Self::Other => false,
        }
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

fn comparison(column: &ColumnDef) -> Comparison {
    let Some(collation) = column.collation.as_deref() else {
        return Comparison::Loose;
    };
    match (collation.ends_with("_bin"), column.pad) {
        (true, Some(Pad::None)) => Comparison::Bytes,
        (true, _) => Comparison::BytesPadded,
        (false, _) if is_root_uca(collation) => Comparison::Uca,
        (false, _) => Comparison::Loose,
    }
}

/// Collations of the Unicode root order with weights for all planes; tailored (language) ones may equate letters that the
/// root order tells apart.
fn is_root_uca(collation: &str) -> bool {
    matches!(
        collation,
        "utf8mb4_0900_ai_ci"
            | "utf8mb4_0900_as_ci"
            | "utf8mb4_0900_as_cs"
            | "utf8mb4_unicode_520_ci"
            | "utf8mb3_unicode_520_ci"
    )
}
