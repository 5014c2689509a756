//! The orderly stop: no commit may be waiting for acknowledgements when mysqld gets SIGTERM, since mysqld answers those with OK
//! whoever has them (leadership.md, experiments 6, 15 and 16).

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::{Agent, QUICK};
use crate::leader::Stance;
use crate::process::Stop;
use crate::server::{replication, stop_replication};
use crate::supervisor::wire::Order;

/// How long handing a primary over may take.
const HAND_OVER: Duration = Duration::from_secs(8);
/// How long commits may go on after the gate.
const DRAIN: Duration = Duration::from_secs(2);
/// How long killed connections may take to go. Those that do not wait for acknowledgements: mysqld would be ten seconds over
/// them at SIGTERM, and recovery after SIGKILL, which is as safe, takes two.
const CUT: Duration = Duration::from_secs(1);
/// A replica goes on acknowledging this long, for a primary that stops at the same time and drains.
const LAST_ACKS: Duration = Duration::from_secs(1);
/// mysqld's own shutdown; after it the supervisor's deadline decides.
const SHUTDOWN: Duration = Duration::from_secs(50);

/// Connections that commits can come from: all but our own, the system's, and those of replicas, which the last commits need.
const CLIENTS: &str = "command NOT IN ('Binlog Dump', 'Binlog Dump GTID') AND user <> 'vitrail_repl'";
/// Connections that replicas receive by.
const DUMPS: &str = "command IN ('Binlog Dump', 'Binlog Dump GTID')";

impl Agent {
    /// Stops mysqld: in order if it can be, else by SIGKILL, which acknowledges nothing.
    pub(super) async fn stop(&mut self) -> anyhow::Result<()> {
        self.leader.end();
        let alone = self.process.borrow().stop == Some(Stop::Alone);
        if alone && self.lead.is_some() {
            match timeout(HAND_OVER, self.handover.run(None)).await {
                Ok(Ok(done)) => tracing::info!(primary = done.primary, term = done.term, "handed over"),
                Ok(Err(error)) => tracing::warn!("stopping without a handover: {error}"),
                Err(_) => tracing::warn!("stopping without waiting for the handover any longer"),
            }
        }
        let was_leading = matches!(self.leader.stance(), Stance::Lead { .. });
        self.shared
            .board
            .update(|h| h.not_serving = Some("the tablet is being stopped".into()));
        self.lead = None;
        if self.process.borrow().pid.is_none() {
            return Ok(());
        }
        self.end_mysqld(was_leading).await
    }

    /// Ends mysqld, which runs: at once unless it may have to acknowledge the last commits of a primary that stops as well.
    pub(super) async fn end_mysqld(&mut self, at_once: bool) -> anyhow::Result<()> {
        let order = match self.quiesce(at_once).await {
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

    /// Returns when no connection is left that could have a commit in flight.
    async fn quiesce(&mut self, at_once: bool) -> anyhow::Result<()> {
        let control = &self.shared.control;
        // The writer's session may be in a heartbeat; it is ours to lose, but it must not look like a client's.
        self.shared.writer.reset().await;
        self.shared.ddl.reset().await;
        self.schema.stop().await;
        control.run(&["SET GLOBAL offline_mode=ON"], QUICK).await?;
        if !at_once {
            self.wait_for_last_acks().await?;
        }
        let drained = Instant::now() + DRAIN;
        while self.connections(CLIENTS).await?.iter().any(Connection::is_busy) && Instant::now() < drained {
            sleep(Duration::from_millis(50)).await;
        }
        let cut = Instant::now() + CUT;
        loop {
            let left = self.connections(CLIENTS).await?;
            if left.is_empty() {
                break;
            }
            // A killed one that waits for acknowledgements goes on waiting; its client is cut off.
            anyhow::ensure!(
                Instant::now() < cut,
                "{} connections still wait in a commit",
                left.len()
            );
            self.kill(&left).await;
            sleep(Duration::from_millis(50)).await;
        }
        // Nothing is left to be sent. mysqld would wait for the replicas to go, and they wait for us.
        self.kill(&self.connections(DUMPS).await?).await;
        if replication(control).await?.is_some() {
            stop_replication(control, QUICK).await?;
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

    async fn connections(&self, which: &str) -> anyhow::Result<Vec<Connection>> {
        let query = format!(
            "SELECT id, command FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND command <> 'Daemon' \
             AND user NOT IN ('system user', 'event_scheduler') AND {which}"
        );
        let rows: Vec<(u64, String)> = self.shared.control.rows(&query, QUICK).await?;
        Ok(rows
            .into_iter()
            .map(|(id, command)| Connection { id, command })
            .collect())
    }

    async fn kill(&self, connections: &[Connection]) {
        for connection in connections.iter().filter(|connection| !connection.is_cut()) {
            // It may have ended by itself.
            let _ = self
                .shared
                .control
                .run(&[format!("KILL CONNECTION {}", connection.id)], QUICK)
                .await;
        }
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
