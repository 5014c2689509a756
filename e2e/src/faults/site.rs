//! Where the processes and servers of the cluster under test are, and how to reach them past the gateway.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use mysql_async::{Conn, OptsBuilder};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::cluster::Cluster;

/// The keyspace under test.
pub const KEYSPACE: &str = "faults";

/// The processes of a member that run now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pids {
    /// The supervisor, which `vitrail local up` starts again.
    pub supervisor: Option<i32>,
    /// The agent, which the supervisor starts again.
    pub agent: Option<i32>,
    /// mysqld, which the agent starts again.
    pub mysqld: Option<i32>,
}

/// A running cluster, seen from outside.
#[derive(Debug, Clone)]
pub struct Site {
    data: PathBuf,
    run: PathBuf,
    agent_password: String,
    app_password: String,
    /// Names of the members of the shard under test.
    pub members: Vec<String>,
}

impl Site {
    /// Looks at a cluster that is up.
    ///
    /// # Errors
    /// When it is not.
    pub fn new(cluster: &Cluster) -> Result<Self> {
        let data = cluster.data();
        let secrets: Value = serde_json::from_slice(&fs::read(data.join("secrets.json"))?)?;
        let password = |name: &str| {
            let found = secrets.get(name).and_then(Value::as_str);
            found
                .map(str::to_owned)
                .with_context(|| format!("no secret {name}"))
        };
        let status = cluster.status()?;
        let names = |value: &Value, list: &str| value.get(list).and_then(Value::as_array).cloned();
        let members = names(&status, "keyspaces")
            .unwrap_or_default()
            .iter()
            .filter(|keyspace| keyspace.get("name").and_then(Value::as_str) == Some(KEYSPACE))
            .flat_map(|keyspace| names(keyspace, "shards").unwrap_or_default())
            .flat_map(|shard| names(&shard, "tablets").unwrap_or_default())
            .filter_map(|tablet| Some(tablet.get("name")?.as_str()?.to_owned()))
            .collect();
        Ok(Self {
            run: fs::read_link(data.join("run"))?,
            agent_password: password("agent")?,
            app_password: password("app")?,
            members,
            data,
        })
    }

    /// Where the member keeps its files.
    pub fn member_dir(&self, member: &str) -> PathBuf {
        self.data.join("tablets").join(member)
    }

    /// The topology store's file.
    pub fn topology_file(&self) -> PathBuf {
        self.data.join("topology.json")
    }

    /// Address of the member's agent.
    pub fn agent_address(&self, member: &str) -> String {
        format!("unix:{}", self.run.join(member).join("agent.sock").display())
    }

    /// Process id of one of the children of `vitrail local up`.
    ///
    /// # Errors
    /// When it has not been started.
    pub fn child(&self, name: &str) -> Result<i32> {
        let text = fs::read(self.data.join("processes.json"))?;
        let processes: Value = serde_json::from_slice(&text)?;
        let pid = processes
            .get(name)
            .and_then(|process| process.get("pid")?.as_i64());
        let pid = pid.with_context(|| format!("{name} is not in processes.json"))?;
        Ok(i32::try_from(pid)?)
    }

    /// The processes of a member. A supervisor that was killed is none, even while the file still names it.
    ///
    /// # Errors
    /// When the list of processes cannot be read.
    pub fn pids(&self, member: &str) -> Result<Pids> {
        let supervisor = self.child(member)?;
        let mut pids = Pids::default();
        let Ok(children) = children(supervisor) else {
            return Ok(pids);
        };
        pids.supervisor = Some(supervisor);
        for child in children {
            let command = fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            let words: Vec<&[u8]> = command.split(|byte| *byte == 0).collect();
            // A child that has just been forked still has the supervisor's command line.
            if words.get(1) == Some(&b"run".as_slice()) {
                pids.agent = Some(child);
            } else if words.iter().any(|word| word.starts_with(b"--defaults-file=")) {
                pids.mysqld = Some(child);
            }
        }
        Ok(pids)
    }

    /// A connection to the member's server as the agent's account, which no gate keeps out.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn admin(&self, member: &str) -> Result<Conn> {
        self.connect(member, "vitrail_agent", &self.agent_password, None)
            .await
    }

    /// A connection to the member's server as a gateway makes it.
    ///
    /// # Errors
    /// When the server does not answer, or keeps gateways out.
    pub async fn app(&self, member: &str) -> Result<Conn> {
        self.connect(member, "vitrail_app", &self.app_password, Some(KEYSPACE))
            .await
    }

    async fn connect(
        &self,
        member: &str,
        user: &str,
        password: &str,
        database: Option<&str>,
    ) -> Result<Conn> {
        let socket = self.run.join(member).join("mysql.sock");
        let opts = OptsBuilder::default()
            .socket(Some(socket.display().to_string()))
            .user(Some(user))
            .pass(Some(password))
            .db_name(database);
        Ok(Conn::new(opts).await?)
    }

    /// Copies what explains a failure: logs, states and the store's records.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_logs(&self, to: &Path) -> Result<()> {
        fs::create_dir_all(to)?;
        copy_files(&self.data.join("log"), to, "")?;
        fs::copy(self.topology_file(), to.join("topology.json")).ok();
        for member in &self.members {
            let dir = self.member_dir(member);
            for name in ["mysqld.err", "state.json", "my.cnf"] {
                fs::copy(dir.join(name), to.join(format!("{member}.{name}"))).ok();
            }
            copy_files(&dir.join("data"), to, &format!("{member}.")).ok();
        }
        Ok(())
    }
}

/// The logs of a directory: of processes and, in a data directory, of transactions.
fn copy_files(from: &Path, to: &Path, prefix: &str) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_log = [".log", "binlog.", "relay."]
            .iter()
            .any(|part| name.contains(part));
        if is_log && entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(format!("{prefix}{name}")))?;
        }
    }
    Ok(())
}

/// The processes that a process forked and that have not ended.
fn children(pid: i32) -> Result<Vec<i32>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    if stat.contains(") Z ") {
        bail!("process {pid} has ended");
    }
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    Ok(text
        .split_ascii_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect())
}

/// Sends a signal to a process, if there is one.
pub fn signal(pid: Option<i32>, signal: Signal) {
    if let Some(pid) = pid {
        // It may have ended by itself.
        kill(Pid::from_raw(pid), signal).ok();
    }
}
