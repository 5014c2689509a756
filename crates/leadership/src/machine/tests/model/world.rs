//! The members, their servers, the store, and what is pending between them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::super::name;
use crate::{Durable, Effect, Event, Machine, Message, Position, Record, Swapped, Timing};

/// A transaction: the number of its term, and which of the term; 0 is the term's row.
pub(super) type Txn = (u64, u8);

/// A log, and what it has.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Log(pub(super) BTreeSet<Txn>);

impl Position for Log {
    fn term(&self) -> u64 {
        let rows = self.0.iter().filter(|(_, n)| *n == 0);
        rows.map(|(term, _)| *term).max().unwrap_or(0)
    }

    fn covers(&self, other: &Log) -> bool {
        self.0.is_superset(&other.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Mode {
    Down,
    Idle,
    Receiving { from: usize, term: u64 },
    Primary(Primary),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Primary {
    pub(super) term: u64,
    /// Of the record that the next two come from, unless a change has begun.
    pub(super) version: u64,
    pub(super) acks: usize,
    pub(super) counted: Vec<usize>,
    pub(super) base: Log,
    pub(super) written: u8,
    /// What waits, and who has it.
    pub(super) waiting: BTreeMap<Txn, BTreeSet<usize>>,
    pub(super) opened: bool,
    pub(super) open: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub(super) machine: Option<Machine<Log>>,
    pub(super) durable: Durable,
    known: Option<Record>,
    pub(super) mode: Mode,
    pub(super) log: Log,
    deadline: Option<Duration>,
    /// When a crashed agent is started again.
    pub(super) back_at: u64,
}

/// Something that happens next, if nothing comes between.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Pending {
    Message {
        from: usize,
        to: usize,
        message: Message<Log>,
    },
    Swap {
        id: usize,
        from: Record,
        to: Record,
    },
    Answer {
        id: usize,
        to: Record,
        outcome: Swapped,
    },
    Show {
        id: usize,
        record: Record,
    },
    Stop {
        id: usize,
        term: u64,
    },
    CaughtUp {
        id: usize,
        term: u64,
    },
    Kill {
        id: usize,
    },
    Pull {
        id: usize,
    },
    Ack {
        primary: usize,
        term: u64,
        from: usize,
        txns: Vec<Txn>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) now: u64,
    /// The faults that may still come.
    pub(super) left: usize,
    pub(super) record: Record,
    pub(super) nodes: Vec<Node>,
    pub(super) pending: VecDeque<Pending>,
    /// What is delivered after this time.
    pub(super) late: Vec<(u64, Pending)>,
    /// Until when a member reaches nobody.
    pub(super) cut: Vec<u64>,
    /// The crash comes after the next write to disk of this member.
    pub(super) doomed: Option<usize>,
    pub(super) acked: BTreeSet<Txn>,
    pub(super) based: BTreeMap<u64, (usize, Log)>,
    pub(super) violation: Option<String>,
}

fn at(tick: u64) -> Duration {
    Duration::from_secs(tick)
}

/// Durations in steps.
fn timing() -> Timing {
    Timing {
        lease: at(3),
        renew: at(1),
        gate_before: at(1),
        backoff: at(0),
        pre_vote: at(1),
        swap: at(2),
        ask_again: at(1),
        patience: at(2),
        opening: at(4),
        reopen: at(2),
    }
}

impl World {
    /// A shard whose first member leads.
    pub(super) fn led(voters: usize, acks: usize) -> World {
        let record = Record {
            term: 1,
            holder: Some(name(0)),
            voters: (0..voters).map(name).collect(),
            acks,
            version: 1,
        };
        let node = || Node {
            machine: None,
            durable: Durable::default(),
            known: None,
            mode: Mode::Idle,
            log: Log::default(),
            deadline: None,
            back_at: 0,
        };
        let mut world = World {
            now: 0,
            left: 0,
            record,
            nodes: (0..voters).map(|_| node()).collect(),
            pending: VecDeque::new(),
            late: Vec::new(),
            cut: vec![0; voters],
            doomed: None,
            acked: BTreeSet::new(),
            based: BTreeMap::new(),
            violation: None,
        };
        while world.serving().is_none() && world.now < 20 {
            world.go_on();
        }
        world
    }

    pub(super) fn serving(&self) -> Option<usize> {
        (0..self.nodes.len()).find(|id| matches!(&self.nodes[*id].mode, Mode::Primary(p) if p.open))
    }

    pub(super) fn is_cut(&self, id: usize) -> bool {
        self.now < self.cut[id]
    }

    pub(super) fn fail(&mut self, what: String) {
        self.violation.get_or_insert(what);
    }

    /// What happens if nothing comes between: what is pending, then time.
    pub(super) fn go_on(&mut self) {
        match self.pending.pop_front() {
            Some(pending) => self.happen(pending),
            None => self.tick(),
        }
    }

    fn tick(&mut self) {
        self.now += 1;
        let now = self.now;
        for (_, pending) in self
            .late
            .extract_if(.., |(when, _)| *when <= now)
            .collect::<Vec<_>>()
        {
            self.pending.push_back(pending);
        }
        for id in 0..self.nodes.len() {
            if self.nodes[id].machine.is_none() && self.nodes[id].back_at <= now {
                self.boot(id);
            }
            let due = self.nodes[id]
                .deadline
                .is_some_and(|deadline| deadline <= at(now));
            if due && self.nodes[id].mode != Mode::Down {
                self.die(id);
            }
            self.step(id, Event::Tick);
            if !self.is_cut(id) {
                let record = self.record.clone();
                self.pending.push_back(Pending::Show { id, record });
            }
            if matches!(self.nodes[id].mode, Mode::Receiving { .. }) {
                self.pending.push_back(Pending::Pull { id });
            }
        }
        self.write();
    }

    fn happen(&mut self, pending: Pending) {
        match pending {
            Pending::Message { from, to, message } => {
                if !self.is_cut(from) && !self.is_cut(to) {
                    let from = name(from);
                    self.step(to, Event::Received { from, message });
                }
            }
            Pending::Swap { id, from, to } if !self.is_cut(id) => {
                let outcome = if self.record == from {
                    self.record = to.clone();
                    Swapped::Won
                } else {
                    Swapped::Lost(self.record.clone())
                };
                self.pending.push_back(Pending::Answer { id, to, outcome });
            }
            Pending::Swap { .. } => {}
            Pending::Answer { id, to, outcome } => self.step(id, Event::Swapped { to, outcome }),
            Pending::Show { id, record } => self.step(id, Event::Record(record)),
            Pending::Stop { id, term } => self.stop(id, term),
            Pending::CaughtUp { id, term } => self.step(id, Event::CaughtUp { term, done: true }),
            Pending::Kill { id } => self.die(id),
            Pending::Pull { id } => self.pull(id),
            Pending::Ack {
                primary,
                term,
                from,
                txns,
            } => self.acknowledged(primary, term, from, &txns),
        }
    }

    fn boot(&mut self, id: usize) {
        let node = &mut self.nodes[id];
        let machine = Machine::new(
            name(id),
            timing(),
            node.known.clone(),
            node.durable,
            node.mode != Mode::Down,
            at(self.now),
            1,
        );
        node.machine = Some(machine);
        if let Mode::Primary(primary) = &node.mode {
            let (term, base, opened) = (primary.term, primary.base.clone(), primary.opened);
            if opened {
                self.step(id, Event::Resumed { term, base });
            } else {
                self.pending.push_front(Pending::Kill { id });
            }
        }
        self.step(id, Event::Eligible(true));
        let up = self.nodes[id].mode != Mode::Down;
        self.step(id, if up { Event::ServerUp } else { Event::ServerDown });
    }

    pub(super) fn die(&mut self, id: usize) {
        if self.nodes[id].mode != Mode::Down {
            self.nodes[id].mode = Mode::Down;
            self.step(id, Event::ServerDown);
        }
    }

    pub(super) fn step(&mut self, id: usize, event: Event<Log>) {
        let now = at(self.now);
        let Some(machine) = &mut self.nodes[id].machine else {
            return;
        };
        let effects = machine.step(event, now);
        // With no back-off its random numbers make no difference.
        machine.random = 1;
        for effect in effects {
            match effect {
                Effect::Persist(durable) => {
                    self.nodes[id].durable = durable;
                    if self.doomed == Some(id) {
                        self.doomed = None;
                        return self.crash(id, 1);
                    }
                }
                Effect::Send { to, message } => {
                    let to = (0..self.nodes.len())
                        .find(|other| name(*other) == to)
                        .unwrap_or(id);
                    self.pending.push_back(Pending::Message {
                        from: id,
                        to,
                        message,
                    });
                }
                Effect::Swap { from, to } => self.pending.push_back(Pending::Swap { id, from, to }),
                Effect::StopReceiving { term } => self.pending.push_back(Pending::Stop { id, term }),
                Effect::CatchUp { term } => self.pending.push_back(Pending::CaughtUp { id, term }),
                Effect::Kill if self.nodes[id].mode != Mode::Down => {
                    // Before any stop that is ordered later.
                    self.pending.push_back(Pending::Kill { id });
                }
                Effect::Kill => {}
                Effect::Deadline(deadline) => self.nodes[id].deadline = deadline,
                Effect::Errant { one, other } => self.fail(format!("{one} and {other} are errant")),
            }
        }
        self.nodes[id].known = self.nodes[id].machine.as_ref().and_then(|m| m.known().cloned());
        self.stand(id);
    }

    /// The agent ends; its server lives on.
    pub(super) fn crash(&mut self, id: usize, ticks: u64) {
        self.nodes[id].machine = None;
        self.nodes[id].back_at = self.now + ticks;
        let theirs = |pending: &Pending| match pending {
            Pending::Stop { id: of, .. } | Pending::Kill { id: of } | Pending::Answer { id: of, .. } => {
                *of == id
            }
            Pending::Show { id: of, .. } | Pending::CaughtUp { id: of, .. } => *of == id,
            _ => false,
        };
        self.pending.retain(|pending| !theirs(pending));
        self.late.retain(|(_, pending)| !theirs(pending));
    }
}
