//! Compares what clients were told with what is there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::time::Duration;

use super::history::{Attempt, Outcome, Told};

/// A row as it was found. A trigger has noted where it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// What the client wrote.
    pub value: u64,
    /// `server_id` of the server that executed the write.
    pub server: u32,
    /// The newest term whose row that server had then.
    pub term: u64,
}

/// Something that must never be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// A client got OK, and the row is not there.
    Lost {
        /// The value.
        value: u64,
        /// When the client got OK.
        acked: Duration,
    },
    /// A value that was sent once is there several times.
    Twice {
        /// The value.
        value: u64,
        /// How often.
        times: usize,
    },
    /// A client was told that nothing was written, and the row is there.
    Resurrected {
        /// The value.
        value: u64,
        /// What the client was told.
        told: Told,
    },
    /// A part of a transaction is there.
    Torn {
        /// Its first value.
        first: u64,
        /// How many rows it has.
        rows: u64,
        /// How many of them are there.
        found: usize,
    },
    /// A value that nobody wrote.
    Unasked {
        /// The value.
        value: u64,
    },
    /// Two servers executed writes in one term.
    TwoPrimaries {
        /// The term.
        term: u64,
        /// Their `server_id`s.
        servers: Vec<u32>,
    },
    /// A write began after another one was acknowledged in a higher term.
    OldTerm {
        /// Value of the later write.
        value: u64,
        /// Its term.
        term: u64,
        /// Value of the earlier write.
        after: u64,
        /// The earlier write's term.
        higher: u64,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { value, acked } => {
                write!(f, "lost: {value}, acknowledged at {} ms", acked.as_millis())
            }
            Self::Twice { value, times } => write!(f, "{times} times: {value}"),
            Self::Resurrected { value, told } => write!(f, "there in spite of error {told}: {value}"),
            Self::Torn { first, rows, found } => {
                write!(
                    f,
                    "torn: {found} of the {rows} rows that one transaction wrote from {first} on"
                )
            }
            Self::Unasked { value } => write!(f, "never written: {value}"),
            Self::TwoPrimaries { term, servers } => {
                write!(
                    f,
                    "two primaries: servers {servers:?} executed writes in term {term}"
                )
            }
            Self::OldTerm {
                value,
                term,
                after,
                higher,
            } => write!(
                f,
                "old term: {value} was sent and executed in term {term} after {after} had been acknowledged in term {higher}"
            ),
        }
    }
}

/// All violations in a round: `rows` are those that are there in the end, with values from the round's first on.
pub fn check(attempts: &[Attempt], rows: &[Row]) -> Vec<Violation> {
    let mut found: HashMap<u64, Vec<Row>> = HashMap::new();
    for row in rows {
        found.entry(row.value).or_default().push(*row);
    }
    let mut violations = Vec::new();
    for attempt in attempts {
        outcome(attempt, &found, &mut violations);
    }
    let asked: BTreeSet<u64> = attempts.iter().flat_map(|a| a.values.clone()).collect();
    for (value, there) in &found {
        if there.len() > 1 {
            violations.push(Violation::Twice {
                value: *value,
                times: there.len(),
            });
        }
        if !asked.contains(value) {
            violations.push(Violation::Unasked { value: *value });
        }
    }
    servers(rows, &mut violations);
    order(attempts, &found, &mut violations);
    violations
}

fn outcome(attempt: &Attempt, found: &HashMap<u64, Vec<Row>>, violations: &mut Vec<Violation>) {
    let there = attempt.values.clone().filter(|value| found.contains_key(value));
    match attempt.outcome {
        Outcome::Acked => {
            let missing = attempt.values.clone().filter(|value| !found.contains_key(value));
            violations.extend(missing.map(|value| Violation::Lost {
                value,
                acked: attempt.ended,
            }));
        }
        Outcome::Refused(told) => {
            violations.extend(there.map(|value| Violation::Resurrected { value, told }));
        }
        Outcome::Unknown(_) => {
            let (rows, there) = (attempt.values.end - attempt.values.start, there.count());
            if there > 0 && there as u64 != rows {
                violations.push(Violation::Torn {
                    first: attempt.values.start,
                    rows,
                    found: there,
                });
            }
        }
    }
}

/// One server per term.
fn servers(rows: &[Row], violations: &mut Vec<Violation>) {
    let mut by_term: BTreeMap<u64, BTreeSet<u32>> = BTreeMap::new();
    for row in rows {
        by_term.entry(row.term).or_default().insert(row.server);
    }
    for (term, servers) in by_term.into_iter().filter(|(_, servers)| servers.len() > 1) {
        violations.push(Violation::TwoPrimaries {
            term,
            servers: servers.into_iter().collect(),
        });
    }
}

/// Terms follow real time: what is sent after an acknowledgement is executed in no lower term.
fn order(attempts: &[Attempt], found: &HashMap<u64, Vec<Row>>, violations: &mut Vec<Violation>) {
    let term = |attempt: &Attempt| Some(found.get(&attempt.values.start)?.first()?.term);
    let mut acked: Vec<&Attempt> = attempts.iter().filter(|a| a.outcome == Outcome::Acked).collect();
    acked.sort_by_key(|a| a.ended);
    let mut sent: Vec<&Attempt> = attempts.iter().collect();
    sent.sort_by_key(|a| a.sent);
    let mut acked = acked.into_iter().peekable();
    // The highest term that was acknowledged so far, and by which value.
    let mut newest = (0, 0);
    for attempt in sent {
        while let Some(earlier) = acked.next_if(|a| a.ended < attempt.sent) {
            newest = newest.max((term(earlier).unwrap_or(0), earlier.values.start));
        }
        if let Some(term) = term(attempt).filter(|term| *term < newest.0) {
            violations.push(Violation::OldTerm {
                value: attempt.values.start,
                term,
                after: newest.1,
                higher: newest.0,
            });
        }
    }
}

#[cfg(test)]
mod tests;
