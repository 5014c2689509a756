//! Statements that wait for a shard's primary: how many there are, and which limit the next one would pass.
//!
//! Only the accounting is here; `session/hold.rs` does the waiting.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

/// Limits of holding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferLimits {
    /// How long a statement is held at most; zero switches holding off.
    pub window: Duration,
    /// Statements held per shard at most.
    pub statements: usize,
    /// Bytes of the statements held per shard at most, parameters included.
    pub bytes: usize,
}

/// Why a statement is not held, or not any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The window is over.
    Window(Duration),
    /// So many statements are held for the shard already.
    Statements(usize),
    /// The held statements of the shard would have more bytes than so many.
    Bytes(usize),
}

/// Labels of [`Refusal`]s and, as the last one, of waits that the client, KILL, a time limit or a drain has ended.
pub const REASONS: [&str; 4] = ["window", "statements", "bytes", "interrupted"];

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window(window) => write!(f, "the statement waited for {window:?} (--buffer-window)"),
            Self::Statements(most) => {
                write!(f, "{most} statements wait for it already (--buffer-statements)")
            }
            Self::Bytes(most) => {
                write!(f, "statements of {most} bytes may wait for it (--buffer-bytes)")
            }
        }
    }
}

/// What is held for one shard.
#[derive(Debug, Default)]
struct Load {
    statements: usize,
    bytes: usize,
}

/// Keyspace and shard.
type Place = (Arc<str>, Arc<str>);

/// The held statements of all workers.
#[derive(Debug)]
pub struct Buffer {
    limits: BufferLimits,
    shards: Mutex<HashMap<Place, Load>>,
    holds: AtomicU64,
    released: AtomicU64,
    refused: [AtomicU64; REASONS.len()],
}

impl Buffer {
    /// An empty buffer.
    pub fn new(limits: BufferLimits) -> Self {
        Self {
            limits,
            shards: Mutex::default(),
            holds: AtomicU64::new(0),
            released: AtomicU64::new(0),
            refused: Default::default(),
        }
    }

    /// How long a statement may wait; none when holding is switched off.
    pub fn window(&self) -> Option<Duration> {
        Some(self.limits.window).filter(|window| !window.is_zero())
    }

    /// Takes a statement of so many bytes in. It counts until the place is dropped.
    ///
    /// # Errors
    /// The limit that it would pass. A statement that is alone is never too long.
    pub fn admit(&self, keyspace: &Arc<str>, shard: &Arc<str>, bytes: usize) -> Result<Held<'_>, Refusal> {
        let place = (keyspace.clone(), shard.clone());
        let mut shards = self.shards.lock();
        let load = shards.entry(place.clone()).or_default();
        let refused = if load.statements >= self.limits.statements {
            Some(Refusal::Statements(self.limits.statements))
        } else if load.statements > 0 && load.bytes.saturating_add(bytes) > self.limits.bytes {
            Some(Refusal::Bytes(self.limits.bytes))
        } else {
            None
        };
        match refused {
            Some(why) => {
                drop(shards);
                Err(self.refuse(why))
            }
            None => {
                load.statements += 1;
                load.bytes = load.bytes.saturating_add(bytes);
                self.holds.fetch_add(1, Ordering::Relaxed);
                Ok(Held {
                    buffer: self,
                    place,
                    bytes,
                })
            }
        }
    }

    /// Counts a refusal.
    pub fn refuse(&self, why: Refusal) -> Refusal {
        let [window, statements, bytes, _] = &self.refused;
        let counter = match why {
            Refusal::Window(_) => window,
            Refusal::Statements(_) => statements,
            Refusal::Bytes(_) => bytes,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        why
    }

    /// Counts a wait that was ended from outside.
    pub fn interrupted(&self) {
        let [.., interrupted] = &self.refused;
        interrupted.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a statement that goes on.
    pub fn release(&self) {
        self.released.fetch_add(1, Ordering::Relaxed);
    }

    /// Statements held now, and their bytes.
    pub fn held(&self) -> (u64, u64) {
        let shards = self.shards.lock();
        shards.values().fold((0, 0), |(statements, bytes), load| {
            (statements + load.statements as u64, bytes + load.bytes as u64)
        })
    }

    /// Statements ever held, and those that went on.
    pub fn totals(&self) -> (u64, u64) {
        (
            self.holds.load(Ordering::Relaxed),
            self.released.load(Ordering::Relaxed),
        )
    }

    /// Refusals, in the order of [`REASONS`].
    pub fn refusals(&self) -> [u64; REASONS.len()] {
        self.refused
            .each_ref()
            .map(|counter| counter.load(Ordering::Relaxed))
    }
}

/// A held statement's place.
#[derive(Debug)]
pub struct Held<'b> {
    buffer: &'b Buffer,
    place: Place,
    bytes: usize,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut shards = self.buffer.shards.lock();
        if let Some(load) = shards.get_mut(&self.place) {
            load.statements = load.statements.saturating_sub(1);
            load.bytes = load.bytes.saturating_sub(self.bytes);
            if load.statements == 0 {
                shards.remove(&self.place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(statements: usize, bytes: usize) -> Buffer {
        Buffer::new(BufferLimits {
            window: Duration::from_secs(10),
            statements,
            bytes,
        })
    }

    #[test]
    fn each_shard_has_its_own_limits() {
        let buffer = buffer(2, 1000);
        let (keyspace, low, high): (Arc<str>, Arc<str>, Arc<str>) = ("k".into(), "-80".into(), "80-".into());
        let first = buffer.admit(&keyspace, &low, 10).unwrap();
        let _second = buffer.admit(&keyspace, &low, 10).unwrap();
        assert_eq!(
            buffer.admit(&keyspace, &low, 10).unwrap_err(),
            Refusal::Statements(2)
        );
        let _other = buffer.admit(&keyspace, &high, 10).unwrap();
        assert_eq!(buffer.held(), (3, 30));
        drop(first);
        let _third = buffer.admit(&keyspace, &low, 10).unwrap();
        assert_eq!((buffer.held(), buffer.totals()), ((3, 30), (4, 0)));
    }

    #[test]
    fn bytes_are_limited_but_for_a_statement_alone() {
        let buffer = buffer(10, 100);
        let (keyspace, shard): (Arc<str>, Arc<str>) = ("k".into(), "-".into());
        let long = buffer.admit(&keyspace, &shard, 5000).unwrap();
        assert_eq!(
            buffer.admit(&keyspace, &shard, 1).unwrap_err(),
            Refusal::Bytes(100)
        );
        drop(long);
        let _half = buffer.admit(&keyspace, &shard, 50).unwrap();
        let _other = buffer.admit(&keyspace, &shard, 50).unwrap();
        buffer.admit(&keyspace, &shard, 1).unwrap_err();
        assert_eq!(buffer.refusals(), [0, 0, 2, 0]);
    }

    #[test]
    fn nothing_is_left_of_a_shard_that_nobody_waits_for() {
        let buffer = buffer(10, 100);
        let (keyspace, shard): (Arc<str>, Arc<str>) = ("k".into(), "-".into());
        drop(buffer.admit(&keyspace, &shard, 5).unwrap());
        assert!(buffer.shards.lock().is_empty());
        buffer.release();
        buffer.interrupted();
        assert_eq!((buffer.totals(), buffer.refusals()), ((1, 1), [0, 0, 0, 1]));
    }

    #[test]
    fn limits_are_told_in_words() {
        let told = Refusal::Window(Duration::from_millis(1500)).to_string();
        assert_eq!(told, "the statement waited for 1.5s (--buffer-window)");
    }
}
