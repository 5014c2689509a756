//! Walks into queries and tables.

use std::ops::ControlFlow;

use super::expr::{walk_order_by, walk_window};
use super::{Visit, each};
use crate::ast::{
    Condition, IntoTarget, JoinCondition, Limit, Query, Select, SelectItem, SetExpr, TableRef, With,
};

/// Visits the parts of a query.
pub fn walk_query<'a, V: Visit<'a> + ?Sized>(v: &mut V, query: &Query<'a>) -> ControlFlow<V::Break> {
    walk_with(v, query.with.as_ref())?;
    walk_set_expr(v, &query.body)?;
    walk_order_by(v, query.order_by.as_ref())?;
    walk_limit(v, query.limit.as_ref())?;
    match query.into.as_ref().map(|into| &into.target) {
        Some(IntoTarget::Variables(variables)) => each(variables, |variable| v.expr(variable)),
        _ => ControlFlow::Continue(()),
    }
}

/// Visits the operands of a query's body.
pub fn walk_set_expr<'a, V: Visit<'a> + ?Sized>(v: &mut V, body: &SetExpr<'a>) -> ControlFlow<V::Break> {
    match body {
        SetExpr::Select(select) => v.select(select),
        SetExpr::Values(values) => each(&values.rows, |row| each(row, |value| v.expr(value))),
        SetExpr::Table(table) => v.table_query(table),
        SetExpr::Paren(query, _) => v.query(query),
        SetExpr::SetOp(op) => {
            walk_set_expr(v, &op.first)?;
            each(&op.rest, |term| walk_set_expr(v, &term.operand))
        }
    }
}

/// Visits the parts of a SELECT.
pub fn walk_select<'a, V: Visit<'a> + ?Sized>(v: &mut V, select: &Select<'a>) -> ControlFlow<V::Break> {
    for item in &select.items {
        if let SelectItem::Expr { expr, .. } = item {
            v.expr(expr)?;
        }
    }
    each(select.from.iter().flat_map(|from| &from.tables), |table| {
        v.table(table)
    })?;
    walk_condition(v, select.where_clause.as_ref())?;
    each(
        select.group_by.iter().flat_map(|group_by| &group_by.items),
        |item| v.expr(item),
    )?;
    walk_condition(v, select.having.as_ref())?;
    each(&select.windows, |window| walk_window(v, &window.spec))?;
    walk_condition(v, select.qualify.as_ref())
}

/// Visits what a table reference consists of.
pub fn walk_table<'a, V: Visit<'a> + ?Sized>(v: &mut V, table: &TableRef<'a>) -> ControlFlow<V::Break> {
    match table {
        TableRef::Table(named) => v.named_table(named),
        TableRef::Derived(derived) => v.query(&derived.query),
        TableRef::JsonTable(json) => v.expr(&json.doc),
        TableRef::Join(join) => {
            v.table(&join.left)?;
            v.table(&join.right)?;
            match &join.condition {
                JoinCondition::On(expr) => v.expr(expr),
                JoinCondition::Using(_) | JoinCondition::None => ControlFlow::Continue(()),
            }
        }
        TableRef::Paren(paren) => each(&paren.tables, |table| v.table(table)),
    }
}

pub(super) fn walk_with<'a, V: Visit<'a> + ?Sized>(
    v: &mut V,
    with: Option<&With<'a>>,
) -> ControlFlow<V::Break> {
    each(with.into_iter().flat_map(|with| &with.tables), |cte| {
        v.query(&cte.query)
    })
}

pub(super) fn walk_limit<'a, V: Visit<'a> + ?Sized>(
    v: &mut V,
    limit: Option<&Limit<'a>>,
) -> ControlFlow<V::Break> {
    each(limit, |limit| {
        v.expr(&limit.count)?;
        each(&limit.offset, |offset| v.expr(offset))
    })
}

pub(super) fn walk_condition<'a, V: Visit<'a> + ?Sized>(
    v: &mut V,
    condition: Option<&Condition<'a>>,
) -> ControlFlow<V::Break> {
    each(condition, |condition| v.expr(&condition.expr))
}
