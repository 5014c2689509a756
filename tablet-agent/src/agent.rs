//! The agent proper: looks at its shard's record and at its mysqld, and brings the second in line with the first.
//!
//! One task owns all decisions. It runs passes: each looks at everything and does what is missing, so a pass may be cut off at any
//! await - by mysqld's end or by an order to stop - and the next one continues from what is true then.

mod follow;
mod lead;
mod process;
mod start;
mod stop;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use proto::v1::TabletRole;
use tokio::sync::watch;
use topology::records::{Keyspace, ShardRecord, Tablet};
use topology::remote::RemoteOptions;
use topology::server::Secret;
use topology::{Address, Mirror, RemoteStore, TypedStore, Versioned, keys};

use crate::accounts;
use crate::cli::TabletArgs;
use crate::control::Control;
use crate::health::Board;
use crate::layout::Layout;
use crate::link::Link;
use crate::mysqld::error_log::last_error;
use crate::mysqld::version::Version;
use crate::schema;
use crate::secrets::Secrets;
use crate::service::{self, Service};
use crate::shard::decide::{Facts, Step, decide};
use crate::state::StateFile;
use crate::supervisor::wire::Order;
use process::{Backoff, Process};

/// How long a control statement that should be instant may take.
const QUICK: Duration = Duration::from_secs(5);
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

/// A term that this member opened, and the life of mysqld it is for.
#[derive(Debug, Clone, Copy)]
struct Claim {
    term: u64,
    /// The generation of mysqld; none: the next to begin.
    life: Option<u64>,
}

impl Claim {
    /// What is left of the claim when mysqld is seen in a new state.
    fn in_life(self, process: Process) -> Option<Claim> {
        match self.life {
            None if process.pid.is_some() => Some(Claim {
                life: Some(process.generation),
                ..self
            }),
            None => Some(self),
            Some(life) => (life == process.generation).then_some(self),
        }
    }
}

/// The task that decides.
struct Agent {
    shared: Arc<Shared>,
    process: watch::Receiver<Process>,
    state: StateFile,
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
    claim: Option<Claim>,
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
        async move { process.wait_for(|p| p.stop).await.map(|_| ()) }
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
        Ok(agent) => match slot.insert(agent).passes().await {
            Ok(never) => match never {},
            Err(error) => error,
        },
        Err(error) => error,
    }
}

impl Agent {
    async fn prepare(
        args: &TabletArgs,
        link: Link,
        process: watch::Receiver<Process>,
    ) -> anyhow::Result<Agent> {
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
        let store = TypedStore::new(Arc::new(RemoteStore::new(&address, options)?));
        let state = start::open_state(args, &layout, &store).await?;
        let board = Board::new(crate::health::Identity {
            tablet: args.alias.clone(),
            keyspace: args.keyspace.clone(),
            shard: start::shard_name(&args.shard).to_owned(),
            mysql_version: version.to_string(),
            server_uuid: state.get().server_uuid.clone(),
            incarnation: state.get().incarnation,
            data_dir: layout.data.display().to_string(),
        });
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
        let grpc = match &args.grpc {
            Some(address) => address.parse()?,
            None => Address::Unix(shared.layout.grpc_socket.clone()),
        };
        let service = Service {
            board: shared.board.clone(),
            schema: schema.clone(),
            ddl: shared.ddl.clone(),
        };
        service::serve(&grpc, service)
            .await
            .with_context(|| format!("cannot serve at {grpc}"))?;
        Ok(Agent {
            keyspaces: Mirror::start(&store),
            shards: Mirror::start(&store),
            tablets: Mirror::start(&store),
            loaded: false,
            shared,
            process,
            state,
            store,
            grpc: grpc.to_string(),
            registered: None,
            schema,
            backoff: Backoff::default(),
            leaderless_since: None,
            looked_at: None,
            claim: None,
            lead: None,
            follow: None,
            hurry: false,
        })
    }

    /// Passes, one after another, each cut off when mysqld starts or ends.
    async fn passes(&mut self) -> anyhow::Result<std::convert::Infallible> {
        let mut changes = self.process.clone();
        let mut retry = RETRY;
        loop {
            let process = *changes.borrow_and_update();
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
        let step = self.next_step(record.as_ref())?;
        match (step, record) {
            (Step::Wait(why), _) => self.wait(process, why).await,
            (Step::Create { voters, acks }, _) => self.create(process, voters, acks).await,
            (Step::OpenTerm(_), Some(record)) => self.open_term(process, record).await,
            (Step::Lead(_), Some(record)) => self.lead(process, &record.record, Some(&record)).await,
            (Step::Follow { holder, voter, .. }, Some(record)) => {
                self.follow(process, &record.record, &holder, voter).await
            }
            (Step::Refuse(why), _) => self.refuse(process, why).await,
            (Step::Hold(why), _) => self.hold(process, why).await,
            (Step::OpenTerm(_) | Step::Lead(_) | Step::Follow { .. }, None) => Ok(()),
        }
    }

    /// Before the shard has a primary: an empty member may run and register, which is how it counts as up.
    async fn wait(&mut self, process: Process, why: String) -> anyhow::Result<()> {
        self.shared
            .board
            .update(|h| (h.role, h.not_serving) = (TabletRole::Unknown, Some(why)));
        if self.state.get().shard_seen.is_none() && self.state.get().database.is_some() {
            self.ensure_mysqld(process).await?;
        }
        Ok(())
    }

    /// Without a store that can be believed: whoever serves goes on by what it remembers, and nobody starts.
    async fn hold(&mut self, process: Process, why: String) -> anyhow::Result<()> {
        let remembered = self.state.get().shard_seen.clone();
        let (Some(_), Some(record)) = (process.pid, remembered) else {
            self.shared
                .board
                .update(|h| (h.role, h.not_serving) = (TabletRole::Unknown, Some(why)));
            return Ok(());
        };
        tracing::debug!("{why}");
        let facts = Facts {
            state: self.state.get(),
            record: Some(&record),
            members_wanted: 0,
            registered: &[],
            waited: Duration::ZERO,
            claimed: self.claimed(&record),
        };
        match decide(&facts) {
            Step::Lead(_) => self.lead(process, &record, None).await,
            Step::Follow { holder, voter, .. } => self.follow(process, &record, &holder, voter).await,
            _ => {
                self.shared
                    .board
                    .update(|h| (h.role, h.not_serving) = (TabletRole::Unknown, Some(why)));
                Ok(())
            }
        }
    }

    /// This member may not run. A mysqld that does is killed: SIGKILL acknowledges nothing.
    async fn refuse(&mut self, process: Process, why: String) -> anyhow::Result<()> {
        self.shared
            .board
            .update(|h| (h.role, h.not_serving) = (TabletRole::Unknown, Some(why)));
        if process.pid.is_some() {
            self.shared.link.order(Order::Kill).await?;
        }
        Ok(())
    }

    /// mysqld started, ended, or was found running.
    async fn new_life(&mut self, process: Process) -> anyhow::Result<()> {
        self.lead = None;
        self.follow = None;
        self.shared.control.reset().await;
        self.shared.writer.reset().await;
        self.shared.ddl.reset().await;
        self.schema.stop().await;
        if self.looked_at.is_none() {
            self.claim = self.find_claim(process).await?;
        }
        self.claim = self.claim.and_then(|claim| claim.in_life(process));
        Ok(())
    }

    fn claimed(&self, record: &ShardRecord) -> Option<u64> {
        self.claim
            .map(|claim| claim.term)
            .filter(|term| *term == record.term)
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
        let state = self.state.get();
        self.shards
            .with(|all| all.get(&keys::shard(&state.keyspace, &state.shard)).cloned())
    }

    fn next_step(&mut self, record: Option<&Versioned<ShardRecord>>) -> anyhow::Result<Step> {
        if !self.loaded {
            return Ok(Step::Hold("the topology store does not answer".into()));
        }
        let Some(keyspace) = self.keyspace() else {
            let why = format!("the topology has no keyspace {}", self.shared.args.keyspace);
            return Ok(if self.state.get().shard_seen.is_some() {
                Step::Hold(why)
            } else {
                Step::Wait(why)
            });
        };
        self.state
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
            state: self.state.get(),
            record: record.map(|r| &r.record),
            members_wanted: keyspace.members,
            registered: &self.members(),
            waited,
            claimed: record.and_then(|r| self.claimed(&r.record)),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: Option<u32>, generation: u64) -> Process {
        Process {
            pid,
            generation,
            starts: 0,
            stop: false,
        }
    }

    #[test]
    fn a_claim_is_for_one_life() {
        let made_before = Claim { term: 3, life: None };
        let waiting = made_before
            .in_life(process(None, 4))
            .and_then(|c| c.in_life(process(None, 4)));
        assert_eq!(waiting.map(|c| c.life), Some(None));
        let bound = waiting.and_then(|c| c.in_life(process(Some(9), 5)));
        assert_eq!(bound.map(|c| (c.term, c.life)), Some((3, Some(5))));
        assert!(bound.and_then(|c| c.in_life(process(Some(9), 5))).is_some());
        assert!(bound.and_then(|c| c.in_life(process(None, 6))).is_none());
        assert!(
            bound.and_then(|c| c.in_life(process(Some(10), 7))).is_none(),
            "restarted unnoticed"
        );
    }
}
