//! Runs a plan: finds its shards, and sends it to one of them or to several.

use mysql_wire::relay::Expect;
use mysql_wire::{SqlError, StatusFlags};
use planner::bindings::Bindings;
use planner::catalog::{KeyspaceIndex, ShardIndex};
use planner::plan::{Effects, Pin, Plan, PlanNode, SessionValue, Several, StatementKind, Template};
use planner::render::{ParamOrder, Rendering};
use planner::resolve::resolve;
use planner::value::Param;
use sql::fingerprint::Fingerprint;

use super::Session;
use super::diagnostics::{Condition, error_count};
use super::execution::Execution;
use super::lease::{Lease, Needs};
use super::lost::Stage;
use super::planned::{InsertId, Planned, plan_error};
use super::query::Done;
use super::relay::{Answer, ClientSide, Failure, pass_through, skip_answers};
use crate::cluster::Cluster;
use crate::control::Interrupt;
use crate::error::{self, SqlResult};

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

impl Session {
    /// Runs a plan and answers the client.
    pub(super) async fn run_planned(
        &mut self,
        planned: &Planned,
        input: &Input<'_>,
    ) -> Result<Done, mysql_wire::Error> {
        let (plan, insert_id) = match planned {
            Planned::Plan(plan, insert_id) => (plan, *insert_id),
            Planned::Begin {
                consistent_snapshot,
                read_only,
            } => {
                return self.begin(input.text, *consistent_snapshot, *read_only).await;
            }
            Planned::Commit(completion) => return self.commit(*completion).await,
            Planned::Rollback(completion) => return self.rollback(*completion).await,
        };
        self.span_uses(plan);
        if plan.warnings.is_empty() || matches!(input.protocol, Protocol::Binary(_)) {
            // A prepared statement raises them when it is prepared.
            return self.run_plan(plan, insert_id, input).await;
        }
        self.out.added_warnings = u16::try_from(plan.warnings.len()).unwrap_or(u16::MAX);
        let done = Box::pin(self.run_plan(plan, insert_id, input)).await;
        self.out.added_warnings = 0;
        let raised = plan.warnings.iter();
        let raised = raised.map(|warning| Condition::warning(warning.code, &warning.message));
        self.diagnostics.splice(..0, raised);
        done
    }

    async fn run_plan(
        &mut self,
        plan: &Plan,
        insert_id: InsertId,
        input: &Input<'_>,
    ) -> Result<Done, mysql_wire::Error> {
        let cluster = self.worker.cluster();
        if plan.effects.implicit_commit
            && let Err(wrong) = self.commit_before(&cluster, plan, input).await
        {
            return Ok(self.fail(wrong));
        }
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
                        let place = (route.keyspace, cluster.served_one_of(route.keyspace, shards));
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
            charset: self.context.values,
            user_var: None,
        }
    }

    /// A template as text for a shard, with the order of its remaining parameters.
    pub(super) fn render(
        &self,
        template: &Template,
        input: &Input<'_>,
        rows: Option<(&planner::plan::InsertRows, &[u32])>,
    ) -> SqlResult<(Vec<u8>, ParamOrder)> {
        let mut text = Vec::with_capacity(input.text.len() + 64);
        let session = |value: &SessionValue, out: &mut Vec<u8>| self.write_session_value(value, out);
        let rendering = Rendering {
            bindings: self.bindings(input),
            session: &session,
            rows,
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
            SessionValue::WarningCount => {
                out.extend_from_slice(format!("CAST({} AS UNSIGNED)", self.diagnostics.len()).as_bytes());
            }
            SessionValue::ErrorCount => {
                let errors = error_count(&self.diagnostics);
                out.extend_from_slice(format!("CAST({errors} AS UNSIGNED)").as_bytes());
            }
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
        let mut needs = needs_of(plan, insert_id);
        // A temporary table may hide the one whose columns the plan knows.
        needs.insert_id |=
            self.branches.pinned && matches!(plan.kind, StatementKind::Insert | StatementKind::Replace);
        let rendered;
        let (text, order) = if query.is_verbatim() {
            (input.text, None)
        } else {
            match self.render(query, input, None) {
                Ok((text, order)) => {
                    rendered = text;
                    (rendered.as_slice(), Some(order))
                }
                Err(wrong) => return Ok(self.fail(wrong)),
            }
        };
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
        if let Err(wrong) = sent {
            let told = self.fallen(lease, wrong);
            return Ok(self.fail(told));
        }
        match self.exchange(&mut lease, Expect::Result).await {
            Ok(answer) => self.finish(lease, answer, &plan.effects, insert_id).await,
            Err(failure) => self.lose(lease, failure),
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
        let backend_failure = |error| Failure::Backend { error, cut: false };
        conn.stream().flush().await.map_err(backend_failure)?;
        lease.stage = Stage::Sent;
        let prefixes = std::mem::take(&mut lease.prefixes);
        let prefixed = match prefixes {
            0 => Ok(()),
            count => skip_answers(conn, count).await.map_err(backend_failure)?,
        };
        if let Err(wrong) = prefixed {
            // The statement runs without what should have come before it: nobody may build on this connection, or see the answer.
            lease.needs.programs |= lease.needs.writes && wrong.code == error::PREVENTED_BY_OPTION;
            return Ok(Answer::Err(wrong));
        }
        let mut client = ClientSide {
            stream: &mut self.client.stream,
            out: &mut self.out,
            control: &self.control,
            answering: false,
        };
        let passed = pass_through(&mut client, conn, expect, first_seq).await;
        if client.answering {
            lease.stage = Stage::Answering;
        }
        let (answer, interrupted) = passed?;
        conn.end_exchange();
        if let Some(why) = interrupted {
            let status = super::kill::take_late_kill(conn).await;
            if matches!(&answer, Answer::Err(wrong) if wrong.code == super::kill::KILLED) {
                lease.branch.in_transaction = status.map_or(lease.branch.in_transaction, |status| {
                    status.contains(StatusFlags::IN_TRANS)
                });
                return Err(Failure::Interrupted(why));
            }
        }
        Ok(answer)
    }

    /// Ends a statement: reads what the session has to know from its connection, returns or keeps it, and answers.
    pub(super) async fn finish(
        &mut self,
        mut lease: Lease,
        answer: Answer,
        effects: &Effects,
        insert_id: InsertId,
    ) -> Result<Done, mysql_wire::Error> {
        if let Answer::Err(wrong) = &answer
            && lease.was_turned_away(wrong, self.autocommit())
        {
            return Ok(self.turned_away(lease, wrong.clone()));
        }
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
        let mut status = match &answer {
            Answer::Ok(ok) => ok.status,
            Answer::Rows { status, .. } => *status,
            Answer::Err(_) => self
                .status()
                .with(StatusFlags::IN_TRANS, lease.branch.in_transaction),
        };
        if lease.branch.conn.is_clean() {
            match self.read_back(&mut lease, &answer, effects).await {
                // An error packet has no status.
                Ok(Some(seen)) if matches!(answer, Answer::Err(_)) => status = seen,
                Ok(_) => {}
                Err(wrong) => {
                    tracing::warn!(tablet = lease.branch.conn.target.alias, error = %wrong, "session state could not be read back");
                }
            }
        }
        let concluded = self.put_back(lease, &answer, status).await;
        let done = match (&answer, concluded) {
            (Answer::Ok(ok), Ok(())) => {
                let mut fields = ok.answer();
                fields.status = fields
                    .status
                    .without(StatusFlags::SESSION_STATE_CHANGED | StatusFlags::MORE_RESULTS_EXISTS)
                    .with(StatusFlags::IN_TRANS, self.branches.in_transaction());
                self.out.ok(&fields);
                Done::Answered
            }
            (Answer::Ok(_), Err(wrong)) => self.fail(wrong),
            (Answer::Rows { .. }, Ok(())) => Done::Answered,
            // The rows are with the client: nothing but the end of its connection can tell it now.
            (Answer::Rows { .. }, Err(_)) => {
                return Err(mysql_wire::Error::Io(
                    std::io::ErrorKind::ConnectionAborted.into(),
                ));
            }
            (Answer::Err(wrong), _) => {
                if self.diagnostics.is_empty() {
                    self.diagnostics.push(Condition::from(wrong));
                }
                self.out.error(wrong);
                Done::Failed
            }
        };
        Ok(done)
    }

    /// What only the connection knows after the statement: warnings, insert id, FOUND_ROWS(), user variables.
    async fn read_back(
        &mut self,
        lease: &mut Lease,
        answer: &Answer,
        effects: &Effects,
    ) -> SqlResult<Option<StatusFlags>> {
        let needs = lease.needs;
        let conn = &mut lease.branch.conn;
        let mut status = None;
        let warned = match answer {
            Answer::Ok(ok) => ok.warnings > 0,
            Answer::Rows { warnings, .. } => *warnings > 0,
            Answer::Err(_) => true,
        };
        if warned {
            let (diagnostics, seen) = super::diagnostics::warnings_and_status(conn).await?;
            self.diagnostics = diagnostics;
            status = Some(seen);
        }
        if matches!(answer, Answer::Err(_)) {
            return Ok(status);
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
        Ok(status)
    }
}

/// The client's error for an interrupt.
pub(super) fn interrupt_error(why: Interrupt) -> SqlError {
    match why {
        Interrupt::StatementTimeout => error::statement_timeout(),
        _ => error::interrupted(),
    }
}

pub(super) async fn read_number(conn: &mut crate::backend::Backend, text: &[u8]) -> SqlResult<Option<u64>> {
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
        // A stored program may use the value, and set it.
        insert_id: plan.effects.pins.contains(Pin::StoredProgram)
            || insert_id == InsertId::Ambiguous
                && matches!(plan.kind, StatementKind::Insert | StatementKind::Replace),
        primary: plan.effects.locking_read,
        anywhere: false,
        tables: !plan.tables.is_empty(),
        programs: plan.effects.pins.contains(Pin::StoredProgram),
        once: plan.effects.not_repeatable || plan.effects.implicit_commit,
    }
}
