//! COM_QUERY: text to statements, statement to plan or to one of the session's own answers.

use std::rc::Rc;
use std::time::Instant;

use planner::context::PlanContext;
use sql::ast::{Explain, InsertSource, Statement, StatementKind};
use sql::error::ParseError;
use sql::fingerprint::{Fingerprint, SlotClass, Verb};
use sql::lexer::LexOptions;
use sql::span::Span;

use super::Session;
use super::answer::OkAnswer;
use super::diagnostics::{Condition, warning_count};
use super::execute::{Input, Protocol};
use super::flush::{Flush, own_flush};
use super::hold::Waited;
use super::planned::{InsertId, Planned, plan_error};
use super::show::ShowAction;
use crate::error::{self, SqlError, SqlResult};
use crate::metrics::StatementLabel;

/// How a statement ended, for metrics and for whether the next one of several runs.
pub(super) enum Done {
    /// It was answered.
    Answered,
    /// It was answered by an error.
    Failed,
}

/// What a text turned out to be.
pub(super) enum Found<'t> {
    /// A cached or new plan.
    Planned(Rc<Planned>),
    /// One that the session answers itself.
    Own(Statement<'t>),
    /// Not understood, but of an unsharded keyspace, so MySQL decides.
    Unparsed(planner::catalog::KeyspaceIndex),
}

impl Session {
    pub(super) fn lex_options(&self) -> LexOptions {
        LexOptions {
            mode: self.context.lex,
            charset: self.context.charset,
            ..LexOptions::default()
        }
    }

    /// Runs the statements of a COM_QUERY and answers each.
    pub(super) async fn query(&mut self, text: &[u8]) -> Result<(), mysql_wire::Error> {
        let mut fingerprint = self.worker.take_fingerprint();
        let read = fingerprint.read(text, self.lex_options());
        let several = match &read {
            Ok(()) => fingerprint.semicolon().is_some(),
            Err(_) => true,
        };
        let outcome = if several {
            self.several(text, &mut fingerprint).await
        } else {
            self.statement(text, &fingerprint, false).await.map(|_| ())
        };
        self.worker.give_fingerprint(fingerprint);
        outcome
    }

    /// A text with a `;` in it, or one that cannot be read as a whole.
    async fn several(&mut self, text: &[u8], fingerprint: &mut Fingerprint) -> Result<(), mysql_wire::Error> {
        let statements = split(text, self.lex_options(), fingerprint);
        if let (false, [_, second, ..]) = (self.multi_statements, statements.as_slice()) {
            let wrong = ParseError::syntax(text, second.start as usize);
            self.answer_error(error::syntax(wrong));
            return Ok(());
        }
        let last = statements.len().saturating_sub(1);
        for (number, statement) in statements.iter().enumerate() {
            let statement = statement.of(text);
            if let Err(wrong) = fingerprint.read(statement, self.lex_options()) {
                self.answer_error(error::syntax(wrong));
                return Ok(());
            }
            match self.statement(statement, fingerprint, number < last).await? {
                Done::Failed => return Ok(()),
                Done::Answered => {}
            }
        }
        Ok(())
    }

    /// Runs one statement and answers it. `more` says that another one follows.
    pub(super) async fn statement(
        &mut self,
        text: &[u8],
        fingerprint: &Fingerprint,
        more: bool,
    ) -> Result<Done, mysql_wire::Error> {
        let started = Instant::now();
        self.begin_span(fingerprint.verb(), text);
        let mut label = StatementLabel::SESSION;
        if fingerprint.params() > 0 {
            // MySQL takes `?` in prepared statements only.
            let at = fingerprint
                .slots()
                .iter()
                .find(|slot| matches!(slot.class, SlotClass::Param(_)));
            let wrong = ParseError::syntax(text, at.map_or(0, |slot| slot.span.start as usize));
            let done = self.fail(error::syntax(wrong));
            self.end_span(true);
            return Ok(done);
        }
        self.out.more_results = more;
        let input = Input {
            text,
            fingerprint,
            params: &[],
            protocol: Protocol::Text,
        };
        let mut waited = Waited::default();
        let done = loop {
            let done = match self.find(text, fingerprint) {
                Err(wrong) => self.fail(wrong),
                Ok(Found::Planned(planned)) => {
                    if let Planned::Plan(plan, _) = &*planned {
                        label = plan.kind.into();
                    }
                    self.run_planned(&planned, &input).await?
                }
                Ok(Found::Own(statement)) => Box::pin(self.own(&statement, &input)).await?,
                Ok(Found::Unparsed(keyspace)) => Box::pin(self.run_unparsed(keyspace, &input)).await?,
            };
            if !self.runs_again(&done, &mut waited).await {
                break done;
            }
        };
        let failed = matches!(done, Done::Failed);
        self.end_span(failed);
        self.worker.metrics.statement(label, started.elapsed(), failed);
        Ok(done)
    }

    /// The plan of a text, from the cache or new.
    pub(super) fn find<'t>(&self, text: &'t [u8], fingerprint: &Fingerprint) -> SqlResult<Found<'t>> {
        // Brings the cache in line with the catalog before it is asked.
        let cluster = self.worker.cluster();
        let cached = self.worker.plans.borrow_mut().find(
            fingerprint.hash(),
            self.context_id,
            fingerprint.key(),
            |planned| planned.accepts(text, fingerprint),
        );
        if let Some(planned) = cached {
            return Ok(Found::Planned(planned));
        }
        if fingerprint.verb() == Verb::Xa {
            // Prepared branches belong to the transactions of the gateway alone, on every keyspace.
            return Err(error::unsupported("XA statements of clients"));
        }
        let statement = match sql::parser::parse(text, self.lex_options()) {
            Ok(statement) => statement,
            Err(wrong) => {
                return match self.selected_unsharded() {
                    Some(keyspace) => Ok(Found::Unparsed(keyspace)),
                    None => Err(error::syntax(wrong)),
                };
            }
        };
        let planned = match &statement.kind {
            StatementKind::Transaction(transaction) => match super::transaction::cacheable(transaction) {
                Some(planned) => planned,
                None => return Ok(Found::Own(statement)),
            },
            kind if is_own(kind) || own_flush(kind, text).is_some() => return Ok(Found::Own(statement)),
            _ => match self.plan(text, &statement, fingerprint) {
                Ok(plan) => {
                    let insert_id = self.insert_id(&plan, &statement);
                    Planned::Plan(Box::new(plan), insert_id)
                }
                Err(wrong) => return Err(wrong),
            },
        };
        let bytes = planned.bytes();
        let planned = Rc::new(planned);
        drop(cluster);
        self.worker.plans.borrow_mut().insert(
            fingerprint.hash(),
            self.context_id,
            fingerprint.key(),
            planned.clone(),
            bytes,
        );
        Ok(Found::Planned(planned))
    }

    /// Plans a statement for the session's context.
    pub(super) fn plan(
        &self,
        text: &[u8],
        statement: &Statement<'_>,
        fingerprint: &Fingerprint,
    ) -> SqlResult<planner::Plan> {
        let cluster = self.worker.cluster();
        let catalog = &cluster.catalog;
        let keyspace = self.selected_keyspace(&cluster);
        let shard = keyspace.and_then(|keyspace| self.selected_shard(&cluster, keyspace));
        let context = PlanContext {
            catalog,
            keyspace,
            shard,
            lex_mode: self.context.lex,
            charset: self.context.values,
        };
        planner::plan(statement, text, fingerprint, &context).map_err(plan_error)
    }

    /// What the OK packet of an INSERT will say about LAST_INSERT_ID().
    fn insert_id(&self, plan: &planner::Plan, statement: &Statement<'_>) -> InsertId {
        let StatementKind::Insert(insert) = &statement.kind else {
            return InsertId::None;
        };
        let cluster = self.worker.cluster();
        let table = plan
            .tables
            .iter()
            .find(|used| used.written)
            .and_then(|used| cluster.catalog.keyspace(used.keyspace)?.table(&used.table));
        let Some(def) = table.and_then(|table| table.def.as_ref()) else {
            return InsertId::Ambiguous;
        };
        match def.auto_increment() {
            None => InsertId::None,
            Some(column) if leaves_out(insert, &column.name) => InsertId::Generated,
            Some(_) => InsertId::Ambiguous,
        }
    }

    /// The selected keyspace if it is unsharded.
    pub(super) fn selected_unsharded(&self) -> Option<planner::catalog::KeyspaceIndex> {
        let cluster = self.worker.cluster();
        let index = self.selected_keyspace(&cluster)?;
        cluster
            .catalog
            .keyspace(index)
            .filter(|keyspace| !keyspace.sharded)
            .map(|_| index)
    }

    /// Statements that the session answers itself.
    pub(super) async fn own(
        &mut self,
        statement: &Statement<'_>,
        input: &Input<'_>,
    ) -> Result<Done, mysql_wire::Error> {
        let text = input.text;
        // SET may read the counts of the statement before.
        if !keeps_diagnostics(statement) && !matches!(statement.kind, StatementKind::Set(_)) {
            self.diagnostics.clear();
        }
        let outcome = match &statement.kind {
            // A text of comments alone is no error in MySQL.
            StatementKind::Empty if text.iter().all(u8::is_ascii_whitespace) => {
                Err(SqlError::with_code(1065, "Query was empty"))
            }
            StatementKind::Empty => Ok(()),
            StatementKind::Prepared(prepared) => {
                // MySQL's own, with its names and types, where one server has all of the keyspace.
                return match self.selected_unsharded() {
                    Some(_) if self.prepares_xa(prepared) => {
                        Ok(self.fail(error::unsupported("XA statements of clients")))
                    }
                    Some(keyspace) => self.run_unparsed(keyspace, input).await,
                    None => self.sql_prepared(prepared).await,
                };
            }
            kind @ StatementKind::Other(_) => match own_flush(kind, text) {
                Some(Flush::Status) => self.flush_status().await,
                // Caches of a server that others use too: accepted, as statements around tests and dumps expect.
                _ => self.commit_implicitly().await,
            },
            StatementKind::Set(set) => self.set(statement, set, input).await,
            StatementKind::Use(name) => {
                let name = String::from_utf8_lossy(&name.value).into_owned();
                self.select(&name)
            }
            StatementKind::Show(show) => match self.show(show, text) {
                Ok(ShowAction::Answer(table)) => match self.kept(table, &show.filter, input).await {
                    Ok(table) => {
                        let status = self.status();
                        let mut warnings = 0;
                        if !keeps_diagnostics(statement) {
                            self.found_rows = table.rows.len() as u64;
                            warnings = warning_count(&self.diagnostics);
                        }
                        self.row_count = -1;
                        self.out.table(&table, status, warnings);
                        return Ok(Done::Answered);
                    }
                    Err(wrong) => Err(wrong),
                },
                Ok(ShowAction::Ask(keyspace)) => return self.ask_any(keyspace.as_deref(), input).await,
                Err(wrong) => Err(wrong),
            },
            StatementKind::Transaction(transaction) => self.savepoint(transaction, text).await,
            StatementKind::LockTables(_) => return self.lock_tables(text).await,
            StatementKind::UnlockTables => self.unlock_tables().await,
            StatementKind::Kill(kill) => self.kill(kill, input).await,
            StatementKind::Explain(explain) => match &**explain {
                Explain::Vitrail {
                    kind,
                    statement: explained,
                } => {
                    return self.vexplain(*kind, explained, text).await;
                }
                Explain::Connection => Err(error::unsupported("EXPLAIN FOR CONNECTION")),
                _ => return self.ask_planned(statement, input).await,
            },
            _ => return self.ask_planned(statement, input).await,
        };
        Ok(match outcome {
            Ok(()) => {
                self.row_count = 0;
                let answer = OkAnswer {
                    status: self.status(),
                    warnings: warning_count(&self.diagnostics),
                    ..OkAnswer::default()
                };
                self.out.ok(&answer);
                Done::Answered
            }
            Err(wrong) => {
                self.answer_error(wrong);
                Done::Failed
            }
        })
    }

    async fn ask_planned(
        &mut self,
        statement: &Statement<'_>,
        input: &Input<'_>,
    ) -> Result<Done, mysql_wire::Error> {
        match self.plan(input.text, statement, input.fingerprint) {
            Ok(plan) => {
                let insert_id = self.insert_id(&plan, statement);
                self.run_planned(&Planned::Plan(Box::new(plan), insert_id), input)
                    .await
            }
            Err(wrong) => {
                self.answer_error(wrong);
                Ok(Done::Failed)
            }
        }
    }

    /// Adds warnings of the gateway's own to the diagnostics area.
    pub(super) fn warn(&mut self, warnings: &[(u16, String)]) {
        self.diagnostics.extend(
            warnings
                .iter()
                .map(|(code, text)| Condition::warning(*code, text)),
        );
    }
}

/// Whether the session answers a statement without the planner.
fn is_own(kind: &StatementKind<'_>) -> bool {
    match kind {
        StatementKind::Empty
        | StatementKind::Set(_)
        | StatementKind::Use(_)
        | StatementKind::Show(_)
        | StatementKind::LockTables(_)
        | StatementKind::UnlockTables
        | StatementKind::Prepared(_)
        | StatementKind::Kill(_) => true,
        StatementKind::Explain(explain) => matches!(**explain, Explain::Vitrail { .. } | Explain::Connection),
        _ => false,
    }
}

/// SHOW WARNINGS and its kin read the diagnostics area and leave it as it is.
fn keeps_diagnostics(statement: &Statement<'_>) -> bool {
    use sql::ast::ShowKind::{CountErrors, CountWarnings, Errors, Warnings};
    match &statement.kind {
        StatementKind::Show(show) => matches!(show.kind, Warnings | Errors | CountWarnings | CountErrors),
        _ => false,
    }
}

/// Whether an INSERT's column list is there and does not have the column: MySQL then chooses its value.
fn leaves_out(insert: &sql::ast::Insert<'_>, column: &str) -> bool {
    match (&insert.columns, &insert.source) {
        (_, InsertSource::Set { assignments, .. }) => !assignments
            .iter()
            .any(|assignment| assignment.column.column.is(column)),
        (Some(columns), _) => {
            !columns.iter().any(|named| named.column.is(column)) && insert.on_duplicate.is_none()
        }
        (None, _) => false,
    }
}

/// The statements of a text, at least one. A `;` inside the body of a stored program separates nothing. What cannot be read to its end is
/// the last one: those before it run, as in MySQL.
pub(super) fn split(text: &[u8], options: LexOptions, fingerprint: &mut Fingerprint) -> Vec<Span> {
    let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let mut statements = Vec::new();
    let mut start = 0;
    loop {
        let rest = text.get(start as usize..).unwrap_or_default();
        let readable = fingerprint.read(rest, options).is_ok();
        let nothing_left = fingerprint.verb() == Verb::Empty && fingerprint.semicolon().is_none();
        if readable && nothing_left && !statements.is_empty() {
            return statements;
        }
        let separates = |semicolon: &u32| {
            // A body that cannot be read to its end begins as one.
            let first = rest.get(..*semicolon as usize).unwrap_or_default();
            !has_body(if readable { rest } else { first }, options)
        };
        let Some(semicolon) = fingerprint.semicolon().filter(separates) else {
            statements.push(Span::new(start, end));
            return statements;
        };
        statements.push(Span::new(start, start + semicolon));
        start += semicolon + 1;
    }
}

/// Whether a text is one statement that holds others: CREATE PROCEDURE and its kin.
fn has_body(text: &[u8], options: LexOptions) -> bool {
    use sql::ast::OtherKind::{AlterEvent, CreateEvent, CreateFunction, CreateProcedure, CreateTrigger};
    let Ok(statement) = sql::parser::parse(text, options) else {
        return false;
    };
    let StatementKind::Other(other) = &statement.kind else {
        return false;
    };
    matches!(
        other.kind,
        CreateProcedure | CreateFunction | CreateTrigger | CreateEvent | AlterEvent
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<&str> {
        let spans = split(text.as_bytes(), LexOptions::default(), &mut Fingerprint::new());
        spans
            .iter()
            .map(|span| &text[span.start as usize..span.end as usize])
            .collect()
    }

    #[test]
    fn statements_are_separated_outside_of_strings_comments_and_bodies() {
        assert_eq!(parts("select 1"), ["select 1"]);
        assert_eq!(parts("select 1;"), ["select 1"]);
        assert_eq!(
            parts("select ';'; select 2 /* ; */ ; -- end"),
            ["select ';'", " select 2 /* ; */ "]
        );
        let body = "create procedure p() begin select 1; select 2; end";
        assert_eq!(parts(body), [body]);
        assert_eq!(
            parts("select 1; select ';'; select 'open; select 2"),
            ["select 1", " select ';'", " select 'open; select 2"]
        );
        let body = "create procedure p() begin select 1; select 'open; end";
        assert_eq!(parts(body), [body]);
    }
}
