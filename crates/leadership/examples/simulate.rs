//! Runs seeds of the simulation: `cargo run -p leadership --example simulate -- --seeds N --from S`, one with its trace by
//! `--trace S`, and how long single faults keep writers waiting by `--single N`.
#![allow(clippy::print_stdout, reason = "it is a program that prints")]

#[path = "../tests/simulation/shard/mod.rs"]
mod shard;

use std::collections::BTreeMap;
use std::time::Instant;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let number = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1)?.parse::<u64>().ok()
    };
    if let Some(seed) = number("--trace") {
        let outcome = match number("--kind") {
            Some(kind) => shard::single(seed, kind, true).1,
            None => shard::chaos(seed, true),
        };
        tell(&outcome);
    } else if let Some(seeds) = number("--single") {
        singles(seeds);
    } else {
        many(number("--from").unwrap_or(0), number("--seeds").unwrap_or(1000));
    }
}

fn tell(outcome: &shard::Outcome) {
    for line in &outcome.trace {
        println!("{line}");
    }
    println!(
        "{:?}\n{:?}\n{:?}",
        outcome.shape, outcome.stats, outcome.violation
    );
}

fn many(from: u64, seeds: u64) {
    let began = Instant::now();
    let mut failed = 0;
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in from..from + seeds {
        let outcome = shard::chaos(seed, false);
        let stats = &outcome.stats;
        for (name, value) in [
            ("events", stats.events),
            ("terms", stats.terms),
            ("acked", stats.acked),
            ("rewinds", stats.rewinds),
            ("clones", stats.clones),
            ("dropped", stats.dropped),
            ("handovers", stats.handovers),
            ("changes", stats.changes),
        ] {
            *sums.entry(name).or_default() += value;
        }
        if let Some(violation) = outcome.violation {
            failed += 1;
            println!("seed {seed} ({:?}): {violation}", outcome.shape);
        }
    }
    println!(
        "{seeds} seeds, {failed} failed, {:.1} s, {sums:?}",
        began.elapsed().as_secs_f64()
    );
}

fn singles(seeds: u64) {
    for kind in 0..shard::SINGLE_FAULTS {
        let mut gaps: Vec<(u64, u64)> = Vec::new();
        let mut name = String::new();
        for seed in 0..seeds {
            let (fault, outcome) = shard::single(seed, kind, false);
            if let Some(violation) = outcome.violation {
                println!("seed {seed} of kind {kind}: {violation}");
            }
            gaps.push((outcome.stats.gap / 1000, seed));
            name = format!("{fault:?}");
        }
        gaps.sort_unstable();
        let at = |part: usize| {
            gaps.get((gaps.len() - 1) * part / 100)
                .copied()
                .unwrap_or_default()
        };
        println!(
            "{kind:>2} {name:<32} half {:?} 90% {:?} 99% {:?} most {:?} (ms, seed)",
            at(50),
            at(90),
            at(99),
            at(100)
        );
    }
}
