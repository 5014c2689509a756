//! `tablet-agent`: see `tablet-agent --help`.

use std::os::unix::process::CommandExt as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use tablet_agent::cli::{Cli, Command, ExecArgs, SuperviseArgs, TabletArgs, TemplateArgs};
use tablet_agent::layout::Layout;
use tablet_agent::secrets::Secrets;
use tablet_agent::{mysqld, supervisor};

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Supervise(args) => supervise(&args),
        Command::Run(args) => run(&args.tablet),
        Command::Template(args) => template(&args),
        Command::Exec(args) => exec(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            init_logging();
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn supervise(args: &SuperviseArgs) -> anyhow::Result<ExitCode> {
    let layout = Layout::prepare(&args.tablet)?;
    let lock = std::fs::File::create(layout.dir.join("lock"))?;
    lock.try_lock()
        .with_context(|| format!("{} is in use by another tablet-agent", layout.dir.display()))?;
    let server = &args.tablet.mysqld.mysqld;
    // A bare name is looked up on the PATH; a path is resolved before the working directory changes.
    let server = if server.components().count() > 1 {
        server.canonicalize()?
    } else {
        server.clone()
    };
    let [agent, mysqld] = supervisor::command_lines(&server, &layout.dir, std::env::args_os().skip(2))?;
    let config = supervisor::Config {
        agent,
        mysqld,
        stop_timeout: args.stop_timeout,
        die_with_parent: args.die_with_parent,
    };
    let code = supervisor::run(&config)?;
    drop(lock);
    Ok(if code == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn run(args: &TabletArgs) -> anyhow::Result<ExitCode> {
    init_logging();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(tablet_agent::agent::run(args))?;
    Ok(ExitCode::SUCCESS)
}

fn template(args: &TemplateArgs) -> anyhow::Result<ExitCode> {
    init_logging();
    mysqld::version::Version::of(&args.mysqld.mysqld)?;
    let secrets = Secrets::read(&args.secrets)?;
    mysqld::template::ensure(&args.template, &args.mysqld, &secrets)?;
    Ok(ExitCode::SUCCESS)
}

fn exec(args: &ExecArgs) -> anyhow::Result<ExitCode> {
    supervisor::bind_to_parent(args.parent)?;
    let (program, rest) = args.command.split_first().context("no command")?;
    Err(std::process::Command::new(program).args(rest).exec().into())
}

/// Log lines on standard error; RUST_LOG chooses which.
fn init_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
}
