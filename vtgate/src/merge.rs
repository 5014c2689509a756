//! One result out of the results of several shards: the order of the plan's steps, and the bound on memory. Pure.

use mysql_wire::client::{Column, QueryResult};
use planner::bindings::Bindings;
use planner::merge::{ColumnInfo, Distinct, Groups, Row, RowOrder, holds};
use planner::plan::{Limit, Merge};

use crate::error::{self, SqlResult};
use crate::session::planned::plan_error;

/// Merges the shards' results, all of the same columns, as the plan says.
///
/// # Errors
/// 1104 when the rows need more than `bytes_max` bytes, 1235 for a column whose type does not merge in the gateway.
pub fn merge(
    merge: &Merge,
    results: Vec<QueryResult>,
    bindings: &Bindings<'_>,
    bytes_max: usize,
) -> SqlResult<QueryResult> {
    let mut results = results.into_iter();
    let mut first = results
        .next()
        .ok_or_else(|| error::internal("no shard was asked"))?;
    let columns: Vec<ColumnInfo> = first.columns.iter().map(column_info).collect();
    let mut bytes = 0;
    let mut rows = Vec::new();
    let own = std::mem::take(&mut first.rows);
    for cells in own.into_iter().chain(results.flat_map(|result| result.rows)) {
        let row = Row::from_cells(cells.iter().map(|cell| cell.as_deref()));
        bytes += row.size();
        if bytes > bytes_max {
            return Err(error::result_too_large(bytes_max));
        }
        rows.push(row);
    }
    let rows = steps(merge, rows, &columns, bindings)?;
    let visible = columns.len().saturating_sub(usize::from(merge.hidden));
    first.columns.truncate(visible);
    first.rows = rows
        .into_iter()
        .map(|row| {
            (0..visible)
                .map(|column| row.cell(column).map(<[u8]>::to_vec))
                .collect()
        })
        .collect();
    Ok(first)
}

fn column_info(column: &Column) -> ColumnInfo {
    ColumnInfo::new(column.format.ty.byte(), column.collation, column.format.decimals)
}

fn steps(
    merge: &Merge,
    mut rows: Vec<Row>,
    columns: &[ColumnInfo],
    bindings: &Bindings<'_>,
) -> SqlResult<Vec<Row>> {
    if let Some(aggregate) = &merge.aggregate {
        let mut groups = Groups::new(aggregate, columns, merge.hidden).map_err(plan_error)?;
        for row in rows {
            groups.push(row);
        }
        rows = groups.finish().collect();
    }
    if let Some(having) = &merge.having {
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows {
            if holds(having, &row, columns, merge.hidden, bindings).map_err(plan_error)? == Some(true) {
                kept.push(row);
            }
        }
        rows = kept;
    }
    if let Some(keys) = &merge.distinct {
        let mut distinct = Distinct::new(keys, columns, merge.hidden).map_err(plan_error)?;
        rows.retain(|row| distinct.insert(row));
    }
    if !merge.order.is_empty() {
        let order = RowOrder::new(&merge.order, columns, merge.hidden).map_err(plan_error)?;
        rows.sort_by(|left, right| order.compare(left, right));
    }
    if let Some(limit) = &merge.limit {
        cut(&mut rows, limit, bindings)?;
    }
    Ok(rows)
}

fn cut(rows: &mut Vec<Row>, limit: &Limit, bindings: &Bindings<'_>) -> SqlResult<()> {
    let number = |source| {
        let count = bindings
            .count(source)
            .ok_or_else(|| error::unsupported("a LIMIT that is not a whole number"))?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    };
    let skip = limit.offset.as_ref().map_or(Ok(0), number)?;
    let take = number(&limit.count)?;
    rows.drain(..skip.min(rows.len()));
    rows.truncate(take);
    Ok(())
}
