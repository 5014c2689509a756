//! The command line of `tablet-agent`. `vitrail local up` and the operator's pods start tablets by it, so flags are only added.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The process beside each mysqld of a Vitrail cluster.
#[derive(Debug, Parser)]
#[command(name = "tablet-agent", version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The parts one binary can play.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// First process of a tablet: forks mysqld and the agent, restarts a crashed agent, and takes mysqld down with it.
    ///
    /// SIGTERM or SIGINT stops the tablet in order: client traffic is gated, commits are waited for, connections are
    /// killed, then mysqld is shut down. kill -9 of this process leaves nothing running.
    Supervise(Box<SuperviseArgs>),
    /// The agent proper. Started by `supervise` only: its standard input is the supervisor's socket.
    #[command(hide = true)]
    Run(Box<SuperviseArgs>),
    /// Makes the template data directory that new tablets are copied from, and returns when it exists.
    ///
    /// Agents do this themselves when they need it; calling it first saves them the wait. Any number of callers may run
    /// at once: one works, the others wait for it.
    Template(TemplateArgs),
    /// Runs a command that is killed when its parent dies.
    #[command(hide = true)]
    Exec(ExecArgs),
}

/// Where mysqld is.
#[derive(Debug, Clone, Args)]
pub struct MysqldArgs {
    /// The mysqld program, 8.0.26 or later. A script that ends in `exec` of the real one will do.
    #[arg(long, value_name = "PATH", env = "VITRAIL_MYSQLD", default_value = "mysqld")]
    pub mysqld: PathBuf,
    /// mysqld's installation prefix, for a server that was unpacked elsewhere than it was built for. Adds `basedir`,
    /// `plugin_dir` and `lc_messages_dir` below it to the server's configuration.
    #[arg(long, value_name = "DIR", env = "VITRAIL_MYSQLD_BASEDIR")]
    pub mysqld_basedir: Option<PathBuf>,
}

/// What the template needs.
#[derive(Debug, Clone, Args)]
pub struct TemplateArgs {
    /// Where the template is kept. One per cluster, since it holds the accounts.
    #[arg(long, value_name = "DIR")]
    pub template: PathBuf,
    /// JSON file with the passwords of Vitrail's own MySQL accounts: an object with the strings `agent`, `replication`
    /// and `app`. Keep it at mode 0600.
    #[arg(long, value_name = "FILE")]
    pub secrets: PathBuf,
    /// The server to make it with.
    #[command(flatten)]
    pub mysqld: MysqldArgs,
}

/// What `supervise` needs beside the tablet itself.
#[derive(Debug, Clone, Args)]
pub struct SuperviseArgs {
    /// The tablet, passed on to the agent.
    #[command(flatten)]
    pub tablet: TabletArgs,
    /// Die by SIGKILL when the parent process dies. With =PID: the parent's process id, which closes the gap between
    /// fork and this call. The kernel watches the parent's *thread* that forked, so start tablets from a thread that lives
    /// as long as the process (not from a runtime's blocking pool).
    #[arg(long, value_name = "PID", num_args = 0..=1, require_equals = true, default_missing_value = "0")]
    pub die_with_parent: Option<u32>,
    /// How long an orderly stop may take, in seconds; after it everything is killed, which loses nothing that was
    /// acknowledged.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub stop_timeout: u32,
}

/// One tablet.
#[derive(Debug, Clone, Args)]
pub struct TabletArgs {
    /// The tablet's name: SHARD-SERIAL with the shard's DNS name, for example customer-x-80-1. The trailing number is its serial: the
    /// lowest that is up opens a new shard.
    #[arg(long, value_name = "NAME")]
    pub alias: String,
    /// The keyspace it serves.
    #[arg(long, value_name = "NAME")]
    pub keyspace: String,
    /// The shard, as its key range is written (-80, 80-); `-` or `0` for the shard of an unsharded keyspace.
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true)]
    pub shard: String,
    /// The cell (zone) it lives in.
    #[arg(long, value_name = "NAME", default_value = "local")]
    pub cell: String,
    /// The topology store: unix:PATH or HOST:PORT of the process that serves it.
    #[arg(long, value_name = "ADDRESS")]
    pub topology: String,
    /// File with the secret that the topology store asks for, if it does.
    #[arg(long, value_name = "FILE")]
    pub topology_secret: Option<PathBuf>,
    /// The tablet's directory: data, configuration, state, logs and sockets live below it.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// JSON file with the passwords of Vitrail's own MySQL accounts (see `template --help`).
    #[arg(long, value_name = "FILE")]
    pub secrets: PathBuf,
    /// The cluster's template data directory, made when missing [default: `.template` beside --dir].
    #[arg(long, value_name = "DIR")]
    pub template: Option<PathBuf>,
    /// The server to run.
    #[command(flatten)]
    pub mysqld: MysqldArgs,
    /// Directory for unix sockets, when the paths below --dir are too long for one (107 bytes) [default: the tablet's own
    /// `run` directory, or one below the system's temporary directory].
    #[arg(long, value_name = "DIR")]
    pub run_dir: Option<PathBuf>,
    /// Where the agent serves gRPC: unix:PATH [default: a unix socket in the run directory].
    #[arg(long, value_name = "ADDRESS")]
    pub grpc: Option<String>,
    /// The address mysqld listens on for replication and remote gateways.
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    pub mysql_host: String,
    /// mysqld's port [default: a free one, kept over restarts while it stays free].
    #[arg(long, value_name = "PORT")]
    pub mysql_port: Option<u16>,
    /// InnoDB's buffer pool in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 64)]
    pub buffer_pool: u32,
    /// A file of further options for mysqld's `[mysqld]` group, appended to the generated configuration. Options that
    /// replication and fencing depend on are written after it and win.
    #[arg(long, value_name = "FILE")]
    pub extra_config: Option<PathBuf>,
}

impl TabletArgs {
    /// The serial at the end of the alias; 0 when it has none.
    pub fn serial(&self) -> u32 {
        serial_of(&self.alias)
    }
}

/// The number after the last `-` of a tablet alias; 0 when there is none.
pub fn serial_of(alias: &str) -> u32 {
    alias
        .rsplit_once('-')
        .and_then(|(_, n)| n.parse().ok())
        .unwrap_or(0)
}

/// A command to run bound to its parent.
#[derive(Debug, Clone, Args)]
pub struct ExecArgs {
    /// The parent's process id.
    #[arg(long)]
    pub parent: u32,
    /// The command and its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    pub command: Vec<std::ffi::OsString>,
}

#[cfg(test)]
mod tests;
