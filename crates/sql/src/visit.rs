//! Walks over the syntax tree.
//!
//! A [`Visit`] implementation overrides what it wants to see and calls the `walk_*` function of the same name to go deeper; by default
//! every method just walks. Returning [`ControlFlow::Break`] ends the whole walk. Nodes are visited in the order of the text, except that
//! ORDER BY, LIMIT and locking of a query come after its body.

mod expr;
mod query;
mod statement;

use std::ops::ControlFlow;

pub use expr::walk_expr;
pub use query::{walk_query, walk_select, walk_set_expr, walk_table};
pub use statement::walk_statement;

use crate::ast::{Assignment, Expr, NamedTable, Query, Select, Statement, TableQuery, TableRef};

/// What a walk calls.
pub trait Visit<'a> {
    /// What a walk that ended early gives.
    type Break;

    /// A statement: the one that the walk started with, or one inside EXPLAIN.
    fn statement(&mut self, statement: &Statement<'a>) -> ControlFlow<Self::Break> {
        walk_statement(self, statement)
    }

    /// A query: the statement itself, a subquery, a derived table, a common table expression, or one in parentheses.
    fn query(&mut self, query: &Query<'a>) -> ControlFlow<Self::Break> {
        walk_query(self, query)
    }

    /// A SELECT without its ORDER BY and LIMIT.
    fn select(&mut self, select: &Select<'a>) -> ControlFlow<Self::Break> {
        walk_select(self, select)
    }

    /// An element of FROM, of a multi-table UPDATE or of a DELETE, joins included.
    fn table(&mut self, table: &TableRef<'a>) -> ControlFlow<Self::Break> {
        walk_table(self, table)
    }

    /// The table of `TABLE t`.
    fn table_query(&mut self, table: &TableQuery<'a>) -> ControlFlow<Self::Break> {
        let _ = table;
        ControlFlow::Continue(())
    }

    /// A table by name in such a place. INSERT, LOAD DATA and DDL name their tables in their own nodes.
    fn named_table(&mut self, table: &NamedTable<'a>) -> ControlFlow<Self::Break> {
        let _ = table;
        ControlFlow::Continue(())
    }

    /// An assignment in INSERT, UPDATE or ON DUPLICATE KEY UPDATE; its value is visited as an expression.
    fn assignment(&mut self, assignment: &Assignment<'a>) -> ControlFlow<Self::Break> {
        self.expr(&assignment.value)
    }

    /// An expression.
    fn expr(&mut self, expr: &Expr<'a>) -> ControlFlow<Self::Break> {
        walk_expr(self, expr)
    }
}

/// Visits every element in turn.
fn each<'n, T: 'n, B>(
    nodes: impl IntoIterator<Item = &'n T>,
    visit: impl FnMut(&'n T) -> ControlFlow<B>,
) -> ControlFlow<B> {
    nodes.into_iter().try_for_each(visit)
}
