//! What the agent says about its tablet: one value that its tasks write and streams follow.

use std::sync::Arc;

use proto::v1::{HealthUpdate, ReplicationState, SchemaSnapshot, SemiSyncState, TabletRole};
use tokio::sync::watch;

/// The tablet's health.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Health {
    /// What it is in its shard.
    pub role: TabletRole,
    /// The term that the role belongs to.
    pub term: u64,
    /// Why no client may be sent here; none while serving.
    pub not_serving: Option<String>,
    /// mysqld's server_uuid.
    pub server_uuid: String,
    /// Whether a planned handover is near: nothing new may begin here.
    pub draining: bool,
    /// `@@gtid_executed`, in one line.
    pub gtid_executed: String,
    /// Replication lag in milliseconds, on a replica that knows it.
    pub lag_ms: Option<u64>,
    /// Replication, on a replica.
    pub replication: Option<ReplicationState>,
    /// Semi-sync, either side.
    pub semi_sync: SemiSyncState,
    /// Table definitions, once read.
    pub schema: Option<Arc<SchemaSnapshot>>,
    /// mysqld's process id.
    pub mysqld_pid: Option<u32>,
    /// How often this agent started mysqld.
    pub mysqld_starts: u32,
}

/// What never changes while the agent runs.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// The tablet's name.
    pub tablet: String,
    /// Its keyspace.
    pub keyspace: String,
    /// Its shard.
    pub shard: String,
    /// mysqld's version.
    pub mysql_version: String,
    /// Start of the agent.
    pub incarnation: u64,
    /// mysqld's data directory.
    pub data_dir: String,
}

/// The health and who it belongs to. Clones share it.
#[derive(Debug, Clone)]
pub struct Board {
    identity: Arc<Identity>,
    health: watch::Sender<Health>,
}

impl Board {
    /// A board that says nothing is known yet.
    pub fn new(identity: Identity) -> Board {
        let health = Health {
            not_serving: Some("the agent is starting".into()),
            ..Health::default()
        };
        Board {
            identity: Arc::new(identity),
            health: watch::Sender::new(health),
        }
    }

    /// Who this is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Changes the health; followers are woken only if something is different after it.
    pub fn update(&self, change: impl FnOnce(&mut Health)) {
        self.health.send_if_modified(|health| {
            let before = health.clone();
            change(health);
            if before.not_serving != health.not_serving || (before.role, before.term) != (health.role, health.term) {
                tracing::info!(
                    role = ?health.role,
                    term = health.term,
                    "{}",
                    health.not_serving.as_deref().map_or("serving".to_owned(), |why| format!("not serving: {why}"))
                );
            }
            before != *health
        });
    }

    /// The health as it is.
    pub fn get(&self) -> Health {
        self.health.borrow().clone()
    }

    /// Follows the health.
    pub fn follow(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }

    /// The message for a stream whose receiver holds the definitions of `known` (incarnation, revision) already.
    pub fn message(&self, health: &Health, known: (u64, u64)) -> HealthUpdate {
        let id = &*self.identity;
        let revision = health.schema.as_ref().map_or(0, |s| s.revision);
        let schema = health
            .schema
            .as_deref()
            .filter(|s| (s.incarnation, s.revision) != known);
        HealthUpdate {
            tablet: id.tablet.clone(),
            keyspace: id.keyspace.clone(),
            shard: id.shard.clone(),
            role: health.role.into(),
            term: health.term,
            serving: health.not_serving.is_none(),
            not_serving_reason: health.not_serving.clone().unwrap_or_default(),
            gtid_executed: health.gtid_executed.clone(),
            replication_lag_ms: health.lag_ms,
            replication: health.replication.clone(),
            semi_sync: Some(health.semi_sync),
            mysql_version: id.mysql_version.clone(),
            server_uuid: health.server_uuid.clone(),
            incarnation: id.incarnation,
            schema_revision: revision,
            schema: schema.cloned(),
            draining: health.draining,
        }
    }
}
