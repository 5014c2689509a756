//! Client accounts of the topology, as the login needs them.

use std::collections::HashMap;
use std::sync::Arc;

use mysql_wire::auth::{self, AccountStore};
use topology::records::Account;

/// The accounts of one snapshot.
#[derive(Debug, Clone)]
pub struct Accounts(pub Arc<HashMap<String, Account>>);

impl AccountStore for Accounts {
    fn account(&self, user: &[u8]) -> Option<auth::Account> {
        let account = self.0.get(std::str::from_utf8(user).ok()?)?;
        Some(auth::Account {
            sha2: Some(account.verifier.0),
            crypt: None,
            native: account.native_verifier.as_ref().map(|verifier| verifier.0),
            locked: account.locked,
        })
    }
}
