//! BEGIN, COMMIT, ROLLBACK, and what ends a transaction without saying so.
//!
//! BEGIN costs nothing by itself: it travels in one write with the first statement on each shard.

use planner::plan::{Plan, PlanNode};
use sql::ast::Completion;

use super::Session;
use super::answer::OkAnswer;
use super::branches::{Branch, Left, Transaction};
use super::diagnostics::warning_count;
use super::diagnostics::warnings_of;
use super::execute::Input;
use super::lease::Needs;
use super::planned::Planned;
use super::query::Done;
use crate::cluster::{Cluster, TabletTarget};
use crate::error::{self, SqlResult};

/// Ends a transaction on a shard, whatever `completion_type` says there.
pub(super) const COMMIT: &str = "COMMIT AND NO CHAIN NO RELEASE";
/// See [`COMMIT`].
pub(super) const ROLLBACK: &str = "ROLLBACK AND NO CHAIN NO RELEASE";

/// Errors that MySQL finds while it parses: syntax, and names of character sets and collations.
const NOT_UNDERSTOOD: [u16; 4] = [1064, 1115, 1253, 1273];

/// Transaction control that is frequent enough to be kept in the plan cache.
pub(super) fn cacheable(transaction: &sql::ast::Transaction<'_>) -> Option<Planned> {
    match transaction {
        sql::ast::Transaction::Begin {
            consistent_snapshot,
            read_only,
        } => Some(Planned::Begin {
            consistent_snapshot: *consistent_snapshot,
            read_only: *read_only,
        }),
        sql::ast::Transaction::Commit(completion) => Some(Planned::Commit(*completion)),
        sql::ast::Transaction::Rollback(completion) => Some(Planned::Rollback(*completion)),
        _ => None,
    }
}

impl Session {
    /// BEGIN: commits what is open, and remembers how to open the next transaction on a shard.
    pub(super) async fn begin(
        &mut self,
        text: &[u8],
        consistent_snapshot: bool,
        read_only: Option<bool>,
    ) -> Result<Done, mysql_wire::Error> {
        self.diagnostics.clear();
        if self.branches.tables_locked
            && let Err(wrong) = self.unlock_tables().await
        {
            return Ok(self.fail(wrong));
        }
        if let Err(wrong) = self.commit_open().await {
            return Ok(self.fail(wrong));
        }
        let read_only = read_only.unwrap_or_else(|| self.reads_only());
        self.branches.transaction.begin = Some(trimmed(text).into());
        self.branches.transaction.read_only = read_only;
        self.row_count = 0;
        self.transaction_deadline();
        if consistent_snapshot {
            // The snapshot has to be taken now, where there is one shard to take it on.
            if let Err(wrong) = self.open_on_only_shard().await {
                return Ok(self.fail(wrong));
            }
        }
        self.ok();
        Ok(Done::Answered)
    }

    /// Whether a transaction that does not say READ ONLY is so all the same.
    fn reads_only(&self) -> bool {
        let said = self.branches.transaction.characteristics.iter().rev();
        let mut said = said.filter_map(|statement| match &statement[..] {
            b"SET TRANSACTION READ ONLY" => Some(true),
            b"SET TRANSACTION READ WRITE" => Some(false),
            _ => None,
        });
        let by_default = || self.system.get("transaction_read_only") == Some(b"1");
        said.next().unwrap_or_else(by_default)
    }

    /// Opens the transaction on the selected keyspace's shard if it has only one; on several shards each opens its own with its first statement.
    async fn open_on_only_shard(&mut self) -> SqlResult<()> {
        let cluster = self.worker.cluster();
        let selected = self.selected_keyspace(&cluster);
        let Some(keyspace) = selected else { return Ok(()) };
        if cluster
            .catalog
            .keyspace(keyspace)
            .is_none_or(|keyspace| keyspace.shard_count() != 1)
        {
            return Ok(());
        }
        let lease = self.lease(&cluster, keyspace, 0, Needs::default()).await?;
        let lease = self.settled(lease).await?;
        self.branches.give_back(lease.branch);
        Ok(())
    }

    /// COMMIT.
    pub(super) async fn commit(&mut self, completion: Completion) -> Result<Done, mysql_wire::Error> {
        self.complete(COMMIT, completion).await
    }

    /// ROLLBACK.
    pub(super) async fn rollback(&mut self, completion: Completion) -> Result<Done, mysql_wire::Error> {
        self.complete(ROLLBACK, completion).await
    }

    async fn complete(&mut self, verb: &str, completion: Completion) -> Result<Done, mysql_wire::Error> {
        let by_default = |what: &[u8]| self.system.get("completion_type") == Some(what);
        let chain = completion.chain.unwrap_or_else(|| by_default(b"'CHAIN'"));
        let release = completion.release.unwrap_or_else(|| by_default(b"'RELEASE'"));
        let mut ended = self.branches.transaction.clone();
        if ended.begin.is_none() {
            ended.read_only = self.reads_only();
        }
        self.diagnostics.clear();
        if let Err(wrong) = self.end_branches(verb).await {
            return Ok(self.fail(wrong));
        }
        if chain {
            self.branches.transaction = Transaction {
                begin: Some(
                    ended
                        .begin
                        .unwrap_or_else(|| b"START TRANSACTION".as_slice().into()),
                ),
                characteristics: ended.characteristics,
                savepoints: Vec::new(),
                ..ended
            };
        }
        self.row_count = 0;
        self.transaction_deadline();
        let answer = OkAnswer {
            status: self.status(),
            warnings: warning_count(&self.diagnostics),
            ..OkAnswer::default()
        };
        self.out.ok(&answer);
        if release {
            self.control.interrupt(crate::control::Interrupt::KillConnection);
        }
        Ok(Done::Answered)
    }

    /// What BEGIN and `SET autocommit=1` do first: what was said for a transaction that has not begun stays.
    pub(super) async fn commit_open(&mut self) -> SqlResult<()> {
        if self.branches.in_transaction() {
            return self.end_branches(COMMIT).await;
        }
        self.branches.transaction.savepoints.clear();
        Ok(())
    }

    /// Commits before a statement that does so implicitly, if MySQL understands it: a syntax error changes nothing.
    pub(super) async fn commit_before(
        &mut self,
        cluster: &Cluster,
        plan: &Plan,
        input: &Input<'_>,
    ) -> SqlResult<()> {
        if self.branches.in_transaction() {
            let (keyspace, query) = match &plan.node {
                PlanNode::Ddl(ddl) => (ddl.keyspace, &ddl.query),
                PlanNode::Route(route) => (route.keyspace, &route.query),
                PlanNode::Insert(insert) => (insert.keyspace, &insert.query),
            };
            let (text, _) = self.render(query, input, None)?;
            let needs = Needs {
                anywhere: true,
                ..Needs::default()
            };
            let lease = self.lease(cluster, keyspace, 0, needs).await?;
            if let Err(wrong) = self.try_on(lease, &text).await
                && (NOT_UNDERSTOOD.contains(&wrong.code) || error::is_gone(&wrong))
            {
                return Err(wrong);
            }
        }
        self.commit_implicitly().await
    }

    /// What DDL and its kin do before anything else: MySQL keeps nothing of a transaction, not even of one that has not begun.
    pub(super) async fn commit_implicitly(&mut self) -> SqlResult<()> {
        let outcome = self.end_branches(COMMIT).await;
        self.transaction_deadline();
        outcome
    }

    /// Ends the transaction on every shard that takes part in it. The one that wrote goes first: when its COMMIT fails, nothing was written.
    ///
    /// Warnings are added to the diagnostics area.
    pub(super) async fn end_branches(&mut self, verb: &str) -> SqlResult<()> {
        let mut held = self.branches.take_all();
        held.sort_by_key(|branch| !branch.wrote);
        self.branches.transaction = Transaction::default();
        let mut first_error = None;
        for branch in held {
            if !branch.in_transaction && !branch.told_characteristics {
                self.branches.give_back(branch);
                continue;
            }
            let verb = if first_error.is_some() { ROLLBACK } else { verb };
            if let Err(wrong) = self.end_branch(branch, verb).await {
                first_error.get_or_insert(wrong);
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    /// Whether the connection leads to a former primary.
    fn is_superseded(&self, branch: &Branch) -> bool {
        let target = &branch.conn.target;
        let cluster = self.worker.cluster();
        let state = cluster.find_shard(&target.keyspace, &target.shard);
        state.is_some_and(|state| branch.is_superseded(state))
    }

    async fn end_branch(&mut self, mut branch: Branch, verb: &str) -> SqlResult<()> {
        if !branch.conn.is_quiet() || verb == COMMIT && branch.wrote && self.is_superseded(&branch) {
            return lost_before_its_end(branch, verb);
        }
        match branch.conn.query(verb.as_bytes()).await {
            Ok(result) => {
                branch.told_characteristics = false;
                if result.ok.warnings > 0 {
                    match warnings_of(&mut branch.conn).await {
                        Ok(warnings) => self.diagnostics.extend(warnings),
                        Err(error) => tracing::warn!(%error, "warnings of a transaction's end are lost"),
                    }
                }
                self.branches.put(branch, result.ok.status);
                Ok(())
            }
            Err(mysql_wire::Error::Sql(wrong)) if error::is_refusal(&wrong) => {
                lost_before_its_end(branch, verb)
            }
            Err(mysql_wire::Error::Sql(wrong)) if !error::is_gone(&wrong) => {
                branch.discard();
                Err(wrong)
            }
            Err(wrong) => {
                let target = branch.conn.target.clone();
                tracing::warn!(tablet = target.alias, error = %wrong, "connection lost at the end of a transaction");
                if verb == COMMIT && (branch.wrote || branch.pinned) {
                    branch.discard();
                    return Err(error::outcome_unknown(&target));
                }
                lost_before_its_end(branch, verb)
            }
        }
    }

    /// Does for all shards what a statement did to the transaction on one of them, `target`'s.
    ///
    /// # Errors
    /// The failure to commit on the others what MySQL committed on one, or that the transaction is lost.
    pub(super) async fn conclude(
        &mut self,
        left: Left,
        succeeded: bool,
        target: &TabletTarget,
    ) -> SqlResult<()> {
        let outcome = match left {
            Left::AsItWas => Ok(()),
            Left::Ended => {
                // A deadlock rolls back; what succeeded and left nothing open has committed.
                let diagnostics = std::mem::take(&mut self.diagnostics);
                let outcome = self.end_branches(if succeeded { COMMIT } else { ROLLBACK }).await;
                self.diagnostics = diagnostics;
                outcome
            }
            Left::Lost => {
                self.branches.abandon();
                Err(error::transaction_lost(target))
            }
            Left::Stripped => {
                self.branches.abandon();
                // What has succeeded is committed: a client that is told otherwise would do it again.
                Err(match succeeded {
                    true => error::outcome_unknown(target),
                    false => error::state_lost(target),
                })
            }
        };
        self.transaction_deadline();
        outcome
    }

    /// Keeps the deadline of an open transaction in line with its state.
    pub(super) fn transaction_deadline(&self) {
        let max_ms = self.worker.shared.config.transaction_ms_max;
        if max_ms == 0 {
            return;
        }
        if !self.branches.in_transaction() {
            self.control.transaction_deadline(0);
        } else if !self.control.has_transaction_deadline() {
            self.control
                .transaction_deadline(self.worker.shared.sessions.now_ms().saturating_add(max_ms));
        }
    }
}

/// The end of a transaction that has ended by itself: its connection was lost, or its server had to refuse.
///
/// # Errors
/// What the client has to know: that a write was rolled back, or that more is gone than the transaction.
fn lost_before_its_end(branch: Branch, verb: &str) -> SqlResult<()> {
    let target = branch.conn.target.clone();
    let (wrote, pinned) = (branch.wrote, branch.pinned);
    tracing::warn!(tablet = target.alias, "a transaction was lost before its end");
    branch.discard();
    if verb == COMMIT && (wrote || pinned) {
        return Err(error::transaction_lost(&target));
    }
    // A reader's end loses nothing, and a rollback has happened by itself.
    if pinned {
        Err(error::state_lost(&target))
    } else {
        Ok(())
    }
}

/// Without spaces and semicolons at the end.
pub(super) fn trimmed(text: &[u8]) -> &[u8] {
    let end = text
        .iter()
        .rposition(|byte| !byte.is_ascii_whitespace() && *byte != b';')
        .map_or(0, |at| at + 1);
    text.get(..end).unwrap_or_default()
}
