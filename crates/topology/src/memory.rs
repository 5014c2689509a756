//! A store in memory: for tests, and the behaviour that the others are measured by.

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::live::Live;
use crate::store::{Entry, Expected, Listing, Store, StoreError, StoreInfo, Version, Watch};
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

impl Store for MemoryStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, StoreError>> {
        async move { Ok(self.live.read(|table| table.get(key))) }.boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Listing, StoreError>> {
        async move { Ok(self.live.read(|table| table.list(prefix))) }.boxed()
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        expected: Expected,
    ) -> BoxFuture<'a, Result<Version, StoreError>> {
        async move {
            let change = self
                .live
                .write(|table| table.plan_put(key, value, expected).map(Some))?;
            Ok(change.as_ref().map_or(0, Change::revision))
        }
        .boxed()
    }

    fn delete<'a>(&'a self, key: &'a str, expected: Expected) -> BoxFuture<'a, Result<bool, StoreError>> {
        async move {
            Ok(self
                .live
                .write(|table| table.plan_delete(key, expected))?
                .is_some())
        }
        .boxed()
    }

    fn watch(&self, prefix: &str) -> Watch {
        self.live.watch(prefix)
    }

    fn info(&self) -> BoxFuture<'_, Result<StoreInfo, StoreError>> {
        async move {
            Ok(StoreInfo {
                store_id: self.store_id.clone(),
                revision: self.live.read(Table::revision),
            })
        }
        .boxed()
    }
}
