//! What is done in a round, drawn from a seed.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

/// Members of the shard under test.
pub const MEMBERS: usize = 3;

/// A kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL.
    Kill(Part),
    /// SIGSTOP, later SIGCONT.
    Freeze(Part),
    /// The whole member is dead for a while.
    Down,
    /// `vitrail reparent` to the victim; to whoever fits best when that is the primary.
    Handover,
    /// SIGTERM to the supervisor: it hands over, stops and is started again.
    Terminate,
    /// SIGKILL to the topology store.
    StoreKill,
    /// SIGSTOP to the topology store, later SIGCONT.
    StoreFreeze,
    /// The store runs for a fraction of the time only.
    StoreSlow,
    /// The store is started with an empty file, and later with the right one.
    StoreEmpty,
    /// SIGKILL to the gateway.
    GatewayKill,
    /// SIGKILL to everything, and `up` again.
    PowerLoss,
    /// SIGKILL to all mysqlds of the shard at once.
    AllServers,
    /// The primary is down for a while, with commits that nobody else has.
    Tail(Tail),
    /// mysqld is killed while accounts are being changed.
    Grant,
    /// Somebody writes to the victim, which must be a replica.
    Errant,
    /// The victim's directory is lost.
    Disk,
}

/// A process of a member, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The server.
    Mysqld,
    /// The agent.
    Agent,
    /// What forked both. They die with it, but are not frozen with it.
    Supervisor,
    /// All three.
    Member,
}

/// What kind of commits only the former primary has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// Rows.
    Rows,
    /// Tables, too.
    Ddl,
    /// XA PREPARE and XA COMMIT, too.
    Xa,
}

impl Fault {
    /// All kinds.
    pub const ALL: [Self; 24] = [
        Self::Kill(Part::Mysqld),
        Self::Kill(Part::Agent),
        Self::Kill(Part::Supervisor),
        Self::Kill(Part::Member),
        Self::Freeze(Part::Mysqld),
        Self::Freeze(Part::Agent),
        Self::Freeze(Part::Supervisor),
        Self::Freeze(Part::Member),
        Self::Down,
        Self::Handover,
        Self::Terminate,
        Self::StoreKill,
        Self::StoreFreeze,
        Self::StoreSlow,
        Self::StoreEmpty,
        Self::GatewayKill,
        Self::PowerLoss,
        Self::AllServers,
        Self::Tail(Tail::Rows),
        Self::Tail(Tail::Ddl),
        Self::Tail(Tail::Xa),
        Self::Grant,
        Self::Errant,
        Self::Disk,
    ];

    /// Its name on the command line and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill(Part::Mysqld) => "kill-mysqld",
            Self::Kill(Part::Agent) => "kill-agent",
            Self::Kill(Part::Supervisor) => "kill-supervisor",
            Self::Kill(Part::Member) => "kill-member",
            Self::Freeze(Part::Mysqld) => "freeze-mysqld",
            Self::Freeze(Part::Agent) => "freeze-agent",
            Self::Freeze(Part::Supervisor) => "freeze-supervisor",
            Self::Freeze(Part::Member) => "freeze-member",
            Self::Down => "down-member",
            Self::Handover => "handover",
            Self::Terminate => "terminate",
            Self::StoreKill => "store-kill",
            Self::StoreFreeze => "store-freeze",
            Self::StoreSlow => "store-slow",
            Self::StoreEmpty => "store-empty",
            Self::GatewayKill => "gateway-kill",
            Self::PowerLoss => "power-loss",
            Self::AllServers => "all-servers",
            Self::Tail(Tail::Rows) => "tail",
            Self::Tail(Tail::Ddl) => "tail-ddl",
            Self::Tail(Tail::Xa) => "tail-xa",
            Self::Grant => "grant",
            Self::Errant => "errant",
            Self::Disk => "disk-lost",
        }
    }

    /// Whether it has a victim among the members.
    fn has_victim(self) -> bool {
        !matches!(
            self,
            Self::StoreKill
                | Self::StoreFreeze
                | Self::StoreSlow
                | Self::StoreEmpty
                | Self::GatewayKill
                | Self::PowerLoss
                | Self::AllServers
        )
    }

    /// Whether another fault may come on top of it, and it on top of another one.
    fn combines(self) -> bool {
        !matches!(
            self,
            Self::PowerLoss | Self::StoreEmpty | Self::Tail(_) | Self::Grant | Self::Errant | Self::Disk
        )
    }

    /// Whether the cluster is as good as new afterwards: a member that lost its data is no voter again.
    pub fn heals(self) -> bool {
        self != Self::Disk
    }

    /// For how long it may last, in milliseconds.
    fn lasts_ms(self) -> Range<u64> {
        match self {
            Self::Freeze(_) => 300..7000,
            Self::Down => 1000..8000,
            Self::StoreFreeze | Self::StoreSlow | Self::StoreEmpty => 1000..6000,
            Self::Tail(_) => 3000..10_000,
            Self::Disk => 500..1000,
            _ => 0..1,
        }
    }
}

/// Whom it hits, by the roles at the beginning of the round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    /// The primary.
    Primary,
    /// The replica with this index in the order of names.
    Replica(usize),
    /// None of the members, or all.
    Cluster,
}

impl fmt::Display for Victim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primary => f.write_str("primary"),
            Self::Replica(index) => write!(f, "replica {}", index + 1),
            Self::Cluster => f.write_str("-"),
        }
    }
}

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike {
    /// The kind.
    pub fault: Fault,
    /// Whom it hits.
    pub victim: Victim,
    /// For how long.
    pub lasts: Duration,
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.fault.name())?;
        if self.victim != Victim::Cluster {
            write!(f, " of {}", self.victim)?;
        }
        if self.lasts > Duration::from_millis(1) {
            write!(f, " for {} ms", self.lasts.as_millis())?;
        }
        Ok(())
    }
}

/// A round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How long the clients have been writing when it begins.
    pub moment: Duration,
    /// The fault.
    pub first: Strike,
    /// Another one on top of it, and how much later.
    pub second: Option<(Duration, Strike)>,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        if let Some((after, second)) = &self.second {
            write!(f, ", after {} ms {second}", after.as_millis())?;
        }
        Ok(())
    }
}

impl Plan {
    /// One fault and nothing else.
    pub fn of(fault: Fault, victim: Victim, lasts: Duration) -> Self {
        Self {
            moment: Duration::ZERO,
            first: Strike { fault, victim, lasts },
            second: None,
        }
    }

    /// Draws the plan of a round: the same for the same seed, round and choice.
    ///
    /// `only` leaves the faults of this name, and none on top of it.
    pub fn draw(seed: u64, round: u64, only: Option<&str>) -> Option<Self> {
        // Far apart, so that neighbouring seeds have no rounds in common.
        let mut rng = StdRng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(round));
        let chosen: Vec<Fault> = Fault::ALL
            .into_iter()
            .filter(|fault| only.is_none_or(|name| fault.name() == name))
            .collect();
        let fault = *chosen.choose(&mut rng)?;
        let first = Strike::draw(fault, &mut rng);
        let moment = Duration::from_millis(rng.random_range(0..600));
        let combined: Vec<Fault> = Fault::ALL.into_iter().filter(|f| f.combines()).collect();
        // Handovers are many small steps, so that something in the middle of them is what they are drawn for.
        let share = if fault == Fault::Handover { 0.7 } else { 0.35 };
        let second = (only.is_none() && fault.combines() && rng.random_bool(share))
            .then(|| combined.choose(&mut rng).copied())
            .flatten()
            .map(|second| {
                let after = rng.random_range(0..if fault == Fault::Handover { 400 } else { 2500 });
                (Duration::from_millis(after), Strike::draw(second, &mut rng))
            });
        Some(Self {
            moment,
            first,
            second,
        })
    }

    /// Whether the cluster is as good as new afterwards.
    pub fn heals(&self) -> bool {
        self.first.fault.heals()
    }
}

impl Strike {
    fn draw(fault: Fault, rng: &mut StdRng) -> Self {
        let replica = Victim::Replica(rng.random_range(0..MEMBERS - 1));
        let victim = match fault {
            _ if !fault.has_victim() => Victim::Cluster,
            Fault::Errant | Fault::Disk => replica,
            Fault::Tail(_) | Fault::Grant => Victim::Primary,
            // The primary is what matters most.
            _ if rng.random_bool(0.65) => Victim::Primary,
            _ => replica,
        };
        let lasts = Duration::from_millis(rng.random_range(fault.lasts_ms()));
        Self { fault, victim, lasts }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_rounds() {
        let plans = |seed| -> Vec<Plan> {
            (0..300)
                .map(|round| Plan::draw(seed, round, None).unwrap())
                .collect()
        };
        assert_eq!(plans(7), plans(7));
        assert_ne!(plans(7), plans(8));
        let names: BTreeSet<&str> = plans(7).iter().map(|plan| plan.first.fault.name()).collect();
        assert_eq!(names.len(), 24, "every kind is drawn: {names:?}");
        assert!(plans(7).iter().any(|plan| plan.second.is_some()));
        for plan in plans(7) {
            if matches!(plan.first.fault, Fault::Errant | Fault::Disk) {
                assert!(matches!(plan.first.victim, Victim::Replica(_)), "{plan}");
            }
        }
    }

    #[test]
    fn a_name_chooses_one_kind() {
        for fault in Fault::ALL {
            let plan = Plan::draw(1, 1, Some(fault.name())).unwrap();
            assert_eq!((plan.first.fault, plan.second), (fault, None));
        }
        assert_eq!(Plan::draw(1, 1, Some("nothing")), None);
    }
}
