//! A shard in virtual time: the queue of what happens, the network and the store.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use leadership::{Durable, Event, Member, Message, Record, Swapped};

use super::data::Have;
use super::faults::Fault;
use super::ledger::Ledger;
use super::network::Network;
use super::node::Node;
use super::rng::Rng;

/// Microseconds of the virtual time.
pub(crate) type Micros = u64;
pub(crate) const MS: Micros = 1000;
pub(crate) const SECOND: Micros = 1_000_000;

/// What happens at a time.
pub(crate) enum What {
    Tick {
        id: usize,
        step: u64,
    },
    Deliver {
        from: usize,
        to: usize,
        message: Message<Have>,
    },
    Persisted {
        id: usize,
        life: u32,
    },
    Cas {
        id: usize,
        life: u32,
        from: Record,
        to: Record,
    },
    Answer {
        id: usize,
        life: u32,
        to: Record,
        outcome: Swapped,
    },
    Poll {
        id: usize,
        life: u32,
    },
    Show {
        id: usize,
        life: u32,
        record: Record,
    },
    Look {
        id: usize,
        life: u32,
    },
    Boot {
        id: usize,
    },
    TaskDone {
        id: usize,
        task: u64,
    },
    Manage {
        id: usize,
    },
    Die {
        id: usize,
        epoch: u32,
    },
    Dead {
        id: usize,
        life: u32,
    },
    Started {
        id: usize,
        epoch: u32,
    },
    Deadline {
        id: usize,
        set: u64,
    },
    Pull {
        id: usize,
        attachment: u64,
    },
    Acked {
        primary: usize,
        epoch: u32,
        from: usize,
        upto: usize,
    },
    Apply {
        id: usize,
        epoch: u32,
    },
    Gate {
        id: usize,
        epoch: u32,
    },
    Client {
        id: usize,
    },
    Inject,
    Heal(Fault),
    HealAll,
    Change {
        id: usize,
        life: u32,
    },
    HandOver {
        id: usize,
        life: u32,
        to: usize,
        until: Micros,
    },
}

struct Entry {
    at: Micros,
    number: u64,
    what: What,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

/// The shard's shape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) voters: usize,
    pub(crate) acks: usize,
    /// Members that are no voters yet.
    pub(crate) spares: usize,
    /// Whether voters and W change.
    pub(crate) changes: bool,
}

/// Numbers of a run.
#[derive(Debug, Default, Clone)]
pub(crate) struct Stats {
    pub(crate) events: u64,
    pub(crate) terms: u64,
    pub(crate) acked: u64,
    pub(crate) rewinds: u64,
    pub(crate) clones: u64,
    pub(crate) dropped: u64,
    pub(crate) handovers: u64,
    pub(crate) changes: u64,
    pub(crate) errant: u64,
    /// When the last client's write was acknowledged, and the longest time without one since `gap_from`.
    pub(crate) last_ack: Micros,
    pub(crate) gap_from: Micros,
    pub(crate) gap: Micros,
}

/// The shard.
pub(crate) struct World {
    pub(crate) now: Micros,
    queue: BinaryHeap<Entry>,
    number: u64,
    pub(crate) rng: Rng,
    pub(crate) shape: Shape,
    pub(crate) names: Vec<Member>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) record: Record,
    pub(crate) network: Network,
    pub(crate) ledger: Ledger,
    pub(crate) stats: Stats,
    /// The most acknowledgements that a commit ever waited for.
    pub(crate) most_acks: usize,
    /// After this nothing breaks any more.
    pub(crate) quiet_from: Micros,
    pub(crate) trace: Option<Vec<String>>,
    /// Tells tasks, attachments and deadlines apart.
    pub(crate) unique: u64,
}

impl World {
    pub(crate) fn new(seed: u64, shape: Shape, quiet_from: Micros, traced: bool) -> World {
        let mut rng = Rng::new(seed);
        let all = shape.voters + shape.spares;
        let names: Vec<Member> = (0..all).map(|id| Arc::from(format!("m{id}"))).collect();
        let record = Record {
            term: 1,
            holder: Some(names[0].clone()),
            voters: names[..shape.voters].to_vec(),
            acks: shape.acks,
            version: 1,
        };
        let nodes = (0..all).map(|_| Node::new(&mut rng)).collect();
        let mut world = World {
            now: 0,
            queue: BinaryHeap::new(),
            number: 0,
            rng,
            shape,
            names,
            nodes,
            record,
            network: Network {
                cut: vec![vec![0; all]; all],
                cut_store: vec![0; all],
                store_down: 0,
                store_slow: 0,
                lossy: 0,
            },
            ledger: Ledger::default(),
            stats: Stats::default(),
            most_acks: shape.acks,
            quiet_from,
            trace: traced.then(Vec::new),
            unique: 0,
        };
        for id in 0..all {
            world.after(id as u64 * MS, What::Boot { id });
            world.after(SECOND + id as u64 * MS, What::Client { id });
        }
        world
    }

    pub(crate) fn after(&mut self, wait: Micros, what: What) {
        self.number += 1;
        self.queue.push(Entry {
            at: self.now + wait,
            number: self.number,
            what,
        });
    }

    pub(crate) fn fresh(&mut self) -> u64 {
        self.unique += 1;
        self.unique
    }

    pub(crate) fn say(&mut self, text: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>9.3} ms  {}", self.now as f64 / 1000.0, text()));
        }
    }

    /// Runs to this time, or to the first violation.
    pub(crate) fn run(&mut self, until: Micros) {
        while self.ledger.violation.is_none()
            && let Some(next) = self.queue.peek()
            && next.at <= until
        {
            let Some(entry) = self.queue.pop() else {
                return;
            };
            self.now = entry.at;
            self.stats.events += 1;
            if self.stats.events > 5_000_000 {
                self.ledger.fail("it never ends".to_owned());
            }
            self.handle(entry.what);
        }
        self.now = self.now.max(until);
    }

    fn handle(&mut self, what: What) {
        match what {
            What::Tick { id, step } => {
                if self.nodes[id].steps == step {
                    self.agent(id, Event::Tick);
                }
            }
            What::Deliver { from, to, message } => {
                let from = self.names[from].clone();
                self.agent(to, Event::Received { from, message });
            }
            What::Persisted { id, life } => self.persisted(id, life),
            What::Cas { id, life, from, to } => self.cas(id, life, &from, to),
            What::Answer {
                id,
                life,
                to,
                outcome,
            } => self.answer(id, life, to, outcome),
            What::Poll { id, life } => self.poll(id, life),
            What::Show { id, life, record } => {
                if self.nodes[id].life == life {
                    self.agent(id, Event::Record(record));
                }
            }
            What::Boot { id } => self.boot(id),
            What::Look { id, life } => self.look(id, life),
            What::TaskDone { id, task } => self.task_done(id, task),
            What::Manage { id } => self.manage(id),
            What::Die { id, epoch } => {
                if self.nodes[id].server.epoch == epoch {
                    self.die(id);
                }
            }
            What::Dead { id, life } => {
                if self.nodes[id].life == life {
                    self.agent(id, Event::ServerDown);
                    self.manage(id);
                }
            }
            What::Started { id, epoch } => self.started(id, epoch),
            What::Deadline { id, set } => self.deadline_passed(id, set),
            What::Pull { id, attachment } => self.pull(id, attachment),
            What::Acked {
                primary,
                epoch,
                from,
                upto,
            } => self.acknowledged(primary, epoch, from, upto),
            What::Apply { id, epoch } => self.apply(id, epoch),
            What::Gate { id, epoch } => self.gate(id, epoch),
            What::Client { id } => self.client(id),
            What::Inject => self.inject(),
            What::Heal(fault) => self.heal(&fault),
            What::HealAll => self.heal_all(),
            What::Change { id, life } => self.change(id, life),
            What::HandOver { id, life, to, until } => self.hand_over(id, life, to, until),
        }
    }

    pub(crate) fn id_of(&self, member: &Member) -> usize {
        self.names.iter().position(|name| name == member).unwrap_or(0)
    }

    pub(crate) fn ids_of(&self, record: &Record) -> Vec<usize> {
        record.voters.iter().map(|voter| self.id_of(voter)).collect()
    }

    /// No two members may serve at once after a later one acknowledged a write.
    pub(crate) fn check_serving(&mut self) {
        let served = self.ledger.served;
        let stale = (0..self.nodes.len()).find(|id| {
            let term = self.nodes[*id].server.serves();
            term.is_some_and(|term| term < served)
        });
        if let Some(id) = stale {
            let term = self.nodes[id].server.serves().unwrap_or(0);
            self.ledger.fail(format!(
                "m{id} still serves in term {term} while writes of term {served} are acknowledged"
            ));
        }
    }
}

/// What an agent keeps on disk.
#[derive(Default, Clone)]
pub(crate) struct Disk {
    pub(crate) durable: Durable,
    pub(crate) known: Option<Record>,
}

pub(crate) fn micros(duration: Duration) -> Micros {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
