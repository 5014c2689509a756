//! The values of an ENUM or SET column, out of its type's text.

/// The values in order; none for other types. Quotes are doubled in the text, other characters may be escaped by a backslash.
pub(super) fn values(column_type: &str) -> Vec<String> {
    let list = ["enum(", "set("]
        .iter()
        .find_map(|prefix| column_type.strip_prefix(prefix));
    let mut out = Vec::new();
    let mut chars = list.unwrap_or_default().chars().peekable();
    while chars.next() == Some('\'') {
        let mut value = String::new();
        while let Some(c) = chars.next() {
            match c {
                '\'' if chars.next_if_eq(&'\'').is_none() => break,
                '\\' => value.extend(chars.next().map(unescaped)),
                c => value.push(c),
            }
        }
        out.push(value);
        // The comma, or the closing parenthesis, after which no quote comes.
        chars.next();
    }
    out
}

fn unescaped(c: char) -> char {
    match c {
        'n' => '\n',
        'r' => '\r',
        '0' => '\0',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_as_mysqld_prints_them() {
        assert_eq!(
            values(r"enum('it''s','a,b','back\\slash','x)y','')"),
            ["it's", "a,b", r"back\slash", "x)y", ""]
        );
        assert_eq!(values("set('é','new\\nline')"), ["é", "new\nline"]);
        assert!(values("varchar(10)").is_empty() && values("enum(").is_empty());
    }

    proptest! {
        #[test]
        fn every_list_reads_back(list in prop::collection::vec("[a-z',)(\\\\ ]{0,8}", 1..6)) {
            let quoted: Vec<_> = list.iter().map(|v| format!("'{}'", v.replace('\\', "\\\\").replace('\'', "''"))).collect();
            prop_assert_eq!(values(&format!("enum({})", quoted.join(","))), list);
        }

        #[test]
        fn any_text_is_read(text in "(enum\\()?[a',\\\\)]{0,20}") {
            let _ = values(&text);
        }
    }
}
