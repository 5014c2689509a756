//! What may come between.

use super::super::name;
use super::world::{Mode, Pending, World};
use crate::{Event, Record};

/// A fault.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// This, which is next, does not happen.
    Lose(Pending),
    /// What is next happens some steps later.
    Delay(Pending, u64),
    /// What is next happens now, and again later.
    Double(Pending, u64),
    AgentCrash(usize, u64),
    /// The agent ends right after its next write to disk.
    CrashAfterPersist(usize),
    ServerDeath(usize),
    /// The whole member ends.
    MemberCrash(usize, u64),
    Cut(usize, u64),
    Change(Record),
}

impl World {
    /// The faults that make a difference now: each place is visited once, so that those of members come between steps of time.
    pub(super) fn possible_faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        match self.pending.front() {
            Some(next @ (Pending::Message { .. } | Pending::Swap { .. } | Pending::Ack { .. })) => {
                faults.push(Fault::Lose(next.clone()));
                for later in [1, 3] {
                    faults.push(Fault::Delay(next.clone(), later));
                    faults.push(Fault::Double(next.clone(), later));
                }
                if let Pending::Message { from, to, .. } = next {
                    faults.extend([Fault::CrashAfterPersist(*to), Fault::AgentCrash(*from, 1)]);
                }
            }
            Some(next @ Pending::Answer { id, .. }) => {
                faults.extend([Fault::Lose(next.clone()), Fault::Delay(next.clone(), 1)]);
                faults.extend([Fault::AgentCrash(*id, 1), Fault::CrashAfterPersist(*id)]);
            }
            Some(next @ Pending::Stop { id, .. }) => {
                faults.extend([Fault::Delay(next.clone(), 1), Fault::ServerDeath(*id)]);
                faults.extend([Fault::AgentCrash(*id, 1), Fault::MemberCrash(*id, 1)]);
            }
            Some(Pending::CaughtUp { id, .. }) => faults.push(Fault::AgentCrash(*id, 1)),
            Some(Pending::Show { .. } | Pending::Kill { .. } | Pending::Pull { .. }) => {}
            None => self.faults_between_steps(&mut faults),
        }
        faults
    }

    fn faults_between_steps(&self, faults: &mut Vec<Fault>) {
        for id in 0..self.nodes.len() {
            let node = &self.nodes[id];
            if node.machine.is_some() {
                for ticks in [0, 1, 4] {
                    faults.push(Fault::AgentCrash(id, ticks));
                    faults.push(Fault::MemberCrash(id, ticks));
                }
            }
            if node.mode != Mode::Down {
                faults.push(Fault::ServerDeath(id));
            }
            if !self.is_cut(id) {
                faults.extend([2, 3, 5].map(|ticks| Fault::Cut(id, ticks)));
            }
        }
        if self.serving().is_none_or(|id| !self.record.is_held_by(&name(id))) {
            return;
        }
        let changed = |voters: usize, acks: usize| Record {
            voters: self.record.voters[..voters].to_vec(),
            acks,
            version: self.record.version + 1,
            ..self.record.clone()
        };
        let (voters, acks) = (self.record.voters.len(), self.record.acks);
        let last_leads = self.record.voters.last() == self.record.holder.as_ref();
        if acks + 1 < voters {
            faults.push(Fault::Change(changed(voters, acks + 1)));
            if !last_leads {
                faults.push(Fault::Change(changed(voters - 1, acks)));
            }
        }
        if acks > 1 {
            faults.push(Fault::Change(changed(voters, acks - 1)));
        }
    }

    pub(super) fn suffer(&mut self, fault: &Fault) {
        match fault {
            Fault::Lose(lost) => assert_eq!(self.pending.pop_front().as_ref(), Some(lost)),
            Fault::Delay(next, ticks) => {
                self.pending.pop_front();
                self.late.push((self.now + ticks, next.clone()));
            }
            Fault::Double(next, ticks) => self.late.push((self.now + ticks, next.clone())),
            Fault::AgentCrash(id, ticks) => self.crash(*id, *ticks),
            Fault::CrashAfterPersist(id) => self.doomed = Some(*id),
            Fault::ServerDeath(id) => self.die(*id),
            Fault::MemberCrash(id, ticks) => {
                self.crash(*id, *ticks);
                self.nodes[*id].mode = Mode::Down;
            }
            Fault::Cut(id, ticks) => self.cut[*id] = self.now + 1 + ticks,
            Fault::Change(to) => self.begin_change(to),
        }
    }

    /// What is stricter holds on the server before it is published.
    fn begin_change(&mut self, to: &Record) {
        let Some(id) = self.serving() else {
            return;
        };
        if let Mode::Primary(primary) = &mut self.nodes[id].mode {
            primary.acks = primary.acks.max(to.acks);
            primary.counted.retain(|other| to.is_voter(&name(*other)));
        }
        if self.covered(id) >= to.acks {
            self.step(id, Event::Change { to: to.clone() });
        }
    }
}
