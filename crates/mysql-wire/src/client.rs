//! Connecting to a MySQL server.
//!
//! [`connect`] logs in and gives a [`ClientConnection`]. Its methods are for control queries and small results, which
//! they hold in memory; a data path queues commands and works on the connection's packet stream itself.

mod auth;
mod connect;
mod connection;
mod options;
mod reader;
mod result;
mod rsa;
mod statement;
mod tls;

pub use connect::connect;
pub use connection::ClientConnection;
pub use options::{ConnectOptions, Target};
pub use reader::{ResultReader, Step};
pub use result::{Column, ExecuteResult, OkStatus, QueryResult, ResultSet};
pub use statement::Prepared;
pub use tls::{ClientTls, Verification};
