//! What the sessions of one worker thread share.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hashbrown::HashMap;
use sql::fingerprint::Fingerprint;

use crate::backend::connection::BackendOptions;
use crate::backend::{Pool, PoolLimits};
use crate::buffer::Buffer;
use crate::cluster::{Cluster, Published, ShardState, TabletTarget};
use crate::config::Config;
use crate::control::Sessions;
use crate::metrics::WorkerMetrics;
use crate::plan_cache::PlanCache;
use crate::session::context::Contexts;
use crate::session::planned::Planned;
use crate::settings::SettingsTable;

/// How many fingerprints' buffers a worker keeps for its next statements.
const FINGERPRINTS_KEPT_MAX: usize = 8;

/// Parts that every worker thread is given.
#[derive(Clone)]
pub struct Shared {
    /// Flags.
    pub config: Arc<Config>,
    /// All sessions of the gateway.
    pub sessions: Arc<Sessions>,
    /// The current cluster, replaced as a whole on each change.
    pub cluster: Arc<Published>,
    /// Asks an agent to re-read its table definitions, after DDL.
    pub reload: crate::cluster::Reloader,
    /// Statements that wait for a primary.
    pub buffer: Arc<Buffer>,
    /// Where spans go.
    pub traces: Option<crate::traces::Traces>,
}

/// A worker's own count of a cluster's users: one that all threads shared would move between their cores with every statement.
pub type CurrentCluster = Rc<Arc<Cluster>>;

/// State of one worker thread.
pub struct Worker {
    /// Parts that all workers share.
    pub shared: Shared,
    /// This worker's counters.
    pub metrics: Arc<WorkerMetrics>,
    /// System variables of sessions, interned.
    pub system_settings: SettingsTable,
    /// User variables of sessions, interned.
    pub user_settings: SettingsTable,
    /// Contexts that plans were made under, interned.
    pub contexts: RefCell<Contexts>,
    /// Plans by fingerprint.
    pub plans: RefCell<PlanCache<Planned>>,
    #[expect(
        clippy::vec_box,
        reason = "a session's future holds the box across its awaits, not the buffers"
    )]
    fingerprints: RefCell<Vec<Box<Fingerprint>>>,
    backend_options: Rc<BackendOptions>,
    pools: RefCell<HashMap<u64, Rc<Pool>>>,
    cluster: RefCell<CurrentCluster>,
}

impl Worker {
    /// A worker without connections.
    pub fn new(shared: Shared, metrics: Arc<WorkerMetrics>, backend_options: BackendOptions) -> Rc<Self> {
        let plans = PlanCache::new(shared.config.plan_cache_bytes_max);
        let cluster = Rc::new(shared.cluster.load_full());
        Rc::new(Self {
            shared,
            metrics,
            system_settings: SettingsTable::default(),
            user_settings: SettingsTable::default(),
            contexts: RefCell::default(),
            plans: RefCell::new(plans),
            fingerprints: RefCell::default(),
            backend_options: Rc::new(backend_options),
            pools: RefCell::default(),
            cluster: RefCell::new(cluster),
        })
    }

    /// The cluster as it is now. Plans of an older catalog are dropped on the way.
    pub fn cluster(&self) -> CurrentCluster {
        let latest = self.shared.cluster.load();
        let mut known = self.cluster.borrow_mut();
        if !Arc::ptr_eq(&known, &latest) {
            if known.catalog_revision != latest.catalog_revision {
                self.plans.borrow_mut().clear();
            }
            *known = Rc::new(Arc::clone(&latest));
        }
        known.clone()
    }

    /// Returns once another primary serves the shard than the one of this term; never for a replica (0).
    pub async fn superseded(&self, target: &TabletTarget, term: u64) {
        let mut changes = self.shared.cluster.changes();
        loop {
            let cluster = self.cluster();
            let state = cluster.find_shard(&target.keyspace, &target.shard);
            let later = |state: &ShardState| state.open_primary().is_some() && state.term > term;
            if term != 0 && state.is_some_and(later) {
                return;
            }
            drop(cluster);
            if changes.changed().await.is_err() {
                // The gateway stops.
                std::future::pending::<()>().await;
            }
        }
    }

    /// The pool of a tablet, made when first asked for.
    pub fn pool(&self, target: &Arc<TabletTarget>) -> Rc<Pool> {
        if let Some(pool) = self.pools.borrow().get(&target.id) {
            return pool.clone();
        }
        let config = &self.shared.config;
        let limits = PoolLimits {
            connections_max: config.pool_size_per_worker(),
            wait_max: Duration::from_millis(config.pool_wait_ms_max),
            idle_max: Duration::from_secs(config.pool_idle_s_max),
        };
        let pool = Pool::new(
            target.clone(),
            limits,
            self.backend_options.clone(),
            self.metrics.clone(),
        );
        self.pools.borrow_mut().insert(target.id, pool.clone());
        pool
    }

    /// All pools, for `SHOW VITRAIL` and metrics.
    pub fn pools(&self) -> Vec<Rc<Pool>> {
        self.pools.borrow().values().cloned().collect()
    }

    /// Closes idle connections and the pools of tablets that are gone. Called every few seconds.
    pub fn sweep(&self) {
        let cluster = self.cluster();
        self.pools.borrow_mut().retain(|id, pool| {
            let kept = cluster.has_target(*id);
            if !kept {
                pool.close();
            }
            kept
        });
        for pool in self.pools() {
            pool.sweep();
        }
        let plans = self.plans.borrow();
        self.metrics.plan_hits.store(plans.hits, Ordering::Relaxed);
        self.metrics.plan_misses.store(plans.misses, Ordering::Relaxed);
    }

    /// Buffers for a fingerprint; give them back by [`Self::give_fingerprint`].
    pub fn take_fingerprint(&self) -> Box<Fingerprint> {
        self.fingerprints.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes buffers back.
    pub fn give_fingerprint(&self, buffers: Box<Fingerprint>) {
        let mut kept = self.fingerprints.borrow_mut();
        if kept.len() < FINGERPRINTS_KEPT_MAX {
            kept.push(buffers);
        }
    }
}
