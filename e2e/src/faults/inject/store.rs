//! What can happen to the topology store.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use nix::sys::signal::Signal;
use tokio::task::JoinHandle;

use crate::faults::site::{Site, signal};

/// A slow store runs for the first time and stands for the second, over and over.
const RUNS: Duration = Duration::from_millis(30);
const STANDS: Duration = Duration::from_millis(500);

fn kept(site: &Site) -> PathBuf {
    site.topology_file().with_extension("kept")
}

/// Takes the store's file away; whoever starts the store again starts an empty one.
pub(super) fn empty(site: &Site) -> Result<()> {
    let store = site.child("topology")?;
    signal(Some(store), Signal::SIGSTOP);
    std::fs::rename(site.topology_file(), kept(site))?;
    signal(Some(store), Signal::SIGKILL);
    Ok(())
}

/// Puts the file back.
pub(super) fn fill(site: &Site) -> Result<()> {
    let store = site.child("topology")?;
    signal(Some(store), Signal::SIGSTOP);
    std::fs::rename(kept(site), site.topology_file())?;
    signal(Some(store), Signal::SIGKILL);
    Ok(())
}

/// Slows the store down until the task is aborted.
pub(super) fn slow(site: Site) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let store = site.child("topology").ok();
            signal(store, Signal::SIGSTOP);
            tokio::time::sleep(STANDS).await;
            signal(store, Signal::SIGCONT);
            tokio::time::sleep(RUNS).await;
        }
    })
}
