//! The answers of several shards to one read, as rows that arrive.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use futures::future::join_all;
use mysql_wire::client::{ResultReader, Step};
use mysql_wire::message::ErrPacket;
use mysql_wire::stream::Payload;
use mysql_wire::{Error, SqlError, StatusFlags};

use super::kill::kill_query;
use super::lease::Lease;
use super::lost::Stage;
use crate::backend::Beside;
use crate::control::{Interrupt, Interrupts, SessionControl};

/// How a shard's answer ended.
#[derive(Debug)]
pub(super) enum End {
    /// All rows were read.
    Rows {
        /// Status flags of the last packet.
        status: StatusFlags,
        /// Warnings.
        warnings: u16,
    },
    /// MySQL's error.
    Refused(SqlError),
    /// The connection failed.
    Lost(Error),
}

/// One shard's answer.
pub(super) struct Source {
    /// The connection.
    pub lease: Lease,
    /// How the answer ended, once it has.
    pub end: Option<End>,
    /// The statement was killed: the kill may come late and hit the connection's next one.
    pub killed: bool,
    reader: ResultReader,
    beside: Beside,
    /// Packets that the command took: its answer goes on counting from there.
    first_seq: u8,
    phase: Phase,
    /// A statement in front of the read failed.
    poisoned: bool,
}

/// How far a source has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Sending,
    Prefixes,
    Head,
    Rows,
}

/// Why rows stop before their end.
#[derive(Debug)]
pub(super) enum Stop {
    /// A shard failed: see its [`Source::end`].
    Shard,
    /// The session was interrupted.
    Interrupted(Interrupt),
    /// The gateway cannot go on.
    Refused(SqlError),
    /// The client's connection failed.
    Client(Error),
}

/// A read that was sent to several shards.
pub(super) struct Scatter {
    /// The shards' answers.
    pub sources: Vec<Source>,
    /// The next one to be asked for a row, so that none is left behind.
    turn: usize,
}

impl Source {
    /// The answer to a statement that was added to the connection's output and not flushed.
    pub(super) fn new(mut lease: Lease) -> Self {
        let conn = &mut lease.branch.conn;
        Self {
            reader: ResultReader::new(conn.capabilities()),
            beside: conn.beside(),
            first_seq: conn.stream().seq(),
            end: None,
            killed: false,
            phase: Phase::Sending,
            poisoned: false,
            lease,
        }
    }

    /// How far the statement has come here, if the client has a part of the answer or not.
    pub(super) fn stage(&self, answering: bool) -> Stage {
        match (self.phase, answering) {
            (Phase::Sending, _) => Stage::Unsent,
            (_, false) => Stage::Sent,
            (_, true) => Stage::Answering,
        }
    }

    /// What is known of the result.
    pub(super) fn reader(&self) -> &ResultReader {
        &self.reader
    }

    /// Sends the statement and reads up to the first row. What was done is kept, so that a kill can wait for the rest.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.end.is_none() && self.phase != Phase::Rows {
            match ready!(self.poll_phase(cx)) {
                Ok(next) => self.phase = next,
                Err(failed) => self.take(Err(failed)),
            }
        }
        Poll::Ready(())
    }

    fn poll_phase(&mut self, cx: &mut Context<'_>) -> Poll<Result<Phase, Error>> {
        let conn = &mut self.lease.branch.conn;
        let stream = conn.stream();
        Poll::Ready(match self.phase {
            Phase::Sending => ready!(stream.poll_flush(cx)).map(|()| self.after_prefix()),
            Phase::Prefixes => match ready!(stream.poll_packet(cx)) {
                Ok(packet) if packet.first() == Some(&ErrPacket::HEADER) => {
                    // Without what should have come before it the statement means nothing, and nobody may build on the connection.
                    self.poisoned = true;
                    ErrPacket::decode(&packet)
                        .map_err(Error::from)
                        .and_then(|wrong| Err(wrong.to_sql_error().into()))
                }
                Ok(_) => Ok(self.after_prefix()),
                Err(lost) => Err(lost),
            },
            Phase::Head | Phase::Rows => ready!(stream.poll_packet(cx))
                .and_then(|packet| self.reader.feed(&packet))
                .and_then(|step| match step {
                    Step::Head => Ok(Phase::Head),
                    Step::Columns => Ok(Phase::Rows),
                    Step::Row | Step::LocalInfile | Step::Done(_) => {
                        Err(Error::Unexpected("answer without rows"))
                    }
                }),
        })
    }

    /// Turns to the next answer: of a statement that was pipelined in front, or of the statement itself.
    fn after_prefix(&mut self) -> Phase {
        let left = self.lease.prefixes.checked_sub(1);
        self.lease.prefixes = left.unwrap_or(0);
        let (seq, phase) = match left {
            Some(_) => (1, Phase::Prefixes),
            None => (self.first_seq, Phase::Head),
        };
        self.lease.branch.conn.stream().set_seq(seq);
        phase
    }

    /// Notes how the answer ended, if it has. `step` is what the last packet was.
    fn take(&mut self, step: Result<Step, Error>) {
        let conn = &mut self.lease.branch.conn;
        self.end = match step {
            Ok(Step::Done(ok)) => {
                conn.end_exchange();
                Some(End::Rows {
                    status: ok.status,
                    warnings: ok.warnings,
                })
            }
            Ok(_) => None,
            Err(Error::Sql(wrong)) => {
                if !self.poisoned {
                    conn.end_exchange();
                }
                Some(End::Refused(wrong))
            }
            Err(lost) => Some(End::Lost(lost)),
        };
    }

    /// The next row, None at the end of the answer.
    fn poll_row(&mut self, cx: &mut Context<'_>) -> Poll<Option<Payload>> {
        ready!(self.poll_head(cx));
        if self.end.is_some() {
            return Poll::Ready(None);
        }
        let packet = match ready!(self.lease.branch.conn.stream().poll_packet(cx)) {
            Ok(packet) => packet,
            Err(lost) => {
                self.take(Err(lost));
                return Poll::Ready(None);
            }
        };
        match self.reader.feed(&packet) {
            Ok(Step::Row) => Poll::Ready(Some(packet)),
            step => {
                self.take(step);
                Poll::Ready(None)
            }
        }
    }
}

impl Scatter {
    /// Statements that were added to their connections' output and not flushed.
    pub(super) fn new(sources: Vec<Source>) -> Self {
        Self { sources, turn: 0 }
    }

    /// Sends all statements and reads every answer up to its first row.
    pub(super) async fn open(&mut self, control: &SessionControl) -> Result<(), Stop> {
        let opened = join_all(
            self.sources
                .iter_mut()
                .map(|source| poll_fn(|cx| source.poll_head(cx))),
        );
        tokio::select! {
            biased;
            _ = opened => {}
            why = control.interrupted(Interrupts::STATEMENT) => return Err(Stop::Interrupted(why)),
        }
        self.check()
    }

    fn check(&self) -> Result<(), Stop> {
        let failed = |source: &Source| matches!(source.end, Some(End::Refused(_) | End::Lost(_)));
        if self.sources.iter().any(failed) {
            return Err(Stop::Shard);
        }
        Ok(())
    }

    /// The next row of any shard, with the shard's place; None when all rows were read.
    pub(super) async fn next(&mut self, control: &SessionControl) -> Result<Option<(usize, Payload)>, Stop> {
        let next = tokio::select! {
            biased;
            next = poll_fn(|cx| self.poll_any(cx)) => next,
            why = control.interrupted(Interrupts::STATEMENT) => return Err(Stop::Interrupted(why)),
        };
        if next.is_none() {
            self.check()?;
        }
        Ok(next)
    }

    fn poll_any(&mut self, cx: &mut Context<'_>) -> Poll<Option<(usize, Payload)>> {
        let mut pending = false;
        for step in 0..self.sources.len() {
            let at = (self.turn + step) % self.sources.len();
            let Some(source) = self.sources.get_mut(at) else {
                continue;
            };
            match source.poll_row(cx) {
                Poll::Ready(Some(row)) => {
                    self.turn = at;
                    return Poll::Ready(Some((at, row)));
                }
                Poll::Ready(None) if self.check().is_err() => return Poll::Ready(None),
                Poll::Ready(None) => {}
                Poll::Pending => pending = true,
            }
        }
        if pending { Poll::Pending } else { Poll::Ready(None) }
    }

    /// The next row of one shard; None when all its rows were read.
    pub(super) async fn next_of(
        &mut self,
        at: usize,
        control: &SessionControl,
    ) -> Result<Option<Payload>, Stop> {
        let Some(source) = self.sources.get_mut(at) else {
            return Ok(None);
        };
        let next = tokio::select! {
            biased;
            next = poll_fn(|cx| source.poll_row(cx)) => next,
            why = control.interrupted(Interrupts::STATEMENT) => return Err(Stop::Interrupted(why)),
        };
        if next.is_none() {
            self.check()?;
        }
        Ok(next)
    }

    /// Asks MySQL to stop what still runs, and reads all answers to their end.
    pub(super) async fn kill(&mut self) {
        let running = self.sources.iter_mut().filter(|source| source.end.is_none());
        join_all(running.map(async |source| {
            kill_query(&source.beside).await;
            source.killed = true;
            while poll_fn(|cx| source.poll_row(cx)).await.is_some() {}
        }))
        .await;
    }
}
