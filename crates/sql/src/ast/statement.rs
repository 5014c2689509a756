//! Statements.

use super::{
    CallProcedure, Ddl, Delete, Explain, Expr, Ident, Insert, Kill, LoadData, LockTables, ObjectName,
    Prepared, Query, Set, Show, Transaction, Update,
};
use crate::span::Span;

/// A parsed statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement<'a> {
    /// From the first to the last token, without a trailing `;`.
    pub span: Span,
    /// Number of `?` in it.
    pub params: u32,
    /// Who a CREATE or ALTER names as the object's definer; none when that is the account that runs it.
    pub definer: Option<Definer>,
    /// What it is.
    pub kind: StatementKind<'a>,
}

/// An account after `DEFINER =`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definer {
    /// The user's name.
    pub user: Span,
    /// `@` and the host's name.
    pub host: Option<Span>,
}

/// The kinds of statements.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind<'a> {
    /// Nothing but spaces and comments.
    Empty,
    /// SELECT, TABLE, VALUES, WITH .. SELECT, parenthesised or combined.
    Query(Box<Query<'a>>),
    /// INSERT and REPLACE.
    Insert(Box<Insert<'a>>),
    /// UPDATE.
    Update(Box<Update<'a>>),
    /// DELETE.
    Delete(Box<Delete<'a>>),
    /// LOAD DATA and LOAD XML.
    LoadData(Box<LoadData<'a>>),
    /// CALL.
    Call(Box<CallProcedure<'a>>),
    /// DO.
    Do(Vec<Expr<'a>>),
    /// SET.
    Set(Set<'a>),
    /// USE.
    Use(Ident<'a>),
    /// SHOW.
    Show(Box<Show<'a>>),
    /// BEGIN, COMMIT, ROLLBACK and savepoints.
    Transaction(Transaction<'a>),
    /// LOCK TABLES.
    LockTables(LockTables<'a>),
    /// UNLOCK TABLES.
    UnlockTables,
    /// EXPLAIN, DESCRIBE, VEXPLAIN.
    Explain(Box<Explain<'a>>),
    /// Data definition.
    Ddl(Box<Ddl<'a>>),
    /// ANALYZE, CHECK, CHECKSUM, OPTIMIZE and REPAIR TABLE.
    TableAdmin(TableAdmin<'a>),
    /// KILL.
    Kill(Box<Kill<'a>>),
    /// PREPARE, EXECUTE, DEALLOCATE.
    Prepared(Box<Prepared<'a>>),
    /// A statement that is named but not parsed further.
    Other(Other),
}

/// ANALYZE, CHECK, CHECKSUM, OPTIMIZE or REPAIR TABLE.
#[derive(Clone, Debug, PartialEq)]
pub struct TableAdmin<'a> {
    /// Which.
    pub op: TableAdminOp,
    /// The tables.
    pub tables: Vec<ObjectName<'a>>,
}

/// Table maintenance statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are MySQL's own")]
pub enum TableAdminOp {
    Analyze,
    Check,
    Checksum,
    Optimize,
    Repair,
}

/// A statement known by its first words only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Other {
    /// Which.
    pub kind: OtherKind,
    /// The whole statement.
    pub span: Span,
}

/// Statements that are named, not parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are MySQL's own")]
pub enum OtherKind {
    Xa,
    Handler,
    Flush,
    Reset,
    Grant,
    Revoke,
    CreateUser,
    AlterUser,
    DropUser,
    RenameUser,
    CreateRole,
    DropRole,
    CreateProcedure,
    CreateFunction,
    CreateTrigger,
    CreateEvent,
    AlterProcedure,
    AlterFunction,
    AlterEvent,
    DropProcedure,
    DropFunction,
    DropTrigger,
    DropEvent,
    /// CREATE, ALTER and DROP LIBRARY.
    Library,
    /// CREATE, ALTER and DROP TABLESPACE, UNDO TABLESPACE, LOGFILE GROUP.
    Tablespace,
    /// CREATE, ALTER and DROP SERVER.
    Server,
    /// CREATE and DROP SPATIAL REFERENCE SYSTEM.
    SpatialReferenceSystem,
    /// CREATE, ALTER and DROP RESOURCE GROUP.
    ResourceGroup,
    /// ALTER INSTANCE.
    AlterInstance,
    /// CREATE, ALTER and DROP JSON DUALITY VIEW, MATERIALIZED VIEW and masking objects of newer MySQL.
    NewObject,
    /// INSTALL and UNINSTALL PLUGIN or COMPONENT.
    Install,
    Clone,
    Shutdown,
    Restart,
    Binlog,
    /// CHANGE REPLICATION SOURCE, START and STOP REPLICA or GROUP_REPLICATION.
    Replication,
    Purge,
    /// LOCK INSTANCE, UNLOCK INSTANCE.
    LockInstance,
    ImportTable,
    CacheIndex,
    LoadIndex,
    Help,
    /// SIGNAL, RESIGNAL and GET DIAGNOSTICS.
    Diagnostics,
}
