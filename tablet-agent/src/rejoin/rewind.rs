//! A former primary's log without what the leader does not have.
//!
//! What may be cut: with sync_binlog=1 and the wait for acknowledgements after the log's sync (AFTER_SYNC), an un-acknowledged
//! transaction is in the log and prepared in the engine, not committed, and recovery rolls back what is prepared and not in the log.
//! Acknowledged transactions behind it, if there are any, go with it: what the engine has committed of them stays, also in
//! gtid_executed, and the rest comes back from the leader.
//!
//! Where it is: a new file is begun after all waiting commits but XA COMMIT and XA ROLLBACK (MySQL bug 118797), which may so be some
//! files back. An acknowledgement is a position in the log. A file that is not the last and holds a commit which its end waited for
//! is hence proof that nothing of the files before it still waited.

use std::path::Path;

use binlog::compare::{CompareError, Comparison};
use binlog::gtid::GtidSet;
use binlog::index::IndexError;

use super::cut::cut;
use super::logs::{Logs, purged};

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rewind {
    /// The leader has every transaction of the log.
    Nothing,
    /// The end of the log was removed, and the data directory has the new server_uuid.
    Cut(Cut),
}

/// What a cut removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Transactions that the leader does not have: nobody was told that they were committed.
    pub missing: GtidSet,
    /// All transactions behind the cut, those that the leader has too included.
    pub transactions: u64,
    /// Bytes.
    pub bytes: u64,
    /// Whole files.
    pub files: usize,
}

/// Why a log was not rewound. But for [`RewindError::Io`], only a clone helps.
#[derive(Debug, thiserror::Error)]
pub enum RewindError {
    /// They were committed here before the server ended.
    #[error("committed here and unknown to the leader: {0}")]
    Committed(GtidSet),
    /// mysqld was started behind them and crashed before it told whether it had recovered.
    #[error("unknown to the leader and perhaps committed by an interrupted recovery: {0}")]
    Recovered(GtidSet),
    /// The index is damaged.
    #[error("the binary log's index: {0}")]
    Index(IndexError),
    /// The index names a file that is not there.
    #[error("{0}, which the index names, is missing")]
    NoFile(String),
    /// A file's transactions cannot be told.
    #[error("{0}: {1}")]
    Unreadable(String, CompareError),
    /// A file breaks off, and was not the last one.
    #[error("{0} is broken at byte {1}")]
    Broken(String, u64),
    /// A file cannot be read or written; the next try may succeed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl RewindError {
    /// Whether the member has to be cloned; else the next try may succeed.
    pub fn needs_clone(&self) -> bool {
        !matches!(self, RewindError::Io(_))
    }
}

/// Takes out of the log what the leader does not have. `leader` is the leader's executed set, read when its term was open or later;
/// `uuid` becomes the server's if anything is cut. mysqld must not run, and must not have been started since it was primary. Reads up
/// to some files' size: not for an async thread.
pub fn rewind(data: &Path, leader: &GtidSet, uuid: &str) -> Result<Rewind, RewindError> {
    let logs = Logs::open(data)?;
    let found = recent(&logs, leader)?;
    for (_, log) in &found {
        // Only what is committed is among what was executed before a file.
        let committed = log.previous.difference(leader);
        if !committed.is_empty() {
            return Err(RewindError::Committed(committed));
        }
    }
    let mut first = None;
    let (mut missing, mut transactions) = (GtidSet::default(), 0);
    for (file, log) in &found {
        missing = missing.union(&log.missing);
        match (first, log.cut) {
            (None, None) => {}
            (None, Some(at)) => {
                first = Some((*file, at));
                transactions += log.behind_cut;
            }
            (Some(_), _) => transactions += log.transactions,
        }
    }
    let Some((file, at)) = first else {
        return Ok(Rewind::Nothing);
    };
    if found.last().is_some_and(|(_, last)| !last.in_use) {
        // An orderly end, or a recovery, commits all of the log.
        return Err(RewindError::Committed(missing));
    }
    if logs.seen_by_recovery(file)? {
        return Err(RewindError::Recovered(missing));
    }
    let removed = cut(data, &logs, file, at, uuid)?;
    Ok(Rewind::Cut(Cut {
        missing,
        transactions,
        bytes: removed.bytes,
        files: removed.files,
    }))
}

/// Everything that mysqld, which is down, has or will have executed if it is started as it is, acknowledged or not. So a former
/// primary can say what it has before it may be started. The same hints as for [`rewind`] apply.
pub fn logged(data: &Path) -> Result<GtidSet, RewindError> {
    let found = recent(&Logs::open(data)?, &GtidSet::default())?;
    let all = |set: GtidSet, (_, log): &(usize, Comparison)| set.union(&log.previous).union(&log.missing);
    Ok(found.iter().fold(purged(data)?, all))
}

/// The files that may hold a transaction which was never acknowledged, oldest first, compared with a set.
fn recent(logs: &Logs, known: &GtidSet) -> Result<Vec<(usize, Comparison)>, RewindError> {
    let mut found = Vec::new();
    for file in (0..logs.len()).rev() {
        let log = logs.compare(file, known)?;
        let is_last = found.is_empty();
        match log.broken {
            // mysqld trims the last file itself.
            Some(at) if !is_last => return Err(RewindError::Broken(logs.name(file).to_owned(), at)),
            _ => {}
        }
        let decided = !is_last && log.awaited;
        found.push((file, log));
        if decided {
            break;
        }
    }
    found.reverse();
    Ok(found)
}
