//! A member's server and its data.

use std::collections::VecDeque;

use leadership::Record;

use super::data::{Have, Set, Txn};

/// The server. What is in it survives its process, but for `mode`.
pub(crate) struct Server {
    pub(crate) up: bool,
    pub(crate) starting: bool,
    /// Counts processes, and everything that makes what is under way void.
    pub(crate) epoch: u32,
    pub(crate) binlog: Vec<Txn>,
    /// How much of the binary log is committed; more than that waits to be acknowledged.
    pub(crate) engine: usize,
    /// Received and not executed.
    pub(crate) relay: VecDeque<Txn>,
    pub(crate) have: Set,
    pub(crate) mode: Mode,
    /// Its data was thrown away and is being copied from the primary.
    pub(crate) cloning: bool,
    pub(crate) applying: bool,
}

/// What the process does.
pub(crate) enum Mode {
    Idle,
    Receiving(Receiving),
    Primary(Primary),
}

pub(crate) struct Receiving {
    pub(crate) from: usize,
    pub(crate) term: u64,
    /// The source's process.
    pub(crate) epoch: u32,
    /// How far in the source's log.
    pub(crate) cursor: usize,
    pub(crate) waits: bool,
    /// Tells this attachment from earlier ones.
    pub(crate) attachment: u64,
}

pub(crate) struct Primary {
    pub(crate) term: u64,
    pub(crate) acks: usize,
    /// Whose acknowledgements count and who may receive.
    pub(crate) counted: Vec<usize>,
    pub(crate) acked_by: Vec<usize>,
    pub(crate) base: Have,
    pub(crate) row: Option<Txn>,
    pub(crate) opened: bool,
    /// Whether clients get in.
    pub(crate) open: bool,
    /// For a handover: nobody gets in, and that lasts.
    pub(crate) fenced: bool,
}

impl Server {
    pub(crate) fn new() -> Server {
        Server {
            up: false,
            starting: false,
            epoch: 0,
            binlog: Vec::new(),
            engine: 0,
            relay: VecDeque::new(),
            have: Set::default(),
            mode: Mode::Idle,
            cloning: false,
            applying: false,
        }
    }

    pub(crate) fn primary(&self) -> Option<&Primary> {
        match &self.mode {
            Mode::Primary(primary) if self.up => Some(primary),
            _ => None,
        }
    }

    pub(crate) fn primary_mut(&mut self) -> Option<&mut Primary> {
        match &mut self.mode {
            Mode::Primary(primary) if self.up => Some(primary),
            _ => None,
        }
    }

    pub(crate) fn receiving(&self) -> Option<&Receiving> {
        match &self.mode {
            Mode::Receiving(receiving) if self.up => Some(receiving),
            _ => None,
        }
    }

    pub(crate) fn receiving_mut(&mut self) -> Option<&mut Receiving> {
        match &mut self.mode {
            Mode::Receiving(receiving) if self.up => Some(receiving),
            _ => None,
        }
    }

    pub(crate) fn serves(&self) -> Option<u64> {
        self.primary()
            .filter(|p| p.open && p.opened && !p.fenced)
            .map(|p| p.term)
    }

    pub(crate) fn die(&mut self) {
        self.up = false;
        self.starting = false;
        self.mode = Mode::Idle;
        self.applying = false;
        self.epoch += 1;
    }

    /// Recovery commits what was in the binary log.
    pub(crate) fn start(&mut self) {
        self.up = true;
        self.starting = false;
        self.engine = self.binlog.len();
    }

    pub(crate) fn append(&mut self, txn: Txn) {
        self.binlog.push(txn);
        self.have.insert(txn);
    }

    pub(crate) fn apply(&mut self) {
        self.binlog.extend(self.relay.drain(..));
        self.engine = self.binlog.len();
    }

    pub(crate) fn wipe(&mut self) {
        self.die();
        self.cloning = true;
        self.binlog.clear();
        self.engine = 0;
        self.relay.clear();
        self.have = Set::default();
    }

    /// Commits what enough members have received; returns what is committed now.
    pub(crate) fn commit(&mut self) -> Vec<Txn> {
        let all = self.binlog.len();
        let engine = self.engine;
        let Some(primary) = self.primary_mut() else {
            return Vec::new();
        };
        let upto = match primary.acks.checked_sub(1) {
            None => all,
            Some(last) => {
                let mut received: Vec<usize> =
                    primary.counted.iter().map(|id| primary.acked_by[*id]).collect();
                received.sort_unstable_by(|a, b| b.cmp(a));
                received.get(last).copied().unwrap_or(0)
            }
        };
        if upto <= engine {
            return Vec::new();
        }
        self.engine = upto;
        self.binlog[engine..upto].to_vec()
    }

    /// The first of the log that is not in `base`, by which a log can be cut if all after it waits still.
    pub(crate) fn cut(&mut self, base: &Set) -> bool {
        let Some(first) = self.binlog.iter().position(|txn| !base.has(*txn)) else {
            return true;
        };
        let rest_is_extra = self.binlog[first..].iter().all(|txn| !base.has(*txn));
        if first < self.engine || !rest_is_extra {
            return false;
        }
        for txn in self.binlog.split_off(first) {
            self.have.remove(txn);
        }
        true
    }

    pub(crate) fn executed_within(&self, base: &Set) -> bool {
        self.binlog.iter().all(|txn| base.has(*txn))
    }

    pub(crate) fn configure(&mut self, record: &Record, ids: impl Fn(&Record) -> Vec<usize>, me: usize) {
        let voters = ids(record);
        if let Some(primary) = self.primary_mut() {
            primary.acks = record.acks;
            primary.counted = voters.into_iter().filter(|id| *id != me).collect();
        }
    }
}
