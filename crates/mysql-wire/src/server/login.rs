//! The handshake from the greeting to OK.

use std::sync::Arc;

use super::{Connection, ConnectionAttributes, ServerConfig};
use crate::{
    Capabilities, PacketStream, StatusFlags, Transport,
    auth::{AccountStore, Action, CACHING_SHA2_PASSWORD, ServerAuth, generate_nonce},
    compress::{Algorithm, Side},
    error::{Error, ErrorCode, SqlError},
    message::{ErrPacket, Handshake, HandshakeResponse, OkPacket, SslRequest},
    stream::Payload,
    tls,
};

/// The longest message before the password was checked: names and 64 KB of attributes.
const MAX_HANDSHAKE_PAYLOAD: usize = 128 * 1024;

/// A client whose password was right and that waits for OK.
#[derive(Debug)]
pub struct Login {
    connection: Connection,
    compression: Option<Algorithm>,
}

impl Login {
    /// The client.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Sends OK; commands can be read then.
    pub async fn welcome(self, ok: &OkPacket<'_>) -> Result<Connection, Error> {
        let Self {
            mut connection,
            compression,
        } = self;
        connection.write_ok(ok);
        connection.stream.flush().await?;
        if let Some(algorithm) = compression {
            connection.stream.start_compression(algorithm, Side::Server);
        }
        Ok(connection)
    }

    /// Sends an error and closes the connection.
    pub async fn refuse(mut self, error: &SqlError) {
        self.connection.fail(&Error::Sql(error.clone())).await;
    }
}

/// Sends an error in place of the greeting and closes the connection: too many connections, or the server shuts down.
pub async fn refuse(transport: Transport, error: &SqlError) {
    let mut stream = PacketStream::new(transport, MAX_HANDSHAKE_PAYLOAD);
    refuse_on(&mut stream, error, Capabilities::empty()).await;
}

/// Greets a client and checks its password. The caller limits the time that this may take.
///
/// `host` is the client's address for messages. On failure the client was told and the connection is closed.
pub async fn accept(
    transport: Transport,
    config: &ServerConfig,
    accounts: &impl AccountStore,
    connection_id: u32,
    host: &str,
) -> Result<Login, Error> {
    transport.set_nodelay()?;
    let mut stream = PacketStream::new(transport, MAX_HANDSHAKE_PAYLOAD);
    let nonce = generate_nonce()?;
    let greeting = Handshake {
        server_version: config.version.as_bytes(),
        connection_id,
        nonce,
        capabilities: config.offered(),
        collation: config.collation,
        status: StatusFlags::AUTOCOMMIT,
        auth_plugin: CACHING_SHA2_PASSWORD,
    };
    stream.write_message(|w| greeting.encode(w));
    stream.flush().await?;

    let (mut stream, payload) = match read_response(stream, config).await {
        Ok(read) => read,
        Err((stream, error)) => return Err(refuse_response(stream, error).await),
    };
    let response = match HandshakeResponse::decode(&payload) {
        Ok(response) => response,
        Err(error) => return Err(refuse_response(Some(stream), error.into()).await),
    };
    let capabilities = response.capabilities & config.offered();
    if config.require_secure_transport && !stream.transport().is_secure() {
        let text = "Connections using insecure transport are prohibited while --require_secure_transport=ON.";
        let error = SqlError::new(ErrorCode::SecureTransportRequired, text);
        refuse_on(&mut stream, &error, capabilities).await;
        return Err(error.into());
    }

    let account = accounts.account(response.user);
    let secure = stream.transport().is_secure();
    let rsa = config.rsa.as_ref().map(Arc::clone);
    let mut auth = ServerAuth::new(response.user, host, account, nonce, secure, rsa);
    let plugin = capabilities
        .contains(Capabilities::PLUGIN_AUTH)
        .then(|| response.auth_plugin.unwrap_or_default());
    let first = auth.start(plugin, response.auth_response);
    exchange(
        &mut stream,
        &mut auth,
        first,
        capabilities,
        accounts,
        response.user,
    )
    .await?;

    stream.set_max_payload(config.max_allowed_packet);
    let connection = Connection {
        stream,
        capabilities,
        connection_id,
        host: host.into(),
        user: response.user.into(),
        database: response.database.filter(|name| !name.is_empty()).map(Into::into),
        collation: u16::from(response.collation),
        attributes: ConnectionAttributes::new(&response.attributes),
    };
    Ok(Login {
        connection,
        compression: agreed_compression(capabilities, response.zstd_level),
    })
}

/// zlib goes first when a client offers both, as in MySQL.
fn agreed_compression(capabilities: Capabilities, zstd_level: Option<u8>) -> Option<Algorithm> {
    if capabilities.contains(Capabilities::COMPRESS) {
        Some(Algorithm::Zlib)
    } else if capabilities.contains(Capabilities::ZSTD_COMPRESSION) {
        Some(Algorithm::Zstd {
            level: zstd_level.map_or(3, i32::from),
        })
    } else {
        None
    }
}

/// Reads the handshake response, after switching to TLS when the client asks for it.
async fn read_response(
    mut stream: PacketStream,
    config: &ServerConfig,
) -> Result<(PacketStream, Payload), (Option<PacketStream>, Error)> {
    let payload = match stream.read_packet_exactly().await {
        Ok(payload) => payload,
        Err(error) => return Err((Some(stream), error)),
    };
    match (SslRequest::decode(&payload), &config.tls) {
        (Err(error), _) => return Err((Some(stream), error.into())),
        (Ok(None), _) => return Ok((stream, payload)),
        (Ok(Some(_)), None) => return Err((Some(stream), Error::Unexpected("request for TLS"))),
        (Ok(Some(_)), Some(tls)) => {
            let seq = stream.seq();
            let transport = stream.into_transport().map_err(|error| (None, error))?;
            let secured = Box::pin(tls::accept(transport, Arc::clone(tls))).await;
            stream = PacketStream::new(secured.map_err(|error| (None, error))?, MAX_HANDSHAKE_PAYLOAD);
            stream.set_seq(seq);
        }
    }
    match stream.read_packet_exactly().await {
        Ok(payload) => Ok((stream, payload)),
        Err(error) => Err((Some(stream), error)),
    }
}

/// Answers a handshake response that cannot be used, and returns the reason.
async fn refuse_response(stream: Option<PacketStream>, error: Error) -> Error {
    let answer = match &error {
        Error::Decode(_) | Error::Unexpected(_) => Some(SqlError::new(ErrorCode::Handshake, "Bad handshake")),
        other => other.to_sql_error(),
    };
    if let (Some(mut stream), Some(answer)) = (stream, answer) {
        refuse_on(&mut stream, &answer, Capabilities::PROTOCOL_41).await;
    }
    error
}

async fn refuse_on(stream: &mut PacketStream, error: &SqlError, capabilities: Capabilities) {
    stream.write_message(|w| ErrPacket::from(error).encode(capabilities, w));
    // The client is gone either way.
    let _ = stream.shutdown().await;
}

/// Carries the authentication exchange to its end. A denial is sent to the client.
pub(super) async fn exchange(
    stream: &mut PacketStream,
    auth: &mut ServerAuth,
    first: Action,
    capabilities: Capabilities,
    accounts: &impl AccountStore,
    user: &[u8],
) -> Result<(), Error> {
    let mut action = first;
    loop {
        match action {
            Action::Send(payload) => {
                stream.write_packet(&payload);
                stream.flush().await?;
                // What follows the handshake may be compressed, and must not be read as packets.
                let answer = if stream.compression().is_some() {
                    stream.read_packet().await?
                } else {
                    stream.read_packet_exactly().await?
                };
                action = auth.step(&answer);
            }
            Action::Accept { message, learned } => {
                if let Some(message) = message {
                    stream.write_packet(&message);
                }
                if let Some(sha2) = learned {
                    accounts.learned(user, sha2);
                }
                return Ok(());
            }
            Action::Deny(error) => {
                refuse_on(stream, &error, capabilities).await;
                return Err(error.into());
            }
        }
    }
}
