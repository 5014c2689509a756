//! Rows of an INSERT and their shards.

use smallvec::SmallVec;
use vschema::vindex::{Mapped, VindexValue};

use super::vindex_value;
use crate::bindings::Bindings;
use crate::catalog::{Keyspace, ShardIndex};
use crate::coerce::{Stored, WriteMode, coerce_write};
use crate::error::PlanError;
use crate::plan::{Insert, InsertColumn, InsertRows, InsertValue, Source};
use crate::value::Value;

/// The rows of one shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsertTarget {
    /// The shard.
    pub shard: ShardIndex,
    /// Its rows, by their number in the statement (from 0), ascending.
    pub rows: Vec<u32>,
}

/// Assigns the rows of an INSERT to shards, in the order of the shards. One target means that the statement's own text may go
/// there; otherwise each target gets [`Insert::split`] with its rows.
///
/// # Errors
/// What MySQL answers for a value that the column does not take, 1235 for a value whose stored form is not known, and for one that would let a shard
/// number the row.
pub fn resolve_insert<'v>(
    insert: &'v Insert,
    bindings: &Bindings<'v>,
    keyspace: &Keyspace,
    mode: WriteMode,
) -> Result<Vec<InsertTarget>, PlanError> {
    let mode = WriteMode {
        strict: mode.strict && !insert.ignore,
        ..mode
    };
    let mut targets: Vec<InsertTarget> = Vec::new();
    let mut add =
        |row: usize, shard: ShardIndex| match targets.binary_search_by_key(&shard, |target| target.shard) {
            Ok(place) => {
                if let Some(target) = targets.get_mut(place) {
                    target.rows.push(row as u32);
                }
            }
            Err(place) => targets.insert(
                place,
                InsertTarget {
                    shard,
                    rows: vec![row as u32],
                },
            ),
        };
    match &insert.rows {
        InsertRows::List { slot, width } => {
            let elements = bindings.elements(*slot);
            for (row, values) in elements.chunks(usize::from(*width).max(1)).enumerate() {
                let value = |position: u16| {
                    values
                        .get(usize::from(position))
                        .map(|slot| Given::Value(bindings.literal(slot)))
                };
                add(row, place(insert, bindings, keyspace, mode, row + 1, value)?);
            }
        }
        InsertRows::Rows(rows) => {
            for (row, values) in rows.iter().enumerate() {
                let value = |position: u16| {
                    Some(match values.values.get(usize::from(position))? {
                        Source::Default => Given::Default,
                        Source::Opaque => Given::Expression,
                        source => Given::Value(bindings.value(source)),
                    })
                };
                add(row, place(insert, bindings, keyspace, mode, row + 1, value)?);
            }
        }
    }
    Ok(targets)
}

/// What a row gives for a column.
enum Given<'v> {
    Value(Value<'v>),
    Default,
    Expression,
}

fn place<'v>(
    insert: &'v Insert,
    bindings: &Bindings<'v>,
    keyspace: &Keyspace,
    mode: WriteMode,
    row: usize,
    value: impl Fn(u16) -> Option<Given<'v>>,
) -> Result<ShardIndex, PlanError> {
    let given = |wanted: &'v InsertValue| match wanted {
        InsertValue::Position(position) => value(*position).unwrap_or(Given::Expression),
        InsertValue::Same(source) => Given::Value(bindings.value(source)),
    };
    if let Some(counter) = &insert.auto_increment
        && numbers_itself(&given(counter), mode)
    {
        return Err(PlanError::unsupported(
            "INSERT into a sharded table that leaves the AUTO_INCREMENT value to a shard",
        ));
    }
    let mut stored: SmallVec<[(Stored<'_>, &InsertColumn); 2]> = SmallVec::new();
    for column in &insert.columns {
        let value: Value<'v> = match given(&column.value) {
            Given::Value(value) => value,
            Given::Default => match &column.default {
                Some(source) => bindings.value(source),
                None => return Err(PlanError::no_default(&column.column.name)),
            },
            Given::Expression => Value::Other,
        };
        let value = coerce_write(&column.column, value, mode, row)?;
        if value == Stored::Null && !column.nullable {
            return Err(PlanError::column_cannot_be_null(&column.column.name));
        }
        stored.push((value, column));
    }
    let values: SmallVec<[VindexValue<'_>; 2]> = stored
        .iter()
        .map(|(value, column)| vindex_value(value, &column.column))
        .collect();
    let vindex = keyspace
        .vindex(insert.vindex)
        .ok_or_else(|| PlanError::unsupported("a vindex that is gone"))?;
    for (part, (value, (_, column))) in values.iter().zip(&stored).enumerate() {
        if column
            .column
            .def
            .as_ref()
            .is_some_and(|def| !vindex.may_store(part, def, *value))
        {
            let what = format_args!(
                "a character in column '{}' that vindex '{}' does not fold",
                column.column.name,
                vindex.name()
            );
            return Err(PlanError::unsupported(what));
        }
    }
    match vindex.map(&values) {
        Mapped::KeyspaceId(id) => Ok(keyspace.shard_of(&id)),
        _ => Err(PlanError::unsupported(format_args!(
            "a value that vindex '{}' does not map",
            vindex.name()
        ))),
    }
}

/// Whether MySQL would choose the value of an AUTO_INCREMENT column.
fn numbers_itself(given: &Given<'_>, mode: WriteMode) -> bool {
    match given {
        Given::Default | Given::Expression => true,
        Given::Value(value) => match value {
            Value::Null | Value::Other => true,
            Value::Int(number) => *number == 0 && !mode.no_auto_value_on_zero,
            Value::Float(number) => number.abs() <= 0.5 && !mode.no_auto_value_on_zero,
            Value::Decimal(text) => !mode.no_auto_value_on_zero && leads_with_zero(text),
            // A string may have any spelling of zero: only one with a leading digit above zero is certain.
            Value::Str(text, _) => !matches!(text.first(), Some(b'1'..=b'9')) && !mode.no_auto_value_on_zero,
            Value::Bytes(bytes) => !mode.no_auto_value_on_zero && bytes.iter().all(|byte| *byte == 0),
        },
    }
}

fn leads_with_zero(text: &[u8]) -> bool {
    !text.iter().any(|byte| matches!(byte, b'1'..=b'9'))
}
