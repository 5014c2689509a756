//! Prepared statements: the client's own ids, mapped to statements that are prepared on backend connections when needed.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Instant;

use mysql_wire::SqlError;
use mysql_wire::message::{PrepareOk, StmtExecute, StmtFetch, StmtSendLongData};
use mysql_wire::packet::write_packet;
use mysql_wire::value::ValueRef;
use mysql_wire::value::params::{ParamType, ParamValue, decode_params};
use sql::fingerprint::Fingerprint;

use super::Session;
use super::describe::Metadata;
use super::execute::{Input, Protocol};
use super::execution::{Bound, Execution, Ready, planner_param};
use super::hold::Waited;
use super::lease::{Lease, Needs};
use super::planned::Planned;
use super::query::{Done, Found};
use crate::backend::statements::StatementKey;
use crate::error::{self, SqlResult};
use crate::metrics::StatementLabel;
use crate::plan_cache::ContextId;

/// Prepared statements that one session may hold, as a bound on its memory.
const STATEMENTS_MAX: usize = 16_382;

/// A statement that a client has prepared.
pub(super) struct PreparedStatement {
    text: Rc<[u8]>,
    fingerprint: Fingerprint,
    /// Types of the last execution, which a client sends only when they change.
    types: RefCell<Vec<ParamType>>,
    /// Values that came by COM_STMT_SEND_LONG_DATA, for the next execution.
    long_data: RefCell<HashMap<u16, Vec<u8>>>,
    /// More long data was sent than a packet may hold: told at the next execution.
    long_data_overflow: Cell<bool>,
    /// The plan of the last execution, and what it was made under.
    planned: RefCell<Option<(ContextId, u64, Rc<Planned>)>>,
}

/// A session's prepared statements.
#[derive(Default)]
pub(super) struct Statements {
    by_id: HashMap<u32, Rc<PreparedStatement>>,
    last_id: u32,
}

impl Statements {
    fn get(&self, id: u32) -> Option<Rc<PreparedStatement>> {
        self.by_id.get(&id).cloned()
    }

    fn insert(&mut self, statement: PreparedStatement) -> SqlResult<u32> {
        if self.by_id.len() >= STATEMENTS_MAX {
            return Err(SqlError::with_code(
                1461,
                format!(
                    "Can't create more than max_prepared_stmt_count statements (current value: {STATEMENTS_MAX})"
                ),
            ));
        }
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            if self.last_id != 0 && !self.by_id.contains_key(&self.last_id) {
                self.by_id.insert(self.last_id, Rc::new(statement));
                return Ok(self.last_id);
            }
        }
    }

    /// COM_STMT_SEND_LONG_DATA, which has no answer.
    pub(super) fn send_long_data(&mut self, long: &StmtSendLongData<'_>, bytes_max: usize) {
        let Some(statement) = self.by_id.get(&long.statement_id) else {
            return;
        };
        let mut values = statement.long_data.borrow_mut();
        let value = values.entry(long.param).or_default();
        if value.len() + long.data.len() > bytes_max {
            statement.long_data_overflow.set(true);
            return;
        }
        value.extend_from_slice(long.data);
    }
}

impl Session {
    /// COM_STMT_PREPARE.
    pub(super) async fn prepare(&mut self, text: &[u8]) -> Result<(), mysql_wire::Error> {
        let mut waited = Waited::default();
        loop {
            let done = match self.prepare_statement(text).await {
                Ok((id, metadata)) => {
                    self.answer_prepared(id, &metadata);
                    Done::Answered
                }
                Err(wrong) => self.fail(wrong),
            };
            if !self.runs_again(&done, &mut waited).await {
                return Ok(());
            }
        }
    }

    async fn prepare_statement(&mut self, text: &[u8]) -> SqlResult<(u32, Metadata)> {
        let mut fingerprint = Fingerprint::new();
        fingerprint
            .read(text, self.lex_options())
            .map_err(error::syntax)?;
        let text = trim_terminator(text, &mut fingerprint, self)?;
        let input = Input {
            text: &text,
            fingerprint: &fingerprint,
            params: &[],
            protocol: Protocol::Text,
        };
        let (metadata, planned) = match self.find(&text, &fingerprint)? {
            Found::Planned(planned) => {
                let metadata = match &*planned {
                    Planned::Plan(plan, _) => self.describe_on_shard(plan, &input).await?,
                    _ => Metadata::default(),
                };
                (metadata, Some(planned))
            }
            Found::Own(statement) => (self.describe_own(&statement, &text).await?, None),
            Found::Unparsed(keyspace) => {
                let cluster = self.worker.cluster();
                let lease = self
                    .lease(
                        &cluster,
                        keyspace,
                        0,
                        Needs {
                            primary: true,
                            ..Needs::default()
                        },
                    )
                    .await?;
                (self.describe_on(lease, &text).await?, None)
            }
        };
        let revision = self.worker.cluster().catalog_revision;
        let statement = PreparedStatement {
            text: text.as_slice().into(),
            types: RefCell::default(),
            long_data: RefCell::default(),
            long_data_overflow: Cell::new(false),
            planned: RefCell::new(planned.map(|planned| (self.context_id, revision, planned))),
            fingerprint,
        };
        Ok((self.statements.insert(statement)?, metadata))
    }

    fn answer_prepared(&mut self, id: u32, metadata: &Metadata) {
        let count = |list: &[Vec<u8>]| u16::try_from(list.len()).unwrap_or(u16::MAX);
        let ok = PrepareOk {
            statement_id: id,
            columns: count(&metadata.columns),
            params: count(&metadata.params),
            warnings: metadata.warnings,
        };
        let status = self.status();
        let out = &mut self.out;
        write_packet(&mut out.buffer, &mut out.seq, |w| ok.encode(w));
        for definitions in [&metadata.params, &metadata.columns] {
            for definition in definitions {
                out.payload(definition);
            }
            if !definitions.is_empty() && !out.deprecates_eof() {
                out.end(status, 0);
            }
        }
    }

    /// COM_STMT_EXECUTE.
    pub(super) async fn execute_prepared(
        &mut self,
        execute: &StmtExecute<'_>,
    ) -> Result<(), mysql_wire::Error> {
        let started = Instant::now();
        let id = execute.statement_id;
        let Some(statement) = self.statements.get(id) else {
            self.control.begin("Execute", b"", 0);
            self.answer_error(error::unknown_statement(id, "mysqld_stmt_execute"));
            return Ok(());
        };
        self.control
            .begin("Execute", &statement.text, self.statement_deadline());
        let long_data = std::mem::take(&mut *statement.long_data.borrow_mut());
        if statement.long_data_overflow.replace(false) {
            self.answer_error(SqlError::with_code(
                1153,
                "Got a packet bigger than 'max_allowed_packet' bytes",
            ));
            return Ok(());
        }
        let count = statement.fingerprint.params() as usize;
        let raw = execute.params(count, self.client.capabilities)?;
        let bound = {
            let mut types = statement.types.borrow_mut();
            let has_long_data =
                |index: usize| u16::try_from(index).is_ok_and(|index| long_data.contains_key(&index));
            decode_params(&raw, count, &mut types, has_long_data)
        };
        let (mut params, attributes) = match bound {
            Ok(bound) => (bound.params, bound.attributes),
            Err(wrong) => {
                self.answer_error(SqlError::with_code(
                    1210,
                    format!("Incorrect arguments to mysqld_stmt_execute: {wrong}"),
                ));
                return Ok(());
            }
        };
        for (index, value) in &long_data {
            if let Some(param) = params.get_mut(usize::from(*index)) {
                param.value = ParamValue::Inline(ValueRef::Bytes(value));
            }
        }
        let long_bytes: usize = long_data.values().map(Vec::len).sum();
        self.command_bytes += statement.text.len() + long_bytes;
        let values: Vec<planner::value::Param<'_>> = params.iter().map(planner_param).collect();
        let execution = Execution {
            text: statement.text.clone(),
            params,
        };
        let input = Input {
            text: &statement.text,
            fingerprint: &statement.fingerprint,
            params: &values,
            protocol: Protocol::Binary(&execution),
        };
        self.trace_attributes(&attributes);
        self.begin_span(statement.fingerprint.verb(), &statement.text);
        self.out.more_results = false;
        self.out.binary = true;
        let mut waited = Waited::default();
        let (label, done) = loop {
            let (label, done) = self.run_prepared(&statement, &input).await;
            let done = match done {
                Ok(done) => done,
                Err(lost) => {
                    self.out.binary = false;
                    return Err(lost);
                }
            };
            if !self.runs_again(&done, &mut waited).await {
                break (label, done);
            }
        };
        self.out.binary = false;
        self.end_span(matches!(done, Done::Failed));
        self.worker
            .metrics
            .statement(label, started.elapsed(), matches!(done, Done::Failed));
        Ok(())
    }

    async fn run_prepared(
        &mut self,
        statement: &PreparedStatement,
        input: &Input<'_>,
    ) -> (StatementLabel, Result<Done, mysql_wire::Error>) {
        let revision = self.worker.cluster().catalog_revision;
        let known = match &*statement.planned.borrow() {
            Some((context, seen, planned)) if *context == self.context_id && *seen == revision => {
                Some(planned.clone())
            }
            _ => None,
        };
        let found = match known {
            Some(planned) => Ok(Found::Planned(planned)),
            None => self.find(input.text, input.fingerprint),
        };
        match found {
            Err(wrong) => (StatementLabel::SESSION, Ok(self.fail(wrong))),
            Ok(Found::Planned(planned)) => {
                *statement.planned.borrow_mut() = Some((self.context_id, revision, planned.clone()));
                let label = match &*planned {
                    Planned::Plan(plan, _) => plan.kind.into(),
                    _ => StatementLabel::SESSION,
                };
                (label, self.run_planned(&planned, input).await)
            }
            Ok(Found::Own(parsed)) => (StatementLabel::SESSION, Box::pin(self.own(&parsed, input)).await),
            Ok(Found::Unparsed(keyspace)) => (
                StatementLabel::SESSION,
                Box::pin(self.run_unparsed(keyspace, input)).await,
            ),
        }
    }

    /// Prepares the statement on a connection where it is not yet.
    pub(super) async fn prepare_bound(&mut self, lease: &mut Lease, bound: &Bound<'_>) -> SqlResult<Ready> {
        let key = StatementKey {
            text: bound.text.clone(),
            types: bound.types.clone(),
            settings: self.system.id(),
            database: lease.branch.conn.database().clone(),
        };
        Ok(match lease.branch.conn.statements.find(&key) {
            Some(id) => Ready {
                id,
                send_types: false,
            },
            None => Ready {
                id: self.prepare_on(lease, key).await?,
                send_types: true,
            },
        })
    }

    /// Adds an execution to what the connection sends, after preparing the statement on it where it is not yet.
    pub(super) async fn push_execute(
        &mut self,
        lease: &mut Lease,
        text: &[u8],
        order: Option<&[u32]>,
        execution: &Execution<'_>,
    ) -> SqlResult<()> {
        let bound = execution.bind(text, order);
        let statement = self.prepare_bound(lease, &bound).await?;
        bound.push(lease, statement)
    }

    async fn prepare_on(&mut self, lease: &mut Lease, key: StatementKey) -> SqlResult<u32> {
        let untyped = StatementKey {
            types: Rc::from([]),
            ..key.clone()
        };
        let conn = &mut lease.branch.conn;
        // Prepared for its metadata and never executed: no types stick to it yet.
        if let Some(id) = conn.statements.find(&untyped).filter(|_| !key.types.is_empty()) {
            conn.statements.remove(&untyped);
            conn.remember(key, id);
            return Ok(id);
        }
        self.settle(lease).await?;
        let conn = &mut lease.branch.conn;
        match conn.prepare(&key.text).await {
            Ok(prepared) => {
                conn.remember(key, prepared.id);
                Ok(prepared.id)
            }
            Err(wrong) => Err(conn.lost(wrong)),
        }
    }

    /// Sends the statements that were pipelined and reads their answers, where something has to come between them and the statement.
    pub(super) async fn settle(&mut self, lease: &mut Lease) -> SqlResult<()> {
        let prefixes = std::mem::take(&mut lease.prefixes);
        if prefixes == 0 {
            return Ok(());
        }
        let conn = &mut lease.branch.conn;
        conn.begin_exchange();
        conn.stream().flush().await.map_err(|error| conn.lost(error))?;
        super::relay::skip_answers(conn, prefixes)
            .await
            .map_err(|error| conn.lost(error))??;
        conn.end_exchange();
        Ok(())
    }

    /// COM_STMT_CLOSE, which has no answer.
    pub(super) fn close_statement(&mut self, id: u32) {
        self.statements.by_id.remove(&id);
    }

    /// COM_STMT_RESET: drops long data.
    pub(super) fn reset_statement(&mut self, id: u32) {
        match self.statements.get(id) {
            Some(statement) => {
                statement.long_data.borrow_mut().clear();
                statement.long_data_overflow.set(false);
                self.ok();
            }
            None => self.answer_error(error::unknown_statement(id, "mysqld_stmt_reset")),
        }
    }

    /// COM_STMT_FETCH: the gateway opens no cursors, an execution sends all rows.
    pub(super) fn fetch(&mut self, fetch: &StmtFetch) {
        let wrong = match self.statements.get(fetch.statement_id) {
            Some(_) => SqlError::with_code(
                1421,
                format!("The statement ({}) has no open cursor.", fetch.statement_id),
            ),
            None => error::unknown_statement(fetch.statement_id, "mysqld_stmt_fetch"),
        };
        self.answer_error(wrong);
    }
}

/// A prepared statement may end in a semicolon, but hold no second statement.
fn trim_terminator(text: &[u8], fingerprint: &mut Fingerprint, session: &Session) -> SqlResult<Vec<u8>> {
    if fingerprint.semicolon().is_none() {
        return Ok(text.to_vec());
    }
    let statements = super::query::split(text, session.lex_options(), fingerprint);
    if let [_, second, ..] = statements.as_slice() {
        return Err(error::syntax(sql::error::ParseError::syntax(
            text,
            second.start as usize,
        )));
    }
    let statement = statements
        .first()
        .map(|span| span.of(text))
        .unwrap_or_default()
        .to_vec();
    fingerprint
        .read(&statement, session.lex_options())
        .map_err(error::syntax)?;
    Ok(statement)
}
