#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

fn read(text: &str) -> Fingerprint {
    let mut fingerprint = Fingerprint::new();
    fingerprint.read(text.as_bytes(), LexOptions::default()).unwrap();
    fingerprint
}

fn key(text: &str) -> String {
    String::from_utf8(read(text).key().to_vec()).unwrap()
}

/// The slots' texts and classes.
fn slots(text: &str) -> Vec<(&str, SlotClass)> {
    let fingerprint = read(text);
    fingerprint
        .slots()
        .iter()
        .map(|slot| {
            (
                std::str::from_utf8(slot.span.of(text.as_bytes())).unwrap(),
                slot.class,
            )
        })
        .collect()
}

#[test]
fn literals_leave_the_key() {
    assert_eq!(
        key("SELECT c FROM sbtest1 WHERE id=12345"),
        "SELECT c FROM sbtest1 WHERE id=?"
    );
    assert_eq!(
        key("select 'a', \"b\", 1.5, 1e5, 0x41, b'1' /* 5 */ -- 6"),
        "select ?, ?, ?, ?, ?, ? /* 5 */ -- 6"
    );
    assert_eq!(
        key("select t1.1a, @a.1, @'x', @@global.x1, a1"),
        "select t1.1a, @a.1, @'x', @@global.x1, a1"
    );
    assert_eq!(
        key("select _utf8mb4'a', N'b', null, true"),
        "select _utf8mb4?, N?, null, true"
    );
    assert_eq!(key("select /*!40001 1, 'x' */ 2"), "select /*!40001 1, 'x' */ ?");
    assert_eq!(
        key("select /*+ MAX_EXECUTION_TIME(1000) */ 2"),
        "select /*+ MAX_EXECUTION_TIME(1000) */ ?"
    );
    assert_eq!(key("select ? limit 10"), "select ? limit ?");
    assert_eq!(slots("select ?, ?")[1], ("?", SlotClass::Param(1)));
}

#[test]
fn classes_and_signs() {
    use SlotClass::*;
    assert_eq!(
        slots("select 1, -1, 1.5, -.5, 1e5, 'x', x'41', 0b1"),
        [
            ("1", Integer),
            ("-1", Integer),
            ("1.5", Decimal),
            ("-.5", Decimal),
            ("1e5", Float),
            ("'x'", String),
            ("x'41'", Hex),
            ("0b1", Bit)
        ]
    );
    let of = |text: &str| slots(&format!("select {text}"))[0].1;
    assert_eq!(of("9223372036854775807"), Integer);
    assert_eq!(of("9223372036854775808"), Unsigned);
    assert_eq!(of("-9223372036854775808"), Integer);
    assert_eq!(of("-9223372036854775809"), BigInteger);
    assert_eq!(of("18446744073709551615"), Unsigned);
    assert_eq!(of("18446744073709551616"), BigInteger);
    assert_eq!(of("0000000000000000000000000000"), Integer);
    assert_eq!(of("00000000000000000000000000001"), Integer);
    assert_eq!(
        slots("where a -1 and b = -1 and a.in -2"),
        [("1", Integer), ("-1", Integer), ("2", Integer)]
    );
    assert!(read("x = -5").slots()[0].negative);
}

#[test]
fn lists_collapse() {
    assert_eq!(key("x IN (1, 2,3)"), "x IN (\u{1})");
    assert_eq!(key("x IN ( 1 )"), "x IN ( \u{1} )");
    assert_eq!(key("(a,b) in ((1,2), (3,?))"), "(a,b) in (\u{2}2\u{2})");
    assert_eq!(
        key("insert into t values (1,'a'),(2,'b') as n"),
        "insert into t values \u{2}2\u{2} as n"
    );
    assert_eq!(key("insert into t value(1)"), "insert into t value\u{2}1\u{2}");
    let fingerprint = read("insert into t values (1,'a'),(-2,?)");
    assert_eq!(fingerprint.params(), 1);
    let slot = fingerprint.slots()[0];
    assert_eq!(
        slot.class,
        SlotClass::List {
            first: 0,
            len: 4,
            columns: 2
        }
    );
    let elements = fingerprint.list_elements(&slot);
    assert_eq!(elements[2].class, SlotClass::Integer);
    assert!(elements[2].negative);
    assert_eq!(elements[3].class, SlotClass::Param(0));
}

#[test]
fn other_lists_stay() {
    assert_eq!(key("x in (1, a)"), "x in (?, a)");
    assert_eq!(key("x in (1 /* */, 2)"), "x in (? /* */, ?)");
    assert_eq!(key("x in ((1,2),(3))"), "x in ((?,?),(?))");
    assert_eq!(key("x in ((1,2),3)"), "x in ((?,?),?)");
    assert_eq!(key("x in ('a' 'b')"), "x in (? ?)");
    assert_eq!(key("values (1,2),(3)"), "values (?,?),(?)");
    assert_eq!(key("values (1,null)"), "values (?,null)");
    assert_eq!(key("values (?,now(),?)"), "values (?,now(),?)");
    assert_eq!(read("values (?,now(),?)").params(), 2);
    assert_eq!(key("t.in (1)"), "t.in (?)");
    assert_eq!(key("f(1, 2)"), "f(?, ?)");
    assert_eq!(key("x in ()"), "x in ()");
}

#[test]
fn verbs() {
    assert_eq!(read("").verb(), Verb::Empty);
    assert_eq!(read(" -- x\n/* y */").verb(), Verb::Empty);
    assert_eq!(read("/* x */ select 1").verb(), Verb::Select);
    assert_eq!(read("/*!40101 SET x=1 */").verb(), Verb::Set);
    assert_eq!(read("(select 1)").verb(), Verb::Paren);
    assert_eq!(read("begin").verb(), Verb::Begin);
    assert_eq!(read("1").verb(), Verb::Other);
    assert_eq!(read("`select`").verb(), Verb::Other);
    assert_eq!(read("commit; select 1").semicolon(), Some(6));
    assert_eq!(read("select ';'").semicolon(), None);
}

#[test]
fn errors_have_a_place() {
    let mut fingerprint = Fingerprint::new();
    for (text, offset) in [
        ("select 'a", 7),
        ("a\0", 1),
        ("/* x", 0),
        ("/*! x", 5),
        ("select `a", 7),
        ("x'4'", 0),
        ("\u{1}", 0),
    ] {
        assert_eq!(
            fingerprint
                .read(text.as_bytes(), LexOptions::default())
                .unwrap_err()
                .offset,
            offset,
            "{text}"
        );
    }
}

#[test]
fn anchors_move_with_the_literals() {
    let (one, two) = (
        read("select 1 + 'abc' from t where x in (1,2) and y"),
        read("select 100 + '' from t where x in (7) and y"),
    );
    assert_eq!(one.key(), two.key());
    assert_eq!(one.hash(), two.hash());
    for (offset, moved) in [(0, 0), (7, 7), (8, 10), (11, 13), (16, 15), (20, 19), (41, 38)] {
        let anchor = one.anchor(offset).unwrap();
        assert_eq!(two.offset(anchor), Some(moved), "{offset}");
    }
    assert_eq!(one.anchor(13), None);
    assert_eq!(one.find(Span::new(11, 16)), Some(Found::Slot(1)));
    assert_eq!(one.find(Span::new(11, 15)), None);
    assert_eq!(
        one.find(Span::new(38, 39)),
        Some(Found::Element { slot: 2, index: 1 })
    );
}
