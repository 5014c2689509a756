//! Serves a store to [`crate::remote`] clients.

mod secret;
mod service;

use std::future::Future;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proto::MESSAGE_BYTES_MAX;
use proto::v1::store_service_server::StoreServiceServer;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

pub use secret::{Secret, SecretError};

use crate::address::Address;
use crate::store::Store;
use service::Service;

/// A bound address.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    address: Address,
}

#[derive(Debug)]
enum Socket {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl Listener {
    /// Binds the address. The socket file of a server that is gone is replaced; a new one is for its owner
    /// only (mode 0600).
    ///
    /// # Errors
    /// The operating system's.
    pub async fn bind(address: &Address) -> io::Result<Self> {
        match address {
            Address::Unix(path) => Ok(Self {
                socket: Socket::Unix(bind_unix(path)?),
                address: address.clone(),
            }),
            Address::Tcp(host, port) => {
                let listener = TcpListener::bind((host.as_str(), *port)).await?;
                let port = listener.local_addr()?.port();
                Ok(Self {
                    socket: Socket::Tcp(listener),
                    address: Address::Tcp(host.clone(), port),
                })
            }
        }
    }

    /// The address, with the port that was given where port 0 was asked for.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }
}

/// Gives the socket its name only when its mode is set, so that nobody connects before.
fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    let mut name = path.as_os_str().to_owned();
    // One character, since a socket's path is limited to 107.
    name.push("~");
    let unnamed = PathBuf::from(name);
    match std::fs::remove_file(&unnamed) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&unnamed)?;
    std::fs::set_permissions(&unnamed, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&unnamed, path)?;
    Ok(listener)
}

/// Serves the store until `shutdown` is done, then ends watches and finishes the other calls. With a secret,
/// calls without it are refused.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: Listener,
    store: Arc<dyn Store>,
    secret: Option<Secret>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    let (closing, closed) = watch::channel(false);
    let service = StoreServiceServer::new(Service::new(store, closed))
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let check = move |request| match &secret {
        Some(secret) => secret.check(request),
        None => Ok(request),
    };
    let router = Server::builder().add_service(InterceptedService::new(service, check));
    let shutdown = async move {
        shutdown.await;
        closing.send_replace(true);
    };
    match listener.socket {
        Socket::Unix(listener) => {
            router
                .serve_with_incoming_shutdown(UnixListenerStream::new(listener), shutdown)
                .await
        }
        Socket::Tcp(listener) => {
            // Without it every answer waits for the client's delayed acknowledgement, 40 ms.
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            router.serve_with_incoming_shutdown(incoming, shutdown).await
        }
    }
}
