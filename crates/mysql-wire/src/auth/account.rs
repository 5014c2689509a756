//! Accounts and where they come from.

use super::CryptVerifier;

/// What the server knows of an account's password. An account without any verifier can not log in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// SHA256(SHA256(password)): checks the fast path of caching_sha2_password, so that a login never needs the full exchange.
    pub sha2: Option<[u8; 32]>,
    /// The salted verifier of an imported account (`$A$005$..`): needs the password itself, over a secure transport or by RSA.
    pub crypt: Option<CryptVerifier>,
    /// SHA1(SHA1(password)) for clients that know only mysql_native_password.
    pub native: Option<[u8; 20]>,
    /// The account is locked: error 3118 after the right password.
    pub locked: bool,
}

/// Finds accounts.
pub trait AccountStore {
    /// The account of a user, `None` when there is no such user.
    ///
    /// A store whose accounts differ in their kinds of verifiers should return for unknown users an account of a kind picked by a
    /// keyed hash of the name, with random verifiers; else the exchange tells strangers which users have the rarer kind.
    fn account(&self, user: &[u8]) -> Option<Account>;

    /// The password of an account with only a salted verifier was right: its SHA256(SHA256(password)), which a store may keep in
    /// memory so that the next login takes the fast path.
    fn learned(&self, user: &[u8], sha2: [u8; 32]) {
        let _ = (user, sha2);
    }
}
