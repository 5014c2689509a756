//! The relay: an answer fed whole and byte by byte must be seen the same. The first byte picks the form of answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mysql_wire::{
    Capabilities,
    relay::{Event, Expect, Relay},
};

/// Forwarded bytes, then events, then whether an error came.
type Seen = (u64, Vec<Event>, bool);

fn feed(mut relay: Relay, answer: &[u8], step: usize) -> Seen {
    let (mut start, mut end, mut events) = (0, 0, Vec::new());
    loop {
        match relay.scan(&answer[start..end]) {
            Err(_) => return (relay.bytes(), events, true),
            Ok(scan) => {
                start += scan.forward + scan.packet_len;
                events.extend(scan.event);
                if scan.event.is_none() {
                    if end == answer.len() {
                        return (relay.bytes(), events, false);
                    }
                    end = (end + step).min(answer.len());
                }
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&pick, answer)) = data.split_first() else {
        return;
    };
    let expect = [Expect::Result, Expect::Rows, Expect::Prepare][usize::from(pick % 3)];
    let classic = pick & 0x80 == 0;
    let capabilities = if classic {
        Capabilities::empty()
    } else {
        Capabilities::DEPRECATE_EOF
    };
    let relay = Relay::new(expect, capabilities);
    let whole = feed(relay.clone(), answer, answer.len().max(1));
    let bytes = feed(relay, answer, 1);
    // Bytes before an error are counted when their scan returns, which one big scan never did.
    assert_eq!((whole.1, whole.2), (bytes.1, bytes.2));
    if !whole.2 {
        assert_eq!(whole.0, bytes.0);
    }
});
