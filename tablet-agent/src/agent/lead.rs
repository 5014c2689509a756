//! The primary: a term of its own, its row acknowledged before anything is served, then heartbeats and watchfulness.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use leadership::Event;
use proto::v1::{SemiSyncState, TabletRole};
use tokio::task::JoinHandle;
use tokio_util::task::AbortOnDropHandle;
use topology::Versioned;
use topology::records::ShardRecord;

use super::{Agent, QUICK};
use crate::accounts::OWN_DATABASE;
use crate::leader::data::term_uuid;
use crate::leader::{Data, Stance, record_of};
use crate::mysqld::config::ACK_TIMEOUT_MAX;
use crate::process::Process;
use crate::schema;
use crate::server::{Flags, ackers, flags};
use crate::shard::decide::{Change, change_of_voters};
use crate::sql_text::literal;
use crate::state::Base;
use crate::supervisor::wire::Order;

/// Time between heartbeat rows. They make lag visible, and a lost acknowledgement is noticed by the next one (MySQL bug 104015).
pub(super) const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long a member that is to become a voter may take to have everything.
const CAUGHT_UP: Duration = Duration::from_millis(300);
/// Statements that wait for acknowledgements have no limit of their own: the pass is cut off when mysqld ends.
const UNLIMITED: Duration = Duration::from_secs(365 * 24 * 3600);

/// What a primary keeps going.
pub(super) struct Lead {
    /// Heartbeat rows written so far, which are no reason to look for changed tables.
    heartbeats: tokio::sync::watch::Receiver<u64>,
    _heartbeat: AbortOnDropHandle<()>,
    schema_done: bool,
}

impl Agent {
    /// Creates the shard's record with this member as the holder of its first term.
    pub(super) async fn create(&mut self, voters: Vec<String>, acks: u32) -> anyhow::Result<()> {
        let store_id = self.store.info().await?.store_id;
        let state = self.memory.get();
        let mut record = ShardRecord::new(&state.keyspace, &state.shard, &store_id, voters, acks)?;
        record.open_term(&state.alias)?;
        match self.store.create(&record).await {
            Err(error) if !error.is_conflict() => Err(error).context("cannot create the shard's record"),
            _ => Ok(()),
        }
    }

    /// Opens the first term of a record that nobody held yet.
    pub(super) async fn open_first_term(&mut self, read: Versioned<ShardRecord>) -> anyhow::Result<()> {
        let mut record = read.record.clone();
        record.open_term(&self.memory.get().alias)?;
        match self.store.replace(&read, &record).await {
            // The mirror is behind: the next pass sees what is there.
            Err(error) if !error.is_conflict() => Err(error).context("cannot open the first term"),
            _ => Ok(()),
        }
    }

    /// One look at the primary of a term that this member holds: what is missing is done.
    pub(super) async fn lead(
        &mut self,
        process: Process,
        record: &ShardRecord,
        serve: bool,
    ) -> anyhow::Result<()> {
        self.follow = None;
        self.ensure_mysqld(process).await?;
        let uuid = term_uuid(&record.shard_id)?;
        if !flags(&self.shared.control)
            .await?
            .gtid_executed()?
            .contains(&uuid, record.term)
        {
            self.promote(record, &uuid).await?;
        }
        let Some(seen) = self.look(record).await? else {
            return Ok(());
        };
        self.leader.tell(Event::Opened { term: record.term });
        if self.lead.is_none() {
            self.lead = Some(self.keep_going(record));
        }
        if !serve {
            self.shared.board.update(|h| {
                (h.role, h.term) = (TabletRole::Primary, record.term);
                h.not_serving = Some("too few members grant this primary a lease".into());
            });
            return Ok(());
        }
        if seen.offline {
            self.open_gate(record).await?;
        }
        self.finish_schema().await?;
        self.look_for_schema_changes(&seen)?;
        let ackers = if record.acks > 0 {
            ackers(&self.shared.control).await?
        } else {
            0
        };
        self.shared.board.update(|h| {
            (h.role, h.term, h.not_serving) = (TabletRole::Primary, record.term, None);
            h.gtid_executed = seen.gtid_text.clone();
            (h.lag_ms, h.replication) = (None, None);
            h.semi_sync = SemiSyncState {
                enabled: record.acks > 0,
                ackers,
                acks_required: record.acks,
            };
        });
        self.change_voters(record, &seen).await
    }

    /// The server's settings, which must be a primary's; none while they are changed by a handover.
    async fn look(&self, record: &ShardRecord) -> anyhow::Result<Option<Flags>> {
        let server = self.leader.server().await;
        let leads = matches!(self.leader.stance(), Stance::Lead { record: r, .. } if r.term == record.term);
        if server.handing_over || !leads {
            return Ok(None);
        }
        let seen = flags(&self.shared.control).await?;
        if let Some(drift) = drift(&seen, record.acks) {
            // Commits may have been acknowledged that only this server has: SIGKILL acknowledges nothing more.
            self.shared.link.order(Order::Kill).await?;
            bail!("{drift}: this server is no primary any more");
        }
        Ok(Some(seen))
    }

    /// Lets clients in. The DDL's account is one of those that the gate keeps out; gateways wait for `serving`.
    async fn open_gate(&self, record: &ShardRecord) -> anyhow::Result<()> {
        let _server = self.leader.server().await;
        let serves = matches!(
            self.leader.stance(),
            Stance::Lead { record: r, serve: true } if r.term == record.term
        );
        anyhow::ensure!(serves, "term {} does not serve any more", record.term);
        Ok(self
            .shared
            .control
            .run(&["SET GLOBAL offline_mode=OFF"], QUICK)
            .await?)
    }

    /// Makes the running mysqld the term's primary: fenced from clients, semi-sync on, then writable, then the term's row, which
    /// proves that W others have everything that this server has.
    async fn promote(&mut self, record: &ShardRecord, uuid: &str) -> anyhow::Result<()> {
        let shared = self.shared.clone();
        let mut statements = vec!["SET GLOBAL offline_mode=ON".to_owned()];
        if crate::server::replication(&shared.control).await?.is_some() {
            statements.extend(["STOP REPLICA".to_owned(), "RESET REPLICA ALL".to_owned()]);
        }
        statements.push("SET GLOBAL rpl_semi_sync_replica_enabled=OFF".to_owned());
        if record.acks > 0 {
            statements.extend([
                format!(
                    "SET GLOBAL rpl_semi_sync_source_wait_for_replica_count={}",
                    record.acks
                ),
                format!("SET GLOBAL rpl_semi_sync_source_timeout={ACK_TIMEOUT_MAX}"),
                "SET GLOBAL rpl_semi_sync_source_wait_no_replica=ON".to_owned(),
                "SET GLOBAL rpl_semi_sync_source_enabled=ON".to_owned(),
            ]);
        }
        statements.extend([
            "SET GLOBAL super_read_only=OFF".to_owned(),
            "SET GLOBAL read_only=OFF".to_owned(),
        ]);
        let term = record.term;
        {
            let mut server = self.leader.server().await;
            let leads = matches!(self.leader.stance(), Stance::Lead { record: r, .. } if r.term == term);
            anyhow::ensure!(leads, "term {term} has ended");
            server.fenced = false;
            shared
                .control
                .run(&statements, QUICK * 6)
                .await
                .context("cannot become the primary")?;
        }
        let gtids = flags(&shared.control).await?.gtid_executed()?;
        self.memory.update(|s| {
            s.joined_term = term;
            s.base = Some(Base {
                term,
                gtids: gtids.to_string(),
            });
        })?;
        self.leader.tell(Event::Based {
            term,
            position: Data::new(gtids, uuid),
        });
        let why = format!(
            "term {term} waits for {} acknowledgement(s) of its first row",
            record.acks
        );
        shared.board.update(|h| h.not_serving = Some(why));
        // A number that was used before would be skipped silently with OK; the caller has checked that this one was not.
        let row = [
            format!("SET gtid_next='{uuid}:{term}'"),
            format!(
                "INSERT INTO {OWN_DATABASE}.term (term, holder) VALUES ({term}, {holder}) \
                 ON DUPLICATE KEY UPDATE holder={holder}",
                holder = literal(&record.holder.clone().unwrap_or_default())
            ),
            "SET gtid_next='AUTOMATIC'".to_owned(),
        ];
        shared.writer.reset().await;
        shared
            .writer
            .run(&row, UNLIMITED)
            .await
            .context("cannot write the term's row")
    }

    fn keep_going(&self, record: &ShardRecord) -> Lead {
        let shared = self.shared.clone();
        let (beats, heartbeats) = tokio::sync::watch::channel(0);
        let term = record.term;
        let schema = self.schema.clone();
        let heartbeat: JoinHandle<()> = tokio::spawn(async move {
            loop {
                match shared
                    .writer
                    .run(&[heartbeat_row(term, schema.hash())], UNLIMITED)
                    .await
                {
                    Ok(()) => beats.send_modify(|n| *n += 1),
                    Err(error) => tracing::warn!(%error, "no heartbeat"),
                }
                tokio::time::sleep(HEARTBEAT).await;
            }
        });
        Lead {
            heartbeats,
            _heartbeat: AbortOnDropHandle::new(heartbeat),
            schema_done: false,
        }
    }

    /// Runs what is left of the keyspace's initial DDL, before anything is served.
    async fn finish_schema(&mut self) -> anyhow::Result<()> {
        if self.lead.as_ref().is_none_or(|lead| lead.schema_done) {
            return Ok(());
        }
        let keyspace = self.keyspace();
        let database = self
            .memory
            .get()
            .database
            .clone()
            .context("the keyspace's database is not known")?;
        self.shared.board.update(|h| {
            if h.not_serving.is_some() {
                h.not_serving = Some("the keyspace's schema is being created".into());
            }
        });
        let ddl = keyspace.as_ref().map(|k| k.schema.as_str());
        schema::initial::apply(&self.shared.writer, &self.shared.ddl, &database, ddl).await?;
        self.schema.set_database(&database);
        self.schema.reload().await?;
        if let Some(lead) = &mut self.lead {
            lead.schema_done = true;
        }
        Ok(())
    }

    /// Table definitions are read again when anything but our own heartbeats was written.
    fn look_for_schema_changes(&self, seen: &Flags) -> anyhow::Result<()> {
        if let Some(lead) = &self.lead {
            let written = seen
                .gtid_executed()?
                .count()
                .wrapping_sub(*lead.heartbeats.borrow());
            self.schema.written(written);
        }
        Ok(())
    }

    /// Takes in members that came up late, and new data in the place of lost data.
    async fn change_voters(&self, record: &ShardRecord, seen: &Flags) -> anyhow::Result<()> {
        let Some(keyspace) = self.keyspace() else {
            return Ok(());
        };
        let Some(change) = change_of_voters(record, &self.members(), keyspace.members) else {
            return Ok(());
        };
        if let Change::Replace { new, .. } = &change {
            let alias = ShardRecord::alias_of(new);
            // One that is far behind would hold up this look at the primary; it is asked again at the next.
            if let Err(error) = self.members.wait_for(alias, &seen.gtid_text, CAUGHT_UP).await {
                tracing::debug!("no voter yet: {error:#}");
                return Ok(());
            }
        }
        tracing::info!(?change, "changing the voters");
        let mut next = record.clone();
        next.set_voters(change.apply(&record.voters), record.acks)?;
        self.leader.tell(Event::Change { to: record_of(&next) });
        Ok(())
    }

    /// Goes on with a mysqld that was found running at the agent's start as the primary of the term that this member held last, if
    /// its row is there and the server was not restarted since, which would have left it read-only.
    pub(super) async fn resume(&self, process: Process) -> anyhow::Result<()> {
        let state = self.memory.get();
        let term = state.promised.held;
        if process.pid.is_none() || term == 0 {
            return Ok(());
        }
        if let (Some(record), Some(base)) = (&state.shard_seen, &state.base)
            && record.term == term
            && base.term == term
        {
            self.answers().await?;
            let seen = flags(&self.shared.control).await?;
            let uuid = term_uuid(&record.shard_id)?;
            if !seen.super_read_only && seen.gtid_executed()?.contains(&uuid, term) {
                let base = Data::new(base.gtids.parse()?, &uuid);
                self.leader.tell(Event::Resumed { term, base });
                return Ok(());
            }
        }
        // It was in the middle of something: what waits for its acknowledgement there is told by its log.
        Ok(self.shared.link.order(Order::Kill).await?)
    }
}

/// What is wrong with a primary's settings, as far as acknowledged commits depend on them.
fn drift(seen: &Flags, acks: u32) -> Option<String> {
    if seen.super_read_only || seen.read_only {
        return Some("somebody made the primary read-only".into());
    }
    if acks == 0 {
        return None;
    }
    if !seen.source_enabled || !seen.wait_no_replica {
        return Some("somebody switched semi-synchronous replication off".into());
    }
    if seen.wait_for_replica_count < acks || seen.source_timeout < u64::from(ACK_TIMEOUT_MAX) {
        return Some("somebody weakened semi-synchronous replication".into());
    }
    None
}

fn heartbeat_row(term: u64, schema_hash: u64) -> String {
    let now = now_us();
    format!(
        "INSERT INTO {OWN_DATABASE}.heartbeat (id, term, written_us, schema_hash) VALUES (1, {term}, {now}, {schema_hash}) \
         ON DUPLICATE KEY UPDATE term={term}, written_us={now}, schema_hash={schema_hash}"
    )
}

/// Microseconds since 1970.
pub(super) fn now_us() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
