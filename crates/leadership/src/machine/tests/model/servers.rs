//! The servers: what the agents make of them, and what clients write.

use std::collections::{BTreeMap, BTreeSet};

use super::super::name;
use super::world::{Log, Mode, Pending, Primary, Txn, World};
use crate::{Event, Position, Record, Stance};

impl World {
    /// The server does what the stance asks for.
    pub(super) fn stand(&mut self, id: usize) {
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
    pub(super) fn write(&mut self) {
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

    pub(super) fn pull(&mut self, id: usize) {
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

    pub(super) fn acknowledged(&mut self, id: usize, term: u64, from: usize, txns: &[Txn]) {
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

    pub(super) fn stop(&mut self, id: usize, term: u64) {
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
