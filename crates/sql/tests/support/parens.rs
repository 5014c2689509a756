//! Expressions with every operation in parentheses, made from the tree by splicing the text.

use std::ops::ControlFlow;

use sql::ast::{Expr, ExprKind, Query};
use sql::span::Span;
use sql::visit::{Visit, walk_expr};

/// The direct children of an expression, already parenthesised.
struct Children<'t> {
    text: &'t [u8],
    found: Vec<(Span, String)>,
}

impl<'a> Visit<'a> for Children<'_> {
    type Break = ();

    fn query(&mut self, _: &Query<'a>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn expr(&mut self, expr: &Expr<'a>) -> ControlFlow<()> {
        self.found.push((expr.span, parenthesise(expr, self.text)));
        ControlFlow::Continue(())
    }
}

/// The expression's text in which every operation has parentheses around it.
pub(crate) fn parenthesise(expr: &Expr<'_>, text: &[u8]) -> String {
    let mut children = Children {
        text,
        found: Vec::new(),
    };
    let _ = walk_expr(&mut children, expr);
    let mut out = String::new();
    let mut at = expr.span.start;
    for (span, child) in children.found {
        out.push_str(&String::from_utf8_lossy(Span::new(at, span.start).of(text)));
        out.push_str(&child);
        at = span.end;
    }
    out.push_str(&String::from_utf8_lossy(Span::new(at, expr.span.end).of(text)));
    let is_operation = matches!(
        expr.kind,
        ExprKind::Unary(..)
            | ExprKind::Binary(_)
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Is { .. }
            | ExprKind::InList(_)
            | ExprKind::InSubquery(_)
            | ExprKind::Between(_)
            | ExprKind::Like(_)
            | ExprKind::Regexp(_)
            | ExprKind::MemberOf(..)
            | ExprKind::Quantified(_)
            | ExprKind::Collate(..)
            | ExprKind::Assign(..)
    );
    if is_operation { format!("({out})") } else { out }
}
