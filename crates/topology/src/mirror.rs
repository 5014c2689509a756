//! A copy of all records of one kind that follows the store, for readers that must go on without it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt;
use tokio::sync::watch::{self, Receiver};
use tokio::task::JoinHandle;

use crate::typed::{Record, RecordEvent, TypedStore, Versioned};

/// Records by key.
pub type Records<R> = BTreeMap<String, Versioned<R>>;

/// The records of one kind as they were last heard of. Dropping it stops following.
#[derive(Debug)]
pub struct Mirror<R> {
    state: Receiver<Arc<State<R>>>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct State<R> {
    records: Records<R>,
    /// Whether a snapshot has arrived since the start.
    loaded: bool,
    /// Whether the store could be watched at the last event.
    connected: bool,
}

impl<R> Clone for State<R>
where
    R: Clone,
{
    fn clone(&self) -> Self {
        Self {
            records: self.records.clone(),
            loaded: self.loaded,
            connected: self.connected,
        }
    }
}

impl<R: Record + Clone> Mirror<R> {
    /// Starts to follow, with a task on the current runtime.
    #[must_use]
    pub fn start(store: &TypedStore) -> Self {
        let (sender, state) = watch::channel(Arc::new(State {
            records: Records::new(),
            loaded: false,
            connected: false,
        }));
        let mut events = store.watch::<R>();
        let task = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                sender.send_modify(|state| apply(Arc::make_mut(state), event));
            }
            sender.send_modify(|state| Arc::make_mut(state).connected = false);
        });
        Self { state, task }
    }

    /// Waits until the records were read once.
    pub async fn loaded(&mut self) {
        // An error means that the store is gone, and then nothing will be loaded: the caller's own deadline
        // applies.
        if self.state.wait_for(|state| state.loaded).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The records as last heard of.
    #[must_use]
    pub fn records(&self) -> Records<R> {
        self.state.borrow().records.clone()
    }

    /// Runs `read` on the records without copying them; they do not change meanwhile, so it has to be short.
    pub fn with<T>(&self, read: impl FnOnce(&Records<R>) -> T) -> T {
        read(&self.state.borrow().records)
    }

    /// Whether the store could be watched at last; if not, the records may be outdated.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.state.borrow().connected
    }

    /// Waits for the next change since the last call, be it of the records or of the connection.
    pub async fn changed(&mut self) {
        if self.state.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl<R> Drop for Mirror<R> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn apply<R: Record>(state: &mut State<R>, event: RecordEvent<R>) {
    match event {
        RecordEvent::Snapshot(records) => {
            state.records = records.into_iter().collect();
            state.loaded = true;
            state.connected = true;
        }
        RecordEvent::Put(key, record) => {
            state.records.insert(key, record);
        }
        RecordEvent::Deleted(key) => {
            state.records.remove(&key);
        }
        RecordEvent::Malformed(error) => tracing::error!(%error, "a record cannot be read"),
        RecordEvent::Interrupted(error) => {
            if state.connected {
                tracing::warn!(kind = R::KIND, %error, "the topology store cannot be watched; going on with what is known");
            }
            state.connected = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryStore;
    use crate::records::Cell;
    use crate::store::Expected;

    #[tokio::test]
    async fn a_mirror_follows_the_store() {
        let store = TypedStore::new(Arc::new(MemoryStore::new()));
        store.create(&Cell { name: "a".into() }).await.unwrap();
        let mut mirror = Mirror::<Cell>::start(&store);
        mirror.loaded().await;
        assert!(mirror.is_connected());
        assert_eq!(mirror.records().keys().collect::<Vec<_>>(), ["cells/a"]);
        store.create(&Cell { name: "b".into() }).await.unwrap();
        store.delete("cells/a", Expected::Any).await.unwrap();
        while mirror.records().keys().ne(["cells/b"].iter()) {
            mirror.changed().await;
        }
        let damaged = store.store().put("cells/b", b"{".to_vec(), Expected::Any).await;
        damaged.unwrap();
        mirror.changed().await;
        assert_eq!(
            mirror.with(|records| records.len()),
            1,
            "the last readable record stays"
        );
    }
}
