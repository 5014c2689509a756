//! Routing values as the column stores them.
//!
//! MySQL compares and stores with conversion; a vindex maps bytes. A read may be routed only if every row that the comparison
//! can match has the keyspace id of the converted value; a written value is converted as MySQL would, or refused.

use std::borrow::Cow;

use vschema::vindex::Coverage;

use crate::domain::{Domain, StoredCharset};
use crate::error::PlanError;
use crate::plan::RoutingColumn;
use crate::value::{Charset, Value, integer_text, to_utf8};

/// A value in the form that vindexes take.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored<'a> {
    /// NULL.
    Null,
    /// An integer that fits the column.
    Int(i128),
    /// Bytes: of a byte string, or of a character string in UTF-8.
    Bytes(Cow<'a, [u8]>),
}

/// What a comparison with a value says about rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Read<'a> {
    /// All rows that match have this stored value, or one that the vindex maps alike.
    Exact(Stored<'a>),
    /// `= NULL` matches nothing.
    Null,
    /// Rows with other stored values may match.
    Unknown,
}

/// The sql_mode bits and statement properties that decide how values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteMode {
    /// STRICT_TRANS_TABLES or STRICT_ALL_TABLES, and no IGNORE.
    pub strict: bool,
    /// NO_AUTO_VALUE_ON_ZERO.
    pub no_auto_value_on_zero: bool,
}

/// Doubles beyond this may stand for several integers: 2^53.
const EXACT_DOUBLE: f64 = 9_007_199_254_740_992.0;

/// The constants that one comparison has for an integer column.
///
/// MySQL converts constants of one type to the column's, and the comparison is exact. Where types differ (`IN (2, '3')`,
/// `BETWEEN 1 AND '5'`) it may compare as DOUBLE, in which integers from 2^53 on equal their neighbours: such a value then says
/// nothing about the rows that match.
#[derive(Debug, Clone, Copy, Default)]
pub struct Constants {
    numbers: bool,
    others: bool,
    strings: bool,
    large: bool,
}

impl Constants {
    /// Adds a constant; what it says by itself.
    pub fn read<'a>(&mut self, column: &RoutingColumn, value: Value<'a>) -> Read<'a> {
        match value {
            Value::Int(_) | Value::Decimal(_) => self.numbers = true,
            Value::Str(..) => self.strings = true,
            _ => self.others = true,
        }
        let read = coerce_read(column, value);
        if let Read::Exact(Stored::Int(number)) = &read {
            self.large |= number.unsigned_abs() >= EXACT_DOUBLE as u128;
        }
        read
    }

    /// Whether what the constants say by themselves is true of the comparison.
    pub fn are_exact(self) -> bool {
        let kinds = u8::from(self.numbers) + u8::from(self.strings) + u8::from(self.others);
        !self.large || kinds <= 1
    }
}

/// The integers of a domain.
pub fn bounds(bits: u8, unsigned: bool) -> (i128, i128) {
    match unsigned {
        true => (0, (1i128 << bits) - 1),
        false => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
    }
}

/// What `column = value` says. Where the column's coverage is [`Coverage::SomeValues`], an exact value still needs the vindex's approval.
pub fn coerce_read<'a>(column: &RoutingColumn, value: Value<'a>) -> Read<'a> {
    if value == Value::Null {
        return Read::Null;
    }
    if column.coverage == Coverage::None {
        return Read::Unknown;
    }
    let stored = match column.domain {
        Domain::Int { bits, unsigned } => read_int(&value).and_then(|number| {
            let (min, max) = bounds(bits, unsigned);
            (min..=max).contains(&number).then_some(Stored::Int(number))
        }),
        Domain::Text { charset, fixed, .. } => match value {
            Value::Str(text, from) => {
                stored_text(text, from, charset).map(|text| Stored::Bytes(trim(text, fixed)))
            }
            _ => None,
        },
        Domain::Bytes { padded, .. } => match value {
            Value::Str(bytes, _) | Value::Bytes(bytes) => Some(Stored::Bytes(pad(bytes, padded))),
            _ => None,
        },
        Domain::Other => None,
    };
    stored.map_or(Read::Unknown, Read::Exact)
}

fn read_int(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Decimal(text) => integral_decimal(text),
        Value::Float(number) if number.fract() == 0.0 && number.abs() <= EXACT_DOUBLE => {
            Some(*number as i128)
        }
        Value::Str(text, charset) if *charset != Charset::Opaque => canonical_integer(text),
        _ => None,
    }
}

/// The integer that a string spells in the one form that MySQL itself would print.
fn canonical_integer(text: &[u8]) -> Option<i128> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', ..] => digits.len() <= 20,
        _ => false,
    };
    canonical.then(|| integer_text(text)).flatten()
}

fn integral_decimal(text: &[u8]) -> Option<i128> {
    let (whole, fraction) = split_decimal(text);
    fraction
        .iter()
        .all(|digit| *digit == b'0')
        .then(|| whole_number(whole))
        .flatten()
}

fn split_decimal(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == b'.') {
        Some(point) => {
            let (whole, rest) = text.split_at(point);
            (whole, rest.get(1..).unwrap_or_default())
        }
        None => (text, &[]),
    }
}

/// The part before the point, which may be empty (`.5`).
fn whole_number(whole: &[u8]) -> Option<i128> {
    match whole {
        b"" | b"-" | b"+" => Some(0),
        _ => integer_text(whole),
    }
}

fn stored_text<'a>(text: Cow<'a, [u8]>, from: Charset, to: StoredCharset) -> Option<Cow<'a, [u8]>> {
    let utf8: Cow<'a, [u8]> = match text {
        Cow::Borrowed(bytes) => to_utf8(bytes, from)?,
        Cow::Owned(bytes) => Cow::Owned(to_utf8(&bytes, from)?.into_owned()),
    };
    let fits = match to {
        StoredCharset::Utf8mb4 => true,
        StoredCharset::Utf8mb3 => utf8.iter().all(|byte| *byte < 0xf0),
        StoredCharset::Other => utf8.is_ascii(),
    };
    fits.then_some(utf8)
}

/// CHAR columns do not store trailing spaces.
fn trim(text: Cow<'_, [u8]>, fixed: bool) -> Cow<'_, [u8]> {
    if !fixed || text.last() != Some(&b' ') {
        return text;
    }
    let length = text
        .iter()
        .rposition(|byte| *byte != b' ')
        .map_or(0, |last| last + 1);
    match text {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(..length).unwrap_or_default()),
        Cow::Owned(mut bytes) => {
            bytes.truncate(length);
            Cow::Owned(bytes)
        }
    }
}

/// BINARY columns store trailing zero bytes.
fn pad(bytes: Cow<'_, [u8]>, padded: Option<u32>) -> Cow<'_, [u8]> {
    match padded.map(|length| length as usize) {
        Some(length) if bytes.len() < length => {
            let mut bytes = bytes.into_owned();
            bytes.resize(length, 0);
            Cow::Owned(bytes)
        }
        _ => bytes,
    }
}

/// The value that a column stores when it is given this one, in the row with this number (from 1).
///
/// NULL stays NULL: whether the column and the vindex take it is the caller's question.
///
/// # Errors
/// MySQL's own error where strict mode would raise it, 1235 where the conversion is not known to be the same as MySQL's.
pub fn coerce_write<'a>(
    column: &RoutingColumn,
    value: Value<'a>,
    mode: WriteMode,
    row: usize,
) -> Result<Stored<'a>, PlanError> {
    if value == Value::Null {
        return Ok(Stored::Null);
    }
    let refuse = || {
        PlanError::unsupported(format_args!(
            "a value for column '{}' that needs conversion to find its shard",
            column.name
        ))
    };
    match column.domain {
        Domain::Int { bits, unsigned } => {
            let number = written_int(&value).ok_or_else(refuse)?;
            let (min, max) = bounds(bits, unsigned);
            match (min..=max).contains(&number) {
                true => Ok(Stored::Int(number)),
                false if mode.strict => Err(PlanError::out_of_range(&column.name, row)),
                false => Ok(Stored::Int(number.clamp(min, max))),
            }
        }
        Domain::Text {
            charset,
            fixed,
            length,
            ..
        } => {
            let text = written_text(value, charset).ok_or_else(refuse)?;
            let text = trim(text, fixed);
            let characters = text.iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u64;
            match characters <= length {
                true => Ok(Stored::Bytes(text)),
                false if mode.strict => Err(PlanError::too_long(&column.name, row)),
                false => Err(refuse()),
            }
        }
        Domain::Bytes { padded, length } => {
            let bytes = match value {
                Value::Str(bytes, _) | Value::Bytes(bytes) => bytes,
                Value::Int(number) => Cow::Owned(number.to_string().into_bytes()),
                _ => return Err(refuse()),
            };
            match bytes.len() as u64 <= length {
                true => Ok(Stored::Bytes(pad(bytes, padded))),
                false if mode.strict => Err(PlanError::too_long(&column.name, row)),
                false => Err(refuse()),
            }
        }
        Domain::Other => Err(refuse()),
    }
}

fn written_int(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Decimal(text) => rounded_decimal(text),
        // MySQL rounds DOUBLE to the nearest even integer here (rint), DECIMAL away from zero.
        Value::Float(number) if number.is_finite() && number.abs() <= EXACT_DOUBLE => {
            Some(number.round_ties_even() as i128)
        }
        Value::Str(text, charset) if *charset != Charset::Opaque => spelled_number(text),
        Value::Bytes(bytes) if bytes.len() <= 8 => Some(
            bytes
                .iter()
                .fold(0, |number, byte| (number << 8) | i128::from(*byte)),
        ),
        _ => None,
    }
}

/// The integer stored for a string of digits with spaces around it, a sign and a fraction; anything else is refused.
fn spelled_number(text: &[u8]) -> Option<i128> {
    let number = text.trim_ascii();
    let digits = number
        .strip_prefix(b"-")
        .or(number.strip_prefix(b"+"))
        .unwrap_or(number);
    let (whole, fraction) = split_decimal(digits);
    let all_digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    // MySQL skips spaces only, and tabs and line ends before the number alone.
    let spaces = text
        .iter()
        .all(|byte| *byte == b' ' || !byte.is_ascii_whitespace());
    (spaces && !whole.is_empty() && all_digits(whole) && all_digits(fraction))
        .then(|| rounded_decimal(number))
        .flatten()
}

fn rounded_decimal(text: &[u8]) -> Option<i128> {
    let (whole, fraction) = split_decimal(text);
    let number = whole_number(whole)?;
    let up = i128::from(fraction.first().is_some_and(|digit| *digit >= b'5'));
    Some(if text.first() == Some(&b'-') {
        number - up
    } else {
        number + up
    })
}

fn written_text(value: Value<'_>, charset: StoredCharset) -> Option<Cow<'_, [u8]>> {
    match value {
        Value::Str(text, from) => stored_text(text, from, charset),
        Value::Int(number) => Some(Cow::Owned(number.to_string().into_bytes())),
        Value::Bytes(bytes) if charset == StoredCharset::Utf8mb4 => {
            std::str::from_utf8(&bytes).is_ok().then_some(bytes)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
