//! A client's connection after the handshake.

use std::time::Duration;

use crate::{
    Capabilities, PacketStream, StatusFlags,
    error::{DecodeError, Error, SqlError},
    message::{
        Attributes, ColumnDefinition, Command, EofPacket, ErrPacket, OkHeader, OkPacket, encode_column_count,
        encode_text_row,
    },
    packet::{Reader, Writer},
    stream::Payload,
};

/// How long a client may take to send the rest of a message that is too large.
const SKIP_TIME: Duration = Duration::from_secs(10);

/// Connection attributes as the client sent them, kept in one piece.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectionAttributes(Box<[u8]>);

impl ConnectionAttributes {
    pub(super) fn new(attributes: &Attributes<'_>) -> Self {
        if attributes.wire_len() == 0 {
            return Self::default();
        }
        let mut bytes = bytes::BytesMut::new();
        attributes.encode(&mut Writer::new(&mut bytes));
        Self(bytes[..].into())
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        Attributes::decode(&mut Reader::new(&self.0))
            .unwrap_or_default()
            .iter()
    }
}

/// A client that is logged in.
#[derive(Debug)]
pub struct Connection {
    /// Packets from and to the client.
    pub stream: PacketStream,
    /// What client and server agreed on.
    pub capabilities: Capabilities,
    /// The id of the greeting.
    pub connection_id: u32,
    /// The client's address for messages, as given to [`accept`](super::accept).
    pub host: Box<str>,
    /// The user's name.
    pub user: Box<[u8]>,
    /// The database that the client asked for.
    pub database: Option<Box<[u8]>>,
    /// Id of the client's collation.
    pub collation: u16,
    /// What the client tells about itself.
    pub attributes: ConnectionAttributes,
}

impl Connection {
    /// Waits for the next command. The connection holds no buffers meanwhile. [`Error::Closed`] when the client has gone.
    pub async fn read_command(&mut self) -> Result<Payload, Error> {
        self.stream.start_command();
        self.stream.read_packet().await
    }

    /// Decodes a command that was read.
    pub fn decode_command<'p>(&self, payload: &'p [u8]) -> Result<Command<'p>, DecodeError> {
        Command::decode(payload, self.capabilities)
    }

    /// Adds an OK packet.
    pub fn write_ok(&mut self, ok: &OkPacket<'_>) {
        self.stream
            .write_message(|w| ok.encode(OkHeader::Ok, self.capabilities, w));
    }

    /// Adds an ERR packet.
    pub fn write_error(&mut self, error: &SqlError) {
        self.stream
            .write_message(|w| ErrPacket::from(error).encode(self.capabilities, w));
    }

    /// Adds the column count and the column definitions of a result set, with the EOF packet that older clients expect.
    pub fn write_columns(&mut self, columns: &[ColumnDefinition<'_>], status: StatusFlags) {
        self.stream
            .write_message(|w| encode_column_count(columns.len() as u64, w));
        for column in columns {
            self.stream.write_message(|w| column.encode(w));
        }
        self.write_definitions_end(&EofPacket { warnings: 0, status });
    }

    /// Adds the EOF packet after definitions, if the client expects one.
    pub fn write_definitions_end(&mut self, eof: &EofPacket) {
        if !self.capabilities.contains(Capabilities::DEPRECATE_EOF) {
            self.stream.write_message(|w| eof.encode(w));
        }
    }

    /// Adds a row of text values.
    pub fn write_text_row<'v>(&mut self, values: impl IntoIterator<Item = Option<&'v [u8]>>) {
        self.stream.write_message(|w| encode_text_row(w, values));
    }

    /// Adds the packet after the last row, in the form that the client expects.
    pub fn write_rows_end(&mut self, ok: &OkPacket<'_>) {
        if self.capabilities.contains(Capabilities::DEPRECATE_EOF) {
            self.stream
                .write_message(|w| ok.encode(OkHeader::Eof, self.capabilities, w));
        } else {
            let eof = EofPacket {
                warnings: ok.warnings,
                status: ok.status,
            };
            self.stream.write_message(|w| eof.encode(w));
        }
    }

    /// Tells the client why its connection ends, if it can still be told, and closes the sending side. The packet stream's sequence id is
    /// that of the answer.
    pub async fn fail(&mut self, error: &Error) {
        if matches!(error, Error::TooLarge { .. }) {
            // If the client is too slow it is reset and does not learn why.
            let _ = tokio::time::timeout(SKIP_TIME, self.stream.skip_message()).await;
        }
        if let Some(answer) = error.to_sql_error() {
            self.write_error(&answer);
        }
        // It is closed either way.
        let _ = self.stream.shutdown().await;
    }
}
