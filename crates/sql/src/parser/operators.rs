//! Binding powers, from MySQL's grammar: a higher number binds tighter.

use super::Parser;
use crate::ast::BinaryOp;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::mode::LexMode;

pub(super) const OR: u8 = 10;
pub(super) const XOR: u8 = 20;
pub(super) const AND: u8 = 30;
/// `NOT` without HIGH_NOT_PRECEDENCE: its operand may be a comparison or an IS test.
pub(super) const NOT: u8 = 35;
/// `IS TRUE`, `IS FALSE`, `IS UNKNOWN`: nothing tighter than NOT may follow.
pub(super) const IS_TRUTH: u8 = 38;
/// Comparisons and `IS NULL`, from the left.
pub(super) const COMPARISON: u8 = 40;
/// IN, BETWEEN, LIKE, REGEXP, SOUNDS LIKE, MEMBER OF: they do not chain.
pub(super) const PREDICATE: u8 = 50;
pub(super) const BIT_OR: u8 = 60;
pub(super) const BIT_AND: u8 = 70;
pub(super) const SHIFT: u8 = 80;
pub(super) const ADD: u8 = 90;
pub(super) const MULTIPLY: u8 = 100;
pub(super) const BIT_XOR: u8 = 110;
/// `||` under PIPES_AS_CONCAT. The grammar's simple expressions start here.
pub(super) const CONCAT: u8 = 120;
/// `-`, `+`, `~`, `!`, `BINARY` in front of an operand.
pub(super) const PREFIX: u8 = 130;
pub(super) const COLLATE: u8 = 140;

/// What an infix token does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Infix {
    Or,
    And,
    Binary(BinaryOp),
    Is,
    In,
    Between,
    Like,
    Regexp,
    SoundsLike,
    MemberOf,
    /// `NOT IN`, `NOT BETWEEN`, `NOT LIKE`, `NOT REGEXP`.
    Not,
    Collate,
}

impl Parser<'_> {
    /// The infix operator at the current token with its binding power.
    pub(super) fn infix_operator(&self) -> Option<(Infix, u8)> {
        let binary = |op, power| Some((Infix::Binary(op), power));
        match self.current.tok {
            Tok::Word => self.infix_word(),
            Tok::Eq => binary(BinaryOp::Eq, COMPARISON),
            Tok::NullSafeEq => binary(BinaryOp::NullSafeEq, COMPARISON),
            Tok::Ne => binary(BinaryOp::Ne, COMPARISON),
            Tok::Lt => binary(BinaryOp::Lt, COMPARISON),
            Tok::Le => binary(BinaryOp::Le, COMPARISON),
            Tok::Gt => binary(BinaryOp::Gt, COMPARISON),
            Tok::Ge => binary(BinaryOp::Ge, COMPARISON),
            Tok::Pipe => binary(BinaryOp::BitOr, BIT_OR),
            Tok::Amp => binary(BinaryOp::BitAnd, BIT_AND),
            Tok::ShiftLeft => binary(BinaryOp::ShiftLeft, SHIFT),
            Tok::ShiftRight => binary(BinaryOp::ShiftRight, SHIFT),
            Tok::Plus => binary(BinaryOp::Add, ADD),
            Tok::Minus => binary(BinaryOp::Sub, ADD),
            Tok::Star => binary(BinaryOp::Mul, MULTIPLY),
            Tok::Slash => binary(BinaryOp::Div, MULTIPLY),
            Tok::Percent => binary(BinaryOp::Mod, MULTIPLY),
            Tok::Caret => binary(BinaryOp::BitXor, BIT_XOR),
            Tok::AmpAmp => Some((Infix::And, AND)),
            Tok::PipePipe if self.options.mode.has(LexMode::PIPES_AS_CONCAT) => {
                binary(BinaryOp::Concat, CONCAT)
            }
            Tok::PipePipe => Some((Infix::Or, OR)),
            _ => None,
        }
    }

    fn infix_word(&self) -> Option<(Infix, u8)> {
        Some(match self.current.kw {
            Kw::AND => (Infix::And, AND),
            Kw::OR => (Infix::Or, OR),
            Kw::XOR => (Infix::Binary(BinaryOp::Xor), XOR),
            Kw::IS => (Infix::Is, COMPARISON),
            Kw::IN => (Infix::In, PREDICATE),
            Kw::BETWEEN => (Infix::Between, PREDICATE),
            Kw::LIKE => (Infix::Like, PREDICATE),
            Kw::REGEXP | Kw::RLIKE => (Infix::Regexp, PREDICATE),
            Kw::NOT => (Infix::Not, PREDICATE),
            Kw::DIV => (Infix::Binary(BinaryOp::IntDiv), MULTIPLY),
            Kw::MOD => (Infix::Binary(BinaryOp::Mod), MULTIPLY),
            Kw::COLLATE => (Infix::Collate, COLLATE),
            // Not reserved: an alias unless the rest follows.
            Kw::SOUNDS if self.peek().kw == Kw::LIKE => (Infix::SoundsLike, PREDICATE),
            Kw::MEMBER if self.peek().kw == Kw::OF || self.peek().tok == Tok::LParen => {
                (Infix::MemberOf, PREDICATE)
            }
            _ => return None,
        })
    }
}
