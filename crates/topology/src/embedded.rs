//! A store in a file: an append-only log with an fsync per write, compacted when it has grown.
//!
//! One process has it open; others reach it through [`crate::server`].

mod format;
mod log;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::live::Live;
use crate::local::{LocalStore, Plan};
use crate::store::StoreError;
use crate::table::Change;
use log::Log;

/// Why a store's file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("{path}: another process uses this topology store")]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file is not what was written: neither a whole log nor one whose last write was cut off by a crash.
    /// Opening it anyway would lose acknowledged writes, so a human has to restore it.
    #[error("{path}: damaged at byte {offset}: {why}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// What is wrong there.
        why: &'static str,
    },
    /// The operating system's error.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The error.
        source: std::io::Error,
    },
}

/// A store in a file. Clones share it; the file is unlocked when the last one is dropped.
#[derive(Clone, Debug)]
pub struct EmbeddedStore {
    live: Live,
    log: Arc<Mutex<Log>>,
    store_id: Arc<str>,
    failure: watch::Receiver<Option<String>>,
}

impl EmbeddedStore {
    /// Opens the store, and creates the file where there is none. Reads the whole file, which takes
    /// milliseconds.
    ///
    /// # Errors
    /// When the file is in use, damaged, or cannot be read or written.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let (failures, failure) = watch::channel(None);
        let opened = Log::open(path, failures)?;
        Ok(Self {
            live: Live::new(opened.table),
            store_id: hex::encode(opened.store_id).into(),
            log: Arc::new(Mutex::new(opened.log)),
            failure,
        })
    }

    /// Waits until the file failed in a way that only opening it again can mend, and says how. The process
    /// should end then.
    pub async fn failed(&self) -> String {
        let mut failure = self.failure.clone();
        let found = failure
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|failure| failure.clone());
        match found {
            Some(failure) => failure,
            // The sender lives in the log, which this store holds, so this is not reached.
            None => std::future::pending().await,
        }
    }
}

impl LocalStore for EmbeddedStore {
    fn live(&self) -> &Live {
        &self.live
    }

    fn store_id(&self) -> &str {
        &self.store_id
    }

    /// On a thread that may wait for the disk. Goes on when the caller stops waiting.
    fn write(&self, plan: Plan) -> BoxFuture<'_, Result<Option<Change>, StoreError>> {
        let (live, log) = (self.live.clone(), Arc::clone(&self.log));
        let write = move || {
            let mut log = log.lock();
            let Some(change) = live.read(plan)? else {
                return Ok(None);
            };
            log.append(&change)?;
            live.apply(&change);
            if log.wants_compaction() {
                live.read(|table| log.compact(table));
            }
            Ok(Some(change))
        };
        async move {
            let done = tokio::task::spawn_blocking(write).await;
            done.unwrap_or_else(|error| Err(StoreError::Failed(error.to_string())))
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests;
