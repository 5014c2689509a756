//! How a member that holds transactions of its own becomes a replica again (leadership.md 4.3, restart rule and UUID rule).
//!
//! A former primary may have logged transactions that nobody acknowledged. While mysqld is down they are not committed: [`rewind()`]
//! takes them out of the binary log, and mysqld's recovery rolls them back. mysqld started first would commit them, and then, as for
//! whatever else went wrong, only [`clone`] remains: all data anew from another member.
//!
//! Invariant: mysqld of a member that does not open a term itself is started after [`rewind()`] only, and every start of any member's is
//! announced by [`before_start`]. After the start, `@@gtid_executed` must be part of the leader's set, else the member is cloned.

pub mod clone;
mod cut;
mod errant;
mod logs;
pub mod rewind;

pub use errant::errant;
pub use logs::{before_start, keep_purged};
pub use rewind::{Rewind, RewindError, logged, rewind};
