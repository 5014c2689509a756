//! One walk over a whole statement: its tables, its functions and what it wants from the session.

use std::ops::ControlFlow;

use sql::ast::{
    BinaryOp, Call, CallSyntax, Expr, ExprKind, IntoTarget, NamedTable, ObjectName, Query, SelectItem,
    SetExpr, Statement, SysVar, VarScope,
};
use sql::span::Span;
use sql::visit::{Visit, walk_expr, walk_set_expr};

use crate::builtin::is_builtin;
use crate::catalog::{KeyspaceIndex, Table};
use crate::context::PlanContext;
use crate::error::PlanError;
use crate::plan::{Effects, Pin, PlanWarning, SessionRead, SessionValue};

/// MySQL's words.
const FOUND_ROWS_IS_DEPRECATED: &str =
    "FOUND_ROWS() is deprecated and will be removed in a future release. Consider using COUNT(*) instead.";

/// Where a name of a table leads.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Found<'c> {
    /// A table of the catalog.
    Table(KeyspaceIndex, &'c Table),
    /// A name in an unsharded keyspace that the catalog does not know (yet): MySQL answers.
    Unknown(KeyspaceIndex),
    /// `information_schema` and its kin.
    System,
}

/// A mention of a table.
#[derive(Debug, Clone)]
pub(crate) struct Mention<'c> {
    pub(crate) found: Found<'c>,
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) written: bool,
    /// The table that INSERT and its kin fill.
    pub(crate) inserted: bool,
}

/// What the walk found.
pub(crate) struct Survey<'c> {
    ctx: PlanContext<'c>,
    /// Names of common table expressions in scope.
    ctes: Vec<Vec<u8>>,
    pub(crate) mentions: Vec<Mention<'c>>,
    pub(crate) effects: Effects,
    /// Places of session values.
    pub(crate) session_values: Vec<(Span, SessionValue)>,
    /// Unaliased elements of select lists that hold session values: MySQL would name the columns by the spliced text.
    pub(crate) unnamed: Vec<Span>,
    /// Aliases written as strings: literals that are names.
    pub(crate) exact_spans: Vec<Span>,
    /// The keyspace that a condition on information_schema names.
    pub(crate) schema_filter: Option<KeyspaceIndex>,
    /// Schema qualifiers that name a keyspace whose database has another name.
    pub(crate) qualifiers: Vec<(Span, KeyspaceIndex)>,
    /// What MySQL would warn of in what it does not get to see.
    pub(crate) warnings: Vec<PlanWarning>,
    user_vars_read: Vec<Box<str>>,
    user_vars_written: Vec<Box<str>>,
    /// A stored function is called.
    pub(crate) stored_function: Option<Span>,
    /// A function is called that answers differently on each shard.
    pub(crate) random: bool,
}

/// System schemas, which every mysqld has.
pub(crate) fn is_system_schema(name: &str) -> bool {
    ["information_schema", "mysql", "performance_schema", "sys"]
        .iter()
        .any(|system| name.eq_ignore_ascii_case(system))
}

/// Finds a table by its name as written.
pub(crate) fn find_table<'c>(ctx: &PlanContext<'c>, name: &ObjectName<'_>) -> Result<Found<'c>, PlanError> {
    let at = |error: PlanError| error.at((name.span().start, name.span().end));
    let table = String::from_utf8_lossy(&name.name.value);
    let keyspace = match &name.schema {
        Some(schema) => {
            let schema = String::from_utf8_lossy(&schema.value);
            if is_system_schema(&schema) {
                return Ok(Found::System);
            }
            Some(
                ctx.catalog
                    .find_keyspace(&schema)
                    .ok_or_else(|| at(PlanError::unknown_database(&schema)))?,
            )
        }
        // With a shard selected, MySQL on that shard knows more tables than the vschema.
        None if ctx.shard.is_some() => ctx.keyspace,
        None => ctx
            .catalog
            .find_table(ctx.keyspace, &table)
            .map_err(at)?
            .or(ctx.keyspace),
    };
    let index = keyspace.ok_or_else(|| at(PlanError::no_database_selected()))?;
    let keyspace = ctx
        .catalog
        .keyspace(index)
        .ok_or_else(|| at(PlanError::no_database_selected()))?;
    match keyspace.table(&table) {
        Some(known) if known.def.is_some() || !keyspace.sharded => Ok(Found::Table(index, known)),
        _ if !keyspace.sharded => Ok(Found::Unknown(index)),
        _ if ctx.shard.is_some() && ctx.keyspace == Some(index) => Ok(Found::Unknown(index)),
        _ => Err(at(PlanError::no_such_table(&keyspace.name, &table))),
    }
}

impl<'c> Survey<'c> {
    /// Walks a statement.
    pub(crate) fn of(ctx: PlanContext<'c>, statement: &Statement<'_>) -> Result<Self, PlanError> {
        let mut survey = Self {
            ctx,
            ctes: Vec::new(),
            mentions: Vec::new(),
            effects: Effects::default(),
            session_values: Vec::new(),
            unnamed: Vec::new(),
            exact_spans: Vec::new(),
            schema_filter: None,
            qualifiers: Vec::new(),
            warnings: Vec::new(),
            user_vars_read: Vec::new(),
            user_vars_written: Vec::new(),
            stored_function: None,
            random: false,
        };
        if let ControlFlow::Break(error) = survey.statement(statement) {
            return Err(error);
        }
        let unique = |mut names: Vec<Box<str>>| {
            names.sort_unstable();
            names.dedup();
            names.into_boxed_slice()
        };
        survey.effects.user_vars_read = unique(std::mem::take(&mut survey.user_vars_read));
        survey.effects.user_vars_written = unique(std::mem::take(&mut survey.user_vars_written));
        Ok(survey)
    }

    /// Notes a table by its name.
    pub(crate) fn mention(&mut self, name: &ObjectName<'_>, written: bool) -> Result<(), PlanError> {
        if name.schema.is_none() && self.ctes.iter().any(|cte| *cte == *name.name.value) {
            return Ok(());
        }
        let found = find_table(&self.ctx, name)?;
        if let (Some(schema), Found::Table(index, _) | Found::Unknown(index)) = (&name.schema, found) {
            self.qualifier(schema.span, index);
        }
        let text = String::from_utf8_lossy(&name.name.value).into_owned();
        self.mentions.push(Mention {
            found,
            name: text,
            span: name.span(),
            written,
            inserted: written,
        });
        Ok(())
    }

    fn qualifier(&mut self, span: Span, index: KeyspaceIndex) {
        if self
            .ctx
            .catalog
            .keyspace(index)
            .is_some_and(|keyspace| keyspace.name != keyspace.database)
        {
            self.qualifiers.push((span, index));
        }
    }

    fn splice(&mut self, span: Span, value: SessionValue, read: SessionRead) {
        self.effects.session_reads.insert(read);
        self.session_values.push((span, value));
    }

    fn call(&mut self, span: Span, call: &Call<'_>) {
        let name = String::from_utf8_lossy(&call.name.value).to_ascii_lowercase();
        if call.schema.is_some() || !is_builtin(&name) {
            self.effects.pins.insert(Pin::StoredProgram);
            self.effects.not_repeatable = true;
            self.stored_function.get_or_insert(span);
            return;
        }
        self.random |= matches!(
            name.as_str(),
            "rand" | "uuid" | "uuid_short" | "random_bytes" | "sysdate"
        );
        let bare = call.args.is_empty() && call.syntax != CallSyntax::Star;
        match name.as_str() {
            "last_insert_id" if bare => {
                self.splice(span, SessionValue::LastInsertId, SessionRead::LastInsertId)
            }
            "last_insert_id" => self.effects.sets_last_insert_id = true,
            "found_rows" if bare => {
                self.splice(span, SessionValue::FoundRows, SessionRead::FoundRows);
                self.warnings.push(PlanWarning {
                    code: 1287,
                    message: FOUND_ROWS_IS_DEPRECATED.into(),
                });
            }
            "row_count" if bare => self.splice(span, SessionValue::RowCount, SessionRead::RowCount),
            "connection_id" if bare => {
                self.splice(span, SessionValue::ConnectionId, SessionRead::ConnectionId)
            }
            "user" | "session_user" | "system_user" if bare => {
                self.splice(span, SessionValue::User, SessionRead::User)
            }
            "current_user" if bare => self.splice(span, SessionValue::CurrentUser, SessionRead::CurrentUser),
            "database" | "schema" if bare => self.splice(span, SessionValue::Database, SessionRead::Database),
            "get_lock" | "release_lock" | "release_all_locks" | "is_used_lock" => {
                self.effects.pins.insert(Pin::UserLock);
                self.effects.not_repeatable = true;
            }
            "sleep" | "benchmark" | "master_pos_wait" | "source_pos_wait" | "wait_for_executed_gtid_set" => {
                self.effects.not_repeatable = true;
            }
            _ => {}
        }
    }

    fn sys_var(&mut self, span: Span, var: &SysVar<'_>) {
        if !matches!(var.scope, VarScope::Implicit | VarScope::Session) {
            return;
        }
        let name = String::from_utf8_lossy(&var.name.value).to_ascii_lowercase();
        match name.as_str() {
            "last_insert_id" | "identity" => {
                self.splice(span, SessionValue::LastInsertId, SessionRead::LastInsertId)
            }
            "pseudo_thread_id" => self.splice(span, SessionValue::ConnectionId, SessionRead::ConnectionId),
            "autocommit" => self.splice(span, SessionValue::Autocommit, SessionRead::Autocommit),
            "warning_count" => self.splice(span, SessionValue::WarningCount, SessionRead::Diagnostics),
            "error_count" => self.splice(span, SessionValue::ErrorCount, SessionRead::Diagnostics),
            _ => {}
        }
    }

    /// `table_schema = 'keyspace'`: the shards of each keyspace know their own database only.
    fn schema_condition(&mut self, left: &Expr<'_>, right: &Expr<'_>) {
        let (ExprKind::Column(column), ExprKind::Literal(literal)) = (&left.kind, &right.kind) else {
            return;
        };
        let name = &column.column;
        let names_schema = [
            "table_schema",
            "schema_name",
            "constraint_schema",
            "routine_schema",
            "trigger_schema",
            "event_schema",
        ];
        if !names_schema.iter().any(|known| name.is(known)) || self.schema_filter.is_some() {
            return;
        }
        let inner = literal
            .raw
            .get(1..literal.raw.len().saturating_sub(1))
            .unwrap_or_default();
        let keyspace = std::str::from_utf8(inner)
            .ok()
            .and_then(|name| self.ctx.catalog.find_keyspace(name));
        self.exact_spans.push(literal.span);
        self.schema_filter = keyspace;
    }

    fn user_var(&mut self, name: &[u8], written: bool) {
        let name = String::from_utf8_lossy(name).to_lowercase().into_boxed_str();
        let list = if written {
            &mut self.user_vars_written
        } else {
            &mut self.user_vars_read
        };
        list.push(name);
    }
}

impl<'a> Visit<'a> for Survey<'_> {
    type Break = PlanError;

    fn statement(&mut self, statement: &Statement<'a>) -> ControlFlow<PlanError> {
        use sql::ast::StatementKind as S;
        let result = match &statement.kind {
            S::Insert(insert) => self.mention(&insert.table, true),
            S::LoadData(load) => self.mention(&load.table, true),
            S::Update(update) => {
                return self.with_ctes(update.with.as_ref(), |survey| {
                    update.tables.iter().try_for_each(|table| survey.table(table))?;
                    update
                        .assignments
                        .iter()
                        .try_for_each(|assignment| survey.assignment(assignment))?;
                    survey.rest(
                        update.where_clause.as_ref(),
                        update.order_by.as_ref(),
                        update.limit.as_ref(),
                    )
                });
            }
            S::Delete(delete) => {
                return self.with_ctes(delete.with.as_ref(), |survey| {
                    delete.tables.iter().try_for_each(|table| survey.table(table))?;
                    survey.rest(
                        delete.where_clause.as_ref(),
                        delete.order_by.as_ref(),
                        delete.limit.as_ref(),
                    )
                });
            }
            _ => Ok(()),
        };
        match result {
            Ok(()) => sql::visit::walk_statement(self, statement),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn query(&mut self, query: &Query<'a>) -> ControlFlow<PlanError> {
        let flow = self.with_ctes(query.with.as_ref(), |survey| {
            survey.body_tables(&query.body)?;
            walk_set_expr(survey, &query.body)?;
            survey.rest(None, query.order_by.as_ref(), query.limit.as_ref())
        });
        self.effects.locking_read |= !query.locking.is_empty();
        match query.into.as_ref().map(|into| &into.target) {
            Some(IntoTarget::Variables(variables)) => {
                for variable in variables {
                    if let ExprKind::UserVar(name) = &variable.kind {
                        self.user_var(&name.value, true);
                    }
                }
            }
            Some(IntoTarget::Outfile(_) | IntoTarget::Dumpfile(_)) => self.effects.not_repeatable = true,
            None => {}
        }
        flow
    }

    fn select(&mut self, select: &sql::ast::Select<'a>) -> ControlFlow<PlanError> {
        self.effects.calc_found_rows |= select.options.calc_found_rows;
        for item in &select.items {
            let SelectItem::Expr { expr, alias, .. } = item else {
                continue;
            };
            let before = self.session_values.len();
            self.expr(expr)?;
            self.exact_spans
                .extend(alias.iter().filter(|alias| alias.quoted).map(|alias| alias.span));
            if alias.is_none() && self.session_values.len() > before {
                self.unnamed.push(expr.span);
            }
        }
        select
            .from
            .iter()
            .flat_map(|from| &from.tables)
            .try_for_each(|table| self.table(table))?;
        self.rest(select.where_clause.as_ref(), None, None)?;
        select
            .group_by
            .iter()
            .flat_map(|group| &group.items)
            .try_for_each(|item| self.expr(item))?;
        self.rest(select.having.as_ref(), None, None)?;
        for window in &select.windows {
            window
                .spec
                .partition_by
                .iter()
                .try_for_each(|item| self.expr(item))?;
            self.rest(None, window.spec.order_by.as_ref(), None)?;
        }
        self.rest(select.qualify.as_ref(), None, None)
    }

    fn named_table(&mut self, table: &NamedTable<'a>) -> ControlFlow<PlanError> {
        match self.mention(&table.name, false) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn expr(&mut self, expr: &Expr<'a>) -> ControlFlow<PlanError> {
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::Param(_) => return ControlFlow::Continue(()),
            ExprKind::Column(column) => {
                if let Some(schema) = &column.schema
                    && let Some(index) = schema
                        .as_str()
                        .and_then(|name| self.ctx.catalog.find_keyspace(name))
                {
                    self.qualifier(schema.span, index);
                }
                return ControlFlow::Continue(());
            }
            ExprKind::Binary(binary) if binary.op == BinaryOp::Eq => {
                self.schema_condition(&binary.left, &binary.right)
            }
            // `'a' 'b'` is one string, `1 'b'` a number with an alias: the key does not tell them apart.
            ExprKind::Adjacent(_) => self.exact_spans.push(expr.span),
            ExprKind::Call(call) => self.call(expr.span, call),
            ExprKind::SysVar(var) => self.sys_var(expr.span, var),
            ExprKind::UserVar(name) => self.user_var(&name.value, false),
            ExprKind::Assign(target, value) => {
                if let ExprKind::UserVar(name) = &target.kind {
                    self.user_var(&name.value, true);
                }
                return self.expr(value);
            }
            _ => {}
        }
        walk_expr(self, expr)
    }
}

impl Survey<'_> {
    fn with_ctes<'a>(
        &mut self,
        with: Option<&sql::ast::With<'a>>,
        body: impl FnOnce(&mut Self) -> ControlFlow<PlanError>,
    ) -> ControlFlow<PlanError> {
        let outer = self.ctes.len();
        if let Some(with) = with {
            if with.recursive {
                self.ctes
                    .extend(with.tables.iter().map(|cte| cte.name.value.to_vec()));
            }
            for cte in &with.tables {
                self.query(&cte.query)?;
                self.ctes.push(cte.name.value.to_vec());
            }
        }
        let flow = body(self);
        self.ctes.truncate(outer);
        flow
    }

    /// Tables of `TABLE t`, also as an operand of UNION and its kin.
    fn body_tables(&mut self, body: &SetExpr<'_>) -> ControlFlow<PlanError> {
        match body {
            SetExpr::Table(table) => match self.mention(&table.table, false) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => ControlFlow::Break(error),
            },
            SetExpr::SetOp(op) => {
                self.body_tables(&op.first)?;
                op.rest
                    .iter()
                    .try_for_each(|term| self.body_tables(&term.operand))
            }
            SetExpr::Select(_) | SetExpr::Values(_) | SetExpr::Paren(..) => ControlFlow::Continue(()),
        }
    }

    fn rest<'a>(
        &mut self,
        condition: Option<&sql::ast::Condition<'a>>,
        order_by: Option<&sql::ast::OrderBy<'a>>,
        limit: Option<&sql::ast::Limit<'a>>,
    ) -> ControlFlow<PlanError> {
        condition
            .into_iter()
            .try_for_each(|condition| self.expr(&condition.expr))?;
        order_by
            .into_iter()
            .flat_map(|order| &order.items)
            .try_for_each(|item| self.expr(&item.expr))?;
        limit.into_iter().try_for_each(|limit| {
            self.expr(&limit.count)?;
            limit.offset.iter().try_for_each(|offset| self.expr(offset))
        })
    }
}
