//! Worker threads on cores of their own.
//!
//! A worker that the kernel moves leaves its caches behind and is woken across cores; both cost more than all that it does for a query.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// Whether workers stay on one core each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum PinWorkers {
    /// When there are as many workers as cores that the process may use. With fewer, gateways beside this one would choose the same cores.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// The cores of `workers` workers, in their order; empty when they are not pinned.
pub fn cores(pin: PinWorkers, workers: usize) -> Vec<usize> {
    match sched_getaffinity(Pid::from_raw(0)) {
        Ok(allowed) => choose(pin, workers, &allowed),
        Err(error) => {
            tracing::warn!(%error, "workers are not pinned to cores");
            Vec::new()
        }
    }
}

fn choose(pin: PinWorkers, workers: usize, allowed: &CpuSet) -> Vec<usize> {
    let allowed: Vec<usize> = (0..CpuSet::count())
        .filter(|core| allowed.is_set(*core) == Ok(true))
        .collect();
    let pinned = match pin {
        PinWorkers::Auto => workers == allowed.len(),
        PinWorkers::On => true,
        PinWorkers::Off => false,
    };
    if !pinned {
        return Vec::new();
    }
    allowed.into_iter().cycle().take(workers).collect()
}

/// Keeps the calling thread on a core. That it cannot is only logged.
pub fn pin(core: usize) {
    let mut only = CpuSet::new();
    let pinned = only
        .set(core)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &only));
    if let Err(error) = pinned {
        tracing::warn!(core, %error, "a worker is not pinned to its core");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_per_core_stays_there() {
        let mut allowed = CpuSet::new();
        for core in [1, 4, 5] {
            allowed.set(core).unwrap();
        }
        assert_eq!(choose(PinWorkers::Auto, 3, &allowed), [1, 4, 5]);
        assert_eq!(choose(PinWorkers::Auto, 2, &allowed), [0; 0]);
        assert_eq!(choose(PinWorkers::On, 4, &allowed), [1, 4, 5, 1]);
        assert_eq!(choose(PinWorkers::Off, 3, &allowed), [0; 0]);
    }

    #[test]
    fn a_thread_is_pinned() {
        let core = std::thread::spawn(|| {
            let [core, ..] = cores(PinWorkers::On, 1)[..] else {
                return None;
            };
            pin(core);
            Some(cores(PinWorkers::Auto, 1) == [core])
        });
        assert_eq!(core.join().unwrap(), Some(true));
    }
}
