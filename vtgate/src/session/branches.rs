//! The connections that a session keeps between statements, and the state of its transaction.

use mysql_wire::StatusFlags;
use smallvec::SmallVec;

use crate::backend::Pooled;
use crate::cluster::ShardState;

/// A session's connection to a shard. One that is dropped with something of the session's on it is closed, never pooled.
pub(super) struct Branch {
    /// The connection.
    pub conn: Pooled,
    /// The term of the primary that it leads to; 0 for a replica.
    pub term: u64,
    /// A transaction is open on it, or is once the statements that were pipelined have run.
    pub in_transaction: bool,
    /// A statement that writes was sent in this transaction.
    pub wrote: bool,
    /// It was told `SET TRANSACTION ..` for a transaction that no BEGIN opens: it may still wait for one.
    pub told_characteristics: bool,
    /// It has state of the session that cannot be carried over.
    pub pinned: bool,
}

impl Branch {
    /// A connection on which the session has nothing yet.
    pub(super) fn new(conn: Pooled, term: u64) -> Self {
        Self {
            conn,
            term,
            in_transaction: false,
            wrote: false,
            told_characteristics: false,
            pinned: false,
        }
    }

    /// Whether it belongs to a shard.
    fn is_of(&self, keyspace: &str, shard: &str) -> bool {
        let own = &self.conn.target;
        *own.keyspace == *keyspace && *own.shard == *shard
    }

    /// Whether something of the session is on it that no other connection has.
    pub(super) fn is_bound(&self) -> bool {
        self.in_transaction || self.pinned
    }

    /// Whether another primary serves the shard since this connection was made: what is open here can never be committed.
    pub(super) fn is_superseded(&self, shard: &ShardState) -> bool {
        self.term != 0 && shard.primary.is_some() && shard.term > self.term
    }

    /// Closes the connection.
    pub(super) fn discard(mut self) {
        self.conn.begin_exchange();
    }
}

impl Drop for Branch {
    fn drop(&mut self) {
        if self.in_transaction || self.told_characteristics || self.pinned {
            self.conn.begin_exchange();
        }
    }
}

/// What each shard that joins the session's transaction has to be told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Transaction {
    /// The statement that opens it on a shard, after BEGIN was answered.
    pub begin: Option<Box<[u8]>>,
    /// `SET TRANSACTION ..` statements, which come before.
    pub characteristics: Vec<Vec<u8>>,
    /// It was opened READ ONLY, for the status flags.
    pub read_only: bool,
    /// Live savepoints, oldest first, as quoted identifiers.
    pub savepoints: Vec<Box<[u8]>>,
}

/// What a statement left of the session's transaction; the later one of two outweighs the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Left {
    /// What there was.
    AsItWas,
    /// MySQL ended it on the statement's shard.
    Ended,
    /// The connection is lost, with what the session kept there, but no transaction was open on it.
    Stripped,
    /// The connection is lost, with what was open on it.
    Lost,
}

/// Kept connections and transaction state.
#[derive(Default)]
pub(super) struct Branches {
    held: SmallVec<[Branch; 1]>,
    /// The session's transaction.
    pub transaction: Transaction,
    /// The session has state on its connections that cannot be carried over: they stay its own until it ends.
    pub pinned: bool,
    /// LOCK TABLES was answered, and nothing has unlocked them.
    pub tables_locked: bool,
    /// The connections' own counters are the session's, from FLUSH STATUS on; nothing else of them is.
    pub keeps_counters: bool,
}

impl Branches {
    /// Whether a transaction is open, for the status flags.
    pub(super) fn in_transaction(&self) -> bool {
        self.transaction.begin.is_some() || self.held.iter().any(|branch| branch.in_transaction)
    }

    /// Takes the kept connection of a shard out, for a statement.
    pub(super) fn take(&mut self, keyspace: &str, shard: &str) -> Option<Branch> {
        let at = self
            .held
            .iter()
            .position(|branch| branch.is_of(keyspace, shard))?;
        Some(self.held.swap_remove(at))
    }

    /// Takes any kept connection out.
    pub(super) fn take_any(&mut self) -> Option<Branch> {
        self.held.pop()
    }

    /// Takes a connection back after a statement that ended with `status`, and decides whether the session keeps it.
    pub(super) fn put(&mut self, mut branch: Branch, status: StatusFlags) -> Left {
        let was_open = branch.in_transaction;
        if !branch.conn.is_clean() {
            // Something went wrong in the middle of an exchange: nobody can build on this connection.
            return match branch.pinned || self.pinned {
                _ if was_open => Left::Lost,
                true => Left::Stripped,
                false => Left::AsItWas,
            };
        }
        branch.in_transaction = status.contains(StatusFlags::IN_TRANS);
        branch.wrote &= branch.in_transaction;
        branch.told_characteristics &= !branch.in_transaction;
        let ended = was_open && !branch.in_transaction;
        self.give_back(branch);
        if ended { Left::Ended } else { Left::AsItWas }
    }

    /// Takes a connection back after something that changed nothing on it.
    pub(super) fn give_back(&mut self, mut branch: Branch) {
        branch.pinned |= self.pinned;
        if !branch.in_transaction && !branch.pinned && !self.keeps_counters {
            return;
        }
        if branch.conn.is_clean() {
            self.held.push(branch);
        } else if branch.in_transaction || branch.pinned {
            self.abandon();
        }
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
    pub(super) fn wrote_elsewhere(&self, keyspace: &str, shard: &str) -> Option<&Branch> {
        self.held
            .iter()
            .find(|branch| branch.wrote && !branch.is_of(keyspace, shard))
    }

    /// Closes every kept connection, which rolls back what is open on it, and forgets the transaction.
    pub(super) fn abandon(&mut self) {
        for branch in self.take_all() {
            branch.discard();
        }
        *self = Self::default();
    }
}

impl Drop for Branches {
    fn drop(&mut self) {
        for branch in self.take_all() {
            branch.discard();
        }
    }
}
