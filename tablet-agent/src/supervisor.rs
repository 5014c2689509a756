//! The first process of a tablet. It forks mysqld and the agent, and it is what makes their lives one:
//!
//! * both die with it (`PDEATHSIG`), so a killed supervisor leaves nothing running;
//! * a crashed agent is restarted and told which mysqld it inherits; a crashed mysqld is only reported, since the agent
//!   must know the shard's leader before that data directory may run again (leadership.md, restart rule);
//! * SIGTERM goes to the agent, never straight to mysqld: at SIGTERM mysqld acknowledges commits that no replica has
//!   (experiments 6 and 16), so the agent gates, drains and kills connections first and then orders the shutdown;
//! * a mysqld whose agent misses the deadline it wrote into a shared page is killed, so that a hung agent cannot leave an
//!   unfenced primary behind. The page takes any deadline: today the agent's own liveness, later its leases.
//!
//! The loop is single-threaded and does not allocate.

mod sys;
pub mod wire;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

pub use sys::bind_to_parent;
use sys::{Argv, Pid, SignalMask, kill, now_ns};
use wire::{Event, MESSAGE_LEN, Order};

/// How long a crashed agent stays down: enough to keep a crash loop cheap, little enough for the deadline.
const AGENT_PAUSE_NS: u64 = 150_000_000;
const SECOND_NS: u64 = 1_000_000_000;

/// What to supervise.
#[derive(Debug)]
pub struct Config {
    /// Command line of the agent.
    pub agent: Vec<OsString>,
    /// Command line of mysqld.
    pub mysqld: Vec<OsString>,
    /// Bound for an orderly stop, in seconds.
    pub stop_timeout: u32,
    /// Die with the parent; 0 stands for whoever is the parent now.
    pub die_with_parent: Option<u32>,
}

/// Supervises until stopped; returns the exit code: 0 after an orderly stop, 1 when it had to be cut short.
pub fn run(config: &Config) -> io::Result<i32> {
    if let Some(parent) = config.die_with_parent {
        bind_to_parent(parent)?;
    }
    let mut supervisor = Supervisor::new(config)?;
    Ok(supervisor.run())
}

/// The agent's process and our end of its socket.
struct Agent {
    pid: Pid,
    socket: Option<OwnedFd>,
}

struct Supervisor {
    agent_argv: Argv,
    mysqld_argv: Argv,
    stop_timeout_ns: u64,
    signals: OwnedFd,
    mask_before: SignalMask,
    dev_null: OwnedFd,
    page_fd: OwnedFd,
    deadline: &'static AtomicU64,
    agent: Option<Agent>,
    agent_due: u64,
    mysqld: Option<Pid>,
    /// When an orderly stop that is under way is cut short, and the signal that asked for it.
    stop: Option<(u64, i32)>,
    finished: bool,
}

impl Supervisor {
    fn new(config: &Config) -> io::Result<Supervisor> {
        let (signals, mask_before) = sys::signal_descriptor()?;
        let (page_fd, deadline) = sys::deadline_page()?;
        let dev_null = OwnedFd::from(std::fs::File::open("/dev/null")?);
        Ok(Supervisor {
            agent_argv: Argv::new(&config.agent)?,
            mysqld_argv: Argv::new(&config.mysqld)?,
            stop_timeout_ns: u64::from(config.stop_timeout).saturating_mul(SECOND_NS),
            signals,
            mask_before,
            dev_null,
            page_fd,
            deadline,
            agent: None,
            agent_due: 0,
            mysqld: None,
            stop: None,
            finished: false,
        })
    }

    fn run(&mut self) -> i32 {
        loop {
            if self.agent.is_none() && now_ns() >= self.agent_due {
                self.start_agent();
            }
            self.wait();
            self.take_signals();
            self.reap();
            self.take_orders();
            self.check_deadline();
            if self.finished {
                return self.end(0);
            }
            if self.stop.is_some_and(|(by, _)| now_ns() >= by) {
                log(format_args!("the orderly stop took too long: killing"));
                return self.end(1);
            }
        }
    }

    /// Sleeps until something happens or the next point in time that matters, one second at most.
    fn wait(&self) {
        let now = now_ns();
        let mut until = now.saturating_add(SECOND_NS);
        let deadline = self.deadline.load(Ordering::SeqCst);
        if deadline != 0 && self.mysqld.is_some() {
            until = until.min(deadline);
        }
        if self.agent.is_none() {
            until = until.min(self.agent_due);
        }
        if let Some((by, _)) = self.stop {
            until = until.min(by);
        }
        let socket = self.agent.as_ref().and_then(|a| a.socket.as_ref());
        sys::wait_readable(
            self.signals.as_fd(),
            socket.map(|s| s.as_fd()),
            until.saturating_sub(now),
        );
    }

    fn take_signals(&mut self) {
        while let Some(signal) = sys::next_signal(self.signals.as_fd()) {
            if signal != libc::SIGCHLD && self.stop.is_none() {
                log(format_args!("signal {signal}: stopping in order"));
                self.stop = Some((now_ns().saturating_add(self.stop_timeout_ns), signal));
                self.tell(Event::Stop(signal));
            }
        }
    }

    /// Collects ended children, adopted ones included: in a container we are process 1.
    fn reap(&mut self) {
        while let Some((pid, status)) = sys::reap(false) {
            if self.mysqld == Some(pid) {
                self.mysqld = None;
                self.deadline.store(0, Ordering::SeqCst);
                log(format_args!("mysqld {pid} ended, wait status {status:#x}"));
                self.tell(Event::Exited(status));
            } else if self.agent.as_ref().is_some_and(|a| a.pid == pid) {
                // Its last orders count: `Finished` may be among them.
                self.take_orders();
                self.agent = None;
                self.agent_due = now_ns().saturating_add(AGENT_PAUSE_NS);
                if !self.finished {
                    log(format_args!("agent {pid} ended, wait status {status:#x}"));
                }
            }
        }
    }

    fn take_orders(&mut self) {
        while let Some(agent) = &mut self.agent {
            let Some(socket) = &agent.socket else { return };
            let mut buffer = [0u8; MESSAGE_LEN];
            let Ok(len) = sys::receive(socket.as_fd(), &mut buffer) else {
                return;
            };
            if len == 0 {
                // An agent without its socket can neither act nor learn; usually it is dead already.
                agent.socket = None;
                kill(agent.pid, libc::SIGKILL);
                return;
            }
            match Order::decode(buffer.get(..len).unwrap_or_default()) {
                Some(Order::Start) => self.start_mysqld(),
                Some(Order::Terminate) => self.signal_mysqld(libc::SIGTERM),
                Some(Order::Kill) => self.signal_mysqld(libc::SIGKILL),
                Some(Order::Finished) => self.finished = true,
                Some(Order::Deadline) => {}
                None => log(format_args!("the agent sent no valid order")),
            }
        }
    }

    fn check_deadline(&mut self) {
        let deadline = self.deadline.load(Ordering::SeqCst);
        if deadline == 0 || now_ns() < deadline {
            return;
        }
        if let Some(pid) = self.mysqld {
            log(format_args!(
                "the agent missed its deadline: killing mysqld {pid}"
            ));
            kill(pid, libc::SIGKILL);
            // An agent that hangs is of no more use; its successor starts from what is on disk.
            if let Some(agent) = &self.agent {
                kill(agent.pid, libc::SIGKILL);
            }
        }
        self.deadline.store(0, Ordering::SeqCst);
    }

    fn start_agent(&mut self) {
        self.agent_due = now_ns().saturating_add(SECOND_NS);
        let (ours, theirs) = match sys::socket_pair() {
            Ok(pair) => pair,
            Err(error) => return log(format_args!("cannot make the agent's socket: {error}")),
        };
        let page = Some(self.page_fd.as_fd());
        match sys::fork_exec(&self.agent_argv, &self.mask_before, theirs.as_fd(), page) {
            Ok(pid) => {
                self.agent = Some(Agent {
                    pid,
                    socket: Some(ours),
                });
                self.tell(Event::Hello(self.mysqld.unwrap_or(0)));
                if let Some((_, signal)) = self.stop {
                    self.tell(Event::Stop(signal));
                }
            }
            Err(error) => log(format_args!("cannot fork the agent: {error}")),
        }
    }

    fn start_mysqld(&mut self) {
        if self.mysqld.is_some() {
            return;
        }
        self.deadline.store(0, Ordering::SeqCst);
        match sys::fork_exec(&self.mysqld_argv, &self.mask_before, self.dev_null.as_fd(), None) {
            Ok(pid) => {
                self.mysqld = Some(pid);
                self.tell(Event::Started(pid));
            }
            Err(error) => {
                log(format_args!("cannot fork mysqld: {error}"));
                self.tell(Event::Exited(-1));
            }
        }
    }

    fn signal_mysqld(&self, signal: libc::c_int) {
        if let Some(pid) = self.mysqld {
            kill(pid, signal);
        }
    }

    /// Tells the agent. One whose queue is full has hung: it is replaced, and the next one learns all from `Hello`.
    fn tell(&mut self, event: Event) {
        let Some(Agent {
            pid,
            socket: Some(socket),
        }) = &self.agent
        else {
            return;
        };
        if sys::send(socket.as_fd(), &event.encode()).is_err() {
            kill(*pid, libc::SIGKILL);
        }
    }

    /// Kills what is left and waits until it is gone.
    fn end(&mut self, code: i32) -> i32 {
        self.signal_mysqld(libc::SIGKILL);
        if let Some(agent) = &self.agent {
            kill(agent.pid, libc::SIGKILL);
        }
        while sys::reap(true).is_some() {}
        code
    }
}

/// One line on standard error, without allocation.
fn log(message: std::fmt::Arguments<'_>) {
    let mut buffer = [0u8; 256];
    let mut cursor = io::Cursor::new(buffer.as_mut_slice());
    let _ = writeln!(cursor, "supervisor: {message}");
    let len = usize::try_from(cursor.position()).unwrap_or(0);
    let _ = io::stderr().write_all(buffer.get(..len).unwrap_or_default());
}

/// The command lines for a tablet: the agent gets the supervisor's own arguments.
pub fn command_lines(
    mysqld: &Path,
    dir: &Path,
    own_args: impl Iterator<Item = OsString>,
) -> io::Result<[Vec<OsString>; 2]> {
    let mut agent = vec![std::env::current_exe()?.into_os_string(), OsString::from("run")];
    agent.extend(own_args);
    let mut defaults = OsString::from("--defaults-file=");
    defaults.push(dir.join(crate::layout::MY_CNF));
    Ok([agent, vec![mysqld.as_os_str().to_owned(), defaults]])
}
