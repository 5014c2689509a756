//! What the records hold, as JSON objects.
//!
//! A reader ignores fields that it does not know, and [`crate::typed`] keeps them on rewriting, so that
//! processes of adjacent versions share a store. For that, every known field is always written, absent ones
//! as null.

mod account;
mod keyspace;
mod loss;
mod shard;
mod tablet;

use serde::{Deserialize, Serialize};

pub use account::{Account, Verifier, VerifierError};
pub use keyspace::Keyspace;
pub use loss::{OneMoreLoss, VoterState};
pub use shard::{ShardError, ShardRecord};
pub use tablet::{MysqlAddress, Tablet};

use crate::keys;
use crate::typed::Record;

/// A failure domain with gateways of its own. A local cluster has one, named `default`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Its name.
    pub name: String,
}

impl Record for Cell {
    const KIND: &'static str = "cell";
    const FOLDER: &'static str = keys::CELLS;

    fn key(&self) -> String {
        keys::cell(&self.name)
    }
}

#[cfg(test)]
mod tests;
