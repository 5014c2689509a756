//! Three machines whose messages arrive at once, with a store that answers at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::{Durable, Effect, Event, Machine, Member, Position, Record, Stance, Swapped, Timing};

/// The rows of terms, one bit each, and a number of other transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Log {
    pub(super) term: u64,
    pub(super) others: u64,
}

impl Position for Log {
    fn term(&self) -> u64 {
        self.term
    }

    fn covers(&self, other: &Log) -> bool {
        self.term >= other.term && self.others >= other.others
    }
}

pub(super) fn name(id: usize) -> Member {
    Arc::from(["a", "b", "c", "d", "e"][id])
}

pub(super) fn record(term: u64, holder: usize) -> Record {
    Record {
        term,
        holder: Some(name(holder)),
        voters: (0..3).map(name).collect(),
        acks: 1,
        version: 1,
    }
}

pub(super) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A member of the shard.
pub(super) struct Node {
    pub(super) machine: Machine<Log>,
    pub(super) log: Log,
    pub(super) up: bool,
    /// Whether its agent can be reached.
    pub(super) reachable: bool,
    pub(super) effects: Vec<Effect<Log>>,
}

/// The shard, led by nobody at first; the record names the first.
pub(super) struct Shard {
    pub(super) now: Duration,
    pub(super) record: Record,
    pub(super) nodes: Vec<Node>,
    queue: VecDeque<(usize, Event<Log>)>,
}

impl Shard {
    pub(super) fn new() -> Shard {
        let record = record(1, 0);
        let nodes = (0..3)
            .map(|id| Node {
                machine: Machine::new(
                    name(id),
                    Timing::default(),
                    None,
                    Durable::default(),
                    false,
                    ms(0),
                    id as u64 + 7,
                ),
                log: Log::default(),
                up: true,
                reachable: true,
                effects: Vec::new(),
            })
            .collect();
        let mut shard = Shard {
            now: ms(0),
            record,
            nodes,
            queue: VecDeque::new(),
        };
        for id in 0..3 {
            shard.give(id, Event::ServerUp);
            shard.give(id, Event::Eligible(true));
            shard.give(id, Event::Record(shard.record.clone()));
        }
        shard
    }

    /// A shard that the first member leads.
    pub(super) fn led() -> Shard {
        let mut shard = Shard::new();
        shard.pass(3000);
        assert_eq!(shard.primary(), Some((0, 1)));
        shard
    }

    /// An event, and all that follows from it at once.
    pub(super) fn give(&mut self, id: usize, event: Event<Log>) {
        self.queue.push_back((id, event));
        while let Some((id, event)) = self.queue.pop_front() {
            let effects = self.nodes[id].machine.step(event, self.now);
            for effect in &effects {
                self.carry_out(id, effect.clone());
            }
            self.nodes[id].effects.extend(effects);
            self.stand(id);
        }
    }

    fn carry_out(&mut self, id: usize, effect: Effect<Log>) {
        let answer = match effect {
            Effect::Send { to, message } => {
                let to = (0..3).find(|other| name(*other) == to).unwrap_or(id);
                if self.nodes[id].reachable && self.nodes[to].reachable {
                    let from = name(id);
                    self.queue.push_back((to, Event::Received { from, message }));
                }
                return;
            }
            Effect::Swap { from, to } => {
                let outcome = if self.record == from {
                    self.record = to.clone();
                    Swapped::Won
                } else {
                    Swapped::Lost(self.record.clone())
                };
                Event::Swapped { to, outcome }
            }
            Effect::StopReceiving { term } => {
                let node = &self.nodes[id];
                let known = node.up || node.machine.durable().held > 0;
                let position = known.then_some(node.log);
                Event::Stopped { term, position }
            }
            Effect::CatchUp { term } => Event::CaughtUp { term, done: true },
            Effect::Kill if self.nodes[id].up => {
                self.nodes[id].up = false;
                Event::ServerDown
            }
            _ => return,
        };
        self.queue.push_back((id, answer));
    }

    /// The server does what the stance asks for: a primary writes its row, followers have it at once.
    fn stand(&mut self, id: usize) {
        let node = &mut self.nodes[id];
        match node.machine.stance() {
            Stance::Lead { record, .. } if node.log.term < record.term => {
                let term = record.term;
                if !node.up {
                    node.up = true;
                    self.queue.push_back((id, Event::ServerUp));
                }
                let position = self.nodes[id].log;
                self.nodes[id].log.term = term;
                self.queue.push_back((id, Event::Based { term, position }));
            }
            Stance::Follow { record, base } => {
                let leader = (0..3)
                    .find(|other| record.is_held_by(&name(*other)))
                    .unwrap_or(id);
                if node.machine.durable().held > 0 {
                    node.log = base;
                    return self.queue.push_back((id, Event::Cleared));
                }
                if !node.up {
                    node.up = true;
                    self.queue.push_back((id, Event::ServerUp));
                }
                let term = record.term;
                if self.nodes[id].log.term < term && self.nodes[leader].up {
                    self.nodes[id].log = self.nodes[leader].log;
                    self.queue.push_back((leader, Event::Opened { term }));
                }
            }
            _ => {}
        }
    }

    /// Time goes by in small steps, in which every reachable member looks at the store.
    pub(super) fn pass(&mut self, millis: u64) {
        for _ in 0..millis / 10 {
            self.now += ms(10);
            for id in 0..3 {
                if self.nodes[id].reachable {
                    self.give(id, Event::Record(self.record.clone()));
                } else {
                    self.give(id, Event::Tick);
                }
            }
        }
    }

    /// Who serves, and in which term.
    pub(super) fn primary(&self) -> Option<(usize, u64)> {
        let serving: Vec<(usize, u64)> = (0..3)
            .filter_map(|id| match self.nodes[id].machine.stance() {
                Stance::Lead { record, serve: true } => Some((id, record.term)),
                _ => None,
            })
            .collect();
        assert!(serving.len() < 2, "{serving:?}");
        serving.first().copied()
    }
}
