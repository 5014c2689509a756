//! A store in memory: for tests, and the behaviour that the others are measured by.

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::live::Live;
use crate::local::{LocalStore, Plan};
use crate::store::StoreError;
use crate::table::{Change, Table};

/// Entries that live as long as the value (and its clones, which share them).
#[derive(Clone, Debug)]
pub struct MemoryStore {
    live: Live,
    store_id: String,
}

impl MemoryStore {
    /// An empty store with an identity of its own.
    #[must_use]
    pub fn new() -> Self {
        Self {
            live: Live::new(Table::default()),
            store_id: hex::encode(rand::random::<[u8; 16]>()),
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl LocalStore for MemoryStore {
    fn live(&self) -> &Live {
        &self.live
    }

    fn store_id(&self) -> &str {
        &self.store_id
    }

    fn write(&self, plan: Plan) -> BoxFuture<'_, Result<Option<Change>, StoreError>> {
        async move { self.live.write(plan) }.boxed()
    }
}
