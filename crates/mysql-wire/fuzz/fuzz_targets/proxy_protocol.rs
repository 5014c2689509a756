//! PROXY protocol headers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mysql_wire::proxy_protocol::{Decoded, decode};

fuzz_target!(|data: &[u8]| {
    match decode(data) {
        Ok(Decoded::Header { consumed, .. }) => assert!(consumed <= data.len()),
        Ok(Decoded::NeedMore(more)) => assert!(more > 0),
        Err(_) => {}
    }
});
