//! Handshake version 10: the server's greeting.

use super::auth_exchange::expect_header;
use crate::{
    Capabilities, StatusFlags,
    error::DecodeError,
    packet::{Reader, Writer},
};

/// Length of the nonce that native and caching_sha2 passwords are scrambled with, in bytes.
pub const NONCE_LEN: usize = 20;

/// The server's greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handshake<'a> {
    /// Version string of the server.
    pub server_version: &'a [u8],
    /// The connection's id.
    pub connection_id: u32,
    /// The nonce for the password scramble; holds no zero byte.
    pub nonce: [u8; NONCE_LEN],
    /// What the server offers.
    pub capabilities: Capabilities,
    /// Low byte of the server's default collation.
    pub collation: u8,
    /// The server's status.
    pub status: StatusFlags,
    /// The server's default authentication plugin.
    pub auth_plugin: &'a [u8],
}

impl<'a> Handshake<'a> {
    /// First byte of the payload: the protocol version.
    pub const HEADER: u8 = 10;

    /// Decodes the payload. Servers older than 4.1 are refused.
    pub fn decode(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(payload);
        expect_header(&mut r, Self::HEADER, "protocol version")?;
        let server_version = r.nul_bytes()?;
        let connection_id = r.int4()?;
        let nonce_start: [u8; 8] = r.array()?;
        r.skip(1)?;
        let low = r.int2()?;
        let collation = r.int1()?;
        let status = StatusFlags::from_bits(r.int2()?);
        let high = r.int2()?;
        let capabilities = Capabilities::from_bits(u32::from(low) | u32::from(high) << 16);
        let auth_data_len = r.int1()?;
        r.skip(10)?;
        // The rest of the nonce has at least 13 bytes, the last one a zero.
        let rest = r.bytes(usize::from(auth_data_len).saturating_sub(8).max(13))?;
        let mut nonce = [0; NONCE_LEN];
        let (start, end) = nonce.split_at_mut(nonce_start.len());
        start.copy_from_slice(&nonce_start);
        for (to, from) in end.iter_mut().zip(rest) {
            *to = *from;
        }
        let auth_plugin = if capabilities.contains(Capabilities::PLUGIN_AUTH) {
            // Servers before 5.5.10 forget the closing zero.
            let name = r.rest();
            name.strip_suffix(&[0]).unwrap_or(name)
        } else {
            b"mysql_native_password"
        };
        Ok(Self {
            server_version,
            connection_id,
            nonce,
            capabilities,
            collation,
            status,
            auth_plugin,
        })
    }

    /// Encodes the payload.
    pub fn encode(&self, w: &mut Writer<'_>) {
        let (start, end) = self.nonce.split_at(8);
        let [cap0, cap1, cap2, cap3] = self.capabilities.bits().to_le_bytes();
        w.int1(Self::HEADER);
        w.nul_bytes(self.server_version);
        w.int4(self.connection_id);
        w.nul_bytes(start);
        w.bytes(&[cap0, cap1]);
        w.int1(self.collation);
        w.int2(self.status.bits());
        w.bytes(&[cap2, cap3]);
        let has_plugin = self.capabilities.contains(Capabilities::PLUGIN_AUTH);
        w.int1(if has_plugin { NONCE_LEN as u8 + 1 } else { 0 });
        w.zeros(10);
        w.nul_bytes(end);
        if has_plugin {
            w.nul_bytes(self.auth_plugin);
        }
    }
}
