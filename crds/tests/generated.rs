//! The definitions in `yaml/` are those of the types.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

use std::path::Path;

#[test]
fn the_generated_yaml_is_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("yaml");
    let definitions = crds::definitions().unwrap();
    for (name, text) in &definitions {
        let written = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(
            written == *text,
            "{name} is outdated: run `cargo run -p crds --example generate`"
        );
    }
    let files = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(files, definitions.len(), "a file of a kind that is no more");
}

#[test]
fn the_definition_is_what_users_rely_on() {
    let (_, text) = &crds::definitions().unwrap()[0];
    let definition: serde_json::Value = serde_saphyr::from_str(text).unwrap();
    assert_eq!(definition["metadata"]["name"], "keyspaces.vitrail.io");
    let names = &definition["spec"]["names"];
    assert_eq!(names["shortNames"], serde_json::json!(["vrks"]));
    assert_eq!(names["categories"], serde_json::json!(["vitrail"]));
    assert_eq!(definition["spec"]["scope"], "Namespaced");
    let version = &definition["spec"]["versions"][0];
    assert_eq!(version["name"], "v1alpha1");
    let spec = &version["schema"]["openAPIV3Schema"]["properties"]["spec"];
    assert_eq!(
        spec["x-kubernetes-validations"][0]["rule"],
        "has(self.shards) != has(self.keyRanges)"
    );
    assert_eq!(spec["properties"]["keyRanges"]["maxItems"], 1024);
    assert_eq!(spec["properties"]["keyRanges"]["items"]["maxLength"], 33);
    assert_eq!(
        spec["properties"]["vschema"]["x-kubernetes-preserve-unknown-fields"],
        true
    );
    assert_eq!(spec["properties"]["members"]["default"], 3);
    assert!(spec.get("required").is_none(), "{}", spec["required"]);
}
