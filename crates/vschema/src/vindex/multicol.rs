//! `multicol`: leading bytes of one sub-hash per column, put together.

use smallvec::SmallVec;

use super::functions::Function;
use super::params::{ParamError, Params};
use super::registry::VindexKind;
use super::{Folding, Mapped, VindexValue};

/// The most columns, and the most bytes of all columns together.
const MAX: usize = 8;

/// The columns' sub-functions, each with the number of bytes that it contributes.
#[derive(Clone, Debug)]
pub(super) struct Multicol(Vec<(Function, usize)>);

impl Multicol {
    pub(super) fn build(params: &mut Params<'_>) -> Result<Self, ParamError> {
        let count: usize = params.required("column_count")?.parse().unwrap_or(0);
        if !(1..=MAX).contains(&count) {
            return Err(ParamError::new(
                "column_count",
                "expected a number of columns from 1 to 8",
            ));
        }
        let bytes = column_bytes(params.optional("column_bytes"), count)?;
        let names = list(params.optional("column_vindex"), count, "column_vindex")?;
        let mut columns = Vec::with_capacity(count);
        for (name, bytes) in names.into_iter().zip(bytes) {
            columns.push((sub_function(name.unwrap_or("hash"), params)?, bytes));
        }
        Ok(Self(columns))
    }

    pub(super) fn columns(&self) -> usize {
        self.0.len()
    }

    pub(super) fn cost(&self) -> u32 {
        self.0.iter().map(|(function, _)| function.cost()).sum()
    }

    pub(super) fn folding(&self, column: usize) -> Folding {
        self.0
            .get(column)
            .map_or(Folding::Exact, |(function, _)| function.folding(0))
    }

    pub(super) fn map(&self, values: &[VindexValue<'_>]) -> Mapped {
        if values.len() > self.0.len() {
            return Mapped::None;
        }
        let mut id = SmallVec::<[u8; MAX]>::new();
        let mut filled = 0;
        for ((function, bytes), value) in self.0.iter().zip(values) {
            let Mapped::KeyspaceId(hash) = function.map_one(*value) else {
                return Mapped::None;
            };
            // A short hash of the column before leaves zero bytes, so that each column keeps its place.
            id.resize(filled, 0);
            id.extend(hash.as_bytes().iter().take(*bytes).copied());
            filled += bytes;
        }
        match values.len() == self.0.len() {
            true => Mapped::KeyspaceId(crate::keyspace_id::KeyspaceId::new(&id)),
            false => Mapped::from_prefix(&id),
        }
    }
}

/// Makes the sub-function of one column; it shares the params of the whole.
fn sub_function(name: &str, params: &mut Params<'_>) -> Result<Function, ParamError> {
    let wrong = || {
        ParamError::new(
            "column_vindex",
            format!("\"{name}\" is no single-column functional vindex"),
        )
    };
    let kind = VindexKind::from_name(name).ok_or_else(wrong)?;
    match kind {
        VindexKind::Cfc => Err(wrong()),
        _ if kind.fixed_columns() == Some(1) => Function::build(kind, params),
        _ => Err(wrong()),
    }
}

/// The bytes per column: the given ones, and what is left of eight shared among the others, rounded up from the left.
fn column_bytes(param: Option<&str>, count: usize) -> Result<Vec<usize>, ParamError> {
    let wrong = |message: &str| ParamError::new("column_bytes", message);
    let mut given = Vec::with_capacity(count);
    for item in list(param, count, "column_bytes")? {
        let parsed = item.map(|text| text.parse::<usize>().ok().filter(|bytes| *bytes <= MAX));
        given.push(match parsed {
            Some(None) => return Err(wrong("expected numbers from 0 to 8 with commas between")),
            Some(bytes) => bytes,
            None => None,
        });
    }
    let used: usize = given.iter().flatten().sum();
    let mut open = given.iter().filter(|bytes| bytes.is_none()).count();
    let mut left = MAX
        .checked_sub(used)
        .filter(|left| *left >= open)
        .ok_or_else(|| wrong("more than 8 bytes in all"))?;
    let share = |bytes: Option<usize>| {
        bytes.unwrap_or_else(|| {
            let share = left.div_ceil(open);
            left -= share;
            open -= 1;
            share
        })
    };
    Ok(given.into_iter().map(share).collect())
}

/// Splits a comma-separated list into `count` items, None where an item is empty or missing.
fn list<'a>(param: Option<&'a str>, count: usize, name: &str) -> Result<Vec<Option<&'a str>>, ParamError> {
    let mut items: Vec<Option<&str>> = match param {
        Some(text) => text
            .split(',')
            .map(|item| Some(item.trim()).filter(|item| !item.is_empty()))
            .collect(),
        None => Vec::new(),
    };
    if items.len() > count {
        return Err(ParamError::new(
            name,
            format!("{} items for {count} columns", items.len()),
        ));
    }
    items.resize(count, None);
    Ok(items)
}
