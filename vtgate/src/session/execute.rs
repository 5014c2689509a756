//! Runs a plan: finds its shards, and sends it to one of them or to several.

use std::rc::Rc;
use std::sync::Arc;

use mysql_wire::relay::Expect;
use mysql_wire::{SqlError, StatusFlags};
use planner::bindings::Bindings;
use planner::catalog::{KeyspaceIndex, ShardIndex};
use planner::plan::{Effects, Plan, PlanNode, SessionValue, Several, StatementKind, Template};
use planner::render::{ParamOrder, Rendering};
use planner::resolve::resolve;
use planner::value::{Charset, Param};
use sql::fingerprint::Fingerprint;

use super::Session;
use super::branches::{Branch, Transaction};
use super::diagnostics::Condition;
use super::planned::{InsertId, Planned, plan_error};
use super::prepared::Execution;
use super::query::Done;
use super::relay::{Answer, ClientSide, Failure, pass_through, skip_answers};
use super::target::TabletType;
use crate::backend::pool::Wanted;
use crate::cluster::{Cluster, TabletTarget};
use crate::control::{Interrupt, Interrupts};
use crate::error::{self, SqlResult};
use crate::traces::ShardSpan;

/// How often a statement that surely did not run is sent again.
const RETRIES_MAX: u32 = 3;

/// How the client wants its rows.
#[derive(Clone, Copy)]
pub(super) enum Protocol<'p> {
    /// COM_QUERY.
    Text,
    /// COM_STMT_EXECUTE.
    Binary(&'p Execution<'p>),
}

/// A statement and its values.
#[derive(Clone, Copy)]
pub(super) struct Input<'i> {
    /// The text.
    pub text: &'i [u8],
    /// Its fingerprint.
    pub fingerprint: &'i Fingerprint,
    /// Parameters, of a prepared statement.
    pub params: &'i [Param<'i>],
    /// How rows are wanted.
    pub protocol: Protocol<'i>,
}

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
    /// It ends a transaction on other shards as well: no check of those.
    pub anywhere: bool,
}

impl Session {
    /// Runs a plan and answers the client.
    pub(super) async fn run_planned(
        &mut self,
        planned: &Planned,
        input: &Input<'_>,
    ) -> Result<Done, mysql_wire::Error> {
        let (plan, insert_id) = match planned {
            Planned::Plan(plan, insert_id) => (plan, *insert_id),
            Planned::Begin { consistent_snapshot } => {
                return self.begin(input.text, *consistent_snapshot).await;
            }
            Planned::Commit(completion) => return self.commit(*completion).await,
            Planned::Rollback(completion) => return self.rollback(*completion).await,
        };
        self.span_uses(plan);
        let cluster = self.worker.cluster();
        match &plan.node {
            PlanNode::Route(route) => {
                let Some(keyspace) = cluster.catalog.keyspace(route.keyspace) else {
                    return Ok(self.fail(error::internal("the plan's keyspace is gone")));
                };
                let shards = resolve(&route.routing, &self.bindings(input), keyspace);
                match (shards.as_slice(), &route.several) {
                    ([shard], _) => {
                        self.run_on_one(
                            &cluster,
                            plan,
                            (route.keyspace, *shard),
                            &route.query,
                            insert_id,
                            input,
                        )
                        .await
                    }
                    (_, Several::Refused(wrong)) => Ok(self.fail(plan_error((**wrong).clone()))),
                    (shards, Several::AnyOne) => {
                        let place = (route.keyspace, shards.first().copied().unwrap_or(0));
                        self.run_on_one(&cluster, plan, place, &route.query, insert_id, input)
                            .await
                    }
                    (_, Several::Merge(merge)) => {
                        Box::pin(self.run_merge(&cluster, plan, route, merge, &shards, input)).await
                    }
                    (_, Several::AddCounts | Several::SameOnEach) => {
                        Box::pin(self.run_writes(&cluster, plan, route, &shards, input)).await
                    }
                }
            }
            PlanNode::Insert(insert) => Box::pin(self.run_insert(&cluster, plan, insert, input)).await,
            PlanNode::Ddl(ddl) => Box::pin(self.run_ddl(&cluster, plan, ddl, input)).await,
        }
    }

    /// Answers an error.
    pub(super) fn fail(&mut self, error: SqlError) -> Done {
        self.answer_error(error);
        Done::Failed
    }

    pub(super) fn bindings<'b>(&self, input: &Input<'b>) -> Bindings<'b> {
        Bindings {
            text: input.text,
            fingerprint: input.fingerprint,
            params: input.params,
            lex_mode: self.context.lex,
            charset: Charset::from_name(&self.context.character_set),
            user_var: None,
        }
    }

    /// A template as text for a shard, with the order of its remaining parameters.
    pub(super) fn render(
        &self,
        template: &Template,
        input: &Input<'_>,
        rows: Option<(&planner::plan::InsertRows, &[u32])>,
        inline_params: bool,
    ) -> SqlResult<(Vec<u8>, ParamOrder)> {
        let mut text = Vec::with_capacity(input.text.len() + 64);
        let session = |value: &SessionValue, out: &mut Vec<u8>| self.write_session_value(value, out);
        let literals = match input.protocol {
            Protocol::Binary(execution) if inline_params => Some(execution),
            _ => None,
        };
        let param = |ordinal: u32, out: &mut Vec<u8>| {
            if let Some(execution) = literals {
                execution.write_literal(ordinal, out);
            }
        };
        let rendering = Rendering {
            bindings: self.bindings(input),
            session: &session,
            rows,
            param: if literals.is_some() { Some(&param) } else { None },
        };
        let order = rendering.render(template, &mut text).map_err(plan_error)?;
        Ok((text, order))
    }

    fn write_session_value(&self, value: &SessionValue, out: &mut Vec<u8>) {
        let mut string =
            |text: &str| out.extend_from_slice(&super::settings::string_literal(text.as_bytes()));
        match value {
            SessionValue::LastInsertId => {
                out.extend_from_slice(format!("CAST({} AS UNSIGNED)", self.last_insert_id).as_bytes());
            }
            SessionValue::FoundRows => out.extend_from_slice(self.found_rows.to_string().as_bytes()),
            SessionValue::RowCount => out.extend_from_slice(self.row_count.to_string().as_bytes()),
            SessionValue::ConnectionId => {
                out.extend_from_slice(format!("CAST({} AS UNSIGNED)", self.control.id).as_bytes());
            }
            SessionValue::User => string(&format!("{}@{}", self.user(), self.client.host)),
            SessionValue::CurrentUser => string(&format!("{}@%", self.user())),
            SessionValue::Database => match &self.target.database {
                Some(name) => string(name),
                None => out.extend_from_slice(b"NULL"),
            },
            SessionValue::Autocommit => out.push(if self.autocommit() { b'1' } else { b'0' }),
            _ => out.extend_from_slice(b"NULL"),
        }
    }

    /// Sends a statement to one shard and passes its answer through.
    pub(super) async fn run_on_one(
        &mut self,
        cluster: &Cluster,
        plan: &Plan,
        place: (KeyspaceIndex, ShardIndex),
        query: &Template,
        insert_id: InsertId,
        input: &Input<'_>,
    ) -> Result<Done, mysql_wire::Error> {
        let needs = needs_of(plan, insert_id);
        let rendered;
        let (text, order) = if query.is_verbatim() {
            (input.text, None)
        } else {
            match self.render(query, input, None, false) {
                Ok((text, order)) => {
                    rendered = text;
                    (rendered.as_slice(), Some(order))
                }
                Err(wrong) => return Ok(self.fail(wrong)),
            }
        };
        let mut attempts = 0;
        loop {
            let mut lease = match self.lease(cluster, place.0, place.1, needs).await {
                Ok(lease) => lease,
                Err(wrong) => return Ok(self.fail(wrong)),
            };
            lease.branch.wrote |= needs.writes;
            let sent = match input.protocol {
                Protocol::Text => {
                    lease.branch.conn.push_query(text);
                    Ok(())
                }
                Protocol::Binary(execution) => {
                    self.push_execute(&mut lease, text, order.as_deref(), execution)
                        .await
                }
            };
            let outcome = match sent {
                Ok(()) => self.exchange(&mut lease, Expect::Result).await,
                Err(wrong) => {
                    self.put_back(lease, &Answer::Err(wrong.clone())).await;
                    return Ok(self.fail(wrong));
                }
            };
            match outcome {
                Ok(answer) => return self.finish(lease, answer, &plan.effects, insert_id, needs).await,
                Err(Failure::Backend {
                    silent: true,
                    cut: false,
                    error,
                }) if attempts < RETRIES_MAX
                    && lease.reused
                    && !needs.writes
                    && !plan.effects.not_repeatable =>
                {
                    tracing::debug!(tablet = lease.branch.conn.target.alias, %error, "sending a read again");
                    attempts += 1;
                    self.count_retry();
                    lease.branch.conn.discard();
                }
                Err(failure) => return self.lose(lease, failure),
            }
        }
    }

    pub(super) fn count_retry(&self) {
        self.worker
            .metrics
            .retries
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    /// Flushes what was pushed, skips the answers of prefixes, and passes the answer through.
    pub(super) async fn exchange(&mut self, lease: &mut Lease, expect: Expect) -> Result<Answer, Failure> {
        let conn = &mut lease.branch.conn;
        conn.begin_exchange();
        let first_seq = conn.stream().seq();
        let backend_failure = |error| Failure::Backend {
            error,
            silent: true,
            cut: false,
        };
        conn.stream().flush().await.map_err(backend_failure)?;
        let prefixes = std::mem::take(&mut lease.prefixes);
        let prefixed = match prefixes {
            0 => Ok(()),
            count => skip_answers(conn, count).await.map_err(backend_failure)?,
        };
        let mut client = ClientSide {
            stream: &mut self.client.stream,
            out: &mut self.out,
            control: &self.control,
        };
        let answer = pass_through(&mut client, conn, expect, first_seq).await?;
        if let Err(wrong) = prefixed {
            // The statement ran without what should have come before it: nobody may build on this connection.
            return Ok(Answer::Err(wrong));
        }
        conn.end_exchange();
        Ok(answer)
    }

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
                other.shard, target.shard
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
                if branch.in_transaction && branch.conn.is_clean() {
                    self.branches.hold(branch);
                }
                Err(wrong)
            }
        }
    }

    /// Whether a transaction is open, or is by the next statement.
    pub(super) fn in_transaction(&self) -> bool {
        self.branches.in_transaction() || !self.autocommit()
    }

    async fn borrow(&self, target: &Arc<TabletTarget>) -> SqlResult<(Branch, bool)> {
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
            keyspace: target.keyspace.clone(),
            shard: target.shard.clone(),
            conn,
            in_transaction: false,
            wrote: false,
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
        let database: Arc<str> = match &self.target.database {
            Some(name) if self.target.is_system() => name.as_ref().into(),
            _ => target.database.clone(),
        };
        conn.adjust(&self.system, &database).await?;
        if needs.user_variables {
            let user_variables: Rc<_> = self.user_variables.clone();
            conn.adjust_user_variables(&user_variables).await?;
        }
        let mut prefixes = 0;
        if needs.insert_id {
            conn.push_query(format!("SET last_insert_id={}", self.last_insert_id).as_bytes());
            prefixes += 1;
        }
        if branch.in_transaction {
            return Ok(prefixes);
        }
        for characteristics in &self.branches.next_transaction {
            conn.push_query(characteristics);
            prefixes += 1;
        }
        match &self.branches.transaction {
            Transaction::Open { begin, savepoints } => {
                conn.push_query(begin);
                for savepoint in savepoints {
                    conn.push_query(&[b"SAVEPOINT ", &savepoint[..]].concat());
                }
                prefixes += 1 + u32::try_from(savepoints.len()).unwrap_or(u32::MAX);
                branch.in_transaction = true;
            }
            // Without a transaction the characteristics were for this one statement.
            Transaction::None => self.branches.next_transaction.clear(),
        }
        Ok(prefixes)
    }

    /// Ends a statement: reads what the session has to know from its connection, returns or keeps it, and answers.
    pub(super) async fn finish(
        &mut self,
        mut lease: Lease,
        answer: Answer,
        effects: &Effects,
        insert_id: InsertId,
        needs: Needs,
    ) -> Result<Done, mysql_wire::Error> {
        if !effects.pins.is_empty() {
            self.branches.pinned = true;
        }
        self.diagnostics.clear();
        match &answer {
            Answer::Ok(ok) => {
                self.row_count = i64::try_from(ok.affected_rows).unwrap_or(i64::MAX);
                if ok.last_insert_id != 0 && insert_id == InsertId::Generated {
                    self.last_insert_id = ok.last_insert_id;
                }
            }
            Answer::Rows { rows, .. } => {
                self.row_count = -1;
                self.found_rows = *rows;
            }
            Answer::Err(_) => self.row_count = -1,
        }
        if lease.branch.conn.is_clean()
            && let Err(wrong) = self.read_back(&mut lease, &answer, effects, needs).await
        {
            tracing::warn!(tablet = lease.branch.conn.target.alias, error = %wrong, "session state could not be read back");
        }
        let done = match &answer {
            Answer::Ok(ok) => {
                let mut fields = ok.answer();
                fields.status = fields
                    .status
                    .without(StatusFlags::SESSION_STATE_CHANGED | StatusFlags::MORE_RESULTS_EXISTS);
                self.out.ok(&fields);
                Done::Answered
            }
            Answer::Rows { .. } => Done::Answered,
            Answer::Err(wrong) => {
                if self.diagnostics.is_empty() {
                    self.diagnostics.push(Condition::from(wrong));
                }
                self.out.error(wrong);
                Done::Failed
            }
        };
        self.put_back(lease, &answer).await;
        if matches!(&answer, Answer::Err(wrong) if wrong.code == 1213) {
            // MySQL rolled back the shard that met the deadlock; the client takes the whole transaction for rolled back.
            let diagnostics = std::mem::take(&mut self.diagnostics);
            let _ = self.end_branches("ROLLBACK").await;
            self.diagnostics = diagnostics;
        }
        Ok(done)
    }

    /// What only the connection knows after the statement: warnings, insert id, FOUND_ROWS(), user variables.
    async fn read_back(
        &mut self,
        lease: &mut Lease,
        answer: &Answer,
        effects: &Effects,
        needs: Needs,
    ) -> SqlResult<()> {
        let conn = &mut lease.branch.conn;
        let warned = match answer {
            Answer::Ok(ok) => ok.warnings > 0,
            Answer::Rows { warnings, .. } => *warnings > 0,
            Answer::Err(_) => true,
        };
        if warned {
            let result = conn
                .query(b"SHOW WARNINGS")
                .await
                .map_err(|error| conn.lost(error))?;
            let status = result.ok.status;
            self.diagnostics = super::several::conditions(result);
            if matches!(answer, Answer::Err(_)) {
                lease.branch.in_transaction = status.contains(StatusFlags::IN_TRANS);
            }
        }
        if matches!(answer, Answer::Err(_)) {
            return Ok(());
        }
        if needs.insert_id || effects.sets_last_insert_id {
            self.last_insert_id = read_number(conn, b"SELECT LAST_INSERT_ID()")
                .await?
                .unwrap_or(self.last_insert_id);
        }
        if effects.calc_found_rows {
            self.found_rows = read_number(conn, b"SELECT FOUND_ROWS()")
                .await?
                .unwrap_or(self.found_rows);
        }
        if !effects.user_vars_written.is_empty() {
            let names: Vec<Box<str>> = effects.user_vars_written.to_vec();
            self.read_user_variables(lease, &names).await?;
        }
        Ok(())
    }

    /// Returns the connection to its pool, or keeps it for the transaction or for ever.
    pub(super) async fn put_back(&mut self, mut lease: Lease, answer: &Answer) {
        if let (Some(span), Answer::Err(wrong)) = (&mut lease.span, answer) {
            span.failed(wrong.code);
        }
        let status = match answer {
            Answer::Ok(ok) => ok.status,
            Answer::Rows { status, .. } => *status,
            // After an error MySQL was asked, together with its warnings.
            Answer::Err(_) => StatusFlags::empty().with(StatusFlags::IN_TRANS, lease.branch.in_transaction),
        };
        self.branches.put(lease.branch, status);
        self.transaction_deadline();
    }

    /// Gives back connections that were leased for a statement which is not sent after all. A transaction that is open on one stays open.
    pub(super) async fn return_unused(&mut self, leases: Vec<Lease>) {
        for mut lease in leases {
            if self.settle(&mut lease).await.is_ok() {
                self.branches.give_back(lease.branch);
            } else {
                lease.branch.conn.discard();
            }
        }
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

    /// A connection that failed in the middle of a statement.
    pub(super) fn lose(&mut self, lease: Lease, failure: Failure) -> Result<Done, mysql_wire::Error> {
        let in_transaction = lease.branch.in_transaction || lease.branch.wrote && self.in_transaction();
        let alias = lease.branch.conn.target.alias.clone();
        match failure {
            Failure::Client(error) => {
                lease.branch.conn.discard();
                Err(error)
            }
            Failure::Interrupted(why) => {
                let wrong = interrupt_error(why);
                let clean = why != Interrupt::KillConnection && lease.branch.conn.is_clean();
                if clean {
                    self.branches.hold(lease.branch);
                } else {
                    lease.branch.conn.discard();
                    if in_transaction {
                        self.branches.abandon();
                    }
                }
                Ok(self.fail(wrong))
            }
            Failure::Backend {
                error: wrong, cut, ..
            } => {
                tracing::warn!(tablet = alias, error = %wrong, "backend connection lost");
                lease.branch.conn.discard();
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

/// The client's error for an interrupt.
pub(super) fn interrupt_error(why: Interrupt) -> SqlError {
    match why {
        Interrupt::StatementTimeout => error::statement_timeout(),
        _ => error::interrupted(),
    }
}

async fn read_number(conn: &mut crate::backend::Backend, text: &[u8]) -> SqlResult<Option<u64>> {
    let result = conn.query(text).await.map_err(|error| conn.lost(error))?;
    let cell = result
        .rows
        .first()
        .and_then(|row| row.first())
        .and_then(|cell| cell.as_deref());
    Ok(cell
        .and_then(|cell| std::str::from_utf8(cell).ok())
        .and_then(|text| text.parse().ok()))
}

fn needs_of(plan: &Plan, insert_id: InsertId) -> Needs {
    let writes = !plan.kind.is_read();
    Needs {
        writes,
        user_variables: !plan.effects.user_vars_read.is_empty() || !plan.effects.user_vars_written.is_empty(),
        insert_id: insert_id == InsertId::Ambiguous
            && matches!(plan.kind, StatementKind::Insert | StatementKind::Replace),
        primary: plan.effects.locking_read,
        anywhere: false,
    }
}
