//! The planned handover of a shard's primary: clients are held by the gateways, what is in flight ends, and the next primary has
//! everything before this one lets go. Up to that point every failure leaves this one the primary.

mod fence;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use leadership::{Event, Record};
use proto::v1::{HealthUpdate, TabletRole};
use tokio::time::{Instant, sleep};

use topology::records::ShardRecord;

use crate::control::Control;
use crate::health::Board;
use crate::leader::{Leader, Stance};
use crate::members::Members;

/// How long the next primary may take to apply what the last one wrote.
const CATCH_UP: Duration = Duration::from_secs(2);
/// How long the election of the next primary may take before its outcome is called unknown.
const ELECTED: Duration = Duration::from_secs(10);

/// What hands over. Clones share it.
#[derive(Debug, Clone)]
pub struct Handover {
    parts: Arc<Parts>,
}

#[derive(Debug)]
struct Parts {
    leader: Leader,
    board: Board,
    control: Control,
    members: Members,
    busy: AtomicBool,
}

/// What a handover came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The new primary.
    pub primary: String,
    /// Its term.
    pub term: u64,
    /// From the moment that nothing could be written any more.
    pub outage: Duration,
}

/// Why there was none.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Nothing was changed: this tablet leads as before.
    #[error("{0:#}")]
    Unchanged(anyhow::Error),
    /// This tablet does not lead any more, and nobody is known to lead yet.
    #[error("{0:#}")]
    Unknown(anyhow::Error),
}

/// Resets the mark that a handover is under way.
struct Busy<'a>(&'a AtomicBool);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Handover {
    /// `control` is a connection of its own.
    pub fn new(leader: Leader, board: Board, control: Control, members: Members) -> Handover {
        Handover {
            parts: Arc::new(Parts {
                leader,
                board,
                control,
                members,
                busy: AtomicBool::new(false),
            }),
        }
    }

    /// Hands the primary over to the named member, or to the one that is best fit.
    ///
    /// Not cancel safe in its second half: a caller that stops waiting leaves the outcome to the next election.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn run(&self, to: Option<&str>) -> Result<Done, Refusal> {
        let parts = &*self.parts;
        if parts.busy.swap(true, Ordering::SeqCst) {
            return Err(Refusal::Unchanged(anyhow::anyhow!(
                "another handover is under way"
            )));
        }
        let _busy = Busy(&parts.busy);
        let (record, to) = self.choose(to).await.map_err(Refusal::Unchanged)?;
        tracing::info!(to, term = record.term, "handing the primary over");
        parts.board.update(|h| h.draining = true);
        let handed = self.fence_and_hand_over(&record, &to).await;
        parts.board.update(|h| h.draining = false);
        let since = handed.map_err(Refusal::Unchanged)?;
        self.elected(&record, since).await.map_err(Refusal::Unknown)
    }

    /// The record of the term that ends, and who shall lead after it.
    async fn choose(&self, to: Option<&str>) -> anyhow::Result<(Record, String)> {
        let me = self.parts.board.identity().tablet.clone();
        let Stance::Lead { record, serve: true } = self.parts.leader.stance() else {
            anyhow::bail!("{me} is not the shard's serving primary");
        };
        let others: Vec<String> = record
            .voters
            .iter()
            .map(|v| v.to_string())
            .filter(|v| ShardRecord::alias_of(v) != me)
            .collect();
        if let Some(to) = to {
            anyhow::ensure!(to != me, "{me} is the primary already");
            anyhow::ensure!(
                others.iter().any(|o| ShardRecord::alias_of(o) == to),
                "{to} is no voter of the shard; its voters are {}",
                record.voters.join(", ")
            );
        }
        let asked = others
            .iter()
            .filter(|other| to.is_none_or(|to| to == ShardRecord::alias_of(other)));
        let looks =
            futures::future::join_all(asked.map(|voter| async move {
                (voter, self.fit(ShardRecord::alias_of(voter), record.term).await)
            }));
        let mut reasons = Vec::new();
        let mut fit = Vec::new();
        for (voter, look) in looks.await {
            match look {
                Ok(health) => fit.push((health.replication_lag_ms.unwrap_or(u64::MAX), voter)),
                Err(error) => reasons.push(format!("{}: {error:#}", ShardRecord::alias_of(voter))),
            }
        }
        let best = fit.into_iter().min();
        let (_, to) = best.with_context(|| format!("no other member can lead: {}", reasons.join("; ")))?;
        Ok((record.clone(), to.clone()))
    }

    /// Whether a member could lead now.
    async fn fit(&self, alias: &str, term: u64) -> anyhow::Result<HealthUpdate> {
        let health = self.parts.members.health(alias).await?;
        anyhow::ensure!(
            health.role() == TabletRole::Replica && health.term == term,
            "it is {:?} of term {}",
            health.role(),
            health.term
        );
        anyhow::ensure!(health.serving, "it does not serve: {}", health.not_serving_reason);
        let replication = health.replication.clone().unwrap_or_default();
        anyhow::ensure!(
            replication.io_running && replication.sql_running,
            "it does not replicate: {}",
            replication.last_error
        );
        anyhow::ensure!(
            health.semi_sync.is_some_and(|s| s.enabled),
            "it does not acknowledge"
        );
        Ok(health)
    }

    async fn fence_and_hand_over(&self, record: &Record, to: &str) -> anyhow::Result<Instant> {
        let parts = &*self.parts;
        fence::drain(&parts.control).await?;
        let mut server = parts.leader.server().await;
        let serves =
            matches!(parts.leader.stance(), Stance::Lead { record: r, serve: true } if r.term == record.term);
        anyhow::ensure!(serves, "term {} has ended", record.term);
        server.handing_over = true;
        let since = Instant::now();
        let ready = async {
            let executed = fence::close(&parts.control).await?;
            parts
                .members
                .wait_for(ShardRecord::alias_of(to), &executed, CATCH_UP)
                .await
        };
        match ready.await {
            Ok(()) => {
                server.fenced = true;
                let to = to.into();
                parts.leader.tell(Event::HandOver {
                    term: record.term,
                    to,
                });
                server.handing_over = false;
                Ok(since)
            }
            Err(error) => {
                let undone = fence::open(&parts.control).await;
                server.handing_over = false;
                undone.context("cannot undo a handover that failed")?;
                Err(error)
            }
        }
    }

    /// Waits for the next primary.
    async fn elected(&self, before: &Record, since: Instant) -> anyhow::Result<Done> {
        loop {
            for alias in before.voters.iter().map(|voter| ShardRecord::alias_of(voter)) {
                let health = match alias == self.parts.board.identity().tablet {
                    true => {
                        let health = self.parts.board.get();
                        self.parts.board.message(&health, (0, 0))
                    }
                    false => match self.parts.members.health(alias).await {
                        Ok(health) => health,
                        Err(_) => continue,
                    },
                };
                if health.role() == TabletRole::Primary && health.serving && health.term > before.term {
                    return Ok(Done {
                        primary: alias.to_owned(),
                        term: health.term,
                        outage: since.elapsed(),
                    });
                }
            }
            anyhow::ensure!(
                since.elapsed() < ELECTED,
                "term {} has ended, and nobody leads yet",
                before.term
            );
            sleep(Duration::from_millis(10)).await;
        }
    }
}
