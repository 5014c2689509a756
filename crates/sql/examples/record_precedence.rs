//! Writes `tests/precedence/recorded.txt`: expressions with all parentheses written out as MySQL understands them.
//!
//! A server is asked for the values of both forms over a few hundred rows, and they have to be equal; `ERROR` stands for a syntax error.
//! `cargo run -p sql --example record_precedence -- mysql -uroot -S ...`

#![allow(clippy::print_stderr, reason = "it says what disagrees")]

#[path = "../tests/support/precedence.rs"]
mod precedence;

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use precedence::{MODES, ours};
use sql::mode::LexMode;

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

/// The values of SELECT expressions over the test rows, by line; a line without one had a syntax error, other errors count as a value.
fn ask(
    client: &[String],
    sql_mode: &str,
    expressions: &[String],
) -> Result<Vec<Option<String>>, Box<dyn Error>> {
    let mut script = format!(
        "SET sql_mode='{sql_mode}'; SET group_concat_max_len=10000000; CREATE DATABASE IF NOT EXISTS vitrail_precedence; \
         USE vitrail_precedence; CREATE TEMPORARY TABLE v (a INT, b INT, c INT); INSERT INTO v WITH n (n) AS (VALUES ROW(NULL), \
         ROW(0), ROW(1), ROW(2), ROW(3), ROW(7)) SELECT x.n, y.n, z.n FROM n x, n y, n z;\n"
    );
    for expression in expressions {
        writeln!(
            script,
            "SELECT SHA2(GROUP_CONCAT(IFNULL(({expression}), 'NULL') ORDER BY a, b, c), 256) FROM v;"
        )?;
    }
    let (program, args) = client
        .split_first()
        .ok_or("the client and its arguments are missing")?;
    let mut child = Command::new(program)
        .args(args)
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
        .spawn()?;
    let mut stdin = child.stdin.take().ok_or("no standard input")?;
    let writer = std::thread::spawn(move || stdin.write_all(script.as_bytes()));
    let output = child.wait_with_output()?;
    writer.join().map_err(|_| "the writer failed")??;
    let mut answers: Vec<Option<String>> = vec![None; expressions.len()];
    // With -vv the client repeats every statement between lines of dashes before its result.
    let mut current = 0_usize;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if line.starts_with("SELECT SHA2(") {
            current += 1;
        } else if line.len() == 64
            && let Some(answer) = current.checked_sub(1).and_then(|index| answers.get_mut(index))
        {
            *answer = Some(line.to_owned());
        }
    }
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        let Some((error, rest)) = line.strip_prefix("ERROR ").and_then(|line| line.split_once(" (")) else {
            continue;
        };
        let number = rest
            .split_once("at line ")
            .and_then(|(_, rest)| rest.split(':').next()?.parse::<usize>().ok());
        // The first line is the setup.
        let answer = number
            .and_then(|number| answers.get_mut(number.checked_sub(2)?))
            .ok_or(line)?;
        *answer = (error != "1064").then(|| format!("error {error}"));
    }
    Ok(answers)
}

fn main() -> Result<(), Box<dyn Error>> {
    let client: Vec<String> = std::env::args().skip(1).collect();
    let (mut recorded, mut wrong) = (String::new(), 0);
    for (name, sql_mode, mode) in MODES {
        let all = expressions(mode);
        let parenthesised: Vec<String> = all.iter().map(|expression| ours(expression, mode)).collect();
        let answers = ask(&client, sql_mode, &all)?;
        // What we reject is asked as it is: MySQL must reject it, too.
        let asked: Vec<String> = parenthesised
            .iter()
            .zip(&all)
            .map(|(ours, text)| if ours == "ERROR" { text } else { ours }.clone())
            .collect();
        let our_answers = ask(&client, sql_mode, &asked)?;
        let pairs = answers.iter().zip(&our_answers);
        for ((expression, ours), (theirs, of_ours)) in all.iter().zip(&parenthesised).zip(pairs) {
            let agrees = match (theirs, ours.as_str()) {
                (None, "ERROR") => true,
                (None, _) | (_, "ERROR") => false,
                (answer, _) => answer == of_ours,
            };
            if agrees {
                writeln!(recorded, "{name}\t{expression}\t{ours}")?;
            } else {
                wrong += 1;
                eprintln!("{name}: {expression} => {ours}: {theirs:?} {of_ours:?}");
            }
        }
    }
    std::fs::write(
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/precedence/recorded.txt"),
        recorded,
    )?;
    match wrong {
        0 => Ok(()),
        _ => Err(format!("{wrong} disagreements").into()),
    }
}
