//! The shard's record as the machine sees it, and what a member must not forget.

use std::sync::Arc;

/// A voter: its name. A member whose data is gone comes back as another voter.
pub type Member = Arc<str>;

/// The part of the shard's record that leadership rests on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Record {
    /// The current term; 0 before the first.
    pub term: u64,
    /// The one holder that the term will ever have; none before the first.
    pub holder: Option<Member>,
    /// Who promises and acknowledges, the primary included.
    pub voters: Vec<Member>,
    /// W: acknowledgements of others that every commit waits for.
    pub acks: usize,
    /// Counts the changes of voters and W.
    pub version: u64,
}

impl Record {
    /// Q = M - W: the promises that a candidate needs, its own included.
    pub fn promises_needed(&self) -> usize {
        self.voters.len().saturating_sub(self.acks)
    }

    /// Whether the member is a voter.
    pub fn is_voter(&self, member: &Member) -> bool {
        self.voters.contains(member)
    }

    /// Whether the member holds the term.
    pub fn is_held_by(&self, member: &Member) -> bool {
        self.holder.as_ref() == Some(member)
    }

    /// Whether it is later than the other.
    pub fn is_newer_than(&self, other: &Record) -> bool {
        (self.term, self.version) > (other.term, other.version)
    }

    /// The same voters in the next term, held by another.
    pub(crate) fn next_term(&self, holder: &Member) -> Record {
        Record {
            term: self.term.saturating_add(1),
            holder: Some(holder.clone()),
            ..self.clone()
        }
    }
}

/// What a member must have on disk before anybody learns of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Durable {
    /// The highest term that it promised to or accepted: nothing of a lower one counts any more.
    pub term: u64,
    /// The version of the voters that goes with it.
    pub version: u64,
    /// The last term that it held and had everything for; 0: none since its data was last compared with another primary's. Such
    /// data may have transactions that nobody else has.
    pub held: u64,
}
