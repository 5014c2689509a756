use proptest::prelude::*;
use serde_json::json;
use vschema::vindex::local_file;

use super::*;

fn keyspace(name: &str, spec: Value) -> Keyspace {
    Keyspace::new(name, serde_json::from_value(spec).unwrap())
}

fn resolve(name: &str, spec: Value) -> Result<ResolvedKeyspace, Vec<String>> {
    let problems = |problems: Vec<crate::Problem>| problems.iter().map(ToString::to_string).collect();
    keyspace(name, spec).resolve(&local_file).map_err(problems)
}

fn sharded() -> Value {
    json!({"sharded": true, "vindexes": {"xx": {"type": "xxhash"}},
        "tables": {"customer": {"column_vindexes": [{"column": "id", "name": "xx"}]}}})
}

#[test]
fn defaults_are_filled_in() {
    let resolved = resolve("commerce", json!({"shards": 1})).unwrap();
    assert_eq!(resolved.shards(), ["-"]);
    assert_eq!((resolved.database.as_str(), resolved.members), ("commerce", 3));
    assert!(resolved.vschema_document.is_null() && !resolved.vschema.sharded);
    let spec = json!({"keyRanges": ["-40", "40-80", "80-"], "vschema": sharded(), "database": "crm_2", "members": 1});
    let resolved = resolve("customer", spec).unwrap();
    assert_eq!(resolved.shards(), ["-40", "40-80", "80-"]);
    assert_eq!((resolved.database.as_str(), resolved.members), ("crm_2", 1));
    assert_eq!(resolved.vschema_document, sharded());
    assert_eq!(
        resolve("customer", json!({"shards": 2, "vschema": sharded()}))
            .unwrap()
            .shards(),
        ["-80", "80-"]
    );
}

#[test]
fn shards_are_checked() {
    let cases = [
        (
            json!({}),
            "spec.shards: is required, unless spec.keyRanges is given",
        ),
        (
            json!({"shards": 2, "keyRanges": ["-"]}),
            "spec.keyRanges: cannot be given together with spec.shards",
        ),
        (json!({"shards": 0}), "spec.shards: must be between 1 and 1024"),
        (json!({"shards": -1}), "spec.shards: must be between 1 and 1024"),
        (json!({"shards": 1025}), "spec.shards: must be between 1 and 1024"),
        (
            json!({"keyRanges": []}),
            "spec.keyRanges: must name at least one key range",
        ),
        (
            json!({"keyRanges": ["-40", "60-"]}),
            "spec.keyRanges[1]: does not start where [0] ends",
        ),
        (
            json!({"keyRanges": ["-80", "40-"]}),
            "spec.keyRanges[1]: does not start where [0] ends",
        ),
        (
            json!({"keyRanges": ["-", "-"]}),
            "spec.keyRanges[1]: does not start where [0] ends",
        ),
        (
            json!({"keyRanges": ["40-80", "80-"]}),
            "spec.keyRanges[0]: must start open, as in \"-80\"",
        ),
        (
            json!({"keyRanges": ["-40", "40-80"]}),
            "spec.keyRanges[1]: must end open, as in \"80-\"",
        ),
        (
            json!({"keyRanges": ["0"]}),
            "spec.keyRanges[0]: must be written \"-\"",
        ),
        (
            json!({"keyRanges": ["-C0", "C0-"]}),
            "spec.keyRanges[0]: must be written \"-c0\"",
        ),
    ];
    for (spec, message) in cases {
        let problems = resolve("customer", spec.clone()).unwrap_err();
        assert_eq!(problems.first().map(String::as_str), Some(message), "{spec}");
    }
    for bad in ["", "80", "-8", "-zz", "80-40"] {
        let problems = resolve("customer", json!({"keyRanges": [bad]})).unwrap_err();
        assert!(problems[0].starts_with("spec.keyRanges[0]: "), "{problems:?}");
    }
}

#[test]
fn names_are_checked() {
    for name in [
        "mysql",
        "sys",
        "_vitrail",
        "information_schema",
        "performance_schema",
        "",
        "-a",
        "a-",
        "A",
        "a_b",
        "é",
    ] {
        let problems = resolve(name, json!({"shards": 1})).unwrap_err();
        assert!(
            problems.len() == 1 && problems[0].starts_with("metadata.name: "),
            "{name}: {problems:?}"
        );
    }
    let problems = resolve(&"a".repeat(54), json!({"shards": 1})).unwrap_err();
    let limit =
        "metadata.name: may have at most 53 characters, so that the names of its tablets are DNS labels";
    assert_eq!(problems, [limit]);
    resolve(&"a".repeat(53), json!({"shards": 1})).unwrap();
    assert!(resolve(&"a".repeat(53), json!({"shards": 300, "vschema": sharded()})).is_err());
    for database in ["mysql", "SYS", "_Vitrail", "a b", "a.b", "a/b", "a`b"] {
        let problems = resolve("a", json!({"shards": 1, "database": database})).unwrap_err();
        assert!(
            problems.len() == 1 && problems[0].starts_with("spec.database: "),
            "{problems:?}"
        );
    }
    assert!(resolve("a", json!({"shards": 1, "members": 0})).is_err());
}

#[test]
fn several_shards_take_a_vschema_that_shards() {
    let problems = resolve("customer", json!({"shards": 2})).unwrap_err();
    assert_eq!(
        problems,
        ["spec.vschema: is required with 2 shards: its vindexes say which rows are on which shard"]
    );
    let problems = resolve("customer", json!({"shards": 2, "vschema": {}})).unwrap_err();
    assert_eq!(problems, ["spec.vschema.sharded: must be true with 2 shards"]);
}

#[test]
fn mistakes_in_the_vschema_have_their_path() {
    let mut vschema = sharded();
    vschema["tables"]["customer"]["column_vindexes"][0]["name"] = json!("yy");
    let problems = resolve("customer", json!({"shards": 2, "vschema": vschema})).unwrap_err();
    assert!(
        problems[0].starts_with("spec.vschema.tables.customer.column_vindexes[0].name: "),
        "{problems:?}"
    );
    let vschema = json!({"sharded": true, "colour": 1, "vindexes": {"l": {"type": "lookup"}}});
    let problems = resolve("customer", json!({"shards": 2, "vschema": vschema})).unwrap_err();
    assert!(
        problems[0].starts_with("spec.vschema.colour: unknown field"),
        "{problems:?}"
    );
    let vschema = json!({"tables": {"s": {"type": "sequence"}}});
    let problems = resolve("customer", json!({"shards": 1, "vschema": vschema})).unwrap_err();
    assert_eq!(
        problems,
        ["spec.vschema.tables.s.type: \"sequence\" is not supported yet"]
    );
}

#[test]
fn a_local_cluster_says_what_it_ignores() {
    let spec = json!({"shards": 1, "storage": {"size": "10Gi"}});
    assert_eq!(
        keyspace("a", spec).local_notices(),
        ["keyspace a: spec.storage is ignored by a local cluster"]
    );
    assert!(keyspace("a", json!({"shards": 1})).local_notices().is_empty());
}

proptest! {
    #[test]
    fn resolving_never_panics(
        name in ".{0,70}", shards in proptest::option::of(any::<i32>()), members: i32,
        ranges in proptest::option::of(proptest::collection::vec("[0-9a-fA-F-]{0,8}|.{0,5}", 0..6)),
        database in proptest::option::of(".{0,70}"),
    ) {
        let spec = KeyspaceSpec { shards, members, key_ranges: ranges, database, ..KeyspaceSpec::default() };
        let _ = Keyspace::new(&name, spec).resolve(&local_file);
    }

    #[test]
    fn any_number_of_shards_covers_everything(shards in 1..=1024i32) {
        let resolved = resolve("a", json!({"shards": shards, "vschema": sharded()})).unwrap();
        let again = resolve("a", json!({"keyRanges": resolved.shards(), "vschema": sharded()})).unwrap();
        prop_assert_eq!(resolved.ranges, again.ranges);
    }
}
