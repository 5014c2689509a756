use std::sync::Arc;

use proptest::prelude::*;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{
    verify::{caching_sha2_matches, native_matches},
    *,
};
use crate::{
    error::ErrorCode,
    message::{AuthMoreData, AuthSwitchRequest, NONCE_LEN},
};

const NONCE: [u8; NONCE_LEN] = *b"0123456789abcdefghij";

fn sha2_scramble(password: &[u8], nonce: &[u8]) -> Vec<u8> {
    let once = Sha256::digest(password);
    let mask = Sha256::new()
        .chain_update(Sha256::digest(once))
        .chain_update(nonce)
        .finalize();
    once.iter().zip(mask).map(|(a, b)| a ^ b).collect()
}

fn native_scramble(password: &[u8], nonce: &[u8]) -> Vec<u8> {
    let once = Sha1::digest(password);
    let mask = Sha1::new()
        .chain_update(nonce)
        .chain_update(Sha1::digest(once))
        .finalize();
    once.iter().zip(mask).map(|(a, b)| a ^ b).collect()
}

/// Verifiers as MySQL 9.7.4 stored them for these passwords.
fn crypt_vectors() -> [(&'static [u8], Vec<u8>); 2] {
    let unhex = |hex: &str| -> Vec<u8> {
        hex.as_bytes()
            .chunks(2)
            .map(|d| u8::from_str_radix(str::from_utf8(d).unwrap(), 16).unwrap())
            .collect()
    };
    [
        (
            b"correct horse battery staple, longer than 32",
            unhex(
                "24412430304124704A603E3B5D15052026603001740B0F4D27262C6B57544E4E66557674634F6E634C3356756874356E3\
                 24E4D3752664F776B487A444C6F456A4D743132712F",
            ),
        ),
        (
            b"x",
            unhex(
                "2441243030412406420A1C4012066820571535026E1D1430011A7D48672F506B78446678754B69456E3263624E5A75455\
                 855557A657A784E6D466F566661774A425939706944",
            ),
        ),
    ]
}

fn account(password: &[u8]) -> Account {
    Account {
        sha2: Some(caching_sha2_verifier(password)),
        ..Account::default()
    }
}

fn exchange(account: Option<Account>, secure: bool) -> ServerAuth {
    ServerAuth::new(b"ann", "10.0.0.1", account, NONCE, secure, None)
}

fn denied(action: &Action) -> bool {
    matches!(action, Action::Deny(error) if error.code == ErrorCode::AccessDenied.number() && &error.state == b"28000")
}

/// The plugin and nonce of a switch request.
fn switched(action: Action) -> (Vec<u8>, Vec<u8>) {
    let Action::Send(payload) = action else {
        panic!("no switch: {action:?}")
    };
    let request = AuthSwitchRequest::decode(&payload).unwrap();
    (request.plugin.to_vec(), request.data.to_vec())
}

#[test]
fn the_fast_path_needs_the_right_scramble() {
    let start = |response: &[u8]| {
        exchange(Some(account(b"secret")), false).start(Some(CACHING_SHA2_PASSWORD), response)
    };
    let accept = Action::Accept {
        message: Some(vec![1, 3]),
        learned: None,
    };
    assert_eq!(start(&sha2_scramble(b"secret", &NONCE)), accept);
    assert!(denied(&start(&sha2_scramble(b"Secret", &NONCE))));
    assert!(denied(&start(b"short")));
}

#[test]
fn an_unknown_user_looks_like_a_wrong_password() {
    for (plugin, scramble) in [
        (Some(CACHING_SHA2_PASSWORD), sha2_scramble(b"wrong", &NONCE)),
        (Some(MYSQL_NATIVE_PASSWORD), native_scramble(b"wrong", &NONCE)),
        (Some(&b"client_ed25519"[..]), vec![1; 64]),
        (Some(CACHING_SHA2_PASSWORD), vec![]),
        (None, native_scramble(b"wrong", &NONCE)),
    ] {
        let run = |account: Option<Account>| {
            let mut auth = exchange(account, false);
            let mut actions = vec![auth.start(plugin, &scramble)];
            if let Action::Send(payload) = &actions[0] {
                let plugin = AuthSwitchRequest::decode(payload).unwrap().plugin.to_vec();
                actions[0] = Action::Send(plugin);
                actions.push(auth.step(&sha2_scramble(b"wrong", &auth.nonce())));
            }
            actions
        };
        let unknown = run(None);
        assert_eq!(unknown, run(Some(account(b"secret"))));
        assert!(denied(unknown.last().unwrap()));
    }
    // The stand-in for unknown users has no password, not even one with a verifier of zeros.
    let Action::Deny(error) = exchange(None, false).start(Some(CACHING_SHA2_PASSWORD), &[0; 32]) else {
        panic!("let in")
    };
    assert_eq!(
        String::from_utf8_lossy(&error.message),
        "Access denied for user 'ann'@'10.0.0.1' (using password: YES)"
    );
}

#[test]
fn clients_switch_to_the_accounts_plugin_with_a_fresh_nonce() {
    let mut auth = exchange(Some(account(b"secret")), false);
    let (plugin, nonce) =
        switched(auth.start(Some(MYSQL_NATIVE_PASSWORD), &native_scramble(b"secret", &NONCE)));
    assert_eq!(plugin, CACHING_SHA2_PASSWORD);
    assert_ne!(nonce, NONCE);
    assert!(matches!(
        auth.step(&sha2_scramble(b"secret", &nonce)),
        Action::Accept { .. }
    ));
    assert!(
        denied(&auth.step(&sha2_scramble(b"secret", &nonce))),
        "it is over"
    );

    let native = Account {
        native: Some(native_verifier(b"secret")),
        ..Account::default()
    };
    let mut auth = exchange(Some(native.clone()), false);
    let (plugin, nonce) =
        switched(auth.start(Some(CACHING_SHA2_PASSWORD), &sha2_scramble(b"secret", &NONCE)));
    assert_eq!(plugin, MYSQL_NATIVE_PASSWORD);
    let accept = Action::Accept {
        message: None,
        learned: None,
    };
    assert_eq!(auth.step(&native_scramble(b"secret", &nonce)), accept);
    let mut old_client = exchange(Some(native.clone()), false);
    assert_eq!(
        old_client.start(None, &native_scramble(b"secret", &NONCE)),
        accept
    );
    assert!(denied(
        &exchange(Some(native), false).start(None, &native_scramble(b"wrong", &NONCE))
    ));
}

#[test]
fn an_old_nonce_is_no_use_after_a_switch() {
    let mut auth = exchange(Some(account(b"secret")), false);
    let (_, nonce) = switched(auth.switch());
    assert_ne!(nonce, NONCE);
    assert!(denied(&auth.step(&sha2_scramble(b"secret", &NONCE))));
}

#[test]
fn a_locked_account_is_told_only_to_who_knows_the_password() {
    let locked = Account {
        locked: true,
        ..account(b"secret")
    };
    let mut auth = exchange(Some(locked.clone()), false);
    let Action::Deny(error) = auth.start(Some(CACHING_SHA2_PASSWORD), &sha2_scramble(b"secret", &NONCE))
    else {
        panic!("let in")
    };
    assert_eq!(error.code, ErrorCode::AccountHasBeenLocked.number());
    assert!(denied(
        &exchange(Some(locked), false).start(Some(CACHING_SHA2_PASSWORD), &sha2_scramble(b"no", &NONCE))
    ));
}

#[test]
fn salted_verifiers_are_those_of_mysql() {
    for (password, text) in crypt_vectors() {
        let verifier = CryptVerifier::parse(&text).unwrap();
        assert!(verifier.matches(password));
        assert!(!verifier.matches(b"something else"));
        assert!(!verifier.matches(&[b'x'; 300]));
    }
    for text in [
        &b""[..],
        b"$A$005$",
        b"$A$zzz$",
        b"$A$000$aaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    ] {
        assert_eq!(CryptVerifier::parse(text), None);
    }
}

#[test]
fn a_salted_verifier_needs_the_password_itself() {
    let [(password, text), _] = crypt_vectors();
    let account = Account {
        crypt: CryptVerifier::parse(&text),
        ..Account::default()
    };
    let scramble = sha2_scramble(password, &NONCE);
    let start = |secure, rsa| {
        let mut auth = ServerAuth::new(b"ann", "h", Some(account.clone()), NONCE, secure, rsa);
        assert_eq!(
            auth.start(Some(CACHING_SHA2_PASSWORD), &scramble),
            Action::Send(vec![1, 4])
        );
        auth
    };
    let learned = Some(caching_sha2_verifier(password));
    let accept = Action::Accept {
        message: None,
        learned,
    };
    assert_eq!(start(true, None).step(&[password, b"\0"].concat()), accept);
    assert!(denied(&start(true, None).step(b"wrong\0")));
    // Over plain TCP nothing is accepted in clear, and there is no key by default.
    assert!(denied(&start(false, None).step(&[password, b"\0"].concat())));
    assert!(denied(&start(false, None).step(&[2])));

    let mut auth = start(false, Some(Arc::new(Reversed)));
    let Action::Send(key) = auth.step(&[2]) else {
        panic!("no key")
    };
    assert_eq!(AuthMoreData::decode(&key).unwrap().data, b"the key");
    let masked: Vec<u8> = [password, b"\0"]
        .concat()
        .iter()
        .zip(NONCE.iter().cycle())
        .map(|(a, b)| a ^ b)
        .collect();
    let encrypted: Vec<u8> = masked.iter().rev().copied().collect();
    assert_eq!(auth.step(&encrypted), accept);
    assert_eq!(
        start(false, Some(Arc::new(Reversed))).step(&encrypted),
        accept,
        "the client knew the key"
    );
    assert!(denied(&start(false, Some(Arc::new(Reversed))).step(&masked)));
}

/// "Encrypts" by reversing the bytes.
struct Reversed;

impl RsaKey for Reversed {
    fn public_key_pem(&self) -> &[u8] {
        b"the key"
    }

    fn decrypt(&self, ciphertext: &[u8]) -> Option<Vec<u8>> {
        Some(ciphertext.iter().rev().copied().collect())
    }
}

#[test]
fn nonces_are_fresh_and_without_zero_bytes() {
    let nonces: Vec<_> = (0..200).map(|_| generate_nonce().unwrap()).collect();
    for (i, nonce) in nonces.iter().enumerate() {
        assert!(nonce.iter().all(|&b| b != 0 && b != b'$' && b < 0x80));
        assert!(!nonces[..i].contains(nonce));
    }
}

proptest! {
    #[test]
    fn scrambles_match_their_password_only(
        password in proptest::collection::vec(1..=255u8, 1..40), other in proptest::collection::vec(1..=255u8, 1..40),
        nonce in proptest::array::uniform20(1..0x7fu8),
    ) {
        let sha2 = sha2_scramble(&password, &nonce);
        prop_assert!(caching_sha2_matches(&caching_sha2_verifier(&password), &nonce, &sha2));
        let native = native_scramble(&password, &nonce);
        prop_assert!(native_matches(&native_verifier(&password), &nonce, &native));
        if other != password {
            prop_assert!(!caching_sha2_matches(&caching_sha2_verifier(&other), &nonce, &sha2));
            prop_assert!(!native_matches(&native_verifier(&other), &nonce, &native));
        }
    }

    #[test]
    fn any_messages_are_taken_without_panic_and_let_nobody_in(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..70), 1..5), secure: bool, kind in 0..4u8,
    ) {
        let [(_, text), _] = crypt_vectors();
        let account = match kind {
            0 => None,
            1 => Some(account(b"secret")),
            2 => Some(Account { native: Some(native_verifier(b"secret")), ..Account::default() }),
            _ => Some(Account { crypt: CryptVerifier::parse(&text), ..Account::default() }),
        };
        let mut auth = ServerAuth::new(b"ann", "h", account, NONCE, secure, Some(Arc::new(Reversed)));
        let mut action = auth.start(Some(CACHING_SHA2_PASSWORD), &messages[0]);
        for message in &messages[1..] {
            let accepted = matches!(action, Action::Accept { .. });
            prop_assert!(!accepted);
            action = auth.step(message);
        }
    }
}
