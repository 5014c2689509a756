//! INSERT, REPLACE, UPDATE, DELETE, LOAD DATA, CALL, DO.

use super::{ColumnRef, Condition, Expr, Ident, Limit, ObjectName, OrderBy, Query, TableRef, With};
use crate::span::Span;

/// `INSERT` or `REPLACE`.
#[derive(Clone, Debug, PartialEq)]
pub struct Insert<'a> {
    /// The statement.
    pub span: Span,
    /// `REPLACE`.
    pub replace: bool,
    /// The hint comment after the keyword.
    pub hints: Option<Span>,
    /// `LOW_PRIORITY`, `DELAYED` or `HIGH_PRIORITY`.
    pub priority: Option<Span>,
    /// `IGNORE`.
    pub ignore: bool,
    /// The table.
    pub table: ObjectName<'a>,
    /// `PARTITION (...)`.
    pub partitions: Vec<Ident<'a>>,
    /// The column list; `None` when not written, empty for `()`.
    pub columns: Option<Vec<ColumnRef<'a>>>,
    /// From `(` to `)` of the column list.
    pub columns_span: Option<Span>,
    /// What is inserted.
    pub source: InsertSource<'a>,
    /// `AS alias [(columns)]` after the rows.
    pub row_alias: Option<RowAlias<'a>>,
    /// ON DUPLICATE KEY UPDATE.
    pub on_duplicate: Option<OnDuplicate<'a>>,
}

/// What INSERT inserts.
#[derive(Clone, Debug, PartialEq)]
pub enum InsertSource<'a> {
    /// `VALUES (...), (...)`
    Values {
        /// From VALUES to the last `)`.
        span: Span,
        /// The rows.
        rows: Vec<InsertRow<'a>>,
    },
    /// `SET a = 1, b = DEFAULT`
    Set {
        /// From SET to the last value.
        span: Span,
        /// The assignments.
        assignments: Vec<Assignment<'a>>,
    },
    /// A query.
    Query(Box<Query<'a>>),
}

/// One row of INSERT .. VALUES.
#[derive(Clone, Debug, PartialEq)]
pub struct InsertRow<'a> {
    /// Parentheses included.
    pub span: Span,
    /// The values; [`super::ExprKind::Default`] for DEFAULT.
    pub values: Vec<Expr<'a>>,
}

/// `AS alias [(columns)]`.
#[derive(Clone, Debug, PartialEq)]
pub struct RowAlias<'a> {
    /// The text.
    pub span: Span,
    /// The row's alias.
    pub alias: Ident<'a>,
    /// Its columns' aliases.
    pub columns: Vec<Ident<'a>>,
}

/// ON DUPLICATE KEY UPDATE.
#[derive(Clone, Debug, PartialEq)]
pub struct OnDuplicate<'a> {
    /// The clause.
    pub span: Span,
    /// The assignments.
    pub assignments: Vec<Assignment<'a>>,
}

/// `column = value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment<'a> {
    /// The text.
    pub span: Span,
    /// The column.
    pub column: ColumnRef<'a>,
    /// The value; [`super::ExprKind::Default`] for DEFAULT.
    pub value: Expr<'a>,
}

/// UPDATE.
#[derive(Clone, Debug, PartialEq)]
pub struct Update<'a> {
    /// The statement.
    pub span: Span,
    /// WITH.
    pub with: Option<With<'a>>,
    /// The hint comment after the keyword.
    pub hints: Option<Span>,
    /// `LOW_PRIORITY`.
    pub low_priority: bool,
    /// `IGNORE`.
    pub ignore: bool,
    /// The tables; one [`TableRef::Table`] for a single-table update.
    pub tables: Vec<TableRef<'a>>,
    /// From the first to the last table.
    pub tables_span: Span,
    /// The assignments.
    pub assignments: Vec<Assignment<'a>>,
    /// WHERE.
    pub where_clause: Option<Condition<'a>>,
    /// ORDER BY.
    pub order_by: Option<OrderBy<'a>>,
    /// LIMIT.
    pub limit: Option<Limit<'a>>,
}

/// DELETE.
#[derive(Clone, Debug, PartialEq)]
pub struct Delete<'a> {
    /// The statement.
    pub span: Span,
    /// WITH.
    pub with: Option<With<'a>>,
    /// The hint comment after the keyword.
    pub hints: Option<Span>,
    /// `LOW_PRIORITY`.
    pub low_priority: bool,
    /// `QUICK`.
    pub quick: bool,
    /// `IGNORE`.
    pub ignore: bool,
    /// Whose rows go: empty for a single-table delete; otherwise the names of the multi-table form (a trailing `.*` dropped).
    pub targets: Vec<ObjectName<'a>>,
    /// The tables: one [`TableRef::Table`] for a single-table delete, else FROM's or USING's.
    pub tables: Vec<TableRef<'a>>,
    /// From the first to the last table.
    pub tables_span: Span,
    /// WHERE.
    pub where_clause: Option<Condition<'a>>,
    /// ORDER BY.
    pub order_by: Option<OrderBy<'a>>,
    /// LIMIT.
    pub limit: Option<Limit<'a>>,
}

/// `LOAD DATA [LOCAL] INFILE` or `LOAD XML`.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadData<'a> {
    /// The statement.
    pub span: Span,
    /// `LOCAL`.
    pub local: bool,
    /// The file (or URL).
    pub file: super::Literal<'a>,
    /// The table.
    pub table: ObjectName<'a>,
}

/// `CALL name [(args)]`.
#[derive(Clone, Debug, PartialEq)]
pub struct CallProcedure<'a> {
    /// The statement.
    pub span: Span,
    /// The procedure.
    pub name: ObjectName<'a>,
    /// The arguments.
    pub args: Vec<Expr<'a>>,
}
