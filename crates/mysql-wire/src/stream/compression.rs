//! The compressed protocol between packets and transport.

use std::{
    io, mem,
    task::{Context, Poll, ready},
};

use bytes::BytesMut;

use super::{poll_read, poll_write_all};
use crate::{
    buffer::{self, ReadBuffer},
    compress::{Algorithm, Codec, Decoded},
    error::Error,
    transport::Transport,
};

/// Codec and frames of one connection.
#[derive(Debug)]
pub(super) struct Compression {
    codec: Codec,
    /// Frames that were read and not yet unpacked.
    input: ReadBuffer,
    /// Frames to be written.
    output: BytesMut,
    written: usize,
    /// An error that the next flush reports.
    failed: Option<Error>,
}

impl Compression {
    pub(super) fn new(codec: Codec) -> Self {
        Self {
            codec,
            input: ReadBuffer::default(),
            output: BytesMut::new(),
            written: 0,
            failed: None,
        }
    }

    pub(super) const fn algorithm(&self) -> Algorithm {
        self.codec.algorithm()
    }

    /// Ends the frame of what was written before: a server drops the rest of a frame when it answers to the command at
    /// its front (seen with MySQL 9.7), so each command of a pipeline needs frames of its own.
    pub(super) fn start_command(&mut self, packets: &mut BytesMut) {
        if let Err(error) = self.pack(packets) {
            self.failed = Some(error);
        }
        self.codec.reset_sequence();
    }

    /// Reads until a frame with content is whole, and unpacks all whole frames into `plain`.
    pub(super) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        transport: &mut Transport,
        plain: &mut ReadBuffer,
    ) -> Poll<Result<usize, Error>> {
        loop {
            let unpacked = self.unpack(plain)?;
            if unpacked > 0 {
                return Poll::Ready(Ok(unpacked));
            }
            if ready!(poll_read(cx, transport, &mut self.input, usize::MAX))? == 0 {
                return Poll::Ready(if self.input.is_empty() {
                    Ok(0)
                } else {
                    Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
                });
            }
        }
    }

    fn unpack(&mut self, plain: &mut ReadBuffer) -> Result<usize, Error> {
        if self.input.is_empty() {
            return Ok(0);
        }
        let mut content = buffer::take_writing();
        let mut unpacked = 0;
        while let Decoded::Frame { consumed, produced } =
            self.codec.decode(self.input.filled(), &mut content)?
        {
            self.input.consume(consumed);
            unpacked += produced;
            plain.append(&content);
            content.clear();
        }
        buffer::give_writing(content);
        Ok(unpacked)
    }

    /// Moves packets into frames.
    pub(super) fn pack(&mut self, packets: &mut BytesMut) -> Result<(), Error> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if packets.is_empty() {
            return Ok(());
        }
        if self.output.capacity() == 0 {
            self.output = buffer::take_writing();
        }
        self.codec.encode(packets, &mut self.output)?;
        packets.clear();
        Ok(())
    }

    /// Writes all frames.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        transport: &mut Transport,
    ) -> Poll<io::Result<()>> {
        ready!(poll_write_all(cx, transport, &self.output, &mut self.written))?;
        buffer::give_writing(mem::take(&mut self.output));
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}
