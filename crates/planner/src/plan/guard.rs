//! Conditions on literals under which a cached plan may be used.

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
