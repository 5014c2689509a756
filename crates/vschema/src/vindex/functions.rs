//! The mapping functions themselves.

use std::ops::Bound;
use std::sync::Arc;

use md5::{Digest, Md5};
use smallvec::SmallVec;
use xxhash_rust::xxh64::xxh64;

use super::cfc::Cfc;
use super::multicol::Multicol;
use super::region::{RegionJson, region_id};
use super::static_map::StaticMap;
use super::text::{Text, number, parse_unsigned};
use super::{Folding, Mapped, VindexValue};
use crate::des;
use crate::key_range::KeyRange;
use crate::keyspace_id::KeyspaceId;
use crate::loose;

/// The function of a vindex type with its params.
#[derive(Clone, Debug)]
pub(super) enum Function {
    Binary,
    BinaryMd5,
    Cfc(Cfc),
    Hash,
    Multicol(Multicol),
    Null,
    Numeric,
    NumericStaticMap(Arc<StaticMap>),
    /// Holds the number of region bytes.
    RegionExperimental(usize),
    RegionJson(Arc<RegionJson>),
    ReverseBits,
    UnicodeLooseMd5,
    UnicodeLooseXxhash,
    Xxhash,
}

impl Function {
    pub(super) fn cost(&self) -> u32 {
        match self {
            Self::Binary | Self::Numeric => 0,
            Self::Null => 100,
            Self::Multicol(multicol) => multicol.cost(),
            _ => 1,
        }
    }

    pub(super) fn columns(&self) -> usize {
        match self {
            Self::Multicol(multicol) => multicol.columns(),
            Self::RegionExperimental(_) | Self::RegionJson(_) => 2,
            _ => 1,
        }
    }

    pub(super) fn maps_prefixes(&self) -> bool {
        matches!(self, Self::Multicol(_) | Self::RegionExperimental(_))
    }

    pub(super) fn is_ordered(&self) -> bool {
        matches!(self, Self::Binary | Self::Numeric)
    }

    pub(super) fn folding(&self, column: usize) -> Folding {
        match self {
            Self::UnicodeLooseMd5 | Self::UnicodeLooseXxhash => Folding::Loose,
            Self::Null => Folding::Constant,
            Self::Multicol(multicol) => multicol.folding(column),
            _ => Folding::Exact,
        }
    }

    #[inline]
    pub(super) fn map(&self, values: &[VindexValue<'_>]) -> Mapped {
        match (self, values) {
            (Self::Hash | Self::Xxhash, [value]) => self.map_one(*value),
            (_, values) => self.map_columns(values),
        }
    }

    fn map_columns(&self, values: &[VindexValue<'_>]) -> Mapped {
        match (self, values) {
            (_, []) => Mapped::Scatter,
            (Self::Multicol(multicol), values) => multicol.map(values),
            (Self::RegionExperimental(bytes), [region]) => match number(*region) {
                Some(region) => Mapped::from_prefix(region_id(region, *bytes).as_bytes()),
                None => Mapped::None,
            },
            (Self::RegionExperimental(bytes), [region, id]) => match (number(*region), number(*id)) {
                (Some(region), Some(id)) => {
                    let mut mapped = region_id(region, *bytes);
                    mapped.extend(&des::encrypt_with_null_key(id));
                    Mapped::KeyspaceId(mapped)
                }
                _ => Mapped::None,
            },
            (Self::RegionJson(map), [id, country]) => map.map(*id, *country),
            (Self::RegionJson(_), [_]) => Mapped::Scatter,
            (_, [value]) => self.map_one(*value),
            _ => Mapped::None,
        }
    }

    /// Maps the value of the only column, or of one column of `multicol`; [`Mapped::None`] for what the function does
    /// not take, and for functions of several columns.
    #[inline]
    pub(super) fn map_one(&self, value: VindexValue<'_>) -> Mapped {
        let id = match self {
            Self::Hash => two_complement(value).map(|number| des::encrypt_with_null_key(number).into()),
            Self::Xxhash => Some(xxh64(Text::of(value).bytes(), 0).to_le_bytes().into()),
            _ => self.map_rarely(value),
        };
        id.map_or(Mapped::None, Mapped::KeyspaceId)
    }

    /// The functions other than the two that matter most for speed, kept apart so that those are inlined.
    fn map_rarely(&self, value: VindexValue<'_>) -> Option<KeyspaceId> {
        Some(match self {
            Self::Binary => KeyspaceId::new(Text::of(value).bytes()),
            Self::BinaryMd5 => KeyspaceId::new(&Md5::digest(Text::of(value).bytes())),
            Self::Cfc(cfc) => cfc.map(Text::of(value).bytes())?,
            Self::Null => KeyspaceId::new(&[0]),
            Self::Numeric => number(value)?.to_be_bytes().into(),
            Self::NumericStaticMap(map) => map.map(value)?,
            Self::ReverseBits => number(value)?.reverse_bits().to_be_bytes().into(),
            Self::UnicodeLooseMd5 => KeyspaceId::new(&Md5::digest(&loose_key(value)?)),
            Self::UnicodeLooseXxhash => xxh64(&loose_key(value)?, 0).to_le_bytes().into(),
            Self::Hash | Self::Xxhash => return None,
            Self::Multicol(_) | Self::RegionExperimental(_) | Self::RegionJson(_) => return None,
        })
    }

    pub(super) fn map_range(&self, from: Bound<VindexValue<'_>>, to: Bound<VindexValue<'_>>) -> Mapped {
        let range = match self {
            Self::Binary => {
                let (from, to) = (from.map(Text::of), to.map(Text::of));
                KeyRange::inclusive(edge(&from).map(Text::bytes), edge(&to).map(Text::bytes))
            }
            Self::Numeric => return numeric_range(from, to),
            _ => return Mapped::Scatter,
        };
        match range {
            Some(range) if range.is_full() => Mapped::Scatter,
            Some(range) => Mapped::Range(range),
            None => Mapped::None,
        }
    }
}

/// The bound's value, taken as included: one more id in a range is harmless.
fn edge<T>(bound: &Bound<T>) -> Option<&T> {
    match bound {
        Bound::Included(value) | Bound::Excluded(value) => Some(value),
        Bound::Unbounded => None,
    }
}

/// The exact range of numbers; what is below zero has no rows, a bound that is no number says nothing.
fn numeric_range(from: Bound<VindexValue<'_>>, to: Bound<VindexValue<'_>>) -> Mapped {
    let signed = |bound: &VindexValue<'_>| match bound {
        VindexValue::Int(value) => Some(i128::from(*value)),
        other => number(*other).map(i128::from),
    };
    let mut low = 0;
    let mut high = i128::from(u64::MAX);
    for (bound, is_low) in [(from, true), (to, false)] {
        let (value, inward) = match &bound {
            Bound::Included(value) => (value, 0),
            Bound::Excluded(value) => (value, 1),
            Bound::Unbounded => continue,
        };
        match (signed(value), is_low) {
            (Some(value), true) => low = low.max(value + inward),
            (Some(value), false) => high = high.min(value - inward),
            (None, _) => return Mapped::Scatter,
        }
    }
    let (Ok(low), Ok(high)) = (u64::try_from(low), u64::try_from(high)) else {
        return Mapped::None;
    };
    let end = high.checked_add(1).map(u64::to_be_bytes);
    match KeyRange::new(&low.to_be_bytes(), end.as_ref().map_or(&[], |end| end.as_slice())) {
        Ok(range) if range.is_full() => Mapped::Scatter,
        Ok(range) => Mapped::Range(range),
        Err(_) => Mapped::None,
    }
}

/// The 64 bits that `hash` encrypts: negative numbers of signed columns count by their two's complement.
fn two_complement(value: VindexValue<'_>) -> Option<u64> {
    match value {
        VindexValue::Int(value) => Some(value.cast_unsigned()),
        VindexValue::UInt(value) => Some(value),
        VindexValue::Bytes(text) => parse_unsigned(text),
        VindexValue::Null => None,
    }
}

/// The primary weights of a value's text without its trailing spaces; None when it is no UTF-8.
fn loose_key(value: VindexValue<'_>) -> Option<SmallVec<[u8; 64]>> {
    let text = Text::of(value);
    Some(loose::key(
        std::str::from_utf8(text.bytes()).ok()?.trim_end_matches(' '),
    ))
}
