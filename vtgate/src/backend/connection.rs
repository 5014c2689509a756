//! One connection to a mysqld: what it has been told, and whether it can serve the next statement.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use mysql_wire::client::{self, ClientConnection, ClientTls, ConnectOptions, QueryResult, Verification};
use mysql_wire::command::CommandCode;
use mysql_wire::stream::PacketStream;
use mysql_wire::{Capabilities, Error};

use super::pool::AnswerShape;
use super::statements::{BackendStatements, StatementKey};
use crate::cluster::{MysqlAddress, TabletTarget};
use crate::error::{self, SqlError};
use crate::secrets::APP_USER;
use crate::settings::{self, Kind, Settings, SettingsTable};

/// Time for a connection to be made and logged in.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Why there is no connection.
#[derive(Debug)]
pub enum NoConnection {
    /// The tablet is away or lets nobody in: another one may serve by now.
    Away(SqlError),
    /// Anything else.
    Refused(SqlError),
}

impl NoConnection {
    fn to(target: &TabletTarget, error: &Error) -> Self {
        tracing::warn!(tablet = target.alias, %error, "cannot connect");
        let told = error::internal(format_args!("cannot connect to tablet {}: {error}", target.alias));
        match error {
            Error::Sql(refused) if !error::is_gone(refused) => Self::Refused(told),
            _ => Self::Away(told),
        }
    }
}

impl From<NoConnection> for SqlError {
    fn from(why: NoConnection) -> Self {
        match why {
            NoConnection::Away(error) | NoConnection::Refused(error) => error,
        }
    }
}

/// What all backend connections of a worker have in common.
pub struct BackendOptions {
    password: String,
    no_settings: Rc<Settings>,
}

impl BackendOptions {
    /// Options with the password of the gateway's account.
    pub fn new(password: &str) -> Self {
        Self {
            password: password.to_owned(),
            no_settings: SettingsTable::default().empty(),
        }
    }
}

/// A way past a connection that is busy.
pub struct Beside {
    /// The tablet that it leads to.
    pub target: Arc<TabletTarget>,
    /// MySQL's id of the busy connection.
    pub connection_id: u32,
    options: Rc<BackendOptions>,
    shape: AnswerShape,
}

impl Beside {
    /// A second connection to the same tablet, outside the pool.
    ///
    /// # Errors
    /// As [`Backend::connect`].
    pub async fn connect(&self) -> Result<Backend, NoConnection> {
        Backend::connect(&self.target, &self.options, self.shape).await
    }
}

/// A logged-in connection.
pub struct Backend {
    connection: ClientConnection,
    /// Capabilities that change its answers.
    pub shape: AnswerShape,
    /// System variables it has been given.
    pub system: Rc<Settings>,
    /// User variables it has been given.
    pub user: Rc<Settings>,
    /// Statements prepared on it.
    pub statements: BackendStatements,
    /// When it was last returned to its pool.
    pub last_used: Instant,
    /// Which tablet it leads to, for messages.
    pub target: Arc<TabletTarget>,
    options: Rc<BackendOptions>,
    database: Arc<str>,
    clean: bool,
}

impl Backend {
    /// Connects and logs in, with the keyspace's database as default.
    ///
    /// # Errors
    /// 1105-class, with the reason, when the tablet cannot be reached or refuses the login.
    pub async fn connect(
        target: &Arc<TabletTarget>,
        options: &Rc<BackendOptions>,
        shape: AnswerShape,
    ) -> Result<Self, NoConnection> {
        let mut connect = ConnectOptions::new(APP_USER, &options.password);
        connect.database = Some(target.database.to_string());
        connect.capabilities = Capabilities::empty()
            .with(Capabilities::DEPRECATE_EOF, shape.deprecate_eof)
            .with(Capabilities::FOUND_ROWS, shape.found_rows);
        connect.connect_timeout = CONNECT_MAX;
        let address = match &target.address {
            MysqlAddress::Unix(path) => client::Target::Unix(path.clone()),
            MysqlAddress::Tcp(host, port) => {
                connect.tls = Some(
                    ClientTls::new(&Verification::None).map_err(|error| NoConnection::to(target, &error))?,
                );
                client::Target::Tcp {
                    host: host.clone(),
                    port: *port,
                }
            }
        };
        let connection = Box::pin(client::connect(&address, &connect))
            .await
            .map_err(|error| NoConnection::to(target, &error))?;
        Ok(Self {
            connection,
            shape,
            system: options.no_settings.clone(),
            user: options.no_settings.clone(),
            statements: BackendStatements::default(),
            last_used: Instant::now(),
            target: target.clone(),
            options: options.clone(),
            database: target.database.clone(),
            clean: true,
        })
    }

    /// What it takes to kill what this connection runs, while somebody waits for its answer.
    pub fn beside(&self) -> Beside {
        Beside {
            target: self.target.clone(),
            options: self.options.clone(),
            shape: self.shape,
            connection_id: self.connection.connection_id(),
        }
    }

    /// The packets below, for the pass-through path.
    pub fn stream(&mut self) -> &mut PacketStream {
        self.connection.stream()
    }

    /// What was agreed on with mysqld.
    pub fn capabilities(&self) -> Capabilities {
        self.connection.capabilities()
    }

    /// Whether no exchange is under way: only then may it serve another session.
    pub fn is_clean(&self) -> bool {
        self.clean
    }

    /// Marks the beginning of an exchange; a connection dropped before [`Self::end_exchange`] is closed.
    pub fn begin_exchange(&mut self) {
        self.clean = false;
    }

    /// Marks that the whole answer was read.
    pub fn end_exchange(&mut self) {
        self.clean = true;
    }

    /// Whether the idle connection is open and silent. Costs no system call while nothing has happened on it.
    pub fn is_quiet(&mut self) -> bool {
        if !self.clean || !self.stream().buffered().is_empty() {
            return false;
        }
        let transport = self.stream().transport_mut();
        if transport.readable().now_or_never().is_none() {
            return true;
        }
        matches!(transport.try_read(&mut [0; 1]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    }

    /// Adds a COM_QUERY; it is sent by the next flush. From here on an exchange is under way: a connection that is dropped
    /// with something unsent must not get to another session.
    pub fn push_query(&mut self, text: &[u8]) {
        self.clean = false;
        let stream = self.connection.stream();
        stream.start_command();
        stream.write_message(|w| {
            w.int1(CommandCode::Query.byte());
            w.bytes(text);
        });
    }

    /// Adds a command's payload as it is; it is sent by the next flush.
    pub fn push_command(&mut self, payload: &[u8]) {
        self.clean = false;
        let stream = self.connection.stream();
        stream.start_command();
        stream.write_packet(payload);
    }

    /// Adds a command's payload that `payload` writes in place; it is sent by the next flush.
    pub fn push_message(&mut self, payload: impl FnOnce(&mut mysql_wire::Writer<'_>)) {
        self.clean = false;
        let stream = self.connection.stream();
        stream.start_command();
        stream.write_message(payload);
    }

    /// The current database.
    pub fn database(&self) -> &Arc<str> {
        &self.database
    }

    /// Prepares a statement.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn prepare(&mut self, text: &[u8]) -> Result<client::Prepared, Error> {
        self.begin_exchange();
        let outcome = self.connection.prepare(text).await;
        if matches!(outcome, Ok(_) | Err(Error::Sql(_))) {
            self.end_exchange();
        }
        outcome
    }

    /// Remembers a prepared statement, and closes the one that has to give way.
    pub fn remember(&mut self, key: StatementKey, id: u32) {
        if let Some(evicted) = self.statements.insert(key, id) {
            // It has no answer, so it does not begin an exchange.
            let stream = self.connection.stream();
            stream.start_command();
            stream.write_message(|w| {
                w.int1(CommandCode::StmtClose.byte());
                w.int4(evicted);
            });
        }
    }

    /// Runs a statement whose result is small and wanted here.
    ///
    /// # Errors
    /// [`Error::Sql`] is MySQL's own; after any other one the connection is not clean.
    pub async fn query(&mut self, text: &[u8]) -> Result<QueryResult, Error> {
        self.begin_exchange();
        let outcome = self.connection.query(text).await;
        if matches!(outcome, Ok(_) | Err(Error::Sql(_))) {
            self.end_exchange();
        }
        outcome
    }

    /// Whether the connection has a session's system variables and database.
    pub fn is_in_line(&self, system: &Settings, database: &str) -> bool {
        *self.system == *system && *self.database == *database
    }

    /// Gives the connection a session's system variables and database, if it does not have them.
    ///
    /// # Errors
    /// MySQL's, or that the connection is lost.
    pub async fn adjust(&mut self, system: &Rc<Settings>, database: &str) -> Result<(), SqlError> {
        if *self.system != **system {
            let mut assignments = Vec::new();
            settings::write_difference(Kind::System, &self.system, system, &mut assignments);
            self.assign(&assignments).await?;
            self.system = system.clone();
        }
        if *self.database != *database {
            let text = format!("USE `{}`", database.replace('`', "``"));
            self.query(text.as_bytes())
                .await
                .map_err(|error| self.lost(error))?;
            self.database = database.into();
        }
        Ok(())
    }

    /// Gives the connection a session's user variables, if it does not have them.
    ///
    /// # Errors
    /// As [`Self::adjust`].
    pub async fn adjust_user_variables(&mut self, user: &Rc<Settings>) -> Result<(), SqlError> {
        if *self.user != **user {
            let mut assignments = Vec::new();
            settings::write_difference(Kind::User, &self.user, user, &mut assignments);
            self.assign(&assignments).await?;
            self.user = user.clone();
        }
        Ok(())
    }

    async fn assign(&mut self, assignments: &[u8]) -> Result<(), SqlError> {
        if assignments.is_empty() {
            return Ok(());
        }
        let text = [b"SET ", assignments].concat();
        match self.query(&text).await {
            Ok(_) => Ok(()),
            Err(error) => {
                // Part of the assignments may have happened: nobody may use it as it is.
                self.begin_exchange();
                Err(self.lost(error))
            }
        }
    }

    /// The error for a failure of this connection: MySQL's own, or that it is lost.
    pub fn lost(&self, error: Error) -> SqlError {
        match error {
            Error::Sql(error) => error,
            other => {
                tracing::warn!(tablet = self.target.alias, error = %other, "backend connection lost");
                error::connection_lost(&self.target)
            }
        }
    }
}
