//! The hook for RSA in full authentication over plain TCP.

/// A private key that decrypts passwords.
///
/// There is no implementation here and none is configured by default: ring cannot decrypt RSA, and the `rsa` crate has an open timing
/// advisory (RUSTSEC-2023-0071). Passwords that are only known by a salted verifier need TLS or a unix socket then. All other
/// accounts never need the full exchange.
pub trait RsaKey: Send + Sync {
    /// The public key as PEM (`-----BEGIN PUBLIC KEY-----`), sent to clients that ask for it.
    fn public_key_pem(&self) -> &[u8];

    /// Decrypts RSAES-OAEP with SHA-1, in time that does not depend on the ciphertext; `None` when it is not valid.
    fn decrypt(&self, ciphertext: &[u8]) -> Option<Vec<u8>>;
}
