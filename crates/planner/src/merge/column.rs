//! Types of result columns.

/// What a column definition packet says, as far as merging goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnInfo {
    /// How its values compare.
    pub kind: ColumnKind,
    /// Digits after the point; 31 when not fixed.
    pub decimals: u8,
}

/// How values in text form compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Integers and YEAR.
    Integer,
    /// DECIMAL.
    Decimal,
    /// FLOAT: its text has six digits only.
    Float,
    /// DOUBLE.
    Double,
    /// DATE, DATETIME, TIMESTAMP: the text orders.
    Date,
    /// TIME: signed, with up to three digits of hours.
    Time,
    /// Binary strings, BIT, geometry, and NULL.
    Bytes,
    /// Strings under a collation.
    Text,
    /// JSON.
    Json,
}

/// `decimals` of a DOUBLE or FLOAT without a fixed number of digits.
pub(super) const NOT_FIXED: u8 = 31;

/// The collation id of binary strings.
const BINARY: u16 = 63;

impl ColumnInfo {
    /// From the fields of a column definition: type byte, collation id, decimals.
    pub fn new(type_code: u8, collation: u16, decimals: u8) -> Self {
        let kind = match type_code {
            1 | 2 | 3 | 8 | 9 | 13 => ColumnKind::Integer,
            0 | 246 => ColumnKind::Decimal,
            4 => ColumnKind::Float,
            5 => ColumnKind::Double,
            7 | 10 | 12 | 14 | 17 | 18 => ColumnKind::Date,
            11 | 19 => ColumnKind::Time,
            245 => ColumnKind::Json,
            15 | 247..=254 if collation != BINARY => ColumnKind::Text,
            _ => ColumnKind::Bytes,
        };
        Self { kind, decimals }
    }

    /// Whether values are numbers.
    pub fn is_number(self) -> bool {
        matches!(
            self.kind,
            ColumnKind::Integer | ColumnKind::Decimal | ColumnKind::Float | ColumnKind::Double
        )
    }
}
