//! ERR packet.

use std::borrow::Cow;

use super::auth_exchange::expect_header;
use crate::{
    Capabilities, SqlError,
    error::{DecodeError, sql_state},
    packet::{Reader, Writer},
};

/// An error packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrPacket<'a> {
    /// MySQL's error number.
    pub code: u16,
    /// The SQLSTATE; packets sent before the handshake is over have none.
    pub state: Option<[u8; 5]>,
    /// The message.
    pub message: &'a [u8],
}

impl<'a> ErrPacket<'a> {
    /// First byte of the payload.
    pub const HEADER: u8 = 0xff;

    /// Decodes the payload.
    pub fn decode(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(payload);
        expect_header(&mut r, Self::HEADER, "ERR packet")?;
        let code = r.int2()?;
        let state = if r.peek() == Some(b'#') && r.remaining() >= 6 {
            r.skip(1)?;
            Some(r.array()?)
        } else {
            None
        };
        Ok(Self {
            code,
            state,
            message: r.rest(),
        })
    }

    /// Encodes the payload; the SQLSTATE is written for peers of the 4.1 protocol.
    pub fn encode(&self, capabilities: Capabilities, w: &mut Writer<'_>) {
        w.int1(Self::HEADER);
        w.int2(self.code);
        if capabilities.contains(Capabilities::PROTOCOL_41) {
            w.int1(b'#');
            w.bytes(&self.state.unwrap_or_else(|| sql_state(self.code)));
        }
        w.bytes(self.message);
    }

    /// The error as an owned value.
    #[must_use]
    pub fn to_sql_error(self) -> SqlError {
        SqlError {
            code: self.code,
            state: self.state.unwrap_or_else(|| sql_state(self.code)),
            message: Cow::Owned(self.message.to_vec()),
        }
    }
}

impl<'a> From<&'a SqlError> for ErrPacket<'a> {
    fn from(error: &'a SqlError) -> Self {
        Self {
            code: error.code,
            state: Some(error.state),
            message: &error.message,
        }
    }
}
