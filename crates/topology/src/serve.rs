//! The topology process: a store's file, served until told to stop.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use crate::address::Address;
use crate::embedded::{EmbeddedStore, OpenError};
use crate::server::{self, Listener, Secret, SecretError};
use crate::store::{Store, StoreError};

/// What `vitrail topology serve` is told.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The store's file; created where there is none.
    pub file: PathBuf,
    /// Where to listen.
    pub listen: Address,
    /// File with the secret that clients have to send. A TCP address needs one; a unix socket is protected by
    /// its mode.
    pub secret_file: Option<PathBuf>,
}

/// Why the process ends.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The file cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Everybody who reaches the port would own the records.
    #[error("listening on {0} takes a secret file")]
    SecretMissing(Address),
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: Address,
        /// The error.
        source: std::io::Error,
    },
    /// The listener failed.
    #[error("serving failed: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The file failed while it was served; starting again reads what it holds.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens the file, listens, and serves until `shutdown` is done or the file fails. `ready` is called with the
/// bound address once clients can connect.
///
/// # Errors
/// When it cannot start, or the file fails.
pub async fn run(
    options: ServeOptions,
    ready: impl FnOnce(&Address),
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let secret = options
        .secret_file
        .as_deref()
        .map(Secret::from_file)
        .transpose()?;
    if secret.is_none() && matches!(options.listen, Address::Tcp(..)) {
        return Err(ServeError::SecretMissing(options.listen));
    }
    // The file's lock comes before the socket: a second process must not take the first one's socket away.
    let store = EmbeddedStore::open(&options.file)?;
    let listener = Listener::bind(&options.listen)
        .await
        .map_err(|source| ServeError::Bind {
            address: options.listen.clone(),
            source,
        })?;
    tracing::info!(file = %options.file.display(), listen = %listener.address(), "serving the topology");
    ready(listener.address());
    let mut failure = None;
    let stop = async {
        tokio::select! {
            () = shutdown => {}
            why = store.failed() => failure = Some(StoreError::Failed(why)),
        }
    };
    let shared: Arc<dyn Store> = Arc::new(store.clone());
    server::serve(listener, shared, secret, stop).await?;
    failure.map_or(Ok(()), |failure| Err(failure.into()))
}
