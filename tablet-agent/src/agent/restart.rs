//! The restart by order: an orderly stop of mysqld alone, after which the passes start it again.

use crate::agent::Agent;
use crate::handover::fence;
use crate::leader::Stance;
use crate::restart::RestartError;

impl Agent {
    /// Stops mysqld unless this member leads others. No pass runs meanwhile, so nothing makes it a primary.
    pub(super) async fn restart(&mut self) -> Result<(), RestartError> {
        let me = self.memory.get().alias;
        if self.process.borrow().pid.is_none() {
            return Err(RestartError::Refused(format!("the mysqld of {me} does not run")));
        }
        let leads = match self.leader.stance() {
            Stance::Lead { record, .. } if record.voters.len() > 1 => {
                return Err(RestartError::Refused(format!(
                    "{me} leads term {} of a shard with {} members: hand it over first",
                    record.term,
                    record.voters.len()
                )));
            }
            Stance::Lead { .. } => true,
            Stance::Follow { .. } | Stance::Wait => false,
        };
        tracing::info!("restarting mysqld by order");
        let ended = self.end_by_order(leads).await;
        self.shared.board.update(|h| h.draining = false);
        ended.map_err(RestartError::Failed)
    }

    async fn end_by_order(&mut self, leads: bool) -> anyhow::Result<()> {
        if leads {
            // Gateways hold what is new, and what is open may end.
            self.shared.board.update(|h| h.draining = true);
            fence::drain(&self.shared.control).await?;
        }
        self.shared
            .board
            .update(|h| h.not_serving = Some("mysqld is being restarted".into()));
        self.lead = None;
        // The primary of a replica that restarts goes on with the others, so nobody's last commits wait for this one.
        self.end_mysqld(true).await
    }
}
