//! The password of the gateway's own MySQL account.

use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

/// Name of the gateway's account on every mysqld.
pub const APP_USER: &str = "vitrail_app";

/// The part of the secrets file that the gateway needs.
#[derive(Deserialize)]
pub struct Secrets {
    /// Password of [`APP_USER`].
    pub app: String,
}

/// Leaves the password out.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(..)")
    }
}

impl Secrets {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read or is not of the right form.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not a secrets file", path.display()))
    }
}
