//! One round: clients write, something breaks and heals, and then everything that was acknowledged is looked for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::check::check;
use super::fleet::Fleet;
use super::history::{History, Noticed, noticed};
use super::inject::{Injector, REFUSED};
use super::plan::{MEMBERS, Plan};
use super::probe::Probes;
use super::site::{KEYSPACE, Site};
use super::table::{self, Digest};
use super::writers::Writers;
use crate::cluster::Cluster;

/// How long a shard may take to be healthy again, and clients to write again. Longer than the longest pause before a process is
/// started again, and a clone.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a round came to.
#[derive(Debug)]
pub struct Report {
    /// What was done.
    pub plan: Plan,
    /// The member that was the primary at its beginning.
    pub primary: String,
    /// The primary at its end.
    pub primary_after: String,
    /// What clients noticed.
    pub noticed: Noticed,
    /// From the end of the damage until the shard was as it should be.
    pub healed: Duration,
    /// All of it.
    pub took: Duration,
    /// What must never be.
    pub violations: Vec<String>,
    /// What else there is to tell.
    pub notes: Vec<String>,
    /// What is in the table now, and the first value that is free.
    pub content: (Digest, u64),
}

impl Report {
    /// Whether a handover was ordered and did not come about.
    pub fn refused(&self) -> bool {
        self.notes.iter().any(|note| note.starts_with(REFUSED))
    }
}

/// A cluster that rounds run on.
#[derive(Debug)]
pub struct Ground {
    /// The cluster.
    pub cluster: Cluster,
    /// Where its parts are.
    pub site: Site,
    /// What its members say.
    pub fleet: Fleet,
    /// Whether somebody also writes past the gateway. Measurements do without.
    pub probes: bool,
    /// What is in the table, and the first value that is free.
    pub content: (Digest, u64),
}

impl Ground {
    /// Takes over a cluster that is up, with what was in its table when it was looked at last; what was written since is removed.
    ///
    /// # Errors
    /// When it is not healthy.
    pub async fn new(cluster: Cluster, probes: bool, content: (Digest, u64)) -> Result<Self> {
        let site = Site::new(&cluster)?;
        let fleet = Fleet::watch(&site)?;
        let primary = fleet.await_healthy(MEMBERS - 1, PATIENCE).await?;
        table::prepare(&site, &primary).await?;
        let mut admin = site.admin(&primary).await?;
        table::end_prepared(&mut admin).await?;
        table::forget(&mut admin, content.1).await?;
        admin.disconnect().await?;
        Ok(Self {
            cluster,
            site,
            fleet,
            probes,
            content,
        })
    }

    /// Runs a plan.
    ///
    /// # Errors
    /// When the round could not be run, or the shard did not become healthy again; what is wrong with the data is in the report.
    pub async fn run(&mut self, plan: &Plan) -> Result<Report> {
        let began = Instant::now();
        let (before, first) = self.content;
        let primary = self.fleet.await_healthy(MEMBERS - 1, PATIENCE).await?;
        self.fleet.take_changes();
        let history = Arc::new(History::new(first));
        let writers = Writers::start(&self.cluster.opts(Some(KEYSPACE))?, &history);
        let probes = self.probes.then(|| Probes::start(&self.site, &history));
        await_writes(&history, history.now()).await?;
        tokio::time::sleep(plan.moment).await;

        let from = history.now();
        let mut injector = Injector::new(&mut self.cluster, &self.site, &history, &primary);
        let mut struck = injector.strike(&plan.first).await;
        if let (Ok(()), Some((after, second))) = (&struck, &plan.second) {
            tokio::time::sleep(*after).await;
            struck = injector.strike(second).await;
        }
        let notes = injector.heal().await?;
        struck?;
        let healing = Instant::now();
        let ackers = if plan.heals() { MEMBERS - 1 } else { MEMBERS - 2 };
        await_writes(&history, history.now()).await?;
        let now_primary = self.fleet.await_healthy(ackers, PATIENCE).await?;
        let healed = healing.elapsed();

        writers.stop().await;
        let mut violations = match probes {
            Some(probes) => probes.stop().await,
            None => Vec::new(),
        };
        let mut admin = self.site.admin(&now_primary).await?;
        table::quiet(&mut admin).await?;
        table::end_prepared(&mut admin).await?;
        let attempts = history.attempts();
        let found = check(&attempts, &table::rows(&mut admin, first).await?);
        violations.extend(found.iter().map(ToString::to_string));
        let still = table::digest(&mut admin, first).await?;
        if still != before {
            violations.push(format!(
                "rows of earlier rounds have changed: {still:?}, not {before:?}"
            ));
        }
        violations.extend(self.fleet.double_claims());
        if let Err(error) = table::same_everywhere(&self.site, &now_primary).await {
            violations.push(format!("{error:#}"));
        }
        self.content = (table::digest(&mut admin, u64::MAX).await?, history.next());
        admin.disconnect().await?;
        Ok(Report {
            plan: *plan,
            primary,
            primary_after: now_primary,
            noticed: noticed(&attempts, from),
            healed,
            took: began.elapsed(),
            violations,
            notes,
            content: self.content,
        })
    }
}

/// Waits until every client has written something that it sent after `since`.
async fn await_writes(history: &History, since: Duration) -> Result<()> {
    let writing = async {
        while !history.all_write_since(since) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, writing)
        .await
        .with_context(|| format!("not all clients write again after {} s", PATIENCE.as_secs()))
}
