//! Keyspace ids: the byte strings that decide on which shard a row lives.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use smallvec::SmallVec;

/// The place of a row in its keyspace: any byte string, not only eight bytes.
///
/// Two ids are equal, and hash alike, when they differ in trailing zero bytes only (`80` = `8000`): the order is
/// unsigned and lexicographic over what is left after those are stripped. [`KeyspaceId::as_bytes`] keeps them.
#[derive(Clone, Default)]
pub struct KeyspaceId(SmallVec<[u8; 16]>);

impl KeyspaceId {
    /// The id made of exactly these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(SmallVec::from_slice(bytes))
    }

    /// The bytes as they were given, trailing zero bytes included.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Appends bytes to the id.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// True when no byte is there.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes that take part in comparisons: without trailing zero bytes.
    pub fn significant(&self) -> &[u8] {
        strip_zeros(&self.0)
    }
}

/// Cuts trailing zero bytes off.
pub(crate) fn strip_zeros(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., 0] = bytes {
        bytes = rest;
    }
    bytes
}

impl From<[u8; 8]> for KeyspaceId {
    fn from(bytes: [u8; 8]) -> Self {
        Self::new(&bytes)
    }
}

impl PartialEq for KeyspaceId {
    fn eq(&self, other: &Self) -> bool {
        self.significant() == other.significant()
    }
}

impl Eq for KeyspaceId {}

impl Hash for KeyspaceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.significant().hash(state);
    }
}

impl PartialOrd for KeyspaceId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for KeyspaceId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.significant().cmp(other.significant())
    }
}

/// Prints the bytes in lower-case hex.
impl fmt::Display for KeyspaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyspaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyspaceId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_zero_bytes_do_not_count() {
        let ids = [&[0x80][..], &[0x80, 0], &[0x80, 0, 0]].map(KeyspaceId::new);
        assert!(ids.windows(2).all(|pair| pair.first() == pair.last()));
        assert_eq!(KeyspaceId::new(&[0]), KeyspaceId::new(&[]));
        assert_eq!(ids.map(|id| id.to_string()), ["80", "8000", "800000"]);
    }

    #[test]
    fn order_is_unsigned_and_lexicographic() {
        assert!(KeyspaceId::new(&[0x7f, 0xff]) < KeyspaceId::new(&[0x80]));
        assert!(KeyspaceId::new(&[0x80]) < KeyspaceId::new(&[0x80, 0, 1]));
    }
}
