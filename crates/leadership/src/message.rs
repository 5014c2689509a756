//! What members say to each other. Each message stands alone: it may be lost, doubled, late, or out of order.

use std::time::Duration;

use crate::Record;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Message<P> {
    /// The primary asks for a lease, and tells what its term starts from.
    GrantRequest {
        /// Its record.
        record: Record,
        /// The sender's clock, to be sent back.
        sent: Duration,
        /// What it had when its term began: who has more has transactions that were never acknowledged. None: its server is not
        /// up yet.
        base: Option<P>,
        /// Whether a lease is wanted; else it only tells that it is there.
        lease: bool,
    },
    /// "I promise nothing for a while", to the primary of the term.
    Grant {
        /// The term.
        term: u64,
        /// From the request.
        sent: Duration,
    },
    /// The primary of `term` has no server any more: its leases are void.
    Release {
        /// The term.
        term: u64,
    },
    /// May I stand? Changes nothing at the voter.
    PreVoteRequest {
        /// To know the answers by.
        round: u64,
        /// The record that the sender knows.
        record: Record,
    },
    /// The answer.
    PreVote {
        /// From the request.
        round: u64,
        /// Whether the voter sees no live primary or candidate.
        yes: bool,
        /// The newest record that the voter knows.
        record: Option<Record>,
    },
    /// The holder of a new term asks voters to leave all earlier ones.
    PromiseRequest {
        /// The record that opened the term.
        record: Record,
        /// Whether members without a server shall answer as well. At first those with one are enough: a term that a dead server
        /// wins waits for its recovery.
        urgent: bool,
    },
    /// The promise: the voter receives nothing of an earlier term any more, and had this much after it stopped.
    Promise {
        /// The term.
        term: u64,
        /// Executed and received.
        position: P,
    },
    /// The voter knows a higher term.
    Refused {
        /// The refused term.
        term: u64,
        /// The term it knows.
        higher: u64,
    },
    /// The sender made the receiver holder of a new term.
    TakeOver {
        /// The record that did.
        record: Record,
    },
}
