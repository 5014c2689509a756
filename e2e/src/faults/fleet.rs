//! What the members say of themselves, all the time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use parking_lot::Mutex;
use proto::v1::tablet_service_client::TabletServiceClient;
use proto::v1::{GetStatusRequest, HealthUpdate, TabletRole};
use tokio::task::JoinSet;
use tonic::transport::Endpoint;

use super::site::Site;

/// Pause between two looks at a member.
const INTERVAL: Duration = Duration::from_millis(100);
/// A member that does not answer within this time is down.
const ANSWER: Duration = Duration::from_millis(1000);
/// How far a healthy replica may be behind, in milliseconds: it is measured by a row per second.
const LAG_MS_MAX: u64 = 1000;

/// Watches the members from its making until it is dropped.
#[derive(Debug)]
pub struct Fleet {
    seen: Arc<Seen>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Seen {
    began: Instant,
    members: Mutex<BTreeMap<String, Option<HealthUpdate>>>,
    /// Who said of itself that it is the primary, by term.
    claims: Mutex<BTreeMap<u64, BTreeSet<String>>>,
    /// What changed, for the log of a failure.
    changes: Mutex<Vec<String>>,
}

impl Fleet {
    /// Starts to watch.
    ///
    /// # Errors
    /// When an address makes no sense.
    pub fn watch(site: &Site) -> Result<Self> {
        let seen = Arc::new(Seen {
            began: Instant::now(),
            members: Mutex::new(site.members.iter().map(|name| (name.clone(), None)).collect()),
            claims: Mutex::default(),
            changes: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        for member in &site.members {
            let channel = Endpoint::from_shared(site.agent_address(member))?.connect_lazy();
            let client =
                TabletServiceClient::new(channel).max_decoding_message_size(proto::MESSAGE_BYTES_MAX);
            let (seen, member) = (seen.clone(), member.clone());
            tasks.spawn(async move {
                loop {
                    let mut client = client.clone();
                    let asked = tokio::time::timeout(ANSWER, client.get_status(GetStatusRequest {})).await;
                    let health = asked
                        .ok()
                        .and_then(Result::ok)
                        .and_then(|a| a.into_inner().health);
                    seen.note(&member, health);
                    tokio::time::sleep(INTERVAL).await;
                }
            });
        }
        Ok(Self { seen, _tasks: tasks })
    }

    /// The shard's primary if the shard is as it should be: the primary serves, all others follow it and have all it has, and
    /// `ackers` of them acknowledge.
    ///
    /// # Errors
    /// With what is not as it should be.
    pub fn healthy(&self, ackers: usize) -> Result<String> {
        let members = self.seen.members.lock();
        let primary = primary(&members)?;
        let Some(health) = members.get(&primary).and_then(Option::as_ref) else {
            bail!("no primary");
        };
        let acknowledge = health.semi_sync.map_or(0, |s| s.ackers);
        ensure!(
            usize::try_from(acknowledge)? == ackers,
            "{acknowledge} members acknowledge to {primary}, not {ackers}"
        );
        for (name, replica) in members.iter().filter(|(name, _)| **name != primary) {
            let Some(replica) = replica else {
                bail!("{name} does not answer");
            };
            let replication = replica.replication.clone().unwrap_or_default();
            ensure!(
                replica.role() == TabletRole::Replica && replica.serving && replica.term == health.term,
                "{name} is {:?} of term {}: {}",
                replica.role(),
                replica.term,
                replica.not_serving_reason
            );
            ensure!(
                replication.source == primary && replication.io_running && replication.sql_running,
                "{name} does not follow {primary}: {replication:?}"
            );
            ensure!(
                replica.replication_lag_ms.is_some_and(|lag| lag <= LAG_MS_MAX),
                "{name} is {:?} ms behind",
                replica.replication_lag_ms
            );
        }
        Ok(primary)
    }

    /// Waits for [`Self::healthy`].
    ///
    /// # Errors
    /// With what is not as it should be when the time is over.
    pub async fn await_healthy(&self, ackers: usize, patience: Duration) -> Result<String> {
        let until = Instant::now() + patience;
        loop {
            match self.healthy(ackers) {
                Ok(primary) => return Ok(primary),
                Err(error) if Instant::now() >= until => {
                    return Err(error.context(format!("not healthy after {} s", patience.as_secs())));
                }
                Err(_) => tokio::time::sleep(INTERVAL / 2).await,
            }
        }
    }

    /// The member that says that it is the primary and serves.
    ///
    /// # Errors
    /// When there is none, or several.
    pub fn primary(&self) -> Result<String> {
        primary(&self.seen.members.lock())
    }

    /// Terms that several members claimed.
    pub fn double_claims(&self) -> Vec<String> {
        let claims = self.seen.claims.lock();
        claims
            .iter()
            .filter(|(_, members)| members.len() > 1)
            .map(|(term, members)| format!("two primaries: {members:?} claim term {term}"))
            .collect()
    }

    /// What changed since this was asked last, one line each.
    pub fn take_changes(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.changes.lock())
    }
}

fn primary(members: &BTreeMap<String, Option<HealthUpdate>>) -> Result<String> {
    let mut primaries = members.iter().filter_map(|(name, health)| {
        let health = health.as_ref()?;
        (health.role() == TabletRole::Primary && health.serving).then_some(name)
    });
    match (primaries.next(), primaries.next()) {
        (Some(primary), None) => Ok(primary.clone()),
        (Some(one), Some(other)) => bail!("{one} and {other} serve as primaries"),
        (None, _) => {
            let reasons: Vec<String> = members
                .iter()
                .map(|(name, health)| match health {
                    Some(health) => format!("{name}: {}", health.not_serving_reason),
                    None => format!("{name} does not answer"),
                })
                .collect();
            bail!("no primary serves ({})", reasons.join("; "))
        }
    }
}

impl Seen {
    fn note(&self, member: &str, health: Option<HealthUpdate>) {
        if let Some(health) = &health
            && health.role() == TabletRole::Primary
            && health.term > 0
        {
            let mut claims = self.claims.lock();
            claims.entry(health.term).or_default().insert(member.to_owned());
        }
        let mut members = self.members.lock();
        let before = members.insert(member.to_owned(), health.clone()).flatten();
        let (was, is) = (line(before.as_ref()), line(health.as_ref()));
        if was != is {
            let at = self.began.elapsed().as_millis();
            self.changes.lock().push(format!("{at:8} ms {member}: {is}"));
        }
    }
}

fn line(health: Option<&HealthUpdate>) -> String {
    let Some(health) = health else {
        return "does not answer".to_owned();
    };
    let replication = health.replication.clone().unwrap_or_default();
    format!(
        "{:?} of term {}, {} {}, source {:?} {} {} {}, {} acknowledge",
        health.role(),
        health.term,
        if health.serving { "serving" } else { "not serving:" },
        health.not_serving_reason,
        replication.source,
        replication.io_running,
        replication.sql_running,
        replication.last_error,
        health.semi_sync.map_or(0, |s| s.ackers)
    )
}
