//! A cluster on this machine: `vitrail local`.

mod account;
mod background;
mod binaries;
mod children;
mod dir;
mod down;
mod keyspaces;
pub(crate) mod progress;
mod ready;
mod secrets;
mod state;
mod status;
pub(crate) mod tablets;
mod up;

use anyhow::Result;

use crate::args::Local;

/// A client of the topology store of the cluster that runs in a directory.
pub(crate) fn connect(dir: &std::path::Path) -> Result<topology::TypedStore> {
    let dir = dir::ClusterDir::new(dir)?;
    if dir.running()?.is_none() {
        anyhow::bail!("no cluster runs in {}", dir.root().display());
    }
    status::connect(&dir)
}

/// Runs one of the `local` commands.
pub(crate) async fn run(command: Local) -> Result<()> {
    match command {
        Local::Up(args) => {
            if args.background {
                background::enter()?;
            }
            up::up(&args).await
        }
        Local::Status(args) => status::status(&args).await,
        Local::Down(args) => down::down(&args),
    }
}
