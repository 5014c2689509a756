//! EOF packet: ends column definitions and rows for clients without DEPRECATE_EOF.

use super::auth_exchange::expect_header;
use crate::{
    StatusFlags,
    error::DecodeError,
    packet::{Reader, Writer},
};

/// An EOF packet of the 4.1 protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EofPacket {
    /// Number of warnings.
    pub warnings: u16,
    /// The session's status.
    pub status: StatusFlags,
}

impl EofPacket {
    /// First byte of the payload.
    pub const HEADER: u8 = 0xfe;

    /// Payloads that start with 0xFE are EOF packets only when shorter than this.
    pub const MAX_LEN: usize = 9;

    /// Decodes the payload.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(payload);
        expect_header(&mut r, Self::HEADER, "EOF packet")?;
        Ok(Self {
            warnings: r.int2()?,
            status: StatusFlags::from_bits(r.int2()?),
        })
    }

    /// Encodes the payload.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.int1(Self::HEADER);
        w.int2(self.warnings);
        w.int2(self.status.bits());
    }
}
