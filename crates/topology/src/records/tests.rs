use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::keys::check;

fn round_trip<R: Record + PartialEq + std::fmt::Debug>(record: &R) {
    let text = serde_json::to_vec(record).unwrap();
    assert_eq!(&serde_json::from_slice::<R>(&text).unwrap(), record);
    assert!(record.key().starts_with(R::FOLDER));
    check(&record.key()).unwrap();
}

fn shard(members: u32) -> ShardRecord {
    let voters = (1..=members)
        .map(|serial| format!("customer-x-80-{serial}"))
        .collect();
    ShardRecord::new("customer", "-80", "store", voters, members / 2).unwrap()
}

#[test]
fn quorums_are_those_of_the_table() {
    let quorum = |voters: u32, acks: u32| {
        let voters = (0..voters).map(|serial| serial.to_string()).collect();
        ShardRecord::new("k", "-", "s", voters, acks)
            .unwrap()
            .promises_needed()
    };
    assert_eq!(
        [
            quorum(1, 0),
            quorum(2, 1),
            quorum(3, 1),
            quorum(3, 2),
            quorum(5, 2)
        ],
        [1, 1, 2, 1, 3]
    );
}

#[test]
fn a_term_opens_for_voters_only() {
    let mut record = shard(3);
    assert_eq!(
        (record.term, record.holder.as_deref(), record.version),
        (0, None, 1)
    );
    record.open_term("customer-x-80-2").unwrap();
    assert_eq!(
        (record.term, record.holder.as_deref(), record.version),
        (1, Some("customer-x-80-2"), 1)
    );
    assert_eq!(
        record.open_term("customer-x-80-9"),
        Err(ShardError::NoVoter("customer-x-80-9".into()))
    );
    assert_eq!(record.term, 1);
    record.term = u64::MAX;
    assert_eq!(record.open_term("customer-x-80-1"), Err(ShardError::Exhausted));
}

#[test]
fn voters_and_acks_fit_each_other() {
    let mut record = shard(3);
    record.open_term("customer-x-80-1").unwrap();
    let before = record.clone();
    for acks in [0, 3, u32::MAX] {
        assert_eq!(
            record.set_voters(record.voters.clone(), acks),
            Err(ShardError::Acks { voters: 3, acks })
        );
    }
    let others = vec!["customer-x-80-2".to_owned(), "customer-x-80-3".to_owned()];
    assert_eq!(
        record.set_voters(others, 1),
        Err(ShardError::IsHolder("customer-x-80-1".into()))
    );
    assert_eq!(record, before);
    record.set_voters(vec!["customer-x-80-1".into()], 0).unwrap();
    assert_eq!((record.version, record.promises_needed()), (2, 1));
    assert!(
        ShardRecord::new("k", "-", "s", vec!["a".into(), "a".into()], 1).is_err(),
        "one voter, named twice"
    );
}

#[test]
fn a_vschema_change_is_counted_once() {
    let mut keyspace = Keyspace {
        name: "customer".into(),
        database: "customer".into(),
        shards: vec!["-80".into(), "80-".into()],
        members: 3,
        vschema: json!({"sharded": true}),
        vschema_version: 1,
        schema: String::new(),
    };
    assert!(keyspace.is_sharded());
    keyspace.set_vschema(json!({"sharded": true}));
    assert_eq!(keyspace.vschema_version, 1);
    keyspace.set_vschema(serde_json::Value::Null);
    assert_eq!(keyspace.vschema_version, 2);
    assert!(!keyspace.is_sharded());
    round_trip(&keyspace);
}

#[test]
fn verifiers_are_hex_and_not_printed() {
    let account = Account {
        user: "vitrail".into(),
        verifier: Verifier([0xab; 32]),
        native_verifier: None,
        locked: false,
    };
    assert!(!format!("{account:?}").contains("ab, ab"));
    assert!(!format!("{account:?}").contains("171"));
    assert_eq!(
        serde_json::to_value(&account).unwrap()["verifier"],
        "ab".repeat(32)
    );
    round_trip(&account);
    for bad in ["", "ab", &"ab".repeat(31), &"ab".repeat(33), &"zz".repeat(32)] {
        assert!(bad.parse::<Verifier<32>>().is_err(), "{bad}");
    }
}

#[test]
fn unknown_fields_are_ignored() {
    let cell: Cell = serde_json::from_str(r#"{"name": "default", "of_the_future": 1}"#).unwrap();
    assert_eq!(cell.name, "default");
}

fn name() -> impl Strategy<Value = String> {
    ".{0,12}"
}

proptest! {
    #[test]
    fn records_survive_json(
        alias in name(), keyspace in name(), shard in name(), socket in proptest::option::of(name()),
        port: u16, incarnation: u64, term: u64, voters in proptest::collection::vec(name(), 0..6), hash: [u8; 32],
        native in proptest::option::of(any::<[u8; 20]>()),
    ) {
        round_trip(&Cell { name: keyspace.clone() });
        round_trip(&Tablet {
            alias: alias.clone(),
            keyspace: keyspace.clone(),
            shard: shard.clone(),
            cell: "default".into(),
            mysql: MysqlAddress { socket: socket.clone(), host: alias.clone(), port },
            grpc: socket.clone(),
            voter: socket.clone(),
            server_uuid: socket,
            incarnation,
        });
        round_trip(&ShardRecord {
            keyspace,
            shard,
            store_id: alias.clone(),
            shard_id: alias.clone(),
            term,
            holder: voters.first().cloned(),
            voters,
            acks: 1,
            version: incarnation,
        });
        round_trip(&Account {
            user: alias,
            verifier: Verifier(hash),
            native_verifier: native.map(Verifier),
            locked: true,
        });
    }

    #[test]
    fn garbage_is_an_error_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = serde_json::from_slice::<Tablet>(&bytes);
        let _ = serde_json::from_slice::<ShardRecord>(&bytes);
        let _ = serde_json::from_slice::<Account>(&bytes);
    }

    #[test]
    fn damaged_shard_records_do_not_panic(
        term: u64, acks: u32, version: u64, voters in proptest::collection::vec("[a-c]", 0..5),
        next in proptest::collection::vec("[a-c]", 0..5),
    ) {
        let mut record = ShardRecord { term, acks, version, voters, holder: Some("a".into()), ..shard(3) };
        let _ = record.promises_needed();
        let _ = record.open_term("a");
        let _ = record.set_voters(next, acks);
    }
}
