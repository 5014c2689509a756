//! The hot path: sends one statement to one shard and passes its answer through to the client as it comes.
//!
//! Column definitions and rows are forwarded in whole chunks, undecoded. The packet that ends the answer is decoded; it is forwarded as it
//! came when it says the same on both hops, and rebuilt when not.

use mysql_wire::message::{EofPacket, ErrPacket, OkPacket};
use mysql_wire::relay::{Event, Expect, Relay};
use mysql_wire::stream::PacketStream;
use mysql_wire::{Capabilities, Error, SqlError, StatusFlags};

use super::answer::{OkAnswer, Output};
use crate::backend::Backend;
use crate::control::{Interrupt, Interrupts, SessionControl};

/// How an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// OK; not sent to the client yet.
    Ok(OkFields),
    /// A result set, all of which was sent.
    Rows {
        /// Status flags of its last packet, as MySQL sent them.
        status: StatusFlags,
        /// Warnings of its last packet.
        warnings: u16,
        /// Rows.
        rows: u64,
    },
    /// ERR; not sent to the client yet.
    Err(SqlError),
}

/// An OK packet's fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct OkFields {
    /// Affected rows.
    pub affected_rows: u64,
    /// Last insert id.
    pub last_insert_id: u64,
    /// Status flags as MySQL sent them.
    pub status: StatusFlags,
    /// Warnings.
    pub warnings: u16,
    /// Info text.
    pub info: Vec<u8>,
}

impl OkFields {
    /// As the gateway's answer.
    pub(super) fn answer(&self) -> OkAnswer<'_> {
        OkAnswer {
            affected_rows: self.affected_rows,
            last_insert_id: self.last_insert_id,
            status: self.status,
            warnings: self.warnings,
            info: &self.info,
        }
    }
}

impl From<&OkPacket<'_>> for OkFields {
    fn from(ok: &OkPacket<'_>) -> Self {
        Self {
            affected_rows: ok.affected_rows,
            last_insert_id: ok.last_insert_id,
            status: ok.status,
            warnings: ok.warnings,
            info: ok.info.to_vec(),
        }
    }
}

/// Why an answer could not be passed through.
#[derive(Debug)]
pub(super) enum Failure {
    /// The backend's connection failed.
    Backend {
        /// Why.
        error: Error,
        /// A packet was forwarded in part: the client's connection cannot go on.
        cut: bool,
    },
    /// The client's connection failed.
    Client(Error),
    /// Interrupted, and mysqld was asked to stop.
    Interrupted(Interrupt),
}

/// What a pass-through needs of the client.
pub(super) struct ClientSide<'c> {
    /// The client's packets.
    pub stream: &'c mut PacketStream,
    /// What the gateway itself has to say, and the sequence id.
    pub out: &'c mut Output,
    /// Interrupts.
    pub control: &'c SessionControl,
    /// A part of the answer was sent to the client.
    pub answering: bool,
}

/// Reads the answers to statements that were pipelined in front: each must be OK.
///
/// The first error is returned as the inner result; all answers are read in any case.
pub(super) async fn skip_answers(backend: &mut Backend, count: u32) -> Result<Result<(), SqlError>, Error> {
    let mut first_error = Ok(());
    for _ in 0..count {
        backend.stream().set_seq(1);
        let payload = backend.stream().read_packet().await?;
        if payload.first() == Some(&ErrPacket::HEADER) && first_error.is_ok() {
            first_error = Err(ErrPacket::decode(&payload)?.to_sql_error());
        }
    }
    Ok(first_error)
}

/// Waits for the backend's next bytes, or for a reason to stop.
async fn fill(
    backend: &mut Backend,
    control: &SessionControl,
    interrupted: &mut Option<Interrupt>,
) -> Result<(), Error> {
    loop {
        let among = if interrupted.is_some() {
            Interrupts::NONE
        } else {
            Interrupts::STATEMENT
        };
        tokio::select! {
            biased;
            filled = backend.stream().fill() => return filled.map(|_| ()),
            why = control.interrupted(among) => {
                *interrupted = Some(why);
                super::kill::kill_query(&backend.beside()).await;
            }
        }
    }
}

/// Passes the answer of `backend` through to the client. The statement has been flushed to it; its answer starts with the sequence id
/// `first_seq`, which is the number of packets that the command took.
///
/// With the answer comes why mysqld was asked to stop meanwhile, if it was.
pub(super) async fn pass_through(
    client: &mut ClientSide<'_>,
    backend: &mut Backend,
    expect: Expect,
    first_seq: u8,
) -> Result<(Answer, Option<Interrupt>), Failure> {
    let capabilities = backend.capabilities();
    let mut relay = Relay::new(expect, capabilities);
    let seq_offset = client.out.seq.wrapping_sub(first_seq);
    let mut interrupted = None;
    loop {
        let scan = if seq_offset == 0 {
            relay.scan(backend.stream().buffered())
        } else {
            relay.scan_and_renumber(backend.stream().buffered_mut(), seq_offset)
        };
        let scan = scan.map_err(|error| failure(&relay, error.into()))?;
        let Some(event) = scan.event else {
            if scan.forward > 0 {
                send(client, backend, scan.forward).await?;
            }
            if let Err(error) = fill(backend, client.control, &mut interrupted).await {
                return Err(failure(&relay, error));
            }
            continue;
        };
        let seen = Seen {
            event,
            forward: scan.forward,
            len: scan.packet_len,
            seq: relay.next_seq().wrapping_add(seq_offset),
            verbatim: seq_offset == 0,
        };
        if let Some(answer) = take_event(client, backend, &relay, &seen, capabilities).await? {
            return Ok((answer, interrupted));
        }
    }
}

/// A packet that has to be looked at.
struct Seen {
    event: Event,
    /// Bytes before it that go to the client.
    forward: usize,
    /// Its length with header.
    len: usize,
    /// The client's sequence id after it.
    seq: u8,
    /// Sequence ids are the same on both hops.
    verbatim: bool,
}

async fn take_event(
    client: &mut ClientSide<'_>,
    backend: &mut Backend,
    relay: &Relay,
    seen: &Seen,
    capabilities: Capabilities,
) -> Result<Option<Answer>, Failure> {
    let whole = seen.forward + seen.len;
    let packet = backend
        .stream()
        .buffered()
        .get(seen.forward..whole)
        .unwrap_or_default();
    let payload = packet.get(4..).unwrap_or_default();
    let decoded = |error: mysql_wire::DecodeError| failure(relay, error.into());
    match seen.event {
        Event::RowsEnd => {
            let (status, warnings, plain) = if capabilities.contains(Capabilities::DEPRECATE_EOF) {
                let ok = OkPacket::decode(payload, capabilities).map_err(decoded)?;
                (ok.status, ok.warnings, ok.session_state.is_empty())
            } else {
                let eof = EofPacket::decode(payload).map_err(decoded)?;
                (eof.status, eof.warnings, true)
            };
            let rows = relay.rows();
            let plain = plain && client.out.added_warnings == 0;
            if relay.is_done() && plain && !client.out.more_results && seen.verbatim {
                client.out.seq = seen.seq;
                send(client, backend, whole).await?;
            } else {
                client.out.seq = seen.seq.wrapping_sub(1);
                send(client, backend, seen.forward).await?;
                backend.stream().consume(seen.len);
                client
                    .out
                    .end(status.without(StatusFlags::SESSION_STATE_CHANGED), warnings);
                if !relay.is_done() {
                    flush(client).await?;
                    return Ok(None);
                }
            }
            Ok(relay.is_done().then_some(Answer::Rows {
                status,
                warnings,
                rows,
            }))
        }
        Event::Ok => {
            let ok = OkPacket::decode(payload, capabilities).map_err(decoded)?;
            let fields = OkFields::from(&ok);
            send(client, backend, seen.forward).await?;
            backend.stream().consume(seen.len);
            client.out.seq = seen.seq.wrapping_sub(1);
            if relay.is_done() {
                return Ok(Some(Answer::Ok(fields)));
            }
            client.out.ok(&fields.answer());
            flush(client).await?;
            Ok(None)
        }
        Event::Err => {
            let error = ErrPacket::decode(payload).map_err(decoded)?.to_sql_error();
            send(client, backend, seen.forward).await?;
            backend.stream().consume(seen.len);
            client.out.seq = seen.seq.wrapping_sub(1);
            Ok(Some(Answer::Err(error)))
        }
        Event::PrepareOk => {
            send(client, backend, whole).await?;
            Ok(None)
        }
        Event::LocalInfile => {
            // Never offered to mysqld, so it cannot ask.
            Err(Failure::Backend {
                error: Error::Unexpected("LOCAL INFILE request"),
                cut: false,
            })
        }
    }
}

fn failure(relay: &Relay, error: Error) -> Failure {
    Failure::Backend {
        error,
        cut: relay.missing() > 0,
    }
}

/// Sends bytes from the front of the backend's buffer to the client.
async fn send(client: &mut ClientSide<'_>, backend: &mut Backend, len: usize) -> Result<(), Failure> {
    if len == 0 {
        return Ok(());
    }
    flush(client).await?;
    let bytes = backend.stream().buffered().get(..len).unwrap_or_default();
    client.answering = true;
    client.stream.send_raw(bytes).await.map_err(Failure::Client)?;
    backend.stream().consume(len);
    Ok(())
}

/// Sends what the gateway itself has written so far.
async fn flush(client: &mut ClientSide<'_>) -> Result<(), Failure> {
    if client.out.buffer.is_empty() {
        return Ok(());
    }
    let bytes = client.out.buffer.split();
    client.stream.send_raw(&bytes).await.map_err(Failure::Client)
}
