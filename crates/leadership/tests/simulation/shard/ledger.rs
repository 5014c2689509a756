//! What was promised to clients, and whether it was kept.

use std::collections::BTreeMap;

use super::data::{Have, Set, Txn};

/// A transaction: the term that it was written in, and whether it is the term's row.
pub(crate) struct Entry {
    pub(crate) term: u64,
    pub(crate) row: bool,
    pub(crate) acked: bool,
}

/// All transactions of a run, and the rules that must hold.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) txns: Vec<Entry>,
    acked: Set,
    /// What each term started from, and by whom.
    based: BTreeMap<u64, (usize, Have)>,
    opened: BTreeMap<u64, usize>,
    /// The highest term in which a client's write was acknowledged.
    pub(crate) served: u64,
    pub(crate) violation: Option<String>,
}

impl Ledger {
    pub(crate) fn write(&mut self, term: u64, row: bool) -> Txn {
        self.txns.push(Entry {
            term,
            row,
            acked: false,
        });
        Txn::try_from(self.txns.len() - 1).unwrap_or(Txn::MAX)
    }

    pub(crate) fn entry(&self, txn: Txn) -> &Entry {
        &self.txns[txn as usize]
    }

    pub(crate) fn acked(&self) -> &Set {
        &self.acked
    }

    /// The rows of the terms tell how far a set goes.
    pub(crate) fn have<'a>(&self, txns: impl Iterator<Item = &'a Txn>) -> Have {
        let mut term = 0;
        let set = txns
            .inspect(|txn| {
                let entry = self.entry(**txn);
                if entry.row {
                    term = term.max(entry.term);
                }
            })
            .copied()
            .collect();
        Have {
            set: std::sync::Arc::new(set),
            term,
        }
    }

    pub(crate) fn fail(&mut self, what: String) {
        self.violation.get_or_insert(what);
    }

    /// A term starts: it must have everything that was acknowledged in earlier ones.
    pub(crate) fn base(&mut self, term: u64, member: usize, have: &Have) {
        if let Some((other, _)) = self.based.get(&term)
            && *other != member
        {
            self.fail(format!("term {term} is led by {other} and by {member}"));
        }
        if let Some(txn) = self.acked.beyond(&have.set) {
            let of = self.entry(txn).term;
            if of < term {
                self.fail(format!(
                    "term {term} of {member} starts without transaction {txn}, acknowledged in term {of}"
                ));
            }
        }
        self.based.insert(term, (member, have.clone()));
    }

    /// The term's row was acknowledged.
    pub(crate) fn open(&mut self, term: u64, member: usize) {
        if let Some(other) = self.opened.insert(term, member)
            && other != member
        {
            self.fail(format!("term {term} was opened by {other} and by {member}"));
        }
    }

    /// A transaction is acknowledged to its client: every later term must have started with it.
    pub(crate) fn ack(&mut self, txn: Txn, term: u64, member: usize) {
        self.txns[txn as usize].acked = true;
        self.acked.insert(txn);
        let lost = self
            .based
            .range(term + 1..)
            .find(|(_, (_, base))| !base.set.has(txn));
        if let Some((later, (leader, _))) = lost {
            let what = format!(
                "{member} acknowledged transaction {txn} in term {term}, without which {leader} started term {later}"
            );
            self.fail(what);
        }
        if !self.entry(txn).row {
            self.served = self.served.max(term);
        }
    }
}
