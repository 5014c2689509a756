//! Changes of the voters and of W, by the primary of the current term.

use std::time::Duration;

use super::{Effect, Machine, Role};
use crate::{Position, Record};

impl<P: Position> Machine<P> {
    /// From the swap's order on others may be elected by the new record, for which fewer promises may be enough than by the old one:
    /// leases have to keep them from both. Who does not serve need not have them yet.
    pub(super) fn change(&mut self, to: Record, now: Duration) {
        let Role::Leading(lead) = &mut self.role else {
            return;
        };
        let repeated = lead.pending.as_ref() == Some(&to);
        let follows = lead.pending.is_none()
            && to.term == lead.record.term
            && to.holder == lead.record.holder
            && to.version == lead.record.version.saturating_add(1);
        if !(repeated || follows) || !to.is_voter(&self.me) || to.acks >= to.voters.len() {
            return;
        }
        let from = lead.record.clone();
        let soon = now.saturating_add(self.timing.gate_before);
        let Role::Leading(lead) = &self.role else {
            return;
        };
        if !lead.gated && self.lapse_by(lead, &to).is_some_and(|lapse| lapse <= soon) {
            return;
        }
        if let Role::Leading(lead) = &mut self.role {
            lead.pending = Some(to.clone());
        }
        if let Role::Leading(lead) = &self.role {
            self.set_deadline(self.lapse(lead));
        }
        self.out.push(Effect::Swap { from, to });
    }

    /// The record became another one than asked for: this one it can never become.
    pub(super) fn change_failed(&mut self, to: &Record) {
        if let Role::Leading(lead) = &mut self.role
            && lead.pending.as_ref() == Some(to)
        {
            lead.pending = None;
        }
    }
}
