//! What the shard's record says, from wherever it is heard.

use std::time::Duration;

use super::{Machine, Role};
use crate::{Position, Record};

impl<P: Position> Machine<P> {
    /// A record from the store or from a member.
    pub(super) fn saw_record(&mut self, record: Record, now: Duration) {
        if self
            .known
            .as_ref()
            .is_some_and(|known| !record.is_newer_than(known))
        {
            return;
        }
        let term = record.term;
        self.know(record.clone(), now);
        match &mut self.role {
            Role::Leading(lead) if lead.record.term == term => {
                lead.record = record.clone();
                lead.pending = None;
            }
            Role::Leading(lead) if lead.record.term < term => self.step_down(now),
            Role::Promising { record: mine, .. } | Role::CatchingUp { record: mine } if mine.term < term => {
                self.give_up(now);
            }
            Role::PreVote { .. } => self.give_up(now),
            _ => {}
        }
        // Its own swap tells by itself.
        let own_swap = matches!(&self.role, Role::Swapping { to, .. } if *to == record);
        if record.is_held_by(&self.me) && term > self.durable.term && !own_swap {
            self.ask(record, now);
        }
    }

    /// Keeps a record that may be the newest one. Who opened a term is given time to lead: members without servers would else
    /// depose each other for ever before they have asked the others in earnest.
    pub(super) fn know(&mut self, record: Record, now: Duration) {
        let before = self.known.as_ref();
        if before.is_some_and(|known| !record.is_newer_than(known)) {
            return;
        }
        if before.is_none_or(|known| record.term > known.term) && !record.is_held_by(&self.me) {
            self.patient_until = now.saturating_add(self.timing.patience);
        }
        self.known = Some(record);
    }
}
