//! Column types and column flags of result-set metadata.

use crate::flags::flag_set;

/// The type of a column or parameter (`MYSQL_TYPE_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ColumnType {
    /// Old DECIMAL, before 5.0.
    Decimal = 0x00,
    /// TINYINT.
    Tiny = 0x01,
    /// SMALLINT.
    Short = 0x02,
    /// INT.
    Long = 0x03,
    /// FLOAT.
    Float = 0x04,
    /// DOUBLE.
    Double = 0x05,
    /// NULL.
    Null = 0x06,
    /// TIMESTAMP.
    Timestamp = 0x07,
    /// BIGINT.
    LongLong = 0x08,
    /// MEDIUMINT.
    Int24 = 0x09,
    /// DATE.
    Date = 0x0a,
    /// TIME.
    Time = 0x0b,
    /// DATETIME.
    DateTime = 0x0c,
    /// YEAR.
    Year = 0x0d,
    /// DATE as stored by storage engines.
    NewDate = 0x0e,
    /// VARCHAR inside the server.
    VarChar = 0x0f,
    /// BIT.
    Bit = 0x10,
    /// TIMESTAMP with fractions inside the server.
    Timestamp2 = 0x11,
    /// DATETIME with fractions inside the server.
    DateTime2 = 0x12,
    /// TIME with fractions inside the server.
    Time2 = 0x13,
    /// A typed array (replication only).
    TypedArray = 0x14,
    /// VECTOR.
    Vector = 0xf2,
    /// A value that is not valid.
    Invalid = 0xf3,
    /// BOOL (a placeholder of the server).
    Bool = 0xf4,
    /// JSON.
    Json = 0xf5,
    /// DECIMAL.
    NewDecimal = 0xf6,
    /// ENUM.
    Enum = 0xf7,
    /// SET.
    Set = 0xf8,
    /// TINYBLOB, TINYTEXT.
    TinyBlob = 0xf9,
    /// MEDIUMBLOB, MEDIUMTEXT.
    MediumBlob = 0xfa,
    /// LONGBLOB, LONGTEXT.
    LongBlob = 0xfb,
    /// BLOB, TEXT.
    Blob = 0xfc,
    /// VARCHAR, VARBINARY.
    VarString = 0xfd,
    /// CHAR, BINARY.
    String = 0xfe,
    /// GEOMETRY.
    Geometry = 0xff,
}

impl ColumnType {
    /// The type with this code, as in `include/field_types.h` of MySQL 9.7.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0x00 => Self::Decimal,
            0x01 => Self::Tiny,
            0x02 => Self::Short,
            0x03 => Self::Long,
            0x04 => Self::Float,
            0x05 => Self::Double,
            0x06 => Self::Null,
            0x07 => Self::Timestamp,
            0x08 => Self::LongLong,
            0x09 => Self::Int24,
            0x0a => Self::Date,
            0x0b => Self::Time,
            0x0c => Self::DateTime,
            0x0d => Self::Year,
            0x0e => Self::NewDate,
            0x0f => Self::VarChar,
            0x10 => Self::Bit,
            0x11 => Self::Timestamp2,
            0x12 => Self::DateTime2,
            0x13 => Self::Time2,
            0x14 => Self::TypedArray,
            0xf2 => Self::Vector,
            0xf3 => Self::Invalid,
            0xf4 => Self::Bool,
            0xf5 => Self::Json,
            0xf6 => Self::NewDecimal,
            0xf7 => Self::Enum,
            0xf8 => Self::Set,
            0xf9 => Self::TinyBlob,
            0xfa => Self::MediumBlob,
            0xfb => Self::LongBlob,
            0xfc => Self::Blob,
            0xfd => Self::VarString,
            0xfe => Self::String,
            0xff => Self::Geometry,
            _ => return None,
        })
    }

    /// The byte on the wire.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self as u8
    }
}

flag_set! {
    /// Column flags of a column definition.
    ColumnFlags: u16 {
        /// The column is NOT NULL.
        NOT_NULL = 0;
        /// Part of the primary key.
        PRI_KEY = 1;
        /// Part of a unique key.
        UNIQUE_KEY = 2;
        /// Part of a key that is not unique.
        MULTIPLE_KEY = 3;
        /// BLOB or TEXT.
        BLOB = 4;
        /// UNSIGNED.
        UNSIGNED = 5;
        /// ZEROFILL.
        ZEROFILL = 6;
        /// A binary collation.
        BINARY = 7;
        /// ENUM.
        ENUM = 8;
        /// AUTO_INCREMENT.
        AUTO_INCREMENT = 9;
        /// TIMESTAMP.
        TIMESTAMP = 10;
        /// SET.
        SET = 11;
        /// NOT NULL without a default value.
        NO_DEFAULT_VALUE = 12;
        /// Set to the current time by UPDATE.
        ON_UPDATE_NOW = 13;
        /// Part of some key.
        PART_KEY = 14;
        /// A number.
        NUM = 15;
    }
}

#[cfg(test)]
mod tests {
    use super::ColumnType;

    #[test]
    fn every_type_maps_back_to_its_byte() {
        let known = (0..=255u8).filter_map(ColumnType::from_byte).count();
        assert_eq!(known, 35);
        for byte in 0..=255u8 {
            if let Some(code) = ColumnType::from_byte(byte) {
                assert_eq!(code.byte(), byte);
            }
        }
    }
}
