use super::*;
use crate::document::VSchema;
use crate::table::{ColumnDef, ColumnType, Pad};
use crate::vindex::{Mapped, VindexValue, local_file};

const DOCUMENT: &str = "
sharded: true
vindexes:
  hash: {type: hash}
  bytes: {type: xxhash}
  sure: {type: xxhash, params: {assume_exact: 'true'}}
  owned: {type: lookup, owner: customer, params: {table: l, from: phone, to: id}}
tables:
  customer:
    column_vindexes:
      - {column: id, name: hash}
      - {column: email, name: bytes}
      - {column: phone, name: owned}
  session:
    column_vindexes: [{column: email, name: sure}]
    columns: [{name: email}]
  other:
    column_vindexes: [{column: Missing, name: hash}]
  config: {pinned: '80'}
  zip_code: {type: reference, source: commerce.zip_code}
  colour: {type: reference}
";

fn compile(text: &str) -> KeyspaceVSchema {
    VSchema::from_yaml(text)
        .unwrap()
        .compile(&local_file)
        .unwrap()
        .vschema
}

#[test]
fn names_are_resolved() {
    let vschema = compile(DOCUMENT);
    assert!(vschema.is_sharded());
    let customer = vschema.table("customer").unwrap();
    assert_eq!(customer.placement(), &Placement::Sharded);
    let primary = customer.primary_vindex().unwrap();
    assert_eq!(
        (primary.columns(), primary.vindex().name()),
        (&["id".to_owned()][..], "hash")
    );
    assert_eq!(
        (primary.position("ID"), primary.position("email")),
        (Some(0), None)
    );
    // The lookup vindex maps nothing yet, so it is no column vindex.
    assert_eq!(customer.column_vindexes().len(), 2);
    assert!(vschema.vindex("owned").is_none() && vschema.table("Customer").is_none());
    let mapped = primary.vindex().map(&[VindexValue::Int(1)]);
    assert_eq!(
        mapped,
        Mapped::KeyspaceId(KeyspaceId::new(&0x166b_40b4_4aba_4bd6_u64.to_be_bytes()))
    );
}

#[test]
fn placements() {
    let vschema = compile(DOCUMENT);
    let placement = |name: &str| vschema.table(name).unwrap().placement().clone();
    assert_eq!(placement("config"), Placement::Pinned(KeyspaceId::new(&[0x80])));
    let source = Source {
        keyspace: Some("commerce".to_owned()),
        table: "zip_code".to_owned(),
    };
    assert_eq!(placement("zip_code"), Placement::Reference(Some(source)));
    assert_eq!(placement("colour"), Placement::Reference(None));
    assert!(vschema.table("config").unwrap().primary_vindex().is_none());
    let unsharded = compile("tables: {t: {}, u: {pinned: '80'}}");
    assert_eq!(unsharded.table("t").unwrap().placement(), &Placement::Unsharded);
    assert_eq!(unsharded.table("u").unwrap().placement(), &Placement::Unsharded);
}

#[test]
fn folding_columns_under_byte_wise_vindexes_warn() {
    let text = |name: &str, collation: &str, pad| ColumnDef {
        name: name.to_owned(),
        data_type: ColumnType::VarChar,
        charset: Some("utf8mb4".to_owned()),
        collation: Some(collation.to_owned()),
        pad: Some(pad),
        ..ColumnDef::default()
    };
    let table = |name: &str, columns| TableDef {
        name: name.to_owned(),
        columns,
        ..TableDef::default()
    };
    let id = ColumnDef {
        name: "id".to_owned(),
        data_type: ColumnType::BigInt,
        ..ColumnDef::default()
    };
    let vschema = compile(DOCUMENT);
    let folding = || text("email", "utf8mb4_0900_ai_ci", Pad::None);
    let warnings = vschema.check_tables(&[
        table("customer", vec![id.clone(), folding()]),
        table("session", vec![folding()]),
        table("other", vec![id.clone()]),
        table("unknown", vec![]),
    ]);
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "tables.customer.column_vindexes[1]: column \"email\" compares by utf8mb4_0900_ai_ci, which takes values as \
             equal that vindex \"bytes\" does not: comparisons with it go to all shards; a _0900_bin collation avoids \
             that, or the vindex's param assume_exact: \"true\", if values never differ so",
            "tables.other.column_vindexes[0]: the table has no column \"Missing\"",
        ]
    );
    let exact = table("customer", vec![id, text("email", "utf8mb4_0900_bin", Pad::None)]);
    assert_eq!(vschema.check_tables(&[exact]), []);
}
