//! `up --detach`: the cluster is run by a process of its own, without a terminal.
//!
//! The first process starts the second one with a pipe as its standard output, prints what comes through it, and returns when the
//! second one says that the cluster is up.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::dir::ClusterDir;

/// Last line through the pipe; what follows goes to the log.
const READY: &str = "\u{1}ready";
/// The second process gives up by itself after --wait; this is only against one that hangs.
const GRACE: Duration = Duration::from_secs(90);

/// Starts the second process and waits until it is ready.
pub(crate) async fn start(dir: &ClusterDir, wait: Duration) -> Result<()> {
    let log = open_log(dir)?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .arg("--background")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .context("cannot start the background process")?;
    let mut lines = BufReader::new(child.stdout.take().context("no pipe")?).lines();
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    let relay = async {
        while let Some(line) = lines.next_line().await? {
            if line == READY {
                return Ok(true);
            }
            use std::io::Write;
            writeln!(std::io::stdout(), "{line}")?;
        }
        Ok::<_, std::io::Error>(false)
    };
    let ready = tokio::select! {
        ready = tokio::time::timeout(wait + GRACE, relay) => ready.context("the cluster does not come up")??,
        _ = interrupt.recv() => {
            if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
                kill(Pid::from_raw(pid), Signal::SIGTERM).ok();
            }
            child.wait().await?;
            bail!("interrupted");
        }
    };
    if ready {
        return Ok(());
    }
    let status = child.wait().await?;
    let log = fs::read_to_string(log_path(dir)).unwrap_or_default();
    let errors: Vec<&str> = log.lines().rev().take(20).collect();
    let errors: Vec<&str> = errors.into_iter().rev().collect();
    bail!("the cluster did not come up ({status}):\n{}", errors.join("\n"));
}

/// Called by the second process before anything else: it leaves the terminal.
pub(crate) fn enter() -> Result<()> {
    nix::unistd::setsid().context("cannot leave the terminal's session")?;
    Ok(())
}

/// Called by the second process when the cluster is up: from now on its output goes to the log.
pub(crate) fn ready(dir: &ClusterDir) -> Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    // The first process may have been killed; the cluster is up all the same.
    writeln!(out, "{READY}").and_then(|()| out.flush()).ok();
    nix::unistd::dup2_stdout(open_log(dir)?)?;
    Ok(())
}

fn log_path(dir: &ClusterDir) -> std::path::PathBuf {
    dir.log("vitrail")
}

fn open_log(dir: &ClusterDir) -> Result<fs::File> {
    let path = log_path(dir);
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    options
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))
}
