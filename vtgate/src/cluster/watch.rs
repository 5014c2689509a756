//! Follows the topology and every agent, and publishes a new snapshot on each change that matters.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use futures::StreamExt as _;
use proto::v1::tablet_service_client::TabletServiceClient;
use proto::v1::{HealthUpdate, ReloadSchemaRequest, SchemaSnapshot, StreamHealthRequest};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use topology::records;
use topology::typed::{Record, RecordEvent, TypedStore};

use super::builder::Builder;
use super::members::{LagLimit, Members};
use super::{Published, schema};

/// Pause before an agent's stream is opened again.
const RECONNECT_AFTER: Duration = Duration::from_millis(200);

/// An agent's stream without a message for so long is taken for dead: agents send one each second.
const SILENCE_MAX: Duration = Duration::from_secs(4);

/// How long a statement waits for an agent to re-read its table definitions.
const RELOAD_MAX: Duration = Duration::from_secs(10);

/// What the watcher's task is told.
enum Event {
    Keyspace(RecordEvent<records::Keyspace>),
    Tablet(RecordEvent<records::Tablet>),
    Account(RecordEvent<records::Account>),
    Health(String, Box<HealthUpdate>),
    Schema(String, Box<SchemaSnapshot>),
    Silent(String),
    Reload(Vec<String>, oneshot::Sender<()>),
    Reloaded(oneshot::Sender<()>),
}

/// Asks agents to re-read their table definitions, and waits until the gateway plans with them.
#[derive(Clone)]
pub struct Reloader(mpsc::UnboundedSender<Event>);

impl Reloader {
    /// Returns when the definitions of these tablets are current in the snapshot, or cannot be had for now.
    pub async fn reload(&self, tablets: Vec<String>) {
        let (done, wait) = oneshot::channel();
        if self.0.send(Event::Reload(tablets, done)).is_ok() {
            // An error means that the gateway stops.
            let _ = tokio::time::timeout(RELOAD_MAX, wait).await;
        }
    }
}

struct Stream {
    address: String,
    task: JoinHandle<()>,
}

/// The task that keeps the snapshot current.
pub struct ClusterWatch {
    builder: Builder,
    published: Arc<Published>,
    events: mpsc::UnboundedReceiver<Event>,
    sender: mpsc::UnboundedSender<Event>,
    streams: HashMap<String, Stream>,
    turn: Arc<AtomicUsize>,
    seen_kinds: [bool; 3],
}

impl ClusterWatch {
    /// A watcher of this store that publishes into `published`.
    pub fn new(
        store: &TypedStore,
        published: Arc<Published>,
        cell: &str,
        lag_max: Duration,
    ) -> (Self, Reloader) {
        let (sender, events) = mpsc::unbounded_channel();
        follow(store, &sender, Event::Keyspace);
        follow(store, &sender, Event::Tablet);
        follow(store, &sender, Event::Account);
        let builder = Builder::new(Members::new(cell, LagLimit(lag_max)));
        let reloader = Reloader(sender.clone());
        let watch = Self {
            builder,
            published,
            events,
            sender,
            streams: HashMap::new(),
            turn: Arc::default(),
            seen_kinds: [false; 3],
        };
        (watch, reloader)
    }

    /// Runs until the gateway stops.
    pub async fn run(mut self) {
        let mut waiting = Vec::new();
        while let Some(event) = self.events.recv().await {
            let mut changed = self.take(event, &mut waiting);
            while let Ok(event) = self.events.try_recv() {
                changed |= self.take(event, &mut waiting);
            }
            if changed {
                self.publish();
            }
            for done in waiting.drain(..) {
                let _: Result<(), ()> = oneshot::Sender::send(done, ());
            }
        }
    }

    /// Whether a new snapshot is due.
    fn take(&mut self, event: Event, waiting: &mut Vec<oneshot::Sender<()>>) -> bool {
        match event {
            Event::Keyspace(event) => {
                self.seen_kinds[0] = true;
                apply(
                    &mut self.builder.keyspaces,
                    event,
                    |record| record.name.clone(),
                    records::Keyspace::FOLDER,
                );
            }
            Event::Tablet(event) => {
                self.seen_kinds[1] = true;
                apply(
                    &mut self.builder.members.tablets,
                    event,
                    |record| record.alias.clone(),
                    records::Tablet::FOLDER,
                );
                self.follow_agents();
            }
            Event::Account(event) => {
                self.seen_kinds[2] = true;
                apply(
                    &mut self.builder.accounts,
                    event,
                    |record| record.user.clone(),
                    records::Account::FOLDER,
                );
            }
            Event::Health(tablet, update) => return self.health(tablet, *update),
            Event::Schema(tablet, snapshot) => {
                let health = self.builder.members.health.entry(tablet).or_default();
                health.tables = Some(Arc::new(schema::tables(&snapshot)));
            }
            Event::Silent(tablet) => {
                return self
                    .builder
                    .members
                    .health
                    .get_mut(&tablet)
                    .is_some_and(|health| health.update.take().is_some());
            }
            Event::Reload(tablets, done) => {
                self.reload(tablets, done);
                return false;
            }
            Event::Reloaded(done) => {
                waiting.push(done);
                return false;
            }
        }
        true
    }

    /// Takes an agent's message; positions and small lags change all the time and matter to nobody here.
    fn health(&mut self, tablet: String, mut update: HealthUpdate) -> bool {
        let members = &mut self.builder.members;
        let health = members.health.entry(tablet.clone()).or_default();
        let mut changed = false;
        if let Some(snapshot) = update.schema.take() {
            health.tables = Some(Arc::new(schema::tables(&snapshot)));
            changed = true;
        }
        let limit = members.lag;
        changed |= health.update.as_ref().is_none_or(|known| {
            known.role != update.role
                || known.serving != update.serving
                || known.term != update.term
                || known.draining != update.draining
                || known.incarnation != update.incarnation
                || limit.exceeded(known) != limit.exceeded(&update)
                || known.not_serving_reason != update.not_serving_reason
                || known.replication_lag_ms.unwrap_or(0) / 1000
                    != update.replication_lag_ms.unwrap_or(0) / 1000
        });
        members.take(&tablet, update);
        changed
    }

    fn publish(&mut self) {
        if self.seen_kinds == [true; 3] {
            let cluster = self.builder.build(&self.turn);
            for (keyspace, why) in &cluster.problems {
                tracing::error!(keyspace, why, "keyspace cannot be used");
            }
            self.published.store(cluster);
        }
    }

    fn follow_agents(&mut self) {
        self.builder.members.forget_gone();
        let tablets = &self.builder.members.tablets;
        self.streams.retain(|alias, stream| {
            let kept = tablets
                .get(alias)
                .is_some_and(|tablet| tablet.grpc.as_ref() == Some(&stream.address));
            if !kept {
                stream.task.abort();
            }
            kept
        });
        for tablet in tablets.values() {
            let Some(address) = tablet
                .grpc
                .clone()
                .filter(|_| !self.streams.contains_key(&tablet.alias))
            else {
                continue;
            };
            let task = tokio::spawn(stream_health(
                tablet.alias.clone(),
                address.clone(),
                self.sender.clone(),
            ));
            self.streams
                .insert(tablet.alias.clone(), Stream { address, task });
        }
    }

    fn reload(&self, tablets: Vec<String>, done: oneshot::Sender<()>) {
        let agents: Vec<(String, String)> = tablets
            .into_iter()
            .filter_map(|alias| Some((alias.clone(), self.streams.get(&alias)?.address.clone())))
            .collect();
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let asked = agents.into_iter().map(|(alias, address)| {
                let sender = sender.clone();
                async move {
                    match reload_schema(&address).await {
                        Ok(Some(snapshot)) => {
                            let _ = sender.send(Event::Schema(alias, Box::new(snapshot)));
                        }
                        Ok(None) => {}
                        Err(error) => {
                            tracing::warn!(tablet = alias, %error, "table definitions could not be re-read")
                        }
                    }
                }
            });
            futures::future::join_all(asked).await;
            // After the definitions in the queue: they are in the snapshot before the statement goes on.
            let _ = sender.send(Event::Reloaded(done));
        });
    }
}

fn follow<R: Record + Clone>(
    store: &TypedStore,
    sender: &mpsc::UnboundedSender<Event>,
    event: fn(RecordEvent<R>) -> Event,
) {
    let mut watch = store.watch::<R>();
    let sender = sender.clone();
    tokio::spawn(async move {
        while let Some(change) = watch.next().await {
            if let RecordEvent::Interrupted(error) = &change {
                tracing::warn!(kind = R::KIND, %error, "the topology store is away; what is known stays");
                continue;
            }
            if let RecordEvent::Malformed(error) = &change {
                tracing::error!(%error, "a record cannot be read; what is known of it stays");
                continue;
            }
            if sender.send(event(change)).is_err() {
                return;
            }
        }
    });
}

fn apply<R, M>(known: &mut M, event: RecordEvent<R>, name: impl Fn(&R) -> String, folder: &str)
where
    M: Extend<(String, R)> + Default + Keyed,
{
    match event {
        RecordEvent::Snapshot(all) => {
            *known = M::default();
            known.extend(
                all.into_iter()
                    .map(|(_, versioned)| (name(&versioned.record), versioned.record)),
            );
        }
        RecordEvent::Put(_, versioned) => known.extend([(name(&versioned.record), versioned.record)]),
        RecordEvent::Deleted(key) => known.forget(key.strip_prefix(folder).unwrap_or(&key)),
        RecordEvent::Malformed(_) | RecordEvent::Interrupted(_) => {}
    }
}

/// The maps that records are kept in.
trait Keyed {
    fn forget(&mut self, name: &str);
}

impl<R> Keyed for HashMap<String, R> {
    fn forget(&mut self, name: &str) {
        self.remove(name);
    }
}

impl<R> Keyed for std::collections::BTreeMap<String, R> {
    fn forget(&mut self, name: &str) {
        self.remove(name);
    }
}

/// Follows one agent for ever.
async fn stream_health(alias: String, address: String, sender: mpsc::UnboundedSender<Event>) {
    loop {
        if let Err(error) = stream_once(&alias, &address, &sender).await {
            tracing::debug!(tablet = alias, %error, "health stream ended");
        }
        if sender.send(Event::Silent(alias.clone())).is_err() {
            return;
        }
        tokio::time::sleep(RECONNECT_AFTER).await;
    }
}

async fn stream_once(
    alias: &str,
    address: &str,
    sender: &mpsc::UnboundedSender<Event>,
) -> anyhow::Result<()> {
    let mut client = client(address).await?;
    let request = StreamHealthRequest {
        known_incarnation: 0,
        known_schema_revision: 0,
    };
    let mut updates = client.stream_health(request).await?.into_inner();
    while let Some(update) = tokio::time::timeout(SILENCE_MAX, updates.message()).await?? {
        sender.send(Event::Health(alias.to_owned(), Box::new(update)))?;
    }
    Ok(())
}

async fn reload_schema(address: &str) -> anyhow::Result<Option<SchemaSnapshot>> {
    let request = ReloadSchemaRequest {
        known_incarnation: 0,
        known_schema_revision: 0,
    };
    Ok(client(address)
        .await?
        .reload_schema(request)
        .await?
        .into_inner()
        .schema)
}

async fn client(address: &str) -> anyhow::Result<TabletServiceClient<Channel>> {
    let address: topology::Address = address.parse()?;
    let channel = Endpoint::from_shared(address.uri())?
        .connect_timeout(Duration::from_secs(1))
        .connect()
        .await?;
    Ok(TabletServiceClient::new(channel).max_decoding_message_size(proto::MESSAGE_BYTES_MAX))
}
