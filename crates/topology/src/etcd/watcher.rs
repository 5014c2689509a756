//! A watch that outlives its connections: after each one it starts again, with a snapshot.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use proto::etcd::event::EventType;
use proto::etcd::watch_request::RequestUnion;
use proto::etcd::{Event, WatchCreateRequest, WatchProgressRequest, WatchRequest, WatchResponse};
use tokio::sync::mpsc::{self, Sender};
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataValue;
use tonic::{Request, Streaming};

use super::client::{Link, from_status};
use super::{Shared, txn};
use crate::remote::{HEARTBEAT, pause_after};
use crate::store::{StoreError, Watch, WatchEvent};

/// How often a silent member is asked whether it is there before it counts as lost.
const QUESTIONS_MAX: u32 = 2;

pub(super) struct Watcher {
    shared: Arc<Shared>,
    prefix: String,
    open: Option<Open>,
    ready: VecDeque<WatchEvent>,
    /// Interruptions since the last event.
    failures: u32,
}

/// A watch at one member.
struct Open {
    link: Link,
    requests: Sender<WatchRequest>,
    messages: Streaming<WatchResponse>,
    /// Revision of the snapshot.
    snapshot: u64,
}

impl Watcher {
    pub(super) fn new(shared: Arc<Shared>, prefix: &str) -> Self {
        Self {
            shared,
            prefix: prefix.to_owned(),
            open: None,
            ready: VecDeque::new(),
            failures: 0,
        }
    }

    pub(super) fn into_stream(self) -> Watch {
        stream::unfold(self, |mut watcher| async move {
            let event = match watcher.next().await {
                Ok(event) => {
                    watcher.failures = 0;
                    event
                }
                Err(error) => {
                    if let Some(open) = watcher.open.take() {
                        watcher.shared.client.give_up(&open.link);
                    }
                    watcher.failures = watcher.failures.saturating_add(1);
                    WatchEvent::Interrupted(error)
                }
            };
            Some((event, watcher))
        })
        .boxed()
    }

    async fn next(&mut self) -> Result<WatchEvent, StoreError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(event);
            }
            let Some(open) = &mut self.open else {
                self.connect().await?;
                continue;
            };
            let message = open.next().await?;
            if message.canceled {
                if message.compact_revision == 0 {
                    return Err(StoreError::Unavailable(message.cancel_reason));
                }
                // It fell behind, and what it missed is compacted away: a snapshot replaces that.
                self.open = None;
                continue;
            }
            self.take(message);
        }
    }

    async fn connect(&mut self) -> Result<(), StoreError> {
        if self.failures > 0 {
            tokio::time::sleep(pause_after(self.failures)).await;
        }
        self.shared.id().await?;
        let link = self.shared.client.link()?;
        let opened = self.connect_to(&link).await;
        if opened.is_err() {
            self.shared.client.give_up(&link);
        }
        opened
    }

    /// The watch is open before the snapshot is taken, and both are the same member's: an etcd that was restarted in
    /// between has ended the watch, and no change falls between the two.
    async fn connect_to(&mut self, link: &Link) -> Result<(), StoreError> {
        let mut open = Open::start(&self.shared, link, &self.prefix).await?;
        let created = self.shared.client.in_time(open.message()).await?;
        if !created.created || created.canceled {
            return Err(StoreError::Unavailable(created.cancel_reason));
        }
        let listing = self.shared.list_at(link, &self.prefix).await?;
        open.snapshot = listing.revision;
        self.ready.push_back(WatchEvent::Snapshot(listing));
        self.open = Some(open);
        Ok(())
    }

    fn take(&mut self, message: WatchResponse) {
        let snapshot = self.open.as_ref().map_or(0, |open| open.snapshot);
        let events = message.events.into_iter();
        let events = events.filter_map(|event| to_event(&self.shared, event, snapshot));
        self.ready.extend(events);
    }
}

impl Open {
    async fn start(shared: &Shared, link: &Link, prefix: &str) -> Result<Self, StoreError> {
        let prefix = shared.key(prefix);
        let create = WatchCreateRequest {
            range_end: txn::end_of(&prefix),
            key: prefix.into(),
            fragment: true,
        };
        // Room for the first request and for every question about a member that does not take them.
        let (requests, receiver) = mpsc::channel(QUESTIONS_MAX as usize + 1);
        let _ = requests.try_send(request(RequestUnion::CreateRequest(create)));
        let mut call = Request::new(ReceiverStream::new(receiver));
        // A member that lost the others would be silent about what they do.
        call.metadata_mut()
            .insert("hasleader", MetadataValue::from_static("true"));
        let messages = shared.client.once(link, link.watch().watch(call)).await?;
        Ok(Self {
            link: link.clone(),
            requests,
            messages,
            snapshot: 0,
        })
    }

    async fn message(&mut self) -> Result<WatchResponse, StoreError> {
        match self.messages.message().await {
            Ok(Some(message)) => Ok(message),
            Ok(None) => Err(StoreError::Unavailable("the watch ended".to_owned())),
            Err(status) => Err(from_status(&status)),
        }
    }

    /// The next message; when none comes, asks whether the member is there.
    async fn next(&mut self) -> Result<WatchResponse, StoreError> {
        let mut questions = 0;
        loop {
            if let Ok(result) = tokio::time::timeout(HEARTBEAT, self.message()).await {
                return result;
            }
            if questions == QUESTIONS_MAX {
                return Err(StoreError::Unavailable("the watch fell silent".to_owned()));
            }
            questions += 1;
            // A channel that is full holds a question already.
            let _ = self
                .requests
                .try_send(request(RequestUnion::ProgressRequest(WatchProgressRequest {})));
        }
    }
}

fn request(union: RequestUnion) -> WatchRequest {
    WatchRequest {
        request_union: Some(union),
    }
}

/// What a change means to a watcher who has a snapshot of that revision; None when it holds the change already.
fn to_event(shared: &Shared, event: Event, snapshot: u64) -> Option<WatchEvent> {
    let deleted = event.r#type() == EventType::Delete;
    let entry = shared.entry(event.kv?)?;
    if entry.version <= snapshot {
        return None;
    }
    Some(if deleted {
        WatchEvent::Deleted {
            key: entry.key,
            revision: entry.version,
        }
    } else {
        WatchEvent::Put(entry)
    })
}
