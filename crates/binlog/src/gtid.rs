//! GTID sets as `@@gtid_executed` prints them, tagged ones (8.3 and later) included.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A set of transaction ids: for each source, which is `uuid` or `uuid:tag`, its ranges in order, ends included.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GtidSet {
    sources: BTreeMap<String, Vec<(u64, u64)>>,
}

/// The highest number that MySQL gives a transaction.
pub const NUMBER_MAX: u64 = i64::MAX as u64 - 1;

/// The text is no GTID set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a GTID set: {0:?}")]
pub struct GtidError(String);

impl GtidSet {
    /// Whether a transaction is in the set. `source` is a UUID in lower case, with `:tag` where tagged.
    pub fn contains(&self, source: &str, number: u64) -> bool {
        self.ranges(source)
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&number))
    }

    /// The highest number of a source; 0 when it has none.
    pub fn highest(&self, source: &str) -> u64 {
        self.ranges(source).last().map_or(0, |(_, to)| *to)
    }

    /// How many transactions are in the set.
    pub fn count(&self) -> u64 {
        self.sources
            .values()
            .flatten()
            .map(|(from, to)| to - from + 1)
            .fold(0, u64::saturating_add)
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Whether every transaction of this set is in the other.
    pub fn is_subset(&self, other: &GtidSet) -> bool {
        self.sources.iter().all(|(source, ranges)| {
            let theirs = other.ranges(source);
            ranges
                .iter()
                .all(|(from, to)| theirs.iter().any(|(f, t)| f <= from && to <= t))
        })
    }

    /// Whether no transaction is in both sets.
    pub fn is_disjoint(&self, other: &GtidSet) -> bool {
        self.sources.iter().all(|(source, ranges)| {
            let theirs = other.ranges(source);
            ranges
                .iter()
                .all(|(from, to)| theirs.iter().all(|(f, t)| t < from || to < f))
        })
    }

    /// The transactions that are in either set.
    pub fn union(&self, other: &GtidSet) -> GtidSet {
        let mut sources = self.sources.clone();
        for (source, ranges) in &other.sources {
            let all = sources.entry(source.clone()).or_default();
            all.extend_from_slice(ranges);
            *all = joined(std::mem::take(all));
        }
        GtidSet { sources }
    }

    /// The transactions of this set that are not in the other.
    pub fn difference(&self, other: &GtidSet) -> GtidSet {
        let left = |(source, ranges): (&String, &Vec<(u64, u64)>)| {
            let left = without(ranges, other.ranges(source));
            (!left.is_empty()).then(|| (source.clone(), left))
        };
        GtidSet {
            sources: self.sources.iter().filter_map(left).collect(),
        }
    }

    /// Adds one transaction. `source` is a UUID in lower case, with `:tag` where tagged.
    pub fn insert(&mut self, source: &str, number: u64) {
        self.insert_range(source, number, number);
    }

    /// Adds a range of transactions, ends included. Numbers that no transaction can have are left out.
    pub fn insert_range(&mut self, source: &str, from: u64, to: u64) {
        let (from, to) = (from.max(1), to.min(NUMBER_MAX));
        if from > to {
            return;
        }
        let ranges = match self.sources.get_mut(source) {
            Some(ranges) => ranges,
            None => self.sources.entry(source.to_owned()).or_default(),
        };
        match ranges.last_mut() {
            // Logs and encoded sets are in order.
            Some((_, last)) if from == *last + 1 => *last = to,
            Some((_, last)) if from <= *last => {
                ranges.push((from, to));
                *ranges = joined(std::mem::take(ranges));
            }
            _ => ranges.push((from, to)),
        }
    }

    /// The ranges of all sources: source, first and last number. Sources are in order, and so are the ranges of each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.sources
            .iter()
            .flat_map(|(source, ranges)| ranges.iter().map(|(from, to)| (source.as_str(), *from, *to)))
    }

    fn ranges(&self, source: &str) -> &[(u64, u64)] {
        self.sources.get(source).map_or(&[], Vec::as_slice)
    }
}

impl FromStr for GtidSet {
    type Err = GtidError;

    fn from_str(text: &str) -> Result<GtidSet, GtidError> {
        let bad = || GtidError(text.chars().take(200).collect());
        let mut sources: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            let mut parts = item.split(':');
            let uuid = parts.next().unwrap_or_default().to_ascii_lowercase();
            if uuid.len() != 36 || !uuid.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
                return Err(bad());
            }
            let mut source = uuid.clone();
            for part in parts.map(str::trim) {
                if part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                    source = format!("{uuid}:{}", part.to_ascii_lowercase());
                    continue;
                }
                let (from, to) = part.split_once('-').unwrap_or((part, part));
                let from: u64 = from.trim().parse().map_err(|_| bad())?;
                let to: u64 = to.trim().parse().map_err(|_| bad())?;
                if from == 0 || from > to || to > NUMBER_MAX {
                    return Err(bad());
                }
                sources.entry(source.clone()).or_default().push((from, to));
            }
        }
        for ranges in sources.values_mut() {
            *ranges = joined(std::mem::take(ranges));
        }
        Ok(GtidSet { sources })
    }
}

/// Ranges in order, with those that touch or overlap made one.
fn joined(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.sort_unstable();
    let mut out: Vec<(u64, u64)> = Vec::with_capacity(ranges.len());
    for (from, to) in ranges {
        match out.last_mut() {
            Some((_, last)) if from <= last.saturating_add(1) => *last = to.max(*last),
            _ => out.push((from, to)),
        }
    }
    out
}

/// What of `ranges` is in none of `taken`; both are in order.
fn without(ranges: &[(u64, u64)], taken: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut out = Vec::new();
    for &(from, to) in ranges {
        let mut next = from;
        for &(f, t) in taken.iter().filter(|(f, t)| *t >= from && *f <= to) {
            if f > next {
                out.push((next, f - 1));
            }
            next = next.max(t + 1);
        }
        if next <= to {
            out.push((next, to));
        }
    }
    out
}

impl fmt::Display for GtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (source, ranges)) in self.sources.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { "," })?;
            f.write_str(source)?;
            for (from, to) in ranges {
                if from == to {
                    write!(f, ":{from}")?
                } else {
                    write!(f, ":{from}-{to}")?
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
