//! Packet framing: a header of three bytes length and one byte sequence id before each payload.
//!
//! A payload of 16 MB - 1 or more travels in several packets: each of [`MAX_PAYLOAD`] bytes says that another one follows, and the
//! last is shorter, possibly empty.

mod reader;
mod writer;

pub use reader::Reader;
pub use writer::{Writer, put_packet, write_packet};

/// Length of a packet header in bytes.
pub const HEADER_LEN: usize = 4;

/// The longest payload of one packet in bytes; a packet of this length is continued by the next one.
pub const MAX_PAYLOAD: usize = 0xff_ffff;

/// A decoded packet header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Length of the payload in bytes, at most [`MAX_PAYLOAD`].
    pub len: usize,
    /// Sequence id: starts at 0 with each command and wraps at 255.
    pub seq: u8,
}

impl Header {
    /// Decodes the header at the start of `bytes`; `None` when fewer than four bytes are there.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let &[a, b, c, seq] = bytes.first_chunk::<HEADER_LEN>()?;
        Some(Self {
            len: usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16,
            seq,
        })
    }

    /// The header's four bytes. A length above [`MAX_PAYLOAD`] is cut to its low 24 bits.
    #[must_use]
    pub fn encode(self) -> [u8; HEADER_LEN] {
        let [a, b, c, ..] = self.len.to_le_bytes();
        [a, b, c, self.seq]
    }

    /// Whether the payload goes on in the next packet.
    #[must_use]
    pub fn is_continued(self) -> bool {
        self.len == MAX_PAYLOAD
    }
}

/// A whole packet found at the start of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Sequence id of the packet.
    pub seq: u8,
    /// The payload without the header.
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The packet at the start of `bytes`, or `None` while it is not complete.
    #[must_use]
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let header = Header::decode(bytes)?;
        let payload = bytes.get(HEADER_LEN..HEADER_LEN + header.len)?;
        Some(Self {
            seq: header.seq,
            payload,
        })
    }

    /// Bytes that the packet takes, header included.
    #[must_use]
    pub fn wire_len(&self) -> usize {
        HEADER_LEN + self.payload.len()
    }

    /// Whether the payload goes on in the next packet.
    #[must_use]
    pub fn is_continued(&self) -> bool {
        self.payload.len() == MAX_PAYLOAD
    }
}

#[cfg(test)]
mod tests;
