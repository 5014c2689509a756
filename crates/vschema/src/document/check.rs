//! What must hold between the parts of a document, and what Vitrail cannot apply yet.

use super::reader::{DocumentError, child_path};
use super::{TableSpec, VSchema};
use crate::vindex::VindexKind;

impl VSchema {
    /// Refuses what parses and is valid, but is not built yet: lookup vindexes, sequences, `auto_increment`.
    ///
    /// # Errors
    /// Names the path of each use.
    pub fn check_applicable(&self) -> Result<(), Vec<DocumentError>> {
        let mut errors = Vec::new();
        for (name, vindex) in &self.vindexes {
            if VindexKind::from_name(&vindex.kind).is_some_and(VindexKind::is_lookup) {
                let path = child_path(&child_path("vindexes", name), "type");
                errors.push(DocumentError::new(
                    path,
                    format!("\"{}\" is not supported yet", vindex.kind),
                ));
            }
        }
        for (name, table) in &self.tables {
            let path = child_path("tables", name);
            if table.kind == "sequence" {
                errors.push(DocumentError::new(
                    format!("{path}.type"),
                    "\"sequence\" is not supported yet",
                ));
            }
            if table.auto_increment.is_some() {
                errors.push(DocumentError::new(
                    format!("{path}.auto_increment"),
                    "is not supported yet",
                ));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Checks one table's own fields; what vindexes have to do with it is checked when the vschema is compiled.
    pub(crate) fn check_table(&self, path: &str, table: &TableSpec, errors: &mut Vec<DocumentError>) {
        let mut error = |field: &str, message: String| {
            errors.push(DocumentError::new(format!("{path}.{field}"), message))
        };
        match table.kind.as_str() {
            "" => {}
            "sequence" if self.sharded && table.pinned.is_empty() => {
                error(
                    "type",
                    "a sequence needs an unsharded keyspace, or to be pinned".to_owned(),
                );
            }
            "sequence" => {}
            "reference" if !table.pinned.is_empty() => {
                error("pinned", "a reference table is on every shard".to_owned())
            }
            "reference" if !table.column_vindexes.is_empty() => {
                error(
                    "column_vindexes",
                    "a reference table is on every shard and takes no vindexes".to_owned(),
                );
            }
            "reference" => {}
            other => error(
                "type",
                format!("\"{other}\" is none of \"sequence\", \"reference\" or empty"),
            ),
        }
        if hex::decode(&table.pinned).is_err() {
            error("pinned", format!("\"{}\" is no keyspace id in hex", table.pinned));
        }
        if !table.source.is_empty() {
            let parts: Vec<&str> = table.source.split('.').collect();
            if table.kind != "reference" {
                error("source", "only a reference table has a source".to_owned());
            } else if parts.len() > 2 || parts.contains(&"") {
                error(
                    "source",
                    format!("\"{}\" is not of the form keyspace.table", table.source),
                );
            }
        }
        if let Some(auto) = &table.auto_increment {
            for (field, value) in [("column", &auto.column), ("sequence", &auto.sequence)] {
                if value.is_empty() {
                    error(&format!("auto_increment.{field}"), "is required".to_owned());
                }
            }
        }
        for (i, column) in table.columns.iter().enumerate() {
            let before = table.columns.iter().take(i);
            if column.name.is_empty() {
                error(&format!("columns[{i}].name"), "is required".to_owned());
            } else if before
                .clone()
                .any(|other| other.name.eq_ignore_ascii_case(&column.name))
            {
                error(
                    &format!("columns[{i}].name"),
                    format!("column \"{}\" is there twice", column.name),
                );
            }
        }
    }
}
