//! Writes the protocol's basic types, and frames payloads into packets.

use bytes::{BufMut, BytesMut};

use super::{HEADER_LEN, Header, MAX_PAYLOAD};

/// Writes the protocol's basic types at the end of a buffer.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut BytesMut,
    start: usize,
}

impl<'a> Writer<'a> {
    /// A writer that appends to `out`.
    #[must_use]
    pub fn new(out: &'a mut BytesMut) -> Self {
        let start = out.len();
        Self { out, start }
    }

    /// Bytes written by this writer.
    #[must_use]
    pub fn len(&self) -> usize {
        self.out.len() - self.start
    }

    /// Whether nothing was written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What this writer wrote, to change it afterwards (null bitmaps).
    pub fn written_mut(&mut self) -> &mut [u8] {
        self.out.get_mut(self.start..).unwrap_or_default()
    }

    /// Makes room for `additional` bytes.
    pub fn reserve(&mut self, additional: usize) {
        self.out.reserve(additional);
    }

    /// Raw bytes (`string<EOF>`, `string<fix>`).
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.out.put_slice(bytes);
    }

    /// `count` zero bytes.
    pub fn zeros(&mut self, count: usize) {
        self.out.put_bytes(0, count);
    }

    /// `int<1>`.
    pub fn int1(&mut self, value: u8) {
        self.out.put_u8(value);
    }

    /// `int<2>`, little endian.
    pub fn int2(&mut self, value: u16) {
        self.out.put_u16_le(value);
    }

    /// `int<3>`, little endian; the low 24 bits of `value`.
    pub fn int3(&mut self, value: u32) {
        let [a, b, c, _] = value.to_le_bytes();
        self.out.put_slice(&[a, b, c]);
    }

    /// `int<4>`, little endian.
    pub fn int4(&mut self, value: u32) {
        self.out.put_u32_le(value);
    }

    /// `int<8>`, little endian.
    pub fn int8(&mut self, value: u64) {
        self.out.put_u64_le(value);
    }

    /// `int<lenenc>` in its shortest form.
    pub fn lenenc_int(&mut self, value: u64) {
        let bytes = value.to_le_bytes();
        let [a, b, c, ..] = bytes;
        match value {
            0..=0xfa => self.out.put_u8(a),
            0xfb..=0xffff => self.out.put_slice(&[0xfc, a, b]),
            0x1_0000..=0xff_ffff => self.out.put_slice(&[0xfd, a, b, c]),
            _ => {
                self.out.put_u8(0xfe);
                self.out.put_slice(&bytes);
            }
        }
    }

    /// `string<lenenc>`.
    pub fn lenenc_bytes(&mut self, bytes: &[u8]) {
        self.lenenc_int(bytes.len() as u64);
        self.out.put_slice(bytes);
    }

    /// `string<lenenc>`, or the byte 0xFB for NULL, as in text rows.
    pub fn lenenc_bytes_or_null(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.lenenc_bytes(bytes),
            None => self.out.put_u8(0xfb),
        }
    }

    /// `string<NUL>`. The caller sees to it that `bytes` hold no zero byte.
    pub fn nul_bytes(&mut self, bytes: &[u8]) {
        self.out.put_slice(bytes);
        self.out.put_u8(0);
    }
}

/// Appends one message to `out` as a packet, or as several when the payload is [`MAX_PAYLOAD`] bytes or longer.
///
/// `payload` writes the payload; `seq` is the packet's sequence id and is moved on past the last packet written.
pub fn write_packet(out: &mut BytesMut, seq: &mut u8, payload: impl FnOnce(&mut Writer<'_>)) {
    let start = out.len();
    out.put_slice(&[0; HEADER_LEN]);
    payload(&mut Writer::new(out));
    let len = out.len() - start - HEADER_LEN;
    if len >= MAX_PAYLOAD {
        let whole = out.split_off(start + HEADER_LEN);
        out.truncate(start);
        put_packet(out, seq, &whole);
        return;
    }
    let header = Header { len, seq: *seq }.encode();
    if let Some(place) = out.get_mut(start..start + HEADER_LEN) {
        place.copy_from_slice(&header);
    }
    *seq = seq.wrapping_add(1);
}

/// Appends a payload that exists already, as one packet or as several.
pub fn put_packet(out: &mut BytesMut, seq: &mut u8, mut payload: &[u8]) {
    out.reserve(payload.len() + HEADER_LEN * (1 + payload.len() / MAX_PAYLOAD));
    loop {
        let (part, rest) = payload.split_at(payload.len().min(MAX_PAYLOAD));
        out.put_slice(
            &Header {
                len: part.len(),
                seq: *seq,
            }
            .encode(),
        );
        out.put_slice(part);
        *seq = seq.wrapping_add(1);
        if part.len() < MAX_PAYLOAD {
            return;
        }
        payload = rest;
    }
}
