//! Rounds of faults on a cluster under load: see `e2e/faults --help`.

#![expect(clippy::print_stdout, reason = "it is a command-line program")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use e2e::faults::campaign::{self, Options};
use e2e::faults::measure;

/// Breaks a cluster in every way that it must survive, round after round, while clients write to it.
///
/// A round is one seeded fault, often with a second one on top. Afterwards every write that got OK must be there, none twice, none
/// that was refused, and no two members may have led the same term. Called again with the same --dir, it goes on where it was.
#[derive(Debug, Parser)]
#[command(name = "e2e/faults", args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// How many rounds in all, those of earlier calls included.
    #[arg(long, default_value_t = 200)]
    rounds: u64,
    /// What the rounds are drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Begin with this round.
    #[arg(long, value_name = "ROUND")]
    from: Option<u64>,
    /// Faults of this name only, such as kill-mysqld.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Where the cluster, the state and the logs of failures are kept.
    #[arg(long, default_value = "target/faults")]
    dir: PathBuf,
    /// Go on behind a failure, with a new cluster.
    #[arg(long)]
    keep_going: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure for how long clients cannot write when the primary changes.
    Failover {
        /// How often each case is measured.
        #[arg(long, default_value_t = 10)]
        rounds: u64,
        /// Write the numbers to this file, too.
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    if let Some(Command::Failover { rounds, json }) = &args.command {
        measure::run(*rounds, json.as_deref(), |line| println!("{line}")).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let options = Options {
        rounds: args.rounds,
        seed: args.seed,
        from: args.from,
        only: args.only,
        dir: args.dir,
        keep_going: args.keep_going,
    };
    let right = campaign::run(&options, |line| println!("{line}")).await?;
    Ok(if right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
