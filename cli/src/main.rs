//! `vitrail`: runs a cluster on this machine and shows what it does.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests fail by panicking"))]

mod agents;
mod args;
mod local;
mod reparent;
mod restart;
mod topology_serve;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command, Topology};

// The kernel's death signal follows the thread that forked: children are started on the main thread, which a current-thread
// runtime runs on.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("VITRAIL_LOG").unwrap_or_else(|_| "warn".into()),
        )
        .init();
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(std::io::stderr(), "vitrail: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Local(command) => local::run(command).await,
        Command::Reparent(args) => reparent::reparent(&args).await,
        Command::Restart(args) => restart::restart(&args).await,
        Command::Topology(Topology::Serve(args)) => topology_serve::serve(args).await,
        Command::Version => Ok(writeln!(
            std::io::stdout(),
            "vitrail {}",
            env!("CARGO_PKG_VERSION")
        )?),
    }
}
