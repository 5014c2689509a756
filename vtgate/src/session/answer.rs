//! Answers that the gateway itself writes: OK, ERR, and result sets made here.

use bytes::BytesMut;
use mysql_wire::column::{ColumnFlags, ColumnType};
use mysql_wire::message::{self, BinaryRowWriter, ColumnDefinition, OkHeader};
use mysql_wire::packet::{Writer, write_packet};
use mysql_wire::{Capabilities, SqlError, StatusFlags};

use crate::error::{self, SqlResult};

/// Bytes on their way to one client, with the sequence id of the next packet.
#[derive(Debug)]
pub struct Output {
    /// Encoded packets that were not sent yet.
    pub buffer: BytesMut,
    /// Sequence id of the next packet.
    pub seq: u8,
    /// What the client negotiated.
    pub capabilities: Capabilities,
    /// Another answer to the same command follows this one.
    pub more_results: bool,
    /// Warnings of the gateway's own, to be counted in every answer beside those that it was given.
    pub added_warnings: u16,
    /// Rows are wanted in the binary protocol.
    pub binary: bool,
    /// Collation of strings that the gateway itself answers.
    pub collation: u16,
}

/// The numbers of an OK packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OkAnswer<'a> {
    /// Affected rows.
    pub affected_rows: u64,
    /// Last insert id.
    pub last_insert_id: u64,
    /// Status flags.
    pub status: StatusFlags,
    /// Number of warnings.
    pub warnings: u16,
    /// Human-readable info, as `Records: 2  Duplicates: 0  Warnings: 0`.
    pub info: &'a [u8],
}

impl Output {
    /// An empty output for a client with these capabilities.
    pub fn new(capabilities: Capabilities) -> Self {
        Self {
            buffer: BytesMut::new(),
            seq: 0,
            capabilities,
            more_results: false,
            added_warnings: 0,
            binary: false,
            collation: mysql_wire::collation::UTF8MB4_0900_AI_CI,
        }
    }

    /// The flag of an answer that another one follows.
    fn more(&self) -> StatusFlags {
        StatusFlags::empty().with(StatusFlags::MORE_RESULTS_EXISTS, self.more_results)
    }

    /// Whether result sets end by OK instead of EOF.
    pub fn deprecates_eof(&self) -> bool {
        self.capabilities.contains(Capabilities::DEPRECATE_EOF)
    }

    /// OK.
    pub fn ok(&mut self, answer: &OkAnswer<'_>) {
        self.ok_with_header(answer, OkHeader::Ok, message::SessionState::default());
    }

    /// OK with session state changes.
    pub fn ok_tracked(&mut self, answer: &OkAnswer<'_>, state: message::SessionState<'_>) {
        self.ok_with_header(answer, OkHeader::Ok, state);
    }

    fn ok_with_header(
        &mut self,
        answer: &OkAnswer<'_>,
        header: OkHeader,
        session_state: message::SessionState<'_>,
    ) {
        let capabilities = self.capabilities;
        let ok = message::OkPacket {
            affected_rows: answer.affected_rows,
            last_insert_id: answer.last_insert_id,
            status: answer.status.union(self.more()),
            warnings: answer.warnings.saturating_add(self.added_warnings),
            info: answer.info,
            session_state,
        };
        write_packet(&mut self.buffer, &mut self.seq, |w| {
            ok.encode(header, capabilities, w)
        });
    }

    /// ERR.
    pub fn error(&mut self, error: &SqlError) {
        let capabilities = self.capabilities;
        write_packet(&mut self.buffer, &mut self.seq, |w| {
            message::ErrPacket::from(error).encode(capabilities, w)
        });
    }

    /// The packet that ends column definitions, or a result set, or answers COM_SET_OPTION.
    pub fn end(&mut self, status: StatusFlags, warnings: u16) {
        if self.deprecates_eof() {
            let answer = OkAnswer {
                status,
                warnings,
                ..OkAnswer::default()
            };
            self.ok_with_header(&answer, OkHeader::Eof, message::SessionState::default());
        } else {
            let status = status.union(self.more());
            let warnings = warnings.saturating_add(self.added_warnings);
            write_packet(&mut self.buffer, &mut self.seq, |w| {
                message::EofPacket { warnings, status }.encode(w)
            });
        }
    }

    /// Column count and definitions of a result set, up to the first row.
    pub fn columns<'c>(
        &mut self,
        columns: impl ExactSizeIterator<Item = ColumnDefinition<'c>>,
        status: StatusFlags,
    ) {
        let count = columns.len() as u64;
        write_packet(&mut self.buffer, &mut self.seq, |w| {
            message::encode_column_count(count, w)
        });
        for column in columns {
            write_packet(&mut self.buffer, &mut self.seq, |w| column.encode(w));
        }
        if !self.deprecates_eof() {
            write_packet(&mut self.buffer, &mut self.seq, |w| {
                message::EofPacket { warnings: 0, status }.encode(w)
            });
        }
    }

    /// A row of the text protocol.
    pub fn text_row<'v>(&mut self, values: impl IntoIterator<Item = Option<&'v [u8]>>) {
        write_packet(&mut self.buffer, &mut self.seq, |w| {
            message::encode_text_row(w, values)
        });
    }

    /// A row of text cells in the binary protocol.
    ///
    /// # Errors
    /// 1105 for a cell that is not what MySQL prints for its column.
    pub fn binary_cells<'v>(
        &mut self,
        columns: &[mysql_wire::client::Column],
        row: impl Iterator<Item = Option<&'v [u8]>>,
    ) -> SqlResult<()> {
        let mut wrong = None;
        write_packet(&mut self.buffer, &mut self.seq, |w| {
            let mut cells = BinaryRowWriter::new(w, columns.len());
            for (index, (column, cell)) in columns.iter().zip(row).enumerate() {
                match cell {
                    None => cells.null(index),
                    Some(text) => {
                        let written =
                            mysql_wire::value::convert::text_to_binary(&column.format, text, cells.value());
                        wrong = wrong.take().or(written.err());
                    }
                }
            }
        });
        wrong.map_or(Ok(()), |wrong| Err(error::internal(wrong)))
    }

    /// A row of a [`Table`] in the binary protocol.
    fn binary_row(&mut self, columns: &[Column], row: &[Option<Vec<u8>>]) {
        write_packet(&mut self.buffer, &mut self.seq, |w| {
            let mut cells = BinaryRowWriter::new(w, columns.len());
            for (index, (column, cell)) in columns.iter().zip(row).enumerate() {
                let number = cell.as_deref().filter(|_| column.number).map(|text| {
                    std::str::from_utf8(text)
                        .ok()
                        .and_then(|text| text.parse::<u64>().ok())
                        .unwrap_or(0)
                });
                match (cell, number) {
                    (None, _) => cells.null(index),
                    (_, Some(number)) if column.int => {
                        cells.value().int4(u32::try_from(number).unwrap_or(u32::MAX));
                    }
                    (_, Some(number)) => cells.value().int8(number),
                    (Some(text), None) => cells.value().lenenc_bytes(text),
                }
            }
        });
    }

    /// A payload that exists already.
    pub fn payload(&mut self, payload: &[u8]) {
        mysql_wire::packet::put_packet(&mut self.buffer, &mut self.seq, payload);
    }

    /// A whole result set of the gateway's own, in the text protocol.
    pub fn table(&mut self, table: &Table, status: StatusFlags, warnings: u16) {
        let collation = self.collation;
        self.columns(
            table.columns.iter().map(|column| column.definition(collation)),
            status,
        );
        for row in &table.rows {
            if self.binary {
                self.binary_row(&table.columns, row);
            } else {
                self.text_row(row.iter().map(|cell| cell.as_deref()));
            }
        }
        self.end(status, warnings);
    }
}

/// A column of a [`Table`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// A BIGINT instead of a string.
    pub number: bool,
    /// The number is UNSIGNED.
    pub unsigned: bool,
    /// The number is an INT instead of a BIGINT.
    pub int: bool,
}

impl Column {
    /// A string column.
    pub fn text(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            number: false,
            unsigned: false,
            int: false,
        }
    }

    /// An integer column.
    pub fn number(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            number: true,
            unsigned: false,
            int: false,
        }
    }

    /// An INT UNSIGNED column.
    pub fn int_unsigned(name: &str) -> Self {
        Self {
            int: true,
            ..Self::unsigned(name)
        }
    }

    /// An unsigned integer column.
    pub fn unsigned(name: &str) -> Self {
        Self {
            unsigned: true,
            ..Self::number(name)
        }
    }

    fn definition(&self, collation: u16) -> ColumnDefinition<'_> {
        let base = ColumnDefinition {
            name: self.name.as_bytes(),
            ..ColumnDefinition::default()
        };
        if self.number {
            return ColumnDefinition {
                collation: mysql_wire::collation::BINARY,
                length: 21,
                column_type: if self.int {
                    ColumnType::Long as u8
                } else {
                    ColumnType::LongLong as u8
                },
                flags: ColumnFlags::BINARY.with(ColumnFlags::UNSIGNED, self.unsigned),
                ..base
            };
        }
        ColumnDefinition {
            collation,
            length: 1024,
            column_type: ColumnType::VarString as u8,
            decimals: 31,
            ..base
        }
    }
}

/// A small result set that the gateway makes: SHOW, VEXPLAIN.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// Columns.
    pub columns: Vec<Column>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<Option<Vec<u8>>>>,
}

impl Table {
    /// A table of these columns, without rows.
    pub fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// The column definitions as COM_STMT_PREPARE sends them.
    pub fn encoded_columns(&self, collation: u16) -> Vec<Vec<u8>> {
        let encode = |column: &Column| {
            let mut bytes = BytesMut::new();
            column.definition(collation).encode(&mut Writer::new(&mut bytes));
            bytes.to_vec()
        };
        self.columns.iter().map(encode).collect()
    }

    /// Adds a row of strings.
    pub fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.rows.push(
            cells
                .into_iter()
                .map(|cell| Some(cell.as_bytes().to_vec()))
                .collect(),
        );
    }
}
