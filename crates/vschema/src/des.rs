//! One block of single DES under the all-zero key: the scrambler of the `hash` vindex. It hides nothing.

use std::sync::LazyLock;

use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit};

static NULL_KEY: LazyLock<Des> = LazyLock::new(|| Des::new(&[0; 8].into()));

/// The big-endian bytes of the number, encrypted.
pub(crate) fn encrypt_with_null_key(number: u64) -> [u8; 8] {
    let mut block = number.to_be_bytes().into();
    NULL_KEY.encrypt_block(&mut block);
    block.into()
}
