//! The system calls of the supervisor that have no safe form in std, each behind a function that has.

#![allow(
    unsafe_code,
    reason = "fork, exec, signalfd, mmap and poll have no safe form in std; each use is small and explained"
)]

use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::atomic::AtomicU64;

use super::wire::DEADLINE_FD;

const SECOND_NS: u64 = 1_000_000_000;

/// A process id.
pub(super) type Pid = libc::pid_t;

/// The signals that were blocked before the supervisor blocked its own.
pub(super) struct SignalMask(libc::sigset_t);

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
pub(super) struct Argv {
    _strings: Vec<CString>,
    pointers: Vec<*const libc::c_char>,
}

impl Argv {
    pub(super) fn new(args: &[OsString]) -> io::Result<Argv> {
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

/// Forks and runs a command with the given standard input and deadline page, bound to our life, in a session of its own so that
/// Ctrl-C in a terminal reaches the supervisor alone.
pub(super) fn fork_exec(
    argv: &Argv,
    mask: &SignalMask,
    stdin: BorrowedFd<'_>,
    page: Option<BorrowedFd<'_>>,
) -> io::Result<Pid> {
    let parent = i32::try_from(std::process::id()).map_err(io::Error::other)?;
    // SAFETY: this process has one thread, so the child may go on as usual; it makes system calls only.
    let pid = unsafe { libc::fork() };
    if pid != 0 {
        return check(pid);
    }
    // SAFETY: plain system calls on descriptors that are open and on pointers made by `Argv::new`, which end in null and live as
    // long as `argv`. On any failure the child ends at once without running our destructors.
    unsafe {
        let bound = libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) == 0 && libc::getppid() == parent;
        let ready = bound
            && libc::setsid() >= 0
            && libc::dup2(stdin.as_raw_fd(), 0) >= 0
            && page.is_none_or(|fd| pass_on(fd.as_raw_fd(), DEADLINE_FD))
            && libc::sigprocmask(libc::SIG_SETMASK, &raw const mask.0, std::ptr::null_mut()) == 0;
        if ready && let Some(program) = argv.pointers.first() {
            libc::execvp(*program, argv.pointers.as_ptr());
        }
        libc::_exit(127)
    }
}

/// Gives a descriptor a number in the program to be run. For use between fork and exec.
fn pass_on(fd: RawFd, number: RawFd) -> bool {
    // SAFETY: dup2 and fcntl on an open descriptor; dup2 to itself would leave close-on-exec set.
    unsafe {
        if fd == number {
            libc::fcntl(fd, libc::F_SETFD, 0) >= 0
        } else {
            libc::dup2(fd, number) >= 0
        }
    }
}

/// Sleeps until a descriptor has something to read, or for so many nanoseconds.
pub(super) fn wait_readable(one: BorrowedFd<'_>, other: Option<BorrowedFd<'_>>, nanos: u64) {
    let millis = libc::c_int::try_from((nanos / 1_000_000).saturating_add(1)).unwrap_or(libc::c_int::MAX);
    let poll_in = |fd| libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    let mut fds = [
        poll_in(one.as_raw_fd()),
        poll_in(other.map_or(-1, |fd| fd.as_raw_fd())),
    ];
    // SAFETY: `fds` is a live array of the length given. An error (EINTR) only ends the sleep early.
    unsafe { libc::poll(fds.as_mut_ptr(), 2, millis) };
}

/// The next signal that arrived; none when there is none now.
pub(super) fn next_signal(descriptor: BorrowedFd<'_>) -> Option<libc::c_int> {
    let mut info = std::mem::MaybeUninit::<libc::signalfd_siginfo>::uninit();
    let len = std::mem::size_of::<libc::signalfd_siginfo>();
    // SAFETY: the buffer is as long as said; the descriptor does not block.
    let n = unsafe { libc::read(descriptor.as_raw_fd(), info.as_mut_ptr().cast(), len) };
    if usize::try_from(n).ok() != Some(len) {
        return None;
    }
    // SAFETY: the kernel filled the whole structure.
    libc::c_int::try_from(unsafe { info.assume_init() }.ssi_signo).ok()
}

/// The next child that ended, with its wait status; none when there is none: now, or, if told to wait, at all.
pub(super) fn reap(wait: bool) -> Option<(Pid, libc::c_int)> {
    let mut status = 0;
    // SAFETY: waitpid writes to the integer given.
    let pid = unsafe { libc::waitpid(-1, &raw mut status, if wait { 0 } else { libc::WNOHANG }) };
    (pid > 0).then_some((pid, status))
}

/// Takes a message without blocking; 0 bytes: the other end is closed.
pub(super) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the buffer is as long as said.
    let n = unsafe {
        libc::recv(
            socket.as_raw_fd(),
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            libc::MSG_DONTWAIT,
        )
    };
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

/// Sends a message without blocking.
pub(super) fn send(socket: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<()> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: the buffer is as long as said.
    let n = unsafe { libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), flags) };
    usize::try_from(n)
        .map(|_| ())
        .map_err(|_| io::Error::last_os_error())
}

/// Blocks the signals that matter and returns a descriptor that delivers them, with the mask as it was.
pub(super) fn signal_descriptor() -> io::Result<(OwnedFd, SignalMask)> {
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
        Ok((OwnedFd::from_raw_fd(fd), SignalMask(before)))
    }
}

/// An anonymous shared page that holds one number: the deadline in nanoseconds of CLOCK_BOOTTIME, 0 for none.
pub(super) fn deadline_page() -> io::Result<(OwnedFd, &'static AtomicU64)> {
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

pub(super) fn socket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds = [-1; 2];
    // SAFETY: socketpair fills the array of two; both are ours when it succeeds.
    unsafe {
        let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
        check(libc::socketpair(libc::AF_UNIX, kind, 0, fds.as_mut_ptr()))?;
        Ok((OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1])))
    }
}

/// Signals a child.
pub(super) fn kill(pid: Pid, signal: libc::c_int) {
    // SAFETY: only children that were not reaped yet are signalled, so the id cannot have been given to another process.
    unsafe { libc::kill(pid, signal) };
}

/// CLOCK_BOOTTIME in nanoseconds: it goes on while the machine sleeps, as other machines' clocks do.
pub(super) fn now_ns() -> u64 {
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
