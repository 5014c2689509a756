//! Vindexes: the functions from column values to keyspace ids.

mod cfc;
mod covers;
mod functions;
mod multicol;
mod params;
mod region;
mod registry;
mod static_map;
mod text;

use std::ops::Bound;

pub use covers::Coverage;
pub use params::{ParamError, ReadFile, local_file};
pub use registry::VindexKind;

use crate::key_range::KeyRange;
use crate::keyspace_id::KeyspaceId;
use functions::Function;

/// A value of a vindex column, already converted to what the column stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VindexValue<'a> {
    /// SQL NULL.
    Null,
    /// A number of a signed integer column.
    Int(i64),
    /// A number of an unsigned integer column.
    UInt(u64),
    /// The characters of a string in UTF-8, whatever the column's character set is; the bytes of a binary string;
    /// the text of a value of any other type.
    Bytes(&'a [u8]),
}

/// Where a vindex puts a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mapped {
    /// At one keyspace id.
    KeyspaceId(KeyspaceId),
    /// Somewhere in a range, because only leading columns are known.
    Range(KeyRange),
    /// Nowhere: no row with this value can have been stored through the vindex, and an INSERT of it is an error.
    None,
    /// Anywhere: too few columns are known to say.
    Scatter,
}

/// Which differing values of a column a vindex takes as one: what the planner needs to know before it routes a
/// comparison, since the vindex must fold at least what the comparison folds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Folding {
    /// None: each byte string (each integer) counts as itself.
    Exact,
    /// Case, accents and trailing spaces, by primary collation weights.
    Loose,
    /// Everything: all values have the same id.
    Constant,
}

/// A functional vindex, ready to map.
#[derive(Clone, Debug)]
pub struct Vindex {
    name: String,
    kind: VindexKind,
    function: Function,
    assume_exact: bool,
}

impl Vindex {
    /// The name in the vschema.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type.
    pub fn kind(&self) -> VindexKind {
        self.kind
    }

    /// What a lookup by it costs; the planner takes the cheapest.
    pub fn cost(&self) -> u32 {
        self.function.cost()
    }

    /// True when a value has at most one keyspace id. All functional vindexes are unique.
    pub fn is_unique(&self) -> bool {
        self.kind.is_unique()
    }

    /// How many columns it takes.
    pub fn columns(&self) -> usize {
        self.function.columns()
    }

    /// True when a leading subset of the columns maps to a range.
    pub fn maps_prefixes(&self) -> bool {
        self.function.maps_prefixes()
    }

    /// True when [`Vindex::map_range`] narrows ranges of values.
    pub fn is_ordered(&self) -> bool {
        self.function.is_ordered()
    }

    /// True when [`Vindex::map_like_prefix`] narrows `LIKE 'prefix%'`.
    pub fn maps_like(&self) -> bool {
        matches!(self.function, Function::Cfc(_))
    }

    /// The vschema vouches (param `assume_exact`, Vitrail's own) that a comparison never matches a value with other
    /// bytes, so equality routes even where the column's collation folds more than the vindex.
    pub fn assume_exact(&self) -> bool {
        self.assume_exact
    }

    /// What the vindex folds of its column number `column` (from 0).
    pub fn folding(&self, column: usize) -> Folding {
        self.function.folding(column)
    }

    /// Maps the values of its columns, in their order; fewer values than columns map a prefix.
    ///
    /// Without any value, or with too few where prefixes do not map, the answer is [`Mapped::Scatter`].
    pub fn map(&self, values: &[VindexValue<'_>]) -> Mapped {
        self.function.map(values)
    }

    /// The ids that values between two bounds can have, for ordered vindexes on columns that compare as the
    /// vindex orders (bytes for `binary`, unsigned numbers for `numeric`); [`Mapped::None`] when no value lies there.
    pub fn map_range(&self, from: Bound<VindexValue<'_>>, to: Bound<VindexValue<'_>>) -> Mapped {
        self.function.map_range(from, to)
    }

    /// The ids of values that begin with `prefix`, as in `LIKE 'prefix%'` under a byte-wise comparison.
    pub fn map_like_prefix(&self, prefix: &[u8]) -> Mapped {
        match &self.function {
            Function::Cfc(cfc) => cfc.map_prefix(prefix),
            Function::Binary => Mapped::from_prefix(prefix),
            _ => Mapped::Scatter,
        }
    }
}

impl Mapped {
    /// The range of a prefix; all ids for an empty one.
    pub(crate) fn from_prefix(prefix: &[u8]) -> Self {
        match prefix {
            [] => Self::Scatter,
            _ => Self::Range(KeyRange::from_prefix(prefix)),
        }
    }
}

#[cfg(test)]
mod tests;
