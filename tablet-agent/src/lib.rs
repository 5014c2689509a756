//! The process beside each mysqld: supervisor, life of mysqld, replication, the shard's first primary, health.
//!
//! Two processes per tablet. [`supervisor`] is the first and knows nothing of databases: it ties mysqld's life to the agent's and to
//! its own. [`agent`] is the other: it reads the shard's record from the topology, asks [`shard::decide`] what to do, which is a pure
//! function, and does it over [`control`] connections. It tells gateways about its mysqld by [`service`]: [`health`] and [`schema`].
//!
//! On disk a tablet has what [`layout`] says; [`state`] is the part that must not be forgotten. [`mysqld`] makes the data directory
//! and the configuration, [`accounts`] what may log in.
//!
//! What comes with failover (leadership.md 4.3): peer leases instead of [`agent`]'s liveness in the deadline page, promises before a
//! term is opened by another member than its holder, rewind or clone of a former primary, planned handover at SIGTERM, and mutual
//! TLS between members. The record, the state file, the order in which a term opens, and the supervisor stay.

pub mod accounts;
pub mod agent;
pub mod cli;
pub mod control;
pub mod durable;
pub mod hash;
pub mod health;
pub mod layout;
pub mod link;
pub mod mysqld;
pub mod rejoin;
pub mod schema;
pub mod secrets;
pub mod server;
pub mod service;
pub mod shard;
pub mod sql_text;
pub mod state;
pub mod supervisor;
