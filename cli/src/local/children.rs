//! The processes of a local cluster: started by this one, restarted when they fail, stopped in order.
//!
//! Every child gets SIGKILL from the kernel when this process ends, however it ends. The kernel watches the *thread* that forked,
//! so all of this has to run on the main thread: the CLI's runtime is a current-thread one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::time::Instant;

use super::dir::{ClusterDir, write_private};

/// A process that fails is started again after this time, which doubles up to the maximum.
const RESTART_DELAY_MIN: Duration = Duration::from_millis(200);
const RESTART_DELAY_MAX: Duration = Duration::from_secs(10);
/// A process that ran this long is taken to have worked: its next failure is its first.
const STABLE_AFTER: Duration = Duration::from_secs(30);

/// What to run.
#[derive(Debug, Clone)]
pub(crate) struct ChildSpec {
    /// Short name: of the log file, and in messages.
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
}

/// A started child, as `DIR/processes.json` remembers it for the next `up`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Remembered {
    pid: i32,
    /// Start time in clock ticks since boot (`/proc/PID/stat`, field 22): a process id alone may be somebody else's by now.
    start_ticks: u64,
}

/// Tells the task of a child to stop.
#[derive(Debug)]
struct Handle {
    stop: tokio::sync::oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

/// All children of this process.
#[derive(Debug)]
pub(crate) struct Children {
    dir: ClusterDir,
    handles: BTreeMap<String, Handle>,
    /// Messages for the user: a child failed and is started again.
    events: tokio::sync::mpsc::UnboundedSender<String>,
    remembered: std::rc::Rc<std::cell::RefCell<BTreeMap<String, Remembered>>>,
}

impl Children {
    /// No children yet.
    pub(crate) fn new(dir: &ClusterDir, events: tokio::sync::mpsc::UnboundedSender<String>) -> Self {
        Self {
            dir: dir.clone(),
            handles: BTreeMap::new(),
            events,
            remembered: Default::default(),
        }
    }

    /// Starts a child and keeps it running until it is stopped. Must be called within a [`tokio::task::LocalSet`].
    pub(crate) fn start(&mut self, spec: ChildSpec) -> Result<()> {
        let first = self.spawn(&spec)?;
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let name = spec.name.clone();
        let keeper = Keeper {
            spec,
            dir: self.dir.clone(),
            events: self.events.clone(),
            remembered: self.remembered.clone(),
        };
        let task = tokio::task::spawn_local(keeper.run(first, stopped));
        self.handles.insert(name, Handle { stop, task });
        Ok(())
    }

    fn spawn(&self, spec: &ChildSpec) -> Result<tokio::process::Child> {
        spawn(spec, &self.dir, &self.remembered)
    }

    /// Stops the children whose names `which` accepts, by SIGINT, all at once, and returns when they have ended. One that
    /// still runs after `patience` is killed.
    pub(crate) async fn stop(&mut self, patience: Duration, which: impl Fn(&str) -> bool) {
        let names: Vec<String> = self.handles.keys().filter(|name| which(name)).cloned().collect();
        let mut tasks = Vec::new();
        for name in names {
            if let Some(handle) = self.handles.remove(&name) {
                handle.stop.send(()).ok();
                tasks.push((name, handle.task));
            }
        }
        let deadline = Instant::now() + patience;
        for (name, mut task) in tasks {
            if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
                self.events
                    .send(format!(
                        "{name} did not stop within {} s: killing it",
                        patience.as_secs()
                    ))
                    .ok();
                let pid = self
                    .remembered
                    .borrow()
                    .get(&name)
                    .map(|remembered| remembered.pid);
                if let Some(pid) = pid {
                    kill(Pid::from_raw(pid), Signal::SIGKILL).ok();
                }
                task.await.ok();
            }
        }
    }
}

/// The task of one child.
struct Keeper {
    spec: ChildSpec,
    dir: ClusterDir,
    events: tokio::sync::mpsc::UnboundedSender<String>,
    remembered: std::rc::Rc<std::cell::RefCell<BTreeMap<String, Remembered>>>,
}

impl Keeper {
    async fn run(self, mut child: tokio::process::Child, mut stopped: tokio::sync::oneshot::Receiver<()>) {
        let mut delay = RESTART_DELAY_MIN;
        loop {
            let started = Instant::now();
            let status = tokio::select! {
                status = child.wait() => status,
                _ = &mut stopped => {
                    terminate(&mut child).await;
                    return;
                }
            };
            let reason = status.map_or_else(|error| error.to_string(), |status| status.to_string());
            self.events
                .send(format!(
                    "{} ended ({reason}), see {}; starting it again",
                    self.spec.name,
                    self.dir.log(&self.spec.name).display()
                ))
                .ok();
            if started.elapsed() > STABLE_AFTER {
                delay = RESTART_DELAY_MIN;
            }
            loop {
                tokio::select! {
                    () = tokio::time::sleep(delay) => {}
                    _ = &mut stopped => return,
                }
                delay = (delay * 2).min(RESTART_DELAY_MAX);
                match spawn(&self.spec, &self.dir, &self.remembered) {
                    Ok(fresh) => {
                        child = fresh;
                        break;
                    }
                    Err(error) => {
                        self.events
                            .send(format!("cannot start {}: {error:#}", self.spec.name))
                            .ok();
                    }
                }
            }
        }
    }
}

async fn terminate(child: &mut tokio::process::Child) {
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        // All end: at SIGTERM a primary would hand over to one of the others first.
        kill(Pid::from_raw(pid), Signal::SIGINT).ok();
    }
    child.wait().await.ok();
}

fn spawn(
    spec: &ChildSpec,
    dir: &ClusterDir,
    remembered: &std::cell::RefCell<BTreeMap<String, Remembered>>,
) -> Result<tokio::process::Child> {
    let log_path = dir.log(&spec.name);
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log_path)
        .with_context(|| format!("cannot open {}", log_path.display()))?;
    let child = Command::new(&spec.program)
        .args(&spec.args)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // Ctrl-C reaches the terminal's foreground group; the children stop when this process tells them, in order.
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {}", spec.program.display()))?;
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok())
        && let Some(start_ticks) = start_ticks(pid)
    {
        let mut remembered = remembered.borrow_mut();
        remembered.insert(spec.name.clone(), Remembered { pid, start_ticks });
        write_private(&dir.processes(), &serde_json::to_vec(&*remembered)?)?;
    }
    Ok(child)
}

/// Kills what is left of an earlier `up` of this directory. The kernel has done so already; this closes the window in which a
/// child had not yet asked for it.
pub(crate) fn kill_survivors(dir: &ClusterDir) {
    let Ok(text) = fs::read(dir.processes()) else {
        return;
    };
    let Ok(processes) = serde_json::from_slice::<BTreeMap<String, Remembered>>(&text) else {
        return;
    };
    for process in processes.values() {
        if start_ticks(process.pid) == Some(process.start_ticks) {
            kill(Pid::from_raw(process.pid), Signal::SIGKILL).ok();
        }
    }
}

fn start_ticks(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    start_ticks_in(&stat)
}

/// Field 22 of `/proc/PID/stat`. The command's name (field 2) may hold spaces and parentheses, so counting starts behind it.
fn start_ticks_in(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests;
