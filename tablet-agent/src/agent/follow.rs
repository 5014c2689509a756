//! The replica: attached to the term's holder, acknowledging if it is a voter.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use proto::v1::{ReplicationState, SemiSyncState, TabletRole};
use topology::records::{MysqlAddress, ShardRecord};

use super::lead::{HEARTBEAT, now_us};
use super::{Agent, QUICK};
use crate::accounts::{OWN_DATABASE, REPLICATION};
use crate::leader::Data;
use crate::leader::data::term_uuid;
use crate::process::Process;
use crate::server::{Flags, Replication, flags, replication};
use crate::sql_text::literal;

/// Pause between tries to start a thread of replication that ended with an error.
const RETRY_THREADS: Duration = Duration::from_secs(5);

/// What a replica remembers between passes.
#[derive(Debug, Default)]
pub(super) struct Following {
    threads_tried: Option<Instant>,
    reported: String,
}

impl Agent {
    /// One look at a replica: what is missing is done.
    pub(super) async fn follow(
        &mut self,
        process: Process,
        record: &ShardRecord,
        base: &Data,
    ) -> anyhow::Result<()> {
        self.lead = None;
        let holder = record.primary().context("the term has no holder")?.to_owned();
        let voter = record.is_voter(&self.memory.get().voter);
        if self.is_being_rebuilt() && process.pid.is_none() {
            self.finish_rebuild().await?;
        } else if self.memory.get().promised.held > 0 {
            self.leave_office(process, base).await?;
        }
        self.ensure_mysqld(process).await?;
        if self.is_being_rebuilt() {
            return self.rebuild(record, "its last rebuild was cut off").await;
        }
        if let Some(why) = self.unfit.take() {
            return self.rebuild(record, &why).await;
        }
        let source = self
            .members
            .mysql(&holder)
            .with_context(|| format!("the primary {holder} is not registered"))?;
        let seen = flags(&self.shared.control).await?;
        self.fence(&seen).await?;
        if let Some(why) = self.join(record, base, &seen).await? {
            return self.rebuild(record, &why).await;
        }
        let mut status = replication(&self.shared.control).await?;
        if self
            .attach(record, &seen, status.as_ref(), &source, voter)
            .await?
        {
            status = replication(&self.shared.control).await?;
        }
        self.publish(record, &holder, voter, &seen, status.unwrap_or_default())
            .await
    }

    /// A replica writes nothing of its own, and its applier waits for nobody.
    pub(super) async fn fence(&self, seen: &Flags) -> anyhow::Result<()> {
        if !seen.super_read_only {
            self.shared
                .control
                .run(&["SET GLOBAL super_read_only=ON"], QUICK)
                .await?;
        }
        if seen.source_enabled {
            self.shared
                .control
                .run(&["SET GLOBAL rpl_semi_sync_source_enabled=OFF"], QUICK)
                .await?;
        }
        Ok(())
    }

    /// Points replication at the source and starts it; says whether anything had to be done.
    async fn attach(
        &mut self,
        record: &ShardRecord,
        seen: &Flags,
        status: Option<&Replication>,
        source: &MysqlAddress,
        voter: bool,
    ) -> anyhow::Result<bool> {
        let attached = status.is_some_and(|s| s.host == source.host && s.port == source.port);
        let mut statements = Vec::new();
        if !attached || seen.replica_enabled != voter {
            // The receiver tells the source at its start whether it acknowledges.
            statements.push(format!(
                "STOP REPLICA {}",
                if attached { "IO_THREAD" } else { "" }
            ));
            statements.push(format!(
                "SET GLOBAL rpl_semi_sync_replica_enabled={}",
                if voter { "ON" } else { "OFF" }
            ));
            if !attached {
                statements.push(self.change_source(source));
            }
            statements.push("START REPLICA".to_owned());
        } else if status.is_some_and(|s| !s.io_started || !s.sql_running) && self.may_retry() {
            statements.push("START REPLICA".to_owned());
        }
        if statements.is_empty() {
            return Ok(false);
        }
        let _server = self.leader.server().await;
        self.still_follows(record)?;
        self.shared
            .control
            .run(&statements, QUICK * 6)
            .await
            .context("cannot attach to the primary")?;
        Ok(true)
    }

    fn may_retry(&mut self) -> bool {
        let following = self.follow.get_or_insert_default();
        let due = following
            .threads_tried
            .is_none_or(|at| at.elapsed() >= RETRY_THREADS);
        if due {
            following.threads_tried = Some(Instant::now());
        }
        due
    }

    fn change_source(&self, source: &MysqlAddress) -> String {
        // Unlimited retries: 9.x gives up after ten by default. TLS, because caching_sha2_password wants a safe channel.
        format!(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST={}, SOURCE_PORT={}, SOURCE_USER='{REPLICATION}', SOURCE_AUTO_POSITION=1, \
             SOURCE_SSL=1, SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=0, SOURCE_HEARTBEAT_PERIOD=1, SOURCE_PASSWORD={}",
            literal(&source.host),
            source.port,
            literal(&self.shared.secrets.replication),
        )
    }

    async fn publish(
        &mut self,
        record: &ShardRecord,
        holder: &str,
        voter: bool,
        seen: &Flags,
        status: Replication,
    ) -> anyhow::Result<()> {
        let last_error = if status.sql_error.is_empty() {
            status.io_error
        } else {
            status.sql_error.clone()
        };
        self.report(&last_error);
        // A member that has never had a term's row may be any number of transactions behind.
        let joined = seen.gtid_executed()?.highest(&term_uuid(&record.shard_id)?) > 0;
        self.hurry = !joined;
        let not_serving = match (joined, status.sql_error.is_empty()) {
            (false, _) => Some(
                format!("the shard's data has not arrived yet. {last_error}")
                    .trim_end()
                    .to_owned(),
            ),
            (true, false) => Some(format!("the applier has stopped: {}", status.sql_error)),
            (true, true) => None,
        };
        let beat = if joined { self.heartbeat().await? } else { None };
        if let Some(database) = self.memory.get().database.clone().filter(|_| joined) {
            self.schema.set_database(&database);
            self.schema.expect(beat.map_or(0, |(_, hash)| hash));
        }
        if seen.offline && not_serving.is_none() {
            self.shared
                .control
                .run(&["SET GLOBAL offline_mode=OFF"], QUICK)
                .await?;
        }
        let gtid = seen.gtid_text.clone();
        self.shared.board.update(|h| {
            (h.role, h.term, h.not_serving) = (TabletRole::Replica, record.term, not_serving);
            h.gtid_executed = gtid;
            h.lag_ms = beat.map(|(written, _)| lag_ms(now_us(), written));
            h.replication = Some(ReplicationState {
                source: holder.to_owned(),
                io_running: status.io_running,
                sql_running: status.sql_running,
                last_error,
            });
            h.semi_sync = SemiSyncState {
                enabled: voter && record.acks > 0,
                ackers: 0,
                acks_required: record.acks,
            };
        });
        Ok(())
    }

    /// The primary's last heartbeat that was applied here: when it was written, and the hash of the table definitions then.
    async fn heartbeat(&self) -> anyhow::Result<Option<(u64, u64)>> {
        let query = format!("SELECT written_us, schema_hash FROM {OWN_DATABASE}.heartbeat WHERE id = 1");
        Ok(self
            .shared
            .control
            .rows::<(u64, u64)>(&query, QUICK)
            .await?
            .first()
            .copied())
    }

    /// Logs an error of replication once, until it changes.
    fn report(&mut self, error: &str) {
        let following = self.follow.get_or_insert_default();
        if following.reported != error {
            if !error.is_empty() {
                tracing::warn!("replication: {error}");
            }
            following.reported = error.to_owned();
        }
    }
}

/// How far a replica is behind: a heartbeat is up to one interval old on a replica that has everything.
fn lag_ms(now_us: u64, written_us: u64) -> u64 {
    let interval = u64::try_from(HEARTBEAT.as_micros()).unwrap_or(0);
    now_us.saturating_sub(written_us).saturating_sub(interval) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_heartbeat_is_no_lag() {
        assert_eq!(lag_ms(5_000_000, 4_100_000), 0);
        assert_eq!(lag_ms(5_000_000, 1_000_000), 3000);
        assert_eq!(lag_ms(1_000_000, 5_000_000), 0, "the primary's clock is ahead");
    }
}
