//! Table definitions from an agent's message to the planner's form.

use std::sync::Arc;

use proto::v1;
use vschema::table::{ColumnDef, ColumnType, DefaultValue, Generated, KeyDef, KeyPart, Pad, TableDef};

/// All tables of a snapshot.
pub(super) fn tables(snapshot: &v1::SchemaSnapshot) -> Vec<Arc<TableDef>> {
    snapshot
        .tables
        .iter()
        .map(|table| Arc::new(table_def(table)))
        .collect()
}

fn table_def(table: &v1::Table) -> TableDef {
    TableDef {
        name: table.name.clone(),
        is_view: table.is_view,
        engine: table.engine.clone(),
        charset: table.charset.clone(),
        collation: table.collation.clone(),
        columns: (1..)
            .zip(&table.columns)
            .map(|(ordinal, column)| column_def(ordinal, column))
            .collect(),
        keys: table.keys.iter().map(key_def).collect(),
    }
}

fn column_def(ordinal: u32, column: &v1::Column) -> ColumnDef {
    let default = match (&column.default_value, column.default_is_expression) {
        (None, _) => DefaultValue::None,
        (Some(text), false) => DefaultValue::Literal(text.clone()),
        (Some(text), true) => DefaultValue::Expression(text.clone()),
    };
    let generated = match column.generated() {
        v1::GeneratedKind::None => None,
        kind => Some(Generated {
            stored: kind == v1::GeneratedKind::Stored,
            expression: column.generation_expression.clone(),
        }),
    };
    ColumnDef {
        name: column.name.clone(),
        ordinal,
        data_type: ColumnType::from_name(&column.data_type),
        column_type: column.column_type.clone(),
        unsigned: column.unsigned,
        zerofill: column.zerofill,
        char_length: column.character_maximum_length,
        precision: column.numeric_precision,
        scale: column.numeric_scale,
        fsp: column.datetime_precision,
        charset: column.charset.clone(),
        collation: column.collation.clone(),
        pad: column
            .pad_space
            .map(|pads| if pads { Pad::Space } else { Pad::None }),
        nullable: column.nullable,
        default,
        auto_increment: column.auto_increment,
        on_update_now: column.extra.to_ascii_lowercase().contains("on update"),
        generated,
        invisible: column.invisible,
        values: column.values.clone(),
    }
}

fn key_def(key: &v1::Key) -> KeyDef {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    KeyDef {
        name: key.name.clone(),
        primary: key.name == "PRIMARY",
        unique: key.unique,
        visible: !key.invisible,
        parts: key
            .parts
            .iter()
            .map(|part| KeyPart {
                column: some(&part.column),
                prefix: part.prefix_length,
                expression: some(&part.expression),
            })
            .collect(),
    }
}
