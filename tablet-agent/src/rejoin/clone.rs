//! A member's data anew from another member, by MySQL's clone plugin.
//!
//! The plugin drops all databases, Vitrail's own among them, and empties gtid_executed before anything arrives: a member whose clone
//! broke off looks like a new one and is none. A mark in the data directory outlives that. [`is_incomplete`] tells that nothing but
//! another clone helps, and [`complete`], asked when mysqld has ended, that the data is whole.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::logs::forget_purged;
use crate::accounts::{AGENT, REPLICATION};
use crate::control::{Control, ControlError};
use crate::durable;
use crate::mysqld::datadir;
use crate::sql_text::literal;

/// There from before a clone until its data was found whole.
const MARK: &str = "vitrail.cloning";
/// mysqld's answer when the data is there, and nothing starts it again (ER_RESTART_SERVER_FAILED).
const NO_RESTART: u16 = 3707;
/// Pause between looks at the data directory.
const LOOK: Duration = Duration::from_millis(500);
const QUICK: Duration = Duration::from_secs(10);
/// The applier notices a stop only between transactions, and a rollback takes as long as what it undoes.
const STOP: Duration = Duration::from_secs(60);
/// A table may be held for so long.
const LOCKED: Duration = Duration::from_secs(20);

/// The member that is rebuilt. Its mysqld runs.
#[derive(Debug, Clone, Copy)]
pub struct Recipient<'a> {
    /// mysqld's socket.
    pub socket: &'a Path,
    /// Password of the agent's account.
    pub password: &'a str,
    /// mysqld's data directory.
    pub data: &'a Path,
}

/// The member that it is rebuilt from; one that is not busy as primary if there is one.
#[derive(Debug, Clone, Copy)]
pub struct Donor<'a> {
    /// Its address.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// Password of the replication account.
    pub password: &'a str,
}

/// Why a clone did not come to its end. It is begun anew then.
#[derive(Debug, thiserror::Error)]
pub enum CloneError {
    /// A mysqld refused it.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// Nothing was written for too long.
    #[error("the clone wrote nothing for {0:?}")]
    Stalled(Duration),
    /// The data directory cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Whether a clone was begun here whose data has not been found whole. mysqld may be started for another clone, and for nothing else.
pub fn is_incomplete(data: &Path) -> bool {
    data.join(MARK).exists()
}

/// Replaces all data of the recipient by the donor's. When this returns, mysqld ends by itself: nothing may start it before
/// [`complete`] was asked. `progress` gets the data directory's bytes from time to time.
///
/// The server is fenced by offline_mode: super_read_only, which would refuse the clone, is switched off.
pub async fn clone(
    recipient: &Recipient<'_>,
    donor: &Donor<'_>,
    stalled_after: Duration,
    mut progress: impl FnMut(u64),
) -> Result<(), CloneError> {
    let control = Control::new(recipient.socket, AGENT, recipient.password);
    control
        .run(
            &["SET GLOBAL offline_mode=ON, GLOBAL read_only=ON, GLOBAL super_read_only=OFF"],
            QUICK,
        )
        .await?;
    durable::replace(&recipient.data.join(MARK), b"")?;
    forget_purged(recipient.data)?;
    control.run(&["STOP REPLICA IO_THREAD"], STOP).await?;
    roll_back_branches(&control).await?;
    control.run(&["STOP REPLICA"], STOP).await?;
    roll_back_branches(&control).await?;
    let address = literal(&format!("{}:{}", donor.host, donor.port));
    let prepare = [
        format!("SET GLOBAL clone_valid_donor_list={address}"),
        // Whatever else holds a table is told rather than waited for.
        format!("SET SESSION lock_wait_timeout={}", LOCKED.as_secs()),
    ];
    control.run(&prepare, QUICK).await?;
    let connection: u64 = control.row("SELECT CONNECTION_ID()", QUICK).await?;
    let statement = [format!(
        "CLONE INSTANCE FROM '{REPLICATION}'@{}:{} IDENTIFIED BY {} REQUIRE SSL",
        literal(donor.host),
        donor.port,
        literal(donor.password)
    )];
    let mut work = std::pin::pin!(control.run(&statement, Duration::MAX));
    let mut activity = Activity::default();
    let mut since = Instant::now();
    loop {
        tokio::select! {
            result = &mut work => return ended(result),
            () = tokio::time::sleep(LOOK) => {}
        }
        let now = Activity::of(recipient.data).await?;
        if now != activity {
            (activity, since) = (now, Instant::now());
            progress(now.bytes);
        } else if since.elapsed() >= stalled_after {
            // The statement does not notice that its client is gone.
            let other = Control::new(recipient.socket, AGENT, recipient.password);
            other.run(&[format!("KILL {connection}")], QUICK).await?;
            return Err(CloneError::Stalled(stalled_after));
        }
    }
}

/// Ends all prepared branches: their locks would keep the applier from stopping, and the clone from dropping their tables.
async fn roll_back_branches(control: &Control) -> Result<(), ControlError> {
    let branches: Vec<(i64, usize, usize, String)> = control.rows("XA RECOVER CONVERT XID", QUICK).await?;
    let mut statements = vec!["SET SESSION sql_log_bin=OFF".to_owned()];
    statements.extend(branches.iter().map(|(format, gtrid, _, data)| {
        let data = data.strip_prefix("0x").unwrap_or(data);
        let (gtrid, bqual) = data
            .split_at_checked(gtrid.saturating_mul(2))
            .unwrap_or((data, ""));
        format!("XA ROLLBACK X'{gtrid}',X'{bqual}',{format}")
    }));
    control.run(&statements, STOP).await
}

/// mysqld ends itself behind a clone: it says so, or is gone before it could.
fn ended(result: Result<(), ControlError>) -> Result<(), CloneError> {
    match result {
        Ok(()) | Err(ControlError::Broken(_)) => Ok(()),
        Err(error) if error.errno() == Some(NO_RESTART) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether a clone left whole data in this data directory, whose mysqld has ended; it is the server `uuid` then.
pub fn complete(data: &Path, uuid: &str) -> io::Result<bool> {
    // mysqld has the second file while it clones, and replaces it by the first when its next start has whole files to put in place.
    if !data.join("#clone/#status_fix").exists() || data.join("#clone/#status_error").exists() {
        return Ok(false);
    }
    datadir::set_uuid(data, uuid)?;
    match std::fs::remove_file(data.join(MARK)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => durable::sync_dir(data)?,
    }
    Ok(true)
}

/// A sign that something is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Activity {
    bytes: u64,
    newest: Option<SystemTime>,
}

impl Activity {
    async fn of(data: &Path) -> io::Result<Activity> {
        let data = data.to_owned();
        tokio::task::spawn_blocking(move || Activity::of_tree(data))
            .await
            .map_err(io::Error::other)?
    }

    fn of_tree(root: PathBuf) -> io::Result<Activity> {
        let mut out = Activity::default();
        let mut left = vec![root];
        while let Some(dir) = left.pop() {
            for entry in gone_is_none(std::fs::read_dir(&dir))?.into_iter().flatten() {
                let Some(entry) = gone_is_none(entry)? else {
                    continue;
                };
                let Some(meta) = gone_is_none(entry.metadata())? else {
                    continue;
                };
                if meta.is_dir() {
                    left.push(entry.path());
                } else {
                    out.bytes += meta.len();
                    out.newest = out.newest.max(meta.modified().ok());
                }
            }
        }
        Ok(out)
    }
}

/// Files come and go while mysqld works.
fn gone_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn only_whole_data_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path();
        std::fs::write(data.join(MARK), b"").unwrap();
        assert!(!complete(data, "u").unwrap() && is_incomplete(data));
        std::fs::create_dir(data.join("#clone")).unwrap();
        std::fs::write(data.join("#clone/#status_fix"), b"").unwrap();
        std::fs::write(data.join("#clone/#status_error"), b"").unwrap();
        assert!(!complete(data, "u").unwrap() && is_incomplete(data));
        assert_eq!(datadir::uuid(data).unwrap(), None);
        std::fs::remove_file(data.join("#clone/#status_error")).unwrap();
        assert!(complete(data, "u").unwrap() && !is_incomplete(data));
        assert_eq!(datadir::uuid(data).unwrap().as_deref(), Some("u"));
    }

    #[test]
    fn writing_anywhere_is_activity() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("d")).unwrap();
        let before = Activity::of_tree(dir.path().to_owned()).unwrap();
        std::fs::write(dir.path().join("d/t.ibd"), b"1234").unwrap();
        let after = Activity::of_tree(dir.path().to_owned()).unwrap();
        assert!(before != after && after.bytes == 4);
    }
}
