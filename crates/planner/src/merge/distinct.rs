//! DISTINCT over the rows of several shards.

use hashbrown::HashSet;

use super::column::ColumnInfo;
use super::order::RowOrder;
use super::row::Row;
use crate::error::PlanError;
use crate::plan::{Col, SortKey};

/// The rows seen so far.
#[derive(Debug, Clone)]
pub struct Distinct {
    order: RowOrder,
    seen: HashSet<Vec<u8>>,
    bytes: usize,
}

impl Distinct {
    /// `keys` as in [`crate::plan::Merge::distinct`]: visible columns without a key compare by their definition.
    ///
    /// # Errors
    /// 1235 when a column's type does not compare in the gateway.
    pub fn new(keys: &[SortKey], columns: &[ColumnInfo], hidden: u16) -> Result<Self, PlanError> {
        let visible = columns.len().saturating_sub(usize::from(hidden));
        let all: Vec<SortKey> = (0..visible as u16)
            .map(|column| {
                let value = Col::Visible(column);
                let known = keys.iter().find(|key| key.value == value).cloned();
                known.unwrap_or(SortKey {
                    value,
                    proxy: None,
                    descending: false,
                })
            })
            .collect();
        Ok(Self {
            order: RowOrder::new(&all, columns, hidden)?,
            seen: HashSet::new(),
            bytes: 0,
        })
    }

    /// Whether the row is new.
    pub fn insert(&mut self, row: &Row) -> bool {
        let mut identity = Vec::new();
        self.order.identity(row, &mut identity);
        let size = identity.len() + size_of::<Vec<u8>>();
        let new = self.seen.insert(identity);
        self.bytes += if new { size } else { 0 };
        new
    }

    /// Bytes held, for memory limits.
    pub fn size(&self) -> usize {
        self.bytes
    }
}
