//! BEGIN, COMMIT, ROLLBACK, savepoints and LOCK TABLES.
//!
//! BEGIN costs nothing by itself: it travels in one write with the first statement on each shard.

use mysql_wire::SqlError;
use mysql_wire::relay::Expect;
use sql::ast::{Completion, Ident};

use super::Session;
use super::answer::OkAnswer;
use super::branches::{Branch, Transaction};
use super::execute::{Input, Lease, Needs, Protocol};
use super::planned::{InsertId, Planned};
use super::query::Done;
use super::relay::Answer;
use crate::error::{self, SqlResult};

/// Transaction control that is frequent enough to be kept in the plan cache.
pub(super) fn cacheable(transaction: &sql::ast::Transaction<'_>) -> Option<Planned> {
    match transaction {
        sql::ast::Transaction::Begin {
            consistent_snapshot, ..
        } => Some(Planned::Begin {
            consistent_snapshot: *consistent_snapshot,
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
    ) -> Result<Done, mysql_wire::Error> {
        if self.branches.in_transaction()
            && let Err(wrong) = self.end_branches("COMMIT").await
        {
            return Ok(self.fail(wrong));
        }
        self.branches.transaction = Transaction::Open {
            begin: trimmed(text).into(),
            savepoints: Vec::new(),
        };
        self.diagnostics.clear();
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

    /// Opens the transaction on the selected keyspace's shard if it has only one; on several shards each opens its own with its first statement.
    async fn open_on_only_shard(&mut self) -> SqlResult<()> {
        let cluster = self.worker.cluster();
        let selected = self
            .target
            .database
            .as_deref()
            .and_then(|name| cluster.catalog.find_keyspace(name));
        let Some(keyspace) = selected else { return Ok(()) };
        if cluster
            .catalog
            .keyspace(keyspace)
            .is_none_or(|keyspace| keyspace.shard_count() != 1)
        {
            return Ok(());
        }
        let mut lease = self.lease(&cluster, keyspace, 0, Needs::default()).await?;
        self.settle(&mut lease).await?;
        self.branches.next_transaction.clear();
        self.branches.hold(lease.branch);
        Ok(())
    }

    /// COMMIT.
    pub(super) async fn commit(&mut self, completion: Completion) -> Result<Done, mysql_wire::Error> {
        self.complete("COMMIT", completion).await
    }

    /// ROLLBACK.
    pub(super) async fn rollback(&mut self, completion: Completion) -> Result<Done, mysql_wire::Error> {
        self.complete("ROLLBACK", completion).await
    }

    async fn complete(&mut self, verb: &str, completion: Completion) -> Result<Done, mysql_wire::Error> {
        let begin = match &self.branches.transaction {
            Transaction::Open { begin, .. } => begin.clone(),
            Transaction::None => b"BEGIN".as_slice().into(),
        };
        if let Err(wrong) = self.end_branches(verb).await {
            return Ok(self.fail(wrong));
        }
        if completion.chain == Some(true) {
            self.branches.transaction = Transaction::Open {
                begin,
                savepoints: Vec::new(),
            };
        }
        self.row_count = 0;
        self.transaction_deadline();
        self.ok();
        if completion.release == Some(true) {
            self.control.interrupt(crate::control::Interrupt::KillConnection);
        }
        Ok(Done::Answered)
    }

    /// Ends the transaction on every shard that takes part in it. The one that wrote goes first: when its COMMIT fails, nothing was written.
    pub(super) async fn end_branches(&mut self, verb: &str) -> SqlResult<()> {
        self.diagnostics.clear();
        let mut held = self.branches.take_all();
        held.sort_by_key(|branch| !branch.wrote);
        self.branches.transaction = Transaction::None;
        self.branches.next_transaction.clear();
        let mut first_error = None;
        for mut branch in held {
            if !branch.in_transaction {
                self.branches.hold(branch);
                continue;
            }
            let wrote = branch.wrote;
            match branch.conn.query(verb.as_bytes()).await {
                Ok(result) => {
                    branch.wrote = false;
                    self.branches.put(branch, result.ok.status);
                }
                Err(mysql_wire::Error::Sql(wrong)) => {
                    first_error.get_or_insert(wrong);
                    branch.conn.discard();
                }
                Err(wrong) => {
                    let alias = branch.conn.target.alias.clone();
                    tracing::warn!(tablet = alias, error = %wrong, "connection lost at the end of a transaction");
                    branch.conn.discard();
                    // A lost connection rolls back by itself; a lost COMMIT of a reader loses nothing.
                    if verb == "COMMIT" && wrote {
                        first_error.get_or_insert(unknown_outcome(&alias));
                    }
                }
            }
        }
        match first_error {
            Some(wrong) => Err(wrong),
            None => Ok(()),
        }
    }

    /// SAVEPOINT, ROLLBACK TO and RELEASE; the caller answers.
    pub(super) async fn savepoint(
        &mut self,
        transaction: &sql::ast::Transaction<'_>,
        text: &[u8],
    ) -> SqlResult<()> {
        let (name, keep) = match transaction {
            sql::ast::Transaction::Savepoint(name) => (name, Keep::Add),
            sql::ast::Transaction::RollbackTo(name) => (name, Keep::Through),
            sql::ast::Transaction::Release(name) => (name, Keep::Before),
            _ => return Err(error::unsupported("this transaction statement")),
        };
        let quoted = quoted(name);
        if !self.branches.in_transaction() {
            // Outside a transaction a savepoint is gone at once, and naming one is an error.
            return if matches!(keep, Keep::Add) {
                Ok(())
            } else {
                Err(no_savepoint(name))
            };
        }
        if !matches!(keep, Keep::Add)
            && let Transaction::Open { savepoints, .. } = &self.branches.transaction
            && !savepoints.iter().any(|known| known.eq_ignore_ascii_case(&quoted))
            && self.branches.held().is_empty()
        {
            return Err(no_savepoint(name));
        }
        let mut failed = None;
        let statement = trimmed(text).to_vec();
        for mut branch in self.branches.take_all() {
            if branch.in_transaction {
                match branch.conn.query(&statement).await {
                    Ok(_) => {}
                    Err(mysql_wire::Error::Sql(wrong)) => failed = Some(wrong),
                    Err(wrong) => {
                        let wrong = branch.conn.lost(wrong);
                        branch.conn.discard();
                        self.branches.abandon();
                        return Err(wrong);
                    }
                }
            }
            self.branches.hold(branch);
        }
        if let Some(wrong) = failed {
            return Err(wrong);
        }
        if let Transaction::Open { savepoints, .. } = &mut self.branches.transaction {
            let known = savepoints
                .iter()
                .position(|known| known.eq_ignore_ascii_case(&quoted));
            match (keep, known) {
                (Keep::Add, known) => {
                    if let Some(at) = known {
                        savepoints.remove(at);
                    }
                    savepoints.push(quoted.into());
                }
                (Keep::Through, Some(at)) => savepoints.truncate(at + 1),
                (Keep::Before, Some(at)) => savepoints.truncate(at),
                (_, None) => {}
            }
        }
        Ok(())
    }

    /// LOCK TABLES: on the selected keyspace's only shard; on several shards it is accepted without effect, as a dump needs it.
    pub(super) async fn lock_tables(&mut self, text: &[u8]) -> Result<Done, mysql_wire::Error> {
        let cluster = self.worker.cluster();
        let selected = self
            .target
            .database
            .as_deref()
            .and_then(|name| cluster.catalog.find_keyspace(name));
        let Some(keyspace) = selected else {
            return Ok(self.fail(error::no_database()));
        };
        if self.branches.in_transaction()
            && let Err(wrong) = self.end_branches("COMMIT").await
        {
            return Ok(self.fail(wrong));
        }
        if cluster
            .catalog
            .keyspace(keyspace)
            .is_none_or(|keyspace| keyspace.sharded)
        {
            self.diagnostics.clear();
            self.warn(&[(1235, "LOCK TABLES has no effect on a sharded keyspace".to_owned())]);
            let answer = OkAnswer {
                status: self.status(),
                warnings: 1,
                ..OkAnswer::default()
            };
            self.out.ok(&answer);
            return Ok(Done::Answered);
        }
        let needs = Needs {
            primary: true,
            ..Needs::default()
        };
        let mut lease = match self.lease(&cluster, keyspace, 0, needs).await {
            Ok(lease) => lease,
            Err(wrong) => return Ok(self.fail(wrong)),
        };
        lease.branch.conn.push_query(text);
        self.branches.pinned = true;
        self.pass_on(lease, needs).await
    }

    /// UNLOCK TABLES; the caller answers.
    pub(super) async fn unlock_tables(&mut self) -> SqlResult<()> {
        self.diagnostics.clear();
        for mut branch in self.branches.take_all() {
            match branch.conn.query(b"UNLOCK TABLES").await {
                Ok(result) => self.branches.put(branch, result.ok.status),
                Err(wrong) => return Err(branch.conn.lost(wrong)),
            }
        }
        Ok(())
    }

    /// Takes a connection to any shard: of a keyspace by name, of the session's own, or of any.
    pub(super) async fn lease_any(&mut self, keyspace: Option<&str>, needs: Needs) -> SqlResult<Lease> {
        let cluster = self.worker.cluster();
        let named = match keyspace {
            Some(name) if super::target::is_system_schema(name) => None,
            Some(name) => Some(
                cluster
                    .catalog
                    .find_keyspace(name)
                    .ok_or_else(|| error::unknown_database(name))?,
            ),
            None => self
                .target
                .database
                .as_deref()
                .and_then(|name| cluster.catalog.find_keyspace(name)),
        };
        if named.is_none()
            && let Some(kept) = self.branches.take_any()
        {
            return self.lease_kept(kept).await;
        }
        let keyspace = named.unwrap_or(0);
        if cluster.keyspaces.is_empty() {
            return Err(SqlError::with_code(1105, "there is no keyspace yet"));
        }
        let shard = self
            .target
            .shard
            .as_deref()
            .and_then(|name| {
                let state = cluster.keyspaces.get(usize::from(keyspace))?;
                u16::try_from(state.shards.iter().position(|shard| *shard.name == *name)?).ok()
            })
            .unwrap_or(0);
        self.lease(&cluster, keyspace, shard, needs).await
    }

    async fn lease_kept(&mut self, mut branch: Branch) -> SqlResult<Lease> {
        let database = branch.conn.target.database.clone();
        branch.conn.adjust(&self.system, &database).await?;
        let user_variables = self.user_variables.clone();
        branch.conn.adjust_user_variables(&user_variables).await?;
        Ok(Lease {
            span: self.shard_span(&branch.conn.target),
            branch,
            prefixes: 0,
            reused: false,
        })
    }

    /// A statement that any shard of a keyspace answers, such as SHOW TABLES.
    pub(super) async fn ask_any(
        &mut self,
        keyspace: Option<&str>,
        input: &Input<'_>,
    ) -> Result<Done, mysql_wire::Error> {
        let needs = Needs {
            user_variables: !self.user_variables.variables().is_empty(),
            ..Needs::default()
        };
        let lease = match self.lease_any(keyspace, needs).await {
            Ok(lease) => lease,
            Err(wrong) => return Ok(self.fail(wrong)),
        };
        self.run_plainly(lease, input, needs).await
    }

    /// Passes the answer of a statement without effects of its own, which was pushed already, through to the client.
    async fn pass_on(&mut self, mut lease: Lease, needs: Needs) -> Result<Done, mysql_wire::Error> {
        match self.exchange(&mut lease, Expect::Result).await {
            Ok(answer) => {
                self.finish(
                    lease,
                    answer,
                    &planner::plan::Effects::default(),
                    InsertId::None,
                    needs,
                )
                .await
            }
            Err(failure) => self.lose(lease, failure),
        }
    }

    /// Sends a statement as it is, and passes its answer through.
    async fn run_plainly(
        &mut self,
        mut lease: Lease,
        input: &Input<'_>,
        needs: Needs,
    ) -> Result<Done, mysql_wire::Error> {
        let sent = match input.protocol {
            Protocol::Text => {
                lease.branch.conn.push_query(input.text);
                Ok(())
            }
            Protocol::Binary(execution) => self.push_execute(&mut lease, input.text, None, execution).await,
        };
        if let Err(wrong) = sent {
            self.put_back(lease, &Answer::Err(wrong.clone())).await;
            return Ok(self.fail(wrong));
        }
        self.pass_on(lease, needs).await
    }

    /// A statement that was not understood, on an unsharded keyspace: MySQL decides, on a connection that nobody else gets afterwards.
    pub(super) async fn run_unparsed(
        &mut self,
        keyspace: planner::catalog::KeyspaceIndex,
        input: &Input<'_>,
    ) -> Result<Done, mysql_wire::Error> {
        let cluster = self.worker.cluster();
        self.branches.pinned = true;
        let needs = Needs {
            writes: true,
            user_variables: true,
            primary: true,
            ..Needs::default()
        };
        match self.lease(&cluster, keyspace, 0, needs).await {
            Ok(lease) => self.run_plainly(lease, input, needs).await,
            Err(wrong) => Ok(self.fail(wrong)),
        }
    }

    /// COM_FIELD_LIST: the columns of a table, from any shard of the selected keyspace.
    pub(super) async fn field_list(
        &mut self,
        payload: &[u8],
        _list: &mysql_wire::message::FieldList<'_>,
    ) -> Result<(), mysql_wire::Error> {
        let database = self.target.database.as_deref().map(str::to_owned);
        if database.is_none() {
            self.answer_error(error::no_database());
            return Ok(());
        }
        let mut lease = match self.lease_any(database.as_deref(), Needs::default()).await {
            Ok(lease) => lease,
            Err(wrong) => {
                self.answer_error(wrong);
                return Ok(());
            }
        };
        lease.branch.conn.push_command(payload);
        match self.exchange(&mut lease, Expect::Rows).await {
            Ok(answer) => {
                if let Answer::Err(wrong) = &answer {
                    self.out.error(wrong);
                }
                self.put_back(lease, &answer).await;
                Ok(())
            }
            Err(failure) => self.lose(lease, failure).map(|_| ()),
        }
    }
}

#[derive(Clone, Copy)]
enum Keep {
    Add,
    Through,
    Before,
}

/// A name as a quoted identifier.
fn quoted(name: &Ident<'_>) -> Vec<u8> {
    let mut quoted = vec![b'`'];
    for byte in name.value.iter() {
        if *byte == b'`' {
            quoted.push(b'`');
        }
        quoted.push(*byte);
    }
    quoted.push(b'`');
    quoted
}

fn no_savepoint(name: &Ident<'_>) -> SqlError {
    SqlError::with_code(
        1305,
        format!(
            "SAVEPOINT {} does not exist",
            String::from_utf8_lossy(&name.value)
        ),
    )
}

/// 1180 for a COMMIT whose answer never came.
fn unknown_outcome(tablet: &str) -> SqlError {
    SqlError {
        state: *b"08007",
        ..SqlError::with_code(
            1180,
            format!(
                "Got error during COMMIT: the connection to tablet {tablet} was lost, so the outcome is unknown"
            ),
        )
    }
}

/// Without spaces and semicolons at the end.
fn trimmed(text: &[u8]) -> &[u8] {
    let end = text
        .iter()
        .rposition(|byte| !byte.is_ascii_whitespace() && *byte != b';')
        .map_or(0, |at| at + 1);
    text.get(..end).unwrap_or_default()
}
