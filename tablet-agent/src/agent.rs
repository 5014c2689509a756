//! The agent proper: brings mysqld in line with what leadership says that it is to be.
//!
//! One task owns all decisions. It runs passes: each looks at everything and does what is missing, so a pass may be cut off at any
//! await - by mysqld's end or by an order to stop - and the next one continues from what is true then.

mod follow;
mod join;
mod lead;
mod rebuild;
mod restart;
mod start;
mod stop;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use proto::v1::TabletRole;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use topology::records::{Keyspace, ShardRecord, Tablet};
use topology::remote::RemoteOptions;
use topology::server::Secret;
use topology::{Address, Mirror, RemoteStore, TypedStore, Versioned, keys};

use crate::accounts;
use crate::cli::TabletArgs;
use crate::control::Control;
use crate::handover::Handover;
use crate::health::Board;
use crate::layout::Layout;
use crate::leader::{self, Leader, Stance, with_record};
use crate::link::Link;
use crate::members::Members;
use crate::mysqld::error_log::last_error;
use crate::mysqld::version::Version;
use crate::process::{self, Backoff, Process};
use crate::restart::{RestartOrder, Restarts};
use crate::schema;
use crate::secrets::Secrets;
use crate::server::flags;
use crate::service::{self, Service};
use crate::shard::decide::{Facts, Step, decide};
use crate::state::Memory;
use crate::supervisor::wire::Order;

/// How long a control statement that should be instant may take.
const QUICK: Duration = Duration::from_secs(5);
/// How long one try to reach the store for a swap may take.
const SWAP_TRY: Duration = Duration::from_millis(400);
/// Pause between passes while nothing happens.
const TICK: Duration = Duration::from_secs(1);
/// Pause between passes while a replica waits for its first data.
const HURRY: Duration = Duration::from_millis(100);
/// Pause after a pass that failed; it doubles with each further one.
const RETRY: Duration = Duration::from_millis(250);
/// Longest such pause.
const RETRY_MAX: Duration = Duration::from_secs(4);

/// What all tasks of the agent share.
#[derive(Debug)]
struct Shared {
    args: TabletArgs,
    layout: Layout,
    secrets: Secrets,
    version: Version,
    link: Link,
    board: Board,
    /// Looks and switches: never used for anything that can wait for an acknowledgement.
    control: Control,
    /// Writes: the term's row, heartbeats, progress.
    writer: Control,
    /// Runs DDL as the gateway's account, so that what it creates belongs to that.
    ddl: Arc<Control>,
}

/// The task that decides.
struct Agent {
    shared: Arc<Shared>,
    process: watch::Receiver<Process>,
    memory: Memory,
    leader: Leader,
    handover: Handover,
    members: Members,
    /// What was last kept of what mysqld has purged from its log.
    purged: Option<String>,
    /// Why this member needs its data anew, if it does.
    unfit: Option<String>,
    store: TypedStore,
    keyspaces: Mirror<Keyspace>,
    shards: Mirror<ShardRecord>,
    tablets: Mirror<Tablet>,
    /// Whether all mirrors have been filled once.
    loaded: bool,
    /// Where the agent's own service listens.
    grpc: String,
    registered: Option<Tablet>,
    schema: schema::Handle,
    backoff: Backoff,
    /// Since when the shard has had no primary, as far as this agent has looked.
    leaderless_since: Option<Instant>,
    /// The generation of mysqld that was looked at.
    looked_at: Option<u64>,
    lead: Option<lead::Lead>,
    follow: Option<follow::Following>,
    /// Whether the next pass should be soon.
    hurry: bool,
}

/// Runs the agent until it has stopped the tablet in order. On an error the supervisor starts the next one.
pub async fn run(args: &TabletArgs) -> anyhow::Result<()> {
    let link = Link::inherit().context("start tablets by `tablet-agent supervise`")?;
    let (sender, mut process) = watch::channel(Process::default());
    let mut gone = tokio::spawn(process::follow(link.clone(), sender));
    // The supervisor greets first of all.
    tokio::select! {
        _ = process.changed() => {}
        _ = &mut gone => anyhow::bail!("the supervisor is gone"),
    }
    let stop_ordered = || {
        let mut process = process.clone();
        async move { process.wait_for(|p| p.stop.is_some()).await.map(|_| ()) }
    };
    let mut agent = None;
    tokio::select! {
        biased;
        _ = stop_ordered() => {}
        _ = &mut gone => anyhow::bail!("the supervisor is gone"),
        error = work(args, link.clone(), process.clone(), &mut agent) => {
            tracing::error!("{error:#}");
            // Keeps a tablet that cannot work from spinning; a stop is obeyed meanwhile.
            tokio::select! {
                _ = stop_ordered() => {}
                () = tokio::time::sleep(Duration::from_secs(2)) => return Err(error),
            }
        }
    }
    match &mut agent {
        Some(agent) => agent.stop().await?,
        None if process.borrow().pid.is_none() => {}
        // Nothing is known about this mysqld yet, so nothing can be promised about its commits: SIGKILL keeps them safe.
        None => link.order(Order::Kill).await?,
    }
    link.order(Order::Finished).await?;
    // The supervisor ends us.
    let _ = gone.await;
    Ok(())
}

/// Prepares the agent and lets it work for ever; returns what stopped it.
async fn work(
    args: &TabletArgs,
    link: Link,
    process: watch::Receiver<Process>,
    slot: &mut Option<Agent>,
) -> anyhow::Error {
    match Agent::prepare(args, link, process).await {
        Ok((agent, leadership_ended, restarts)) => tokio::select! {
            result = slot.insert(agent).passes(restarts) => match result {
                Ok(never) => match never {},
                Err(error) => error,
            },
            ended = leadership_ended => ended.unwrap_or_else(|error| error.into()),
        },
        Err(error) => error,
    }
}

impl Agent {
    async fn prepare(
        args: &TabletArgs,
        link: Link,
        process: watch::Receiver<Process>,
    ) -> anyhow::Result<(Agent, JoinHandle<anyhow::Error>, mpsc::Receiver<RestartOrder>)> {
        let layout = Layout::prepare(args)?;
        let secrets = Secrets::read(&args.secrets)?;
        let version = Version::of(&args.mysqld.mysqld)?;
        let address: Address = args.topology.parse()?;
        let secret = args
            .topology_secret
            .as_deref()
            .map(Secret::from_file)
            .transpose()?;
        let options = RemoteOptions {
            secret,
            ..RemoteOptions::default()
        };
        let store = TypedStore::new(Arc::new(RemoteStore::new(&address, options.clone())?));
        let memory = Memory::new(start::open_state(args, &layout, &store).await?);
        let state = memory.get();
        let board = Board::new(crate::health::Identity {
            tablet: args.alias.clone(),
            keyspace: args.keyspace.clone(),
            shard: start::shard_name(&args.shard).to_owned(),
            mysql_version: version.to_string(),
            incarnation: state.incarnation,
            data_dir: layout.data.display().to_string(),
        });
        board.update(|h| h.server_uuid.clone_from(&state.server_uuid));
        let shared = Arc::new(Shared {
            control: Control::new(&layout.mysql_socket, accounts::AGENT, &secrets.agent),
            writer: Control::new(&layout.mysql_socket, accounts::AGENT, &secrets.agent),
            ddl: Arc::new(Control::new(&layout.mysql_socket, accounts::APP, &secrets.app)),
            args: args.clone(),
            layout,
            secrets,
            version,
            link,
            board,
        });
        let schema = schema::Handle::start(
            &shared.layout.mysql_socket,
            &shared.secrets.agent,
            shared.board.clone(),
        );
        // A swap is tried several times within the time that a candidate has for it.
        let quick = RemoteOptions {
            try_timeout: SWAP_TRY,
            ..options
        };
        let parts = leader::Parts {
            memory: memory.clone(),
            link: shared.link.clone(),
            board: shared.board.clone(),
            control: shared.control.another(),
            store: TypedStore::new(Arc::new(RemoteStore::new(&address, quick)?)),
            tablets: Mirror::start(&store),
            shards: Mirror::start(&store),
            data: shared.layout.data.clone(),
        };
        let (leader, leadership_ended) = Leader::start(parts, process.clone())?;
        let members = Members::new(Mirror::start(&store));
        let handover = Handover::new(
            leader.clone(),
            shared.board.clone(),
            shared.control.another(),
            members.clone(),
        );
        let (restarts, restart_orders) = Restarts::new();
        let grpc = match &args.grpc {
            Some(address) => address.parse()?,
            None => Address::Unix(shared.layout.grpc_socket.clone()),
        };
        let service = Service {
            board: shared.board.clone(),
            schema: schema.clone(),
            ddl: shared.ddl.clone(),
            leader: leader.clone(),
            handover: handover.clone(),
            restarts,
            control: Arc::new(shared.control.another()),
        };
        service::serve(&grpc, service)
            .await
            .with_context(|| format!("cannot serve at {grpc}"))?;
        let agent = Agent {
            keyspaces: Mirror::start(&store),
            shards: Mirror::start(&store),
            tablets: Mirror::start(&store),
            loaded: false,
            shared,
            process,
            memory,
            leader,
            handover,
            members,
            purged: None,
            unfit: None,
            store,
            grpc: grpc.to_string(),
            registered: None,
            schema,
            backoff: Backoff::default(),
            leaderless_since: None,
            looked_at: None,
            lead: None,
            follow: None,
            hurry: false,
        };
        Ok((agent, leadership_ended, restart_orders))
    }

    /// Passes, one after another, each cut off when mysqld starts or ends, or is to restart.
    async fn passes(
        &mut self,
        mut restarts: mpsc::Receiver<RestartOrder>,
    ) -> anyhow::Result<std::convert::Infallible> {
        let mut changes = self.process.clone();
        let mut stance = self.leader.changes();
        let mut retry = RETRY;
        loop {
            let process = *changes.borrow_and_update();
            stance.mark_unchanged();
            let new_life = self.looked_at.is_some_and(|seen| seen != process.generation);
            self.shared.board.update(|h| {
                (h.mysqld_pid, h.mysqld_starts) = (process.pid, process.starts);
                if new_life {
                    (h.role, h.not_serving) = (TabletRole::Unknown, Some(self.why_down(process)));
                }
            });
            let pause = tokio::select! {
                biased;
                _ = changes.changed() => continue,
                _ = stance.changed() => continue,
                Some(order) = restarts.recv() => {
                    // Who asked may have hung up.
                    let _ = order.send(self.restart().await);
                    continue;
                }
                result = Box::pin(self.pass(process)) => match result {
                    Ok(()) => {
                        retry = RETRY;
                        if self.hurry { HURRY } else { TICK }
                    }
                    Err(error) => {
                        tracing::warn!("{error:#}");
                        self.shared.board.update(|h| {
                            if h.not_serving.is_some() {
                                h.not_serving = Some(format!("{error:#}"));
                            }
                        });
                        retry = (retry * 2).min(RETRY_MAX);
                        retry
                    }
                },
            };
            tokio::select! {
                _ = changes.changed() => {}
                _ = stance.changed() => {}
                Some(order) = restarts.recv() => {
                    let _ = order.send(self.restart().await);
                }
                () = self.shards.changed() => {}
                () = self.tablets.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn why_down(&self, process: Process) -> String {
        match (process.pid, last_error(&self.shared.layout.error_log)) {
            (Some(_), _) => "mysqld is starting".into(),
            (None, Some(error)) => format!("mysqld is not running; its last error: {error}"),
            (None, None) => "mysqld is not running".into(),
        }
    }

    async fn pass(&mut self, process: Process) -> anyhow::Result<()> {
        if self.looked_at != Some(process.generation) {
            self.new_life(process).await?;
            self.looked_at = Some(process.generation);
        }
        if !self.loaded {
            self.loaded = self.load().await;
        }
        self.hurry = false;
        let record = self.record();
        match self.next_step(record.as_ref())? {
            Step::Wait(why) => self.wait(process, why).await,
            Step::Create { voters, acks } => self.create(voters, acks).await,
            Step::OpenTerm(_) => match record {
                Some(record) => self.open_first_term(record).await,
                None => Ok(()),
            },
            Step::Begun => self.by_stance(process).await,
        }
    }

    /// Brings mysqld in line with what leadership says.
    async fn by_stance(&mut self, process: Process) -> anyhow::Result<()> {
        match (self.leader.stance(), self.memory.get().shard_seen) {
            (Stance::Follow { record, base }, Some(shard)) => {
                self.follow(process, &with_record(&shard, &record), &base).await
            }
            (Stance::Lead { record, serve }, Some(shard)) => {
                self.lead(process, &with_record(&shard, &record), serve).await
            }
            (Stance::Wait, _) | (_, None) => self.idle(process).await,
        }
    }

    /// Before the shard has a primary: an empty member may run and register, which is how it counts as up.
    async fn wait(&mut self, process: Process, why: String) -> anyhow::Result<()> {
        self.shared
            .board
            .update(|h| (h.role, h.not_serving) = (TabletRole::Unknown, Some(why)));
        if self.memory.get().database.is_some() {
            self.ensure_mysqld(process).await?;
        }
        Ok(())
    }

    /// No primary is known: mysqld runs, so that this member can tell what it has and be elected, unless it may have what
    /// nobody else has.
    async fn idle(&mut self, process: Process) -> anyhow::Result<()> {
        self.lead = None;
        self.follow = None;
        let held = self.memory.get().promised.held;
        let why = if held > 0 {
            format!("this member led term {held} and waits for the next primary")
        } else {
            "the shard has no primary".to_owned()
        };
        self.shared.board.update(|h| {
            h.draining = false;
            // A replica goes on serving what it has.
            if h.role != TabletRole::Replica {
                (h.role, h.not_serving) = (TabletRole::Unknown, Some(why));
            }
        });
        if held == 0 {
            self.ensure_mysqld(process).await?;
            self.fence(&flags(&self.shared.control).await?).await?;
        }
        Ok(())
    }

    /// mysqld started, ended, or was found running.
    async fn new_life(&mut self, process: Process) -> anyhow::Result<()> {
        self.lead = None;
        self.follow = None;
        self.purged = None;
        self.shared.control.reset().await;
        self.shared.writer.reset().await;
        self.shared.ddl.reset().await;
        self.schema.stop().await;
        if process.pid.is_none() {
            self.leader.server().await.fenced = false;
        }
        if self.looked_at.is_none() {
            self.resume(process).await?;
        }
        Ok(())
    }

    /// Waits a little for the first content of the mirrors.
    async fn load(&mut self) -> bool {
        let all = async {
            self.keyspaces.loaded().await;
            self.shards.loaded().await;
            self.tablets.loaded().await;
        };
        tokio::time::timeout(Duration::from_secs(2), all).await.is_ok()
    }

    fn record(&self) -> Option<Versioned<ShardRecord>> {
        let state = self.memory.get();
        self.shards
            .with(|all| all.get(&keys::shard(&state.keyspace, &state.shard)).cloned())
    }

    fn next_step(&mut self, record: Option<&Versioned<ShardRecord>>) -> anyhow::Result<Step> {
        let begun = self.memory.get().shard_seen.is_some();
        let Some(keyspace) = self.keyspace().filter(|_| self.loaded) else {
            return Ok(match (begun, self.loaded) {
                (true, _) => Step::Begun,
                (false, true) => Step::Wait(format!(
                    "the topology has no keyspace {}",
                    self.shared.args.keyspace
                )),
                (false, false) => Step::Wait("the topology store does not answer".into()),
            });
        };
        self.memory
            .update(|s| s.database = Some(keyspace.database.clone()))?;
        if record.is_some_and(|r| r.record.holder.is_some()) {
            self.leaderless_since = None;
        }
        // Counted from the moment that this member could be seen by the others.
        let waited = match self.registered {
            Some(_) => self.leaderless_since.get_or_insert_with(Instant::now).elapsed(),
            None => Duration::ZERO,
        };
        Ok(decide(&Facts {
            state: &self.memory.get(),
            record: record.map(|r| &r.record),
            members_wanted: keyspace.members,
            registered: &self.members(),
            waited,
        }))
    }
}
