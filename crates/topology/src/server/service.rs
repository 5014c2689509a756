//! The gRPC service over a store.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use proto::v1;
use proto::v1::watch_response::Event;
use tokio::sync::watch;
use tonic::{Code, Request, Response, Status};

use crate::remote::HEARTBEAT;
use crate::store::{Entry, Expected, Listing, Store, StoreError, Watch, WatchEvent};

/// Values of about so many bytes are sent in one piece of a snapshot.
const SNAPSHOT_PART_BYTES: usize = 1 << 20;

/// Serves calls.
#[derive(Debug)]
pub(super) struct Service {
    store: Arc<dyn Store>,
    /// Becomes true when watches should end.
    closed: watch::Receiver<bool>,
}

impl Service {
    pub(super) fn new(store: Arc<dyn Store>, closed: watch::Receiver<bool>) -> Self {
        Self { store, closed }
    }
}

#[tonic::async_trait]
impl v1::store_service_server::StoreService for Service {
    async fn get(&self, request: Request<v1::GetRequest>) -> Result<Response<v1::GetResponse>, Status> {
        let key = request.into_inner().key;
        // Read first: what is returned may then be newer than the revision says, never older.
        let revision = self.store.info().await.map_err(to_status)?.revision;
        let entry = self.store.get(&key).await.map_err(to_status)?;
        Ok(Response::new(v1::GetResponse {
            entry: entry.map(to_message),
            revision,
        }))
    }

    async fn list(&self, request: Request<v1::ListRequest>) -> Result<Response<v1::ListResponse>, Status> {
        let prefix = request.into_inner().prefix;
        let Listing { entries, revision } = self.store.list(&prefix).await.map_err(to_status)?;
        let entries = entries.into_iter().map(to_message).collect();
        Ok(Response::new(v1::ListResponse { entries, revision }))
    }

    async fn put(&self, request: Request<v1::PutRequest>) -> Result<Response<v1::PutResponse>, Status> {
        let v1::PutRequest {
            key,
            value,
            expected_version,
        } = request.into_inner();
        let expected = to_expected(expected_version);
        let version = self.store.put(&key, value, expected).await.map_err(to_status)?;
        Ok(Response::new(v1::PutResponse { version }))
    }

    async fn delete(
        &self,
        request: Request<v1::DeleteRequest>,
    ) -> Result<Response<v1::DeleteResponse>, Status> {
        let v1::DeleteRequest {
            key,
            expected_version,
        } = request.into_inner();
        let expected = to_expected(expected_version);
        let existed = self.store.delete(&key, expected).await.map_err(to_status)?;
        Ok(Response::new(v1::DeleteResponse { existed }))
    }

    type WatchStream = BoxStream<'static, Result<v1::WatchResponse, Status>>;

    async fn watch(&self, request: Request<v1::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let sender = Sender {
            watch: self.store.watch(&request.into_inner().prefix),
            ready: VecDeque::new(),
            revision: 0,
        };
        let messages = stream::unfold(sender, |mut sender| async move {
            let message = sender.next().await?;
            Some((message, sender))
        });
        let mut closed = self.closed.clone();
        let closed = async move {
            // An error means that the server is gone already.
            let _ = closed.wait_for(|closed| *closed).await;
        };
        Ok(Response::new(messages.take_until(Box::pin(closed)).boxed()))
    }

    async fn info(&self, _: Request<v1::InfoRequest>) -> Result<Response<v1::InfoResponse>, Status> {
        let info = self.store.info().await.map_err(to_status)?;
        Ok(Response::new(v1::InfoResponse {
            store_id: info.store_id,
            revision: info.revision,
        }))
    }
}

/// Turns a watch into messages, with heartbeats between.
struct Sender {
    watch: Watch,
    ready: VecDeque<v1::WatchResponse>,
    revision: u64,
}

impl Sender {
    async fn next(&mut self) -> Option<Result<v1::WatchResponse, Status>> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Some(Ok(message));
            }
            match tokio::time::timeout(HEARTBEAT, self.watch.next()).await {
                Err(_) => self.push(Event::Heartbeat(v1::Heartbeat {})),
                Ok(None) => return None,
                Ok(Some(WatchEvent::Snapshot(listing))) => {
                    self.revision = listing.revision;
                    self.push_snapshot(listing.entries);
                }
                Ok(Some(WatchEvent::Put(entry))) => {
                    self.revision = entry.version;
                    self.push(Event::Put(to_message(entry)));
                }
                Ok(Some(WatchEvent::Deleted { key, revision })) => {
                    self.revision = revision;
                    self.push(Event::Deleted(v1::Deleted { key }));
                }
                Ok(Some(WatchEvent::Interrupted(error))) => return Some(Err(to_status(error))),
            }
        }
    }

    fn push(&mut self, event: Event) {
        self.ready.push_back(v1::WatchResponse {
            revision: self.revision,
            event: Some(event),
        });
    }

    fn push_snapshot(&mut self, entries: Vec<Entry>) {
        let mut part = Vec::new();
        let mut bytes = 0;
        for entry in entries {
            bytes += entry.key.len() + entry.value.len();
            part.push(to_message(entry));
            if bytes >= SNAPSHOT_PART_BYTES {
                bytes = 0;
                let entries = std::mem::take(&mut part);
                self.push(Event::Snapshot(v1::SnapshotPart {
                    entries,
                    complete: false,
                }));
            }
        }
        self.push(Event::Snapshot(v1::SnapshotPart {
            entries: part,
            complete: true,
        }));
    }
}

fn to_message(entry: Entry) -> v1::Entry {
    v1::Entry {
        key: entry.key,
        value: entry.value.to_vec(),
        version: entry.version,
    }
}

fn to_expected(version: Option<u64>) -> Expected {
    match version {
        None => Expected::Any,
        Some(0) => Expected::Absent,
        Some(version) => Expected::Version(version),
    }
}

fn to_status(error: StoreError) -> Status {
    match error {
        StoreError::Conflict { key, actual } => proto::details::conflict(&key, actual.unwrap_or(0)),
        StoreError::Invalid(why) => Status::new(Code::InvalidArgument, why),
        StoreError::Unavailable(why) => Status::new(Code::Unavailable, why),
        StoreError::Unauthenticated(why) => Status::new(Code::Unauthenticated, why),
        StoreError::Failed(why) => Status::new(Code::DataLoss, why),
    }
}
