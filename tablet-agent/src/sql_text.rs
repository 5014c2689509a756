//! Quoting for the statements that the agent writes itself.

/// A string literal. Right unless NO_BACKSLASH_ESCAPES is set, which the agent's sessions never do.
pub fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for c in text.chars() {
        if c == '\'' || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('\'');
    out
}

/// A quoted identifier.
pub fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A database in GRANT, where `_` and `%` are wildcards.
pub fn grant_database(name: &str) -> String {
    identifier(&name.replace('\\', "\\\\").replace('_', "\\_").replace('%', "\\%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes() {
        assert_eq!(literal(r"a'b\c"), r"'a\'b\\c'");
        assert_eq!(identifier("a`b"), "`a``b`");
        assert_eq!(grant_database("my_db%"), r"`my\_db\%`");
    }
}
