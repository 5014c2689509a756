//! Properties of reading any text: nothing panics, and lexer, fingerprint, splitter and parser agree with each other.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "support/corpus.rs"]
mod corpus;

use proptest::prelude::*;
use sql::ast::{Statement, StatementKind};
use sql::charset::ClientCharset;
use sql::fingerprint::{Fingerprint, SlotClass};
use sql::lexer::LexOptions;
use sql::mode::LexMode;
use sql::parser::parse;
use sql::span::Span;
use sql::split::split;

const CHARSETS: [ClientCharset; 6] = [
    ClientCharset::AsciiSafe,
    ClientCharset::Gbk,
    ClientCharset::Gb18030,
    ClientCharset::Big5,
    ClientCharset::Sjis,
    ClientCharset::Cp932,
];

fn options() -> impl Strategy<Value = LexOptions> {
    let modes = [
        LexMode::NONE,
        LexMode::ANSI_QUOTES,
        LexMode::NO_BACKSLASH_ESCAPES,
        LexMode::PIPES_AS_CONCAT,
        LexMode::HIGH_NOT_PRECEDENCE,
        LexMode::IGNORE_SPACE,
    ];
    let mode = prop_oneof![4 => Just(LexMode::NONE), 1 => prop::sample::select(modes.to_vec())];
    let charset =
        prop_oneof![2 => Just(ClientCharset::AsciiSafe), 1 => prop::sample::select(CHARSETS.to_vec())];
    (mode, charset, prop::sample::select(vec![80000, 80400, 90700])).prop_map(
        |(mode, charset, server_version)| LexOptions {
            mode,
            charset,
            server_version,
        },
    )
}

/// A statement of the corpus.
fn statement() -> impl Strategy<Value = Vec<u8>> {
    let lines: Vec<&'static str> = corpus::ACCEPTED.lines().collect();
    prop::sample::select(lines).prop_map(|line| line.as_bytes().to_vec())
}

/// Pieces that change how a text is read.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"'",
        b"\"",
        b"`",
        b"\\",
        b"(",
        b")",
        b",",
        b";",
        b".",
        b"-",
        b"--",
        b"-- ",
        b"#",
        b"/*",
        b"*/",
        b"/*!",
        b"/*!80000 ",
        b"/*+",
        b"@",
        b"@@",
        b"?",
        b" ",
        b"\n",
        b"\0",
        b"\x01",
        b"\x02",
        b"\xBF",
        b"\x81",
        b"0",
        b"1",
        b"0x",
        b"x'",
        b"1e",
        b"1.5",
        b"-1",
        b"in",
        b" in (1, 2)",
        b"values",
        b" values (1, 2), (3, 4)",
        b"select ",
        b"null",
        b"not ",
        b"between ",
        b" and ",
        b"interval ",
        b"N'a'",
        b"_utf8mb4'a'",
        b"$$",
        b"$a$",
        b":=",
        b"->",
        b"{",
        b"}",
        b"||",
        b"case",
        b"end",
        b"begin",
        b"union ",
        b" join ",
        b" on ",
        b" as ",
    ];
    prop_oneof![
        8 => prop::sample::select(pieces).prop_map(<[u8]>::to_vec),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ]
}

/// A statement with a few changes.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), 0..8usize, prop::option::of(piece()));
    (
        statement(),
        statement(),
        any::<prop::sample::Index>(),
        prop::bool::weighted(0.2),
        prop::collection::vec(change, 0..5),
    )
        .prop_map(|(mut text, other, cut, splice, changes)| {
            if splice {
                text.truncate(cut.index(text.len() + 1));
                text.extend_from_slice(&other[cut.index(other.len() + 1)..]);
            }
            for (place, removed, inserted) in changes {
                let start = place.index(text.len() + 1);
                let end = (start + removed).min(text.len());
                // Half of the changes only insert.
                let end = if removed < 4 { start } else { end };
                text.splice(start..end, inserted.unwrap_or_default());
            }
            text
        })
}

/// The spans of all literal nodes, from the tree's Debug form.
fn literal_spans(statement: &Statement<'_>) -> Vec<Span> {
    let debug = format!("{statement:?}");
    debug
        .match_indices("Literal { span: Span { start: ")
        .map(|(at, prefix)| {
            let rest = &debug[at + prefix.len()..];
            let (start, rest) = rest.split_once(", end: ").unwrap();
            Span::new(
                start.parse().unwrap(),
                rest.split_once(' ').unwrap().0.parse().unwrap(),
            )
        })
        .collect()
}

/// Everything that must hold for a text.
fn check(text: &[u8], options: LexOptions) {
    let shown = String::from_utf8_lossy(text);
    let mut fingerprint = Fingerprint::new();
    let fingerprinted = fingerprint.read(text, options);
    let spans: Vec<Span> = split(text, options).take(1000).collect();
    assert!(
        spans
            .iter()
            .all(|span| span.start <= span.end && span.end as usize <= text.len())
    );
    assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].start));
    let parsed = parse(text, options);
    let statement = match &parsed {
        Ok(statement) => statement,
        Err(error) => {
            assert!(error.offset <= text.len());
            return;
        }
    };
    assert!(
        fingerprinted.is_ok(),
        "parsed, but no fingerprint: {fingerprinted:?}"
    );
    assert_eq!(
        fingerprint.params(),
        statement.params,
        "number of params: {shown}"
    );
    match statement.kind {
        // Bodies of stored programs are not parsed, so a broken one may split.
        StatementKind::Other(_) => {}
        StatementKind::Empty => assert!(spans.is_empty()),
        // `/*! SELECT 1; */` alone is one statement; among several, what follows the `;` is one of its own, as in MySQL.
        _ if text.windows(3).any(|window| window == b"/*!") => {
            assert_eq!(spans.first(), Some(&statement.span), "{shown}");
        }
        _ => assert_eq!(spans, [statement.span], "{shown}"),
    }
    if !text.windows(3).any(|window| window == b"/*!") {
        for span in literal_spans(statement) {
            assert!(
                fingerprint.find(span).is_some(),
                "no slot at {:?}",
                String::from_utf8_lossy(span.of(text))
            );
        }
    }
    for (index, slot) in fingerprint.slots().iter().enumerate() {
        let anchor = fingerprint.anchor(slot.span.end).unwrap();
        assert_eq!((anchor.slot as usize, anchor.delta), (index + 1, 0));
        assert_eq!(fingerprint.offset(anchor), Some(slot.span.end));
    }
}

/// A literal of the same class with another text.
fn other_literal(class: SlotClass, negative: bool, seed: u32) -> String {
    let sign = if negative { "-" } else { "" };
    match class {
        SlotClass::Integer => format!("{sign}{seed}"),
        SlotClass::Unsigned => format!("1844674407370{:07}", seed % 1_000_000),
        SlotClass::BigInteger => format!("{sign}99999999999999999999{seed}"),
        SlotClass::Decimal => format!("{sign}{seed}.{seed}"),
        SlotClass::Float => format!("{sign}{seed}.5e{}", seed % 10),
        SlotClass::String => format!("'{}''\\''", "x; -- ? ".repeat(seed as usize % 5)),
        SlotClass::Hex => format!("0x{seed:x}"),
        SlotClass::Bit => format!("b'{seed:b}'"),
        SlotClass::Param(_) => "?".to_owned(),
        SlotClass::List { columns, .. } => {
            let elements = |count: u32| {
                (0..count)
                    .map(|at| format!("{}", at + seed))
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            let rows = 1 + seed % 4;
            if columns == 0 {
                elements(rows)
            } else {
                (0..rows)
                    .map(|_| format!("({})", elements(columns)))
                    .collect::<Vec<_>>()
                    .join(",")
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(text in prop::collection::vec(any::<u8>(), 0..80), options in options()) {
        check(&text, options);
    }

    #[test]
    fn any_pieces(pieces in prop::collection::vec(piece(), 0..20), options in options()) {
        check(&pieces.concat(), options);
    }

    #[test]
    fn mutated_statements(text in mutated(), options in options()) {
        check(&text, options);
    }

    /// The key does not depend on the literals, and places between them are found again.
    #[test]
    fn keys_do_not_depend_on_literals(text in statement(), seed in 1..1_000_000u32) {
        let options = LexOptions::default();
        let (mut first, mut second) = (Fingerprint::new(), Fingerprint::new());
        first.read(&text, options).unwrap();
        let mut other = Vec::new();
        let mut at = 0;
        let mut expected = Vec::new();
        for slot in first.slots() {
            expected.push((slot.span.start, other.len() + slot.span.start as usize - at));
            other.extend_from_slice(&text[at..slot.span.start as usize]);
            other.extend_from_slice(other_literal(slot.class, slot.negative, seed).as_bytes());
            at = slot.span.end as usize;
        }
        other.extend_from_slice(&text[at..]);
        second.read(&other, options).unwrap();
        prop_assert_eq!(first.key(), second.key());
        prop_assert_eq!(first.hash(), second.hash());
        prop_assert_eq!(first.slots().len(), second.slots().len());
        for (place, moved) in expected {
            let anchor = first.anchor(place).unwrap();
            prop_assert_eq!(second.offset(anchor), Some(moved as u32));
        }
    }
}

#[test]
fn the_corpus_itself() {
    for text in corpus::ACCEPTED.lines() {
        check(text.as_bytes(), LexOptions::default());
    }
}

#[test]
fn a_key_never_reads_as_another_text() {
    // Bytes of the list markers, and `?` beside words, cannot be smuggled into a key.
    for (one, other) in [
        ("x in (1)", "x in (\u{1})"),
        ("values (1, 2)", "values \u{2}2\u{2}"),
    ] {
        let mut fingerprint = Fingerprint::new();
        fingerprint.read(one.as_bytes(), LexOptions::default()).unwrap();
        assert_eq!(fingerprint.key(), other.as_bytes());
        assert!(fingerprint.read(other.as_bytes(), LexOptions::default()).is_err());
    }
}
