//! What a server offers its clients.

use std::{fmt, sync::Arc};

use crate::{Capabilities, auth::RsaKey, collation::UTF8MB4_0900_AI_CI};

/// Capabilities that a server offers, SSL only with a TLS configuration.
///
/// OPTIONAL_RESULTSET_METADATA is not among them: results are forwarded as backends send them, with their metadata.
pub const OFFERED_CAPABILITIES: Capabilities = Capabilities::LONG_PASSWORD
    .union(Capabilities::FOUND_ROWS)
    .union(Capabilities::LONG_FLAG)
    .union(Capabilities::CONNECT_WITH_DB)
    .union(Capabilities::NO_SCHEMA)
    .union(Capabilities::COMPRESS)
    .union(Capabilities::ODBC)
    .union(Capabilities::LOCAL_FILES)
    .union(Capabilities::IGNORE_SPACE)
    .union(Capabilities::PROTOCOL_41)
    .union(Capabilities::INTERACTIVE)
    .union(Capabilities::IGNORE_SIGPIPE)
    .union(Capabilities::TRANSACTIONS)
    .union(Capabilities::RESERVED)
    .union(Capabilities::SECURE_CONNECTION)
    .union(Capabilities::MULTI_STATEMENTS)
    .union(Capabilities::MULTI_RESULTS)
    .union(Capabilities::PS_MULTI_RESULTS)
    .union(Capabilities::PLUGIN_AUTH)
    .union(Capabilities::CONNECT_ATTRS)
    .union(Capabilities::PLUGIN_AUTH_LENENC_DATA)
    .union(Capabilities::CAN_HANDLE_EXPIRED_PASSWORDS)
    .union(Capabilities::SESSION_TRACK)
    .union(Capabilities::DEPRECATE_EOF)
    .union(Capabilities::ZSTD_COMPRESSION)
    .union(Capabilities::QUERY_ATTRIBUTES);

/// How clients are accepted.
#[derive(Clone)]
pub struct ServerConfig {
    /// The version string of the greeting. Clients read features off its number.
    pub version: String,
    /// Low byte of the collation of the greeting.
    pub collation: u8,
    /// What is offered; SSL is added when there is a TLS configuration.
    pub capabilities: Capabilities,
    /// TLS; `None` offers none.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Refuses clients on plain TCP with error 3159.
    pub require_secure_transport: bool,
    /// The longest message of a client in bytes.
    pub max_allowed_packet: usize,
    /// Decrypts passwords that clients send over plain TCP, see [`RsaKey`].
    pub rsa: Option<Arc<dyn RsaKey>>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            version: "9.7.4-Vitrail".to_owned(),
            collation: UTF8MB4_0900_AI_CI as u8,
            capabilities: OFFERED_CAPABILITIES,
            tls: None,
            require_secure_transport: false,
            max_allowed_packet: 64 << 20,
            rsa: None,
        }
    }
}

impl ServerConfig {
    /// The capabilities of the greeting.
    #[must_use]
    pub fn offered(&self) -> Capabilities {
        self.capabilities.with(Capabilities::SSL, self.tls.is_some())
    }
}

impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfig")
            .field("version", &self.version)
            .field("capabilities", &self.offered())
            .field("require_secure_transport", &self.require_secure_transport)
            .field("max_allowed_packet", &self.max_allowed_packet)
            .finish_non_exhaustive()
    }
}
