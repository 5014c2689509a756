//! The cut: a file ends before a transaction, and the files behind it are gone.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use binlog::event::{FLAGS_AT, IN_USE};
use binlog::reader::MAGIC;

use super::logs::Logs;
use crate::mysqld::datadir;

/// What was removed.
pub(super) struct Removed {
    pub(super) files: usize,
    pub(super) bytes: u64,
}

/// Ends the log in this file at `at`, and gives the data another server_uuid.
///
/// Interrupted anywhere before its last step, it leaves what was to be cut, so that doing it again does all of it: the transactions go
/// last. The uuid is first, since the numbers that are cut will be used again (leadership.md, experiment 19).
pub(super) fn cut(data: &Path, logs: &Logs, file: usize, at: u64, uuid: &str) -> io::Result<Removed> {
    datadir::set_uuid(data, uuid)?;
    let log = OpenOptions::new().read(true).write(true).open(logs.path(file))?;
    // mysqld cleared it if it went on to another file, and would not recover its engines by this one without it.
    let flags_at = MAGIC.len() as u64 + FLAGS_AT as u64;
    let mut flags = [0; 2];
    log.read_exact_at(&mut flags, flags_at)?;
    let in_use = u16::from_le_bytes(flags) | IN_USE;
    log.write_all_at(&in_use.to_le_bytes(), flags_at)?;
    log.sync_all()?;
    logs.forget_behind(file)?;
    let (files, bytes) = logs.remove_behind(file)?;
    let tail = log.metadata()?.len().saturating_sub(at);
    log.set_len(at)?;
    log.sync_all()?;
    Ok(Removed {
        files,
        bytes: bytes + tail,
    })
}
