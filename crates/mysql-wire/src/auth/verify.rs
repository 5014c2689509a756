//! Verifiers, and checking scrambles against them.

use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::message::NONCE_LEN;

/// SHA256(SHA256(password)), what an account record keeps for caching_sha2_password.
#[must_use]
pub fn caching_sha2_verifier(password: &[u8]) -> [u8; 32] {
    Sha256::digest(Sha256::digest(password)).into()
}

/// SHA1(SHA1(password)), what an account record keeps for mysql_native_password.
#[must_use]
pub fn native_verifier(password: &[u8]) -> [u8; 20] {
    Sha1::digest(Sha1::digest(password)).into()
}

/// Checks the scramble SHA256(password) XOR SHA256(SHA256(SHA256(password)), nonce).
pub(super) fn caching_sha2_matches(verifier: &[u8; 32], nonce: &[u8; NONCE_LEN], scramble: &[u8]) -> bool {
    let Ok(scramble) = <&[u8; 32]>::try_from(scramble) else {
        return false;
    };
    let mask: [u8; 32] = Sha256::new()
        .chain_update(verifier)
        .chain_update(nonce)
        .finalize()
        .into();
    let once = xor(scramble, &mask);
    equal(&Sha256::digest(once), verifier)
}

/// Checks the scramble SHA1(password) XOR SHA1(nonce, SHA1(SHA1(password))).
pub(super) fn native_matches(verifier: &[u8; 20], nonce: &[u8; NONCE_LEN], scramble: &[u8]) -> bool {
    let Ok(scramble) = <&[u8; 20]>::try_from(scramble) else {
        return false;
    };
    let mask: [u8; 20] = Sha1::new()
        .chain_update(nonce)
        .chain_update(verifier)
        .finalize()
        .into();
    let once = xor(scramble, &mask);
    equal(&Sha1::digest(once), verifier)
}

/// Compares in a time that depends on the lengths only.
pub(super) fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differing, (x, y)| differing | (x ^ y)) == 0
}

fn xor<const N: usize>(a: &[u8; N], b: &[u8; N]) -> [u8; N] {
    let mut out = *a;
    for (byte, other) in out.iter_mut().zip(b) {
        *byte ^= other;
    }
    out
}
