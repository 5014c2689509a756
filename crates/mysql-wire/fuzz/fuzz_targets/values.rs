//! Values of rows. The first bytes are a column's type, flags and decimals.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mysql_wire::{
    Reader,
    column::{ColumnFlags, ColumnType},
    value::{ColumnFormat, binary, text},
};

fuzz_target!(|data: &[u8]| {
    let mut r = Reader::new(data);
    let (Ok(ty), Ok(flags), Ok(decimals)) = (r.int1(), r.int2(), r.int1()) else {
        return;
    };
    let Some(ty) = ColumnType::from_byte(ty) else {
        return;
    };
    let column = ColumnFormat {
        flags: ColumnFlags::from_bits(flags),
        decimals,
        ..ColumnFormat::of_type(ty)
    };
    let payload = r.rest();
    let columns = [column; 3];
    let _ = text::decode(&column, Some(payload));
    let _ = text::decode_row(&columns, payload);
    if let Ok(values) = binary::decode_row(&columns, payload) {
        let mut out = bytes::BytesMut::new();
        let mut w = mysql_wire::Writer::new(&mut out);
        let _ = binary::encode_row(&columns, values.iter().copied(), &mut w);
        let _ = text::encode_row(&columns, values.iter().copied(), &mut w);
    }
});
