//! The shard's record: who may write, in which term, and whose acknowledgements count.

use serde::{Deserialize, Serialize};

use crate::keys;
use crate::typed::Record;

/// The one record per shard that leadership rests on.
///
/// It is written when a term opens and when the voters change, never in a steady state, and always by
/// compare-and-swap of the whole record: a delayed change of the voters can then not slip in after another
/// primary won.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardRecord {
    /// Name of the keyspace.
    pub keyspace: String,
    /// Name of the shard, such as `-80`; `-` for an unsharded keyspace.
    pub shard: String,
    /// Identity of the store that the record was made in. Agents remember it: another store's record is not
    /// theirs.
    pub store_id: String,
    /// Random identity of the shard, 32 hex digits: a shard that was deleted and made anew has another.
    pub shard_id: String,
    /// The current term; 0 before the first primary was chosen. A term has one holder for ever.
    pub term: u64,
    /// The voter that is the term's primary, once it has its promises.
    pub holder: Option<String>,
    /// The voters that promise and acknowledge, the primary among them, in byte order. A voter is a tablet with its data: it is named
    /// by the tablet's alias, and by alias, `#` and an identity once that data was lost and other data took its place.
    pub voters: Vec<String>,
    /// W: acknowledgements by other voters that every commit waits for. 0 with a single voter only.
    pub acks: u32,
    /// Counts the changes of `voters` and `acks`, from 1.
    pub version: u64,
}

/// A change of a shard's record that would break its rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// Only voters lead.
    #[error("{0} is no voter of the shard")]
    NoVoter(String),
    /// The primary leaves only after a handover.
    #[error("{0} is the shard's primary and cannot leave its voters")]
    IsHolder(String),
    /// W must be below the number of voters, and at least 1 when there are several.
    #[error("{voters} voters cannot wait for {acks} acknowledgements")]
    Acks {
        /// How many voters there would be.
        voters: usize,
        /// The W asked for.
        acks: u32,
    },
    /// The counter is at its end, which only a damaged record reaches.
    #[error("the record's counters are exhausted")]
    Exhausted,
}

impl ShardRecord {
    /// The record of a new shard: no term yet.
    ///
    /// # Errors
    /// [`ShardError::Acks`] when `acks` does not fit the voters.
    pub fn new(
        keyspace: &str,
        shard: &str,
        store_id: &str,
        voters: Vec<String>,
        acks: u32,
    ) -> Result<Self, ShardError> {
        let mut record = Self {
            keyspace: keyspace.to_owned(),
            shard: shard.to_owned(),
            store_id: store_id.to_owned(),
            shard_id: hex::encode(rand::random::<[u8; 16]>()),
            term: 0,
            holder: None,
            voters: Vec::new(),
            acks,
            version: 0,
        };
        record.set_voters(voters, acks)?;
        Ok(record)
    }

    /// Q = M - W: promises that a candidate needs, its own included, so that no other tablet can commit.
    #[must_use]
    pub fn promises_needed(&self) -> usize {
        let acks = usize::try_from(self.acks).unwrap_or(usize::MAX);
        self.voters.len().saturating_sub(acks)
    }

    /// The tablet of a voter.
    #[must_use]
    pub fn alias_of(voter: &str) -> &str {
        voter.split_once('#').map_or(voter, |(alias, _)| alias)
    }

    /// Alias of the tablet that is the term's primary.
    #[must_use]
    pub fn primary(&self) -> Option<&str> {
        self.holder.as_deref().map(Self::alias_of)
    }

    /// Whether the voter, by its full name, is one.
    #[must_use]
    pub fn is_voter(&self, alias: &str) -> bool {
        self.voters.iter().any(|voter| voter == alias)
    }

    /// Opens the next term for `alias`. To be swapped into the store before any promise is asked for.
    ///
    /// # Errors
    /// When `alias` is no voter.
    pub fn open_term(&mut self, alias: &str) -> Result<(), ShardError> {
        if !self.is_voter(alias) {
            return Err(ShardError::NoVoter(alias.to_owned()));
        }
        self.term = self.term.checked_add(1).ok_or(ShardError::Exhausted)?;
        self.holder = Some(alias.to_owned());
        Ok(())
    }

    /// Replaces voters and W, and counts the change. When a commit's acknowledgement may be counted
    /// differently on either side of the swap is the primary's business.
    ///
    /// # Errors
    /// When the holder would not be a voter, or `acks` does not fit.
    pub fn set_voters(&mut self, mut voters: Vec<String>, acks: u32) -> Result<(), ShardError> {
        voters.sort_unstable();
        voters.dedup();
        let fits = if voters.len() > 1 {
            acks >= 1 && usize::try_from(acks).is_ok_and(|acks| acks < voters.len())
        } else {
            acks == 0
        };
        if !fits {
            return Err(ShardError::Acks {
                voters: voters.len(),
                acks,
            });
        }
        if let Some(holder) = self.holder.as_ref().filter(|holder| !voters.contains(holder)) {
            return Err(ShardError::IsHolder(holder.clone()));
        }
        self.version = self.version.checked_add(1).ok_or(ShardError::Exhausted)?;
        self.voters = voters;
        self.acks = acks;
        Ok(())
    }
}

impl Record for ShardRecord {
    const KIND: &'static str = "shard";
    const FOLDER: &'static str = keys::SHARDS;

    fn key(&self) -> String {
        keys::shard(&self.keyspace, &self.shard)
    }
}
