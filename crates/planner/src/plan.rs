//! What the planner hands to the executor: which shards, which text, and how results become one.
//!
//! A [`Plan`] is immutable and holds no literal of the statement that it was made from, except where a guard
//! pins that literal. It may therefore be cached and used for every statement with the same fingerprint key
//! whose literals pass [`Plan::accepts`].

mod effects;
mod guard;
mod merge;
mod routing;
mod template;

pub use effects::{Effects, Pin, Pins, SessionRead, SessionReads};
pub use guard::{Guard, Guards};
pub use merge::{
    Accumulate, Aggregate, AggregateColumn, Col, GroupKey, Having, HavingOp, Limit, Merge, Operand, Proxy,
    SortKey,
};
pub use routing::{InColumns, InList, KeyBound, Routing, RoutingColumn, Source};
pub use template::{Fill, Piece, Pos, SessionValue, Template};

use sql::fingerprint::Fingerprint;

use crate::catalog::KeyspaceIndex;
use crate::error::PlanError;

/// Index of a top-level slot of the fingerprint: literals and parameters outside collapsed lists, and collapsed
/// lists themselves, in order of their position in the text.
pub type SlotIndex = u32;

/// A statement's plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What the statement is, for statistics, rights and the retry rules.
    pub kind: StatementKind,
    /// Conditions on the literals under which this plan is right.
    pub guards: Guards,
    /// What to execute.
    pub node: PlanNode,
    /// What the statement does to, or wants from, the session.
    pub effects: Effects,
    /// Tables that the statement names, resolved; views count as tables.
    pub tables: Box<[TableUse]>,
    /// Warnings to be added to the statement's own.
    pub warnings: Box<[PlanWarning]>,
}

impl Plan {
    /// Whether the plan is right for this text, which must have the plan's fingerprint key.
    pub fn accepts(&self, text: &[u8], fingerprint: &Fingerprint) -> bool {
        self.guards.accept(text, fingerprint)
    }
}

/// What a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatementKind {
    /// SELECT, TABLE, VALUES, WITH .. SELECT.
    Select,
    /// INSERT.
    Insert,
    /// REPLACE.
    Replace,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
    /// DDL of tables, indexes and views, TRUNCATE included.
    Ddl,
    /// EXPLAIN or DESCRIBE: run where the explained statement would run.
    Explain,
    /// Anything else that passes through to one shard.
    Other,
}

impl StatementKind {
    /// Whether the statement only reads; a locking read counts as a read.
    pub fn is_read(self) -> bool {
        matches!(self, Self::Select | Self::Explain)
    }
}

/// A table that a statement uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableUse {
    /// The keyspace.
    pub keyspace: KeyspaceIndex,
    /// The table's name, as the catalog or else the statement spells it.
    pub table: Box<str>,
    /// Whether the statement changes it.
    pub written: bool,
}

/// A warning that the planner adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanWarning {
    /// MySQL's error number.
    pub code: u16,
    /// The text.
    pub message: Box<str>,
}

/// The executable part of a plan.
#[derive(Debug, Clone, PartialEq)]
pub enum PlanNode {
    /// A statement that goes, as it is, to the shards of its routing.
    Route(Route),
    /// INSERT or REPLACE with rows that are routed each by its own values.
    Insert(Insert),
    /// DDL.
    Ddl(Ddl),
}

/// One statement and its shards.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// The keyspace; its database is the connection's default database.
    pub keyspace: KeyspaceIndex,
    /// Which shards: see `resolve::resolve`. Never empty after resolving: a statement that can match no row goes to
    /// one shard, which answers with the right columns.
    pub routing: Routing,
    /// The statement for one shard, when `routing` resolves to one.
    pub query: Template,
    /// What to do when it resolves to several.
    pub several: Several,
}

/// How a statement runs on several shards.
#[derive(Debug, Clone, PartialEq)]
pub enum Several {
    /// Read: send the merge's own text to each and combine the rows.
    Merge(Box<Merge>),
    /// Write: send [`Route::query`] to each shard; affected rows, and matched and changed of UPDATE's info line, are added.
    AddCounts,
    /// Write to a reference table: send [`Route::query`] to each shard; the answer is the first shard's.
    SameOnEach,
    /// One of them answers for all: EXPLAIN, DESCRIBE.
    AnyOne,
    /// Cannot run on several shards: the error to answer.
    Refused(Box<PlanError>),
}

impl Several {
    /// A refusal. Its place in the text is dropped: a cached plan serves other texts.
    pub(crate) fn refused(error: PlanError) -> Self {
        Self::Refused(Box::new(PlanError { span: None, ..error }))
    }
}

/// INSERT or REPLACE into a sharded table.
///
/// `resolve::resolve_insert` converts and checks each row's values and assigns rows to shards.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// The keyspace.
    pub keyspace: KeyspaceIndex,
    /// The table.
    pub table: Box<str>,
    /// The vindex that places rows.
    pub vindex: u16,
    /// Columns of that vindex.
    pub columns: Box<[InsertColumn]>,
    /// The AUTO_INCREMENT column's value, which has to be given: a row with NULL, DEFAULT or (without NO_AUTO_VALUE_ON_ZERO)
    /// zero here is refused with 1235.
    pub auto_increment: Option<InsertValue>,
    /// Where the rows are.
    pub rows: InsertRows,
    /// IGNORE was given: errors of values become warnings.
    pub ignore: bool,
    /// The text for one shard when all rows belong to it: the client's own.
    pub query: Template,
    /// The text for each shard when rows belong to several; it has one [`Fill::Rows`]. None: refuse that with 1235.
    pub split: Option<Template>,
}

/// One vindex column of an INSERT.
#[derive(Debug, Clone, PartialEq)]
pub struct InsertColumn {
    /// How the column stores values.
    pub column: RoutingColumn,
    /// Where each row's value is.
    pub value: InsertValue,
    /// What the keyword DEFAULT stands for; None when the column has no constant default.
    pub default: Option<Source>,
    /// Whether the column takes NULL.
    pub nullable: bool,
}

/// Where the value of a column in a row is.
#[derive(Debug, Clone, PartialEq)]
pub enum InsertValue {
    /// The n-th expression of the row (from 0).
    Position(u16),
    /// The same for each row: the column's default.
    Same(Source),
}

/// Where an INSERT's rows are.
#[derive(Debug, Clone, PartialEq)]
pub enum InsertRows {
    /// A collapsed list slot of rows, each of `width` elements.
    List {
        /// The list slot.
        slot: SlotIndex,
        /// Expressions per row.
        width: u16,
    },
    /// Rows written out in the key: their spans (parentheses included) and the values that matter.
    Rows(Box<[InsertRow]>),
}

/// A row that is not part of a collapsed list.
#[derive(Debug, Clone, PartialEq)]
pub struct InsertRow {
    /// Start of the row.
    pub start: Pos,
    /// End of the row.
    pub end: Pos,
    /// Values by position; only positions that [`InsertValue::Position`] names matter, the others are [`Source::Opaque`].
    pub values: Box<[Source]>,
}

/// A DDL statement: runs on every primary of the keyspace, one after another or at once, and is safe to repeat.
#[derive(Debug, Clone, PartialEq)]
pub struct Ddl {
    /// The keyspace.
    pub keyspace: KeyspaceIndex,
    /// Which shards: [`Routing::AllShards`], [`Routing::Unsharded`] or [`Routing::Target`].
    pub routing: Routing,
    /// The text.
    pub query: Template,
    /// What it does, where the executor has to know.
    pub action: DdlAction,
}

/// Kinds of DDL that the executor tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DdlAction {
    /// CREATE TABLE, INDEX or VIEW.
    Create,
    /// ALTER TABLE, RENAME TABLE, ALTER VIEW.
    Alter,
    /// DROP TABLE, INDEX or VIEW.
    Drop,
    /// TRUNCATE TABLE.
    Truncate,
    /// DROP DATABASE of the keyspace's own name: empty it, that is drop its tables and views.
    EmptyDatabase,
    /// CREATE DATABASE of the keyspace's own name: nothing to do, but MySQL error 1007 if the keyspace has tables
    /// (with IF NOT EXISTS a note of that number).
    CreateDatabase {
        /// IF NOT EXISTS was given.
        if_not_exists: bool,
    },
    /// CREATE or DROP TEMPORARY TABLE: on the session's own connection.
    Temporary,
    /// Anything else: stored programs, triggers, ANALYZE and the like.
    Other,
}
