//! Nonces for password scrambles.

use ring::rand::{SecureRandom, SystemRandom};

use crate::{
    error::{ErrorCode, SqlError},
    message::NONCE_LEN,
};

/// A fresh nonce from the system's random source: 7-bit characters without zero and without `$`, as MySQL makes them.
///
/// Fails with error 1041 when the system has no randomness.
pub fn generate_nonce() -> Result<[u8; NONCE_LEN], SqlError> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new()
        .fill(&mut nonce)
        .map_err(|_| SqlError::new(ErrorCode::OutOfResources, "No randomness for authentication"))?;
    for byte in &mut nonce {
        *byte &= 0x7f;
        if *byte == 0 || *byte == b'$' {
            *byte += 1;
        }
    }
    Ok(nonce)
}
