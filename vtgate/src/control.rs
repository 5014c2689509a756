//! What other sessions and the gateway itself may do to a session: look at it, interrupt it, end it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Why a session's wait was interrupted. Of several, the later one is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Interrupt {
    /// The statement's time ran out.
    StatementTimeout = 1,
    /// `KILL QUERY`.
    KillQuery = 2,
    /// The gateway drains: end as soon as no statement runs and no transaction is open.
    Drain = 4,
    /// The client was idle for longer than `wait_timeout`.
    IdleTimeout = 8,
    /// The transaction was open for longer than allowed.
    TransactionTimeout = 16,
    /// `KILL CONNECTION`, or the drain time is over.
    KillConnection = 32,
}

/// A set of [`Interrupt`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupts(u8);

impl Interrupts {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// What ends a running statement.
    pub const STATEMENT: Self = Self(
        Interrupt::StatementTimeout as u8
            | Interrupt::KillQuery as u8
            | Interrupt::TransactionTimeout as u8
            | Interrupt::KillConnection as u8,
    );
    /// What ends the wait for a primary.
    pub const HELD: Self = Self(Self::STATEMENT.0 | Interrupt::Drain as u8);
    /// What ends an idle session.
    pub const IDLE: Self = Self(
        Interrupt::Drain as u8
            | Interrupt::IdleTimeout as u8
            | Interrupt::TransactionTimeout as u8
            | Interrupt::KillConnection as u8,
    );
    /// What ends an idle session that has a transaction open.
    pub const IDLE_IN_TRANSACTION: Self = Self(
        Interrupt::IdleTimeout as u8 | Interrupt::TransactionTimeout as u8 | Interrupt::KillConnection as u8,
    );

    fn strongest(self) -> Option<Interrupt> {
        [
            Interrupt::KillConnection,
            Interrupt::TransactionTimeout,
            Interrupt::IdleTimeout,
            Interrupt::Drain,
            Interrupt::KillQuery,
            Interrupt::StatementTimeout,
        ]
        .into_iter()
        .find(|interrupt| self.0 & *interrupt as u8 != 0)
    }
}

/// What `SHOW PROCESSLIST` tells of a session.
#[derive(Debug, Clone)]
pub struct Activity {
    /// The selected database as the client wrote it, or none.
    pub database: Option<Arc<str>>,
    /// `Sleep`, `Query`, `Execute`, ...
    pub command: &'static str,
    /// Since when.
    pub since: Instant,
    /// The statement, cut to [`INFO_BYTES_MAX`].
    pub info: Option<Vec<u8>>,
}

/// Bytes of a statement kept for `SHOW PROCESSLIST`.
pub const INFO_BYTES_MAX: usize = 1024;

/// The shared part of a session. Everything else of it belongs to one worker thread.
#[derive(Debug)]
pub struct SessionControl {
    /// Connection id as the client sees it.
    pub id: u32,
    /// Authenticated user.
    user: Mutex<Arc<str>>,
    /// Client address, `host:port`, or `localhost`.
    pub host: String,
    interrupt: AtomicU8,
    wake: Notify,
    /// When the running statement has to be done, ms since the gateway's start; 0 for never.
    statement_deadline_ms: AtomicU64,
    /// When the open transaction has to be done.
    transaction_deadline_ms: AtomicU64,
    /// When the idle client is sent away; 0 while a statement runs.
    idle_deadline_ms: AtomicU64,
    activity: Mutex<Activity>,
}

impl SessionControl {
    /// Asks the session for something.
    pub fn interrupt(&self, what: Interrupt) {
        self.interrupt.fetch_or(what as u8, Ordering::AcqRel);
        self.wake.notify_one();
    }

    /// The strongest of `among` that is asked now.
    pub fn asked(&self, among: Interrupts) -> Option<Interrupt> {
        Interrupts(self.interrupt.load(Ordering::Acquire) & among.0).strongest()
    }

    /// Takes back what concerned a statement that has ended.
    pub fn statement_ended(&self) {
        self.interrupt.fetch_and(
            !(Interrupt::StatementTimeout as u8 | Interrupt::KillQuery as u8),
            Ordering::AcqRel,
        );
    }

    /// Waits until one of `among` is asked. Cancel safety: yes; a request stays readable by [`Self::asked`].
    pub async fn interrupted(&self, among: Interrupts) -> Interrupt {
        loop {
            if let Some(asked) = self.asked(among) {
                return asked;
            }
            self.wake.notified().await;
        }
    }

    /// Sets the deadlines of a statement that begins now.
    ///
    /// What was asked of the statement before came too late, as in MySQL.
    pub fn begin(&self, command: &'static str, text: &[u8], statement_deadline_ms: u64) {
        self.statement_ended();
        self.idle_deadline_ms.store(0, Ordering::Relaxed);
        self.statement_deadline_ms
            .store(statement_deadline_ms, Ordering::Relaxed);
        let mut activity = self.activity.lock();
        activity.command = command;
        activity.since = Instant::now();
        activity.info = Some(text[..text.len().min(INFO_BYTES_MAX)].to_vec());
    }

    /// Marks the session idle.
    pub fn idle(&self, idle_deadline_ms: u64) {
        self.statement_deadline_ms.store(0, Ordering::Relaxed);
        self.idle_deadline_ms.store(idle_deadline_ms, Ordering::Relaxed);
        let mut activity = self.activity.lock();
        activity.command = "Sleep";
        activity.since = Instant::now();
        activity.info = None;
    }

    /// Sets or clears (0) the open transaction's deadline.
    pub fn transaction_deadline(&self, deadline_ms: u64) {
        self.transaction_deadline_ms.store(deadline_ms, Ordering::Relaxed);
    }

    /// Whether a deadline of an open transaction is set.
    pub fn has_transaction_deadline(&self) -> bool {
        self.transaction_deadline_ms.load(Ordering::Relaxed) != 0
    }

    /// Tells what `SHOW PROCESSLIST` shows as database.
    pub fn database(&self, database: Option<Arc<str>>) {
        self.activity.lock().database = database;
    }

    /// The user that it is logged in as.
    pub fn user(&self) -> Arc<str> {
        self.user.lock().clone()
    }

    /// COM_CHANGE_USER has logged in another user.
    pub fn set_user(&self, user: &str) {
        *self.user.lock() = user.into();
    }

    /// A copy of what the session does now.
    pub fn activity(&self) -> Activity {
        self.activity.lock().clone()
    }

    /// Interrupts the session if one of its deadlines has passed.
    fn check_deadlines(&self, now_ms: u64) {
        let passed = |deadline: &AtomicU64| {
            let at = deadline.load(Ordering::Relaxed);
            at != 0 && at <= now_ms
        };
        if passed(&self.statement_deadline_ms) {
            self.statement_deadline_ms.store(0, Ordering::Relaxed);
            self.interrupt(Interrupt::StatementTimeout);
        }
        if passed(&self.transaction_deadline_ms) {
            self.interrupt(Interrupt::TransactionTimeout);
        }
        if passed(&self.idle_deadline_ms) {
            self.interrupt(Interrupt::IdleTimeout);
        }
    }
}

/// All client sessions of the gateway.
#[derive(Debug)]
pub struct Sessions {
    started: Instant,
    next_id: AtomicU32,
    connections_max: usize,
    draining: std::sync::atomic::AtomicBool,
    /// `None` while a connection still authenticates: it has its id, and counts.
    by_id: Mutex<HashMap<u32, Option<Arc<SessionControl>>>>,
}

impl Sessions {
    /// An empty registry that admits `connections_max` connections.
    pub fn new(connections_max: usize) -> Self {
        Self {
            started: Instant::now(),
            next_id: AtomicU32::new(0),
            connections_max,
            draining: std::sync::atomic::AtomicBool::new(false),
            by_id: Mutex::new(HashMap::new()),
        }
    }

    /// Milliseconds since the gateway's start, never 0: the clock of all deadlines.
    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis())
            .unwrap_or(u64::MAX)
            .saturating_add(1)
    }

    /// Seconds since the gateway's start.
    pub fn uptime_s(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    /// Gives a new connection its id, or none when there are too many.
    pub fn admit(&self) -> Option<u32> {
        let mut by_id = self.by_id.lock();
        if by_id.len() >= self.connections_max {
            return None;
        }
        loop {
            let id = self.next_id.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
            if id != 0 && !by_id.contains_key(&id) {
                by_id.insert(id, None);
                return Some(id);
            }
        }
    }

    /// Registers an authenticated session under the id it was admitted with.
    pub fn register(&self, id: u32, user: String, host: String) -> Arc<SessionControl> {
        let control = Arc::new(SessionControl {
            id,
            user: Mutex::new(user.into()),
            host,
            interrupt: AtomicU8::new(0),
            wake: Notify::new(),
            statement_deadline_ms: AtomicU64::new(0),
            transaction_deadline_ms: AtomicU64::new(0),
            idle_deadline_ms: AtomicU64::new(0),
            activity: Mutex::new(Activity {
                database: None,
                command: "Sleep",
                since: Instant::now(),
                info: None,
            }),
        });
        self.by_id.lock().insert(id, Some(control.clone()));
        if self.draining.load(Ordering::Acquire) {
            control.interrupt(Interrupt::Drain);
        }
        control
    }

    /// Forgets a connection.
    pub fn remove(&self, id: u32) {
        self.by_id.lock().remove(&id);
    }

    /// Connections, those that authenticate included.
    pub fn count(&self) -> usize {
        self.by_id.lock().len()
    }

    /// The session of a connection id.
    pub fn get(&self, id: u32) -> Option<Arc<SessionControl>> {
        self.by_id.lock().get(&id).cloned().flatten()
    }

    /// All authenticated sessions by id.
    pub fn all(&self) -> Vec<Arc<SessionControl>> {
        let mut all: Vec<_> = self.by_id.lock().values().flatten().cloned().collect();
        all.sort_by_key(|control| control.id);
        all
    }

    /// Interrupts every session whose deadline has passed. Called a few times a second.
    pub fn check_deadlines(&self) {
        let now_ms = self.now_ms();
        for control in self.by_id.lock().values().flatten() {
            control.check_deadlines(now_ms);
        }
    }

    /// From now on new sessions are refused, and every idle one ends.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        self.interrupt_all(Interrupt::Drain);
    }

    /// Whether [`Self::drain`] was called.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Asks the same of every session.
    pub fn interrupt_all(&self, what: Interrupt) {
        for control in self.by_id.lock().values().flatten() {
            control.interrupt(what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_shows_whom_it_was_changed_to() {
        let sessions = Sessions::new(10);
        let id = sessions.admit().unwrap();
        let control = sessions.register(id, "before".to_owned(), "localhost".to_owned());
        control.set_user("after");
        assert_eq!(&*sessions.get(id).unwrap().user(), "after");
    }

    #[test]
    fn a_kill_of_an_idle_session_stops_no_later_statement() {
        let sessions = Sessions::new(10);
        let id = sessions.admit().unwrap();
        let control = sessions.register(id, "user".to_owned(), "localhost".to_owned());
        control.interrupt(Interrupt::KillQuery);
        control.begin("Query", b"SELECT 1", 0);
        assert_eq!(control.asked(Interrupts::STATEMENT), None);
        control.interrupt(Interrupt::KillConnection);
        control.begin("Query", b"SELECT 1", 0);
        assert_eq!(
            control.asked(Interrupts::STATEMENT),
            Some(Interrupt::KillConnection)
        );
    }
}
