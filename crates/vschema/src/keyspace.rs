//! The compiled vschema: what the planner looks up, with every name resolved.

mod columns;
mod compile;

pub use compile::Compiled;

use std::sync::Arc;

use hashbrown::HashMap;

use crate::document::{ForeignKeyMode, Warning};
use crate::keyspace_id::KeyspaceId;
use crate::table::TableDef;
use crate::vindex::Vindex;

/// The vschema of one keyspace, resolved and checked.
#[derive(Clone, Debug, Default)]
pub struct KeyspaceVSchema {
    sharded: bool,
    require_explicit_routing: bool,
    prevent_cross_keyspace_reads: bool,
    foreign_key_mode: ForeignKeyMode,
    vindexes: HashMap<String, Arc<Vindex>>,
    tables: HashMap<String, Arc<Table>>,
}

/// Where the rows of a table are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// On the keyspace's only shard.
    Unsharded,
    /// On the shards that the primary vindex chooses.
    Sharded,
    /// All on the shard that holds this id.
    Pinned(KeyspaceId),
    /// All of them on every shard; with the table that it is a copy of, if one is named.
    Reference(Option<Source>),
}

/// The table that a reference table is a copy of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its keyspace; None for one that is found by the table's name.
    pub keyspace: Option<String>,
    /// Its name.
    pub table: String,
}

/// A table of the vschema.
#[derive(Clone, Debug)]
pub struct Table {
    name: String,
    placement: Placement,
    column_vindexes: Vec<ColumnVindex>,
    columns: Vec<String>,
    column_list_authoritative: bool,
}

/// A vindex with the columns of a table that go into it.
#[derive(Clone, Debug)]
pub struct ColumnVindex {
    columns: Vec<String>,
    vindex: Arc<Vindex>,
}

impl KeyspaceVSchema {
    /// The keyspace has shards that vindexes choose among.
    pub fn is_sharded(&self) -> bool {
        self.sharded
    }

    /// Its tables are found only when a statement names the keyspace.
    pub fn require_explicit_routing(&self) -> bool {
        self.require_explicit_routing
    }

    /// Reads that would join this keyspace with another one are refused.
    pub fn prevent_cross_keyspace_reads(&self) -> bool {
        self.prevent_cross_keyspace_reads
    }

    /// What becomes of foreign keys.
    pub fn foreign_key_mode(&self) -> ForeignKeyMode {
        self.foreign_key_mode
    }

    /// The table of that name (with case, as MySQL compares table names here).
    pub fn table(&self, name: &str) -> Option<&Arc<Table>> {
        self.tables.get(name)
    }

    /// All tables, in no order.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.tables.values()
    }

    /// The functional vindex of that name.
    pub fn vindex(&self, name: &str) -> Option<&Arc<Vindex>> {
        self.vindexes.get(name)
    }

    /// What the tables as MySQL has them say about this vschema: missing tables and columns, and vindexes that fold
    /// less than their column's collation, so that equality cannot route by them.
    pub fn check_tables(&self, tables: &[TableDef]) -> Vec<Warning> {
        columns::check(self, tables)
    }
}

impl Table {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its rows are.
    pub fn placement(&self) -> &Placement {
        &self.placement
    }

    /// The vindexes of its columns; the first is the primary one.
    pub fn column_vindexes(&self) -> &[ColumnVindex] {
        &self.column_vindexes
    }

    /// The vindex that places its rows; None unless it is [`Placement::Sharded`].
    pub fn primary_vindex(&self) -> Option<&ColumnVindex> {
        match self.placement {
            Placement::Sharded => self.column_vindexes.first(),
            _ => None,
        }
    }

    /// Columns that the vschema lists.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// True when the listed columns are all there are.
    pub fn column_list_authoritative(&self) -> bool {
        self.column_list_authoritative
    }
}

impl ColumnVindex {
    /// The columns, in the order in which the vindex takes them.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The vindex.
    pub fn vindex(&self) -> &Arc<Vindex> {
        &self.vindex
    }

    /// The place of a column among [`ColumnVindex::columns`]; MySQL ignores case here.
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns
            .iter()
            .position(|name| name.eq_ignore_ascii_case(column))
    }
}

#[cfg(test)]
mod tests;
