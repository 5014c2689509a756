//! Errors of the crate.

use thiserror::Error;

/// Why a text is not a statement that this crate reads. Displays as MySQL's message of error 1064.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ParseError {
    /// Byte offset of what could not be read.
    pub offset: usize,
    /// The message for the client.
    pub message: String,
}

/// How much of the text MySQL quotes in its message, in bytes.
const QUOTED: usize = 80;

impl ParseError {
    /// The syntax error of MySQL (1064) at a place of `text`.
    pub fn syntax(text: &[u8], offset: usize) -> Self {
        Self::new(
            text,
            offset,
            "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use",
        )
    }

    /// An error of our own about a place of `text`: `reason near '...' at line N`.
    pub fn new(text: &[u8], offset: usize, reason: &str) -> Self {
        let (before, rest) = text.split_at_checked(offset).unwrap_or((text, b""));
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        let near = String::from_utf8_lossy(rest.get(..QUOTED).unwrap_or(rest)).into_owned();
        Self {
            offset: before.len(),
            message: format!("{reason} near '{near}' at line {line}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_like_mysql() {
        let error = ParseError::syntax(b"select 1\nfrom from t", 14);
        assert_eq!(
            error.to_string(),
            "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right \
             syntax to use near 'from t' at line 2"
        );
        assert_eq!(ParseError::syntax(b"x", 9).offset, 1);
    }
}
