//! Names.

use std::borrow::Cow;

use crate::span::Span;

/// An identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident<'a> {
    /// The name without quotes, doubled quotes undone, in the client's character set.
    pub value: Cow<'a, [u8]>,
    /// Where it stands, quotes included.
    pub span: Span,
    /// Whether it was written in backticks (or in double quotes under ANSI_QUOTES, or as a string where MySQL allows that).
    pub quoted: bool,
}

impl Ident<'_> {
    /// The name as text; `None` when it is not UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.value).ok()
    }

    /// Whether the name equals `other`, ASCII letters compared without case.
    pub fn is(&self, other: &str) -> bool {
        self.value.eq_ignore_ascii_case(other.as_bytes())
    }
}

/// The name of a table, view or routine with an optional schema: `db.t` or `t`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectName<'a> {
    /// The schema (database), when written.
    pub schema: Option<Ident<'a>>,
    /// The name itself.
    pub name: Ident<'a>,
}

impl ObjectName<'_> {
    /// From the schema to the name's last byte.
    pub fn span(&self) -> Span {
        self.schema
            .as_ref()
            .map_or(self.name.span, |schema| schema.span.to(self.name.span))
    }
}

/// A reference to a column: `c`, `t.c` or `db.t.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnRef<'a> {
    /// The schema, when written.
    pub schema: Option<Ident<'a>>,
    /// The table or alias, when written.
    pub table: Option<Ident<'a>>,
    /// The column.
    pub column: Ident<'a>,
}

impl ColumnRef<'_> {
    /// From the first qualifier to the column's last byte.
    pub fn span(&self) -> Span {
        let first = self
            .schema
            .as_ref()
            .or(self.table.as_ref())
            .unwrap_or(&self.column);
        first.span.to(self.column.span)
    }
}
