//! A member's agent: it steps the machine and carries out what it orders, in order.

use std::collections::VecDeque;
use std::time::Duration;

use leadership::{Durable, Effect, Event, Machine, Record, Stance, Swapped, Timing};

use super::data::Have;
use super::manage::{Order, Task};
use super::rng::Rng;
use super::server::Server;
use super::world::{Disk, MS, Micros, SECOND, What, World, micros};

/// A member.
pub(crate) struct Node {
    pub(crate) machine: Option<Machine<Have>>,
    /// Counts the agent's processes.
    pub(crate) life: u32,
    pub(crate) frozen: u32,
    /// What comes in while it is frozen.
    held_up: Vec<Event<Have>>,
    pub(crate) steps: u64,
    pub(crate) disk: Disk,
    todo: VecDeque<Todo>,
    persisting: bool,
    pub(crate) stance: Stance<Have>,
    pub(crate) eligible: bool,
    pub(crate) server: Server,
    pub(crate) killing: bool,
    /// A restarted agent does not know yet what its server is.
    pub(crate) looking: bool,
    deadline: u64,
    pub(crate) task: Option<(u64, Task)>,
    pub(crate) orders: VecDeque<Order>,
    /// A change of the voters under way. It is on disk: its swap may arrive long after the agent that ordered it has ended.
    pub(crate) change: Option<Record>,
    pub(crate) slow_disk: u32,
    pub(crate) slow_apply: u32,
    origin: Micros,
    /// The clock's speed, in millionths.
    rate: u64,
}

enum Todo {
    Do(Effect<Have>),
    /// The machine's stance after the effects so far.
    Stand(Stance<Have>),
    Remember(Record),
}

impl Node {
    pub(crate) fn new(rng: &mut Rng) -> Node {
        Node {
            machine: None,
            life: 0,
            frozen: 0,
            held_up: Vec::new(),
            steps: 0,
            disk: Disk::default(),
            todo: VecDeque::new(),
            persisting: false,
            stance: Stance::Wait,
            eligible: true,
            server: Server::new(),
            killing: false,
            looking: false,
            deadline: 0,
            task: None,
            orders: VecDeque::new(),
            change: None,
            slow_disk: 0,
            slow_apply: 0,
            origin: rng.below(100_000 * SECOND),
            rate: rng.between(990_000, 1_010_000),
        }
    }

    /// The member's own clock.
    fn clock(&self, now: Micros) -> Duration {
        Duration::from_micros(self.origin + now / 1000 * self.rate / 1000)
    }

    /// How long until its clock shows this.
    fn until(&self, at: Duration, now: Micros) -> Micros {
        let local = micros(at.saturating_sub(self.clock(now)));
        local * 1_000_000 / self.rate + 1000
    }

    /// A machine that starts anew has another clock.
    pub(crate) fn reset_clock(&mut self, rng: &mut Rng) {
        self.origin = rng.below(100_000 * SECOND);
    }
}

impl World {
    /// The agent's process starts.
    pub(crate) fn boot(&mut self, id: usize) {
        if self.nodes[id].machine.is_some() {
            return;
        }
        let seed = self.rng.next();
        let (now, me) = (self.now, self.names[id].clone());
        let node = &mut self.nodes[id];
        let clock = node.clock(now);
        let Disk { durable, known } = node.disk.clone();
        let runs = node.server.up;
        node.machine = Some(Machine::new(
            me,
            Timing::default(),
            known,
            durable,
            runs,
            clock,
            seed,
        ));
        node.stance = Stance::Wait;
        let (life, eligible) = (node.life, node.eligible);
        self.say(|| format!("m{id}'s agent starts"));
        // It may take a while to see what the server is.
        if runs && self.rng.chance(500) {
            self.nodes[id].looking = true;
            let wait = self.rng.between(MS, SECOND);
            self.after(wait, What::Look { id, life });
        } else {
            self.readopt(id);
        }
        self.agent(id, Event::Eligible(eligible));
        self.after(0, What::Poll { id, life });
        let up = self.nodes[id].server.up;
        self.agent(id, if up { Event::ServerUp } else { Event::ServerDown });
        self.after(50 * MS, What::Manage { id });
        if self.nodes[id].change.is_some() {
            self.after(50 * MS, What::Change { id, life });
        }
    }

    pub(crate) fn look(&mut self, id: usize, life: u32) {
        if self.nodes[id].life != life {
            return;
        }
        if self.nodes[id].frozen > 0 {
            return self.after(50 * MS, What::Look { id, life });
        }
        self.nodes[id].looking = false;
        self.readopt(id);
        self.manage(id);
    }

    /// A primary that was opened goes on; any other is ended.
    fn readopt(&mut self, id: usize) {
        let Some(primary) = self.nodes[id].server.primary() else {
            return;
        };
        let (term, base, whole) = (
            primary.term,
            primary.base.clone(),
            primary.opened && !primary.fenced,
        );
        if whole {
            self.agent(id, Event::Resumed { term, base });
        }
        if !matches!(&self.nodes[id].stance, Stance::Lead { record, .. } if record.term == term) {
            self.kill(id);
        }
    }

    pub(crate) fn crash_agent(&mut self, id: usize) {
        let node = &mut self.nodes[id];
        node.machine = None;
        node.life += 1;
        node.todo.clear();
        node.persisting = false;
        node.held_up.clear();
        node.task = None;
        node.orders.clear();
        node.killing = false;
        node.looking = false;
        self.say(|| format!("m{id}'s agent ends"));
    }

    pub(crate) fn thaw(&mut self, id: usize) {
        let node = &mut self.nodes[id];
        node.frozen = node.frozen.saturating_sub(1);
        if node.frozen > 0 {
            return;
        }
        let life = node.life;
        for event in std::mem::take(&mut node.held_up) {
            if self.nodes[id].life == life {
                self.agent(id, event);
            }
        }
        self.pump(id);
        self.manage(id);
    }

    /// Something happens to the agent.
    pub(crate) fn agent(&mut self, id: usize, event: Event<Have>) {
        let now = self.now;
        let node = &mut self.nodes[id];
        if node.machine.is_none() {
            return;
        }
        if node.frozen > 0 {
            if !matches!(event, Event::Tick) {
                node.held_up.push(event);
            }
            return;
        }
        let clock = node.clock(now);
        let shown = self
            .trace
            .is_some()
            .then(|| format!("{event:?}"))
            .filter(|_| !matches!(event, Event::Tick));
        let Some(machine) = &mut node.machine else {
            return;
        };
        let effects = machine.step(event, clock);
        let stance = machine.stance();
        let known = machine.known().cloned();
        let wake = machine.wake(clock);
        if let Some(trace) = &mut self.trace {
            let at = now as f64 / 1000.0;
            trace.extend(shown.map(|event| format!("{at:>9.3} ms  m{id} <- {event}")));
            trace.extend(
                effects
                    .iter()
                    .map(|e| format!("{at:>9.3} ms      m{id} -> {e:?}")),
            );
            if stance != node.stance {
                trace.push(format!("{at:>9.3} ms      m{id} is to {stance:?}"));
            }
        }
        node.todo.extend(effects.into_iter().map(Todo::Do));
        node.todo.push_back(Todo::Stand(stance));
        if known != node.disk.known {
            node.todo.extend(known.map(Todo::Remember));
        }
        node.steps += 1;
        let step = node.steps;
        let wait = node.until(wake, now);
        self.after(wait, What::Tick { id, step });
        self.pump(id);
    }

    /// Carries out what is to be done, up to the next write to disk.
    fn pump(&mut self, id: usize) {
        while self.nodes[id].frozen == 0 && !self.nodes[id].persisting {
            let Some(todo) = self.nodes[id].todo.pop_front() else {
                return;
            };
            match todo {
                Todo::Do(Effect::Persist(durable)) => {
                    let wait = if self.nodes[id].slow_disk > 0 {
                        self.rng.between(50 * MS, 2 * SECOND)
                    } else {
                        self.rng.between(300, 4 * MS)
                    };
                    self.nodes[id].persisting = true;
                    self.nodes[id].todo.push_front(Todo::Do(Effect::Persist(durable)));
                    let life = self.nodes[id].life;
                    self.after(wait, What::Persisted { id, life });
                }
                Todo::Do(effect) => self.carry_out(id, effect),
                Todo::Stand(stance) => {
                    if self.nodes[id].stance != stance {
                        self.nodes[id].stance = stance;
                        self.look_for_change(id);
                        self.manage(id);
                    }
                }
                // It may come to disk later than the rest, or not at all.
                Todo::Remember(known) => {
                    if !self.rng.chance(200) {
                        self.nodes[id].disk.known = Some(known);
                    }
                }
            }
        }
    }

    pub(crate) fn persisted(&mut self, id: usize, life: u32) {
        let node = &mut self.nodes[id];
        if node.life != life || !node.persisting {
            return;
        }
        node.persisting = false;
        if let Some(Todo::Do(Effect::Persist(durable))) = node.todo.pop_front() {
            let older = |d: &Durable| (d.term, d.version);
            if older(&durable) < older(&node.disk.durable) {
                self.ledger
                    .fail(format!("m{id} persists {durable:?}, which is behind"));
                return;
            }
            node.disk.durable = durable;
        }
        self.pump(id);
        self.manage(id);
    }

    fn carry_out(&mut self, id: usize, effect: Effect<Have>) {
        match effect {
            Effect::Persist(_) => {}
            Effect::Send { to, message } => {
                let to = self.id_of(&to);
                self.send(id, to, &message);
            }
            Effect::Swap { from, to } => self.swap(id, from, to),
            Effect::StopReceiving { term } => {
                self.nodes[id].orders.push_back(Order::Stop { term });
                self.manage(id);
            }
            Effect::CatchUp { term } => {
                self.nodes[id].orders.push_back(Order::CatchUp { term });
                self.manage(id);
            }
            Effect::Kill => self.kill(id),
            Effect::Deadline(at) => {
                let set = self.fresh();
                self.nodes[id].deadline = set;
                if let Some(at) = at {
                    let wait = self.nodes[id].until(at, self.now).saturating_sub(1000);
                    self.after(wait, What::Deadline { id, set });
                }
            }
            Effect::Errant { one, other } => {
                self.stats.errant += 1;
                self.ledger
                    .fail(format!("{one} and {other} have errant transactions"));
            }
        }
    }

    /// The supervisor ends the server, whatever the agent does.
    pub(crate) fn deadline_passed(&mut self, id: usize, set: u64) {
        let server = &self.nodes[id].server;
        if self.nodes[id].deadline == set && (server.up || server.starting) {
            self.say(|| format!("m{id}'s supervisor ends the server: the deadline"));
            self.die(id);
        }
    }

    pub(crate) fn kill(&mut self, id: usize) {
        let server = &self.nodes[id].server;
        if !(server.up || server.starting) || self.nodes[id].killing {
            return;
        }
        let epoch = server.epoch;
        self.nodes[id].killing = true;
        let slow = self.nodes[id].slow_disk > 0 && self.rng.chance(300);
        let wait = if slow {
            self.rng.between(100 * MS, SECOND)
        } else {
            self.rng.between(MS, 30 * MS)
        };
        self.after(wait, What::Die { id, epoch });
    }

    pub(crate) fn die(&mut self, id: usize) {
        self.say(|| format!("m{id}'s server ends"));
        let node = &mut self.nodes[id];
        node.server.die();
        node.killing = false;
        // Its order to stop stands, and a primary's process is never started a second time in its term.
        if let Some((_, Task::Stop { term })) = node.task.take() {
            node.orders.push_front(Order::Stop { term });
        }
        if matches!(node.stance, Stance::Lead { .. }) {
            node.stance = Stance::Wait;
        }
        let life = node.life;
        let wait = self.rng.between(MS, 20 * MS);
        self.after(wait, What::Dead { id, life });
    }

    /// How a swap ended; an answer that is not waited for any more is nobody's.
    pub(crate) fn answer(&mut self, id: usize, life: u32, to: Record, outcome: Swapped) {
        if self.nodes[id].life != life {
            return;
        }
        self.agent(id, Event::Swapped { to, outcome });
    }
}
