//! Walks into expressions.

use std::ops::ControlFlow;

use super::{Visit, each};
use crate::ast::{Call, Expr, ExprKind, OrderBy, OverWindow, WindowSpec};

/// Visits the direct children of an expression.
pub fn walk_expr<'a, V: Visit<'a> + ?Sized>(v: &mut V, expr: &Expr<'a>) -> ControlFlow<V::Break> {
    match &expr.kind {
        ExprKind::Literal(_)
        | ExprKind::Adjacent(_)
        | ExprKind::Introduced(_)
        | ExprKind::National(_)
        | ExprKind::Temporal(..)
        | ExprKind::Null
        | ExprKind::Bool(_)
        | ExprKind::Param(_)
        | ExprKind::Column(_)
        | ExprKind::UserVar(_)
        | ExprKind::SysVar(_)
        | ExprKind::Default
        | ExprKind::DefaultOf(_)
        | ExprKind::ValuesOf(_) => ControlFlow::Continue(()),
        ExprKind::Paren(inner)
        | ExprKind::Unary(_, inner)
        | ExprKind::Is { expr: inner, .. }
        | ExprKind::ConvertUsing(inner, _)
        | ExprKind::Extract(_, inner)
        | ExprKind::Interval(inner, _)
        | ExprKind::Collate(inner, _)
        | ExprKind::Odbc(_, inner) => v.expr(inner),
        ExprKind::Assign(left, right) | ExprKind::MemberOf(left, right) => {
            v.expr(left)?;
            v.expr(right)
        }
        ExprKind::Row(items) | ExprKind::And(items) | ExprKind::Or(items) => each(items, |item| v.expr(item)),
        ExprKind::Binary(binary) => {
            v.expr(&binary.left)?;
            v.expr(&binary.right)
        }
        ExprKind::InList(in_list) => {
            v.expr(&in_list.expr)?;
            each(&in_list.list, |item| v.expr(item))
        }
        ExprKind::InSubquery(in_query) => {
            v.expr(&in_query.expr)?;
            v.query(&in_query.query)
        }
        ExprKind::Between(between) => {
            v.expr(&between.expr)?;
            v.expr(&between.low)?;
            v.expr(&between.high)
        }
        ExprKind::Like(like) | ExprKind::Regexp(like) => {
            v.expr(&like.expr)?;
            v.expr(&like.pattern)?;
            each(&like.escape, |escape| v.expr(escape))
        }
        ExprKind::Exists(query) | ExprKind::Subquery(query) => v.query(query),
        ExprKind::Quantified(quantified) => {
            v.expr(&quantified.left)?;
            v.query(&quantified.query)
        }
        ExprKind::Case(case) => {
            each(&case.operand, |operand| v.expr(operand))?;
            for (when, then) in &case.whens {
                v.expr(when)?;
                v.expr(then)?;
            }
            each(&case.else_value, |value| v.expr(value))
        }
        ExprKind::Cast(cast) => {
            v.expr(&cast.expr)?;
            each(&cast.time_zone, |zone| v.expr(zone))
        }
        ExprKind::Trim(trim) => {
            each(&trim.remove, |remove| v.expr(remove))?;
            v.expr(&trim.expr)
        }
        ExprKind::Call(call) => walk_call(v, call),
        ExprKind::Match(matching) => {
            each(&matching.columns, |column| v.expr(column))?;
            v.expr(&matching.against)
        }
        ExprKind::JsonExtract(extract) => v.expr(&extract.column),
    }
}

fn walk_call<'a, V: Visit<'a> + ?Sized>(v: &mut V, call: &Call<'a>) -> ControlFlow<V::Break> {
    each(&call.args, |arg| v.expr(arg))?;
    walk_order_by(v, call.order_by.as_ref())?;
    match call.over.as_ref().map(|over| &over.window) {
        Some(OverWindow::Spec(spec)) => walk_window(v, spec),
        _ => ControlFlow::Continue(()),
    }
}

pub(super) fn walk_order_by<'a, V: Visit<'a> + ?Sized>(
    v: &mut V,
    order_by: Option<&OrderBy<'a>>,
) -> ControlFlow<V::Break> {
    each(
        order_by.into_iter().flat_map(|order_by| &order_by.items),
        |item| v.expr(&item.expr),
    )
}

pub(super) fn walk_window<'a, V: Visit<'a> + ?Sized>(
    v: &mut V,
    spec: &WindowSpec<'a>,
) -> ControlFlow<V::Break> {
    each(&spec.partition_by, |expr| v.expr(expr))?;
    walk_order_by(v, spec.order_by.as_ref())?;
    each(spec.frame.iter().flat_map(|frame| &frame.bounds), |bound| {
        v.expr(bound)
    })
}
