//! Keyspaces, shards, vindexes and table definitions: what the planner knows about the database.

use std::sync::Arc;

use hashbrown::HashMap;
use vschema::key_range::{KeyRange, Partition};
use vschema::keyspace::{KeyspaceVSchema, Placement};
use vschema::keyspace_id::KeyspaceId;
use vschema::table::TableDef;
use vschema::vindex::{Coverage, Vindex};

use crate::domain::{Domain, coverage, orders};
use crate::error::PlanError;
use crate::plan::RoutingColumn;

/// Index of a keyspace in its catalog.
pub type KeyspaceIndex = u16;

/// Index of a shard in its keyspace, in the order of key ranges.
pub type ShardIndex = u16;

/// An immutable snapshot of all keyspaces.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    version: u64,
    keyspaces: Vec<Keyspace>,
    names: HashMap<String, KeyspaceIndex>,
    /// Unqualified table names that exactly one keyspace has; None for names that several have.
    global: HashMap<String, Option<KeyspaceIndex>>,
}

/// One keyspace.
#[derive(Debug, Clone)]
pub struct Keyspace {
    /// Its name, by which statements qualify tables.
    pub name: String,
    /// The MySQL database of its tables on every shard.
    pub database: String,
    /// Whether its tables have vindexes.
    pub sharded: bool,
    /// Tables are found only when a statement names the keyspace.
    pub explicit_only: bool,
    /// The shards' key ranges in order, without gap or overlap.
    pub shards: Partition,
    /// First eight bytes of each shard's lower bound, if no bound is longer.
    starts: Option<Box<[u64]>>,
    vindexes: Vec<Arc<Vindex>>,
    tables: HashMap<String, Table>,
}

/// A table or view.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name as MySQL keeps it.
    pub name: String,
    /// Where its rows are.
    pub placement: Placement,
    /// The vindex that places its rows; empty unless the table is sharded.
    pub vindexes: Vec<TableVindex>,
    /// Its definition as an agent read it; None while no agent has reported it.
    pub def: Option<Arc<TableDef>>,
}

/// A vindex of a table.
#[derive(Debug, Clone)]
pub struct TableVindex {
    /// Index of the vindex in the keyspace.
    pub vindex: u16,
    /// Its columns, in its order.
    pub columns: Vec<RoutingColumn>,
    /// The columns' indexes in the table's definition; None while that is not known.
    pub ordinals: Option<Vec<u16>>,
}

impl Catalog {
    /// A snapshot of these keyspaces. `version` has to differ between catalogs that differ.
    pub fn new(version: u64, keyspaces: Vec<Keyspace>) -> Self {
        let mut names = HashMap::new();
        let mut global: HashMap<String, Option<KeyspaceIndex>> = HashMap::new();
        for (index, keyspace) in (0..).zip(&keyspaces) {
            names.insert(keyspace.name.clone(), index);
            for table in keyspace.tables.values().filter(|_| !keyspace.explicit_only) {
                global
                    .entry(table.name.clone())
                    .and_modify(|place| *place = None)
                    .or_insert(Some(index));
            }
        }
        Self {
            version,
            keyspaces,
            names,
            global,
        }
    }

    /// The version that it was made with.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// All keyspaces; a [`KeyspaceIndex`] is a place in this slice.
    pub fn keyspaces(&self) -> &[Keyspace] {
        &self.keyspaces
    }

    /// The keyspace with this index.
    pub fn keyspace(&self, index: KeyspaceIndex) -> Option<&Keyspace> {
        self.keyspaces.get(usize::from(index))
    }

    /// The keyspace with this name.
    pub fn find_keyspace(&self, name: &str) -> Option<KeyspaceIndex> {
        self.names.get(name).copied()
    }

    /// Where an unqualified table is: in the selected keyspace, if that is unsharded or has it, else wherever exactly one keyspace has it.
    ///
    /// An unsharded keyspace may have tables that only MySQL knows of, temporary and new ones: their names must not lead elsewhere.
    ///
    /// # Errors
    /// 1052 when several others have it.
    pub fn find_table(
        &self,
        selected: Option<KeyspaceIndex>,
        table: &str,
    ) -> Result<Option<KeyspaceIndex>, PlanError> {
        if let Some(index) = selected
            && self
                .keyspace(index)
                .is_some_and(|keyspace| !keyspace.sharded || keyspace.table(table).is_some())
        {
            return Ok(Some(index));
        }
        match self.global.get(table) {
            Some(Some(index)) => Ok(Some(*index)),
            Some(None) => Err(PlanError::ambiguous_table(table)),
            None => Ok(None),
        }
    }
}

impl Table {
    /// Whether its rows lie on some shards of a sharded keyspace and not on others.
    pub fn is_partitioned(&self) -> bool {
        matches!(self.placement, Placement::Sharded | Placement::Pinned(_))
    }
}

impl Keyspace {
    /// A keyspace with its shards, its compiled vschema and the tables that agents report.
    ///
    /// Tables of the vschema that no agent reports are known by name; tables that agents report and a sharded vschema
    /// lacks are left out, so that statements on them fail by name.
    pub fn new(
        name: &str,
        database: &str,
        shards: Partition,
        vschema: &KeyspaceVSchema,
        definitions: impl IntoIterator<Item = Arc<TableDef>>,
    ) -> Self {
        let starts = starts(shards.ranges());
        let mut keyspace = Self {
            name: name.to_owned(),
            database: database.to_owned(),
            sharded: vschema.is_sharded(),
            explicit_only: vschema.require_explicit_routing(),
            shards,
            starts,
            vindexes: Vec::new(),
            tables: HashMap::new(),
        };
        let definitions: HashMap<String, Arc<TableDef>> = definitions
            .into_iter()
            .map(|definition| (definition.name.clone(), definition))
            .collect();
        for table in vschema.tables() {
            let def = definitions.get(table.name()).cloned();
            let vindexes = match table.placement() {
                // Only the primary vindex places rows.
                Placement::Sharded => table
                    .column_vindexes()
                    .iter()
                    .take(1)
                    .map(|part| keyspace.table_vindex(part.vindex(), part.columns(), def.as_deref()))
                    .collect(),
                _ => Vec::new(),
            };
            let placement = table.placement().clone();
            keyspace.tables.insert(
                table.name().to_owned(),
                Table {
                    name: table.name().to_owned(),
                    placement,
                    vindexes,
                    def,
                },
            );
        }
        if !keyspace.sharded {
            for (name, def) in definitions {
                keyspace.tables.entry(name).or_insert_with_key(|name| Table {
                    name: name.clone(),
                    placement: Placement::Unsharded,
                    vindexes: Vec::new(),
                    def: Some(def),
                });
            }
        }
        keyspace
    }

    fn table_vindex(
        &mut self,
        vindex: &Arc<Vindex>,
        columns: &[String],
        def: Option<&TableDef>,
    ) -> TableVindex {
        let known = self.vindexes.iter().position(|other| Arc::ptr_eq(other, vindex));
        let index = known.unwrap_or_else(|| {
            self.vindexes.push(Arc::clone(vindex));
            self.vindexes.len() - 1
        });
        let routing =
            columns
                .iter()
                .enumerate()
                .map(|(part, name)| match def.and_then(|def| def.column(name)) {
                    Some(column) => {
                        let coverage = coverage(vindex, part, column);
                        RoutingColumn {
                            name: column.name.as_str().into(),
                            domain: Domain::of(column),
                            coverage,
                            def: (coverage == Coverage::SomeValues).then(|| Arc::new(column.clone())),
                            ordered: orders(column),
                        }
                    }
                    None => RoutingColumn {
                        name: name.as_str().into(),
                        domain: Domain::Other,
                        coverage: Coverage::None,
                        def: None,
                        ordered: false,
                    },
                });
        let ordinals = columns
            .iter()
            .map(|name| Some(def?.column_index(name)? as u16))
            .collect::<Option<Vec<u16>>>();
        TableVindex {
            vindex: index as u16,
            columns: routing.collect(),
            ordinals,
        }
    }

    /// The table with this name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    /// All tables, in no order.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    /// The vindex with this index.
    pub fn vindex(&self, index: u16) -> Option<&Vindex> {
        self.vindexes.get(usize::from(index)).map(Arc::as_ref)
    }

    /// Number of shards.
    pub fn shard_count(&self) -> usize {
        self.shards.ranges().len()
    }

    /// The key range of a shard, which is also its name.
    pub fn shard(&self, index: ShardIndex) -> Option<&KeyRange> {
        self.shards.ranges().get(usize::from(index))
    }

    /// The shard that holds a keyspace id.
    pub fn shard_of(&self, id: &KeyspaceId) -> ShardIndex {
        match &self.starts {
            Some(starts) => {
                let id = leading(id.as_bytes());
                starts.partition_point(|start| *start <= id).saturating_sub(1) as ShardIndex
            }
            None => self.shards.find(id) as ShardIndex,
        }
    }
}

/// Lower bounds as numbers, which order as keyspace ids do while no bound has more than eight bytes.
fn starts(ranges: &[KeyRange]) -> Option<Box<[u64]>> {
    let short = |range: &KeyRange| {
        let start = range.start().significant();
        (start.len() <= 8).then(|| leading(start))
    };
    ranges.iter().map(short).collect()
}

/// The first eight bytes as a number, as if zero bytes followed.
fn leading(bytes: &[u8]) -> u64 {
    let mut padded = [0; 8];
    for (to, from) in padded.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_be_bytes(padded)
}
