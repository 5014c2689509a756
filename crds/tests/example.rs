//! The example that a first user starts is valid and is what its documentation says.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

use crds::{Object, manifest};
use vschema::vindex::local_file;

#[test]
fn the_example_is_a_shop_with_a_sharded_half() {
    let text = include_str!("../../examples/commerce/manifest.yaml");
    let objects = manifest::load(text, "manifest.yaml").unwrap();
    let [Object::Keyspace(_, commerce), Object::Keyspace(_, customer)] = objects.as_slice() else {
        unreachable!("two keyspaces");
    };
    assert_eq!(
        (commerce.name.as_str(), commerce.shards(), commerce.members),
        ("commerce", vec!["-".into()], 3)
    );
    assert_eq!((customer.name.as_str(), customer.members), ("customer", 3));
    assert_eq!(customer.shards(), ["-80", "80-"]);
    assert_eq!((commerce.warnings.len(), customer.warnings.len()), (0, 0));

    // Every table of the sharded keyspace is in its vschema, and none numbers its rows per shard.
    let vschema = customer.vschema.compile(&local_file).unwrap().vschema;
    let created: Vec<&str> = customer
        .schema
        .lines()
        .filter_map(|line| line.strip_prefix("CREATE TABLE ")?.strip_suffix(" ("))
        .collect();
    assert_eq!(created.len(), customer.vschema.tables.len());
    for table in created {
        assert!(vschema.table(table).is_some(), "{table}");
    }
    assert!(!customer.schema.contains("AUTO_INCREMENT"));
}
