//! A whole shard in virtual time: the machines, a model of their servers, disks and clocks, the network, the store, clients.
//!
//! What the agent has to do beside stepping the machine is in `node.rs` and `manage.rs`; `ledger.rs` has the rules that must hold.

mod change;
mod data;
mod faults;
mod ledger;
mod manage;
mod network;
mod node;
mod rng;
mod run;
mod server;
mod traffic;
mod world;

pub(crate) use run::{Outcome, SINGLE_FAULTS, chaos, single};
