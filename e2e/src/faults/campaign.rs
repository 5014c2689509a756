//! Many rounds, which can be cut off and gone on with.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::plan::Plan;
use super::report::{self, Tallies};
use super::round::{Ground, Report};
use super::table::Digest;
use crate::bound::await_ok;
use crate::cluster::{Cluster, manifest};

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many rounds in all, those of earlier calls included.
    pub rounds: u64,
    /// The seed that they are drawn from.
    pub seed: u64,
    /// The first round, instead of the one behind the last that was run.
    pub from: Option<u64>,
    /// Faults of this name only.
    pub only: Option<String>,
    /// Where cluster, state and the logs of failures are kept.
    pub dir: PathBuf,
    /// Whether to go on behind a failure, with a new cluster.
    pub keep_going: bool,
}

/// What a second call needs to go on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    seed: u64,
    only: Option<String>,
    /// The next round.
    next: u64,
    /// What is in the cluster's table, and the first value that is free.
    digest: Digest,
    first: u64,
    tallies: Tallies,
    failed: Vec<String>,
}

/// Runs the rounds; says whether nothing was wrong.
///
/// # Errors
/// When rounds cannot be run at all.
pub async fn run(options: &Options, mut tell: impl FnMut(&str)) -> Result<bool> {
    fs::create_dir_all(&options.dir)?;
    let dir = options.dir.canonicalize()?;
    let mut state = State::load(&dir, options)?;
    let mut ground = None;
    while state.next < options.rounds {
        let round = state.next;
        let plan = Plan::draw(state.seed, round, state.only.as_deref()).context("no fault has this name")?;
        let mut on = match ground.take() {
            Some(ground) => ground,
            None => start(&dir, &state).await?,
        };
        let failure = match on.run(&plan).await {
            Ok(report) => {
                tell(&report::line(round, &report));
                state.add(&report);
                (!report.violations.is_empty()).then(|| report.violations.join("\n"))
            }
            Err(error) => {
                tell(&format!("{round:4}  {plan}  FAILED"));
                Some(format!("{error:#}"))
            }
        };
        state.next = round + 1;
        match failure {
            Some(why) => {
                let logs = dir.join(format!("failed-{}-{round}", state.seed));
                let told = keep(&on, &logs, &plan, &why)?;
                tell(&told);
                tell(&format!("once more: {}", repeat(&state, round)));
                state.failed.push(format!("round {round}: {plan}"));
                discard(on, &dir, &mut state)?;
            }
            None if !plan.heals() => discard(on, &dir, &mut state)?,
            None => ground = Some(on),
        }
        state.save(&dir)?;
        if !state.failed.is_empty() && !options.keep_going {
            break;
        }
    }
    tell(&report::table(&state.tallies));
    for failed in &state.failed {
        tell(&format!("FAILED: {failed}"));
    }
    Ok(state.failed.is_empty())
}

/// What to type for a round alone.
fn repeat(state: &State, round: u64) -> String {
    let only = state
        .only
        .as_ref()
        .map_or_else(String::new, |name| format!(" --only {name}"));
    format!(
        "e2e/faults --seed {} --from {round} --rounds {}{only} --dir ANOTHER",
        state.seed,
        round + 1
    )
}

fn cluster_dir(dir: &Path) -> PathBuf {
    dir.join("cluster")
}

/// Starts the cluster of the directory, or a new one where there is none.
async fn start(dir: &Path, state: &State) -> Result<Ground> {
    let cluster = tokio::task::block_in_place(|| {
        let mut cluster = Cluster::prepare_in(cluster_dir(dir))?;
        let file = manifest("faults").display().to_string();
        cluster.up(&["-f", &file])?;
        anyhow::Ok(cluster)
    })?;
    Ground::new(cluster, true, (state.digest, state.first)).await
}

/// A cluster that is not as good as new makes room for another one.
fn discard(ground: Ground, dir: &Path, state: &mut State) -> Result<()> {
    drop(ground);
    let doomed = cluster_dir(dir);
    // Processes that are just ending may still write.
    tokio::task::block_in_place(|| {
        await_ok(Duration::from_secs(30), || match doomed.exists() {
            true => Ok(fs::remove_dir_all(&doomed)?),
            false => Ok(()),
        })
    })?;
    (state.digest, state.first) = (Digest::default(), 1);
    Ok(())
}

fn keep(ground: &Ground, logs: &Path, plan: &Plan, why: &str) -> Result<String> {
    ground.site.keep_logs(logs)?;
    let changes = ground.fleet.take_changes().join("\n");
    fs::write(logs.join("round.txt"), format!("{plan}\n\n{why}\n\n{changes}\n"))?;
    Ok(format!("{why}\nlogs: {}", logs.display()))
}

impl State {
    fn load(dir: &Path, options: &Options) -> Result<Self> {
        let path = dir.join("state.json");
        let mut state = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| path.display().to_string())?,
            Err(_) => Self {
                seed: options.seed,
                only: options.only.clone(),
                next: 0,
                digest: Digest::default(),
                first: 1,
                tallies: Tallies::default(),
                failed: Vec::new(),
            },
        };
        ensure!(
            state.seed == options.seed && state.only == options.only,
            "{} has rounds of seed {}{}: give another --dir for other ones",
            dir.display(),
            state.seed,
            state
                .only
                .as_ref()
                .map_or_else(String::new, |name| format!(" of {name} only"))
        );
        state.next = options.from.unwrap_or(state.next);
        Ok(state)
    }

    fn add(&mut self, report: &Report) {
        (self.digest, self.first) = report.content;
        let name = report.plan.first.fault.name().to_owned();
        self.tallies.entry(name).or_default().add(report);
    }

    fn save(&self, dir: &Path) -> Result<()> {
        let (path, fresh) = (dir.join("state.json"), dir.join("state.json.new"));
        fs::write(&fresh, serde_json::to_vec_pretty(self)?)?;
        Ok(fs::rename(fresh, path)?)
    }
}
