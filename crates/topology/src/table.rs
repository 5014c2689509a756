//! The entries in memory and the rules of a write, without any I/O: what the memory store and the file store
//! share.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::keys;
use crate::store::{Entry, Expected, Listing, StoreError, Version, check_entry};

/// A write that was checked against the table and can be logged and applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The entry as it will be.
    Put(Entry),
    /// The key that goes away.
    Delete { key: String, revision: u64 },
}

impl Change {
    /// Revision of the table once the change is applied.
    pub(crate) fn revision(&self) -> u64 {
        match self {
            Self::Put(entry) => entry.version,
            Self::Delete { revision, .. } => *revision,
        }
    }

    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Put(entry) => &entry.key,
            Self::Delete { key, .. } => key,
        }
    }
}

/// Entries by key.
#[derive(Debug, Default)]
pub(crate) struct Table {
    entries: BTreeMap<String, (Arc<[u8]>, Version)>,
    revision: u64,
}

impl Table {
    /// A table whose next write gets `revision + 1`.
    pub(crate) fn at_revision(revision: u64) -> Self {
        Self {
            entries: BTreeMap::new(),
            revision,
        }
    }

    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    pub(crate) fn get(&self, key: &str) -> Option<Entry> {
        self.entries.get_key_value(key).map(to_entry)
    }

    pub(crate) fn list(&self, prefix: &str) -> Listing {
        let below = self
            .entries
            .range(prefix.to_owned()..)
            .take_while(|(key, _)| key.starts_with(prefix));
        Listing {
            entries: below.map(to_entry).collect(),
            revision: self.revision,
        }
    }

    /// The change that a put would make.
    pub(crate) fn plan_put(
        &self,
        key: &str,
        value: Vec<u8>,
        expected: Expected,
    ) -> Result<Change, StoreError> {
        check_entry(key, &value)?;
        self.check_expected(key, expected)?;
        Ok(Change::Put(Entry {
            key: key.to_owned(),
            value: value.into(),
            version: self.revision + 1,
        }))
    }

    /// The change that a delete would make; None when there is nothing to delete and nothing wrong with that.
    pub(crate) fn plan_delete(&self, key: &str, expected: Expected) -> Result<Option<Change>, StoreError> {
        keys::check(key)?;
        self.check_expected(key, expected)?;
        if !self.entries.contains_key(key) {
            return Ok(None);
        }
        Ok(Some(Change::Delete {
            key: key.to_owned(),
            revision: self.revision + 1,
        }))
    }

    pub(crate) fn apply(&mut self, change: &Change) {
        self.revision = self.revision.max(change.revision());
        match change {
            Change::Put(entry) => {
                self.entries
                    .insert(entry.key.clone(), (Arc::clone(&entry.value), entry.version));
            }
            Change::Delete { key, .. } => {
                self.entries.remove(key);
            }
        }
    }

    fn check_expected(&self, key: &str, expected: Expected) -> Result<(), StoreError> {
        let actual = self.entries.get(key).map(|(_, version)| *version);
        let holds = match expected {
            Expected::Any => true,
            Expected::Absent => actual.is_none(),
            Expected::Version(version) => actual == Some(version),
        };
        if holds {
            Ok(())
        } else {
            Err(StoreError::Conflict {
                key: key.to_owned(),
                actual,
            })
        }
    }
}

fn to_entry((key, (value, version)): (&String, &(Arc<[u8]>, Version))) -> Entry {
    Entry {
        key: key.clone(),
        value: Arc::clone(value),
        version: *version,
    }
}
