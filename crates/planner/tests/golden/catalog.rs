//! The catalog that plans are tested against.

use std::sync::Arc;

use planner::catalog::{Catalog, Keyspace};
use vschema::document::VSchema;
use vschema::key_range::{Partition, parse_spec};
use vschema::table::{ColumnDef, ColumnType, DefaultValue, KeyDef, KeyPart, Pad, TableDef};
use vschema::vindex::local_file;

const CUSTOMER: &str = r#"{
  "sharded": true,
  "vindexes": {
    "hash": {"type": "hash"},
    "xxhash": {"type": "xxhash"},
    "loose": {"type": "unicode_loose_xxhash"},
    "vouched": {"type": "xxhash", "params": {"assume_exact": "true"}},
    "binary": {"type": "binary"},
    "numeric": {"type": "numeric"},
    "region": {"type": "region_experimental", "params": {"region_bytes": "1"}}
  },
  "tables": {
    "users": {"column_vindexes": [{"column": "id", "name": "hash"}]},
    "orders": {"column_vindexes": [{"column": "user_id", "name": "hash"}]},
    "items": {"column_vindexes": [{"column": "user_id", "name": "hash"}]},
    "events": {"column_vindexes": [{"column": "user_id", "name": "hash"}]},
    "counters": {"column_vindexes": [{"column": "id", "name": "hash"}]},
    "names": {"column_vindexes": [{"column": "name", "name": "xxhash"}]},
    "folded": {"column_vindexes": [{"column": "name", "name": "loose"}]},
    "ci": {"column_vindexes": [{"column": "name", "name": "xxhash"}]},
    "vouched": {"column_vindexes": [{"column": "name", "name": "vouched"}]},
    "tags": {"column_vindexes": [{"column": "tag", "name": "binary"}]},
    "nums": {"column_vindexes": [{"column": "n", "name": "numeric"}]},
    "places": {"column_vindexes": [{"columns": ["region", "id"], "name": "region"}]},
    "fresh": {"column_vindexes": [{"column": "id", "name": "hash"}]},
    "countries": {"type": "reference"},
    "currencies": {"type": "reference"},
    "fixed": {"pinned": "80"}
  }
}"#;

const SOLO: &str = r#"{
  "sharded": true,
  "vindexes": {"hash": {"type": "hash"}},
  "tables": {"alone": {"column_vindexes": [{"column": "id", "name": "hash"}]}}
}"#;

fn column(name: &str, data_type: ColumnType) -> ColumnDef {
    ColumnDef {
        name: name.to_owned(),
        data_type,
        nullable: true,
        ..ColumnDef::default()
    }
}

fn bigint(name: &str) -> ColumnDef {
    column(name, ColumnType::BigInt)
}

fn text(name: &str, collation: &str) -> ColumnDef {
    let pad = if collation.contains("0900") {
        Pad::None
    } else {
        Pad::Space
    };
    ColumnDef {
        char_length: Some(40),
        charset: Some("utf8mb4".to_owned()),
        collation: Some(collation.to_owned()),
        pad: Some(pad),
        ..column(name, ColumnType::VarChar)
    }
}

fn not_null(column: ColumnDef) -> ColumnDef {
    ColumnDef {
        nullable: false,
        ..column
    }
}

fn table(name: &str, columns: Vec<ColumnDef>) -> Arc<TableDef> {
    let columns = (1..)
        .zip(columns)
        .map(|(ordinal, column)| ColumnDef { ordinal, ..column })
        .collect::<Vec<_>>();
    let first = columns.first().map(|column| column.name.clone());
    let part = KeyPart {
        column: first,
        ..KeyPart::default()
    };
    let key = KeyDef {
        name: "PRIMARY".to_owned(),
        primary: true,
        unique: true,
        visible: true,
        parts: vec![part],
    };
    Arc::new(TableDef {
        name: name.to_owned(),
        engine: "InnoDB".to_owned(),
        columns,
        keys: vec![key],
        ..TableDef::default()
    })
}

fn customer_tables() -> Vec<Arc<TableDef>> {
    let ci = "utf8mb4_0900_ai_ci";
    vec![
        table(
            "users",
            vec![
                not_null(bigint("id")),
                text("name", ci),
                text("email", "utf8mb4_0900_bin"),
                column("age", ColumnType::Int),
                column("score", ColumnType::Float),
                ColumnDef {
                    precision: Some(10),
                    scale: Some(2),
                    ..column("balance", ColumnType::Decimal)
                },
                ColumnDef {
                    values: vec!["b".into(), "a".into()],
                    ..column("kind", ColumnType::Enum)
                },
                column("created", ColumnType::Timestamp),
                column("doc", ColumnType::Json),
                column("born", ColumnType::Date),
            ],
        ),
        table(
            "orders",
            vec![
                not_null(bigint("id")),
                not_null(bigint("user_id")),
                ColumnDef {
                    precision: Some(10),
                    scale: Some(2),
                    ..column("total", ColumnType::Decimal)
                },
                text("note", ci),
            ],
        ),
        table(
            "items",
            vec![not_null(bigint("user_id")), bigint("order_id"), text("sku", ci)],
        ),
        table(
            "events",
            vec![
                ColumnDef {
                    auto_increment: true,
                    ..not_null(bigint("id"))
                },
                ColumnDef {
                    default: DefaultValue::Literal("7".into()),
                    ..not_null(bigint("user_id"))
                },
                text("what", ci),
            ],
        ),
        table(
            "counters",
            vec![
                ColumnDef {
                    auto_increment: true,
                    ..not_null(bigint("id"))
                },
                bigint("n"),
            ],
        ),
        table(
            "names",
            vec![not_null(text("name", "utf8mb4_0900_bin")), bigint("n")],
        ),
        table("folded", vec![not_null(text("name", ci)), bigint("n")]),
        table("ci", vec![not_null(text("name", ci)), bigint("n")]),
        table("vouched", vec![not_null(text("name", ci)), bigint("n")]),
        table(
            "tags",
            vec![
                ColumnDef {
                    char_length: Some(16),
                    ..not_null(column("tag", ColumnType::VarBinary))
                },
                bigint("n"),
            ],
        ),
        table(
            "nums",
            vec![
                ColumnDef {
                    unsigned: true,
                    ..not_null(bigint("n"))
                },
                text("name", ci),
            ],
        ),
        table(
            "places",
            vec![
                not_null(column("region", ColumnType::Int)),
                not_null(bigint("id")),
                text("name", ci),
            ],
        ),
        table("countries", vec![not_null(bigint("id")), text("name", ci)]),
        table(
            "currencies",
            vec![
                ColumnDef {
                    auto_increment: true,
                    ..not_null(bigint("id"))
                },
                text("code", ci),
            ],
        ),
        table("fixed", vec![not_null(bigint("id")), text("name", ci)]),
        table("stray", vec![not_null(bigint("id"))]),
    ]
}

/// Three keyspaces: `commerce` (unsharded), `customer` (`-80`, `80-`), `solo` (sharded, but with one shard).
pub(crate) fn catalog() -> Catalog {
    let keyspace = |name: &str, document: &str, spec: &str, tables: Vec<Arc<TableDef>>| {
        let vschema = VSchema::from_json(document)
            .expect("a document")
            .compile(&local_file)
            .expect("a vschema")
            .vschema;
        let shards = Partition::new(parse_spec(spec).expect("a spec")).expect("a partition");
        Keyspace::new(name, name, shards, &vschema, tables)
    };
    let commerce = vec![
        table(
            "product",
            vec![
                not_null(bigint("id")),
                text("sku", "utf8mb4_0900_ai_ci"),
                bigint("price"),
            ],
        ),
        table("stock", vec![not_null(bigint("id")), bigint("amount")]),
        table("shared", vec![not_null(bigint("id"))]),
    ];
    let solo = vec![
        table("alone", vec![not_null(bigint("id")), bigint("n")]),
        table("shared", vec![bigint("id")]),
    ];
    Catalog::new(
        1,
        vec![
            keyspace("commerce", "{}", "-", commerce),
            keyspace("customer", CUSTOMER, "-80-", customer_tables()),
            keyspace("solo", SOLO, "-", solo),
        ],
    )
}
