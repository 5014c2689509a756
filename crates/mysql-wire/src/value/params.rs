//! Parameters of COM_STMT_EXECUTE and query attributes: typed values in packed form.
//!
//! Types travel with the values only when the client bound new ones; a server remembers them per statement
//! otherwise. Parameters that came by COM_STMT_SEND_LONG_DATA have a type but no value in the packet. With
//! `CLIENT_QUERY_ATTRIBUTES` every parameter has a name, and those behind the statement's own are query attributes.
//! [`message`](crate::message) splits the packets into [`RawParams`](crate::message::RawParams), here are the values.

mod decode;
mod encode;

#[cfg(test)]
mod tests;

pub use decode::{BoundParams, decode_attributes, decode_params};
pub use encode::{ExecuteRef, encode_execute, encode_query_attributes};

use super::{ColumnFormat, Form, ValueError, ValueRef};
use crate::column::{ColumnFlags, ColumnType};
use crate::error::DecodeError;

/// Bit of a parameter type that marks an unsigned integer.
const UNSIGNED_BIT: u8 = 0x80;

/// The type that a client bound a parameter with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ParamType {
    /// The type.
    pub ty: ColumnType,
    /// Whether an integer is unsigned.
    pub unsigned: bool,
}

impl ParamType {
    /// The type that carries `value` without loss.
    #[must_use]
    pub const fn of(value: &ValueRef<'_>) -> Self {
        let (ty, unsigned) = match value {
            ValueRef::Null => (ColumnType::Null, false),
            ValueRef::Int(_) => (ColumnType::LongLong, false),
            ValueRef::UInt(_) => (ColumnType::LongLong, true),
            ValueRef::Float(_) => (ColumnType::Float, false),
            ValueRef::Double(_) => (ColumnType::Double, false),
            ValueRef::Decimal(_) => (ColumnType::NewDecimal, false),
            ValueRef::Date(_) => (ColumnType::Date, false),
            ValueRef::DateTime(_) => (ColumnType::DateTime, false),
            ValueRef::Time(_) => (ColumnType::Time, false),
            ValueRef::Bytes(_) => (ColumnType::VarString, false),
        };
        Self { ty, unsigned }
    }

    /// Whether MySQL takes parameters of this type; error 1210 otherwise, as MySQL 9.7 answers.
    #[must_use]
    pub fn is_bindable(self) -> bool {
        let refused = [
            ColumnType::Int24,
            ColumnType::Year,
            ColumnType::NewDate,
            ColumnType::Bit,
            ColumnType::Enum,
            ColumnType::Set,
            ColumnType::Geometry,
        ];
        Form::of(self.ty).is_ok() && !refused.contains(&self.ty)
    }

    /// The format of values with this type.
    #[must_use]
    pub const fn format(self) -> ColumnFormat {
        let flags = if self.unsigned {
            ColumnFlags::UNSIGNED
        } else {
            ColumnFlags::empty()
        };
        ColumnFormat {
            flags,
            ..ColumnFormat::of_type(self.ty)
        }
    }
}

/// One parameter of an execution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Param<'a> {
    /// Its type, as bound with this execution or an earlier one.
    pub ty: ParamType,
    /// Its value.
    pub value: ParamValue<'a>,
}

/// Where a parameter's value is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ParamValue<'a> {
    /// In the packet, NULL included.
    Inline(ValueRef<'a>),
    /// It came by COM_STMT_SEND_LONG_DATA before.
    LongData,
}

/// A query attribute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attribute<'a> {
    /// Its name, empty for the unnamed parameters of COM_QUERY.
    pub name: &'a [u8],
    /// Its type.
    pub ty: ParamType,
    /// Its value.
    pub value: ValueRef<'a>,
}

/// Why parameters can't be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// The packet is cut short or has a wrong length (1835).
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A value is malformed or does not fit its type.
    #[error("parameter {index}: {error}")]
    Value {
        /// Position of the parameter, from 0.
        index: usize,
        /// What is wrong.
        error: ValueError,
    },
    /// The type byte is unknown, or the type can't be a parameter's (1210).
    #[error("parameter {index}: type {ty:#04x} can't be bound")]
    Type {
        /// Position of the parameter, from 0.
        index: usize,
        /// The type byte.
        ty: u8,
    },
    /// The first execution came without types (1210).
    #[error("parameter types were never bound")]
    TypesMissing,
    /// The packet holds fewer values than the statement has parameters (1210).
    #[error("{got} parameters for a statement that has {expected}")]
    TooFew {
        /// Parameters of the statement.
        expected: usize,
        /// Values in the packet.
        got: usize,
    },
}
