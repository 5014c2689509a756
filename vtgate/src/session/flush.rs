//! FLUSH, as far as the session does it itself.

use sql::ast::{OtherKind, StatementKind};

use super::Session;
use super::lease::Needs;
use crate::error::SqlResult;

/// What a FLUSH is about that the session does itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flush {
    /// Counters.
    Status,
    /// Caches of tables, without a lock.
    Tables,
}

/// Reads a FLUSH; none for one that takes a lock, and for everything else.
pub(super) fn own_flush(kind: &StatementKind<'_>, text: &[u8]) -> Option<Flush> {
    if !matches!(kind, StatementKind::Other(other) if other.kind == OtherKind::Flush) {
        return None;
    }
    let text = String::from_utf8_lossy(text).to_ascii_uppercase();
    let mut words = text
        .split_ascii_whitespace()
        .skip(1)
        .filter(|word| !matches!(*word, "LOCAL" | "NO_WRITE_TO_BINLOG"));
    match words.next().unwrap_or_default().trim_end_matches(';') {
        "STATUS" => Some(Flush::Status),
        "TABLE" | "TABLES" if !words.any(|word| matches!(word, "WITH" | "FOR")) => Some(Flush::Tables),
        _ => None,
    }
}

impl Session {
    /// FLUSH STATUS: from here on the session keeps a connection whose counters begin at zero.
    ///
    /// MySQL's own would be written to the binlog, of a replica too. It does nothing where no server has all of the keyspace, and where the
    /// session's connection has more of it than counters.
    pub(super) async fn flush_status(&mut self) -> SqlResult<()> {
        self.diagnostics.clear();
        self.commit_implicitly().await?;
        if self.branches.pinned || self.in_transaction() || self.selected_unsharded().is_none() {
            return Ok(());
        }
        let lease = self.lease_any(None, Needs::default()).await?;
        let mut lease = self.settled(lease).await?;
        *lease.branch.conn = lease.branch.conn.beside().connect().await?;
        self.branches.keeps_counters = true;
        self.branches.give_back(lease.branch);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_left_to_mysql() {
        let own = |text: &str| {
            let statement = sql::parser::parse(text.as_bytes(), sql::lexer::LexOptions::default()).unwrap();
            own_flush(&statement.kind, text.as_bytes())
        };
        assert_eq!(own("flush status"), Some(Flush::Status));
        assert_eq!(own("FLUSH LOCAL STATUS;"), Some(Flush::Status));
        assert_eq!(own("FLUSH TABLES a, b"), Some(Flush::Tables));
        assert_eq!(own("FLUSH TABLES a WITH READ LOCK"), None);
        assert_eq!(own("FLUSH TABLE a FOR EXPORT"), None);
        assert_eq!(own("FLUSH PRIVILEGES"), None);
        assert_eq!(own("SELECT 1"), None);
    }
}
