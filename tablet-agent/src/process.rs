//! mysqld as a process: what the supervisor last said about it.

use std::time::Duration;

use tokio::sync::watch;

use crate::link::Link;
use crate::supervisor::wire::Event;

/// The process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its id; none while it does not run.
    pub(crate) pid: Option<u32>,
    /// Counts its starts and ends, so that a restart is noticed even when nobody looked in between.
    pub(crate) generation: u64,
    /// Starts since the agent started.
    pub(crate) starts: u32,
    /// Whether an orderly stop was asked for.
    pub(crate) stop: Option<Stop>,
}

/// An orderly stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Of this member: the others go on, so a primary hands over first.
    Alone,
    /// Of all members.
    WithTheCluster,
}

/// Follows the supervisor's events until it is gone.
pub(crate) async fn follow(link: Link, process: watch::Sender<Process>) {
    loop {
        match link.next().await {
            Ok(event) => process.send_modify(|p| apply(p, event)),
            // We die with the supervisor; should its death signal be late, nothing more may be done here either.
            Err(error) => {
                tracing::error!(%error, "the supervisor is gone");
                return;
            }
        }
    }
}

fn apply(p: &mut Process, event: Event) {
    match event {
        Event::Hello(pid) => p.pid = u32::try_from(pid).ok().filter(|pid| *pid != 0),
        Event::Started(pid) => {
            p.pid = u32::try_from(pid).ok();
            p.generation += 1;
            p.starts = p.starts.saturating_add(1);
        }
        Event::Exited(status) => {
            tracing::warn!(pid = p.pid, status, "mysqld ended");
            p.pid = None;
            p.generation += 1;
        }
        // What stops the whole cluster has nobody to hand over to.
        Event::Stop(libc::SIGINT) => p.stop = Some(Stop::WithTheCluster),
        Event::Stop(_) => p.stop = Some(Stop::Alone),
    }
}

/// How long to wait before the next start of a mysqld that keeps ending.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause before the next start, which is counted as failed until [`Backoff::succeeded`].
    pub(crate) fn next(&mut self) -> Duration {
        let pause = match self.failures {
            0 => Duration::ZERO,
            n => Duration::from_secs(1 << n.min(4)),
        };
        self.failures = self.failures.saturating_add(1);
        pause
    }

    /// mysqld runs and answers.
    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_start_and_end_is_a_generation() {
        let mut p = Process::default();
        apply(&mut p, Event::Hello(0));
        assert_eq!((p.pid, p.generation), (None, 0));
        apply(&mut p, Event::Started(7));
        apply(&mut p, Event::Exited(9));
        apply(&mut p, Event::Started(8));
        assert_eq!((p.pid, p.generation, p.starts), (Some(8), 3, 2));
        apply(&mut p, Event::Exited(-1));
        apply(&mut p, Event::Stop(libc::SIGTERM));
        assert_eq!((p.pid, p.stop), (None, Some(Stop::Alone)));
        apply(&mut p, Event::Stop(libc::SIGINT));
        assert_eq!(p.stop, Some(Stop::WithTheCluster));
    }

    #[test]
    fn a_server_that_keeps_ending_is_started_less_and_less_often() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u64> = (0..7).map(|_| backoff.next().as_secs()).collect();
        assert_eq!(pauses, [0, 2, 4, 8, 16, 16, 16]);
        backoff.succeeded();
        assert_eq!(backoff.next(), Duration::ZERO);
    }
}
