//! Operator precedence, decided by a real MySQL.
//!
//! `tests/precedence/recorded.txt` has expressions with all parentheses written out as MySQL understands them: the recorder has asked a server
//! for the values of both forms over a few hundred rows, and they were equal; `ERROR` stands for a syntax error there. The recorder runs by
//! `VITRAIL_TEST_MYSQL='mysql -uroot -S ...' cargo test -p sql --test precedence -- --ignored`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "tests")]

#[path = "support/parens.rs"]
mod parens;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use sql::ast::{SelectItem, SetExpr, StatementKind};
use sql::lexer::LexOptions;
use sql::mode::LexMode;
use sql::parser::parse;

const MODES: [(&str, &str, LexMode); 3] = [
    ("default", "", LexMode::NONE),
    ("pipes", "PIPES_AS_CONCAT", LexMode::PIPES_AS_CONCAT),
    ("highnot", "HIGH_NOT_PRECEDENCE", LexMode::HIGH_NOT_PRECEDENCE),
];

const INFIX: [&str; 30] = [
    "OR",
    "||",
    "XOR",
    "AND",
    "&&",
    "=",
    "<=>",
    "<>",
    "<",
    ">=",
    "|",
    "&",
    "<<",
    ">>",
    "+",
    "-",
    "*",
    "/",
    "%",
    "DIV",
    "MOD",
    "^",
    "LIKE",
    "NOT LIKE",
    "REGEXP",
    "RLIKE",
    "SOUNDS LIKE",
    "IN",
    "BETWEEN",
    "NOT IN",
];
const PREFIX: [&str; 6] = ["-", "+", "~", "!", "NOT", "BINARY"];
const POSTFIX: [&str; 6] = [
    "IS NULL",
    "IS NOT TRUE",
    "IS UNKNOWN",
    "COLLATE utf8mb4_bin",
    "IN (1, 2)",
    "BETWEEN 1 AND 2",
];

/// `left operator right`, with the operators that have more than that.
fn infix(operator: &str, left: &str, right: &str) -> String {
    match operator {
        "IN" | "NOT IN" => format!("{left} {operator} ({right}, 2)"),
        "BETWEEN" => format!("{left} BETWEEN 1 AND {right}"),
        _ => format!("{left} {operator} {right}"),
    }
}

/// Every pair of operators in both orders, and some longer ones.
fn expressions(mode: LexMode) -> Vec<String> {
    let mut all = Vec::new();
    let special = match mode {
        LexMode::PIPES_AS_CONCAT => Some("||"),
        LexMode::HIGH_NOT_PRECEDENCE => Some("NOT"),
        _ => None,
    };
    for first in INFIX {
        for second in INFIX {
            all.push(infix(second, &infix(first, "a", "b"), "c"));
        }
        for prefix in PREFIX {
            all.push(infix(first, &format!("{prefix} a"), "b"));
            all.push(infix(first, "a", &format!("{prefix} b")));
        }
        for postfix in POSTFIX {
            all.push(format!("{} {postfix}", infix(first, "a", "b")));
            all.push(infix(first, &format!("a {postfix}"), "b"));
        }
        all.push(infix(first, "a", "@v := b + c"));
        all.push(infix(first, "-1", "-2"));
        all.push(infix(first, "a", "b LIKE c ESCAPE '|'"));
        all.push(infix(first, "'2020-01-01' + INTERVAL a DAY", "b"));
        all.push(infix(first, "INTERVAL a DAY + '2020-01-01'", "b"));
        all.push(infix(first, "'2020-01-01' - INTERVAL a", "b DAY"));
        all.push(infix(first, "INTERVAL(a, b)", "c"));
        all.push(infix(first, "CASE a WHEN b THEN 1 ELSE 2 END", "c"));
    }
    for prefix in PREFIX {
        for second in PREFIX {
            all.push(format!("{prefix} {second} a"));
        }
        for postfix in POSTFIX {
            all.push(format!("{prefix} a {postfix}"));
        }
    }
    for postfix in POSTFIX {
        for second in POSTFIX {
            all.push(format!("a {postfix} {second}"));
        }
    }
    all.retain(|text| special.is_none_or(|special| text.contains(special)));
    all
}

/// What our parser makes of an expression.
fn ours(expression: &str, mode: LexMode) -> String {
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
    let StatementKind::Query(query) = &statement.kind else {
        panic!("{text}")
    };
    let SetExpr::Select(select) = &query.body else {
        panic!("{text}")
    };
    match select.items.as_slice() {
        [
            SelectItem::Expr {
                expr, alias: None, ..
            },
        ] => parens::parenthesise(expr, text.as_bytes()),
        _ => "ERROR".to_owned(),
    }
}

#[test]
fn recorded_answers() {
    let recorded = include_str!("precedence/recorded.txt");
    let modes: HashMap<&str, LexMode> = MODES.iter().map(|(name, _, mode)| (*name, *mode)).collect();
    let mut seen = 0;
    for line in recorded.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [mode, expression, expected] = fields[..] else {
            panic!("{line}")
        };
        assert_eq!(ours(expression, modes[mode]), expected, "{mode}: {expression}");
        seen += 1;
    }
    assert!(seen > 1500, "{seen}");
}

/// The values of SELECT expressions over the test rows, by line; a line without one had a syntax error, other errors count as a value.
fn ask(client: &str, sql_mode: &str, expressions: &[String]) -> Vec<Option<String>> {
    let mut script = format!(
        "SET sql_mode='{sql_mode}'; SET group_concat_max_len=10000000; CREATE DATABASE IF NOT EXISTS vitrail_precedence; \
         USE vitrail_precedence; CREATE TEMPORARY TABLE v (a INT, b INT, c INT); INSERT INTO v WITH n (n) AS (VALUES ROW(NULL), \
         ROW(0), ROW(1), ROW(2), ROW(3), ROW(7)) SELECT x.n, y.n, z.n FROM n x, n y, n z;\n"
    );
    for expression in expressions {
        writeln!(
            script,
            "SELECT SHA2(GROUP_CONCAT(IFNULL(({expression}), 'NULL') ORDER BY a, b, c), 256) FROM v;"
        )
        .unwrap();
    }
    let mut words = client.split_whitespace();
    let mut child = Command::new(words.next().unwrap())
        .args(words)
        .args([
            "--force",
            "--batch",
            "--skip-column-names",
            "--line-numbers",
            "-vv",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(script.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let mut answers: Vec<Option<String>> = vec![None; expressions.len()];
    // With -vv the client repeats every statement between lines of dashes before its result.
    let mut current = 0;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if line.starts_with("SELECT SHA2(") {
            current += 1;
        } else if current > 0 && line.len() == 64 {
            answers[current - 1] = Some(line.to_owned());
        }
    }
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        if let Some((error, rest)) = line.strip_prefix("ERROR ").and_then(|line| line.split_once(" (")) {
            let number = rest
                .split_once("at line ")
                .unwrap()
                .1
                .split(':')
                .next()
                .unwrap()
                .parse::<usize>()
                .unwrap();
            let index = number.checked_sub(2).unwrap_or_else(|| panic!("{line}"));
            answers[index] = (error != "1064").then(|| format!("error {error}"));
        }
    }
    answers
}

#[test]
#[ignore = "needs a MySQL server"]
fn record() {
    let client = std::env::var("VITRAIL_TEST_MYSQL").unwrap();
    let mut recorded = String::new();
    let mut wrong = 0;
    for (name, sql_mode, mode) in MODES {
        let all = expressions(mode);
        let parenthesised: Vec<String> = all.iter().map(|expression| ours(expression, mode)).collect();
        let answers = ask(&client, sql_mode, &all);
        // What we reject is asked as it is: MySQL must reject it, too.
        let asked: Vec<String> = parenthesised
            .iter()
            .zip(&all)
            .map(|(ours, text)| {
                if ours == "ERROR" {
                    text.clone()
                } else {
                    ours.clone()
                }
            })
            .collect();
        let ours_answers = ask(&client, sql_mode, &asked);
        for index in 0..all.len() {
            let (expression, ours) = (&all[index], &parenthesised[index]);
            let agrees = match (&answers[index], ours.as_str()) {
                (None, "ERROR") => true,
                (None, _) | (_, "ERROR") => false,
                (answer, _) => *answer == ours_answers[index],
            };
            if agrees {
                writeln!(recorded, "{name}\t{expression}\t{ours}").unwrap();
            } else {
                wrong += 1;
                eprintln!(
                    "{name}: {expression} => {ours}: {:?} {:?}",
                    answers[index], ours_answers[index]
                );
            }
        }
    }
    std::fs::write(
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/precedence/recorded.txt"),
        recorded,
    )
    .unwrap();
    assert_eq!(wrong, 0, "disagreements");
}
