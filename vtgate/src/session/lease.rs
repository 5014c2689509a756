//! A connection to a shard for one statement: taken, brought in line with the session, given back or lost.

use std::rc::Rc;

use mysql_wire::StatusFlags;
use planner::catalog::{KeyspaceIndex, ShardIndex};

use super::Session;
use super::branches::Branch;
use super::execute::interrupt_error;
use super::hold::Stall;
use super::lost::Stage;
use super::relay::Answer;
use super::target::TabletType;
use crate::backend::connection::NoConnection;
use crate::backend::pool::Wanted;
use crate::cluster::Cluster;
use crate::control::Interrupts;
use crate::error::{self, SqlResult};
use crate::traces::ShardSpan;

/// A connection for one statement.
pub(super) struct Lease {
    /// The connection.
    pub branch: Branch,
    /// Statements that were pipelined in front; their answers have to be skipped.
    pub prefixes: u32,
    /// Something of the session was on the connection before: it cannot go on with another one.
    pub bound: bool,
    /// What the statement needs.
    pub needs: Needs,
    /// How far the statement has come.
    pub stage: Stage,
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
    /// It may do more than one thing, such as a stored program does: refused in the middle of it, it has done a part.
    pub programs: bool,
    /// What it has done may stay when its connection is lost, in a transaction too: it is never sent twice.
    pub once: bool,
}

impl Lease {
    /// A lease of a connection that is in line with the session.
    pub(super) fn new(branch: Branch, needs: Needs, span: Option<Box<ShardSpan>>) -> Self {
        Self {
            bound: branch.is_bound(),
            prefixes: 0,
            needs,
            stage: Stage::Unsent,
            span,
            branch,
        }
    }
}

impl Session {
    /// Takes a connection to a shard for one statement: the session's own, or a pooled one brought in line with the session.
    ///
    /// # Errors
    /// Why there is none; where waiting may help, the statement is marked as stalled ([`super::hold`]).
    pub(super) async fn lease(
        &mut self,
        cluster: &Cluster,
        keyspace: KeyspaceIndex,
        shard: ShardIndex,
        needs: Needs,
    ) -> SqlResult<Lease> {
        self.stall = None;
        let (state, own) = cluster.shard(keyspace, shard).ok_or_else(error::shard_gone)?;
        if needs.writes
            && !needs.anywhere
            && self.in_transaction()
            && let Some(other) = self.branches.wrote_elsewhere(&state.name, &own.name)
        {
            let what = format!(
                "a transaction that writes to shards {} and {}",
                other.conn.target.shard, own.name
            );
            return Err(error::unsupported(what));
        }
        let branch = match self.branches.take(&state.name, &own.name) {
            Some(branch) => branch,
            None => {
                let tablet_type = if needs.primary {
                    TabletType::Primary
                } else {
                    self.target.tablet_type
                };
                self.borrow(cluster, keyspace, shard, tablet_type).await?
            }
        };
        let span = self.shard_span(&branch.conn.target);
        let mut lease = Lease::new(branch, needs, span);
        if lease.branch.is_superseded(own) {
            let lost = error::connection_lost(&lease.branch.conn.target);
            lease.branch.conn.begin_exchange();
            return Err(self.gone(lease, lost));
        }
        match self.bring_in_line(&mut lease, &state.database).await {
            Ok(()) => Ok(lease),
            Err(wrong) => Err(self.fallen(lease, wrong)),
        }
    }

    /// Whether a transaction is open, or is by the next statement.
    pub(super) fn in_transaction(&self) -> bool {
        self.branches.in_transaction() || !self.autocommit()
    }

    /// A pooled connection to whoever serves the shard now.
    ///
    /// # Errors
    /// As [`Self::lease`].
    pub(super) async fn borrow(
        &mut self,
        cluster: &Cluster,
        keyspace: KeyspaceIndex,
        shard: ShardIndex,
        tablet_type: TabletType,
    ) -> SqlResult<Branch> {
        let (state, own) = cluster.shard(keyspace, shard).ok_or_else(error::shard_gone)?;
        let primary = tablet_type == TabletType::Primary;
        let target = match cluster.target(keyspace, shard, tablet_type) {
            Ok(target) => target,
            Err(wrong) if primary => {
                return Err(self.stall(Stall::without_primary(&state.name, &own.name, wrong)));
            }
            Err(wrong) => return Err(wrong),
        };
        let term = if primary { own.term } else { 0 };
        let pool = self.worker.pool(target);
        let wanted = Wanted {
            system: &self.system,
            shape: self.shape,
        };
        if let Some(conn) = pool.try_get(wanted) {
            return Ok(Branch::new(conn, term));
        }
        let away = tokio::select! {
            biased;
            why = self.control.interrupted(Interrupts::STATEMENT) => return Err(interrupt_error(why)),
            conn = Box::pin(pool.get(wanted)) => match conn {
                Ok(conn) => return Ok(Branch::new(conn, term)),
                Err(NoConnection::Refused(wrong)) => return Err(wrong),
                Err(NoConnection::Away(wrong)) => wrong,
            },
            // One that hangs is not waited for any longer than it is the primary.
            () = self.worker.superseded(target, term) => error::connection_lost(target),
        };
        Err(self.stall(Stall::on(target, term, !primary, away)))
    }

    /// Settings, database, user variables, and the beginning of a transaction, which is pipelined.
    async fn bring_in_line(&mut self, lease: &mut Lease, database: &str) -> SqlResult<()> {
        let needs = lease.needs;
        let branch = &mut lease.branch;
        let conn = &mut branch.conn;
        let database = match &self.target.database {
            Some(name) if self.target.is_system() => name,
            _ => database,
        };
        if !conn.is_in_line(&self.system, database) {
            Box::pin(conn.adjust(&self.system, database)).await?;
        }
        if needs.user_variables {
            let user_variables: Rc<_> = self.user_variables.clone();
            conn.adjust_user_variables(&user_variables).await?;
        }
        let prefixes = &mut lease.prefixes;
        if needs.insert_id {
            conn.push_query(format!("SET last_insert_id={}", self.last_insert_id).as_bytes());
            *prefixes += 1;
        }
        // What reads no tables is no part of a transaction.
        if branch.in_transaction || needs.anywhere && !needs.tables {
            return Ok(());
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
            *prefixes += 1;
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
        Ok(())
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
        self.conclude(left, !matches!(answer, Answer::Err(_)), &target)
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
}
