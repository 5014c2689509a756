//! The cluster as the gateway sees it: one immutable snapshot, replaced as a whole on each change.

mod builder;
mod members;
mod published;
mod schema;
mod watch;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use planner::catalog::{Catalog, KeyspaceIndex, ShardIndex};
use topology::records::Account;

pub use published::Published;
pub use watch::{ClusterWatch, Reloader};

use crate::error::{self, SqlResult};
use crate::session::target::TabletType;

/// Where a tablet's mysqld listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MysqlAddress {
    /// Unix socket: the tablet runs on this machine.
    Unix(PathBuf),
    /// Host and port, spoken to by TLS.
    Tcp(String, u16),
}

/// A mysqld that statements can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TabletTarget {
    /// Identity of tablet and address within this process: a tablet with a new address is a new target.
    pub id: u64,
    /// Name, such as `customer-x-80-1`.
    pub alias: String,
    /// Keyspace.
    pub keyspace: Arc<str>,
    /// Shard, such as `-80`.
    pub shard: Arc<str>,
    /// The keyspace's MySQL database.
    pub database: Arc<str>,
    /// Where it listens.
    pub address: MysqlAddress,
}

/// A replica that may serve reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Replica {
    /// The mysqld.
    pub target: Arc<TabletTarget>,
    /// Whether it is in the gateway's own cell.
    pub same_cell: bool,
}

/// A shard and who serves it.
#[derive(Debug, Clone, PartialEq)]
pub struct ShardState {
    /// Name.
    pub name: Arc<str>,
    /// Term of the primary, 0 before the first one.
    pub term: u64,
    /// The serving primary.
    pub primary: Option<Arc<TabletTarget>>,
    /// The primary is about to hand over: what is open on it may end, nothing new begins.
    pub draining: bool,
    /// Serving replicas within the lag limit.
    pub replicas: Vec<Replica>,
    /// Serving replicas that lag more.
    pub lagging: usize,
}

impl ShardState {
    fn without_members(name: Arc<str>) -> Self {
        Self {
            name,
            term: 0,
            primary: None,
            draining: false,
            replicas: Vec::new(),
            lagging: 0,
        }
    }

    /// The primary, if it takes new work.
    pub fn open_primary(&self) -> Option<&Arc<TabletTarget>> {
        self.primary.as_ref().filter(|_| !self.draining)
    }
}

/// A keyspace's shards, in the order of the catalog.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyspaceState {
    /// Name.
    pub name: Arc<str>,
    /// MySQL database.
    pub database: Arc<str>,
    /// Shards by [`ShardIndex`].
    pub shards: Vec<ShardState>,
}

/// What `SHOW VITRAIL TABLETS` tells of a tablet.
#[derive(Debug, Clone, PartialEq)]
pub struct TabletInfo {
    /// Cell.
    pub cell: String,
    /// Keyspace.
    pub keyspace: String,
    /// Shard.
    pub shard: String,
    /// Name.
    pub alias: String,
    /// `PRIMARY`, `REPLICA` or `UNKNOWN`.
    pub role: &'static str,
    /// Whether it serves.
    pub serving: bool,
    /// Whether it is about to hand over.
    pub draining: bool,
    /// Why it does not serve.
    pub reason: String,
    /// Replication lag, ms.
    pub lag_ms: Option<u64>,
    /// Address of the agent.
    pub hostname: String,
    /// The term of its role.
    pub term: u64,
}

/// One snapshot.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Changes whenever `catalog` does: plans of another revision are void.
    pub catalog_revision: u64,
    /// What the planner knows.
    pub catalog: Arc<Catalog>,
    /// By [`KeyspaceIndex`].
    pub keyspaces: Vec<KeyspaceState>,
    /// Client accounts by user name.
    pub accounts: Arc<HashMap<String, Account>>,
    /// All tablets by name.
    pub tablets: BTreeMap<String, TabletInfo>,
    /// Keyspaces that cannot be used, and why: their vschema does not fit.
    pub problems: Vec<(String, String)>,
    /// Rotates through replicas.
    pub turn: Arc<std::sync::atomic::AtomicUsize>,
}

impl Cluster {
    /// A cluster of nothing.
    pub fn empty() -> Self {
        Self {
            catalog_revision: 0,
            catalog: Arc::new(Catalog::default()),
            keyspaces: Vec::new(),
            accounts: Arc::default(),
            tablets: BTreeMap::new(),
            problems: Vec::new(),
            turn: Arc::default(),
        }
    }

    /// The shard of a plan.
    pub fn shard(&self, keyspace: KeyspaceIndex, shard: ShardIndex) -> Option<(&KeyspaceState, &ShardState)> {
        let keyspace = self.keyspaces.get(usize::from(keyspace))?;
        Some((keyspace, keyspace.shards.get(usize::from(shard))?))
    }

    /// A shard by names, which mean the same in every snapshot.
    pub fn find_shard(&self, keyspace: &str, shard: &str) -> Option<&ShardState> {
        let keyspace = self.keyspaces.iter().find(|state| *state.name == *keyspace)?;
        keyspace.shards.iter().find(|state| *state.name == *shard)
    }

    /// One of these shards where any will do: the first that has a primary, if there is one.
    pub fn served_one_of(&self, keyspace: KeyspaceIndex, shards: &[ShardIndex]) -> ShardIndex {
        let served = |shard: &&ShardIndex| {
            let found = self.shard(keyspace, **shard);
            found.is_some_and(|(_, shard)| shard.open_primary().is_some())
        };
        let served = shards.iter().find(served).or(shards.first());
        served.copied().unwrap_or(0)
    }

    /// A keyspace where any will do: the first whose first shard has a primary, if there is one.
    pub fn served_keyspace(&self) -> KeyspaceIndex {
        let served = |keyspace: &KeyspaceState| {
            let first = keyspace.shards.first();
            first.is_some_and(|shard| shard.open_primary().is_some())
        };
        let at = self.keyspaces.iter().position(served).unwrap_or(0);
        KeyspaceIndex::try_from(at).unwrap_or(0)
    }

    /// The mysqld that new work is sent to.
    ///
    /// # Errors
    /// 1105 when no such tablet serves.
    pub fn target(
        &self,
        keyspace: KeyspaceIndex,
        shard: ShardIndex,
        tablet_type: TabletType,
    ) -> SqlResult<&Arc<TabletTarget>> {
        let (keyspace, shard) = self.shard(keyspace, shard).ok_or_else(error::shard_gone)?;
        let found = match tablet_type {
            TabletType::Primary => shard.open_primary(),
            TabletType::Replica => {
                let near = shard.replicas.iter().filter(|replica| replica.same_cell).count();
                let of = if near > 0 { near } else { shard.replicas.len() };
                let turn = self.turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                shard
                    .replicas
                    .iter()
                    .filter(|replica| near == 0 || replica.same_cell)
                    .nth(turn.checked_rem(of).unwrap_or(0))
                    .map(|replica| &replica.target)
            }
        };
        found.ok_or_else(|| match tablet_type {
            TabletType::Replica if shard.lagging > 0 => {
                error::all_replicas_lag(&keyspace.name, &shard.name, shard.lagging)
            }
            _ => error::unavailable(&keyspace.name, &shard.name, tablet_type.name()),
        })
    }

    /// Whether a target is still one of the cluster's.
    pub fn has_target(&self, id: u64) -> bool {
        self.keyspaces
            .iter()
            .flat_map(|keyspace| &keyspace.shards)
            .any(|shard| {
                shard
                    .primary
                    .iter()
                    .chain(shard.replicas.iter().map(|replica| &replica.target))
                    .any(|t| t.id == id)
            })
    }

    /// Whether every shard of every keyspace has a serving primary, and why not.
    ///
    /// # Errors
    /// What is missing, in words.
    pub fn ready(&self) -> Result<(), String> {
        if self.catalog_revision == 0 {
            return Err("the topology has not been read yet".to_owned());
        }
        for keyspace in &self.keyspaces {
            for shard in &keyspace.shards {
                if shard.primary.is_none() {
                    return Err(format!(
                        "shard {}/{} has no serving primary",
                        keyspace.name, shard.name
                    ));
                }
            }
        }
        Ok(())
    }
}
