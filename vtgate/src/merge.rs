//! One result out of the results of several shards. Pure.

use mysql_wire::client::QueryResult;
use planner::bindings::Bindings;
use planner::plan::Merge;

use crate::error::{self, SqlResult};

/// Merges the shards' results, all of the same columns, as the plan says.
///
/// # Errors
/// 1104 when the rows need more than `bytes_max` bytes, and what the steps cannot do.
pub fn merge(merge: &Merge, results: Vec<QueryResult>, _: &Bindings<'_>, _: usize) -> SqlResult<QueryResult> {
    let steps = merge.aggregate.is_some()
        || merge.having.is_some()
        || merge.distinct.is_some()
        || !merge.order.is_empty()
        || merge.limit.is_some();
    if steps {
        return Err(error::unsupported("merging rows of several shards"));
    }
    let mut results = results.into_iter();
    let mut first = results.next().ok_or_else(|| error::internal("no shard was asked"))?;
    for result in results {
        first.rows.extend(result.rows);
    }
    Ok(first)
}
