//! A tablet's pool of connections in one worker thread.
//!
//! Everything here runs on one thread, so there is no lock and no wake-up of another core. Idle connections are
//! used last in, first out, those with the wanted settings first. Waiters are served in the order they came.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::connection::{Backend, BackendOptions, NoConnection};
use crate::cluster::TabletTarget;
use crate::error;
use crate::metrics::WorkerMetrics;
use crate::settings::Settings;

/// Bounds of a pool.
#[derive(Debug, Clone, Copy)]
pub struct PoolLimits {
    /// Connections at most, idle ones included.
    pub connections_max: usize,
    /// How long a statement waits for one.
    pub wait_max: Duration,
    /// Idle connections older than this are closed.
    pub idle_max: Duration,
}

/// What a waiter is given.
enum Grant {
    /// A connection that became free.
    Connection(Box<Backend>),
    /// The right to open one.
    Slot,
}

/// How well an idle connection should fit.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The session's system variables.
    pub system: &'a Settings,
    /// Capabilities that change answers, as the client has them.
    pub shape: AnswerShape,
}

/// Capabilities that both hops must agree on for answers to be passed through as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AnswerShape {
    /// CLIENT_DEPRECATE_EOF: how a result set ends.
    pub deprecate_eof: bool,
    /// CLIENT_FOUND_ROWS: what an UPDATE's affected rows count.
    pub found_rows: bool,
}

/// Connections of one worker to one tablet.
pub struct Pool {
    /// Where the connections go.
    pub target: Arc<TabletTarget>,
    limits: PoolLimits,
    options: Rc<BackendOptions>,
    metrics: Arc<WorkerMetrics>,
    #[expect(
        clippy::vec_box,
        reason = "borrowed connections move often, and are several hundred bytes"
    )]
    idle: RefCell<Vec<Box<Backend>>>,
    open: Cell<usize>,
    waiters: RefCell<VecDeque<oneshot::Sender<Grant>>>,
    closed: Cell<bool>,
}

impl Pool {
    /// An empty pool.
    pub fn new(
        target: Arc<TabletTarget>,
        limits: PoolLimits,
        options: Rc<BackendOptions>,
        metrics: Arc<WorkerMetrics>,
    ) -> Rc<Self> {
        Rc::new(Self {
            target,
            limits,
            options,
            metrics,
            idle: RefCell::default(),
            open: Cell::new(0),
            waiters: RefCell::default(),
            closed: Cell::new(false),
        })
    }

    /// An idle connection, if there is one of the right shape: the hot path, which never waits.
    pub fn try_get(self: &Rc<Self>, wanted: Wanted<'_>) -> Option<Pooled> {
        let mut idle = self.idle.borrow_mut();
        loop {
            let of_shape = |conn: &Backend| conn.shape == wanted.shape;
            let at = idle
                .iter()
                .rposition(|conn| of_shape(conn) && *conn.system == *wanted.system)
                .or_else(|| idle.iter().rposition(|conn| of_shape(conn)))?;
            let mut conn = idle.remove(at);
            if conn.is_quiet() {
                return Some(Pooled {
                    conn: Some(conn),
                    pool: self.clone(),
                });
            }
            self.forget(conn);
        }
    }

    /// A connection: idle, new, or the next one that becomes free.
    ///
    /// # Errors
    /// 1040 when the pool stays full, or the error of connecting.
    ///
    /// Cancel safety: yes; a grant that nobody takes goes to the next waiter.
    pub async fn get(self: &Rc<Self>, wanted: Wanted<'_>) -> Result<Pooled, NoConnection> {
        if let Some(conn) = self.try_get(wanted) {
            return Ok(conn);
        }
        if self.open.get() < self.limits.connections_max {
            return self.connect(wanted, self.reserve()).await;
        }
        // Full, but with idle connections of another shape: one of them gives way.
        let other = self.idle.borrow_mut().pop();
        if let Some(other) = other {
            self.open.set(self.open.get().saturating_sub(1));
            self.metrics.backend_open.fetch_sub(1, Ordering::Relaxed);
            drop(other);
            return self.connect(wanted, self.reserve()).await;
        }
        self.metrics.pool_waits.fetch_add(1, Ordering::Relaxed);
        let (give, take) = oneshot::channel();
        self.waiters.borrow_mut().push_back(give);
        let grant = match tokio::time::timeout(self.limits.wait_max, take).await {
            Ok(Ok(grant)) => grant,
            Ok(Err(_)) | Err(_) => {
                let full = error::pool_exhausted(&self.target.alias);
                return Err(NoConnection::Refused(full));
            }
        };
        if let Grant::Connection(conn) = grant {
            let mut pooled = Pooled {
                conn: Some(conn),
                pool: self.clone(),
            };
            if pooled.is_quiet() && pooled.shape == wanted.shape {
                return Ok(pooled);
            }
            pooled.discard();
        }
        self.connect(wanted, self.reserve()).await
    }

    fn reserve(self: &Rc<Self>) -> Slot {
        self.open.set(self.open.get() + 1);
        self.metrics.backend_open.fetch_add(1, Ordering::Relaxed);
        Slot {
            pool: Some(self.clone()),
        }
    }

    async fn connect(self: &Rc<Self>, wanted: Wanted<'_>, mut slot: Slot) -> Result<Pooled, NoConnection> {
        let conn = Backend::connect(&self.target, &self.options, wanted.shape).await?;
        self.metrics.backend_opened.fetch_add(1, Ordering::Relaxed);
        slot.pool = None;
        Ok(Pooled {
            conn: Some(Box::new(conn)),
            pool: self.clone(),
        })
    }

    fn put(&self, mut conn: Box<Backend>) {
        if self.closed.get() {
            return self.forget(conn);
        }
        conn.last_used = Instant::now();
        loop {
            let Some(waiter) = self.waiters.borrow_mut().pop_front() else {
                break;
            };
            match waiter.send(Grant::Connection(conn)) {
                Ok(()) => return,
                Err(Grant::Connection(back)) => conn = back,
                Err(Grant::Slot) => return,
            }
        }
        self.idle.borrow_mut().push(conn);
    }

    fn forget(&self, conn: Box<Backend>) {
        drop(conn);
        self.release_slot();
    }

    fn release_slot(&self) {
        self.open.set(self.open.get().saturating_sub(1));
        self.metrics.backend_open.fetch_sub(1, Ordering::Relaxed);
        loop {
            let Some(waiter) = self.waiters.borrow_mut().pop_front() else {
                return;
            };
            if waiter.send(Grant::Slot).is_ok() {
                return;
            }
        }
    }

    /// Closes connections that were idle for too long. Called every few seconds.
    pub fn sweep(&self) {
        let mut idle = std::mem::take(&mut *self.idle.borrow_mut());
        let old: Vec<_> = idle
            .extract_if(.., |conn| conn.last_used.elapsed() > self.limits.idle_max)
            .collect();
        let returned = std::mem::replace(&mut *self.idle.borrow_mut(), idle);
        self.idle.borrow_mut().extend(returned);
        for conn in old {
            self.forget(conn);
        }
    }

    /// Closes the pool: idle connections now, the others when they come back.
    pub fn close(&self) {
        self.closed.set(true);
        let idle = std::mem::take(&mut *self.idle.borrow_mut());
        for conn in idle {
            self.forget(conn);
        }
    }

    /// Connections open now, idle ones included, and how many of them are idle.
    pub fn usage(&self) -> (usize, usize) {
        (self.open.get(), self.idle.borrow().len())
    }
}

/// The right to one open connection, given back when connecting fails or is cancelled.
struct Slot {
    pool: Option<Rc<Pool>>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            pool.release_slot();
        }
    }
}

/// A borrowed connection. Dropped in the middle of an exchange it is closed, not returned.
pub struct Pooled {
    conn: Option<Box<Backend>>,
    pool: Rc<Pool>,
}

impl Pooled {
    /// The pool it came from.
    pub fn pool(&self) -> &Rc<Pool> {
        &self.pool
    }

    /// Closes the connection instead of returning it.
    pub fn discard(mut self) {
        if let Some(conn) = self.conn.take() {
            self.pool.forget(conn);
        }
    }
}

impl Deref for Pooled {
    type Target = Backend;

    #[expect(
        clippy::expect_used,
        reason = "the connection leaves only in drop and discard, after which none is used"
    )]
    fn deref(&self) -> &Backend {
        self.conn.as_ref().expect("a borrowed connection")
    }
}

impl DerefMut for Pooled {
    #[expect(
        clippy::expect_used,
        reason = "the connection leaves only in drop and discard, after which none is used"
    )]
    fn deref_mut(&mut self) -> &mut Backend {
        self.conn.as_mut().expect("a borrowed connection")
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            if conn.is_clean() {
                self.pool.put(conn);
            } else {
                self.pool.forget(conn);
            }
        }
    }
}
