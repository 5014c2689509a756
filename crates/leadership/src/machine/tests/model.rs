//! Every run of a small shard that differs from the undisturbed one by few faults.
//!
//! Undisturbed, everything is delivered in order and at once, and time goes by in coarse steps. A fault is the loss, the delay, or the
//! doubling of one message, swap or answer; the crash of an agent, a server, or a member, before anything or right after a write to
//! disk; a member cut off for some steps; a change of the voters or of W. All runs with up to `faults` of them, at all places, are
//! visited, each state once.

mod faults;
mod servers;
mod world;

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use faults::Fault;
use world::World;

/// How far to look.
struct Bounds {
    voters: usize,
    acks: usize,
    /// Coarse steps of time after the first primary serves.
    ticks: usize,
    faults: usize,
    states: usize,
}

/// How many states were visited, and whether these are all.
#[derive(Debug)]
struct Visited {
    states: usize,
    all: bool,
}

fn digest(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}

/// Visits everything within the bounds.
///
/// # Errors
/// The first broken rule, with the faults that led to it.
fn explore(bounds: &Bounds) -> Result<Visited, String> {
    let mut start = World::led(bounds.voters, bounds.acks);
    start.left = bounds.faults;
    let end = start.now + bounds.ticks as u64;
    let mut seen = HashSet::new();
    let mut todo: Vec<(World, Vec<(u64, Fault)>)> = vec![(start, Vec::new())];
    while let Some((mut world, path)) = todo.pop() {
        while world.now <= end && seen.insert(digest(&world)) {
            if seen.len() >= bounds.states {
                return Ok(Visited {
                    states: seen.len(),
                    all: false,
                });
            }
            if path.len() < bounds.faults {
                for fault in world.possible_faults() {
                    let mut other = world.clone();
                    let mut path = path.clone();
                    path.push((world.now, fault.clone()));
                    other.suffer(&fault);
                    other.left = bounds.faults - path.len();
                    check(&other, &path)?;
                    todo.push((other, path));
                }
            }
            world.go_on();
            check(&world, &path)?;
        }
    }
    Ok(Visited {
        states: seen.len(),
        all: true,
    })
}

fn check(world: &World, path: &[(u64, Fault)]) -> Result<(), String> {
    match &world.violation {
        None => Ok(()),
        Some(what) => Err(format!("{what} at {} after {path:#?}", world.now)),
    }
}

/// A bound of a test, unless the environment wants another.
fn bound(name: &str, usual: usize) -> usize {
    let wanted = std::env::var(name).ok();
    wanted.and_then(|n| n.parse().ok()).unwrap_or(usual)
}

/// Everything within the bounds is visited, or as many states as were asked for.
#[allow(
    clippy::print_stdout,
    reason = "how far a test looked is part of what it says"
)]
fn assert_holds(bounds: &Bounds) {
    match explore(bounds) {
        Ok(Visited { states, all }) => println!("{states} states, all within the bounds: {all}"),
        Err(violation) => assert_eq!(violation, ""),
    }
}

#[test]
fn three_members_keep_the_rules_in_all_runs_with_few_faults() {
    assert_holds(&Bounds {
        voters: 3,
        acks: 1,
        ticks: bound("MODEL_TICKS", 6),
        faults: bound("MODEL_FAULTS", 2),
        states: bound("MODEL_STATES", 3_000_000),
    });
}

#[test]
fn three_members_that_both_acknowledge_keep_the_rules() {
    assert_holds(&Bounds {
        voters: 3,
        acks: 2,
        ticks: bound("MODEL_TICKS", 4),
        faults: bound("MODEL_FAULTS", 2),
        states: bound("MODEL_STATES", 3_000_000),
    });
}

#[test]
fn five_members_keep_the_rules_in_runs_with_one_fault() {
    assert_holds(&Bounds {
        voters: 5,
        acks: 2,
        ticks: bound("MODEL_TICKS", 6),
        faults: bound("MODEL_FAULTS", 1),
        states: bound("MODEL_STATES", 3_000_000),
    });
}
