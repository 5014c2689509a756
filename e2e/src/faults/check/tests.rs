//! Histories that are right, and every way to be wrong.

use super::*;

const CODE: Told = Told::Code(1105);

/// Sent at `at` ms and ended 5 ms later.
fn attempt(values: std::ops::Range<u64>, at: u64, outcome: Outcome) -> Attempt {
    Attempt {
        writer: 0,
        values,
        sent: Duration::from_millis(at),
        ended: Duration::from_millis(at + 5),
        outcome,
    }
}

fn row(value: u64, server: u32, term: u64) -> Row {
    Row { value, server, term }
}

#[test]
fn a_failover_as_it_should_be() {
    let attempts = [
        attempt(1..2, 0, Outcome::Acked),
        attempt(2..5, 10, Outcome::Acked),
        attempt(5..6, 20, Outcome::Unknown(Told::Code(2013))),
        attempt(6..9, 20, Outcome::Unknown(Told::Gone)),
        attempt(9..10, 22, Outcome::Refused(CODE)),
        attempt(10..11, 40, Outcome::Acked),
    ];
    let rows = [
        row(1, 7, 1),
        row(2, 7, 1),
        row(3, 7, 1),
        row(4, 7, 1),
        row(6, 7, 1),
        row(7, 7, 1),
        row(8, 7, 1),
        row(10, 8, 2),
    ];
    assert_eq!(check(&attempts, &rows), []);
}

#[test]
fn a_lost_acknowledgement() {
    let attempts = [attempt(1..3, 0, Outcome::Acked)];
    let acked = Duration::from_millis(5);
    assert_eq!(
        check(&attempts, &[row(1, 7, 1)]),
        [Violation::Lost { value: 2, acked }]
    );
}

#[test]
fn a_write_that_was_repeated() {
    let attempts = [attempt(1..2, 0, Outcome::Unknown(Told::Code(2013)))];
    assert_eq!(
        check(&attempts, &[row(1, 7, 1), row(1, 8, 2)]),
        [Violation::Twice { value: 1, times: 2 }]
    );
}

#[test]
fn a_refused_write_that_is_there() {
    let attempts = [attempt(1..3, 0, Outcome::Refused(CODE))];
    assert_eq!(
        check(&attempts, &[row(2, 7, 1)]),
        [Violation::Resurrected { value: 2, told: CODE }]
    );
}

#[test]
fn half_a_transaction() {
    let attempts = [attempt(1..4, 0, Outcome::Unknown(Told::Gone))];
    let rows = [row(1, 7, 1), row(3, 7, 1)];
    let torn = Violation::Torn {
        first: 1,
        rows: 3,
        found: 2,
    };
    assert_eq!(check(&attempts, &rows), [torn]);
}

#[test]
fn a_value_from_nowhere() {
    assert_eq!(check(&[], &[row(1, 7, 1)]), [Violation::Unasked { value: 1 }]);
}

#[test]
fn two_servers_in_one_term() {
    let attempts = [attempt(1..2, 0, Outcome::Acked), attempt(2..3, 0, Outcome::Acked)];
    assert_eq!(
        check(&attempts, &[row(1, 7, 3), row(2, 8, 3)]),
        [Violation::TwoPrimaries {
            term: 3,
            servers: vec![7, 8]
        }]
    );
}

#[test]
fn a_former_primary_that_goes_on() {
    let old = |sent, outcome| {
        let attempts = [
            attempt(1..2, 0, Outcome::Acked),
            attempt(2..3, 10, Outcome::Acked),
            attempt(3..4, sent, outcome),
        ];
        check(&attempts, &[row(1, 7, 1), row(2, 8, 2), row(3, 7, 1)])
    };
    let violation = Violation::OldTerm {
        value: 3,
        term: 1,
        after: 2,
        higher: 2,
    };
    assert_eq!(old(16, Outcome::Acked), [violation.clone()]);
    assert_eq!(old(16, Outcome::Unknown(Told::Gone)), [violation]);
    assert_eq!(old(15, Outcome::Acked), [], "both were under way at once");
}
