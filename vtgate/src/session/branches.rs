//! The connections that a session keeps between statements, and the state of its transaction.

use std::sync::Arc;

use mysql_wire::StatusFlags;
use smallvec::SmallVec;

use crate::backend::Pooled;
use crate::cluster::TabletTarget;

/// A kept connection.
pub(super) struct Branch {
    /// Keyspace and shard that it belongs to.
    pub keyspace: Arc<str>,
    /// See `keyspace`.
    pub shard: Arc<str>,
    /// The connection.
    pub conn: Pooled,
    /// MySQL says that a transaction is open on it.
    pub in_transaction: bool,
    /// A statement that writes was sent in this transaction.
    pub wrote: bool,
}

/// The explicit transaction of a session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Transaction {
    /// None, or an implicit one under `autocommit=0`.
    #[default]
    None,
    /// BEGIN was answered. Each branch gets `begin` and the savepoints with its first statement.
    Open {
        /// The statement that opens it on a shard.
        begin: Box<[u8]>,
        /// Live savepoints, oldest first, as quoted identifiers.
        savepoints: Vec<Box<[u8]>>,
    },
}

/// Kept connections and transaction state.
#[derive(Default)]
pub(super) struct Branches {
    held: SmallVec<[Branch; 1]>,
    /// The explicit transaction.
    pub transaction: Transaction,
    /// `SET TRANSACTION ..` statements for the next transaction.
    pub next_transaction: Vec<Vec<u8>>,
    /// The session has state on its connections that cannot be carried over: they stay its own until it ends.
    pub pinned: bool,
    /// The connections' own counters are the session's, from FLUSH STATUS on; nothing else of them is.
    pub keeps_counters: bool,
}

impl Branches {
    /// Whether a transaction is open, for the status flags.
    pub(super) fn in_transaction(&self) -> bool {
        self.transaction != Transaction::None || self.held.iter().any(|branch| branch.in_transaction)
    }

    /// Takes the kept connection of a shard out, for a statement.
    pub(super) fn take(&mut self, target: &TabletTarget) -> Option<Branch> {
        let at = self
            .held
            .iter()
            .position(|branch| branch.keyspace == target.keyspace && branch.shard == target.shard)?;
        Some(self.held.swap_remove(at))
    }

    /// Takes any kept connection out.
    pub(super) fn take_any(&mut self) -> Option<Branch> {
        self.held.pop()
    }

    /// Decides after a statement whether the session keeps the connection; drops it if not.
    pub(super) fn put(&mut self, mut branch: Branch, status: StatusFlags) {
        branch.in_transaction = status.contains(StatusFlags::IN_TRANS);
        if !branch.conn.is_clean() {
            // Something went wrong in the middle of an exchange: nobody can build on this connection.
            branch.conn.discard();
            return;
        }
        branch.wrote &= branch.in_transaction;
        let ended = !branch.in_transaction && !self.held.iter().any(|other| other.in_transaction);
        if branch.in_transaction || self.keeps() {
            self.held.push(branch);
        }
        if ended {
            // COMMIT, or an implicit commit (DDL), or a rollback by MySQL (deadlock).
            self.transaction = Transaction::None;
        }
    }

    /// Whether connections stay with the session outside of transactions.
    fn keeps(&self) -> bool {
        self.pinned || self.keeps_counters
    }

    /// Gives a connection back after something that changed nothing on it.
    pub(super) fn give_back(&mut self, branch: Branch) {
        if branch.conn.is_clean() && (branch.in_transaction || self.keeps()) {
            self.held.push(branch);
        }
    }

    /// Keeps a connection whatever its state.
    pub(super) fn hold(&mut self, branch: Branch) {
        self.held.push(branch);
    }

    /// Kept connections.
    pub(super) fn held(&self) -> &[Branch] {
        &self.held
    }

    /// Takes all kept connections out.
    pub(super) fn take_all(&mut self) -> SmallVec<[Branch; 1]> {
        std::mem::take(&mut self.held)
    }

    /// Whether another shard was written in this transaction.
    pub(super) fn wrote_elsewhere(&self, target: &TabletTarget) -> Option<&Branch> {
        self.held.iter().find(|branch| {
            branch.wrote && !(branch.keyspace == target.keyspace && branch.shard == target.shard)
        })
    }

    /// Closes every kept connection, which rolls back what is open on it, and forgets the transaction.
    pub(super) fn abandon(&mut self) {
        for branch in self.take_all() {
            branch.conn.discard();
        }
        self.transaction = Transaction::None;
        self.next_transaction.clear();
        self.pinned = false;
        self.keeps_counters = false;
    }
}

impl Drop for Branches {
    fn drop(&mut self) {
        self.abandon();
    }
}
