//! One member's machine: its state, its events and effects, and the step.

mod candidate;
mod change;
mod primary;
mod records;
mod voter;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::{Durable, Member, Message, Position, Record, Timing};

/// What happens to a member.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event<P> {
    /// Time has passed.
    Tick,
    /// The store shows this record, which belongs to the store and the shard that this member knows.
    Record(Record),
    /// How a swap ended.
    Swapped {
        /// What was asked for: an answer may come after the machine has asked for something else.
        to: Record,
        /// What became of it.
        outcome: Swapped,
    },
    /// A message came in.
    Received {
        /// Who sent it.
        from: Member,
        /// The message.
        message: Message<P>,
    },
    /// The order [`Effect::StopReceiving`] was carried out.
    Stopped {
        /// The term of the order.
        term: u64,
        /// What the member has; none: it cannot be told now.
        position: Option<P>,
    },
    /// The order [`Effect::CatchUp`] was carried out.
    CaughtUp {
        /// The term of the order.
        term: u64,
        /// Whether all that was received is applied.
        done: bool,
    },
    /// The server is up as the fenced primary of the term and has written nothing yet.
    Based {
        /// The term.
        term: u64,
        /// What it has.
        position: P,
    },
    /// The term's row was acknowledged.
    Opened {
        /// The term.
        term: u64,
    },
    /// An agent that was restarted found its server running as the opened primary of the term, not fenced for a handover. To come
    /// within [`Timing::reopen`] of the start: the machine opens a new term in place then.
    Resumed {
        /// The term.
        term: u64,
        /// What the term started from, or less.
        base: P,
    },
    /// The server answers.
    ServerUp,
    /// The server's process has ended.
    ServerDown,
    /// Whether this member could lead: its data is whole and joined the shard, its disk works.
    Eligible(bool),
    /// The data was compared with the primary's of a later term: nothing is left of terms that this member held.
    Cleared,
    /// The primary wants other voters or another W, after the steps that come before publishing. [`Machine::stance`] shows when it
    /// is done; if it does not within a swap's time, the event is to be repeated, by a restarted agent too: the swap may still
    /// come to the store, so that the wish has to be on disk and what is stricter has to hold on the server until then.
    Change {
        /// The record, one version later.
        to: Record,
    },
    /// The primary was fenced in order and this member is to lead after it: it has everything.
    HandOver {
        /// The term that ends.
        term: u64,
        /// The next holder.
        to: Member,
    },
}

/// How a swap of the record ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Swapped {
    /// The record is now the one asked for.
    Won,
    /// The store has another one, which is this.
    Lost(Record),
    /// Nobody knows.
    Unknown,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect<P> {
    /// Nothing that follows may happen before this is on disk.
    Persist(Durable),
    /// Send a message, once.
    Send {
        /// To whom.
        to: Member,
        /// The message.
        message: Message<P>,
    },
    /// Compare-and-swap the shard's record; [`Event::Swapped`] answers.
    Swap {
        /// What must be there.
        from: Record,
        /// What shall be there.
        to: Record,
    },
    /// Stop receiving from any primary, then read what is there; [`Event::Stopped`] answers.
    StopReceiving {
        /// To be sent back.
        term: u64,
    },
    /// Apply what was received; [`Event::CaughtUp`] answers.
    CatchUp {
        /// To be sent back.
        term: u64,
    },
    /// End the server by SIGKILL, which acknowledges nothing.
    Kill,
    /// The supervisor shall kill the server at this time unless it is told a later one; none: not at all.
    Deadline(Option<Duration>),
    /// Two members have transactions that the other lacks, in one term: a human has to look.
    Errant {
        /// One.
        one: Member,
        /// The other.
        other: Member,
    },
}

/// What the server is to be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Stance<P> {
    /// Neither primary nor replica of anyone: receive nothing, serve reads of what is there at most.
    Wait,
    /// Receive from the holder of the record.
    Follow {
        /// The record.
        record: Record,
        /// What the holder's term started from.
        base: P,
    },
    /// Be the primary of the record's term.
    Lead {
        /// The record.
        record: Record,
        /// Whether clients may be let in once the term's row is acknowledged.
        serve: bool,
    },
}

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Machine<P> {
    me: Member,
    timing: Timing,
    durable: Durable,
    known: Option<Record>,
    role: Role<P>,
    /// The lease that this member gave.
    grant: Option<Granted>,
    /// The primary that told of itself, of the highest term.
    leader: Option<Leader<P>>,
    /// The candidate that the receiver is being stopped for.
    promising_to: Option<Member>,
    server_up: bool,
    eligible: bool,
    /// Nothing is promised before: grants may have been forgotten.
    quiet_until: Duration,
    /// This member does not stand before.
    stand_after: Duration,
    /// The holder of a new term is left alone until then.
    patient_until: Duration,
    /// A holder without a server does not open a new term before.
    reopen_after: Duration,
    rounds: u64,
    random: u64,
    out: Vec<Effect<P>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Granted {
    to: Member,
    term: u64,
    until: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Leader<P> {
    record: Record,
    base: Option<P>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Role<P> {
    Follower,
    PreVote {
        round: u64,
        until: Duration,
        yes: BTreeSet<Member>,
    },
    Swapping {
        to: Record,
        purpose: Purpose,
        until: Duration,
    },
    Promising {
        record: Record,
        since: Duration,
        asked: Duration,
        promises: BTreeMap<Member, P>,
    },
    CatchingUp {
        record: Record,
    },
    Leading(Leading<P>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Purpose {
    Stand,
    Reopen,
    Cede,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Leading<P> {
    record: Record,
    /// What the record may have become already.
    pending: Option<Record>,
    since: Duration,
    base: Option<P>,
    opened: bool,
    gated: bool,
    asked: Option<Duration>,
    grants: BTreeMap<Member, Duration>,
}

impl<P: Position> Machine<P> {
    /// A member that starts, with what is on its disk: the newest record that it accepted and its promises. `seed` makes the
    /// members' random waits differ. `server_runs`: an agent that was restarted has found its server running.
    pub fn new(
        me: Member,
        timing: Timing,
        known: Option<Record>,
        durable: Durable,
        server_runs: bool,
        now: Duration,
        seed: u64,
    ) -> Machine<P> {
        // A server that runs may be the primary that it was: there is time to see.
        let look = if server_runs {
            timing.reopen
        } else {
            Duration::ZERO
        };
        Machine {
            me,
            timing,
            durable,
            known,
            role: Role::Follower,
            grant: None,
            leader: None,
            promising_to: None,
            server_up: server_runs,
            eligible: false,
            quiet_until: now.saturating_add(timing.lease),
            stand_after: now,
            patient_until: now,
            reopen_after: now.saturating_add(look),
            rounds: 0,
            random: seed | 1,
            out: Vec::new(),
        }
    }

    /// Takes an event at a time, which never goes back, and returns what is to be done.
    pub fn step(&mut self, event: Event<P>, now: Duration) -> Vec<Effect<P>> {
        match event {
            Event::Tick => {}
            Event::Record(record) => self.saw_record(record, now),
            Event::Swapped { to, outcome } => self.swapped(to, outcome, now),
            Event::Received { from, message } => self.received(from, message, now),
            Event::Stopped { term, position } => self.stopped(term, position, now),
            Event::CaughtUp { term, done } => self.caught_up(term, done, now),
            Event::Based { term, position } => self.based(term, position),
            Event::Opened { term } => self.opened(term),
            Event::Resumed { term, base } => self.resumed(term, base, now),
            Event::ServerUp => self.server_up = true,
            Event::ServerDown => self.server_down(now),
            Event::Eligible(eligible) => self.eligible = eligible,
            Event::Cleared => self.cleared(),
            Event::Change { to } => self.change(to, now),
            Event::HandOver { term, to } => self.hand_over(term, &to, now),
        }
        self.tick(now);
        std::mem::take(&mut self.out)
    }

    /// What the server is to be now.
    pub fn stance(&self) -> Stance<P> {
        match (&self.role, &self.leader) {
            (Role::Leading(lead), _) => Stance::Lead {
                record: lead.record.clone(),
                serve: !lead.gated,
            },
            (Role::Promising { .. } | Role::CatchingUp { .. }, _) => Stance::Wait,
            (
                _,
                Some(Leader {
                    record,
                    base: Some(base),
                }),
            ) if record.term == self.durable.term && self.promising_to.is_none() => Stance::Follow {
                record: record.clone(),
                base: base.clone(),
            },
            _ => Stance::Wait,
        }
    }

    /// The newest record that this member knows.
    pub fn known(&self) -> Option<&Record> {
        self.known.as_ref()
    }

    /// What this member has on disk.
    pub fn durable(&self) -> Durable {
        self.durable
    }

    /// When the next [`Event::Tick`] is wanted at the latest.
    pub fn wake(&self, now: Duration) -> Duration {
        let t = &self.timing;
        let by_role = match &self.role {
            Role::Follower => {
                let lapse = self.grant.as_ref().map_or(now, |g| g.until);
                lapse
                    .max(self.quiet_until)
                    .max(self.stand_after)
                    .max(self.patient_until)
            }
            Role::PreVote { until, .. } | Role::Swapping { until, .. } => *until,
            Role::Promising { asked, .. } => asked.saturating_add(t.ask_again),
            Role::CatchingUp { .. } => now.saturating_add(t.renew),
            Role::Leading(lead) => {
                let renew = lead.asked.map_or(now, |at| at.saturating_add(t.renew));
                let gate = self
                    .lapse(lead)
                    .map_or(renew, |at| at.saturating_sub(t.gate_before));
                if lead.gated {
                    renew
                } else {
                    renew.min(gate.max(now))
                }
            }
        };
        // Never in the past, and never so far that a changed state would be noticed late.
        let soon = now.saturating_add(Duration::from_millis(10));
        by_role.clamp(soon, now.saturating_add(t.renew))
    }

    fn tick(&mut self, now: Duration) {
        match self.role {
            Role::Follower => {
                if self.may_reopen(now) {
                    self.reopen(now);
                } else if self.may_stand(now) {
                    self.stand(now);
                }
            }
            Role::PreVote { until, .. } if now >= until => self.give_up(now),
            Role::Swapping { until, .. } if now >= until => self.swap_failed(now),
            Role::PreVote { .. } | Role::Swapping { .. } | Role::CatchingUp { .. } => {}
            Role::Promising { .. } => self.ask_for_promises(now),
            Role::Leading(_) => self.lead(now),
        }
    }

    fn received(&mut self, from: Member, message: Message<P>, now: Duration) {
        match message {
            Message::GrantRequest {
                record,
                sent,
                base,
                lease,
            } => self.grant_request(from, record, sent, base, lease, now),
            Message::Grant { term, sent } => self.granted(from, term, sent),
            Message::Release { term } => self.released(&from, term, now),
            Message::PreVoteRequest { round, record } => self.pre_vote_request(from, round, record, now),
            Message::PreVote { round, yes, record } => self.pre_vote(from, round, yes, record, now),
            Message::PromiseRequest { record, urgent } => self.promise_request(from, record, urgent, now),
            Message::Promise { term, position } => self.promised(from, term, position, now),
            Message::Refused { term, higher } => self.refused(term, higher, now),
            Message::TakeOver { record } => self.saw_record(record, now),
        }
    }

    fn raise(&mut self, record: &Record) {
        let raised = Durable {
            term: self.durable.term.max(record.term),
            version: self.durable.version.max(record.version),
            held: self.durable.held,
        };
        self.persist(raised);
    }

    fn persist(&mut self, durable: Durable) {
        if durable != self.durable {
            self.durable = durable;
            self.out.push(Effect::Persist(durable));
        }
    }

    fn send(&mut self, to: Member, message: Message<P>) {
        self.out.push(Effect::Send { to, message });
    }

    fn others(&self, record: &Record) -> Vec<Member> {
        record
            .voters
            .iter()
            .filter(|voter| **voter != self.me)
            .cloned()
            .collect()
    }

    /// Back to following, and a while of letting others stand first.
    fn give_up(&mut self, now: Duration) {
        self.role = Role::Follower;
        self.back_off(now);
    }

    fn back_off(&mut self, now: Duration) {
        // xorshift64: any spread will do.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let backoff = u64::try_from(self.timing.backoff.as_millis()).unwrap_or(u64::MAX);
        let wait = Duration::from_millis(self.random % backoff.saturating_add(1));
        self.stand_after = self.stand_after.max(now.saturating_add(wait));
    }
}
