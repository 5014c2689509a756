//! `vitrail local down`.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::dir::{ClusterDir, Locked};
use super::progress::Progress;
use crate::args::DownArgs;

/// Longer than everything that an orderly stop may take; past it something hangs, and the user should know.
const STOP_PATIENCE: Duration = Duration::from_secs(180);
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Stops the cluster of a directory and waits until it has stopped.
pub(crate) fn down(args: &DownArgs) -> Result<()> {
    let dir = ClusterDir::new(&args.dir.dir)?;
    let progress = Progress::new();
    if !dir.exists() {
        progress.line(&format!("No cluster in {}.", dir.root().display()));
        return Ok(());
    }
    let mut told = false;
    let deadline = Instant::now() + STOP_PATIENCE;
    let lock = loop {
        match dir.lock()? {
            Locked::Ours(lock) => break lock,
            Locked::Theirs(pid) => {
                let pid = pid.context("a cluster is only just starting here; try again")?;
                if !told {
                    kill(Pid::from_raw(pid), Signal::SIGTERM)
                        .with_context(|| format!("cannot stop process {pid}"))?;
                    told = true;
                }
                if Instant::now() >= deadline {
                    bail!(
                        "process {pid} did not stop within {} s; kill -9 {pid} loses nothing that was committed",
                        STOP_PATIENCE.as_secs()
                    );
                }
                std::thread::sleep(LOOK_INTERVAL);
            }
        }
    };
    if told {
        progress.step("stopped");
    } else {
        progress.line(&format!("No cluster runs in {}.", dir.root().display()));
    }
    dir.remove_run();
    if args.delete_data {
        dir.remove_data()?;
        progress.step(&format!("removed the data in {}", dir.root().display()));
    }
    drop(lock);
    Ok(())
}
