//! The server side against real clients: MySQL's own command line client and mysql_async.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may fail by panicking"
)]

mod cli;
mod driver;
mod echo;
mod liveness;
mod own_client;
