//! Conditions and the subqueries within expressions.

use std::ops::ControlFlow;

use sql::ast::{Condition, Expr, ExprKind, InSubquery, Query};
use sql::visit::{Visit, walk_expr};

use super::facts::bare;
use super::query::Ctes;
use super::{Analysis, Inst, Node, Scope};
use crate::error::PlanError;

impl Analysis<'_, '_> {
    pub(super) fn condition<'n, 'a>(
        &mut self,
        condition: &'n Condition<'a>,
        scope: &Scope<'_>,
        allowed: &[Inst],
        ctes: Option<&Ctes<'n, 'a, '_>>,
        located: &mut Vec<Inst>,
    ) -> Result<(), PlanError> {
        let (facts, edges) = (self.facts.len(), self.edges.len());
        self.assume(scope, allowed, &condition.expr);
        // What must equal something, or lie in a range, is not NULL: an outer join's filling does not pass.
        let new_facts = self.facts.iter().skip(facts).map(|(node, _)| node.inst);
        let new_edges = self.edges.iter().skip(edges).map(|edge| edge.from.inst);
        let present: Vec<Inst> = new_facts.chain(new_edges).collect();
        for inst in present {
            if let Some(instance) = self.instances.get_mut(usize::from(inst)) {
                instance.null_supplied = false;
            }
        }
        self.conditional_subqueries(&condition.expr, scope, allowed, ctes, located)
    }

    /// The same for the WHERE of UPDATE and DELETE.
    pub(crate) fn where_clause<'n, 'a>(
        &mut self,
        condition: Option<&'n Condition<'a>>,
        scope: &Scope<'_>,
        ctes: Option<&Ctes<'n, 'a, '_>>,
        located: &mut Vec<Inst>,
    ) -> Result<(), PlanError> {
        let allowed = scope.instances.clone();
        match condition {
            Some(condition) => self.condition(condition, scope, &allowed, ctes, located),
            None => Ok(()),
        }
    }

    /// Subqueries of a condition; `column IN (SELECT ..)` among its terms also ties the two.
    pub(super) fn conditional_subqueries<'n, 'a>(
        &mut self,
        condition: &'n Expr<'a>,
        scope: &Scope<'_>,
        allowed: &[Inst],
        ctes: Option<&Ctes<'n, 'a, '_>>,
        located: &mut Vec<Inst>,
    ) -> Result<(), PlanError> {
        match &bare(condition).kind {
            ExprKind::And(terms) => terms
                .iter()
                .try_for_each(|term| self.conditional_subqueries(term, scope, allowed, ctes, located)),
            ExprKind::InSubquery(test) if !test.negated => {
                self.in_subquery(test, scope, Some(allowed), ctes, located)
            }
            _ => self.subqueries(condition, scope, ctes, located),
        }
    }

    /// `left IN (SELECT right ..)`. `required`: it has to be true for rows of these instances.
    ///
    /// Elsewhere (under OR, NOT IN) only its being true, false or NULL for each row counts. Rows of the subquery with other values
    /// decide between false and NULL only, and with columns that are never NULL not even that.
    fn in_subquery<'n, 'a>(
        &mut self,
        test: &'n InSubquery<'a>,
        scope: &Scope<'_>,
        required: Option<&[Inst]>,
        ctes: Option<&Ctes<'n, 'a, '_>>,
        located: &mut Vec<Inst>,
    ) -> Result<(), PlanError> {
        self.subqueries(&test.expr, scope, ctes, located)?;
        let report = self.query(&test.query, Some(scope), ctes)?;
        let lefts: Vec<&Expr<'a>> = match &bare(&test.expr).kind {
            ExprKind::Row(columns) => columns.iter().collect(),
            _ => vec![&test.expr],
        };
        let columns = report.columns.unwrap_or_default();
        let pairs = lefts.into_iter().zip(&columns);
        let nodes: Vec<(Option<Node>, Option<Node>)> = pairs
            .map(|(left, column)| (self.node_of(scope, left), column.origin))
            .collect();
        let never_null = nodes
            .iter()
            .all(|(left, right)| self.is_never_null(*left) && self.is_never_null(*right));
        for (left, right) in nodes {
            let (Some(left), Some(right)) = (left, right) else {
                continue;
            };
            let mut sides = required.unwrap_or_default().to_vec();
            let by_rows = report.transparent || report.group_nodes.contains(&right);
            if by_rows && (required.is_some() || never_null) {
                sides.push(right.inst);
            }
            self.add_edges(&sides, left, right);
        }
        located.extend(report.located);
        Ok(())
    }

    fn is_never_null(&self, node: Option<Node>) -> bool {
        node.is_some_and(|node| {
            !self.is_null_supplied(node) && self.column(node).is_some_and(|column| !column.nullable)
        })
    }

    /// Analyses the subqueries of an expression.
    pub(crate) fn subqueries<'n, 'a>(
        &mut self,
        expr: &'n Expr<'a>,
        scope: &Scope<'_>,
        ctes: Option<&Ctes<'n, 'a, '_>>,
        located: &mut Vec<Inst>,
    ) -> Result<(), PlanError> {
        if matches!(
            expr.kind,
            ExprKind::Column(_) | ExprKind::Literal(_) | ExprKind::Param(_)
        ) {
            return Ok(());
        }
        let mut walk = Subqueries {
            analysis: self,
            scope,
            ctes,
            located,
        };
        match walk.expr(expr) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(error),
        }
    }
}

struct Subqueries<'x, 'c, 's, 'n, 'a, 'p> {
    analysis: &'x mut Analysis<'c, 's>,
    scope: &'x Scope<'p>,
    ctes: Option<&'x Ctes<'n, 'a, 'p>>,
    located: &'x mut Vec<Inst>,
}

impl<'a> Visit<'a> for Subqueries<'_, '_, '_, '_, 'a, '_> {
    type Break = PlanError;

    fn expr(&mut self, expr: &Expr<'a>) -> ControlFlow<PlanError> {
        let ExprKind::InSubquery(test) = &expr.kind else {
            return walk_expr(self, expr);
        };
        match self
            .analysis
            .in_subquery(test, self.scope, None, self.ctes, self.located)
        {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn query(&mut self, query: &Query<'a>) -> ControlFlow<PlanError> {
        match self.analysis.query(query, Some(self.scope), self.ctes) {
            Ok(report) => {
                self.located.extend(report.located);
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}
