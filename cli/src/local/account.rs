//! The account that a local cluster's user starts with.

use std::fs;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use topology::records::{Account, Verifier};
use topology::{TypedStore, keys};

use super::dir::{ClusterDir, write_private};
use super::secrets::{my_cnf, password_in, random_password};

/// Its name.
pub(crate) const USER: &str = "vitrail";

/// Makes sure that the account exists and that `DIR/my.cnf` logs in as it on `port`; returns its password. A password that the user
/// has changed in my.cnf becomes the account's.
pub(crate) async fn ensure(store: &TypedStore, dir: &ClusterDir, port: u16) -> Result<String> {
    let path = dir.my_cnf();
    let known = fs::read_to_string(&path)
        .ok()
        .and_then(|text| password_in(&text))
        .filter(|password| !password.is_empty());
    let password = known.unwrap_or_else(random_password);
    let verifier = verifier(&password);
    let key = keys::account(USER);
    match store.get::<Account>(&key).await? {
        Some(found) if found.record.verifier == verifier => {}
        Some(found) => {
            let mut record = found.record.clone();
            record.verifier = verifier;
            record.native_verifier = None;
            store
                .replace(&found, &record)
                .await
                .context("cannot change the account")?;
        }
        None => {
            let record = Account {
                user: USER.to_owned(),
                verifier,
                native_verifier: None,
                locked: false,
            };
            store.create(&record).await.context("cannot create the account")?;
        }
    }
    // Only now: a my.cnf whose password nobody knows would be worse than none.
    write_private(&path, my_cnf(USER, &password, port).as_bytes())?;
    Ok(password)
}

/// What the gateway checks caching_sha2_password's fast path with: SHA256(SHA256(password)).
fn verifier(password: &str) -> Verifier<32> {
    Verifier(Sha256::digest(Sha256::digest(password.as_bytes())).into())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;

    use topology::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn the_account_follows_my_cnf() {
        let temp = tempfile::tempdir().unwrap();
        let dir = ClusterDir::create(temp.path()).unwrap();
        let store = TypedStore::new(Arc::new(MemoryStore::new()));
        let account = || async { store.require::<Account>("accounts/vitrail").await.unwrap().record };

        let first = ensure(&store, &dir, 1).await.unwrap();
        assert_eq!(account().await.verifier, verifier(&first));
        assert_eq!(ensure(&store, &dir, 2).await.unwrap(), first);
        assert!(fs::read_to_string(dir.my_cnf()).unwrap().contains("port=2"));

        fs::write(dir.my_cnf(), "[client]\npassword=\"mine\"\n").unwrap();
        assert_eq!(ensure(&store, &dir, 2).await.unwrap(), "mine");
        assert_eq!(account().await.verifier, verifier("mine"));

        fs::write(dir.my_cnf(), "[client]\npassword=\n").unwrap();
        assert_ne!(ensure(&store, &dir, 2).await.unwrap(), "");
    }

    #[test]
    fn the_verifier_is_a_double_hash() {
        // SHA2(UNHEX(SHA2('x', 256)), 256) in MySQL.
        let hex = hex::encode(verifier("x").0);
        assert_eq!(hex, hex::encode(Sha256::digest(Sha256::digest(b"x"))));
        assert_ne!(hex, hex::encode(Sha256::digest(b"x")));
    }
}
