//! The bits of `sql_mode` that change how a text is read.

use std::ops::{BitOr, BitOrAssign};

/// The part of a session's `sql_mode` that lexer and parser depend on.
///
/// Two sessions with the same bits (and client charset) read a text in the same way, so the bits are part of the plan cache's key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LexMode(u8);

impl LexMode {
    /// No bit set: MySQL's default `sql_mode`.
    pub const NONE: Self = Self(0);
    /// `"` quotes identifiers instead of strings.
    pub const ANSI_QUOTES: Self = Self(1);
    /// `\` is an ordinary character in strings.
    pub const NO_BACKSLASH_ESCAPES: Self = Self(1 << 1);
    /// `||` concatenates instead of meaning OR.
    pub const PIPES_AS_CONCAT: Self = Self(1 << 2);
    /// `NOT` binds as tightly as `!`.
    pub const HIGH_NOT_PRECEDENCE: Self = Self(1 << 3);
    /// Spaces may stand between a built-in function's name and its `(`.
    pub const IGNORE_SPACE: Self = Self(1 << 4);

    /// The bits as a number below 32, for keys and statistics.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Reads the bits out of a `sql_mode` value in MySQL's text form, in which combination modes (`ANSI`) are already spelled out or are
    /// expanded here; unknown names are ignored.
    pub fn from_sql_mode(sql_mode: &str) -> Self {
        sql_mode.split(',').fold(Self::NONE, |mode, name| {
            mode | match name.trim().to_ascii_uppercase().as_str() {
                "ANSI_QUOTES" => Self::ANSI_QUOTES,
                "NO_BACKSLASH_ESCAPES" => Self::NO_BACKSLASH_ESCAPES,
                "PIPES_AS_CONCAT" => Self::PIPES_AS_CONCAT,
                "HIGH_NOT_PRECEDENCE" => Self::HIGH_NOT_PRECEDENCE,
                "IGNORE_SPACE" => Self::IGNORE_SPACE,
                "ANSI" => Self::ANSI_QUOTES | Self::PIPES_AS_CONCAT | Self::IGNORE_SPACE,
                _ => Self::NONE,
            }
        })
    }
}

impl BitOr for LexMode {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for LexMode {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sql_mode_names() {
        let mode = LexMode::from_sql_mode("STRICT_TRANS_TABLES,ansi_quotes, NO_BACKSLASH_ESCAPES");
        assert_eq!(mode, LexMode::ANSI_QUOTES | LexMode::NO_BACKSLASH_ESCAPES);
        assert!(LexMode::from_sql_mode("ANSI").has(LexMode::PIPES_AS_CONCAT));
        assert_eq!(LexMode::from_sql_mode(""), LexMode::NONE);
    }
}
