//! Accepting clients: greeting, TLS, authentication, and the connection afterwards.
//!
//! [`accept`] runs the handshake up to the right password and returns a [`Login`]: its owner then checks what only it knows (the
//! database, limits) and either welcomes the client or refuses it.

mod change_user;
mod config;
mod connection;
mod login;

pub use config::{OFFERED_CAPABILITIES, ServerConfig};
pub use connection::{Connection, ConnectionAttributes};
pub use login::{Login, accept, refuse};

#[cfg(test)]
mod tests;
