//! Whether values that a column compares as equal have the same keyspace id.

use super::{Folding, Vindex, VindexValue};
use crate::loose::coverage;
use crate::table::{ColumnDef, Pad, TypeClass};

/// Which equality comparisons of a column with a value route by a vindex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coverage {
    /// All: what the column takes as equal has one keyspace id.
    All,
    /// Those with a value that [`Vindex::routes_equality`] approves.
    SomeValues,
    /// None: rows that match may be on any shard.
    None,
}

impl Vindex {
    /// Which equality comparisons of a column route by the vindex, once the compared value is converted to what the
    /// column stores. `part` is the place of the column among the vindex's columns.
    ///
    /// The param `assume_exact` vouches for text columns; that of other types changes nothing.
    pub fn coverage(&self, part: usize, column: &ColumnDef) -> Coverage {
        let text = column.class() == TypeClass::Text;
        match self.folding(part) {
            Folding::Constant => Coverage::All,
            _ if text && self.assume_exact() => Coverage::All,
            folding if text => text_coverage(folding, column),
            _ => match column.class() {
                TypeClass::Integer
                | TypeClass::Decimal
                | TypeClass::Bit
                | TypeClass::Year
                | TypeClass::Temporal
                | TypeClass::Binary
                | TypeClass::Enum
                | TypeClass::Set => Coverage::All,
                // Zero has two signs, and JSON many texts for one value.
                _ => Coverage::None,
            },
        }
    }

    /// True when every row that the column compares as equal to this value has the value's keyspace id, of the rows
    /// that [`Vindex::may_store`] approved.
    pub fn routes_equality(&self, part: usize, column: &ColumnDef, value: VindexValue<'_>) -> bool {
        match (self.coverage(part, column), value) {
            (Coverage::All, _) => true,
            (Coverage::SomeValues, VindexValue::Bytes(text)) => {
                std::str::from_utf8(text).is_ok_and(coverage::routes)
            }
            _ => false,
        }
    }

    /// False for a value of the column that [`Vindex::routes_equality`] relies on not being stored: one with a
    /// character that the column's collation folds with others and a loose vindex does not, such as a digit or a
    /// combining letter newer than Unicode 6.2. An INSERT of it is to be refused.
    pub fn may_store(&self, part: usize, column: &ColumnDef, value: VindexValue<'_>) -> bool {
        match (self.coverage(part, column), value) {
            (Coverage::SomeValues, VindexValue::Bytes(text)) => {
                std::str::from_utf8(text).is_ok_and(coverage::accepts)
            }
            _ => true,
        }
    }
}

fn text_coverage(folding: Folding, column: &ColumnDef) -> Coverage {
    match (folding, column.folds(), column.pad) {
        (_, false, Some(Pad::None)) | (Folding::Loose, false, _) => Coverage::All,
        (Folding::Loose, true, _) if column.collation.as_deref().is_some_and(coverage::knows) => {
            Coverage::SomeValues
        }
        _ => Coverage::None,
    }
}
