//! Commands of clients. The first bytes are the capabilities and the number of parameters of a prepared statement.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mysql_wire::{
    Capabilities, Reader, Writer,
    message::Command,
    value::params::{decode_attributes, decode_params},
};

fuzz_target!(|data: &[u8]| {
    let mut r = Reader::new(data);
    let (Ok(bits), Ok(params)) = (r.int4(), r.int1()) else {
        return;
    };
    let capabilities = Capabilities::from_bits(bits);
    let Ok(command) = Command::decode(r.rest(), capabilities) else {
        return;
    };
    let mut out = bytes::BytesMut::new();
    command.encode(capabilities, &mut Writer::new(&mut out));
    assert_eq!(Command::decode(&out, capabilities).as_ref(), Ok(&command));
    match &command {
        Command::StmtExecute(execute) => {
            if let Ok(raw) = execute.params(usize::from(params), capabilities) {
                let _ = decode_params(&raw, usize::from(params), &mut Vec::new(), |index| index % 3 == 2);
            }
        }
        Command::Query(query) => {
            let _ = decode_attributes(&query.attributes);
        }
        _ => {}
    }
});
