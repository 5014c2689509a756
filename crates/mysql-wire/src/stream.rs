//! Packets over a transport.
//!
//! There are two ways to read: whole messages ([`PacketStream::read_packet`]), or raw bytes that the caller scans and forwards
//! ([`PacketStream::fill`], [`PacketStream::buffered`], [`PacketStream::consume`]). Writing collects packets until
//! [`PacketStream::flush`]. A connection that waits for its peer with nothing in flight holds no buffers.

mod compression;
mod payload;

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub use self::payload::Payload;
use self::{compression::Compression, payload::Partial};
use crate::{
    buffer::{self, ReadBuffer},
    compress::{Algorithm, Codec, Side},
    error::Error,
    packet::{Frame, HEADER_LEN, Header, Writer, put_packet, write_packet},
    transport::Transport,
};

/// Reads and writes packets on a transport, compressed if agreed on.
#[derive(Debug)]
pub struct PacketStream {
    transport: Transport,
    input: ReadBuffer,
    /// A message of several packets of which some have arrived.
    partial: Option<Box<Partial>>,
    output: BytesMut,
    /// Bytes of `output` that were written already.
    written: usize,
    seq: u8,
    max_payload: usize,
    compression: Option<Box<Compression>>,
}

impl PacketStream {
    /// A stream whose messages may have at most `max_payload` bytes (`max_allowed_packet`).
    #[must_use]
    pub fn new(transport: Transport, max_payload: usize) -> Self {
        Self {
            transport,
            input: ReadBuffer::default(),
            partial: None,
            output: BytesMut::new(),
            written: 0,
            seq: 0,
            max_payload,
            compression: None,
        }
    }

    /// The transport below.
    #[must_use]
    pub const fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The transport below, to wait for it or to check that it is open.
    pub const fn transport_mut(&mut self) -> &mut Transport {
        &mut self.transport
    }

    /// Gives up the stream and returns its transport. Fails when bytes were read that nobody has used.
    pub fn into_transport(self) -> Result<Transport, Error> {
        if self.input.is_empty() {
            Ok(self.transport)
        } else {
            Err(Error::Unexpected("bytes before the TLS handshake"))
        }
    }

    /// Changes the longest message that may be read, in bytes.
    pub const fn set_max_payload(&mut self, max_payload: usize) {
        self.max_payload = max_payload;
    }

    /// Switches compression on, as the last step of a handshake that agreed on it.
    pub fn start_compression(&mut self, algorithm: Algorithm, side: Side) {
        self.compression = Some(Box::new(Compression::new(Codec::new(algorithm, side))));
    }

    /// The agreed compression.
    #[must_use]
    pub fn compression(&self) -> Option<Algorithm> {
        self.compression
            .as_ref()
            .map(|compression| compression.algorithm())
    }

    /// Sequence id of the next packet in either direction.
    #[must_use]
    pub const fn seq(&self) -> u8 {
        self.seq
    }

    /// Sets the sequence id of the next packet in either direction.
    pub const fn set_seq(&mut self, seq: u8) {
        self.seq = seq;
    }

    /// Starts a new command: sequence ids begin at 0 again.
    pub fn start_command(&mut self) {
        self.seq = 0;
        if let Some(compression) = &mut self.compression {
            compression.start_command(&mut self.output);
        }
    }

    // Reading raw bytes.

    /// Bytes that were read and not yet consumed.
    #[must_use]
    pub fn buffered(&self) -> &[u8] {
        self.input.filled()
    }

    /// The same bytes, to patch sequence ids before they are forwarded.
    pub fn buffered_mut(&mut self) -> &mut [u8] {
        self.input.filled_mut()
    }

    /// Drops `len` bytes from the front of the buffered bytes. Once all are dropped the buffer goes back to the thread.
    pub fn consume(&mut self, len: usize) {
        self.input.consume(len);
        self.input.release_if_empty();
    }

    /// The packet at the front of the buffered bytes, if it is there as a whole.
    #[must_use]
    pub fn next_packet(&self) -> Option<Frame<'_>> {
        Frame::decode(self.input.filled())
    }

    /// Reads more bytes behind the buffered ones and returns how many; 0 means that the peer has closed.
    pub fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Error>> {
        match &mut self.compression {
            Some(compression) => compression.poll_fill(cx, &mut self.transport, &mut self.input),
            None => poll_read(cx, &mut self.transport, &mut self.input, usize::MAX).map_err(Error::from),
        }
    }

    /// Reads more bytes behind the buffered ones and returns how many. [`Error::Closed`] when the peer has closed.
    pub async fn fill(&mut self) -> Result<usize, Error> {
        match poll_fn(|cx| self.poll_fill(cx)).await? {
            0 => Err(Error::Closed),
            len => Ok(len),
        }
    }

    // Reading messages.

    /// Reads one message and moves the sequence id past it.
    ///
    /// Messages of several packets are put together. [`Error::Closed`] when the peer closed between two messages. The future may
    /// be dropped at any time: what was read is kept for the next call.
    pub async fn read_packet(&mut self) -> Result<Payload, Error> {
        poll_fn(|cx| self.poll_packet(cx)).await
    }

    /// As [`PacketStream::read_packet`], for callers that poll several connections.
    pub fn poll_packet(&mut self, cx: &mut Context<'_>) -> Poll<Result<Payload, Error>> {
        loop {
            if let Some(payload) = self.take_packet()? {
                return Poll::Ready(Ok(payload));
            }
            if ready!(self.poll_fill(cx))? == 0 {
                return Poll::Ready(Err(self.end_of_stream()));
            }
        }
    }

    /// Reads one message of a handshake, and no byte after it: what follows may be TLS or compressed.
    pub(crate) async fn read_packet_exactly(&mut self) -> Result<Payload, Error> {
        loop {
            if let Some(payload) = self.take_packet()? {
                return Ok(payload);
            }
            let filled = self.input.filled();
            let wanted = Header::decode(filled).map_or(HEADER_LEN, |header| HEADER_LEN + header.len);
            let missing = wanted.saturating_sub(filled.len());
            let read = |cx: &mut Context<'_>| poll_read(cx, &mut self.transport, &mut self.input, missing);
            if poll_fn(read).await? == 0 {
                return Err(self.end_of_stream());
            }
        }
    }

    /// Takes the message at the front of what was read, if it is whole.
    fn take_packet(&mut self) -> Result<Option<Payload>, Error> {
        loop {
            if let Some(partial) = &mut self.partial {
                partial.take_from(&mut self.input);
                if partial.missing > 0 {
                    return Ok(None);
                }
                if partial.is_last {
                    return Ok(self.partial.take().map(|partial| Payload::from(partial.bytes)));
                }
            }
            let filled = self.input.filled();
            let Some(header) = Header::decode(filled) else {
                return Ok(None);
            };
            // Compressed frames have ids of their own, and MySQL sets the ids of the packets inside to those at every flush.
            let before = self.partial.as_ref().map_or(0, |partial| partial.bytes.len());
            let refused = if header.seq != self.seq && self.compression.is_none() {
                Some(Error::Sequence {
                    expected: self.seq,
                    got: header.seq,
                })
            } else if before + header.len > self.max_payload {
                Some(Error::TooLarge {
                    limit: self.max_payload,
                })
            } else {
                None
            };
            if let Some(error) = refused {
                // An ERR packet in answer has the id that the peer waits for.
                self.seq = header.seq.wrapping_add(1);
                return Err(error);
            }
            if header.is_continued() || self.partial.is_some() {
                self.input.consume(HEADER_LEN);
                let partial = self.partial.get_or_insert_default();
                (partial.missing, partial.is_last) = (header.len, !header.is_continued());
            } else if filled.len() < HEADER_LEN + header.len {
                return Ok(None);
            }
            self.seq = header.seq.wrapping_add(1);
            if self.partial.is_none() {
                return Ok(Some(Payload::take_from(&mut self.input, header.len)));
            }
        }
    }

    /// The peer has closed: orderly between two messages, else an I/O error.
    fn end_of_stream(&self) -> Error {
        if self.input.is_empty() && self.partial.is_none() {
            Error::Closed
        } else {
            Error::Io(io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// Reads to the end of a message that was refused as too large, and drops it.
    ///
    /// Only then does the peer read the error, and only then does closing the socket not reset the connection.
    pub async fn skip_message(&mut self) -> Result<(), Error> {
        self.partial = None;
        loop {
            let Some(header) = Header::decode(self.input.filled()) else {
                self.fill().await?;
                continue;
            };
            let mut missing = HEADER_LEN + header.len;
            while missing > 0 {
                if self.input.is_empty() {
                    self.fill().await?;
                }
                let now = missing.min(self.input.filled().len());
                self.input.consume(now);
                missing -= now;
            }
            self.seq = header.seq.wrapping_add(1);
            if !header.is_continued() {
                return Ok(());
            }
        }
    }

    // Writing.

    /// Adds a message; it is sent by the next flush. Payloads of 16 MB and more become several packets.
    pub fn write_packet(&mut self, payload: &[u8]) {
        take_if_none(&mut self.output);
        put_packet(&mut self.output, &mut self.seq, payload);
    }

    /// Adds a message that `payload` writes in place; it is sent by the next flush.
    pub fn write_message(&mut self, payload: impl FnOnce(&mut Writer<'_>)) {
        take_if_none(&mut self.output);
        write_packet(&mut self.output, &mut self.seq, payload);
    }

    /// Adds bytes that are packets already, with their own sequence ids; they are sent by the next flush.
    pub fn write_raw(&mut self, packets: &[u8]) {
        take_if_none(&mut self.output);
        self.output.extend_from_slice(packets);
    }

    /// Bytes that wait for a flush.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.output.len() - self.written
    }

    /// Sends everything that was added.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if let Some(compression) = &mut self.compression {
            compression.pack(&mut self.output)?;
            ready!(compression.poll_write(cx, &mut self.transport))?;
        } else if !self.output.is_empty() {
            ready!(poll_write_all(
                cx,
                &mut self.transport,
                &self.output,
                &mut self.written
            ))?;
        }
        buffer::give_writing(std::mem::take(&mut self.output));
        self.written = 0;
        if self.transport.is_tls() {
            ready!(Pin::new(&mut self.transport).poll_flush(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Sends everything that was added.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Sends what was added before, then `packets`, which are copied only if the connection is compressed or they are few.
    ///
    /// If the future is dropped, some of `packets` may have been sent: the connection must be closed then.
    ///
    /// For long results: memory stays bounded by the chunk, and a slow client holds up its backend.
    pub async fn send_raw(&mut self, packets: &[u8]) -> Result<(), Error> {
        if self.compression.is_some() || self.unsent() > 0 && packets.len() < MIN_DIRECT {
            self.write_raw(packets);
            return self.flush().await;
        }
        self.flush().await?;
        let mut sent = 0;
        poll_fn(|cx| poll_write_all(cx, &mut self.transport, packets, &mut sent)).await?;
        self.flush().await
    }

    /// Sends what was added and closes the sending side, for TLS with a close notification.
    pub async fn shutdown(&mut self) -> Result<(), Error> {
        self.flush().await?;
        Ok(poll_fn(|cx| Pin::new(&mut self.transport).poll_shutdown(cx)).await?)
    }
}

/// Shorter chunks are copied behind unsent bytes, which spares a system call.
const MIN_DIRECT: usize = 8 * 1024;

fn take_if_none(output: &mut BytesMut) {
    if output.capacity() == 0 {
        *output = buffer::take_writing();
    }
}

/// Reads once into the buffer's room, at most `limit` bytes; holds no memory while it waits with an empty buffer.
fn poll_read(
    cx: &mut Context<'_>,
    transport: &mut Transport,
    input: &mut ReadBuffer,
    limit: usize,
) -> Poll<io::Result<usize>> {
    let room = input.room();
    let len = room.len().min(limit);
    let mut room = ReadBuf::new(room.get_mut(..len).unwrap_or_default());
    match Pin::new(transport).poll_read(cx, &mut room) {
        Poll::Ready(Ok(())) => {
            let len = room.filled().len();
            input.fill(len);
            Poll::Ready(Ok(len))
        }
        Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        Poll::Pending => {
            input.release_if_empty();
            Poll::Pending
        }
    }
}

/// Writes all of `bytes` from `written` on.
fn poll_write_all(
    cx: &mut Context<'_>,
    transport: &mut Transport,
    bytes: &[u8],
    written: &mut usize,
) -> Poll<io::Result<()>> {
    while let Some(rest) = bytes.get(*written..)
        && !rest.is_empty()
    {
        match ready!(Pin::new(&mut *transport).poll_write(cx, rest))? {
            0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            len => *written += len,
        }
    }
    Poll::Ready(Ok(()))
}

#[cfg(test)]
mod tests;
