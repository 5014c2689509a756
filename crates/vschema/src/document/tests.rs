use serde_json::{Value, json};

use super::*;
use crate::vindex::local_file;

const COMMERCE: &str = r#"
sharded: true
vindexes:
  hash: {type: hash}
  loose:
    type: unicode_loose_md5
    params: {assume_exact: true}
  region:
    type: multicol
    params: {column_count: 2, column_bytes: "1,7"}
tables:
  customer:
    column_vindexes:
      - {column: customer_id, name: hash}
      - {columns: [email], name: loose}
  event:
    columnVindexes: [{columns: [country, id], name: region}]
    columns: [{name: id, type: INT64}, {name: country, type: VARCHAR, size: 2}]
  config: {pinned: "00"}
  zip_code: {type: reference, source: commerce.zip_code}
"#;

fn faults(text: &str) -> Vec<String> {
    let errors = match VSchema::from_yaml(text) {
        Ok(vschema) => vschema.compile(&local_file).map(|_| ()).unwrap_err(),
        Err(errors) => errors,
    };
    errors.iter().map(ToString::to_string).collect()
}

fn warnings(text: &str) -> Vec<String> {
    let compiled = VSchema::from_yaml(text).unwrap().compile(&local_file).unwrap();
    compiled.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn yaml_in_both_spellings() {
    let vschema = VSchema::from_yaml(COMMERCE).unwrap();
    assert!(vschema.sharded);
    assert_eq!(vschema.vindexes["region"].params["column_count"], "2");
    assert_eq!(vschema.vindexes["loose"].params["assume_exact"], "true");
    assert_eq!(
        vschema.tables["customer"].column_vindexes[0].columns,
        ["customer_id"]
    );
    assert_eq!(
        vschema.tables["event"].column_vindexes[0].columns,
        ["country", "id"]
    );
    assert_eq!(vschema.tables["event"].columns[1].size, 2);
    assert_eq!(vschema.tables["config"].pinned, "00");
    assert!(vschema.check_applicable().is_ok());
}

#[test]
fn json_of_every_field() {
    let document = json!({
        "sharded": true,
        "requireExplicitRouting": true,
        "foreign_key_mode": "managed",
        "multiTenantSpec": {"tenantIdColumnName": "tenant", "tenantIdColumnType": "INT64"},
        "preventCrossKeyspaceReads": true,
        "vindexes": {
            "h": {"type": "hash", "params": {}, "owner": null},
            "l": {"type": "lookup_unique", "params": {"table": "t_l", "from": "a", "to": "id"}, "owner": "t"},
        },
        "tables": {
            "t": {
                "columnVindexes": [{"column": "id", "name": "h"}, {"columns": ["a"], "name": "l"}],
                "autoIncrement": {"column": "id", "sequence": "t_seq"},
                "columns": [{
                    "name": "a", "type": "ENUM", "invisible": true, "default": "'x'", "collationName": "utf8mb4_bin",
                    "size": "7", "scale": 2, "nullable": false, "values": ["'x'", "'y'"],
                }, {"name": "id"}],
                "columnListAuthoritative": true,
            },
            "t_l": {"column_vindexes": [{"column": "a", "name": "h"}]},
            "t_seq": {"type": "sequence", "pinned": "00"},
        },
    });
    let vschema = VSchema::from_json(&document.to_string()).unwrap();
    assert_eq!(vschema.foreign_key_mode, ForeignKeyMode::Managed);
    assert_eq!(
        vschema.multi_tenant_spec.as_ref().unwrap().tenant_id_column_name,
        "tenant"
    );
    let table = &vschema.tables["t"];
    assert_eq!(table.auto_increment.as_ref().unwrap().sequence, "t_seq");
    assert_eq!(
        (
            table.columns[0].size,
            table.columns[0].scale,
            table.columns[0].nullable
        ),
        (7, 2, Some(false))
    );
    assert!(table.columns[0].invisible && table.column_list_authoritative);

    let compiled = vschema.compile(&local_file).unwrap();
    assert!(compiled.vschema.require_explicit_routing() && compiled.vschema.prevent_cross_keyspace_reads());
    assert_eq!(
        compiled
            .warnings
            .iter()
            .map(|w| w.path.as_str())
            .collect::<Vec<_>>(),
        ["foreign_key_mode", "multi_tenant_spec"]
    );
    let refused: Vec<String> = vschema
        .check_applicable()
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        refused,
        [
            "vindexes.l.type: \"lookup_unique\" is not supported yet",
            "tables.t.auto_increment: is not supported yet",
            "tables.t_seq.type: \"sequence\" is not supported yet",
        ]
    );
}

#[test]
fn what_it_writes_it_reads() {
    let vschema = VSchema::from_yaml(COMMERCE).unwrap();
    let written = serde_json::to_value(&vschema).unwrap();
    assert_eq!(VSchema::from_value(&written).unwrap(), vschema);
    assert_eq!(
        VSchema::from_yaml(&serde_saphyr::to_string(&vschema).unwrap()).unwrap(),
        vschema
    );
    assert_eq!(
        serde_json::to_value(VSchema::default()).unwrap(),
        json!({"sharded": false})
    );
}

#[test]
fn unknown_fields_are_errors() {
    let errors =
        faults("{shard: true, tables: {t: {colum_vindexes: []}}, vindexes: {v: {type: hash, param: {}}}}");
    assert_eq!(
        errors[0],
        "vindexes.v.param: unknown field; known are owner, params, type"
    );
    assert!(errors[1].starts_with("tables.t.colum_vindexes: unknown field"));
    assert!(errors[2].starts_with("shard: unknown field; known are foreign_key_mode,"));
    assert_eq!(errors.len(), 3);
}

#[test]
fn wrong_types_are_errors() {
    for (text, expected) in [
        ("[]", "expected an object, found a list"),
        ("sharded: 1", "sharded: expected true or false, found a number"),
        (
            "tables: {t: {pinned: 1e5}}",
            "tables.t.pinned: expected a string, found a number",
        ),
        ("tables: [t]", "tables: expected an object, found a list"),
        ("tables: {t: 1}", "tables.t: expected an object, found a number"),
        (
            "tables: {t: {column_vindexes: {}}}",
            "tables.t.column_vindexes: expected a list, found an object",
        ),
        (
            "tables: {t: {columnVindexes: [{column: 1}]}}",
            "tables.t.columnVindexes[0].column: expected a string, found a number",
        ),
        (
            "tables: {t: {columns: [{size: 1e99}]}}",
            "tables.t.columns[0].size: expected a 32-bit number, found a number",
        ),
        (
            "tables: {\"a b\": 1}",
            "tables.\"a b\": expected an object, found a number",
        ),
        (
            "vindexes: {v: {params: {p: {}}}}",
            "vindexes.v.params.p: expected a string, found an object",
        ),
        (
            "foreign_key_mode: later",
            "foreign_key_mode: \"later\" is none of unspecified, disallow, unmanaged, managed",
        ),
        (
            "{column_vindexes: 1, tables: {t: {column_vindexes: [], columnVindexes: []}}}",
            "tables.t.column_vindexes: is given twice, as column_vindexes and as columnVindexes",
        ),
        (
            "tables: {t: {column_vindexes: [{column: a, columns: [a], name: x}]}}",
            "tables.t.column_vindexes[0]: takes column or columns, not both",
        ),
    ] {
        assert_eq!(faults(text)[0], expected);
    }
    assert!(
        VSchema::from_json("{").unwrap_err()[0]
            .to_string()
            .starts_with("not JSON: ")
    );
    assert!(
        VSchema::from_yaml("a: [").unwrap_err()[0]
            .to_string()
            .starts_with("not YAML: ")
    );
}

#[test]
fn names_must_resolve() {
    let vindexes = "sharded: true, vindexes: {h: {type: hash}, l: {type: lookup, params: {table: t, from: a, to: b}}, \
        u: {type: lookup_unique, params: {table: t, from: a, to: b}, owner: t}, m: {type: multicol, params: {column_count: 2}}}";
    for (tables, expected) in [
        (
            "t: {column_vindexes: [{column: a, name: xx}]}",
            "tables.t.column_vindexes[0].name: no vindex \"xx\"",
        ),
        (
            "t: {column_vindexes: [{name: h}]}",
            "tables.t.column_vindexes[0].columns: column or columns is required",
        ),
        (
            "t: {column_vindexes: [{column: a, name: l}]}",
            "tables.t.column_vindexes[0].name: \"l\" is not unique, so it cannot be the primary vindex",
        ),
        (
            "t: {column_vindexes: [{column: a, name: u}]}",
            "tables.t.column_vindexes[0].name: \"u\" is owned by this table, so it cannot be its primary vindex",
        ),
        (
            "t: {column_vindexes: [{column: a, name: m}]}",
            "tables.t.column_vindexes[0].columns: \"m\" takes 2 columns, not 1",
        ),
        (
            "t: {}",
            "tables.t.column_vindexes: a table of a sharded keyspace needs a primary vindex, or to be pinned or a reference table",
        ),
        (
            "t: {type: other}",
            "tables.t.type: \"other\" is none of \"sequence\", \"reference\" or empty",
        ),
        (
            "t: {type: sequence}",
            "tables.t.type: a sequence needs an unsharded keyspace, or to be pinned",
        ),
        (
            "t: {pinned: xyz}",
            "tables.t.pinned: \"xyz\" is no keyspace id in hex",
        ),
        (
            "t: {type: reference, pinned: \"00\"}",
            "tables.t.pinned: a reference table is on every shard",
        ),
        (
            "t: {type: reference, source: a.b.c}",
            "tables.t.source: \"a.b.c\" is not of the form keyspace.table",
        ),
        (
            "t: {source: a, pinned: \"00\"}",
            "tables.t.source: only a reference table has a source",
        ),
        (
            "t: {pinned: \"00\", columns: [{name: a}, {name: A}]}",
            "tables.t.columns[1].name: column \"A\" is there twice",
        ),
        (
            "t: {pinned: \"00\", columns: [{}]}",
            "tables.t.columns[0].name: is required",
        ),
        (
            "t: {pinned: \"00\", auto_increment: {column: a}}",
            "tables.t.auto_increment.sequence: is required",
        ),
        (
            "t: {column_vindexes: [{column: b, name: h}], columns: [{name: a}], column_list_authoritative: true}",
            "tables.t.column_vindexes[0].columns: the table has no column \"b\"",
        ),
    ] {
        let errors = faults(&format!("{{{vindexes}, tables: {{{tables}}}}}"));
        assert!(
            errors.iter().any(|error| error == expected),
            "{expected}: {errors:?}"
        );
    }
}

#[test]
fn vindexes_must_be_made() {
    for (vindex, expected) in [
        ("{}", "vindexes.v.type: is required"),
        ("{type: hush}", "vindexes.v.type: no vindex type \"hush\""),
        ("{type: multicol}", "vindexes.v.params.column_count: is required"),
        ("{type: lookup}", "vindexes.v.params.table: is required"),
        (
            "{type: lookup, params: {table: t, from: a, to: b, read_lock: x}}",
            "vindexes.v.params.read_lock: expected exclusive, shared or none",
        ),
        (
            "{type: lookup, params: {table: t, from: a, to: b, autocommit: x}}",
            "vindexes.v.params.autocommit: expected true or false",
        ),
        (
            "{type: lookup, owner: gone, params: {table: t, from: a, to: b}}",
            "vindexes.v.owner: no table \"gone\"",
        ),
    ] {
        assert_eq!(
            faults(&format!("{{sharded: true, vindexes: {{v: {vindex}}}}}")),
            [expected]
        );
    }
}

#[test]
fn some_things_only_warn() {
    assert_eq!(
        warnings("{sharded: true, vindexes: {v: {type: hash, owner: t, params: {colour: red}}}}"),
        [
            "vindexes.v.owner: has no effect: only a lookup vindex has an owner",
            "vindexes.v.params.colour: vindex type \"hash\" has no such param",
        ]
    );
    assert_eq!(
        warnings(
            "{vindexes: {v: {type: hash}}, tables: {t: {column_vindexes: [{column: a, name: v}]}, u: {}}}"
        ),
        ["tables.t: vindexes and pinned have no effect: the keyspace is not sharded"]
    );
    assert_eq!(
        warnings("{vindexes: {v: {type: lookup, params: {table: t, from: a, to: b, colour: red}}}}"),
        ["vindexes.v.params.colour: vindex type \"lookup\" has no such param"]
    );
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z{}\\[\\]:, \\n\"0-9_-]{0,60}|\\PC*") {
        let _ = VSchema::from_yaml(&text);
        let _ = VSchema::from_json(&text);
    }

    #[test]
    fn any_value_in_any_place_is_read_or_refused(place in 0..40usize, filler in 0..6usize) {
        let filler = [json!(null), json!(true), json!(-1), json!("x"), json!([]), json!({"x": 1})][filler].clone();
        let mut document = serde_json::to_value(VSchema::from_yaml(COMMERCE).unwrap()).unwrap();
        let mut left = place;
        replace(&mut document, &mut left, &filler);
        if let Ok(vschema) = VSchema::from_value(&document) {
            let _ = (vschema.compile(&local_file), vschema.check_applicable());
        }
    }
}

/// Puts the filler into the place of the value that comes `left` steps into a walk through the document.
fn replace(value: &mut Value, left: &mut usize, filler: &Value) {
    if *left == 0 {
        *value = filler.clone();
        *left = usize::MAX;
        return;
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, left, filler)),
        Value::Object(map) => map.values_mut().for_each(|item| replace(item, left, filler)),
        _ => {}
    }
}
