//! The payload of a message that was read.

use std::{mem, ops::Deref};

use crate::{buffer::ReadBuffer, packet::HEADER_LEN};

/// A message's payload, owned. Its memory is the read buffer it arrived in, and goes back to the thread's pool.
#[derive(Debug)]
pub struct Payload(Memory);

#[derive(Debug)]
enum Memory {
    /// The filled bytes of a read buffer.
    Buffer(ReadBuffer),
    /// A message that was put together.
    Whole(Vec<u8>),
}

impl Payload {
    /// Takes the first packet of the filled bytes, which must be whole; what follows it stays in `input`.
    pub(super) fn take_from(input: &mut ReadBuffer, len: usize) -> Self {
        let mut buffer = mem::take(input);
        buffer.consume(HEADER_LEN);
        if let Some(following) = buffer.filled().get(len..)
            && !following.is_empty()
        {
            input.append(following);
            buffer.truncate(len);
        }
        Self(Memory::Buffer(buffer))
    }
}

/// A message of several packets while it arrives. Its memory grows with what has come, not with what headers announce.
#[derive(Debug, Default)]
pub(super) struct Partial {
    pub(super) bytes: Vec<u8>,
    /// Bytes of the current packet that have not arrived yet.
    pub(super) missing: usize,
    /// The current packet is the message's last one.
    pub(super) is_last: bool,
}

impl Partial {
    /// Moves the current packet's bytes out of what was read.
    pub(super) fn take_from(&mut self, input: &mut ReadBuffer) {
        let filled = input.filled();
        let now = filled.get(..self.missing.min(filled.len())).unwrap_or_default();
        let len = now.len();
        self.bytes.extend_from_slice(now);
        self.missing -= len;
        input.consume(len);
    }
}

impl From<Vec<u8>> for Payload {
    fn from(whole: Vec<u8>) -> Self {
        Self(Memory::Whole(whole))
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Memory::Buffer(buffer) => buffer.filled(),
            Memory::Whole(whole) => whole,
        }
    }
}
