//! Conditions on literals under which a cached plan may be used.

use sql::fingerprint::Fingerprint;

use super::SlotIndex;

/// What a slot must satisfy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// The slot's text is exactly this (for a list slot: the whole list's text).
    Exact(Box<[u8]>),
    /// The slot's text equals that of another slot.
    EqualTo(SlotIndex),
}

/// The guards of a plan: slots that are not listed are free.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guards {
    /// Guarded slots in ascending order.
    pub slots: Box<[(SlotIndex, Guard)]>,
}

impl Guards {
    /// Whether a text with the plan's fingerprint key satisfies them.
    pub fn accept(&self, text: &[u8], fingerprint: &Fingerprint) -> bool {
        let slots = fingerprint.slots();
        let text_of = |index: SlotIndex| slots.get(index as usize).map(|slot| slot.span.of(text));
        self.slots.iter().all(|(index, guard)| match guard {
            Guard::Exact(expected) => text_of(*index) == Some(expected),
            Guard::EqualTo(other) => text_of(*index) == text_of(*other),
        })
    }
}
