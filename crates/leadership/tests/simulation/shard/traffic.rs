//! Clients that write, receivers that pull, acknowledgements.

use super::server::{Mode, Primary};
use super::world::{MS, Micros, What, World};

impl World {
    pub(crate) fn client(&mut self, id: usize) {
        if self.nodes[id].server.serves().is_some() {
            self.write(id, false);
        }
        let wait = self.rng.between(5 * MS, 80 * MS);
        self.after(wait, What::Client { id });
    }

    /// A transaction, or the row of the term.
    pub(crate) fn write(&mut self, id: usize, row: bool) {
        let Some(primary) = self.nodes[id].server.primary_mut() else {
            return;
        };
        let txn = self.ledger.write(primary.term, row);
        if row {
            primary.row = Some(txn);
        }
        self.nodes[id].server.append(txn);
        let waiting: Vec<(usize, u64)> = (0..self.nodes.len())
            .filter_map(|other| {
                let receiving = self.nodes[other].server.receiving_mut()?;
                let wakes = receiving.from == id && std::mem::take(&mut receiving.waits);
                wakes.then_some((other, receiving.attachment))
            })
            .collect();
        for (id, attachment) in waiting {
            let wait = self.rng.between(200, 3 * MS);
            self.after(wait, What::Pull { id, attachment });
        }
        self.commit(id);
    }

    /// A receiver takes the next transactions that it lacks.
    pub(crate) fn pull(&mut self, id: usize, attachment: u64) {
        let Some(receiving) = self.nodes[id].server.receiving() else {
            return;
        };
        if receiving.attachment != attachment {
            return;
        }
        let (from, term, epoch, cursor) = (receiving.from, receiving.term, receiving.epoch, receiving.cursor);
        let source = &self.nodes[from].server;
        // The primary of the term serves receivers of that term alone.
        let admitted = |p: &Primary| p.term == term && p.counted.contains(&id);
        let reached = self.linked(id, from) && source.primary().is_some_and(admitted);
        if !reached {
            let wait = self.rng.between(20 * MS, 150 * MS);
            return self.after(wait, What::Pull { id, attachment });
        }
        let cursor = if source.epoch == epoch { cursor } else { 0 };
        let epoch = source.epoch;
        let mine = &self.nodes[id].server.have;
        let batch = usize::try_from(self.rng.between(1, 20)).unwrap_or(1);
        let mut next = cursor;
        let mut taken = Vec::new();
        while next < source.binlog.len() && taken.len() < batch {
            if !mine.has(source.binlog[next]) {
                taken.push(source.binlog[next]);
            }
            next += 1;
        }
        let all = next == source.binlog.len();
        let server = &mut self.nodes[id].server;
        for txn in taken {
            server.relay.push_back(txn);
            server.have.insert(txn);
        }
        if let Some(receiving) = server.receiving_mut() {
            receiving.epoch = epoch;
            receiving.cursor = next;
            receiving.waits = all;
        }
        if !all {
            let wait = self.rng.between(100, 2 * MS);
            self.after(wait, What::Pull { id, attachment });
        }
        let wait = self.rng.between(200, 2 * MS);
        self.after(
            wait,
            What::Acked {
                primary: from,
                epoch,
                from: id,
                upto: next,
            },
        );
        self.schedule_apply(id);
    }

    pub(crate) fn acknowledged(&mut self, primary: usize, epoch: u32, from: usize, upto: usize) {
        if self.nodes[primary].server.epoch != epoch {
            return;
        }
        if !self.linked(primary, from) {
            return self.after(
                100 * MS,
                What::Acked {
                    primary,
                    epoch,
                    from,
                    upto,
                },
            );
        }
        if let Some(leading) = self.nodes[primary].server.primary_mut() {
            let acked = &mut leading.acked_by[from];
            *acked = upto.max(*acked);
            self.commit(primary);
        }
    }

    /// Commits what enough members have received, and tells the clients.
    pub(crate) fn commit(&mut self, id: usize) {
        let done = self.nodes[id].server.commit();
        let Some(primary) = self.nodes[id].server.primary_mut() else {
            return;
        };
        let term = primary.term;
        let opens = primary.row.is_some_and(|row| done.contains(&row));
        primary.opened |= opens;
        for txn in done {
            let known = self.ledger.entry(txn).term < term;
            if known {
                continue;
            }
            self.ledger.ack(txn, term, id);
            if !self.ledger.entry(txn).row {
                self.stats.acked += 1;
                let gap = self.now - self.stats.last_ack.max(self.stats.gap_from);
                if self.now >= self.stats.gap_from {
                    self.stats.gap = self.stats.gap.max(gap);
                }
                self.stats.last_ack = self.now;
            }
        }
        if opens {
            self.say(|| format!("m{id} opened term {term}"));
            self.ledger.open(term, id);
            self.agent(id, leadership::Event::Opened { term });
        }
        self.check_serving();
    }

    pub(crate) fn schedule_apply(&mut self, id: usize) {
        let slow = self.nodes[id].slow_apply > 0;
        let server = &mut self.nodes[id].server;
        if server.applying || !server.up || server.relay.is_empty() {
            return;
        }
        server.applying = true;
        let epoch = server.epoch;
        let wait: Micros = if slow {
            self.rng.between(100 * MS, 1500 * MS)
        } else {
            self.rng.between(MS, 10 * MS)
        };
        self.after(wait, What::Apply { id, epoch });
    }

    pub(crate) fn apply(&mut self, id: usize, epoch: u32) {
        let server = &mut self.nodes[id].server;
        if server.epoch != epoch || !server.applying {
            return;
        }
        server.applying = false;
        if server.up && !matches!(server.mode, Mode::Primary(_)) {
            server.apply();
        }
    }
}
