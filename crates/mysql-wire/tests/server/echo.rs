//! A tiny server: it answers statements from a fixed list of forms, enough to exercise the protocol.

use std::{net::SocketAddr, sync::Arc, thread};

use mysql_wire::{
    Error, SqlError, StatusFlags, Transport,
    auth::{Account, AccountStore, CryptVerifier, caching_sha2_verifier, native_verifier},
    column::{ColumnFlags, ColumnType},
    error::ErrorCode,
    message::{
        BinaryRowWriter, ColumnDefinition, Command, LocalInfile, OkPacket, PrepareOk, SessionState,
        StateChange, StmtExecute,
    },
    server::{Connection, Login, ServerConfig, accept},
    tls,
};
use tokio::{
    net::{TcpListener, UnixListener},
    task::LocalSet,
};

/// `ann` by caching_sha2_password, `ned` by mysql_native_password, `ida` by a salted verifier (password `x`), `lou` locked.
pub(crate) struct Accounts;

impl AccountStore for Accounts {
    fn account(&self, user: &[u8]) -> Option<Account> {
        let none = Account::default();
        let sha2 = Some(caching_sha2_verifier(b"secret"));
        Some(match user {
            b"ann" => Account { sha2, ..none },
            b"lou" => Account {
                sha2,
                locked: true,
                ..none
            },
            b"ned" => Account {
                native: Some(native_verifier(b"secret")),
                ..none
            },
            // As MySQL 9.7.4 stored it.
            b"ida" => {
                let text = b"$A$00A$\x06B\x0a\x1c@\x12\x06h W\x155\x02n\x1d\x140\x01\x1a}Hg/PkxDfxuKiEn2cbNZuEXUUzezxNmFoVfawJBY9piD";
                Account {
                    crypt: CryptVerifier::parse(text),
                    ..none
                }
            }
            _ => return None,
        })
    }
}

/// A running server.
pub(crate) struct Echo {
    pub(crate) addr: SocketAddr,
    pub(crate) socket: std::path::PathBuf,
}

impl Echo {
    pub(crate) fn start(config: ServerConfig) -> Self {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let socket = std::env::temp_dir().join(format!("vitrail-echo-{}-{number}.sock", std::process::id()));
        let _ = std::fs::remove_file(&socket);
        let (send, receive) = std::sync::mpsc::channel();
        let path = socket.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            LocalSet::new().block_on(&runtime, serve(Arc::new(config), path, send));
        });
        Self {
            addr: receive.recv().unwrap(),
            socket,
        }
    }

    pub(crate) fn with_tls(config: ServerConfig) -> Self {
        let certified =
            rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let key = certified.signing_key.serialize_pem();
        let tls = tls::server_config(certified.cert.pem().as_bytes(), key.as_bytes()).unwrap();
        Self::start(ServerConfig {
            tls: Some(tls),
            ..config
        })
    }
}

async fn serve(
    config: Arc<ServerConfig>,
    path: std::path::PathBuf,
    ready: std::sync::mpsc::Sender<SocketAddr>,
) {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let unix = UnixListener::bind(path).unwrap();
    ready.send(tcp.local_addr().unwrap()).unwrap();
    let mut id = 0;
    loop {
        let transport: Transport = tokio::select! {
            accepted = tcp.accept() => accepted.unwrap().0.into(),
            accepted = unix.accept() => accepted.unwrap().0.into(),
        };
        id += 1;
        let config = Arc::clone(&config);
        tokio::task::spawn_local(async move {
            // On failure the client was told.
            if let Ok(login) = accept(transport, &config, &Accounts, id, "client").await {
                session(login, &config).await;
            }
        });
    }
}

async fn session(login: Login, config: &ServerConfig) {
    if login.connection().database.as_deref() == Some(b"nowhere") {
        login
            .refuse(&SqlError::new(ErrorCode::BadDb, "Unknown database 'nowhere'"))
            .await;
        return;
    }
    let Ok(connection) = login.welcome(&autocommit()).await else {
        return;
    };
    let mut session = Session {
        connection,
        statements: Vec::new(),
    };
    loop {
        if let Err(error) = session.command(config).await {
            session.connection.fail(&error).await;
            return;
        }
    }
}

fn autocommit() -> OkPacket<'static> {
    OkPacket {
        status: StatusFlags::AUTOCOMMIT,
        ..OkPacket::default()
    }
}

fn text_column(name: &[u8]) -> ColumnDefinition<'_> {
    ColumnDefinition {
        name,
        collation: 45,
        length: 1 << 30,
        column_type: ColumnType::VarString.byte(),
        decimals: 31,
        ..ColumnDefinition::default()
    }
}

struct Session {
    connection: Connection,
    /// Number of parameters of each prepared statement; its id is its place from 1.
    statements: Vec<u16>,
}

impl Session {
    async fn command(&mut self, config: &ServerConfig) -> Result<(), Error> {
        let payload = self.connection.read_command().await?;
        match self.connection.decode_command(&payload)? {
            Command::Quit => return Err(Error::Closed),
            Command::Query(query) => {
                let attributes = query
                    .attributes
                    .types
                    .iter()
                    .flatten()
                    .map(|ty| ty.name)
                    .collect::<Vec<_>>();
                self.query(query.text, &attributes).await?;
            }
            Command::InitDb(name) => {
                let mut entries = bytes::BytesMut::new();
                StateChange::Schema(name).encode(&mut mysql_wire::Writer::new(&mut entries));
                let session_state = SessionState::decode(&entries)?;
                self.connection.write_ok(&OkPacket {
                    session_state,
                    ..autocommit()
                });
            }
            Command::ChangeUser(request) => {
                self.connection.change_user(&request, config, &Accounts).await?;
                self.connection.write_ok(&autocommit());
            }
            Command::Ping | Command::ResetConnection | Command::SetOption(_) => {
                self.connection.write_ok(&autocommit())
            }
            Command::Statistics => self.connection.stream.write_packet(b"Uptime: 1"),
            Command::FieldList(_) => self.connection.write_rows_end(&autocommit()),
            Command::StmtPrepare(text) => self.prepare(text),
            Command::StmtExecute(execute) => self.execute(&execute)?,
            Command::StmtSendLongData(_) | Command::StmtClose(_) => return Ok(()),
            _ => self
                .connection
                .write_error(&SqlError::new(ErrorCode::UnknownCom, "Unknown command")),
        }
        self.connection.stream.flush().await
    }

    /// `fail`, `multi`, `infile`, `big N`, `insert`, `whoami`; other text comes back with the names of its attributes.
    async fn query(&mut self, text: &[u8], attributes: &[&[u8]]) -> Result<(), Error> {
        let text_str = String::from_utf8_lossy(text).into_owned();
        let connection = &mut self.connection;
        match text_str.split(' ').collect::<Vec<_>>()[..] {
            // The command line client asks `select $$` to learn how `$` is lexed, and reads no result set.
            ["fail"] | ["select", "$$"] => {
                connection.write_error(&SqlError::new(ErrorCode::Parse, "You have an error"))
            }
            ["insert"] => {
                let ok = OkPacket {
                    affected_rows: 3,
                    last_insert_id: 70_000,
                    info: b"Records: 3",
                    ..autocommit()
                };
                connection.write_ok(&ok);
            }
            ["multi"] => {
                let more = StatusFlags::AUTOCOMMIT | StatusFlags::MORE_RESULTS_EXISTS;
                for (value, status) in [(&b"one"[..], more), (b"two", more)] {
                    one_row(connection, &[b"v"], [Some(value)], status);
                }
                connection.write_ok(&autocommit());
            }
            ["big", n] => {
                let value = vec![b'x'; n.parse().unwrap()];
                one_row(connection, &[b"big"], [Some(&value[..])], StatusFlags::AUTOCOMMIT);
            }
            ["infile", name] => {
                connection.stream.write_message(|w| {
                    LocalInfile {
                        file_name: name.as_bytes(),
                    }
                    .encode(w)
                });
                connection.stream.flush().await?;
                let mut len = 0;
                loop {
                    let content = connection.stream.read_packet().await?;
                    if content.is_empty() {
                        break;
                    }
                    len += content.len() as u64;
                }
                connection.write_ok(&OkPacket {
                    affected_rows: len,
                    ..autocommit()
                });
            }
            ["whoami"] => {
                let user = connection.user.clone();
                let database = connection.database.clone();
                let name = connection
                    .attributes
                    .iter()
                    .find(|(name, _)| name == b"_client_name");
                let client = name.map(|(_, value)| value.to_vec());
                let tls = connection
                    .stream
                    .transport()
                    .tls_version_and_cipher()
                    .map(|(version, _)| version);
                let compression = connection.stream.compression().map(|c| format!("{c:?}"));
                let values = [
                    Some(&user[..]),
                    database.as_deref(),
                    client.as_deref(),
                    tls.as_ref().map(|t| t.as_bytes()),
                    compression.as_ref().map(|c| c.as_bytes()),
                ];
                one_row(
                    connection,
                    &[b"user", b"db", b"client", b"tls", b"compression"],
                    values,
                    StatusFlags::AUTOCOMMIT,
                );
            }
            _ => {
                let names = attributes.join(&b","[..]);
                let names = (!names.is_empty()).then_some(names);
                one_row(
                    connection,
                    &[b"text", b"attributes"],
                    [Some(text), names.as_deref()],
                    StatusFlags::AUTOCOMMIT,
                );
            }
        }
        Ok(())
    }

    fn prepare(&mut self, text: &[u8]) {
        let params = text.iter().filter(|&&b| b == b'?').count() as u16;
        self.statements.push(params);
        let ok = PrepareOk {
            statement_id: self.statements.len() as u32,
            columns: 1,
            params,
            warnings: 0,
        };
        let end = mysql_wire::message::EofPacket {
            warnings: 0,
            status: StatusFlags::AUTOCOMMIT,
        };
        let connection = &mut self.connection;
        connection.stream.write_message(|w| ok.encode(w));
        for _ in 0..params {
            connection.stream.write_message(|w| text_column(b"?").encode(w));
        }
        if params > 0 {
            connection.write_definitions_end(&end);
        }
        connection
            .stream
            .write_message(|w| text_column(b"values").encode(w));
        connection.write_definitions_end(&end);
    }

    /// Answers with the raw values of the parameters.
    fn execute(&mut self, execute: &StmtExecute<'_>) -> Result<(), Error> {
        let connection = &mut self.connection;
        let Some(&params) = self
            .statements
            .get((execute.statement_id as usize).wrapping_sub(1))
        else {
            connection.write_error(&SqlError::new(
                ErrorCode::UnknownStmtHandler,
                "Unknown prepared statement handler",
            ));
            return Ok(());
        };
        let raw = execute.params(usize::from(params), connection.capabilities)?;
        let column = ColumnDefinition {
            flags: ColumnFlags::BINARY,
            collation: 63,
            ..text_column(b"values")
        };
        connection.write_columns(&[column], StatusFlags::AUTOCOMMIT);
        connection.stream.write_message(|w| {
            let mut row = BinaryRowWriter::new(w, 1);
            match raw.is_null(0) {
                true => row.null(0),
                false => row.value().lenenc_bytes(raw.values),
            }
        });
        connection.write_rows_end(&autocommit());
        Ok(())
    }
}

fn one_row<const N: usize>(
    connection: &mut Connection,
    names: &[&[u8]; N],
    values: [Option<&[u8]>; N],
    status: StatusFlags,
) {
    let columns = names.map(text_column);
    connection.write_columns(&columns, status);
    connection.write_text_row(values);
    connection.write_rows_end(&OkPacket {
        status,
        ..OkPacket::default()
    });
}
