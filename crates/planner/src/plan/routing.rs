//! Which shards a statement goes to, as far as the plan can say without the literals.

use std::sync::Arc;

use vschema::table::ColumnDef;
use vschema::vindex::Coverage;

use super::SlotIndex;
use crate::catalog::ShardIndex;
use crate::domain::Domain;

/// The shards of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Routing {
    /// The only shard of an unsharded keyspace.
    Unsharded,
    /// Any one shard of the keyspace: no table, or reference tables only.
    AnyShard,
    /// The shard that the session targets (`USE customer:-80`).
    Target(ShardIndex),
    /// Provably no row (`= NULL`): any one shard answers with an empty set.
    NoRows,
    /// All shards.
    AllShards,
    /// Equality on all columns of a unique vindex, or on a leading part of a multi-column one.
    Equal {
        /// The vindex: index in the keyspace's list.
        vindex: u16,
        /// Its columns and values, in the vindex's order.
        columns: Box<[(RoutingColumn, Source)]>,
    },
    /// `column IN (..)`, `(a, b) IN ((..), ..)`.
    In {
        /// The vindex.
        vindex: u16,
        /// Its columns and where in an element each value is.
        columns: InColumns,
        /// The elements.
        list: InList,
    },
    /// A range of values of an ordering vindex (`binary`, `numeric`).
    Range {
        /// The vindex.
        vindex: u16,
        /// Its column.
        column: RoutingColumn,
        /// Lower bound.
        from: Option<KeyBound>,
        /// Upper bound.
        to: Option<KeyBound>,
    },
    /// The union of these: alternatives of OR, or several tables of one statement.
    Any(Box<[Routing]>),
}

/// Elements of an IN list.
#[derive(Debug, Clone, PartialEq)]
pub enum InList {
    /// A collapsed list slot.
    Slot {
        /// The slot.
        slot: SlotIndex,
        /// Values per element: 1, or the length of the tuples.
        width: u16,
    },
    /// Elements that the key spells out, `width` values each.
    Items {
        /// Values per element: 1, or the length of the tuples.
        width: u16,
        /// The values, element by element.
        values: Box<[Source]>,
    },
}

/// Columns of a vindex and the position of each one's value in a list element.
pub type InColumns = Box<[(RoutingColumn, u16)]>;

/// One end of a range.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyBound {
    /// The value.
    pub value: Source,
    /// Whether the value itself is inside.
    pub inclusive: bool,
}

/// A vindex column as routing needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutingColumn {
    /// The column's name, for messages.
    pub name: Box<str>,
    /// How the column stores and compares values.
    pub domain: Domain,
    /// Which equality comparisons may route reads.
    pub coverage: Coverage,
    /// The column's definition, where the vindex has to look at each value.
    pub def: Option<Arc<ColumnDef>>,
    /// The comparison orders values as the vindex does, so that reads may be routed by ranges.
    pub ordered: bool,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A literal or parameter slot.
    Slot(SlotIndex),
    /// A literal with a character set introducer, other than the connection's.
    Introduced {
        /// The slot of the string after the introducer.
        slot: SlotIndex,
        /// The introducer, without the underscore, in lower case.
        charset: Box<str>,
    },
    /// NULL.
    Null,
    /// An integer that the key fixes (TRUE, FALSE, a column default).
    Int(i64),
    /// A string that the key or the catalog fixes, UTF-8.
    Text(Box<str>),
    /// A user variable, by its lower case name without `@`.
    UserVar(Box<str>),
    /// Not known before execution, or of no interest.
    Opaque,
    /// The DEFAULT keyword in an INSERT row.
    Default,
}
