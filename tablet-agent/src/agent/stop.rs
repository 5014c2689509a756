//! The orderly stop: no commit may be waiting for acknowledgements when mysqld gets SIGTERM, since mysqld answers those with OK
//! whoever has them (leadership.md, experiments 6, 15 and 16).

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Agent, QUICK};
use crate::accounts::REPLICATION;
use crate::server::replication;
use crate::supervisor::wire::Order;

/// How long commits may go on after the gate.
const DRAIN: Duration = Duration::from_secs(3);
/// How long connections may take to be cut off when they are killed.
const CUT: Duration = Duration::from_secs(3);
/// A replica goes on acknowledging this long, for a primary that stops at the same time and drains.
const LAST_ACKS: Duration = Duration::from_millis(1500);
/// mysqld's own shutdown; after it the supervisor's deadline decides.
const SHUTDOWN: Duration = Duration::from_secs(50);

impl Agent {
    /// Stops mysqld: in order if it can be, else by SIGKILL, which acknowledges nothing.
    pub(super) async fn stop(&mut self) -> anyhow::Result<()> {
        let was_leading = self.lead.is_some();
        self.shared
            .board
            .update(|h| h.not_serving = Some("the tablet is being stopped".into()));
        self.lead = None;
        self.shared.link.clear_deadline()?;
        if self.process.borrow().pid.is_none() {
            return Ok(());
        }
        let order = match self.quiesce(was_leading).await {
            Ok(()) => Order::Terminate,
            Err(error) => {
                tracing::warn!("{error:#}: killing mysqld");
                Order::Kill
            }
        };
        self.shared.link.order(order).await?;
        let mut process = self.process.clone();
        if tokio::time::timeout(SHUTDOWN, process.wait_for(|p| p.pid.is_none()))
            .await
            .is_err()
        {
            tracing::warn!("mysqld does not end: killing it");
            self.shared.link.order(Order::Kill).await?;
            let _ = process.wait_for(|p| p.pid.is_none()).await;
        }
        Ok(())
    }

    /// Returns when no connection is left that a commit's OK could reach.
    async fn quiesce(&mut self, was_leading: bool) -> anyhow::Result<()> {
        let control = &self.shared.control;
        // The writer's session may be in a heartbeat; it is ours to lose, but it must not look like a client's.
        self.shared.writer.reset().await;
        self.shared.ddl.reset().await;
        self.schema.stop().await;
        control.run(&["SET GLOBAL offline_mode=ON"], QUICK).await?;
        if !was_leading {
            self.wait_for_last_acks().await?;
        }
        let drained = Instant::now() + DRAIN;
        while self.connections().await?.iter().any(|c| c.is_busy()) && Instant::now() < drained {
            sleep(Duration::from_millis(50)).await;
        }
        let cut = Instant::now() + CUT;
        loop {
            let mut left = self.connections().await?;
            // A killed one that waits for acknowledgements goes on waiting, but its client is cut off: no OK can reach it.
            left.retain(|connection| !connection.is_cut());
            if left.is_empty() {
                break;
            }
            anyhow::ensure!(
                Instant::now() < cut,
                "{} connections cannot be cut off",
                left.len()
            );
            for connection in left {
                // It may have ended by itself.
                let _ = control
                    .run(&[format!("KILL CONNECTION {}", connection.id)], QUICK)
                    .await;
            }
            sleep(Duration::from_millis(50)).await;
        }
        if replication(control).await?.is_some() {
            control.run(&["STOP REPLICA"], QUICK).await?;
        }
        control.reset().await;
        Ok(())
    }

    async fn wait_for_last_acks(&self) -> anyhow::Result<()> {
        let until = Instant::now() + LAST_ACKS;
        while Instant::now() < until {
            if replication(&self.shared.control)
                .await?
                .is_none_or(|r| !r.io_running)
            {
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Client connections: all but our own, the system's, and those of replicas, which the last commits need.
    async fn connections(&self) -> anyhow::Result<Vec<Connection>> {
        let query = format!(
            "SELECT id, command FROM information_schema.processlist WHERE id <> CONNECTION_ID() \
             AND command NOT IN ('Daemon', 'Binlog Dump', 'Binlog Dump GTID') \
             AND user NOT IN ('system user', 'event_scheduler', '{REPLICATION}')"
        );
        let rows: Vec<(u64, String)> = self.shared.control.rows(&query, QUICK).await?;
        Ok(rows
            .into_iter()
            .map(|(id, command)| Connection { id, command })
            .collect())
    }
}

struct Connection {
    id: u64,
    command: String,
}

impl Connection {
    fn is_busy(&self) -> bool {
        self.command != "Sleep" && !self.is_cut()
    }

    fn is_cut(&self) -> bool {
        self.command == "Killed"
    }
}
