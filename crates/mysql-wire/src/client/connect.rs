//! The way from a target to a connection that is logged in.

use bytes::BytesMut;
use rustls_pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::{TlsConnector, TlsStream};

use super::auth::{Channel, Exchange, Plugin, Step};
use super::connection::{ClientConnection, Login};
use super::result::OkStatus;
use super::{ClientTls, ConnectOptions, Target};
use crate::collation::Collation;
use crate::compress::{Algorithm, Side};
use crate::error::{ErrorCode, SqlError};
use crate::message::{
    Attributes, ErrPacket, Handshake, HandshakeResponse, OkPacket, SslRequest, encode_attributes,
};
use crate::packet::{Reader, Writer};
use crate::stream::{PacketStream, Payload};
use crate::transport::Transport;
use crate::{Capabilities, Error};

/// The packet size that clients announce; servers do not use it.
const ANNOUNCED_PACKET_SIZE: u32 = 1 << 30;

/// Connects to a server and logs in.
///
/// # Errors
/// [`Error::Sql`] with the server's error (1040, 1045, 1049, ...) or a client error of MySQL's: 2059 and 2061 when
/// the authentication plugin can't be served; [`Error::Tls`] when TLS was asked for and can't be had;
/// [`Error::Io`] otherwise, of kind `TimedOut` when the connect timeout has passed.
pub async fn connect(target: &Target, options: &ConnectOptions) -> Result<ClientConnection, Error> {
    let login = Box::pin(async {
        let (transport, host) = match target {
            Target::Unix(path) => (Transport::from(UnixStream::connect(path).await?), "localhost"),
            Target::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                (Transport::from(stream), host.as_str())
            }
        };
        log_in(
            PacketStream::new(transport, options.max_packet_size),
            host,
            options,
        )
        .await
    });
    tokio::time::timeout(options.connect_timeout, login)
        .await
        .map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))?
}

async fn log_in(
    mut stream: PacketStream,
    host: &str,
    options: &ConnectOptions,
) -> Result<ClientConnection, Error> {
    let greeting = stream.read_packet_exactly().await?;
    refuse_error(&greeting)?;
    let handshake = Handshake::decode(&greeting)?;
    let capabilities = options.wanted(handshake.capabilities);
    if !capabilities.contains(Capabilities::PROTOCOL_41 | Capabilities::PLUGIN_AUTH) {
        return Err(Error::Unexpected("server without named authentication plugins"));
    }
    let collation = u8::try_from(options.collation).ok();
    let request = SslRequest {
        capabilities,
        max_packet_size: ANNOUNCED_PACKET_SIZE,
        // Larger ids do not fit here and are set by a statement.
        collation: collation.unwrap_or(handshake.collation),
    };
    if let Some(tls) = &options.tls {
        stream = start_tls(stream, request, tls, host, options.max_packet_size).await?;
    }
    let plugin = Plugin::by_name(handshake.auth_plugin).unwrap_or(Plugin::CachingSha2);
    let channel = if stream.transport().is_secure() {
        Channel::Secure
    } else if options.get_server_public_key {
        Channel::ServerPublicKey
    } else {
        Channel::Plain
    };
    let mut exchange = Exchange::new(options.password.as_bytes(), channel, plugin, handshake.nonce);
    write_response(&mut stream, request, &exchange, options)?;
    let ok = authenticate(&mut stream, &mut exchange, capabilities).await?;
    if let Some(algorithm) = agreed_compression(options, capabilities) {
        stream.start_compression(algorithm, Side::Client);
    }
    let login = Login {
        server_version: String::from_utf8_lossy(handshake.server_version).into_owned(),
        connection_id: handshake.connection_id,
        capabilities,
        channel,
        nonce: exchange.nonce(),
        plugin: exchange.plugin(),
    };
    let mut connection = ClientConnection::new(stream, login, ok.status, options);
    if collation.is_none() {
        set_names(&mut connection, options.collation).await?;
    }
    Ok(connection)
}

/// Before the handshake a server may send an error instead: too many connections, host not allowed.
fn refuse_error(greeting: &[u8]) -> Result<(), Error> {
    match greeting.first() {
        Some(&ErrPacket::HEADER) => Err(ErrPacket::decode(greeting)?.to_sql_error().into()),
        _ => Ok(()),
    }
}

async fn start_tls(
    mut stream: PacketStream,
    request: SslRequest,
    tls: &ClientTls,
    host: &str,
    max_payload: usize,
) -> Result<PacketStream, Error> {
    if !request.capabilities.contains(Capabilities::SSL) {
        let message = "SSL connection error: SSL is required but the server doesn't support it";
        return Err(SqlError::new(ErrorCode::CrSslConnection, message).into());
    }
    stream.write_message(|w| request.encode(w));
    stream.flush().await?;
    let seq = stream.seq();
    let socket = match stream.into_transport()? {
        Transport::Plain(socket) => socket,
        Transport::Tls(_) => return Err(Error::Unexpected("TLS within TLS")),
    };
    let name: ServerName<'static> = tls.server_name(host)?;
    let encrypted = TlsConnector::from(tls.config().clone())
        .connect(name, socket)
        .await
        .map_err(|error| Error::Tls(error.to_string()))?;
    let transport = Transport::Tls(Box::new(TlsStream::Client(encrypted)));
    let mut stream = PacketStream::new(transport, max_payload);
    stream.set_seq(seq);
    Ok(stream)
}

fn write_response(
    stream: &mut PacketStream,
    request: SslRequest,
    exchange: &Exchange<'_>,
    options: &ConnectOptions,
) -> Result<(), Error> {
    let pairs = options
        .attributes
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let mut attributes = BytesMut::new();
    encode_attributes(&mut Writer::new(&mut attributes), pairs);
    let response = HandshakeResponse {
        capabilities: request.capabilities,
        max_packet_size: request.max_packet_size,
        collation: request.collation,
        user: options.user.as_bytes(),
        auth_response: &exchange.response(),
        database: options.database.as_ref().map(String::as_bytes),
        auth_plugin: Some(exchange.plugin().name()),
        attributes: Attributes::decode(&mut Reader::new(&attributes))?,
        zstd_level: match options.compression {
            Some(Algorithm::Zstd { level }) => u8::try_from(level.clamp(1, 22)).ok(),
            _ => None,
        },
    };
    stream.write_message(|w| response.encode(w));
    Ok(())
}

/// Goes through the exchange up to the server's OK. What was written before is sent first.
pub(super) async fn authenticate(
    stream: &mut PacketStream,
    exchange: &mut Exchange<'_>,
    capabilities: Capabilities,
) -> Result<OkStatus, Error> {
    loop {
        stream.flush().await?;
        let packet: Payload = if stream.compression().is_some() {
            stream.read_packet().await?
        } else {
            // Compressed bytes may follow the OK.
            stream.read_packet_exactly().await?
        };
        match exchange.on_packet(&packet)? {
            Step::Send(payload) => stream.write_packet(&payload),
            Step::Wait => {}
            Step::Done => return Ok(OkPacket::decode(&packet, capabilities)?.into()),
        }
    }
}

fn agreed_compression(options: &ConnectOptions, capabilities: Capabilities) -> Option<Algorithm> {
    options.compression.filter(|algorithm| {
        capabilities.contains(match algorithm {
            Algorithm::Zlib => Capabilities::COMPRESS,
            Algorithm::Zstd { .. } => Capabilities::ZSTD_COMPRESSION,
        })
    })
}

async fn set_names(connection: &mut ClientConnection, collation: u16) -> Result<(), Error> {
    let collation = Collation::by_id(collation).ok_or(Error::Unexpected("collation id"))?;
    let sql = format!("SET NAMES {} COLLATE {}", collation.charset, collation.name);
    connection.query(sql).await.map(drop)
}
