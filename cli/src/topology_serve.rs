//! `vitrail topology serve`.

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use tokio::signal::unix::{SignalKind, signal};
use topology::serve::{ServeOptions, run};

use crate::args::ServeArgs;

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn serve(args: ServeArgs) -> Result<()> {
    if let Some(parent) = args.die_with_parent {
        die_with(parent)?;
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let listen = args.listen.parse().context("--listen")?;
    let options = ServeOptions {
        file: args.data,
        listen,
        secret_file: args.secret,
    };
    let ready = |address: &topology::Address| tracing::info!(%address, "ready");
    run(options, ready, shutdown).await?;
    Ok(())
}

/// Asks the kernel to kill this process when its parent ends.
fn die_with(parent: i32) -> Result<()> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    // The parent may have ended before the kernel knew of the wish.
    if nix::unistd::getppid().as_raw() != parent {
        bail!("process {parent}, which was to be the parent, has ended");
    }
    Ok(())
}
