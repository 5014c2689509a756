//! Slots: the literals of a statement.

use super::Fingerprint;
use crate::ast::LiteralKind;
use crate::span::Span;

/// A literal, a `?`, or a list of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The literal with its sign and quotes (an introducer or `N` is not part of it). Of an IN list: from the first to the last element; of
    /// rows: from the first `(` to the last `)`.
    pub span: Span,
    /// The form.
    pub class: SlotClass,
    /// Whether it starts with a minus sign.
    pub negative: bool,
}

/// Forms of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlotClass {
    /// An integer that fits `i64`, its sign included.
    Integer,
    /// An integer that only fits `u64`.
    Unsigned,
    /// An integer that fits neither.
    BigInteger,
    /// Digits with a point.
    Decimal,
    /// A number with an exponent.
    Float,
    /// In quotes.
    String,
    /// `0x4D`, `x'4D'`
    Hex,
    /// `0b1`, `b'1'`
    Bit,
    /// `?`, counted from 0 within the statement.
    Param(u32),
    /// A list after IN or VALUES that holds nothing else than literals and `?`.
    List {
        /// Index of its first element in [`Fingerprint::elements`].
        first: u32,
        /// Number of elements, of all rows together.
        len: u32,
        /// Columns of each row; 0 for a plain list.
        columns: u32,
    },
}

/// An element of a list: a slot that is no list.
pub type Element = Slot;

/// A literal found by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A slot of its own, by index.
    Slot(usize),
    /// Part of a list.
    Element {
        /// The list's slot.
        slot: usize,
        /// Index within that list, row by row.
        index: usize,
    },
}

/// A place in a statement that can be found again in every text with the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Anchor {
    /// How many slots stand before the place.
    pub slot: u32,
    /// Bytes after the end of the last of them (or after the text's start).
    pub delta: u32,
}

impl Fingerprint {
    /// The elements of a list slot, row by row; empty for other slots.
    pub fn list_elements(&self, slot: &Slot) -> &[Element] {
        match slot.class {
            SlotClass::List { first, len, .. } => self
                .elements
                .get(first as usize..first as usize + len as usize)
                .unwrap_or_default(),
            _ => &[],
        }
    }

    /// The slot or list element that is exactly at `span`.
    pub fn find(&self, span: Span) -> Option<Found> {
        let slot = self.slots.partition_point(|slot| slot.span.end < span.end);
        let found = self.slots.get(slot)?;
        if matches!(found.class, SlotClass::List { .. }) {
            let elements = self.list_elements(found);
            let index = elements.partition_point(|element| element.span.start < span.start);
            return elements
                .get(index)
                .filter(|element| element.span == span)
                .map(|_| Found::Element { slot, index });
        }
        (found.span == span).then_some(Found::Slot(slot))
    }

    /// The anchor of a place of the text; `None` when it lies inside a slot.
    pub fn anchor(&self, offset: u32) -> Option<Anchor> {
        let slot = self.slots.partition_point(|slot| slot.span.end <= offset);
        if self.slots.get(slot).is_some_and(|slot| slot.span.start < offset) {
            return None;
        }
        Some(Anchor {
            slot: slot as u32,
            delta: offset - self.end_before(slot)?,
        })
    }

    /// The place of an anchor in this text; `None` when the anchor belongs to another key.
    pub fn offset(&self, anchor: Anchor) -> Option<u32> {
        self.end_before(anchor.slot as usize)?.checked_add(anchor.delta)
    }

    /// Where the slot before the given one ends.
    fn end_before(&self, slot: usize) -> Option<u32> {
        match slot.checked_sub(1) {
            None => Some(0),
            Some(before) => self.slots.get(before).map(|slot| slot.span.end),
        }
    }
}

/// The class and sign of a literal.
pub(super) fn classify(text: &[u8], span: Span, kind: LiteralKind) -> (SlotClass, bool) {
    match kind {
        LiteralKind::Integer => integer(span.of(text)),
        LiteralKind::Decimal => (SlotClass::Decimal, is_negative(text, span)),
        LiteralKind::Float => (SlotClass::Float, is_negative(text, span)),
        LiteralKind::String => (SlotClass::String, false),
        LiteralKind::Hex => (SlotClass::Hex, false),
        LiteralKind::Bit => (SlotClass::Bit, false),
    }
}

fn is_negative(text: &[u8], span: Span) -> bool {
    span.of(text).first() == Some(&b'-')
}

fn integer(raw: &[u8]) -> (SlotClass, bool) {
    let (negative, digits) = match raw.split_first() {
        Some((b'-', digits)) => (true, digits),
        _ => (false, raw),
    };
    if digits.len() <= 18 {
        return (SlotClass::Integer, negative);
    }
    let significant = digits
        .iter()
        .position(|&digit| digit != b'0')
        .unwrap_or(digits.len());
    let digits = digits.get(significant..).unwrap_or_default();
    let class = match std::str::from_utf8(digits).ok().map(str::parse::<u64>) {
        _ if digits.is_empty() => SlotClass::Integer,
        Some(Ok(value)) if value <= i64::MAX as u64 + u64::from(negative) => SlotClass::Integer,
        Some(Ok(_)) if !negative => SlotClass::Unsigned,
        _ => SlotClass::BigInteger,
    };
    (class, negative)
}
