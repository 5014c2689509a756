use std::io::ErrorKind;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use super::*;
use crate::packet::MAX_PAYLOAD;

fn pair(max_payload: usize) -> (PacketStream, PacketStream) {
    let (a, b) = UnixStream::pair().unwrap();
    (
        PacketStream::new(a.into(), max_payload),
        PacketStream::new(b.into(), max_payload),
    )
}

fn run<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test)
}

#[test]
fn messages_of_every_size_arrive_in_both_forms() {
    run(async {
        for algorithm in [None, Some(Algorithm::Zlib), Some(Algorithm::Zstd { level: 3 })] {
            let (mut client, mut server) = pair(64 << 20);
            if let Some(algorithm) = algorithm {
                client.start_compression(algorithm, Side::Client);
                server.start_compression(algorithm, Side::Server);
            }
            for len in [
                0,
                1,
                200,
                70_000,
                MAX_PAYLOAD - 1,
                MAX_PAYLOAD,
                MAX_PAYLOAD + 5,
                2 * MAX_PAYLOAD,
            ] {
                let payload: Vec<u8> = (0..len).map(|i| (i * 7 / 3) as u8).collect();
                client.start_command();
                server.start_command();
                client.write_packet(&payload);
                let (sent, got) = tokio::join!(client.flush(), server.read_packet());
                sent.unwrap();
                assert!(got.unwrap()[..] == payload[..], "{algorithm:?} {len}");
                assert_eq!(client.seq(), server.seq());
                server.write_message(|w| w.bytes(b"answer"));
                server.flush().await.unwrap();
                assert_eq!(&client.read_packet().await.unwrap()[..], b"answer");
            }
        }
    });
}

#[test]
fn pipelined_messages_come_one_by_one() {
    run(async {
        let (mut client, mut server) = pair(1000);
        for i in 0..50u8 {
            client.write_packet(&vec![i; usize::from(i)]);
        }
        client.flush().await.unwrap();
        for i in 0..50u8 {
            let payload = server.read_packet().await.unwrap();
            assert_eq!(&payload[..], vec![i; usize::from(i)]);
        }
        assert!(server.buffered().is_empty());
    });
}

#[test]
fn a_waiting_connection_holds_no_buffers() {
    run(async {
        let (mut client, mut server) = pair(1000);
        client.write_packet(b"one");
        client.flush().await.unwrap();
        assert_eq!(client.output.capacity(), 0);
        drop(server.read_packet().await.unwrap());
        let waiting = poll_fn(|cx| Poll::Ready(server.poll_fill(cx).is_pending())).await;
        assert!(waiting);
        assert_eq!(server.input.room().len(), 16 * 1024, "taken anew");
        server.input.release_if_empty();
        assert!(
            std::mem::size_of::<PacketStream>() <= 256,
            "{}",
            std::mem::size_of::<PacketStream>()
        );
    });
}

#[test]
fn a_read_that_is_given_up_loses_nothing() {
    run(async {
        let (mut raw, other) = UnixStream::pair().unwrap();
        let mut server = PacketStream::new(other.into(), 64 << 20);
        let mut wire = BytesMut::new();
        let mut seq = 0;
        let long: Vec<u8> = (0..MAX_PAYLOAD + 70_000).map(|i| i as u8).collect();
        put_packet(&mut wire, &mut seq, b"short");
        put_packet(&mut wire, &mut seq, &long);
        let mut got = Vec::new();
        for piece in [2, 3, 3, 1, 5, 100_000]
            .into_iter()
            .chain(std::iter::repeat(40_001))
        {
            let piece = wire.split_to(piece.min(wire.len()));
            if piece.is_empty() {
                break;
            }
            raw.write_all(&piece).await.unwrap();
            for _ in 0..4 {
                tokio::select! {
                    biased;
                    payload = server.read_packet() => got.push(payload.unwrap()),
                    () = tokio::task::yield_now() => {}
                }
            }
        }
        assert_eq!(&got[0][..], b"short");
        assert!(got[1][..] == long[..] && got.len() == 2);
        assert_eq!(server.seq(), seq);
    });
}

#[test]
fn limits_and_sequence_ids_are_checked() {
    run(async {
        let (mut client, mut server) = pair(1000);
        client.write_packet(&[0; 1001]);
        client.flush().await.unwrap();
        assert!(matches!(
            server.read_packet().await,
            Err(Error::TooLarge { limit: 1000 })
        ));

        let (mut client, mut server) = pair(1000);
        client.set_seq(4);
        client.write_packet(b"x");
        client.flush().await.unwrap();
        assert!(matches!(
            server.read_packet().await,
            Err(Error::Sequence { expected: 0, got: 4 })
        ));

        let (mut client, mut server) = pair(MAX_PAYLOAD + 10);
        client.write_packet(&vec![0; MAX_PAYLOAD + 11]);
        let (sent, got) = tokio::join!(client.flush(), server.read_packet());
        sent.unwrap();
        assert!(matches!(got, Err(Error::TooLarge { .. })));
    });
}

#[test]
fn the_end_of_the_stream_is_told_from_a_cut_message() {
    run(async {
        for (bytes, cut) in [(&b""[..], false), (&[3, 0], true), (&[3, 0, 0, 0, b'a'], true)] {
            let (mut raw, other) = UnixStream::pair().unwrap();
            let mut server = PacketStream::new(other.into(), 1000);
            raw.write_all(bytes).await.unwrap();
            drop(raw);
            match server.read_packet().await {
                Err(Error::Closed) => assert!(!cut),
                Err(Error::Io(error)) if error.kind() == ErrorKind::UnexpectedEof => assert!(cut),
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn a_handshake_message_is_read_without_what_follows() {
    run(async {
        let (mut raw, other) = UnixStream::pair().unwrap();
        let mut server = PacketStream::new(other.into(), 1000);
        raw.write_all(b"\x02\0\0\0hi\x16\x03\x01").await.unwrap();
        assert_eq!(&server.read_packet_exactly().await.unwrap()[..], b"hi");
        let Transport::Plain(mut socket) = server.into_transport().unwrap() else {
            panic!("no TLS here")
        };
        let mut rest = [0; 3];
        socket.read_exact(&mut rest).await.unwrap();
        assert_eq!(rest, [0x16, 3, 1]);
    });
}

#[test]
fn raw_bytes_pass_through_in_order() {
    run(async {
        let (mut client, mut server) = pair(1 << 20);
        let big = vec![9; 300_000];
        server.write_raw(b"first ");
        let send = async {
            server.send_raw(&big).await.unwrap();
            server.send_raw(b" last").await.unwrap();
            server.shutdown().await.unwrap();
        };
        let receive = async {
            let mut got = Vec::new();
            while client.fill().await.is_ok() {
                got.extend_from_slice(client.buffered());
                client.consume(client.buffered().len());
            }
            got
        };
        let ((), got) = tokio::join!(send, receive);
        assert!(got == [b"first ", &big[..], b" last"].concat());
    });
}

#[test]
fn an_idle_transport_tells_whether_it_is_open() {
    run(async {
        let (mut client, server) = pair(1000);
        let mut byte = [0];
        let error = client.transport_mut().try_read(&mut byte).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        drop(server);
        client.transport_mut().readable().await.unwrap();
        assert_eq!(client.transport_mut().try_read(&mut byte).unwrap(), 0);
    });
}
