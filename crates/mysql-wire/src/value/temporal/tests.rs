use bytes::BytesMut;
use proptest::prelude::*;

use super::*;

fn text(f: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    f(&mut out);
    String::from_utf8(out).unwrap()
}

fn packed(f: impl FnOnce(&mut Writer<'_>)) -> BytesMut {
    let mut out = BytesMut::new();
    f(&mut Writer::new(&mut out));
    out
}

#[test]
fn reads_the_packed_forms_of_mysqls_documentation() {
    let datetime = |bytes: &[u8]| {
        let value = DateTime::read_binary(&mut Reader::new(bytes)).unwrap();
        assert_eq!(&packed(|w| value.write_binary(w))[..], bytes);
        text(|out| value.write_text(out, 31))
    };
    assert_eq!(
        datetime(&[0x0b, 0xda, 0x07, 0x0a, 0x11, 0x13, 0x1b, 0x1e, 1, 0, 0, 0]),
        "2010-10-17 19:27:30.000001"
    );
    assert_eq!(datetime(&[4, 0xda, 7, 10, 17]), "2010-10-17 00:00:00");
    assert_eq!(datetime(&[7, 0xda, 7, 10, 17, 19, 27, 30]), "2010-10-17 19:27:30");
    assert_eq!(datetime(&[0]), "0000-00-00 00:00:00");
    assert_eq!(
        datetime(&[13, 0xda, 7, 10, 17, 19, 27, 30, 0, 0, 0, 0, 0xa6, 0xff]),
        "2010-10-17 19:27:30-01:30"
    );
    let time = |bytes: &[u8]| {
        let value = Time::read_binary(&mut Reader::new(bytes)).unwrap();
        assert_eq!(&packed(|w| value.write_binary(w))[..], bytes);
        text(|out| value.write_text(out, 31))
    };
    assert_eq!(
        time(&[12, 1, 0x78, 0, 0, 0, 19, 27, 30, 1, 0, 0, 0]),
        "-2899:27:30.000001"
    );
    assert_eq!(time(&[8, 1, 0x78, 0, 0, 0, 19, 27, 30]), "-2899:27:30");
    assert_eq!(time(&[0]), "00:00:00");
}

#[test]
fn fractions_have_the_columns_digits() {
    let time = Time {
        negative: true,
        hours: 1,
        minute: 2,
        second: 3,
        micros: 40_500,
    };
    for (decimals, want) in [
        (0, "-01:02:03"),
        (1, "-01:02:03.0"),
        (2, "-01:02:03.04"),
        (6, "-01:02:03.040500"),
        (31, "-01:02:03.040500"),
    ] {
        assert_eq!(text(|out| time.write_text(out, decimals)), want);
    }
    assert_eq!(Time::parse(b"-01:02:03.0405"), Some(time));
}

#[test]
fn wrong_lengths_and_texts_are_refused() {
    assert!(DateTime::read_binary(&mut Reader::new(&[5, 0, 0, 0, 0, 0])).is_err());
    assert!(DateTime::read_binary(&mut Reader::new(&[7, 0xda, 7])).is_err());
    assert!(DateTime::read_binary(&mut Reader::new(&[11, 0xda, 7, 1, 1, 0, 0, 0, 64, 66, 15, 0])).is_err());
    assert!(Time::read_binary(&mut Reader::new(&[8, 0, 255, 255, 255, 255, 0, 0, 0])).is_err());
    for wrong in [
        "2026-13-01",
        "2026-1-01",
        "2026-01-01 ",
        "26-01-01",
        "",
        "2026-01-01x",
    ] {
        assert_eq!(Date::parse(wrong.as_bytes()), None, "{wrong}");
    }
    for wrong in [
        "1:00:00",
        "01:60:00",
        "01:00",
        "01:00:00.",
        "01:00:00.1234567",
        "--01:00:00",
    ] {
        assert_eq!(Time::parse(wrong.as_bytes()), None, "{wrong}");
    }
}

#[test]
fn times_are_ordered_by_sign() {
    let texts = [
        "-838:59:59",
        "-01:00:00.5",
        "-01:00:00",
        "00:00:00",
        "00:00:01",
        "838:59:59",
    ];
    assert!(texts.map(|t| Time::parse(t.as_bytes()).unwrap()).is_sorted());
}

proptest! {
    #[test]
    fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
        let _ = (Date::parse(&bytes), DateTime::parse(&bytes), Time::parse(&bytes));
        for len in [0, 4, 7, 8, 11, 12, 13] {
            let framed = [&[len], &bytes[..]].concat();
            if let Ok(value) = DateTime::read_binary(&mut Reader::new(&framed)) {
                text(|out| value.write_text(out, 6));
            }
            if let Ok(value) = Time::read_binary(&mut Reader::new(&framed)) {
                text(|out| value.write_text(out, 6));
            }
        }
    }

    #[test]
    fn times_survive_both_forms(negative: bool, hours in 0_u32..900, minute in 0_u8..60, second in 0_u8..60, micros in 0_u32..1_000_000) {
        let time = Time { negative, hours, minute, second, micros }.normal();
        prop_assert_eq!(Time::parse(text(|out| time.write_text(out, 6)).as_bytes()), Some(time));
        prop_assert_eq!(Time::read_binary(&mut Reader::new(&packed(|w| time.write_binary(w)))), Ok(time));
    }
}
