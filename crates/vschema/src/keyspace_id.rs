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
        let mut bytes = self.as_bytes();
        while let [rest @ .., 0] = bytes {
            bytes = rest;
        }
        bytes
    }

    /// The first eight bytes as a number, with zero bytes in place of missing ones: ids whose numbers differ are in
    /// the order of these.
    pub fn leading(&self) -> u64 {
        match self.0.first_chunk() {
            Some(bytes) => u64::from_be_bytes(*bytes),
            None => self
                .0
                .iter()
                .fold(0, |number, byte| number << 8 | u64::from(*byte))
                .unbounded_shl(64 - 8 * self.0.len() as u32),
        }
    }
}

impl From<[u8; 8]> for KeyspaceId {
    fn from(bytes: [u8; 8]) -> Self {
        let [a, b, c, d, e, f, g, h] = bytes;
        Self(SmallVec::from_buf_and_len(
            [a, b, c, d, e, f, g, h, 0, 0, 0, 0, 0, 0, 0, 0],
            8,
        ))
    }
}

impl PartialEq for KeyspaceId {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
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
        self.leading()
            .cmp(&other.leading())
            .then_with(|| match self.0.len().max(other.0.len()) {
                ..=8 => Ordering::Equal,
                _ => self.significant().cmp(other.significant()),
            })
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

    proptest::proptest! {
        #[test]
        fn order_is_that_of_significant_bytes(left in "[\\x00\\x01]{0,11}", right in "[\\x00\\x01]{0,11}") {
            let (left, right) = (KeyspaceId::new(left.as_bytes()), KeyspaceId::new(right.as_bytes()));
            proptest::prop_assert_eq!(left.cmp(&right), left.significant().cmp(right.significant()));
        }
    }
}
