//! The first packet of an answer to COM_QUERY or COM_STMT_EXECUTE: OK, ERR, a column count, or the request for a file.

use super::{EofPacket, ErrPacket, OkPacket, auth_exchange::expect_header};
use crate::{
    Capabilities,
    error::DecodeError,
    packet::{Reader, Writer},
};

/// The first packet of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstPacket<'a> {
    /// The statement has no result set.
    Ok(OkPacket<'a>),
    /// The statement failed.
    Err(ErrPacket<'a>),
    /// The server asks for a file's content (LOAD DATA LOCAL).
    LocalInfile(LocalInfile<'a>),
    /// A result set with this many columns follows.
    Columns(u64),
}

impl<'a> FirstPacket<'a> {
    /// Decodes the payload. The connection must not use OPTIONAL_RESULTSET_METADATA.
    pub fn decode(payload: &'a [u8], capabilities: Capabilities) -> Result<Self, DecodeError> {
        match payload.first() {
            Some(0x00) => OkPacket::decode(payload, capabilities).map(Self::Ok),
            // The answer to COM_SET_OPTION and COM_DEBUG.
            Some(0xfe) if capabilities.contains(Capabilities::DEPRECATE_EOF) => {
                OkPacket::decode(payload, capabilities).map(Self::Ok)
            }
            Some(0xfe) => EofPacket::decode(payload).map(|eof| Self::Ok(eof.into())),
            Some(&ErrPacket::HEADER) => ErrPacket::decode(payload).map(Self::Err),
            Some(&LocalInfile::HEADER) => LocalInfile::decode(payload).map(Self::LocalInfile),
            _ => {
                let mut r = Reader::new(payload);
                let count = r.lenenc_int()?;
                r.finish()?;
                Ok(Self::Columns(count))
            }
        }
    }
}

/// Encodes the first packet of a result set.
pub fn encode_column_count(count: u64, w: &mut Writer<'_>) {
    w.lenenc_int(count);
}

/// The server's request for a file of the client (0xFB).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalInfile<'a> {
    /// Name of the file as the statement gives it.
    pub file_name: &'a [u8],
}

impl<'a> LocalInfile<'a> {
    /// First byte of the payload.
    pub const HEADER: u8 = 0xfb;

    /// Decodes the payload.
    pub fn decode(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(payload);
        expect_header(&mut r, Self::HEADER, "LOCAL INFILE request")?;
        Ok(Self { file_name: r.rest() })
    }

    /// Encodes the payload.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.int1(Self::HEADER);
        w.bytes(self.file_name);
    }
}
