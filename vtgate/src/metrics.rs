//! Prometheus metrics. Workers count without sharing a cache line; a scrape adds them up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use planner::plan::StatementKind;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::buffer::{Buffer, REASONS};
use crate::control::Sessions;

/// Upper bounds of the latency buckets, microseconds.
const LATENCY_BUCKETS_US: [u64; 16] = [
    50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000,
    5_000_000, 30_000_000,
];

/// Names of statement kinds as the label `statement` has them.
const STATEMENTS: [&str; 9] = [
    "select", "insert", "replace", "update", "delete", "ddl", "explain", "other", "session",
];

/// A statement kind's place in [`STATEMENTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementLabel(usize);

impl StatementLabel {
    /// What the session itself answers: SET, USE, BEGIN, SHOW and the like.
    pub const SESSION: Self = Self(8);
}

impl From<StatementKind> for StatementLabel {
    fn from(kind: StatementKind) -> Self {
        Self(match kind {
            StatementKind::Select => 0,
            StatementKind::Insert => 1,
            StatementKind::Replace => 2,
            StatementKind::Update => 3,
            StatementKind::Delete => 4,
            StatementKind::Ddl => 5,
            StatementKind::Explain => 6,
            _ => 7,
        })
    }
}

/// Counters of one worker thread.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct WorkerMetrics {
    statements: [AtomicU64; STATEMENTS.len()],
    errors: AtomicU64,
    latency_buckets: [AtomicU64; LATENCY_BUCKETS_US.len() + 1],
    latency_us: AtomicU64,
    /// Plans found in the cache.
    pub plan_hits: AtomicU64,
    /// Plans made.
    pub plan_misses: AtomicU64,
    /// Backend connections open now.
    pub backend_open: AtomicU64,
    /// Backend connections ever opened.
    pub backend_opened: AtomicU64,
    /// Statements that had to wait for a backend connection.
    pub pool_waits: AtomicU64,
    /// Statements sent again because they surely did not run.
    pub retries: AtomicU64,
}

impl WorkerMetrics {
    /// Counts a statement that has ended.
    pub fn statement(&self, label: StatementLabel, took: Duration, failed: bool) {
        let add = |counter: &AtomicU64, n: u64| {
            // One thread writes: a plain load and store is enough, and costs no locked instruction.
            counter.store(counter.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
        };
        if let Some(counter) = self.statements.get(label.0) {
            add(counter, 1);
        }
        if failed {
            add(&self.errors, 1);
        }
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = LATENCY_BUCKETS_US.partition_point(|bound| *bound < us);
        if let Some(counter) = self.latency_buckets.get(bucket) {
            add(counter, 1);
        }
        add(&self.latency_us, us);
    }
}

/// All workers' metrics, and what the registry of sessions knows.
#[derive(Debug)]
pub struct GatewayMetrics {
    /// One for each worker.
    pub workers: Vec<Arc<WorkerMetrics>>,
    /// Client sessions.
    pub sessions: Arc<Sessions>,
    /// Statements that wait for a primary.
    pub buffer: Arc<Buffer>,
}

impl GatewayMetrics {
    fn sum(&self, of: impl Fn(&WorkerMetrics) -> &AtomicU64) -> u64 {
        self.workers
            .iter()
            .map(|worker| of(worker).load(Ordering::Relaxed))
            .fold(0, u64::wrapping_add)
    }
}

impl Collector for GatewayMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut counter = |name: &str, help: &str, value: u64| -> Result<(), std::fmt::Error> {
            let metric = ConstCounter::new(value);
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
        };
        counter(
            "vtgate_errors",
            "Statements answered with an error",
            self.sum(|w| &w.errors),
        )?;
        counter(
            "vtgate_plan_cache_hits",
            "Plans found in the cache",
            self.sum(|w| &w.plan_hits),
        )?;
        counter(
            "vtgate_plan_cache_misses",
            "Plans made",
            self.sum(|w| &w.plan_misses),
        )?;
        counter(
            "vtgate_backend_connections_opened",
            "Connections opened to mysqld",
            self.sum(|w| &w.backend_opened),
        )?;
        counter(
            "vtgate_pool_waits",
            "Statements that waited for a connection",
            self.sum(|w| &w.pool_waits),
        )?;
        counter(
            "vtgate_retries",
            "Statements sent again after a lost connection",
            self.sum(|w| &w.retries),
        )?;

        let (holds, released) = self.buffer.totals();
        counter(
            "vtgate_buffer_statements",
            "Statements that had to wait for a primary",
            holds,
        )?;
        counter(
            "vtgate_buffer_released",
            "Statements that went on after waiting for a primary",
            released,
        )?;
        let refused = ConstCounter::new(0_u64);
        let mut family = encoder.encode_descriptor(
            "vtgate_buffer_refused",
            "Statements that were not held for a primary, or not until there was one",
            None,
            refused.metric_type(),
        )?;
        for (reason, count) in REASONS.iter().zip(self.buffer.refusals()) {
            ConstCounter::new(count).encode(family.encode_family(&[("reason", *reason)])?)?;
        }

        let statements = ConstCounter::new(0_u64);
        let mut family = encoder.encode_descriptor(
            "vtgate_statements",
            "Statements by kind",
            None,
            statements.metric_type(),
        )?;
        for (i, name) in STATEMENTS.iter().enumerate() {
            let labels = [("statement", *name)];
            ConstCounter::new(self.sum(|w| w.statements.get(i).unwrap_or(&w.errors)))
                .encode(family.encode_family(&labels)?)?;
        }

        let mut latency = encoder.encode_descriptor(
            "vtgate_statement_duration",
            "Time from a statement's packet to the last byte of its answer",
            Some(&Unit::Seconds),
            prometheus_client::metrics::MetricType::Histogram,
        )?;
        let bounds = LATENCY_BUCKETS_US
            .iter()
            .map(|us| *us as f64 / 1e6)
            .chain([f64::MAX]);
        let counts = (0..=LATENCY_BUCKETS_US.len())
            .map(|i| self.sum(|w| w.latency_buckets.get(i).unwrap_or(&w.errors)));
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        latency.encode_histogram::<[(&str, &str); 0]>(
            self.sum(|w| &w.latency_us) as f64 / 1e6,
            count,
            &buckets,
            None,
        )?;

        let mut gauge = |name: &str, help: &str, value: u64| -> Result<(), std::fmt::Error> {
            let metric = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
        };
        let (held, held_bytes) = self.buffer.held();
        gauge("vtgate_buffer_held", "Statements that wait for a primary", held)?;
        gauge(
            "vtgate_buffer_held_bytes",
            "Bytes of the statements that wait for a primary",
            held_bytes,
        )?;
        gauge(
            "vtgate_connections",
            "Client connections",
            self.sessions.count() as u64,
        )?;
        gauge(
            "vtgate_backend_connections",
            "Connections to mysqld",
            self.sum(|w| &w.backend_open),
        )
    }
}
