//! Closing a live primary for clients so that nothing is in flight afterwards, and opening it again.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::accounts::REPLICATION;
use crate::control::Control;
use crate::server::flags;

/// How long transactions that are open may go on.
const DRAIN: Duration = Duration::from_secs(1);
/// How long the statements that still run may hold up the end of writing.
const WRITES_END: Duration = Duration::from_millis(500);
/// How long killed connections may take to go.
const CUT: Duration = Duration::from_secs(1);
const QUICK: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(5);

/// Waits until no client is in a statement or a transaction, or for as long as they are given.
pub(crate) async fn drain(control: &Control) -> anyhow::Result<()> {
    let busy = format!(
        "SELECT COUNT(*) FROM information_schema.processlist p WHERE {} AND (command <> 'Sleep' OR id IN \
         (SELECT trx_mysql_thread_id FROM information_schema.innodb_trx))",
        others()
    );
    let until = Instant::now() + DRAIN;
    let mut quiet = 0;
    // A gateway may have sent a statement just before it learned that it should not.
    while quiet < 2 && Instant::now() < until {
        quiet = if control.row::<u64>(&busy, QUICK).await? == 0 {
            quiet + 1
        } else {
            0
        };
        sleep(STEP * 4).await;
    }
    Ok(())
}

/// Ends all writing and all clients; returns what was executed.
///
/// `super_read_only` comes first here: it waits for commits in flight and refuses later ones with an error that says that they did not
/// happen. A statement that holds it up is killed.
pub(super) async fn close(control: &Control) -> anyhow::Result<String> {
    let read_only = control.run(&["SET GLOBAL super_read_only=ON"], QUICK + WRITES_END);
    tokio::pin!(read_only);
    match timeout(WRITES_END, &mut read_only).await {
        Ok(done) => done?,
        Err(_) => {
            kill(&control.another(), "command <> 'Sleep'").await?;
            read_only.await?;
        }
    }
    control.run(&["SET GLOBAL offline_mode=ON"], QUICK).await?;
    let until = Instant::now() + CUT;
    while kill(control, "TRUE").await? > 0 {
        anyhow::ensure!(Instant::now() < until, "clients' connections do not end");
        sleep(STEP).await;
    }
    Ok(flags(control).await?.gtid_text)
}

/// Lets writes and clients in again.
pub(super) async fn open(control: &Control) -> anyhow::Result<()> {
    let statements = [
        "SET GLOBAL super_read_only=OFF",
        "SET GLOBAL read_only=OFF",
        "SET GLOBAL offline_mode=OFF",
    ];
    Ok(control.run(&statements, QUICK * 2).await?)
}

/// Kills connections; returns how many there were.
async fn kill(control: &Control, which: &str) -> anyhow::Result<usize> {
    let query = format!(
        "SELECT id FROM information_schema.processlist p WHERE {} AND {which}",
        others()
    );
    let ids: Vec<u64> = control.rows(&query, QUICK).await?;
    for id in &ids {
        // It may have ended by itself.
        let _ = control.run(&[format!("KILL CONNECTION {id}")], QUICK).await;
    }
    Ok(ids.len())
}

/// Neither this connection, nor the agent's others, nor replicas or the system.
fn others() -> String {
    format!(
        "id <> CONNECTION_ID() AND command NOT IN ('Daemon', 'Binlog Dump', 'Binlog Dump GTID') AND user NOT IN \
         ('system user', 'event_scheduler', '{REPLICATION}', '{}')",
        crate::accounts::AGENT
    )
}
