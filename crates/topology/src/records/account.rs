//! The account: a user of the gateways, by password verifiers only.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::keys;
use crate::typed::Record;

/// A user that clients log in as. mysqld does not know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The name that the client sends.
    pub user: String,
    /// SHA256(SHA256(password)): what caching_sha2_password's fast path is checked with. An account without
    /// password has no valid value for it and cannot exist.
    pub verifier: Verifier<32>,
    /// SHA1(SHA1(password)), for clients that know mysql_native_password only; None: they are refused.
    pub native_verifier: Option<Verifier<20>>,
    /// A locked account cannot log in.
    pub locked: bool,
}

impl Record for Account {
    const KIND: &'static str = "account";
    const FOLDER: &'static str = keys::ACCOUNTS;

    fn key(&self) -> String {
        keys::account(&self.user)
    }
}

/// A double hash of a password; hex digits in JSON and in text, hidden from `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier<const N: usize>(pub [u8; N]);

/// A text that is no verifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a verifier has {expected} hex digits")]
pub struct VerifierError {
    expected: usize,
}

impl<const N: usize> fmt::Debug for Verifier<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(..)")
    }
}

impl<const N: usize> FromStr for Verifier<N> {
    type Err = VerifierError;

    fn from_str(text: &str) -> Result<Self, VerifierError> {
        let mut bytes = [0; N];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| VerifierError { expected: N * 2 })?;
        Ok(Self(bytes))
    }
}

impl<const N: usize> Serialize for Verifier<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Verifier<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
