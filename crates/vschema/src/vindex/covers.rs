//! Whether values that a column compares as equal always have the same keyspace id.

use super::{Folding, Vindex};
use crate::loose;
use crate::table::{ColumnDef, Pad, TypeClass};

impl Vindex {
    /// True when all values of the column that its own comparison takes as equal map to one keyspace id, so that an
    /// equality may route once the compared value is converted to what the column stores. `part` is the place of
    /// the column among the vindex's columns. [`Vindex::assume_exact`] is not looked at.
    pub fn covers(&self, part: usize, column: &ColumnDef) -> bool {
        let folding = self.folding(part);
        if folding == Folding::Constant {
            return true;
        }
        match column.class() {
            TypeClass::Integer
            | TypeClass::Decimal
            | TypeClass::Bit
            | TypeClass::Year
            | TypeClass::Temporal
            | TypeClass::Binary
            | TypeClass::Enum
            | TypeClass::Set => true,
            // Zero has two signs, and JSON many texts for one value.
            TypeClass::Float | TypeClass::Json | TypeClass::Geometry | TypeClass::Other => false,
            TypeClass::Text if column.folds() => {
                folding == Folding::Loose && column.collation.as_deref().is_some_and(loose::covers_collation)
            }
            TypeClass::Text => folding == Folding::Loose || column.pad == Some(Pad::None),
        }
    }
}
