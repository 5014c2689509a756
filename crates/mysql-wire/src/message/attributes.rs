//! Connection attributes: pairs of names and values in handshake response and COM_CHANGE_USER.

use crate::{
    error::DecodeError,
    packet::{Reader, Writer},
};

/// The attributes as they lie in the packet, checked to be whole pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes<'a> {
    pairs: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// Decodes `string<lenenc>` of pairs; nothing left to read means no attributes, since some clients leave them out.
    pub fn decode(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        if r.is_empty() {
            return Ok(Self::default());
        }
        let pairs = r.lenenc_bytes()?;
        let mut check = Reader::new(pairs);
        while !check.is_empty() {
            check.lenenc_bytes()?;
            check.lenenc_bytes()?;
        }
        Ok(Self { pairs })
    }

    /// Bytes that the pairs take in the packet.
    #[must_use]
    pub const fn wire_len(&self) -> usize {
        self.pairs.len()
    }

    /// Names and values in the order of the packet.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let mut r = Reader::new(self.pairs);
        std::iter::from_fn(move || Some((r.lenenc_bytes().ok()?, r.lenenc_bytes().ok()?)))
    }

    /// Encodes the pairs with their total length.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.lenenc_bytes(self.pairs);
    }
}

/// Encodes `pairs` with their total length, as [`Attributes::decode`] reads them.
pub fn encode_attributes<'p>(w: &mut Writer<'_>, pairs: impl IntoIterator<Item = (&'p [u8], &'p [u8])>) {
    let mut body = bytes::BytesMut::new();
    let mut pair_writer = Writer::new(&mut body);
    for (name, value) in pairs {
        pair_writer.lenenc_bytes(name);
        pair_writer.lenenc_bytes(value);
    }
    w.lenenc_bytes(&body);
}
