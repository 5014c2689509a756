//! Resolves a document into the compiled vschema.

use std::sync::Arc;

use hashbrown::HashMap;

use super::{ColumnVindex, KeyspaceVSchema, Placement, Source, Table};
use crate::document::{DocumentError, ForeignKeyMode, TableSpec, VSchema, Warning, child_path};
use crate::keyspace_id::KeyspaceId;
use crate::vindex::{ReadFile, Vindex, VindexKind};

/// What a document compiles to.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The vschema. Lookup vindexes are not part of it.
    pub vschema: KeyspaceVSchema,
    /// What deserves a look.
    pub warnings: Vec<Warning>,
}

impl VSchema {
    /// Checks everything that the document says and resolves its names. `read_file` opens the files that vindex
    /// params name ([`crate::vindex::local_file`] takes them from this machine).
    ///
    /// Lookup vindexes, sequences and `auto_increment` are checked and left out; [`VSchema::check_applicable`]
    /// refuses them.
    ///
    /// # Errors
    /// Every place that is wrong.
    pub fn compile(&self, read_file: ReadFile<'_>) -> Result<Compiled, Vec<DocumentError>> {
        let mut compiler = Compiler {
            spec: self,
            errors: Vec::new(),
            warnings: Vec::new(),
            vindexes: HashMap::new(),
        };
        compiler.keyspace();
        for name in self.vindexes.keys() {
            compiler.vindex(name, read_file);
        }
        let tables = self
            .tables
            .iter()
            .map(|(name, table)| (name.clone(), Arc::new(compiler.table(name, table))))
            .collect();
        let Compiler {
            errors,
            warnings,
            vindexes,
            ..
        } = compiler;
        if !errors.is_empty() {
            return Err(errors);
        }
        let vschema = KeyspaceVSchema {
            sharded: self.sharded,
            require_explicit_routing: self.require_explicit_routing,
            prevent_cross_keyspace_reads: self.prevent_cross_keyspace_reads,
            foreign_key_mode: self.foreign_key_mode,
            vindexes,
            tables,
        };
        Ok(Compiled { vschema, warnings })
    }
}

struct Compiler<'a> {
    spec: &'a VSchema,
    errors: Vec<DocumentError>,
    warnings: Vec<Warning>,
    vindexes: HashMap<String, Arc<Vindex>>,
}

impl Compiler<'_> {
    fn error(&mut self, path: String, message: impl Into<String>) {
        self.errors.push(DocumentError::new(path, message));
    }

    fn warn(&mut self, path: String, message: impl Into<String>) {
        self.warnings.push(Warning {
            path,
            message: message.into(),
        });
    }

    fn keyspace(&mut self) {
        if self.spec.foreign_key_mode == ForeignKeyMode::Managed {
            self.warn(
                "foreign_key_mode".to_owned(),
                "foreign keys across shards are not kept yet: MySQL keeps those within each shard",
            );
        }
        if self.spec.multi_tenant_spec.is_some() {
            self.warn(
                "multi_tenant_spec".to_owned(),
                "has no effect yet: it is for moving tenants",
            );
        }
    }

    fn vindex(&mut self, name: &str, read_file: ReadFile<'_>) {
        let path = child_path("vindexes", name);
        let Some(spec) = self.spec.vindexes.get(name) else {
            return;
        };
        let Some(kind) = VindexKind::from_name(&spec.kind) else {
            let message = match spec.kind.is_empty() {
                true => "is required".to_owned(),
                false => format!("no vindex type \"{}\"", spec.kind),
            };
            return self.error(format!("{path}.type"), message);
        };
        if !spec.owner.is_empty() {
            if !kind.is_lookup() {
                self.warn(
                    format!("{path}.owner"),
                    "has no effect: only a lookup vindex has an owner",
                );
            } else if !self.spec.tables.contains_key(&spec.owner) {
                self.error(format!("{path}.owner"), format!("no table \"{}\"", spec.owner));
            }
        }
        let made = match kind.is_lookup() {
            true => kind
                .check_lookup_params(&spec.params)
                .map(|unknown| (None, unknown)),
            false => {
                Vindex::new(name, kind, &spec.params, read_file).map(|(made, unknown)| (Some(made), unknown))
            }
        };
        match made {
            Ok((vindex, unknown)) => {
                for param in unknown {
                    let message = format!("vindex type \"{}\" has no such param", spec.kind);
                    self.warn(child_path(&format!("{path}.params"), &param), message);
                }
                if let Some(vindex) = vindex {
                    self.vindexes.insert(name.to_owned(), Arc::new(vindex));
                }
            }
            Err(error) if error.param.is_empty() => self.error(path, error.message),
            Err(error) => self.error(child_path(&format!("{path}.params"), &error.param), error.message),
        }
    }

    fn table(&mut self, name: &str, table: &TableSpec) -> Table {
        let path = child_path("tables", name);
        self.spec.check_table(&path, table, &mut self.errors);
        let column_vindexes = self.column_vindexes(name, &path, table);
        let placement = match (table.kind.as_str(), hex::decode(&table.pinned)) {
            ("reference", _) => Placement::Reference(source(&table.source)),
            _ if !self.spec.sharded => Placement::Unsharded,
            (_, Ok(id)) if !id.is_empty() => Placement::Pinned(KeyspaceId::new(&id)),
            _ => Placement::Sharded,
        };
        if placement == Placement::Sharded && table.column_vindexes.is_empty() && table.kind.is_empty() {
            let message =
                "a table of a sharded keyspace needs a primary vindex, or to be pinned or a reference table";
            self.error(format!("{path}.column_vindexes"), message);
        }
        if placement == Placement::Unsharded && !(table.column_vindexes.is_empty() && table.pinned.is_empty())
        {
            self.warn(
                path,
                "vindexes and pinned have no effect: the keyspace is not sharded",
            );
        }
        Table {
            name: name.to_owned(),
            placement,
            column_vindexes,
            columns: table.columns.iter().map(|column| column.name.clone()).collect(),
            column_list_authoritative: table.column_list_authoritative,
        }
    }

    fn column_vindexes(&mut self, name: &str, path: &str, table: &TableSpec) -> Vec<ColumnVindex> {
        let mut compiled = Vec::with_capacity(table.column_vindexes.len());
        for (i, spec) in table.column_vindexes.iter().enumerate() {
            let path = format!("{path}.column_vindexes[{i}]");
            self.vindex_columns(&path, table, &spec.columns);
            let Some(vindex) = self.spec.vindexes.get(&spec.name) else {
                self.error(format!("{path}.name"), format!("no vindex \"{}\"", spec.name));
                continue;
            };
            let Some(kind) = VindexKind::from_name(&vindex.kind) else {
                continue;
            };
            if i == 0 && !kind.is_unique() {
                let message = format!(
                    "\"{}\" is not unique, so it cannot be the primary vindex",
                    spec.name
                );
                self.error(format!("{path}.name"), message);
            } else if i == 0 && kind.is_lookup() && vindex.owner == name {
                let message = format!(
                    "\"{}\" is owned by this table, so it cannot be its primary vindex",
                    spec.name
                );
                self.error(format!("{path}.name"), message);
            }
            let Some(vindex) = self.vindexes.get(&spec.name).cloned() else {
                continue;
            };
            if !spec.columns.is_empty() && spec.columns.len() != vindex.columns() {
                let (takes, given) = (vindex.columns(), spec.columns.len());
                self.error(
                    format!("{path}.columns"),
                    format!("\"{}\" takes {takes} columns, not {given}", spec.name),
                );
                continue;
            }
            compiled.push(ColumnVindex {
                columns: spec.columns.clone(),
                vindex,
            });
        }
        compiled
    }

    fn vindex_columns(&mut self, path: &str, table: &TableSpec, columns: &[String]) {
        if columns.is_empty() || columns.iter().any(String::is_empty) {
            self.error(format!("{path}.columns"), "column or columns is required");
        }
        for column in columns.iter().filter(|_| table.column_list_authoritative) {
            if !table
                .columns
                .iter()
                .any(|known| known.name.eq_ignore_ascii_case(column))
            {
                self.error(
                    format!("{path}.columns"),
                    format!("the table has no column \"{column}\""),
                );
            }
        }
    }
}

fn source(text: &str) -> Option<Source> {
    match text.split_once('.') {
        Some((keyspace, table)) => Some(Source {
            keyspace: Some(keyspace.to_owned()),
            table: table.to_owned(),
        }),
        None if text.is_empty() => None,
        None => Some(Source {
            keyspace: None,
            table: text.to_owned(),
        }),
    }
}
