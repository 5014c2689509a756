//! Does the damage of a plan, and undoes it.

mod store;
mod tail;

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use mysql_async::prelude::Queryable;
use nix::sys::signal::Signal;
use tokio::process::Command;
use tokio::task::JoinHandle;

use super::history::{History, Outcome, Told};
use super::plan::{Fault, Part, Strike, Victim};
use super::site::{KEYSPACE, Pids, Site, signal};
use crate::bound::await_gone;
use crate::cluster::Cluster;
use crate::tools;

/// The number by which the history knows writes of our own.
pub const OURSELVES: u32 = 1000;
/// How the note of a handover begins that did not come about.
pub const REFUSED: &str = "handover refused: ";
/// How long a handover may take, whatever happens in its middle.
const HANDOVER: Duration = Duration::from_secs(60);

/// What is broken now.
#[derive(Debug)]
enum Damage {
    /// It heals by itself.
    Nothing,
    /// Frozen processes.
    Frozen(Vec<i32>),
    /// A member whose frozen supervisor starts nothing again.
    Down(String),
    /// The store has an empty file.
    StoreEmpty,
    /// The store is being slowed down.
    StoreSlow(JoinHandle<()>),
    /// An order that is being carried out; its outcome is for the report.
    Order(JoinHandle<String>),
}

/// Does and undoes the damage of one round.
#[derive(Debug)]
pub struct Injector<'a> {
    cluster: &'a mut Cluster,
    site: &'a Site,
    history: &'a Arc<History>,
    /// The members: the primary first, then the replicas by name.
    members: Vec<String>,
    damage: Vec<(Instant, Damage)>,
    writes: Vec<JoinHandle<()>>,
    notes: Vec<String>,
}

impl<'a> Injector<'a> {
    /// Nothing is broken yet.
    pub fn new(cluster: &'a mut Cluster, site: &'a Site, history: &'a Arc<History>, primary: &str) -> Self {
        let mut members = vec![primary.to_owned()];
        members.extend(site.members.iter().filter(|member| *member != primary).cloned());
        Self {
            cluster,
            site,
            history,
            members,
            damage: Vec::new(),
            writes: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Lets a fault happen.
    ///
    /// # Errors
    /// When it could not be made to happen: the round says nothing then.
    pub async fn strike(&mut self, strike: &Strike) -> Result<()> {
        let victim = self.victim(strike.victim)?;
        let damage = self
            .damage(strike, &victim)
            .await
            .with_context(|| strike.to_string())?;
        self.damage.push((Instant::now() + strike.lasts, damage));
        Ok(())
    }

    /// Undoes everything, each when its time has come; returns what there is to be told.
    ///
    /// # Errors
    /// When something cannot be undone.
    pub async fn heal(mut self) -> Result<Vec<String>> {
        self.damage.sort_by_key(|(until, _)| *until);
        for (until, damage) in std::mem::take(&mut self.damage) {
            tokio::time::sleep_until(until.into()).await;
            match damage {
                Damage::Nothing => {}
                Damage::Frozen(pids) => thaw(&pids),
                Damage::Down(member) => signal(Some(self.site.child(&member)?), Signal::SIGKILL),
                Damage::StoreEmpty => store::fill(self.site)?,
                Damage::StoreSlow(task) => {
                    task.abort();
                    task.await.ok();
                    signal(self.site.child("topology").ok(), Signal::SIGCONT);
                }
                Damage::Order(task) => self.notes.push(task.await?),
            }
        }
        for write in std::mem::take(&mut self.writes) {
            write.await?;
        }
        Ok(self.notes)
    }

    fn victim(&self, victim: Victim) -> Result<String> {
        let index = match victim {
            Victim::Primary | Victim::Cluster => 0,
            Victim::Replica(index) => index + 1,
        };
        self.members.get(index).cloned().context("no such member")
    }

    async fn damage(&mut self, strike: &Strike, victim: &str) -> Result<Damage> {
        let pids = self.site.pids(victim)?;
        Ok(match strike.fault {
            Fault::Kill(part) => {
                for pid in pids_of(pids, part) {
                    signal(Some(pid), Signal::SIGKILL);
                }
                Damage::Nothing
            }
            Fault::Freeze(part) => {
                let frozen = pids_of(pids, part);
                for pid in &frozen {
                    signal(Some(*pid), Signal::SIGSTOP);
                }
                Damage::Frozen(frozen)
            }
            Fault::Down => {
                take_down(pids);
                Damage::Down(victim.to_owned())
            }
            Fault::Handover => {
                let to = (strike.victim != Victim::Primary).then_some(victim);
                Damage::Order(self.hand_over(to)?)
            }
            Fault::Terminate => {
                signal(pids.supervisor, Signal::SIGTERM);
                Damage::Nothing
            }
            Fault::StoreKill => {
                signal(Some(self.site.child("topology")?), Signal::SIGKILL);
                Damage::Nothing
            }
            Fault::StoreFreeze => {
                let store = self.site.child("topology")?;
                signal(Some(store), Signal::SIGSTOP);
                Damage::Frozen(vec![store])
            }
            Fault::StoreSlow => Damage::StoreSlow(store::slow(self.site.clone())),
            Fault::StoreEmpty => {
                store::empty(self.site)?;
                Damage::StoreEmpty
            }
            Fault::GatewayKill => {
                signal(Some(self.site.child("vtgate")?), Signal::SIGKILL);
                Damage::Nothing
            }
            Fault::PowerLoss => {
                self.power_loss()?;
                Damage::Nothing
            }
            Fault::AllServers => {
                for member in &self.members {
                    signal(self.site.pids(member)?.mysqld, Signal::SIGKILL);
                }
                Damage::Nothing
            }
            Fault::Tail(kind) => {
                self.leave_a_tail(kind).await?;
                Damage::Down(victim.to_owned())
            }
            Fault::Grant => {
                self.grant(victim, pids).await?;
                Damage::Nothing
            }
            Fault::Errant => {
                self.write_to_replica(victim).await?;
                Damage::Nothing
            }
            Fault::Disk => {
                take_down(pids);
                for pid in [pids.agent, pids.mysqld].into_iter().flatten() {
                    await_gone(u32::try_from(pid)?, Duration::from_secs(10))?;
                }
                std::fs::remove_dir_all(self.site.member_dir(victim))?;
                Damage::Down(victim.to_owned())
            }
        })
    }

    fn hand_over(&self, to: Option<&str>) -> Result<JoinHandle<String>> {
        let mut command = Command::new(tools::program("vitrail")?);
        command
            .arg("reparent")
            .arg(format!("{KEYSPACE}/-"))
            .arg("--dir")
            .arg(self.cluster.data());
        if let Some(to) = to {
            command.args(["--to", to]);
        }
        command.stdin(Stdio::null()).kill_on_drop(true);
        Ok(tokio::spawn(async move {
            match tokio::time::timeout(HANDOVER, command.output()).await {
                Ok(Ok(output)) if output.status.success() => text(&output.stdout),
                Ok(Ok(output)) => format!("{REFUSED}{}", text(&output.stderr)),
                Ok(Err(error)) => format!("{REFUSED}{error}"),
                Err(_) => format!("{REFUSED}no answer"),
            }
        }))
    }

    fn power_loss(&mut self) -> Result<()> {
        let cluster = &mut *self.cluster;
        tokio::task::block_in_place(|| {
            cluster.kill()?;
            cluster.up(&[])
        })
    }

    /// Changes accounts as the agent's account, until the server is killed in the middle of it.
    async fn grant(&mut self, primary: &str, pids: Pids) -> Result<()> {
        let mut admin = self.site.admin(primary).await?;
        let (begun, first_round) = tokio::sync::oneshot::channel();
        self.writes.push(tokio::spawn(async move {
            let mut begun = Some(begun);
            let statements = [
                "CREATE USER IF NOT EXISTS probe@localhost".to_owned(),
                format!("GRANT SELECT ON {KEYSPACE}.* TO probe@localhost"),
                "DROP USER probe@localhost".to_owned(),
            ];
            for statement in statements.iter().cycle() {
                if admin.query_drop(statement).await.is_err() {
                    break;
                }
                if let Some(begun) = begun.take() {
                    begun.send(()).ok();
                }
            }
        }));
        first_round.await?;
        signal(pids.mysqld, Signal::SIGKILL);
        Ok(())
    }

    /// A row that only one replica has; it must be gone when that replica is part of the shard again.
    async fn write_to_replica(&self, replica: &str) -> Result<()> {
        let mut admin = self.site.admin(replica).await?;
        let values = self.history.take(1);
        let sent = self.history.now();
        // The agent shuts the door again any moment: one text. The gate stays closed, or the probe would get in as well.
        admin
            .query_drop(format!(
                "SET GLOBAL offline_mode=ON; SET GLOBAL super_read_only=OFF; \
                 INSERT INTO {KEYSPACE}.t (value, writer) VALUES ({}, {OURSELVES})",
                values.start
            ))
            .await?;
        self.history
            .record(OURSELVES, values, sent, Outcome::Refused(Told::Gone));
        Ok(())
    }
}

/// Kills a member's processes and keeps them from being started again.
fn take_down(pids: Pids) {
    signal(pids.supervisor, Signal::SIGSTOP);
    signal(pids.agent, Signal::SIGKILL);
    signal(pids.mysqld, Signal::SIGKILL);
}

fn pids_of(pids: Pids, part: Part) -> Vec<i32> {
    let chosen = match part {
        Part::Mysqld => [pids.mysqld, None, None],
        Part::Agent => [pids.agent, None, None],
        Part::Supervisor => [pids.supervisor, None, None],
        Part::Member => [pids.supervisor, pids.agent, pids.mysqld],
    };
    chosen.into_iter().flatten().collect()
}

fn thaw(pids: &[i32]) {
    for pid in pids {
        signal(Some(*pid), Signal::SIGCONT);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}
