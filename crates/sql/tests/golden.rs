//! The syntax trees of the corpus, compared with `tests/golden/statements.txt`.
//!
//! `UPDATE_GOLDEN=1 cargo test -p sql --test golden` writes that file anew; read the difference before committing it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/dump.rs"]
mod dump;

use std::fmt::Write as _;

use sql::lexer::LexOptions;
use sql::parser::parse;

const WIDTH: usize = 116;

/// Breaks a dump between words.
fn wrap(dump: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in dump.split(' ') {
        if column > 0 && column + word.len() > WIDTH {
            out.push_str("\n   ");
            column = 3;
        }
        if column > 0 {
            out.push(' ');
        }
        out.push_str(word);
        column += word.len() + 1;
    }
    out
}

#[test]
fn trees_of_the_corpus() {
    let mut all = String::new();
    for text in corpus::ACCEPTED.lines() {
        let statement =
            parse(text.as_bytes(), LexOptions::default()).unwrap_or_else(|error| panic!("{text}: {error}"));
        let dump = dump::dump(&format!("{:?}", statement.kind), text.as_bytes());
        write!(all, "{text}\n    {}\n\n", wrap(&dump)).unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/statements.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &all).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap();
    let mut expected = golden.split("\n\n");
    for actual in all.split("\n\n") {
        assert_eq!(Some(actual), expected.next());
    }
    assert_eq!(expected.next(), None, "the golden file has more");
}

#[test]
fn what_mysql_rejects() {
    let mut accepted = Vec::new();
    for text in include_str!("corpus/rejected.sql").lines() {
        let Err(error) = parse(text.as_bytes(), LexOptions::default()) else {
            accepted.push(text);
            continue;
        };
        assert!(error.offset <= text.len(), "{text}");
        assert!(
            error.message.starts_with("You have an error in your SQL syntax"),
            "{text}: {error}"
        );
    }
    assert_eq!(accepted, [""; 0]);
}
