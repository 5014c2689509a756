//! How far a member's data goes.

use std::fmt::Debug;

/// What a member has executed or received: in MySQL its set of GTIDs.
pub trait Position: Clone + PartialEq + Debug {
    /// The highest term whose row is in it; 0: none. Raft's last log term.
    fn term(&self) -> u64;

    /// Whether it has everything that the other has.
    fn covers(&self, other: &Self) -> bool;
}

/// The member to lead: of those with the highest term the one that covers all others of that term. What only lower terms have was
/// never acknowledged.
///
/// `preferred` wins among equals.
///
/// # Errors
/// Two names whose positions of one term have nothing in common order: one of them has transactions of its own.
pub(crate) fn furthest<'a, K: PartialEq, P: Position + 'a>(
    positions: impl Iterator<Item = (&'a K, &'a P)> + Clone,
    preferred: &K,
) -> Result<Option<&'a K>, (&'a K, &'a K)> {
    let Some(term) = positions.clone().map(|(_, p)| p.term()).max() else {
        return Ok(None);
    };
    let last = positions.filter(|(_, p)| p.term() == term);
    let mut best: Option<(&K, &P)> = None;
    for (name, position) in last.clone() {
        best = match best {
            Some((leader, have))
                if have.covers(position) && !(name == preferred && position.covers(have)) =>
            {
                Some((leader, have))
            }
            _ => Some((name, position)),
        };
    }
    let Some((leader, have)) = best else {
        return Ok(None);
    };
    match last.clone().find(|(_, p)| !have.covers(p)) {
        Some((other, _)) => Err((leader, other)),
        None => Ok(Some(leader)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A term and the set of transactions, one bit each.
    #[derive(Debug, Clone, PartialEq)]
    struct Set(u64, u8);

    impl Position for Set {
        fn term(&self) -> u64 {
            self.0
        }

        fn covers(&self, other: &Self) -> bool {
            self.1 & other.1 == other.1
        }
    }

    fn pick(positions: &[(char, Set)], preferred: char) -> Result<Option<char>, (char, char)> {
        furthest(positions.iter().map(|(n, p)| (n, p)), &preferred)
            .map(|name| name.copied())
            .map_err(|(a, b)| (*a, *b))
    }

    #[test]
    fn the_highest_term_wins_over_longer_tails() {
        assert_eq!(
            pick(&[('a', Set(1, 0b111)), ('b', Set(2, 0b001))], 'a'),
            Ok(Some('b'))
        );
        assert_eq!(pick(&[], 'a'), Ok(None));
    }

    #[test]
    fn within_a_term_the_superset_wins_and_the_asker_among_equals() {
        assert_eq!(
            pick(&[('a', Set(1, 0b01)), ('b', Set(1, 0b11))], 'a'),
            Ok(Some('b'))
        );
        assert_eq!(
            pick(&[('b', Set(1, 0b11)), ('a', Set(1, 0b01))], 'a'),
            Ok(Some('b'))
        );
        for preferred in ['a', 'b', 'c'] {
            let equal = ['a', 'b', 'c'].map(|n| (n, Set(3, 0b11)));
            assert_eq!(pick(&equal, preferred), Ok(Some(preferred)));
        }
    }

    #[test]
    fn sets_without_order_are_an_error_that_names_both() {
        let got = pick(&[('a', Set(1, 0b01)), ('b', Set(1, 0b10))], 'a');
        assert!(matches!(got, Err(('a', 'b') | ('b', 'a'))), "{got:?}");
    }
}
