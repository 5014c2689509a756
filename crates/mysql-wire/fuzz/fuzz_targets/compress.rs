//! Compressed frames. The first byte picks algorithm and side.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mysql_wire::compress::{Algorithm, Codec, Decoded, Side};

fuzz_target!(|data: &[u8]| {
    let Some((&pick, mut frames)) = data.split_first() else {
        return;
    };
    let algorithm = if pick & 1 == 0 {
        Algorithm::Zlib
    } else {
        Algorithm::Zstd { level: 3 }
    };
    let side = if pick & 2 == 0 { Side::Server } else { Side::Client };
    let mut codec = Codec::new(algorithm, side).with_max_plain(1 << 16);
    let mut plain = bytes::BytesMut::new();
    while let Ok(Decoded::Frame { consumed, produced }) = codec.decode(frames, &mut plain) {
        assert_eq!(plain.len(), produced);
        plain.clear();
        frames = &frames[consumed..];
    }
    // What is packed is unpacked again.
    let mut packed = bytes::BytesMut::new();
    Codec::new(algorithm, Side::Client)
        .encode(data, &mut packed)
        .expect("packing works");
    let mut codec = Codec::new(algorithm, Side::Server);
    let decoded = codec.decode(&packed, &mut plain).expect("unpacking works");
    assert_eq!(
        decoded,
        Decoded::Frame {
            consumed: packed.len(),
            produced: data.len()
        }
    );
    assert_eq!(&plain[..], data);
});
