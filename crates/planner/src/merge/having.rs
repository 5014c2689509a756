//! HAVING over merged rows.

use std::cmp::Ordering;

use super::column::{ColumnInfo, ColumnKind};
use super::decimal::Decimal;
use super::number::Number;
use super::row::Row;
use crate::bindings::Bindings;
use crate::error::PlanError;
use crate::plan::{Having, HavingOp, Operand, Source};
use crate::value::Value;

/// Whether a row satisfies a condition; None is MySQL's NULL, which drops the row.
///
/// # Errors
/// 1235 when a side is no number.
pub fn holds(
    having: &Having,
    row: &Row,
    columns: &[ColumnInfo],
    hidden: u16,
    bindings: &Bindings<'_>,
) -> Result<Option<bool>, PlanError> {
    let part = |term: &Having| holds(term, row, columns, hidden, bindings);
    let side = |operand: &Operand| side(operand, row, columns, hidden, bindings);
    Ok(match having {
        Having::And(terms) => {
            let mut result = Some(true);
            for term in terms {
                match part(term)? {
                    Some(false) => return Ok(Some(false)),
                    None => result = None,
                    Some(true) => {}
                }
            }
            result
        }
        Having::Or(terms) => {
            let mut result = Some(false);
            for term in terms {
                match part(term)? {
                    Some(true) => return Ok(Some(true)),
                    None => result = None,
                    Some(false) => {}
                }
            }
            result
        }
        Having::Not(term) => part(term)?.map(|holds| !holds),
        Having::IsNull(operand) => Some(side(operand)?.is_none()),
        Having::Compare { left, op, right } => match (side(left)?, side(right)?) {
            (Some(left), Some(right)) => Some(compares(left.compare(&right), *op)),
            (left, right) if *op == HavingOp::NullSafeEq => Some(left.is_none() && right.is_none()),
            _ => None,
        },
    })
}

fn compares(order: Ordering, op: HavingOp) -> bool {
    match op {
        HavingOp::Eq | HavingOp::NullSafeEq => order.is_eq(),
        HavingOp::Ne => order.is_ne(),
        HavingOp::Lt => order.is_lt(),
        HavingOp::Le => order.is_le(),
        HavingOp::Gt => order.is_gt(),
        HavingOp::Ge => order.is_ge(),
    }
}

fn side(
    operand: &Operand,
    row: &Row,
    columns: &[ColumnInfo],
    hidden: u16,
    bindings: &Bindings<'_>,
) -> Result<Option<Number>, PlanError> {
    match operand {
        Operand::Column(column) => {
            let index = column.index(columns.len(), hidden);
            let info = columns
                .get(index)
                .filter(|info| info.is_number() && info.kind != ColumnKind::Float);
            let info = *info.ok_or_else(|| {
                PlanError::unsupported("HAVING with a value that is no number over several shards")
            })?;
            Ok(row.cell(index).and_then(|cell| Number::parse(cell, info)))
        }
        Operand::Value(source) => literal(source, bindings),
    }
}

fn literal(source: &Source, bindings: &Bindings<'_>) -> Result<Option<Number>, PlanError> {
    Ok(match bindings.value(source) {
        Value::Null => None,
        Value::Int(number) => Some(Number::Exact(Decimal::integer(number))),
        Value::Decimal(text) => Decimal::parse(&text).map(Number::Exact),
        Value::Float(number) => Some(Number::Approximate(number)),
        _ => {
            return Err(PlanError::unsupported(
                "HAVING with a value that is no number over several shards",
            ));
        }
    })
}
