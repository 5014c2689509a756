//! Builds snapshots from what the topology and the agents say. Pure.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use planner::catalog::{self, Catalog};
use proto::v1::{HealthUpdate, TabletRole};
use topology::records;
use vschema::document::VSchema;
use vschema::key_range::{KeyRange, Partition};
use vschema::keyspace::KeyspaceVSchema;
use vschema::table::TableDef;

use super::members::{Members, TabletHealth};
use super::{Cluster, KeyspaceState, TabletInfo};

/// Everything that a snapshot is built from.
#[derive(Debug, Default)]
pub(super) struct Builder {
    /// Keyspaces by name.
    pub keyspaces: BTreeMap<String, records::Keyspace>,
    /// Accounts by user name.
    pub accounts: HashMap<String, records::Account>,
    /// Tablets, and what their agents say.
    pub members: Members,
    last_schemas: HashMap<String, Arc<Vec<Arc<TableDef>>>>,
    compiled: HashMap<String, (u64, Result<Arc<KeyspaceVSchema>, String>)>,
    catalog_inputs: Vec<CatalogInput>,
    catalog: Arc<Catalog>,
    catalog_revision: u64,
}

/// What the catalog's part of one keyspace depends on; equal inputs keep the catalog, and with it every cached plan.
#[derive(Debug, PartialEq)]
struct CatalogInput {
    name: String,
    database: String,
    shards: Vec<String>,
    vschema_version: u64,
    tables: Option<Arc<Vec<Arc<TableDef>>>>,
}

impl Builder {
    /// A builder that knows nothing yet, of tablets that are seen as `members` does.
    pub(super) fn new(members: Members) -> Self {
        Self {
            members,
            ..Self::default()
        }
    }

    /// The snapshot of what is known now.
    pub(super) fn build(&mut self, turn: &Arc<std::sync::atomic::AtomicUsize>) -> Cluster {
        let mut problems = Vec::new();
        let mut keyspaces = Vec::new();
        let mut parts = Vec::new();
        let mut inputs = Vec::new();
        for (name, record) in &self.keyspaces {
            let version = record.vschema_version;
            let known = self
                .compiled
                .get(name)
                .filter(|(compiled, _)| *compiled == version);
            let vschema = match known {
                Some((_, vschema)) => vschema.clone(),
                None => {
                    let vschema = compile(record);
                    self.compiled.insert(name.clone(), (version, vschema.clone()));
                    vschema
                }
            };
            let vschema = match vschema {
                Ok(vschema) => vschema,
                Err(why) => {
                    problems.push((name.clone(), why));
                    continue;
                }
            };
            let partition = match partition(&record.shards) {
                Ok(partition) => partition,
                Err(why) => {
                    problems.push((name.clone(), why));
                    continue;
                }
            };
            let state = self.members.keyspace(record, &partition);
            let tables =
                current_tables(&state, &self.members.health).or_else(|| self.last_schemas.get(name).cloned());
            if let Some(tables) = &tables {
                self.last_schemas.insert(name.clone(), tables.clone());
            }
            inputs.push(CatalogInput {
                name: name.clone(),
                database: record.database.clone(),
                shards: record.shards.clone(),
                vschema_version: version,
                tables: tables.clone(),
            });
            parts.push((record, partition, vschema, tables));
            keyspaces.push(state);
        }
        if self.catalog_revision == 0 || inputs != self.catalog_inputs {
            self.catalog_revision += 1;
            let built = parts
                .into_iter()
                .map(|(record, partition, vschema, tables)| {
                    let tables = tables
                        .iter()
                        .flat_map(|tables| tables.iter().cloned())
                        .collect::<Vec<_>>();
                    catalog::Keyspace::new(&record.name, &record.database, partition, &vschema, tables)
                })
                .collect();
            self.catalog = Arc::new(Catalog::new(self.catalog_revision, built));
            self.catalog_inputs = inputs;
        }
        Cluster {
            catalog_revision: self.catalog_revision,
            catalog: self.catalog.clone(),
            keyspaces,
            accounts: Arc::new(self.accounts.clone()),
            tablets: self
                .members
                .tablets
                .values()
                .map(|tablet| (tablet.alias.clone(), info(tablet, &self.members.health)))
                .collect(),
            problems,
            turn: turn.clone(),
        }
    }
}

fn compile(record: &records::Keyspace) -> Result<Arc<KeyspaceVSchema>, String> {
    let join = |errors: Vec<vschema::document::DocumentError>| {
        errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ")
    };
    let document = match &record.vschema {
        serde_json::Value::Null => VSchema::default(),
        value => VSchema::from_value(value).map_err(join)?,
    };
    document.check_applicable().map_err(join)?;
    let compiled = document.compile(&vschema::vindex::local_file).map_err(join)?;
    Ok(Arc::new(compiled.vschema))
}

/// Shard names of a keyspace as key ranges; `0` is an alias of the full range.
fn partition(shards: &[String]) -> Result<Partition, String> {
    let ranges = shards
        .iter()
        .map(|name| {
            name.parse::<KeyRange>()
                .map_err(|error| format!("shard {name}: {error}"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Partition::new(ranges).map_err(|error| error.to_string())
}

/// The definitions that the keyspace's first shard with a primary reports.
fn current_tables(
    state: &KeyspaceState,
    health: &HashMap<String, TabletHealth>,
) -> Option<Arc<Vec<Arc<TableDef>>>> {
    state
        .shards
        .iter()
        .filter_map(|shard| shard.primary.as_ref())
        .find_map(|target| health.get(&target.alias)?.tables.clone())
}

fn info(tablet: &records::Tablet, health: &HashMap<String, TabletHealth>) -> TabletInfo {
    let update = health
        .get(&tablet.alias)
        .and_then(|health| health.update.as_ref());
    TabletInfo {
        cell: tablet.cell.clone(),
        keyspace: tablet.keyspace.clone(),
        shard: tablet.shard.clone(),
        alias: tablet.alias.clone(),
        role: match update.map(HealthUpdate::role) {
            Some(TabletRole::Primary) => "PRIMARY",
            Some(TabletRole::Replica) => "REPLICA",
            _ => "UNKNOWN",
        },
        serving: update.is_some_and(|update| update.serving),
        draining: update.is_some_and(|update| update.draining),
        reason: match update {
            Some(update) => update.not_serving_reason.clone(),
            None => "the agent does not answer".to_owned(),
        },
        lag_ms: update.and_then(|update| update.replication_lag_ms),
        hostname: tablet.mysql.host.clone(),
        term: update.map_or(0, |update| update.term),
    }
}
