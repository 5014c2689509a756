//! The store's file on disk: opening with recovery, appending, compaction.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tokio::sync::watch;

use super::OpenError;
use super::format::{self, Decoded};
use crate::store::StoreError;
use crate::table::{Change, Table};

/// Below this size a file is never compacted.
const COMPACT_BYTES_MIN: u64 = 1 << 20;

/// How many times its compacted size a file grows to before it is compacted again.
const COMPACT_GROWTH: u64 = 4;

/// The file, open for appending.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    path: PathBuf,
    bytes: u64,
    /// Size from which on it is compacted.
    compact_at_bytes: u64,
    store_id: [u8; 16],
    /// Set when it is not known any more what the disk holds.
    failure: watch::Sender<Option<String>>,
    /// Locked as long as it lives. A file of its own, since compaction replaces the other.
    _lock: File,
}

/// A log with what was in it.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) log: Log,
    pub(super) table: Table,
    pub(super) store_id: [u8; 16],
}

impl Log {
    pub(super) fn open(path: &Path, failure: watch::Sender<Option<String>>) -> Result<Opened, OpenError> {
        let io = |source| OpenError::Io {
            path: path.to_owned(),
            source,
        };
        let lock = lock(path)?;
        let content = match std::fs::read(path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let content = format::encode_compacted(rand::random(), &Table::default());
                write_new(path, &content)
                    .and_then(|new| move_into_place(&new, path))
                    .map_err(io)?;
                content
            }
            Err(error) => return Err(io(error)),
        };
        let Decoded {
            store_id,
            table,
            whole_bytes,
        } = format::decode(&content).map_err(|damage| OpenError::Damaged {
            path: path.to_owned(),
            offset: damage.offset as u64,
            why: damage.why,
        })?;
        let file = OpenOptions::new().append(true).open(path).map_err(io)?;
        if whole_bytes < content.len() {
            let bytes = content.len() - whole_bytes;
            tracing::warn!(path = %path.display(), bytes, "dropping a write that a crash cut off");
            file.set_len(whole_bytes as u64)
                .and_then(|()| file.sync_all())
                .map_err(io)?;
        }
        let log = Self {
            file,
            path: path.to_owned(),
            bytes: whole_bytes as u64,
            compact_at_bytes: COMPACT_BYTES_MIN.max(whole_bytes as u64),
            store_id,
            failure,
            _lock: lock,
        };
        Ok(Opened { log, table, store_id })
    }

    /// Makes the change durable.
    pub(super) fn append(&mut self, change: &Change) -> Result<(), StoreError> {
        if let Some(failure) = self.failure.borrow().as_ref() {
            return Err(StoreError::Failed(failure.clone()));
        }
        let record = format::encode_record(change, self.bytes);
        if let Err(error) = self.file.write_all(&record) {
            // A full disk is no reason to give up, if the incomplete record can be taken back.
            return match self.file.set_len(self.bytes).and_then(|()| self.file.sync_all()) {
                Ok(()) => Err(StoreError::Unavailable(format!(
                    "{}: {error}",
                    self.path.display()
                ))),
                Err(_) => Err(self.fail(&error)),
            };
        }
        // A failed sync may have dropped the pages, and the next one would succeed without them.
        self.file.sync_data().map_err(|error| self.fail(&error))?;
        self.bytes += record.len() as u64;
        Ok(())
    }

    pub(super) fn wants_compaction(&self) -> bool {
        self.bytes >= self.compact_at_bytes
    }

    /// Replaces the file by one that holds only what `table` holds. Where there is no room for that, the old one
    /// goes on.
    pub(super) fn compact(&mut self, table: &Table) {
        let content = format::encode_compacted(self.store_id, table);
        let bytes = content.len() as u64;
        let new = match write_new(&self.path, &content) {
            Ok(new) => new,
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "cannot compact; trying again later");
                self.compact_at_bytes = self.bytes.saturating_mul(2);
                return;
            }
        };
        let moved = move_into_place(&new, &self.path);
        match moved.and_then(|()| OpenOptions::new().append(true).open(&self.path)) {
            Ok(file) => {
                tracing::info!(path = %self.path.display(), before = self.bytes, after = bytes, "compacted");
                self.file = file;
                self.bytes = bytes;
                self.compact_at_bytes = COMPACT_BYTES_MIN.max(bytes.saturating_mul(COMPACT_GROWTH));
            }
            Err(error) => {
                // Whether a restart will find the old or the new file is unknown, so neither may grow.
                self.fail(&error);
            }
        }
    }

    fn fail(&self, error: &io::Error) -> StoreError {
        let failure = format!("{}: {error}", self.path.display());
        tracing::error!(%failure, "the topology store's file failed");
        self.failure.send_replace(Some(failure.clone()));
        StoreError::Failed(failure)
    }
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let lock_path = with_suffix(path, ".lock");
    let io = |source| OpenError::Io {
        path: lock_path.clone(),
        source,
    };
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&lock_path)
        .map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

/// Writes a file that is to replace `path`, durably; returns its name.
fn write_new(path: &Path, content: &[u8]) -> io::Result<PathBuf> {
    let new = with_suffix(path, ".new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    Ok(new)
}

/// Puts the file `new` in the place of `path`, so that a crash leaves the old or the new one.
fn move_into_place(new: &Path, path: &Path) -> io::Result<()> {
    std::fs::rename(new, path)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
