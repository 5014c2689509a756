//! What a statement does to the session, and what it needs from it.

/// Reasons why the session must keep its backend connection from this statement on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Pin {
    /// CREATE TEMPORARY TABLE.
    TemporaryTable,
    /// GET_LOCK, or RELEASE_LOCK and the like, which need the connection that holds the lock.
    UserLock,
    /// A stored function or procedure that may do any of these.
    StoredProgram,
    /// HANDLER .. OPEN.
    Handler,
    /// LOCK TABLES, FLUSH TABLES WITH READ LOCK.
    LockTables,
    /// PREPARE, EXECUTE, DEALLOCATE PREPARE in SQL.
    SqlPrepare,
    /// The statement passed without having been understood.
    Unparsed,
}

/// A set of [`Pin`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Pins(u16);

impl Pins {
    /// Adds a reason.
    pub fn insert(&mut self, pin: Pin) {
        self.0 |= 1 << pin as u16;
    }

    /// Whether the reason is there.
    pub fn contains(self, pin: Pin) -> bool {
        self.0 & (1 << pin as u16) != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Session values that the statement reads; they are spliced into the plan's templates already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SessionRead {
    /// LAST_INSERT_ID().
    LastInsertId,
    /// FOUND_ROWS().
    FoundRows,
    /// ROW_COUNT().
    RowCount,
    /// CONNECTION_ID().
    ConnectionId,
    /// USER() and its synonyms.
    User,
    /// CURRENT_USER().
    CurrentUser,
    /// DATABASE().
    Database,
    /// @@autocommit.
    Autocommit,
    /// @@warning_count, @@error_count.
    Diagnostics,
}

/// A set of [`SessionRead`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct SessionReads(u16);

impl SessionReads {
    /// Adds a read.
    pub fn insert(&mut self, read: SessionRead) {
        self.0 |= 1 << read as u16;
    }

    /// Whether the statement reads it.
    pub fn contains(self, read: SessionRead) -> bool {
        self.0 & (1 << read as u16) != 0
    }

    /// Whether it reads none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// All effects of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    /// Why the session has to keep its connection, if it has to.
    pub pins: Pins,
    /// Session values read.
    pub session_reads: SessionReads,
    /// User variables that the statement reads, lower case, without `@`: to be set on the connection before it
    /// (pipelined), unless the connection is pinned and has them.
    pub user_vars_read: Box<[Box<str>]>,
    /// User variables that the statement assigns: to be read back after it, or the session pinned.
    pub user_vars_written: Box<[Box<str>]>,
    /// LAST_INSERT_ID(expr) sets the session's value: read it back after the statement (pipelined SELECT LAST_INSERT_ID()).
    pub sets_last_insert_id: bool,
    /// SQL_CALC_FOUND_ROWS: read FOUND_ROWS() back after the statement.
    pub calc_found_rows: bool,
    /// FOR UPDATE, FOR SHARE, LOCK IN SHARE MODE: needs the primary.
    pub locking_read: bool,
    /// MySQL commits the session's transaction before it runs the statement.
    pub implicit_commit: bool,
    /// GET_LOCK, RELEASE_ALL_LOCKS, SLEEP, BENCHMARK and functions with outside effects: never retried.
    pub not_repeatable: bool,
}
