//! For how long clients cannot write when the primary changes.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;

use super::plan::{Fault, Part, Plan, Tail, Victim};
use super::report::{median, ms};
use super::round::{Ground, Report};
use super::table::Digest;
use crate::cluster::{Cluster, manifest};

/// How long a member that is lost stays away: longer than it takes to replace it.
const AWAY: Duration = Duration::from_secs(6);

/// What is measured, by the name in the table.
const CASES: [(&str, Fault, Duration); 5] = [
    ("planned handover", Fault::Handover, Duration::ZERO),
    ("kill -9 of mysqld", Fault::Kill(Part::Mysqld), Duration::ZERO),
    ("kill -9 of the whole member", Fault::Down, AWAY),
    ("SIGSTOP of the whole member", Fault::Freeze(Part::Member), AWAY),
    (
        "kill -9 with unacknowledged commits",
        Fault::Tail(Tail::Rows),
        AWAY,
    ),
];

/// Results, as they are written to a file.
#[derive(Debug, Serialize)]
struct Results {
    clients: u32,
    rounds: u64,
    cases: Vec<Case>,
}

/// The rounds of one kind.
#[derive(Debug, Serialize)]
struct Case {
    name: &'static str,
    /// Longest times without any OK.
    outages_ms: Vec<u64>,
    /// Longest times in which one client got no OK.
    outages_of_one_ms: Vec<u64>,
    /// Until the former primary followed the new one, from the moment that it could run again.
    back_ms: Vec<u64>,
    /// Errors that clients got, in all rounds together.
    errors: u64,
    acked: u64,
}

/// Measures every case `rounds` times, in turn, on a cluster of its own.
///
/// # Errors
/// When a round fails, or anything acknowledged is missing behind it.
pub async fn run(rounds: u64, json: Option<&Path>, mut tell: impl FnMut(&str)) -> Result<()> {
    let cluster = tokio::task::block_in_place(|| Cluster::start(&manifest("faults")))?;
    let mut ground = Ground::new(cluster, false, (Digest::default(), 1)).await?;
    let mut cases = CASES.map(|(name, ..)| Case {
        name,
        outages_ms: Vec::new(),
        outages_of_one_ms: Vec::new(),
        back_ms: Vec::new(),
        errors: 0,
        acked: 0,
    });
    for _ in 0..rounds {
        for (case, (_, fault, lasts)) in cases.iter_mut().zip(CASES) {
            let report = ground.run(&Plan::of(fault, Victim::Primary, lasts)).await?;
            ensure!(
                report.violations.is_empty() && !report.refused(),
                "{}: {:?} {:?}",
                case.name,
                report.violations,
                report.notes
            );
            case.add(&report);
        }
    }
    tell(&table(&cases));
    if let Some(path) = json {
        let results = Results {
            clients: super::history::CLIENTS,
            rounds,
            cases: cases.into(),
        };
        std::fs::write(path, serde_json::to_string_pretty(&results)? + "\n")?;
    }
    Ok(())
}

impl Case {
    fn add(&mut self, report: &Report) {
        self.outages_ms.push(ms(report.noticed.outage));
        self.outages_of_one_ms.push(ms(report.noticed.outage_of_one));
        self.back_ms.push(ms(report.healed));
        self.errors += report.noticed.errors.values().sum::<u64>();
        self.acked += report.noticed.acked;
    }
}

fn table(cases: &[Case]) -> String {
    let mut out = format!(
        "{:36} {:>14} {:>11} {:>14} {:>12} {:>7}\n",
        "no client can write: milliseconds", "median", "maximum", "one client max", "healed after", "errors"
    );
    for case in cases {
        out.push_str(&format!(
            "{:36} {:>14} {:>11} {:>14} {:>12} {:>7}\n",
            case.name,
            median(&case.outages_ms),
            case.outages_ms.iter().max().copied().unwrap_or(0),
            case.outages_of_one_ms.iter().max().copied().unwrap_or(0),
            median(&case.back_ms),
            case.errors
        ));
    }
    out
}
