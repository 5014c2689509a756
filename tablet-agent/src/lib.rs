//! The process beside each mysqld: supervisor, life of mysqld, replication, the shard's first primary, health.
//!
//! [`supervisor`] is the first process of a tablet and knows nothing of databases. [`agent`] is the other: it reads the shard's
//! record, asks [`shard::decide`] what to do, and does it through a [`control`] connection.

pub mod accounts;
pub mod agent;
pub mod cli;
pub mod control;
pub mod gtid;
pub mod hash;
pub mod health;
pub mod layout;
pub mod link;
pub mod mysqld;
pub mod schema;
pub mod secrets;
pub mod server;
pub mod service;
pub mod shard;
pub mod sql_text;
pub mod state;
pub mod supervisor;
