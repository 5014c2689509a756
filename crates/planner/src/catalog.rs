//! Keyspaces, shards, vindexes and table definitions: what the planner knows about the database.

/// Index of a keyspace in its catalog.
pub type KeyspaceIndex = u16;

/// Index of a shard in its keyspace, in the order of key ranges.
pub type ShardIndex = u16;
