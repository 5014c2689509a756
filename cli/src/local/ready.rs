//! Waiting until a cluster serves.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use mysql_async::prelude::Queryable;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;
use topology::TypedStore;

use super::dir::ClusterDir;
use super::progress::Progress;
use super::tablets;

/// Pause between two looks at something that has no event to wait for.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
const HTTP_TIMEOUT: Duration = Duration::from_secs(2);

/// Waits until the topology store accepts connections.
pub(crate) async fn topology(dir: &ClusterDir, deadline: Instant) -> Result<()> {
    let socket = dir.topology_socket();
    while UnixStream::connect(&socket).await.is_err() {
        if Instant::now() >= deadline {
            bail!(
                "the topology store does not come up; see {}",
                dir.log("topology").display()
            );
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    Ok(())
}

/// Waits until every shard has a serving primary; tells each one as it comes.
pub(crate) async fn primaries(
    store: &TypedStore,
    dir: &ClusterDir,
    deadline: Instant,
    progress: &Progress,
) -> Result<()> {
    let mut told = BTreeSet::new();
    loop {
        let keyspaces = tablets::read(store).await.context("cannot read the topology")?;
        let mut missing = Vec::new();
        for keyspace in &keyspaces {
            for shard in &keyspace.shards {
                let name = format!("{}/{}", keyspace.name, shard.name);
                match shard.serving_primary() {
                    Some(primary) if told.insert(name.clone()) => {
                        progress.step(&format!(
                            "{name}: primary {}, {}",
                            primary.name,
                            semi_sync_note(&shard.semi_sync)
                        ));
                    }
                    Some(_) => {}
                    None => missing.push((name, shard)),
                }
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let mut text = String::from("not every shard has a serving primary:");
            for (name, shard) in missing {
                for tablet in &shard.tablets {
                    text.push_str(&format!(
                        "\n  {name}: {} is {} ({}); log: {}",
                        tablet.name,
                        tablet.state,
                        tablet.reason,
                        dir.log(&tablet.name).display()
                    ));
                }
            }
            bail!(text);
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

fn semi_sync_note(state: &str) -> String {
    if state.starts_with("no ") {
        state.to_owned()
    } else {
        format!("semi-sync {state}")
    }
}

/// Waits until the gateway says that it is ready and lets the user in.
pub(crate) async fn gateway(
    dir: &ClusterDir,
    http_port: u16,
    opts: mysql_async::Opts,
    deadline: Instant,
) -> Result<()> {
    loop {
        let error = if gateway_is_ready(http_port).await {
            match log_in(&opts).await {
                Ok(()) => return Ok(()),
                Err(error) => error.to_string(),
            }
        } else {
            format!("http://127.0.0.1:{http_port}/readyz does not say so")
        };
        if Instant::now() >= deadline {
            bail!(
                "the gateway is not ready: {error}; see {}",
                dir.log("vtgate").display()
            );
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

async fn log_in(opts: &mysql_async::Opts) -> mysql_async::Result<()> {
    let mut conn = mysql_async::Conn::new(opts.clone()).await?;
    conn.ping().await?;
    conn.disconnect().await
}

/// Whether `/readyz` answers 200.
pub(crate) async fn gateway_is_ready(http_port: u16) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(("127.0.0.1", http_port)).await?;
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await?;
        std::io::Result::Ok(head)
    };
    matches!(tokio::time::timeout(HTTP_TIMEOUT, asked).await, Ok(Ok(head)) if &head == b"HTTP/1.1 200")
}
