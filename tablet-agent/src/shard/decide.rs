//! What a member does about its shard: a pure step from what it knows to what it should do.
//!
//! The rules are those of leadership.md 4.3, as far as they apply while the holder of the record stays the holder:
//!
//! * the record is created only by a member whose data directory has never been part of a shard;
//! * the holder opens a new term by compare-and-swap each time its mysqld starts, before it starts, and serves nothing before
//!   the term's own row is acknowledged;
//! * everybody else follows the holder; only voters acknowledge;
//! * a store that is another one than before, or behind what this member has seen, counts as down: who serves goes on, and
//!   nobody starts.
//!
//! Elections, promises and leases (the next step) replace the branch that waits for the holder; the record, the state file and
//! the order of events stay.

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
    /// The term that this member opened for the life of mysqld that runs, or that is to begin.
    pub claimed: Option<u64>,
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
    /// Swap the record to this term with this member as its holder; mysqld may start after that.
    OpenTerm(u64),
    /// Be the primary of this term, which is this member's for this life of its mysqld.
    Lead(u64),
    /// Replicate from the holder.
    Follow {
        /// The holder's alias.
        holder: String,
        /// Its term.
        term: u64,
        /// Whether to acknowledge.
        voter: bool,
    },
    /// The store cannot be believed: go on as before, start nothing.
    Hold(String),
    /// Do not run mysqld: a human or a later step of the shard's life is needed.
    Refuse(String),
}

/// Acknowledgements per commit for a number of members: half of them, so that a majority has every acknowledged commit.
pub fn acks_for(members: u32) -> u32 {
    members / 2
}

/// The next step.
pub fn decide(facts: &Facts<'_>) -> Step {
    match facts.record {
        Some(record) => with_record(facts, record),
        None => without_record(facts),
    }
}

fn with_record(facts: &Facts<'_>, record: &ShardRecord) -> Step {
    if let Some(seen) = &facts.state.shard_seen
        && let Err(why) = believable(seen, record)
    {
        return Step::Hold(why);
    }
    let me = &facts.state.alias;
    // Data that took a voter's place is no voter: what it acknowledged would count for data that is gone.
    let voter = record.is_voter(me) && !facts.state.replaces_voter;
    let Some(holder) = &record.holder else {
        return if voter {
            first_holder(facts, record)
        } else {
            Step::Wait("no primary was chosen yet".into())
        };
    };
    if holder == me {
        if !voter {
            return Step::Refuse(
                "this member leads the shard but its data is gone: another one must be elected".into(),
            );
        }
        return match facts.claimed {
            Some(term) if term == record.term => Step::Lead(term),
            // A term has one holder for ever and one life of its mysqld: anything else is a new one.
            _ => Step::OpenTerm(record.term.saturating_add(1)),
        };
    }
    if facts.state.held_term > 0 {
        return Step::Refuse(format!(
            "this member held term {} and {holder} leads now: what only it has must be undone before its mysqld may start",
            facts.state.held_term
        ));
    }
    Step::Follow {
        holder: holder.clone(),
        term: record.term,
        voter,
    }
}

/// A record without a holder: its voters open the first term by rank.
fn first_holder(facts: &Facts<'_>, record: &ShardRecord) -> Step {
    match my_turn(facts, &record.voters, Duration::ZERO) {
        Ok(()) => Step::OpenTerm(record.term.saturating_add(1)),
        Err(why) => Step::Wait(why),
    }
}

/// Whether a record can be later than the one seen before.
fn believable(seen: &ShardRecord, record: &ShardRecord) -> Result<(), String> {
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
    if let Some(seen) = &facts.state.shard_seen {
        return Step::Hold(format!(
            "the store has lost the record of shard {}",
            seen.shard_id
        ));
    }
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

/// The voters after the primary took in registered members of which the record knows nothing yet; none when there are none.
///
/// Adding makes the promise quorum larger before the new member acknowledges anything, so it is safe at any time
/// (leadership.md, membership changes). A member that came back with new data is in the record already, so it is not added here:
/// its predecessor has to be removed first.
pub fn with_new_voters(
    record: &ShardRecord,
    registered: &[String],
    members_wanted: u32,
) -> Option<Vec<String>> {
    let room = usize::try_from(members_wanted)
        .unwrap_or(0)
        .saturating_sub(record.voters.len());
    let mut new: Vec<&String> = registered
        .iter()
        .filter(|alias| !record.is_voter(alias))
        .collect();
    new.sort_by_key(|alias| (serial_of(alias), alias.as_str()));
    new.truncate(room);
    (!new.is_empty()).then(|| record.voters.iter().chain(new).cloned().collect())
}

#[cfg(test)]
mod tests;
