//! A watch that outlives its connections: after each one it starts again, with a snapshot.

use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use proto::v1;
use proto::v1::watch_response::Event;
use tonic::Streaming;

use super::{HEARTBEAT, PAUSE, RemoteStore, from_message, from_status};
use crate::store::{Entry, Listing, Store as _, StoreError, Watch, WatchEvent};

/// Longest pause between two tries to connect.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// A connection that is silent for so long counts as lost.
const SILENCE_MAX: Duration = HEARTBEAT.saturating_mul(3);

pub(super) struct Watcher {
    store: RemoteStore,
    prefix: String,
    messages: Option<Streaming<v1::WatchResponse>>,
    /// Identity of the store that was watched first: one that came back empty, or another one, is not believed.
    store_id: Option<String>,
    /// The pieces of a snapshot that is not complete yet.
    parts: Vec<Entry>,
    /// Interruptions since the last event.
    failures: u32,
}

impl Watcher {
    pub(super) fn new(store: RemoteStore, prefix: &str) -> Self {
        Self {
            store,
            prefix: prefix.to_owned(),
            messages: None,
            store_id: None,
            parts: Vec::new(),
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
                    watcher.messages = None;
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
            let Some(messages) = &mut self.messages else {
                self.connect().await?;
                continue;
            };
            let message = match tokio::time::timeout(SILENCE_MAX, messages.message()).await {
                Ok(Ok(Some(message))) => message,
                Ok(Ok(None)) => return Err(StoreError::Unavailable("the watch ended".to_owned())),
                Ok(Err(status)) => return Err(from_status(&status)),
                Err(_) => return Err(StoreError::Unavailable("the watch fell silent".to_owned())),
            };
            if let Some(event) = self.take(message) {
                return Ok(event);
            }
        }
    }

    async fn connect(&mut self) -> Result<(), StoreError> {
        if self.failures > 0 {
            let pause = PAUSE.saturating_mul(1 << self.failures.min(6)).min(PAUSE_MAX);
            // A random share, so that the watchers of a restarted store do not all come at once.
            tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..=1.0))).await;
        }
        self.parts.clear();
        let request = self.store.request(v1::WatchRequest {
            prefix: self.prefix.clone(),
        });
        let mut client = self.store.client.clone();
        let messages = self.store.once(client.watch(request)).await?;
        // Asked after the watch began, so that it is not the store's predecessor that answers.
        let found = self.store.info().await?.store_id;
        let first = self.store_id.get_or_insert_with(|| found.clone());
        if *first != found {
            return Err(StoreError::Unavailable(format!(
                "the topology store is {found} now, not {first}: what it shows is not believed"
            )));
        }
        self.messages = Some(messages);
        Ok(())
    }

    /// The event that a message completes, if it does.
    fn take(&mut self, message: v1::WatchResponse) -> Option<WatchEvent> {
        match message.event? {
            Event::Snapshot(part) => {
                self.parts.extend(part.entries.into_iter().map(from_message));
                part.complete.then(|| {
                    let entries = std::mem::take(&mut self.parts);
                    WatchEvent::Snapshot(Listing {
                        entries,
                        revision: message.revision,
                    })
                })
            }
            Event::Put(entry) => Some(WatchEvent::Put(from_message(entry))),
            Event::Deleted(deleted) => Some(WatchEvent::Deleted {
                key: deleted.key,
                revision: message.revision,
            }),
            Event::Heartbeat(_) => None,
        }
    }
}
