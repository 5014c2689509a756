//! Waiting for a primary: what a statement does that could not run, and surely did nothing.
//!
//! Whoever finds that a statement cannot run now notes a [`Stall`] in the session and returns an error, which is then not answered;
//! the loop around the statement waits for what the stall says and runs the statement from its beginning, with the plan and the
//! shards of that moment. Nothing is held meanwhile but what the session keeps anyway.
//!
//! Invariant: a stall is noted only where the statement has done nothing yet, neither on a shard nor for the client.

use std::sync::Arc;
use std::time::Duration;

use mysql_wire::SqlError;
use tokio::time::Instant;

use super::Session;
use super::execute::interrupt_error;
use super::query::Done;
use crate::buffer::Refusal;
use crate::cluster::{Cluster, TabletTarget};
use crate::control::{Interrupt, Interrupts};
use crate::error::{self, SqlResult};

/// How often a statement is sent again at once.
const AT_ONCE_MAX: u32 = 3;

/// How often a statement is sent again that was on its way when its connection was lost: it may be what makes servers crash.
const LOST_MAX: u32 = 2;

/// A primary that failed is asked again after this time, even if its agent says nothing: agents tell within a second.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Why a statement could not run.
#[derive(Debug)]
pub(super) struct Stall {
    keyspace: Arc<str>,
    shard: Arc<str>,
    /// The tablet that failed, and its term as primary; none if there was none to ask.
    failed: Option<(u64, u64)>,
    /// Another connection may do: worth a few tries without waiting.
    at_once: bool,
    /// The statement was sent, and the connection lost before it was answered.
    sent: bool,
    /// It is a primary that is missing: one will come.
    waits: bool,
    /// What the client is told if the statement does not wait.
    cause: SqlError,
}

impl Stall {
    /// No primary takes new work.
    pub(super) fn without_primary(keyspace: &Arc<str>, shard: &Arc<str>, cause: SqlError) -> Self {
        Self {
            keyspace: keyspace.clone(),
            shard: shard.clone(),
            failed: None,
            at_once: false,
            sent: false,
            waits: true,
            cause,
        }
    }

    /// A tablet failed: the primary of a term, or a replica (0).
    pub(super) fn on(target: &TabletTarget, term: u64, at_once: bool, cause: SqlError) -> Self {
        Self {
            keyspace: target.keyspace.clone(),
            shard: target.shard.clone(),
            failed: Some((target.id, term)),
            at_once,
            sent: false,
            waits: term != 0,
            cause,
        }
    }

    /// Notes whether the statement was sent.
    pub(super) fn sent(self, sent: bool) -> Self {
        Self { sent, ..self }
    }

    /// Whether the statement may be tried again: another primary serves than the one that failed, or that one may do by now.
    fn is_over(&self, cluster: &Cluster, may_ask_again: bool) -> bool {
        let Some(state) = cluster.find_shard(&self.keyspace, &self.shard) else {
            // Planning anew tells what has become of it.
            return true;
        };
        state
            .open_primary()
            .is_some_and(|primary| may_ask_again || self.failed != Some((primary.id, state.term)))
    }

    /// What the client is told when the statement may not wait, or not any longer.
    fn refused(&self, why: Refusal) -> SqlError {
        error::internal(format_args!(
            "{}; {why}",
            String::from_utf8_lossy(&self.cause.message)
        ))
    }
}

/// What a statement has waited so far.
#[derive(Debug, Default)]
pub(super) struct Waited {
    until: Option<Instant>,
    at_once: u32,
    lost: u32,
}

impl Session {
    /// Notes that the statement could not run; returns the error to leave it with.
    pub(super) fn stall(&mut self, stall: Stall) -> SqlError {
        let cause = stall.cause.clone();
        self.stall = Some(Box::new(stall));
        cause
    }

    /// Whether a statement that ended so is to be run again. Waits until it can be, or answers why it cannot.
    pub(super) async fn runs_again(&mut self, done: &Done, waited: &mut Waited) -> bool {
        let Some(stall) = self.stall.take() else {
            return false;
        };
        if matches!(done, Done::Answered) {
            return false;
        }
        match Box::pin(self.hold(&stall, waited)).await {
            Ok(()) => true,
            Err(wrong) => {
                self.answer_error(wrong);
                false
            }
        }
    }

    /// Waits until a stalled statement can be tried again.
    ///
    /// # Errors
    /// Why it is not waited for any longer.
    pub(super) async fn hold(&mut self, stall: &Stall, waited: &mut Waited) -> SqlResult<()> {
        waited.lost += u32::from(stall.sent);
        if waited.lost > LOST_MAX {
            return Err(stall.cause.clone());
        }
        if stall.at_once && waited.at_once < AT_ONCE_MAX {
            waited.at_once += 1;
            self.count_retry();
            return Ok(());
        }
        let worker = self.worker.clone();
        let buffer = &worker.shared.buffer;
        let Some(window) = buffer.window().filter(|_| stall.waits) else {
            return Err(stall.cause.clone());
        };
        let now = Instant::now();
        let until = *waited.until.get_or_insert(now + window);
        let ask_again = now + ASK_AGAIN_AFTER;
        let mut changes = worker.shared.cluster.changes();
        let _held = buffer
            .admit(&stall.keyspace, &stall.shard, self.command_bytes)
            .map_err(|why| stall.refused(why))?;
        let mut client_is_quiet = true;
        loop {
            let now = Instant::now();
            if stall.is_over(&worker.cluster(), now >= ask_again) {
                buffer.release();
                return Ok(());
            }
            if now >= until {
                return Err(stall.refused(buffer.refuse(Refusal::Window(window))));
            }
            let wake = if now < ask_again {
                until.min(ask_again)
            } else {
                until
            };
            tokio::select! {
                biased;
                why = self.control.interrupted(Interrupts::HELD) => {
                    buffer.interrupted();
                    return Err(match why {
                        Interrupt::Drain => error::shutdown(),
                        why => interrupt_error(why),
                    });
                }
                heard = self.client.stream.fill(), if client_is_quiet => {
                    if heard.is_err() {
                        // Nobody hears the answer.
                        buffer.interrupted();
                        return Err(error::interrupted());
                    }
                    client_is_quiet = false;
                }
                Ok(()) = changes.changed() => {}
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }
}
