//! What the loss of a connection in use means: the statement can run again elsewhere, or the client has to know.

use mysql_wire::SqlError;

use super::Session;
use super::execute::interrupt_error;
use super::hold::Stall;
use super::lease::Lease;
use super::query::Done;
use super::relay::Failure;
use crate::control::Interrupt;
use crate::error::{self, SqlResult};

/// How far a statement has come on its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// mysqld has not got all of it: it runs nothing, or has refused it before it did anything.
    Unsent,
    /// It was sent; the client has nothing of the answer yet.
    Sent,
    /// A part of the answer is with the client.
    Answering,
}

/// What a statement may have left behind when its connection was lost.
enum Ran {
    /// Nothing: it can run again.
    Nothing,
    /// Nothing on the shard, but the client has a part of it, or it must not run twice.
    Perhaps,
    /// A write, perhaps.
    Write,
}

impl Lease {
    fn ran(&self, autocommit: bool) -> Ran {
        // What was not committed is rolled back with the connection.
        let open = (self.branch.in_transaction || !autocommit) && !self.needs.once;
        match self.stage {
            Stage::Unsent => Ran::Nothing,
            Stage::Sent | Stage::Answering if (self.needs.writes || self.needs.programs) && !open => {
                Ran::Write
            }
            Stage::Sent if !self.needs.once => Ran::Nothing,
            Stage::Sent | Stage::Answering => Ran::Perhaps,
        }
    }

    /// Whether an error that the primary answered says that it is none, and that nothing was done.
    pub(super) fn was_turned_away(&self, wrong: &SqlError, autocommit: bool) -> bool {
        self.branch.term != 0
            && error::is_gone(wrong)
            && (self.bound
                || self.stage != Stage::Answering
                    && !self.needs.programs
                    // A write that was running when the server began to stop may have changed tables that know no rollback.
                    && (error::is_refusal(wrong) || !matches!(self.ran(autocommit), Ran::Write)))
    }
}

impl Session {
    /// Takes a lease back on which something failed; returns the error for the client.
    pub(super) fn fallen(&mut self, lease: Lease, wrong: SqlError) -> SqlError {
        if error::is_gone(&wrong) {
            return self.gone(lease, wrong);
        }
        self.branches.give_back(lease.branch);
        wrong
    }

    /// A lease whose connection is lost, or whose server is no primary any more.
    ///
    /// Returns the error for the client, or stalls the statement where it can run again.
    pub(super) fn gone(&mut self, lease: Lease, cause: SqlError) -> SqlError {
        let ran = lease.ran(self.autocommit());
        let (bound, joined) = (lease.bound, lease.branch.in_transaction);
        let (target, term) = (lease.branch.conn.target.clone(), lease.branch.term);
        let at_once = !lease.branch.conn.is_clean();
        let sent = lease.stage != Stage::Unsent;
        tracing::info!(
            tablet = target.alias,
            error = %cause,
            "a connection is of no use any more"
        );
        lease.branch.discard();
        let told = match ran {
            // A transaction that other shards take part in goes on, as long as nothing of it was on this connection.
            Ran::Nothing if !bound => {
                return self.stall(Stall::on(&target, term, at_once, cause).sent(sent));
            }
            Ran::Write => error::outcome_unknown(&target),
            _ if joined || self.branches.in_transaction() => error::transaction_lost(&target),
            _ if bound => error::state_lost(&target),
            Ran::Nothing | Ran::Perhaps => error::connection_lost(&target),
        };
        if bound || joined {
            // What the lost connection held is gone; the rest of the transaction cannot stand alone.
            self.branches.abandon();
            self.transaction_deadline();
        }
        told
    }

    /// A statement that the primary turned away ([`Lease::was_turned_away`]).
    pub(super) fn turned_away(&mut self, mut lease: Lease, wrong: SqlError) -> Done {
        if lease.stage == Stage::Sent && !lease.needs.programs {
            lease.stage = Stage::Unsent;
        }
        let told = self.gone(lease, wrong);
        self.fail(told)
    }

    /// Takes leases of a statement back of which one failed before it ran on any.
    pub(super) async fn fall_back(&mut self, mut leases: Vec<Lease>, at: usize, wrong: SqlError) -> SqlError {
        let failed = (at < leases.len()).then(|| leases.swap_remove(at));
        self.return_unused(leases).await;
        match failed {
            Some(failed) => self.fallen(failed, wrong),
            None => wrong,
        }
    }

    /// A lease on which nothing is pipelined any more.
    ///
    /// # Errors
    /// What kept the pipelined statements from running; the lease is taken back.
    pub(super) async fn settled(&mut self, mut lease: Lease) -> SqlResult<Lease> {
        match self.settle(&mut lease).await {
            Ok(()) => Ok(lease),
            Err(wrong) => Err(self.fallen(lease, wrong)),
        }
    }

    /// A connection that failed in the middle of a statement.
    pub(super) fn lose(&mut self, lease: Lease, failure: Failure) -> Result<Done, mysql_wire::Error> {
        let in_transaction = lease.branch.in_transaction || lease.branch.wrote && self.in_transaction();
        match failure {
            Failure::Client(error) => {
                lease.branch.discard();
                Err(error)
            }
            Failure::Interrupted(why) => {
                let wrong = interrupt_error(why);
                let clean = why != Interrupt::KillConnection && lease.branch.conn.is_clean();
                if clean {
                    self.branches.give_back(lease.branch);
                } else {
                    lease.branch.discard();
                    if in_transaction || self.branches.pinned {
                        self.branches.abandon();
                    }
                }
                self.transaction_deadline();
                Ok(self.fail(wrong))
            }
            Failure::Backend { error, cut } => {
                let lost = lease.branch.conn.lost(error);
                let told = self.gone(lease, lost);
                if cut {
                    // No packet can follow a part of one.
                    return Err(mysql_wire::Error::Io(
                        std::io::ErrorKind::ConnectionAborted.into(),
                    ));
                }
                Ok(self.fail(told))
            }
        }
    }
}
