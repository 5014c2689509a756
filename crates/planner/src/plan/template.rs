//! The text that a shard gets: the client's own bytes with pieces replaced.

use super::Source;

/// A byte position in any text that has the plan's fingerprint key.
pub type Pos = sql::fingerprint::Anchor;

/// A text template. Without pieces it is the client's text itself, and no copy is needed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    /// Replacements, ordered by position, not overlapping.
    pub pieces: Box<[Piece]>,
}

impl Template {
    /// The client's text, unchanged.
    pub fn verbatim() -> Self {
        Self::default()
    }

    /// Whether the client's text goes out unchanged.
    pub fn is_verbatim(&self) -> bool {
        self.pieces.is_empty()
    }
}

/// One replacement: the bytes from `start` to `end` give way to `fill`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where it begins.
    pub start: Pos,
    /// Where it ends (exclusive); equal to `start` for an insertion.
    pub end: Pos,
    /// What is written instead.
    pub fill: Box<[Fill]>,
}

/// What a piece writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fill {
    /// Constant bytes, in the client's character set.
    Text(Box<[u8]>),
    /// A copy of the client's bytes between two positions, with the replacements of session values that the template has there not applied.
    Copy {
        /// First byte.
        start: Pos,
        /// One past the last byte.
        end: Pos,
    },
    /// A session value as an SQL literal.
    Session(SessionValue),
    /// The number of rows that a shard has to send: offset plus row count, saturating at 2^64 - 1.
    ShardLimit {
        /// OFFSET.
        offset: Option<Source>,
        /// Row count.
        count: Source,
    },
    /// The rows of the INSERT that belong to the shard, separated by commas.
    Rows,
}

/// Values that the session, not the backend connection, knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionValue {
    /// LAST_INSERT_ID() without argument.
    LastInsertId,
    /// FOUND_ROWS().
    FoundRows,
    /// ROW_COUNT().
    RowCount,
    /// CONNECTION_ID() and @@pseudo_thread_id.
    ConnectionId,
    /// USER(), SESSION_USER(), SYSTEM_USER().
    User,
    /// CURRENT_USER, CURRENT_USER().
    CurrentUser,
    /// DATABASE(), SCHEMA(): the selected keyspace.
    Database,
    /// @@autocommit of the session: 0 or 1.
    Autocommit,
    /// @@warning_count: conditions of the session's last statement.
    WarningCount,
    /// @@error_count: errors among them.
    ErrorCount,
}
