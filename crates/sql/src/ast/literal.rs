//! Literals.

use crate::span::Span;

/// What a literal's text looks like, before any conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LiteralKind {
    /// Digits only, of any length.
    Integer,
    /// Digits with a point, without exponent.
    Decimal,
    /// With an exponent.
    Float,
    /// In quotes.
    String,
    /// `0x4D` or `x'4D'`.
    Hex,
    /// `0b1` or `b'1'`.
    Bit,
}

/// One literal token, that is one slot of the statement's fingerprint (except inside `/*! */`, where the text stays in the key).
///
/// An introducer, `N`, `DATE` or a minus sign that does not touch the digits is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Literal<'a> {
    /// Where it stands, quotes, prefix and sign included.
    pub span: Span,
    /// Its form.
    pub kind: LiteralKind,
    /// Whether `raw` starts with a minus sign (numbers in unary position only).
    pub negative: bool,
    /// The bytes at `span`.
    pub raw: &'a [u8],
}
