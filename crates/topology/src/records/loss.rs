//! Whether a shard can lose one more member and go on.

use serde::Serialize;

use super::ShardRecord;

/// What is known of a voter now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VoterState {
    /// It serves as the primary of the record's term, and counts this many voters that acknowledge.
    Primary(usize),
    /// It serves as a replica of the record's term, is attached to the primary and acknowledges.
    Acknowledges,
    /// It does none of this, for the reason given.
    Unfit(String),
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OneMoreLoss {
    /// Whether any single further member can be lost: every acknowledged write is still on a member that can lead, and writes
    /// go on without anybody's help.
    pub survived: bool,
    /// Why, in words.
    pub why: String,
}

impl ShardRecord {
    /// Whether the shard survives the loss of any one further voter. `states` has them by their tablets' aliases; a voter that it
    /// does not name is taken for lost.
    #[must_use]
    pub fn one_more_loss(&self, states: &[(String, VoterState)]) -> OneMoreLoss {
        match self.refusal(states) {
            Some(why) => OneMoreLoss { survived: false, why },
            None => OneMoreLoss {
                survived: true,
                why: "whichever member is lost, the others elect a primary and acknowledge its writes"
                    .to_owned(),
            },
        }
    }

    fn refusal(&self, states: &[(String, VoterState)]) -> Option<String> {
        let members = self.voters.len();
        if members < 2 {
            return Some("1 member".to_owned());
        }
        let acks = usize::try_from(self.acks).unwrap_or(usize::MAX);
        let mut counted = None;
        let mut attached = 0_usize;
        let mut unfit = Vec::new();
        for voter in self.voters.iter().map(|voter| Self::alias_of(voter)) {
            match states
                .iter()
                .find(|(name, _)| name == voter)
                .map(|(_, state)| state)
            {
                Some(VoterState::Primary(by_primary)) => counted = Some(*by_primary),
                Some(VoterState::Acknowledges) => attached += 1,
                Some(VoterState::Unfit(why)) => unfit.push(format!("{voter} ({why})")),
                None => unfit.push(format!("{voter} (unknown)")),
            }
        }
        let unfit = unfit.join(" and ");
        let Some(counted) = counted else {
            return Some(match unfit.as_str() {
                "" => "no member serves as the primary".to_owned(),
                unfit => format!("no member serves as the primary; out of order: {unfit}"),
            });
        };
        let ackers = attached.min(counted);
        let because = match (unfit.as_str(), counted < attached) {
            ("", false) => format!("a commit needs {} of {members} members", acks.saturating_add(1)),
            ("", true) => format!("the primary counts {counted} of {attached} acknowledging members"),
            (unfit, _) => format!("without {unfit}"),
        };
        if ackers < acks {
            return Some(format!(
                "{because}: writes wait already, for {acks} acknowledging member(s)"
            ));
        }
        if ackers <= acks {
            return Some(format!(
                "{because}: the loss of another member stops writes until one returns (nothing acknowledged is lost)"
            ));
        }
        // Who is left without the primary are the ackers, and they have to be enough for a promise each.
        (ackers < self.promises_needed()).then(|| {
            format!(
                "{because}: the loss of the primary stops reads and writes until a member returns (nothing acknowledged is lost)"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFF: &str = "down";

    /// One letter per voter: `p` the primary, `a` one that acknowledges, `-` one that is down.
    fn states(letters: &str, counted: Option<usize>) -> Vec<(String, VoterState)> {
        let attached = letters.matches('a').count();
        let named = letters.chars().zip(1..).map(|(letter, serial)| {
            let state = match letter {
                'p' => VoterState::Primary(counted.unwrap_or(attached)),
                'a' => VoterState::Acknowledges,
                _ => VoterState::Unfit(OFF.to_owned()),
            };
            (format!("c-{serial}"), state)
        });
        named.collect()
    }

    fn look(letters: &str, acks: u32, counted: Option<usize>) -> OneMoreLoss {
        let voters = (1..=letters.len()).map(|serial| format!("c-{serial}")).collect();
        let record = ShardRecord::new("c", "-", "store", voters, acks).unwrap();
        record.one_more_loss(&states(letters, counted))
    }

    #[test]
    fn enough_members_survive_a_loss() {
        for (letters, acks) in [
            ("paa", 1),
            ("apa", 1),
            ("paaa", 2),
            ("paaaa", 2),
            ("paa-a", 2),
            ("paaaa", 1),
        ] {
            let answer = look(letters, acks, None);
            assert!(answer.survived, "{letters} {acks}: {answer:?}");
        }
    }

    #[test]
    fn what_is_too_little_is_said() {
        let stops =
            "the loss of another member stops writes until one returns (nothing acknowledged is lost)";
        for (letters, acks, why) in [
            ("p", 0, "1 member".to_owned()),
            ("-", 0, "1 member".to_owned()),
            ("pa", 1, format!("a commit needs 2 of 2 members: {stops}")),
            ("paa", 2, format!("a commit needs 3 of 3 members: {stops}")),
            ("pa-", 1, format!("without c-3 (down): {stops}")),
            ("paa--", 2, format!("without c-4 (down) and c-5 (down): {stops}")),
            (
                "paaa-",
                1,
                "without c-5 (down): the loss of the primary stops reads and writes until a member returns (nothing \
                 acknowledged is lost)"
                    .to_owned(),
            ),
            (
                "p--",
                1,
                "without c-2 (down) and c-3 (down): writes wait already, for 1 acknowledging member(s)".to_owned(),
            ),
            (
                "-aa",
                1,
                "no member serves as the primary; out of order: c-1 (down)".to_owned(),
            ),
            ("aaa", 1, "no member serves as the primary".to_owned()),
        ] {
            let answer = look(letters, acks, None);
            assert_eq!((answer.survived, answer.why), (false, why), "{letters} {acks}");
        }
    }

    /// A member that believes to acknowledge is none before the primary counts it.
    #[test]
    fn the_primary_counts() {
        let answer = look("paa", 1, Some(1));
        assert!(!answer.survived);
        assert!(
            answer
                .why
                .starts_with("the primary counts 1 of 2 acknowledging members: "),
            "{answer:?}"
        );
        assert!(look("paa", 1, Some(2)).survived);
    }

    /// A member that is no voter, or that nobody asked, counts for nothing.
    #[test]
    fn only_voters_count() {
        let record = ShardRecord::new(
            "c",
            "-",
            "store",
            vec!["c-1".into(), "c-2".into(), "c-9".into()],
            1,
        )
        .unwrap();
        let answer = record.one_more_loss(&states("paaa", None));
        assert!(
            !answer.survived && answer.why.starts_with("without c-9 (unknown): "),
            "{answer:?}"
        );
    }

    /// New data in the place of lost data is another voter of the same tablet.
    #[test]
    fn a_voter_is_known_by_its_tablet() {
        let voters = vec!["c-1".into(), "c-2".into(), "c-3#1f".into()];
        let record = ShardRecord::new("c", "-", "store", voters, 1).unwrap();
        assert!(record.one_more_loss(&states("paa", None)).survived);
    }

    /// The rule against a search through every loss: who is left must have the promises and the acknowledgements.
    #[test]
    fn the_rule_agrees_with_trying_every_loss() {
        for members in 2_usize..=6 {
            for acks in 1..members {
                for ackers in 0..members {
                    let letters: String = std::iter::once('p')
                        .chain(std::iter::repeat_n('a', ackers))
                        .chain(std::iter::repeat_n('-', members - 1 - ackers))
                        .collect();
                    let promises = members - acks;
                    let without_primary = ackers >= promises && ackers > acks;
                    let without_replica = ackers.saturating_sub(1) >= acks;
                    let answer = look(&letters, u32::try_from(acks).unwrap(), None);
                    assert_eq!(
                        answer.survived,
                        without_primary && without_replica,
                        "{letters} {acks}: {answer:?}"
                    );
                }
            }
        }
    }
}
