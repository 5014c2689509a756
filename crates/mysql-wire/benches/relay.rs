//! What the relay and the messages of the hot path cost.

#![allow(missing_docs, clippy::unwrap_used, reason = "a measurement")]

use std::hint::black_box;

use bytes::BytesMut;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mysql_wire::{
    Capabilities, StatusFlags,
    message::{ColumnDefinition, Command, OkHeader, OkPacket, encode_column_count, encode_text_row},
    packet::write_packet,
    relay::{Expect, Relay},
};

const CAPABILITIES: Capabilities = Capabilities::DEPRECATE_EOF.union(Capabilities::SESSION_TRACK);

/// A result set as sysbench reads them: one column of 120 bytes.
fn result_set(rows: usize) -> BytesMut {
    let mut wire = BytesMut::new();
    let mut seq = 1;
    let column = ColumnDefinition {
        schema: b"sbtest",
        table: b"sbtest1",
        org_table: b"sbtest1",
        name: b"c",
        org_name: b"c",
        ..ColumnDefinition::default()
    };
    write_packet(&mut wire, &mut seq, |w| encode_column_count(1, w));
    write_packet(&mut wire, &mut seq, |w| column.encode(w));
    for _ in 0..rows {
        write_packet(&mut wire, &mut seq, |w| {
            encode_text_row(w, [Some(&[b'x'; 119][..])])
        });
    }
    let ok = OkPacket {
        status: StatusFlags::AUTOCOMMIT,
        ..OkPacket::default()
    };
    write_packet(&mut wire, &mut seq, |w| ok.encode(OkHeader::Eof, CAPABILITIES, w));
    wire
}

fn relay(c: &mut Criterion) {
    for rows in [1, 100] {
        let mut wire = result_set(rows);
        let mut group = c.benchmark_group(format!("relay {rows} rows"));
        group.throughput(Throughput::Elements(rows as u64));
        group.bench_function("scan", |b| {
            b.iter(|| {
                Relay::new(Expect::Result, CAPABILITIES)
                    .scan(black_box(&wire))
                    .unwrap()
            });
        });
        group.bench_function("scan and renumber", |b| {
            b.iter(|| {
                Relay::new(Expect::Result, CAPABILITIES)
                    .scan_and_renumber(black_box(&mut wire), 3)
                    .unwrap()
            });
        });
        group.finish();
    }
}

fn messages(c: &mut Criterion) {
    let query = b"\x03\x00\x01SELECT c FROM sbtest1 WHERE id=5037";
    let capabilities = CAPABILITIES | Capabilities::QUERY_ATTRIBUTES;
    c.bench_function("decode COM_QUERY", |b| {
        b.iter(|| {
            matches!(
                Command::decode(black_box(query), capabilities),
                Ok(Command::Query(_))
            )
        });
    });
    let ok = OkPacket {
        status: StatusFlags::AUTOCOMMIT,
        ..OkPacket::default()
    };
    let mut out = BytesMut::with_capacity(1 << 16);
    c.bench_function("write an OK packet", |b| {
        b.iter(|| {
            out.clear();
            write_packet(&mut out, &mut 1, |w| {
                black_box(&ok).encode(OkHeader::Eof, CAPABILITIES, w)
            });
        });
    });
}

criterion_group!(benches, relay, messages);
criterion_main!(benches);
