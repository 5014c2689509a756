//! The shard as its members agree on it: one record in the store, and what a member does about it.

pub mod decide;
