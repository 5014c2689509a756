//! The vschema document: the keyspace's `sharded`, `vindexes`, `tables` and the rest, in JSON or YAML, with field
//! names in snake_case or camelCase, as in the proto JSON of Vitess' `vschema.Keyspace`.

mod check;
mod decode;
mod reader;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

pub use reader::DocumentError;
pub(crate) use reader::child_path;

/// The vschema of one keyspace as it is written. It serializes in snake_case, without fields that are unset.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct VSchema {
    /// The keyspace has shards that vindexes choose among.
    pub sharded: bool,
    /// The vindexes by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub vindexes: BTreeMap<String, VindexSpec>,
    /// The tables by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, TableSpec>,
    /// Tables of the keyspace are found only when a statement names the keyspace.
    #[serde(skip_serializing_if = "is_default")]
    pub require_explicit_routing: bool,
    /// What becomes of foreign keys.
    #[serde(skip_serializing_if = "is_default")]
    pub foreign_key_mode: ForeignKeyMode,
    /// The column that tells tenants apart when one is moved into the keyspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multi_tenant_spec: Option<MultiTenantSpec>,
    /// Reads that would join this keyspace with another one are refused.
    #[serde(skip_serializing_if = "is_default")]
    pub prevent_cross_keyspace_reads: bool,
}

/// What the gateway does about foreign keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ForeignKeyMode {
    /// Not said: as unmanaged.
    #[default]
    Unspecified,
    /// Statements that make foreign keys are refused.
    Disallow,
    /// MySQL keeps them on each shard.
    Unmanaged,
    /// The gateway keeps them across shards.
    Managed,
}

/// The column that tells tenants apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MultiTenantSpec {
    /// Its name.
    pub tenant_id_column_name: String,
    /// Its type.
    pub tenant_id_column_type: String,
}

/// A vindex as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VindexSpec {
    /// The registered type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The type's params.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
    /// The table whose rows keep a lookup vindex up to date.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
}

/// A table as it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TableSpec {
    /// Empty, `sequence` or `reference`.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The vindexes of its columns; the first is the primary one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub column_vindexes: Vec<ColumnVindexSpec>,
    /// The column that a sequence numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_increment: Option<AutoIncrementSpec>,
    /// Columns that are known without asking MySQL.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnSpec>,
    /// The keyspace id, in hex, of the shard that holds the whole table.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pinned: String,
    /// The columns listed are all there are.
    #[serde(skip_serializing_if = "is_default")]
    pub column_list_authoritative: bool,
    /// The table that a reference table is a copy of: `keyspace.table`, or `table`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
}

/// The use of a vindex by a table as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ColumnVindexSpec {
    /// The columns that go into it, in order; written as `column` or `columns`.
    pub columns: Vec<String>,
    /// The vindex.
    pub name: String,
}

/// The column that a sequence numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AutoIncrementSpec {
    /// The column.
    pub column: String,
    /// The sequence's table.
    pub sequence: String,
}

/// A column as it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ColumnSpec {
    /// The name.
    pub name: String,
    /// The type, as in `VARCHAR`.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// `SELECT *` leaves it out.
    #[serde(skip_serializing_if = "is_default")]
    pub invisible: bool,
    /// The default's text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub default: String,
    /// The collation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub collation_name: String,
    /// The length or the number of digits.
    #[serde(skip_serializing_if = "is_default")]
    pub size: i32,
    /// Digits after the point.
    #[serde(skip_serializing_if = "is_default")]
    pub scale: i32,
    /// The column takes NULL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nullable: Option<bool>,
    /// The values of an ENUM or SET.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// Something in a document that works but deserves a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where, as in `vindexes.name_hash.params.colour`.
    pub path: String,
    /// What.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests;
