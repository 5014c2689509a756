//! Buffers that connections borrow from their thread while they have something in flight.
//!
//! Thousands of idle connections hold none; busy ones take a used buffer instead of allocating.

use std::{cell::RefCell, mem};

use bytes::BytesMut;

/// Size of a fresh buffer in bytes.
const INITIAL: usize = 16 * 1024;
/// Larger buffers go back to the allocator.
const LARGEST_KEPT: usize = 64 * 1024;
/// Most buffers of a kind that a thread keeps.
const MOST_KEPT: usize = 64;

#[derive(Default)]
struct Pool {
    reading: Vec<Vec<u8>>,
    writing: Vec<BytesMut>,
}

thread_local! {
    static POOL: RefCell<Pool> = RefCell::default();
}

/// Takes an empty buffer for writing.
pub(crate) fn take_writing() -> BytesMut {
    POOL.try_with(|pool| pool.borrow_mut().writing.pop())
        .ok()
        .flatten()
        .unwrap_or_else(|| BytesMut::with_capacity(INITIAL))
}

/// Gives a buffer back; its content is dropped.
pub(crate) fn give_writing(mut buffer: BytesMut) {
    buffer.clear();
    if buffer.capacity() == 0 || buffer.capacity() > LARGEST_KEPT {
        return;
    }
    let _ = POOL.try_with(|pool| {
        let kept = &mut pool.borrow_mut().writing;
        if kept.len() < MOST_KEPT {
            kept.push(buffer);
        }
    });
}

/// Bytes that were read and not yet used, at `start..end` of initialised memory.
#[derive(Debug, Default)]
pub(crate) struct ReadBuffer {
    memory: Vec<u8>,
    start: usize,
    end: usize,
}

impl ReadBuffer {
    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(crate) fn filled(&self) -> &[u8] {
        self.memory.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn filled_mut(&mut self) -> &mut [u8] {
        self.memory.get_mut(self.start..self.end).unwrap_or_default()
    }

    /// Drops `len` bytes from the front.
    pub(crate) fn consume(&mut self, len: usize) {
        self.start = (self.start + len).min(self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Keeps only the first `len` filled bytes.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.end = self.end.min(self.start + len);
    }

    /// Free memory behind the filled bytes: takes, compacts or grows the buffer so that it is a good part of it.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.memory.is_empty() {
            self.memory = POOL
                .try_with(|pool| pool.borrow_mut().reading.pop())
                .ok()
                .flatten()
                .unwrap_or_else(|| vec![0; INITIAL]);
        }
        let wanted = self.memory.len() / 4;
        if self.memory.len() - self.end < wanted && self.start > 0 {
            self.memory.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.memory.len() - self.end < wanted {
            self.memory.resize(self.memory.len() * 2, 0);
        }
        self.memory.get_mut(self.end..).unwrap_or_default()
    }

    /// Counts `len` bytes of the room as filled.
    pub(crate) fn fill(&mut self, len: usize) {
        self.end = (self.end + len).min(self.memory.len());
    }

    /// Appends a copy of `bytes`.
    pub(crate) fn append(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.room();
            let (now, later) = bytes.split_at(bytes.len().min(room.len()));
            if let Some(place) = room.get_mut(..now.len()) {
                place.copy_from_slice(now);
            }
            self.fill(now.len());
            bytes = later;
        }
    }

    /// Gives the memory back when nothing is in it.
    pub(crate) fn release_if_empty(&mut self) {
        if self.is_empty() {
            drop(mem::take(self));
        }
    }
}

impl Drop for ReadBuffer {
    fn drop(&mut self) {
        let memory = mem::take(&mut self.memory);
        if memory.is_empty() || memory.len() > LARGEST_KEPT {
            return;
        }
        let _ = POOL.try_with(|pool| {
            let kept = &mut pool.borrow_mut().reading;
            if kept.len() < MOST_KEPT {
                kept.push(memory);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_out_in_order_while_the_buffer_moves() {
        let mut buffer = ReadBuffer::default();
        let (mut next_in, mut next_out) = (0u32, 0u32);
        for round in 0..500u32 {
            let chunk: Vec<u8> = (0..round * 7).map(|i| (next_in + i) as u8).collect();
            next_in += round * 7;
            buffer.append(&chunk);
            let take = buffer.filled().len() / 2;
            assert!(
                buffer.filled()[..take]
                    .iter()
                    .enumerate()
                    .all(|(i, &b)| b == (next_out + i as u32) as u8)
            );
            next_out += take as u32;
            buffer.consume(take);
        }
        assert_eq!(buffer.filled().len() as u32, next_in - next_out);
    }

    #[test]
    fn memory_goes_back_to_the_thread() {
        let kept = || POOL.with(|pool| pool.borrow().reading.len());
        let mut buffer = ReadBuffer::default();
        buffer.append(b"abc");
        buffer.release_if_empty();
        assert_eq!((buffer.filled(), kept()), (&b"abc"[..], 0));
        buffer.consume(3);
        buffer.release_if_empty();
        assert_eq!((buffer.memory.len(), kept()), (0, 1));
        buffer.append(b"d");
        assert_eq!(kept(), 0);
        // What grew beyond the limit does not stay.
        buffer.append(&vec![0; LARGEST_KEPT]);
        drop(buffer);
        assert_eq!(kept(), 0);
    }
}
