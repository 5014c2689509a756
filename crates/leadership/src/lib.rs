//! Who may write in a shard: the state machine of one member as a pure step, without clock and without I/O.
//!
//! Two mechanisms that do not depend on each other (leadership.md 4.3):
//!
//! * **Peer leases.** Each voter grants the primary of the highest term it knows "I promise nothing for a while". While as many others
//!   as a commit waits for (W) have granted, fewer voters than an election needs can promise, so no rival exists and the primary serves.
//!   Leases keep reads fresh; they depend on clocks that run at about the same speed.
//! * **Promises.** Before a member may lead, Q = M - W voters have stopped receiving from every earlier primary and told what they
//!   have. Every such set meets every set of W + 1 members that acknowledged a commit, and leaves an unpromised primary at most W - 1
//!   members that acknowledge. Promises depend on no clock.
//!
//! A term is opened by compare-and-swap of the shard's one record and has one holder for ever.
//!
//! # What the driver owes the machine
//!
//! * Effects and the stance after them are carried out in order, and a stance not before the writes to disk of its step. Of a crash
//!   the machine survives every prefix.
//! * A primary's process serves one term: when it ends, or is ordered to, its stance has ended too. It is never started again as the
//!   primary of the same term.
//! * The server is one queue: stopping, catching up, comparing and attaching never run beside each other, and a stop waits for an
//!   ordered kill. [`Event::Stopped`] has what was there after the receiver had stopped; of a server that is down and held a term
//!   (`Durable::held`) what its log has offline, unacknowledged transactions included; of half a copy nothing.
//! * A member receives only with `Durable::held == 0` on disk: what it received would else be missing from the offline log.
//! * Before it receives in a term for the first time (the term's row is not in its data) all that it has must be in the base. Of what
//!   it received and did not execute, what is in the base is executed before the rest is dropped: it may be the copy that an
//!   acknowledgement counted. Executed transactions that the base lacks exist where W > 1, and after a former primary's recovery; such
//!   data is copied anew from the primary.
//! * A primary admits only receivers that attached in its term, and counts only voters.
//! * The swaps of a shard may come to the store long after their answer was given up; the record read from the store tells.
//!
//! [`Machine::step`] takes an event and the time and returns effects, to be carried out in their order: in particular nothing after
//! [`Effect::Persist`] may happen before it is on disk.

mod machine;
mod message;
mod position;
mod record;
mod timing;

pub use machine::{Effect, Event, Machine, Stance, Swapped};
pub use message::Message;
pub use position::Position;
pub use record::{Durable, Member, Record};
pub use timing::Timing;
