//! What the primary's agent does by plan: handing over, and changing voters and W.

use leadership::{Event, Record, Stance};

use super::network::told;
use super::world::{MS, SECOND, What, World};

impl World {
    /// The record that the member leads by, if it serves and its agent runs.
    fn led_by(&self, id: usize) -> Option<Record> {
        let node = &self.nodes[id];
        if node.machine.is_none() || node.frozen > 0 {
            return None;
        }
        match &node.stance {
            Stance::Lead { record, serve: true } if node.server.serves() == Some(record.term) => {
                Some(record.clone())
            }
            _ => None,
        }
    }

    pub(crate) fn begin_hand_over(&mut self, id: usize) {
        let Some(record) = self.led_by(id).filter(|_| self.nodes[id].change.is_none()) else {
            return;
        };
        let others: Vec<usize> = self
            .ids_of(&record)
            .into_iter()
            .filter(|other| *other != id)
            .collect();
        if others.is_empty() {
            return;
        }
        let to = others[self.rng.index(others.len())];
        if let Some(primary) = self.nodes[id].server.primary_mut() {
            primary.fenced = true;
            primary.open = false;
        }
        let (life, until) = (self.nodes[id].life, self.now + SECOND);
        self.after(10 * MS, What::HandOver { id, life, to, until });
    }

    /// Waits until nothing is in flight and the next primary has everything.
    pub(crate) fn hand_over(&mut self, id: usize, life: u32, to: usize, until: u64) {
        if self.nodes[id].life != life {
            return;
        }
        let Stance::Lead { record, .. } = self.nodes[id].stance.clone() else {
            return;
        };
        let server = &self.nodes[id].server;
        let Some(primary) = server.primary() else {
            return;
        };
        if !primary.fenced || primary.term != record.term {
            return;
        }
        if self.nodes[id].frozen > 0 || self.nodes[id].looking {
            return self.after(50 * MS, What::HandOver { id, life, to, until });
        }
        let ready = server.engine == server.binlog.len() && primary.acked_by[to] == server.binlog.len();
        if !ready && self.now < until {
            return self.after(10 * MS, What::HandOver { id, life, to, until });
        }
        if ready {
            self.stats.handovers += 1;
            let (term, to) = (record.term, self.names[to].clone());
            self.agent(id, Event::HandOver { term, to });
        }
        // Not taken: it goes on.
        let goes_on =
            matches!(&self.nodes[id].stance, Stance::Lead { record: r, .. } if r.term == record.term);
        if goes_on && let Some(primary) = self.nodes[id].server.primary_mut() {
            primary.fenced = false;
        }
        self.manage(id);
    }

    pub(crate) fn begin_change(&mut self, id: usize) {
        let Some(record) = self.led_by(id).filter(|_| self.nodes[id].change.is_none()) else {
            return;
        };
        let mut to = record.clone();
        to.version += 1;
        let outside: Vec<usize> = (0..self.nodes.len())
            .filter(|other| !record.is_voter(&self.names[*other]))
            .collect();
        let others: Vec<usize> = self
            .ids_of(&record)
            .into_iter()
            .filter(|other| *other != id)
            .collect();
        match self.rng.below(4) {
            0 if !outside.is_empty() => {
                let added = outside[self.rng.index(outside.len())];
                to.voters.push(self.names[added].clone());
            }
            1 if others.len() > record.acks => {
                let removed = others[self.rng.index(others.len())];
                to.voters.retain(|voter| *voter != self.names[removed]);
            }
            2 if others.len() > record.acks => to.acks += 1,
            3 if record.acks > 1 => to.acks -= 1,
            _ => return,
        }
        self.say(|| format!("m{id} wants {}", told(&to)));
        // What is stricter holds on the server before it is published.
        if let Some(primary) = self.nodes[id].server.primary_mut() {
            primary.acks = primary.acks.max(to.acks);
            let stays = to.voters.clone();
            let names = &self.names;
            primary.counted.retain(|other| stays.contains(&names[*other]));
        }
        self.nodes[id].change = Some(to);
        let life = self.nodes[id].life;
        self.after(5 * MS, What::Change { id, life });
    }

    /// Publishes once everything executed is covered by the new rule.
    pub(crate) fn change(&mut self, id: usize, life: u32) {
        if self.nodes[id].life != life {
            return;
        }
        let Some(to) = self.nodes[id].change.clone() else {
            return;
        };
        let leads = matches!(&self.nodes[id].stance, Stance::Lead { record, .. } if record.term == to.term);
        if !leads {
            self.nodes[id].change = None;
            return;
        }
        if self.nodes[id].frozen > 0 || self.nodes[id].looking {
            return self.after(50 * MS, What::Change { id, life });
        }
        let server = &self.nodes[id].server;
        let covered = server.primary().is_some_and(|p| {
            let have = p
                .counted
                .iter()
                .filter(|other| p.acked_by[**other] >= server.engine)
                .count();
            have >= to.acks
        });
        if covered {
            self.agent(id, Event::Change { to });
        }
        let wait = if covered { 1600 * MS } else { 10 * MS };
        self.after(wait, What::Change { id, life });
    }

    /// Whether the record has become what was asked for.
    pub(crate) fn look_for_change(&mut self, id: usize) {
        if let (Some(to), Stance::Lead { record, .. }) = (&self.nodes[id].change, &self.nodes[id].stance)
            && to == record
        {
            let to = to.clone();
            self.finish_change(id, &to);
        }
    }

    /// The record is the one that was asked for: what is laxer by it holds now.
    fn finish_change(&mut self, id: usize, to: &Record) {
        self.nodes[id].change = None;
        self.stats.changes += 1;
        let leads = matches!(&self.nodes[id].stance, Stance::Lead { record, .. } if record.term == to.term);
        if leads {
            let voters = self.ids_of(to);
            self.nodes[id].server.configure(to, |_| voters.clone(), id);
            self.commit(id);
        }
    }
}
