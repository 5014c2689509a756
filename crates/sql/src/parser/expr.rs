//! Expressions: operators by binding power.

use super::operators::{
    AND, BIT_OR, BIT_XOR, COLLATE, COMPARISON, CONCAT, IS_TRUTH, Infix, NOT, OR, PREDICATE, PREFIX,
};
use super::{Parse, Parser};
use crate::ast::{
    Between, Binary, BinaryOp, Expr, ExprKind, InList, InSubquery, IsTest, Like, Quantified, Quantifier,
    UnaryOp,
};
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::mode::LexMode;
use crate::span::Span;

impl<'a> Parser<'a> {
    /// Any expression.
    pub(super) fn expr(&mut self) -> Parse<Expr<'a>> {
        self.expr_above(0)
    }

    /// The grammar's bit expression: no comparison, predicate or logical operator outside parentheses.
    pub(super) fn bit_expr(&mut self) -> Parse<Expr<'a>> {
        self.expr_above(BIT_OR)
    }

    /// An expression of operators that bind at least as tightly as `min`.
    pub(super) fn expr_above(&mut self, min: u8) -> Parse<Expr<'a>> {
        self.enter()?;
        let outer = std::mem::take(&mut self.height);
        let left = self.prefix(min)?;
        let expr = self.infix(left, min)?;
        self.grow()?;
        self.height = self.height.max(outer);
        self.leave();
        Ok(expr)
    }

    /// What follows an expression that was already read by other means.
    pub(super) fn continue_expr(&mut self, left: Expr<'a>) -> Parse<Expr<'a>> {
        self.infix(left, 0)
    }

    fn infix(&mut self, mut left: Expr<'a>, min: u8) -> Parse<Expr<'a>> {
        // After an operator that does not chain, only looser ones may follow.
        let mut max = u8::MAX;
        while let Some((operator, power)) = self.infix_operator() {
            if power < min || power > max {
                break;
            }
            // The operands of one AND or OR chain are siblings.
            let is_sibling = match operator {
                Infix::And => matches!(left.kind, ExprKind::And(_)),
                Infix::Or => matches!(left.kind, ExprKind::Or(_)),
                _ => false,
            };
            if !is_sibling {
                self.grow()?;
            }
            (left, max) = match operator {
                Infix::And => (self.and(left)?, AND),
                Infix::Or => (self.or(left)?, OR),
                Infix::Binary(op) => self.binary(left, op, power)?,
                Infix::Is => self.is_test(left)?,
                Infix::Collate => (self.collate(left)?, COLLATE),
                predicate => (self.predicate(left, predicate)?, PREDICATE - 1),
            };
        }
        Ok(left)
    }

    fn and(&mut self, left: Expr<'a>) -> Parse<Expr<'a>> {
        self.bump();
        let right = self.expr_above(AND + 1)?;
        let span = left.span.to(right.span);
        let operands = match left.kind {
            ExprKind::And(mut operands) => {
                operands.push(right);
                operands
            }
            _ => vec![left, right],
        };
        Ok(Expr {
            span,
            kind: ExprKind::And(operands),
        })
    }

    fn or(&mut self, left: Expr<'a>) -> Parse<Expr<'a>> {
        self.bump();
        let right = self.expr_above(OR + 1)?;
        let span = left.span.to(right.span);
        let operands = match left.kind {
            ExprKind::Or(mut operands) => {
                operands.push(right);
                operands
            }
            _ => vec![left, right],
        };
        Ok(Expr {
            span,
            kind: ExprKind::Or(operands),
        })
    }

    /// A binary operation, and how tightly the next operator may bind.
    fn binary(&mut self, left: Expr<'a>, op: BinaryOp, power: u8) -> Parse<(Expr<'a>, u8)> {
        let op_span = self.bump().span;
        if op.is_comparison() && self.at_any(&[Kw::ANY, Kw::SOME, Kw::ALL]) && self.peek().tok == Tok::LParen
        {
            let quantifier = if self.bump().kw == Kw::ALL {
                Quantifier::All
            } else {
                Quantifier::Any
            };
            let (query, span) = self.subquery()?;
            let span = left.span.to(span);
            let kind = ExprKind::Quantified(Box::new(Quantified {
                left,
                op,
                quantifier,
                query,
            }));
            return Ok((Expr { span, kind }, power));
        }
        let right = match op {
            // An interval on the right takes no further operand with it.
            BinaryOp::Add | BinaryOp::Sub if self.at_kw(Kw::INTERVAL) && self.peek().tok != Tok::LParen => {
                self.interval()?
            }
            BinaryOp::Add | BinaryOp::Sub if self.at_kw(Kw::INTERVAL) => self.interval_or_call(power + 1)?,
            _ => self.expr_above(power + 1)?,
        };
        // `a + INTERVAL b DAY * c` is `(a + INTERVAL b DAY) * c`, since an interval is no operand of `*`.
        let max = if matches!(right.kind, ExprKind::Interval(..)) {
            BIT_XOR
        } else {
            power
        };
        let span = left.span.to(right.span);
        let kind = ExprKind::Binary(Box::new(Binary {
            op,
            op_span,
            left,
            right,
        }));
        Ok((Expr { span, kind }, max))
    }

    /// `IS [NOT] NULL|TRUE|FALSE|UNKNOWN`.
    fn is_test(&mut self, left: Expr<'a>) -> Parse<(Expr<'a>, u8)> {
        self.bump();
        let negated = self.eat_kw(Kw::NOT);
        let (test, max) = match self.current.kw {
            Kw::NULL => (IsTest::Null, COMPARISON),
            Kw::TRUE => (IsTest::True, IS_TRUTH),
            Kw::FALSE => (IsTest::False, IS_TRUTH),
            Kw::UNKNOWN => (IsTest::Unknown, IS_TRUTH),
            _ => return self.fail(),
        };
        let end = self.bump().span;
        let span = left.span.to(end);
        Ok((
            Expr {
                span,
                kind: ExprKind::Is {
                    expr: Box::new(left),
                    negated,
                    test,
                },
            },
            max,
        ))
    }

    fn collate(&mut self, left: Expr<'a>) -> Parse<Expr<'a>> {
        self.bump();
        let name = self.charset_name()?;
        let span = left.span.to(name.span);
        Ok(Expr {
            span,
            kind: ExprKind::Collate(Box::new(left), Box::new(name)),
        })
    }

    fn predicate(&mut self, left: Expr<'a>, operator: Infix) -> Parse<Expr<'a>> {
        let (operator, negated) = match operator {
            Infix::Not => {
                self.bump();
                match self.infix_operator() {
                    Some((operator @ (Infix::In | Infix::Between | Infix::Like | Infix::Regexp), _)) => {
                        (operator, true)
                    }
                    _ => return self.fail(),
                }
            }
            operator => (operator, false),
        };
        let start = left.span.start;
        let kind = match operator {
            Infix::In => return self.in_predicate(left, negated),
            Infix::Between => {
                self.bump();
                let low = self.bit_expr()?;
                self.expect_kw(Kw::AND)?;
                let high = self.expr_above(PREDICATE)?;
                ExprKind::Between(Box::new(Between {
                    expr: left,
                    negated,
                    low,
                    high,
                }))
            }
            Infix::Like => {
                self.bump();
                let pattern = self.expr_above(CONCAT)?;
                let escape = if self.eat_kw(Kw::ESCAPE) {
                    Some(self.expr_above(CONCAT)?)
                } else {
                    None
                };
                ExprKind::Like(Box::new(Like {
                    expr: left,
                    negated,
                    pattern,
                    escape,
                }))
            }
            Infix::Regexp => {
                self.bump();
                let pattern = self.bit_expr()?;
                ExprKind::Regexp(Box::new(Like {
                    expr: left,
                    negated,
                    pattern,
                    escape: None,
                }))
            }
            Infix::SoundsLike => {
                let op_span = self.bump().span.to(self.current.span);
                self.bump();
                let right = self.bit_expr()?;
                ExprKind::Binary(Box::new(Binary {
                    op: BinaryOp::SoundsLike,
                    op_span,
                    left,
                    right,
                }))
            }
            _ => {
                self.bump();
                self.eat_kw(Kw::OF);
                self.expect(Tok::LParen)?;
                let array = self.expr_above(CONCAT)?;
                self.expect(Tok::RParen)?;
                ExprKind::MemberOf(Box::new(left), Box::new(array))
            }
        };
        Ok(Expr {
            span: self.since(start),
            kind,
        })
    }

    fn in_predicate(&mut self, left: Expr<'a>, negated: bool) -> Parse<Expr<'a>> {
        self.bump();
        let start = left.span.start;
        let open = self.start();
        if !self.at(Tok::LParen) {
            return self.fail();
        }
        if self.at_query_in_parens() {
            let inner = self.paren()?;
            if let ExprKind::Subquery(query) = inner.kind {
                let kind = ExprKind::InSubquery(Box::new(InSubquery {
                    expr: left,
                    negated,
                    query: *query,
                }));
                return Ok(Expr {
                    span: self.since(start),
                    kind,
                });
            }
            // A list whose first element starts with a subquery.
            let list = match inner.kind {
                ExprKind::Paren(only) => vec![*only],
                ExprKind::Row(items) => items,
                _ => return self.fail(),
            };
            let list_span = self.since(open);
            let kind = ExprKind::InList(Box::new(InList {
                expr: left,
                negated,
                list,
                list_span,
            }));
            return Ok(Expr {
                span: self.since(start),
                kind,
            });
        }
        let list = self.paren_list(Self::expr)?;
        let list_span = self.since(open);
        let kind = ExprKind::InList(Box::new(InList {
            expr: left,
            negated,
            list,
            list_span,
        }));
        Ok(Expr {
            span: self.since(start),
            kind,
        })
    }

    /// A prefix operator with its operand, or a primary expression.
    fn prefix(&mut self, min: u8) -> Parse<Expr<'a>> {
        let op = match self.current.tok {
            Tok::Minus => UnaryOp::Minus,
            Tok::Plus => UnaryOp::Plus,
            Tok::Tilde => UnaryOp::BitNot,
            Tok::Bang => UnaryOp::Bang,
            Tok::Word if self.at_kw(Kw::BINARY) => UnaryOp::Binary,
            Tok::Word if self.at_kw(Kw::NOT) => UnaryOp::Not,
            _ => return self.primary(),
        };
        let operand = match op {
            UnaryOp::Not if !self.options.mode.has(LexMode::HIGH_NOT_PRECEDENCE) => {
                if min > NOT {
                    return self.fail();
                }
                NOT
            }
            _ => PREFIX,
        };
        let start = self.bump().span.start;
        let inner = self.expr_above(operand)?;
        Ok(Expr {
            span: self.since(start),
            kind: ExprKind::Unary(op, Box::new(inner)),
        })
    }

    /// `INTERVAL expr unit`.
    pub(super) fn interval(&mut self) -> Parse<Expr<'a>> {
        let start = self.bump().span.start;
        let amount = self.expr()?;
        self.interval_unit_after(start, amount)
    }

    fn interval_unit_after(&mut self, start: u32, amount: Expr<'a>) -> Parse<Expr<'a>> {
        let unit = self.interval_unit()?;
        Ok(Expr {
            span: self.since(start),
            kind: ExprKind::Interval(Box::new(amount), unit),
        })
    }

    /// `INTERVAL (` may be an interval or the function of that name; `min` is how tightly what follows the function must bind.
    fn interval_or_call(&mut self, min: u8) -> Parse<Expr<'a>> {
        let expr = self.interval_paren()?;
        match expr.kind {
            ExprKind::Interval(..) => Ok(expr),
            _ => self.infix(expr, min),
        }
    }

    /// `INTERVAL (a) unit` or `INTERVAL (a, b, ...)`.
    pub(super) fn interval_paren(&mut self) -> Parse<Expr<'a>> {
        let word = self.bump();
        let start = word.span.start;
        let inner = self.paren()?;
        match inner.kind {
            ExprKind::Row(args) if !self.at_interval_unit() => {
                let name = self.to_ident(word);
                Ok(self.plain_call(start, name, args))
            }
            _ => {
                let amount = self.continue_expr(inner)?;
                self.interval_unit_after(start, amount)
            }
        }
    }

    /// `INTERVAL 1 DAY + expr`: an interval in front takes everything down to comparisons as its operand.
    pub(super) fn leading_interval(&mut self) -> Parse<Expr<'a>> {
        let interval = if self.peek().tok == Tok::LParen {
            self.interval_paren()?
        } else {
            self.interval()?
        };
        if !matches!(interval.kind, ExprKind::Interval(..)) || !self.at(Tok::Plus) {
            return Ok(interval);
        }
        let op_span = self.bump().span;
        let right = self.expr_above(NOT + 1)?;
        let span: Span = interval.span.to(right.span);
        let binary = Binary {
            op: BinaryOp::Add,
            op_span,
            left: interval,
            right,
        };
        Ok(Expr {
            span,
            kind: ExprKind::Binary(Box::new(binary)),
        })
    }
}
