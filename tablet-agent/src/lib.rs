//! The process beside each mysqld: supervisor, life of mysqld, replication, the shard's first primary, health.
//!
//! Two processes per tablet. [`supervisor`] is the first and knows nothing of databases: it ties mysqld's life to the agent's and to
//! its own. [`agent`] is the other: [`leader`] runs the member's part of the shard's leadership in a task of its own and says what
//! mysqld is to be; the agent's passes bring mysqld in line with that over [`control`] connections ([`shard::decide`] begins a new
//! shard). It tells gateways about its mysqld by [`service`]: [`health`] and [`schema`].
//!
//! On disk a tablet has what [`layout`] says; [`state`] is the part that must not be forgotten. [`mysqld`] makes the data directory
//! and the configuration, [`accounts`] what may log in.

pub mod accounts;
pub mod agent;
pub mod cli;
pub mod control;
pub mod durable;
pub mod handover;
pub mod hash;
pub mod health;
pub mod layout;
pub mod leader;
pub mod link;
pub mod members;
pub mod mysqld;
mod process;
pub mod rejoin;
pub mod restart;
pub mod schema;
pub mod secrets;
pub mod server;
pub mod service;
pub mod shard;
pub mod sql_text;
pub mod state;
pub mod supervisor;
