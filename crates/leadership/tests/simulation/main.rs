//! Whole shards in virtual time, with everything that can go wrong drawn from a seed.
//!
//! `SIMULATION_SEEDS` asks for more seeds than usual; `cargo run -p leadership --example simulate -- --trace SEED` shows what
//! happened in one.

mod shard;

use shard::Outcome;

/// What broke, and what came before it.
fn told(outcome: &Outcome) -> Option<String> {
    let violation = outcome.violation.as_ref()?;
    let last = outcome.trace.len().saturating_sub(40);
    let trace = outcome.trace[last..].join("\n");
    Some(format!("{violation} ({:?})\n{trace}", outcome.shape))
}

#[test]
fn no_seed_breaks_a_rule() {
    let wanted = std::env::var("SIMULATION_SEEDS").ok();
    let seeds = wanted.and_then(|n| n.parse().ok()).unwrap_or(600);
    let failed = (0..seeds).find(|seed| shard::chaos(*seed, false).violation.is_some());
    let story = failed.and_then(|seed| Some(format!("seed {seed}: {}", told(&shard::chaos(seed, true))?)));
    assert_eq!(story, None);
}

#[test]
fn after_one_fault_a_shard_of_three_writes_again_within_ten_seconds() {
    for kind in 0..shard::SINGLE_FAULTS {
        for seed in 0..12 {
            let (fault, outcome) = shard::single(seed, kind, false);
            assert_eq!(outcome.violation, None, "seed {seed}, {fault:?}");
            let longest = outcome.stats.gap / 1_000_000;
            assert!(
                longest < 10,
                "{longest} s without a write by seed {seed}, {fault:?}"
            );
        }
    }
}
