//! AST and catalog to plan: which shards a statement goes to, with which text, and how their results become one.
//!
//! Pure: no I/O, no clock, no globals. [`plan::Plan`] is the contract with the executor.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")
)]

mod analyze;
pub mod bindings;
mod build;
mod builtin;
pub mod catalog;
pub mod coerce;
pub mod context;
pub mod describe;
pub mod domain;
pub mod error;
pub mod merge;
pub mod plan;
pub mod render;
pub mod resolve;
mod slots;
mod survey;
pub mod value;

pub use build::plan;
pub use describe::describe;
pub use error::PlanError;
pub use plan::Plan;
