//! When equality under one of MySQL's collations implies equal keys.
//!
//! MySQL's utf8mb4_0900_ai_ci has the weights of Unicode 9, the keys those of CLDR 23 on Unicode 6.2; neither folds all
//! that the other does ('г' equals 'ґ' for MySQL and not here). A value routes all the same when every text that
//! MySQL takes as equal to it has its key, of the texts that [`accepts`] lets be stored: characters that MySQL folds
//! with known ones though these weights do not know them, and marks in an order that only one side sorts, are refused
//! there, being rarer than the values that could not route otherwise.
//!
//! The other collations of the 0900 family without a language (`_as_ci`, `_as_cs`) compare finer by the same weights.
//! Those with PAD SPACE take a trailing no-break space for nothing, which the keys do not, and those of languages have
//! their own contractions: they are not covered.

mod ranges;

use super::elements::Elements;
use super::key;
use ranges::{AMBIGUOUS, FOREIGN};

/// The collations of which [`routes`] and [`accepts`] know.
const COVERED: [&str; 3] = ["utf8mb4_0900_ai_ci", "utf8mb4_0900_as_ci", "utf8mb4_0900_as_cs"];

/// True for the collations under which some values route.
pub(crate) fn knows(collation: &str) -> bool {
    COVERED.contains(&collation)
}

/// True when all stored texts that a [known](knows) collation takes as equal to this one have its key.
pub(crate) fn routes(text: &str) -> bool {
    let ambiguous = |c| is_in(&AMBIGUOUS, c);
    // Trailing spaces add nothing to what a vindex hashes, though other characters that weigh as much do.
    let character_key = |c: char| key(c.encode_utf8(&mut [0; 4]));
    let last = text.chars().rev().map(character_key).find(|key| !key.is_empty());
    let ends_in_space = last.is_some_and(|last| last == character_key(' '));
    !ends_in_space && !text.chars().any(ambiguous) && accepts(text)
}

/// True when a text may be stored in a column of a [known](knows) collation without making [`routes`] wrong.
pub(crate) fn accepts(text: &str) -> bool {
    text.is_ascii() || !text.chars().any(|c| is_in(&FOREIGN, c)) && Elements::of(text).are_regular()
}

fn is_in(ranges: &[(u32, u32)], c: char) -> bool {
    let code = u32::from(c);
    let after = ranges.partition_point(|(first, _)| *first <= code);
    after
        .checked_sub(1)
        .and_then(|i| ranges.get(i))
        .is_some_and(|(_, last)| code <= *last)
}
