//! The errors that the gateway itself raises: MySQL's number, SQLSTATE and message.

use std::fmt::Display;

pub use mysql_wire::SqlError;

use crate::cluster::TabletTarget;

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

/// 1105: the topology has changed since the statement was planned.
pub fn shard_gone() -> SqlError {
    internal("the plan names a shard that is gone")
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

/// 1105: replicas serve, but none within the lag limit.
pub fn all_replicas_lag(keyspace: &str, shard: &str, count: usize) -> SqlError {
    internal(format_args!(
        "no replica of shard {keyspace}/{shard} may be read: all {count} that serve lag more than --replica-lag-max"
    ))
}

/// 1053: the connection to a tablet is gone. What that means for the client is decided by who used it.
pub fn connection_lost(target: &TabletTarget) -> SqlError {
    with_state(
        1053,
        b"08S01",
        format_args!("the connection to tablet {} was lost", target.alias),
    )
}

/// 1053: an open transaction went with the primary that it was open on.
pub fn transaction_lost(target: &TabletTarget) -> SqlError {
    with_state(
        1053,
        b"08S01",
        format_args!(
            "the primary of shard {}/{} was lost; the transaction was rolled back",
            target.keyspace, target.shard
        ),
    )
}

/// 1053: what a session kept on a connection is gone.
pub fn state_lost(target: &TabletTarget) -> SqlError {
    with_state(
        1053,
        b"08S01",
        format_args!(
            "the connection to shard {}/{} was lost, and with it the session's temporary tables, locks and prepared statements there",
            target.keyspace, target.shard
        ),
    )
}

/// 1180: a write was sent and no answer came.
pub fn outcome_unknown(target: &TabletTarget) -> SqlError {
    with_state(
        1180,
        b"08007",
        format_args!(
            "Got error during COMMIT: the connection to shard {}/{} was lost, so whether it is committed is unknown",
            target.keyspace, target.shard
        ),
    )
}

/// ER_OPTION_PREVENTS_STATEMENT, of `--super-read-only` among others.
pub const PREVENTED_BY_OPTION: u16 = 1290;

/// Whether an error of [`is_gone`] was answered before anything was done. One that a stopping server answers is not.
pub fn is_refusal(error: &SqlError) -> bool {
    is_gone(error) && error.code != 1053
}

/// Whether an error says that its server is no primary, or is going away: it refused, and somebody else serves now or will.
pub fn is_gone(error: &SqlError) -> bool {
    /// ER_SERVER_SHUTDOWN, ER_READ_ONLY_MODE, ER_SERVER_OFFLINE_MODE.
    const ALWAYS: [u16; 3] = [1053, 1836, 3032];
    let read_only = || {
        let mut words = error.message.windows(b"read-only".len());
        words.any(|word| word == b"read-only")
    };
    ALWAYS.contains(&error.code) || error.code == PREVENTED_BY_OPTION && read_only()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_are_no_primary_say_so() {
        let told = |code, text: &str| is_gone(&SqlError::with_code(code, text));
        let option = |name: &str| {
            format!(
                "The MySQL server is running with the --{name} option so it cannot execute this statement"
            )
        };
        assert!(told(1290, &option("super-read-only")));
        assert!(told(1290, &option("read-only")));
        assert!(!told(1290, &option("secure-file-priv")));
        assert!(told(3032, "The server is currently in offline mode"));
        assert!(told(1053, "Server shutdown in progress"));
        assert!(!told(1062, "Duplicate entry 'read-only' for key 't.PRIMARY'"));
    }
}
