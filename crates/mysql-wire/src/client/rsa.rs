//! Encrypting a password with the server's RSA public key: RSAES-OAEP with SHA-1 (RFC 8017, 7.1.1), which is what
//! caching_sha2_password expects on a connection without TLS. Only the public half of RSA is here, where nothing
//! secret depends on timing but the password's length.

#[cfg(test)]
mod tests;

use num_bigint::BigUint;
use ring::rand::{SecureRandom, SystemRandom};
use rustls_pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};
use sha1::{Digest, Sha1};

/// Output bytes of SHA-1.
const HASH_LEN: usize = 20;
/// Smallest and largest modulus that is used, in bits: below it is broken, above it is an attack on our time.
const MODULUS_BITS: std::ops::RangeInclusive<u64> = 1024..=8192;

/// Why a password can't be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum RsaError {
    #[error("the server's public key is not an RSA key in PEM form")]
    Key,
    #[error("the server's RSA key has {0} bits")]
    Size(u64),
    #[error("the password is too long for the server's RSA key")]
    TooLong,
    #[error("no random numbers")]
    Random,
}

/// Encrypts `message` for the holder of the PEM-encoded public key.
pub(super) fn encrypt(public_key_pem: &[u8], message: &[u8]) -> Result<Vec<u8>, RsaError> {
    let mut seed = [0; HASH_LEN];
    SystemRandom::new()
        .fill(&mut seed)
        .map_err(|_| RsaError::Random)?;
    let key = PublicKey::from_pem(public_key_pem)?;
    let encoded = BigUint::from_bytes_be(&oaep(message, &seed, key.len())?);
    let encrypted = encoded.modpow(&key.exponent, &key.modulus).to_bytes_be();
    let mut out = vec![0; key.len().saturating_sub(encrypted.len())];
    out.extend_from_slice(&encrypted);
    Ok(out)
}

#[derive(Debug)]
struct PublicKey {
    modulus: BigUint,
    exponent: BigUint,
}

impl PublicKey {
    fn from_pem(pem: &[u8]) -> Result<Self, RsaError> {
        // MySQL's answer may end with a zero byte.
        let pem = pem.strip_suffix(b"\0").unwrap_or(pem);
        let info = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|_| RsaError::Key)?;
        let (modulus, exponent) = rsa_numbers(&info).ok_or(RsaError::Key)?;
        let key = Self {
            modulus: BigUint::from_bytes_be(modulus),
            exponent: BigUint::from_bytes_be(exponent),
        };
        if !MODULUS_BITS.contains(&key.modulus.bits()) || key.exponent.bits() > 64 {
            return Err(RsaError::Size(key.modulus.bits()));
        }
        Ok(key)
    }

    /// Length of the modulus in bytes.
    fn len(&self) -> usize {
        usize::try_from(self.modulus.bits().div_ceil(8)).unwrap_or(0)
    }
}

/// Modulus and exponent of a SubjectPublicKeyInfo (RFC 5280, 4.1) that holds an RSAPublicKey (RFC 8017, A.1.1).
fn rsa_numbers(info: &[u8]) -> Option<(&[u8], &[u8])> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    const BIT_STRING: u8 = 0x03;
    const OBJECT_ID: u8 = 0x06;
    /// 1.2.840.113549.1.1.1
    const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

    let (info, _) = der(info, SEQUENCE)?;
    let (algorithm, rest) = der(info, SEQUENCE)?;
    let (object_id, _) = der(algorithm, OBJECT_ID)?;
    let (bits, _) = der(rest, BIT_STRING)?;
    let (numbers, _) = der(bits.strip_prefix(&[0])?, SEQUENCE)?;
    let (modulus, rest) = der(numbers, INTEGER)?;
    let (exponent, _) = der(rest, INTEGER)?;
    (object_id == RSA_ENCRYPTION).then_some((modulus, exponent))
}

/// Takes one DER element with this tag: its content, and what follows it.
fn der(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[first, short], rest) = input.split_first_chunk::<2>()?;
    if first != tag {
        return None;
    }
    let (len, rest) = match short {
        0..=0x7f => (usize::from(short), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*len)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(len)
}

/// Encodes a message of at most `len - 42` bytes to `len` bytes (EME-OAEP with an empty label).
fn oaep(message: &[u8], seed: &[u8; HASH_LEN], len: usize) -> Result<Vec<u8>, RsaError> {
    let block_len = len.checked_sub(HASH_LEN + 1).ok_or(RsaError::TooLong)?;
    let padding = block_len
        .checked_sub(HASH_LEN + 1 + message.len())
        .ok_or(RsaError::TooLong)?;
    let mut block = Sha1::digest(b"").to_vec();
    block.resize(HASH_LEN + padding, 0);
    block.push(1);
    block.extend_from_slice(message);
    xor_with_mask(&mut block, seed);
    let mut masked_seed = *seed;
    xor_with_mask(&mut masked_seed, &block);
    Ok([&[0], &masked_seed[..], &block].concat())
}

/// XORs `bytes` with the output of MGF1 with SHA-1 for `seed`.
fn xor_with_mask(bytes: &mut [u8], seed: &[u8]) {
    for (counter, chunk) in (0_u32..).zip(bytes.chunks_mut(HASH_LEN)) {
        let mask = Sha1::new()
            .chain_update(seed)
            .chain_update(counter.to_be_bytes())
            .finalize();
        for (byte, mask) in chunk.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
}
