//! COM_STMT_EXECUTE, split into its parts.

use super::params::{RawParams, decode_count};
use crate::{
    Capabilities,
    error::DecodeError,
    packet::{Reader, Writer},
};

/// Flag of COM_STMT_EXECUTE: open a read-only cursor.
pub const CURSOR_TYPE_READ_ONLY: u8 = 0x01;
/// Flag of COM_STMT_EXECUTE: the parameter count is in the packet, because query attributes may follow the parameters.
pub const PARAMETER_COUNT_AVAILABLE: u8 = 0x08;

/// The body of COM_STMT_EXECUTE, without the command byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StmtExecute<'a> {
    /// The statement.
    pub statement_id: u32,
    /// Cursor type, and whether the parameter count is in the packet.
    pub flags: u8,
    /// Always 1; MySQL does not look at it.
    pub iterations: u32,
    /// What follows: [`StmtExecute::params`] splits it.
    pub body: &'a [u8],
}

impl<'a> StmtExecute<'a> {
    /// Decodes the fixed fields.
    pub fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(body);
        Ok(Self {
            statement_id: r.int4()?,
            flags: r.int1()?,
            iterations: r.int4()?,
            body: r.rest(),
        })
    }

    /// Encodes fixed fields and body.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.int4(self.statement_id);
        w.int1(self.flags);
        w.int4(self.iterations);
        w.bytes(self.body);
    }

    /// Whether the client asks for a cursor.
    #[must_use]
    pub const fn wants_cursor(&self) -> bool {
        self.flags & CURSOR_TYPE_READ_ONLY != 0
    }

    /// Splits the parameters of a statement that was prepared with `statement_params` of them.
    ///
    /// Query attributes, when there are any, are the parameters after the statement's own.
    pub fn params(
        &self,
        statement_params: usize,
        capabilities: Capabilities,
    ) -> Result<RawParams<'a>, DecodeError> {
        let mut r = Reader::new(self.body);
        // With the capability each type has a name, and the count is there unless neither flag nor statement ask for it.
        let named = capabilities.contains(Capabilities::QUERY_ATTRIBUTES);
        let has_flag = self.flags & PARAMETER_COUNT_AVAILABLE != 0;
        let has_count = named && (has_flag || statement_params > 0);
        let count = if has_count {
            decode_count(&mut r)?
        } else {
            statement_params
        };
        if count < statement_params {
            return Err(DecodeError::Invalid {
                what: "parameter count",
                value: count as u64,
            });
        }
        RawParams::decode(&mut r, count, named)
    }
}
