//! A member before it follows a term: what it has must be part of what the term started from, or have come from the term's primary.
//! The rest was never acknowledged, and two servers would have different transactions, or later one number for two of them
//! (leadership.md, UUID rule).

use std::time::Duration;

use binlog::gtid::GtidSet;
use leadership::Event;
use topology::keys;
use topology::records::ShardRecord;

use super::{Agent, QUICK};
use crate::leader::data::term_uuid;
use crate::leader::{Data, Stance};
use crate::mysqld::datadir;
use crate::process::Process;
use crate::rejoin::{self, Rewind, errant};
use crate::server::{Flags, Replication, flags, replication};
use crate::sql_text::literal;
use crate::supervisor::wire::Order;

/// How long the applier may take over what is left of an ended term.
const APPLY: Duration = Duration::from_secs(30);
/// How long the driver may take to write that this member's past is cleared.
const CLEARED: Duration = Duration::from_secs(5);

impl Agent {
    /// Compares this member's data with the term's, at first and then at every look; returns why it has to be rebuilt, if it has.
    pub(super) async fn join(
        &mut self,
        record: &ShardRecord,
        base: &Data,
        seen: &Flags,
    ) -> anyhow::Result<Option<String>> {
        let joined = self.memory.get().joined_term == record.term;
        let mut executed = seen.gtid_executed()?;
        let mut received = GtidSet::default();
        if !joined {
            let _server = self.leader.server().await;
            self.still_follows(record)?;
            // A receiver may have come back to a server that it followed in another term.
            if replication(&self.shared.control).await?.is_some() {
                self.shared
                    .control
                    .run(&["STOP REPLICA IO_THREAD"], QUICK * 6)
                    .await?;
            }
            executed = flags(&self.shared.control).await?.gtid_executed()?;
        }
        let status = replication(&self.shared.control).await?;
        if let Some(status) = &status {
            received = status.retrieved.parse()?;
        }
        let written = self.written_by(record, status.as_ref())?;
        let written: Vec<&str> = written.iter().map(String::as_str).collect();
        let strange = errant(&executed, &base.gtids, &written);
        if !strange.is_empty() {
            let why = format!(
                "it executed {strange}, which the primary of term {} does not have",
                record.term
            );
            return Ok(Some(why));
        }
        if joined {
            return Ok(None);
        }
        let dropped = errant(&received, &base.gtids, &written);
        if !dropped.is_empty() {
            self.drop_received(record, &received.difference(&dropped), &dropped)
                .await?;
        }
        self.memory.update(|s| s.joined_term = record.term)?;
        self.leader.server().await.fenced = false;
        self.clear_past().await?;
        Ok(None)
    }

    /// The UUIDs by which the term's primary writes.
    fn written_by(&self, record: &ShardRecord, status: Option<&Replication>) -> anyhow::Result<Vec<String>> {
        let mut written = vec![term_uuid(&record.shard_id)?];
        let holder = record.primary().unwrap_or_default();
        let tablet = self
            .tablets
            .with(|all| all.get(&keys::tablet(holder)).map(|t| t.record.clone()));
        if let Some(tablet) = tablet {
            if let Some(status) =
                status.filter(|s| s.host == tablet.mysql.host && s.port == tablet.mysql.port)
            {
                written.push(status.source_uuid.clone());
            }
            written.extend(tablet.server_uuid);
        }
        Ok(written)
    }

    /// Executes what was received and is part of the term, which may be the copy that an acknowledgement counted, and drops the rest.
    async fn drop_received(
        &self,
        record: &ShardRecord,
        kept: &GtidSet,
        dropped: &GtidSet,
    ) -> anyhow::Result<()> {
        tracing::warn!(%dropped, "dropping what was received and never acknowledged");
        let _server = self.leader.server().await;
        self.still_follows(record)?;
        let control = &self.shared.control;
        control.run(&["STOP REPLICA"], QUICK * 6).await?;
        let missing = kept.difference(&flags(control).await?.gtid_executed()?);
        if !missing.is_empty() {
            let missing = literal(&missing.to_string());
            control
                .run(
                    &[format!(
                        "START REPLICA SQL_THREAD UNTIL SQL_AFTER_GTIDS={missing}"
                    )],
                    QUICK,
                )
                .await?;
            let wait = format!(
                "SELECT WAIT_FOR_EXECUTED_GTID_SET({missing}, {})",
                APPLY.as_secs()
            );
            let timed_out: u8 = control.row(&wait, APPLY + QUICK).await?;
            anyhow::ensure!(timed_out == 0, "the applier does not get on with {missing}");
        }
        control
            .run(&["STOP REPLICA", "RESET REPLICA ALL"], QUICK * 6)
            .await?;
        Ok(())
    }

    /// Nothing is received before it is on disk that this member has nothing left of terms that it led: what it has is told by its
    /// log alone until then.
    pub(super) async fn clear_past(&self) -> anyhow::Result<()> {
        self.leader.tell(Event::Cleared);
        let until = tokio::time::Instant::now() + CLEARED;
        while self.memory.get().promised.held > 0 {
            anyhow::ensure!(tokio::time::Instant::now() < until, "the past is not cleared");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// A former primary's data before it follows another: what was never acknowledged is taken out of its log while mysqld is down,
    /// since starting it would commit that. One that was fenced in order has nothing of the kind and goes on.
    pub(super) async fn leave_office(&mut self, process: Process, base: &Data) -> anyhow::Result<()> {
        if process.pid.is_some() {
            if self.leader.server().await.fenced {
                return Ok(());
            }
            self.shared.link.order(Order::Kill).await?;
            anyhow::bail!("a former primary's mysqld has to end before its data can be looked at");
        }
        let (data, leader) = (self.shared.layout.data.clone(), base.gtids.clone());
        let uuid = datadir::random_uuid();
        let rewound = tokio::task::spawn_blocking(move || rejoin::rewind(&data, &leader, &uuid)).await?;
        match rewound {
            Ok(Rewind::Nothing) => {}
            Ok(Rewind::Cut(cut)) => tracing::warn!(
                transactions = cut.transactions,
                bytes = cut.bytes,
                missing = %cut.missing,
                "took out of the log what was never acknowledged"
            ),
            Err(error) if error.needs_clone() => self.unfit = Some(error.to_string()),
            Err(error) => return Err(error.into()),
        }
        self.leader.server().await.fenced = true;
        Ok(())
    }

    /// A promise may have ended the term meanwhile. To be asked with the server's lock held.
    pub(super) fn still_follows(&self, record: &ShardRecord) -> anyhow::Result<()> {
        let follows =
            matches!(self.leader.stance(), Stance::Follow { record: r, .. } if r.term == record.term);
        anyhow::ensure!(follows, "term {} has ended", record.term);
        Ok(())
    }
}
