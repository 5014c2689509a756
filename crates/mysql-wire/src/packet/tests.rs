use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::error::DecodeError;

#[test]
fn integers_are_little_endian() {
    let bytes = [1, 2, 0, 3, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0x80];
    let mut r = Reader::new(&bytes);
    assert_eq!(r.int1(), Ok(1));
    assert_eq!(r.int2(), Ok(2));
    assert_eq!(r.int3(), Ok(3));
    assert_eq!(r.int4(), Ok(4));
    assert_eq!(r.int8(), Ok(0x8000_0000_0000_0005));
    assert_eq!(
        r.int1(),
        Err(DecodeError::Truncated {
            at: 18,
            needed: 1,
            left: 0
        })
    );
    assert_eq!(r.finish(), Ok(()));
}

#[test]
fn a_failed_read_keeps_the_position() {
    let mut r = Reader::new(&[0xfc, 1]);
    assert!(r.lenenc_int().is_err());
    assert_eq!(r.position(), 0);
    let mut r = Reader::new(&[3, b'a', b'b']);
    assert!(r.lenenc_bytes().is_err());
    assert_eq!(r.position(), 0);
    let mut r = Reader::new(b"abc");
    assert_eq!(r.nul_bytes(), Err(DecodeError::NoTerminator { at: 0 }));
    assert_eq!(r.rest(), b"abc");
}

#[test]
fn null_and_err_bytes_start_no_length() {
    assert_eq!(
        Reader::new(&[0xfb]).lenenc_int(),
        Err(DecodeError::BadLength { at: 0, first: 0xfb })
    );
    assert_eq!(
        Reader::new(&[0xff]).lenenc_int(),
        Err(DecodeError::BadLength { at: 0, first: 0xff })
    );
    assert_eq!(Reader::new(&[0xfb]).lenenc_bytes_or_null(), Ok(None));
    let mut huge = [0xff; 9];
    huge[0] = 0xfe;
    assert!(Reader::new(&huge).lenenc_bytes().is_err());
}

#[test]
fn lenenc_integers_take_their_shortest_form() {
    for (value, len) in [
        (0, 1),
        (0xfa, 1),
        (0xfb, 3),
        (0xffff, 3),
        (0x1_0000, 4),
        (0xff_ffff, 4),
        (0x100_0000, 9),
    ] {
        let mut out = BytesMut::new();
        Writer::new(&mut out).lenenc_int(value);
        assert_eq!(out.len(), len, "{value:#x}");
        assert_eq!(Reader::new(&out).lenenc_int(), Ok(value));
    }
}

#[test]
fn a_small_packet_has_one_header() {
    let mut out = BytesMut::new();
    let mut seq = 255;
    write_packet(&mut out, &mut seq, |w| w.bytes(b"hi"));
    assert_eq!(&out[..], [2, 0, 0, 255, b'h', b'i']);
    assert_eq!(seq, 0);
    assert_eq!(
        Frame::decode(&out),
        Some(Frame {
            seq: 255,
            payload: b"hi"
        })
    );
    assert_eq!(Frame::decode(&out[..5]), None);
    assert_eq!(Frame::decode(&out[..3]), None);
}

#[test]
fn a_payload_of_the_maximum_is_followed_by_an_empty_packet() {
    for (extra, last) in [(0, 0), (7, 7)] {
        let payload = vec![7u8; MAX_PAYLOAD + extra];
        let mut out = BytesMut::new();
        let mut seq = 3;
        write_packet(&mut out, &mut seq, |w| w.bytes(&payload));
        assert_eq!(seq, 5);
        let first = Frame::decode(&out).unwrap();
        assert!(first.is_continued());
        let second = Frame::decode(&out[first.wire_len()..]).unwrap();
        assert_eq!((second.seq, second.payload.len()), (4, last));
        assert_eq!(out.len(), first.wire_len() + second.wire_len());
    }
}

proptest! {
    #[test]
    fn lenenc_values_round_trip(value: u64, bytes: Vec<u8>) {
        let mut out = BytesMut::new();
        let mut w = Writer::new(&mut out);
        w.lenenc_int(value);
        w.lenenc_bytes_or_null(Some(&bytes));
        w.lenenc_bytes_or_null(None);
        let mut r = Reader::new(&out);
        prop_assert_eq!(r.lenenc_int(), Ok(value));
        prop_assert_eq!(r.lenenc_bytes_or_null(), Ok(Some(bytes.as_slice())));
        prop_assert_eq!(r.lenenc_bytes_or_null(), Ok(None));
        prop_assert_eq!(r.finish(), Ok(()));
    }
}
