//! The diagnostics area that SHOW WARNINGS reads, kept by the session because its connection is long gone.

use mysql_wire::client::QueryResult;
use mysql_wire::{SqlError, StatusFlags};

use crate::backend::Backend;
use crate::error::SqlResult;

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `Note`, `Warning` or `Error`.
    pub level: Box<str>,
    /// MySQL's number.
    pub code: u16,
    /// Text, in the session's result character set.
    pub message: Box<[u8]>,
}

impl Condition {
    /// A warning of the gateway's own.
    pub fn warning(code: u16, message: &str) -> Self {
        Self {
            level: "Warning".into(),
            code,
            message: message.as_bytes().into(),
        }
    }
}

impl From<&SqlError> for Condition {
    fn from(error: &SqlError) -> Self {
        Self {
            level: "Error".into(),
            code: error.code,
            message: error.message.as_ref().into(),
        }
    }
}

/// Conditions of the last statement that could raise any.
pub type Diagnostics = Vec<Condition>;

/// Number of errors among them.
pub fn error_count(diagnostics: &Diagnostics) -> usize {
    diagnostics
        .iter()
        .filter(|condition| &*condition.level == "Error")
        .count()
}

/// Number of conditions as the protocol's 16 bits.
pub fn warning_count(diagnostics: &Diagnostics) -> u16 {
    u16::try_from(diagnostics.len()).unwrap_or(u16::MAX)
}

/// What SHOW WARNINGS says on a connection.
pub(super) async fn warnings_of(conn: &mut Backend) -> SqlResult<Diagnostics> {
    Ok(warnings_and_status(conn).await?.0)
}

/// As [`warnings_of`], with the connection's status, which an error packet does not tell.
pub(super) async fn warnings_and_status(conn: &mut Backend) -> SqlResult<(Diagnostics, StatusFlags)> {
    let result = conn
        .query(b"SHOW WARNINGS")
        .await
        .map_err(|error| conn.lost(error))?;
    let status = result.ok.status;
    Ok((conditions(result), status))
}

/// Rows of SHOW WARNINGS.
fn conditions(result: QueryResult) -> Diagnostics {
    result
        .rows
        .into_iter()
        .filter_map(|row| {
            let [level, code, message] = <[_; 3]>::try_from(row).ok()?;
            Some(Condition {
                level: String::from_utf8_lossy(&level?).into(),
                code: std::str::from_utf8(&code?).ok()?.parse().ok()?,
                message: message?.into(),
            })
        })
        .collect()
}
