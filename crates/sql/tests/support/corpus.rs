//! The statements that the tests share.

/// Statements that MySQL 9.7.4 parses, one per line (asked of a real server; Vitrail's own statements excepted).
pub(crate) const ACCEPTED: &str = include_str!("../corpus/accepted.sql");
