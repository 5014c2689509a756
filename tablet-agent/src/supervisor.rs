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

#![allow(
    unsafe_code,
    reason = "fork, exec, signalfd, mmap and poll have no safe form in std; each use is small and explained"
)]

pub mod wire;

use std::ffi::{CString, OsString};
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use wire::{DEADLINE_FD, Event, MESSAGE_LEN, Order};

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

/// Asks the kernel for SIGKILL at the parent's death, and dies now when it is dead already.
///
/// `parent` 0: the parent at the time of the call, so a parent that died before it goes unnoticed.
pub fn bind_to_parent(parent: u32) -> io::Result<()> {
    let parent = if parent == 0 {
        std::os::unix::process::parent_id()
    } else {
        parent
    };
    // SAFETY: prctl with PR_SET_PDEATHSIG takes one integer and touches no memory.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) })?;
    if std::os::unix::process::parent_id() != parent {
        return Err(io::Error::other("the parent process is gone"));
    }
    Ok(())
}

/// A command line in the form that exec takes, made before the loop so that forking does not allocate.
struct Argv {
    _strings: Vec<CString>,
    pointers: Vec<*const libc::c_char>,
}

impl Argv {
    fn new(args: &[OsString]) -> io::Result<Argv> {
        let strings = args
            .iter()
            .map(|arg| CString::new(arg.as_bytes()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(io::Error::other)?;
        let mut pointers: Vec<_> = strings.iter().map(|s| s.as_ptr()).collect();
        pointers.push(std::ptr::null());
        Ok(Argv {
            _strings: strings,
            pointers,
        })
    }
}

/// The agent's process and our end of its socket.
struct Agent {
    pid: libc::pid_t,
    socket: Option<OwnedFd>,
}

struct Supervisor {
    agent_argv: Argv,
    mysqld_argv: Argv,
    stop_timeout_ns: u64,
    me: libc::pid_t,
    signals: OwnedFd,
    signals_before: libc::sigset_t,
    dev_null: OwnedFd,
    page_fd: OwnedFd,
    deadline: &'static AtomicU64,
    agent: Option<Agent>,
    agent_due: u64,
    mysqld: Option<libc::pid_t>,
    /// When an orderly stop that is under way is cut short.
    stop_by: Option<u64>,
    finished: bool,
}

impl Supervisor {
    fn new(config: &Config) -> io::Result<Supervisor> {
        let (signals, signals_before) = signal_descriptor()?;
        let (page_fd, deadline) = deadline_page()?;
        let dev_null = OwnedFd::from(std::fs::File::open("/dev/null")?);
        Ok(Supervisor {
            agent_argv: Argv::new(&config.agent)?,
            mysqld_argv: Argv::new(&config.mysqld)?,
            stop_timeout_ns: u64::from(config.stop_timeout).saturating_mul(SECOND_NS),
            // SAFETY: getpid has no preconditions.
            me: unsafe { libc::getpid() },
            signals,
            signals_before,
            dev_null,
            page_fd,
            deadline,
            agent: None,
            agent_due: 0,
            mysqld: None,
            stop_by: None,
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
            if self.stop_by.is_some_and(|by| now_ns() >= by) {
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
        if let Some(by) = self.stop_by {
            until = until.min(by);
        }
        let millis = (until.saturating_sub(now) / 1_000_000)
            .saturating_add(1)
            .min(1000) as libc::c_int;
        let socket = self
            .agent
            .as_ref()
            .and_then(|a| a.socket.as_ref())
            .map_or(-1, AsRawFd::as_raw_fd);
        let mut fds = [poll_in(self.signals.as_raw_fd()), poll_in(socket)];
        // SAFETY: `fds` is a live array of the length given. An error (EINTR) only ends the sleep early.
        unsafe { libc::poll(fds.as_mut_ptr(), 2, millis) };
    }

    fn take_signals(&mut self) {
        loop {
            let mut info = std::mem::MaybeUninit::<libc::signalfd_siginfo>::uninit();
            let len = std::mem::size_of::<libc::signalfd_siginfo>();
            // SAFETY: the buffer is as long as said; the descriptor does not block.
            let n = unsafe { libc::read(self.signals.as_raw_fd(), info.as_mut_ptr().cast(), len) };
            if n != len as isize {
                return;
            }
            // SAFETY: the kernel filled the whole structure.
            let signal = unsafe { info.assume_init() }.ssi_signo as libc::c_int;
            if signal != libc::SIGCHLD && self.stop_by.is_none() {
                log(format_args!("signal {signal}: stopping in order"));
                self.stop_by = Some(now_ns().saturating_add(self.stop_timeout_ns));
                self.tell(Event::Stop);
            }
        }
    }

    /// Collects ended children, adopted ones included: in a container we are process 1.
    fn reap(&mut self) {
        loop {
            let mut status = 0;
            // SAFETY: waitpid writes to the integer given and does not block.
            let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
            if pid <= 0 {
                return;
            }
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
            // SAFETY: the buffer is as long as said.
            let n = unsafe {
                libc::recv(
                    socket.as_raw_fd(),
                    buffer.as_mut_ptr().cast(),
                    buffer.len(),
                    libc::MSG_DONTWAIT,
                )
            };
            if n < 0 {
                return;
            }
            if n == 0 {
                // An agent without its socket can neither act nor learn; usually it is dead already.
                agent.socket = None;
                kill(agent.pid, libc::SIGKILL);
                return;
            }
            match Order::decode(buffer.get(..n as usize).unwrap_or_default()) {
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
        let (ours, theirs) = match socket_pair() {
            Ok(pair) => pair,
            Err(error) => return log(format_args!("cannot make the agent's socket: {error}")),
        };
        match self.fork(
            &self.agent_argv,
            theirs.as_raw_fd(),
            Some(self.page_fd.as_raw_fd()),
        ) {
            Ok(pid) => {
                self.agent = Some(Agent {
                    pid,
                    socket: Some(ours),
                });
                self.tell(Event::Hello(self.mysqld.unwrap_or(0)));
                if self.stop_by.is_some() {
                    self.tell(Event::Stop);
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
        match self.fork(&self.mysqld_argv, self.dev_null.as_raw_fd(), None) {
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

    /// Forks and runs a command with the given standard input, bound to our life, in a session of its own so that
    /// Ctrl-C in a terminal reaches the supervisor alone.
    fn fork(&self, argv: &Argv, stdin: RawFd, page: Option<RawFd>) -> io::Result<libc::pid_t> {
        // SAFETY: this process has one thread, so the child may go on as usual; it makes system calls only.
        let pid = unsafe { libc::fork() };
        if pid != 0 {
            return check(pid);
        }
        // SAFETY: plain system calls on descriptors that are open and on pointers made by `Argv::new`, which end in null
        // and live as long as `self`. On any failure the child ends at once without running our destructors.
        unsafe {
            let bound = libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) == 0 && libc::getppid() == self.me;
            let ready = bound
                && libc::setsid() >= 0
                && libc::dup2(stdin, 0) >= 0
                && page.is_none_or(|fd| {
                    if fd == DEADLINE_FD {
                        keep_open(fd)
                    } else {
                        libc::dup2(fd, DEADLINE_FD) >= 0
                    }
                })
                && libc::sigprocmask(
                    libc::SIG_SETMASK,
                    &raw const self.signals_before,
                    std::ptr::null_mut(),
                ) == 0;
            if ready && let Some(program) = argv.pointers.first() {
                libc::execvp(*program, argv.pointers.as_ptr());
            }
            libc::_exit(127)
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
        let bytes = event.encode();
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        // SAFETY: the buffer is as long as said.
        if unsafe { libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), flags) } < 0 {
            kill(*pid, libc::SIGKILL);
        }
    }

    /// Kills what is left and waits until it is gone.
    fn end(&mut self, code: i32) -> i32 {
        self.signal_mysqld(libc::SIGKILL);
        if let Some(agent) = &self.agent {
            kill(agent.pid, libc::SIGKILL);
        }
        // SAFETY: waitpid without a status pointer; it ends when there are no more children.
        while unsafe { libc::waitpid(-1, std::ptr::null_mut(), 0) } > 0 {}
        code
    }
}

/// Blocks the signals that matter and returns a descriptor that delivers them, with the mask as it was.
fn signal_descriptor() -> io::Result<(OwnedFd, libc::sigset_t)> {
    // SAFETY: the sets are initialised by sigemptyset and sigprocmask before they are read; signalfd's result is checked
    // before it is owned.
    unsafe {
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        let mut before = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&raw mut set);
        for signal in [libc::SIGCHLD, libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
            libc::sigaddset(&raw mut set, signal);
        }
        check(libc::sigprocmask(
            libc::SIG_BLOCK,
            &raw const set,
            &raw mut before,
        ))?;
        let fd = check(libc::signalfd(
            -1,
            &raw const set,
            libc::SFD_CLOEXEC | libc::SFD_NONBLOCK,
        ))?;
        Ok((OwnedFd::from_raw_fd(fd), before))
    }
}

/// An anonymous shared page that holds one number: the deadline in nanoseconds of CLOCK_BOOTTIME, 0 for none.
fn deadline_page() -> io::Result<(OwnedFd, &'static AtomicU64)> {
    // SAFETY: the mapping is as long as the file and is never unmapped, so the reference stays valid; it is aligned to a
    // page, and zero bytes are a valid AtomicU64. The agent writes it by an eight-byte write at offset 0.
    unsafe {
        let fd = OwnedFd::from_raw_fd(check(libc::memfd_create(
            c"vitrail-deadline".as_ptr(),
            libc::MFD_CLOEXEC,
        ))?);
        check(libc::ftruncate(fd.as_raw_fd(), 4096))?;
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
        let page = libc::mmap(std::ptr::null_mut(), 4096, protection, flags, fd.as_raw_fd(), 0);
        if page == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok((fd, &*page.cast::<AtomicU64>()))
    }
}

fn socket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds = [-1; 2];
    // SAFETY: socketpair fills the array of two; both are ours when it succeeds.
    unsafe {
        let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
        check(libc::socketpair(libc::AF_UNIX, kind, 0, fds.as_mut_ptr()))?;
        Ok((OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1])))
    }
}

/// Clears close-on-exec. For use between fork and exec.
fn keep_open(fd: RawFd) -> bool {
    // SAFETY: fcntl on an open descriptor with an integer argument.
    unsafe { libc::fcntl(fd, libc::F_SETFD, 0) >= 0 }
}

fn poll_in(fd: RawFd) -> libc::pollfd {
    libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    }
}

fn kill(pid: libc::pid_t, signal: libc::c_int) {
    // SAFETY: only children that were not reaped yet are signalled, so the id cannot have been given to another process.
    unsafe { libc::kill(pid, signal) };
}

/// CLOCK_BOOTTIME in nanoseconds: it goes on while the machine sleeps, as other machines' clocks do.
fn now_ns() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the structure is ours to write. The call cannot fail with a valid clock.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) };
    (time.tv_sec as u64)
        .saturating_mul(SECOND_NS)
        .saturating_add(time.tv_nsec as u64)
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
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
