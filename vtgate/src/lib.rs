//! The gateway: speaks the MySQL protocol to clients and to shards.
//!
//! One process with a few worker threads. A client connection belongs to one worker for its life ([`session`]); each worker has its own
//! pools of connections to mysqld ([`backend`]) and its own plan cache ([`plan_cache`]). A control thread follows the topology and the
//! agents and publishes immutable snapshots ([`cluster`]). `docs/architecture.md` follows a query through these files.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests may fail by panicking"
    )
)]

pub mod accounts;
pub mod affinity;
pub mod backend;
pub mod buffer;
pub mod cluster;
pub mod config;
pub mod control;
pub mod error;
pub mod gateway;
pub mod http;
pub mod listener;
pub mod merge;
pub mod metrics;
pub mod plan_cache;
pub mod secrets;
pub mod session;
pub mod settings;
pub mod tls;
pub mod traces;
pub mod worker;
