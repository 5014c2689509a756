use super::*;

fn hex_key(text: &str) -> String {
    hex::encode(key(text))
}

/// Lines of text and key, both in hex, as `tools/weights` writes them. `examples/compare_keys.rs` compares more of them.
#[test]
fn keys_are_those_of_the_go_module() {
    let lines: Vec<&str> = include_str!("golden.txt").lines().collect();
    for line in &lines {
        let (text, expected) = line.split_once(' ').unwrap();
        let text = String::from_utf8(hex::decode(text).unwrap()).unwrap();
        assert_eq!(hex_key(&text), expected, "{}", text.escape_unicode());
    }
    assert_eq!(lines.len(), 3_000);
}

#[test]
fn case_accents_and_marks_out_of_order_fold() {
    for (left, right) in [
        ("Test", "tést"),
        ("straße", "STRASSE"),
        ("\u{1ea5}", "a\u{301}\u{302}"),
        ("한", "\u{1112}\u{1161}\u{11ab}"),
    ] {
        assert_eq!(hex_key(left), hex_key(right), "{left} {right}");
    }
    assert_ne!(hex_key("test"), hex_key("tent"));
    assert_eq!(hex_key(""), "");
}

proptest::proptest! {
    #[test]
    fn ascii_takes_no_shortcut(text in "[\\x00-\\x7f]*") {
        let mut long = SmallVec::new();
        Elements::of(&text).iter().for_each(|element| push(&mut long, element.primary()));
        proptest::prop_assert_eq!(key(&text), long);
    }

    #[test]
    fn any_text_has_a_key(text in "\\PC*|.*") {
        proptest::prop_assert!(key(&text).len() <= 3 * 18 * text.chars().count());
    }
}
/// Pairs of texts, in hex, that MySQL 9.7 takes as equal under utf8mb4_0900_ai_ci: neighbours by weight, with ignored
/// characters put between.
#[test]
fn what_routes_has_the_key_of_what_mysql_takes_as_equal() {
    let (mut routed, mut differ) = (0, 0);
    for line in include_str!("coverage/equal.txt").lines() {
        let (left, right) = line.split_once(' ').unwrap();
        let [left, right] = [left, right].map(|text| String::from_utf8(hex::decode(text).unwrap()).unwrap());
        let same = key(left.trim_end_matches(' ')) == key(right.trim_end_matches(' '));
        differ += usize::from(!same);
        for (value, stored) in [(&left, &right), (&right, &left)] {
            if coverage::routes(value) && coverage::accepts(stored) {
                routed += 1;
                assert!(same, "{} {}", value.escape_unicode(), stored.escape_unicode());
            }
        }
    }
    assert!(routed > 700 && differ > 100, "{routed} routed, {differ} differ");
}
