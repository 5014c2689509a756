//! Statements that pass through.

use sql::ast::{ObjectName, OtherKind, ShowKind, Statement, StatementKind as Ast, TableAdminOp};

use super::{Builder, Home};
use crate::catalog::KeyspaceIndex;
use crate::error::PlanError;
use crate::plan::{Ddl, DdlAction, Merge, Pin, Plan, PlanNode, Route, Routing, Several, StatementKind};
use crate::survey::is_system_schema;

impl Builder<'_, '_> {
    pub(crate) fn other(mut self, statement: &Statement<'_>) -> Result<Plan, PlanError> {
        let node = match &statement.kind {
            Ast::Do(_) | Ast::Set(_) => {
                let (keyspace, routing) = match self.home()? {
                    Home::Keyspace(keyspace) if self.sharded(keyspace) => {
                        return Err(PlanError::unsupported("DO and SET with sharded tables"));
                    }
                    Home::Keyspace(keyspace) => (keyspace, Routing::Unsharded),
                    Home::Nowhere => self.tableless()?,
                };
                self.pass(keyspace, routing)?
            }
            Ast::Call(call) => {
                self.survey.effects.pins.insert(Pin::StoredProgram);
                self.survey.effects.not_repeatable = true;
                let schema = call.name.schema.as_ref().map(|schema| &*schema.value);
                let keyspace = self.named_or_selected(schema)?;
                self.pass_unsharded(keyspace, "CALL")?
            }
            Ast::LoadData(_) => match self.home()? {
                Home::Keyspace(keyspace) => self.pass_unsharded(keyspace, "LOAD DATA")?,
                Home::Nowhere => return Err(PlanError::unsupported("LOAD DATA into a system table")),
            },
            Ast::LockTables(lock) => {
                self.survey.effects.pins.insert(Pin::LockTables);
                for lock in &lock.locks {
                    self.survey.mention(&lock.table, lock.write)?;
                }
                match self.home()? {
                    Home::Keyspace(keyspace) => self.pass_unsharded(keyspace, "LOCK TABLES")?,
                    Home::Nowhere => self.any_shard_of_home()?,
                }
            }
            Ast::TableAdmin(admin) => {
                let names: Vec<&ObjectName<'_>> = admin.tables.iter().collect();
                for name in names {
                    self.survey.mention(name, false)?;
                }
                self.survey.effects.implicit_commit = admin.op != TableAdminOp::Checksum;
                self.on_each_shard()?
            }
            Ast::Show(show) => self.show(&show.kind)?,
            Ast::Other(other) => self.named(other.kind)?,
            _ => {
                return Err(PlanError::unsupported(
                    "a statement that the gateway answers itself",
                ));
            }
        };
        self.finish(StatementKind::Other, node)
    }

    fn show(&mut self, kind: &ShowKind<'_>) -> Result<PlanNode, PlanError> {
        let schema = match kind {
            ShowKind::Columns { table, .. } | ShowKind::Index(table) | ShowKind::Create(_, table) => {
                self.survey.mention(table, false)?;
                None
            }
            ShowKind::Tables { from, .. }
            | ShowKind::TableStatus(from)
            | ShowKind::OpenTables(from)
            | ShowKind::Triggers(from)
            | ShowKind::Events(from) => from.as_ref(),
            ShowKind::CreateDatabase(name) => Some(name),
            _ => None,
        };
        let schema = schema
            .map(|name| String::from_utf8_lossy(&name.value))
            .filter(|name| !is_system_schema(name));
        if let Some(name) = schema {
            let keyspace = self
                .ctx
                .catalog
                .find_keyspace(&name)
                .ok_or_else(|| PlanError::unknown_database(&name))?;
            return self.pass(keyspace, self.target(keyspace).unwrap_or(Routing::AnyShard));
        }
        self.any_shard_of_home()
    }

    /// EXPLAIN runs where the statement would run.
    pub(crate) fn explain(mut self, statement: &Statement<'_>) -> Result<Plan, PlanError> {
        let node = match &statement.kind {
            Ast::Query(query) => self.read(query)?,
            Ast::Update(update) => self.update(update)?,
            Ast::Delete(delete) => self.delete(delete)?,
            Ast::Insert(_) => self.any_shard_of_home()?,
            _ => return Err(PlanError::unsupported("EXPLAIN of this statement")),
        };
        let node = match node {
            PlanNode::Route(route) => PlanNode::Route(Route {
                several: Several::AnyOne,
                ..route
            }),
            other => other,
        };
        for mention in &mut self.survey.mentions {
            mention.written = false;
        }
        self.finish(StatementKind::Explain, node)
    }

    fn named_or_selected(&self, schema: Option<&[u8]>) -> Result<KeyspaceIndex, PlanError> {
        match schema {
            Some(schema) => {
                let schema = String::from_utf8_lossy(schema);
                self.ctx
                    .catalog
                    .find_keyspace(&schema)
                    .ok_or_else(|| PlanError::unknown_database(&schema))
            }
            None => self.ctx.keyspace.ok_or_else(PlanError::no_database_selected),
        }
    }

    fn pass_unsharded(&self, keyspace: KeyspaceIndex, what: &str) -> Result<PlanNode, PlanError> {
        if let Some(target) = self.target(keyspace) {
            return self.pass(keyspace, target);
        }
        match self.sharded(keyspace) {
            true => Err(PlanError::unsupported(format_args!(
                "{what} in a sharded keyspace"
            ))),
            false => self.pass(keyspace, Routing::Unsharded),
        }
    }

    /// Each shard answers with rows of its own.
    fn on_each_shard(&self) -> Result<PlanNode, PlanError> {
        let keyspace = match self.home()? {
            Home::Keyspace(keyspace) => keyspace,
            Home::Nowhere => return self.any_shard_of_home(),
        };
        let query = self.template()?;
        let routing = match self.target(keyspace) {
            Some(target) => target,
            None if self.sharded(keyspace) => Routing::AllShards,
            None => Routing::Unsharded,
        };
        let merge = Merge {
            query: query.clone(),
            hidden: 0,
            aggregate: None,
            having: None,
            distinct: None,
            order: Box::default(),
            limit: None,
        };
        Ok(PlanNode::Route(Route {
            keyspace,
            routing,
            query,
            several: Several::Merge(Box::new(merge)),
        }))
    }

    /// Statements that are known by their first words.
    fn named(&mut self, kind: OtherKind) -> Result<PlanNode, PlanError> {
        let keyspace = self.ctx.keyspace.ok_or_else(PlanError::no_database_selected)?;
        let effects = &mut self.survey.effects;
        effects.not_repeatable = true;
        effects.implicit_commit = !matches!(
            kind,
            OtherKind::Xa
                | OtherKind::Handler
                | OtherKind::Help
                | OtherKind::Diagnostics
                | OtherKind::Binlog
                | OtherKind::Purge
        );
        match kind {
            OtherKind::Handler => effects.pins.insert(Pin::Handler),
            OtherKind::CreateProcedure
            | OtherKind::CreateFunction
            | OtherKind::CreateTrigger
            | OtherKind::CreateEvent
            | OtherKind::AlterProcedure
            | OtherKind::AlterFunction
            | OtherKind::AlterEvent
            | OtherKind::DropProcedure
            | OtherKind::DropFunction
            | OtherKind::DropTrigger
            | OtherKind::DropEvent => {
                if self.sharded(keyspace) && self.target(keyspace).is_none() {
                    return Err(PlanError::unsupported("stored programs in a sharded keyspace"));
                }
                let routing = self.target(keyspace).unwrap_or(Routing::Unsharded);
                return Ok(PlanNode::Ddl(Ddl {
                    keyspace,
                    routing,
                    query: self.template()?,
                    action: DdlAction::Other,
                }));
            }
            _ => effects.pins.insert(Pin::Unparsed),
        }
        self.pass_unsharded(keyspace, "this statement")
    }
}
