//! The Keyspace: one logical database.

#![expect(
    unreachable_pub,
    reason = "the schema's derive macro repeats the type inside a function"
)]

mod names;
mod resolve;

use kube::{CustomResource, KubeSchema};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use resolve::ResolvedKeyspace;

/// Members of a shard where the manifest does not say.
pub const MEMBERS_DEFAULT: i32 = 3;

/// One logical database, spread over the shards that `shards` or `keyRanges` say.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "vitrail.io",
    version = "v1alpha1",
    kind = "Keyspace",
    plural = "keyspaces",
    shortname = "vrks",
    category = "vitrail",
    namespaced,
    derive = "PartialEq",
    printcolumn = r#"{"name":"Shards","type":"integer","jsonPath":".spec.shards"}"#,
    printcolumn = r#"{"name":"KeyRanges","type":"string","jsonPath":".spec.keyRanges","priority":1}"#,
    printcolumn = r#"{"name":"Members","type":"integer","jsonPath":".spec.members"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[x_kube(
    validation = Rule::new("has(self.shards) != has(self.keyRanges)")
        .message("exactly one of shards and keyRanges must be given")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyspaceSpec {
    /// Number of shards with equal key ranges. 1 without vindexes in the vschema: an unsharded keyspace,
    /// which takes any statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1024))]
    pub shards: Option<i32>,

    /// The shards' key ranges in order, instead of `shards`: the first starts and the last ends open, and
    /// each starts where the one before ends, as in `["-40", "40-80", "80-"]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), inner(length(max = 33)))]
    #[x_kube(
        validation = Rule::new("self.all(i, r, i == 0 || self[i-1].split('-')[1] == r.split('-')[0])")
            .message("each key range must start where the one before ends"),
        validation = Rule::new("self[0].startsWith('-') && self[size(self)-1].endsWith('-')")
            .message("the first key range must start open and the last one end open"),
        validation = Rule::new("self.all(r, r.matches('^([0-9a-f]{2}){0,8}-([0-9a-f]{2}){0,8}$'))")
            .message("a key range is START-END, each side an even number of at most 16 hex digits in lower case"),
        validation = Rule::new(
            "self.all(r, r.split('-')[0] == '' || r.split('-')[1] == '' || r.split('-')[0] < r.split('-')[1])"
        )
        .message("a key range must end above its start"),
    )]
    pub key_ranges: Option<Vec<String>>,

    /// MySQL servers per shard, the primary among them. With 1, losing it loses the shard until it is back.
    #[serde(default = "members_default")]
    #[schemars(range(min = 1, max = 9))]
    pub members: i32,

    /// The Vitess-compatible vschema document: which columns of which tables choose the shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "open_object")]
    pub vschema: Option<Value>,

    /// DDL that every shard gets when the keyspace is created, statements separated by semicolons.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 1_048_576))]
    pub schema: String,

    /// The MySQL database that holds the tables. Defaults to the keyspace's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub database: Option<String>,

    /// The volume of each member. A local cluster ignores it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<Storage>,
}

/// The volume of a member.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Storage {
    /// Its size, as in `10Gi`.
    #[schemars(length(min = 1, max = 32))]
    pub size: String,
}

fn members_default() -> i32 {
    MEMBERS_DEFAULT
}

fn open_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

impl Keyspace {
    /// Its name; empty for an object that has none yet.
    #[must_use]
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// What the manifest asks for that a local cluster does not do.
    #[must_use]
    pub fn local_notices(&self) -> Vec<String> {
        let storage = self.spec.storage.as_ref();
        storage
            .map(|_| {
                format!(
                    "keyspace {}: spec.storage is ignored by a local cluster",
                    self.name()
                )
            })
            .into_iter()
            .collect()
    }
}

#[cfg(test)]
mod tests;
