//! The voter: what it grants, promises and lets others know.

use std::time::Duration;

use super::{Effect, Granted, Leader, Machine, Role};
use crate::{Durable, Member, Message, Position, Record};

impl<P: Position> Machine<P> {
    pub(super) fn grant_request(
        &mut self,
        from: Member,
        record: Record,
        sent: Duration,
        base: Option<P>,
        lease: bool,
        now: Duration,
    ) {
        let term = record.term;
        if !record.is_held_by(&from) {
            return;
        }
        if term < self.durable.term {
            let higher = self.durable.term;
            return self.send(from, Message::Refused { term, higher });
        }
        if record.version < self.durable.version {
            return;
        }
        // The holder has its promises: whatever this member was about in an earlier term is over.
        self.saw_record(record.clone(), now);
        if matches!(&self.role, Role::Leading(lead) if lead.record.term >= term) {
            return;
        }
        if !matches!(self.role, Role::Follower | Role::Swapping { .. }) {
            self.give_up(now);
        }
        self.raise(&record);
        self.promising_to = None;
        self.patient_until = now;
        if lease && record.is_voter(&self.me) {
            self.grant = Some(Granted {
                to: from.clone(),
                term,
                until: now.saturating_add(self.timing.lease),
            });
            self.send(from, Message::Grant { term, sent });
        }
        self.leader = Some(Leader { record, base });
    }

    pub(super) fn released(&mut self, from: &Member, term: u64, now: Duration) {
        let is_theirs = |to: &Member, of: u64| to == from && of <= term;
        if self.grant.as_ref().is_some_and(|g| is_theirs(&g.to, g.term)) {
            self.grant = None;
            self.back_off(now);
        }
        if let Some(leader) = &self.leader
            && leader.record.is_held_by(from)
            && leader.record.term <= term
        {
            self.leader = None;
        }
    }

    /// Whether a lease that this member gave holds.
    pub(super) fn has_granted(&self, now: Duration) -> bool {
        self.grant.as_ref().is_some_and(|grant| now < grant.until)
    }

    /// No lease of another, known or forgotten, stands against it.
    fn may_promise_to(&self, candidate: &Member, now: Duration) -> bool {
        let to_another = self.grant.as_ref().is_some_and(|grant| grant.to != *candidate);
        now >= self.quiet_until && !(to_another && self.has_granted(now))
    }

    pub(super) fn pre_vote_request(&mut self, from: Member, round: u64, record: Record, now: Duration) {
        self.saw_record(record.clone(), now);
        let current = self
            .known
            .as_ref()
            .is_none_or(|known| !known.is_newer_than(&record));
        let holder = self.known.as_ref().and_then(|known| known.holder.as_ref());
        let left_alone = now < self.patient_until && holder != Some(&from);
        let yes = current && !left_alone && self.sees_nobody(now);
        let record = self.known.clone();
        self.send(from, Message::PreVote { round, yes, record });
    }

    /// Neither a primary nor a candidate, as far as this member knows.
    pub(super) fn sees_nobody(&self, now: Duration) -> bool {
        let busy = match &self.role {
            Role::Follower | Role::PreVote { .. } | Role::Swapping { .. } => false,
            Role::Promising { since, .. } => now < since.saturating_add(self.timing.patience),
            Role::CatchingUp { .. } => true,
            Role::Leading(lead) => lead.opened || now < lead.since.saturating_add(self.timing.opening),
        };
        !busy && now >= self.quiet_until && !self.has_granted(now)
    }

    pub(super) fn promise_request(&mut self, from: Member, record: Record, urgent: bool, now: Duration) {
        let term = record.term;
        if !self.server_up && !urgent {
            return;
        }
        if !record.is_held_by(&from) || record.version < self.durable.version {
            return;
        }
        if term < self.durable.term {
            let higher = self.durable.term;
            return self.send(from, Message::Refused { term, higher });
        }
        if !self.may_promise_to(&from, now) {
            return;
        }
        if let Role::Leading(lead) = &self.role {
            // While its leases hold it is the primary, whatever the store says.
            if self.lapse(lead).is_some_and(|lapse| lead.opened && now < lapse) {
                return;
            }
            // Its server goes first; the candidate asks again.
            return self.step_down(now);
        }
        self.saw_record(record.clone(), now);
        if term > self.durable.term {
            self.raise(&record);
        }
        if !matches!(self.role, Role::Follower) {
            self.give_up(now);
        }
        self.leader = None;
        self.promising_to = Some(from);
        self.out.push(Effect::StopReceiving { term });
    }

    /// The receiver has stopped: for a candidate, or for this member's own term.
    pub(super) fn stopped(&mut self, term: u64, position: Option<P>, now: Duration) {
        let Some(position) = position.filter(|_| term == self.durable.term) else {
            return;
        };
        match &self.promising_to {
            Some(candidate) => {
                let candidate = candidate.clone();
                self.send(candidate, Message::Promise { term, position });
            }
            // Its own leases bind a candidate as well; it asks itself again.
            None if self.may_promise_to(&self.me, now) => {
                self.promised(self.me.clone(), term, position, now);
            }
            None => {}
        }
    }

    pub(super) fn cleared(&mut self) {
        if !matches!(self.role, Role::Leading(_)) {
            self.persist(Durable {
                held: 0,
                ..self.durable
            });
        }
    }
}
