//! The agent's part in the shard's leadership: drives the machine of the `leadership` crate with this member's clock, disk,
//! server, peers and store.
//!
//! The machine decides who may write; it runs in a task of its own, which never waits for anything slow. What mysqld is to be
//! by its decision ([`leadership::Stance`]) is published, and the agent's passes bring mysqld in line with it.

pub(crate) mod data;
mod driver;
mod messages;
mod peers;
mod receiver;
mod swap;

use std::sync::Arc;
use std::time::Duration;

use leadership::{Event, Machine, Record, Timing};
use nix::time::{ClockId, clock_gettime};
use proto::v1::leadership_service_server::LeadershipService;
use proto::v1::{Delivered, LeadershipMessage};
use tokio::sync::{Mutex, MutexGuard, mpsc, watch};
use tokio::task::JoinHandle;
use tonic::{Request, Response, Status};
use topology::records::{ShardRecord, Tablet};
use topology::{Mirror, TypedStore};

pub use data::Data;

use crate::control::Control;
use crate::health::Board;
use crate::link::Link;
use crate::process::Process;
use crate::state::Memory;

/// What mysqld is to be.
pub type Stance = leadership::Stance<Data>;

/// What the driver works with.
#[derive(Debug)]
pub struct Parts {
    /// The agent's memory.
    pub memory: Memory,
    /// The supervisor.
    pub link: Link,
    /// The tablet's health.
    pub board: Board,
    /// A connection of the driver's own.
    pub control: Control,
    /// The shards' records.
    pub store: TypedStore,
    /// Where the other members are.
    pub tablets: Mirror<Tablet>,
    /// The shard's record as the store shows it.
    pub shards: Mirror<ShardRecord>,
    /// mysqld's data directory.
    pub data: std::path::PathBuf,
}

/// What the passes tell the driver, and read of it. Clones share it.
#[derive(Debug, Clone)]
pub struct Leader {
    events: mpsc::UnboundedSender<Input>,
    stance: watch::Receiver<Stance>,
    server: Arc<Mutex<Server>>,
}

/// What is known of the server by whoever changes its replication or its gate. Its lock is held over every such change, so that
/// none is made for a term that a promise has ended.
#[derive(Debug, Default)]
pub struct Server {
    /// A former primary that was fenced with nothing in flight, or rewound before it was started: what it executed is all that it
    /// has.
    pub fenced: bool,
    /// A handover has it read-only; it may be undone.
    pub handing_over: bool,
}

/// What comes to the driver.
#[derive(Debug)]
pub(crate) enum Input {
    /// An event from the passes.
    Event(Event<Data>),
    /// A peer's message.
    Message(LeadershipMessage),
    /// The server's end will be the agent's.
    End,
}

#[tonic::async_trait]
impl LeadershipService for Leader {
    async fn deliver(&self, request: Request<LeadershipMessage>) -> Result<Response<Delivered>, Status> {
        self.events
            .send(Input::Message(request.into_inner()))
            .map_err(|_| Status::unavailable("the agent is ending"))?;
        Ok(Response::new(Delivered {}))
    }
}

impl Leader {
    /// Starts the driver.
    ///
    /// The second value resolves when the driver cannot go on; the agent has to end then.
    ///
    /// # Errors
    /// When the remembered record makes no sense.
    pub(crate) fn start(
        parts: Parts,
        process: watch::Receiver<Process>,
    ) -> anyhow::Result<(Leader, JoinHandle<anyhow::Error>)> {
        let (events, inbox) = mpsc::unbounded_channel();
        let server = Arc::new(Mutex::new(Server::default()));
        let (publish, stance) = watch::channel(Stance::Wait);
        let driver = driver::Driver::new(parts, events.clone(), publish, server.clone(), process)?;
        let leader = Leader {
            events,
            stance,
            server,
        };
        Ok((leader, tokio::spawn(driver.run(inbox))))
    }

    /// Tells the machine what happened.
    pub fn tell(&self, event: Event<Data>) {
        // The driver ends with the agent only.
        let _ = self.events.send(Input::Event(event));
    }

    /// The agent ends when its server does: no new term is opened then.
    pub fn end(&self) {
        let _ = self.events.send(Input::End);
    }

    /// What mysqld is to be.
    pub fn stance(&self) -> Stance {
        self.stance.borrow().clone()
    }

    /// Follows the stance.
    pub fn changes(&self) -> watch::Receiver<Stance> {
        self.stance.clone()
    }

    /// The right to change the server's replication or gate, as long as the stance is the one that the change is for.
    pub async fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().await
    }
}

/// The time since boot, suspended time included: the supervisor's clock.
pub(crate) fn now() -> Duration {
    // CLOCK_BOOTTIME exists on every kernel that the supervisor runs on, and needs no rights.
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from)
}

/// The machine as the member's memory has it.
fn machine(memory: &Memory, server_runs: bool) -> Machine<Data> {
    let state = memory.get();
    let known = state.shard_seen.as_ref().map(record_of);
    Machine::new(
        state.voter.as_str().into(),
        Timing::default(),
        known,
        state.promised.into(),
        server_runs,
        now(),
        rand::random(),
    )
}

/// The machine's part of a record.
pub(crate) fn record_of(record: &ShardRecord) -> Record {
    Record {
        term: record.term,
        holder: record.holder.as_deref().map(Into::into),
        voters: record.voters.iter().map(|v| v.as_str().into()).collect(),
        acks: usize::try_from(record.acks).unwrap_or(usize::MAX),
        version: record.version,
    }
}

/// A whole record with the machine's part replaced.
pub(crate) fn with_record(shard: &ShardRecord, record: &Record) -> ShardRecord {
    ShardRecord {
        term: record.term,
        holder: record.holder.as_deref().map(str::to_owned),
        voters: record.voters.iter().map(|v| v.to_string()).collect(),
        acks: u32::try_from(record.acks).unwrap_or(u32::MAX),
        version: record.version,
        ..shard.clone()
    }
}
