//! Why a statement cannot be planned, as MySQL would say it.

use serde::Serialize;

/// An error for the client: MySQL's number, SQLSTATE and text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{message}")]
pub struct PlanError {
    /// MySQL's error number.
    pub errno: u16,
    /// Its SQLSTATE.
    pub sqlstate: &'static str,
    /// The text.
    pub message: String,
    /// Where in the statement, as byte offsets, if the place is known.
    pub span: Option<(u32, u32)>,
}

impl PlanError {
    fn new(errno: u16, sqlstate: &'static str, message: String) -> Self {
        Self {
            errno,
            sqlstate,
            message,
            span: None,
        }
    }

    /// 1235: MySQL could run it, Vitrail cannot yet; `construct` names what stands in the way.
    pub fn unsupported(construct: impl std::fmt::Display) -> Self {
        let message = format!("This version of Vitrail doesn't yet support '{construct}'");
        Self::new(1235, "42000", message)
    }

    /// 1146: no such table.
    pub fn no_such_table(database: &str, table: &str) -> Self {
        Self::new(1146, "42S02", format!("Table '{database}.{table}' doesn't exist"))
    }

    /// 1049: no such keyspace.
    pub fn unknown_database(database: &str) -> Self {
        Self::new(1049, "42000", format!("Unknown database '{database}'"))
    }

    /// 1046: an unqualified name without a selected keyspace.
    pub fn no_database_selected() -> Self {
        Self::new(1046, "3D000", "No database selected".to_owned())
    }

    /// 1052: a name that several keyspaces have.
    pub fn ambiguous_table(table: &str) -> Self {
        let message =
            format!("Table '{table}' is in several keyspaces: select one by USE, or qualify the name");
        Self::new(1052, "23000", message)
    }

    /// 1066: two tables of one FROM have the same name.
    pub fn not_unique_table(alias: &str) -> Self {
        Self::new(1066, "42000", format!("Not unique table/alias: '{alias}'"))
    }

    /// 1054: no such column.
    pub fn unknown_column(column: &str, place: &str) -> Self {
        Self::new(1054, "42S22", format!("Unknown column '{column}' in '{place}'"))
    }

    /// 1109: DELETE names a table that it does not read.
    pub fn unknown_multi_table(table: &str) -> Self {
        Self::new(1109, "42S02", format!("Unknown table '{table}' in MULTI DELETE"))
    }

    /// 1048: NULL for a NOT NULL column.
    pub fn column_cannot_be_null(column: &str) -> Self {
        Self::new(1048, "23000", format!("Column '{column}' cannot be null"))
    }

    /// 1364: a column without default was left out.
    pub fn no_default(column: &str) -> Self {
        Self::new(
            1364,
            "HY000",
            format!("Field '{column}' doesn't have a default value"),
        )
    }

    /// 1264: a number outside the column's range, under strict sql_mode.
    pub fn out_of_range(column: &str, row: usize) -> Self {
        Self::new(
            1264,
            "22003",
            format!("Out of range value for column '{column}' at row {row}"),
        )
    }

    /// 1406: a string longer than the column, under strict sql_mode.
    pub fn too_long(column: &str, row: usize) -> Self {
        Self::new(
            1406,
            "22001",
            format!("Data too long for column '{column}' at row {row}"),
        )
    }

    /// 1136: a row has another number of values than there are columns.
    pub fn wrong_value_count(row: usize) -> Self {
        Self::new(
            1136,
            "21S01",
            format!("Column count doesn't match value count at row {row}"),
        )
    }

    /// Adds the place.
    #[must_use]
    pub fn at(mut self, span: (u32, u32)) -> Self {
        self.span.get_or_insert(span);
        self
    }
}
