//! Where a local cluster keeps its files.
//!
//! ```text
//! DIR/my.cnf           account `vitrail`, for `mysql --defaults-file=DIR/my.cnf` (0600)
//! DIR/secrets.json     passwords of Vitrail's own MySQL accounts (0600)
//! DIR/cluster.json     ports and tablets of this cluster
//! DIR/topology.json    the topology's records
//! DIR/template/        an initialised data directory, which new ones are copied from
//! DIR/tablets/NAME/    data directory of one mysqld
//! DIR/log/NAME.log     output of each process
//! DIR/lock             held by the running `vitrail local up`; holds its process id
//! DIR/run              link to the directory of unix sockets
//! ```

use std::fs;
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest, Sha256};

/// The kernel's limit for the path of a unix socket, without its final NUL (`sockaddr_un`).
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Room that a runtime directory must leave for the file name of a socket: a tablet's name is a DNS label (63 bytes).
const SOCKET_NAME_BYTES_MAX: usize = 74;

/// The directory of one local cluster.
#[derive(Debug, Clone)]
pub(crate) struct ClusterDir {
    root: PathBuf,
}

/// Proof that this process is the only `vitrail local up` of a directory. The lock ends with the process, however it ends.
#[derive(Debug)]
pub(crate) struct ClusterLock {
    _file: Flock<fs::File>,
}

/// What trying to lock a directory found.
#[derive(Debug)]
pub(crate) enum Locked {
    /// This process holds the lock now.
    Ours(ClusterLock),
    /// Another process holds it; its id, where it could be read.
    Theirs(Option<i32>),
}

impl ClusterDir {
    /// Takes `path` as it is; nothing is created yet.
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let root = std::path::absolute(path).with_context(|| format!("cannot resolve {}", path.display()))?;
        // The same directory must give the same runtime directory, whichever way it was named.
        Ok(Self {
            root: root.canonicalize().unwrap_or(root),
        })
    }

    /// Creates the directory, private to its user, and returns it under its final name.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        for dir in [path.to_path_buf(), path.join("log"), path.join("tablets")] {
            create_private_dir(&dir)?;
        }
        Self::new(path)
    }

    /// Whether a cluster was ever made here.
    pub(crate) fn exists(&self) -> bool {
        self.lock_file().exists()
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn my_cnf(&self) -> PathBuf {
        self.root.join("my.cnf")
    }

    pub(crate) fn secrets(&self) -> PathBuf {
        self.root.join("secrets.json")
    }

    pub(crate) fn cluster(&self) -> PathBuf {
        self.root.join("cluster.json")
    }

    pub(crate) fn topology(&self) -> PathBuf {
        self.root.join("topology.json")
    }

    pub(crate) fn template(&self) -> PathBuf {
        self.root.join("template")
    }

    pub(crate) fn tablet(&self, name: &str) -> PathBuf {
        self.root.join("tablets").join(name)
    }

    pub(crate) fn log(&self, process: &str) -> PathBuf {
        self.root.join("log").join(format!("{process}.log"))
    }

    pub(crate) fn processes(&self) -> PathBuf {
        self.root.join("processes.json")
    }

    fn lock_file(&self) -> PathBuf {
        self.root.join("lock")
    }

    fn run_link(&self) -> PathBuf {
        self.root.join("run")
    }

    /// The directory of unix sockets, as the running cluster uses it.
    pub(crate) fn run(&self) -> PathBuf {
        fs::read_link(self.run_link()).unwrap_or_else(|_| self.run_link())
    }

    pub(crate) fn topology_socket(&self) -> PathBuf {
        self.run().join("topology.sock")
    }

    pub(crate) fn gateway_socket(&self) -> PathBuf {
        self.run().join("mysql.sock")
    }

    /// Tries to become the only `up` of this directory.
    pub(crate) fn lock(&self) -> Result<Locked> {
        let path = self.lock_file();
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(mut file) => {
                file.set_len(0)?;
                file.rewind()?;
                writeln!(file, "{}", std::process::id())?;
                Ok(Locked::Ours(ClusterLock { _file: file }))
            }
            Err((mut file, nix::errno::Errno::EWOULDBLOCK)) => {
                let mut text = String::new();
                file.read_to_string(&mut text).ok();
                Ok(Locked::Theirs(text.trim().parse().ok()))
            }
            Err((_, error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
        }
    }

    /// The process that runs this cluster, if one does.
    pub(crate) fn running(&self) -> Result<Option<i32>> {
        if !self.exists() {
            return Ok(None);
        }
        match self.lock()? {
            Locked::Ours(_) => Ok(None),
            Locked::Theirs(pid) => Ok(pid),
        }
    }

    /// Makes the directory of unix sockets and links it as `DIR/run`. It is outside DIR since the path of a socket may have
    /// 107 bytes only, and DIR may be deep.
    pub(crate) fn create_run(&self) -> Result<PathBuf> {
        let run = self.choose_run();
        create_private_dir(&run)?;
        let metadata = fs::symlink_metadata(&run)?;
        // In /tmp someone else may have made it first, and would own every socket below.
        if !metadata.is_dir() || metadata.uid() != nix::unistd::geteuid().as_raw() {
            bail!(
                "{} is not a directory of this user; remove it, or set XDG_RUNTIME_DIR",
                run.display()
            );
        }
        fs::set_permissions(&run, fs::Permissions::from_mode(0o700))?;
        let link = self.run_link();
        match fs::remove_file(&link) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => symlink(&run, &link).with_context(|| format!("cannot link {}", link.display()))?,
        }
        Ok(run)
    }

    fn choose_run(&self) -> PathBuf {
        let hash = hex::encode(Sha256::digest(self.root.as_os_str().as_encoded_bytes()));
        let hash = hash.get(..10).unwrap_or(&hash);
        let uid = nix::unistd::geteuid().as_raw();
        std::env::var_os("XDG_RUNTIME_DIR")
            .map(|base| PathBuf::from(base).join(format!("vitrail-{hash}")))
            .filter(|path| path.parent().is_some_and(Path::is_dir))
            .filter(|path| path.as_os_str().len() + SOCKET_NAME_BYTES_MAX <= SOCKET_PATH_BYTES_MAX)
            .unwrap_or_else(|| PathBuf::from(format!("/tmp/vitrail-{uid}-{hash}")))
    }

    /// Removes everything that [the module](self) lists, and the directory if nothing else is in it: it may be one that the user
    /// had before.
    pub(crate) fn remove_data(&self) -> Result<()> {
        self.remove_run();
        for path in [self.root.join("tablets"), self.template(), self.root.join("log")] {
            remove(fs::remove_dir_all(&path), &path)?;
        }
        for path in [
            self.my_cnf(),
            self.secrets(),
            self.cluster(),
            self.processes(),
            self.topology(),
            self.root.join("topology.json.lock"),
            self.lock_file(),
        ] {
            remove(fs::remove_file(&path), &path)?;
        }
        fs::remove_dir(&self.root).ok();
        Ok(())
    }

    /// Removes the sockets; the data stays.
    pub(crate) fn remove_run(&self) {
        if let Ok(run) = fs::read_link(self.run_link()) {
            fs::remove_dir_all(run).ok();
            fs::remove_file(self.run_link()).ok();
        }
    }
}

fn remove(result: io::Result<()>, path: &Path) -> Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn create_private_dir(path: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot create {}", path.display()))
}

/// Writes a file that only its user can read, whole or not at all.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let fresh = path.with_file_name(format!(".{name}.new"));
    fs::remove_file(&fresh).ok();
    let write = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::*;

    #[test]
    fn one_process_holds_the_lock() {
        let temp = tempfile::tempdir().unwrap();
        let dir = ClusterDir::create(&temp.path().join("deep/v")).unwrap();
        assert_eq!(dir.running().unwrap(), None);
        let Locked::Ours(lock) = dir.lock().unwrap() else {
            panic!("a free directory")
        };
        assert_eq!(dir.running().unwrap(), Some(std::process::id() as i32));
        drop(lock);
        assert_eq!(dir.running().unwrap(), None);
    }

    #[test]
    fn sockets_fit_however_deep_the_directory_is() {
        let temp = tempfile::tempdir().unwrap();
        let dir = ClusterDir::create(&temp.path().join("d".repeat(200))).unwrap();
        let run = dir.create_run().unwrap();
        assert_eq!(dir.run(), run);
        assert!(run.as_os_str().len() + SOCKET_NAME_BYTES_MAX <= SOCKET_PATH_BYTES_MAX);
        assert_eq!(fs::metadata(&run).unwrap().permissions().mode() & 0o777, 0o700);
        dir.remove_run();
        assert!(!run.exists());
    }

    #[test]
    fn only_our_own_files_are_removed() {
        let temp = tempfile::tempdir().unwrap();
        let dir = ClusterDir::create(temp.path()).unwrap();
        write_private(&dir.my_cnf(), b"x").unwrap();
        fs::write(temp.path().join("thesis.txt"), b"x").unwrap();
        dir.remove_data().unwrap();
        let left: Vec<_> = fs::read_dir(temp.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["thesis.txt"]);
    }

    #[test]
    fn secret_files_are_private_and_replaced_whole() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("my.cnf");
        write_private(&path, b"one").unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
