use super::*;

const NONCE: [u8; NONCE_LEN] = *b"abcdefghijklmnopqrst";

fn exchange(channel: Channel) -> Exchange<'static> {
    Exchange::new(b"secret", channel, Plugin::CachingSha2, NONCE)
}

fn sql_error(result: Result<Step, Error>) -> (u16, String) {
    match result {
        Err(Error::Sql(error)) => (error.code, String::from_utf8_lossy(&error.message).into_owned()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_server_that_knows_only_hashes_accepts_the_scrambles() {
    // caching_sha2_password keeps SHA256(SHA256(password)), native SHA1(SHA1(password)): the scramble gives away the
    // first hash to who knows the second.
    let stored = Sha256::digest(Sha256::digest(b"secret"));
    let mask = Sha256::new().chain_update(stored).chain_update(NONCE).finalize();
    let once = xor(&Plugin::CachingSha2.scramble(b"secret", &NONCE), &mask);
    assert_eq!(Sha256::digest(once)[..], stored[..]);
    let stored = Sha1::digest(Sha1::digest(b"secret"));
    let mask = Sha1::new().chain_update(NONCE).chain_update(stored).finalize();
    let once = xor(&Plugin::Native.scramble(b"secret", &NONCE), &mask);
    assert_eq!(Sha1::digest(once)[..], stored[..]);
    assert!(Plugin::Native.scramble(b"", &NONCE).is_empty());
}

#[test]
fn the_fast_path_waits_for_ok() {
    let mut exchange = exchange(Channel::Plain);
    assert_eq!(exchange.on_packet(&[1, 3]).unwrap(), Step::Wait);
    assert_eq!(exchange.on_packet(&[0, 0, 0, 2, 0, 0, 0]).unwrap(), Step::Done);
}

#[test]
fn the_password_travels_in_clear_only_where_nobody_listens() {
    assert_eq!(
        exchange(Channel::Secure).on_packet(&[1, 4]).unwrap(),
        Step::Send(b"secret\0".to_vec())
    );
    let mut with_key = exchange(Channel::ServerPublicKey);
    assert_eq!(with_key.on_packet(&[1, 4]).unwrap(), Step::Send(vec![2]));
    let (code, message) = sql_error(with_key.on_packet(b"\x01no key"));
    assert_eq!(code, 2061, "{message}");
    let (code, message) = sql_error(exchange(Channel::Plain).on_packet(&[1, 4]));
    assert_eq!(code, 2061);
    assert!(
        message.ends_with("Authentication requires secure connection."),
        "{message}"
    );
}

#[test]
fn the_server_may_switch_between_known_plugins() {
    let mut exchange = exchange(Channel::Plain);
    let other = *b"tsrqponmlkjihgfedcba";
    let request = [b"\xfemysql_native_password\0", &other[..], b"\0"].concat();
    assert_eq!(
        exchange.on_packet(&request).unwrap(),
        Step::Send(Plugin::Native.scramble(b"secret", &other))
    );
    assert_eq!((exchange.plugin(), exchange.nonce()), (Plugin::Native, other));
    let (code, message) = sql_error(exchange.on_packet(b"\xfemysql_clear_password\0\0"));
    assert_eq!(code, 2059, "{message}");
    let short = exchange.on_packet(b"\xfemysql_native_password\0short\0");
    assert!(matches!(short, Err(Error::Unexpected(_))));
}

#[test]
fn sha256_password_sends_the_password_when_switched_to() {
    let request = [b"\xfesha256_password\0", &NONCE[..], b"\0"].concat();
    let step = exchange(Channel::Secure).on_packet(&request).unwrap();
    assert_eq!(step, Step::Send(b"secret\0".to_vec()));
    assert_eq!(
        exchange(Channel::ServerPublicKey).on_packet(&request).unwrap(),
        Step::Send(vec![1])
    );
    assert_eq!(sql_error(exchange(Channel::Plain).on_packet(&request)).0, 2061);
}

#[test]
fn errors_of_the_server_are_handed_on() {
    let (code, _) = sql_error(exchange(Channel::Secure).on_packet(b"\xff\x15\x04#28000Access denied"));
    assert_eq!(code, 1045);
    assert!(matches!(
        exchange(Channel::Secure).on_packet(b""),
        Err(Error::Unexpected(_))
    ));
    assert!(matches!(
        exchange(Channel::Secure).on_packet(&[2]),
        Err(Error::Unexpected(_))
    ));
}
