//! The binary log's files in a data directory whose mysqld does not run.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use binlog::compare::{Comparison, compare};
use binlog::gtid::GtidSet;
use binlog::index;
use binlog::reader::ReadError;

use super::RewindError;
use crate::durable;

/// The index, as the configuration's `log_bin=binlog` names it.
const INDEX: &str = "binlog.index";
/// What mysqld renames to the index after it removed the old one.
const NEXT_INDEX: &str = "binlog.index_crash_safe";
/// Holds the name of the last file before mysqld was last started.
const STARTED: &str = "vitrail.started_behind";
/// Holds what mysqld said of gtid_purged.
const PURGED: &str = "vitrail.purged";

/// Says that mysqld is about to be started in this data directory.
///
/// Its recovery commits what the last file holds, and only a further file, begun when recovery is over, is proof of that. Should it
/// crash in between, what was committed is in `gtid_executed` only as long as it is in the log: after a cut the rows would stay and
/// nothing would tell. [`super::rewind()`] has to know.
pub fn before_start(data: &Path) -> Result<(), RewindError> {
    let last = Logs::open(data)?.names.pop().unwrap_or_default();
    if started_behind(data)?.as_ref() != Some(&last) {
        durable::replace(&data.join(STARTED), last.as_bytes())?;
    }
    Ok(())
}

/// Keeps what a running mysqld says of `@@gtid_purged`. After a clone that is all that came by it, and neither the log nor the first
/// lines of its files tell it: without this, [`super::logged`] of a member that was cloned once would lack it. To be called between a
/// start and anything that makes this member primary.
pub fn keep_purged(data: &Path, set: &GtidSet) -> io::Result<()> {
    if purged(data)? != *set {
        durable::replace(&data.join(PURGED), set.to_string().as_bytes())?;
    }
    Ok(())
}

/// Forgets what was kept of data that is replaced.
pub(super) fn forget_purged(data: &Path) -> io::Result<()> {
    keep_purged(data, &GtidSet::default())
}

/// What was kept.
pub(super) fn purged(data: &Path) -> io::Result<GtidSet> {
    match std::fs::read_to_string(data.join(PURGED)) {
        Ok(text) => text.parse().map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(GtidSet::default()),
        Err(error) => Err(error),
    }
}

/// The last file when mysqld was last started; none if that was never said.
fn started_behind(data: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(data.join(STARTED)) {
        Ok(name) => Ok(Some(name)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The files that the index names, oldest first.
pub(super) struct Logs {
    data: PathBuf,
    names: Vec<String>,
}

impl Logs {
    /// Reads the index. A server that has never been started has none.
    pub(super) fn open(data: &Path) -> Result<Logs, RewindError> {
        let index = match std::fs::read(data.join(INDEX)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => std::fs::read(data.join(NEXT_INDEX)),
            result => result,
        };
        let index = match index {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            result => result?,
        };
        let names = index::names(&index).map_err(RewindError::Index)?;
        Ok(Logs {
            data: data.to_owned(),
            names: names.into_iter().map(str::to_owned).collect(),
        })
    }

    /// How many files there are.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether a file was the last one, or older, when mysqld was last started.
    pub(super) fn seen_by_recovery(&self, file: usize) -> io::Result<bool> {
        let number = |name: &str| index::split(name).map_or(0, |(_, number)| number);
        let started = started_behind(&self.data)?;
        Ok(started.is_some_and(|last| {
            self.names
                .get(file)
                .is_none_or(|name| number(name) <= number(&last))
        }))
    }

    /// A file's name.
    pub(super) fn name(&self, file: usize) -> &str {
        self.names.get(file).map_or("", String::as_str)
    }

    /// Where a file is. The index's names are relative to the data directory.
    pub(super) fn path(&self, file: usize) -> PathBuf {
        self.data.join(self.name(file))
    }

    /// Compares a file with what the leader has.
    pub(super) fn compare(&self, file: usize, leader: &GtidSet) -> Result<Comparison, RewindError> {
        let unreadable = |error| RewindError::Unreadable(self.name(file).to_owned(), error);
        let opened = match File::open(self.path(file)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(RewindError::NoFile(self.name(file).to_owned()));
            }
            result => result?,
        };
        compare(opened, leader).map_err(|error| match error {
            binlog::compare::CompareError::Read(ReadError::Io(error)) => RewindError::Io(error),
            error => unreadable(error),
        })
    }

    /// Takes the files behind this one out of the index.
    pub(super) fn forget_behind(&self, file: usize) -> io::Result<()> {
        let kept: Vec<&str> = self.names.iter().take(file + 1).map(String::as_str).collect();
        durable::replace(&self.data.join(INDEX), index::text(&kept).as_bytes())
    }

    /// Removes all files behind this one, be they in the index or not any more, and says how many they were and their bytes.
    pub(super) fn remove_behind(&self, file: usize) -> io::Result<(usize, u64)> {
        let path = self.path(file);
        let (Some(dir), Some((base, number))) = (path.parent(), numbered(&path)) else {
            return Ok((0, 0));
        };
        let (mut files, mut bytes) = (0, 0);
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            let later = |(its_base, its_number)| its_base == base && its_number > number;
            if numbered(&entry.path()).is_some_and(later) {
                bytes += entry.metadata()?.len();
                files += 1;
                std::fs::remove_file(entry.path())?;
            }
        }
        durable::sync_dir(dir)?;
        Ok((files, bytes))
    }
}

/// The name of a log file, whatever directory it is in.
fn numbered(path: &Path) -> Option<(&str, u64)> {
    index::split(path.file_name()?.to_str()?)
}
