//! Everything that a client can see of a statement's result.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::Result;
use mysql_async::consts::ColumnFlags;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Params, Row, Value};

/// A column of a result set, as far as two servers must agree.
///
/// Lengths are left out: MySQL derives them from its own temporary tables when it merges, and says so to nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name or alias.
    pub name: String,
    /// Type, with unsignedness.
    pub kind: String,
    /// Character set and collation (63: binary).
    pub collation: u16,
}

/// One result of a statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Set {
    /// Empty for a statement without rows.
    pub columns: Vec<Column>,
    /// In the order of arrival.
    pub rows: Vec<Vec<Value>>,
}

/// The answer to a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It was executed.
    Done {
        /// All result sets.
        sets: Vec<Set>,
        /// As in the last OK packet.
        affected: u64,
        /// As in the last OK packet.
        insert_id: Option<u64>,
        /// Message of the last OK packet (`Records: 2  Duplicates: 0  Warnings: 0`).
        info: String,
        /// What SHOW WARNINGS shows.
        warnings: Vec<(String, u32, String)>,
    },
    /// It was refused.
    Refused {
        /// MySQL's error number.
        code: u16,
        /// SQLSTATE.
        state: String,
        /// The text, which is for people and not compared.
        message: String,
    },
}

/// Error of a statement that the gateway does not support yet.
pub const NOT_SUPPORTED: u16 = 1235;

impl Answer {
    /// Runs a statement by the text protocol.
    ///
    /// # Errors
    /// When the connection fails; the server's own errors are answers.
    pub async fn text(conn: &mut Conn, statement: &[u8]) -> Result<Self> {
        // The whole answer is read before the next statement is sent.
        let read = async {
            let mut result = conn.query_iter(statement).await?;
            let mut sets = Vec::new();
            while !result.is_empty() || sets.is_empty() {
                let columns = result.columns_ref().iter().map(column).collect();
                let rows = result.collect::<Row>().await?;
                sets.push(Set {
                    columns,
                    rows: rows.into_iter().map(Row::unwrap).collect(),
                });
            }
            Ok(sets)
        };
        let done: Result<_, Error> = read.await;
        Self::finish(conn, done).await
    }

    /// Prepares, executes and closes a statement by the binary protocol.
    ///
    /// # Errors
    /// When the connection fails; the server's own errors are answers.
    pub async fn prepared(conn: &mut Conn, statement: &[u8], params: Vec<Value>) -> Result<Self> {
        let prepared = match conn.prep(statement).await {
            Ok(prepared) => prepared,
            Err(error) => return Self::finish(conn, Err(error)).await,
        };
        let read = async {
            let params = if params.is_empty() {
                Params::Empty
            } else {
                Params::Positional(params)
            };
            let mut result = conn.exec_iter(&prepared, params).await?;
            let columns = result.columns_ref().iter().map(column).collect();
            let rows: Vec<Row> = result.collect().await?;
            result.drop_result().await?;
            let set = Set {
                columns,
                rows: rows.into_iter().map(Row::unwrap).collect(),
            };
            Ok(vec![set])
        };
        let done: Result<_, Error> = read.await;
        // After an error, too: the client library would execute it again, with the types of the parameters that failed.
        conn.close(prepared).await?;
        Self::finish(conn, done).await
    }

    async fn finish(conn: &mut Conn, done: Result<Vec<Set>, Error>) -> Result<Self> {
        match done {
            Ok(sets) => {
                let (affected, insert_id, info) = (
                    conn.affected_rows(),
                    conn.last_insert_id(),
                    conn.info().into_owned(),
                );
                let warnings = conn.query("SHOW WARNINGS").await?;
                Ok(Self::Done {
                    sets,
                    affected,
                    insert_id,
                    info,
                    warnings,
                })
            }
            Err(Error::Server(error)) => Ok(Self::Refused {
                code: error.code,
                state: error.state,
                message: error.message,
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether it is [`NOT_SUPPORTED`].
    pub fn is_not_supported(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                code: NOT_SUPPORTED,
                ..
            }
        )
    }

    /// What is different from the answer that is right; None: nothing. Rows count in order only if `ordered`.
    pub fn differs(&self, right: &Self, ordered: bool) -> Option<String> {
        match (self, right) {
            (Self::Refused { code, state, message }, Self::Refused { code: right_code, state: right_state, message: right_message }) => {
                ((code, state) != (right_code, right_state))
                    .then(|| format!("error {code} ({state}) {message}\n  right: error {right_code} ({right_state}) {right_message}"))
            }
            (
                Self::Done { sets, affected, insert_id, info, warnings },
                Self::Done { sets: right_sets, affected: right_affected, insert_id: right_id, info: right_info, warnings: right_warnings },
            ) => {
                if sets.len() != right_sets.len() {
                    return Some(format!("{} result sets\n  right: {}", sets.len(), right_sets.len()));
                }
                let set = sets.iter().zip(right_sets).find_map(|(set, right)| set.differs(right, ordered));
                set.or_else(|| different("affected rows", affected, right_affected))
                    .or_else(|| different("insert id", insert_id, right_id))
                    .or_else(|| different("info", info, right_info))
                    .or_else(|| different("warnings", &distinct(warnings), &distinct(right_warnings)))
            }
            (Self::Refused { code, message, .. }, Self::Done { .. }) => Some(format!("error {code}: {message}\n  right: no error")),
            (Self::Done { .. }, Self::Refused { code, message, .. }) => Some(format!("no error: {self}\n  right: error {code}: {message}")),
        }
    }
}

impl Set {
    fn differs(&self, right: &Self, ordered: bool) -> Option<String> {
        if let Some(text) = different("columns", &self.columns, &right.columns) {
            return Some(text);
        }
        if ordered {
            return different("rows", &self.rows, &right.rows);
        }
        let sorted = |set: &Self| {
            let mut rows: Vec<String> = set.rows.iter().map(|row| format!("{row:?}")).collect();
            rows.sort_unstable();
            rows
        };
        different("rows (in any order)", &sorted(self), &sorted(right))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done { sets, affected, .. } => {
                let rows: usize = sets.iter().map(|set| set.rows.len()).sum();
                write!(f, "{rows} rows, {affected} affected")
            }
            Self::Refused { code, state, message } => write!(f, "error {code} ({state}): {message}"),
        }
    }
}

/// Levels and codes, each once: how often one is raised depends on the plan and on the number of shards, and texts count rows.
fn distinct(warnings: &[(String, u32, String)]) -> BTreeSet<(&str, u32)> {
    warnings
        .iter()
        .map(|(level, code, _)| (level.as_str(), *code))
        .collect()
}

fn different<T: PartialEq + fmt::Debug>(what: &str, got: &T, right: &T) -> Option<String> {
    (got != right).then(|| format!("{what}: {got:.2000?}\n  right: {right:.2000?}"))
}

fn column(column: &mysql_async::Column) -> Column {
    let unsigned = column.flags().contains(ColumnFlags::UNSIGNED_FLAG);
    Column {
        name: column.name_str().into_owned(),
        kind: format!(
            "{:?}{}",
            column.column_type(),
            if unsigned { " unsigned" } else { "" }
        ),
        collation: column.character_set(),
    }
}
