//! Accepts clients, hands each to the worker with the fewest, and logs it in there.

use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use mysql_wire::StatusFlags;
use mysql_wire::message::OkPacket;
use mysql_wire::proxy_protocol::{self, AllowedPeers, Claim, Decoded};
use mysql_wire::server::{self, ServerConfig};
use mysql_wire::transport::Transport;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::accounts::Accounts;
use crate::config::Config;
use crate::control::Sessions;
use crate::error;
use crate::session::Session;
use crate::worker::Worker;

/// Time for TLS and login together.
const LOGIN_MAX: Duration = Duration::from_secs(10);

/// Pause after an accept that failed, as it does when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A connection that was accepted.
pub enum Arrival {
    /// TCP, with the peer's address.
    Tcp(std::net::TcpStream, SocketAddr, u32),
    /// Unix socket.
    Unix(std::os::unix::net::UnixStream, u32),
    /// One too many: to be told so.
    Refused(std::net::TcpStream),
}

/// What every login needs.
pub struct Frontend {
    accept: ServerConfig,
    proxies: AllowedPeers,
}

impl Frontend {
    /// Reads certificates and networks.
    ///
    /// # Errors
    /// A certificate or network that cannot be used.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let tls = crate::tls::server_config(config.tls_cert.as_deref(), config.tls_key.as_deref())?;
        let accept = ServerConfig {
            version: config.server_version.clone(),
            tls: Some(tls),
            require_secure_transport: config.require_secure_transport,
            max_allowed_packet: config.max_allowed_packet,
            ..ServerConfig::default()
        };
        let proxies = AllowedPeers::parse(&config.proxy_protocol_from.join(","))
            .map_err(|error| anyhow::anyhow!("--proxy-protocol-from: {error}"))?;
        Ok(Self { accept, proxies })
    }
}

/// The way to one worker.
pub struct WorkerQueue {
    queue: mpsc::UnboundedSender<Arrival>,
    load: Arc<AtomicUsize>,
}

impl WorkerQueue {
    /// A worker that takes its connections from the other end of `queue`.
    pub fn new(queue: mpsc::UnboundedSender<Arrival>) -> Self {
        Self {
            queue,
            load: Arc::default(),
        }
    }

    /// How many clients the worker has.
    pub fn load(&self) -> Arc<AtomicUsize> {
        self.load.clone()
    }
}

/// Starts listening; dropping or aborting the tasks closes the sockets.
///
/// # Errors
/// An address cannot be listened on.
pub async fn listen(
    config: &Config,
    queues: Arc<Vec<WorkerQueue>>,
    sessions: Arc<Sessions>,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let tcp = TcpListener::bind(config.mysql_listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.mysql_listen))?;
    let mut tasks = vec![tokio::spawn(accept_tcp(tcp, queues.clone(), sessions.clone()))];
    if let Some(path) = &config.mysql_socket {
        let unix = bind_unix(path)?;
        tasks.push(tokio::spawn(accept_unix(unix, queues, sessions)));
    }
    Ok(tasks)
}

/// Takes over a socket file that nobody listens on any more.
fn bind_unix(path: &Path) -> anyhow::Result<UnixListener> {
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        anyhow::bail!("somebody listens on {} already", path.display());
    }
    if path.exists() {
        std::fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    UnixListener::bind(path).with_context(|| format!("cannot listen on {}", path.display()))
}

async fn accept_tcp(listener: TcpListener, queues: Arc<Vec<WorkerQueue>>, sessions: Arc<Sessions>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let Ok(stream) = stream.into_std() else { continue };
                let arrival = match sessions.admit() {
                    Some(id) => Arrival::Tcp(stream, peer, id),
                    None => Arrival::Refused(stream),
                };
                hand_over(&queues, arrival);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn accept_unix(listener: UnixListener, queues: Arc<Vec<WorkerQueue>>, sessions: Arc<Sessions>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (Ok(stream), Some(id)) = (stream.into_std(), sessions.admit()) else {
                    continue;
                };
                hand_over(&queues, Arrival::Unix(stream, id));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn hand_over(queues: &[WorkerQueue], arrival: Arrival) {
    if let Some(worker) = queues
        .iter()
        .min_by_key(|worker| worker.load.load(Ordering::Relaxed))
    {
        worker.load.fetch_add(1, Ordering::Relaxed);
        // A worker that is gone takes the process with it.
        let _ = worker.queue.send(arrival);
    }
}

/// The worker's end: logs clients in and serves them, each in a task of its own.
pub async fn serve_arrivals(
    worker: &Rc<Worker>,
    frontend: &Frontend,
    mut arrivals: mpsc::UnboundedReceiver<Arrival>,
    load: &Arc<AtomicUsize>,
) {
    let accept = Rc::new(frontend.accept.clone());
    let proxies = Rc::new(frontend.proxies.clone());
    while let Some(arrival) = arrivals.recv().await {
        let (worker, accept, proxies, load) = (worker.clone(), accept.clone(), proxies.clone(), load.clone());
        tokio::task::spawn_local(async move {
            let (transport, peer, id) = match arrival {
                Arrival::Tcp(stream, peer, id) => match TcpStream::from_std(stream) {
                    Ok(stream) => (Some(Transport::from(stream)), Some(peer), id),
                    Err(_) => (None, None, id),
                },
                Arrival::Unix(stream, id) => {
                    (UnixStream::from_std(stream).ok().map(Transport::from), None, id)
                }
                Arrival::Refused(stream) => {
                    if let Ok(stream) = TcpStream::from_std(stream) {
                        let _ = server::refuse(stream.into(), &error::too_many_connections()).await;
                    }
                    load.fetch_sub(1, Ordering::Relaxed);
                    return;
                }
            };
            if let Some(transport) = transport {
                serve_client(&worker, &accept, &proxies, transport, peer, id).await;
            }
            worker.shared.sessions.remove(id);
            load.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

async fn serve_client(
    worker: &Rc<Worker>,
    accept: &ServerConfig,
    proxies: &AllowedPeers,
    transport: Transport,
    peer: Option<SocketAddr>,
    id: u32,
) {
    let accounts = Accounts(worker.cluster().accounts.clone());
    let login = Box::pin(log_in(accept, proxies, &accounts, transport, peer, id));
    let login = match tokio::time::timeout(LOGIN_MAX, login).await {
        Ok(Ok(login)) => login,
        Ok(Err(error)) => {
            tracing::debug!(connection = id, %error, "login failed");
            return;
        }
        Err(_) => {
            tracing::debug!(connection = id, "login took too long");
            return;
        }
    };
    if let Err(error) = Session::check(worker, login.connection()) {
        login.refuse(&error).await;
        return;
    }
    let ok = OkPacket {
        status: StatusFlags::AUTOCOMMIT,
        ..OkPacket::default()
    };
    let Ok(connection) = login.welcome(&ok).await else {
        return;
    };
    let user = String::from_utf8_lossy(&connection.user).into_owned();
    let control = worker
        .shared
        .sessions
        .register(id, user, connection.host.to_string());
    let mut session = match Session::new(worker.clone(), control, connection) {
        Ok(session) => Box::new(session),
        Err(error) => {
            // The keyspace vanished since it was checked.
            tracing::debug!(connection = id, %error, "login failed");
            return;
        }
    };
    if let Err(error) = session.run(accept).await {
        tracing::debug!(connection = id, %error, "connection ended");
    }
}

/// Reads a PROXY header where one is expected, then logs the client in.
async fn log_in(
    accept: &ServerConfig,
    proxies: &AllowedPeers,
    accounts: &Accounts,
    mut transport: Transport,
    peer: Option<SocketAddr>,
    id: u32,
) -> Result<server::Login, mysql_wire::Error> {
    let mut host = peer.map_or_else(|| "localhost".to_owned(), |peer| peer.ip().to_string());
    if peer.is_some_and(|peer| proxies.contains(peer.ip()))
        && let Some(source) = read_proxy_header(&mut transport).await?
    {
        host = source;
    }
    server::accept(transport, accept, accounts, id, &host).await
}

/// Reads a PROXY header to its last byte and returns the client's address, or none when the proxy speaks for itself.
async fn read_proxy_header(transport: &mut Transport) -> Result<Option<String>, mysql_wire::Error> {
    let mut header = Vec::new();
    loop {
        match proxy_protocol::decode(&header)
            .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))?
        {
            Decoded::NeedMore(missing) => {
                let at = header.len();
                header.resize(at + missing, 0);
                let room = header.get_mut(at..).unwrap_or_default();
                transport.read_exact(room).await?;
            }
            Decoded::Header { claim, .. } => {
                return Ok(match claim {
                    Claim::Tcp { source, .. } => Some(source.ip().to_string()),
                    _ => None,
                });
            }
        }
    }
}
