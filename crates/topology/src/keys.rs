//! Where each record lies: keys are paths, one folder per kind.
//!
//! | record | key |
//! |---|---|
//! | cell | `cells/default` |
//! | keyspace | `keyspaces/customer` |
//! | shard | `shards/customer/-80` |
//! | tablet | `tablets/customer-x-80-1` |
//! | account | `accounts/vitrail` |
//!
//! Names are escaped (`%` and two hex digits) where they hold anything but letters, digits, `_`, `-` and `.`,
//! so that a user named `a/b` is no folder.

use crate::store::{KEY_BYTES_MAX, StoreError};

/// Folder of the cells.
pub const CELLS: &str = "cells/";
/// Folder of the keyspaces.
pub const KEYSPACES: &str = "keyspaces/";
/// Folder of the shards, with one folder per keyspace in it.
pub const SHARDS: &str = "shards/";
/// Folder of the tablets.
pub const TABLETS: &str = "tablets/";
/// Folder of the accounts.
pub const ACCOUNTS: &str = "accounts/";

/// Key of a cell.
#[must_use]
pub fn cell(name: &str) -> String {
    format!("{CELLS}{}", escape(name))
}

/// Key of a keyspace.
#[must_use]
pub fn keyspace(name: &str) -> String {
    format!("{KEYSPACES}{}", escape(name))
}

/// Key of a shard's record.
#[must_use]
pub fn shard(keyspace: &str, shard: &str) -> String {
    format!("{}{}", shards_of(keyspace), escape(shard))
}

/// Folder of a keyspace's shards.
#[must_use]
pub fn shards_of(keyspace: &str) -> String {
    format!("{SHARDS}{}/", escape(keyspace))
}

/// Key of a tablet.
#[must_use]
pub fn tablet(alias: &str) -> String {
    format!("{TABLETS}{}", escape(alias))
}

/// Key of an account.
#[must_use]
pub fn account(user: &str) -> String {
    format!("{ACCOUNTS}{}", escape(user))
}

/// Checks a key: path segments of letters, digits, `_`, `-`, `.` and `%`, none of them empty.
///
/// # Errors
/// [`StoreError::Invalid`], which names the rule.
pub fn check(key: &str) -> Result<(), StoreError> {
    let invalid = |why: &str| Err(StoreError::Invalid(format!("key {key:?} {why}")));
    if key.len() > KEY_BYTES_MAX {
        return Err(StoreError::Invalid(format!(
            "a key of {} bytes is longer than {KEY_BYTES_MAX}",
            key.len()
        )));
    }
    if key.split('/').any(str::is_empty) {
        return invalid("has an empty part");
    }
    if !key
        .bytes()
        .all(|byte| is_plain(byte) || byte == b'/' || byte == b'%')
    {
        return invalid("holds characters other than letters, digits, '_', '-', '.', '%' and '/'");
    }
    Ok(())
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The empty name, which MySQL allows for users, becomes a lone `%`.
fn escape(name: &str) -> String {
    if name.is_empty() {
        return "%".to_owned();
    }
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if is_plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_lie_where_the_table_says() {
        assert_eq!(cell("default"), "cells/default");
        assert_eq!(keyspace("customer"), "keyspaces/customer");
        assert_eq!(shard("customer", "-80"), "shards/customer/-80");
        assert_eq!(tablet("customer-x-80-1"), "tablets/customer-x-80-1");
        assert_eq!(account("vitrail"), "accounts/vitrail");
        assert_eq!(account("a/b é"), "accounts/a%2Fb%20%C3%A9");
        assert_eq!(account(""), "accounts/%");
    }

    #[test]
    fn bad_keys_are_named() {
        for key in ["", "/", "a//b", "a/", "/a", "a b", "é", "a\n"] {
            assert!(check(key).is_err(), "{key:?}");
        }
        assert!(check(&"k".repeat(KEY_BYTES_MAX)).is_ok());
        assert!(check(&"k".repeat(KEY_BYTES_MAX + 1)).is_err());
    }

    proptest! {
        #[test]
        fn every_name_makes_a_valid_key_of_its_own(names in proptest::collection::hash_set(".{0,20}", 0..20)) {
            let mut seen = HashMap::new();
            for name in names {
                let key = account(&name);
                prop_assert!(check(&key).is_ok(), "{key}");
                prop_assert_eq!(seen.insert(key, name.clone()), None);
            }
        }

        #[test]
        fn checking_never_panics(key in ".{0,50}") {
            let _ = check(&key);
        }
    }
}
