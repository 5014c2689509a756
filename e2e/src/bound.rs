//! Processes and directories that do not outlive the test process, however it ends: passed, failed, panicked or killed.
//!
//! Statics are never dropped and a killed process drops nothing, so both are bound by the kernel: processes by their death signal,
//! directories by a small shell process that waits for the end of a pipe.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

type Job = (Command, mpsc::Sender<std::io::Result<Child>>);

/// The thread that starts all children. The kernel's death signal follows the *thread* that forked, and the threads that run tests
/// end with their tests.
fn starter() -> &'static mpsc::Sender<Job> {
    static STARTER: OnceLock<mpsc::Sender<Job>> = OnceLock::new();
    STARTER.get_or_init(|| {
        let (sender, jobs) = mpsc::channel::<Job>();
        std::thread::spawn(move || {
            for (mut command, answer) in jobs {
                answer.send(command.spawn()).ok();
            }
        });
        sender
    })
}

/// Starts a program that gets SIGKILL when this process ends.
///
/// # Errors
/// When it cannot be started.
pub fn spawn(program: &Path, configure: impl FnOnce(&mut Command)) -> Result<Child> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    configure(&mut command);
    let (answer, result) = mpsc::channel();
    starter()
        .send((command, answer))
        .map_err(|_| anyhow!("the starter thread is gone"))?;
    result
        .recv()?
        .with_context(|| format!("cannot start {}", program.display()))
}

/// Waits for the end of its input; then kills clusters that were left in the background below the directory, and removes it, for
/// which processes that still write may take several tries.
const REMOVER: &str = r#"
cat >/dev/null
find "$1" -name lock -type f | while read -r lock; do
  pid=$(cat "$lock")
  [ -n "$pid" ] && grep -qs vitrail "/proc/$pid/cmdline" && kill -9 "$pid"
done
for try in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf "$1" 2>/dev/null && exit
  sleep 0.5
done
"#;

/// A directory that is removed when this process ends.
#[derive(Debug)]
pub struct Dir {
    path: PathBuf,
    /// Its end tells the remover to start.
    _pipe: ChildStdin,
}

impl Dir {
    /// Makes a directory with a short path: unix sockets are put below it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> Result<Self> {
        let path = tempfile::Builder::new().prefix("vitrail-e2e-").tempdir()?.keep();
        let mut remover = Command::new("setsid")
            .args(["sh", "-c", REMOVER, "sh"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut pipe = remover.stdin.take().context("no pipe")?;
        pipe.write_all(b"ready\n")?;
        Ok(Self { path, _pipe: pipe })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Waits until `probe` answers, for at most `patience`; then fails with its last error.
///
/// # Errors
/// The last error of `probe`.
pub fn await_ok<T>(patience: Duration, mut probe: impl FnMut() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        match probe() {
            Ok(value) => return Ok(value),
            Err(error) if Instant::now() >= deadline => {
                return Err(error.context(format!("not within {} s", patience.as_secs())));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// Waits until a process has ended.
///
/// # Errors
/// When it still runs after `patience`.
pub fn await_gone(pid: u32, patience: Duration) -> Result<()> {
    await_ok(patience, || {
        // A zombie of somebody else's has ended, too.
        match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(stat) if !stat.contains(") Z ") => bail!("process {pid} still runs"),
            _ => Ok(()),
        }
    })
}
