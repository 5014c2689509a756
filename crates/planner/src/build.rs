//! Statement to plan.

mod ddl;
mod edits;
mod group;
mod having;
mod insert;
mod keys;
mod other;
mod outputs;
mod read;
mod write;

use sql::ast::{Definer, Explain, Statement, StatementKind as Ast};
use sql::fingerprint::Fingerprint;
use sql::span::Span;

use crate::catalog::{Keyspace, KeyspaceIndex};
use crate::context::PlanContext;
use crate::error::PlanError;
use crate::plan::{
    Guard, Guards, Pin, Plan, PlanNode, Route, Routing, Several, SlotIndex, StatementKind, TableUse, Template,
};
use crate::slots::Slots;
use crate::survey::{Found, Survey};
use edits::Edits;

/// Plans a statement.
///
/// `fingerprint` has to be the one of `text`, and `statement` its syntax tree. SHOW, SET, USE, transaction control, KILL and SQL-level prepared statements are
/// the gateway's own affair; of these only what reaches a tablet is planned, as a statement that passes through.
///
/// # Errors
/// 1235 for what cannot be planned yet; 1046, 1049, 1052, 1146 for names that lead nowhere; other MySQL errors where MySQL would give them
/// before it looks at data.
pub fn plan(
    statement: &Statement<'_>,
    text: &[u8],
    fingerprint: &Fingerprint,
    ctx: &PlanContext<'_>,
) -> Result<Plan, PlanError> {
    let slots = Slots::new(text, fingerprint);
    let survey = Survey::of(*ctx, statement)?;
    let builder = Builder {
        ctx: *ctx,
        slots: &slots,
        survey,
        definer: statement.definer,
        exact: Vec::new(),
        guards: Vec::new(),
        ddl_tables: Vec::new(),
    };
    builder.statement(statement)
}

/// The plan under construction.
pub(crate) struct Builder<'x, 'c> {
    pub(crate) ctx: PlanContext<'c>,
    pub(crate) slots: &'x Slots<'x>,
    pub(crate) survey: Survey<'c>,
    /// Who is named as definer: replaced, since the gateway's account, which clients share, must not act for others.
    pub(crate) definer: Option<Definer>,
    /// Ranges whose literals the plan depends on.
    pub(crate) exact: Vec<Span>,
    /// Other guards.
    pub(crate) guards: Vec<(SlotIndex, Guard)>,
    /// Tables that DDL names.
    pub(crate) ddl_tables: Vec<TableUse>,
}

/// Where the tables of a statement are.
pub(crate) enum Home {
    /// No table, or tables of system schemas only.
    Nowhere,
    /// One keyspace.
    Keyspace(KeyspaceIndex),
}

impl<'c> Builder<'_, 'c> {
    fn statement(mut self, statement: &Statement<'_>) -> Result<Plan, PlanError> {
        match &statement.kind {
            Ast::Query(query) => {
                let node = self.read(query)?;
                self.finish(StatementKind::Select, node)
            }
            Ast::Insert(insert) => {
                let kind = if insert.replace {
                    StatementKind::Replace
                } else {
                    StatementKind::Insert
                };
                let node = self.insert(insert)?;
                self.finish(kind, node)
            }
            Ast::Update(update) => {
                let node = self.update(update)?;
                self.finish(StatementKind::Update, node)
            }
            Ast::Delete(delete) => {
                let node = self.delete(delete)?;
                self.finish(StatementKind::Delete, node)
            }
            Ast::Ddl(ddl) => {
                let node = self.ddl(ddl)?;
                self.finish(StatementKind::Ddl, node)
            }
            Ast::Explain(explain) => match explain.as_ref() {
                Explain::Statement { statement, .. } => self.explain(statement),
                Explain::Table { table, .. } => {
                    self.survey.mention(table, false)?;
                    let node = self.any_shard_of_home()?;
                    self.finish(StatementKind::Explain, node)
                }
                Explain::Connection | Explain::Vitrail { .. } => Err(PlanError::unsupported("this EXPLAIN")),
            },
            _ => self.other(statement),
        }
    }

    /// Puts the plan together.
    fn finish(self, kind: StatementKind, node: PlanNode) -> Result<Plan, PlanError> {
        let Survey {
            mentions,
            effects,
            exact_spans,
            unnamed,
            warnings,
            ..
        } = self.survey;
        let mut slots = self.guards;
        for span in self.exact.iter().chain(&exact_spans).chain(&unnamed) {
            slots.extend(
                self.slots
                    .within(*span)
                    .map(|(slot, text)| (slot, Guard::Exact(text.into()))),
            );
        }
        slots.sort_by_key(|(slot, _)| *slot);
        slots.dedup_by_key(|(slot, _)| *slot);
        let mut tables = self.ddl_tables;
        for mention in mentions {
            let keyspace = match mention.found {
                Found::Table(keyspace, _) | Found::Unknown(keyspace) => keyspace,
                Found::System => continue,
            };
            let same = |table: &&mut TableUse| table.keyspace == keyspace && *table.table == *mention.name;
            match tables.iter_mut().find(same) {
                Some(table) => table.written |= mention.written,
                None => tables.push(TableUse {
                    keyspace,
                    table: mention.name.into_boxed_str(),
                    written: mention.written,
                }),
            }
        }
        Ok(Plan {
            kind,
            guards: Guards {
                slots: slots.into_boxed_slice(),
            },
            node,
            effects,
            tables: tables.into_boxed_slice(),
            warnings: warnings.into_boxed_slice(),
        })
    }

    /// The one keyspace of all tables.
    ///
    /// # Errors
    /// 1235 when there are several.
    pub(crate) fn home(&self) -> Result<Home, PlanError> {
        let mut home = None;
        let mut system = false;
        for mention in &self.survey.mentions {
            match mention.found {
                Found::System => system = true,
                Found::Table(keyspace, _) | Found::Unknown(keyspace) => match home {
                    None => home = Some(keyspace),
                    Some(known) if known == keyspace => {}
                    Some(known) => return Err(self.two_keyspaces(known, keyspace, mention.span)),
                },
            }
        }
        match home {
            Some(keyspace) if system && self.sharded(keyspace) => Err(PlanError::unsupported(
                "system tables together with sharded tables",
            )),
            Some(keyspace) => Ok(Home::Keyspace(keyspace)),
            None => Ok(Home::Nowhere),
        }
    }

    fn two_keyspaces(&self, one: KeyspaceIndex, other: KeyspaceIndex, span: Span) -> PlanError {
        let name = |index| {
            self.ctx
                .catalog
                .keyspace(index)
                .map_or("", |keyspace| keyspace.name.as_str())
        };
        let construct = format_args!(
            "tables of keyspaces {} and {} in one statement",
            name(one),
            name(other)
        )
        .to_string();
        PlanError::unsupported(construct).at((span.start, span.end))
    }

    pub(crate) fn keyspace(&self, index: KeyspaceIndex) -> Result<&'c Keyspace, PlanError> {
        self.ctx
            .catalog
            .keyspace(index)
            .ok_or_else(PlanError::no_database_selected)
    }

    pub(crate) fn sharded(&self, index: KeyspaceIndex) -> bool {
        self.ctx
            .catalog
            .keyspace(index)
            .is_some_and(|keyspace| keyspace.sharded)
    }

    /// The shard that the session targets, if the statement is on its keyspace.
    pub(crate) fn target(&self, keyspace: KeyspaceIndex) -> Option<Routing> {
        (self.ctx.keyspace == Some(keyspace))
            .then_some(self.ctx.shard)
            .flatten()
            .map(Routing::Target)
    }

    /// Where a statement without tables runs.
    pub(crate) fn tableless(&self) -> Result<(KeyspaceIndex, Routing), PlanError> {
        // User-level locks exclude each other only on one server.
        if self.survey.effects.pins.contains(Pin::UserLock) && self.ctx.shard.is_none() {
            return Ok((0, Routing::Target(0)));
        }
        let named = self
            .survey
            .schema_filter
            .filter(|_| !self.survey.mentions.is_empty());
        let keyspace = named.or(self.ctx.keyspace).unwrap_or(0);
        self.keyspace(keyspace)?;
        Ok((keyspace, self.target(keyspace).unwrap_or(Routing::AnyShard)))
    }

    /// A statement that goes to one shard, as it is but for session values.
    pub(crate) fn pass(&self, keyspace: KeyspaceIndex, routing: Routing) -> Result<PlanNode, PlanError> {
        let several = Several::refused(PlanError::unsupported("this statement over several shards"));
        Ok(PlanNode::Route(Route {
            keyspace,
            routing,
            query: self.template()?,
            several,
        }))
    }

    pub(crate) fn any_shard_of_home(&self) -> Result<PlanNode, PlanError> {
        let (keyspace, routing) = match self.home()? {
            Home::Keyspace(keyspace) => (keyspace, self.target(keyspace).unwrap_or(Routing::AnyShard)),
            Home::Nowhere => self.tableless()?,
        };
        Ok(PlanNode::Route(Route {
            keyspace,
            routing,
            query: self.template()?,
            several: Several::AnyOne,
        }))
    }

    /// The client's text with the session's values.
    pub(crate) fn template(&self) -> Result<Template, PlanError> {
        self.edits().build(self.slots)
    }

    /// Replacements of session values, schema names and definers.
    pub(crate) fn edits(&self) -> Edits {
        let mut edits = Edits::default();
        for (span, value) in &self.survey.session_values {
            edits.session(*span, value.clone());
        }
        for (span, keyspace) in &self.survey.qualifiers {
            if let Some(keyspace) = self.ctx.catalog.keyspace(*keyspace) {
                edits.replace(*span, edits::quoted(keyspace.database.as_bytes()));
            }
        }
        if let Some(definer) = self.definer {
            edits.replace(definer.user, b"CURRENT_USER".to_vec());
            if let Some(host) = definer.host {
                edits.replace(host, Vec::new());
            }
        }
        for span in &self.survey.unnamed {
            edits.insert(span.end, edits::alias(span.of(self.slots.text())));
        }
        edits
    }
}
