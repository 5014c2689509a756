//! Rounds as people read them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::history::Noticed;
use super::round::Report;

/// What one kind of fault did in all its rounds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Write outages of its rounds, in milliseconds.
    pub outages_ms: Vec<u64>,
    /// Times until the shard was healthy again, in milliseconds.
    pub healed_ms: Vec<u64>,
    /// Rounds in which something was wrong.
    pub failed: u64,
    /// Errors that clients got.
    pub errors: u64,
}

/// Tallies by the name of the fault.
pub type Tallies = BTreeMap<String, Tally>;

impl Tally {
    /// Adds a round.
    pub fn add(&mut self, report: &Report) {
        self.outages_ms.push(ms(report.noticed.outage));
        self.healed_ms.push(ms(report.healed));
        self.failed += u64::from(!report.violations.is_empty());
        self.errors += report.noticed.errors.values().sum::<u64>();
    }
}

/// Milliseconds for tables.
pub fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The middle of some numbers: of an even count, the higher of the two.
pub fn median(numbers: &[u64]) -> u64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}

/// A round in one line.
pub fn line(round: u64, report: &Report) -> String {
    format!(
        "{round:4}  {:58} {:9} outage {:6} ms  healed {:6} ms  acked {:5}  errors {}{}",
        report.plan.to_string(),
        report.primary,
        ms(report.noticed.outage),
        ms(report.healed),
        report.noticed.acked,
        errors(&report.noticed),
        if report.violations.is_empty() {
            ""
        } else {
            "  FAILED"
        }
    )
}

fn errors(noticed: &Noticed) -> String {
    if noticed.errors.is_empty() {
        return "none".to_owned();
    }
    let counts: Vec<String> = noticed
        .errors
        .iter()
        .map(|(told, count)| format!("{told} x{count}"))
        .collect();
    counts.join(", ")
}

/// All kinds of faults, one line each.
pub fn table(tallies: &Tallies) -> String {
    let mut out = format!(
        "{:18} {:>6} {:>14} {:>11} {:>14} {:>7} {:>7}\n",
        "fault", "rounds", "median outage", "max outage", "median healed", "errors", "failed"
    );
    for (name, tally) in tallies {
        out.push_str(&format!(
            "{name:18} {:>6} {:>11} ms {:>8} ms {:>11} ms {:>7} {:>7}\n",
            tally.outages_ms.len(),
            median(&tally.outages_ms),
            tally.outages_ms.iter().max().copied().unwrap_or(0),
            median(&tally.healed_ms),
            tally.errors,
            tally.failed
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_need_no_order() {
        assert_eq!(median(&[]), 0);
        assert_eq!(median(&[9]), 9);
        assert_eq!(median(&[9, 1, 5]), 5);
        assert_eq!(median(&[9, 1, 5, 2]), 5);
    }

    #[test]
    fn a_table_names_each_fault() {
        let tally = Tally {
            outages_ms: vec![100, 300, 200],
            healed_ms: vec![5, 6, 7],
            failed: 0,
            errors: 12,
        };
        let table = table(&Tallies::from([("kill-mysqld".to_owned(), tally)]));
        let row: Vec<&str> = table.lines().nth(1).unwrap_or("").split_whitespace().collect();
        assert_eq!(
            row,
            ["kill-mysqld", "3", "200", "ms", "300", "ms", "6", "ms", "12", "0"]
        );
    }
}
