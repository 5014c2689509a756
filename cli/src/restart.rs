//! `vitrail restart`: every mysqld of a keyspace or a shard, one at a time. Nothing is done to a member before all others are well.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use proto::v1::RestartRequest;
use tokio::time::{Instant, sleep, timeout};
use topology::TypedStore;
use topology::records::VoterState;

use crate::args::RestartArgs;
use crate::local::progress::Progress;
use crate::local::tablets::{self, ShardStatus, TabletStatus};
use crate::reparent::hand_over;
use crate::{agents, local, reparent};

/// How long a member may take to come back.
const BACK_WITHIN: Duration = Duration::from_secs(120);
/// Pause between two looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// A replica that is further behind has not caught up yet.
const LAG_MAX_MS: u64 = 1000;

/// Restarts what the arguments name.
pub(crate) async fn restart(args: &RestartArgs) -> Result<()> {
    let store = local::connect(&args.dir.dir)?;
    let (keyspace, shard) = target(&args.target)?;
    let progress = Progress::on_stderr();
    let shards: Vec<Rolling<'_>> = shards(&store, keyspace, shard)
        .await?
        .into_iter()
        .map(|shard| Rolling {
            store: &store,
            progress: &progress,
            keyspace,
            shard,
        })
        .collect();
    for shard in &shards {
        shard
            .healthy(Duration::ZERO)
            .await
            .context("nothing was restarted")?;
    }
    let mut servers = 0;
    for shard in &shards {
        servers += shard.run().await?;
    }
    Ok(writeln!(
        std::io::stdout(),
        "{}: {servers} server(s) restarted",
        args.target
    )?)
}

/// Keyspace and shard of what the user typed.
fn target(text: &str) -> Result<(&str, Option<&str>)> {
    match text.contains('/') {
        true => reparent::parse(text).map(|(keyspace, shard)| (keyspace, Some(shard))),
        false => Ok((text, None)),
    }
}

/// The names of the keyspace's shards, or the one that is asked for.
async fn shards(store: &TypedStore, keyspace: &str, shard: Option<&str>) -> Result<Vec<String>> {
    let keyspaces = tablets::read(store).await.context("cannot read the topology")?;
    let Some(found) = keyspaces.iter().find(|found| found.name == keyspace) else {
        let names: Vec<&str> = keyspaces.iter().map(|keyspace| &*keyspace.name).collect();
        bail!("there is no keyspace {keyspace}; there are {}", names.join(", "));
    };
    let names: Vec<String> = found.shards.iter().map(|shard| shard.name.clone()).collect();
    match shard {
        None => Ok(names),
        Some(shard) if names.iter().any(|name| name == shard) => Ok(vec![shard.to_owned()]),
        Some(shard) => bail!(
            "there is no shard {keyspace}/{shard}; there are {}",
            names.join(", ")
        ),
    }
}

/// One shard on its way.
struct Rolling<'a> {
    store: &'a TypedStore,
    progress: &'a Progress,
    keyspace: &'a str,
    shard: String,
}

impl Rolling<'_> {
    /// Restarts all members; returns how many there are.
    async fn run(&self) -> Result<usize> {
        let mut now = self.healthy(BACK_WITHIN).await?;
        let members = now.tablets.len();
        let mut left: Vec<String> = now.tablets.iter().map(|tablet| tablet.name.clone()).collect();
        // Who leads may change at any time, so the next one is chosen by what is true then.
        while let Some(next) = next(&now, &left) {
            if next.role == "primary" && members > 1 {
                now = self.change_primary(&next.name).await?;
            } else {
                left.retain(|name| *name != next.name);
                now = self.restart(next).await?;
            }
        }
        Ok(members)
    }

    async fn change_primary(&self, primary: &str) -> Result<ShardStatus> {
        let done = hand_over(self.store, primary, None).await?;
        self.step(&format!(
            "{} leads term {}, after {primary}; writes waited for {} ms",
            done.primary, done.term, done.outage_ms
        ));
        self.healthy(BACK_WITHIN).await
    }

    async fn restart(&self, tablet: &TabletStatus) -> Result<ShardStatus> {
        let name = &tablet.name;
        self.step(&format!("restarting {name}"));
        let begin = Instant::now();
        let mut agent = agents::client(self.store, name).await?;
        match timeout(BACK_WITHIN, agent.restart(RestartRequest {})).await {
            Ok(Ok(_)) => {}
            Ok(Err(status)) => bail!("{name} was not restarted: {}", status.message()),
            Err(_) => bail!("{name} did not stop within {} s", BACK_WITHIN.as_secs()),
        }
        let now = self
            .healthy(BACK_WITHIN.saturating_sub(begin.elapsed()))
            .await
            .with_context(|| {
                format!(
                    "{name} was restarted, and the shard is not well again within {} s; nothing more was restarted",
                    BACK_WITHIN.as_secs()
                )
            })?;
        let after = now.tablets.iter().find(|after| after.name == *name);
        if after.is_none_or(|after| after.mysqld_pid == tablet.mysqld_pid) {
            bail!("{name} still runs the mysqld that was to end");
        }
        self.step(&format!(
            "{name} is back after {:.1} s",
            begin.elapsed().as_secs_f64()
        ));
        Ok(now)
    }

    /// Waits until all members are well; the error says which one is not.
    async fn healthy(&self, within: Duration) -> Result<ShardStatus> {
        let until = Instant::now() + within;
        loop {
            let status = self.look().await?;
            let Some(why) = unhealthy(&status) else {
                return Ok(status);
            };
            if Instant::now() >= until {
                bail!("{}/{}: {why}", self.keyspace, self.shard);
            }
            sleep(LOOK_INTERVAL).await;
        }
    }

    async fn look(&self) -> Result<ShardStatus> {
        let keyspaces = tablets::read(self.store)
            .await
            .context("cannot read the topology")?;
        keyspaces
            .into_iter()
            .filter(|keyspace| keyspace.name == self.keyspace)
            .flat_map(|keyspace| keyspace.shards)
            .find(|shard| shard.name == self.shard)
            .with_context(|| format!("shard {}/{} is gone", self.keyspace, self.shard))
    }

    fn step(&self, text: &str) {
        self.progress
            .step(&format!("{}/{}: {text}", self.keyspace, self.shard));
    }
}

/// The next member to restart: a replica while there is one, then the primary.
fn next<'a>(now: &'a ShardStatus, left: &[String]) -> Option<&'a TabletStatus> {
    now.tablets
        .iter()
        .filter(|tablet| left.contains(&tablet.name))
        .min_by_key(|tablet| tablet.role == "primary")
}

/// Why one member more must not go: one serves not, does not acknowledge, or is behind; or the primary does not count it yet.
fn unhealthy(shard: &ShardStatus) -> Option<String> {
    let Some(primary) = shard.serving_primary() else {
        let down = shard.tablets.iter().find(|tablet| tablet.state != "Serving");
        return Some(match down {
            Some(tablet) => format!(
                "no primary serves; {} is {}: {}",
                tablet.name, tablet.state, tablet.reason
            ),
            None => "no primary serves".to_owned(),
        });
    };
    shard.tablets.iter().find_map(|tablet| {
        let name = &tablet.name;
        let others = shard.tablets.len().saturating_sub(1);
        match (tablet.voter_state(primary.term), tablet.lag_ms) {
            (VoterState::Unfit(why), _) => Some(format!("{name} is not well ({why})")),
            (VoterState::Primary(ackers), _) if ackers < others => Some(format!(
                "{name} counts {ackers} of {others} acknowledging members"
            )),
            (_, Some(lag)) if lag > LAG_MAX_MS => Some(format!("{name} is {lag} ms behind")),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use topology::records::OneMoreLoss;

    use super::*;

    fn tablet(serial: u32, role: &'static str, ackers: Option<u32>) -> TabletStatus {
        TabletStatus {
            name: format!("c-{serial}"),
            role,
            state: "Serving",
            reason: String::new(),
            term: 3,
            lag_ms: ackers.is_none().then_some(0),
            gtid_executed: String::new(),
            acks_required: None,
            ackers,
            acknowledges: role == "replica",
            mysql_version: String::new(),
            mysql_address: String::new(),
            mysql_socket: String::new(),
            agent_pid: None,
            mysqld_pid: None,
            mysqld_starts: 0,
        }
    }

    fn shard(tablets: Vec<TabletStatus>) -> ShardStatus {
        ShardStatus {
            name: "-".to_owned(),
            semi_sync: String::new(),
            one_more_loss: OneMoreLoss {
                survived: true,
                why: String::new(),
            },
            tablets,
        }
    }

    fn three() -> ShardStatus {
        shard(vec![
            tablet(1, "primary", Some(2)),
            tablet(2, "replica", None),
            tablet(3, "replica", None),
        ])
    }

    #[test]
    fn a_keyspace_or_one_of_its_shards() {
        assert_eq!(target("customer").unwrap(), ("customer", None));
        assert_eq!(target("customer/-80").unwrap(), ("customer", Some("-80")));
        assert_eq!(target("commerce/0").unwrap(), ("commerce", Some("-")));
        assert!(target("customer/").is_err());
    }

    #[test]
    fn the_primary_comes_last() {
        let now = three();
        let chosen = |left: &[&str]| {
            let left: Vec<String> = left.iter().map(|name| (*name).to_owned()).collect();
            next(&now, &left).map(|tablet| tablet.name.clone())
        };
        assert_eq!(chosen(&["c-1", "c-2", "c-3"]).as_deref(), Some("c-2"));
        assert_eq!(chosen(&["c-1", "c-3"]).as_deref(), Some("c-3"));
        assert_eq!(chosen(&["c-1"]).as_deref(), Some("c-1"));
        assert_eq!(chosen(&[]), None);
    }

    #[test]
    fn one_that_is_not_well_is_named() {
        let changed = |change: fn(&mut [TabletStatus])| {
            let mut shard = three();
            change(&mut shard.tablets);
            unhealthy(&shard)
        };
        assert_eq!(changed(|_| {}), None);
        assert_eq!(unhealthy(&shard(vec![tablet(1, "primary", None)])), None);
        for (change, why) in [
            (
                (|t| t[0].state = "NotServing") as fn(&mut [TabletStatus]),
                "no primary serves; c-1 is NotServing: ",
            ),
            (|t| t[1].state = "Down", "c-2 is not well (Down)"),
            (|t| t[1].term = 2, "c-2 is not well (in term 2 of 3)"),
            (
                |t| t[2].acknowledges = false,
                "c-3 is not well (does not acknowledge)",
            ),
            (|t| t[2].lag_ms = Some(1001), "c-3 is 1001 ms behind"),
            (
                |t| t[0].ackers = Some(1),
                "c-1 counts 1 of 2 acknowledging members",
            ),
        ] {
            assert_eq!(changed(change).as_deref(), Some(why));
        }
    }
}
