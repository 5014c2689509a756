//! SHOW.

use super::{Expr, Ident, Limit, Literal, ObjectName, VarScope};
use crate::span::Span;

/// `SHOW ...`.
#[derive(Clone, Debug, PartialEq)]
pub struct Show<'a> {
    /// The statement.
    pub span: Span,
    /// What is shown.
    pub kind: ShowKind<'a>,
    /// LIKE or WHERE.
    pub filter: ShowFilter<'a>,
    /// LIMIT (WARNINGS, ERRORS, BINLOG EVENTS, PROFILE).
    pub limit: Option<Limit<'a>>,
}

/// The filter of a SHOW.
#[derive(Clone, Debug, PartialEq)]
pub enum ShowFilter<'a> {
    /// None.
    None,
    /// `LIKE 'pattern'`
    Like(Literal<'a>),
    /// `WHERE expr`
    Where(Expr<'a>),
}

/// Objects that have a SHOW CREATE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are MySQL's own")]
pub enum ShowCreate {
    Table,
    View,
    Trigger,
    Procedure,
    Function,
    Event,
    Library,
}

/// What SHOW shows.
#[derive(Clone, Debug, PartialEq)]
pub enum ShowKind<'a> {
    /// `DATABASES`, `SCHEMAS`
    Databases,
    /// `[EXTENDED] [FULL] TABLES [FROM db]`
    Tables {
        /// `FULL`.
        full: bool,
        /// The schema.
        from: Option<Ident<'a>>,
    },
    /// `[EXTENDED] [FULL] COLUMNS|FIELDS FROM t [FROM db]`
    Columns {
        /// `FULL`.
        full: bool,
        /// The table, with the schema of either form.
        table: ObjectName<'a>,
    },
    /// `[EXTENDED] INDEX|INDEXES|KEYS FROM t [FROM db]`
    Index(ObjectName<'a>),
    /// `TABLE STATUS [FROM db]`
    TableStatus(Option<Ident<'a>>),
    /// `OPEN TABLES [FROM db]`
    OpenTables(Option<Ident<'a>>),
    /// `[FULL] TRIGGERS [FROM db]`
    Triggers(Option<Ident<'a>>),
    /// `EVENTS [FROM db]`
    Events(Option<Ident<'a>>),
    /// `CREATE TABLE|VIEW|... name`
    Create(ShowCreate, ObjectName<'a>),
    /// `CREATE DATABASE|SCHEMA [IF NOT EXISTS] name`
    CreateDatabase(Ident<'a>),
    /// `CREATE USER ...`
    CreateUser,
    /// `[GLOBAL|SESSION] VARIABLES`
    Variables(VarScope),
    /// `[GLOBAL|SESSION] STATUS`
    Status(VarScope),
    /// `WARNINGS`
    Warnings,
    /// `ERRORS`
    Errors,
    /// `COUNT(*) WARNINGS`
    CountWarnings,
    /// `COUNT(*) ERRORS`
    CountErrors,
    /// `[FULL] PROCESSLIST`
    Processlist {
        /// `FULL`.
        full: bool,
    },
    /// `CHARACTER SET`, `CHARSET`
    CharacterSet,
    /// `COLLATION`
    Collation,
    /// `ENGINE name STATUS|MUTEX|LOGS`
    Engine,
    /// `[STORAGE] ENGINES`
    Engines,
    /// `PLUGINS`
    Plugins,
    /// `PRIVILEGES`
    Privileges,
    /// `GRANTS [FOR user [USING roles]]`
    Grants,
    /// `PROFILE ...`
    Profile,
    /// `PROFILES`
    Profiles,
    /// `PROCEDURE STATUS`
    ProcedureStatus,
    /// `FUNCTION STATUS`
    FunctionStatus,
    /// `LIBRARY STATUS`
    LibraryStatus,
    /// `PROCEDURE CODE name`, `FUNCTION CODE name`
    RoutineCode,
    /// `BINARY LOGS`, `MASTER LOGS`
    BinaryLogs,
    /// `BINARY LOG STATUS`, `MASTER STATUS`
    BinaryLogStatus,
    /// `BINLOG EVENTS`, `RELAYLOG EVENTS`
    LogEvents,
    /// `REPLICAS`, `SLAVE HOSTS`
    Replicas,
    /// `REPLICA STATUS`, `SLAVE STATUS`
    ReplicaStatus,
    /// `PARSE_TREE stmt`
    ParseTree,
    /// Vitrail's own: `VITRAIL SHARDS|TABLETS|PLANS|...` (and Vitess' `VITESS_SHARDS` and kin), the word after VITRAIL.
    Vitrail(Ident<'a>),
    /// A word that no rule above knows, with its text to the end.
    Other(Span),
}
