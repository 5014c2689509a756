//! The tablet: one mysqld and its agent.

use serde::{Deserialize, Serialize};

use crate::keys;
use crate::typed::Record;

/// A tablet's identity and how to reach it. Its health is not here: agents stream that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tablet {
    /// Its name: the shard's object name and a serial that is never reused, such as `customer-x-80-1`.
    pub alias: String,
    /// Name of the keyspace.
    pub keyspace: String,
    /// Name of the shard, such as `-80`.
    pub shard: String,
    /// Name of the cell.
    pub cell: String,
    /// Where mysqld listens.
    pub mysql: MysqlAddress,
    /// Where the agent listens, as [`crate::Address`] is written; None until it has started.
    pub grpc: Option<String>,
    /// mysqld's @@server_uuid; None until the agent has seen it.
    pub server_uuid: Option<String>,
    /// The name that its data votes by; None: the alias. See [`super::ShardRecord::voters`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voter: Option<String>,
    /// Grows with every start of the agent; 0 before the first. What an older incarnation said is void.
    pub incarnation: u64,
}

/// Where a mysqld listens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MysqlAddress {
    /// Path of the unix socket, for processes on the same machine.
    pub socket: Option<String>,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Record for Tablet {
    const KIND: &'static str = "tablet";
    const FOLDER: &'static str = keys::TABLETS;

    fn key(&self) -> String {
        keys::tablet(&self.alias)
    }
}
