//! Messages of servers, and those of a handshake. The first four bytes are the capabilities.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mysql_wire::{Capabilities, Reader, message::*};

fuzz_target!(|data: &[u8]| {
    let mut r = Reader::new(data);
    let Ok(capabilities) = r.int4().map(Capabilities::from_bits) else {
        return;
    };
    let payload = r.rest();
    let _ = Handshake::decode(payload);
    let _ = SslRequest::decode(payload);
    if let Ok(response) = HandshakeResponse::decode(payload) {
        let mut out = bytes::BytesMut::new();
        response.encode(&mut mysql_wire::Writer::new(&mut out));
        let again = HandshakeResponse::decode(&out).expect("what was encoded can be decoded");
        assert_eq!(again.user, response.user);
        assert!(again.attributes.iter().eq(response.attributes.iter()));
    }
    let _ = AuthSwitchRequest::decode(payload);
    let _ = AuthMoreData::decode(payload);
    let _ = FirstPacket::decode(payload, capabilities);
    if let Ok(ok) = OkPacket::decode(payload, capabilities) {
        let _ = ok.session_state.iter().count();
    }
    let _ = EofPacket::decode(payload);
    let _ = ErrPacket::decode(payload).map(ErrPacket::to_sql_error);
    let _ = ColumnDefinition::decode(payload);
    let _ = PrepareOk::decode(payload);
    let _ = TextRow::new(payload).count();
});
