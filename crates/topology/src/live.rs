//! A table that many read and follow while one writes.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use parking_lot::RwLock;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver, Sender};

use crate::store::{Watch, WatchEvent};
use crate::table::{Change, Table};

/// Changes that a watcher may be behind before it gets a snapshot instead.
const WATCHER_BEHIND_MAX: usize = 1024;

/// The table and its watchers. Clones share both.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    table: Arc<RwLock<Table>>,
    changes: Sender<Change>,
}

impl Live {
    pub(crate) fn new(table: Table) -> Self {
        Self {
            table: Arc::new(RwLock::new(table)),
            changes: broadcast::channel(WATCHER_BEHIND_MAX).0,
        }
    }

    /// Runs `read` on the table as it stands between two changes.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Table) -> T) -> T {
        read(&self.table.read())
    }

    /// Plans a change with `plan` and applies it, with no other write between.
    pub(crate) fn write<E>(
        &self,
        plan: impl FnOnce(&Table) -> Result<Option<Change>, E>,
    ) -> Result<Option<Change>, E> {
        let mut table = self.table.write();
        let change = plan(&table)?;
        if let Some(change) = &change {
            table.apply(change);
            self.announce(change);
        }
        Ok(change)
    }

    /// Applies a change that was planned earlier; the caller kept other writers out since.
    pub(crate) fn apply(&self, change: &Change) {
        let mut table = self.table.write();
        table.apply(change);
        self.announce(change);
    }

    /// Called with the table locked, so that a watcher's snapshot and its subscription fit together without a
    /// gap.
    fn announce(&self, change: &Change) {
        // An error only says that nobody watches.
        let _ = self.changes.send(change.clone());
    }

    pub(crate) fn watch(&self, prefix: &str) -> Watch {
        let watcher = Watcher {
            table: Arc::downgrade(&self.table),
            changes: None,
            resubscribe: self.changes.downgrade(),
            prefix: prefix.to_owned(),
            ready: VecDeque::new(),
        };
        stream::unfold(watcher, |mut watcher| async move {
            let event = watcher.next().await?;
            Some((event, watcher))
        })
        .boxed()
    }
}

struct Watcher {
    /// Weak, so that a watch ends when the store is dropped.
    table: std::sync::Weak<RwLock<Table>>,
    resubscribe: broadcast::WeakSender<Change>,
    changes: Option<Receiver<Change>>,
    prefix: String,
    ready: VecDeque<WatchEvent>,
}

impl Watcher {
    async fn next(&mut self) -> Option<WatchEvent> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let Some(changes) = &mut self.changes else {
                self.subscribe()?;
                continue;
            };
            match changes.recv().await {
                Ok(change) if change.key().starts_with(&self.prefix) => return Some(to_event(change)),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => self.changes = None,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn subscribe(&mut self) -> Option<()> {
        let table = self.table.upgrade()?;
        let sender = self.resubscribe.upgrade()?;
        let table = table.read();
        self.changes = Some(sender.subscribe());
        self.ready
            .push_back(WatchEvent::Snapshot(table.list(&self.prefix)));
        Some(())
    }
}

fn to_event(change: Change) -> WatchEvent {
    match change {
        Change::Put(entry) => WatchEvent::Put(entry),
        Change::Delete { key, revision } => WatchEvent::Deleted { key, revision },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Expected;

    #[tokio::test]
    async fn a_watcher_that_falls_behind_gets_a_snapshot_and_goes_on() {
        let live = Live::new(Table::default());
        let put = |key: &str| {
            live.write(|table| table.plan_put(key, vec![1], Expected::Any).map(Some))
                .unwrap()
        };
        let mut watch = live.watch("a/");
        assert!(
            matches!(watch.next().await, Some(WatchEvent::Snapshot(listing)) if listing.entries.is_empty())
        );
        for _ in 0..=WATCHER_BEHIND_MAX {
            put("a/x");
        }
        let Some(WatchEvent::Snapshot(listing)) = watch.next().await else {
            panic!("no snapshot")
        };
        assert_eq!(listing.revision, WATCHER_BEHIND_MAX as u64 + 1);
        put("b/other");
        put("a/y");
        assert!(matches!(watch.next().await, Some(WatchEvent::Put(entry)) if entry.key == "a/y"));
    }

    #[tokio::test]
    async fn a_watch_ends_with_its_store() {
        let live = Live::new(Table::default());
        let mut watch = live.watch("");
        assert!(watch.next().await.is_some());
        drop(live);
        assert_eq!(watch.next().await, None);
    }
}
