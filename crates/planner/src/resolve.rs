//! A routing and the values of one execution give the shards.

mod insert;

use std::ops::Bound;

use smallvec::SmallVec;
use sql::fingerprint::Slot;
use vschema::vindex::{Mapped, Vindex, VindexValue};

use crate::bindings::Bindings;
use crate::catalog::{Keyspace, ShardIndex};
use crate::coerce::{Constants, Read, Stored, coerce_read};
use crate::domain::Domain;
use crate::plan::{InColumns, InList, KeyBound, Routing, RoutingColumn, Source};
use crate::value::Value;

pub use insert::{InsertTarget, resolve_insert};

/// Shards in ascending order, at least one.
pub type ShardSet = SmallVec<[ShardIndex; 4]>;

/// The shards that a routing means for these values. An empty set of rows, too, is asked of one shard: it answers with the
/// right columns.
pub fn resolve(routing: &Routing, bindings: &Bindings<'_>, keyspace: &Keyspace) -> ShardSet {
    let mut shards = match places(routing, bindings, keyspace) {
        Places::All => (0..keyspace.shard_count() as ShardIndex).collect(),
        Places::Some(shards) => shards,
    };
    if shards.is_empty() {
        shards.push(0);
    }
    shards
}

/// A set of shards that may be all.
enum Places {
    All,
    /// Ascending, without duplicates; empty when no row can match.
    Some(ShardSet),
}

impl Places {
    fn one(shard: ShardIndex) -> Self {
        Self::Some(SmallVec::from_slice(&[shard]))
    }

    fn none() -> Self {
        Self::Some(SmallVec::new())
    }
}

fn places<'v>(routing: &'v Routing, bindings: &Bindings<'v>, keyspace: &Keyspace) -> Places {
    match routing {
        Routing::Unsharded | Routing::AnyShard => Places::one(0),
        Routing::Target(shard) => Places::one(*shard),
        Routing::NoRows => Places::none(),
        Routing::AllShards => Places::All,
        Routing::Equal { vindex, columns } => {
            let Some(vindex) = keyspace.vindex(*vindex) else {
                return Places::All;
            };
            if let [(column, source)] = &**columns {
                return equal_one(vindex, column, bindings.value(source), keyspace);
            }
            let reads = columns
                .iter()
                .map(|(column, source)| (column, coerce_read(column, bindings.value(source))));
            equal(vindex, reads, keyspace)
        }
        Routing::In {
            vindex,
            columns,
            list,
        } => match keyspace.vindex(*vindex) {
            Some(vindex) => in_list(vindex, columns, list, bindings, keyspace),
            None => Places::All,
        },
        Routing::Range {
            vindex,
            column,
            from,
            to,
        } => match keyspace.vindex(*vindex) {
            Some(vindex) => range(vindex, column, (from.as_ref(), to.as_ref()), bindings, keyspace),
            None => Places::All,
        },
        Routing::Any(routings) => {
            let mut union = ShardSet::new();
            for routing in routings {
                match places(routing, bindings, keyspace) {
                    Places::All => return Places::All,
                    Places::Some(shards) => union.extend(shards),
                }
            }
            sorted(union)
        }
    }
}

fn sorted(mut shards: ShardSet) -> Places {
    shards.sort_unstable();
    shards.dedup();
    Places::Some(shards)
}

/// The shards of rows whose only vindex column equals this value.
fn equal_one(vindex: &Vindex, column: &RoutingColumn, value: Value<'_>, keyspace: &Keyspace) -> Places {
    match coerce_read(column, value) {
        Read::Exact(stored) => {
            let value = vindex_value(&stored, column);
            match column
                .def
                .as_ref()
                .is_none_or(|def| vindex.routes_equality(0, def, value))
            {
                true => mapped(vindex.map(&[value]), keyspace),
                false => Places::All,
            }
        }
        Read::Null => Places::none(),
        Read::Unknown => Places::All,
    }
}

/// The shards of rows whose vindex columns equal these values.
fn equal<'b, 'c>(
    vindex: &Vindex,
    reads: impl Iterator<Item = (&'c RoutingColumn, Read<'b>)>,
    keyspace: &Keyspace,
) -> Places {
    let mut stored: SmallVec<[(Stored<'_>, &RoutingColumn); 2]> = SmallVec::new();
    for (column, read) in reads {
        match read {
            Read::Exact(value) => stored.push((value, column)),
            Read::Null => return Places::none(),
            Read::Unknown => return Places::All,
        }
    }
    let values: SmallVec<[VindexValue<'_>; 2]> = stored
        .iter()
        .map(|(value, column)| vindex_value(value, column))
        .collect();
    mapped(vindex.map(&values), keyspace)
}

/// A stored value as vindexes take it.
pub(crate) fn vindex_value<'v>(value: &'v Stored<'_>, column: &RoutingColumn) -> VindexValue<'v> {
    match value {
        Stored::Null => VindexValue::Null,
        Stored::Bytes(bytes) => VindexValue::Bytes(bytes),
        Stored::Int(number) => match column.domain {
            Domain::Int { unsigned: true, .. } => VindexValue::UInt(*number as u64),
            _ => VindexValue::Int(*number as i64),
        },
    }
}

fn mapped(mapped: Mapped, keyspace: &Keyspace) -> Places {
    match mapped {
        Mapped::KeyspaceId(id) => Places::one(keyspace.shard_of(&id)),
        Mapped::Range(range) => Places::Some(
            keyspace
                .shards
                .find_range(&range)
                .map(|shard| shard as ShardIndex)
                .collect(),
        ),
        Mapped::None => Places::none(),
        Mapped::Scatter => Places::All,
    }
}

fn in_list<'v>(
    vindex: &Vindex,
    columns: &InColumns,
    list: &'v InList,
    bindings: &Bindings<'v>,
    keyspace: &Keyspace,
) -> Places {
    match list {
        InList::Slot { slot, width } => {
            let element = |row: &'v [Slot], position: u16| match row.get(usize::from(position)) {
                Some(slot) => bindings.literal(slot),
                None => Value::Other,
            };
            union(
                vindex,
                columns,
                bindings.elements(*slot).chunks(usize::from(*width).max(1)),
                element,
                keyspace,
            )
        }
        InList::Items { width, values } => {
            let element = |row: &'v [Source], position: u16| match row.get(usize::from(position)) {
                Some(source) => bindings.value(source),
                None => Value::Other,
            };
            union(
                vindex,
                columns,
                values.chunks(usize::from(*width).max(1)),
                element,
                keyspace,
            )
        }
    }
}

fn union<'v, T: 'v>(
    vindex: &Vindex,
    columns: &InColumns,
    rows: impl Iterator<Item = &'v [T]>,
    element: impl Fn(&'v [T], u16) -> Value<'v>,
    keyspace: &Keyspace,
) -> Places {
    let mut shards = ShardSet::new();
    let mut constants = Constants::default();
    for row in rows {
        let reads = columns.iter().map(|(column, position)| {
            let value = element(row, *position);
            // Rows are compared exactly, whatever they consist of.
            let read = match row.len() {
                1 => constants.read(column, value),
                _ => coerce_read(column, value),
            };
            (column, read)
        });
        match equal(vindex, reads, keyspace) {
            Places::All => return Places::All,
            Places::Some(more) => {
                for shard in more {
                    if !shards.contains(&shard) {
                        shards.push(shard);
                    }
                }
            }
        }
        if shards.len() == keyspace.shard_count() {
            break;
        }
    }
    match constants.are_exact() {
        true => sorted(shards),
        false => Places::All,
    }
}

fn range<'v>(
    vindex: &Vindex,
    column: &RoutingColumn,
    (from, to): (Option<&'v KeyBound>, Option<&'v KeyBound>),
    bindings: &Bindings<'v>,
    keyspace: &Keyspace,
) -> Places {
    let mut constants = Constants::default();
    // A bound that cannot be converted bounds nothing.
    let mut stored = |bound: Option<&'v KeyBound>| match constants.read(column, bindings.value(&bound?.value))
    {
        Read::Exact(value) => Some(value),
        Read::Null | Read::Unknown => None,
    };
    let (lower, upper) = (stored(from), stored(to));
    if !constants.are_exact() {
        return Places::All;
    }
    let lower = lower.as_ref().map(|stored| vindex_value(stored, column));
    let upper = upper.as_ref().map(|stored| vindex_value(stored, column));
    mapped(
        vindex.map_range(edge_of(from, lower), edge_of(to, upper)),
        keyspace,
    )
}

fn edge_of<'v>(bound: Option<&KeyBound>, value: Option<VindexValue<'v>>) -> Bound<VindexValue<'v>> {
    match (bound, value) {
        (Some(KeyBound { inclusive: true, .. }), Some(value)) => Bound::Included(value),
        (Some(_), Some(value)) => Bound::Excluded(value),
        _ => Bound::Unbounded,
    }
}
