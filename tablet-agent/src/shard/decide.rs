//! How a new shard begins: a pure step from what a member knows to what it should do.
//!
//! The record is created only by a member whose data directory has never been part of a shard, and the first holder is chosen by
//! serial. From the first holder on `leadership` decides.

use std::time::Duration;

use topology::records::ShardRecord;

use crate::cli::serial_of;
use crate::state::State;

/// How long members of a new shard wait for the others before the lowest of those that are up begins without them.
const COMPLETE_WITHIN: Duration = Duration::from_secs(15);
/// How much longer each higher serial waits before it begins in the place of a lower one that is registered but does nothing.
const PER_RANK: Duration = Duration::from_secs(5);

/// What a member knows.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Its own memory.
    pub state: &'a State,
    /// The shard's record in the store.
    pub record: Option<&'a ShardRecord>,
    /// Members that the keyspace asks for.
    pub members_wanted: u32,
    /// Members of this shard that have registered, itself included.
    pub registered: &'a [String],
    /// How long it has been looking at a shard without a primary.
    pub waited: Duration,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing yet.
    Wait(String),
    /// Create the record with these voters and acknowledgements, as its first holder.
    Create {
        /// All members that are known, this one among them.
        voters: Vec<String>,
        /// Acknowledgements that a commit waits for.
        acks: u32,
    },
    /// Swap the record to this term with this member as its holder.
    OpenTerm(u64),
    /// The shard has begun: leadership decides.
    Begun,
}

/// Acknowledgements per commit for a number of members: half of them, so that a majority has every acknowledged commit.
pub fn acks_for(members: u32) -> u32 {
    members / 2
}

/// The next step.
pub fn decide(facts: &Facts<'_>) -> Step {
    match facts.record {
        _ if facts.state.shard_seen.is_some() => Step::Begun,
        Some(record) if record.holder.is_some() => Step::Begun,
        Some(record) => first_holder(facts, record),
        None => without_record(facts),
    }
}

/// A record without a holder: its voters open the first term by rank.
fn first_holder(facts: &Facts<'_>, record: &ShardRecord) -> Step {
    if !record.is_voter(&facts.state.voter) {
        return Step::Wait("no primary was chosen yet".into());
    }
    match my_turn(facts, &record.voters, Duration::ZERO) {
        Ok(()) => Step::OpenTerm(record.term.saturating_add(1)),
        Err(why) => Step::Wait(why),
    }
}

/// Whether a record can be later than the one seen before.
pub fn believable(seen: &ShardRecord, record: &ShardRecord) -> Result<(), String> {
    if seen.store_id != record.store_id {
        return Err(format!(
            "the store is {}, not {}, which this member belongs to",
            record.store_id, seen.store_id
        ));
    }
    if seen.shard_id != record.shard_id {
        return Err(format!(
            "the store's record is of shard {}, not {}",
            record.shard_id, seen.shard_id
        ));
    }
    if record.term < seen.term || record.version < seen.version {
        return Err(format!(
            "the store shows term {} version {}, but this member has seen {} and {}",
            record.term, record.version, seen.term, seen.version
        ));
    }
    Ok(())
}

fn without_record(facts: &Facts<'_>) -> Step {
    let count = u32::try_from(facts.registered.len()).unwrap_or(u32::MAX);
    let acks = acks_for(facts.members_wanted);
    let patience = if count < facts.members_wanted {
        COMPLETE_WITHIN
    } else {
        Duration::ZERO
    };
    if facts.waited < patience {
        return Step::Wait(format!("{count} of {} members are up", facts.members_wanted));
    }
    if count < acks.saturating_add(1) {
        return Step::Wait(format!(
            "{count} members are up; a first primary needs {}",
            acks.saturating_add(1)
        ));
    }
    match my_turn(facts, facts.registered, patience) {
        Ok(()) => Step::Create {
            voters: facts.registered.to_vec(),
            acks,
        },
        Err(why) => Step::Wait(why),
    }
}

/// Whether it is this member's turn to begin after so much patience: the lowest serial does at once, each further one after it had
/// time to.
fn my_turn(facts: &Facts<'_>, members: &[String], patience: Duration) -> Result<(), String> {
    let mut members: Vec<&String> = members.iter().collect();
    members.sort_by_key(|alias| (serial_of(alias), alias.as_str()));
    let Some(rank) = members.iter().position(|alias| **alias == facts.state.alias) else {
        return Err("this member is not registered yet".into());
    };
    let rank = u32::try_from(rank).unwrap_or(u32::MAX);
    if facts.waited < patience.saturating_add(PER_RANK.saturating_mul(rank)) {
        return Err("a member with a lower serial opens the shard".into());
    }
    Ok(())
}

/// A change of the voters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Members that came up late are taken in.
    Add(Vec<String>),
    /// A member whose data is gone is replaced by what took its place.
    Replace {
        /// The voter that is no more.
        old: String,
        /// The voter instead of it.
        new: String,
    },
}

impl Change {
    /// The voters after it.
    pub fn apply(&self, voters: &[String]) -> Vec<String> {
        match self {
            Change::Add(new) => voters.iter().chain(new).cloned().collect(),
            Change::Replace { old, new } => voters
                .iter()
                .map(|voter| if voter == old { new } else { voter })
                .cloned()
                .collect(),
        }
    }
}

/// How the voters should change, by the members that have registered, each by the name that its data votes by.
///
/// Adding makes the promise quorum larger before the new member acknowledges anything, so it is safe at any time
/// (leadership.md, membership changes). A replacement counts for commits that its predecessor acknowledged: it must have everything
/// that was executed before the change is made.
pub fn change_of_voters(record: &ShardRecord, registered: &[String], members_wanted: u32) -> Option<Change> {
    let mut unknown: Vec<&String> = registered
        .iter()
        .filter(|voter| !record.is_voter(voter))
        .collect();
    unknown.sort_by_key(|voter| (serial_of(ShardRecord::alias_of(voter)), voter.as_str()));
    for new in &unknown {
        let alias = ShardRecord::alias_of(new);
        let predecessor = record
            .voters
            .iter()
            .find(|voter| ShardRecord::alias_of(voter) == alias);
        if let Some(old) = predecessor.filter(|old| record.holder.as_ref() != Some(old)) {
            return Some(Change::Replace {
                old: old.clone(),
                new: (*new).clone(),
            });
        }
    }
    let room = usize::try_from(members_wanted)
        .unwrap_or(0)
        .saturating_sub(record.voters.len());
    let is_known = |voter: &str| {
        let alias = ShardRecord::alias_of(voter);
        record
            .voters
            .iter()
            .any(|known| ShardRecord::alias_of(known) == alias)
    };
    unknown.retain(|voter| !is_known(voter));
    unknown.truncate(room);
    (!unknown.is_empty()).then(|| Change::Add(unknown.into_iter().cloned().collect()))
}

#[cfg(test)]
mod tests;
