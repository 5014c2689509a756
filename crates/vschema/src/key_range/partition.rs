//! Lists of key ranges that cover a keyspace: the even split, spec strings, and the check that nothing is missing.

use super::{KeyRange, KeyRangeError};
use crate::keyspace_id::KeyspaceId;

/// The most shards that [`even_split`] makes.
pub const MAX_EVEN_SHARDS: usize = 65_536;

/// Why a list of key ranges is no complete partition of the keyspace, or cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartitionError {
    /// One of the ranges does not parse.
    #[error(transparent)]
    Range(#[from] KeyRangeError),
    /// No range at all.
    #[error("no shards: at least one key range is needed")]
    NoShards,
    /// Ids before the first range, between two or after the last belong to no shard.
    #[error("no shard holds the key range \"{0}\"")]
    Gap(KeyRange),
    /// Two shards, by name, claim the same ids.
    #[error("shards \"{0}\" and \"{1}\" overlap")]
    Overlap(String, String),
    /// The bounds of a spec string do not grow.
    #[error("spec \"{0}\": bounds must strictly increase, and an open side stands only at the ends")]
    Spec(String),
    /// The number of shards is out of range, or too large for the given width.
    #[error(
        "cannot split into {shards} shards with {chars} hex digits (1 to 65536 shards; 2, 4 .. 16 digits)"
    )]
    Count {
        /// Shards wanted.
        shards: usize,
        /// Hex digits per bound.
        chars: usize,
    },
}

/// The shards of a keyspace, sorted, every keyspace id in exactly one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    ranges: Vec<KeyRange>,
    /// [`KeyspaceId::leading`] of each start, which nearly always is enough to find a shard.
    leading: Vec<u64>,
}

impl Partition {
    /// Sorts the ranges and checks that they cover everything once.
    ///
    /// # Errors
    /// Names the first gap or overlap.
    pub fn new(mut ranges: Vec<KeyRange>) -> Result<Self, PartitionError> {
        ranges.sort_by(KeyRange::compare);
        let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else {
            return Err(PartitionError::NoShards);
        };
        if !first.start.significant().is_empty() {
            let before = KeyRange {
                start: KeyspaceId::default(),
                end: first.start.clone(),
            };
            return Err(PartitionError::Gap(before));
        }
        for (left, right) in ranges.iter().zip(ranges.iter().skip(1)) {
            if left.intersects(right) {
                return Err(PartitionError::Overlap(left.to_string(), right.to_string()));
            }
            if left.end != right.start {
                let between = KeyRange {
                    start: left.end.clone(),
                    end: right.start.clone(),
                };
                return Err(PartitionError::Gap(between));
            }
        }
        if !last.end.is_empty() {
            let after = KeyRange {
                start: last.end.clone(),
                end: KeyspaceId::default(),
            };
            return Err(PartitionError::Gap(after));
        }
        let leading = ranges.iter().map(|range| range.start.leading()).collect();
        Ok(Self { ranges, leading })
    }

    /// The ranges in order.
    pub fn ranges(&self) -> &[KeyRange] {
        &self.ranges
    }

    /// The index in [`Partition::ranges`] of the shard that holds the id.
    pub fn find(&self, id: &KeyspaceId) -> usize {
        let leading = id.leading();
        let mut after = self.leading.partition_point(|start| *start <= leading);
        // Starts of more than eight bytes may have the id's leading bytes and still lie above it.
        while after > 1 && self.ranges.get(after - 1).is_some_and(|range| range.start > *id) {
            after -= 1;
        }
        after.saturating_sub(1)
    }

    /// The indexes of the shards that hold ids of the range.
    pub fn find_range(&self, range: &KeyRange) -> std::ops::Range<usize> {
        let end = match range.end.is_empty() {
            true => self.ranges.len(),
            false => self.ranges.partition_point(|shard| shard.start < range.end),
        };
        self.find(&range.start)..end
    }
}

/// `shards` ranges of equal size, written with two hex digits up to 256 shards and four above.
///
/// # Errors
/// [`PartitionError::Count`] for 0 or more than [`MAX_EVEN_SHARDS`].
pub fn even_split(shards: usize) -> Result<Vec<KeyRange>, PartitionError> {
    even_split_with_chars(shards, if shards <= 256 { 2 } else { 4 })
}

/// As [`even_split`], with a chosen number of hex digits (even, 2 to 16). Bound `i` is `floor(i * 16^chars / shards)`.
///
/// # Errors
/// [`PartitionError::Count`] when the number of shards is out of range or does not fit the width.
pub fn even_split_with_chars(shards: usize, chars: usize) -> Result<Vec<KeyRange>, PartitionError> {
    let count = || PartitionError::Count { shards, chars };
    if !(1..=MAX_EVEN_SHARDS).contains(&shards) || !(2..=16).contains(&chars) || chars % 2 == 1 {
        return Err(count());
    }
    let space = 1u128 << (4 * chars);
    if shards as u128 > space {
        return Err(count());
    }
    let bound = |i: usize| {
        let value = i as u128 * space / shards as u128;
        let bytes = value.to_be_bytes();
        let skip = bytes.len() - chars / 2;
        match i == 0 || i == shards {
            true => KeyspaceId::default(),
            false => KeyspaceId::new(bytes.get(skip..).unwrap_or_default()),
        }
    };
    Ok((0..shards)
        .map(|i| KeyRange {
            start: bound(i),
            end: bound(i + 1),
        })
        .collect())
}

/// Expands a spec string into adjacent ranges: `-40-80-` is `-40`, `40-80`, `80-`.
///
/// # Errors
/// When a bound is no hex or bounds do not strictly increase (they are compared as strings).
pub fn parse_spec(spec: &str) -> Result<Vec<KeyRange>, PartitionError> {
    let bounds: Vec<&str> = spec.split('-').collect();
    let mut ranges = Vec::with_capacity(bounds.len());
    for (i, (left, right)) in bounds.iter().zip(bounds.iter().skip(1)).enumerate() {
        let open_inside = (i > 0 && left.is_empty()) || (i + 2 < bounds.len() && right.is_empty());
        if open_inside || (!right.is_empty() && left >= right) {
            return Err(PartitionError::Spec(spec.to_owned()));
        }
        ranges.push(format!("{left}-{right}").parse()?);
    }
    match ranges.is_empty() {
        true => Err(PartitionError::Spec(spec.to_owned())),
        false => Ok(ranges),
    }
}
