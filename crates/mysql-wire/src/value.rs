//! Values of columns and parameters: their text and binary forms, and the way between the two.
//!
//! A result row is text (COM_QUERY: every cell is a string) or binary (COM_STMT_EXECUTE: integers, floats and
//! times are packed). [`text`] and [`binary`] decode cells to a borrowed [`ValueRef`] and encode values as cells,
//! exactly as MySQL would; [`convert`] turns cells and rows of one protocol into the other. [`params`] holds the
//! parameters of COM_STMT_EXECUTE and query attributes, [`literal`] writes a value as SQL.

pub mod binary;
pub mod convert;
mod float_text;
pub mod literal;
pub mod params;
mod temporal;
pub mod text;

#[cfg(test)]
mod tests;

pub use float_text::{write_double, write_fixed, write_float};
pub use temporal::{Date, DateTime, Time};

use crate::column::{ColumnFlags, ColumnType};
use crate::error::DecodeError;
use crate::message::ColumnDefinition;

/// The value of `decimals` that stands for "not fixed" in column definitions.
pub const DECIMALS_NOT_FIXED: u8 = 31;

/// What the forms of a column's values depend on: a part of its column definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnFormat {
    /// The column's type.
    pub ty: ColumnType,
    /// The column's flags; UNSIGNED and ZEROFILL matter.
    pub flags: ColumnFlags,
    /// Digits behind the point of floats and times; [`DECIMALS_NOT_FIXED`] and more: as many as needed.
    pub decimals: u8,
    /// Display width, which ZEROFILL pads to, in characters.
    pub length: u32,
}

impl ColumnFormat {
    /// A column of this type without flags and without fixed decimals.
    #[must_use]
    pub const fn of_type(ty: ColumnType) -> Self {
        Self {
            ty,
            flags: ColumnFlags::empty(),
            decimals: DECIMALS_NOT_FIXED,
            length: 0,
        }
    }

    /// Whether the column is UNSIGNED.
    #[must_use]
    pub const fn is_unsigned(&self) -> bool {
        self.flags.contains(ColumnFlags::UNSIGNED)
    }

    fn zerofill_width(&self) -> usize {
        // No number has more than 255 digits; a wrong definition must not cost memory.
        if self.flags.contains(ColumnFlags::ZEROFILL) {
            self.length.min(255) as usize
        } else {
            0
        }
    }
}

impl TryFrom<&ColumnDefinition<'_>> for ColumnFormat {
    type Error = DecodeError;

    fn try_from(definition: &ColumnDefinition<'_>) -> Result<Self, Self::Error> {
        let unknown = DecodeError::Invalid {
            what: "column type",
            value: definition.column_type.into(),
        };
        Ok(Self {
            ty: ColumnType::from_byte(definition.column_type).ok_or(unknown)?,
            flags: definition.flags,
            decimals: definition.decimals,
            length: definition.length,
        })
    }
}

/// A value that may borrow its bytes from a packet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'a> {
    /// NULL.
    Null,
    /// A signed integer; YEAR too when it comes from a column that is not marked UNSIGNED.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// FLOAT.
    Float(f32),
    /// DOUBLE.
    Double(f64),
    /// DECIMAL as its digits in ASCII, as MySQL prints it.
    Decimal(&'a [u8]),
    /// DATE.
    Date(Date),
    /// DATETIME and TIMESTAMP.
    DateTime(DateTime),
    /// TIME.
    Time(Time),
    /// Strings in the connection's character set, and all types whose content is bytes: BLOB, JSON, BIT, ENUM, SET,
    /// GEOMETRY, VECTOR.
    Bytes(&'a [u8]),
}

impl ValueRef<'_> {
    /// A copy that owns its bytes.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Int(v) => Value::Int(v),
            Self::UInt(v) => Value::UInt(v),
            Self::Float(v) => Value::Float(v),
            Self::Double(v) => Value::Double(v),
            Self::Decimal(v) => Value::Decimal(v.into()),
            Self::Date(v) => Value::Date(v),
            Self::DateTime(v) => Value::DateTime(v),
            Self::Time(v) => Value::Time(v),
            Self::Bytes(v) => Value::Bytes(v.into()),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "integer",
            Self::UInt(_) => "unsigned integer",
            Self::Float(_) => "float",
            Self::Double(_) => "double",
            Self::Decimal(_) => "decimal",
            Self::Date(_) => "date",
            Self::DateTime(_) => "datetime",
            Self::Time(_) => "time",
            Self::Bytes(_) => "bytes",
        }
    }
}

/// A value that owns its bytes; see [`ValueRef`] for the variants.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// FLOAT.
    Float(f32),
    /// DOUBLE.
    Double(f64),
    /// DECIMAL as its digits in ASCII.
    Decimal(Box<[u8]>),
    /// DATE.
    Date(Date),
    /// DATETIME and TIMESTAMP.
    DateTime(DateTime),
    /// TIME.
    Time(Time),
    /// Strings and all types whose content is bytes.
    Bytes(Box<[u8]>),
}

impl Value {
    /// The value, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Int(v) => ValueRef::Int(*v),
            Self::UInt(v) => ValueRef::UInt(*v),
            Self::Float(v) => ValueRef::Float(*v),
            Self::Double(v) => ValueRef::Double(*v),
            Self::Decimal(v) => ValueRef::Decimal(v),
            Self::Date(v) => ValueRef::Date(*v),
            Self::DateTime(v) => ValueRef::DateTime(*v),
            Self::Time(v) => ValueRef::Time(*v),
            Self::Bytes(v) => ValueRef::Bytes(v),
        }
    }
}

/// Why a value can't be decoded, or has no form for its column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The bytes are cut short or have a wrong length.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A text cell is not what MySQL prints for the type.
    #[error("'{text}' is no text of a {ty:?} column")]
    Text {
        /// The column's type.
        ty: ColumnType,
        /// The start of the cell.
        text: String,
    },
    /// An integer exceeds its column.
    #[error("{value} is out of range of a {ty:?} column")]
    OutOfRange {
        /// The column's type.
        ty: ColumnType,
        /// The number.
        value: i128,
    },
    /// The kind of value does not belong in a column of this type.
    #[error("a {ty:?} column can't hold a value of kind {kind}")]
    Mismatch {
        /// The column's type.
        ty: ColumnType,
        /// Kind of the value.
        kind: &'static str,
    },
    /// The type has no values on the wire.
    #[error("columns of type {0:?} have no values in the protocol")]
    NoForm(ColumnType),
    /// A row has more or fewer cells than columns.
    #[error("{columns} columns, but {cells} values")]
    Count {
        /// Number of columns.
        columns: usize,
        /// Number of values.
        cells: usize,
    },
}

impl From<ValueError> for crate::Error {
    fn from(error: ValueError) -> Self {
        match error {
            ValueError::Decode(error) => Self::Decode(error),
            _ => Self::Unexpected("value in a row"),
        }
    }
}

/// How a type's values are packed in the binary protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Null,
    Int1,
    Int2,
    Int4,
    Int8,
    Float,
    Double,
    Date,
    DateTime,
    Time,
    Decimal,
    Bytes,
}

impl Form {
    fn of(ty: ColumnType) -> Result<Self, ValueError> {
        Ok(match ty {
            ColumnType::Null => Self::Null,
            ColumnType::Tiny => Self::Int1,
            ColumnType::Short | ColumnType::Year => Self::Int2,
            ColumnType::Long | ColumnType::Int24 => Self::Int4,
            ColumnType::LongLong => Self::Int8,
            ColumnType::Float => Self::Float,
            ColumnType::Double => Self::Double,
            ColumnType::Date | ColumnType::NewDate => Self::Date,
            ColumnType::DateTime | ColumnType::Timestamp => Self::DateTime,
            ColumnType::Time => Self::Time,
            ColumnType::Decimal | ColumnType::NewDecimal => Self::Decimal,
            ColumnType::VarChar
            | ColumnType::Bit
            | ColumnType::Vector
            | ColumnType::Json
            | ColumnType::Enum
            | ColumnType::Set
            | ColumnType::TinyBlob
            | ColumnType::MediumBlob
            | ColumnType::LongBlob
            | ColumnType::Blob
            | ColumnType::VarString
            | ColumnType::String
            | ColumnType::Geometry => Self::Bytes,
            ColumnType::Timestamp2
            | ColumnType::DateTime2
            | ColumnType::Time2
            | ColumnType::TypedArray
            | ColumnType::Invalid
            | ColumnType::Bool => return Err(ValueError::NoForm(ty)),
        })
    }
}

/// The integer that a value is, if an integer column of this form holds it.
fn integer_of(column: &ColumnFormat, form: Form, value: &ValueRef<'_>) -> Result<i128, ValueError> {
    let number = match *value {
        ValueRef::Int(v) => i128::from(v),
        ValueRef::UInt(v) => i128::from(v),
        _ => return Err(mismatch(column, value)),
    };
    let unsigned = column.is_unsigned() || column.ty == ColumnType::Year;
    let bits = match form {
        Form::Int1 => 8,
        Form::Int2 => 16,
        Form::Int4 if column.ty == ColumnType::Int24 => 24,
        Form::Int4 => 32,
        _ => 64,
    };
    let (min, max) = if unsigned {
        (0, (1_i128 << bits) - 1)
    } else {
        (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
    };
    if number < min || number > max {
        return Err(ValueError::OutOfRange {
            ty: column.ty,
            value: number,
        });
    }
    Ok(number)
}

/// The error of a value that does not belong in a column of this type.
fn mismatch(column: &ColumnFormat, value: &ValueRef<'_>) -> ValueError {
    ValueError::Mismatch {
        ty: column.ty,
        kind: value.kind(),
    }
}

/// A row has as many values as columns.
fn check_count(columns: &[ColumnFormat], cells: usize) -> Result<(), ValueError> {
    match columns.len() {
        count if count == cells => Ok(()),
        columns => Err(ValueError::Count { columns, cells }),
    }
}
