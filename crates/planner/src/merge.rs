//! Rows of several shards become one result: ordering, groups, DISTINCT and HAVING over text-protocol cells.
//!
//! Pure and synchronous: the executor feeds rows as they arrive and decides about memory. [`Row`] holds one row;
//! [`ColumnInfo`] is what the merge needs to know of a column definition packet.

mod column;
mod decimal;
mod distinct;
mod group;
mod having;
mod number;
mod order;
mod row;

pub use column::{ColumnInfo, ColumnKind};
pub use decimal::Decimal;
pub use distinct::Distinct;
pub use group::Groups;
pub use having::holds;
pub use number::Number;
pub use order::RowOrder;
pub use row::Row;

#[cfg(test)]
mod tests;
