//! A store in another process.

mod watcher;

use std::future::Future;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use proto::MESSAGE_BYTES_MAX;
use proto::v1;
use proto::v1::store_service_client::StoreServiceClient;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};

use crate::address::Address;
use crate::server::Secret;
use crate::store::{Entry, Expected, Listing, Store, StoreError, StoreInfo, Version, Watch};
use watcher::Watcher;

/// How long a server lets a watch be silent.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(2);

/// How often a read is tried; a write is tried once, since nobody knows whether a try that failed was
/// executed.
pub(crate) const READ_TRIES: u32 = 3;

/// Pause after the first failed try; it grows with every further one.
pub(crate) const PAUSE: Duration = Duration::from_millis(50);

/// Longest pause between two tries to watch.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Pause before a watch is tried again after so many failures.
pub(crate) fn pause_after(failures: u32) -> Duration {
    let pause = PAUSE.saturating_mul(1 << failures.min(6)).min(PAUSE_MAX);
    // A random share, so that the watchers of a restarted store do not all come at once.
    pause.mul_f64(rand::random_range(0.5..=1.0))
}

/// How to talk to the other process.
#[derive(Clone, Debug)]
pub struct RemoteOptions {
    /// Sent with every call.
    pub secret: Option<Secret>,
    /// How long one try of a call may take. On the path of a leadership change it must fit several times into
    /// a lease.
    pub try_timeout: Duration,
}

impl Default for RemoteOptions {
    fn default() -> Self {
        Self {
            secret: None,
            try_timeout: Duration::from_secs(2),
        }
    }
}

/// A store that [`crate::server`] serves. Clones share the connection, which is made when it is first needed
/// and again whenever it was lost. It belongs to the tokio runtime that it was made in, and must not outlive
/// that.
#[derive(Clone, Debug)]
pub struct RemoteStore {
    client: StoreServiceClient<Channel>,
    options: RemoteOptions,
}

impl RemoteStore {
    /// A store at that address. Nothing is sent yet; must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the address makes no URI.
    pub fn new(address: &Address, options: RemoteOptions) -> Result<Self, StoreError> {
        let endpoint = Endpoint::from_shared(address.uri())
            .map_err(|error| StoreError::Invalid(format!("address {address}: {error}")))?
            .connect_timeout(options.try_timeout)
            .http2_keep_alive_interval(HEARTBEAT)
            .keep_alive_timeout(HEARTBEAT)
            .tcp_nodelay(true);
        let client = StoreServiceClient::new(endpoint.connect_lazy())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        Ok(Self { client, options })
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(secret) = &self.options.secret {
            secret.attach(&mut request);
        }
        request
    }

    /// One try.
    async fn once<T>(
        &self,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(self.options.try_timeout, call).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(from_status(&status)),
            Err(_) => {
                let timeout = self.options.try_timeout.as_millis();
                Err(StoreError::Unavailable(format!("no answer within {timeout} ms")))
            }
        }
    }

    /// Several tries of a call that changes nothing.
    async fn read<T, F>(&self, call: impl Fn(StoreServiceClient<Channel>) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let mut tries = 1;
        loop {
            match self.once(call(self.client.clone())).await {
                Err(StoreError::Unavailable(_)) if tries < READ_TRIES => {
                    tokio::time::sleep(PAUSE.saturating_mul(tries)).await;
                    tries += 1;
                }
                result => return result,
            }
        }
    }
}

impl Store for RemoteStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, StoreError>> {
        async move {
            let call = |mut client: StoreServiceClient<Channel>| {
                let request = self.request(v1::GetRequest { key: key.to_owned() });
                async move { client.get(request).await }
            };
            Ok(self.read(call).await?.entry.map(from_message))
        }
        .boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Listing, StoreError>> {
        async move {
            let call = |mut client: StoreServiceClient<Channel>| {
                let request = self.request(v1::ListRequest {
                    prefix: prefix.to_owned(),
                });
                async move { client.list(request).await }
            };
            let v1::ListResponse { entries, revision } = self.read(call).await?;
            Ok(Listing {
                entries: entries.into_iter().map(from_message).collect(),
                revision,
            })
        }
        .boxed()
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        expected: Expected,
    ) -> BoxFuture<'a, Result<Version, StoreError>> {
        async move {
            let expected_version = to_version(expected);
            let request = self.request(v1::PutRequest {
                key: key.to_owned(),
                value,
                expected_version,
            });
            let mut client = self.client.clone();
            Ok(self.once(client.put(request)).await?.version)
        }
        .boxed()
    }

    fn delete<'a>(&'a self, key: &'a str, expected: Expected) -> BoxFuture<'a, Result<bool, StoreError>> {
        async move {
            let expected_version = to_version(expected);
            let request = self.request(v1::DeleteRequest {
                key: key.to_owned(),
                expected_version,
            });
            let mut client = self.client.clone();
            Ok(self.once(client.delete(request)).await?.existed)
        }
        .boxed()
    }

    fn watch(&self, prefix: &str) -> Watch {
        Watcher::new(self.clone(), prefix).into_stream()
    }

    fn info(&self) -> BoxFuture<'_, Result<StoreInfo, StoreError>> {
        async move {
            let call = |mut client: StoreServiceClient<Channel>| {
                let request = self.request(v1::InfoRequest {});
                async move { client.info(request).await }
            };
            let v1::InfoResponse { store_id, revision } = self.read(call).await?;
            Ok(StoreInfo { store_id, revision })
        }
        .boxed()
    }
}

fn from_message(entry: v1::Entry) -> Entry {
    Entry {
        key: entry.key,
        value: entry.value.into(),
        version: entry.version,
    }
}

fn to_version(expected: Expected) -> Option<u64> {
    match expected {
        Expected::Any => None,
        Expected::Absent => Some(0),
        Expected::Version(version) => Some(version),
    }
}

fn from_status(status: &Status) -> StoreError {
    if let Some(conflict) = proto::details::as_conflict(status) {
        let actual = Some(conflict.actual_version).filter(|version| *version > 0);
        return StoreError::Conflict {
            key: conflict.key,
            actual,
        };
    }
    let why = status.message().to_owned();
    match status.code() {
        Code::InvalidArgument => StoreError::Invalid(why),
        Code::Unauthenticated => StoreError::Unauthenticated(why),
        Code::DataLoss => StoreError::Failed(why),
        code => StoreError::Unavailable(format!("{code}: {why}")),
    }
}
