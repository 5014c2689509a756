use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::packet::{Reader, Writer};

const UNSIGNED: ColumnFlags = ColumnFlags::UNSIGNED;

fn column(ty: ColumnType, flags: ColumnFlags) -> ColumnFormat {
    ColumnFormat {
        flags,
        ..ColumnFormat::of_type(ty)
    }
}

/// Text cell, packed bytes.
fn both(column: ColumnFormat, cell: &str, packed: &[u8]) {
    let mut out = BytesMut::new();
    convert::text_to_binary(&column, cell.as_bytes(), &mut Writer::new(&mut out)).unwrap();
    assert_eq!(&out[..], packed, "{cell} to binary");
    let (mut reader, mut out) = (Reader::new(packed), BytesMut::new());
    convert::binary_to_text(&column, &mut reader, &mut Writer::new(&mut out)).unwrap();
    assert_eq!(&out[1..], cell.as_bytes(), "{packed:?} to text");
    assert!(reader.is_empty());
}

#[test]
fn cells_in_both_protocols() {
    let none = ColumnFlags::empty();
    both(column(ColumnType::Tiny, none), "-1", &[0xff]);
    both(column(ColumnType::Tiny, UNSIGNED), "255", &[0xff]);
    both(column(ColumnType::Short, none), "-32768", &[0, 0x80]);
    both(column(ColumnType::Int24, none), "-8388608", &[0, 0, 0x80, 0xff]);
    both(
        column(ColumnType::Int24, UNSIGNED),
        "16777215",
        &[0xff, 0xff, 0xff, 0],
    );
    both(column(ColumnType::Long, none), "-2147483648", &[0, 0, 0, 0x80]);
    both(
        column(ColumnType::LongLong, UNSIGNED),
        "18446744073709551615",
        &[0xff; 8],
    );
    both(
        column(ColumnType::LongLong, none),
        "-9223372036854775808",
        &[0, 0, 0, 0, 0, 0, 0, 0x80],
    );
    both(column(ColumnType::Year, UNSIGNED), "2026", &[0xea, 7]);
    both(column(ColumnType::Float, none), "1.5", &[0, 0, 0xc0, 0x3f]);
    both(
        column(ColumnType::Double, none),
        "-0.1",
        &[0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0xbf],
    );
    both(column(ColumnType::NewDecimal, none), "-12.50", b"\x06-12.50");
    both(
        column(ColumnType::Date, none),
        "2026-11-21",
        &[4, 0xea, 7, 11, 21],
    );
    both(column(ColumnType::Date, none), "0000-00-00", &[0]);
    both(
        column(ColumnType::Time, none),
        "-838:59:59",
        &[8, 1, 34, 0, 0, 0, 22, 59, 59],
    );
    both(column(ColumnType::Json, none), "{\"a\": 1}", b"\x08{\"a\": 1}");
    both(column(ColumnType::Bit, UNSIGNED), "\u{1}a", b"\x02\x01a");
}

#[test]
fn definitions_decide_about_digits() {
    let zerofill = ColumnFormat {
        flags: UNSIGNED | ColumnFlags::ZEROFILL,
        length: 5,
        ..ColumnFormat::of_type(ColumnType::Long)
    };
    both(zerofill, "00042", &[42, 0, 0, 0]);
    // YEAR columns are ZEROFILL, expressions on them are not.
    both(
        ColumnFormat {
            ty: ColumnType::Year,
            length: 4,
            ..zerofill
        },
        "0000",
        &[0, 0],
    );
    both(column(ColumnType::Year, UNSIGNED), "0", &[0, 0]);
    let fixed = ColumnFormat {
        decimals: 3,
        ..ColumnFormat::of_type(ColumnType::Double)
    };
    both(fixed, "2.500", &2.5_f64.to_le_bytes());
    let time = ColumnFormat {
        decimals: 3,
        ..ColumnFormat::of_type(ColumnType::Time)
    };
    both(
        time,
        "00:00:00.010",
        &[12, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x27, 0, 0],
    );
    let timestamp = ColumnFormat {
        decimals: 0,
        ..ColumnFormat::of_type(ColumnType::Timestamp)
    };
    both(timestamp, "2026-11-21 00:00:00", &[4, 0xea, 7, 11, 21]);
}

#[test]
fn values_that_do_not_fit_are_refused() {
    let encode = |ty, value: ValueRef<'_>| {
        let (column, mut out) = (column(ty, ColumnFlags::empty()), BytesMut::new());
        let text = text::encode(&column, &value, &mut Writer::new(&mut out)).unwrap_err();
        assert_eq!(
            binary::encode(&column, &value, &mut Writer::new(&mut out)),
            Err(text.clone())
        );
        text.to_string()
    };
    assert_eq!(
        encode(ColumnType::Tiny, ValueRef::Int(128)),
        "128 is out of range of a Tiny column"
    );
    assert_eq!(
        encode(ColumnType::LongLong, ValueRef::UInt(u64::MAX)),
        "18446744073709551615 is out of range of a LongLong column"
    );
    assert_eq!(
        encode(ColumnType::Int24, ValueRef::Int(1 << 23)),
        "8388608 is out of range of a Int24 column"
    );
    assert_eq!(
        encode(ColumnType::Date, ValueRef::Int(1)),
        "a Date column can't hold a value of kind integer"
    );
    assert_eq!(
        encode(ColumnType::Bool, ValueRef::Int(1)),
        "columns of type Bool have no values in the protocol"
    );
}

#[test]
fn texts_that_mysql_never_prints_are_refused() {
    for (ty, cells) in [
        (
            ColumnType::Long,
            &["", "+1", "1 ", "0x1", "9223372036854775808"][..],
        ),
        (ColumnType::Double, &["inf", "NaN", "", "+1", "1e", "."]),
        (ColumnType::NewDecimal, &["", ".", "-", "1.2.3", "1e5", "--1"]),
        (ColumnType::DateTime, &["2026-11-21", "2026-11-21T00:00:00", ""]),
    ] {
        for cell in cells {
            let got = text::decode(&ColumnFormat::of_type(ty), Some(cell.as_bytes()));
            assert!(
                matches!(got, Err(ValueError::Text { .. })),
                "{ty:?} {cell:?}: {got:?}"
            );
        }
    }
}

#[test]
fn rows_of_both_protocols() {
    let columns = [
        column(ColumnType::Long, UNSIGNED),
        column(ColumnType::VarString, ColumnFlags::empty()),
        column(ColumnType::Double, ColumnFlags::empty()),
    ];
    let text_row = b"\x0210\xfb\x041.25";
    let binary_row = [&[0, 0b1000, 10, 0, 0, 0][..], &1.25_f64.to_le_bytes()].concat();
    let mut out = BytesMut::new();
    convert::text_row_to_binary(&columns, text_row, &mut Writer::new(&mut out)).unwrap();
    assert_eq!(&out[..], binary_row);
    out.clear();
    convert::binary_row_to_text(&columns, &binary_row, &mut Writer::new(&mut out)).unwrap();
    assert_eq!(&out[..], text_row);

    let count = text::encode_row(&columns, [ValueRef::Null].into_iter(), &mut Writer::new(&mut out));
    assert_eq!(count, Err(ValueError::Count { columns: 3, cells: 1 }));
    assert!(text::decode_row(&columns, b"\x0210\xfb").is_err());
    assert!(text::decode_row(&columns, b"\x0210\xfb\xfb\xfb").is_err());
    assert!(binary::decode_row(&columns, &binary_row[..13]).is_err());
    assert!(binary::decode_row(&columns, &[&[1], &binary_row[1..]].concat()).is_err());
}

fn any_column() -> impl Strategy<Value = ColumnFormat> {
    (any::<u8>(), any::<u16>(), any::<u8>(), any::<u32>()).prop_filter_map(
        "type",
        |(ty, flags, decimals, length)| {
            let ty = ColumnType::from_byte(ty)?;
            Some(ColumnFormat {
                ty,
                flags: ColumnFlags::from_bits(flags),
                decimals,
                length,
            })
        },
    )
}

proptest! {
    #[test]
    fn no_row_panics(columns in prop::collection::vec(any_column(), 0..12), payload in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut out = BytesMut::new();
        let _ = convert::text_row_to_binary(&columns, &payload, &mut Writer::new(&mut out));
        let _ = convert::binary_row_to_text(&columns, &payload, &mut Writer::new(&mut out));
        let row = [&[0], &payload[..]].concat();
        if let Ok(values) = binary::decode_row(&columns, &row) {
            for (column, value) in columns.iter().zip(&values) {
                let _ = convert::value_to_text(column, value);
                prop_assert_eq!(format!("{:?}", value.to_value().as_ref()), format!("{value:?}"));
            }
        }
    }

    #[test]
    fn doubles_survive_their_text(bits: u64) {
        let x = f64::from_bits(bits);
        prop_assume!(x.is_finite());
        let column = ColumnFormat::of_type(ColumnType::Double);
        let text = convert::value_to_text(&column, &ValueRef::Double(x)).unwrap().unwrap();
        prop_assert_eq!(text::decode(&column, Some(&text)).unwrap(), ValueRef::Double(x));
    }
}
