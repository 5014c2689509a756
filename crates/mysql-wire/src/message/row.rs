//! Rows of the text and the binary protocol, values as bytes.

use crate::{
    error::DecodeError,
    packet::{Reader, Writer},
};

/// Decodes a text row value by value; `None` is NULL.
#[derive(Debug, Clone)]
pub struct TextRow<'a> {
    reader: Reader<'a>,
}

impl<'a> TextRow<'a> {
    /// A row over the payload of its packet.
    #[must_use]
    pub const fn new(payload: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(payload),
        }
    }
}

impl<'a> Iterator for TextRow<'a> {
    type Item = Result<Option<&'a [u8]>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let value = self.reader.lenenc_bytes_or_null();
        if value.is_err() {
            self.reader.rest();
        }
        Some(value)
    }
}

/// Encodes a text row.
pub fn encode_text_row<'v>(w: &mut Writer<'_>, values: impl IntoIterator<Item = Option<&'v [u8]>>) {
    for value in values {
        w.lenenc_bytes_or_null(value);
    }
}

/// Writes a row of the binary protocol: header and null bitmap first, then each value that is not NULL.
#[derive(Debug)]
pub struct BinaryRowWriter<'w, 'b> {
    writer: &'w mut Writer<'b>,
    start: usize,
}

impl<'w, 'b> BinaryRowWriter<'w, 'b> {
    /// Bits of the bitmap before the first column's.
    const BITMAP_OFFSET: usize = 2;

    /// Starts a row of `columns` columns.
    #[must_use]
    pub fn new(writer: &'w mut Writer<'b>, columns: usize) -> Self {
        let start = writer.len();
        writer.int1(0);
        writer.zeros((columns + Self::BITMAP_OFFSET).div_ceil(8));
        Self { writer, start }
    }

    /// Marks a column as NULL.
    pub fn null(&mut self, column: usize) {
        let bit = column + Self::BITMAP_OFFSET;
        if let Some(byte) = self.writer.written_mut().get_mut(self.start + 1 + bit / 8) {
            *byte |= 1 << (bit % 8);
        }
    }

    /// Where the next value's bytes go, in the encoding of its column type.
    pub fn value(&mut self) -> &mut Writer<'b> {
        self.writer
    }
}
