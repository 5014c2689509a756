//! The table definitions of the keyspace's database: read when something changed, never on a timer.
//!
//! Reading information_schema costs milliseconds, and nine servers may share two cores. So the primary reads it only after
//! something besides its own heartbeats was written, and a replica only when the hash that came with a heartbeat is not that of
//! its own definitions; either waits at least thirty times as long as the last reading took. Whoever knows of a DDL asks by
//! [`Handle::reload`], which is immediate.

pub mod initial;
mod pieces;
mod read;
mod values;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use prost::Message as _;
use proto::v1::SchemaSnapshot;
use tokio::sync::{Mutex, Notify, OnceCell};

use crate::accounts;
use crate::control::{Control, ControlError};
use crate::hash::fnv1a;
use crate::health::Board;

/// Shortest pause between two readings that nobody asked for.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// The pause is at least this many times as long as the last reading took: at most three percent of a core.
const PAUSE_FACTOR: u32 = 30;

/// The definitions and how to have them read. Clones share them.
#[derive(Debug, Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    control: Control,
    board: Board,
    database: parking_lot::Mutex<Option<String>>,
    /// Hash of the definitions on the board; 0: none.
    hash: AtomicU64,
    /// Transactions that others than the agent had written when it last looked.
    written: AtomicU64,
    wanted: Notify,
    collations: OnceCell<read::Collations>,
    /// One reading at a time, and how long the last one took.
    reading: Mutex<Duration>,
}

/// Why the definitions could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// mysqld is not up, or this member has no shard yet.
    #[error("the tablet has no database yet")]
    NoDatabase,
    /// mysqld did not answer.
    #[error("cannot read the table definitions")]
    Control(#[from] ControlError),
}

impl Handle {
    /// A reader for the server at this socket, idle until told of a database.
    pub fn start(socket: &Path, password: &str, board: Board) -> Handle {
        let inner = Arc::new(Inner {
            control: Control::new(socket, accounts::AGENT, password),
            board,
            database: parking_lot::Mutex::new(None),
            hash: AtomicU64::new(0),
            written: AtomicU64::new(0),
            wanted: Notify::new(),
            collations: OnceCell::new(),
            reading: Mutex::new(Duration::ZERO),
        });
        let handle = Handle { inner };
        tokio::spawn(handle.clone().follow_wishes());
        handle
    }

    /// The database that is read; none while there is none.
    pub fn database(&self) -> Option<String> {
        self.inner.database.lock().clone()
    }

    /// The database to read.
    pub fn set_database(&self, database: &str) {
        let mut slot = self.inner.database.lock();
        if slot.as_deref() != Some(database) {
            *slot = Some(database.to_owned());
        }
    }

    /// mysqld is going or gone: nothing is read before the next [`Handle::set_database`].
    pub async fn stop(&self) {
        *self.inner.database.lock() = None;
        self.inner.control.reset().await;
    }

    /// Hash of the definitions last read; 0: none.
    pub fn hash(&self) -> u64 {
        self.inner.hash.load(Ordering::Relaxed)
    }

    /// The primary has seen so many transactions besides its heartbeats.
    pub fn written(&self, transactions: u64) {
        if self.inner.written.swap(transactions, Ordering::Relaxed) != transactions {
            self.inner.wanted.notify_one();
        }
    }

    /// The primary's definitions have this hash; 0: not known.
    pub fn expect(&self, hash: u64) {
        if self.hash() == 0 || (hash != 0 && hash != self.hash()) {
            self.inner.wanted.notify_one();
        }
    }

    /// Reads the definitions now. Every DDL that finished before the call is in them.
    pub async fn reload(&self) -> Result<(), SchemaError> {
        let mut took = self.inner.reading.lock().await;
        let database = self
            .inner
            .database
            .lock()
            .clone()
            .ok_or(SchemaError::NoDatabase)?;
        let begin = Instant::now();
        let collations = self
            .inner
            .collations
            .get_or_try_init(|| read::collations(&self.inner.control))
            .await?;
        let mut snapshot = read::snapshot(&self.inner.control, collations, &database).await?;
        *took = begin.elapsed();
        // Zero stands for unknown.
        let hash = fnv1a(&snapshot.encode_to_vec()).max(1);
        if self.inner.hash.swap(hash, Ordering::Relaxed) != hash {
            self.inner.board.update(|health| {
                snapshot.incarnation = self.inner.board.identity().incarnation;
                snapshot.revision = health.schema.as_ref().map_or(0, |s| s.revision).saturating_add(1);
                tracing::info!(
                    tables = snapshot.tables.len(),
                    revision = snapshot.revision,
                    "table definitions changed"
                );
                health.schema = Some(Arc::new(snapshot));
            });
        }
        Ok(())
    }

    /// The definitions last read.
    pub fn current(&self) -> Option<Arc<SchemaSnapshot>> {
        self.inner.board.get().schema
    }

    async fn follow_wishes(self) {
        loop {
            self.inner.wanted.notified().await;
            if let Err(error) = self.reload().await {
                tracing::debug!(%error, "schema");
            }
            let took = *self.inner.reading.lock().await;
            tokio::time::sleep(PAUSE_MIN.max(took.saturating_mul(PAUSE_FACTOR))).await;
        }
    }
}
