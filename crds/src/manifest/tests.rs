use proptest::prelude::*;

use super::*;

const GOOD: &str = r#"
# The objects of a test.
---
apiVersion: vitrail.io/v1alpha1
kind: Keyspace
metadata: {name: commerce}
spec: {shards: 1}
---
apiVersion: vitrail.io/v1alpha1
kind: Keyspace
metadata:
  name: customer
  labels: {team: crm}
spec:
  shards: 2
  storage: {size: 10Gi}
  vschema:
    sharded: true
    vindexes: {xx: {type: xxhash}}
    tables: {customer: {column_vindexes: [{column: id, name: xx}]}}
  schema: |
    CREATE TABLE customer (id BIGINT PRIMARY KEY, email VARCHAR(128));
"#;

fn errors(text: &str) -> Vec<String> {
    load(text, "customer.yaml")
        .unwrap_err()
        .to_string()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn with_spec(spec: &str) -> String {
    format!("{{apiVersion: vitrail.io/v1alpha1, kind: Keyspace, metadata: {{name: customer}}, spec: {spec}}}")
}

#[test]
fn a_file_of_two_keyspaces_is_read() {
    let objects = load(GOOD, "customer.yaml").unwrap();
    assert_eq!(
        objects.iter().map(Object::name).collect::<Vec<_>>(),
        ["commerce", "customer"]
    );
    let Object::Keyspace(keyspace, resolved) = &objects[1];
    assert_eq!(resolved.shards(), ["-80", "80-"]);
    assert_eq!(
        resolved.schema,
        "CREATE TABLE customer (id BIGINT PRIMARY KEY, email VARCHAR(128));\n"
    );
    assert_eq!(keyspace.spec.members, 3);
    assert_eq!(keyspace.local_notices().len(), 1);
    assert!(resolved.vschema.tables.contains_key("customer"));
}

#[test]
fn each_error_names_file_document_field_and_why() {
    let cases = [
        ("{shards: 0}", "spec.shards: must be between 1 and 1024"),
        ("{shards: 2000}", "spec.shards: must be between 1 and 1024"),
        (
            "{shards: two}",
            "spec.shards: must be a whole number, not a string",
        ),
        (
            "{shard: 2}",
            "spec.shard: unknown field; known are database, keyRanges, members, schema, shards, storage, vschema",
        ),
        (
            "{keyRanges: [\"-40\", \"60-\"]}",
            "spec.keyRanges[1]: does not start where [0] ends",
        ),
        (
            "{keyRanges: [-40, 40-]}",
            "spec.keyRanges[0]: must be a string, not a number: put it in quotes",
        ),
        (
            "{shards: 1, storage: {size: 10}}",
            "spec.storage.size: must be a string, not a number: put it in quotes",
        ),
        ("{shards: 1, storage: {}}", "spec.storage.size: is required"),
        (
            "{shards: 1, members: 10}",
            "spec.members: must be between 1 and 9",
        ),
        (
            "{shards: 1, vschema: []}",
            "spec.vschema: must be a mapping, not a list",
        ),
        ("[]", "spec: must be a mapping, not a list"),
    ];
    for (spec, message) in cases {
        assert_eq!(
            errors(&with_spec(spec)),
            [format!("customer.yaml: document 1: {message}")],
            "{spec}"
        );
    }
}

#[test]
fn all_mistakes_are_named_at_once() {
    let text = format!(
        "{}\n---\n{}\n---\n{}",
        with_spec("{shards: 0, x: 1}"),
        "a: 1",
        with_spec("{}")
    );
    let found = errors(&text);
    let expected = [
        "customer.yaml: document 1: spec.shards: must be between 1 and 1024",
        "customer.yaml: document 1: spec.x: unknown field",
        "customer.yaml: document 2: apiVersion: is required, as in apiVersion: vitrail.io/v1alpha1",
        "customer.yaml: document 2: kind: is required, as in kind: Keyspace",
        "customer.yaml: document 3: spec.shards: is required, unless spec.keyRanges is given",
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn identity_and_metadata_are_checked() {
    let object = |head: &str| errors(&format!("{{{head}, spec: {{shards: 1}}}}"));
    let known = "apiVersion: vitrail.io/v1alpha1, kind: Keyspace";
    let cases = [
        (
            "apiVersion: v1, kind: Pod".to_owned(),
            "apiVersion: \"v1\" is not vitrail.io/v1alpha1",
        ),
        (known.to_owned(), "metadata.name: is required"),
        (format!("{known}, metadata: {{}}"), "metadata.name: is required"),
        (
            format!("{known}, metadata: 7"),
            "metadata: must be a mapping, not a number",
        ),
        (
            format!("{known}, metadata: {{name: 7}}"),
            "metadata.name: must be a string, not a number: put it in quotes",
        ),
        (
            format!("{known}, metadata: {{name: mysql}}"),
            "metadata.name: \"mysql\" is reserved",
        ),
        (
            format!("{known}, metadata: {{name: a, labels: {{b: 1}}}}"),
            "metadata.labels[\"b\"]: must be a string: put it in quotes",
        ),
        (
            format!("{known}, metadata: {{name: a, nam: b}}"),
            "metadata.nam: unknown field; known are name, namespace, labels, annotations",
        ),
        (
            format!("{known}, metadata: {{name: a}}, sepc: 1"),
            "sepc: unknown field; known are apiVersion, kind, metadata, spec",
        ),
    ];
    for (head, message) in cases {
        assert_eq!(
            object(&head)[0],
            format!("customer.yaml: document 1: {message}"),
            "{head}"
        );
    }
    assert_eq!(
        errors("[1]"),
        ["customer.yaml: document 1: must be an object with apiVersion, kind, metadata and spec, not a list"]
    );
}

#[test]
fn what_a_cluster_returns_can_be_read_again() {
    let text = r#"
apiVersion: vitrail.io/v1alpha1
kind: Keyspace
metadata:
  name: commerce
  namespace: default
  uid: 2f0f2d1e-8c5b-4b7e-9d0a-111111111111
  resourceVersion: "7"
  generation: 1
  creationTimestamp: "2026-01-01T00:00:00Z"
  labels: null
spec: {shards: 1, members: 3}
status: {anything: 1}
"#;
    assert_eq!(load(text, "f").unwrap().len(), 1);
}

#[test]
fn empty_and_broken_files_are_named() {
    for text in ["", "---\n", "# nothing\n---\n---\n"] {
        assert_eq!(errors(text), ["customer.yaml: no object in it"], "{text:?}");
    }
    let found = errors(&format!("{}\n---\na: [1\nb: }}", with_spec("{shards: 1}")));
    assert!(
        found[0].starts_with("customer.yaml: document 2: not YAML: "),
        "{found:?}"
    );
    let twice = errors(&with_spec("{shards: 1, shards: 2}"));
    assert!(
        twice[0].contains("not YAML") && twice[0].contains("shards"),
        "{twice:?}"
    );
}

#[test]
fn one_name_is_one_keyspace() {
    let text = with_spec("{shards: 1}");
    let found = errors(&format!("{text}\n---\n{text}"));
    assert_eq!(
        found,
        ["customer.yaml: document 2: metadata.name: Keyspace \"customer\" is also in document 1"]
    );
    let found = load_all([("a.yaml", text.as_str()), ("b.yaml", text.as_str())])
        .unwrap_err()
        .to_string();
    assert_eq!(
        found,
        "b.yaml: document 1: metadata.name: Keyspace \"customer\" is also in a.yaml: document 1"
    );
}

proptest! {
    #[test]
    fn any_text_is_an_error_or_objects(text in "(?s).{0,200}") {
        let _ = load(&text, "f");
    }

    #[test]
    fn any_damaged_manifest_is_an_error_or_objects(at in 0..GOOD.len(), with in "(?s).{0,3}", cut in 0..5usize) {
        let end = (at + cut).min(GOOD.len());
        if let Err(error) = load(&format!("{}{with}{}", &GOOD[..at], &GOOD[end..]), "f") {
            prop_assert!(!error.problems.is_empty());
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
