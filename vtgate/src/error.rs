//! The errors that the gateway itself raises: MySQL's number, SQLSTATE and message.

use std::fmt::Display;

pub use mysql_wire::SqlError;

/// What an executor returns.
pub type SqlResult<T> = Result<T, SqlError>;

fn error(code: u16, message: impl Display) -> SqlError {
    SqlError::with_code(code, message.to_string())
}

fn with_state(code: u16, state: &[u8; 5], message: impl Display) -> SqlError {
    SqlError {
        state: *state,
        ..error(code, message)
    }
}

/// 1235: a statement that MySQL would accept and Vitrail does not run yet.
pub fn unsupported(what: impl Display) -> SqlError {
    with_state(
        1235,
        b"42000",
        format_args!("This version of Vitrail doesn't yet support '{what}'"),
    )
}

/// 1064, worded by the caller as MySQL words it.
pub fn syntax(message: impl Display) -> SqlError {
    with_state(1064, b"42000", message)
}

/// 1227: the statement needs a right that no account of the gateway has.
pub fn access_denied(privilege: &str) -> SqlError {
    with_state(
        1227,
        b"42000",
        format_args!(
            "Access denied; you need (at least one of) the {privilege} privilege(s) for this operation"
        ),
    )
}

/// 1049.
pub fn unknown_database(name: impl Display) -> SqlError {
    with_state(1049, b"42000", format_args!("Unknown database '{name}'"))
}

/// 1046.
pub fn no_database() -> SqlError {
    with_state(1046, b"3D000", "No database selected")
}

/// 1040: more client connections than the gateway takes.
pub fn too_many_connections() -> SqlError {
    with_state(1040, b"08004", "Too many connections")
}

/// 1040: no backend connection became free in time.
pub fn pool_exhausted(tablet: &str) -> SqlError {
    with_state(
        1040,
        b"08004",
        format_args!("Too many connections: the pool of tablet {tablet} stayed full"),
    )
}

/// 1053: the gateway is stopping.
pub fn shutdown() -> SqlError {
    with_state(1053, b"08S01", "Server shutdown in progress")
}

/// 1317: `KILL QUERY`.
pub fn interrupted() -> SqlError {
    with_state(1317, b"70100", "Query execution was interrupted")
}

/// 3024: the statement's time ran out.
pub fn statement_timeout() -> SqlError {
    with_state(
        3024,
        b"HY000",
        "Query execution was interrupted, maximum statement execution time exceeded",
    )
}

/// 1104: a result over several shards is larger than the gateway may hold.
pub fn result_too_large(limit_bytes: usize) -> SqlError {
    with_state(
        1104,
        b"42000",
        format_args!(
            "The rows of this statement need more than the {limit_bytes} bytes that the gateway may hold"
        ),
    )
}

/// 1105: what should not happen.
pub fn internal(message: impl Display) -> SqlError {
    with_state(1105, b"HY000", message)
}

/// 1105: no tablet can serve the shard now.
pub fn unavailable(keyspace: &str, shard: &str, role: &str) -> SqlError {
    internal(format_args!(
        "no serving {role} tablet for shard {keyspace}/{shard}"
    ))
}

/// 1243: the client names a statement that it did not prepare, or closed.
pub fn unknown_statement(id: u32, command: &str) -> SqlError {
    error(
        1243,
        format_args!("Unknown prepared statement handler ({id}) given to {command}"),
    )
}

/// 2013: the shard's server went away while the statement ran; whether it took effect is unknown.
pub fn lost_connection(tablet: &str) -> SqlError {
    with_state(
        2013,
        b"HY000",
        format_args!(
            "Lost connection to MySQL server during query (tablet {tablet}); its outcome is unknown"
        ),
    )
}
