use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::client::reader::end_of_rows;
use crate::column::ColumnType;
use crate::packet::MAX_PAYLOAD;
use crate::packet::Writer;

const NEW: Capabilities = Capabilities::DEPRECATE_EOF;
const OLD: Capabilities = Capabilities::PROTOCOL_41;

fn column(name: &str, ty: ColumnType) -> BytesMut {
    let mut out = BytesMut::new();
    let definition = ColumnDefinition {
        name: name.as_bytes(),
        column_type: ty.byte(),
        ..ColumnDefinition::default()
    };
    definition.encode(&mut Writer::new(&mut out));
    out
}

fn feed<C: Cell + std::fmt::Debug>(
    capabilities: Capabilities,
    packets: &[&[u8]],
) -> Result<ResultSet<C>, Error> {
    let mut assembler = Assembler::new(capabilities, 1000);
    let (last, before) = packets.split_last().unwrap();
    for packet in before {
        assert!(matches!(assembler.feed(packet)?, Progress::More));
    }
    match assembler.feed(last)? {
        Progress::Done(result) => Ok(result),
        other => panic!("{other:?}"),
    }
}

#[test]
fn results_with_and_without_eof_packets() {
    let (a, b) = (column("a", ColumnType::Long), column("B", ColumnType::VarString));
    let rows: [&[u8]; 2] = [b"\x011\x01x", b"\x012\xfb"];
    let eof = b"\xfe\x02\0\x0a\0";
    let old: QueryResult = feed(OLD, &[b"\x02", &a, &b, eof, rows[0], rows[1], eof]).unwrap();
    let ok = b"\xfe\0\0\x0a\0\x02\0";
    let new: QueryResult = feed(NEW, &[b"\x02", &a, &b, rows[0], rows[1], ok]).unwrap();
    assert_eq!(old, new);
    assert_eq!(new.ok.warnings, 2);
    assert!(new.ok.status.contains(StatusFlags::MORE_RESULTS_EXISTS));
    assert_eq!(new.text(0, "b"), Some("x"));
    assert_eq!(
        (new.text(1, "b"), new.text(0, "c"), new.text(2, "a")),
        (None, None, None)
    );
    assert_eq!(new.cell(1, 0), Some(&Some(b"2".to_vec())));
}

#[test]
fn binary_rows_become_values() {
    let result: ExecuteResult = feed(
        NEW,
        &[
            b"\x01",
            &column("n", ColumnType::Short),
            b"\0\0\xff\xff",
            b"\0\x04",
            b"\xfe\0\0\x02\0\0\0",
        ],
    )
    .unwrap();
    assert_eq!(result.rows, [[Value::Int(-1)], [Value::Null]]);
}

#[test]
fn errors_end_a_result_anywhere() {
    let error = b"\xff\x26\x04#42000no";
    let code = |packets: &[&[u8]]| match feed::<Value>(NEW, packets) {
        Err(Error::Sql(error)) => error.code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(&[error]), 1062);
    assert_eq!(code(&[b"\x01", &column("n", ColumnType::Short), error]), 1062);
    let mut assembler = Assembler::<Value>::new(NEW, 100);
    assert_eq!(assembler.feed(b"\xfb/etc/passwd").unwrap(), Progress::LocalInfile);
}

#[test]
fn results_are_limited() {
    let (a, row) = (
        column("a", ColumnType::VarString),
        [&[200][..], &[b'x'; 200]].concat(),
    );
    let got = feed::<Option<Vec<u8>>>(NEW, &[b"\x01", &a, &row, &row, &row, &row, &row]);
    assert!(matches!(got, Err(Error::TooLarge { limit: 1000 })), "{got:?}");
}

#[test]
fn a_row_of_16_megabytes_is_no_end() {
    let mut row = vec![0xfe];
    row.extend((MAX_PAYLOAD as u64 + 1).to_le_bytes());
    row.resize(9 + MAX_PAYLOAD + 1, 0);
    assert_eq!(end_of_rows(&row, NEW).unwrap(), None);
    assert_eq!(end_of_rows(&row, OLD).unwrap(), None);
}

proptest! {
    #[test]
    fn no_answer_panics(packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..6), new: bool) {
        let mut assembler = Assembler::<Value>::new(if new { NEW } else { OLD }, 500);
        let _ = packets.iter().try_for_each(|packet| assembler.feed(packet).map(drop));
        let mut assembler = Assembler::<Option<Vec<u8>>>::new(NEW, 500);
        let _ = assembler.feed(b"\x01");
        let _ = packets.iter().try_for_each(|packet| assembler.feed(packet).map(drop));
    }
}
