//! The MySQL client/server protocol, both sides of it.
//!
//! The lower half does no I/O: [`packet`] frames bytes, [`message`] decodes and encodes one message per file, [`auth`] is the
//! authentication exchange as a state machine, [`value`] holds the text and binary forms of values, [`compress`] the compressed
//! protocol and [`proxy_protocol`] the PROXY header. The upper half are thin tokio adapters: [`transport`] (TCP, unix socket, TLS),
//! [`stream`] (packets over a transport), [`server`] (accepting clients) and [`client`] (connecting to servers).
//!
//! Every decoder is fallible and takes any bytes without panicking.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests may fail by panicking"
    )
)]

pub mod auth;
mod buffer;
pub mod capability;
pub mod client;
pub mod collation;
pub mod column;
pub mod command;
pub mod compress;
pub mod error;
mod flags;
pub mod message;
pub mod packet;
pub mod proxy_protocol;
pub mod relay;
pub mod server;
pub mod status;
pub mod stream;
pub mod tls;
pub mod transport;
pub mod value;

pub use capability::Capabilities;
pub use error::{DecodeError, Error, SqlError};
pub use packet::{Reader, Writer};
pub use status::StatusFlags;
pub use stream::PacketStream;
pub use transport::Transport;
