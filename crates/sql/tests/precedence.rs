//! Operator precedence, decided by a real MySQL.
//!
//! `tests/precedence/recorded.txt` has expressions with all parentheses written out as MySQL understands them; `ERROR` stands for a syntax
//! error there. `examples/record_precedence.rs` writes it.

#![allow(clippy::panic, reason = "tests")]

#[path = "support/precedence.rs"]
mod precedence;

use std::collections::HashMap;

use precedence::{MODES, ours};
use sql::mode::LexMode;

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
