use proptest::prelude::*;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
};

use super::*;
use crate::{
    Capabilities, Error, SqlError, Transport, Writer,
    auth::{Account, AccountStore, caching_sha2_verifier},
    error::ErrorCode,
    message::{Attributes, ErrPacket, Handshake, HandshakeResponse, SslRequest},
    packet::{Frame, write_packet},
};

struct OneUser;

impl AccountStore for OneUser {
    fn account(&self, user: &[u8]) -> Option<Account> {
        let sha2 = Some(caching_sha2_verifier(b"secret"));
        (user == b"ann").then_some(Account {
            sha2,
            ..Account::default()
        })
    }
}

fn run<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test)
}

/// Lets a client write `sent` after the greeting and returns what `accept` made of it and what the client got.
async fn handshake(config: &ServerConfig, sent: &[u8]) -> (Result<Login, Error>, Vec<u8>) {
    let (client, server) = UnixStream::pair().unwrap();
    talk(client, server.into(), config, sent).await
}

async fn talk(
    mut client: impl AsyncReadExt + AsyncWriteExt + Unpin,
    server: Transport,
    config: &ServerConfig,
    sent: &[u8],
) -> (Result<Login, Error>, Vec<u8>) {
    client.write_all(sent).await.unwrap();
    client.shutdown().await.unwrap();
    let login = accept(server, config, &OneUser, 7, "here").await;
    let mut got = Vec::new();
    if login.is_err() {
        // A server that closes with input unread resets the connection once everything was received.
        let _ = client.read_to_end(&mut got).await;
    }
    (login, got)
}

/// The error that the client got after the greeting.
fn error_in(got: &[u8]) -> SqlError {
    let greeting = Frame::decode(got).unwrap();
    assert_eq!(Handshake::decode(greeting.payload).unwrap().connection_id, 7);
    let answer = Frame::decode(&got[greeting.wire_len()..]).unwrap();
    ErrPacket::decode(answer.payload).unwrap().to_sql_error()
}

fn packet(mut seq: u8, payload: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = bytes::BytesMut::new();
    write_packet(&mut out, &mut seq, payload);
    out.to_vec()
}

fn response(capabilities: Capabilities) -> HandshakeResponse<'static> {
    HandshakeResponse {
        capabilities: capabilities | Capabilities::PROTOCOL_41 | Capabilities::PLUGIN_AUTH,
        max_packet_size: 1 << 24,
        collation: 255,
        user: b"bob",
        auth_response: b"",
        database: None,
        auth_plugin: Some(b"caching_sha2_password"),
        attributes: Attributes::default(),
        zstd_level: None,
    }
}

#[test]
fn a_greeting_offers_what_the_configuration_has() {
    run(async {
        let (_, got) = handshake(&ServerConfig::default(), b"").await;
        let greeting = Handshake::decode(Frame::decode(&got).unwrap().payload).unwrap();
        assert_eq!(greeting.server_version, b"9.7.4-Vitrail");
        assert_eq!(greeting.capabilities, OFFERED_CAPABILITIES);
        assert!(!greeting.capabilities.contains(Capabilities::SSL));
        assert!(
            !greeting
                .capabilities
                .contains(Capabilities::OPTIONAL_RESULTSET_METADATA)
        );
    });
}

#[test]
fn a_client_that_leaves_after_the_greeting_is_no_error_to_answer() {
    run(async {
        let (login, got) = handshake(&ServerConfig::default(), b"").await;
        assert!(matches!(login, Err(Error::Closed)));
        assert_eq!(
            Frame::decode(&got).unwrap().wire_len(),
            got.len(),
            "nothing after the greeting"
        );
    });
}

#[test]
fn bad_handshakes_get_the_errors_of_mysql() {
    run(async {
        let config = ServerConfig::default();
        let capabilities = Capabilities::PROTOCOL_41 | Capabilities::SSL;
        let ssl_request = SslRequest {
            capabilities,
            max_packet_size: 0,
            collation: 8,
        };
        let cases = [
            (packet(1, |w| w.bytes(b"\x05\x00junk")), ErrorCode::Handshake),
            (packet(1, |w| w.zeros(32)), ErrorCode::Handshake),
            // TLS was not offered.
            (packet(1, |w| ssl_request.encode(w)), ErrorCode::Handshake),
            (
                packet(2, |w| response(Capabilities::empty()).encode(w)),
                ErrorCode::NetPacketsOutOfOrder,
            ),
            (packet(1, |w| w.zeros(200_000)), ErrorCode::NetPacketTooLarge),
            (
                packet(1, |w| response(Capabilities::empty()).encode(w)),
                ErrorCode::AccessDenied,
            ),
        ];
        for (sent, code) in cases {
            let (login, got) = handshake(&config, &sent).await;
            assert!(login.is_err());
            assert_eq!(error_in(&got).code, code.number());
        }
    });
}

#[test]
fn secure_transport_can_be_required_and_a_unix_socket_is_secure() {
    run(async {
        let config = ServerConfig {
            require_secure_transport: true,
            ..ServerConfig::default()
        };
        let sent = packet(1, |w| response(Capabilities::empty()).encode(w));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        let (_, got) = talk(client, server.into(), &config, &sent).await;
        assert_eq!(error_in(&got).code, ErrorCode::SecureTransportRequired.number());
        let (_, got) = handshake(&config, &sent).await;
        assert_eq!(error_in(&got).code, ErrorCode::AccessDenied.number());
    });
}

#[test]
fn a_refusal_stands_in_place_of_the_greeting() {
    run(async {
        let (mut client, server) = UnixStream::pair().unwrap();
        refuse(
            server.into(),
            &SqlError::new(ErrorCode::ConCount, "Too many connections"),
        )
        .await;
        let mut got = Vec::new();
        client.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"\x17\0\0\0\xff\x10\x04Too many connections");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_bytes_after_the_greeting_let_nobody_in(
        mut sent in proptest::collection::vec(any::<u8>(), 0..200), framed: bool, capabilities: u32,
    ) {
        if framed {
            let head = (capabilities | Capabilities::PROTOCOL_41.bits()).to_le_bytes();
            sent.splice(..sent.len().min(4), head);
            sent = packet(1, |w| w.bytes(&sent));
        }
        let (login, _) = run(handshake(&ServerConfig::default(), &sent));
        prop_assert!(login.is_err());
    }
}
