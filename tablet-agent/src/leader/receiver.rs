//! What a promise asks of mysqld: to stop receiving, to tell what it has, and to apply it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use binlog::gtid::GtidSet;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, timeout};

use super::{Data, Server};
use crate::control::{Control, ControlError};
use crate::link::Link;
use crate::process::Process;
use crate::rejoin::{self, clone::is_incomplete};
use crate::server::{flags, replication};
use crate::sql_text::literal;
use crate::state::Memory;
use crate::supervisor::wire::Order;

/// How long stopping may take: a candidate asks again, and others have the same data.
const STOP: Duration = Duration::from_secs(1);
/// How long a look at mysqld may take.
const LOOK: Duration = Duration::from_secs(1);
/// An applier that gets nothing done for so long does not catch up.
const STUCK: Duration = Duration::from_secs(10);
/// How often a look at the applier is taken.
const STEP: Duration = Duration::from_millis(500);

/// What is needed of the agent.
#[derive(Debug, Clone)]
pub(super) struct Receiver {
    pub(super) control: Arc<Control>,
    pub(super) memory: Memory,
    pub(super) link: Link,
    pub(super) server: Arc<Mutex<Server>>,
    pub(super) process: watch::Receiver<Process>,
    pub(super) term_uuid: String,
    /// mysqld's data directory.
    pub(super) data: PathBuf,
}

impl Receiver {
    /// Stops the receiver and tells what this member has; none: it cannot be told now.
    pub(super) async fn stop(self) -> Option<Data> {
        let Ok(server) = timeout(STOP, self.server.lock()).await else {
            tracing::warn!("replication is just being changed: no promise yet");
            return None;
        };
        if is_incomplete(&self.data) {
            tracing::warn!("this member is being rebuilt: no promise");
            return None;
        }
        let held = self.memory.get().promised.held > 0;
        if self.process.borrow().pid.is_none() {
            return if held { self.offline().await } else { None };
        }
        if held && !server.fenced {
            // What waits for its acknowledgement there is not in its set, and may still be acknowledged.
            tracing::warn!("a former primary promises: killing its mysqld first");
            if let Err(error) = self.link.order(Order::Kill).await {
                tracing::error!(%error, "cannot have mysqld killed");
            }
            return None;
        }
        match self.stop_and_read().await {
            Ok(gtids) => Some(Data::new(gtids, &self.term_uuid)),
            Err(error) => {
                tracing::warn!("no promise: {error:#}");
                None
            }
        }
    }

    /// What a former primary has, told by its log: nothing of it is executed before this member leads again or was rewound.
    async fn offline(&self) -> Option<Data> {
        let data = self.data.clone();
        match tokio::task::spawn_blocking(move || rejoin::logged(&data)).await {
            Ok(Ok(gtids)) => Some(Data::new(gtids, &self.term_uuid)),
            Ok(Err(error)) => {
                tracing::error!(%error, "no promise: what this member has cannot be told");
                None
            }
            Err(error) => {
                tracing::error!(%error, "no promise");
                None
            }
        }
    }

    async fn stop_and_read(&self) -> anyhow::Result<GtidSet> {
        if replication_of(&self.control).await?.is_some() {
            self.control.run(&["STOP REPLICA IO_THREAD"], STOP).await?;
        }
        // Read after the stop: nothing is received any more.
        let seen = timeout(LOOK, flags(&self.control)).await??;
        let mut have = seen.gtid_executed()?;
        if let Some(status) = replication_of(&self.control).await? {
            anyhow::ensure!(!status.io_started, "the receiver does not stop");
            have = have.union(&status.retrieved.parse()?);
        }
        Ok(have)
    }

    /// Waits until all that was received is applied, as long as it gets on.
    pub(super) async fn catch_up(self) -> bool {
        match self.applied().await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!("cannot lead: {error:#}");
                false
            }
        }
    }

    async fn applied(&self) -> anyhow::Result<()> {
        let mut last = (GtidSet::default(), Instant::now());
        loop {
            if self.process.borrow().pid.is_none() {
                // A former primary has nothing but what it executed, and starts by it.
                anyhow::ensure!(self.memory.get().promised.held > 0, "mysqld is not running");
                return Ok(());
            }
            let Some(status) = replication_of(&self.control).await? else {
                return Ok(());
            };
            let executed = timeout(LOOK, flags(&self.control)).await??.gtid_executed()?;
            let retrieved: GtidSet = status.retrieved.parse()?;
            if retrieved.is_subset(&executed) {
                return Ok(());
            }
            if executed != last.0 {
                last = (executed, Instant::now());
            }
            anyhow::ensure!(
                last.1.elapsed() < STUCK,
                "the applier does not get on: {}",
                status.sql_error
            );
            if !status.sql_running {
                self.control.run(&["START REPLICA SQL_THREAD"], STOP).await?;
                sleep(Duration::from_millis(50)).await;
            }
            let wait = format!(
                "SELECT WAIT_FOR_EXECUTED_GTID_SET({}, {})",
                literal(&retrieved.to_string()),
                STEP.as_secs_f32()
            );
            self.control.row::<Option<u8>>(&wait, STEP + LOOK).await?;
        }
    }
}

async fn replication_of(control: &Control) -> Result<Option<crate::server::Replication>, ControlError> {
    timeout(LOOK, replication(control))
        .await
        .unwrap_or(Err(ControlError::Timeout(LOOK)))
}
