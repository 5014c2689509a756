use super::*;

fn hex_key(text: &str) -> String {
    hex::encode(key(text))
}

/// Compares with lines of text and key, both in hex, as `tools/weights` writes them.
fn compare(golden: &str) -> usize {
    let mut count = 0;
    for line in golden.lines() {
        let (text, expected) = line.split_once(' ').unwrap();
        let text = String::from_utf8(hex::decode(text).unwrap()).unwrap();
        assert_eq!(hex_key(&text), expected, "{}", text.escape_unicode());
        count += 1;
    }
    count
}

#[test]
fn keys_are_those_of_the_go_module() {
    assert_eq!(compare(include_str!("golden.txt")), 3_000);
}

/// `go run . golden SEED COUNT > FILE` in tools/weights makes the file.
#[test]
#[ignore = "takes the file that VITRAIL_LOOSE_GOLDEN names"]
fn keys_are_those_of_a_large_file() {
    let path = std::env::var_os("VITRAIL_LOOSE_GOLDEN").unwrap();
    assert!(compare(&std::fs::read_to_string(path).unwrap()) > 0);
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
    fn any_text_has_a_key(text in "\\PC*|.*") {
        proptest::prop_assert!(key(&text).len() <= 3 * 18 * text.chars().count());
    }
}
