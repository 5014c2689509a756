use bytes::BytesMut;
use proptest::prelude::*;

use super::*;

const ALGORITHMS: [Algorithm; 3] = [
    Algorithm::Zlib,
    Algorithm::Zstd { level: 3 },
    Algorithm::Zstd { level: 19 },
];

fn encoded(algorithm: Algorithm, plain: &[u8]) -> BytesMut {
    let mut out = BytesMut::new();
    Codec::new(algorithm, Side::Client)
        .encode(plain, &mut out)
        .unwrap();
    out
}

fn decode_all(codec: &mut Codec, mut input: &[u8]) -> Result<BytesMut, CompressError> {
    let mut out = BytesMut::new();
    while !input.is_empty() {
        match codec.decode(input, &mut out)? {
            Decoded::Frame { consumed, .. } => input = &input[consumed..],
            Decoded::NeedMore(n) => panic!("{n} bytes missing"),
        }
    }
    Ok(out)
}

#[test]
fn short_content_is_a_plain_frame() {
    // COM_QUERY `select 1` in its packet, as MySQL's documentation frames it.
    let packet = b"\x09\x00\x00\x00\x03select 1";
    let wire = encoded(Algorithm::Zlib, packet);
    assert_eq!(&wire[..7], b"\x0d\x00\x00\x00\x00\x00\x00");
    assert_eq!(&wire[7..], packet);
}

#[test]
fn reads_the_zlib_frame_of_mysqls_documentation() {
    let frame = b"\x22\x00\x00\x00\x32\x00\x00\x78\x9c\xd3\x63\x60\x60\x60\x2e\x4e\xcd\x49\x4d\x2e\x51\x50\x32\x30\x34\x32\x36\x31\x35\x33\xb7\xb0\xc4\xcd\x52\x02\x00\x0c\xd1\x0a\x6c";
    let mut out = BytesMut::new();
    let got = Codec::new(Algorithm::Zlib, Side::Server).decode(frame, &mut out);
    assert_eq!(
        got,
        Ok(Decoded::Frame {
            consumed: 41,
            produced: 50
        })
    );
    assert_eq!(&out[..19], b"\x2e\x00\x00\x00\x03select \"012345");
}

#[test]
fn sequence_ids_count_frames_and_restart_with_commands() {
    let mut client = Codec::new(Algorithm::Zlib, Side::Client);
    let mut server = Codec::new(Algorithm::Zlib, Side::Server);
    for _ in 0..2 {
        client.reset_sequence();
        let (mut wire, mut answer) = (BytesMut::new(), BytesMut::new());
        client.encode(b"first", &mut wire).unwrap();
        client.encode(b"second", &mut wire).unwrap();
        assert_eq!((wire[3], wire[7 + 5 + 3]), (0, 1));
        assert_eq!(&decode_all(&mut server, &wire).unwrap()[..], b"firstsecond");
        server.encode(b"answer", &mut answer).unwrap();
        assert_eq!(answer[3], 2);
        assert_eq!(&decode_all(&mut client, &answer).unwrap()[..], b"answer");
    }
    let mut late = BytesMut::new();
    Codec {
        sequence: 9,
        ..client
    }
    .encode(b"late", &mut late)
    .unwrap();
    let got = server.decode(&late, &mut BytesMut::new());
    assert_eq!(got, Err(CompressError::Sequence { expected: 3, got: 9 }));
}

#[test]
fn answers_of_pipelined_commands_each_start_at_one() {
    let mut client = Codec::new(Algorithm::Zlib, Side::Client);
    let answers = b"\x01\0\0\x01\0\0\0a\x01\0\0\x02\0\0\0b\x01\0\0\x01\0\0\0c";
    assert_eq!(&decode_all(&mut client, answers).unwrap()[..], b"abc");
}

#[test]
fn large_content_is_split_and_restored() {
    let mut plain: Vec<u8> = (0..40_000_000_u32).map(|i| (i / 1000).to_le_bytes()[0]).collect();
    plain.extend_from_slice(b"tail");
    for algorithm in [Algorithm::Zlib, Algorithm::Zstd { level: 1 }] {
        let wire = encoded(algorithm, &plain);
        assert!(wire.len() < plain.len() / 20, "{algorithm:?}: {}", wire.len());
        let mut server = Codec::new(algorithm, Side::Server);
        assert!(decode_all(&mut server, &wire).unwrap() == plain);
    }
}

#[test]
fn what_does_not_shrink_is_sent_plain_and_leaves_no_trace() {
    let mut x = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        x.to_le_bytes()[1]
    })
    .take(5000)
    .collect();
    for algorithm in ALGORITHMS {
        let wire = encoded(algorithm, &noise);
        assert_eq!(wire[4..7], [0; 3]);
        assert_eq!(wire[7..], noise);
        // Another level for the same thread's state.
        for algorithm in ALGORITHMS {
            let wire = encoded(algorithm, &[1; 5000]);
            let got = decode_all(&mut Codec::new(algorithm, Side::Server), &wire).unwrap();
            assert_eq!(got[..], [1; 5000]);
        }
    }
}

#[test]
fn the_plain_length_is_a_limit_and_must_be_exact() {
    for algorithm in ALGORITHMS {
        let wire = encoded(algorithm, &[7; 5000]);
        let mut small = Codec::new(algorithm, Side::Server).with_max_plain(4999);
        let too_large = CompressError::TooLarge {
            plain: 5000,
            limit: 4999,
        };
        assert_eq!(small.decode(&wire, &mut BytesMut::new()), Err(too_large));
        for wrong in [4999_usize, 5001] {
            let mut lying = wire.clone();
            lying[4..7].copy_from_slice(&three_bytes(wrong));
            let mut out = BytesMut::from(&b"kept"[..]);
            let got = Codec::new(algorithm, Side::Server).decode(&lying, &mut out);
            assert!(
                matches!(got, Err(CompressError::Damaged { .. })),
                "{algorithm:?} {wrong}: {got:?}"
            );
            assert_eq!(&out[..], b"kept");
        }
    }
}

proptest! {
    #[test]
    fn round_trip(parts in prop::collection::vec(prop::collection::vec(0_u8..4, 0..3000), 1..6), algorithm in prop::sample::select(ALGORITHMS.to_vec())) {
        let mut client = Codec::new(algorithm, Side::Client);
        let mut server = Codec::new(algorithm, Side::Server);
        let mut wire = BytesMut::new();
        for part in &parts {
            client.encode(part, &mut wire).unwrap();
        }
        let mut plain = BytesMut::new();
        let mut have = 0;
        // The wire arrives in the smallest pieces that the decoder asks for.
        let mut input = &wire[..];
        while !input.is_empty() {
            match server.decode(&input[..have], &mut plain).unwrap() {
                Decoded::NeedMore(n) => have += n,
                Decoded::Frame { consumed, .. } => { prop_assert_eq!(consumed, have); input = &input[consumed..]; have = 0; }
            }
        }
        prop_assert_eq!(&plain[..], &parts.concat()[..]);
    }

    #[test]
    fn no_input_panics(input in prop::collection::vec(any::<u8>(), 0..200), flip in any::<(prop::sample::Index, u8)>()) {
        for algorithm in ALGORITHMS {
            let _ = Codec::new(algorithm, Side::Server).decode(&input, &mut BytesMut::new());
            let mut wire = encoded(algorithm, &[b'x'; 300]);
            let at = flip.0.index(wire.len());
            wire[at] ^= flip.1;
            let mut out = BytesMut::new();
            if let Ok(Decoded::Frame { produced, .. }) = Codec::new(algorithm, Side::Server).decode(&wire, &mut out) {
                prop_assert_eq!(produced, out.len());
            }
        }
    }
}
