//! `DIR/cluster.json`: what `up` was told and other commands need to know.

use std::fs;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::dir::{ClusterDir, write_private};

/// The running (or last run) cluster of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClusterState {
    /// Port of the gateway for MySQL clients.
    pub(crate) port: u16,
    /// Port of the gateway's HTTP pages.
    pub(crate) http_port: u16,
}

impl ClusterState {
    /// None before the first `up`.
    pub(crate) fn load(dir: &ClusterDir) -> Result<Option<Self>> {
        let path = dir.cluster();
        match fs::read(&path) {
            Ok(text) => {
                let state = serde_json::from_slice(&text)
                    .with_context(|| format!("{} is damaged", path.display()))?;
                Ok(Some(state))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    pub(crate) fn save(&self, dir: &ClusterDir) -> Result<()> {
        write_private(&dir.cluster(), &serde_json::to_vec_pretty(self)?)
    }
}
