//! The task that runs the machine: events in, effects out.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use leadership::{Effect, Event, Machine};
use proto::v1::LeadershipMessage;
use proto::v1::leadership_message::Message as Wire;
use tokio::sync::{Mutex, mpsc, watch};
use topology::records::ShardRecord;
use topology::{Mirror, TypedStore, keys};

use super::data::term_uuid;
use super::peers::Peers;
use super::receiver::Receiver;
use super::swap::swap;
use super::{Data, Input, Parts, Server, Stance, machine, messages, now, record_of, with_record};
use crate::control::Control;
use crate::health::Board;
use crate::link::Link;
use crate::process::Process;
use crate::shard::decide::believable;
use crate::state::Memory;
use crate::supervisor::wire::Order;

/// How long closing the gate may take; the supervisor's deadline comes right after.
const GATE: Duration = Duration::from_millis(250);

/// The driver.
pub(super) struct Driver {
    memory: Memory,
    link: Link,
    board: Board,
    control: Arc<Control>,
    store: TypedStore,
    shards: Mirror<ShardRecord>,
    machine: Machine<Data>,
    events: mpsc::UnboundedSender<Input>,
    publish: watch::Sender<Stance>,
    server: Arc<Mutex<Server>>,
    process: watch::Receiver<Process>,
    peers: Peers,
    /// mysqld's data directory.
    data: PathBuf,
    /// The shard's record with what the machine does not look at; none before the first was seen.
    shard: Option<Shard>,
    /// Whether the server's end is the agent's.
    ending: bool,
    /// Whether the supervisor watches a deadline.
    deadline: bool,
}

#[derive(Debug, Clone)]
struct Shard {
    record: ShardRecord,
    term_uuid: String,
}

impl Driver {
    pub(super) fn new(
        parts: Parts,
        events: mpsc::UnboundedSender<Input>,
        publish: watch::Sender<Stance>,
        server: Arc<Mutex<Server>>,
        process: watch::Receiver<Process>,
    ) -> anyhow::Result<Driver> {
        let shard = parts.memory.get().shard_seen.map(Shard::new).transpose()?;
        let runs = process.borrow().pid.is_some();
        Ok(Driver {
            machine: machine(&parts.memory, runs),
            memory: parts.memory,
            link: parts.link,
            board: parts.board,
            control: Arc::new(parts.control),
            store: parts.store,
            shards: parts.shards,
            events,
            publish,
            server,
            process,
            peers: Peers::new(parts.tablets),
            data: parts.data,
            shard,
            ending: false,
            deadline: false,
        })
    }

    /// Runs until something fails that this member cannot vote without.
    pub(super) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Input>) -> anyhow::Error {
        let mut process = self.process.clone();
        let mut running = *process.borrow_and_update();
        loop {
            let pause = self.machine.wake(now()).saturating_sub(now());
            let event = tokio::select! {
                input = inbox.recv() => match input {
                    // Told before its end was noticed.
                    Some(Input::Event(Event::ServerUp)) if self.process.borrow().pid.is_none() => None,
                    Some(Input::Event(event)) => Some(event),
                    Some(Input::Message(message)) => self.read(message),
                    Some(Input::End) => {
                        self.ending = true;
                        None
                    }
                    None => return anyhow::anyhow!("the agent has ended"),
                },
                _ = process.changed() => {
                    let is = *process.borrow_and_update();
                    let was = std::mem::replace(&mut running, is);
                    (was.pid.is_some() && was.generation != is.generation).then_some(Event::ServerDown)
                },
                () = self.shards.changed() => self.look_at_store(),
                () = tokio::time::sleep(pause) => Some(Event::Tick),
            };
            if self.ending && self.process.borrow().pid.is_none() {
                return self.say_goodbye().await;
            }
            if let Some(event) = event
                && let Err(error) = self.step(event).await
            {
                return error;
            }
        }
    }

    /// The server is gone and the agent follows: others need not wait for the leases to lapse.
    async fn say_goodbye(&mut self) -> anyhow::Error {
        for effect in self.machine.step(Event::ServerDown, now()) {
            if let Effect::Send { .. } = effect
                && let Err(error) = self.carry_out(effect).await
            {
                return error;
            }
        }
        std::future::pending().await
    }

    /// A message, if it is for this member and its shard.
    fn read(&self, message: LeadershipMessage) -> Option<Event<Data>> {
        let shard = self.shard.as_ref()?;
        let state = self.memory.get();
        // Who leads is for everybody to know; all else is for the voter alone, which other data of this tablet may have been.
        let tells_who_leads = matches!(message.message, Some(Wire::GrantRequest(_)));
        let ours =
            message.to == state.voter || tells_who_leads && ShardRecord::alias_of(&message.to) == state.alias;
        if !ours || message.shard_id != shard.record.shard_id {
            tracing::debug!(from = message.from, to = message.to, "not our message");
            return None;
        }
        match messages::decode(message, &shard.term_uuid) {
            Ok((from, message)) => Some(Event::Received { from, message }),
            Err(error) => {
                tracing::warn!(%error, "a message makes no sense");
                None
            }
        }
    }

    /// The record in the store, if it can be believed.
    fn look_at_store(&mut self) -> Option<Event<Data>> {
        let state = self.memory.get();
        let key = keys::shard(&state.keyspace, &state.shard);
        let found = self.shards.with(|all| all.get(&key).map(|r| r.record.clone()))?;
        found.holder.as_ref()?;
        match &self.shard {
            Some(shard) => {
                if let Err(why) = believable(&shard.record, &found) {
                    tracing::warn!("{why}");
                    return None;
                }
            }
            None => match Shard::new(found.clone()) {
                Ok(shard) => self.shard = Some(shard),
                Err(error) => {
                    tracing::error!("{error:#}");
                    return None;
                }
            },
        }
        Some(Event::Record(record_of(&found)))
    }

    async fn step(&mut self, event: Event<Data>) -> anyhow::Result<()> {
        if !matches!(
            event,
            Event::Tick | Event::Received { .. } | Event::ServerUp | Event::Eligible(_)
        ) {
            tracing::debug!(?event, "leadership");
        }
        let effects = self.machine.step(event, now());
        self.remember_record()?;
        for effect in effects {
            self.carry_out(effect).await?;
        }
        let stance = self.machine.stance();
        let closes = serves(&self.publish.borrow()) && matches!(stance, Stance::Lead { serve: false, .. });
        self.publish.send_if_modified(|published| {
            let changed = *published != stance;
            *published = stance;
            changed
        });
        if closes {
            self.close_gate();
        }
        Ok(())
    }

    /// The newest record goes to disk before anybody is told of anything that follows from it.
    fn remember_record(&mut self) -> anyhow::Result<()> {
        let (Some(shard), Some(known)) = (&mut self.shard, self.machine.known()) else {
            return Ok(());
        };
        let record = with_record(&shard.record, known);
        if record != shard.record || self.memory.get().shard_seen.is_none() {
            tracing::info!(
                term = record.term,
                holder = record.holder,
                version = record.version,
                "the shard's record"
            );
            shard.record = record.clone();
            self.memory.update(|s| s.shard_seen = Some(record))?;
        }
        Ok(())
    }

    async fn carry_out(&mut self, effect: Effect<Data>) -> anyhow::Result<()> {
        let Some(shard) = self.shard.clone() else {
            return Ok(());
        };
        match effect {
            Effect::Persist(durable) => {
                tracing::info!(?durable, "promised");
                self.memory.update(|s| s.promised = durable.into())?;
            }
            Effect::Send { to, message } => self.peers.send(LeadershipMessage {
                from: self.memory.get().voter,
                to: to.to_string(),
                shard_id: shard.record.shard_id,
                message: Some(messages::encode(message)),
            }),
            Effect::Swap { from, to } => {
                tracing::info!(
                    term = to.term,
                    holder = to.holder.as_deref(),
                    "swapping the shard's record"
                );
                let swap = swap(self.store.clone(), shard.record, from, to.clone());
                self.answer(async move {
                    let outcome = swap.await;
                    Event::Swapped { to, outcome }
                });
            }
            Effect::StopReceiving { term } => {
                let receiver = self.receiver(&shard);
                self.answer(async move {
                    let position = receiver.stop().await;
                    Event::Stopped { term, position }
                });
            }
            Effect::CatchUp { term } => {
                tracing::info!(term, "won the promises: applying what was received");
                let receiver = self.receiver(&shard);
                self.answer(async move {
                    let done = receiver.catch_up().await;
                    Event::CaughtUp { term, done }
                });
            }
            Effect::Kill => {
                tracing::warn!("not the primary any more: killing mysqld");
                self.link.order(Order::Kill).await?;
            }
            Effect::Deadline(at) => {
                self.link.set_deadline(at)?;
                if at.is_some() && !self.deadline {
                    self.link.order(Order::Deadline).await?;
                }
                self.deadline = at.is_some();
            }
            Effect::Errant { one, other } => {
                let why = format!(
                    "{one} and {other} each have transactions that the other lacks: no primary can be elected"
                );
                tracing::error!("{why}");
                self.board.update(|h| h.not_serving = Some(why));
            }
        }
        Ok(())
    }

    fn receiver(&self, shard: &Shard) -> Receiver {
        Receiver {
            control: self.control.clone(),
            memory: self.memory.clone(),
            link: self.link.clone(),
            server: self.server.clone(),
            process: self.process.clone(),
            term_uuid: shard.term_uuid.clone(),
            data: self.data.clone(),
        }
    }

    /// Does something that takes time, and feeds its outcome to the machine.
    fn answer(&self, work: impl Future<Output = Event<Data>> + Send + 'static) {
        let events = self.events.clone();
        tokio::spawn(async move {
            let _ = events.send(Input::Event(work.await));
        });
    }

    /// The leases are about to lapse: clients out.
    fn close_gate(&self) {
        self.board.update(|h| {
            if h.not_serving.is_none() {
                h.not_serving = Some("too few members grant this primary a lease".into());
            }
        });
        let (control, server, stance) = (
            self.control.clone(),
            self.server.clone(),
            self.publish.subscribe(),
        );
        tokio::spawn(async move {
            let _lock = server.lock().await;
            if !serves(&stance.borrow())
                && let Err(error) = control.run(&["SET GLOBAL offline_mode=ON"], GATE).await
            {
                tracing::warn!(%error, "cannot close the gate");
            }
        });
    }
}

impl Shard {
    fn new(record: ShardRecord) -> anyhow::Result<Shard> {
        Ok(Shard {
            term_uuid: term_uuid(&record.shard_id)?,
            record,
        })
    }
}

fn serves(stance: &Stance) -> bool {
    matches!(stance, Stance::Lead { serve: true, .. })
}
