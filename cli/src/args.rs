//! The command line of `vitrail`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Vitrail: many MySQL servers as one database.
#[derive(Debug, Parser)]
#[command(name = "vitrail", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A cluster on this machine: real mysqld processes behind a gateway.
    #[command(subcommand)]
    Local(Local),
    /// Hand a shard's primary over to another member: no error for clients of the gateway, and nothing lost.
    Reparent(ReparentArgs),
    /// Restart mysqld on every member, one at a time: replicas first, a primary after it was handed over.
    Restart(RestartArgs),
    /// The topology store.
    #[command(subcommand)]
    Topology(Topology),
    /// Print the version.
    Version,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Local {
    /// Start a cluster, and keep it running until Ctrl-C, SIGTERM or `vitrail local down`.
    Up(UpArgs),
    /// Show keyspaces, shards and tablets.
    Status(StatusArgs),
    /// Stop a cluster. The data stays, unless --delete-data is given.
    Down(DownArgs),
}

#[derive(Debug, Clone, Args)]
pub(crate) struct DirArg {
    /// Where the cluster keeps its data, logs and my.cnf.
    #[arg(long, env = "VITRAIL_DIR", value_name = "DIR", default_value = ".vitrail")]
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct UpArgs {
    /// Keyspaces to run: a YAML file as Kubernetes takes it, may be given more than once. Default: on the first start the commerce
    /// example; later what is in DIR already.
    #[arg(short = 'f', long = "filename", value_name = "MANIFEST")]
    pub(crate) manifests: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) dir: DirArg,
    /// Port of the gateway on 127.0.0.1, for MySQL clients.
    #[arg(long, default_value_t = 15306)]
    pub(crate) port: u16,
    /// Port of the gateway's /metrics, /healthz and /readyz on 127.0.0.1; default: PORT + 1.
    #[arg(long)]
    pub(crate) http_port: Option<u16>,
    /// Return when the cluster is up, and leave it running.
    #[arg(long)]
    pub(crate) detach: bool,
    /// How long to wait until the cluster serves, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub(crate) wait: u64,
    /// The mysqld to run; default: one on the PATH, else the one that scripts/lib/mysql.sh unpacked.
    #[arg(long, env = "VITRAIL_MYSQLD", value_name = "PROGRAM")]
    pub(crate) mysqld: Option<PathBuf>,
    /// Installation prefix of --mysqld, when it was unpacked somewhere else than it was built for.
    #[arg(long, env = "VITRAIL_MYSQLD_BASEDIR", value_name = "DIR", requires = "mysqld")]
    pub(crate) mysqld_basedir: Option<PathBuf>,
    /// An option for vtgate, such as --gate-arg=--workers=2; may be given more than once.
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub(crate) gate_arg: Vec<String>,
    /// This process is the one that --detach left in the background.
    #[arg(long, hide = true)]
    pub(crate) background: bool,
}

impl UpArgs {
    /// Where the gateway serves HTTP; a port of 65535 wraps to a free one below.
    pub(crate) fn http_port(&self) -> u16 {
        self.http_port
            .unwrap_or_else(|| self.port.checked_add(1).unwrap_or(self.port - 1))
    }
}

#[derive(Debug, Clone, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) dir: DirArg,
    /// Form of the output.
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<Output>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// The table with addresses, GTID sets and reasons.
    Wide,
    Json,
    Yaml,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct DownArgs {
    #[command(flatten)]
    pub(crate) dir: DirArg,
    /// Remove DIR with all data in it.
    #[arg(long)]
    pub(crate) delete_data: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ReparentArgs {
    /// The shard, such as customer/-80; `-` or `0` is the shard of an unsharded keyspace.
    #[arg(value_name = "KEYSPACE/SHARD")]
    pub(crate) shard: String,
    /// The member that shall lead; default: the one that is best fit.
    #[arg(long, value_name = "TABLET")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) dir: DirArg,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RestartArgs {
    /// The keyspace, or one of its shards, such as customer or customer/-80.
    #[arg(value_name = "KEYSPACE[/SHARD]")]
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) dir: DirArg,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Topology {
    /// Serve a topology store that lives in one file.
    Serve(ServeArgs),
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ServeArgs {
    /// The file; made when missing.
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,
    /// Where to serve: unix:PATH or HOST:PORT.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: String,
    /// A file with the secret that clients must send; needed for HOST:PORT.
    #[arg(long, value_name = "FILE")]
    pub(crate) secret: Option<PathBuf>,
    /// Die by SIGKILL when the process with this id, which must be the parent, ends.
    #[arg(long, value_name = "PID", hide = true)]
    pub(crate) die_with_parent: Option<i32>,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn up_has_the_documented_defaults() {
        let cli = Cli::try_parse_from(["vitrail", "local", "up", "-f", "a.yaml", "-f", "b.yaml"]).unwrap();
        let Command::Local(Local::Up(up)) = cli.command else {
            panic!("another command")
        };
        assert_eq!(up.manifests.len(), 2);
        assert_eq!((up.port, up.http_port()), (15306, 15307));
    }
}
