//! Answers to commands, assembled in memory: a state machine without I/O that is fed packet by packet.

#[cfg(test)]
mod tests;

use super::reader::{ResultReader, Step};
use crate::message::{ColumnDefinition, OkPacket};
use crate::value::{self, ColumnFormat, Value, ValueError, ValueRef};
use crate::{Capabilities, Error, StatusFlags};

/// What an OK packet says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OkStatus {
    /// Number of rows that the statement changed.
    pub affected_rows: u64,
    /// The AUTO_INCREMENT value of the statement's first row, or 0.
    pub last_insert_id: u64,
    /// The session's status.
    pub status: StatusFlags,
    /// Number of warnings.
    pub warnings: u16,
    /// Text for people.
    pub info: Vec<u8>,
    /// Session state changes as they came, see [`SessionState`](crate::message::SessionState).
    pub session_state: Vec<u8>,
}

impl From<OkPacket<'_>> for OkStatus {
    fn from(ok: OkPacket<'_>) -> Self {
        Self {
            affected_rows: ok.affected_rows,
            last_insert_id: ok.last_insert_id,
            status: ok.status,
            warnings: ok.warnings,
            info: ok.info.to_vec(),
            session_state: ok.session_state.as_bytes().to_vec(),
        }
    }
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The column's name or alias.
    pub name: Vec<u8>,
    /// What the forms of its values depend on.
    pub format: ColumnFormat,
    /// Id of the collation of its values.
    pub collation: u16,
    /// The whole column definition as it came, see [`ColumnDefinition`].
    pub definition: Vec<u8>,
}

impl Column {
    pub(super) fn decode(payload: &[u8]) -> Result<Self, Error> {
        let definition = ColumnDefinition::decode(payload)?;
        Ok(Self {
            name: definition.name.to_vec(),
            format: ColumnFormat::try_from(&definition)?,
            collation: definition.collation,
            definition: payload.to_vec(),
        })
    }
}

/// A result held in memory. Without a result set it has no columns.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultSet<C> {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows; each has as many cells as there are columns.
    pub rows: Vec<Vec<C>>,
    /// What the packet at the end said.
    pub ok: OkStatus,
}

/// The result of a query: cells as text, `None` for NULL.
pub type QueryResult = ResultSet<Option<Vec<u8>>>;

/// The result of a prepared statement.
pub type ExecuteResult = ResultSet<Value>;

impl<C> ResultSet<C> {
    /// The cell in this row and column, both counted from 0.
    #[must_use]
    pub fn cell(&self, row: usize, column: usize) -> Option<&C> {
        self.rows.get(row)?.get(column)
    }

    /// Position of the column with this name, compared without case.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns
            .iter()
            .position(|column| column.name.eq_ignore_ascii_case(name.as_bytes()))
    }
}

impl QueryResult {
    /// The text in this row and the column of this name; `None` when it is NULL, not UTF-8 or not there.
    #[must_use]
    pub fn text(&self, row: usize, column: &str) -> Option<&str> {
        std::str::from_utf8(self.cell(row, self.column(column)?)?.as_ref()?).ok()
    }
}

/// Cells of one of the two protocols.
pub(super) trait Cell: Sized {
    fn decode_row(columns: &[ColumnFormat], payload: &[u8]) -> Result<Vec<Self>, ValueError>;
}

impl Cell for Option<Vec<u8>> {
    fn decode_row(columns: &[ColumnFormat], payload: &[u8]) -> Result<Vec<Self>, ValueError> {
        let cells = value::text::cells(payload, columns.len())?;
        Ok(cells.into_iter().map(|cell| cell.map(<[u8]>::to_vec)).collect())
    }
}

impl Cell for Value {
    fn decode_row(columns: &[ColumnFormat], payload: &[u8]) -> Result<Vec<Self>, ValueError> {
        Ok(value::binary::decode_row(columns, payload)?
            .into_iter()
            .map(ValueRef::to_value)
            .collect())
    }
}

/// What a fed packet led to.
#[derive(Debug, PartialEq)]
pub(super) enum Progress<C> {
    /// The result goes on with the next packet.
    More,
    /// The server waits for a file's content.
    LocalInfile,
    /// The result is complete. Whether another one follows is in its status.
    Done(ResultSet<C>),
}

/// Assembles one result.
#[derive(Debug)]
pub(super) struct Assembler<C> {
    reader: ResultReader,
    /// Bytes of packets that the result may still take.
    size_left: usize,
    max_size: usize,
    rows: Vec<Vec<C>>,
}

impl<C: Cell> Assembler<C> {
    pub(super) fn new(capabilities: Capabilities, max_size: usize) -> Self {
        Self {
            reader: ResultReader::new(capabilities),
            size_left: max_size,
            max_size,
            rows: Vec::new(),
        }
    }

    /// Takes the next packet. An error of the server ends the result; after all other errors the connection is lost.
    pub(super) fn feed(&mut self, payload: &[u8]) -> Result<Progress<C>, Error> {
        self.size_left = self
            .size_left
            .checked_sub(payload.len())
            .ok_or(Error::TooLarge { limit: self.max_size })?;
        match self.reader.feed(payload)? {
            Step::Head | Step::Columns => {}
            Step::Row => self.rows.push(C::decode_row(self.reader.formats(), payload)?),
            Step::LocalInfile => return Ok(Progress::LocalInfile),
            Step::Done(ok) => {
                return Ok(Progress::Done(ResultSet {
                    columns: self.reader.take_columns(),
                    rows: std::mem::take(&mut self.rows),
                    ok,
                }));
            }
        }
        Ok(Progress::More)
    }
}
