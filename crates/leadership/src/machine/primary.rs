//! The primary: leases, the gate before they lapse, and how it ends.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Effect, Leading, Machine, Purpose, Role};
use crate::{Member, Message, Position, Record};

impl<P: Position> Machine<P> {
    pub(super) fn begin_to_lead(&mut self, record: Record, now: Duration) {
        self.leader = None;
        self.promising_to = None;
        self.grant = None;
        self.role = Role::Leading(Leading {
            record,
            pending: None,
            since: now,
            base: None,
            opened: false,
            gated: true,
            asked: None,
            grants: BTreeMap::new(),
        });
    }

    pub(super) fn based(&mut self, term: u64, position: P) {
        if let Role::Leading(lead) = &mut self.role
            && lead.record.term == term
        {
            lead.base = Some(position);
            lead.asked = None;
        }
    }

    pub(super) fn opened(&mut self, term: u64) {
        if let Role::Leading(lead) = &mut self.role
            && lead.record.term == term
        {
            lead.opened = true;
        }
    }

    pub(super) fn resumed(&mut self, term: u64, base: P, now: Duration) {
        let durable = self.durable;
        let record = self.known.clone().filter(|known| {
            known.term == term && known.is_held_by(&self.me) && durable.held == term && durable.term == term
        });
        let Some(record) = record.filter(|_| matches!(self.role, Role::Follower)) else {
            // Somebody else may lead by now: such a server must not go on.
            return self.out.push(Effect::Kill);
        };
        self.server_up = true;
        self.begin_to_lead(record, now);
        self.based(term, base);
        self.opened(term);
    }

    /// When the leases lapse; none: never, since no commit waits for anybody.
    pub(super) fn lapse(&self, lead: &Leading<P>) -> Option<Duration> {
        let by = |record: &Record| self.lapse_by(lead, record);
        let changed = lead.pending.as_ref().and_then(by);
        by(&lead.record).into_iter().chain(changed).min()
    }

    /// When the leases lapse that keep others from being elected by this record.
    pub(super) fn lapse_by(&self, lead: &Leading<P>, record: &Record) -> Option<Duration> {
        let needed = record.acks.checked_sub(1)?;
        let mut sent: Vec<Duration> = lead
            .grants
            .iter()
            .filter(|(voter, _)| record.is_voter(voter))
            .map(|(_, sent)| *sent)
            .collect();
        sent.sort_unstable_by(|a, b| b.cmp(a));
        let granted = sent
            .get(needed)
            .map(|sent| sent.saturating_add(self.timing.lease));
        Some(granted.unwrap_or(Duration::ZERO))
    }

    /// A frozen agent closes no gate: its server ends so long before the lapse that clocks of other speeds make no difference.
    pub(super) fn set_deadline(&mut self, lapse: Option<Duration>) {
        let early = self.timing.gate_before / 2;
        let deadline = lapse.map(|lapse| lapse.saturating_sub(early));
        self.out.push(Effect::Deadline(deadline));
    }

    pub(super) fn lead(&mut self, now: Duration) {
        let Role::Leading(lead) = &self.role else {
            return;
        };
        let lapse = self.lapse(lead);
        if lead.opened {
            let was_gated = lead.gated;
            let gate = lapse.is_some_and(|lapse| now.saturating_add(self.timing.gate_before) >= lapse);
            if !was_gated && lapse.is_some_and(|lapse| now >= lapse) {
                return self.step_down(now);
            }
            if let Role::Leading(lead) = &mut self.role {
                lead.gated = gate;
            }
            if was_gated && !gate {
                self.set_deadline(lapse);
            }
            // The gate was closed and the leases are gone: what is in flight must not be answered any more.
            if was_gated && lapse.is_some_and(|lapse| lapse > Duration::ZERO && now >= lapse) {
                return self.step_down(now);
            }
        }
        self.ask_for_grants(now);
    }

    fn ask_for_grants(&mut self, now: Duration) {
        let Role::Leading(lead) = &mut self.role else {
            return;
        };
        let due = lead
            .asked
            .is_none_or(|at| now >= at.saturating_add(self.timing.renew));
        if !due {
            return;
        }
        lead.asked = Some(now);
        let message = Message::GrantRequest {
            record: lead.record.clone(),
            sent: now,
            base: lead.base.clone(),
            // One that cannot open its term must not keep others from standing.
            lease: lead.opened || now < lead.since.saturating_add(self.timing.opening),
        };
        let record = lead.record.clone();
        for voter in self.others(&record) {
            self.send(voter, message.clone());
        }
    }

    pub(super) fn granted(&mut self, from: Member, term: u64, sent: Duration) {
        let Role::Leading(lead) = &self.role else {
            return;
        };
        // What was not asked for is not believed.
        if lead.record.term != term || lead.asked.is_none_or(|asked| sent > asked) {
            return;
        }
        let before = self.lapse(lead);
        if let Role::Leading(lead) = &mut self.role {
            let latest = lead.grants.entry(from).or_default();
            *latest = sent.max(*latest);
        }
        if let Role::Leading(lead) = &self.role {
            let lapse = self.lapse(lead);
            if lead.opened && !lead.gated && lapse > before {
                self.set_deadline(lapse);
            }
        }
    }

    pub(super) fn refused(&mut self, term: u64, higher: u64, now: Duration) {
        if higher <= term {
            return;
        }
        match &self.role {
            Role::Leading(lead) if lead.record.term == term => self.step_down(now),
            Role::Promising { record, .. } if record.term == term => self.give_up(now),
            _ => {}
        }
    }

    /// Leads no more. Its server is killed: SIGKILL acknowledges nothing.
    pub(super) fn step_down(&mut self, now: Duration) {
        self.out.push(Effect::Kill);
        self.give_up(now);
        self.reopen_after = now.saturating_add(self.timing.reopen);
    }

    pub(super) fn server_down(&mut self, now: Duration) {
        self.server_up = false;
        // The next process is none that a lapse must end.
        self.out.push(Effect::Deadline(None));
        match &self.role {
            Role::Leading(lead) => {
                let record = lead.record.clone();
                let term = record.term;
                self.give_up(now);
                self.release(&record, term);
                let alone = record.acks == 0;
                self.reopen_after = if alone {
                    now
                } else {
                    now.saturating_add(self.timing.reopen)
                };
            }
            Role::PreVote { .. } | Role::Promising { .. } | Role::CatchingUp { .. } => self.give_up(now),
            Role::Follower => {
                // A primary that stepped down: only now is it sure that it serves nobody.
                if let Some(record) = self.known.clone().filter(|_| self.durable.held > 0) {
                    let held = self.durable.held;
                    self.release(&record, held);
                }
            }
            Role::Swapping { .. } => {}
        }
    }

    fn release(&mut self, record: &Record, term: u64) {
        for voter in self.others(record) {
            self.send(voter, Message::Release { term });
        }
    }

    /// The holder of the record's term, which it does not lead any more, that nobody has replaced.
    pub(super) fn may_reopen(&self, now: Duration) -> bool {
        now >= self.reopen_after
            && self.promising_to.is_none()
            && self.known.as_ref().is_some_and(|known| {
                known.is_held_by(&self.me)
                    && known.term == self.durable.held
                    && known.term == self.durable.term
            })
    }

    /// A restart in place is a new term. It needs no promises: this member has everything that was acknowledged up to its own
    /// term, and the swap shows that nobody held a later one.
    pub(super) fn reopen(&mut self, now: Duration) {
        if let Some(known) = self.known.clone() {
            let to = known.next_term(&self.me);
            self.swap(known, to, Purpose::Reopen, now);
        }
    }

    /// A planned handover: the server is fenced, nothing is in flight, and `to` has everything.
    pub(super) fn hand_over(&mut self, term: u64, to: &Member, now: Duration) {
        let Role::Leading(lead) = &self.role else {
            return;
        };
        if lead.record.term != term || !lead.record.is_voter(to) || *to == self.me {
            return;
        }
        let record = lead.record.clone();
        let next = record.next_term(to);
        self.out.push(Effect::Deadline(None));
        self.release(&record, term);
        self.swap(record, next, Purpose::Cede, now);
        // Should the swap fail, it goes on by a term of its own.
        self.reopen_after = now.saturating_add(self.timing.reopen);
    }
}
