//! Messages between handshake response and OK: auth switch request and more auth data.
//!
//! The client's answers to them are bare payloads of the authentication plugin.

use crate::{
    error::DecodeError,
    packet::{Reader, Writer},
};

/// Asks the client to authenticate by another plugin (0xFE).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthSwitchRequest<'a> {
    /// Name of the plugin.
    pub plugin: &'a [u8],
    /// The plugin's data: a nonce, without its closing zero byte.
    pub data: &'a [u8],
}

impl<'a> AuthSwitchRequest<'a> {
    /// First byte of the payload.
    pub const HEADER: u8 = 0xfe;

    /// Decodes the payload. The short form of 0xFE alone (the plugin of MySQL before 4.1) is an error.
    pub fn decode(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(payload);
        expect_header(&mut r, Self::HEADER, "auth switch request")?;
        let plugin = r.nul_bytes()?;
        let data = r.rest();
        Ok(Self {
            plugin,
            data: data.strip_suffix(&[0]).unwrap_or(data),
        })
    }

    /// Encodes the payload.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.int1(Self::HEADER);
        w.nul_bytes(self.plugin);
        w.nul_bytes(self.data);
    }
}

/// Data of an authentication plugin (0x01).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthMoreData<'a> {
    /// The plugin's data.
    pub data: &'a [u8],
}

impl<'a> AuthMoreData<'a> {
    /// First byte of the payload.
    pub const HEADER: u8 = 0x01;

    /// Decodes the payload.
    pub fn decode(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(payload);
        expect_header(&mut r, Self::HEADER, "more auth data")?;
        Ok(Self { data: r.rest() })
    }

    /// Encodes the payload.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.int1(Self::HEADER);
        w.bytes(self.data);
    }
}

/// Takes the first byte, which must be `header`.
pub(super) fn expect_header(r: &mut Reader<'_>, header: u8, what: &'static str) -> Result<(), DecodeError> {
    match r.int1()? {
        byte if byte == header => Ok(()),
        byte => Err(DecodeError::Invalid {
            what,
            value: u64::from(byte),
        }),
    }
}
