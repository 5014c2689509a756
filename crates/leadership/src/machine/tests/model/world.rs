//! The members, their servers, the store, and what is pending between them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::super::name;
use crate::{Durable, Effect, Event, Machine, Message, Position, Record, Stance, Swapped, Timing};

/// A transaction: the number of its term, and which of the term; 0 is the term's row.
type Txn = (u64, u8);

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
    version: u64,
    pub(super) acks: usize,
    pub(super) counted: Vec<usize>,
    base: Log,
    written: u8,
    /// What waits, and who has it.
    waiting: BTreeMap<Txn, BTreeSet<usize>>,
    opened: bool,
    pub(super) open: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub(super) machine: Option<Machine<Log>>,
    durable: Durable,
    known: Option<Record>,
    pub(super) mode: Mode,
    log: Log,
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
    acked: BTreeSet<Txn>,
    based: BTreeMap<u64, (usize, Log)>,
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

    fn fail(&mut self, what: String) {
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

    /// The server does what the stance asks for.
    fn stand(&mut self, id: usize) {
        let Some(machine) = &self.nodes[id].machine else {
            return;
        };
        let killing = self.pending.contains(&Pending::Kill { id });
        let held = self.nodes[id].durable.held;
        match machine.stance() {
            _ if killing => {}
            Stance::Wait => match self.nodes[id].mode {
                Mode::Receiving { .. } => self.nodes[id].mode = Mode::Idle,
                Mode::Down if held == 0 => self.start(id),
                Mode::Primary(_) => self.pending.push_front(Pending::Kill { id }),
                _ => {}
            },
            Stance::Follow { record, base } => self.follow(id, &record, &base),
            Stance::Lead { record, serve } => self.lead(id, &record, serve),
        }
    }

    fn start(&mut self, id: usize) {
        self.nodes[id].mode = Mode::Idle;
        self.step(id, Event::ServerUp);
    }

    fn follow(&mut self, id: usize, record: &Record, base: &Log) {
        let held = self.nodes[id].durable.held;
        let (from, term) = (
            (0..self.nodes.len()).find(|o| record.is_held_by(&name(*o))),
            record.term,
        );
        let Some(from) = from else {
            return;
        };
        let node = &mut self.nodes[id];
        match &node.mode {
            _ if held > 0 && node.mode != Mode::Down => self.pending.push_front(Pending::Kill { id }),
            Mode::Down if held > 0 => {
                let lost: Vec<Txn> = node.log.0.difference(&base.0).copied().collect();
                node.log.0.retain(|txn| base.0.contains(txn));
                if let Some(txn) = lost.iter().find(|txn| self.acked.contains(txn)) {
                    self.fail(format!("{id} drops the acknowledged {txn:?}"));
                }
                self.step(id, Event::Cleared);
            }
            Mode::Down => self.start(id),
            Mode::Receiving { from: f, term: t } if (*f, *t) == (from, term) => {}
            Mode::Primary(_) => self.pending.push_front(Pending::Kill { id }),
            _ => {
                let joined = node.log.term() == term;
                if !joined && !base.covers(&node.log) {
                    if self.record.acks < 2 {
                        return self.fail(format!("{id} has what term {term} lacks"));
                    }
                    // It copies the primary's data.
                    node.log = base.clone();
                }
                node.mode = Mode::Receiving { from, term };
                self.pending.push_back(Pending::Pull { id });
            }
        }
    }

    fn lead(&mut self, id: usize, record: &Record, serve: bool) {
        let counted: Vec<usize> = (0..self.nodes.len())
            .filter(|other| *other != id && record.is_voter(&name(*other)))
            .collect();
        let term = record.term;
        let node = &mut self.nodes[id];
        match &mut node.mode {
            Mode::Primary(primary) if primary.term == term => {
                if record.version > primary.version {
                    (primary.version, primary.acks, primary.counted) = (record.version, record.acks, counted);
                }
                primary.open = serve && primary.opened;
                let served = self.acked.iter().filter(|(_, n)| *n > 0).map(|(t, _)| *t).max();
                if served > Some(term) && serve {
                    self.fail(format!("{id} begins to serve in term {term} after {served:?}"));
                }
                self.commit(id);
            }
            Mode::Primary(_) => self.pending.push_front(Pending::Kill { id }),
            Mode::Down => self.start(id),
            _ if node.log.term() == term => {}
            _ => {
                let base = node.log.clone();
                if let Some(missing) = self
                    .acked
                    .iter()
                    .find(|txn| txn.0 < term && !base.0.contains(txn))
                {
                    let what = format!("{id} starts term {term} without {missing:?}");
                    return self.fail(what);
                }
                if let Some((other, _)) = self.based.insert(term, (id, base.clone()))
                    && other != id
                {
                    self.fail(format!("term {term} is led by {other} and {id}"));
                }
                self.nodes[id].mode = Mode::Primary(Primary {
                    term,
                    version: record.version,
                    acks: record.acks,
                    counted,
                    base: base.clone(),
                    written: 0,
                    waiting: BTreeMap::new(),
                    opened: false,
                    open: false,
                });
                self.append(id);
                self.step(id, Event::Based { term, position: base });
            }
        }
    }

    /// How many of those that count have all that the primary has.
    pub(super) fn covered(&self, id: usize) -> usize {
        let Mode::Primary(primary) = &self.nodes[id].mode else {
            return 0;
        };
        let whole = |other: &&usize| self.nodes[**other].log == self.nodes[id].log;
        primary.counted.iter().filter(whole).count()
    }

    /// Clients write a little.
    fn write(&mut self) {
        for id in 0..self.nodes.len() {
            if matches!(&self.nodes[id].mode, Mode::Primary(p) if p.open && p.written < 4) {
                self.append(id);
            }
        }
    }

    fn append(&mut self, id: usize) {
        let Mode::Primary(primary) = &mut self.nodes[id].mode else {
            return;
        };
        let txn = (primary.term, primary.written);
        primary.written += 1;
        primary.waiting.insert(txn, BTreeSet::new());
        self.nodes[id].log.0.insert(txn);
        for other in 0..self.nodes.len() {
            if matches!(self.nodes[other].mode, Mode::Receiving { from, .. } if from == id) {
                self.pending.push_back(Pending::Pull { id: other });
            }
        }
        self.commit(id);
    }

    fn pull(&mut self, id: usize) {
        let Mode::Receiving { from, term } = self.nodes[id].mode else {
            return;
        };
        let admitted =
            matches!(&self.nodes[from].mode, Mode::Primary(p) if p.term == term && p.counted.contains(&id));
        if !admitted || self.is_cut(id) || self.is_cut(from) {
            return;
        }
        let log = self.nodes[from].log.clone();
        let txns: Vec<Txn> = log.0.iter().filter(|txn| txn.0 == term).copied().collect();
        self.nodes[id].log = log;
        self.pending.push_back(Pending::Ack {
            primary: from,
            term,
            from: id,
            txns,
        });
    }

    fn acknowledged(&mut self, id: usize, term: u64, from: usize, txns: &[Txn]) {
        if let Mode::Primary(primary) = &mut self.nodes[id].mode
            && primary.term == term
        {
            for txn in txns {
                if let Some(who) = primary.waiting.get_mut(txn) {
                    who.insert(from);
                }
            }
            self.commit(id);
        }
    }

    fn commit(&mut self, id: usize) {
        let Mode::Primary(primary) = &mut self.nodes[id].mode else {
            return;
        };
        let term = primary.term;
        let (acks, counted) = (primary.acks, primary.counted.clone());
        let done: Vec<Txn> = primary
            .waiting
            .extract_if(.., |_, who| {
                who.iter().filter(|w| counted.contains(w)).count() >= acks
            })
            .map(|(txn, _)| txn)
            .collect();
        for txn in done {
            self.acked.insert(txn);
            if let Some((later, _)) = self
                .based
                .iter()
                .find(|(t, (_, base))| **t > term && !base.0.contains(&txn))
            {
                let what = format!("{id} acknowledges {txn:?} after term {later} began without it");
                self.fail(what);
            }
            if txn.1 > 0 {
                let stale = (0..self.nodes.len()).find(
                    |other| matches!(&self.nodes[*other].mode, Mode::Primary(p) if p.open && p.term < term),
                );
                if let Some(stale) = stale {
                    self.fail(format!("{stale} serves while {id} acknowledges in term {term}"));
                }
            } else {
                if let Mode::Primary(primary) = &mut self.nodes[id].mode {
                    primary.opened = true;
                }
                self.step(id, Event::Opened { term });
            }
        }
    }

    fn stop(&mut self, id: usize, term: u64) {
        let node = &mut self.nodes[id];
        if matches!(node.mode, Mode::Primary(_)) {
            self.pending.push_front(Pending::Stop { id, term });
            return self.die(id);
        }
        if let Mode::Receiving { .. } = node.mode {
            node.mode = Mode::Idle;
        }
        let told = node.mode != Mode::Down || node.durable.held > 0;
        let position = told.then(|| node.log.clone());
        self.step(id, Event::Stopped { term, position });
    }
}
