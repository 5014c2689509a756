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

proptest! {
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
