//! Records instead of bytes: read, create, and change in a compare-and-swap loop.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::store::{Entry, Expected, Store, StoreError, StoreInfo, Version, WatchEvent};

/// How often [`TypedStore::update`] starts again after another writer was faster. Records are written seldom,
/// so more than that means two writers fight, which the caller should know.
const UPDATE_TRIES_MAX: usize = 20;

/// A kind of record: a JSON object in a folder of its own.
pub trait Record: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The kind's name in messages.
    const KIND: &'static str;
    /// The folder that all records of the kind lie in, with its final slash.
    const FOLDER: &'static str;

    /// Where this one lies, below [`Self::FOLDER`].
    fn key(&self) -> String;
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Versioned<R> {
    /// The record.
    pub record: R,
    /// Its version, for [`TypedStore::replace`].
    pub version: Version,
    /// Fields that this version of Vitrail does not know; written back unchanged.
    unknown: Map<String, Value>,
}

/// Why a typed operation failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypedError {
    /// The store's own error.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The entry is there and is no record of its kind.
    #[error("{key} is no valid {kind} record: {why}")]
    Malformed {
        /// Where it lies.
        key: String,
        /// The kind that lies there.
        kind: &'static str,
        /// What is wrong.
        why: String,
    },
    /// There is no such record.
    #[error("there is no {kind} record {key}")]
    Missing {
        /// The key.
        key: String,
        /// The kind.
        kind: &'static str,
    },
}

impl TypedError {
    /// Whether another writer was faster.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict { .. }))
    }
}

/// What a watcher of records is told; as [`WatchEvent`].
#[derive(Clone, Debug, PartialEq)]
pub enum RecordEvent<R> {
    /// All records of the kind, which replace all that was known, by key.
    Snapshot(Vec<(String, Versioned<R>)>),
    /// The record at that key was created or replaced.
    Put(String, Versioned<R>),
    /// The record at that key is gone.
    Deleted(String),
    /// The entry cannot be read as a record; what was known of it stays. Within a snapshot such entries come
    /// as an event of their own right after it.
    Malformed(TypedError),
    /// As [`WatchEvent::Interrupted`].
    Interrupted(StoreError),
}

/// A store with records in it. Clones share it.
#[derive(Clone, Debug)]
pub struct TypedStore {
    store: Arc<dyn Store>,
}

impl TypedStore {
    /// Wraps a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// The store below.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Which store this is.
    ///
    /// # Errors
    /// The store's.
    pub async fn info(&self) -> Result<StoreInfo, StoreError> {
        self.store.info().await
    }

    /// The record at `key` (see [`crate::keys`]), if it exists.
    ///
    /// # Errors
    /// The store's, or that the entry is malformed.
    pub async fn get<R: Record>(&self, key: &str) -> Result<Option<Versioned<R>>, TypedError> {
        self.store.get(key).await?.map(|entry| decode(&entry)).transpose()
    }

    /// The record at `key`, which has to exist.
    ///
    /// # Errors
    /// As [`Self::get`], and [`TypedError::Missing`].
    pub async fn require<R: Record>(&self, key: &str) -> Result<Versioned<R>, TypedError> {
        let found = self.get(key).await?;
        found.ok_or_else(|| TypedError::Missing {
            key: key.to_owned(),
            kind: R::KIND,
        })
    }

    /// All records of the kind, in order of their keys.
    ///
    /// # Errors
    /// As [`Self::get`], at the first entry that is malformed.
    pub async fn list<R: Record>(&self) -> Result<Vec<Versioned<R>>, TypedError> {
        self.list_below(R::FOLDER).await
    }

    /// The records of the kind below a prefix, such as [`crate::keys::shards_of`].
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn list_below<R: Record>(&self, prefix: &str) -> Result<Vec<Versioned<R>>, TypedError> {
        self.store
            .list(prefix)
            .await?
            .entries
            .iter()
            .map(decode)
            .collect()
    }

    /// Writes a record that must not exist yet.
    ///
    /// # Errors
    /// A conflict when it does, or the store's.
    pub async fn create<R: Record>(&self, record: &R) -> Result<Version, TypedError> {
        self.write(record, &Map::new(), Expected::Absent).await
    }

    /// Writes `record` in the place of the one that was read before, if it is still the same.
    ///
    /// # Errors
    /// A conflict when it is not, or the store's.
    pub async fn replace<R: Record>(&self, read: &Versioned<R>, record: &R) -> Result<Version, TypedError> {
        self.write(record, &read.unknown, Expected::Version(read.version))
            .await
    }

    /// Reads the record, changes it by `change` and swaps it in; starts again when another writer was faster.
    /// When `change` leaves it as it was, nothing is written. Returns the record as it is then.
    ///
    /// # Errors
    /// What `change` returns, that the record does not exist, or the store's. After
    /// [`StoreError::Unavailable`] the write may have happened.
    pub async fn update<R, E>(
        &self,
        key: &str,
        mut change: impl FnMut(&mut R) -> Result<(), E>,
    ) -> Result<Versioned<R>, E>
    where
        R: Record + Clone + PartialEq,
        E: From<TypedError>,
    {
        let mut tries = 1;
        loop {
            let read = self.require::<R>(key).await?;
            let mut record = read.record.clone();
            change(&mut record)?;
            if record == read.record {
                return Ok(read);
            }
            match self.replace(&read, &record).await {
                Ok(version) => {
                    return Ok(Versioned {
                        record,
                        version,
                        unknown: read.unknown,
                    });
                }
                Err(error) if error.is_conflict() && tries < UPDATE_TRIES_MAX => tries += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Writes the record whatever is there: for a record that has one writer, such as a tablet its own.
    ///
    /// # Errors
    /// The store's.
    pub async fn put<R: Record>(&self, record: &R) -> Result<Version, TypedError> {
        let known = match self.get::<R>(&record.key()).await {
            Ok(found) => found.map(|found| found.unknown).unwrap_or_default(),
            Err(TypedError::Malformed { .. }) => Map::new(),
            Err(error) => return Err(error),
        };
        self.write(record, &known, Expected::Any).await
    }

    /// Removes the record at `key`; says whether it existed.
    ///
    /// # Errors
    /// The store's.
    pub async fn delete(&self, key: &str, expected: Expected) -> Result<bool, TypedError> {
        Ok(self.store.delete(key, expected).await?)
    }

    /// Follows all records of the kind.
    pub fn watch<R: Record>(&self) -> BoxStream<'static, RecordEvent<R>> {
        let events = self.store.watch(R::FOLDER);
        events
            .flat_map(|event| futures::stream::iter(decode_event(event)))
            .boxed()
    }

    async fn write<R: Record>(
        &self,
        record: &R,
        unknown: &Map<String, Value>,
        expected: Expected,
    ) -> Result<Version, TypedError> {
        let key = record.key();
        let value = encode(record, unknown).map_err(|why| malformed::<R>(&key, why.to_string()))?;
        Ok(self.store.put(&key, value, expected).await?)
    }
}

fn malformed<R: Record>(key: &str, why: String) -> TypedError {
    TypedError::Malformed {
        key: key.to_owned(),
        kind: R::KIND,
        why,
    }
}

fn encode<R: Record>(record: &R, unknown: &Map<String, Value>) -> Result<Vec<u8>, serde_json::Error> {
    let mut value = serde_json::to_value(record)?;
    if let Value::Object(fields) = &mut value {
        for (name, value) in unknown {
            fields.entry(name).or_insert_with(|| value.clone());
        }
    }
    serde_json::to_vec(&value)
}

fn decode<R: Record>(entry: &Entry) -> Result<Versioned<R>, TypedError> {
    let parse = || -> Result<Versioned<R>, serde_json::Error> {
        let mut unknown: Map<String, Value> = serde_json::from_slice(&entry.value)?;
        let record: R = serde_json::from_slice(&entry.value)?;
        if let Value::Object(known) = serde_json::to_value(&record)? {
            unknown.retain(|name, _| !known.contains_key(name));
        }
        Ok(Versioned {
            record,
            version: entry.version,
            unknown,
        })
    };
    let found = parse().map_err(|why| malformed::<R>(&entry.key, why.to_string()))?;
    if found.record.key() == entry.key {
        Ok(found)
    } else {
        Err(malformed::<R>(
            &entry.key,
            format!("its content belongs to {}", found.record.key()),
        ))
    }
}

fn decode_event<R: Record>(event: WatchEvent) -> Vec<RecordEvent<R>> {
    match event {
        WatchEvent::Snapshot(listing) => {
            let mut records = Vec::with_capacity(listing.entries.len());
            let mut errors = Vec::new();
            for entry in listing.entries {
                match decode(&entry) {
                    Ok(record) => records.push((entry.key, record)),
                    Err(error) => errors.push(RecordEvent::Malformed(error)),
                }
            }
            let mut events = vec![RecordEvent::Snapshot(records)];
            events.append(&mut errors);
            events
        }
        WatchEvent::Put(entry) => vec![match decode(&entry) {
            Ok(record) => RecordEvent::Put(entry.key, record),
            Err(error) => RecordEvent::Malformed(error),
        }],
        WatchEvent::Deleted { key, .. } => vec![RecordEvent::Deleted(key)],
        WatchEvent::Interrupted(error) => vec![RecordEvent::Interrupted(error)],
    }
}

#[cfg(test)]
mod tests;
