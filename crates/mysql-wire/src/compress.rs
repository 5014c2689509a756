//! MySQL's compressed packets as a codec without I/O.
//!
//! After a handshake that agrees on compression every byte of both directions travels in frames of their own: three
//! bytes of frame length, a sequence id that is independent of the packets inside, three bytes of plain length (0:
//! the content is not compressed), then the content. Frames and packets do not line up: a frame may hold many
//! packets or a part of one. Format: MySQL's documentation, "Compressed Packet".

mod zip;

#[cfg(test)]
mod tests;

use bytes::{BufMut, BytesMut};

/// Bytes of a frame's header.
pub const HEADER_LEN: usize = 7;

/// Largest content of one frame in bytes, compressed or plain: what three bytes can say.
pub const MAX_FRAME: usize = 0xff_ffff;

/// Shorter contents are sent plain, as MySQL does: a compressed frame would rarely be smaller.
pub const MIN_COMPRESSED: usize = 50;

/// Plain bytes that go into one written frame; bounds the scratch memory of a writer.
const WRITE_FRAME_PLAIN: usize = 1 << 20;

/// How the content of compressed frames is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// zlib streams (`CLIENT_COMPRESS`), at zlib's default level.
    Zlib,
    /// zstd frames (`CLIENT_ZSTD_COMPRESSION_ALGORITHM`).
    Zstd {
        /// zstd's level for what we write, 1 to 22; other values are clamped.
        level: i32,
    },
}

/// Which end of the connection a codec serves: it decides where sequence ids restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Reads commands (which start at sequence id 0) and writes answers.
    Server,
    /// Writes commands and reads answers (which start at sequence id 1).
    Client,
}

/// Why a compressed frame can't be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompressError {
    /// The peer skipped or repeated a frame.
    #[error("frames out of order: sequence id {got}, expected {expected}")]
    Sequence {
        /// The next id in order.
        expected: u8,
        /// What the frame's header says.
        got: u8,
    },
    /// The frame would unpack to more than the codec's limit.
    #[error("a frame of {plain} plain bytes exceeds the limit of {limit}")]
    TooLarge {
        /// Plain length by the header.
        plain: usize,
        /// The codec's limit.
        limit: usize,
    },
    /// The content is damaged, or its plain length differs from the header's.
    #[error("damaged {algorithm} content: {reason}")]
    Damaged {
        /// Name of the algorithm.
        algorithm: &'static str,
        /// What the decoder says.
        reason: String,
    },
    /// The compressor itself failed (out of memory).
    #[error("can't compress with {algorithm}: {reason}")]
    Compressor {
        /// Name of the algorithm.
        algorithm: &'static str,
        /// What the library says.
        reason: String,
    },
}

impl From<CompressError> for crate::Error {
    fn from(error: CompressError) -> Self {
        Self::Compression(error.to_string())
    }
}

/// What [`Codec::decode`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded {
    /// The input holds no whole frame: at least this many further bytes are needed.
    NeedMore(usize),
    /// One frame was unpacked.
    Frame {
        /// Bytes of the input that the frame took.
        consumed: usize,
        /// Plain bytes that were appended to the output.
        produced: usize,
    },
}

/// Packs and unpacks the frames of one connection. Holds a few bytes only: compressor states are shared by the
/// connections of a thread.
#[derive(Debug, Clone)]
pub struct Codec {
    algorithm: Algorithm,
    side: Side,
    sequence: u8,
    max_plain: usize,
}

impl Codec {
    /// A codec at the start of a command, with the largest limit that the format allows.
    #[must_use]
    pub const fn new(algorithm: Algorithm, side: Side) -> Self {
        Self {
            algorithm,
            side,
            sequence: 0,
            max_plain: MAX_FRAME,
        }
    }

    /// The algorithm that this codec was made for.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Refuses frames that would unpack to more than `bytes`.
    #[must_use]
    pub fn with_max_plain(mut self, bytes: usize) -> Self {
        self.max_plain = bytes.min(MAX_FRAME);
        self
    }

    /// A new command begins: the next frame written has sequence id 0.
    pub fn reset_sequence(&mut self) {
        self.sequence = 0;
    }

    /// Appends `plain` to `out` as one or more frames.
    ///
    /// # Errors
    /// [`CompressError::Compressor`] when the library fails; `out` may then hold earlier whole frames.
    pub fn encode(&mut self, plain: &[u8], out: &mut BytesMut) -> Result<(), CompressError> {
        for chunk in plain.chunks(WRITE_FRAME_PLAIN) {
            self.encode_frame(chunk, out)?;
        }
        Ok(())
    }

    fn encode_frame(&mut self, plain: &[u8], out: &mut BytesMut) -> Result<(), CompressError> {
        let header_at = out.len();
        out.put_bytes(0, HEADER_LEN);
        let packed = if plain.len() < MIN_COMPRESSED {
            None
        } else {
            zip::compress(self.algorithm, plain, out).inspect_err(|_| out.truncate(header_at))?
        };
        let (frame_len, plain_len) = match packed {
            Some(packed_len) => (packed_len, plain.len()),
            None => {
                out.put_slice(plain);
                (plain.len(), 0)
            }
        };
        if let Some(header) = out.get_mut(header_at..header_at + HEADER_LEN) {
            let ([f0, f1, f2], [p0, p1, p2]) = (three_bytes(frame_len), three_bytes(plain_len));
            header.copy_from_slice(&[f0, f1, f2, self.sequence, p0, p1, p2]);
        }
        self.sequence = self.sequence.wrapping_add(1);
        Ok(())
    }

    /// Unpacks the frame at the start of `input`, if it is whole, and appends its plain bytes to `out`.
    ///
    /// # Errors
    /// [`CompressError`] when the frame is out of order, too large or damaged: the connection can't go on.
    pub fn decode(&mut self, input: &[u8], out: &mut BytesMut) -> Result<Decoded, CompressError> {
        let Some((&[f0, f1, f2, sequence, p0, p1, p2], rest)) = input.split_first_chunk::<HEADER_LEN>()
        else {
            return Ok(Decoded::NeedMore(HEADER_LEN - input.len()));
        };
        let frame_len = from_three_bytes([f0, f1, f2]);
        let plain_len = from_three_bytes([p0, p1, p2]);
        let restart = match self.side {
            Side::Server => 0,
            Side::Client => 1,
        };
        // Pipelined commands and their answers restart the ids without a pause that we could see.
        if sequence != self.sequence && sequence != restart {
            return Err(CompressError::Sequence {
                expected: self.sequence,
                got: sequence,
            });
        }
        let produced = if plain_len == 0 { frame_len } else { plain_len };
        if produced > self.max_plain {
            return Err(CompressError::TooLarge {
                plain: produced,
                limit: self.max_plain,
            });
        }
        let Some(content) = rest.get(..frame_len) else {
            return Ok(Decoded::NeedMore(frame_len - rest.len()));
        };
        if plain_len == 0 {
            out.put_slice(content);
        } else {
            zip::decompress(self.algorithm, content, plain_len, out)?;
        }
        self.sequence = sequence.wrapping_add(1);
        Ok(Decoded::Frame {
            consumed: HEADER_LEN + frame_len,
            produced,
        })
    }
}

fn three_bytes(n: usize) -> [u8; 3] {
    let [a, b, c, ..] = n.to_le_bytes();
    [a, b, c]
}

fn from_three_bytes([a, b, c]: [u8; 3]) -> usize {
    usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16
}
