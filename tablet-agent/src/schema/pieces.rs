//! Cuts a script at its semicolons, outside quotes and comments.
//!
//! The bodies of stored programs have semicolons too; only a parser can tell. mysqld is one: [`super::initial`] joins pieces until
//! it accepts them.

/// The pieces in order, each from its first word on; none for what holds nothing but comments.
pub(super) fn pieces(script: &str) -> Vec<&str> {
    let bytes = script.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    let mut begin: Option<usize> = None;
    while let Some(&byte) = bytes.get(at) {
        let mut content = false;
        let after = match byte {
            b';' => {
                out.extend(
                    begin
                        .take()
                        .and_then(|begin| script.get(begin..at))
                        .map(str::trim),
                );
                at + 1
            }
            b'\'' | b'"' | b'`' => {
                content = true;
                quoted_end(bytes, at + 1, byte)
            }
            b'#' => line_end(bytes, at),
            b'-' if is_dash_comment(bytes, at) => line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                // `/*!` is a comment for other servers only.
                content = matches!(bytes.get(at + 2), Some(b'!' | b'+'));
                comment_end(bytes, at + 2)
            }
            _ => {
                content = !byte.is_ascii_whitespace();
                at + 1
            }
        };
        if content {
            begin.get_or_insert(at);
        }
        at = after;
    }
    out.extend(begin.and_then(|begin| script.get(begin..)).map(str::trim));
    out
}

fn quoted_end(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while let Some(&byte) = bytes.get(at) {
        at += match byte {
            b'\\' if quote != b'`' => 2,
            byte if byte == quote => return at + 1,
            _ => 1,
        };
    }
    bytes.len()
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    find(bytes, at, b"\n")
}

fn comment_end(bytes: &[u8], at: usize) -> usize {
    find(bytes, at, b"*/")
}

/// The position after the next occurrence.
fn find(bytes: &[u8], at: usize, what: &[u8]) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.windows(what.len())
        .position(|w| w == what)
        .map_or(bytes.len(), |n| at + n + what.len())
}

fn is_dash_comment(bytes: &[u8], at: usize) -> bool {
    bytes.get(at + 1) == Some(&b'-')
        && bytes
            .get(at + 2)
            .is_none_or(|b| b.is_ascii_whitespace() || b.is_ascii_control())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cuts_at_semicolons_outside_quotes_and_comments() {
        let script = "CREATE TABLE a (c char(9) default ';') ; -- one; two\n\
            /* ; */ # x;\nCREATE TABLE `b;` (d int comment 'it''s; \\'; fine');; /*! SET x=1 */; select 1--2";
        assert_eq!(
            pieces(script),
            [
                "CREATE TABLE a (c char(9) default ';')",
                "CREATE TABLE `b;` (d int comment 'it''s; \\'; fine')",
                "/*! SET x=1 */",
                "select 1--2"
            ]
        );
    }

    #[test]
    fn nothing_has_no_pieces() {
        assert!(pieces(" ; -- x\n;/* y */").is_empty());
    }

    proptest! {
        #[test]
        fn any_text_can_be_cut(script in "[a-z;'\"`\\\\#/*! \\n-]{0,60}") {
            let total: usize = pieces(&script).iter().map(|p| p.len()).sum();
            prop_assert!(total <= script.len());
        }
    }
}
