//! The cluster's template: an initialised data directory with Vitrail's accounts, made once in seconds and then copied.

use std::fs::{File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::accounts;
use crate::cli::MysqldArgs;
use crate::secrets::Secrets;

/// Makes the template unless it exists. Blocks while another process makes it.
pub fn ensure(template: &Path, mysqld: &MysqldArgs, secrets: &Secrets) -> anyhow::Result<()> {
    if template.join("data").is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(template)?;
    std::fs::set_permissions(template, Permissions::from_mode(0o700))?;
    let lock = File::create(template.join("lock"))?;
    lock.lock()?;
    if template.join("data").is_dir() {
        return Ok(());
    }
    tracing::info!(template = %template.display(), "making the template data directory");
    make(template, mysqld, secrets)
}

/// Initialises into a directory of another name, so that a `data` directory is always a whole one.
fn make(template: &Path, mysqld: &MysqldArgs, secrets: &Secrets) -> anyhow::Result<()> {
    let fresh = template.join("data.new");
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh)?;
    }
    let init = template.join("init.sql");
    write_statements(&init, &accounts::template_statements(secrets))?;
    let log_path = template.join("initialize.log");
    let log = File::create(&log_path)?;
    let status = bound_command(&mysqld.mysqld)?
        .arg("--no-defaults")
        .args(is_root().then_some("--user=root"))
        .args(basedir_options(mysqld.mysqld_basedir.as_deref()))
        .arg(option("--datadir", &fresh))
        .arg("--initialize-insecure")
        .arg(option("--init-file", &init))
        .args([
            "--mysqlx=0",
            "--secure-file-priv=NULL",
            "--performance-schema=OFF",
            "--skip-log-bin",
        ])
        // Nothing is lost if this is: the directory only counts once it was renamed.
        .args([
            "--innodb-doublewrite=OFF",
            "--innodb-flush-log-at-trx-commit=0",
            "--loose-innodb-redo-log-capacity=32M",
        ])
        .stdin(std::process::Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .status()
        .with_context(|| format!("cannot run {}", mysqld.mysqld.display()))?;
    std::fs::remove_file(&init)?;
    if !status.success() {
        let log = std::fs::read_to_string(&log_path).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(8).collect();
        anyhow::bail!(
            "mysqld could not initialise {} ({status}): {}",
            fresh.display(),
            tail.into_iter().rev().collect::<Vec<_>>().join("\n")
        );
    }
    // Copies must be other servers than the template.
    std::fs::remove_file(fresh.join("auto.cnf")).or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    std::fs::rename(&fresh, template.join("data"))?;
    Ok(())
}

/// A command that dies with this process, since a template in the making has no supervisor.
fn bound_command(program: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["exec", "--parent"])
        .arg(std::process::id().to_string())
        .arg("--")
        .arg(program);
    Ok(command)
}

fn write_statements(path: &Path, statements: &[String]) -> anyhow::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    for statement in statements {
        writeln!(file, "{statement};")?;
    }
    Ok(())
}

fn basedir_options(basedir: Option<&Path>) -> Vec<std::ffi::OsString> {
    let Some(basedir) = basedir else { return Vec::new() };
    vec![
        option("--basedir", basedir),
        option("--plugin-dir", &basedir.join("lib/mysql/plugin")),
        option("--lc-messages-dir", &basedir.join("share/mysql")),
    ]
}

fn option(name: &str, value: &Path) -> std::ffi::OsString {
    let mut out = std::ffi::OsString::from(name);
    out.push("=");
    out.push(value);
    out
}

/// Whether we are root, which mysqld wants confirmed.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The template's data directory.
pub fn data(template: &Path) -> PathBuf {
    template.join("data")
}
