//! Key ranges, shard names, and the rules that make a list of shards a keyspace.

mod partition;

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use partition::{
    MAX_EVEN_SHARDS, Partition, PartitionError, even_split, even_split_with_chars, parse_spec,
};

use crate::keyspace_id::KeyspaceId;

/// The most hex digits that one side of a shard name may have (the widest keyspace id of a functional vindex is a
/// `cfc` one; 64 bytes are far beyond what splitting ever needs).
const MAX_HEX_DIGITS: usize = 128;

/// The half-open range `[start, end)` of keyspace ids. An empty start is the minimum, an empty end the maximum.
///
/// It prints as the shard's name: `-80`, `80-c0`, `-` for all ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyRange {
    start: KeyspaceId,
    end: KeyspaceId,
}

/// Why a text is no key range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRangeError {
    /// Not of the form `START-END`.
    #[error("\"{0}\" is no key range: expected START-END in hex, as in \"-80\", \"80-c0\" or \"-\"")]
    Form(String),
    /// One side is not an even number of hex digits.
    #[error("\"{0}\" is no key range: each side takes an even number of hex digits, at most 128")]
    Hex(String),
    /// The end is not above the start.
    #[error("key range \"{0}\" is empty: its end must be above its start")]
    Empty(String),
}

impl KeyRange {
    /// The range of all keyspace ids.
    pub fn full() -> Self {
        Self::default()
    }

    /// The range from `start` up to, not including, `end`; empty bytes leave that side open.
    ///
    /// # Errors
    /// [`KeyRangeError::Empty`] when no id can lie in it.
    pub fn new(start: &[u8], end: &[u8]) -> Result<Self, KeyRangeError> {
        let range = Self {
            start: KeyspaceId::new(start),
            end: KeyspaceId::new(end),
        };
        if range.end.is_empty() || range.start < range.end {
            Ok(range)
        } else {
            Err(KeyRangeError::Empty(range.to_string()))
        }
    }

    /// All ids that begin with `prefix`: `[prefix, prefix + 1)`. A prefix of FF bytes has no upper bound, an empty
    /// one means all ids.
    pub fn from_prefix(prefix: &[u8]) -> Self {
        Self {
            start: KeyspaceId::new(prefix),
            end: successor(prefix).unwrap_or_default(),
        }
    }

    /// The ids between two bounds that may be missing, both included. None when the bounds leave nothing.
    ///
    /// The end `[.., end]` includes ids that only add zero bytes to `end`, since those are equal to it.
    pub fn inclusive(start: Option<&[u8]>, end: Option<&[u8]>) -> Option<Self> {
        let start = KeyspaceId::new(start.unwrap_or_default());
        let Some(end) = end else {
            return Some(Self {
                start,
                end: KeyspaceId::default(),
            });
        };
        if start > KeyspaceId::new(end) {
            return None;
        }
        // No id is the next one above another (there is always one with a further zero byte between): the bound is a
        // little too wide, which costs nothing, where one too narrow would lose rows.
        let mut above = KeyspaceId::new(end);
        above.extend(&[1]);
        Some(Self { start, end: above })
    }

    /// The first id in it; empty for the minimum.
    pub fn start(&self) -> &KeyspaceId {
        &self.start
    }

    /// The first id after it; empty for no limit.
    pub fn end(&self) -> &KeyspaceId {
        &self.end
    }

    /// True when every keyspace id lies in it.
    pub fn is_full(&self) -> bool {
        self.start.significant().is_empty() && self.end.is_empty()
    }

    /// True when the id lies in it.
    pub fn contains(&self, id: &KeyspaceId) -> bool {
        *id >= self.start && (self.end.is_empty() || *id < self.end)
    }

    /// True when the whole of `other` lies in it.
    pub fn contains_range(&self, other: &Self) -> bool {
        self.start <= other.start && compare_ends(&self.end, &other.end) != Ordering::Less
    }

    /// True when some id lies in both.
    pub fn intersects(&self, other: &Self) -> bool {
        (self.end.is_empty() || other.start < self.end) && (other.end.is_empty() || self.start < other.end)
    }

    /// The ids that lie in both, if any.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        if !self.intersects(other) {
            return None;
        }
        let start = self.start.clone().max(other.start.clone());
        let end = match compare_ends(&self.end, &other.end) {
            Ordering::Greater => other.end.clone(),
            _ => self.end.clone(),
        };
        Some(Self { start, end })
    }

    /// True when one ends exactly where the other starts.
    pub fn is_adjacent(&self, other: &Self) -> bool {
        let meets = |left: &Self, right: &Self| {
            !left.end.is_empty() && !right.start.significant().is_empty() && left.end == right.start
        };
        meets(self, other) || meets(other, self)
    }

    /// Compares by position: by start, then by end.
    pub fn compare(&self, other: &Self) -> Ordering {
        self.start
            .cmp(&other.start)
            .then_with(|| compare_ends(&self.end, &other.end))
    }

    /// The name of the shard as a Kubernetes object name carries it: an open side becomes `x`, so `-80` of the
    /// keyspace `customer` is `customer-x-80`, `80-` is `customer-80-x` and `-` is `customer-x-x`.
    pub fn object_name(&self, keyspace: &str) -> String {
        let side = |id: &KeyspaceId| {
            if id.is_empty() {
                "x".to_owned()
            } else {
                id.to_string()
            }
        };
        format!("{keyspace}-{}-{}", side(&self.start), side(&self.end))
    }

    /// Splits an [object name](Self::object_name) into the keyspace's name and the range.
    ///
    /// # Errors
    /// When the last two parts are no key range.
    pub fn parse_object_name(name: &str) -> Result<(&str, Self), KeyRangeError> {
        let form = || KeyRangeError::Form(name.to_owned());
        let (rest, end) = name.rsplit_once('-').ok_or_else(form)?;
        let (keyspace, start) = rest.rsplit_once('-').ok_or_else(form)?;
        if keyspace.is_empty() || start.is_empty() || end.is_empty() {
            return Err(form());
        }
        let side = |text| {
            if text == "x" {
                Ok(Vec::new())
            } else {
                parse_side(text, name)
            }
        };
        Ok((keyspace, Self::new(&side(start)?, &side(end)?)?))
    }
}

/// Parses a shard name. `0`, the traditional name of the only shard of an unsharded keyspace, is the full range.
impl FromStr for KeyRange {
    type Err = KeyRangeError;

    fn from_str(name: &str) -> Result<Self, KeyRangeError> {
        if name == "0" {
            return Ok(Self::full());
        }
        let (start, end) = name
            .split_once('-')
            .ok_or_else(|| KeyRangeError::Form(name.to_owned()))?;
        Self::new(&parse_side(start, name)?, &parse_side(end, name)?)
    }
}

impl fmt::Display for KeyRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start, self.end)
    }
}

impl Serialize for KeyRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// One side of a shard name in bytes.
fn parse_side(side: &str, name: &str) -> Result<Vec<u8>, KeyRangeError> {
    if side.contains('-') {
        return Err(KeyRangeError::Form(name.to_owned()));
    }
    if side.len() > MAX_HEX_DIGITS {
        return Err(KeyRangeError::Hex(name.to_owned()));
    }
    hex::decode(side).map_err(|_| KeyRangeError::Hex(name.to_owned()))
}

/// Orders ends, where an empty one is the maximum.
fn compare_ends(left: &KeyspaceId, right: &KeyspaceId) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => left.cmp(right),
    }
}

/// The smallest byte string above all that begin with `prefix`, if there is one.
fn successor(prefix: &[u8]) -> Option<KeyspaceId> {
    let last = prefix.iter().rposition(|&byte| byte != 0xff)?;
    let (head, tail) = prefix.split_at_checked(last)?;
    let mut next = KeyspaceId::new(head);
    next.extend(&[tail.first()?.checked_add(1)?]);
    Some(next)
}

#[cfg(test)]
mod tests;
