//! Where the programs of a local cluster are.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The programs that `vitrail local up` starts.
#[derive(Debug, Clone)]
pub(crate) struct Binaries {
    pub(crate) vitrail: PathBuf,
    pub(crate) tablet_agent: PathBuf,
    pub(crate) vtgate: PathBuf,
    pub(crate) mysqld: Mysqld,
}

/// A MySQL server program.
#[derive(Debug, Clone)]
pub(crate) struct Mysqld {
    pub(crate) program: PathBuf,
    /// Installation prefix, for a server that was unpacked somewhere else than it was built for.
    pub(crate) basedir: Option<PathBuf>,
}

impl Binaries {
    /// Vitrail's own programs stand beside the running one; `mysqld` is searched by [`Mysqld::find`].
    pub(crate) fn find(mysqld: Option<PathBuf>, basedir: Option<PathBuf>) -> Result<Self> {
        let vitrail = std::env::current_exe()?;
        let beside = |name: &str| {
            let path = vitrail.with_file_name(name);
            if path.is_file() {
                Ok(path)
            } else {
                bail!("{} is missing: build the whole workspace", path.display())
            }
        };
        Ok(Self {
            tablet_agent: beside("tablet-agent")?,
            vtgate: beside("vtgate")?,
            mysqld: match mysqld {
                Some(program) => Mysqld { program, basedir },
                None => Mysqld::find()?,
            },
            vitrail,
        })
    }
}

impl Mysqld {
    /// A mysqld on the PATH first (MariaDB's is passed over), else the one that `scripts/lib/mysql.sh` unpacked.
    fn find() -> Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&path)
            .chain([PathBuf::from("/usr/sbin")])
            .map(|dir| dir.join("mysqld"));
        if let Some(program) = on_path
            .into_iter()
            .find(|program| program.is_file() && is_known_mysql(program))
        {
            return Ok(Self {
                program,
                basedir: None,
            });
        }
        if let Some(prefix) = cache_dir().map(|cache| cache.join("mysql-server")) {
            let program = prefix.join("wrap/mysqld");
            if program.is_file() {
                return Ok(Self {
                    program,
                    basedir: Some(prefix.join("usr")),
                });
            }
        }
        bail!(
            "no MySQL server found (8.0, 8.4 or 9.x): install mysqld, unpack one with scripts/lib/mysql.sh, or name one with --mysqld"
        )
    }
}

/// The per-user cache that the project's scripts fill.
fn cache_dir() -> Option<PathBuf> {
    let from = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    from("VITRAIL_CACHE")
        .or_else(|| from("XDG_CACHE_HOME").map(|dir| dir.join("vitrail")))
        .or_else(|| from("HOME").map(|dir| dir.join(".cache/vitrail")))
}

fn is_known_mysql(program: &Path) -> bool {
    let output = std::process::Command::new(program)
        .args(["--no-defaults", "--version"])
        .output();
    output.is_ok_and(|output| version_is_known(&String::from_utf8_lossy(&output.stdout)))
}

/// Whether the line of `mysqld --version` names a MySQL of a series that Vitrail knows.
fn version_is_known(line: &str) -> bool {
    let version = line.split_once("Ver ").map_or("", |(_, rest)| rest);
    !line.to_ascii_lowercase().contains("mariadb")
        && ["8.0.", "8.4.", "9."]
            .iter()
            .any(|known| version.starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mariadb_and_old_servers_are_passed_over() {
        assert!(version_is_known(
            "/usr/sbin/mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)"
        ));
        assert!(version_is_known(
            "mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))"
        ));
        assert!(!version_is_known("mysqld  Ver 5.7.44 for Linux on x86_64"));
        assert!(!version_is_known(
            "mysqld  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64"
        ));
        assert!(!version_is_known(""));
    }
}
