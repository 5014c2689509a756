//! Numbers of either kind: exact and approximate.

use std::cmp::Ordering;

use super::column::{ColumnInfo, ColumnKind, NOT_FIXED};
use super::decimal::Decimal;

/// A number as MySQL computes with it.
#[derive(Debug, Clone)]
pub enum Number {
    /// Integers and DECIMAL.
    Exact(Decimal),
    /// DOUBLE and FLOAT.
    Approximate(f64),
}

impl Number {
    /// Reads a cell of a column.
    pub fn parse(cell: &[u8], info: ColumnInfo) -> Option<Self> {
        match info.kind {
            ColumnKind::Integer | ColumnKind::Decimal => Decimal::parse(cell).map(Self::Exact),
            _ => parse_double(cell).map(Self::Approximate),
        }
    }

    /// Reads a number of either kind: the kind that its text has.
    pub fn parse_any(cell: &[u8]) -> Option<Self> {
        Decimal::parse(cell)
            .map(Self::Exact)
            .or_else(|| parse_double(cell).map(Self::Approximate))
    }

    /// The value as a double.
    pub fn to_f64(&self) -> f64 {
        match self {
            Self::Exact(number) => number.to_f64(),
            Self::Approximate(number) => *number,
        }
    }

    /// Compares as MySQL does: exactly if both are exact.
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Exact(left), Self::Exact(right)) => left.cmp(right),
            // Adding zero makes of minus zero zero.
            _ => (self.to_f64() + 0.0).total_cmp(&(other.to_f64() + 0.0)),
        }
    }

    /// The sum.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Exact(left), Self::Exact(right)) => Self::Exact(left.add(right)),
            _ => Self::Approximate(self.to_f64() + other.to_f64()),
        }
    }

    /// The text of the value in a column.
    pub fn text(&self, info: ColumnInfo) -> String {
        match self {
            Self::Exact(number) => number.to_string(),
            Self::Approximate(number) if info.decimals < NOT_FIXED => {
                format!("{number:.decimals$}", decimals = usize::from(info.decimals))
            }
            Self::Approximate(number) => double_text(*number),
        }
    }
}

fn parse_double(cell: &[u8]) -> Option<f64> {
    std::str::from_utf8(cell).ok()?.parse().ok()
}

/// A double as MySQL prints it: the shortest digits that read back as the same number, with an exponent where
/// the plain form would need zeros that are no digits.
pub(super) fn double_text(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let Ok(exponent) = exponent.parse::<i32>() else {
        return scientific;
    };
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count() as i32;
    let point = exponent + 1;
    let plain = if point > 0 {
        point <= 15 || digits > point
    } else {
        point > -15
    };
    if plain {
        return format!("{}", if number == 0.0 { 0.0 } else { number });
    }
    scientific
}
