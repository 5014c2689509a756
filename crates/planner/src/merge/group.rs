//! Groups of several shards become one.

use std::cmp::Ordering;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::column::ColumnInfo;
use super::decimal::Decimal;
use super::number::Number;
use super::order::{By, RowOrder, comparator, compare_cells};
use super::row::Row;
use crate::error::PlanError;
use crate::plan::{Accumulate, Aggregate, Proxy};

/// Partial rows, combined by group.
#[derive(Debug, Clone)]
pub struct Groups {
    keys: RowOrder,
    columns: Vec<Column>,
    /// Places in `rows` by identity of the keys.
    places: HashMap<Vec<u8>, usize>,
    rows: Vec<Group>,
    bytes: usize,
}

#[derive(Debug, Clone)]
struct Group {
    row: Row,
    states: Vec<State>,
}

/// An accumulated column of the rows.
#[derive(Debug, Clone)]
struct Column {
    index: usize,
    info: ColumnInfo,
    how: How,
}

#[derive(Debug, Clone, Copy)]
enum How {
    Sum,
    Average {
        sum: usize,
        sum_info: ColumnInfo,
        count: usize,
    },
    Extreme {
        by: By,
        column: usize,
        wanted: Ordering,
    },
    Bits(fn(u64, u64) -> u64),
}

/// What a group has so far.
#[derive(Debug, Clone)]
enum State {
    Number(Option<Number>),
    Average(Option<Number>, Decimal),
    /// The winner's cell, and its stand-in's.
    Extreme(Option<(Vec<u8>, Vec<u8>)>),
    Bits(u64),
}

impl Groups {
    /// Groups over rows with these columns, of which the last `hidden` are hidden.
    ///
    /// # Errors
    /// 1235 when a column's type does not combine in the gateway.
    pub fn new(aggregate: &Aggregate, columns: &[ColumnInfo], hidden: u16) -> Result<Self, PlanError> {
        let keys = RowOrder::new(&aggregate.keys, columns, hidden)?;
        let accumulated = aggregate.columns.iter().map(|column| {
            let index = column.column.index(columns.len(), hidden);
            let missing = || PlanError::unsupported("an aggregate that the shards' rows lack");
            let info = *columns.get(index).ok_or_else(missing)?;
            let how = match column.how {
                Accumulate::Count | Accumulate::Sum => How::Sum,
                Accumulate::Average { sum, count } => {
                    let sum = sum.index(columns.len(), hidden);
                    let sum_info = *columns.get(sum).ok_or_else(missing)?;
                    How::Average {
                        sum,
                        sum_info,
                        count: count.index(columns.len(), hidden),
                    }
                }
                Accumulate::Min { proxy } => extreme(index, proxy, columns, hidden, Ordering::Less)?,
                Accumulate::Max { proxy } => extreme(index, proxy, columns, hidden, Ordering::Greater)?,
                // Of binary strings these are strings.
                _ if !info.is_number() => {
                    return Err(PlanError::unsupported(
                        "bit aggregates of strings over several shards",
                    ));
                }
                Accumulate::BitAnd => How::Bits(|left, right| left & right),
                Accumulate::BitOr => How::Bits(|left, right| left | right),
                Accumulate::BitXor => How::Bits(|left, right| left ^ right),
            };
            Ok(Column { index, info, how })
        });
        let columns = accumulated.collect::<Result<_, PlanError>>()?;
        Ok(Self {
            keys,
            columns,
            places: HashMap::new(),
            rows: Vec::new(),
            bytes: 0,
        })
    }

    /// Adds a shard's row for a group.
    pub fn push(&mut self, row: Row) {
        let mut identity = Vec::new();
        self.keys.identity(&row, &mut identity);
        match self.places.entry(identity) {
            Entry::Occupied(place) => {
                if let Some(group) = self.rows.get_mut(*place.get()) {
                    for (state, column) in group.states.iter_mut().zip(&self.columns) {
                        state.add(column, &row);
                    }
                }
            }
            Entry::Vacant(place) => {
                self.bytes += row.size() + place.key().len() + self.columns.len() * size_of::<State>();
                place.insert(self.rows.len());
                let states = self
                    .columns
                    .iter()
                    .map(|column| State::new(column, &row))
                    .collect();
                self.rows.push(Group { row, states });
            }
        }
    }

    /// Bytes held, about, for memory limits.
    pub fn size(&self) -> usize {
        self.bytes
    }

    /// The combined rows, in the order in which their groups came first.
    pub fn finish(self) -> impl Iterator<Item = Row> {
        let columns = self.columns;
        self.rows.into_iter().map(move |group| {
            let mut replaced: Vec<(usize, Option<Vec<u8>>)> = Vec::with_capacity(columns.len());
            for (state, column) in group.states.into_iter().zip(&columns) {
                state.finish(column, &mut replaced);
            }
            group.row.with(&replaced)
        })
    }
}

fn extreme(
    index: usize,
    proxy: Option<Proxy>,
    columns: &[ColumnInfo],
    hidden: u16,
    wanted: Ordering,
) -> Result<How, PlanError> {
    let (column, by) = comparator(index, proxy, columns, hidden)?;
    Ok(How::Extreme { by, column, wanted })
}

impl State {
    fn new(column: &Column, row: &Row) -> Self {
        let mut state = match column.how {
            How::Sum => Self::Number(None),
            How::Average { .. } => Self::Average(None, Decimal::integer(0)),
            How::Extreme { .. } => Self::Extreme(None),
            How::Bits(_) => {
                let bits = row.cell(column.index).and_then(bits);
                return Self::Bits(bits.unwrap_or_default());
            }
        };
        state.add(column, row);
        state
    }

    fn add(&mut self, column: &Column, row: &Row) {
        match (self, &column.how) {
            (Self::Number(sum), _) => add(sum, row.cell(column.index), column.info),
            (
                Self::Average(sum, count),
                How::Average {
                    sum: cell,
                    sum_info,
                    count: number,
                },
            ) => {
                add(sum, row.cell(*cell), *sum_info);
                if let Some(more) = row.cell(*number).and_then(Decimal::parse) {
                    *count = count.add(&more);
                }
            }
            (
                Self::Extreme(best),
                How::Extreme {
                    by,
                    column: key,
                    wanted,
                },
            ) => {
                // NULL never wins.
                let (Some(cell), Some(proxy)) = (row.cell(column.index), row.cell(*key)) else {
                    return;
                };
                let better = match best {
                    None => true,
                    Some((_, known)) => compare_cells(Some(proxy), Some(known), *by) == *wanted,
                };
                if better {
                    *best = Some((cell.to_vec(), proxy.to_vec()));
                }
            }
            (Self::Bits(known), How::Bits(combine)) => {
                if let Some(more) = row.cell(column.index).and_then(bits) {
                    *known = combine(*known, more);
                }
            }
            _ => {}
        }
    }

    fn finish(self, column: &Column, replaced: &mut Vec<(usize, Option<Vec<u8>>)>) {
        let text = |number: Number| number.text(column.info).into_bytes();
        match (self, &column.how) {
            (Self::Number(sum), _) => replaced.push((column.index, sum.map(text))),
            (Self::Average(sum, count), _) => {
                replaced.push((column.index, average(sum, &count, column.info).map(text)))
            }
            (Self::Extreme(best), How::Extreme { column: key, .. }) => {
                let (cell, proxy) = best.unzip();
                // Where the value is its own stand-in the two are the same.
                if *key != column.index {
                    replaced.push((*key, proxy));
                }
                replaced.push((column.index, cell));
            }
            (Self::Bits(bits), _) => replaced.push((column.index, Some(bits.to_string().into_bytes()))),
            (Self::Extreme(_), _) => {}
        }
    }
}

fn add(sum: &mut Option<Number>, cell: Option<&[u8]>, info: ColumnInfo) {
    let Some(more) = cell.and_then(|cell| Number::parse(cell, info)) else {
        return;
    };
    *sum = Some(match sum.take() {
        Some(known) => known.add(&more),
        None => more,
    });
}

fn average(sum: Option<Number>, count: &Decimal, info: ColumnInfo) -> Option<Number> {
    match sum? {
        Number::Exact(sum) => sum.divide(count, u32::from(info.decimals)).map(Number::Exact),
        Number::Approximate(sum) => Some(Number::Approximate(sum / count.to_f64())),
    }
}

fn bits(cell: &[u8]) -> Option<u64> {
    std::str::from_utf8(cell).ok()?.parse().ok()
}
