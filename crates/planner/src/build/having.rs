//! HAVING over merged groups: comparisons of numbers.

use sql::ast::{BinaryOp, Condition, Expr, ExprKind, IsTest, UnaryOp};

use super::Builder;
use super::edits::Part;
use super::group::Groups;
use crate::analyze::{bare, source_of};
use crate::error::PlanError;
use crate::plan::{Having, HavingOp, Operand};

impl Builder<'_, '_> {
    /// Leaves to the shards the terms that only groups as such decide, and takes the others, which on a shard would see partial
    /// sums.
    pub(crate) fn split_having(
        &mut self,
        condition: &Condition<'_>,
        groups: &mut Groups<'_, '_, '_>,
    ) -> Result<Option<Having>, PlanError> {
        let mut terms = Vec::new();
        collect_terms(&condition.expr, &mut terms);
        let (local, merged): (Vec<&Expr<'_>>, Vec<&Expr<'_>>) =
            terms.into_iter().partition(|term| groups.is_of_keys(term));
        if merged.is_empty() {
            return Ok(None);
        }
        let mut parts = Vec::new();
        for term in local {
            let word: &[u8] = if parts.is_empty() { b"HAVING " } else { b" AND " };
            parts.push(Part::Text(word.to_vec()));
            parts.push(Part::Copy(term.span));
            if groups.merging.edits.touches(term.span) {
                return Err(PlanError::unsupported(
                    "a session function in HAVING over several shards",
                ));
            }
        }
        groups.merging.edits.put(condition.span, parts);
        let merged = merged
            .into_iter()
            .map(|term| self.having(term, groups))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Some(Having::And(merged.into_boxed_slice())))
    }

    /// The condition as the gateway evaluates it.
    fn having(&mut self, expr: &Expr<'_>, groups: &mut Groups<'_, '_, '_>) -> Result<Having, PlanError> {
        let inner = bare(expr);
        let refuse = || {
            PlanError::unsupported("this HAVING over several shards").at((inner.span.start, inner.span.end))
        };
        Ok(match &inner.kind {
            ExprKind::And(terms) => Having::And(
                terms
                    .iter()
                    .map(|term| self.having(term, groups))
                    .collect::<Result<_, _>>()?,
            ),
            ExprKind::Or(terms) => Having::Or(
                terms
                    .iter()
                    .map(|term| self.having(term, groups))
                    .collect::<Result<_, _>>()?,
            ),
            ExprKind::Unary(UnaryOp::Not | UnaryOp::Bang, term) => {
                Having::Not(Box::new(self.having(term, groups)?))
            }
            ExprKind::Is {
                expr,
                negated,
                test: IsTest::Null,
            } => {
                let test = Having::IsNull(self.operand(expr, groups)?);
                if *negated {
                    Having::Not(Box::new(test))
                } else {
                    test
                }
            }
            ExprKind::Between(between) => {
                let value = self.operand(&between.expr, groups)?;
                let low = self.operand(&between.low, groups)?;
                let high = self.operand(&between.high, groups)?;
                let both = Having::And(Box::new([
                    Having::Compare {
                        left: value.clone(),
                        op: HavingOp::Ge,
                        right: low,
                    },
                    Having::Compare {
                        left: value,
                        op: HavingOp::Le,
                        right: high,
                    },
                ]));
                if between.negated {
                    Having::Not(Box::new(both))
                } else {
                    both
                }
            }
            ExprKind::Binary(binary) => {
                let op = match binary.op {
                    BinaryOp::Eq => HavingOp::Eq,
                    BinaryOp::Ne => HavingOp::Ne,
                    BinaryOp::Lt => HavingOp::Lt,
                    BinaryOp::Le => HavingOp::Le,
                    BinaryOp::Gt => HavingOp::Gt,
                    BinaryOp::Ge => HavingOp::Ge,
                    BinaryOp::NullSafeEq => HavingOp::NullSafeEq,
                    _ => return Err(refuse()),
                };
                let left = self.operand(&binary.left, groups)?;
                let right = self.operand(&binary.right, groups)?;
                Having::Compare { left, op, right }
            }
            _ => return Err(refuse()),
        })
    }

    fn operand(&mut self, expr: &Expr<'_>, groups: &mut Groups<'_, '_, '_>) -> Result<Operand, PlanError> {
        if let Some(source) = source_of(self.slots, expr) {
            return Ok(Operand::Value(source));
        }
        if groups.is_ambiguous(expr) {
            let error = PlanError::unsupported("an ambiguous name in HAVING over several shards");
            return Err(error.at((expr.span.start, expr.span.end)));
        }
        let key = groups.value_of(expr)?;
        self.exact.push(expr.span);
        Ok(Operand::Column(key.value))
    }
}

/// The terms of a chain of ANDs.
fn collect_terms<'n, 'a>(expr: &'n Expr<'a>, terms: &mut Vec<&'n Expr<'a>>) {
    match &expr.kind {
        ExprKind::And(parts) => parts.iter().for_each(|part| collect_terms(part, terms)),
        ExprKind::Paren(inner) if matches!(inner.kind, ExprKind::And(_)) => collect_terms(inner, terms),
        _ => terms.push(expr),
    }
}
