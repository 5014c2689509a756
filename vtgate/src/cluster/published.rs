//! The current snapshot, for those who read it and for those who wait for the next one.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use tokio::sync::watch;

use super::Cluster;

/// The current snapshot. Reading it takes no lock.
pub struct Published {
    current: ArcSwap<Cluster>,
    changes: watch::Sender<()>,
}

impl Published {
    /// Publishes a first snapshot.
    pub fn new(first: Cluster) -> Self {
        Self {
            current: ArcSwap::from_pointee(first),
            changes: watch::Sender::new(()),
        }
    }

    /// The snapshot.
    pub fn load(&self) -> Guard<Arc<Cluster>> {
        self.current.load()
    }

    /// The snapshot, to be kept.
    pub fn load_full(&self) -> Arc<Cluster> {
        self.current.load_full()
    }

    /// Replaces the snapshot and wakes those who wait for that.
    pub(super) fn store(&self, next: Cluster) {
        self.current.store(Arc::new(next));
        self.changes.send_replace(());
    }

    /// Tells of every snapshot from now on.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }
}
