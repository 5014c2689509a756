//! The links between members, and the store.

use leadership::{Message, Record, Swapped};

use super::data::Have;
use super::world::{MS, Micros, SECOND, What, World};

/// The links and what is wrong with them.
pub(crate) struct Network {
    /// How many faults cut each way.
    pub(crate) cut: Vec<Vec<u32>>,
    pub(crate) cut_store: Vec<u32>,
    pub(crate) store_down: u32,
    /// Swaps take their time, and come to the store long after nobody waits for them.
    pub(crate) store_slow: u32,
    /// Losses of a thousand; also doubles messages and makes some late.
    pub(crate) lossy: u64,
}

impl World {
    pub(crate) fn linked(&self, one: usize, other: usize) -> bool {
        self.network.cut[one][other] == 0 && self.network.cut[other][one] == 0
    }

    /// How long a message is under way.
    pub(crate) fn delay(&mut self) -> Micros {
        if self.network.lossy > 0 && self.rng.chance(self.network.lossy) {
            self.rng.between(10 * MS, 3 * SECOND)
        } else {
            self.rng.between(100, 2 * MS)
        }
    }

    pub(crate) fn send(&mut self, from: usize, to: usize, message: &Message<Have>) {
        if self.network.cut[from][to] > 0 || self.rng.chance(self.network.lossy) {
            return;
        }
        let copies = 1 + usize::from(self.rng.chance(self.network.lossy));
        for _ in 0..copies {
            let wait = self.delay();
            let message = message.clone();
            self.after(wait, What::Deliver { from, to, message });
        }
    }

    pub(crate) fn reaches_store(&self, id: usize) -> bool {
        self.network.store_down == 0 && self.network.cut_store[id] == 0
    }

    /// A swap on its way; the driver waits a second for the answer and never has two under way.
    pub(crate) fn swap(&mut self, id: usize, from: Record, to: Record) {
        let life = self.nodes[id].life;
        let lossy = self.network.lossy > 0 && self.rng.chance(self.network.lossy);
        let wait = if lossy || self.network.store_slow > 0 {
            self.rng.between(100 * MS, 4 * SECOND)
        } else {
            self.rng.between(MS, 10 * MS)
        };
        self.say(|| format!("m{id} asks for {}", told(&to)));
        let timeout = What::Answer {
            id,
            life,
            to: to.clone(),
            outcome: Swapped::Unknown,
        };
        self.after(SECOND, timeout);
        self.after(wait, What::Cas { id, life, from, to });
    }

    pub(super) fn cas(&mut self, id: usize, life: u32, from: &Record, to: Record) {
        if !self.reaches_store(id) {
            return;
        }
        let outcome = if self.record == *from || self.record == to {
            if self.record != to {
                self.stats.terms += u64::from(to.term > self.record.term);
                self.record = to.clone();
                self.most_acks = self.most_acks.max(to.acks);
                self.say(|| format!("the record is {}", told(&to)));
                self.show_all();
            }
            Swapped::Won
        } else {
            Swapped::Lost(self.record.clone())
        };
        if !self.rng.chance(self.network.lossy / 2) {
            let wait = self.delay();
            self.after(
                wait,
                What::Answer {
                    id,
                    life,
                    to,
                    outcome,
                },
            );
        }
    }

    /// The store tells whoever watches.
    fn show_all(&mut self) {
        for id in 0..self.nodes.len() {
            if self.reaches_store(id) && !self.rng.chance(200) {
                let wait = self.rng.between(MS, 300 * MS);
                let (life, record) = (self.nodes[id].life, self.record.clone());
                self.after(wait, What::Show { id, life, record });
            }
        }
    }

    pub(super) fn poll(&mut self, id: usize, life: u32) {
        if self.nodes[id].life != life {
            return;
        }
        if self.reaches_store(id) {
            let (wait, record) = (self.delay(), self.record.clone());
            self.after(wait, What::Show { id, life, record });
        }
        let wait = self.rng.between(300 * MS, SECOND);
        self.after(wait, What::Poll { id, life });
    }
}

/// A record in few words.
pub(crate) fn told(record: &Record) -> String {
    let holder = record.holder.as_deref().unwrap_or("nobody");
    let voters = record.voters.join(",");
    format!(
        "term {} of {holder}, version {}: {voters}, W={}",
        record.term, record.version, record.acks
    )
}
