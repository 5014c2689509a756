//! A connection that is logged in: commands and their answers.

use std::collections::VecDeque;
use std::time::Duration;

use super::ConnectOptions;
use super::auth::{Channel, Exchange, Plugin};
use super::connect::authenticate;
use super::result::{Assembler, Cell, OkStatus, Progress, QueryResult, ResultSet};
use crate::message::{Attributes, ChangeUser, Command, EofPacket, ErrPacket, NONCE_LEN, OkPacket, Query};
use crate::stream::PacketStream;
use crate::{Capabilities, Error, StatusFlags};

/// What the login left behind.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) server_version: String,
    pub(super) connection_id: u32,
    pub(super) capabilities: Capabilities,
    pub(super) channel: Channel,
    pub(super) nonce: [u8; NONCE_LEN],
    pub(super) plugin: Plugin,
}

/// A connection to a server.
///
/// Cancel safety: a method that was dropped before it was done leaves an unread answer behind; the connection must
/// then be closed. The same holds after every error but [`Error::Sql`].
#[derive(Debug)]
pub struct ClientConnection {
    stream: PacketStream,
    login: Login,
    status: StatusFlags,
    collation: u16,
    command_timeout: Option<Duration>,
    max_result_size: usize,
    /// Sequence ids with which the answers to queued commands begin: they go on from the commands' own packets.
    answers: VecDeque<u8>,
}

impl ClientConnection {
    pub(super) fn new(
        stream: PacketStream,
        login: Login,
        status: StatusFlags,
        options: &ConnectOptions,
    ) -> Self {
        Self {
            stream,
            login,
            status,
            collation: options.collation,
            command_timeout: options.command_timeout,
            max_result_size: options.max_result_size,
            answers: VecDeque::new(),
        }
    }

    /// The server's version string.
    #[must_use]
    pub fn server_version(&self) -> &str {
        &self.login.server_version
    }

    /// The connection's id on the server, for KILL.
    #[must_use]
    pub fn connection_id(&self) -> u32 {
        self.login.connection_id
    }

    /// The capabilities that were agreed on.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.login.capabilities
    }

    /// The session's status as of the last OK packet that the connection's own methods have read.
    #[must_use]
    pub fn status(&self) -> StatusFlags {
        self.status
    }

    /// Notes a status that was read from the packet stream directly.
    pub fn set_status(&mut self, status: StatusFlags) {
        self.status = status;
    }

    /// The packet stream.
    pub fn stream(&mut self) -> &mut PacketStream {
        &mut self.stream
    }

    // Single commands.

    /// Runs SQL and returns its first result; further ones are read and dropped.
    ///
    /// # Errors
    /// [`Error::Sql`] when any of the statements failed.
    pub async fn query(&mut self, sql: impl AsRef<[u8]>) -> Result<QueryResult, Error> {
        let results = self.query_all(sql).await?;
        results
            .into_iter()
            .next()
            .ok_or(Error::Unexpected("answer without results"))
    }

    /// Runs SQL and returns all its results.
    ///
    /// # Errors
    /// [`Error::Sql`] when any of the statements failed; the results before it are lost.
    pub async fn query_all(&mut self, sql: impl AsRef<[u8]>) -> Result<Vec<QueryResult>, Error> {
        self.queue(&Command::Query(Query::new(sql.as_ref())));
        self.limited(async |this| {
            this.stream.flush().await?;
            this.read_results().await
        })
        .await
    }

    /// Tests the connection.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn ping(&mut self) -> Result<OkStatus, Error> {
        self.run(&Command::Ping).await
    }

    /// Selects the default database.
    ///
    /// # Errors
    /// [`Error::Sql`] 1044 or 1049 when there is none of this name for the user.
    pub async fn init_db(&mut self, database: &str) -> Result<OkStatus, Error> {
        self.run(&Command::InitDb(database.as_bytes())).await
    }

    /// Resets the session: open transaction, temporary tables, variables, prepared statements. The character set
    /// becomes that of the server.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn reset(&mut self) -> Result<OkStatus, Error> {
        self.run(&Command::ResetConnection).await
    }

    /// Sends a command whose answer is OK, EOF or ERR.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn run(&mut self, command: &Command<'_>) -> Result<OkStatus, Error> {
        self.queue(command);
        self.limited(async |this| {
            this.stream.flush().await?;
            this.read_ok().await
        })
        .await
    }

    /// Logs in as another user and resets the session.
    ///
    /// # Errors
    /// [`Error::Sql`] when the server refuses; it then closes the connection.
    pub async fn change_user(
        &mut self,
        user: &str,
        password: &str,
        database: Option<&str>,
    ) -> Result<OkStatus, Error> {
        let Login {
            channel,
            plugin,
            nonce,
            capabilities,
            ..
        } = self.login;
        let mut exchange = Exchange::new(password.as_bytes(), channel, plugin, nonce);
        self.queue(&Command::ChangeUser(ChangeUser {
            user: user.as_bytes(),
            auth_response: &exchange.response(),
            database: database.unwrap_or_default().as_bytes(),
            collation: Some(self.collation),
            auth_plugin: Some(plugin.name()),
            attributes: Attributes::default(),
        }));
        let ok = self
            .limited(async |this| {
                this.begin_answer()?;
                authenticate(&mut this.stream, &mut exchange, capabilities).await
            })
            .await?;
        (self.login.nonce, self.login.plugin) = (exchange.nonce(), exchange.plugin());
        self.status = ok.status;
        Ok(ok)
    }

    /// Says goodbye and closes.
    ///
    /// # Errors
    /// [`Error::Io`] when the connection was broken already.
    pub async fn quit(mut self) -> Result<(), Error> {
        self.queue(&Command::Quit);
        self.limited(async |this| this.stream.shutdown().await).await
    }

    // Pipelining: queue some commands, flush, read the answers in the same order.

    /// Adds a command to what the next flush sends. Its answer, if it has one, is to be read in its turn: by a method
    /// of this connection, or after [`ClientConnection::begin_answer`] from the packet stream.
    pub fn queue(&mut self, command: &Command<'_>) {
        let capabilities = self.login.capabilities;
        self.stream.start_command();
        self.stream.write_message(|w| command.encode(capabilities, w));
        if !matches!(
            command,
            Command::Quit | Command::StmtClose(_) | Command::StmtSendLongData(_)
        ) {
            self.answers.push_back(self.stream.seq());
        }
    }

    /// Turns to the answer of the next queued command: sets the sequence id that its first packet has. The methods that
    /// read answers do this themselves; who uses the packet stream alone, without [`ClientConnection::queue`], needs it
    /// not.
    ///
    /// # Errors
    /// [`Error::Unexpected`] when no command waits for an answer.
    pub fn begin_answer(&mut self) -> Result<(), Error> {
        let seq = self
            .answers
            .pop_front()
            .ok_or(Error::Unexpected("read without a command"))?;
        self.stream.set_seq(seq);
        Ok(())
    }

    /// Sends the queued commands. With more in flight than the sockets hold, the server may wait for answers to be
    /// read: keep pipelines short.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn flush(&mut self) -> Result<(), Error> {
        self.stream.flush().await
    }

    /// Reads the next answer, that of a COM_QUERY, with all its results.
    ///
    /// # Errors
    /// [`Error::Sql`] when a statement failed: the answer is then read to its end.
    pub async fn read_results(&mut self) -> Result<Vec<QueryResult>, Error> {
        self.begin_answer()?;
        let mut results = Vec::new();
        loop {
            let result: QueryResult = self.read_result().await?;
            let is_last = !result.ok.status.contains(StatusFlags::MORE_RESULTS_EXISTS);
            results.push(result);
            if is_last {
                return Ok(results);
            }
        }
    }

    /// Reads the next answer, which is OK, EOF or ERR.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn read_ok(&mut self) -> Result<OkStatus, Error> {
        self.begin_answer()?;
        let packet = self.stream.read_packet().await?;
        let capabilities = self.login.capabilities;
        let ok = match packet.first() {
            Some(&ErrPacket::HEADER) => return Err(ErrPacket::decode(&packet)?.to_sql_error().into()),
            Some(&EofPacket::HEADER) if !capabilities.contains(Capabilities::DEPRECATE_EOF) => {
                OkPacket::from(EofPacket::decode(&packet)?).into()
            }
            _ => OkStatus::from(OkPacket::decode(&packet, capabilities)?),
        };
        self.status = ok.status;
        Ok(ok)
    }

    /// Reads one result of an answer; the sequence ids go on from one to the next.
    pub(super) async fn read_result<C: Cell>(&mut self) -> Result<ResultSet<C>, Error> {
        let mut assembler = Assembler::new(self.login.capabilities, self.max_result_size);
        loop {
            let progress = match self.feed_buffered(&mut assembler) {
                Some(progress) => progress?,
                None => assembler.feed(&self.stream.read_packet().await?)?,
            };
            match progress {
                Progress::More => {}
                Progress::LocalInfile => {
                    // No file is ever sent: an empty packet ends the transfer, and the server answers to that.
                    self.stream.write_packet(&[]);
                    self.stream.flush().await?;
                }
                Progress::Done(result) => {
                    self.status = result.ok.status;
                    return Ok(result);
                }
            }
        }
    }

    /// Feeds the next packet from where it lies, if it is there as a whole: rows are many and small. `None` leaves it,
    /// and packets that are wrong, to [`PacketStream::read_packet`].
    fn feed_buffered<C: Cell>(&mut self, assembler: &mut Assembler<C>) -> Option<Result<Progress<C>, Error>> {
        let seq = self.stream.seq();
        let frame = self.stream.next_packet()?;
        if frame.is_continued() || frame.seq != seq {
            return None;
        }
        let (progress, len) = (assembler.feed(frame.payload), frame.wire_len());
        self.stream.consume(len);
        self.stream.set_seq(seq.wrapping_add(1));
        Some(progress)
    }

    pub(super) async fn limited<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self.command_timeout {
            None => work(self).await,
            Some(limit) => tokio::time::timeout(limit, work(self))
                .await
                .map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))?,
        }
    }
}
