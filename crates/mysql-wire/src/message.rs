//! The protocol's messages, one per file, decoded from and encoded to the payload of a packet.
//!
//! Decoded messages borrow from the payload. Messages whose layout depends on what client and server agreed on take the
//! connection's [`Capabilities`](crate::Capabilities).

mod attributes;
mod auth_exchange;
mod change_user;
mod column_definition;
mod command;
mod eof;
mod err;
mod first_packet;
mod handshake;
mod handshake_response;
mod ok;
mod params;
mod prepare_ok;
mod query;
mod row;
mod session_state;
mod stmt_execute;

pub use attributes::{Attributes, encode_attributes};
pub use auth_exchange::{AuthMoreData, AuthSwitchRequest};
pub use change_user::ChangeUser;
pub use column_definition::ColumnDefinition;
pub use command::{Command, FieldList, SetOption, StmtFetch, StmtSendLongData};
pub use eof::EofPacket;
pub use err::ErrPacket;
pub use first_packet::{FirstPacket, LocalInfile, encode_column_count};
pub use handshake::{Handshake, NONCE_LEN};
pub use handshake_response::{HandshakeResponse, SslRequest};
pub use ok::{OkHeader, OkPacket};
pub use params::{ParamType, RawParams, encode_param_types};
pub use prepare_ok::PrepareOk;
pub use query::Query;
pub use row::{BinaryRowWriter, TextRow, encode_text_row};
pub use session_state::{SessionState, StateChange};
pub use stmt_execute::{CURSOR_TYPE_READ_ONLY, PARAMETER_COUNT_AVAILABLE, StmtExecute};

#[cfg(test)]
mod tests;
