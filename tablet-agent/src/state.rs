//! What the agent must not forget, in one small file that is replaced as a whole.
//!
//! What a voter promised is among it: on disk, synced, before anybody learns of it (leadership.md 4.3).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use leadership::Durable;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use topology::records::ShardRecord;

use crate::durable;

/// A member's memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Layout of this file.
    pub format: u32,
    /// The tablet this directory belongs to: a directory given to another one is refused.
    pub alias: String,
    /// Its keyspace.
    pub keyspace: String,
    /// The keyspace's database; none before the keyspace's record was read.
    pub database: Option<String>,
    /// Its shard.
    pub shard: String,
    /// mysqld's server_uuid: the identity of the data, made with the data directory and never the same after a wipe.
    pub server_uuid: String,
    /// mysqld's server_id.
    pub server_id: u32,
    /// mysqld's port when last started.
    pub mysql_port: u16,
    /// Grows with every start of the agent.
    pub incarnation: u64,
    /// Whether the accounts of this data directory have got their rights on the keyspace's database.
    pub prepared: bool,
    /// The name that this data votes by: the alias, or another one if the shard has seen other data by that. What that data promised
    /// and acknowledged is gone with it.
    pub voter: String,
    /// The shard's record as it was last accepted; none before. A store that shows less than this is not believed.
    pub shard_seen: Option<ShardRecord>,
    /// What this member promised.
    pub promised: Promised,
    /// The last term in which this member's data was compared with the primary's and found to be part of it; 0: none.
    pub joined_term: u64,
    /// The term in which this member's data began to be replaced by another member's; none when that is not under way.
    pub rebuilding: Option<u64>,
    /// What the last term that this member led started from.
    pub base: Option<Base>,
}

/// What a voter promised: see [`leadership::Durable`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promised {
    /// The highest term that it promised to or accepted.
    pub term: u64,
    /// The version of the voters that goes with it.
    pub version: u64,
    /// The last term that it held, until its data has been compared with another primary's; 0: none. Such data may have
    /// transactions that nobody else has.
    pub held: u64,
}

impl From<Durable> for Promised {
    fn from(d: Durable) -> Promised {
        Promised {
            term: d.term,
            version: d.version,
            held: d.held,
        }
    }
}

impl From<Promised> for Durable {
    fn from(p: Promised) -> Durable {
        Durable {
            term: p.term,
            version: p.version,
            held: p.held,
        }
    }
}

/// The beginning of a term.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// The term.
    pub term: u64,
    /// The GTID set that its primary had.
    pub gtids: String,
}

/// The layout that this build writes.
pub const FORMAT: u32 = 1;

/// The file and its content.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    state: State,
}

impl StateFile {
    /// Reads the file; none when there is none. A file that cannot be understood is an error: guessing would forget a term.
    pub fn open(path: &Path) -> io::Result<Option<StateFile>> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let state: State = serde_json::from_slice(&bytes)
            .map_err(|error| io::Error::other(format!("{} is damaged: {error}", path.display())))?;
        if state.format != FORMAT {
            return Err(io::Error::other(format!(
                "{} has format {}, not {FORMAT}",
                path.display(),
                state.format
            )));
        }
        Ok(Some(StateFile {
            path: path.to_owned(),
            state,
        }))
    }

    /// Writes a first state.
    pub fn create(path: &Path, state: State) -> io::Result<StateFile> {
        write_synced(path, &state)?;
        Ok(StateFile {
            path: path.to_owned(),
            state,
        })
    }

    /// The current state.
    pub fn get(&self) -> &State {
        &self.state
    }

    /// Changes the state; when this returns, it is on disk. Nothing is written when nothing changed.
    pub fn update(&mut self, change: impl FnOnce(&mut State)) -> io::Result<()> {
        let mut next = self.state.clone();
        change(&mut next);
        if next != self.state {
            write_synced(&self.path, &next)?;
            self.state = next;
        }
        Ok(())
    }
}

/// The file, shared by the tasks of the agent. Clones share it.
#[derive(Debug, Clone)]
pub struct Memory(Arc<Mutex<StateFile>>);

impl Memory {
    /// Shares a file.
    pub fn new(file: StateFile) -> Memory {
        Memory(Arc::new(Mutex::new(file)))
    }

    /// The current state.
    pub fn get(&self) -> State {
        self.0.lock().get().clone()
    }

    /// Changes the state; when this returns, it is on disk.
    ///
    /// # Errors
    /// When it cannot be written; the state is as before then.
    pub fn update(&self, change: impl FnOnce(&mut State)) -> io::Result<()> {
        self.0.lock().update(change)
    }
}

fn write_synced(path: &Path, state: &State) -> io::Result<()> {
    durable::replace(path, &serde_json::to_vec_pretty(state)?)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn sample() -> State {
        State {
            format: FORMAT,
            alias: "c-0".into(),
            keyspace: "c".into(),
            database: None,
            shard: "-".into(),
            server_uuid: "u".into(),
            server_id: 1,
            mysql_port: 3306,
            incarnation: 1,
            prepared: false,
            voter: "c-0".into(),
            shard_seen: None,
            promised: Promised::default(),
            joined_term: 0,
            rebuilding: None,
            base: None,
        }
    }

    #[test]
    fn changes_are_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        assert!(StateFile::open(&path).unwrap().is_none());
        let mut file = StateFile::create(&path, sample()).unwrap();
        let seen = ShardRecord::new("c", "-", "store", vec!["c-0".into()], 0).unwrap();
        file.update(|s| s.shard_seen = Some(seen.clone())).unwrap();
        let again = StateFile::open(&path).unwrap().unwrap();
        assert_eq!(again.get().shard_seen, Some(seen));
        assert_eq!(again.get(), file.get());
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        std::fs::write(&path, b"{\"format\": 1").unwrap();
        assert!(StateFile::open(&path).is_err());
        std::fs::write(
            &path,
            serde_json::to_vec(&State {
                format: 2,
                ..sample()
            })
            .unwrap(),
        )
        .unwrap();
        assert!(StateFile::open(&path).is_err());
    }
}
