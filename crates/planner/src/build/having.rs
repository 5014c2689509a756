//! HAVING over merged groups: comparisons of numbers.

use sql::ast::{BinaryOp, Expr, ExprKind, IsTest, UnaryOp};

use super::Builder;
use super::group::Groups;
use crate::analyze::{bare, source_of};
use crate::error::PlanError;
use crate::plan::{Having, HavingOp, Operand};

impl Builder<'_, '_> {
    /// The condition as the gateway evaluates it.
    pub(crate) fn having(
        &mut self,
        expr: &Expr<'_>,
        groups: &mut Groups<'_, '_, '_>,
    ) -> Result<Having, PlanError> {
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
        let key = groups.value_of(expr)?;
        self.exact.push(expr.span);
        Ok(Operand::Column(key.value))
    }
}
