//! A local Vitrail cluster with ports and a directory of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::bound::{self, Dir, await_ok};
use crate::tools;

/// Longest time for a cluster to come up here: nine mysqlds on two busy cores need about a third of it.
const UP_SECONDS_MAX: u64 = 180;

/// A cluster. It ends with the test process, however that ends.
#[derive(Debug)]
pub struct Cluster {
    /// Port of the gateway.
    pub port: u16,
    data: PathBuf,
    up: Option<Child>,
    /// Removes the directory in the end, unless it is somebody else's.
    _dir: Option<Dir>,
}

impl Cluster {
    /// Makes a directory and chooses ports; nothing runs yet.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub fn prepare() -> Result<Self> {
        let dir = Dir::new()?;
        Ok(Self {
            port: tools::free_port_pair()?,
            data: dir.path().join("v"),
            up: None,
            _dir: Some(dir),
        })
    }

    /// Takes a directory that stays; what an earlier cluster left there is the next one's.
    ///
    /// # Errors
    /// When there is no port.
    pub fn prepare_in(data: PathBuf) -> Result<Self> {
        Ok(Self {
            port: tools::free_port_pair()?,
            data,
            up: None,
            _dir: None,
        })
    }

    /// Starts a cluster in a directory of its own.
    ///
    /// # Errors
    /// With what `up` printed, when it does not come up.
    pub fn start(manifest: &Path) -> Result<Self> {
        let mut cluster = Self::prepare()?;
        cluster.up(&["-f", &manifest.display().to_string()])?;
        Ok(cluster)
    }

    /// The one cluster that all tests of a binary share, with the keyspaces of `manifests/test.yaml`.
    ///
    /// # Panics
    /// When it does not come up: no test of the binary can go on.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        #[expect(clippy::panic, reason = "only tests call it")]
        SHARED.get_or_init(|| match Self::start(&manifest("test")) {
            Ok(cluster) => cluster,
            Err(error) => panic!("{error:#}"),
        })
    }

    /// Starts `vitrail local up` in the foreground, bound to this process, and waits until it says how to connect.
    ///
    /// # Errors
    /// With what it printed, when it does not come up.
    pub fn up(&mut self, args: &[&str]) -> Result<()> {
        let output = self.data.with_extension("out");
        let file = std::fs::File::create(&output)?;
        let port = self.port.to_string();
        let data = self.data();
        let child = bound::spawn(&tools::program("vitrail")?, |command| {
            command
                .args([
                    "local",
                    "up",
                    "--port",
                    &port,
                    "--wait",
                    &UP_SECONDS_MAX.to_string(),
                    "--dir",
                ])
                .arg(data)
                .args(args)
                .stdin(Stdio::null())
                .stderr(file.try_clone().map_or_else(|_| Stdio::null(), Stdio::from))
                .stdout(file);
        })?;
        let child = self.up.insert(child);
        await_ok(Duration::from_secs(UP_SECONDS_MAX + 30), || {
            let text = std::fs::read_to_string(&output)?;
            if text
                .lines()
                .any(|line| line.starts_with("mysql --defaults-file="))
            {
                return Ok(Ok(()));
            }
            match child.try_wait()? {
                Some(status) => Ok(Err(anyhow::anyhow!(
                    "`vitrail local up` ended ({status}):\n{text}"
                ))),
                None => bail!("`vitrail local up` has not finished:\n{text}"),
            }
        })?
    }

    /// The cluster's directory.
    pub fn data(&self) -> PathBuf {
        self.data.clone()
    }

    /// Process id of `vitrail local up`.
    pub fn pid(&self) -> Option<u32> {
        self.up.as_ref().map(Child::id)
    }

    /// Kills `vitrail local up` by SIGKILL and waits for its end.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&mut self) -> Result<()> {
        let mut child = self.up.take().context("not running")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Sends a signal to `vitrail local up` and waits for its end.
    ///
    /// # Errors
    /// When it does not end in an orderly way.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        let mut child = self.up.take().context("not running")?;
        kill(Pid::from_raw(i32::try_from(child.id())?), signal)?;
        let status = await_ok(Duration::from_secs(90), || {
            child.try_wait()?.context("`vitrail local up` still runs")
        })?;
        if !status.success() {
            bail!("`vitrail local up` ended with {status}");
        }
        Ok(())
    }

    /// Runs `vitrail local COMMAND --dir DIR ARG...`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn local(&self, command: &str, args: &[&str]) -> Result<Output> {
        let mut vitrail = Command::new(tools::program("vitrail")?);
        vitrail
            .args(["local", command, "--dir"])
            .arg(self.data())
            .args(args);
        Ok(vitrail.output()?)
    }

    /// `vitrail local status -o json`.
    ///
    /// # Errors
    /// When it fails.
    pub fn status(&self) -> Result<serde_json::Value> {
        let output = self.local("status", &["-o", "json"])?;
        if !output.status.success() {
            bail!("status failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// User and password of `my.cnf`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn account(&self) -> Result<(String, String)> {
        let text = std::fs::read_to_string(self.data().join("my.cnf"))?;
        let value = |name: &str| {
            let found = text.lines().find_map(|line| line.strip_prefix(name));
            found
                .map(|value| value.trim_matches('"').to_owned())
                .with_context(|| format!("no {name} in my.cnf"))
        };
        Ok((value("user=")?, value("password=")?))
    }

    /// How to connect to a keyspace through the gateway.
    ///
    /// # Errors
    /// When `my.cnf` cannot be read.
    pub fn opts(&self, keyspace: Option<&str>) -> Result<mysql_async::Opts> {
        let (user, password) = self.account()?;
        Ok(mysql_async::OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(self.port)
            .user(Some(user))
            .pass(Some(password))
            .db_name(keyspace)
            .prefer_socket(false)
            .ssl_opts(Some(
                mysql_async::SslOpts::default().with_danger_accept_invalid_certs(true),
            ))
            .into())
    }

    /// A connection to a keyspace through the gateway.
    ///
    /// # Errors
    /// When the gateway refuses it.
    pub async fn connect(&self, keyspace: Option<&str>) -> Result<mysql_async::Conn> {
        Ok(mysql_async::Conn::new(self.opts(keyspace)?).await?)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut child) = self.up.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// A manifest of this crate.
pub fn manifest(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("manifests")
        .join(format!("{name}.yaml"))
}
