use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::{
    Writer,
    message::{ColumnDefinition, LocalInfile, OkHeader, encode_column_count, encode_text_row},
    packet::write_packet,
};

/// A server's answer, and what a relay must make of it.
#[derive(Default)]
struct Answer {
    wire: BytesMut,
    seq: u8,
    /// Packets in order: `None` for those that pass, the event for the others.
    packets: Vec<(usize, Option<Event>)>,
    rows: u64,
}

impl Answer {
    fn new() -> Self {
        Self {
            seq: 1,
            ..Self::default()
        }
    }

    fn packet(&mut self, event: Option<Event>, payload: impl FnOnce(&mut Writer<'_>)) {
        let start = self.wire.len();
        write_packet(&mut self.wire, &mut self.seq, payload);
        self.packets.push((self.wire.len() - start, event));
    }

    fn end(
        &mut self,
        event: impl Into<Option<Event>>,
        header: OkHeader,
        caps: Capabilities,
        status: StatusFlags,
    ) {
        let event = event.into();
        if event == Some(Event::Ok) || caps.contains(Capabilities::DEPRECATE_EOF) {
            let ok = OkPacket {
                status,
                info: b"some info",
                ..OkPacket::default()
            };
            self.packet(event, |w| ok.encode(header, caps, w));
        } else {
            self.packet(event, |w| EofPacket { warnings: 0, status }.encode(w));
        }
    }

    fn definitions(&mut self, count: usize) {
        for _ in 0..count {
            self.packet(None, |w| {
                ColumnDefinition {
                    name: b"column",
                    ..Default::default()
                }
                .encode(w)
            });
        }
    }

    fn result_set(
        &mut self,
        caps: Capabilities,
        columns: usize,
        rows: &[Option<Vec<u8>>],
        status: StatusFlags,
    ) {
        self.packet(None, |w| encode_column_count(columns as u64, w));
        self.definitions(columns);
        if !caps.contains(Capabilities::DEPRECATE_EOF) {
            self.end(None, OkHeader::Eof, caps, status);
        }
        for row in rows {
            self.packet(None, |w| {
                encode_text_row(w, std::iter::repeat_n(row.as_deref(), columns))
            });
            self.rows += 1;
        }
        self.end(Event::RowsEnd, OkHeader::Eof, caps, status);
    }
}

/// Feeds `wire` in pieces of the given lengths and returns the forwarded bytes and the events with their packets.
fn relay(
    mut relay: Relay,
    wire: &[u8],
    mut pieces: impl FnMut() -> usize,
) -> (Relay, Vec<u8>, Vec<(Event, Vec<u8>)>) {
    let (mut received, mut arrived) = (Vec::new(), 0);
    let (mut forwarded, mut events) = (Vec::new(), Vec::new());
    loop {
        let scan = relay.scan(&received).unwrap();
        forwarded.extend(received.drain(..scan.forward));
        if let Some(event) = scan.event {
            events.push((event, received.drain(..scan.packet_len).collect()));
        } else if arrived == wire.len() {
            assert!(received.is_empty(), "{} bytes left over", received.len());
            return (relay, forwarded, events);
        } else {
            let next = (arrived + pieces().max(1)).min(wire.len());
            received.extend_from_slice(&wire[arrived..next]);
            arrived = next;
        }
    }
}

fn check(answer: &Answer, expect: Expect, caps: Capabilities, pieces: impl FnMut() -> usize) {
    let (mut pos, mut pass, mut look) = (0, Vec::new(), Vec::new());
    for &(len, event) in &answer.packets {
        let packet = &answer.wire[pos..pos + len];
        pos += len;
        match event {
            Some(event) => look.push((event, packet.to_vec())),
            None => pass.extend_from_slice(packet),
        }
    }
    let (relay, forwarded, events) = relay(Relay::new(expect, caps), &answer.wire, pieces);
    assert!(relay.is_done());
    assert_eq!(relay.rows(), answer.rows);
    assert_eq!(relay.next_seq(), answer.seq);
    assert_eq!(relay.bytes(), pass.len() as u64);
    assert!(forwarded == pass, "forwarded bytes differ");
    assert!(
        events == look,
        "events differ: {:?}",
        events.iter().map(|e| e.0).collect::<Vec<_>>()
    );
}

const BOTH: [Capabilities; 2] = [Capabilities::empty(), Capabilities::DEPRECATE_EOF];

#[test]
fn a_small_result_in_one_chunk_is_one_scan() {
    for caps in BOTH {
        let mut answer = Answer::new();
        answer.result_set(caps, 2, &[Some(b"a".to_vec()), None], StatusFlags::AUTOCOMMIT);
        check(&answer, Expect::Result, caps, || usize::MAX / 2);
        check(&answer, Expect::Result, caps, || 1);
    }
    let mut answer = Answer::new();
    answer.result_set(BOTH[1], 1, &[None], StatusFlags::AUTOCOMMIT);
    let scan = Relay::new(Expect::Result, BOTH[1]).scan(&answer.wire).unwrap();
    assert_eq!(scan.event, Some(Event::RowsEnd));
    assert_eq!(scan.forward + scan.packet_len, answer.wire.len());
}

#[test]
fn several_results_end_with_the_last() {
    for caps in BOTH {
        let mut answer = Answer::new();
        answer.end(Event::Ok, OkHeader::Ok, caps, StatusFlags::MORE_RESULTS_EXISTS);
        answer.result_set(caps, 3, &[None], StatusFlags::MORE_RESULTS_EXISTS);
        answer.end(Event::Ok, OkHeader::Ok, caps, StatusFlags::AUTOCOMMIT);
        check(&answer, Expect::Result, caps, || 7);
    }
}

#[test]
fn errors_end_an_answer_anywhere() {
    let err = ErrPacket {
        code: 1317,
        state: None,
        message: b"Query execution was interrupted",
    };
    for caps in BOTH {
        for rows in [None, Some(2)] {
            let mut answer = Answer::new();
            if let Some(rows) = rows {
                answer.packet(None, |w| encode_column_count(1, w));
                answer.definitions(1);
                if caps == BOTH[0] {
                    answer.end(None, OkHeader::Eof, caps, StatusFlags::AUTOCOMMIT);
                }
                for _ in 0..rows {
                    answer.packet(None, |w| encode_text_row(w, [None]));
                }
                answer.rows = rows;
            }
            answer.packet(Some(Event::Err), |w| err.encode(Capabilities::PROTOCOL_41, w));
            check(&answer, Expect::Result, caps, || 3);
        }
    }
}

#[test]
fn a_cursor_has_no_rows_after_its_definitions() {
    let status = StatusFlags::CURSOR_EXISTS;
    for caps in BOTH {
        let mut answer = Answer::new();
        answer.packet(None, |w| encode_column_count(1, w));
        answer.definitions(1);
        answer.end(Event::RowsEnd, OkHeader::Eof, caps, status);
        check(&answer, Expect::Result, caps, || 5);
        let mut fetched = Answer::new();
        fetched.packet(None, |w| w.bytes(&[0, 0, 1]));
        fetched.rows = 1;
        fetched.end(Event::RowsEnd, OkHeader::Eof, caps, StatusFlags::LAST_ROW_SENT);
        check(&fetched, Expect::Rows, caps, || 5);
    }
}

#[test]
fn prepared_statements_have_two_groups_of_definitions() {
    for caps in BOTH {
        for (params, columns) in [(0, 0), (2, 0), (0, 3), (2, 3)] {
            let mut answer = Answer::new();
            let ok = PrepareOk {
                statement_id: 1,
                columns,
                params,
                warnings: 0,
            };
            answer.packet(Some(Event::PrepareOk), |w| ok.encode(w));
            for count in [params, columns] {
                answer.definitions(usize::from(count));
                if count > 0 && caps == BOTH[0] {
                    answer.end(None, OkHeader::Eof, caps, StatusFlags::AUTOCOMMIT);
                }
            }
            check(&answer, Expect::Prepare, caps, || 11);
        }
    }
}

#[test]
fn a_file_request_goes_on_with_another_first_packet() {
    let mut answer = Answer::new();
    answer.packet(Some(Event::LocalInfile), |w| {
        LocalInfile { file_name: b"/tmp/x" }.encode(w)
    });
    answer.end(Event::Ok, OkHeader::Ok, BOTH[1], StatusFlags::AUTOCOMMIT);
    check(&answer, Expect::Result, BOTH[1], || 2);
}

#[test]
fn continuations_that_start_like_an_end_are_rows() {
    for caps in BOTH {
        let mut answer = Answer::new();
        answer.packet(None, |w| encode_column_count(1, w));
        answer.definitions(1);
        if caps == BOTH[0] {
            answer.end(None, OkHeader::Eof, caps, StatusFlags::AUTOCOMMIT);
        }
        for tail in [&[0xfe, 0, 0, 2, 0][..], &[0xff, 1, 2], &[]] {
            answer.packet(None, |w| {
                w.bytes(&vec![0xfe; MAX_PAYLOAD]);
                w.bytes(tail);
            });
            answer.rows += 1;
        }
        answer.end(Event::RowsEnd, OkHeader::Eof, caps, StatusFlags::AUTOCOMMIT);
        check(&answer, Expect::Result, caps, || 1 << 20);
        check(&answer, Expect::Result, caps, || 999_983);
    }
}

#[test]
fn renumbering_touches_each_header_once() {
    let mut answer = Answer::new();
    answer.result_set(BOTH[0], 2, &[None, None], StatusFlags::AUTOCOMMIT);
    let mut relay = Relay::new(Expect::Result, BOTH[0]);
    let (mut received, mut out) = (Vec::new(), Vec::new());
    for &byte in &answer.wire {
        received.push(byte);
        let scan = relay.scan_and_renumber(&mut received, 250).unwrap();
        out.extend(received.drain(..scan.forward + scan.packet_len));
    }
    let (mut pos, mut seqs) = (0, Vec::new());
    while let Some(header) = Header::decode(&out[pos..]) {
        seqs.push(header.seq);
        out[pos + 3] = out[pos + 3].wrapping_sub(250);
        pos += HEADER_LEN + header.len;
    }
    assert_eq!(seqs, [251, 252, 253, 254, 255, 0, 1]);
    assert_eq!(out, answer.wire);
}

fn row() -> impl Strategy<Value = Option<Vec<u8>>> {
    proptest::option::of(proptest::collection::vec(any::<u8>(), 0..400))
}

proptest! {
    #[test]
    fn any_split_gives_the_same(
        sets in proptest::collection::vec((1..6usize, proptest::collection::vec(row(), 0..8)), 1..4),
        pieces in proptest::collection::vec(1..600usize, 1..20), classic: bool,
    ) {
        let caps = BOTH[usize::from(!classic)];
        let mut answer = Answer::new();
        for (index, (columns, rows)) in sets.iter().enumerate() {
            let more = StatusFlags::AUTOCOMMIT.with(StatusFlags::MORE_RESULTS_EXISTS, index + 1 < sets.len());
            answer.result_set(caps, *columns, rows, more);
        }
        let mut next = pieces.iter().cycle();
        check(&answer, Expect::Result, caps, || *next.next().unwrap());
    }

    #[test]
    fn any_bytes_are_scanned_without_panic(
        wire in proptest::collection::vec(prop_oneof![Just(0u8), 0..6u8, any::<u8>()], 0..200),
        expect in prop_oneof![Just(Expect::Result), Just(Expect::Rows), Just(Expect::Prepare)], classic: bool,
    ) {
        let mut relay = Relay::new(expect, BOTH[usize::from(!classic)]);
        let mut rest = &wire[..];
        while let Ok(scan) = relay.scan(rest) {
            rest = &rest[scan.forward + scan.packet_len..];
            if scan.event.is_none() {
                break;
            }
        }
    }
}
