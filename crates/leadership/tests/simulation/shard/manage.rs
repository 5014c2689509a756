//! How an agent manages its server: one task at a time, the machine's orders first, then what its stance asks for.

use leadership::{Event, Position, Record, Stance};

use super::data::Have;
use super::server::{Mode, Primary, Receiving};
use super::world::{MS, Micros, SECOND, What, World};

/// An order of the machine.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    Stop { term: u64 },
    CatchUp { term: u64 },
}

/// What the server is busy with.
pub(crate) enum Task {
    Stop {
        term: u64,
    },
    CatchUp {
        term: u64,
        until: Micros,
    },
    Promote {
        record: Record,
    },
    /// Comparing the data of a former primary with the base, and cutting it.
    Clear {
        base: Have,
    },
    /// Executing what of the received is in the base, and dropping the rest.
    Trim {
        base: Have,
    },
    Clone {
        from: usize,
    },
}

impl World {
    fn begin(&mut self, id: usize, task: Task, wait: Micros) {
        let number = self.fresh();
        self.nodes[id].task = Some((number, task));
        self.after(wait, What::TaskDone { id, task: number });
    }

    /// Looks what is to be done with the server. Called whenever something has changed.
    pub(crate) fn manage(&mut self, id: usize) {
        let node = &mut self.nodes[id];
        if node.machine.is_none() || node.frozen > 0 || node.killing || node.looking {
            return;
        }
        // A stop ends the wait of a catch-up, and does not wait for a copy.
        if matches!(node.orders.front(), Some(Order::Stop { .. }))
            && matches!(node.task, Some((_, Task::CatchUp { .. } | Task::Clone { .. })))
        {
            node.task = None;
        }
        if node.task.is_some() {
            return;
        }
        if let Some(order) = node.orders.pop_front() {
            let (task, wait) = match order {
                Order::Stop { term } => (Task::Stop { term }, self.rng.between(10 * MS, 150 * MS)),
                Order::CatchUp { term } => {
                    let until = self.now + 2 * SECOND;
                    (Task::CatchUp { term, until }, MS)
                }
            };
            return self.begin(id, task, wait);
        }
        match node.stance.clone() {
            Stance::Wait => self.manage_waiting(id),
            Stance::Follow { record, base } => self.manage_follower(id, &record, &base),
            Stance::Lead { record, serve } => self.manage_leader(id, &record, serve),
        }
    }

    fn start(&mut self, id: usize) {
        let server = &mut self.nodes[id].server;
        if server.up || server.starting {
            return;
        }
        server.starting = true;
        let epoch = server.epoch;
        let wait = self.rng.between(200 * MS, 1500 * MS);
        self.say(|| format!("m{id}'s server is started"));
        self.after(wait, What::Started { id, epoch });
    }

    pub(crate) fn started(&mut self, id: usize, epoch: u32) {
        let server = &mut self.nodes[id].server;
        if server.epoch != epoch || !server.starting {
            return;
        }
        server.start();
        self.say(|| format!("m{id}'s server is up"));
        self.schedule_apply(id);
        self.agent(id, Event::ServerUp);
        self.manage(id);
    }

    fn manage_waiting(&mut self, id: usize) {
        let held = self.nodes[id].disk.durable.held;
        let server = &mut self.nodes[id].server;
        match &server.mode {
            Mode::Receiving(_) => server.mode = Mode::Idle,
            Mode::Primary(primary) if !primary.fenced => self.kill(id),
            Mode::Primary(_) => {}
            Mode::Idle if held == 0 && !server.cloning => self.start(id),
            Mode::Idle => {}
        }
    }

    fn manage_follower(&mut self, id: usize, record: &Record, base: &Have) {
        let held = self.nodes[id].disk.durable.held;
        let Some(from) = record.holder.as_ref().map(|holder| self.id_of(holder)) else {
            return;
        };
        let server = &mut self.nodes[id].server;
        if held > 0 {
            let fenced = server.primary().is_some_and(|p| p.fenced);
            let whole = server.engine == server.binlog.len() && server.executed_within(&base.set);
            if (server.up || server.starting) && !(fenced && whole) {
                return self.kill(id);
            }
            let (base, wait) = (base.clone(), self.rng.between(50 * MS, 500 * MS));
            return self.begin(id, Task::Clear { base }, wait);
        }
        if server.cloning {
            let wait = self.rng.between(SECOND, 4 * SECOND);
            return self.begin(id, Task::Clone { from }, wait);
        }
        if !server.up {
            return self.start(id);
        }
        match &server.mode {
            Mode::Primary(_) => self.kill(id),
            Mode::Receiving(receiving) if receiving.from == from && receiving.term == record.term => {}
            _ => {
                server.mode = Mode::Idle;
                let joined = self.ledger.have(server.binlog.iter().chain(&server.relay)).term == record.term;
                if joined || base.set.covers(&server.have) {
                    self.attach(id, from, record.term);
                } else if server.executed_within(&base.set) {
                    let (base, wait) = (base.clone(), self.rng.between(5 * MS, 50 * MS));
                    self.begin(id, Task::Trim { base }, wait);
                } else {
                    // Only with two acknowledgements a replica executes what may not survive.
                    if self.most_acks < 2 {
                        self.ledger
                            .fail(format!("m{id} executed what term {} lacks", record.term));
                    }
                    self.wipe(id);
                }
            }
        }
    }

    fn attach(&mut self, id: usize, from: usize, term: u64) {
        let attachment = self.fresh();
        let epoch = self.nodes[from].server.epoch;
        self.nodes[id].server.mode = Mode::Receiving(Receiving {
            from,
            term,
            epoch,
            cursor: 0,
            waits: false,
            attachment,
        });
        self.say(|| format!("m{id} receives from m{from} in term {term}"));
        self.after(5 * MS, What::Pull { id, attachment });
        if !self.nodes[id].eligible {
            self.nodes[id].eligible = true;
            self.agent(id, Event::Eligible(true));
        }
    }

    fn wipe(&mut self, id: usize) {
        self.stats.clones += 1;
        self.say(|| format!("m{id} throws its data away to copy the primary's"));
        self.nodes[id].server.wipe();
        self.agent(id, Event::ServerDown);
        self.after(MS, What::Manage { id });
    }

    fn manage_leader(&mut self, id: usize, record: &Record, serve: bool) {
        let server = &mut self.nodes[id].server;
        if !server.up {
            return self.start(id);
        }
        let epoch = server.epoch;
        match &mut server.mode {
            Mode::Primary(primary) if primary.term == record.term => {
                let open = serve && primary.opened && !primary.fenced;
                if open && !primary.open {
                    primary.open = true;
                    self.say(|| format!("m{id} serves in term {}", record.term));
                    self.check_serving();
                } else if !open && primary.open {
                    let wait = self.rng.between(MS, 150 * MS);
                    self.after(wait, What::Gate { id, epoch });
                }
            }
            Mode::Primary(primary) if !primary.fenced => self.kill(id),
            _ => {
                let (record, wait) = (record.clone(), self.rng.between(20 * MS, 200 * MS));
                self.begin(id, Task::Promote { record }, wait);
            }
        }
    }

    /// The gate closes, if it still shall.
    pub(crate) fn gate(&mut self, id: usize, epoch: u32) {
        let serve = matches!(&self.nodes[id].stance, Stance::Lead { serve: true, .. });
        let server = &mut self.nodes[id].server;
        if server.epoch != epoch {
            return;
        }
        if let Some(primary) = server.primary_mut()
            && (!serve || primary.fenced)
        {
            primary.open = false;
            self.say(|| format!("m{id} serves no more"));
        }
    }

    pub(crate) fn task_done(&mut self, id: usize, number: u64) {
        if self.nodes[id].frozen > 0 {
            return self.after(50 * MS, What::TaskDone { id, task: number });
        }
        let Some((_, task)) = self.nodes[id].task.take_if(|(current, _)| *current == number) else {
            return;
        };
        match task {
            Task::Stop { term } => self.stopped(id, term),
            Task::CatchUp { term, until } => {
                let server = &self.nodes[id].server;
                let done = server.relay.is_empty();
                if done || self.now >= until {
                    self.agent(id, Event::CaughtUp { term, done });
                } else {
                    return self.begin(id, Task::CatchUp { term, until }, 20 * MS);
                }
            }
            Task::Promote { record } => self.promoted(id, &record),
            Task::Clear { base } => self.compared(id, &base),
            Task::Trim { base } => self.trimmed(id, &base),
            Task::Clone { from } => self.cloned(id, from),
        }
        self.manage(id);
    }

    fn stopped(&mut self, id: usize, term: u64) {
        let held = self.nodes[id].disk.durable.held;
        let server = &mut self.nodes[id].server;
        let known = !server.cloning && (server.up || held > 0);
        if server.up {
            if let Mode::Receiving(_) = server.mode {
                server.mode = Mode::Idle;
            }
            if server.primary().is_some_and(|p| !p.fenced) {
                return self.kill(id);
            }
        }
        let position = known.then(|| self.ledger.have(server.binlog.iter().chain(&server.relay)));
        if position.is_some() || self.rng.chance(500) {
            self.agent(id, Event::Stopped { term, position });
        }
    }

    fn promoted(&mut self, id: usize, record: &Record) {
        let counted = self.ids_of(record);
        let all = self.nodes.len();
        let node = &mut self.nodes[id];
        let leads = matches!(&node.stance, Stance::Lead { record: r, .. } if r.term == record.term);
        if !leads || !node.server.up {
            return;
        }
        let server = &mut node.server;
        if !server.relay.is_empty() {
            self.ledger.fail(format!(
                "m{id} leads with received transactions that it did not execute"
            ));
            return;
        }
        // A fenced primary that goes on has nothing in flight.
        server.engine = server.binlog.len();
        let base = self.ledger.have(server.binlog.iter());
        server.mode = Mode::Primary(Primary {
            term: record.term,
            acks: record.acks,
            counted: counted.into_iter().filter(|voter| *voter != id).collect(),
            acked_by: vec![0; all],
            base: base.clone(),
            row: None,
            opened: false,
            open: false,
            fenced: false,
        });
        if base.term() >= record.term {
            self.ledger.fail(format!(
                "m{id} starts term {} with the row of term {}",
                record.term,
                base.term()
            ));
        }
        self.say(|| format!("m{id} is primary of term {} from {base:?}", record.term));
        self.ledger.base(record.term, id, &base);
        let term = record.term;
        self.agent(id, Event::Based { term, position: base });
        self.write(id, true);
    }

    fn compared(&mut self, id: usize, base: &Have) {
        let follows = matches!(&self.nodes[id].stance, Stance::Follow { base: now, .. } if now == base);
        if !follows {
            return;
        }
        let server = &mut self.nodes[id].server;
        if server.up {
            server.mode = Mode::Idle;
        } else if !server.executed_within(&base.set) {
            let acked = server
                .binlog
                .iter()
                .find(|txn| !base.set.has(**txn) && self.ledger.acked().has(**txn));
            if let Some(txn) = acked {
                let what = format!("m{id} is about to lose the acknowledged transaction {txn}");
                return self.ledger.fail(what);
            }
            if server.cut(&base.set) {
                self.stats.rewinds += 1;
                self.say(|| format!("m{id} is rewound"));
            } else {
                self.wipe(id);
            }
        }
        self.agent(id, Event::Cleared);
    }

    fn trimmed(&mut self, id: usize, base: &Have) {
        let follows = matches!(&self.nodes[id].stance, Stance::Follow { base: now, .. } if now == base);
        let server = &mut self.nodes[id].server;
        if !follows || !server.up || !matches!(server.mode, Mode::Idle) {
            return;
        }
        let extras: Vec<_> = server
            .relay
            .iter()
            .filter(|txn| !base.set.has(**txn))
            .copied()
            .collect();
        for txn in extras {
            self.stats.dropped += 1;
            server.have.remove(txn);
        }
        server.relay.retain(|txn| base.set.has(*txn));
    }

    fn cloned(&mut self, id: usize, from: usize) {
        let follows = matches!(&self.nodes[id].stance,
            Stance::Follow { record, .. } if record.holder.as_ref() == Some(&self.names[from]));
        let source = &self.nodes[from].server;
        if !follows || !self.nodes[id].server.cloning {
            return;
        }
        if source.primary().is_none() || !self.linked(id, from) {
            return self.after(200 * MS, What::Manage { id });
        }
        let copy = source.binlog[..source.engine].to_vec();
        let server = &mut self.nodes[id].server;
        server.have = copy.iter().copied().collect();
        server.engine = copy.len();
        server.binlog = copy;
        server.cloning = false;
        self.say(|| format!("m{id} has copied m{from}"));
    }
}
