//! Data definition.

use sql::ast::{AlterKind, ColumnDef, CreateTable, Ddl as DdlAst, ObjectName};
use vschema::keyspace::Placement;

use super::{Builder, Home};
use crate::catalog::{Keyspace, KeyspaceIndex};
use crate::error::PlanError;
use crate::plan::{Ddl, DdlAction, Pin, PlanNode, Routing, TableUse};

impl Builder<'_, '_> {
    pub(crate) fn ddl(&mut self, ddl: &DdlAst<'_>) -> Result<PlanNode, PlanError> {
        // Defaults, generated columns and views keep the function, not its value of now.
        if !matches!(ddl, DdlAst::CreateTable(create) if create.query.is_some()) {
            self.survey.session_values.clear();
            self.survey.unnamed.clear();
        }
        let (names, action): (Vec<&ObjectName<'_>>, DdlAction) = match ddl {
            DdlAst::CreateTable(create) => return self.create_table(create),
            DdlAst::CreateDatabase(create) => {
                let action = DdlAction::CreateDatabase {
                    if_not_exists: create.if_not_exists,
                };
                return self.database(&create.name.value, action);
            }
            DdlAst::DropDatabase { name, .. } => return self.database(&name.value, DdlAction::EmptyDatabase),
            DdlAst::AlterDatabase { name, .. } => {
                return self.alter_database(name.as_ref().map(|name| &*name.value));
            }
            DdlAst::CreateView(view) => {
                let action = if view.alter {
                    DdlAction::Alter
                } else {
                    DdlAction::Create
                };
                (vec![&view.name], action)
            }
            DdlAst::AlterTable(alter) => {
                let mut names = vec![&alter.name];
                for action in &alter.actions {
                    match &action.kind {
                        AlterKind::RenameTable(name)
                        | AlterKind::Partitioning {
                            exchange_with: Some(name),
                        } => names.push(name),
                        _ => {}
                    }
                }
                (names, DdlAction::Alter)
            }
            DdlAst::DropTable(drop) => {
                let action = if drop.temporary {
                    DdlAction::Temporary
                } else {
                    DdlAction::Drop
                };
                (drop.names.iter().collect(), action)
            }
            DdlAst::DropView(drop) => (drop.names.iter().collect(), DdlAction::Drop),
            DdlAst::TruncateTable(name) => (vec![name], DdlAction::Truncate),
            DdlAst::RenameTable(pairs) => (
                pairs.iter().flat_map(|(from, to)| [from, to]).collect(),
                DdlAction::Alter,
            ),
            DdlAst::CreateIndex(create) => (vec![&create.table], DdlAction::Create),
            DdlAst::DropIndex(drop) => (vec![&drop.table], DdlAction::Drop),
        };
        let keyspace = self.ddl_home(&names)?;
        if self.sharded(keyspace) && self.target(keyspace).is_none() {
            self.check_sharded(keyspace, ddl)?;
        }
        self.ddl_node(keyspace, action)
    }

    /// The keyspace of the tables that a DDL statement names, which need not exist.
    fn ddl_home(&mut self, names: &[&ObjectName<'_>]) -> Result<KeyspaceIndex, PlanError> {
        let mut home = None;
        for name in names {
            let table = String::from_utf8_lossy(&name.name.value).into_owned();
            let keyspace = match &name.schema {
                Some(schema) => {
                    let schema = String::from_utf8_lossy(&schema.value).into_owned();
                    let found = self.ctx.catalog.find_keyspace(&schema);
                    found.ok_or_else(|| PlanError::unknown_database(&schema))?
                }
                // DROP TABLE IF EXISTS of a dump must not reach a table of that name in another keyspace.
                None => match self.ctx.keyspace {
                    Some(selected) => selected,
                    None => {
                        let found = self.ctx.catalog.find_table(None, &table)?;
                        found.ok_or_else(PlanError::no_database_selected)?
                    }
                },
            };
            if let (Some(schema), Some(known)) = (&name.schema, self.ctx.catalog.keyspace(keyspace))
                && known.name != known.database
            {
                self.survey.qualifiers.push((schema.span, keyspace));
            }
            match home {
                None => home = Some(keyspace),
                Some(known) if known != keyspace => {
                    return Err(PlanError::unsupported("DDL on tables of several keyspaces"));
                }
                Some(_) => {}
            }
            self.ddl_tables.push(TableUse {
                keyspace,
                table: table.into_boxed_str(),
                written: true,
            });
        }
        home.ok_or_else(PlanError::no_database_selected)
    }

    fn ddl_node(&mut self, keyspace: KeyspaceIndex, action: DdlAction) -> Result<PlanNode, PlanError> {
        // A view or CREATE TABLE .. SELECT reads tables of its own.
        if let Home::Keyspace(read) = self.home()?
            && read != keyspace
        {
            return Err(PlanError::unsupported(
                "DDL that reads tables of another keyspace",
            ));
        }
        self.survey.effects.implicit_commit = action != DdlAction::Temporary;
        let routing = match self.target(keyspace) {
            Some(target) => target,
            // A sharded keyspace has no temporary tables: one shard says so.
            None if self.sharded(keyspace) && action == DdlAction::Temporary => Routing::Target(0),
            None if self.sharded(keyspace) => Routing::AllShards,
            None => Routing::Unsharded,
        };
        Ok(PlanNode::Ddl(Ddl {
            keyspace,
            routing,
            query: self.template()?,
            action,
        }))
    }

    fn create_table(&mut self, create: &CreateTable<'_>) -> Result<PlanNode, PlanError> {
        let names: Vec<&ObjectName<'_>> = std::iter::once(&create.name).chain(&create.like).collect();
        let index = match (&create.name.schema, create.temporary) {
            // A new table belongs to the selected keyspace, wherever tables of this name are.
            (None, _) => {
                let index = self.ctx.keyspace.ok_or_else(PlanError::no_database_selected)?;
                let table = String::from_utf8_lossy(&create.name.name.value)
                    .into_owned()
                    .into_boxed_str();
                self.ddl_tables.push(TableUse {
                    keyspace: index,
                    table,
                    written: true,
                });
                index
            }
            (Some(_), _) => self.ddl_home(&[&create.name])?,
        };
        if names.len() > 1 {
            let like = self.ddl_home(names.get(1..).unwrap_or_default())?;
            if like != index {
                return Err(PlanError::unsupported(
                    "CREATE TABLE .. LIKE a table of another keyspace",
                ));
            }
        }
        let action = if create.temporary {
            DdlAction::Temporary
        } else {
            DdlAction::Create
        };
        if create.temporary {
            self.survey.effects.pins.insert(Pin::TemporaryTable);
        }
        if self.sharded(index) && self.target(index).is_none() {
            self.check_create(index, create)?;
        }
        self.ddl_node(index, action)
    }

    fn check_create(&self, index: KeyspaceIndex, create: &CreateTable<'_>) -> Result<(), PlanError> {
        let span = create.name.span();
        let refuse = |what: String| Err(PlanError::unsupported(what).at((span.start, span.end)));
        let name = String::from_utf8_lossy(&create.name.name.value);
        let keyspace = self.keyspace(index)?;
        if create.temporary {
            return refuse("CREATE TEMPORARY TABLE in a sharded keyspace".to_owned());
        }
        let Some(table) = keyspace.table(&name) else {
            return refuse(format!(
                "CREATE TABLE of '{name}', which the vschema of keyspace '{}' lacks",
                keyspace.name
            ));
        };
        if create.query.is_some() {
            return refuse("CREATE TABLE .. SELECT in a sharded keyspace".to_owned());
        }
        if create.like.is_none() {
            for column in table.vindexes.iter().flat_map(|vindex| &vindex.columns) {
                let exists = create.columns.iter().any(|defined| defined.name.is(&column.name));
                if !exists {
                    return refuse(format!(
                        "CREATE TABLE of '{name}' without its vindex column '{}'",
                        column.name
                    ));
                }
            }
        }
        Ok(())
    }

    /// DDL on a sharded keyspace.
    fn check_sharded(&self, index: KeyspaceIndex, ddl: &DdlAst<'_>) -> Result<(), PlanError> {
        let keyspace = self.keyspace(index)?;
        match ddl {
            DdlAst::AlterTable(alter) => {
                let name = String::from_utf8_lossy(&alter.name.name.value);
                for action in &alter.actions {
                    let span = (action.span.start, action.span.end);
                    check_alter(keyspace, &name, &action.kind).map_err(|error| error.at(span))?;
                }
                Ok(())
            }
            DdlAst::RenameTable(_) => Err(PlanError::unsupported("RENAME TABLE in a sharded keyspace")),
            DdlAst::CreateView(_) => Err(PlanError::unsupported("views in a sharded keyspace")),
            _ => Ok(()),
        }
    }

    fn database(&mut self, name: &[u8], action: DdlAction) -> Result<PlanNode, PlanError> {
        let name = String::from_utf8_lossy(name);
        let Some(keyspace) = self.ctx.catalog.find_keyspace(&name) else {
            let verb = if action == DdlAction::EmptyDatabase {
                "DROP"
            } else {
                "CREATE"
            };
            let what = format!(
                "{verb} DATABASE {name}: a database is made and dropped by applying a Keyspace of that name"
            );
            return Err(PlanError::unsupported(what));
        };
        self.ddl_node(keyspace, action)
    }

    fn alter_database(&mut self, name: Option<&[u8]>) -> Result<PlanNode, PlanError> {
        let keyspace = match name {
            Some(name) => {
                let name = String::from_utf8_lossy(name);
                self.ctx
                    .catalog
                    .find_keyspace(&name)
                    .ok_or_else(|| PlanError::unknown_database(&name))?
            }
            None => self.ctx.keyspace.ok_or_else(PlanError::no_database_selected)?,
        };
        self.ddl_node(keyspace, DdlAction::Alter)
    }
}

/// ALTER TABLE must leave vindex columns as they are.
fn check_alter(keyspace: &Keyspace, table: &str, action: &AlterKind<'_>) -> Result<(), PlanError> {
    let Some(table) = keyspace
        .table(table)
        .filter(|table| table.placement == Placement::Sharded)
    else {
        return Ok(());
    };
    let vindex_column = |name: &sql::ast::Ident<'_>| {
        table
            .vindexes
            .iter()
            .flat_map(|vindex| &vindex.columns)
            .any(|column| name.is(&column.name))
    };
    let changed = match action {
        AlterKind::DropColumn(name) | AlterKind::RenameColumn(name, _) => vindex_column(name),
        AlterKind::ChangeColumn(name, _) => vindex_column(name),
        AlterKind::ModifyColumn(ColumnDef { name, .. }) => vindex_column(name),
        AlterKind::RenameTable(_) => {
            return Err(PlanError::unsupported("renaming a table of a sharded keyspace"));
        }
        _ => false,
    };
    match changed {
        true => Err(PlanError::unsupported("ALTER TABLE of a vindex column")),
        false => Ok(()),
    }
}
