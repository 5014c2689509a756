//! Connections to mysqld: one kind of connection, and one pool of them per tablet and worker thread.

pub mod connection;
pub mod pool;
pub mod statements;

pub use connection::{Backend, Beside};
pub use pool::{Pool, PoolLimits, Pooled};
