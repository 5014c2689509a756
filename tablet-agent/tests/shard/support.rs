//! A topology and tablets of real mysqld processes below a temporary directory.
//!
//! Tablets are started by the test's own thread with `--die-with-parent`, so nothing outlives a test, however it ends.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder};
use proto::v1::tablet_service_client::TabletServiceClient;
use proto::v1::{GetStatusRequest, GetStatusResponse, HealthUpdate, TabletRole};
use tonic::transport::{Channel, Endpoint};
use topology::records::{Keyspace, ShardRecord, Tablet};
use topology::remote::RemoteOptions;
use topology::server::Listener;
use topology::{Address, EmbeddedStore, RemoteStore, TypedStore, keys};

use crate::server::{SECRETS, server, template};

/// Long enough for a loaded machine; tests wait for conditions, not for time.
const PATIENCE: Duration = Duration::from_secs(90);

/// The topology and the tablets of one shard `c/-`.
pub(crate) struct Shard {
    pub(crate) store: TypedStore,
    dir: tempfile::TempDir,
    tablets: BTreeMap<u32, Child>,
    /// Dropping it ends the topology.
    topology: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Shard {
    /// A keyspace with one shard of that many members, none of which runs yet.
    pub(crate) async fn new(members: u32, schema: &str) -> Shard {
        let dir = tempfile::Builder::new().prefix("vt").tempdir_in("/tmp").unwrap();
        std::fs::write(dir.path().join("secrets.json"), SECRETS).unwrap();
        let address: Address = format!("unix:{}", dir.path().join("topo.sock").display())
            .parse()
            .unwrap();
        let topology = Some(serve_topology(dir.path().join("topology"), address.clone()));
        let store = TypedStore::new(Arc::new(
            RemoteStore::new(&address, RemoteOptions::default()).unwrap(),
        ));
        let keyspace = Keyspace {
            name: "c".into(),
            database: "c".into(),
            shards: vec!["-".into()],
            members,
            vschema: serde_json::Value::Null,
            vschema_version: 1,
            schema: schema.into(),
        };
        let shard = Shard {
            store,
            dir,
            tablets: BTreeMap::new(),
            topology,
        };
        shard.store.create(&keyspace).await.unwrap();
        shard
    }

    /// Ends the topology, and starts it again with what it knew.
    pub(crate) fn stop_topology(&mut self) {
        self.topology = None;
    }

    pub(crate) fn start_topology(&mut self) {
        let address: Address = format!("unix:{}", self.dir.path().join("topo.sock").display())
            .parse()
            .unwrap();
        self.topology = Some(serve_topology(self.dir.path().join("topology"), address));
    }

    /// Loses a tablet's disk.
    pub(crate) fn wipe(&self, serial: u32) {
        std::fs::remove_dir_all(self.dir.path().join(format!("c-{serial}"))).unwrap();
    }

    /// Starts a tablet.
    pub(crate) fn start(&mut self, serial: u32) {
        let server = server();
        let path = |name: &str| self.dir.path().join(name);
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(path(&format!("c-{serial}.log")))
            .unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tablet-agent"));
        command
            .arg("supervise")
            .args([
                "--alias",
                &format!("c-{serial}"),
                "--keyspace",
                "c",
                "--shard",
                "-",
            ])
            .arg("--topology")
            .arg(format!("unix:{}", path("topo.sock").display()))
            .arg("--dir")
            .arg(path(&format!("c-{serial}")))
            .arg("--secrets")
            .arg(path("secrets.json"))
            .arg("--template")
            .arg(template())
            .arg("--mysqld")
            .arg(&server.mysqld)
            .arg(format!("--die-with-parent={}", std::process::id()))
            .stdin(std::process::Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        if let Some(basedir) = &server.basedir {
            command.arg("--mysqld-basedir").arg(basedir);
        }
        self.tablets.insert(serial, command.spawn().unwrap());
    }

    /// Process id of a tablet's supervisor.
    pub(crate) fn supervisor(&self, serial: u32) -> u32 {
        self.tablets.get(&serial).unwrap().id()
    }

    /// Stops a tablet in order, and returns its exit code.
    pub(crate) fn stop(&mut self, serials: &[u32], by: nix::sys::signal::Signal) -> Vec<Option<i32>> {
        for serial in serials {
            signal(self.supervisor(*serial), by);
        }
        serials
            .iter()
            .map(|s| self.tablets.remove(s).unwrap().wait().unwrap().code())
            .collect()
    }

    /// Kills a tablet's supervisor.
    pub(crate) fn kill(&mut self, serial: u32) {
        let mut child = self.tablets.remove(&serial).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// What a tablet's agent says; none while it does not answer.
    pub(crate) async fn status(&self, serial: u32) -> Option<GetStatusResponse> {
        let mut client = self.client(serial).await?;
        let status = client.get_status(GetStatusRequest {}).await.ok()?.into_inner();
        // A socket may be left of an agent that is gone, but an answer is not.
        status.health.is_some().then_some(status)
    }

    pub(crate) async fn client(&self, serial: u32) -> Option<TabletServiceClient<Channel>> {
        let socket = self.dir.path().join(format!("c-{serial}/run/agent.sock"));
        let channel = Endpoint::from_shared(format!("unix:{}", socket.display()))
            .unwrap()
            .connect()
            .await
            .ok()?;
        Some(TabletServiceClient::new(channel))
    }

    /// Waits until a tablet says what is wanted of it.
    pub(crate) async fn until(
        &self,
        serial: u32,
        what: &str,
        wanted: impl Fn(&GetStatusResponse) -> bool,
    ) -> GetStatusResponse {
        let begin = Instant::now();
        let mut last = None;
        while begin.elapsed() < PATIENCE {
            if let Some(status) = self.status(serial).await {
                if wanted(&status) {
                    return status;
                }
                last = Some(status);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("c-{serial} is not {what}: {last:?}\n{}", self.logs())
    }

    pub(crate) async fn serving(&self, serial: u32, role: TabletRole) -> HealthUpdate {
        let wanted = |s: &GetStatusResponse| s.health.as_ref().is_some_and(|h| h.serving && h.role() == role);
        self.until(serial, &format!("serving as {role:?}"), wanted)
            .await
            .health
            .unwrap()
    }

    /// Waits until one of the tablets serves as the primary of a later term, and returns its serial.
    pub(crate) async fn new_primary(&self, serials: &[u32], term: u64) -> u32 {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            for serial in serials {
                let health = self.status(*serial).await.and_then(|s| s.health);
                if health.is_some_and(|h| h.serving && h.role() == TabletRole::Primary && h.term > term) {
                    return *serial;
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nobody leads a term after {term}\n{}", self.logs())
    }

    pub(crate) async fn record(&self) -> ShardRecord {
        self.store
            .require::<ShardRecord>(&keys::shard("c", "-"))
            .await
            .unwrap()
            .record
    }

    pub(crate) async fn tablet(&self, serial: u32) -> Tablet {
        self.store
            .require::<Tablet>(&keys::tablet(&format!("c-{serial}")))
            .await
            .unwrap()
            .record
    }

    /// A connection as the gateway's account.
    pub(crate) async fn app(&self, serial: u32) -> Conn {
        self.connect(serial, "vitrail_app", "app-password").await.unwrap()
    }

    pub(crate) async fn connect(&self, serial: u32, user: &str, password: &str) -> mysql_async::Result<Conn> {
        let socket = self.dir.path().join(format!("c-{serial}/run/mysql.sock"));
        let opts = OptsBuilder::default()
            .socket(Some(socket.display().to_string()))
            .user(Some(user))
            .pass(Some(password))
            .db_name((user == "vitrail_app").then_some("c"));
        Conn::new(opts).await
    }

    /// Waits until a query on a tablet has this answer.
    pub(crate) async fn until_rows(&self, serial: u32, query: &str, expected: &[i64]) {
        let begin = Instant::now();
        let mut conn = self.app(serial).await;
        let mut last = None;
        while begin.elapsed() < PATIENCE {
            let rows = conn.query::<i64, _>(query).await;
            if rows.as_ref().is_ok_and(|rows| rows == expected) {
                return;
            }
            last = Some(rows);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!(
            "c-{serial}: {query} is {last:?}, not {expected:?}\n{}",
            self.logs()
        )
    }

    /// All processes that have this test's directory in their command line.
    pub(crate) fn processes(&self) -> Vec<String> {
        let needle = self.dir.path().display().to_string();
        let mut out = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            if line.contains(&needle) {
                out.push(line);
            }
        }
        out
    }

    pub(crate) fn logs(&self) -> String {
        let mut out = String::new();
        for entry in std::fs::read_dir(self.dir.path()).unwrap().flatten() {
            if entry.path().extension().is_some_and(|e| e == "log") {
                out.push_str(&format!("--- {}\n", entry.path().display()));
                out.push_str(&std::fs::read_to_string(entry.path()).unwrap());
            }
        }
        out
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.logs());
        }
        for child in self.tablets.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
        // mysqld may still be writing while it dies.
        let begin = Instant::now();
        while !self.processes().is_empty() && begin.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

pub(crate) fn signal(pid: u32, signal: nix::sys::signal::Signal) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap()), signal).unwrap();
}

/// Serves a store from a thread of its own, so that it answers while a test blocks.
fn serve_topology(file: PathBuf, address: Address) -> tokio::sync::oneshot::Sender<()> {
    let (ready, wait) = std::sync::mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            // The one before may still be closing the file.
            let store = loop {
                match EmbeddedStore::open(&file) {
                    Ok(store) => break store,
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            };
            let listener = Listener::bind(&address).await.unwrap();
            ready.send(()).unwrap();
            let stop = async {
                let _ = stopped.await;
            };
            let _ = topology::server::serve(listener, Arc::new(store), None, stop).await;
        });
    });
    wait.recv().unwrap();
    stop
}
