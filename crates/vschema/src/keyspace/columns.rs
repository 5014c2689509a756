//! Holds the vschema against the tables that MySQL has.

use super::{KeyspaceVSchema, Table};
use crate::document::{Warning, child_path};
use crate::table::TableDef;
use crate::vindex::Coverage;

/// What deserves a warning when this vschema meets these tables.
pub(super) fn check(vschema: &KeyspaceVSchema, tables: &[TableDef]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut names: Vec<&str> = vschema.tables().map(|table| table.name()).collect();
    names.sort_unstable();
    for table in names.into_iter().filter_map(|name| vschema.table(name)) {
        if let Some(definition) = tables.iter().find(|definition| definition.name == table.name()) {
            check_table(table, definition, &mut warnings);
        }
    }
    warnings
}

fn check_table(table: &Table, definition: &TableDef, warnings: &mut Vec<Warning>) {
    let table_path = child_path("tables", table.name());
    for (i, column_vindex) in table.column_vindexes().iter().enumerate() {
        let path = format!("{table_path}.column_vindexes[{i}]");
        for (part, name) in column_vindex.columns().iter().enumerate() {
            let vindex = column_vindex.vindex();
            let message = match definition.column(name) {
                None => format!("the table has no column \"{name}\""),
                Some(column) if vindex.coverage(part, column) == Coverage::None => format!(
                    "column \"{name}\" compares by {}, which takes values as equal that vindex \"{}\" does not: \
                     comparisons with it go to all shards; a _0900_bin collation avoids that, or the vindex's param \
                     assume_exact: \"true\", if values never differ so",
                    column.collation.as_deref().unwrap_or(column.data_type.name()),
                    vindex.name(),
                ),
                Some(_) => continue,
            };
            warnings.push(Warning {
                path: path.clone(),
                message,
            });
        }
    }
}
