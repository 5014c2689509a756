//! `vitrail local up`.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;
use topology::TypedStore;
use topology::records::{Cell, Keyspace};

use super::binaries::Binaries;
use super::children::{self, ChildSpec, Children};
use super::dir::{ClusterDir, ClusterLock, Locked};
use super::keyspaces::Wanted;
use super::progress::Progress;
use super::secrets::Secrets;
use super::state::ClusterState;
use super::tablets::tablet_names;
use super::{account, background, keyspaces, ready, status};
use crate::args::UpArgs;

/// The one cell of a local cluster.
const CELL: &str = "local";
/// How long each kind of process may take to stop: gateways finish statements (30 s), agents hand over commits (60 s).
const GATEWAY_PATIENCE: Duration = Duration::from_secs(40);
const TABLET_PATIENCE: Duration = Duration::from_secs(70);
const TOPOLOGY_PATIENCE: Duration = Duration::from_secs(10);
/// A process that just looks whether the lock is taken holds it for a moment.
const LOCK_TRIES: u32 = 20;
const LOCK_INTERVAL: Duration = Duration::from_millis(20);

/// Why `up` comes to its end.
enum End {
    /// The user asked for it.
    Signal,
    /// The cluster does not work.
    Failed(anyhow::Error),
}

/// Starts the cluster and runs it until a signal comes; with --detach, leaves that to a background process.
pub(crate) async fn up(args: &UpArgs) -> Result<()> {
    let progress = Progress::new();
    let wanted = keyspaces::load(&args.manifests)?;
    let dir = ClusterDir::create(&args.dir.dir)?;
    let lock = match lock(&dir).await? {
        Locked::Ours(lock) => lock,
        Locked::Theirs(pid) => return already_running(&dir, pid, args, &wanted.keyspaces, &progress).await,
    };
    children::kill_survivors(&dir);
    let binaries = Binaries::find(args.mysqld.clone(), args.mysqld_basedir.clone())?;
    check_ports(args)?;
    if args.detach && !args.background {
        drop(lock);
        return background::start(&dir, Duration::from_secs(args.wait)).await;
    }
    let cluster = Cluster {
        args,
        dir,
        binaries,
        progress,
        _lock: lock,
    };
    tokio::task::LocalSet::new().run_until(cluster.run(wanted)).await
}

async fn lock(dir: &ClusterDir) -> Result<Locked> {
    for _ in 0..LOCK_TRIES {
        match dir.lock()? {
            Locked::Ours(lock) => return Ok(Locked::Ours(lock)),
            Locked::Theirs(_) => tokio::time::sleep(LOCK_INTERVAL).await,
        }
    }
    dir.lock()
}

async fn already_running(
    dir: &ClusterDir,
    pid: Option<i32>,
    args: &UpArgs,
    wanted: &[Keyspace],
    progress: &Progress,
) -> Result<()> {
    let state = ClusterState::load(dir)?;
    if let Some(state) = &state
        && state.port != args.port
    {
        progress.line(&format!(
            "It listens on port {}; --port counts at the next start.",
            state.port
        ));
    }
    if !wanted.is_empty() && !args.manifests.is_empty() {
        let store = status::connect(dir)?;
        let known = store
            .list::<Keyspace>()
            .await
            .context("a cluster is only just starting here; try again")?;
        let differs =
            |keyspace: &&Keyspace| !known.iter().any(|found| keyspaces::same(&found.record, keyspace));
        if let Some(keyspace) = wanted.iter().find(differs) {
            bail!(
                "a cluster runs in {} already, and its keyspace {} is not as the manifest says; \
                 `vitrail local down` and `up` again applies the manifest",
                dir.root().display(),
                keyspace.name
            );
        }
    }
    let by = pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
    progress.line(&format!(
        "A cluster runs in {} already{by}.",
        dir.root().display()
    ));
    progress.line(&connect_line(dir));
    Ok(())
}

fn check_ports(args: &UpArgs) -> Result<()> {
    for (port, option) in [(args.port, "--port"), (args.http_port(), "--http-port")] {
        if let Err(error) = std::net::TcpListener::bind(("127.0.0.1", port)) {
            bail!("cannot listen on 127.0.0.1:{port}: {error}; choose another port with {option}");
        }
    }
    Ok(())
}

/// What the user types next.
fn connect_line(dir: &ClusterDir) -> String {
    let path = dir.my_cnf();
    let here = std::env::current_dir().ok();
    let short = here
        .as_deref()
        .and_then(|here| path.strip_prefix(here).ok())
        .unwrap_or(&path);
    format!("mysql --defaults-file={}", short.display())
}

/// A cluster that this process runs.
struct Cluster<'a> {
    args: &'a UpArgs,
    dir: ClusterDir,
    binaries: Binaries,
    progress: Progress,
    _lock: ClusterLock,
}

impl Cluster<'_> {
    async fn run(self, wanted: Wanted) -> Result<()> {
        let (events, mut received) = tokio::sync::mpsc::unbounded_channel();
        let mut children = Children::new(&self.dir, events);
        let mut signals = Signals::new()?;
        let started = tokio::select! {
            result = self.start(&mut children, wanted) => result,
            () = signals.next() => Err(anyhow::anyhow!("interrupted")),
            () = self.tell(&mut received) => Ok(()),
        };
        let end = match started {
            Ok(()) => {
                self.progress.line(&connect_line(&self.dir));
                if self.args.background {
                    background::ready(&self.dir)?;
                }
                tokio::select! {
                    () = signals.next() => End::Signal,
                    () = self.tell(&mut received) => End::Signal,
                }
            }
            Err(error) => End::Failed(error),
        };
        self.progress.step("stopping");
        tokio::select! {
            () = stop(&mut children) => {}
            () = signals.next() => self.progress.step("told again to stop: killing what is left, which loses nothing committed"),
            () = self.tell(&mut received) => {}
        }
        self.dir.remove_run();
        match end {
            End::Signal => {
                self.progress.step("stopped");
                Ok(())
            }
            End::Failed(error) => Err(error),
        }
    }

    /// Prints what happens to the children. Never ends while there are children.
    async fn tell(&self, received: &mut UnboundedReceiver<String>) {
        while let Some(event) = received.recv().await {
            self.progress.step(&event);
        }
    }

    async fn start(&self, children: &mut Children, wanted: Wanted) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(self.args.wait);
        self.dir.create_run()?;
        Secrets::load_or_create(&self.dir.secrets())?;
        let state = ClusterState {
            port: self.args.port,
            http_port: self.args.http_port(),
        };
        state.save(&self.dir)?;

        children.start(self.topology())?;
        ready::topology(&self.dir, deadline).await?;
        let store = status::connect(&self.dir)?;
        let keyspaces = self.records(&store, wanted).await?;
        let password = account::ensure(&store, &self.dir, self.args.port).await?;

        let mut members = 0;
        for keyspace in &keyspaces {
            for shard in &keyspace.shards {
                for name in tablet_names(keyspace, shard) {
                    children.start(self.tablet(keyspace, shard, &name))?;
                    members += 1;
                }
            }
        }
        self.progress.step(&format!(
            "starting {members} mysqld servers ({})",
            self.binaries.mysqld.program.display()
        ));
        children.start(self.gateway())?;
        ready::primaries(&store, &self.dir, deadline, &self.progress).await?;
        let opts = mysql_async::OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(self.args.port)
            .user(Some(account::USER))
            .pass(Some(password))
            .prefer_socket(false);
        ready::gateway(&self.dir, state.http_port, opts.into(), deadline).await?;
        self.progress.step(&format!(
            "gateway on 127.0.0.1:{}: the cluster is up",
            self.args.port
        ));
        Ok(())
    }

    /// Writes the records of the cell and the keyspaces; returns all keyspaces that there are now.
    async fn records(&self, store: &TypedStore, mut wanted: Wanted) -> Result<Vec<Keyspace>> {
        let cell = Cell {
            name: CELL.to_owned(),
        };
        if store.get::<Cell>(&topology::keys::cell(CELL)).await?.is_none() {
            store.create(&cell).await?;
        }
        if wanted.keyspaces.is_empty() && store.list::<Keyspace>().await?.is_empty() {
            wanted = keyspaces::example()?;
            self.progress
                .step("no manifest given: taking the commerce example");
        }
        for note in &wanted.notes {
            self.progress.step(note);
        }
        keyspaces::apply(store, &wanted.keyspaces, &self.progress).await?;
        Ok(store
            .list::<Keyspace>()
            .await?
            .into_iter()
            .map(|found| found.record)
            .collect())
    }

    fn topology(&self) -> ChildSpec {
        let mut args = Flags::default();
        args.word("topology").word("serve");
        args.path("--data", &self.dir.topology());
        args.text(
            "--listen",
            format!("unix:{}", self.dir.topology_socket().display()),
        );
        args.text("--die-with-parent", std::process::id().to_string());
        ChildSpec {
            name: "topology".to_owned(),
            program: self.binaries.vitrail.clone(),
            args: args.0,
        }
    }

    fn tablet(&self, keyspace: &Keyspace, shard: &str, name: &str) -> ChildSpec {
        let mut args = Flags::default();
        args.word("supervise");
        args.text("--alias", name)
            .text("--keyspace", &keyspace.name)
            .text("--shard", shard)
            .text("--cell", CELL);
        args.text(
            "--topology",
            format!("unix:{}", self.dir.topology_socket().display()),
        );
        args.path("--dir", &self.dir.tablet(name))
            .path("--secrets", &self.dir.secrets());
        args.path("--template", &self.dir.template())
            .path("--run-dir", &self.dir.run().join(name));
        args.path("--mysqld", &self.binaries.mysqld.program);
        if let Some(basedir) = &self.binaries.mysqld.basedir {
            args.path("--mysqld-basedir", basedir);
        }
        args.text("--die-with-parent", std::process::id().to_string());
        ChildSpec {
            name: name.to_owned(),
            program: self.binaries.tablet_agent.clone(),
            args: args.0,
        }
    }

    fn gateway(&self) -> ChildSpec {
        let mut args = Flags::default();
        // Binds the gateway to this process before it is loaded: its own flag comes a moment too late when this process is killed.
        args.word("exec")
            .text("--parent", std::process::id().to_string())
            .word("--");
        args.0.push(self.binaries.vtgate.clone().into());
        args.text(
            "--topology",
            format!("unix:{}", self.dir.topology_socket().display()),
        );
        args.path("--secrets", &self.dir.secrets());
        args.text("--mysql-listen", format!("127.0.0.1:{}", self.args.port));
        args.path("--mysql-socket", &self.dir.gateway_socket());
        args.text("--http-listen", format!("127.0.0.1:{}", self.args.http_port()));
        args.text("--cell", CELL).word("--die-with-parent");
        for arg in &self.args.gate_arg {
            args.word(arg);
        }
        ChildSpec {
            name: "vtgate".to_owned(),
            program: self.binaries.tablet_agent.clone(),
            args: args.0,
        }
    }
}

/// First no more clients, then no more servers, then no more records.
async fn stop(children: &mut Children) {
    children.stop(GATEWAY_PATIENCE, |name| name == "vtgate").await;
    children.stop(TABLET_PATIENCE, |name| name != "topology").await;
    children.stop(TOPOLOGY_PATIENCE, |_| true).await;
}

/// Command-line arguments, each option and its value in one word: a shard's name may start with a hyphen.
#[derive(Default)]
struct Flags(Vec<OsString>);

impl Flags {
    fn word(&mut self, word: &str) -> &mut Self {
        self.0.push(word.into());
        self
    }

    fn text(&mut self, option: &str, value: impl AsRef<str>) -> &mut Self {
        self.0.push(format!("{option}={}", value.as_ref()).into());
        self
    }

    fn path(&mut self, option: &str, path: &Path) -> &mut Self {
        let mut word = OsString::from(option);
        word.push("=");
        word.push(path);
        self.0.push(word);
        self
    }
}

/// The signals that ask this process to stop.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
