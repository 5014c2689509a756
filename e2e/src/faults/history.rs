//! What clients did and what they were told.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Number of clients that write through the gateway. Who writes past it has a higher number.
pub const CLIENTS: u32 = 8;

/// What a client was told instead of OK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// An error packet with this number.
    Code(u16),
    /// Its connection ended.
    Gone,
    /// Nothing, for as long as it waited.
    Silence,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "{code}"),
            Self::Gone => f.write_str("gone"),
            Self::Silence => f.write_str("silence"),
        }
    }
}

/// What a client knows of its write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It got OK: the write must be there.
    Acked,
    /// It got an error that says that nothing was written, or never sent COMMIT: the write must not be there, ever.
    Refused(Told),
    /// It may be there or not.
    Unknown(Told),
}

/// A write of one row or, in a transaction, of several.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Who wrote.
    pub writer: u32,
    /// One value per row. No value is ever written twice.
    pub values: Range<u64>,
    /// When it was sent, counted from the beginning of the history.
    pub sent: Duration,
    /// When its outcome was known.
    pub ended: Duration,
    /// The outcome.
    pub outcome: Outcome,
}

/// The attempts of a round, from all who write.
#[derive(Debug)]
pub struct History {
    began: Instant,
    next: Mutex<u64>,
    attempts: Mutex<Vec<Attempt>>,
}

impl History {
    /// An empty history whose first value is `first`.
    pub fn new(first: u64) -> Self {
        Self {
            began: Instant::now(),
            next: Mutex::new(first),
            attempts: Mutex::default(),
        }
    }

    /// Time since it began.
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Values that nobody else gets.
    pub fn take(&self, count: u64) -> Range<u64> {
        let mut next = self.next.lock();
        let first = *next;
        *next += count;
        first..*next
    }

    /// The value that will be given out next.
    pub fn next(&self) -> u64 {
        *self.next.lock()
    }

    /// Adds an attempt that has just ended.
    pub fn record(&self, writer: u32, values: Range<u64>, sent: Duration, outcome: Outcome) {
        let ended = self.now();
        self.attempts.lock().push(Attempt {
            writer,
            values,
            sent,
            ended,
            outcome,
        });
    }

    /// All attempts so far.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.attempts.lock().clone()
    }

    /// Whether each of the clients has sent something after `since` and got OK for it.
    pub fn all_write_since(&self, since: Duration) -> bool {
        let attempts = self.attempts.lock();
        (0..CLIENTS).all(|client| {
            let mut late = attempts.iter().rev().take_while(|a| a.ended >= since);
            late.any(|a| a.writer == client && a.sent >= since && a.outcome == Outcome::Acked)
        })
    }
}

/// What the clients noticed of a fault.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noticed {
    /// Writes that got OK.
    pub acked: u64,
    /// Longest time in which none of them got OK.
    pub outage: Duration,
    /// Longest time in which one and the same of them got no OK.
    pub outage_of_one: Duration,
    /// How often each error came.
    pub errors: BTreeMap<Told, u64>,
}

/// Sums up what the clients of the gateway noticed from `from` on; those who write past it do not count.
pub fn noticed(attempts: &[Attempt], from: Duration) -> Noticed {
    let mut noticed = Noticed::default();
    let mut acks: Vec<(Duration, u32)> = Vec::new();
    for attempt in attempts.iter().filter(|a| a.writer < CLIENTS) {
        match attempt.outcome {
            Outcome::Acked => {
                noticed.acked += 1;
                acks.push((attempt.ended, attempt.writer));
            }
            Outcome::Refused(told) | Outcome::Unknown(told) => {
                *noticed.errors.entry(told).or_default() += 1;
            }
        }
    }
    acks.sort_unstable();
    let mut last = None;
    let mut last_of: BTreeMap<u32, Duration> = BTreeMap::new();
    for (at, client) in acks {
        let gap = |since: Option<Duration>| match since {
            Some(since) if at >= from => at.saturating_sub(since),
            _ => Duration::ZERO,
        };
        noticed.outage = noticed.outage.max(gap(last.replace(at)));
        noticed.outage_of_one = noticed.outage_of_one.max(gap(last_of.insert(client, at)));
    }
    noticed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn attempt(writer: u32, ended: u64, outcome: Outcome) -> Attempt {
        Attempt {
            writer,
            values: ended..ended + 1,
            sent: ms(ended - 1),
            ended: ms(ended),
            outcome,
        }
    }

    #[test]
    fn outages_are_gaps_between_acknowledgements() {
        let refused = Outcome::Refused(Told::Code(1105));
        let attempts = [
            attempt(0, 10, Outcome::Acked),
            attempt(1, 500, Outcome::Acked),
            attempt(0, 510, refused),
            attempt(CLIENTS, 600, Outcome::Acked),
            attempt(1, 700, Outcome::Acked),
            attempt(0, 800, Outcome::Acked),
        ];
        let noticed = noticed(&attempts, ms(501));
        assert_eq!(noticed.acked, 4);
        assert_eq!(
            noticed.outage,
            ms(200),
            "who writes past the gateway does not count"
        );
        assert_eq!(noticed.outage_of_one, ms(790));
        assert_eq!(noticed.errors, BTreeMap::from([(Told::Code(1105), 1)]));
    }

    #[test]
    fn a_client_writes_again_when_it_got_ok_for_what_it_sent_later() {
        let history = History::new(1);
        let since = history.now();
        for client in 0..CLIENTS {
            assert!(!history.all_write_since(since));
            history.record(client, history.take(1), history.now(), Outcome::Acked);
        }
        assert!(history.all_write_since(since));
        assert!(!history.all_write_since(history.now()));
        assert_eq!(history.next(), 9);
    }
}
