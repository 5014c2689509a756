//! Finds, in the raw bytes of a server's answer, what can be forwarded as it is and which packets must be looked at.
//!
//! Column definitions and rows pass through untouched; OK, EOF and ERR packets carry the state of the backend's session, so a
//! gateway decodes and rebuilds them. The scanner visits packet headers only: it never copies rows, works across any split of the
//! stream into chunks, and leaves bytes that it cannot judge yet in the caller's buffer.
//!
//! ```
//! # use mysql_wire::{Capabilities, relay::{Event, Expect, Relay}};
//! let mut relay = Relay::new(Expect::Result, Capabilities::DEPRECATE_EOF);
//! let chunk = [1, 0, 0, 1, 0 /* an OK packet, shortened */];
//! let scan = relay.scan(&chunk[..3])?;
//! assert_eq!((scan.forward, scan.event), (0, None));
//! # Ok::<(), mysql_wire::DecodeError>(())
//! ```

use crate::{
    Capabilities, StatusFlags,
    error::DecodeError,
    message::{EofPacket, ErrPacket, FirstPacket, OkPacket, PrepareOk},
    packet::{HEADER_LEN, Header, MAX_PAYLOAD},
};

/// Which answer is relayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Of COM_QUERY and COM_STMT_EXECUTE: OK, ERR or result sets, perhaps several; also OK or ERR of other commands.
    Result,
    /// Of COM_STMT_FETCH (rows) and COM_FIELD_LIST (column definitions): packets until an end or ERR.
    Rows,
    /// Of COM_STMT_PREPARE: definitions of parameters and columns after the first packet.
    Prepare,
}

/// A packet that must be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// OK without a result set.
    Ok,
    /// ERR; the answer ends with it.
    Err,
    /// The server asks for a file: the client's packets go to it, then its answer goes on.
    LocalInfile,
    /// The first packet of a successful COM_STMT_PREPARE.
    PrepareOk,
    /// The OK or EOF packet after the last row, or after the definitions when a cursor was opened.
    RowsEnd,
}

/// What a scan found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scan {
    /// So many bytes at the start are to be forwarded as they are. Forward and consume them in any case.
    pub forward: usize,
    /// The packet that follows them; `None` when more bytes are needed first, or when the answer is done ([`Relay::is_done`]): one
    /// of COM_STMT_PREPARE may end with a definition.
    pub event: Option<Event>,
    /// Length of that packet with its header in bytes: it lies at `forward..forward + packet_len` and is the caller's to consume.
    pub packet_len: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The first packet of an answer, or of the next one after MORE_RESULTS.
    First,
    /// The first packet of an answer to COM_STMT_PREPARE.
    Prepare,
    /// Definitions, so many of them still to come.
    Definitions(u64, Then),
    /// The EOF packet after definitions.
    DefinitionsEof(Then),
    Rows,
    Done,
}

/// What follows a group of definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Rows,
    /// The columns of a prepared statement, so many.
    Columns(u64),
    Done,
}

/// The scanner of one answer.
#[derive(Debug, Clone)]
pub struct Relay {
    phase: Phase,
    capabilities: Capabilities,
    /// Payload bytes of the current packet that are still to come; they are forwarded.
    skip: usize,
    /// The next packet continues the payload of the last one: whatever its first byte, it ends nothing.
    continued: bool,
    next_seq: u8,
    columns: u64,
    rows: u64,
    bytes: u64,
}

impl Relay {
    /// A scanner at the start of an answer. `capabilities` are those of the connection that the answer comes from.
    #[must_use]
    pub const fn new(expect: Expect, capabilities: Capabilities) -> Self {
        let phase = match expect {
            Expect::Result => Phase::First,
            Expect::Rows => Phase::Rows,
            Expect::Prepare => Phase::Prepare,
        };
        Self {
            phase,
            capabilities,
            skip: 0,
            continued: false,
            next_seq: 1,
            columns: 0,
            rows: 0,
            bytes: 0,
        }
    }

    /// Whether the answer is complete: nothing more comes for this command.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    /// Columns of the current result set.
    #[must_use]
    pub const fn columns(&self) -> u64 {
        self.columns
    }

    /// Rows forwarded so far, over all result sets.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes forwarded so far, headers included.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The sequence id after the last packet that was scanned (as sent by the server): an ERR packet that ends the answer early
    /// carries it, once the bytes of [`Relay::missing`] were made up for.
    #[must_use]
    pub const fn next_seq(&self) -> u8 {
        self.next_seq
    }

    /// Bytes of a packet that was forwarded in part and has not arrived yet. If the server dies here the client's connection can
    /// only be closed: no packet can follow a cut one.
    #[must_use]
    pub const fn missing(&self) -> usize {
        self.skip
    }

    /// Scans the bytes that were received and not yet consumed.
    ///
    /// Fails when a packet that has to be decoded cannot be.
    pub fn scan(&mut self, received: &[u8]) -> Result<Scan, DecodeError> {
        self.scan_bytes(received)
    }

    /// As [`Relay::scan`], and adds `seq_offset` to the sequence ids of all packets that were scanned: for results that are not
    /// the first of their command on the client's connection.
    pub fn scan_and_renumber(&mut self, received: &mut [u8], seq_offset: u8) -> Result<Scan, DecodeError> {
        self.scan_bytes(Renumber {
            bytes: received,
            seq_offset,
        })
    }

    fn scan_bytes(&mut self, mut received: impl Received) -> Result<Scan, DecodeError> {
        let len = received.bytes().len();
        let mut pos = self.skip.min(len);
        self.skip -= pos;
        let event = loop {
            let Some(header) = received.bytes().get(pos..).and_then(Header::decode) else {
                break None;
            };
            let packet_len = HEADER_LEN + header.len;
            if !self.continued {
                if self.phase == Phase::Done {
                    break None;
                }
                let payload_start = pos + HEADER_LEN;
                // Every packet that starts a payload has a first byte; an empty one decides nothing and goes through.
                if header.len > 0 {
                    let Some(&first) = received.bytes().get(payload_start) else {
                        break None;
                    };
                    if self.must_look(first, header.len) {
                        let Some(payload) = received.bytes().get(payload_start..pos + packet_len) else {
                            break None;
                        };
                        match self.look(payload)? {
                            Looked::Forward => {}
                            Looked::Event(event) => {
                                received.renumber(pos + HEADER_LEN - 1);
                                self.next_seq = header.seq.wrapping_add(1);
                                break Some((event, packet_len));
                            }
                        }
                    } else {
                        self.pass();
                    }
                }
            }
            received.renumber(pos + HEADER_LEN - 1);
            self.next_seq = header.seq.wrapping_add(1);
            self.continued = header.is_continued();
            pos += packet_len;
            if pos > len {
                self.skip = pos - len;
                pos = len;
                break None;
            }
        };
        self.bytes += pos as u64;
        let (event, packet_len) = event.map_or((None, 0), |(event, len)| (Some(event), len));
        Ok(Scan {
            forward: pos,
            event,
            packet_len,
        })
    }

    /// Whether the packet decides something, by its first byte and payload length.
    fn must_look(&self, first: u8, len: usize) -> bool {
        match self.phase {
            Phase::Rows => match first {
                0..=0xfd => false,
                0xfe if self.deprecate_eof() => len < MAX_PAYLOAD,
                0xfe => len < EofPacket::MAX_LEN,
                0xff => true,
            },
            Phase::Definitions(..) => first == ErrPacket::HEADER,
            Phase::First | Phase::Prepare | Phase::DefinitionsEof(_) => true,
            Phase::Done => false,
        }
    }

    /// Counts a packet that passes through.
    fn pass(&mut self) {
        match self.phase {
            Phase::Rows => self.rows += 1,
            Phase::Definitions(left, then) if left > 1 => self.phase = Phase::Definitions(left - 1, then),
            Phase::Definitions(_, then) if self.deprecate_eof() => self.phase = self.after_definitions(then),
            Phase::Definitions(_, then) => self.phase = Phase::DefinitionsEof(then),
            Phase::First | Phase::Prepare | Phase::DefinitionsEof(_) | Phase::Done => {}
        }
    }

    /// Decodes a packet that decides something, and moves on.
    fn look(&mut self, payload: &[u8]) -> Result<Looked, DecodeError> {
        if payload.first() == Some(&ErrPacket::HEADER) {
            self.phase = Phase::Done;
            return Ok(Looked::Event(Event::Err));
        }
        Ok(Looked::Event(match self.phase {
            Phase::Prepare => {
                let prepared = PrepareOk::decode(payload)?;
                self.columns = u64::from(prepared.columns);
                let columns = Then::Columns(self.columns);
                self.phase = match u64::from(prepared.params) {
                    0 => self.after_definitions(columns),
                    params => Phase::Definitions(params, columns),
                };
                Event::PrepareOk
            }
            Phase::DefinitionsEof(then) => {
                let eof = EofPacket::decode(payload)?;
                if then == Then::Rows && eof.status.contains(StatusFlags::CURSOR_EXISTS) {
                    self.end_result(eof.status);
                    Event::RowsEnd
                } else {
                    // It says nothing that the end of the rows does not say: the answer stays in one piece.
                    self.phase = self.after_definitions(then);
                    return Ok(Looked::Forward);
                }
            }
            Phase::Rows => {
                let status = if self.deprecate_eof() {
                    OkPacket::decode(payload, self.capabilities)?.status
                } else {
                    EofPacket::decode(payload)?.status
                };
                self.end_result(status);
                Event::RowsEnd
            }
            Phase::First | Phase::Definitions(..) | Phase::Done => {
                match FirstPacket::decode(payload, self.capabilities)? {
                    FirstPacket::Ok(ok) => {
                        self.end_result(ok.status);
                        Event::Ok
                    }
                    FirstPacket::Err(_) => Event::Err,
                    // The answer to the file's content is the first packet again.
                    FirstPacket::LocalInfile(_) => Event::LocalInfile,
                    FirstPacket::Columns(0) => {
                        return Err(DecodeError::Invalid {
                            what: "column count",
                            value: 0,
                        });
                    }
                    FirstPacket::Columns(count) => {
                        self.columns = count;
                        self.phase = Phase::Definitions(count, Then::Rows);
                        return Ok(Looked::Forward);
                    }
                }
            }
        }))
    }

    fn after_definitions(&self, then: Then) -> Phase {
        match then {
            Then::Rows => Phase::Rows,
            Then::Columns(0) | Then::Done => Phase::Done,
            Then::Columns(count) => Phase::Definitions(count, Then::Done),
        }
    }

    fn end_result(&mut self, status: StatusFlags) {
        let more = status.contains(StatusFlags::MORE_RESULTS_EXISTS);
        self.phase = if more { Phase::First } else { Phase::Done };
    }

    const fn deprecate_eof(&self) -> bool {
        self.capabilities.contains(Capabilities::DEPRECATE_EOF)
    }
}

enum Looked {
    Forward,
    Event(Event),
}

/// Received bytes, whose sequence ids may be changed while they are scanned.
trait Received {
    fn bytes(&self) -> &[u8];
    /// Changes the sequence id at this position.
    fn renumber(&mut self, at: usize);
}

impl Received for &[u8] {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn renumber(&mut self, _: usize) {}
}

struct Renumber<'a> {
    bytes: &'a mut [u8],
    seq_offset: u8,
}

impl Received for Renumber<'_> {
    fn bytes(&self) -> &[u8] {
        self.bytes
    }

    fn renumber(&mut self, at: usize) {
        if let Some(seq) = self.bytes.get_mut(at) {
            *seq = seq.wrapping_add(self.seq_offset);
        }
    }
}

#[cfg(test)]
mod tests;
