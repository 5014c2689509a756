//! Primary collation weights of Unicode text, as the loose vindexes hash them.

use smallvec::SmallVec;

/// The weights of a text, as the loose vindexes hash them.
pub(crate) fn key(_text: &str) -> Option<SmallVec<[u8; 64]>> {
    None
}

/// True when texts that are equal in MySQL's collation of that name have equal weights here.
pub(crate) fn covers_collation(_name: &str) -> bool {
    false
}
