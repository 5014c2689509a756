//! Deeply nested and very long statements: an answer or an error, never a stack overflow in a thread of 2 MiB.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::ops::ControlFlow;

use sql::ast::Expr;
use sql::fingerprint::Fingerprint;
use sql::lexer::LexOptions;
use sql::parser::parse;
use sql::visit::{Visit, walk_expr};

/// Counts expressions, so that the whole tree is walked.
struct Count(usize);

impl<'a> Visit<'a> for Count {
    type Break = ();

    fn expr(&mut self, expr: &Expr<'a>) -> ControlFlow<()> {
        self.0 += 1;
        walk_expr(self, expr)
    }
}

/// Reads a text in a thread with Rust's default stack; the number of expressions, or the message.
fn read(text: String) -> Result<usize, String> {
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || {
            Fingerprint::new()
                .read(text.as_bytes(), LexOptions::default())
                .unwrap();
            let statement = parse(text.as_bytes(), LexOptions::default()).map_err(|error| error.message)?;
            let mut count = Count(0);
            let _ = count.statement(&statement.clone());
            Ok(count.0)
        })
        .unwrap()
        .join()
        .unwrap()
}

fn nested(open: &str, inner: &str, close: &str, depth: usize) -> String {
    format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
}

const SHAPES: [(&str, &str, &str, &str); 18] = [
    ("select ", "(", "1", ")"),
    ("select ", "f(", "1", ")"),
    ("select ", "- ", "a", ""),
    ("select ", "not ", "a", ""),
    ("select ", "case when 1 then ", "1", " end"),
    ("select ", "cast(", "1", " as char)"),
    ("select ", "(select ", "1", ")"),
    ("select ", "1 + (", "1", ")"),
    ("select ", "1 in (", "1", ")"),
    ("select ", "1 between 0 and ", "1", ""),
    ("select ", "@a := ", "1", ""),
    ("select ", "1 in (select ", "1", ")"),
    (
        "select ",
        "exists (select * from (select 1 where ",
        "1",
        ") as t)",
    ),
    ("select * from ", "(select * from ", "t", ") as t"),
    ("select * from ", "(", "t", ")"),
    ("select * from ", "t join (", "t", " join u)"),
    ("select * from t", " join t", "", " on 1"),
    ("", "(", "select 1", ")"),
];

#[test]
fn deep_nesting_is_an_error() {
    for (start, open, inner, close) in SHAPES {
        for depth in [1000, 100_000] {
            let error = read(format!("{start}{}", nested(open, inner, close, depth))).unwrap_err();
            assert!(
                error.starts_with("Statement is nested too deeply"),
                "{start}{open}: {error}"
            );
        }
    }
}

#[test]
fn usual_nesting_works() {
    for (start, open, inner, close) in SHAPES {
        let read = read(format!("{start}{}", nested(open, inner, close, 24)));
        assert!(read.is_ok(), "{start}{open}: {read:?}");
    }
}

/// The deepest nesting that is read, for every shape, fits the stack: found by bisection.
#[test]
fn deepest_nesting_fits_the_stack() {
    for (start, open, inner, close) in SHAPES {
        let (mut low, mut high) = (1, 1000);
        while high - low > 1 {
            let middle = (low + high) / 2;
            match read(format!("{start}{}", nested(open, inner, close, middle))) {
                Ok(_) => low = middle,
                Err(_) => high = middle,
            }
        }
        assert!(low >= 24, "{start}{open}: {low}");
    }
}

#[test]
fn long_chains() {
    let repeat = |start: &str, part: &str, count: usize| format!("{start}{}", part.repeat(count));
    assert_eq!(
        read(repeat("select * from t where a = 0", " or a = 1", 100_000)),
        Ok(300_004)
    );
    assert_eq!(
        read(repeat("select * from t where a = 0", " and a = 1", 100_000)),
        Ok(300_004)
    );
    assert_eq!(read(repeat("select 0", ", 1", 100_000)), Ok(100_001));
    assert_eq!(
        read(repeat("insert into t values (0)", ", (1 + 1)", 50_000)),
        Ok(150_001)
    );
    assert_eq!(
        read(repeat(
            "select 0",
            " union all select 1 from a join b join c on 1",
            20_000
        )),
        Ok(40_001)
    );
    assert_eq!(read(repeat("select 0", " + 1", 490)), Ok(981));
    assert!(
        read(repeat("select 0", " + 1", 100_000))
            .unwrap_err()
            .starts_with("Statement is nested too deeply")
    );
    assert_eq!(read(repeat("select 0", " 'a'", 3)).map(|_| ()), Err(
        "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right \
         syntax to use near ''a' 'a'' at line 1"
            .to_owned()
    ));
}
