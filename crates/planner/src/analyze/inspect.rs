//! What expressions contain.

use std::ops::ControlFlow;

use sql::ast::{Call, Expr, ExprKind, NamedWindow, OverWindow, Query, WindowSpec};
use sql::visit::{Visit, walk_expr};

use crate::builtin::is_aggregate;

/// What an expression of a block contains, subqueries aside.
#[derive(Default)]
pub(crate) struct Inspect {
    pub(crate) aggregates: bool,
    pub(crate) windows: bool,
    /// Columns outside of subqueries, or subqueries.
    pub(crate) columns: bool,
}

impl Inspect {
    pub(crate) fn look(&mut self, expr: &Expr<'_>) {
        let _ = self.expr(expr);
    }

    fn call(&mut self, call: &Call<'_>) {
        match &call.over {
            Some(_) => self.windows = true,
            None => {
                let name = String::from_utf8_lossy(&call.name.value).to_ascii_lowercase();
                self.aggregates |= call.schema.is_none() && is_aggregate(&name);
            }
        }
    }
}

impl<'a> Visit<'a> for Inspect {
    type Break = ();

    fn query(&mut self, _: &Query<'a>) -> ControlFlow<()> {
        self.columns = true;
        ControlFlow::Continue(())
    }

    fn expr(&mut self, expr: &Expr<'a>) -> ControlFlow<()> {
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::Param(_) => return ControlFlow::Continue(()),
            ExprKind::Column(_) => self.columns = true,
            ExprKind::Call(call) => self.call(call),
            _ => {}
        }
        walk_expr(self, expr)
    }
}

/// Whether all windows are partitioned as wanted.
pub(super) struct WindowCheck<'x, 'n, 'a> {
    pub(super) partitioned: &'x dyn Fn(&WindowSpec<'_>) -> bool,
    pub(super) named: &'x dyn Fn(&[u8]) -> Option<&'n NamedWindow<'a>>,
    pub(super) ok: bool,
}

impl<'a> Visit<'a> for WindowCheck<'_, '_, '_> {
    type Break = ();

    fn query(&mut self, _: &Query<'a>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn expr(&mut self, expr: &Expr<'a>) -> ControlFlow<()> {
        if let ExprKind::Call(call) = &expr.kind
            && let Some(over) = &call.over
        {
            self.ok &= match &over.window {
                OverWindow::Spec(spec) => (self.partitioned)(spec),
                OverWindow::Name(name) => {
                    (self.named)(&name.value).is_some_and(|window| (self.partitioned)(&window.spec))
                }
            };
        }
        walk_expr(self, expr)
    }
}
