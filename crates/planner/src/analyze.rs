//! Where the rows of a query are: tables in scope, equalities between columns, and whether shards can answer alone.
//!
//! Two questions are answered. *Routing*: on which shards can rows be that matter? If they are on one shard, the statement
//! runs there as it is, whatever it consists of. *Locality*: if they are on several, is the result of each
//! block the union of what the shards answer? That holds when all sharded tables of a block are tied to one of them, its root, by
//! equality on the columns of one vindex: every combination of rows lies on the root's shard.

mod conditions;
mod facts;
mod graph;
mod inspect;
mod locality;
mod query;
mod scope;
mod tables;

pub(crate) use facts::{bare, source_of};
pub(crate) use graph::BestRouting;
pub(crate) use inspect::Inspect;
pub(crate) use query::{BlockReport, Ctes, Locality};
pub(crate) use scope::Scope;

use smallvec::SmallVec;
use vschema::table::ColumnDef;

use crate::catalog::{KeyspaceIndex, Table};
use crate::context::PlanContext;
use crate::error::PlanError;
use crate::plan::{KeyBound, Source};
use crate::slots::Slots;

/// Most query blocks and tables of a statement that is to run on several shards.
const INSTANCES_MAX: usize = 256;

/// A table in a FROM, by its index in [`Analysis::instances`].
pub(crate) type Inst = u16;

/// A column of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) inst: Inst,
    pub(crate) col: u16,
}

/// A table, derived table or the like in a FROM.
#[derive(Debug)]
pub(crate) struct Instance<'c> {
    /// The name that qualifies its columns.
    pub(crate) alias: Vec<u8>,
    pub(crate) kind: InstanceKind<'c>,
    /// An outer join may fill its columns with NULL.
    pub(crate) null_supplied: bool,
}

/// What an instance is.
#[derive(Debug)]
pub(crate) enum InstanceKind<'c> {
    /// A table of the catalog.
    Base {
        keyspace: KeyspaceIndex,
        table: &'c Table,
    },
    /// A derived table or common table expression.
    Derived {
        columns: Option<Vec<OutColumn>>,
        locality: Locality,
    },
    /// JSON_TABLE and the like: the same on every shard.
    Local { columns: Option<Vec<Vec<u8>>> },
}

/// An output column of a block.
#[derive(Debug, Clone)]
pub(crate) struct OutColumn {
    pub(crate) name: Vec<u8>,
    /// The column that it passes on unchanged.
    pub(crate) origin: Option<Node>,
}

/// `from` may be restricted by what is known of `to`: every row of `from` that matters equals one of `to` that matters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    pub(crate) from: Node,
    pub(crate) to: Node,
}

/// What a condition says of a column.
#[derive(Debug, Clone)]
pub(crate) enum Fact {
    /// Equals a value.
    Equal(Source),
    /// Equals one of a list's elements, at this place of the element.
    In {
        list: crate::plan::InList,
        position: u16,
    },
    /// Lies between.
    Range {
        from: Option<KeyBound>,
        to: Option<KeyBound>,
    },
    /// One of these holds.
    OneOf(Vec<Fact>),
}

/// The analysis of one statement.
pub(crate) struct Analysis<'c, 's> {
    pub(crate) ctx: PlanContext<'c>,
    pub(crate) slots: &'s Slots<'s>,
    pub(crate) instances: Vec<Instance<'c>>,
    pub(crate) edges: SmallVec<[Edge; 8]>,
    pub(crate) facts: SmallVec<[(Node, Fact); 4]>,
    /// The keyspace of all sharded tables.
    pub(crate) keyspace: KeyspaceIndex,
}

impl<'c, 's> Analysis<'c, 's> {
    pub(crate) fn new(ctx: PlanContext<'c>, slots: &'s Slots<'s>, keyspace: KeyspaceIndex) -> Self {
        Self {
            ctx,
            slots,
            instances: Vec::new(),
            edges: SmallVec::new(),
            facts: SmallVec::new(),
            keyspace,
        }
    }

    pub(crate) fn instance(&self, inst: Inst) -> Option<&Instance<'c>> {
        self.instances.get(usize::from(inst))
    }

    pub(crate) fn add_instance(&mut self, instance: Instance<'c>) -> Result<Inst, PlanError> {
        if self.instances.len() >= INSTANCES_MAX {
            return Err(PlanError::unsupported("a statement with this many tables"));
        }
        self.instances.push(instance);
        Ok((self.instances.len() - 1) as Inst)
    }

    /// The base column behind a node.
    pub(crate) fn column(&self, node: Node) -> Option<&'c ColumnDef> {
        let mut node = node;
        for _ in 0..=self.instances.len() {
            match &self.instance(node.inst)?.kind {
                InstanceKind::Base { table, .. } => {
                    return table.def.as_ref()?.columns.get(usize::from(node.col));
                }
                InstanceKind::Derived { columns, .. } => {
                    node = columns.as_ref()?.get(usize::from(node.col))?.origin?;
                }
                InstanceKind::Local { .. } => return None,
            }
        }
        None
    }
}
