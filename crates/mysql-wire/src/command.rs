//! Command codes: the first byte of a client's command packet.

/// A command that the protocol of MySQL 8.0 to 9.x defines.
///
/// Codes that these servers only use internally or have removed have no variant: they are unknown commands (error 1047).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CommandCode {
    /// Ends the connection.
    Quit = 0x01,
    /// Selects the default database.
    InitDb = 0x02,
    /// Runs SQL text.
    Query = 0x03,
    /// Lists the columns of a table (deprecated).
    FieldList = 0x04,
    /// A line of server statistics.
    Statistics = 0x08,
    /// Asks the server to dump debug information to its log.
    Debug = 0x0d,
    /// Tests the connection.
    Ping = 0x0e,
    /// Authenticates again, as another user.
    ChangeUser = 0x11,
    /// Asks for the binary log by file and position.
    BinlogDump = 0x12,
    /// Registers a replica.
    RegisterReplica = 0x15,
    /// Prepares a statement.
    StmtPrepare = 0x16,
    /// Executes a prepared statement.
    StmtExecute = 0x17,
    /// Sends a part of a parameter's value.
    StmtSendLongData = 0x18,
    /// Closes a prepared statement.
    StmtClose = 0x19,
    /// Resets a statement's long data and cursor.
    StmtReset = 0x1a,
    /// Switches multi-statements on or off.
    SetOption = 0x1b,
    /// Fetches rows of a cursor.
    StmtFetch = 0x1c,
    /// Asks for the binary log by GTIDs.
    BinlogDumpGtid = 0x1e,
    /// Resets the session.
    ResetConnection = 0x1f,
    /// Clones the data directory.
    Clone = 0x20,
    /// Subscribes to group replication messages.
    SubscribeGroupReplicationStream = 0x21,
}

impl CommandCode {
    /// The command with this code.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0x01 => Self::Quit,
            0x02 => Self::InitDb,
            0x03 => Self::Query,
            0x04 => Self::FieldList,
            0x08 => Self::Statistics,
            0x0d => Self::Debug,
            0x0e => Self::Ping,
            0x11 => Self::ChangeUser,
            0x12 => Self::BinlogDump,
            0x15 => Self::RegisterReplica,
            0x16 => Self::StmtPrepare,
            0x17 => Self::StmtExecute,
            0x18 => Self::StmtSendLongData,
            0x19 => Self::StmtClose,
            0x1a => Self::StmtReset,
            0x1b => Self::SetOption,
            0x1c => Self::StmtFetch,
            0x1e => Self::BinlogDumpGtid,
            0x1f => Self::ResetConnection,
            0x20 => Self::Clone,
            0x21 => Self::SubscribeGroupReplicationStream,
            _ => return None,
        })
    }

    /// The byte on the wire.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self as u8
    }
}

#[cfg(test)]
mod tests {
    use super::CommandCode;

    #[test]
    fn every_code_maps_back_to_its_byte() {
        let known = (0..=255u8).filter_map(CommandCode::from_byte).count();
        assert_eq!(known, 21);
        for byte in 0..=255u8 {
            if let Some(code) = CommandCode::from_byte(byte) {
                assert_eq!(code.byte(), byte);
            }
        }
    }
}
