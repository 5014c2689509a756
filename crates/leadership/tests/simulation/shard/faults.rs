//! What goes wrong, and when it is right again.

use leadership::Event;

use super::world::{MS, SECOND, What, World};

/// Something that is wrong for a while.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    Cut { from: usize, to: usize },
    Isolated { id: usize, store: bool },
    AgentCrash { id: usize },
    AgentFreeze { id: usize },
    ServerKill { id: usize },
    MemberKill { id: usize },
    StoreDown,
    SlowStore,
    StoreCut { id: usize },
    SlowDisk { id: usize },
    SlowApply { id: usize },
    Lossy { per_mille: u64 },
    Ineligible { id: usize },
    HandOver { id: usize },
    Change { id: usize },
}

impl World {
    /// The primary that serves in the highest term.
    pub(crate) fn serving(&self) -> Option<usize> {
        (0..self.nodes.len())
            .filter(|id| self.nodes[*id].server.serves().is_some())
            .max_by_key(|id| self.nodes[*id].server.serves())
    }

    fn any_fault(&mut self) -> Fault {
        let mut id = self.rng.index(self.nodes.len());
        // Half of it hits the primary.
        if self.rng.chance(500)
            && let Some(primary) = self.serving()
        {
            id = primary;
        }
        let to = self.rng.index(self.nodes.len());
        match self.rng.below(if self.shape.changes { 21 } else { 17 }) {
            0 => Fault::Cut { from: id, to },
            1 => Fault::Cut { from: to, to: id },
            2 | 3 => Fault::Isolated {
                id,
                store: self.rng.chance(500),
            },
            4 | 5 => Fault::AgentCrash { id },
            6 | 7 => Fault::AgentFreeze { id },
            8 => Fault::ServerKill { id },
            9 => Fault::MemberKill { id },
            10 => Fault::StoreDown,
            11 => Fault::StoreCut { id },
            12 => Fault::SlowDisk { id },
            13 => Fault::SlowApply { id },
            14 => Fault::Lossy {
                per_mille: self.rng.between(20, 300),
            },
            15 => {
                if self.rng.chance(200) {
                    Fault::Ineligible { id }
                } else {
                    Fault::HandOver { id }
                }
            }
            16 => Fault::SlowStore,
            _ => Fault::Change { id },
        }
    }

    /// The next fault, for as long as faults are made.
    pub(crate) fn inject(&mut self) {
        if self.now >= self.quiet_from {
            return;
        }
        if self.rng.chance(100) {
            self.amnesia();
        }
        // Now and then several at once, or nearly.
        let volley = if self.rng.chance(300) {
            self.rng.between(2, 5)
        } else {
            1
        };
        for _ in 0..volley {
            let fault = self.any_fault();
            let lasts = (volley > 1).then(|| self.rng.between(20 * MS, 3 * SECOND));
            self.strike(fault, lasts);
        }
        let wait = self.rng.between(50 * MS, 2500 * MS);
        self.after(wait, What::Inject);
    }

    /// All forget the leases that they gave, just when the primary is cut off.
    fn amnesia(&mut self) {
        let Some(primary) = self.serving() else {
            return;
        };
        let store = self.rng.chance(500);
        self.strike(Fault::Isolated { id: primary, store }, None);
        for id in (0..self.nodes.len()).filter(|id| *id != primary) {
            let lasts = self.rng.between(MS, 50 * MS);
            self.strike(Fault::AgentCrash { id }, Some(lasts));
        }
    }

    /// Makes something wrong; `lasts` is drawn if not given.
    pub(crate) fn strike(&mut self, fault: Fault, lasts: Option<u64>) {
        self.say(|| format!("--- {fault:?}"));
        let drawn = match self.rng.below(3) {
            0 => self.rng.between(20 * MS, 600 * MS),
            1 => self.rng.between(300 * MS, 3 * SECOND),
            _ => self.rng.between(SECOND, 8 * SECOND),
        };
        match &fault {
            Fault::AgentCrash { id } => self.crash_agent(*id),
            Fault::AgentFreeze { id } => self.nodes[*id].frozen += 1,
            Fault::ServerKill { id } => {
                let server = &self.nodes[*id].server;
                if server.up || server.starting {
                    self.die(*id);
                }
            }
            Fault::MemberKill { id } => {
                self.crash_agent(*id);
                self.nodes[*id].server.die();
            }
            Fault::HandOver { id } => self.begin_hand_over(*id),
            Fault::Change { id } => self.begin_change(*id),
            Fault::Ineligible { id } => self.agent(*id, Event::Eligible(false)),
            other => self.shift(other, 1),
        }
        self.after(lasts.unwrap_or(drawn), What::Heal(fault));
    }

    fn shift(&mut self, fault: &Fault, by: i32) {
        let add = |count: &mut u32| *count = count.saturating_add_signed(by);
        match fault {
            Fault::Cut { from, to } if from != to => add(&mut self.network.cut[*from][*to]),
            Fault::Isolated { id, store } => {
                for other in (0..self.nodes.len()).filter(|other| other != id) {
                    add(&mut self.network.cut[*id][other]);
                    add(&mut self.network.cut[other][*id]);
                }
                if *store {
                    add(&mut self.network.cut_store[*id]);
                }
            }
            Fault::StoreDown => add(&mut self.network.store_down),
            Fault::SlowStore => add(&mut self.network.store_slow),
            Fault::StoreCut { id } => add(&mut self.network.cut_store[*id]),
            Fault::SlowDisk { id } => add(&mut self.nodes[*id].slow_disk),
            Fault::SlowApply { id } => add(&mut self.nodes[*id].slow_apply),
            Fault::Lossy { per_mille } => {
                self.network.lossy = if by > 0 { *per_mille } else { 0 };
            }
            _ => {}
        }
    }

    pub(crate) fn heal(&mut self, fault: &Fault) {
        self.say(|| format!("+++ {fault:?}"));
        match fault {
            Fault::AgentCrash { id } => self.boot(*id),
            Fault::AgentFreeze { id } => self.thaw(*id),
            Fault::MemberKill { id } => {
                if self.nodes[*id].machine.is_none() {
                    self.nodes[*id].reset_clock(&mut self.rng);
                    self.boot(*id);
                }
            }
            Fault::Ineligible { id } => {
                let eligible = self.nodes[*id].eligible;
                self.agent(*id, Event::Eligible(eligible));
            }
            other => self.shift(other, -1),
        }
    }

    /// Everything works again.
    pub(crate) fn heal_all(&mut self) {
        self.say(|| "+++ everything".to_owned());
        let all = self.nodes.len();
        self.network.cut = vec![vec![0; all]; all];
        self.network.cut_store = vec![0; all];
        self.network.store_down = 0;
        self.network.store_slow = 0;
        self.network.lossy = 0;
        for id in 0..all {
            self.nodes[id].slow_disk = 0;
            self.nodes[id].slow_apply = 0;
            self.nodes[id].frozen = 0;
            self.thaw(id);
            self.boot(id);
            let eligible = self.nodes[id].eligible;
            self.agent(id, Event::Eligible(eligible));
        }
    }
}
