//! The durations that the machine works with.

use std::time::Duration;

/// Durations. They must be the same on all members, up to differences of clock speed that [`Timing::gate_before`] covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timing {
    /// How long a grant holds: at the voter from receiving the request, at the primary from sending it, which is earlier.
    pub lease: Duration,
    /// Time between a primary's requests.
    pub renew: Duration,
    /// How long before its lease lapses a primary closes its gate. Half of it is left when the supervisor ends the server of an agent
    /// that does nothing.
    pub gate_before: Duration,
    /// Longest random wait before standing.
    pub backoff: Duration,
    /// How long a candidate waits for the answers to a pre-vote.
    pub pre_vote: Duration,
    /// How long a swap of the record may take; its outcome is unknown after it.
    pub swap: Duration,
    /// Time between a candidate's requests for a promise.
    pub ask_again: Duration,
    /// How long others leave a candidate alone before they stand themselves.
    pub patience: Duration,
    /// How long a new primary may take to have its term's row acknowledged before others may stand.
    pub opening: Duration,
    /// How long a holder whose server ended waits for another to be elected before it opens a new term itself.
    pub reopen: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        let ms = Duration::from_millis;
        Timing {
            lease: ms(2000),
            renew: ms(500),
            gate_before: ms(300),
            backoff: ms(150),
            pre_vote: ms(400),
            swap: ms(1500),
            ask_again: ms(300),
            patience: ms(3000),
            opening: ms(15_000),
            reopen: ms(3000),
        }
    }
}
