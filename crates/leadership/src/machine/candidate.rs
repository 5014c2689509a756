//! The candidate: from no primary in sight to a term with enough promises.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Effect, Machine, Purpose, Role, Swapped};
use crate::position::furthest;
use crate::{Durable, Member, Message, Position, Record};

impl<P: Position> Machine<P> {
    pub(super) fn may_stand(&self, now: Duration) -> bool {
        let Some(known) = &self.known else {
            return false;
        };
        // The data of a member that held a term tells without a server how far it goes; those with one go first.
        let ready = if self.durable.held == 0 {
            self.server_up
        } else {
            now >= self.reopen_after
        };
        known.holder.is_some()
            && known.is_voter(&self.me)
            && ready
            && self.eligible
            && now >= self.stand_after
            && now >= self.patient_until
            && self.sees_nobody(now)
    }

    pub(super) fn stand(&mut self, now: Duration) {
        let Some(record) = self.known.clone() else {
            return;
        };
        self.rounds = self.rounds.wrapping_add(1);
        let round = self.rounds;
        self.role = Role::PreVote {
            round,
            until: now.saturating_add(self.timing.pre_vote),
            yes: BTreeSet::from([self.me.clone()]),
        };
        for voter in self.others(&record) {
            let record = record.clone();
            self.send(voter, Message::PreVoteRequest { round, record });
        }
        self.count_pre_votes(now);
    }

    pub(super) fn pre_vote(
        &mut self,
        from: Member,
        round: u64,
        yes: bool,
        record: Option<Record>,
        now: Duration,
    ) {
        if let Some(record) = record {
            self.saw_record(record, now);
        }
        if let Role::PreVote {
            round: mine,
            yes: voters,
            ..
        } = &mut self.role
            && *mine == round
            && yes
        {
            voters.insert(from);
            self.count_pre_votes(now);
        }
    }

    fn count_pre_votes(&mut self, now: Duration) {
        let (Role::PreVote { yes, .. }, Some(known)) = (&self.role, &self.known) else {
            return;
        };
        let count = yes.iter().filter(|voter| known.is_voter(voter)).count();
        if count >= known.promises_needed() {
            let to = known.next_term(&self.me);
            self.swap(known.clone(), to, Purpose::Stand, now);
        }
    }

    pub(super) fn swap(&mut self, from: Record, to: Record, purpose: Purpose, now: Duration) {
        self.role = Role::Swapping {
            to: to.clone(),
            purpose,
            until: now.saturating_add(self.timing.swap),
        };
        self.out.push(Effect::Swap { from, to });
    }

    pub(super) fn swapped(&mut self, asked: Record, outcome: Swapped, now: Duration) {
        let Role::Swapping { to, purpose, .. } = &self.role else {
            return self.swapped_late(asked, outcome, now);
        };
        if *to != asked {
            return self.swapped_late(asked, outcome, now);
        }
        let (to, purpose) = (to.clone(), *purpose);
        match outcome {
            Swapped::Won => {
                self.know(to.clone(), now);
                self.role = Role::Follower;
                match purpose {
                    // A promise to somebody else's higher term came first: this term is lost.
                    Purpose::Stand | Purpose::Reopen if to.term < self.durable.term => self.back_off(now),
                    Purpose::Stand => self.ask(to, now),
                    Purpose::Reopen => self.take_term(to, now),
                    Purpose::Cede => self.cede(to),
                }
            }
            Swapped::Lost(record) => {
                self.swap_failed(now);
                self.saw_record(record, now);
            }
            Swapped::Unknown => self.swap_failed(now),
        }
    }

    pub(super) fn swap_failed(&mut self, now: Duration) {
        self.give_up(now);
        let again = now.saturating_add(self.timing.ask_again);
        self.reopen_after = self.reopen_after.max(again);
    }

    /// The machine is about something else by now, or leads: only the record counts.
    fn swapped_late(&mut self, asked: Record, outcome: Swapped, now: Duration) {
        if matches!(outcome, Swapped::Lost(_)) {
            self.change_failed(&asked);
        }
        match outcome {
            Swapped::Won => self.saw_record(asked, now),
            Swapped::Lost(record) => self.saw_record(record, now),
            Swapped::Unknown => {}
        }
    }

    fn cede(&mut self, record: Record) {
        if let Some(winner) = record.holder.clone() {
            self.send(winner, Message::TakeOver { record });
        }
    }

    /// The term is this member's: it asks for promises, its own first.
    pub(super) fn ask(&mut self, record: Record, now: Duration) {
        self.raise(&record);
        self.leader = None;
        self.promising_to = None;
        self.out.push(Effect::StopReceiving { term: record.term });
        self.role = Role::Promising {
            record,
            since: now,
            asked: now,
            promises: BTreeMap::new(),
        };
        self.send_promise_requests(now);
    }

    pub(super) fn ask_for_promises(&mut self, now: Duration) {
        let again = self.timing.ask_again;
        if let Role::Promising {
            asked,
            record,
            promises,
            ..
        } = &mut self.role
            && now >= asked.saturating_add(again)
        {
            *asked = now;
            let (term, own) = (record.term, promises.contains_key(&self.me));
            if !own {
                self.out.push(Effect::StopReceiving { term });
            }
            self.send_promise_requests(now);
        }
    }

    fn send_promise_requests(&mut self, now: Duration) {
        if let Role::Promising {
            record,
            promises,
            since,
            ..
        } = &self.role
        {
            let urgent = now >= since.saturating_add(self.timing.ask_again.saturating_mul(2));
            let record = record.clone();
            let missing: Vec<Member> = self
                .others(&record)
                .into_iter()
                .filter(|voter| !promises.contains_key(voter))
                .collect();
            for voter in missing {
                let record = record.clone();
                self.send(voter, Message::PromiseRequest { record, urgent });
            }
        }
    }

    pub(super) fn promised(&mut self, from: Member, term: u64, position: P, now: Duration) {
        let Role::Promising { record, promises, .. } = &mut self.role else {
            return;
        };
        if record.term != term || !record.is_voter(&from) {
            return;
        }
        promises.insert(from, position);
        if promises.len() < record.promises_needed() || !promises.contains_key(&self.me) {
            return;
        }
        let record = record.clone();
        match furthest(promises.iter(), &self.me) {
            Ok(Some(winner)) if *winner == self.me => {
                self.role = Role::CatchingUp { record };
                self.out.push(Effect::CatchUp { term });
            }
            Ok(Some(winner)) => {
                let to = record.next_term(&winner.clone());
                self.swap(record, to, Purpose::Cede, now);
            }
            Ok(None) => {}
            Err((one, other)) => {
                let (one, other) = (one.clone(), other.clone());
                self.out.push(Effect::Errant { one, other });
                self.give_up(now);
                self.stand_after = self.stand_after.max(now.saturating_add(self.timing.patience));
            }
        }
    }

    pub(super) fn caught_up(&mut self, term: u64, done: bool, now: Duration) {
        let Role::CatchingUp { record } = &self.role else {
            return;
        };
        if record.term != term {
            return;
        }
        if !done {
            self.give_up(now);
            self.stand_after = self.stand_after.max(now.saturating_add(self.timing.patience));
            return;
        }
        let record = record.clone();
        self.take_term(record, now);
    }

    /// This member has everything that was ever acknowledged and leads.
    pub(super) fn take_term(&mut self, record: Record, now: Duration) {
        self.persist(Durable {
            term: record.term,
            version: self.durable.version.max(record.version),
            held: record.term,
        });
        self.begin_to_lead(record, now);
    }
}
