//! Whole runs.

use leadership::Stance;

use super::faults::Fault;
use super::network::told;
use super::rng::Rng;
use super::world::{MS, Micros, SECOND, Shape, Stats, What, World};

/// How a run ended.
pub(crate) struct Outcome {
    pub(crate) shape: Shape,
    pub(crate) stats: Stats,
    pub(crate) violation: Option<String>,
    pub(crate) trace: Vec<String>,
}

fn shape_of(seed: u64) -> Shape {
    let mut rng = Rng::new(seed ^ 0xabcd);
    let (voters, acks) = [
        (1, 0),
        (2, 1),
        (3, 1),
        (3, 1),
        (3, 1),
        (3, 2),
        (5, 2),
        (5, 2),
        (4, 1),
        (5, 1),
    ][rng.index(10)];
    let changes = rng.chance(400);
    let spares = if changes { rng.index(3) } else { 0 };
    Shape {
        voters,
        acks,
        spares,
        changes,
    }
}

/// Half a minute of faults, then half a minute in which everything must come right.
pub(crate) fn chaos(seed: u64, traced: bool) -> Outcome {
    let shape = shape_of(seed);
    let quiet_from = 30 * SECOND;
    let mut world = World::new(seed, shape, quiet_from, traced);
    world.after(3 * SECOND, What::Inject);
    world.after(quiet_from, What::HealAll);
    // What was under way when everything was healed ends first.
    world.run(quiet_from + 25 * SECOND);
    let since = world.now;
    world.run(quiet_from + 30 * SECOND);
    if world.ledger.violation.is_none() {
        let stuck = stuck(&world, since);
        world.ledger.violation = stuck;
    }
    Outcome {
        shape,
        stats: world.stats.clone(),
        violation: world.ledger.violation.take(),
        trace: world.trace.take().unwrap_or_default(),
    }
}

/// Why the shard does not work although nothing is wrong any more.
fn stuck(world: &World, since: Micros) -> Option<String> {
    if world.stats.last_ack < since {
        return Some(format!(
            "no write was acknowledged; the record: {}",
            told(&world.record)
        ));
    }
    let Some(primary) = world.serving() else {
        return Some("nobody serves".to_owned());
    };
    let term = world.nodes[primary].server.serves();
    let lagging = world.ids_of(&world.record).into_iter().find(|id| {
        let server = &world.nodes[*id].server;
        let receiving = server.receiving().map(|r| r.term);
        *id != primary && receiving != term
    });
    if let Some(id) = lagging {
        return Some(format!("m{id} does not follow m{primary}"));
    }
    let record_is_served =
        matches!(&world.nodes[primary].stance, Stance::Lead { record, .. } if *record == world.record);
    if !record_is_served {
        return Some(format!(
            "m{primary} serves, and the record: {}",
            told(&world.record)
        ));
    }
    world
        .ledger
        .acked()
        .beyond(&world.nodes[primary].server.have)
        .map(|txn| format!("transaction {txn} is lost"))
}

/// How long no write is acknowledged when one thing goes wrong in a shard of three.
pub(crate) fn single(seed: u64, kind: u64, traced: bool) -> (Fault, Outcome) {
    let shape = Shape {
        voters: 3,
        acks: 1,
        spares: 0,
        changes: false,
    };
    let end = 60 * SECOND;
    let mut world = World::new(seed, shape, 0, traced);
    world.run(6 * SECOND + seed % 1000 * MS);
    let id = world.serving().unwrap_or(0);
    let other = (id + 1 + usize::from(seed.is_multiple_of(2))) % 3;
    let fault = match kind {
        0 => Fault::ServerKill { id },
        1 => Fault::MemberKill { id },
        2 => Fault::AgentCrash { id },
        3 => Fault::AgentFreeze { id },
        4 => Fault::Isolated { id, store: true },
        5 => Fault::Isolated { id, store: false },
        6 => Fault::Cut { from: id, to: other },
        7 => Fault::Cut { from: other, to: id },
        8 => Fault::MemberKill { id: other },
        9 => Fault::StoreDown,
        10 => Fault::SlowDisk { id },
        11 => Fault::HandOver { id },
        12 => Fault::Isolated {
            id: other,
            store: true,
        },
        _ => Fault::AgentFreeze { id: other },
    };
    let started = world.now;
    world.stats.gap_from = started;
    world.stats.gap = 0;
    // For short faults and for lasting ones.
    let lasts = if seed.is_multiple_of(4) {
        world.rng.between(100 * MS, 5 * SECOND)
    } else {
        40 * SECOND
    };
    world.strike(fault.clone(), Some(lasts));
    world.run(started + 30 * SECOND);
    if world.stats.last_ack + 2 * SECOND < world.now {
        world.stats.gap = world.now - world.stats.last_ack;
    }
    world.run(end.max(started + 42 * SECOND));
    let outcome = Outcome {
        shape,
        stats: world.stats.clone(),
        violation: world.ledger.violation.take(),
        trace: world.trace.take().unwrap_or_default(),
    };
    (fault, outcome)
}

pub(crate) const SINGLE_FAULTS: u64 = 14;
