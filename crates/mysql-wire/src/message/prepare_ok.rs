//! The first packet of a successful answer to COM_STMT_PREPARE.

use super::auth_exchange::expect_header;
use crate::{
    error::DecodeError,
    packet::{Reader, Writer},
};

/// A statement was prepared. Definitions of the parameters follow, then those of the columns, each group ended by an EOF packet
/// when the connection has no DEPRECATE_EOF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrepareOk {
    /// Id of the statement on this connection.
    pub statement_id: u32,
    /// Number of result columns.
    pub columns: u16,
    /// Number of parameters.
    pub params: u16,
    /// Number of warnings.
    pub warnings: u16,
}

impl PrepareOk {
    /// Decodes the payload.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(payload);
        expect_header(&mut r, 0, "prepare OK")?;
        let statement_id = r.int4()?;
        let columns = r.int2()?;
        let params = r.int2()?;
        r.skip(1)?;
        // Old servers end the packet here.
        let warnings = if r.is_empty() { 0 } else { r.int2()? };
        Ok(Self {
            statement_id,
            columns,
            params,
            warnings,
        })
    }

    /// Encodes the payload.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.int1(0);
        w.int4(self.statement_id);
        w.int2(self.columns);
        w.int2(self.params);
        w.int1(0);
        w.int2(self.warnings);
    }
}
