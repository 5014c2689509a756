//! Salted verifiers of caching_sha2_password accounts (`$A$005$..`): SHA-crypt with SHA-256.
//!
//! The algorithm is Ulrich Drepper's "Unix crypt using SHA-256", which MySQL uses with a salt of 20 bytes.

use sha2::{Digest, Sha256};

use super::verify::equal;

const SALT_LEN: usize = 20;
const HASH_LEN: usize = 43;
/// Passwords longer than this are refused by MySQL; the work grows with the length.
const MAX_PASSWORD: usize = 256;

/// A parsed `$A$` verifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CryptVerifier {
    rounds: u32,
    salt: [u8; SALT_LEN],
    hash: [u8; HASH_LEN],
}

impl CryptVerifier {
    /// Parses the `authentication_string` of `mysql.user`: `$A$`, three hex digits of thousands of rounds, `$`, salt, hash.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (thousands, rest) = text.strip_prefix(b"$A$")?.split_first_chunk::<3>()?;
        let thousands = u32::from_str_radix(std::str::from_utf8(thousands).ok()?, 16).ok()?;
        let (salt, hash) = rest.strip_prefix(b"$")?.split_first_chunk::<SALT_LEN>()?;
        let hash = *<&[u8; HASH_LEN]>::try_from(hash).ok()?;
        (1..=0xfff).contains(&thousands).then_some(Self {
            rounds: thousands * 1000,
            salt: *salt,
            hash,
        })
    }

    /// Whether this is the password. Takes milliseconds, on purpose.
    #[must_use]
    pub fn matches(&self, password: &[u8]) -> bool {
        password.len() <= MAX_PASSWORD && equal(&encode(&hash(password, &self.salt, self.rounds)), &self.hash)
    }
}

fn hash(password: &[u8], salt: &[u8], rounds: u32) -> [u8; 32] {
    let alternate: [u8; 32] = Sha256::new()
        .chain_update(password)
        .chain_update(salt)
        .chain_update(password)
        .finalize()
        .into();
    let mut first = Sha256::new().chain_update(password).chain_update(salt);
    first.update(repeated(&alternate, password.len()));
    let mut bits = password.len();
    while bits > 0 {
        if bits & 1 == 1 {
            first.update(alternate)
        } else {
            first.update(password)
        }
        bits >>= 1;
    }
    let mut digest: [u8; 32] = first.finalize().into();

    let mut of_password = Sha256::new();
    for _ in 0..password.len() {
        of_password.update(password);
    }
    let password_bytes = repeated(&of_password.finalize().into(), password.len());
    let mut of_salt = Sha256::new();
    let [first_byte, ..] = digest;
    for _ in 0..16 + u32::from(first_byte) {
        of_salt.update(salt);
    }
    let salt_bytes = repeated(&of_salt.finalize().into(), salt.len());

    for round in 0..rounds {
        let odd = round % 2 == 1;
        let mut next = Sha256::new();
        next.update(if odd {
            password_bytes.as_slice()
        } else {
            digest.as_slice()
        });
        if round % 3 != 0 {
            next.update(&salt_bytes);
        }
        if round % 7 != 0 {
            next.update(&password_bytes);
        }
        next.update(if odd {
            digest.as_slice()
        } else {
            password_bytes.as_slice()
        });
        digest = next.finalize().into();
    }
    digest
}

/// The digest over and over, cut to `len` bytes.
fn repeated(digest: &[u8; 32], len: usize) -> Vec<u8> {
    digest.iter().copied().cycle().take(len).collect()
}

/// crypt's base 64 of the digest, in its own byte order.
fn encode(digest: &[u8; 32]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let byte = |index: usize| digest.get(index).map_or(0, |&byte| u32::from(byte));
    let mut out = Vec::with_capacity(HASH_LEN);
    let mut push = |mut bits: u32, count: usize| {
        for _ in 0..count {
            out.extend(ALPHABET.get((bits & 0x3f) as usize));
            bits >>= 6;
        }
    };
    let (mut a, mut b, mut c) = (0, 10, 20);
    for _ in 0..10 {
        push(byte(a) << 16 | byte(b) << 8 | byte(c), 4);
        (a, b, c) = (c + 1, a + 1, b + 1);
    }
    push(byte(31) << 8 | byte(30), 3);
    out
}
