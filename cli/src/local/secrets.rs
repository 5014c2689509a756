//! The passwords of a local cluster: Vitrail's own MySQL accounts, and the account `vitrail` that users start with.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::dir::write_private;

/// Letters and digits: 32 of them are 190 bits, and no configuration file or shell needs to quote them.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const PASSWORD_CHARS: usize = 32;

/// `DIR/secrets.json`: the passwords of the accounts on every mysqld, as agents and gateways read them.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Secrets {
    /// The agent's account: administers its mysqld over the local socket.
    pub(crate) agent: String,
    /// Replicas log in to their primary with it.
    pub(crate) replication: String,
    /// The gateway's account: rights on the keyspace's database only.
    pub(crate) app: String,
}

/// A random password.
pub(crate) fn random_password() -> String {
    let mut rng = rand::rng();
    (0..PASSWORD_CHARS)
        .filter_map(|_| ALPHABET.get(rng.random_range(0..ALPHABET.len())))
        .map(|byte| char::from(*byte))
        .collect()
}

impl Secrets {
    /// Reads the file, or makes it with fresh passwords: an existing mysqld knows only the passwords of its first start.
    pub(crate) fn load_or_create(path: &Path) -> Result<Self> {
        match fs::read(path) {
            Ok(text) => {
                serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let secrets = Self {
                    agent: random_password(),
                    replication: random_password(),
                    app: random_password(),
                };
                write_private(path, &serde_json::to_vec_pretty(&secrets)?)?;
                Ok(secrets)
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }
}

/// The user's password in a `my.cnf` that [`my_cnf`] wrote.
pub(crate) fn password_in(my_cnf: &str) -> Option<String> {
    my_cnf
        .lines()
        .find_map(|line| line.trim().strip_prefix("password="))
        .map(|value| value.trim_matches('"').to_owned())
}

/// Text of a client option file that connects to the gateway.
pub(crate) fn my_cnf(user: &str, password: &str, port: u16) -> String {
    // The port alone would not do: for `localhost`, clients would take a unix socket.
    format!(
        "# Made by `vitrail local up`. Use: mysql --defaults-file=THIS_FILE\n\
         [client]\nuser={user}\npassword=\"{password}\"\nhost=127.0.0.1\nport={port}\nprotocol=TCP\n"
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn passwords_are_kept() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("secrets.json");
        let first = Secrets::load_or_create(&path).unwrap();
        assert_eq!(Secrets::load_or_create(&path).unwrap(), first);
        assert_ne!(first.agent, first.app);
        assert_eq!(first.app.len(), PASSWORD_CHARS);
    }

    #[test]
    fn damaged_secrets_are_not_replaced() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("secrets.json");
        fs::write(&path, "{").unwrap();
        assert!(Secrets::load_or_create(&path).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"{");
    }

    #[test]
    fn the_password_is_found_again() {
        let password = random_password();
        assert_eq!(password_in(&my_cnf("vitrail", &password, 15306)), Some(password));
        assert_eq!(password_in("[client]\n"), None);
    }
}
