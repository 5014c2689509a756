//! One reading of information_schema.

use std::collections::HashMap;
use std::time::Duration;

use mysql_async::{FromRowError, Row};
use proto::v1::{Column, GeneratedKind, Key, KeyPart, SchemaSnapshot, Table};

use crate::control::{Control, ControlError};
use crate::schema::values::values;
use crate::sql_text::literal;

/// Databases with very many tables take seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// What the server's collations are.
#[derive(Debug)]
pub(super) struct Collations(HashMap<String, Collation>);

#[derive(Debug)]
struct Collation {
    charset: String,
    pad_space: bool,
}

/// Reads the collations, which never change while a server runs.
pub(super) async fn collations(control: &Control) -> Result<Collations, ControlError> {
    let query = "SELECT collation_name, character_set_name, pad_attribute FROM information_schema.collations";
    let rows: Vec<(String, String, String)> = control.rows(query, LIMIT).await?;
    let entry = |(name, charset, pad): (String, String, String)| {
        (
            name,
            Collation {
                charset,
                pad_space: pad == "PAD SPACE",
            },
        )
    };
    Ok(Collations(rows.into_iter().map(entry).collect()))
}

impl Collations {
    fn complete(&self, table: &mut Table) {
        let find = |name: &str| self.0.get(name);
        table.charset = find(&table.collation)
            .map(|c| c.charset.clone())
            .unwrap_or_default();
        for column in &mut table.columns {
            column.pad_space = column.collation.as_deref().and_then(find).map(|c| c.pad_space);
        }
    }
}

/// All tables of the database; incarnation and revision are left 0. Equal definitions give equal messages.
pub(super) async fn snapshot(
    control: &Control,
    collations: &Collations,
    database: &str,
) -> Result<SchemaSnapshot, ControlError> {
    let name = literal(database);
    let defaults: Vec<(String, String)> = control
        .rows(
            &format!(
                "SELECT default_character_set_name, default_collation_name FROM information_schema.schemata \
                 WHERE schema_name = {name}"
            ),
            LIMIT,
        )
        .await?;
    let (default_charset, default_collation) = defaults.into_iter().next().unwrap_or_default();
    let mut columns = group(
        control
            .rows::<InTable<Column>>(&columns_query(&name), LIMIT)
            .await?,
    );
    let mut keys = group_keys(control.rows::<InTable<Part>>(&keys_query(&name), LIMIT).await?);
    let tables: Vec<TableRow> = control.rows(&tables_query(&name), LIMIT).await?;
    let tables = tables
        .into_iter()
        .map(|TableRow(mut table)| {
            table.columns = columns.remove(&table.name).unwrap_or_default();
            table.keys = keys.remove(&table.name).unwrap_or_default();
            collations.complete(&mut table);
            table
        })
        .collect();
    let database = database.to_owned();
    Ok(SchemaSnapshot {
        incarnation: 0,
        revision: 0,
        database,
        default_charset,
        default_collation,
        tables,
    })
}

fn tables_query(database: &str) -> String {
    format!(
        "SELECT table_name AS name, table_type AS type, engine AS engine, table_collation AS collation \
         FROM information_schema.tables WHERE table_schema = {database} ORDER BY BINARY table_name"
    )
}

fn columns_query(database: &str) -> String {
    format!(
        "SELECT table_name AS table_name, column_name AS name, column_type AS column_type, data_type AS data_type, \
         character_maximum_length AS characters, character_octet_length AS octets, numeric_precision AS num_precision, \
         numeric_scale AS num_scale, datetime_precision AS time_precision, character_set_name AS charset, \
         collation_name AS collation, is_nullable AS nullable, column_default AS default_value, extra AS extra, \
         generation_expression AS generation FROM information_schema.columns WHERE table_schema = {database} \
         ORDER BY BINARY table_name, ordinal_position"
    )
}

fn keys_query(database: &str) -> String {
    format!(
        "SELECT table_name AS table_name, index_name AS key_name, non_unique AS non_unique, index_type AS index_type, \
         is_visible AS visible, column_name AS column_name, expression AS expression, sub_part AS sub_part, \
         collation AS direction FROM information_schema.statistics WHERE table_schema = {database} \
         ORDER BY BINARY table_name, index_name = 'PRIMARY' DESC, BINARY index_name, seq_in_index"
    )
}

/// Something and the table that it belongs to.
struct InTable<T> {
    table: String,
    value: T,
}

struct TableRow(Table);

/// One row of information_schema.statistics.
struct Part {
    key: Key,
    part: KeyPart,
}

/// A column of the row, converted; NULL is none.
fn field<T: mysql_async::prelude::FromValue>(row: &Row, name: &str) -> Option<T> {
    row.get_opt::<Option<T>, _>(name).and_then(Result::ok).flatten()
}

fn text(row: &Row, name: &str) -> String {
    field(row, name).unwrap_or_default()
}

impl mysql_async::prelude::FromRow for TableRow {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        Ok(TableRow(Table {
            name: text(&row, "name"),
            is_view: text(&row, "type").ends_with("VIEW"),
            engine: text(&row, "engine"),
            collation: text(&row, "collation"),
            ..Table::default()
        }))
    }
}

impl mysql_async::prelude::FromRow for InTable<Column> {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        let column_type = text(&row, "column_type");
        let extra = text(&row, "extra");
        let has = |word: &str| extra.to_ascii_lowercase().contains(word);
        let attribute = |word: &str| column_type.split(' ').skip(1).any(|w| w == word);
        let generated = match () {
            () if has("stored generated") => GeneratedKind::Stored,
            () if has("virtual generated") => GeneratedKind::Virtual,
            () => GeneratedKind::None,
        };
        let value = Column {
            name: text(&row, "name"),
            unsigned: attribute("unsigned"),
            zerofill: attribute("zerofill"),
            data_type: text(&row, "data_type").to_ascii_lowercase(),
            character_maximum_length: field(&row, "characters"),
            character_octet_length: field(&row, "octets"),
            numeric_precision: field(&row, "num_precision"),
            numeric_scale: field(&row, "num_scale"),
            datetime_precision: field(&row, "time_precision"),
            charset: field(&row, "charset"),
            collation: field(&row, "collation"),
            nullable: text(&row, "nullable") == "YES",
            default_value: field(&row, "default_value"),
            default_is_expression: has("default_generated"),
            auto_increment: has("auto_increment"),
            generated: generated.into(),
            generation_expression: text(&row, "generation"),
            invisible: extra.split(' ').any(|word| word == "INVISIBLE"),
            values: values(&column_type),
            pad_space: None,
            column_type,
            extra,
        };
        Ok(InTable {
            table: text(&row, "table_name"),
            value,
        })
    }
}

impl mysql_async::prelude::FromRow for InTable<Part> {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        let key = Key {
            name: text(&row, "key_name"),
            unique: field::<u64>(&row, "non_unique") == Some(0),
            index_type: text(&row, "index_type"),
            invisible: text(&row, "visible") == "NO",
            parts: Vec::new(),
        };
        let part = KeyPart {
            column: text(&row, "column_name"),
            expression: text(&row, "expression"),
            prefix_length: field(&row, "sub_part"),
            descending: text(&row, "direction") == "D",
        };
        Ok(InTable {
            table: text(&row, "table_name"),
            value: Part { key, part },
        })
    }
}

fn group<T>(rows: Vec<InTable<T>>) -> HashMap<String, Vec<T>> {
    let mut out: HashMap<String, Vec<T>> = HashMap::new();
    for row in rows {
        out.entry(row.table).or_default().push(row.value);
    }
    out
}

fn group_keys(rows: Vec<InTable<Part>>) -> HashMap<String, Vec<Key>> {
    let mut out: HashMap<String, Vec<Key>> = HashMap::new();
    for InTable {
        table,
        value: Part { key, part },
    } in rows
    {
        let keys = out.entry(table).or_default();
        match keys.last_mut() {
            Some(last) if last.name == key.name => last.parts.push(part),
            _ => keys.push(Key {
                parts: vec![part],
                ..key
            }),
        }
    }
    out
}
