//! Plans by fingerprint, bounded in bytes, one cache per worker thread.

use std::rc::Rc;

use hashbrown::HashTable;

/// What a cached plan was made under, beside the statement's text.
///
/// Two sessions share plans only if all of it is equal (gateway.md rules on the cache's key).
pub type ContextId = u32;

struct Entry<P> {
    hash: u64,
    context: ContextId,
    key: Box<[u8]>,
    /// Plans of the same key whose guards differ.
    variants: Vec<Rc<P>>,
    bytes: usize,
}

/// Variants of one key; past it the oldest goes, so that a hostile mix of literals cannot grow an entry.
const VARIANTS_MAX: usize = 16;

/// A cache of two generations: what was not used during a whole generation is dropped.
pub struct PlanCache<P> {
    young: HashTable<Entry<P>>,
    old: HashTable<Entry<P>>,
    young_bytes: usize,
    generation_bytes_max: usize,
    /// Lookups that found a plan.
    pub hits: u64,
    /// Lookups that did not.
    pub misses: u64,
}

impl<P> PlanCache<P> {
    /// An empty cache of at most about `bytes_max` bytes.
    pub fn new(bytes_max: usize) -> Self {
        Self {
            young: HashTable::new(),
            old: HashTable::new(),
            young_bytes: 0,
            generation_bytes_max: bytes_max / 2,
            hits: 0,
            misses: 0,
        }
    }

    /// The first plan of this key that `accepts` the statement at hand.
    pub fn find(
        &mut self,
        hash: u64,
        context: ContextId,
        key: &[u8],
        accepts: impl Fn(&P) -> bool,
    ) -> Option<Rc<P>> {
        let same = |entry: &Entry<P>| entry.hash == hash && entry.context == context && *entry.key == *key;
        let mut found = self.young.find(hash, same);
        if found.is_none()
            && let Ok(entry) = self.old.find_entry(hash, same)
        {
            let entry = entry.remove().0;
            self.insert_entry(entry);
            found = self.young.find(hash, same);
        }
        let plan = found.and_then(|entry| entry.variants.iter().find(|plan| accepts(plan)).cloned());
        if plan.is_some() {
            self.hits += 1;
        } else {
            self.misses += 1;
        }
        plan
    }

    /// Adds a plan of about `bytes` bytes.
    pub fn insert(&mut self, hash: u64, context: ContextId, key: &[u8], plan: Rc<P>, bytes: usize) {
        let same = |entry: &Entry<P>| entry.hash == hash && entry.context == context && *entry.key == *key;
        if let Some(entry) = self.young.find_mut(hash, same) {
            if entry.variants.len() >= VARIANTS_MAX {
                entry.variants.remove(0);
            } else {
                entry.bytes += bytes;
                self.young_bytes += bytes;
            }
            entry.variants.push(plan);
            return;
        }
        let bytes = bytes + key.len() + std::mem::size_of::<Entry<P>>();
        self.insert_entry(Entry {
            hash,
            context,
            key: key.into(),
            variants: vec![plan],
            bytes,
        });
    }

    fn insert_entry(&mut self, entry: Entry<P>) {
        if self.young_bytes + entry.bytes > self.generation_bytes_max {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += entry.bytes;
        self.young.insert_unique(entry.hash, entry, |entry| entry.hash);
    }

    /// Forgets everything: the catalog changed.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
        self.young_bytes = 0;
    }

    /// Calls `each` with key and plan of every entry, for `SHOW VITRAIL PLANS`.
    pub fn for_each(&self, mut each: impl FnMut(&[u8], &P)) {
        for entry in self.young.iter().chain(self.old.iter()) {
            for plan in &entry.variants {
                each(&entry.key, plan);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_by_key_context_and_guard() {
        let mut cache = PlanCache::new(1 << 20);
        cache.insert(7, 1, b"select ?", Rc::new(10), 1);
        cache.insert(7, 1, b"select ?", Rc::new(20), 1);
        assert_eq!(
            cache.find(7, 1, b"select ?", |plan| *plan > 10).as_deref(),
            Some(&20)
        );
        assert_eq!(cache.find(7, 1, b"select ?", |plan| *plan > 20), None);
        assert_eq!(cache.find(7, 2, b"select ?", |_| true), None);
        assert_eq!(cache.find(7, 1, b"select *", |_| true), None);
        assert_eq!((cache.hits, cache.misses), (1, 3));
    }

    #[test]
    fn stays_in_its_bounds_and_keeps_what_is_used() {
        let mut cache = PlanCache::new(20_000);
        cache.insert(0, 0, b"kept", Rc::new(0), 100);
        for i in 1..1000_u64 {
            cache.insert(i, 0, i.to_string().as_bytes(), Rc::new(i), 100);
            assert!(cache.find(0, 0, b"kept", |_| true).is_some(), "lost at {i}");
        }
        let mut entries = 0;
        cache.for_each(|_, _| entries += 1);
        assert!(
            entries < 20_000 / 100,
            "{entries} entries of 100 bytes in 20,000 bytes"
        );
        assert!(cache.find(1, 0, b"1", |_| true).is_none());
    }

    #[test]
    fn variants_of_one_key_are_bounded() {
        let mut cache = PlanCache::new(1 << 20);
        for i in 0..100 {
            cache.insert(1, 0, b"k", Rc::new(i), 1);
        }
        let mut entries = 0;
        cache.for_each(|_, _| entries += 1);
        assert_eq!(entries, VARIANTS_MAX);
    }
}
