//! Errors: bytes that cannot be decoded, errors for the peer, and broken connections.

mod code;

use std::{borrow::Cow, io};

pub use code::{ErrorCode, sql_state};

/// Why bytes could not be decoded. Positions count bytes from the start of the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The payload ends too early.
    #[error("byte {at}: {needed} bytes needed, {left} left")]
    Truncated {
        /// Where the read began.
        at: usize,
        /// Bytes that the read needs.
        needed: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// The byte cannot start a length-encoded integer.
    #[error("byte {at}: {first:#04x} starts no length-encoded integer")]
    BadLength {
        /// Position of the byte.
        at: usize,
        /// The byte.
        first: u8,
    },
    /// A zero-terminated string has no end.
    #[error("byte {at}: string without terminator")]
    NoTerminator {
        /// Where the string began.
        at: usize,
    },
    /// A field has a value that it must not have.
    #[error("{what}: invalid value {value:#x}")]
    Invalid {
        /// The field's name.
        what: &'static str,
        /// Its value.
        value: u64,
    },
    /// Bytes are left over after the last field.
    #[error("byte {at}: {left} bytes too many")]
    Trailing {
        /// Position of the first such byte.
        at: usize,
        /// How many there are.
        left: usize,
    },
}

/// An error as a MySQL client sees it: code, SQLSTATE and message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} ({}): {}", .code, String::from_utf8_lossy(.state), String::from_utf8_lossy(.message))]
pub struct SqlError {
    /// MySQL's error number.
    pub code: u16,
    /// The SQLSTATE, five ASCII characters.
    pub state: [u8; 5],
    /// The message, in the connection's result character set.
    pub message: Cow<'static, [u8]>,
}

impl SqlError {
    /// An error with the SQLSTATE that MySQL gives to `code`.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::with_code(code.number(), message)
    }

    /// An error with any number; its SQLSTATE is MySQL's where the number is known, else HY000.
    #[must_use]
    pub fn with_code(code: u16, message: impl Into<String>) -> Self {
        Self {
            code,
            state: sql_state(code),
            message: Cow::Owned(message.into().into_bytes()),
        }
    }
}

/// Why a connection failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The transport failed.
    #[error("i/o: {0}")]
    Io(#[from] io::Error),
    /// The peer closed the connection between packets.
    #[error("the peer closed the connection")]
    Closed,
    /// A message could not be decoded.
    #[error("malformed packet: {0}")]
    Decode(#[from] DecodeError),
    /// A packet has the wrong sequence id.
    #[error("packets out of order: sequence id {got}, expected {expected}")]
    Sequence {
        /// The id that was due.
        expected: u8,
        /// The id that came.
        got: u8,
    },
    /// A message is longer than the limit of its connection.
    #[error("packet of more than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The compressed protocol was violated.
    #[error("compressed packet: {0}")]
    Compression(String),
    /// The peer sent a message that does not belong here.
    #[error("unexpected {0}")]
    Unexpected(&'static str),
    /// The peer answered with an ERR packet, or is to be answered with one.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// TLS could not be set up.
    #[error("tls: {0}")]
    Tls(String),
}

impl Error {
    /// The ERR packet that a client gets before its connection is closed; `None` when nothing can be sent any more.
    #[must_use]
    pub fn to_sql_error(&self) -> Option<SqlError> {
        let (code, message): (_, Cow<'static, str>) = match self {
            Self::Io(_) | Self::Closed | Self::Tls(_) => return None,
            Self::Sql(error) => return Some(error.clone()),
            Self::Decode(_) | Self::Unexpected(_) => (
                ErrorCode::MalformedPacket,
                "Malformed communication packet.".into(),
            ),
            Self::Sequence { .. } => (ErrorCode::NetPacketsOutOfOrder, "Got packets out of order".into()),
            Self::TooLarge { .. } => (
                ErrorCode::NetPacketTooLarge,
                "Got a packet bigger than 'max_allowed_packet' bytes".into(),
            ),
            Self::Compression(_) => (
                ErrorCode::NetUncompress,
                "Couldn't uncompress communication packet".into(),
            ),
        };
        Some(SqlError::new(code, message))
    }
}
