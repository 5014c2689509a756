//! Comparison of rows by keys.

use std::cmp::Ordering;

use super::column::{ColumnInfo, ColumnKind};
use super::number::Number;
use super::row::Row;
use crate::error::PlanError;
use crate::plan::{Proxy, SortKey};

/// Keys with their comparators, for rows of known columns.
#[derive(Debug, Clone)]
pub struct RowOrder {
    keys: Vec<Key>,
}

#[derive(Debug, Clone, Copy)]
struct Key {
    column: usize,
    by: By,
    descending: bool,
}

/// How cells of a key compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Bytes,
    Integer,
    Number,
    Time,
}

/// The column that a key compares by, and how.
pub(super) fn comparator(
    value: usize,
    proxy: Option<Proxy>,
    columns: &[ColumnInfo],
    hidden: u16,
) -> Result<(usize, By), PlanError> {
    let Some(info) = columns.get(value) else {
        return Err(PlanError::unsupported("a key that the shards' rows lack"));
    };
    match (proxy, info.kind) {
        (Some(Proxy::Number(column)), _) => Ok((column.index(columns.len(), hidden), By::Number)),
        (Some(Proxy::Weight(column)), ColumnKind::Text) => {
            Ok((column.index(columns.len(), hidden), By::Bytes))
        }
        (_, ColumnKind::Integer) => Ok((value, By::Integer)),
        (_, ColumnKind::Decimal | ColumnKind::Double) => Ok((value, By::Number)),
        (_, ColumnKind::Date | ColumnKind::Bytes) => Ok((value, By::Bytes)),
        (_, ColumnKind::Time) => Ok((value, By::Time)),
        (_, ColumnKind::Float) => Err(PlanError::unsupported(
            "ordering or grouping by a FLOAT expression over several shards",
        )),
        (_, ColumnKind::Json) => Err(PlanError::unsupported(
            "ordering or grouping by JSON over several shards",
        )),
        (_, ColumnKind::Text) => Err(PlanError::unsupported(
            "ordering or grouping by this string over several shards",
        )),
    }
}

impl RowOrder {
    /// Keys over rows with these columns, of which the last `hidden` are hidden.
    ///
    /// # Errors
    /// 1235 when a column's type does not compare in the gateway.
    pub fn new(keys: &[SortKey], columns: &[ColumnInfo], hidden: u16) -> Result<Self, PlanError> {
        let keys = keys.iter().map(|key| {
            let value = key.value.index(columns.len(), hidden);
            let (column, by) = comparator(value, key.proxy, columns, hidden)?;
            Ok(Key {
                column,
                by,
                descending: key.descending,
            })
        });
        Ok(Self {
            keys: keys.collect::<Result<_, PlanError>>()?,
        })
    }

    /// Whether there are no keys: all rows are equal.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The order of two rows.
    pub fn compare(&self, left: &Row, right: &Row) -> Ordering {
        for key in &self.keys {
            let order = compare_cells(left.cell(key.column), right.cell(key.column), key.by);
            if order != Ordering::Equal {
                return if key.descending { order.reverse() } else { order };
            }
        }
        Ordering::Equal
    }

    /// Bytes that are equal for rows that compare as equal, and for no others.
    pub fn identity(&self, row: &Row, out: &mut Vec<u8>) {
        for key in &self.keys {
            identity(row.cell(key.column), key.by, out);
        }
    }
}

/// NULL comes first.
pub(super) fn compare_cells(left: Option<&[u8]>, right: Option<&[u8]>, by: By) -> Ordering {
    let (left, right) = match (left, right) {
        (Some(left), Some(right)) => (left, right),
        (left, right) => return left.is_some().cmp(&right.is_some()),
    };
    match by {
        By::Bytes => left.cmp(right),
        By::Integer => match (integer(left), integer(right)) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => left.cmp(right),
        },
        By::Number => match (Number::parse_any(left), Number::parse_any(right)) {
            (Some(left), Some(right)) => left.compare(&right),
            _ => left.cmp(right),
        },
        By::Time => match (microseconds(left), microseconds(right)) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => left.cmp(right),
        },
    }
}

fn identity(cell: Option<&[u8]>, by: By, out: &mut Vec<u8>) {
    let Some(cell) = cell else {
        out.push(0);
        return;
    };
    let mut put = |bytes: &[u8]| {
        out.push(1);
        out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        out.extend_from_slice(bytes);
    };
    match by {
        By::Bytes => put(cell),
        By::Integer => match integer(cell) {
            Some(number) => put(&number.to_be_bytes()),
            None => put(cell),
        },
        By::Number => match Number::parse_any(cell) {
            Some(Number::Exact(number)) => put(number.canonical().as_bytes()),
            Some(Number::Approximate(number)) => put(super::number::double_text(number + 0.0).as_bytes()),
            None => put(cell),
        },
        By::Time => match microseconds(cell) {
            Some(time) => put(&time.to_be_bytes()),
            None => put(cell),
        },
    }
}

fn integer(cell: &[u8]) -> Option<i128> {
    crate::value::integer_text(cell)
}

/// `[-]hours:minutes:seconds[.fraction]`.
fn microseconds(cell: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(cell).ok()?;
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut seconds = 0i64;
    for part in clock.split(':') {
        seconds = seconds.checked_mul(60)?.checked_add(part.parse().ok()?)?;
    }
    let fraction = format!("{fraction:0<6}");
    let micros = seconds
        .checked_mul(1_000_000)?
        .checked_add(fraction.get(..6)?.parse().ok()?)?;
    Some(if negative { -micros } else { micros })
}
