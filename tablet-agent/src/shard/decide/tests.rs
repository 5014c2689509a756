#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::state::FORMAT;

fn state(alias: &str) -> State {
    State {
        format: FORMAT,
        alias: alias.into(),
        keyspace: "c".into(),
        database: None,
        shard: "-".into(),
        server_uuid: "u".into(),
        server_id: 1,
        mysql_port: 3306,
        incarnation: 1,
        prepared: true,
        voter: alias.into(),
        shard_seen: None,
        promised: crate::state::Promised::default(),
        joined_term: 0,
        rebuilding: None,
        base: None,
    }
}

fn names(serials: &[u32]) -> Vec<String> {
    serials.iter().map(|n| format!("c-{n}")).collect()
}

fn record(holder: &str, term: u64) -> ShardRecord {
    let mut record = ShardRecord::new("c", "-", "store", names(&[1, 2, 3]), 1).unwrap();
    record.shard_id = "shard".into();
    record.holder = Some(holder.into());
    record.term = term;
    record
}

fn step(state: &State, record: Option<&ShardRecord>, registered: &[String], waited: u64) -> Step {
    let waited = Duration::from_secs(waited);
    decide(&Facts {
        state,
        record,
        members_wanted: 3,
        registered,
        waited,
    })
}

#[test]
fn the_lowest_serial_that_is_up_opens_a_new_shard() {
    let all = names(&[10, 2, 3]);
    assert_eq!(
        step(&state("c-2"), None, &all, 0),
        Step::Create {
            voters: all.clone(),
            acks: 1
        }
    );
    assert!(matches!(step(&state("c-3"), None, &all, 0), Step::Wait(_)));
    assert!(matches!(step(&state("c-10"), None, &all, 9), Step::Wait(_)));
    // A lower one that is registered and dead does not hold the others for ever.
    assert!(matches!(step(&state("c-3"), None, &all, 5), Step::Create { .. }));
}

#[test]
fn a_shard_begins_without_late_members_but_never_without_its_acks() {
    let two = names(&[1, 2]);
    assert!(matches!(step(&state("c-1"), None, &two, 14), Step::Wait(_)));
    assert!(matches!(step(&state("c-2"), None, &two, 19), Step::Wait(_)));
    assert_eq!(
        step(&state("c-1"), None, &two, 15),
        Step::Create { voters: two, acks: 1 }
    );
    assert!(matches!(
        step(&state("c-1"), None, &names(&[1]), 1000),
        Step::Wait(_)
    ));
}

#[test]
fn a_shard_that_has_begun_is_left_to_leadership() {
    let mut old = state("c-1");
    old.shard_seen = Some(record("c-1", 4));
    assert_eq!(step(&old, None, &names(&[1, 2, 3]), 100), Step::Begun);
    assert_eq!(step(&state("c-2"), Some(&record("c-1", 4)), &[], 0), Step::Begun);
}

#[test]
fn a_store_that_went_back_is_not_believed() {
    let seen = record("c-1", 4);
    assert_eq!(believable(&seen, &record("c-2", 5)), Ok(()));
    for other in [
        record("c-1", 3),
        ShardRecord {
            version: 0,
            ..record("c-1", 4)
        },
        ShardRecord {
            store_id: "new".into(),
            ..record("c-1", 9)
        },
        ShardRecord {
            shard_id: "new".into(),
            ..record("c-1", 9)
        },
    ] {
        assert!(believable(&seen, &other).is_err(), "{other:?}");
    }
}

#[test]
fn a_record_without_a_holder_gets_one_by_rank() {
    let record = ShardRecord {
        holder: None,
        term: 0,
        ..record("c-1", 0)
    };
    assert_eq!(step(&state("c-1"), Some(&record), &[], 0), Step::OpenTerm(1));
    assert!(matches!(
        step(&state("c-2"), Some(&record), &[], 4),
        Step::Wait(_)
    ));
    assert_eq!(step(&state("c-2"), Some(&record), &[], 5), Step::OpenTerm(1));
    assert!(matches!(
        step(&state("c-9"), Some(&record), &[], 99),
        Step::Wait(_)
    ));
}

#[test]
fn late_members_are_added_up_to_the_wanted_number() {
    let mut record = record("c-1", 1);
    record.set_voters(names(&[1, 2]), 1).unwrap();
    assert_eq!(change_of_voters(&record, &names(&[1, 2]), 3), None);
    let change = change_of_voters(&record, &names(&[4, 2, 3, 1]), 3).unwrap();
    assert_eq!(change, Change::Add(names(&[3])));
    assert_eq!(change.apply(&record.voters), names(&[1, 2, 3]));
    assert_eq!(change_of_voters(&record, &names(&[1, 2, 3]), 2), None);
}

#[test]
fn new_data_takes_the_place_of_lost_data_once() {
    let mut record = record("c-1", 1);
    let registered = ["c-1".to_owned(), "c-2#ab".to_owned(), "c-3".to_owned()];
    let change = change_of_voters(&record, &registered, 3).unwrap();
    assert_eq!(
        change,
        Change::Replace {
            old: "c-2".into(),
            new: "c-2#ab".into()
        }
    );
    record.set_voters(change.apply(&record.voters), 1).unwrap();
    assert_eq!(record.voters, ["c-1", "c-2#ab", "c-3"]);
    assert_eq!(change_of_voters(&record, &registered, 3), None);
    // Lost again.
    let again = ["c-1".to_owned(), "c-2#cd".to_owned(), "c-3".to_owned()];
    assert!(matches!(
        change_of_voters(&record, &again, 3),
        Some(Change::Replace { old, .. }) if old == "c-2#ab"
    ));
    // The primary's own data is not replaced while it leads.
    assert_eq!(change_of_voters(&record, &["c-1#ef".to_owned()], 3), None);
}

#[test]
fn acks_leave_every_commit_on_a_majority() {
    assert_eq!([1, 2, 3, 4, 5].map(acks_for), [0, 1, 1, 2, 2]);
}
