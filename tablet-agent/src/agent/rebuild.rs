//! A member whose data cannot become part of the shard again gets it anew from another one.

use std::time::Duration;

use anyhow::Context as _;
use binlog::gtid::GtidSet;
use proto::v1::TabletRole;
use topology::records::ShardRecord;

use super::Agent;
use crate::leader::data::term_uuid;
use crate::mysqld::datadir;
use crate::rejoin::clone::{Donor, Recipient, clone, complete, is_incomplete};

/// A clone that writes nothing for so long has stalled.
const STALLED: Duration = Duration::from_secs(60);

impl Agent {
    /// Whether the data is nothing that a shard could be told of: a clone of it did not come to its end.
    pub(super) fn is_being_rebuilt(&self) -> bool {
        is_incomplete(&self.shared.layout.data)
    }

    /// With mysqld down behind a clone: if the data is whole, it is what the term's members have.
    pub(super) async fn finish_rebuild(&mut self) -> anyhow::Result<()> {
        if complete(&self.shared.layout.data, &datadir::random_uuid())? {
            let rebuilt = self.memory.get().rebuilding;
            tracing::info!(term = rebuilt, "rebuilt");
            self.memory.update(|s| {
                s.joined_term = s.rebuilding.take().unwrap_or(0);
            })?;
            self.clear_past().await?;
        }
        Ok(())
    }

    /// Clones another member's data over this one's. mysqld ends behind it, which ends the pass as well.
    pub(super) async fn rebuild(&mut self, record: &ShardRecord, why: &str) -> anyhow::Result<()> {
        let (alias, donor) = self.donor(record).await?;
        tracing::warn!(from = alias, "rebuilding this member: {why}");
        self.memory.update(|s| s.rebuilding = Some(record.term))?;
        let shared = self.shared.clone();
        let told = |bytes: u64| {
            shared.board.update(|h| {
                h.role = TabletRole::Unknown;
                h.not_serving = Some(format!("being rebuilt from {alias}: {} MiB so far", bytes >> 20));
            });
        };
        told(0);
        let recipient = Recipient {
            socket: &shared.layout.mysql_socket,
            password: &shared.secrets.agent,
            data: &shared.layout.data,
        };
        let donor = Donor {
            host: &donor.0,
            port: donor.1,
            password: &shared.secrets.replication,
        };
        clone(&recipient, &donor, STALLED, told).await?;
        // The supervisor tells of mysqld's end, which begins the next pass.
        tokio::time::sleep(STALLED).await;
        anyhow::bail!("mysqld does not end behind its clone")
    }

    /// A member that has the term's row, and with it everything that was acknowledged before: a replica rather than the primary.
    async fn donor(&self, record: &ShardRecord) -> anyhow::Result<(String, (String, u16))> {
        let uuid = term_uuid(&record.shard_id)?;
        let me = self.memory.get().alias;
        let mut found = None;
        let others = record.voters.iter().map(|voter| ShardRecord::alias_of(voter));
        for alias in others.filter(|alias| *alias != me) {
            let Ok(health) = self.members.health(alias).await else {
                continue;
            };
            let executed: GtidSet = health.gtid_executed.parse()?;
            if !health.serving || health.term != record.term || !executed.contains(&uuid, record.term) {
                continue;
            }
            if let Some(mysql) = self.members.mysql(alias) {
                let is_primary = health.role() == TabletRole::Primary;
                found = Some((alias.to_owned(), (mysql.host, mysql.port)));
                if !is_primary {
                    break;
                }
            }
        }
        found.context("no member is ready to be cloned")
    }
}
