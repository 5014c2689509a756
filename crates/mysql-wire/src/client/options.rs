//! What a connection is made from: target, account, character set, TLS, compression.

use std::path::PathBuf;
use std::time::Duration;

use super::tls::ClientTls;
use crate::Capabilities;
use crate::collation;
use crate::compress::Algorithm;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A unix socket on this machine.
    Unix(PathBuf),
    /// A host name or address and a port.
    Tcp {
        /// Host name or IP address.
        host: String,
        /// TCP port.
        port: u16,
    },
}

/// How to log in and what to agree on.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// The account's name.
    pub user: String,
    /// The account's password; empty for none.
    pub password: String,
    /// The default database, if any.
    pub database: Option<String>,
    /// Id of the collation that the session starts with.
    pub collation: u16,
    /// Capabilities to ask for besides [`ConnectOptions::BASE`]; those that the server lacks are left out.
    /// Compression, TLS and the database's flag follow from the other fields.
    pub capabilities: Capabilities,
    /// TLS; `None` for a plain connection. A server that does not offer TLS is then an error.
    pub tls: Option<ClientTls>,
    /// Whether to fetch the server's RSA key and encrypt the password with it when caching_sha2_password needs the
    /// password itself on a connection that is neither TLS nor a unix socket. Who controls the network can then
    /// pose as the server and read the password.
    pub get_server_public_key: bool,
    /// Compression, used when the server offers it.
    pub compression: Option<Algorithm>,
    /// Connection attributes: names and values that the server shows in its performance schema.
    pub attributes: Vec<(String, String)>,
    /// Longest time for all of connecting, from the socket to the server's OK.
    pub connect_timeout: Duration,
    /// Longest time for one command of the connection's own methods; `None` for no limit.
    pub command_timeout: Option<Duration>,
    /// The longest packet that is accepted, in bytes.
    pub max_packet_size: usize,
    /// Most bytes of rows that a result held in memory may have.
    pub max_result_size: usize,
}

impl ConnectOptions {
    /// Capabilities that every connection asks for: the 4.1 protocol with named authentication plugins, several
    /// results, session tracking and results that end with an OK packet.
    pub const BASE: Capabilities = Capabilities::from_bits(
        Capabilities::LONG_PASSWORD.bits()
            | Capabilities::LONG_FLAG.bits()
            | Capabilities::PROTOCOL_41.bits()
            | Capabilities::TRANSACTIONS.bits()
            | Capabilities::SECURE_CONNECTION.bits()
            | Capabilities::MULTI_RESULTS.bits()
            | Capabilities::PS_MULTI_RESULTS.bits()
            | Capabilities::PLUGIN_AUTH.bits()
            | Capabilities::PLUGIN_AUTH_LENENC_DATA.bits()
            | Capabilities::SESSION_TRACK.bits(),
    );

    /// Options for an account, with utf8mb4, DEPRECATE_EOF, no TLS, no compression and a connect timeout of 10 s.
    #[must_use]
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
            database: None,
            collation: collation::UTF8MB4_0900_AI_CI,
            capabilities: Capabilities::DEPRECATE_EOF,
            tls: None,
            get_server_public_key: false,
            compression: None,
            attributes: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            command_timeout: None,
            max_packet_size: 1 << 30,
            max_result_size: 64 << 20,
        }
    }

    /// What to ask a server for that offers `offered`.
    pub(super) fn wanted(&self, offered: Capabilities) -> Capabilities {
        let settled_by_fields = Capabilities::COMPRESS
            | Capabilities::ZSTD_COMPRESSION
            | Capabilities::SSL
            | Capabilities::CONNECT_WITH_DB
            | Capabilities::CONNECT_ATTRS
            // The connection's methods read metadata and never a second factor or a file.
            | Capabilities::OPTIONAL_RESULTSET_METADATA
            | Capabilities::MULTI_FACTOR_AUTHENTICATION
            | Capabilities::LOCAL_FILES;
        let compression = match self.compression {
            None => Capabilities::empty(),
            Some(Algorithm::Zlib) => Capabilities::COMPRESS,
            Some(Algorithm::Zstd { .. }) => Capabilities::ZSTD_COMPRESSION,
        };
        let wanted = (self.capabilities.without(settled_by_fields) | Self::BASE | compression)
            .with(Capabilities::CONNECT_WITH_DB, self.database.is_some())
            .with(Capabilities::CONNECT_ATTRS, !self.attributes.is_empty())
            .with(Capabilities::SSL, self.tls.is_some());
        wanted & offered
    }
}
