//! Transactions and sets of them.

use std::sync::Arc;

use leadership::Position;

/// A transaction's number, unique in a run.
pub(crate) type Txn = u32;

/// A set of transactions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Set(Vec<u64>);

impl Set {
    pub(crate) fn insert(&mut self, txn: Txn) {
        let (word, bit) = at(txn);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= bit;
    }

    pub(crate) fn remove(&mut self, txn: Txn) {
        let (word, bit) = at(txn);
        if let Some(word) = self.0.get_mut(word) {
            *word &= !bit;
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    pub(crate) fn has(&self, txn: Txn) -> bool {
        let (word, bit) = at(txn);
        self.0.get(word).is_some_and(|w| w & bit != 0)
    }

    pub(crate) fn covers(&self, other: &Set) -> bool {
        other.0.len() <= self.0.len()
            && other
                .0
                .iter()
                .zip(&self.0)
                .all(|(theirs, mine)| theirs & !mine == 0)
    }

    /// One that `other` lacks.
    pub(crate) fn beyond(&self, other: &Set) -> Option<Txn> {
        (0u32..)
            .take(self.0.len() * 64)
            .find(|txn| self.has(*txn) && !other.has(*txn))
    }
}

fn at(txn: Txn) -> (usize, u64) {
    ((txn / 64) as usize, 1 << (txn % 64))
}

impl FromIterator<Txn> for Set {
    fn from_iter<I: IntoIterator<Item = Txn>>(txns: I) -> Set {
        let mut set = Set::default();
        for txn in txns {
            set.insert(txn);
        }
        set
    }
}

/// What a member has, as the machine sees it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Have {
    pub(crate) set: Arc<Set>,
    /// The highest term whose row is in it.
    pub(crate) term: u64,
}

impl Position for Have {
    fn term(&self) -> u64 {
        self.term
    }

    fn covers(&self, other: &Have) -> bool {
        self.set.covers(&other.set)
    }
}

impl std::fmt::Debug for Have {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count: u32 = self.set.0.iter().map(|word| word.count_ones()).sum();
        write!(f, "{count} transactions up to term {}", self.term)
    }
}
