//! A member's data as the machine compares it: a GTID set in which the shard's terms have rows.

use binlog::gtid::GtidSet;
use leadership::Position;

/// How far a member's data goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data {
    /// What was executed or received.
    pub gtids: GtidSet,
    /// The highest term whose row is among it; 0: none.
    term: u64,
}

impl Data {
    /// The data of a member of the shard whose term rows have this UUID.
    pub fn new(gtids: GtidSet, term_uuid: &str) -> Data {
        let term = gtids.highest(term_uuid);
        Data { gtids, term }
    }
}

impl Position for Data {
    fn term(&self) -> u64 {
        self.term
    }

    fn covers(&self, other: &Self) -> bool {
        other.gtids.is_subset(&self.gtids)
    }
}

/// The UUID that the shard's term rows have in their GTIDs: the shard's identity.
pub(crate) fn term_uuid(shard_id: &str) -> anyhow::Result<String> {
    let digits = shard_id.len() == 32 && shard_id.bytes().all(|b| b.is_ascii_hexdigit());
    anyhow::ensure!(
        digits,
        "the shard's identity {shard_id:?} is not made of 32 hex digits"
    );
    let part = |from: usize, to: usize| shard_id.get(from..to).unwrap_or_default().to_ascii_lowercase();
    Ok([part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_shards_identity_is_the_source_of_its_term_rows() {
        let uuid = term_uuid("0123456789ABCDEF0123456789abcdef").unwrap();
        assert_eq!(uuid, "01234567-89ab-cdef-0123-456789abcdef");
        for bad in ["", "0123", &"x".repeat(32), &"é".repeat(16)] {
            assert!(term_uuid(bad).is_err(), "{bad}");
        }
        let row: GtidSet = format!("{uuid}:1-7").parse().unwrap();
        assert_eq!(Data::new(row, &uuid).term(), 7);
    }

    #[test]
    fn the_set_that_has_all_covers() {
        let uuid = "01234567-89ab-cdef-0123-456789abcdef";
        let data = |text: &str| Data::new(text.parse().unwrap(), uuid);
        let (less, more) = (data(&format!("{uuid}:1")), data(&format!("{uuid}:1-2")));
        assert!(more.covers(&less) && !less.covers(&more) && less.covers(&less));
    }
}
