//! Vitrail's shared memory of what should exist and who leads it: a small set of records behind one
//! [`Store`].
//!
//! - [`store`]: the trait: bytes under keys, with versions, compare-and-swap and watch;
//! - [`memory`], [`embedded`], [`remote`] and [`etcd`]: its implementations: in memory, in a file, in another
//!   process, and in an etcd; [`open()`] takes the last two by their address;
//! - [`server`]: serves any store to [`remote`] clients, and [`serve`] does so with a file, for the command
//!   line;
//! - [`keys`] and [`records`]: where each record lies, and what it holds;
//! - [`typed`] and [`mirror`]: records instead of bytes: read, create, update in a swap loop, and follow.
//!
//! Readers are expected to follow what they need ([`mirror::Mirror`]), so that a store that is down stops
//! changes and nothing else.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests fail by panicking"
    )
)]

pub mod address;
pub mod embedded;
pub mod etcd;
pub mod keys;
pub mod memory;
pub mod mirror;
pub mod records;
pub mod remote;
pub mod serve;
pub mod server;
pub mod store;
pub mod typed;

mod live;
mod local;
mod open;
mod table;

pub use address::Address;
pub use embedded::EmbeddedStore;
pub use etcd::EtcdStore;
pub use memory::MemoryStore;
pub use mirror::Mirror;
pub use open::open;
pub use remote::RemoteStore;
pub use store::{Entry, Expected, Listing, Store, StoreError, StoreInfo, Version, Watch, WatchEvent};
pub use typed::{Record, TypedStore, Versioned};
