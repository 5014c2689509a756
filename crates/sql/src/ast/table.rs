//! Table references.

use super::{Expr, Ident, Literal, ObjectName, Query};
use crate::span::Span;

/// An element of FROM.
#[derive(Clone, Debug, PartialEq)]
pub enum TableRef<'a> {
    /// A base table, view or common table expression.
    Table(Box<NamedTable<'a>>),
    /// A derived table.
    Derived(Box<Derived<'a>>),
    /// `JSON_TABLE(...)`.
    JsonTable(Box<JsonTable<'a>>),
    /// A join.
    Join(Box<Join<'a>>),
    /// `( a, b )` or `( a JOIN b ... )`, also `{OJ ...}`.
    Paren(Box<TableParen<'a>>),
}

impl TableRef<'_> {
    /// From the first to the last byte.
    pub fn span(&self) -> Span {
        match self {
            Self::Table(table) => table.span,
            Self::Derived(derived) => derived.span,
            Self::JsonTable(table) => table.span,
            Self::Join(join) => join.span,
            Self::Paren(paren) => paren.span,
        }
    }
}

/// A table by name.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTable<'a> {
    /// From the name to the last index hint.
    pub span: Span,
    /// The name.
    pub name: ObjectName<'a>,
    /// `PARTITION (p0, p1)`.
    pub partitions: Vec<Ident<'a>>,
    /// The alias.
    pub alias: Option<Ident<'a>>,
    /// Index hints in order.
    pub index_hints: Vec<IndexHint<'a>>,
    /// `TABLESAMPLE ...` (MySQL 9.x), as text.
    pub sample: Option<Span>,
}

/// `USE|FORCE|IGNORE INDEX [FOR ...] (a, b)`.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexHint<'a> {
    /// The text.
    pub span: Span,
    /// The action.
    pub action: IndexHintAction,
    /// The indexes; empty for `USE INDEX ()`.
    pub indexes: Vec<Ident<'a>>,
}

/// What an index hint asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexHintAction {
    /// `USE`
    Use,
    /// `FORCE`
    Force,
    /// `IGNORE`
    Ignore,
}

/// A derived table.
#[derive(Clone, Debug, PartialEq)]
pub struct Derived<'a> {
    /// From LATERAL or `(` to the column list.
    pub span: Span,
    /// `LATERAL`.
    pub lateral: bool,
    /// The query inside the parentheses.
    pub query: Query<'a>,
    /// The alias; MySQL requires one.
    pub alias: Option<Ident<'a>>,
    /// Column names, when written.
    pub columns: Vec<Ident<'a>>,
}

/// `JSON_TABLE(doc, path COLUMNS (...)) AS alias`.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonTable<'a> {
    /// The text with alias.
    pub span: Span,
    /// The document.
    pub doc: Expr<'a>,
    /// The path.
    pub path: Literal<'a>,
    /// The columns, those of NESTED PATH included in order.
    pub columns: Vec<Ident<'a>>,
    /// From COLUMNS to its `)`.
    pub columns_span: Span,
    /// The alias.
    pub alias: Option<Ident<'a>>,
}

/// A join.
#[derive(Clone, Debug, PartialEq)]
pub struct Join<'a> {
    /// From the left table to the condition.
    pub span: Span,
    /// The kind.
    pub kind: JoinKind,
    /// The words between the tables.
    pub op_span: Span,
    /// Left side.
    pub left: TableRef<'a>,
    /// Right side.
    pub right: TableRef<'a>,
    /// The condition.
    pub condition: JoinCondition<'a>,
}

/// Kinds of joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// `JOIN`, `INNER JOIN`, `CROSS JOIN`
    Inner,
    /// `STRAIGHT_JOIN`
    Straight,
    /// `LEFT [OUTER] JOIN`
    Left,
    /// `RIGHT [OUTER] JOIN`
    Right,
    /// `NATURAL [INNER] JOIN`
    Natural,
    /// `NATURAL LEFT [OUTER] JOIN`
    NaturalLeft,
    /// `NATURAL RIGHT [OUTER] JOIN`
    NaturalRight,
    /// `FULL OUTER JOIN`, which MySQL up to 9.7 refuses
    Full,
}

/// The condition of a join.
#[derive(Clone, Debug, PartialEq)]
pub enum JoinCondition<'a> {
    /// None.
    None,
    /// `ON expr`
    On(Expr<'a>),
    /// `USING (a, b)`
    Using(Vec<Ident<'a>>),
}

/// Parenthesised tables.
#[derive(Clone, Debug, PartialEq)]
pub struct TableParen<'a> {
    /// Parentheses included.
    pub span: Span,
    /// The tables inside.
    pub tables: Vec<TableRef<'a>>,
}
