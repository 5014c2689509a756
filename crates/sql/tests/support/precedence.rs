//! What our parser makes of operators, for the test and for the recorder of its answers.

use sql::ast::{SelectItem, SetExpr, StatementKind};
use sql::lexer::LexOptions;
use sql::mode::LexMode;
use sql::parser::parse;

#[path = "parens.rs"]
mod parens;

/// Names in the recorded file, what MySQL calls them, and ours.
pub(crate) const MODES: [(&str, &str, LexMode); 3] = [
    ("default", "", LexMode::NONE),
    ("pipes", "PIPES_AS_CONCAT", LexMode::PIPES_AS_CONCAT),
    ("highnot", "HIGH_NOT_PRECEDENCE", LexMode::HIGH_NOT_PRECEDENCE),
];

/// The expression with all parentheses; `ERROR` if it is none.
pub(crate) fn ours(expression: &str, mode: LexMode) -> String {
    let text = format!("SELECT {expression}");
    let Ok(statement) = parse(
        text.as_bytes(),
        LexOptions {
            mode,
            ..LexOptions::default()
        },
    ) else {
        return "ERROR".to_owned();
    };
    let items = match &statement.kind {
        StatementKind::Query(query) => match &query.body {
            SetExpr::Select(select) => select.items.as_slice(),
            _ => &[],
        },
        _ => &[],
    };
    match items {
        [
            SelectItem::Expr {
                expr, alias: None, ..
            },
        ] => parens::parenthesise(expr, text.as_bytes()),
        _ => "ERROR".to_owned(),
    }
}
