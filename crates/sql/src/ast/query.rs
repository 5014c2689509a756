//! Queries: SELECT, TABLE, VALUES, set operations, common table expressions.

use super::{Expr, Ident, Literal, ObjectName, TableRef};
use crate::span::Span;

/// A query expression: an optional WITH, a body, and what applies to the whole of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Query<'a> {
    /// From WITH (or the body's first byte) to the last clause, without enclosing parentheses.
    pub span: Span,
    /// The WITH clause.
    pub with: Option<With<'a>>,
    /// The body.
    pub body: SetExpr<'a>,
    /// ORDER BY of the whole. Of a plain SELECT this is the SELECT's own.
    pub order_by: Option<OrderBy<'a>>,
    /// LIMIT of the whole.
    pub limit: Option<Limit<'a>>,
    /// Locking clauses in order.
    pub locking: Vec<Locking<'a>>,
    /// INTO, wherever it was written.
    pub into: Option<IntoClause<'a>>,
}

/// The body of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum SetExpr<'a> {
    /// `SELECT ...`
    Select(Box<Select<'a>>),
    /// `VALUES ROW(...), ROW(...)`
    Values(Box<ValuesQuery<'a>>),
    /// `TABLE t`
    Table(Box<TableQuery<'a>>),
    /// `( query )`; the query's span is inside the parentheses.
    Paren(Box<Query<'a>>, Span),
    /// Two or more bodies joined by UNION and EXCEPT, or by INTERSECT.
    SetOp(Box<SetOperation<'a>>),
}

impl SetExpr<'_> {
    /// From the first to the last byte, parentheses included.
    pub fn span(&self) -> Span {
        match self {
            Self::Select(select) => select.span,
            Self::Values(values) => values.span,
            Self::Table(table) => table.span,
            Self::Paren(_, span) => *span,
            Self::SetOp(op) => op.span,
        }
    }
}

/// A chain of set operations of equal precedence, evaluated from the left; INTERSECT binds tighter and so forms chains of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct SetOperation<'a> {
    /// The chain's text.
    pub span: Span,
    /// The first operand.
    pub first: SetExpr<'a>,
    /// The others, at least one.
    pub rest: Vec<SetTerm<'a>>,
}

/// An operator and its right operand.
#[derive(Clone, Debug, PartialEq)]
pub struct SetTerm<'a> {
    /// The operator.
    pub op: SetOperator,
    /// `ALL`; otherwise DISTINCT, written or not.
    pub all: bool,
    /// From the operator's first byte to ALL or DISTINCT.
    pub op_span: Span,
    /// The right operand.
    pub operand: SetExpr<'a>,
}

/// Set operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOperator {
    /// `UNION`
    Union,
    /// `EXCEPT`
    Except,
    /// `INTERSECT`
    Intersect,
}

/// One SELECT without ORDER BY, LIMIT and locking, which belong to its [`Query`].
#[derive(Clone, Debug, PartialEq)]
pub struct Select<'a> {
    /// From SELECT to the end of its last clause.
    pub span: Span,
    /// The keyword SELECT.
    pub keyword: Span,
    /// The optimizer hint comment `/*+ ... */` after the keyword.
    pub hints: Option<Span>,
    /// Options before the select list.
    pub options: SelectOptions,
    /// The select list.
    pub items: Vec<SelectItem<'a>>,
    /// From the first to the last item.
    pub items_span: Span,
    /// FROM; `FROM DUAL` has no tables.
    pub from: Option<FromClause<'a>>,
    /// WHERE.
    pub where_clause: Option<Condition<'a>>,
    /// GROUP BY.
    pub group_by: Option<GroupBy<'a>>,
    /// HAVING.
    pub having: Option<Condition<'a>>,
    /// WINDOW definitions.
    pub windows: Vec<NamedWindow<'a>>,
    /// QUALIFY (MySQL 9.x).
    pub qualify: Option<Condition<'a>>,
}

impl Select<'_> {
    /// Where a WHERE clause starts or would be inserted: after FROM, else after the select list.
    pub fn where_at(&self) -> u32 {
        match (&self.where_clause, &self.from) {
            (Some(clause), _) => clause.span.start,
            (None, Some(from)) => from.span.end,
            (None, None) => self.items_span.end,
        }
    }
}

/// Words between SELECT and the select list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelectOptions {
    /// `DISTINCT` or `DISTINCTROW`.
    pub distinct: bool,
    /// `ALL`.
    pub all: bool,
    /// `HIGH_PRIORITY`
    pub high_priority: bool,
    /// `STRAIGHT_JOIN`
    pub straight_join: bool,
    /// `SQL_SMALL_RESULT`
    pub small_result: bool,
    /// `SQL_BIG_RESULT`
    pub big_result: bool,
    /// `SQL_BUFFER_RESULT`
    pub buffer_result: bool,
    /// `SQL_NO_CACHE`
    pub no_cache: bool,
    /// `SQL_CALC_FOUND_ROWS`
    pub calc_found_rows: bool,
    /// All of the words; empty (at the first item) when there are none.
    pub span: Span,
}

/// One element of a select list.
#[derive(Clone, Debug, PartialEq)]
pub enum SelectItem<'a> {
    /// `*`, `t.*`, `db.t.*`
    Wildcard {
        /// The text.
        span: Span,
        /// The table before `.*`.
        table: Option<ObjectName<'a>>,
    },
    /// An expression.
    Expr {
        /// Expression and alias.
        span: Span,
        /// The expression. MySQL names the column by its text when there is no alias.
        expr: Expr<'a>,
        /// The alias, with or without AS.
        alias: Option<Ident<'a>>,
    },
}

/// FROM.
#[derive(Clone, Debug, PartialEq)]
pub struct FromClause<'a> {
    /// From FROM to the end of the last table.
    pub span: Span,
    /// The comma-separated tables; empty for DUAL.
    pub tables: Vec<TableRef<'a>>,
}

/// WHERE, HAVING or QUALIFY with its expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition<'a> {
    /// From the keyword to the expression's end.
    pub span: Span,
    /// The expression.
    pub expr: Expr<'a>,
}

/// GROUP BY.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupBy<'a> {
    /// From GROUP to the end.
    pub span: Span,
    /// The grouping expressions.
    pub items: Vec<Expr<'a>>,
    /// WITH ROLLUP, ROLLUP(...) or CUBE(...).
    pub modifier: GroupModifier,
}

/// What GROUP BY adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupModifier {
    /// Nothing.
    None,
    /// `WITH ROLLUP` or `ROLLUP (...)`
    Rollup,
    /// `CUBE (...)`, `GROUPING SETS (...)`
    Cube,
}

/// ORDER BY.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderBy<'a> {
    /// From ORDER to the end.
    pub span: Span,
    /// The keys.
    pub items: Vec<OrderItem<'a>>,
}

/// One sort key.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderItem<'a> {
    /// Expression and direction.
    pub span: Span,
    /// The expression; an integer literal is a position.
    pub expr: Expr<'a>,
    /// `DESC`.
    pub descending: bool,
}

/// LIMIT.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit<'a> {
    /// From LIMIT to the end.
    pub span: Span,
    /// Number of rows: an integer literal, a param, or a variable name inside a stored program.
    pub count: Expr<'a>,
    /// Rows skipped, by OFFSET or by the comma form.
    pub offset: Option<Expr<'a>>,
}

/// A locking clause.
#[derive(Clone, Debug, PartialEq)]
pub struct Locking<'a> {
    /// The clause.
    pub span: Span,
    /// The strength.
    pub strength: LockStrength,
    /// `OF a, b`
    pub of: Vec<ObjectName<'a>>,
    /// What to do about locked rows.
    pub wait: LockWait,
}

/// How strong a locking clause is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockStrength {
    /// `FOR UPDATE`
    Update,
    /// `FOR SHARE`, `LOCK IN SHARE MODE`
    Share,
}

/// What a locking read does about locked rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockWait {
    /// Waits.
    Wait,
    /// `NOWAIT`
    NoWait,
    /// `SKIP LOCKED`
    SkipLocked,
}

/// INTO of a SELECT.
#[derive(Clone, Debug, PartialEq)]
pub struct IntoClause<'a> {
    /// The clause.
    pub span: Span,
    /// Where the rows go.
    pub target: IntoTarget<'a>,
}

/// Where INTO writes.
#[derive(Clone, Debug, PartialEq)]
pub enum IntoTarget<'a> {
    /// `INTO @a, b`: user variables as [`super::ExprKind::UserVar`], stored program variables as columns.
    Variables(Vec<Expr<'a>>),
    /// `INTO OUTFILE 'name' ...`
    Outfile(Literal<'a>),
    /// `INTO DUMPFILE 'name'`
    Dumpfile(Literal<'a>),
}

/// `TABLE t`.
#[derive(Clone, Debug, PartialEq)]
pub struct TableQuery<'a> {
    /// The text.
    pub span: Span,
    /// The table.
    pub table: ObjectName<'a>,
}

/// `VALUES ROW(1, 2), ROW(3, 4)`.
#[derive(Clone, Debug, PartialEq)]
pub struct ValuesQuery<'a> {
    /// The text.
    pub span: Span,
    /// The rows.
    pub rows: Vec<Vec<Expr<'a>>>,
}

/// WITH.
#[derive(Clone, Debug, PartialEq)]
pub struct With<'a> {
    /// From WITH to the last `)`.
    pub span: Span,
    /// `RECURSIVE`.
    pub recursive: bool,
    /// The common table expressions.
    pub tables: Vec<Cte<'a>>,
}

/// A common table expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Cte<'a> {
    /// The text.
    pub span: Span,
    /// Its name.
    pub name: Ident<'a>,
    /// Column names, when written.
    pub columns: Vec<Ident<'a>>,
    /// The query.
    pub query: Query<'a>,
}

/// `WINDOW name AS (...)`.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedWindow<'a> {
    /// The name.
    pub name: Ident<'a>,
    /// The definition.
    pub spec: WindowSpec<'a>,
}

/// A window definition.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowSpec<'a> {
    /// Parentheses included.
    pub span: Span,
    /// The window it builds on.
    pub base: Option<Ident<'a>>,
    /// PARTITION BY.
    pub partition_by: Vec<Expr<'a>>,
    /// ORDER BY.
    pub order_by: Option<OrderBy<'a>>,
    /// The frame clause.
    pub frame: Option<Frame<'a>>,
}

/// A frame clause.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame<'a> {
    /// The text.
    pub span: Span,
    /// Its bounds' expressions, in order.
    pub bounds: Vec<Expr<'a>>,
}
