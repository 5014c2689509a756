//! The client's answer to the greeting, and the request for TLS that may come before it.

use super::Attributes;
use crate::{
    Capabilities,
    error::DecodeError,
    packet::{Reader, Writer},
};

const FILLER: usize = 23;

/// The client's answer to the greeting (protocol 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandshakeResponse<'a> {
    /// What the client wants; may hold flags that the server did not offer.
    pub capabilities: Capabilities,
    /// The longest packet that the client accepts, in bytes.
    pub max_packet_size: u32,
    /// Id of the client's collation.
    pub collation: u8,
    /// The user's name.
    pub user: &'a [u8],
    /// Answer of the client's plugin to the nonce.
    pub auth_response: &'a [u8],
    /// The default database; `None` or empty for none.
    pub database: Option<&'a [u8]>,
    /// The plugin that `auth_response` is for.
    pub auth_plugin: Option<&'a [u8]>,
    /// Connection attributes.
    pub attributes: Attributes<'a>,
    /// The zstd level that the client asks the server to use.
    pub zstd_level: Option<u8>,
}

impl<'a> HandshakeResponse<'a> {
    /// Decodes the payload, whose layout follows the capabilities in it. Clients older than 4.1 are refused.
    pub fn decode(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(payload);
        let SslRequest {
            capabilities,
            max_packet_size,
            collation,
        } = SslRequest::decode_fields(&mut r)?;
        let user = r.nul_bytes()?;
        let auth_response = if capabilities.contains(Capabilities::PLUGIN_AUTH_LENENC_DATA) {
            r.lenenc_bytes()?
        } else if capabilities.contains(Capabilities::SECURE_CONNECTION) {
            let len = r.int1()?;
            r.bytes(usize::from(len))?
        } else {
            r.nul_bytes()?
        };
        let mut message = Self {
            capabilities,
            max_packet_size,
            collation,
            user,
            auth_response,
            database: None,
            auth_plugin: None,
            attributes: Attributes::default(),
            zstd_level: None,
        };
        if capabilities.contains(Capabilities::CONNECT_WITH_DB) && !r.is_empty() {
            message.database = Some(r.nul_bytes()?);
        }
        if capabilities.contains(Capabilities::PLUGIN_AUTH) && !r.is_empty() {
            // Some clients leave out the closing zero of the last field.
            message.auth_plugin = Some(if r.as_slice().contains(&0) {
                r.nul_bytes()?
            } else {
                r.rest()
            });
        }
        if capabilities.contains(Capabilities::CONNECT_ATTRS) {
            message.attributes = Attributes::decode(&mut r)?;
        }
        if capabilities.contains(Capabilities::ZSTD_COMPRESSION) && !r.is_empty() {
            message.zstd_level = Some(r.int1()?);
        }
        Ok(message)
    }

    /// Encodes the payload after the message's own capabilities.
    pub fn encode(&self, w: &mut Writer<'_>) {
        let capabilities = self.capabilities;
        SslRequest {
            capabilities,
            max_packet_size: self.max_packet_size,
            collation: self.collation,
        }
        .encode(w);
        w.nul_bytes(self.user);
        if capabilities.contains(Capabilities::PLUGIN_AUTH_LENENC_DATA) {
            w.lenenc_bytes(self.auth_response);
        } else if capabilities.contains(Capabilities::SECURE_CONNECTION) {
            let len = u8::try_from(self.auth_response.len()).unwrap_or(u8::MAX);
            w.int1(len);
            w.bytes(self.auth_response.get(..usize::from(len)).unwrap_or_default());
        } else {
            w.nul_bytes(self.auth_response);
        }
        if capabilities.contains(Capabilities::CONNECT_WITH_DB) {
            w.nul_bytes(self.database.unwrap_or_default());
        }
        if capabilities.contains(Capabilities::PLUGIN_AUTH) {
            w.nul_bytes(self.auth_plugin.unwrap_or_default());
        }
        if capabilities.contains(Capabilities::CONNECT_ATTRS) {
            self.attributes.encode(w);
        }
        if capabilities.contains(Capabilities::ZSTD_COMPRESSION) {
            w.int1(self.zstd_level.unwrap_or(3));
        }
    }
}

/// The client asks to go on under TLS: the first fields of the handshake response alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SslRequest {
    /// What the client wants.
    pub capabilities: Capabilities,
    /// The longest packet that the client accepts, in bytes.
    pub max_packet_size: u32,
    /// Id of the client's collation.
    pub collation: u8,
}

impl SslRequest {
    /// Length of the payload.
    pub const LEN: usize = 32;

    /// Decodes the payload; `None` when it is a handshake response instead.
    pub fn decode(payload: &[u8]) -> Result<Option<Self>, DecodeError> {
        let message = Self::decode_fields(&mut Reader::new(payload))?;
        let is_request = message.capabilities.contains(Capabilities::SSL) && payload.len() == Self::LEN;
        Ok(is_request.then_some(message))
    }

    fn decode_fields(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let low = r.int2()?;
        if !Capabilities::from_bits(u32::from(low)).contains(Capabilities::PROTOCOL_41) {
            return Err(DecodeError::Invalid {
                what: "capabilities without PROTOCOL_41",
                value: u64::from(low),
            });
        }
        let high = r.int2()?;
        let message = Self {
            capabilities: Capabilities::from_bits(u32::from(low) | u32::from(high) << 16),
            max_packet_size: r.int4()?,
            collation: r.int1()?,
        };
        r.skip(FILLER)?;
        Ok(message)
    }

    /// Encodes the payload.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.int4(self.capabilities.bits());
        w.int4(self.max_packet_size);
        w.int1(self.collation);
        w.zeros(FILLER);
    }
}
