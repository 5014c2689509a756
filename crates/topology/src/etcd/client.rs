//! Calls to the members of an etcd cluster, of which one is asked at a time.

use std::error::Error;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use proto::MESSAGE_BYTES_MAX;
use proto::etcd::kv_client::KvClient;
use proto::etcd::watch_client::WatchClient;
use proto::etcd::{TxnRequest, TxnResponse};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, ConnectError, Response, Status};

use super::EtcdAddress;
use crate::remote::{PAUSE, READ_TRIES};
use crate::store::StoreError;

/// Whether a request may be sent again after a try of which nobody knows whether it was executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It changes nothing, or a second time nothing more.
    Harmless,
    /// Only a request that was not sent is tried again.
    Unsafe,
}

#[derive(Debug)]
pub(super) struct Client {
    members: Vec<Member>,
    /// Number of the member that is asked, modulo how many there are.
    current: AtomicUsize,
    try_timeout: Duration,
}

#[derive(Debug)]
struct Member {
    endpoint: Endpoint,
    /// Connects when it is first needed, and again whenever the connection was lost.
    channel: Mutex<Channel>,
}

/// One member of the cluster.
#[derive(Clone, Debug)]
pub(super) struct Link {
    number: usize,
    channel: Channel,
}

/// A try that failed.
#[derive(Debug)]
struct Failure {
    error: StoreError,
    /// False when the request has certainly not left this process.
    sent: bool,
}

impl Link {
    pub(super) fn kv(&self) -> KvClient<Channel> {
        KvClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(super) fn watch(&self) -> WatchClient<Channel> {
        WatchClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }
}

impl Client {
    /// Nothing is sent yet; must be called within a tokio runtime.
    pub(super) fn new(address: &EtcdAddress, try_timeout: Duration) -> Result<Self, StoreError> {
        let member = |address: &crate::Address| {
            let endpoint = Endpoint::from_shared(address.uri())
                .map_err(|error| StoreError::Invalid(format!("address {address}: {error}")))?
                // Within the try, so that a host that is gone is known as one that got nothing.
                .connect_timeout(try_timeout / 2)
                .tcp_nodelay(true);
            let channel = Mutex::new(endpoint.connect_lazy());
            Ok(Member { endpoint, channel })
        };
        Ok(Self {
            members: address.members().iter().map(member).collect::<Result<_, _>>()?,
            current: AtomicUsize::new(0),
            try_timeout,
        })
    }

    /// The member to ask.
    pub(super) fn link(&self) -> Result<Link, StoreError> {
        let number = self.current.load(Ordering::Relaxed);
        let member = self
            .member(number)
            .ok_or_else(|| StoreError::Invalid("the address of the etcd names no member".to_owned()))?;
        Ok(Link {
            number,
            channel: member.channel.lock().clone(),
        })
    }

    fn member(&self, number: usize) -> Option<&Member> {
        self.members.get(number.checked_rem(self.members.len())?)
    }

    /// Has the next member asked from now on, and this one over a connection of its own when its turn comes again:
    /// a connection whose other end is gone without a word would hold up every call.
    pub(super) fn give_up(&self, link: &Link) {
        let next = link.number.wrapping_add(1);
        let moved = self
            .current
            .compare_exchange(link.number, next, Ordering::Relaxed, Ordering::Relaxed);
        if let (Ok(_), Some(member)) = (moved, self.member(link.number)) {
            *member.channel.lock() = member.endpoint.connect_lazy();
        }
    }

    /// A transaction, tried at several members if need be.
    pub(super) async fn txn(&self, request: TxnRequest, repeat: Repeat) -> Result<TxnResponse, StoreError> {
        let tries_max = self.members.len().max(READ_TRIES as usize);
        let mut tries: u32 = 1;
        loop {
            let link = self.link()?;
            let failure = match self.attempt(&link, link.kv().txn(request.clone())).await {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            let again = repeat == Repeat::Harmless || !failure.sent;
            if !again || !matches!(failure.error, StoreError::Unavailable(_)) || tries as usize >= tries_max {
                return Err(failure.error);
            }
            tokio::time::sleep(PAUSE.saturating_mul(tries)).await;
            tries = tries.saturating_add(1);
        }
    }

    /// One try at one member.
    pub(super) async fn once<T>(
        &self,
        link: &Link,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, StoreError> {
        self.attempt(link, call).await.map_err(|failure| failure.error)
    }

    async fn attempt<T>(
        &self,
        link: &Link,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Failure> {
        let failure = match tokio::time::timeout(self.try_timeout, call).await {
            Ok(Ok(response)) => return Ok(response.into_inner()),
            Ok(Err(status)) => Failure {
                error: from_status(&status),
                sent: !is_connect_error(&status),
            },
            Err(_) => Failure {
                error: self.late(),
                sent: true,
            },
        };
        if matches!(failure.error, StoreError::Unavailable(_)) {
            self.give_up(link);
        }
        Err(failure)
    }

    /// What a call that was answered has to say within the time of a try.
    pub(super) async fn in_time<T>(
        &self,
        message: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let result = tokio::time::timeout(self.try_timeout, message).await;
        result.unwrap_or_else(|_| Err(self.late()))
    }

    fn late(&self) -> StoreError {
        StoreError::Unavailable(format!("no answer within {} ms", self.try_timeout.as_millis()))
    }
}

fn is_connect_error(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        if error.is::<ConnectError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

pub(super) fn from_status(status: &Status) -> StoreError {
    let why = status.message().to_owned();
    match status.code() {
        Code::InvalidArgument if why.contains("too large") => too_large(&why),
        Code::ResourceExhausted if why.contains("larger than max") => too_large(&why),
        Code::InvalidArgument => StoreError::Invalid(why),
        Code::Unauthenticated | Code::PermissionDenied => StoreError::Unauthenticated(why),
        code => StoreError::Unavailable(format!("{code}: {why}")),
    }
}

fn too_large(why: &str) -> StoreError {
    StoreError::Invalid(format!("{why}: this etcd needs a larger --max-request-bytes"))
}
