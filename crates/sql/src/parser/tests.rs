#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

#[test]
fn smoke() {
    for text in [
        "select 1",
        "SELECT c FROM sbtest1 WHERE id=12345",
        "insert into t values (1,2)",
    ] {
        parse(text.as_bytes(), LexOptions::default()).unwrap();
    }
}
