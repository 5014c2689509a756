//! A fast hash of keys.

const K0: u64 = 0x9E37_79B9_7F4A_7C15;
const K1: u64 = 0xD1B5_4A32_D192_ED03;

/// A 64-bit hash of `bytes` for hash tables that compare whole keys. It is not a protection against chosen collisions.
pub fn hash64(bytes: &[u8]) -> u64 {
    let mut state = K0 ^ bytes.len() as u64;
    let mut chunks = bytes.chunks_exact(16);
    for chunk in &mut chunks {
        state = mix(word(chunk) ^ state, word(chunk.get(8..).unwrap_or_default()) ^ K1);
    }
    let tail = chunks.remainder();
    let (low, high) = tail.split_at_checked(8).unwrap_or((tail, b""));
    state = mix(word(low) ^ state, word(high) ^ K1);
    mix(state, K0)
}

/// The first eight bytes as a number, missing ones as 0.
fn word(bytes: &[u8]) -> u64 {
    match bytes.first_chunk::<8>() {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => bytes
            .iter()
            .rev()
            .fold(0, |value, byte| (value << 8) | u64::from(*byte)),
    }
}

fn mix(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn differs_for_similar_keys() {
        let keys: HashSet<u64> = (0..20_000)
            .map(|number| hash64(format!("SELECT c{number} FROM t WHERE id=?").as_bytes()))
            .collect();
        assert_eq!(keys.len(), 20_000);
        assert_ne!(hash64(b""), hash64(b"\0"));
        assert_ne!(hash64(b"a"), hash64(b"a\0"));
    }
}
