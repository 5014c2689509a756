//! Faults under load: what is killed, frozen, cut off or lost while clients write, and whether anything acknowledged is missing
//! afterwards.
//!
//! A round is a [`plan::Plan`], drawn from a seed. While [`writers`] write through the gateway and [`probe`] tries to write to every
//! server past it, [`inject`] does the damage and undoes it; then the shard must become healthy, and [`check`] compares what clients
//! were told ([`history`]) with what is there.

pub mod campaign;
pub mod check;
pub mod fleet;
pub mod history;
pub mod inject;
pub mod measure;
pub mod plan;
pub mod probe;
pub mod report;
pub mod round;
pub mod site;
pub mod table;
pub mod writers;
