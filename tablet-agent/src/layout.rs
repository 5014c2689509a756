//! Where a tablet keeps its files.

use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::cli::TabletArgs;
use crate::hash::fnv1a;

/// mysqld's configuration, below the tablet's directory.
pub const MY_CNF: &str = "my.cnf";

/// Longest path of a unix socket in bytes, without the terminating zero (sun_path is 108).
const SOCKET_PATH_MAX: usize = 107;
/// The longest of our socket names, with mysqld's `.lock` suffix.
const SOCKET_NAME_MAX: usize = "/mysql.sock.lock".len();

/// The paths of one tablet. All absolute.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The tablet's directory.
    pub dir: PathBuf,
    /// mysqld's data directory.
    pub data: PathBuf,
    /// mysqld's generated configuration.
    pub my_cnf: PathBuf,
    /// What the agent must not forget (see [`crate::state`]).
    pub state: PathBuf,
    /// mysqld's temporary files, and the error log.
    pub tmp: PathBuf,
    /// mysqld's error log.
    pub error_log: PathBuf,
    /// Directory of the sockets.
    pub run: PathBuf,
    /// mysqld's socket.
    pub mysql_socket: PathBuf,
    /// The agent's socket, unless it listens elsewhere.
    pub grpc_socket: PathBuf,
    /// The cluster's template data directory.
    pub template: PathBuf,
}

impl Layout {
    /// Makes the tablet's directories, if missing, and returns where everything is.
    pub fn prepare(args: &TabletArgs) -> io::Result<Layout> {
        make_private(&args.dir)?;
        let dir = args.dir.canonicalize()?;
        let run = match &args.run_dir {
            Some(run) => {
                make_private(run)?;
                run.canonicalize()?
            }
            None => default_run_dir(&dir),
        };
        if let Some(parent) = run
            .parent()
            .filter(|parent| parent.starts_with(std::env::temp_dir()) && !run.starts_with(&dir))
        {
            make_private(parent)?;
        }
        make_private(&run)?;
        if run.as_os_str().len() + SOCKET_NAME_MAX > SOCKET_PATH_MAX {
            return Err(io::Error::other(format!(
                "{} is too long for a unix socket; give --run-dir",
                run.display()
            )));
        }
        let template = match &args.template {
            Some(template) => std::path::absolute(template)?,
            None => dir.parent().unwrap_or(&dir).join(".template"),
        };
        let tmp = dir.join("tmp");
        make_private(&tmp)?;
        Ok(Layout {
            data: dir.join("data"),
            my_cnf: dir.join(MY_CNF),
            state: dir.join("state.json"),
            error_log: dir.join("mysqld.err"),
            mysql_socket: run.join("mysql.sock"),
            grpc_socket: run.join("agent.sock"),
            tmp,
            run,
            template,
            dir,
        })
    }
}

/// `run` below the tablet's directory when a socket's path fits, else a directory named after it in the system's
/// temporary one.
fn default_run_dir(dir: &Path) -> PathBuf {
    let near = dir.join("run");
    if near.as_os_str().len() + SOCKET_NAME_MAX <= SOCKET_PATH_MAX {
        return near;
    }
    let name = fnv1a(dir.as_os_str().as_encoded_bytes());
    std::env::temp_dir()
        .join(format!("vitrail-{}", nix::unistd::getuid()))
        .join(format!("{name:016x}"))
}

/// Makes a directory that only we may enter, and refuses one that somebody else put there.
fn make_private(dir: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)?;
    if std::fs::metadata(dir)?.uid() != nix::unistd::getuid().as_raw() {
        return Err(io::Error::other(format!(
            "{} belongs to another user",
            dir.display()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_near_unless_the_path_is_too_long() {
        assert_eq!(default_run_dir(Path::new("/v/1")), Path::new("/v/1/run"));
        let long = PathBuf::from(format!("/{}", "x".repeat(100)));
        let run = default_run_dir(&long);
        assert!(run.starts_with(std::env::temp_dir()), "{run:?}");
        assert_ne!(run, default_run_dir(&long.join("y")));
    }
}
