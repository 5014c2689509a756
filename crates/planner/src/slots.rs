//! The slots of the statement that is being planned.

use sql::ast::Expr;
use sql::fingerprint::{Fingerprint, Found, SlotClass};
use sql::span::Span;

use crate::plan::{Pos, SlotIndex};

/// A statement's text with its fingerprint.
pub(crate) struct Slots<'s> {
    text: &'s [u8],
    fingerprint: &'s Fingerprint,
}

impl<'s> Slots<'s> {
    pub(crate) fn new(text: &'s [u8], fingerprint: &'s Fingerprint) -> Self {
        Self { text, fingerprint }
    }

    pub(crate) fn text(&self) -> &'s [u8] {
        self.text
    }

    /// The slot of a literal or parameter that is not part of a list.
    pub(crate) fn scalar(&self, span: Span) -> Option<SlotIndex> {
        match self.fingerprint.find(span)? {
            Found::Slot(slot) => SlotIndex::try_from(slot).ok(),
            Found::Element { .. } => None,
        }
    }

    /// The slot of a list with these elements.
    pub(crate) fn list(&self, elements: &[Expr<'_>]) -> Option<SlotIndex> {
        let (first, last) = (elements.first()?, elements.last()?);
        self.list_at(Span::new(first.span.start, last.span.end))
    }

    /// The list slot that covers exactly this range.
    pub(crate) fn list_at(&self, span: Span) -> Option<SlotIndex> {
        let slots = self.fingerprint.slots();
        let index = slots.partition_point(|slot| slot.span.start < span.start);
        let slot = slots.get(index)?;
        let found = slot.span == span && matches!(slot.class, SlotClass::List { .. });
        found.then(|| SlotIndex::try_from(index).ok()).flatten()
    }

    /// A place that can be found again; None inside a literal.
    pub(crate) fn pos(&self, offset: u32) -> Option<Pos> {
        self.fingerprint.anchor(offset)
    }

    /// Whether two slots hold the same literal; parameters never do.
    pub(crate) fn same_literal(&self, one: SlotIndex, other: SlotIndex) -> bool {
        let slots = self.fingerprint.slots();
        match (slots.get(one as usize), slots.get(other as usize)) {
            (Some(one), Some(other)) => {
                !matches!(one.class, SlotClass::Param(_) | SlotClass::List { .. })
                    && one.span.of(self.text) == other.span.of(self.text)
            }
            _ => false,
        }
    }

    /// The slots inside a range, with their texts.
    pub(crate) fn within(&self, span: Span) -> impl Iterator<Item = (SlotIndex, &'s [u8])> {
        let slots = self.fingerprint.slots();
        let first = slots.partition_point(|slot| slot.span.start < span.start);
        let text = self.text;
        (first..)
            .zip(slots.get(first..).unwrap_or_default())
            .take_while(move |(_, slot)| slot.span.end <= span.end)
            .map(move |(index, slot)| (index as SlotIndex, slot.span.of(text)))
    }
}
