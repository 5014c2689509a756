//! SET, transaction control, LOCK TABLES, PREPARE and their kin.

use super::{Expr, Ident, Literal, ObjectName, SysVar, VarScope};
use crate::span::Span;

/// `SET ...` in all forms.
#[derive(Clone, Debug, PartialEq)]
pub struct Set<'a> {
    /// The statement.
    pub span: Span,
    /// The comma-separated parts in order.
    pub items: Vec<SetItem<'a>>,
}

/// One part of SET.
#[derive(Clone, Debug, PartialEq)]
pub struct SetItem<'a> {
    /// The text, scope word included.
    pub span: Span,
    /// What is set.
    pub kind: SetKind<'a>,
}

/// What SET sets.
#[derive(Clone, Debug, PartialEq)]
pub enum SetKind<'a> {
    /// `@name = value` or `@name := value`; the identifier's span starts at `@`.
    UserVar {
        /// The name without `@`.
        name: Ident<'a>,
        /// The value.
        value: Expr<'a>,
    },
    /// A system variable (or, in a stored program, a local one; `NEW.c` in a trigger).
    SysVar {
        /// The variable.
        var: SysVar<'a>,
        /// The value; [`super::ExprKind::Default`] for DEFAULT. Bare words (`ON`, `binary`, `utf8mb4`) are columns.
        value: Expr<'a>,
    },
    /// `NAMES charset [COLLATE collation]`, `NAMES DEFAULT`.
    Names {
        /// The character set; `None` for DEFAULT.
        charset: Option<Ident<'a>>,
        /// The collation.
        collation: Option<Ident<'a>>,
    },
    /// `CHARACTER SET charset` or `CHARSET charset`; `None` for DEFAULT.
    CharacterSet(Option<Ident<'a>>),
    /// `[scope] TRANSACTION ...`.
    Transaction {
        /// [`VarScope::Implicit`] means: only the next transaction.
        scope: VarScope,
        /// The isolation level, when written.
        isolation: Option<Isolation>,
        /// `READ ONLY` is `Some(true)`, `READ WRITE` is `Some(false)`.
        read_only: Option<bool>,
    },
    /// `PASSWORD ...`, `ROLE ...`, `DEFAULT ROLE ...`, `RESOURCE GROUP ...`: not parsed further.
    Other(SetOther),
}

/// Forms of SET that are only named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOther {
    /// `SET PASSWORD`
    Password,
    /// `SET ROLE`
    Role,
    /// `SET DEFAULT ROLE`
    DefaultRole,
    /// `SET RESOURCE GROUP`
    ResourceGroup,
}

/// Isolation levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// `READ UNCOMMITTED`
    ReadUncommitted,
    /// `READ COMMITTED`
    ReadCommitted,
    /// `REPEATABLE READ`
    RepeatableRead,
    /// `SERIALIZABLE`
    Serializable,
}

/// Transaction control.
#[derive(Clone, Debug, PartialEq)]
pub enum Transaction<'a> {
    /// `BEGIN [WORK]` or `START TRANSACTION ...`
    Begin {
        /// `WITH CONSISTENT SNAPSHOT`.
        consistent_snapshot: bool,
        /// `READ ONLY` is `Some(true)`, `READ WRITE` is `Some(false)`.
        read_only: Option<bool>,
    },
    /// `COMMIT [WORK] [AND [NO] CHAIN] [[NO] RELEASE]`
    Commit(Completion),
    /// `ROLLBACK ...`
    Rollback(Completion),
    /// `SAVEPOINT name`
    Savepoint(Ident<'a>),
    /// `ROLLBACK [WORK] TO [SAVEPOINT] name`
    RollbackTo(Ident<'a>),
    /// `RELEASE SAVEPOINT name`
    Release(Ident<'a>),
}

/// How a transaction ends; `None` means what `completion_type` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// `AND CHAIN`, `AND NO CHAIN`.
    pub chain: Option<bool>,
    /// `RELEASE`, `NO RELEASE`.
    pub release: Option<bool>,
}

/// `LOCK TABLES`.
#[derive(Clone, Debug, PartialEq)]
pub struct LockTables<'a> {
    /// The locks.
    pub locks: Vec<TableLock<'a>>,
}

/// One table of LOCK TABLES.
#[derive(Clone, Debug, PartialEq)]
pub struct TableLock<'a> {
    /// The text.
    pub span: Span,
    /// The table.
    pub table: ObjectName<'a>,
    /// The alias.
    pub alias: Option<Ident<'a>>,
    /// `[LOW_PRIORITY] WRITE`, else `READ [LOCAL]`.
    pub write: bool,
}

/// SQL-level prepared statements.
#[derive(Clone, Debug, PartialEq)]
pub enum Prepared<'a> {
    /// `PREPARE name FROM 'text'|@var`
    Prepare {
        /// The name.
        name: Ident<'a>,
        /// A string literal or a user variable.
        source: Expr<'a>,
    },
    /// `EXECUTE name [USING @a, @b]`
    Execute {
        /// The name.
        name: Ident<'a>,
        /// The user variables.
        using: Vec<Expr<'a>>,
    },
    /// `DEALLOCATE|DROP PREPARE name`
    Deallocate {
        /// The name.
        name: Ident<'a>,
    },
}

/// `KILL [CONNECTION|QUERY] expr`.
#[derive(Clone, Debug, PartialEq)]
pub struct Kill<'a> {
    /// `QUERY`.
    pub query: bool,
    /// The connection id.
    pub id: Expr<'a>,
}

/// `EXPLAIN`, `DESCRIBE`, `DESC`, `VEXPLAIN`.
#[derive(Clone, Debug, PartialEq)]
pub enum Explain<'a> {
    /// `DESCRIBE table [column|'pattern']`
    Table {
        /// The table.
        table: ObjectName<'a>,
        /// The column.
        column: Option<Ident<'a>>,
        /// A pattern instead of a column.
        pattern: Option<Literal<'a>>,
    },
    /// `EXPLAIN [ANALYZE] [FORMAT=x] [INTO @v] [FOR SCHEMA s] stmt`
    Statement {
        /// `ANALYZE`: the statement runs.
        analyze: bool,
        /// The words between EXPLAIN and the statement.
        options: Span,
        /// The explained statement.
        statement: Box<super::Statement<'a>>,
    },
    /// `EXPLAIN [FORMAT=x] FOR CONNECTION n`
    Connection,
    /// Vitrail's `VEXPLAIN PLAN|QUERIES|TRACE stmt`
    Vitrail {
        /// What is asked.
        kind: VExplain,
        /// The explained statement.
        statement: Box<super::Statement<'a>>,
    },
}

/// What VEXPLAIN shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VExplain {
    /// The plan.
    Plan,
    /// The queries sent to shards; the statement runs.
    Queries,
    /// The plan with what each step did; the statement runs.
    Trace,
}
