//! Which MySQL a binary is.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use anyhow::Context as _;

/// A server version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// First number.
    pub major: u16,
    /// Second number.
    pub minor: u16,
    /// Third number.
    pub patch: u16,
}

/// The oldest server that knows replication by its source and replica names, and semi-sync plugins by the same.
pub const OLDEST: Version = Version {
    major: 8,
    minor: 0,
    patch: 26,
};

impl Version {
    /// Asks a binary with `--version`, and refuses what cannot be a member.
    pub fn of(mysqld: &Path) -> anyhow::Result<Version> {
        let output = std::process::Command::new(mysqld)
            .args(["--no-defaults", "--version"])
            .output()
            .with_context(|| format!("cannot run {}", mysqld.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        if text.to_ascii_lowercase().contains("mariadb") {
            anyhow::bail!(
                "{} is MariaDB; MySQL {OLDEST} or later is needed",
                mysqld.display()
            );
        }
        let version = text
            .split_ascii_whitespace()
            .skip_while(|word| *word != "Ver")
            .nth(1)
            .and_then(|word| word.parse::<Version>().ok())
            .with_context(|| format!("{} --version says {:?}", mysqld.display(), text.trim()))?;
        if version < OLDEST {
            anyhow::bail!(
                "{} is MySQL {version}; {OLDEST} or later is needed",
                mysqld.display()
            );
        }
        Ok(version)
    }
}

impl FromStr for Version {
    type Err = ();

    /// Reads `8.0.36` and what vendors make of it (`8.0.36-28`, `9.7.4-0ubuntu1`).
    fn from_str(text: &str) -> Result<Version, ()> {
        let mut numbers = text.splitn(3, '.');
        let mut next = || -> Result<u16, ()> {
            let part = numbers.next().ok_or(())?;
            let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part.get(..end).unwrap_or_default().parse().map_err(|_| ())
        };
        Ok(Version {
            major: next()?,
            minor: next()?,
            patch: next()?,
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_vendor_versions() {
        for (text, expected) in [
            ("8.0.36-28", (8, 0, 36)),
            ("9.7.4", (9, 7, 4)),
            ("8.4.0-log", (8, 4, 0)),
        ] {
            assert_eq!(
                text.parse(),
                Ok(Version {
                    major: expected.0,
                    minor: expected.1,
                    patch: expected.2
                })
            );
        }
        assert_eq!("8.0".parse::<Version>(), Err(()));
        assert_eq!("".parse::<Version>(), Err(()));
    }

    #[test]
    fn order_is_numeric() {
        let v = |major, minor, patch| Version { major, minor, patch };
        assert!(v(8, 0, 9) < OLDEST && OLDEST < v(8, 0, 100) && v(8, 4, 0) < v(9, 0, 0));
    }
}
