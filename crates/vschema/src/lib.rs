//! The rules that place rows on shards: keyspace ids, key ranges, vindexes and the vschema document, and the
//! definitions of tables that planner and gateway share. Pure: no I/O but the files that vindex params name.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test fails by a panic"
    )
)]

mod des;
pub mod document;
pub mod key_range;
pub mod keyspace;
pub mod keyspace_id;
mod loose;
pub mod table;
pub mod vindex;

pub use key_range::{KeyRange, KeyRangeError, Partition, PartitionError};
pub use keyspace::KeyspaceVSchema;
pub use keyspace_id::KeyspaceId;
pub use vindex::{Folding, Mapped, Vindex, VindexValue};
