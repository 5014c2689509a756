//! How rows of several shards become one result.

use super::{Source, Template};

/// A scatter read.
///
/// Each shard answers [`Merge::query`], whose select list is the client's own, unchanged, followed by
/// [`Merge::hidden`] columns. The steps, in this order: `aggregate`, `having`, `distinct`, `order`, `limit`; then the
/// hidden columns are dropped. With none of the steps rows are passed on as they come, shard by shard or mixed.
#[derive(Debug, Clone, PartialEq)]
pub struct Merge {
    /// The text for each shard.
    pub query: Template,
    /// Number of columns at the end that the client does not get to see.
    pub hidden: u16,
    /// Combine rows of the same group.
    pub aggregate: Option<Aggregate>,
    /// Keep rows for which this is true (not false, not NULL).
    pub having: Option<Having>,
    /// Drop rows that are equal in all visible columns. The keys of all visible columns are there unless the list is
    /// open-ended (a star), when columns without a key compare by their column definition.
    pub distinct: Option<Box<[SortKey]>>,
    /// Final order. Each shard's rows arrive in this order already, unless `aggregate` is there.
    pub order: Box<[SortKey]>,
    /// Final limit; each shard's rows are limited to offset + count already where that is right.
    pub limit: Option<Limit>,
}

/// A column of a shard's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Col {
    /// The n-th column from the left, from 0.
    Visible(u16),
    /// The n-th hidden column, from 0: index `columns - hidden + n`.
    Hidden(u16),
}

impl Col {
    /// The column's index in rows of `columns` columns of which `hidden` are hidden.
    pub fn index(self, columns: usize, hidden: u16) -> usize {
        match self {
            Self::Visible(n) => usize::from(n),
            Self::Hidden(n) => columns.saturating_sub(usize::from(hidden)) + usize::from(n),
        }
    }
}

/// How one key orders, or tells apart, rows. NULL sorts first, and equals NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    /// The value.
    pub value: Col,
    /// A hidden column that stands in for the value.
    pub proxy: Option<Proxy>,
    /// Descending.
    pub descending: bool,
}

/// A hidden column that orders as the value does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    /// Its WEIGHT_STRING, compared as bytes, if the value's column definition says that it is a non-binary string;
    /// else the value itself decides by its column definition.
    Weight(Col),
    /// A number: the index of an ENUM or SET value, FLOAT as DOUBLE, a TIMESTAMP in UTC.
    Number(Col),
}

/// Combination of groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Group keys; empty: all rows are one group, and there is one row even of no rows.
    pub keys: Box<[GroupKey]>,
    /// Columns to accumulate; all others keep the value of any row of the group.
    pub columns: Box<[AggregateColumn]>,
}

/// A group key: equality as for ordering.
pub type GroupKey = SortKey;

/// An accumulated column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregateColumn {
    /// The column whose values are combined and replaced.
    pub column: Col,
    /// How.
    pub how: Accumulate,
}

/// How partial aggregates combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Accumulate {
    /// Sum of integers; NULL never occurs (COUNT).
    Count,
    /// SUM: exact for DECIMAL and integers, DOUBLE otherwise; NULL when all are NULL.
    Sum,
    /// AVG: sum of the hidden sum column by the sum of the hidden count column, at the scale of `column`.
    Average {
        /// SUM of the argument.
        sum: Col,
        /// COUNT of the argument.
        count: Col,
    },
    /// MIN.
    Min {
        /// Stand-in for comparison.
        proxy: Option<Proxy>,
    },
    /// MAX.
    Max {
        /// Stand-in for comparison.
        proxy: Option<Proxy>,
    },
    /// BIT_AND of unsigned 64-bit numbers.
    BitAnd,
    /// BIT_OR.
    BitOr,
    /// BIT_XOR.
    BitXor,
}

/// LIMIT of the merged rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Rows to skip.
    pub offset: Option<Source>,
    /// Rows to return.
    pub count: Source,
}

/// A condition over merged rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Having {
    /// All of these.
    And(Box<[Having]>),
    /// One of these.
    Or(Box<[Having]>),
    /// The opposite.
    Not(Box<Having>),
    /// A comparison of numbers.
    Compare {
        /// Left side.
        left: Operand,
        /// The operator.
        op: HavingOp,
        /// Right side.
        right: Operand,
    },
    /// IS NULL.
    IsNull(Operand),
}

/// A side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A merged column, of a numeric type.
    Column(Col),
    /// A literal or parameter, numeric.
    Value(Source),
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HavingOp {
    /// `=`
    Eq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `<=>`
    NullSafeEq,
}
