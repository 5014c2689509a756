//! Where the programs under test and the tools of `scripts/lib` are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// The project's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or_else(|| Path::new("."))
        .to_path_buf()
}

/// A program of this workspace, built in the same profile as the tests; or the one in the directory that `E2E_PROGRAMS` names.
///
/// # Errors
/// When it is not built: cargo builds a package's binaries for that package's own tests only.
pub fn program(name: &str) -> Result<PathBuf> {
    if let Some(dir) = std::env::var_os("E2E_PROGRAMS") {
        return Ok(PathBuf::from(dir).join(name));
    }
    // target/debug/deps/TEST-HASH, or target/debug/PROGRAM
    let ours = std::env::current_exe()?;
    let mut profile = ours
        .parent()
        .context("the tests run outside of a target directory")?;
    if profile.ends_with("deps") {
        profile = profile.parent().unwrap_or(profile);
    }
    let path = profile.join(name);
    ensure!(
        path.is_file(),
        "{} is missing: run `cargo build --workspace --bins` first",
        path.display()
    );
    Ok(path)
}

/// What `scripts/lib/NAME.sh ARG...` prints: names and their values.
///
/// # Errors
/// When the script fails; what it printed before counts for nothing.
pub fn assignments(script: &str, args: &[&str]) -> Result<BTreeMap<String, String>> {
    let path = root().join("scripts/lib").join(format!("{script}.sh"));
    // A shell evaluates the assignments, since the script quotes for a shell.
    let output = Command::new("bash")
        .args(["-c", "set -e; lines=$(\"$@\"); set -a; eval \"$lines\"; cut -d= -f1 <<<\"$lines\" | while read -r name; do printf '%s=%s\\n' \"$name\" \"${!name}\"; done", "bash"])
        .arg(&path)
        .args(args)
        .stderr(std::process::Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", path.display()))?;
    ensure!(output.status.success(), "{} failed", path.display());
    let text = String::from_utf8(output.stdout)?;
    Ok(text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.into(), value.into()))
        .collect())
}

/// One value of [`assignments`].
///
/// # Errors
/// When the script fails or does not print it.
pub fn assignment(script: &str, args: &[&str], name: &str) -> Result<String> {
    match assignments(script, args)?.remove(name) {
        Some(value) => Ok(value),
        None => bail!("scripts/lib/{script}.sh {} does not name {name}", args.join(" ")),
    }
}

/// A TCP port that is free on 127.0.0.1 now.
///
/// # Errors
/// When the kernel has none.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port())
}

/// Two neighbouring free ports, of which the lower is returned: the gateway's for MySQL and for HTTP.
///
/// # Errors
/// When the kernel has none.
pub fn free_port_pair() -> Result<u16> {
    for _ in 0..100 {
        let first = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        let port = first.local_addr()?.port();
        if let Some(next) = port.checked_add(1)
            && std::net::TcpListener::bind(("127.0.0.1", next)).is_ok()
        {
            return Ok(port);
        }
    }
    bail!("no two neighbouring ports are free")
}
