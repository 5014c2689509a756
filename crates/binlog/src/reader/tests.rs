#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::compare::{CompareError, compare};
use crate::event::FLAGS_AT;
use crate::gtid::GtidSet;

const A: &str = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa";

/// An event with its checksum.
fn event(kind: u8, flags: u16, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 4];
    out.push(kind);
    out.extend([1, 0, 0, 0]);
    out.extend(((HEADER_LEN + body.len() + CHECKSUM_LEN) as u32).to_le_bytes());
    out.extend([0; 4]);
    out.extend([0; 2]);
    out.extend(body);
    let sum = crc32fast::hash(&out);
    out.extend(sum.to_le_bytes());
    out[FLAGS_AT] = flags as u8;
    out
}

fn format() -> Vec<u8> {
    let mut body = vec![4, 0];
    body.extend([0; 50 + 4 + 1 + 40]);
    body.push(1);
    event(15, 1, &body)
}

fn previous() -> Vec<u8> {
    event(35, 0, &[0; 8])
}

fn gtid(number: u64) -> Vec<u8> {
    let mut body = vec![0];
    body.extend([0xaa; 16]);
    body.extend(number.to_le_bytes());
    body.extend([2; 20]);
    event(33, 0, &body)
}

fn file(events: &[Vec<u8>]) -> Vec<u8> {
    [MAGIC.to_vec(), format(), previous()]
        .iter()
        .chain(events)
        .flatten()
        .copied()
        .collect()
}

fn known(numbers: &str) -> GtidSet {
    format!("{A}:{numbers}").parse().unwrap()
}

#[test]
fn finds_where_the_unknown_begins() {
    let group = |n| [gtid(n), event(2, 0, b"BEGIN"), event(16, 0, &[0; 8])];
    let before = file(&group(1));
    let bytes = file(&[group(1), group(2), group(3)].concat());
    let c = compare(Cursor::new(&bytes), &known("1:3")).unwrap();
    assert_eq!(c.cut, Some(before.len() as u64));
    assert_eq!((c.missing, c.transactions, c.behind_cut), (known("2"), 3, 2));
    assert!(c.in_use && c.awaited && c.broken.is_none() && c.previous.is_empty());
    let all = compare(Cursor::new(&bytes), &known("1-3")).unwrap();
    assert_eq!((all.cut, all.behind_cut), (None, 0));
}

#[test]
fn a_torn_end_is_told_apart() {
    let whole = file(&[gtid(1)]);
    let bytes = file(&[gtid(1), gtid(2)]);
    for cut in whole.len() + 1..bytes.len() {
        let c = compare(Cursor::new(&bytes[..cut]), &GtidSet::default()).unwrap();
        assert_eq!((c.broken, c.transactions), (Some(whole.len() as u64), 1));
    }
    let mut zeros = whole.clone();
    zeros.extend([0; 4096]);
    let c = compare(Cursor::new(&zeros), &GtidSet::default()).unwrap();
    assert_eq!(c.broken, Some(whole.len() as u64));
}

#[test]
fn a_wrong_checksum_is_no_transaction() {
    let mut bytes = file(&[gtid(1)]);
    *bytes.last_mut().unwrap() ^= 1;
    let c = compare(Cursor::new(&bytes), &GtidSet::default()).unwrap();
    assert_eq!((c.transactions, c.broken.is_some()), (0, true));
}

#[test]
fn files_that_cannot_be_compared() {
    let err = |bytes: &[u8]| compare(Cursor::new(bytes), &GtidSet::default()).unwrap_err();
    let read = |bytes: &[u8]| match err(bytes) {
        CompareError::Read(error) => error,
        other => unreachable!("{other}"),
    };
    assert!(matches!(read(b""), ReadError::NotABinlog));
    assert!(matches!(read(b"#!/bin/sh"), ReadError::NotABinlog));
    assert!(matches!(read(b"\xfdbin...."), ReadError::Encrypted));
    assert!(matches!(read(b"\xfebin...."), ReadError::Broken(4)));
    let no_previous = [MAGIC.to_vec(), format(), gtid(1)].concat();
    assert!(matches!(err(&no_previous), CompareError::NoPrevious));
    let anonymous = file(&[event(34, 0, &[0; 30])]);
    assert!(matches!(err(&anonymous), CompareError::Anonymous(_)));
}

/// The start of a 9.7.4 server's second file, and the event of its first transaction, which `SET gtid_next='AUTOMATIC:blue'` tagged.
const REAL_START: &str = "\
    fe62696e1b30026b0f010000007b0000007f00000001000400392e372e342d3200000000000000000000000000000000\
    0000000000000000000000000000000000000000000000000000000000000013000d0008000000000400040000006300\
    041a08000000000000020000000a0a0a2a2a001234000a280000018a5e1f971b30026b230100000075000000f4000000\
    800001020000000000016c05aa62e60711f1929e02fc0000000100010000000000000001000000000000000200000000\
    0000006c05aa62e60711f1929e02fc0000000108626c7565010000000000000001000000000000000300000000000000\
    1e1801c4";
const REAL_TAGGED: &str = "\
    1b30026b2a010000004f000000ed0000000000027000000202d80aa902c499030e22c5034902790204f1030000000204\
    040608626c756508000a040c7f22778c22d2600610c9021283120b795c56e7";

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .map(|b| (b as char).to_digit(16).unwrap() as u8)
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[test]
fn tagged_ids_of_a_real_server() {
    let bytes = [unhex(REAL_START), unhex(REAL_TAGGED)].concat();
    let c = compare(Cursor::new(&bytes), &GtidSet::default()).unwrap();
    let server = "6c05aa62-e607-11f1-929e-02fc00000001";
    assert_eq!(c.previous.to_string(), format!("{server}:1,{server}:blue:1-2"));
    assert_eq!(c.missing.to_string(), format!("{server}:blue:1"));
    assert!(c.in_use && c.broken.is_none());
}

fn events() -> impl Strategy<Value = Vec<u8>> {
    let one = prop_oneof![
        (1u64..9).prop_map(gtid),
        (any::<u8>(), prop::collection::vec(any::<u8>(), 0..60))
            .prop_map(|(kind, body)| event(kind, 0, &body)),
        prop::collection::vec(any::<u8>(), 0..60),
        // Serialised bodies of the kinds that are decoded, with small numbers, so that decoding gets far.
        (
            prop_oneof![Just(33u8), Just(35), Just(42)],
            prop::collection::vec(0u8..8, 0..120)
        )
            .prop_map(|(kind, body)| event(kind, 0, &body)),
    ];
    prop::collection::vec(one, 0..8).prop_map(|events| file(&events))
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in prop_oneof![events(), prop::collection::vec(any::<u8>(), 0..300)]) {
        if let Ok(reader) = Reader::new(Cursor::new(&bytes)) {
            let found: Vec<_> = reader.collect();
            let places: Vec<u64> = found.iter().flatten().map(|located| located.at).collect();
            prop_assert!(places.is_sorted_by(|a, b| a < b));
            prop_assert!(found.iter().rev().skip(1).all(Result::is_ok), "nothing comes after an error");
            for located in found.into_iter().flatten() {
                if let Event::Begin(gtid) = located.event {
                    let text = format!("{}:{}", gtid.source, gtid.number);
                    prop_assert!(text.parse::<GtidSet>().is_ok(), "{}", text);
                }
            }
        }
        let _ = compare(Cursor::new(&bytes), &known("1-4"));
    }
}
