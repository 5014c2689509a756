//! Runs a `SET`: MySQL evaluates it, and the session carries what came of it.

use mysql_wire::collation;
use mysql_wire::{SqlError, StatusFlags};
use planner::catalog::{KeyspaceIndex, ShardIndex};
use planner::plan::{PlanNode, Routing};
use sql::ast::{ExprKind, Set, SetKind, Statement, StatementKind};

use super::Session;
use super::execute::{Input, Protocol, read_number};
use super::lease::{Lease, Needs};
use super::lost::Stage;
use super::relay::{Answer, OkFields};
use super::set::{self, SetPlan};
use super::settings::string_literal;
use crate::error::{self, SqlResult};
use crate::settings::Variables;

/// A shard.
type Place = (KeyspaceIndex, ShardIndex);

impl Session {
    /// Runs a `SET`; the caller answers.
    pub(super) async fn set(
        &mut self,
        statement: &Statement<'_>,
        set: &Set<'_>,
        input: &Input<'_>,
    ) -> SqlResult<()> {
        let (plan, place) = match needs_session(set) {
            false => (set::plan(input.text, set)?, None),
            true => self.spliced_set(statement, input)?,
        };
        self.diagnostics.clear();
        if !plan.next_transaction.is_empty() {
            if self.branches.in_transaction() {
                return Err(SqlError::with_code(
                    1568,
                    "Transaction characteristics can't be changed while a transaction is in progress",
                ));
            }
            for statement in &plan.next_transaction {
                let pending = &mut self.branches.transaction.characteristics;
                pending.retain(|other| is_isolation(other) != is_isolation(statement));
                pending.push(statement.clone());
            }
        }
        if plan.execute.is_some() {
            self.execute_set(&plan, place).await?;
        }
        self.warn(&plan.warnings);
        Ok(())
    }

    /// A SET whose values call functions: with the session's values in their places, and where it has to run.
    fn spliced_set(
        &self,
        statement: &Statement<'_>,
        input: &Input<'_>,
    ) -> SqlResult<(SetPlan, Option<Place>)> {
        let planned = self.plan(input.text, statement, input.fingerprint)?;
        let PlanNode::Route(route) = &planned.node else {
            return Err(error::internal("a SET that is not routed"));
        };
        let text = self.render_with_values(&route.query, input)?;
        let spliced = sql::parser::parse(&text, self.lex_options()).map_err(error::syntax)?;
        let StatementKind::Set(set) = &spliced.kind else {
            return Err(error::internal("a SET that is none any more"));
        };
        let mut plan = set::plan(&text, set)?;
        plan.pins |= !planned.effects.pins.is_empty();
        plan.last_insert_id |= planned.effects.sets_last_insert_id;
        if matches!(input.protocol, Protocol::Text) {
            let warnings = planned.warnings.iter();
            plan.warnings
                .extend(warnings.map(|warning| (warning.code, warning.message.to_string())));
        }
        let place = match &route.routing {
            Routing::Target(shard) => Some((route.keyspace, *shard)),
            Routing::Unsharded => Some((route.keyspace, 0)),
            _ => None,
        };
        Ok((plan, place))
    }

    async fn execute_set(&mut self, plan: &SetPlan, place: Option<Place>) -> SqlResult<()> {
        let was_on = self.autocommit();
        let mut names = plan.read_back.iter().chain(&plan.reset);
        // Only when all of a SET is right does its autocommit=1 commit, and then the writer first: MySQL is asked beside the transaction.
        let beside = !was_on && !plan.pins && names.any(|name| **name == *"autocommit");
        if beside {
            let mut lease = self.lease_beside().await?;
            if let Err(wrong) = self.set_on(&mut lease, plan).await {
                // Nothing of the session is on it: it goes back to its pool.
                return Err(match error::is_gone(&wrong) {
                    true => self.gone(lease, wrong),
                    false => wrong,
                });
            }
        } else {
            let needs = Needs {
                user_variables: true,
                anywhere: true,
                tables: place.is_some(),
                programs: plan.pins,
                once: plan.pins,
                ..Needs::default()
            };
            let mut lease = match place {
                Some((keyspace, shard)) => {
                    let cluster = self.worker.cluster();
                    self.lease(&cluster, keyspace, shard, needs).await?
                }
                None => self.lease_any(None, needs).await?,
            };
            let outcome = self.set_on(&mut lease, plan).await;
            if let Err(wrong) = &outcome
                && error::is_gone(wrong)
            {
                return Err(self.gone(lease, wrong.clone()));
            }
            self.branches.pinned |= plan.pins;
            let (answer, status) = match &outcome {
                Ok(status) => (None, *status),
                Err(wrong) => {
                    let status = self.status();
                    let open = lease.branch.in_transaction;
                    (Some(wrong.clone()), status.with(StatusFlags::IN_TRANS, open))
                }
            };
            let answer = answer.map_or(Answer::Ok(OkFields::default()), Answer::Err);
            let back = self.put_back(lease, &answer, status).await;
            outcome?;
            back?;
        }
        self.refresh_context();
        if !was_on
            && self.autocommit()
            && let Err(wrong) = self.commit_open().await
        {
            self.system = self
                .worker
                .system_settings
                .with(&self.system, "autocommit", Some(b"0"));
            return Err(wrong);
        }
        Ok(())
    }

    /// A connection that takes no part in the session's transaction, with the session's settings.
    async fn lease_beside(&mut self) -> SqlResult<Lease> {
        let cluster = self.worker.cluster();
        let keyspace = self.selected_keyspace(&cluster);
        self.stall = None;
        let branch = self
            .borrow(&cluster, keyspace.unwrap_or(0), 0, self.target.tablet_type)
            .await?;
        self.lease_kept(branch, Needs::default()).await
    }

    async fn set_on(&mut self, lease: &mut Lease, plan: &SetPlan) -> SqlResult<StatusFlags> {
        self.settle(lease).await?;
        lease.stage = Stage::Sent;
        let conn = &mut lease.branch.conn;
        let text = plan.execute.as_deref().unwrap_or_default();
        let done = conn.query(text).await.map_err(|error| conn.lost(error))?;
        let status = done.ok.status;
        if done.ok.warnings > 0 {
            self.diagnostics = super::diagnostics::warnings_of(conn).await?;
        }
        let mut variables: Variables = self.system.variables().clone();
        for name in &plan.reset {
            variables.remove(name);
        }
        if !plan.read_back.is_empty() {
            let names: Vec<String> = plan
                .read_back
                .iter()
                .map(|name| format!("@@session.`{name}`"))
                .collect();
            let text = format!("SELECT {}", names.join(","));
            let result = conn
                .query(text.as_bytes())
                .await
                .map_err(|error| conn.lost(error))?;
            let cells = result.rows.into_iter().next().unwrap_or_default();
            for ((name, column), cell) in plan.read_back.iter().zip(&result.columns).zip(cells) {
                let literal = match cell {
                    None => b"NULL".to_vec(),
                    Some(text) if column.collation == collation::BINARY => text,
                    Some(text) => string_literal(&text),
                };
                variables.insert(name.clone(), literal.into());
            }
        }
        self.system = self.worker.system_settings.intern(variables);
        lease.branch.conn.system = self.system.clone();
        if plan.last_insert_id {
            let read = read_number(&mut lease.branch.conn, b"SELECT LAST_INSERT_ID()").await?;
            self.last_insert_id = read.unwrap_or(self.last_insert_id);
        }
        if !plan.user_variables.is_empty() {
            self.read_user_variables(lease, &plan.user_variables).await?;
        }
        Ok(status)
    }

    /// Reads user variables that a statement has assigned, so that they can follow the session to other connections.
    pub(super) async fn read_user_variables(
        &mut self,
        lease: &mut Lease,
        names: &[Box<str>],
    ) -> SqlResult<()> {
        let conn = &mut lease.branch.conn;
        let mut text = b"SELECT ".to_vec();
        for (n, name) in names.iter().enumerate() {
            if n > 0 {
                text.push(b',');
            }
            let name = name.replace('`', "``");
            text.extend_from_slice(
                format!("@`{name}`,CHARSET(@`{name}`),COLLATION(@`{name}`),HEX(@`{name}`)").as_bytes(),
            );
        }
        let result = conn.query(&text).await.map_err(|error| conn.lost(error))?;
        let cells = result.rows.into_iter().next().unwrap_or_default();
        let mut variables: Variables = self.user_variables.variables().clone();
        for ((name, columns), cells) in names.iter().zip(result.columns.chunks(4)).zip(cells.chunks(4)) {
            let ([column, ..], [value, charset, collation, digits]) = (columns, cells) else {
                return Err(error::internal("user variables could not be read back"));
            };
            let literal = user_literal(
                column,
                value.as_deref(),
                [charset, collation, digits].map(Option::as_deref),
            );
            match literal {
                Some(literal) => variables.insert(name.clone(), literal.into()),
                None => variables.remove(name),
            };
        }
        self.user_variables = self.worker.user_settings.intern(variables);
        conn.user = self.user_variables.clone();
        Ok(())
    }
}

/// Whether a value may name what only the session knows, or a table.
fn needs_session(set: &Set<'_>) -> bool {
    set.items.iter().any(|item| match &item.kind {
        SetKind::UserVar { value, .. } | SetKind::SysVar { value, .. } => !matches!(
            value.kind,
            ExprKind::Literal(_) | ExprKind::Column(_) | ExprKind::UserVar(_) | ExprKind::Default
        ),
        _ => false,
    })
}

/// Whether a SET TRANSACTION is of the isolation level, not of the access mode.
fn is_isolation(statement: &[u8]) -> bool {
    statement.starts_with(b"SET TRANSACTION ISOLATION")
}

/// A value as a literal of the same type; none for NULL, which is what a variable that was never set has.
fn user_literal(
    column: &mysql_wire::client::Column,
    value: Option<&[u8]>,
    [charset, collation, digits]: [Option<&[u8]>; 3],
) -> Option<Vec<u8>> {
    use mysql_wire::column::ColumnType;
    let value = value?;
    let is = |column_type: ColumnType| column.format.ty == column_type;
    if is(ColumnType::LongLong) || is(ColumnType::NewDecimal) {
        return Some(value.to_vec());
    }
    if is(ColumnType::Double) {
        let mut literal = value.to_vec();
        if !literal.iter().any(|byte| matches!(byte, b'e' | b'E')) {
            literal.extend_from_slice(b"e0");
        }
        return Some(literal);
    }
    let charset = String::from_utf8_lossy(charset?);
    let mut literal = format!("_{charset} x'").into_bytes();
    literal.extend_from_slice(digits?);
    literal.push(b'\'');
    if charset != "binary" {
        literal.extend_from_slice(format!(" COLLATE {}", String::from_utf8_lossy(collation?)).as_bytes());
    }
    Some(literal)
}
