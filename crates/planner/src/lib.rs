//! AST and catalog to plan: which shards a statement goes to, with which text, and how their results become one.
//!
//! Pure: no I/O, no clock, no globals. [`plan::Plan`] is the contract with the executor.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")
)]

pub mod catalog;
pub mod coerce;
pub mod domain;
pub mod error;
pub mod plan;
pub mod value;

pub use error::PlanError;
pub use plan::Plan;
