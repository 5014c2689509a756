//! Statements that are prepared on one backend connection, bounded, least recently used first out.

use std::rc::Rc;

use hashbrown::HashMap;

/// Statements per connection at most. With 400 connections per tablet and gateway this stays below a
/// `max_prepared_stmt_count` that the agent raises accordingly.
const STATEMENTS_MAX: usize = 64;

/// What must be equal for a prepared statement to be shared: MySQL freezes database and sql_mode at prepare, and parameter types stick.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StatementKey {
    /// The text.
    pub text: Rc<[u8]>,
    /// Types of the parameters, as COM_STMT_EXECUTE carries them.
    pub types: Rc<[u8]>,
    /// Identity of the session's system variables.
    pub settings: u64,
    /// Current database.
    pub database: std::sync::Arc<str>,
}

/// A statement on the backend.
#[derive(Debug, Clone, Copy)]
struct Prepared {
    id: u32,
    used: u64,
}

/// The statements of one connection.
#[derive(Debug, Default)]
pub struct BackendStatements {
    by_key: HashMap<StatementKey, Prepared>,
    clock: u64,
}

impl BackendStatements {
    /// The backend's id of a statement that is prepared already.
    pub fn find(&mut self, key: &StatementKey) -> Option<u32> {
        self.clock += 1;
        let clock = self.clock;
        let prepared = self.by_key.get_mut(key)?;
        prepared.used = clock;
        Some(prepared.id)
    }

    /// Remembers a statement; returns the id of one that has to be closed for it.
    pub fn insert(&mut self, key: StatementKey, id: u32) -> Option<u32> {
        self.clock += 1;
        let evicted = if self.by_key.len() >= STATEMENTS_MAX {
            let oldest = self
                .by_key
                .iter()
                .min_by_key(|(_, prepared)| prepared.used)
                .map(|(key, _)| key.clone());
            oldest
                .and_then(|key| self.by_key.remove(&key))
                .map(|prepared| prepared.id)
        } else {
            None
        };
        self.by_key.insert(key, Prepared { id, used: self.clock });
        evicted
    }

    /// Forgets a statement that the backend no longer knows.
    pub fn remove(&mut self, key: &StatementKey) {
        self.by_key.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> StatementKey {
        StatementKey {
            text: text.as_bytes().into(),
            types: Rc::from([]),
            settings: 0,
            database: "db".into(),
        }
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut statements = BackendStatements::default();
        for id in 0..STATEMENTS_MAX as u32 {
            assert_eq!(statements.insert(key(&id.to_string()), id), None);
        }
        assert_eq!(statements.find(&key("0")), Some(0));
        assert_eq!(statements.insert(key("new"), 1000), Some(1));
        assert_eq!(statements.find(&key("1")), None);
        assert_eq!(statements.find(&key("0")), Some(0));
    }
}
