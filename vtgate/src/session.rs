//! One client's session: its state, and the loop that takes its commands.

pub mod answer;
mod assign;
mod branches;
mod commit;
pub mod context;
mod ddl;
mod describe;
pub mod diagnostics;
mod evaluate;
mod execute;
mod execution;
mod explain;
mod flush;
mod hold;
mod inline;
mod kill;
mod lease;
mod lost;
mod merge;
mod plain;
pub mod planned;
mod prepared;
mod query;
mod relay;
mod savepoint;
mod scatter;
mod set;
mod settings;
mod several;
mod show;
mod sql_prepared;
pub mod target;
mod traced;
mod transaction;
mod variables;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use mysql_wire::message::{ChangeUser, Command, SetOption};
use mysql_wire::server::{Connection, ServerConfig};
use mysql_wire::{Capabilities, SqlError, StatusFlags};
use opentelemetry::trace::SpanContext;
use planner::value::Charset;
use sql::charset::ClientCharset;
use sql::mode::LexMode;

use self::answer::{OkAnswer, Output};
use self::branches::Branches;
use self::context::Context;
use self::diagnostics::{Condition, Diagnostics};
use self::hold::Stall;
use self::prepared::Statements;
use self::target::Target;
use crate::backend::pool::AnswerShape;
use crate::control::{Interrupt, Interrupts, SessionControl};
use crate::error::{self, SqlResult};
use crate::plan_cache::ContextId;
use crate::settings::Settings;
use crate::traces::StatementSpan;
use crate::worker::Worker;

/// How a command ended.
enum Next {
    /// The session goes on.
    Continue,
    /// The client said goodbye, or cannot be talked to any more.
    Close,
}

/// The state of one client's session.
pub struct Session {
    worker: Rc<Worker>,
    control: Arc<SessionControl>,
    client: Connection,
    out: Output,
    shape: AnswerShape,
    /// CLIENT_MULTI_STATEMENTS, as COM_SET_OPTION last set it.
    multi_statements: bool,
    /// What is selected.
    target: Target,
    /// System variables that differ from a new connection's.
    system: Rc<Settings>,
    /// User variables.
    user_variables: Rc<Settings>,
    context: Rc<Context>,
    context_id: ContextId,
    /// Connections that the session keeps: an open transaction's, or one it is pinned to.
    branches: Branches,
    statements: Statements,
    /// Statements of PREPARE in SQL, by lower case name.
    named_statements: HashMap<String, Rc<[u8]>>,
    diagnostics: Diagnostics,
    last_insert_id: u64,
    found_rows: u64,
    row_count: i64,
    /// Why the current statement could not run, if it may be run again.
    stall: Option<Box<Stall>>,
    /// Bytes that the current command takes while it waits.
    command_bytes: usize,
    /// Who asked for the current command, if the client says.
    trace_parent: Option<SpanContext>,
    /// The span of the current statement, if it is traced.
    span: Option<Box<StatementSpan>>,
}

impl Session {
    /// A session of a client that has just logged in, with the collation and database of its handshake.
    ///
    /// # Errors
    /// 1049 for a database that does not exist.
    pub fn new(worker: Rc<Worker>, control: Arc<SessionControl>, client: Connection) -> SqlResult<Self> {
        let capabilities = client.capabilities;
        let (context, context_id) = worker.contexts.borrow_mut().intern(Context {
            lex: LexMode::NONE,
            charset: ClientCharset::default(),
            sql_mode: "".into(),
            character_set: "utf8mb4".into(),
            values: Charset::Utf8,
            collation: "utf8mb4_0900_ai_ci".into(),
            target: Target::default(),
        });
        let mut session = Self {
            out: Output::new(capabilities),
            shape: AnswerShape {
                deprecate_eof: capabilities.contains(Capabilities::DEPRECATE_EOF),
                found_rows: capabilities.contains(Capabilities::FOUND_ROWS),
            },
            multi_statements: capabilities.contains(Capabilities::MULTI_STATEMENTS),
            target: Target::default(),
            system: worker.system_settings.empty(),
            user_variables: worker.user_settings.empty(),
            context,
            context_id,
            branches: Branches::default(),
            statements: Statements::default(),
            named_statements: HashMap::new(),
            diagnostics: Diagnostics::new(),
            last_insert_id: 0,
            found_rows: 0,
            row_count: -1,
            stall: None,
            command_bytes: 0,
            trace_parent: None,
            span: None,
            worker,
            control,
            client,
        };
        session.take_over_handshake()?;
        Ok(session)
    }

    /// Applies the collation and database that the client's connection was authenticated with.
    fn take_over_handshake(&mut self) -> SqlResult<()> {
        self.set_client_collation(self.client.collation)?;
        match self.client.database.clone() {
            Some(database) => self.select(&String::from_utf8_lossy(&database)),
            None => Ok(()),
        }
    }

    /// Serves the client until it leaves or is sent away.
    ///
    /// # Errors
    /// The transport's, and malformed packets; the client was told where that is possible.
    pub async fn run(&mut self, config: &ServerConfig) -> Result<(), mysql_wire::Error> {
        let outcome = self.serve(config).await;
        if let Err(error) = &outcome {
            // The connection ends for the first reason; a second one changes nothing.
            let _ = self.flush().await;
            self.client.stream.set_seq(self.out.seq);
            self.client.fail(error).await;
        }
        outcome
    }

    async fn serve(&mut self, config: &ServerConfig) -> Result<(), mysql_wire::Error> {
        loop {
            let idle_ms = self.worker.shared.config.wait_timeout_s.saturating_mul(1000);
            self.control
                .idle(self.worker.shared.sessions.now_ms().saturating_add(idle_ms));
            let among = if self.branches.in_transaction() {
                Interrupts::IDLE_IN_TRANSACTION
            } else {
                Interrupts::IDLE
            };
            self.client.stream.start_command();
            let payload = tokio::select! {
                biased;
                payload = self.client.stream.read_packet() => payload,
                why = self.control.interrupted(among) => return self.say_goodbye(why).await,
            };
            let payload = match payload {
                Ok(payload) => payload,
                Err(mysql_wire::Error::Closed) => return Ok(()),
                Err(wrong) => {
                    self.out.seq = self.client.stream.seq();
                    return Err(wrong);
                }
            };
            self.out.seq = self.client.stream.seq();
            let next = Box::pin(self.command(&payload, config)).await?;
            self.flush().await?;
            self.control.statement_ended();
            if matches!(next, Next::Close) {
                return Ok(());
            }
            if self.control.asked(Interrupts::STATEMENT) == Some(Interrupt::KillConnection) {
                return Ok(());
            }
        }
    }

    /// Tells an idle client why its connection ends.
    async fn say_goodbye(&mut self, why: Interrupt) -> Result<(), mysql_wire::Error> {
        let error = match why {
            Interrupt::IdleTimeout => SqlError::with_code(
                4031,
                "The client was disconnected by the server because of inactivity. See wait_timeout and interactive_timeout for configuring this behavior.",
            ),
            Interrupt::Drain => error::shutdown(),
            Interrupt::TransactionTimeout => error::interrupted(),
            _ => SqlError::with_code(1927, "Connection was killed"),
        };
        self.out.seq = 0;
        self.out.error(&error);
        self.flush().await
    }

    async fn flush(&mut self) -> Result<(), mysql_wire::Error> {
        if !self.out.buffer.is_empty() {
            let bytes = self.out.buffer.split();
            self.client.stream.send_raw(&bytes).await?;
        }
        if self.out.buffer.capacity() > 0 {
            self.out.buffer = bytes::BytesMut::new();
        }
        Ok(())
    }

    async fn command(&mut self, payload: &[u8], config: &ServerConfig) -> Result<Next, mysql_wire::Error> {
        let command = Command::decode(payload, self.client.capabilities)?;
        self.command_bytes = payload.len();
        match command {
            Command::Quit => return Ok(Next::Close),
            Command::Query(query) => {
                self.control.begin("Query", query.text, self.statement_deadline());
                self.trace_query(&query);
                self.query(query.text).await?;
            }
            Command::StmtPrepare(text) => {
                self.control.begin("Prepare", text, self.statement_deadline());
                self.prepare(text).await?;
            }
            Command::StmtExecute(execute) => self.execute_prepared(&execute).await?,
            Command::StmtSendLongData(long) => self
                .statements
                .send_long_data(&long, self.worker.shared.config.max_allowed_packet),
            Command::StmtClose(id) => self.close_statement(id),
            Command::StmtReset(id) => self.reset_statement(id),
            Command::StmtFetch(fetch) => self.fetch(&fetch),
            Command::Ping => self.ok(),
            Command::InitDb(name) => {
                let outcome = self.select(&String::from_utf8_lossy(name));
                self.answer(outcome);
            }
            Command::FieldList(list) => self.field_list(payload, &list).await?,
            Command::Statistics => {
                let text = self.statistics();
                self.out.payload(text.as_bytes());
            }
            Command::SetOption(option) => {
                self.multi_statements = option == SetOption::MultiStatementsOn;
                let status = self.status();
                self.out.end(status, 0);
            }
            Command::ResetConnection => {
                self.reset();
                self.ok();
            }
            Command::ChangeUser(change) => return self.change_user(&change, config).await,
            Command::Debug | Command::NotServed(_) | Command::Unknown(_) => {
                self.out.error(&SqlError::with_code(1047, "Unknown command"));
            }
        }
        Ok(Next::Continue)
    }

    /// Forgets everything that belongs to the session but who logged in: COM_RESET_CONNECTION.
    fn reset(&mut self) {
        self.branches.abandon();
        self.statements = Statements::default();
        self.named_statements.clear();
        self.user_variables = self.worker.user_settings.empty();
        self.system = self.worker.system_settings.empty();
        self.diagnostics.clear();
        (self.last_insert_id, self.found_rows, self.row_count) = (0, 0, -1);
        self.control.transaction_deadline(0);
        // MySQL goes back to the server's character set here, which for every connection is utf8mb4.
        self.refresh_context();
    }

    async fn change_user(
        &mut self,
        change: &ChangeUser<'_>,
        config: &ServerConfig,
    ) -> Result<Next, mysql_wire::Error> {
        let accounts = crate::accounts::Accounts(self.worker.cluster().accounts.clone());
        // On failure the client was told and its connection is closed.
        Box::pin(self.client.change_user(change, config, &accounts)).await?;
        self.control.set_user(&self.user());
        self.out.seq = self.client.stream.seq();
        self.reset();
        self.target = Target::default();
        let outcome = self.take_over_handshake();
        self.refresh_context();
        self.answer(outcome);
        Ok(Next::Continue)
    }

    fn statistics(&self) -> String {
        let sessions = &self.worker.shared.sessions;
        format!(
            "Uptime: {}  Threads: {}  Questions: 0  Slow queries: 0  Opens: 0  Flush tables: 0  Open tables: 0  Queries per second avg: 0.000",
            sessions.uptime_s(),
            sessions.count(),
        )
    }

    fn statement_deadline(&self) -> u64 {
        match self.worker.shared.config.statement_ms_max {
            0 => 0,
            ms => self.worker.shared.sessions.now_ms().saturating_add(ms),
        }
    }

    /// The account's name.
    fn user(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.client.user)
    }

    /// Whether autocommit is on.
    fn autocommit(&self) -> bool {
        self.system.get("autocommit") != Some(b"0")
    }

    /// Status flags of an answer that the gateway makes.
    fn status(&self) -> StatusFlags {
        StatusFlags::empty()
            .with(StatusFlags::AUTOCOMMIT, self.autocommit())
            .with(StatusFlags::IN_TRANS, self.branches.in_transaction())
            .with(
                StatusFlags::IN_TRANS_READONLY,
                self.branches.transaction.read_only,
            )
            .with(
                StatusFlags::NO_BACKSLASH_ESCAPES,
                self.context.lex.has(LexMode::NO_BACKSLASH_ESCAPES),
            )
    }

    /// OK without numbers.
    fn ok(&mut self) {
        let answer = OkAnswer {
            status: self.status(),
            ..OkAnswer::default()
        };
        self.out.ok(&answer);
    }

    /// OK or the error of something that the gateway did itself.
    fn answer(&mut self, outcome: SqlResult<()>) {
        match outcome {
            Ok(()) => self.ok(),
            Err(error) => self.answer_error(error),
        }
    }

    /// ERR, kept for SHOW WARNINGS. A statement that may be run again has no answer yet.
    fn answer_error(&mut self, error: SqlError) {
        if self.stall.is_some() {
            return;
        }
        self.diagnostics = vec![Condition::from(&error)];
        self.row_count = -1;
        self.out.error(&error);
    }
}
