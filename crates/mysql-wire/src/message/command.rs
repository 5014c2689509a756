//! Commands of a client, one per packet.

use super::{ChangeUser, Query, StmtExecute};
use crate::{
    Capabilities,
    command::CommandCode,
    error::DecodeError,
    packet::{Reader, Writer},
};

/// A decoded command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command<'a> {
    /// COM_QUIT: the client closes the connection.
    Quit,
    /// COM_INIT_DB: the new default database.
    InitDb(&'a [u8]),
    /// COM_QUERY.
    Query(Query<'a>),
    /// COM_FIELD_LIST.
    FieldList(FieldList<'a>),
    /// COM_STATISTICS.
    Statistics,
    /// COM_DEBUG.
    Debug,
    /// COM_PING.
    Ping,
    /// COM_CHANGE_USER.
    ChangeUser(ChangeUser<'a>),
    /// COM_STMT_PREPARE: the statement's text.
    StmtPrepare(&'a [u8]),
    /// COM_STMT_EXECUTE.
    StmtExecute(StmtExecute<'a>),
    /// COM_STMT_SEND_LONG_DATA; has no answer.
    StmtSendLongData(StmtSendLongData<'a>),
    /// COM_STMT_CLOSE: the statement's id; has no answer.
    StmtClose(u32),
    /// COM_STMT_RESET: the statement's id.
    StmtReset(u32),
    /// COM_STMT_FETCH.
    StmtFetch(StmtFetch),
    /// COM_SET_OPTION.
    SetOption(SetOption),
    /// COM_RESET_CONNECTION.
    ResetConnection,
    /// A command that exists but that a gateway does not serve: replication and cloning.
    NotServed(CommandCode),
    /// An unknown command code, or 0 for an empty packet: error 1047.
    Unknown(u8),
}

impl<'a> Command<'a> {
    /// Decodes a command packet. Bytes after a command without fields are ignored, as MySQL does.
    pub fn decode(payload: &'a [u8], capabilities: Capabilities) -> Result<Self, DecodeError> {
        let Some((&byte, body)) = payload.split_first() else {
            return Ok(Self::Unknown(0));
        };
        let Some(code) = CommandCode::from_byte(byte) else {
            return Ok(Self::Unknown(byte));
        };
        let mut r = Reader::new(body);
        Ok(match code {
            CommandCode::Quit => Self::Quit,
            CommandCode::InitDb => Self::InitDb(body),
            CommandCode::Query => Self::Query(Query::decode(body, capabilities)?),
            CommandCode::FieldList => Self::FieldList(FieldList::decode(body)?),
            CommandCode::Statistics => Self::Statistics,
            CommandCode::Debug => Self::Debug,
            CommandCode::Ping => Self::Ping,
            CommandCode::ChangeUser => Self::ChangeUser(ChangeUser::decode(body, capabilities)?),
            CommandCode::StmtPrepare => Self::StmtPrepare(body),
            CommandCode::StmtExecute => Self::StmtExecute(StmtExecute::decode(body)?),
            CommandCode::StmtSendLongData => Self::StmtSendLongData(StmtSendLongData {
                statement_id: r.int4()?,
                param: r.int2()?,
                data: r.rest(),
            }),
            CommandCode::StmtClose => Self::StmtClose(r.int4()?),
            CommandCode::StmtReset => Self::StmtReset(r.int4()?),
            CommandCode::StmtFetch => Self::StmtFetch(StmtFetch {
                statement_id: r.int4()?,
                rows: r.int4()?,
            }),
            CommandCode::SetOption => Self::SetOption(SetOption::from_code(r.int2()?)?),
            CommandCode::ResetConnection => Self::ResetConnection,
            CommandCode::BinlogDump
            | CommandCode::RegisterReplica
            | CommandCode::BinlogDumpGtid
            | CommandCode::Clone
            | CommandCode::SubscribeGroupReplicationStream => Self::NotServed(code),
        })
    }

    /// Encodes the command. [`Command::Unknown`] becomes its byte alone.
    pub fn encode(&self, capabilities: Capabilities, w: &mut Writer<'_>) {
        w.int1(self.code_byte());
        match self {
            Self::InitDb(name) => w.bytes(name),
            Self::Query(query) => query.encode(capabilities, w),
            Self::FieldList(list) => list.encode(w),
            Self::ChangeUser(user) => user.encode(capabilities, w),
            Self::StmtPrepare(text) => w.bytes(text),
            Self::StmtExecute(execute) => execute.encode(w),
            Self::StmtSendLongData(long) => {
                w.int4(long.statement_id);
                w.int2(long.param);
                w.bytes(long.data);
            }
            Self::StmtClose(id) | Self::StmtReset(id) => w.int4(*id),
            Self::StmtFetch(fetch) => {
                w.int4(fetch.statement_id);
                w.int4(fetch.rows);
            }
            Self::SetOption(option) => w.int2(*option as u16),
            Self::Quit
            | Self::Statistics
            | Self::Debug
            | Self::Ping
            | Self::ResetConnection
            | Self::NotServed(_)
            | Self::Unknown(_) => {}
        }
    }

    /// The command's first byte.
    #[must_use]
    pub const fn code_byte(&self) -> u8 {
        match self {
            Self::Quit => CommandCode::Quit.byte(),
            Self::InitDb(_) => CommandCode::InitDb.byte(),
            Self::Query(_) => CommandCode::Query.byte(),
            Self::FieldList(_) => CommandCode::FieldList.byte(),
            Self::Statistics => CommandCode::Statistics.byte(),
            Self::Debug => CommandCode::Debug.byte(),
            Self::Ping => CommandCode::Ping.byte(),
            Self::ChangeUser(_) => CommandCode::ChangeUser.byte(),
            Self::StmtPrepare(_) => CommandCode::StmtPrepare.byte(),
            Self::StmtExecute(_) => CommandCode::StmtExecute.byte(),
            Self::StmtSendLongData(_) => CommandCode::StmtSendLongData.byte(),
            Self::StmtClose(_) => CommandCode::StmtClose.byte(),
            Self::StmtReset(_) => CommandCode::StmtReset.byte(),
            Self::StmtFetch(_) => CommandCode::StmtFetch.byte(),
            Self::SetOption(_) => CommandCode::SetOption.byte(),
            Self::ResetConnection => CommandCode::ResetConnection.byte(),
            Self::NotServed(code) => code.byte(),
            Self::Unknown(byte) => *byte,
        }
    }
}

/// The fields of COM_FIELD_LIST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldList<'a> {
    /// The table's name.
    pub table: &'a [u8],
    /// A LIKE pattern for column names; empty for all.
    pub pattern: &'a [u8],
}

impl<'a> FieldList<'a> {
    fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(body);
        Ok(Self {
            table: r.nul_bytes()?,
            pattern: r.rest(),
        })
    }

    fn encode(&self, w: &mut Writer<'_>) {
        w.nul_bytes(self.table);
        w.bytes(self.pattern);
    }
}

/// The fields of COM_STMT_SEND_LONG_DATA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StmtSendLongData<'a> {
    /// The statement.
    pub statement_id: u32,
    /// Number of the parameter, from 0.
    pub param: u16,
    /// Bytes to append to the parameter's value.
    pub data: &'a [u8],
}

/// The fields of COM_STMT_FETCH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StmtFetch {
    /// The statement with the open cursor.
    pub statement_id: u32,
    /// The most rows to send.
    pub rows: u32,
}

/// What COM_SET_OPTION switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum SetOption {
    /// Several statements in one COM_QUERY are allowed from now on.
    MultiStatementsOn = 0,
    /// They are not.
    MultiStatementsOff = 1,
}

impl SetOption {
    fn from_code(code: u16) -> Result<Self, DecodeError> {
        match code {
            0 => Ok(Self::MultiStatementsOn),
            1 => Ok(Self::MultiStatementsOff),
            other => Err(DecodeError::Invalid {
                what: "set option",
                value: u64::from(other),
            }),
        }
    }
}
