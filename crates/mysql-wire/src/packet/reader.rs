//! A fallible cursor over the bytes of one payload.

use crate::error::DecodeError;

/// Reads the protocol's basic types from a payload, front to back. A failed read leaves the position where it was.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    pos: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, pos: 0 }
    }

    /// Bytes read so far.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.pos
    }

    /// Bytes left.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.bytes.len() - self.pos
    }

    /// Whether everything was read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// The next byte, without taking it.
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    /// The bytes left, without taking them.
    #[must_use]
    pub fn as_slice(&self) -> &'a [u8] {
        self.bytes.get(self.pos..).unwrap_or_default()
    }

    /// Takes `len` bytes.
    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let taken = self.as_slice().get(..len).ok_or(DecodeError::Truncated {
            at: self.pos,
            needed: len,
            left: self.remaining(),
        })?;
        self.pos += len;
        Ok(taken)
    }

    /// Takes exactly `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let taken = *self.as_slice().first_chunk::<N>().ok_or(DecodeError::Truncated {
            at: self.pos,
            needed: N,
            left: self.remaining(),
        })?;
        self.pos += N;
        Ok(taken)
    }

    /// Passes over `len` bytes.
    pub fn skip(&mut self, len: usize) -> Result<(), DecodeError> {
        self.bytes(len).map(drop)
    }

    /// Takes all bytes that are left (`string<EOF>`).
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = self.as_slice();
        self.pos = self.bytes.len();
        rest
    }

    /// `int<1>`.
    pub fn int1(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// `int<2>`, little endian.
    pub fn int2(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_le_bytes)
    }

    /// `int<3>`, little endian.
    pub fn int3(&mut self) -> Result<u32, DecodeError> {
        self.array().map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    /// `int<4>`, little endian.
    pub fn int4(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_le_bytes)
    }

    /// `int<8>`, little endian.
    pub fn int8(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_le_bytes)
    }

    /// `int<lenenc>`. The first bytes 0xFB (NULL in rows) and 0xFF (ERR) start no integer and are errors.
    pub fn lenenc_int(&mut self) -> Result<u64, DecodeError> {
        let start = *self;
        let value = match self.int1()? {
            byte @ ..=0xfa => Ok(u64::from(byte)),
            0xfc => self.int2().map(u64::from),
            0xfd => self.int3().map(u64::from),
            0xfe => self.int8(),
            first => Err(DecodeError::BadLength { at: start.pos, first }),
        };
        if value.is_err() {
            *self = start;
        }
        value
    }

    /// `string<lenenc>`.
    pub fn lenenc_bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let start = *self;
        let len = self.lenenc_int()?;
        let taken = usize::try_from(len)
            .map_err(|_| DecodeError::Truncated {
                at: start.pos,
                needed: usize::MAX,
                left: start.remaining(),
            })
            .and_then(|len| self.bytes(len));
        if taken.is_err() {
            *self = start;
        }
        taken
    }

    /// `string<lenenc>` where the first byte 0xFB stands for NULL, as in text rows.
    pub fn lenenc_bytes_or_null(&mut self) -> Result<Option<&'a [u8]>, DecodeError> {
        if self.peek() == Some(0xfb) {
            self.pos += 1;
            return Ok(None);
        }
        self.lenenc_bytes().map(Some)
    }

    /// `string<NUL>`: takes the bytes before the next zero byte, and passes over that byte.
    pub fn nul_bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let rest = self.as_slice();
        let len = memchr::memchr(0, rest).ok_or(DecodeError::NoTerminator { at: self.pos })?;
        self.pos += len + 1;
        Ok(rest.get(..len).unwrap_or_default())
    }

    /// Fails when bytes are left over.
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.remaining() {
            0 => Ok(()),
            left => Err(DecodeError::Trailing { at: self.pos, left }),
        }
    }
}
