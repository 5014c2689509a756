//! The authentication exchange: whatever a client sends, it is not let in. Messages are cut at zero bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mysql_wire::auth::{
    Account, Action, CACHING_SHA2_PASSWORD, CryptVerifier, MYSQL_NATIVE_PASSWORD, ServerAuth,
};

fuzz_target!(|data: &[u8]| {
    let Some((&pick, data)) = data.split_first() else {
        return;
    };
    let none = Account::default();
    let account = match pick % 4 {
        0 => None,
        1 => Some(Account {
            sha2: Some([7; 32]),
            ..none
        }),
        2 => Some(Account {
            native: Some([7; 20]),
            ..none
        }),
        _ => {
            let text = b"$A$001$aaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
            Some(Account {
                crypt: CryptVerifier::parse(text),
                ..none
            })
        }
    };
    let plugin = match pick >> 2 & 3 {
        0 => None,
        1 => Some(CACHING_SHA2_PASSWORD),
        2 => Some(MYSQL_NATIVE_PASSWORD),
        _ => Some(&b"other"[..]),
    };
    let mut auth = ServerAuth::new(b"ann", "host", account, [1; 20], pick & 0x80 != 0, None);
    let mut messages = data.split(|&byte| byte == 0);
    let mut action = auth.start(plugin, messages.next().unwrap_or_default());
    for message in messages {
        assert!(!matches!(action, Action::Accept { .. }));
        action = auth.step(message);
    }
    let _ = CryptVerifier::parse(data);
});
