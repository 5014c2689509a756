//! The `Store` trait: a few thousand small values under keys, each with a version.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::keys;

/// Longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 1024;

/// Largest value, in bytes: a keyspace with the DDL and the vschema of thousands of tables fits.
pub const VALUE_BYTES_MAX: usize = 16 << 20;

/// The revision of the store at which an entry got its value: from 1, and never the same for two writes, so
/// that an entry that was deleted and made again is told from the one before.
pub type Version = u64;

/// One key with its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path-like name, see [`crate::keys`].
    pub key: String,
    /// The value; shared, since every watcher of the key gets it.
    pub value: Arc<[u8]>,
    /// When it was written.
    pub version: Version,
}

/// Leaves the value out: it may be an account's verifier.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("key", &self.key)
            .field("value_bytes", &self.value.len())
            .field("version", &self.version)
            .finish()
    }
}

/// What a writer takes the entry to be before the write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is: the last writer wins.
    Any,
    /// The key does not exist.
    Absent,
    /// The entry has this version.
    Version(Version),
}

/// Entries as they stood at one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// In byte order of the keys.
    pub entries: Vec<Entry>,
    /// The store's revision at that moment.
    pub revision: u64,
}

/// Which store this is, and how far it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreInfo {
    /// Random identity from the store's creation, 32 hex digits: a store that was lost and made anew has
    /// another.
    pub store_id: String,
    /// Grows with every write.
    pub revision: u64,
}

/// What a watcher is told.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchEvent {
    /// Everything below the prefix, which replaces all that was known: first of all, and again after an
    /// interruption.
    Snapshot(Listing),
    /// The entry was created or replaced.
    Put(Entry),
    /// The entry is gone.
    Deleted {
        /// Its key.
        key: String,
        /// Revision of the deletion.
        revision: u64,
    },
    /// The store cannot be watched at the moment; what is known stays, and may be outdated until the next
    /// snapshot.
    Interrupted(StoreError),
}

/// Changes below a prefix. It goes on as long as the store lives; a watch of a remote store never ends by
/// itself.
pub type Watch = BoxStream<'static, WatchEvent>;

/// Why a store did not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The entry is not what the writer expected; nothing was written.
    #[error("version conflict on {key}: {}", describe(*actual))]
    Conflict {
        /// The key of the write.
        key: String,
        /// The entry's version; None when it does not exist.
        actual: Option<Version>,
    },
    /// The key or value breaks a rule; nothing was written.
    #[error("{0}")]
    Invalid(String),
    /// The store cannot be reached or did not answer in time. A write may have happened all the same: read
    /// again to know.
    #[error("the topology store is unavailable: {0}")]
    Unavailable(String),
    /// The store wants another secret.
    #[error("the topology store refused the credentials: {0}")]
    Unauthenticated(String),
    /// The store's file failed, so it refuses writes until it is opened again. The write may have reached the
    /// disk.
    #[error("the topology store's file failed: {0}")]
    Failed(String),
}

fn describe(actual: Option<Version>) -> String {
    match actual {
        Some(version) => format!("it has version {version}"),
        None => "it does not exist".to_owned(),
    }
}

/// Checks what is about to be written.
pub(crate) fn check_entry(key: &str, value: &[u8]) -> Result<(), StoreError> {
    keys::check(key)?;
    let size = value.len();
    if size > VALUE_BYTES_MAX {
        return Err(StoreError::Invalid(format!(
            "{key}: {size} bytes are more than {VALUE_BYTES_MAX}"
        )));
    }
    Ok(())
}

/// Bytes under keys with versions, compare-and-swap and watch.
///
/// The trait is object-safe (`Arc<dyn Store>`, boxed futures): which store a process uses is decided by its
/// command line, and calls happen when a term opens or a user changes something, never per statement, so
/// dispatch costs nothing that counts.
///
/// All implementations give the guarantees that `tests/contract.rs` checks: a write is durable and visible to
/// every later read when it is answered; of two writers that expect the same version one gets
/// [`StoreError::Conflict`]; a watcher sees every key's changes in order, may miss values that were replaced
/// soon after, and never misses the last one.
pub trait Store: Send + Sync + fmt::Debug {
    /// The entry, if it exists.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, StoreError>>;

    /// All entries whose keys start with `prefix`; the empty prefix means all.
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Listing, StoreError>>;

    /// Writes the entry if it is what the caller expects, and returns its new version.
    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        expected: Expected,
    ) -> BoxFuture<'a, Result<Version, StoreError>>;

    /// Removes the entry if it is what the caller expects; says whether it existed. Expecting
    /// [`Expected::Absent`] only asserts.
    fn delete<'a>(&'a self, key: &'a str, expected: Expected) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Follows all keys that start with `prefix`.
    fn watch(&self, prefix: &str) -> Watch;

    /// Which store this is.
    fn info(&self) -> BoxFuture<'_, Result<StoreInfo, StoreError>>;
}
