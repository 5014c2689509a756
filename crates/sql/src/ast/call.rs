//! Function calls and what looks like one.

use super::{Expr, Ident, IntervalUnit, Literal, OrderBy, WindowSpec};
use crate::span::Span;

/// A function call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call<'a> {
    /// The schema of a stored function, when written.
    pub schema: Option<Ident<'a>>,
    /// The name, as written.
    pub name: Ident<'a>,
    /// How the arguments were written.
    pub syntax: CallSyntax,
    /// `DISTINCT` before an aggregate's arguments.
    pub distinct: bool,
    /// The arguments. Units (`TIMESTAMPADD`, `GET_FORMAT`) are not among them.
    pub args: Vec<Expr<'a>>,
    /// ORDER BY of GROUP_CONCAT.
    pub order_by: Option<OrderBy<'a>>,
    /// SEPARATOR of GROUP_CONCAT.
    pub separator: Option<Literal<'a>>,
    /// The unit of TIMESTAMPADD and TIMESTAMPDIFF.
    pub unit: Option<IntervalUnit>,
    /// `USING charset` of CHAR.
    pub using: Option<Ident<'a>>,
    /// Text inside the parentheses that has no node of its own: `RETURNING type ON EMPTY ..` of JSON_VALUE, `AS CHAR(n)` of WEIGHT_STRING,
    /// the first argument of GET_FORMAT.
    pub extra: Option<Span>,
    /// The OVER clause with what stands before it.
    pub over: Option<Over<'a>>,
}

/// How a call's arguments were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallSyntax {
    /// `f(a, b)`
    Args,
    /// `COUNT(*)`
    Star,
    /// Without parentheses: `CURRENT_TIMESTAMP`, `CURRENT_USER`, `UTC_DATE`.
    Bare,
    /// `SUBSTRING(a FROM b [FOR c])`
    FromFor,
    /// `POSITION(a IN b)`
    In,
}

/// The OVER clause.
#[derive(Clone, Debug, PartialEq)]
pub struct Over<'a> {
    /// From `FROM FIRST`, `RESPECT NULLS` or `OVER` to the end.
    pub span: Span,
    /// The window.
    pub window: OverWindow<'a>,
}

/// A window by name or in place.
#[derive(Clone, Debug, PartialEq)]
pub enum OverWindow<'a> {
    /// `OVER w`
    Name(Ident<'a>),
    /// `OVER (...)`
    Spec(WindowSpec<'a>),
}

/// `MATCH .. AGAINST`.
#[derive(Clone, Debug, PartialEq)]
pub struct Match<'a> {
    /// The columns.
    pub columns: Vec<Expr<'a>>,
    /// The searched words.
    pub against: Expr<'a>,
    /// The mode.
    pub mode: MatchMode,
}

/// Full-text search modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchMode {
    /// `IN NATURAL LANGUAGE MODE` or nothing
    Natural,
    /// `IN NATURAL LANGUAGE MODE WITH QUERY EXPANSION`, `WITH QUERY EXPANSION`
    Expansion,
    /// `IN BOOLEAN MODE`
    Boolean,
}

/// `->` and `->>`.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonExtract<'a> {
    /// The column.
    pub column: Expr<'a>,
    /// The path.
    pub path: Literal<'a>,
    /// `->>`.
    pub unquote: bool,
}
