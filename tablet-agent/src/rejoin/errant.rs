//! Transactions that a member has and the shard does not.

use binlog::gtid::GtidSet;

/// What of a member's set is not in the primary's.
///
/// `member` is read first. Since the primary goes on meanwhile and shows a commit only once it is acknowledged, higher numbers of the
/// sources that it writes (its server_uuid, the shard's term UUID; tags included) than it has shown are not errant.
pub fn errant(member: &GtidSet, primary: &GtidSet, written: &[&str]) -> GtidSet {
    let mut errant = GtidSet::default();
    for (source, from, to) in member.difference(primary).iter() {
        let uuid = source.split(':').next().unwrap_or(source);
        let shown = if written.contains(&uuid) {
            primary.highest(source)
        } else {
            u64::MAX
        };
        errant.insert_range(source, from, to.min(shown));
    }
    errant
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    const P: &str = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa";
    const M: &str = "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb";

    fn set(text: &str) -> GtidSet {
        text.replace('P', P).replace('M', M).parse().unwrap()
    }

    #[test]
    fn what_the_primary_wrote_since_is_not_errant() {
        let primary = set("P:1-10:15:blue:1-2,M:1-5");
        for (member, expected) in [
            ("P:1-20:blue:1-9,M:1-5", "P:11-14"),
            ("P:16-90:red:1,M:1-4", ""),
            ("P:1-10,M:1-6", "M:6"),
            ("P:1,M:3:blue:1", "M:blue:1"),
        ] {
            assert_eq!(errant(&set(member), &primary, &[P]), set(expected), "{member}");
        }
    }

    proptest! {
        #[test]
        fn members_of_one_history_have_nothing_errant(
            executed in prop::collection::vec((any::<bool>(), 1u64..200), 1..100),
            seen in 0usize..100,
            later in 0u64..50,
            own in prop::option::of(1u64..300),
        ) {
            let mut primary = GtidSet::default();
            let mut member = GtidSet::default();
            for (i, (by_primary, number)) in executed.iter().enumerate() {
                let source = if *by_primary { P } else { M };
                primary.insert(source, *number);
                if i < seen {
                    member.insert(source, *number);
                }
            }
            let last = primary.highest(P);
            member.insert_range(P, last + 1, last + later);
            prop_assert!(errant(&member, &primary, &[P]).is_empty());
            if let Some(own) = own {
                let known = primary.contains(M, own);
                member.insert(M, own);
                prop_assert_eq!(errant(&member, &primary, &[P]).count(), u64::from(!known));
            }
        }
    }
}
