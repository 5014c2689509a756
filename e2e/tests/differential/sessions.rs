//! Statements of sessions: what the protocol says of each, compared with MySQL.

use e2e::cluster::Cluster;
use e2e::exchange::Exchange;

use super::plain;

/// Status flags, counts, info and warnings of every statement kind that changes them.
#[tokio::test]
async fn session_statements() {
    compare_sessions(false).await;
}

/// The same as prepared statements, where MySQL prepares them.
#[tokio::test]
async fn session_statements_prepared() {
    compare_sessions(true).await;
}

async fn compare_sessions(prepared: bool) {
    let plain = plain();
    plain
        .execute(None, &["CREATE DATABASE IF NOT EXISTS test"])
        .await
        .unwrap();
    let mut differences = Vec::new();
    let list = include_str!("../../statements/sessions.txt");
    let mut pair: Option<(Exchange, Exchange)> = None;
    for (number, line) in list.lines().enumerate() {
        if line.is_empty() {
            pair = None;
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if pair.is_none() {
            let gateway = Exchange::gateway(Cluster::shared(), "test").await.unwrap();
            pair = Some((gateway, Exchange::plain(plain, "test").await.unwrap()));
        }
        let (gateway, reference) = pair.as_mut().unwrap();
        for text in [line, "SHOW WARNINGS"] {
            // What is not prepared leaves an error behind, which these would see.
            let right = match prepared && text == line && !keeps_warnings(line) {
                true => reference.run_prepared(text).await.unwrap(),
                false => None,
            };
            let (got, right) = match right {
                Some(right) => (
                    gateway.run_prepared(text).await.unwrap().unwrap_or_default(),
                    right,
                ),
                None => (
                    gateway.run(text).await.unwrap(),
                    reference.run(text).await.unwrap(),
                ),
            };
            // Texts of errors are for people.
            if got != right && !(text != line && got.len() == 1 && has_error(&right)) {
                differences.push(format!(
                    "line {}: {line}\n{text}\n  {got:?}\n  right: {right:?}",
                    number + 1
                ));
            }
            if keeps_warnings(line) {
                break;
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

/// Whether a statement looks at the diagnostics area, which nothing else may do before.
fn keeps_warnings(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    [
        "show warnings",
        "show count",
        "@@warning_count",
        "@@error_count",
        "select nope",
    ]
    .iter()
    .any(|word| line.contains(word))
}

fn has_error(warnings: &[String]) -> bool {
    warnings.iter().any(|line| line.contains("Error"))
}
