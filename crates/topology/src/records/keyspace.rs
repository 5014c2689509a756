//! The keyspace: one logical database.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::keys;
use crate::typed::Record;

/// A keyspace as it should be: what the user's manifest says, with its defaults filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Keyspace {
    /// Its name: what clients `USE`.
    pub name: String,
    /// The MySQL database that holds its tables on every shard.
    pub database: String,
    /// Names of the shards that serve, in key order, such as `-80` and `80-`; `-` alone for an unsharded
    /// keyspace.
    pub shards: Vec<String>,
    /// mysqld servers per shard, the primary among them.
    pub members: u32,
    /// The vschema document (Vitess's JSON form); null: none, all tables are unsharded.
    pub vschema: Value,
    /// Counts the changes of `vschema`, from 1; a gateway says by it which one it plans with.
    pub vschema_version: u64,
    /// DDL that every new shard gets before it serves.
    pub schema: String,
}

impl Keyspace {
    /// Whether rows are spread by the vschema's vindexes; an unsharded keyspace takes any statement as it is.
    #[must_use]
    pub fn is_sharded(&self) -> bool {
        self.vschema
            .get("sharded")
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    /// Replaces the vschema document and counts the change, if it is one.
    pub fn set_vschema(&mut self, vschema: Value) {
        if self.vschema != vschema {
            self.vschema = vschema;
            self.vschema_version = self.vschema_version.saturating_add(1);
        }
    }
}

impl Record for Keyspace {
    const KIND: &'static str = "keyspace";
    const FOLDER: &'static str = keys::KEYSPACES;

    fn key(&self) -> String {
        keys::keyspace(&self.name)
    }
}
