//! A connection to a shard for one statement: taken, brought in line with the session, given back or lost.

use std::rc::Rc;
use std::sync::Arc;

use mysql_wire::StatusFlags;
use planner::catalog::{KeyspaceIndex, ShardIndex};

use super::Session;
use super::branches::Branch;
use super::execute::interrupt_error;
use super::query::Done;
use super::relay::{Answer, Failure};
use super::target::TabletType;
use crate::backend::pool::Wanted;
use crate::cluster::{Cluster, TabletTarget};
use crate::control::{Interrupt, Interrupts};
use crate::error::{self, SqlResult};
use crate::traces::ShardSpan;

/// A connection for one statement.
pub(super) struct Lease {
    /// The connection.
    pub branch: Branch,
    /// Statements that were pipelined in front; their answers have to be skipped.
    pub prefixes: u32,
    /// It was idle in the pool: if it turns out to be dead, nothing was executed.
    pub reused: bool,
    /// Lasts as long as the connection is leased.
    pub span: Option<Box<ShardSpan>>,
}

/// What a statement needs of its connection.
#[derive(Clone, Copy, Default)]
pub(super) struct Needs {
    /// It writes.
    pub writes: bool,
    /// It reads or writes user variables.
    pub user_variables: bool,
    /// Its OK packet does not tell LAST_INSERT_ID(): the connection gets the session's before it.
    pub insert_id: bool,
    /// It must see the primary.
    pub primary: bool,
    /// It is the session's own affair: what it writes to other shards does not matter.
    pub anywhere: bool,
    /// It names tables, so that it can be what `SET TRANSACTION ..` was said for.
    pub tables: bool,
}

impl Session {
    /// Takes a connection to a shard for one statement: the session's own, or a pooled one brought in line with the session.
    pub(super) async fn lease(
        &mut self,
        cluster: &Cluster,
        keyspace: KeyspaceIndex,
        shard: ShardIndex,
        needs: Needs,
    ) -> SqlResult<Lease> {
        let tablet_type = if needs.primary {
            TabletType::Primary
        } else {
            self.target.tablet_type
        };
        let target = cluster.target(keyspace, shard, tablet_type)?;
        if needs.writes
            && !needs.anywhere
            && self.in_transaction()
            && let Some(other) = self.branches.wrote_elsewhere(target)
        {
            let what = format!(
                "a transaction that writes to shards {} and {}",
                other.conn.target.shard, target.shard
            );
            return Err(error::unsupported(what));
        }
        let span = self.shard_span(target);
        let (mut branch, reused) = match self.branches.take(target) {
            Some(branch) => (branch, false),
            None => self.borrow(target).await?,
        };
        match self.bring_in_line(&mut branch, target, needs).await {
            Ok(prefixes) => Ok(Lease {
                branch,
                prefixes,
                reused,
                span,
            }),
            Err(wrong) => {
                self.branches.give_back(branch);
                Err(wrong)
            }
        }
    }

    /// Whether a transaction is open, or is by the next statement.
    pub(super) fn in_transaction(&self) -> bool {
        self.branches.in_transaction() || !self.autocommit()
    }

    pub(super) async fn borrow(&self, target: &Arc<TabletTarget>) -> SqlResult<(Branch, bool)> {
        let pool = self.worker.pool(target);
        let wanted = Wanted {
            system: &self.system,
            shape: self.shape,
        };
        let (conn, reused) = match pool.try_get(wanted) {
            Some(conn) => (conn, true),
            None => tokio::select! {
                biased;
                why = self.control.interrupted(Interrupts::STATEMENT) => return Err(interrupt_error(why)),
                conn = Box::pin(pool.get(wanted)) => (conn?, false),
            },
        };
        let branch = Branch {
            conn,
            in_transaction: false,
            wrote: false,
            told_characteristics: false,
            pinned: false,
        };
        Ok((branch, reused))
    }

    /// Settings, database, user variables, and the beginning of a transaction. Returns how many statements were pipelined.
    async fn bring_in_line(
        &mut self,
        branch: &mut Branch,
        target: &TabletTarget,
        needs: Needs,
    ) -> SqlResult<u32> {
        let conn = &mut branch.conn;
        let database = match &self.target.database {
            Some(name) if self.target.is_system() => name,
            _ => &*target.database,
        };
        if !conn.is_in_line(&self.system, database) {
            Box::pin(conn.adjust(&self.system, database)).await?;
        }
        if needs.user_variables {
            let user_variables: Rc<_> = self.user_variables.clone();
            conn.adjust_user_variables(&user_variables).await?;
        }
        let mut prefixes = 0;
        if needs.insert_id {
            conn.push_query(format!("SET last_insert_id={}", self.last_insert_id).as_bytes());
            prefixes += 1;
        }
        // What reads no tables is no part of a transaction.
        if branch.in_transaction || needs.anywhere && !needs.tables {
            return Ok(prefixes);
        }
        let transaction = &self.branches.transaction;
        // Under autocommit=0 MySQL opens a transaction by itself. A shard that joins one is told, because of the savepoints, and
        // because only what was open before a statement can be seen to end by it.
        let joins = self.branches.in_transaction() || needs.tables && !transaction.savepoints.is_empty();
        let begin = match &transaction.begin {
            None if joins && !self.autocommit() => Some(b"START TRANSACTION".as_slice()),
            begin => begin.as_deref(),
        };
        let mut push = |text: &[u8]| {
            branch.conn.push_query(text);
            prefixes += 1;
        };
        if begin.is_some() || needs.tables {
            transaction.characteristics.iter().for_each(|text| push(text));
        }
        match begin {
            Some(begin) => {
                push(begin);
                for savepoint in &transaction.savepoints {
                    push(&[b"SAVEPOINT ", &savepoint[..]].concat());
                }
                branch.in_transaction = true;
            }
            None => branch.told_characteristics |= needs.tables && !transaction.characteristics.is_empty(),
        }
        Ok(prefixes)
    }

    /// Returns the connection to its pool, or keeps it for the transaction or for ever, and brings the other shards in line.
    ///
    /// # Errors
    /// As [`Self::conclude`].
    pub(super) async fn put_back(
        &mut self,
        mut lease: Lease,
        answer: &Answer,
        status: StatusFlags,
    ) -> SqlResult<()> {
        /// The statement was refused before a transaction began.
        const READ_ONLY: u16 = 1792;
        if let (Some(span), Answer::Err(wrong)) = (&mut lease.span, answer) {
            span.failed(wrong.code);
        }
        let refused = matches!(answer, Answer::Err(wrong) if wrong.code == READ_ONLY);
        if lease.branch.told_characteristics && self.autocommit() && !refused {
            self.branches.transaction.characteristics.clear();
        }
        if status.contains(StatusFlags::AUTOCOMMIT) != self.autocommit() {
            // A stored program or a statement prepared in SQL has set it, on a connection that is the session's own by that.
            let value: &[u8] = if self.autocommit() { b"0" } else { b"1" };
            self.system = self
                .worker
                .system_settings
                .with(&self.system, "autocommit", Some(value));
            lease.branch.conn.system = self.system.clone();
        }
        let target = lease.branch.conn.target.clone();
        let left = self.branches.put(lease.branch, status);
        self.conclude(left, !matches!(answer, Answer::Err(_)), &target.alias)
            .await
    }

    /// Gives back connections that were leased for a statement which is not sent after all. A transaction that is open on one stays open.
    pub(super) async fn return_unused(&mut self, leases: Vec<Lease>) {
        for mut lease in leases {
            // One that could not join the transaction has nothing of it.
            match self.settle(&mut lease).await {
                Ok(()) => self.branches.give_back(lease.branch),
                Err(_) => lease.branch.discard(),
            }
        }
    }

    /// A connection that failed in the middle of a statement.
    pub(super) fn lose(&mut self, lease: Lease, failure: Failure) -> Result<Done, mysql_wire::Error> {
        let in_transaction = lease.branch.in_transaction || lease.branch.wrote && self.in_transaction();
        let alias = lease.branch.conn.target.alias.clone();
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
            Failure::Backend {
                error: wrong, cut, ..
            } => {
                tracing::warn!(tablet = alias, error = %wrong, "backend connection lost");
                lease.branch.discard();
                if in_transaction || self.branches.pinned {
                    // What the lost connection held is gone; the rest of the transaction cannot stand alone.
                    self.branches.abandon();
                }
                if cut {
                    return Err(mysql_wire::Error::Io(
                        std::io::ErrorKind::ConnectionAborted.into(),
                    ));
                }
                Ok(self.fail(error::lost_connection(&alias)))
            }
        }
    }
}
