#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

const A: &str = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa";
const B: &str = "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb";

fn set(text: &str) -> GtidSet {
    text.parse().unwrap()
}

#[test]
fn reads_what_mysqld_prints() {
    let s = set(&format!("{A}:1-5:7:9-10,\n{B}:3"));
    assert_eq!((s.count(), s.highest(A), s.highest(B)), (9, 10, 3));
    assert!(s.contains(A, 7) && !s.contains(A, 8) && s.contains(B, 3) && !s.contains(B, 1));
    assert_eq!(s.to_string(), format!("{A}:1-5:7:9-10,{B}:3"));
    assert!(set("").is_empty());
}

#[test]
fn tags_are_sources_of_their_own() {
    let s = set(&format!("{A}:1-25:tag:1:other:4-5"));
    assert_eq!(s.highest(A), 25);
    assert_eq!(s.highest(&format!("{A}:tag")), 1);
    assert_eq!(s.highest(&format!("{A}:other")), 5);
    assert!(!set(&format!("{A}:tag:1")).is_subset(&set(&format!("{A}:1-25"))));
}

#[test]
fn touching_ranges_become_one() {
    assert_eq!(set(&format!("{A}:6-9:1-5")).to_string(), format!("{A}:1-9"));
}

#[test]
fn subset_needs_every_transaction() {
    let small = set(&format!("{A}:2-3"));
    assert!(small.is_subset(&set(&format!("{A}:1-5,{B}:1"))));
    assert!(!small.is_subset(&set(&format!("{A}:1-2:4"))));
    assert!(GtidSet::default().is_subset(&small));
}

#[test]
fn rubbish_is_refused() {
    for text in [
        "x",
        "aaaa:1",
        &format!("{A}:0"),
        &format!("{A}:5-4"),
        &format!("{A}:1-"),
        &format!("{A}:99999999999999999999"),
    ] {
        assert!(text.parse::<GtidSet>().is_err(), "{text}");
    }
}

#[test]
fn sets_are_joined_and_taken_apart() {
    let (a, b) = (
        set(&format!("{A}:1-9:20,{B}:1:tag:4-5")),
        set(&format!("{A}:3-4:6:15-20,{B}:tag:5")),
    );
    assert_eq!(a.union(&b), set(&format!("{A}:1-9:15-20,{B}:1:tag:4-5")));
    assert_eq!(a.difference(&b), set(&format!("{A}:1-2:5:7-9,{B}:1:tag:4")));
    assert_eq!(b.difference(&a), set(&format!("{A}:15-19")));
    assert!(!a.is_disjoint(&b) && a.is_disjoint(&set(&format!("{A}:10-19,{B}:2:tag:6"))));
    assert_eq!(a.difference(&a), GtidSet::default());
    let all: Vec<_> = b.iter().collect();
    let tagged = format!("{B}:tag");
    assert_eq!(all, [(A, 3, 4), (A, 6, 6), (A, 15, 20), (&*tagged, 5, 5)]);
}

#[test]
fn numbers_that_no_transaction_has_are_not_added() {
    let mut s = GtidSet::default();
    for number in [0, NUMBER_MAX + 1, u64::MAX] {
        s.insert(A, number);
    }
    assert!(s.is_empty() && s.iter().next().is_none());
    s.insert(A, NUMBER_MAX);
    assert_eq!(s.difference(&set(&format!("{A}:1"))), s);
}

/// Few sources and small numbers, so that sets meet.
fn any_set() -> impl Strategy<Value = (GtidSet, std::collections::BTreeSet<(usize, u64)>)> {
    prop::collection::btree_set((0usize..3, 1u64..30), 0..40).prop_map(|members| {
        let mut s = GtidSet::default();
        for (source, number) in &members {
            s.insert(SOURCES[*source], *number);
        }
        (s, members)
    })
}

const SOURCES: [&str; 3] = [A, B, "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb:tag"];

proptest! {
    #[test]
    fn sets_behave_as_sets((a, x) in any_set(), (b, y) in any_set(), order in any::<u64>()) {
        let of = |members: Vec<(usize, u64)>| {
            let mut members = members;
            // Any order of adding gives the same set.
            members.sort_by_key(|(source, number)| (*number ^ order, *source));
            let mut s = GtidSet::default();
            members.iter().for_each(|(source, number)| s.insert(SOURCES[*source], *number));
            s
        };
        prop_assert_eq!(a.union(&b), of(x.union(&y).copied().collect()));
        prop_assert_eq!(a.difference(&b), of(x.difference(&y).copied().collect()));
        prop_assert_eq!(a.is_disjoint(&b), x.is_disjoint(&y));
        prop_assert_eq!(a.is_subset(&b), x.is_subset(&y));
        prop_assert_eq!(a.count(), x.len() as u64);
        prop_assert_eq!(a.to_string().parse::<GtidSet>().unwrap(), a);
    }

    #[test]
    fn printed_sets_read_back(ranges in prop::collection::vec((1u64..500, 0u64..20), 0..12)) {
        let text = ranges.iter().map(|(from, len)| format!("{A}:{from}-{}", from + len)).collect::<Vec<_>>().join(",");
        let s = set(&text);
        prop_assert_eq!(&set(&s.to_string()), &s);
        for (from, len) in &ranges {
            prop_assert!(s.contains(A, *from) && s.contains(A, from + len));
        }
        prop_assert!(s.is_subset(&s));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
        let _ = text.parse::<GtidSet>();
    }
}
