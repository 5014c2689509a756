//! Passwords of Vitrail's own MySQL accounts.

use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

/// The content of the secrets file. Other keys in it belong to other processes.
#[derive(Clone, Deserialize)]
pub struct Secrets {
    /// `vitrail_agent`: the agent's administrative account, on the local socket only.
    pub agent: String,
    /// `vitrail_repl`: replication between members.
    pub replication: String,
    /// `vitrail_app`: the gateway's account.
    pub app: String,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// Reads and checks the file.
    pub fn read(path: &Path) -> anyhow::Result<Secrets> {
        let text = std::fs::read(path).with_context(|| format!("secrets file {}", path.display()))?;
        let secrets: Secrets =
            serde_json::from_slice(&text).with_context(|| format!("secrets file {}", path.display()))?;
        for (name, password) in [
            ("agent", &secrets.agent),
            ("replication", &secrets.replication),
            ("app", &secrets.app),
        ] {
            // CHANGE REPLICATION SOURCE takes 32 characters; the rest is what SQL text and option files carry safely.
            let printable = password.bytes().all(|b| b.is_ascii_graphic());
            if password.len() < 8 || password.len() > 32 || !printable {
                anyhow::bail!(
                    "secrets file {}: `{name}` must be 8 to 32 printable ASCII characters",
                    path.display()
                );
            }
        }
        Ok(secrets)
    }
}
