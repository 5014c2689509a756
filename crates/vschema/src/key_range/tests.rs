use proptest::prelude::*;

use super::*;

fn range(name: &str) -> KeyRange {
    name.parse().unwrap()
}

fn id(hex: &str) -> KeyspaceId {
    KeyspaceId::new(&hex::decode(hex).unwrap())
}

#[test]
fn names_parse_and_print() {
    for name in [
        "-",
        "-80",
        "80-",
        "40-80",
        "00-80",
        "-4000",
        "3333-6666",
        "80-80000001",
    ] {
        assert_eq!(range(name).to_string(), name);
    }
    assert_eq!(range("0"), KeyRange::full());
    assert_eq!(range("A0-C0").to_string(), "a0-c0");
    assert_eq!(range("00-80"), range("-80"));
    assert_eq!(range("-8000"), range("-80"));
    assert!(range("00-").is_full());
}

#[test]
fn bad_names_say_why() {
    for name in ["", "80", "-8", "8-", "zz-", "-40-80", "1", "+80-", "- 80"] {
        assert!(name.parse::<KeyRange>().is_err(), "{name}");
    }
    for name in ["80-80", "80-40", "80-8000", "-00"] {
        assert_eq!(
            name.parse::<KeyRange>(),
            Err(KeyRangeError::Empty(name.to_owned()))
        );
    }
    let long = format!("-{}", "ab".repeat(65));
    assert_eq!(long.parse::<KeyRange>(), Err(KeyRangeError::Hex(long)));
}

#[test]
fn object_names() {
    for (name, object) in [
        ("-80", "customer-x-80"),
        ("80-", "customer-80-x"),
        ("-", "customer-x-x"),
        ("40-80", "customer-40-80"),
    ] {
        assert_eq!(range(name).object_name("customer"), object);
        assert_eq!(KeyRange::parse_object_name(object), Ok(("customer", range(name))));
    }
    assert_eq!(KeyRange::parse_object_name("a-b-x-80"), Ok(("a-b", range("-80"))));
    for bad in [
        "customer",
        "customer-80",
        "-x-80",
        "customer--80",
        "customer-80-40",
        "customer-y-80",
    ] {
        assert!(KeyRange::parse_object_name(bad).is_err(), "{bad}");
    }
}

#[test]
fn membership_is_half_open() {
    let middle = range("40-80");
    assert!(middle.contains(&id("40")) && middle.contains(&id("4000")) && middle.contains(&id("7fffffff")));
    assert!(!middle.contains(&id("80")) && !middle.contains(&id("8000")) && !middle.contains(&id("3fffff")));
    assert!(
        range("-").contains(&id(""))
            && range("-80").contains(&id("00"))
            && range("80-").contains(&id("ffffffffffffffffff"))
    );
}

#[test]
fn ranges_relate() {
    assert!(range("-80").is_adjacent(&range("80-")) && range("8000-").is_adjacent(&range("-80")));
    assert!(!range("-40").is_adjacent(&range("80-")) && !range("-").is_adjacent(&range("-")));
    assert!(range("-40").intersects(&range("30-50")) && !range("-40").intersects(&range("40-50")));
    assert!(range("-").contains_range(&range("40-")) && !range("40-").contains_range(&range("-")));
    assert!(range("40-80").contains_range(&range("40-80")) && !range("40-80").contains_range(&range("40-")));
    assert_eq!(range("-80").intersection(&range("40-")), Some(range("40-80")));
    assert_eq!(range("-40").intersection(&range("40-")), None);
}

#[test]
fn prefixes_become_ranges() {
    assert_eq!(KeyRange::from_prefix(&[0x80]), range("80-81"));
    assert_eq!(KeyRange::from_prefix(&[0x80, 0xff]), range("80ff-81"));
    assert_eq!(KeyRange::from_prefix(&[0xff, 0xff]), range("ffff-"));
    assert_eq!(KeyRange::from_prefix(&[]), range("-"));
}

#[test]
fn inclusive_bounds() {
    let closed = KeyRange::inclusive(Some(&[0x40]), Some(&[0x80])).unwrap();
    assert!(closed.contains(&id("80")) && closed.contains(&id("80000000")) && !closed.contains(&id("81")));
    assert_eq!(KeyRange::inclusive(Some(&[0x80]), Some(&[0x40])), None);
    assert_eq!(KeyRange::inclusive(Some(&[0x80]), None), Some(range("80-")));
    assert!(KeyRange::inclusive(None, Some(&[])).unwrap().contains(&id("00")));
}

#[test]
fn specs_expand() {
    assert_eq!(
        parse_spec("-40-80-c0-").unwrap(),
        ["-40", "40-80", "80-c0", "c0-"].map(range)
    );
    assert_eq!(parse_spec("-").unwrap(), [range("-")]);
    assert_eq!(parse_spec("40-80").unwrap(), [range("40-80")]);
    for bad in [
        "",
        "0",
        "-80-40-",
        "--",
        "-40--80-",
        "-40-40-",
        "-40-4000-",
        "-4-",
    ] {
        assert!(parse_spec(bad).is_err(), "{bad}");
    }
}

#[test]
fn even_splits_have_known_bounds() {
    let names = |n| {
        even_split(n)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(1), ["-"]);
    assert_eq!(names(2), ["-80", "80-"]);
    assert_eq!(names(3), ["-55", "55-aa", "aa-"]);
    assert_eq!(names(4), ["-40", "40-80", "80-c0", "c0-"]);
    assert_eq!(names(257).get(1).unwrap(), "00ff-01fe");
    assert_eq!(
        even_split_with_chars(3, 4).unwrap().first().unwrap().to_string(),
        "-5555"
    );
    assert_eq!(
        even_split_with_chars(2, 16).unwrap().first().unwrap().to_string(),
        "-8000000000000000"
    );
    for (shards, chars) in [(0, 2), (65_537, 8), (257, 2), (2, 3), (2, 18), (2, 0)] {
        assert_eq!(
            even_split_with_chars(shards, chars),
            Err(PartitionError::Count { shards, chars })
        );
    }
}

#[test]
fn partitions_miss_and_repeat_nothing() {
    let check = |names: &[&str]| Partition::new(names.iter().map(|name| range(name)).collect());
    assert_eq!(
        check(&["80-", "-80"]).unwrap().ranges(),
        ["-80", "80-"].map(range)
    );
    assert_eq!(check(&[]), Err(PartitionError::NoShards));
    assert_eq!(check(&["40-"]), Err(PartitionError::Gap(range("-40"))));
    assert_eq!(check(&["-40", "80-"]), Err(PartitionError::Gap(range("40-80"))));
    assert_eq!(check(&["-40", "40-80"]), Err(PartitionError::Gap(range("80-"))));
    assert_eq!(
        check(&["-80", "40-"]),
        Err(PartitionError::Overlap("-80".into(), "40-".into()))
    );
    assert_eq!(
        check(&["-", "-"]),
        Err(PartitionError::Overlap("-".into(), "-".into()))
    );
}

#[test]
fn shards_are_found() {
    let four = Partition::new(even_split(4).unwrap()).unwrap();
    assert_eq!(
        ["", "3fff", "40", "bfff", "c0", "ff"].map(|hex| four.find(&id(hex))),
        [0, 0, 1, 2, 3, 3]
    );
    assert_eq!(four.find_range(&range("-")), 0..4);
    assert_eq!(four.find_range(&range("40-80")), 1..2);
    assert_eq!(four.find_range(&range("30-50")), 0..2);
    assert_eq!(four.find_range(&range("c0-")), 3..4);
}

#[test]
fn shards_are_found_by_long_bounds() {
    let names = [
        "-4000000000000000",
        "4000000000000000-400000000000000001",
        "400000000000000001-400000000000000002",
    ];
    let mut ranges: Vec<KeyRange> = names.into_iter().map(range).collect();
    ranges.push(range("400000000000000002-"));
    let partition = Partition::new(ranges).unwrap();
    let found = [
        "3f",
        "40",
        "4000000000000000",
        "40000000000000000080",
        "400000000000000001",
        "4000000000000000020101",
        "41",
    ]
    .map(|hex| partition.find(&id(hex)));
    assert_eq!(found, [0, 1, 1, 1, 2, 3, 3]);
}

proptest! {
    #[test]
    fn any_text_parses_or_is_refused(text in "[-0-9a-fA-Fx ]{0,12}|.*") {
        if let Ok(parsed) = text.parse::<KeyRange>() {
            prop_assert_eq!(parsed.to_string().parse::<KeyRange>().unwrap(), parsed);
        }
        let _ = parse_spec(&text);
        if let Ok((keyspace, parsed)) = KeyRange::parse_object_name(&text) {
            let name = parsed.object_name(keyspace);
            prop_assert_eq!(KeyRange::parse_object_name(&name).unwrap(), (keyspace, parsed));
        }
    }

    #[test]
    fn ranges_round_trip(start in prop::collection::vec(any::<u8>(), 0..10), end in prop::collection::vec(any::<u8>(), 0..10)) {
        if let Ok(made) = KeyRange::new(&start, &end) {
            prop_assert_eq!(made.to_string().parse::<KeyRange>().unwrap(), made.clone());
            let name = made.object_name("ks");
            prop_assert_eq!(KeyRange::parse_object_name(&name).unwrap(), ("ks", made));
        }
    }

    #[test]
    fn even_splits_are_partitions(shards in 1..5000usize, chars in (1..8usize).prop_map(|half| half * 2)) {
        let split = even_split(shards).unwrap();
        prop_assert_eq!(split.len(), shards);
        prop_assert!(Partition::new(split).is_ok());
        if let Ok(split) = even_split_with_chars(shards, chars) {
            prop_assert_eq!(Partition::new(split).unwrap().ranges().len(), shards);
        }
    }

    #[test]
    fn every_id_has_one_shard(shards in 1..300usize, bytes in prop::collection::vec(any::<u8>(), 0..12)) {
        let partition = Partition::new(even_split(shards).unwrap()).unwrap();
        let id = KeyspaceId::new(&bytes);
        let holders: Vec<usize> =
            partition.ranges().iter().enumerate().filter(|(_, range)| range.contains(&id)).map(|(i, _)| i).collect();
        prop_assert_eq!(holders, [partition.find(&id)]);
    }

    #[test]
    fn prefix_ranges_hold_what_begins_so(prefix in prop::collection::vec(any::<u8>(), 0..5), rest in prop::collection::vec(any::<u8>(), 0..5)) {
        let whole: Vec<u8> = prefix.iter().chain(&rest).copied().collect();
        prop_assert!(KeyRange::from_prefix(&prefix).contains(&KeyspaceId::new(&whole)));
    }

    #[test]
    fn found_ranges_are_those_that_intersect(shards in 1..64usize, start in prop::collection::vec(any::<u8>(), 0..3), end in prop::collection::vec(any::<u8>(), 0..3)) {
        let partition = Partition::new(even_split(shards).unwrap()).unwrap();
        if let Ok(wanted) = KeyRange::new(&start, &end) {
            let slow: Vec<usize> = (0..shards).filter(|&i| partition.ranges()[i].intersects(&wanted)).collect();
            prop_assert_eq!(partition.find_range(&wanted).collect::<Vec<_>>(), slow);
        }
    }
}
