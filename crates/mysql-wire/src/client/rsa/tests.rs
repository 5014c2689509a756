use super::*;

const KEY: &[u8] = b"-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC1crj0P8+C0yx/ydTfiXqIASwf
W2oHA3chX5Pady92Z0rTz3T3NowmQRLM6sQzEdQpAPT6eillEs7WizAjrs4hozLT
ewMQBha4fUbzpeY47cx/FMfwi6+jOslH5gJlHq34J7jkT3Ox/EVXVTjrVm6KlQZ0
UtXKjCChtyzFpsyHZwIDAQAB
-----END PUBLIC KEY-----
";

/// The private exponent of `KEY`, which was made for this test.
const PRIVATE: &[u8] = b"2bd48d96fabf0eb42240b0298ae1f3c65cba22ccfb3cbc7a8f863df9fce66b2ca267adea6c3931fb9fa681f787f36a30\
1cc38d69e00e95cac84a0d0f50df4e0d6be7dfe0a5f67bca623bd530cae03a71294bf3d8b6ce493c96d2d452275e53e4cbd7d84881cc5e7317cc201fac6a\
d9e2252c128e122885392bf7609a02d1b291";

#[test]
fn the_private_key_opens_what_was_encrypted() {
    let key = PublicKey::from_pem(KEY).unwrap();
    let private = BigUint::parse_bytes(PRIVATE, 16).unwrap();
    for message in [&b"secret\0"[..], b"", &[7; 86]] {
        let encrypted = encrypt(KEY, message).unwrap();
        assert_eq!(encrypted.len(), 128);
        let opened = BigUint::from_bytes_be(&encrypted)
            .modpow(&private, &key.modulus)
            .to_bytes_be();
        let mut block = vec![0; 127 - opened.len()];
        block.extend(opened);
        let (seed, data) = block.split_at_mut(20);
        xor_with_mask(seed, data);
        xor_with_mask(data, seed);
        assert_eq!(data[..20], Sha1::digest(b"")[..]);
        let padding = data[20..].iter().position(|&b| b != 0).unwrap();
        assert_eq!(data[20 + padding], 1);
        assert_eq!(&data[21 + padding..], message);
    }
    assert_ne!(encrypt(KEY, b"x").unwrap(), encrypt(KEY, b"x").unwrap());
}

#[test]
fn mask_is_that_of_a_known_vector() {
    // MGF1-SHA1 of "foo", 3 bytes, and of "bar", 5 bytes: published test vectors.
    let mut mask = [0; 3];
    xor_with_mask(&mut mask, b"foo");
    assert_eq!(mask, [0x1a, 0xc9, 0x07]);
    let mut mask = [0; 5];
    xor_with_mask(&mut mask, b"bar");
    assert_eq!(mask, [0xbc, 0x0c, 0x65, 0x5e, 0x01]);
}

#[test]
fn unusable_keys_are_refused() {
    assert_eq!(encrypt(KEY, &[7; 87]), Err(RsaError::TooLong));
    assert_eq!(encrypt(b"", b"x"), Err(RsaError::Key));
    let small = b"-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAPExezpH6pPax7fuz6ZKk3HdVjsUGJBW
9sf6CW8qyhmppJnCJmHKnNPr9HGxjuoWsqRbcUZac8txontTs6ojRdMCAwEAAQ==
-----END PUBLIC KEY-----";
    assert_eq!(encrypt(small, b"x"), Err(RsaError::Size(512)));
    let elliptic = b"-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaMhYoclXOYekDIUYfaivHX47jib4
KHNGjS2CIc4+/Gt6maboTIHHRWSF4DPkPFzuuvhypQvBG1XjcRNOREFgUA==
-----END PUBLIC KEY-----";
    assert_eq!(encrypt(elliptic, b"x"), Err(RsaError::Key));
}

proptest::proptest! {
    #[test]
    fn no_key_panics(der in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
        let _ = rsa_numbers(&der);
    }
}
