//! The packets of one result, told apart: a state machine without I/O, for results that are read row by row.

use super::result::{Column, OkStatus};
use crate::message::{EofPacket, ErrPacket, FirstPacket, OkPacket};
use crate::packet::MAX_PAYLOAD;
use crate::value::ColumnFormat;
use crate::{Capabilities, Error};

/// What a fed packet was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A part of the head of the result.
    Head,
    /// The last packet before the rows: the columns are known.
    Columns,
    /// A row, in the protocol of the command.
    Row,
    /// The end of the result. Whether another one follows is in its status.
    Done(OkStatus),
    /// The server waits for a file's content.
    LocalInfile,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expects {
    First,
    Columns { left: u64 },
    EndOfColumns,
    Rows,
}

/// Reads one result of an answer to COM_QUERY or COM_STMT_EXECUTE.
#[derive(Debug)]
pub struct ResultReader {
    capabilities: Capabilities,
    expects: Expects,
    columns: Vec<Column>,
    formats: Vec<ColumnFormat>,
}

impl ResultReader {
    /// A reader at the start of a result, on a connection with these capabilities.
    #[must_use]
    pub const fn new(capabilities: Capabilities) -> Self {
        Self {
            capabilities,
            expects: Expects::First,
            columns: Vec::new(),
            formats: Vec::new(),
        }
    }

    /// The columns that were read so far: all of them from [`Step::Columns`] on.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The forms of the columns' values.
    #[must_use]
    pub fn formats(&self) -> &[ColumnFormat] {
        &self.formats
    }

    /// Gives the columns away, for a result that is done.
    pub(super) fn take_columns(&mut self) -> Vec<Column> {
        std::mem::take(&mut self.columns)
    }

    /// Takes the next packet.
    ///
    /// # Errors
    /// [`Error::Sql`] is the server's and ends the result; after all others the connection is lost.
    pub fn feed(&mut self, payload: &[u8]) -> Result<Step, Error> {
        match self.expects {
            Expects::First => self.feed_first(payload),
            Expects::Columns { left } => {
                let column = Column::decode(payload)?;
                self.formats.push(column.format);
                self.columns.push(column);
                Ok(self.after_column(left.saturating_sub(1)))
            }
            Expects::EndOfColumns => {
                EofPacket::decode(payload)?;
                self.expects = Expects::Rows;
                Ok(Step::Columns)
            }
            Expects::Rows => Ok(match end_of_rows(payload, self.capabilities)? {
                Some(ok) => Step::Done(ok),
                None => Step::Row,
            }),
        }
    }

    fn feed_first(&mut self, payload: &[u8]) -> Result<Step, Error> {
        match FirstPacket::decode(payload, self.capabilities)? {
            FirstPacket::Ok(ok) => Ok(Step::Done(ok.into())),
            FirstPacket::Err(error) => Err(error.to_sql_error().into()),
            FirstPacket::LocalInfile(_) => Ok(Step::LocalInfile),
            FirstPacket::Columns(0) => Err(Error::Unexpected("result set without columns")),
            FirstPacket::Columns(left) => {
                self.expects = Expects::Columns { left };
                Ok(Step::Head)
            }
        }
    }

    fn after_column(&mut self, left: u64) -> Step {
        let (expects, step) = match left {
            0 if self.capabilities.contains(Capabilities::DEPRECATE_EOF) => (Expects::Rows, Step::Columns),
            0 => (Expects::EndOfColumns, Step::Head),
            left => (Expects::Columns { left }, Step::Head),
        };
        self.expects = expects;
        step
    }
}

/// What the packet at the end of rows says, `None` for a row.
pub(super) fn end_of_rows(payload: &[u8], capabilities: Capabilities) -> Result<Option<OkStatus>, Error> {
    match payload.first() {
        Some(&ErrPacket::HEADER) => Err(ErrPacket::decode(payload)?.to_sql_error().into()),
        // A row that starts with this byte has a first cell of 16 MB or more.
        Some(0xfe) if capabilities.contains(Capabilities::DEPRECATE_EOF) && payload.len() < MAX_PAYLOAD => {
            Ok(Some(OkPacket::decode(payload, capabilities)?.into()))
        }
        Some(0xfe)
            if !capabilities.contains(Capabilities::DEPRECATE_EOF) && payload.len() < EofPacket::MAX_LEN =>
        {
            Ok(Some(OkPacket::from(EofPacket::decode(payload)?).into()))
        }
        _ => Ok(None),
    }
}
