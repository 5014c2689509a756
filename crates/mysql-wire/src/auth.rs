//! The server's half of authentication: caching_sha2_password and mysql_native_password.
//!
//! [`ServerAuth`] is the exchange as a state machine without I/O; [`AccountStore`] is where a gateway keeps its accounts. An unknown
//! user goes through the same steps as a wrong password and gets the same error 1045.

mod account;
mod exchange;
mod nonce;
mod rsa;
mod sha256_crypt;
mod verify;

pub use account::{Account, AccountStore};
pub use exchange::{Action, ServerAuth};
pub use nonce::generate_nonce;
pub use rsa::RsaKey;
pub use sha256_crypt::CryptVerifier;
pub use verify::{caching_sha2_verifier, native_verifier};

/// Name of the plugin `caching_sha2_password`.
pub const CACHING_SHA2_PASSWORD: &[u8] = b"caching_sha2_password";
/// Name of the plugin `mysql_native_password`.
pub const MYSQL_NATIVE_PASSWORD: &[u8] = b"mysql_native_password";

#[cfg(test)]
mod tests;
