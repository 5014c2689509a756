//! The `vtgate` binary.

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

fn main() -> anyhow::Result<()> {
    let config = vtgate::config::Config::parse();
    let filter = EnvFilter::try_from_env("VITRAIL_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .json()
        .init();
    vtgate::gateway::run(config)
}
