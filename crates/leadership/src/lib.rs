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
