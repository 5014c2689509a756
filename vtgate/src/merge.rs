//! One result out of the rows of several shards: the plan's steps, applied while rows arrive, and the bound on what is held. Pure.
//!
//! Rows are only held where the result depends on all of them: groups, and the identities of distinct rows. Everything else passes on.

use std::cmp::Ordering;

use planner::bindings::Bindings;
use planner::merge::{ColumnInfo, Distinct, Groups, Row, RowOrder, holds};
use planner::plan::{Limit, Merge};

use crate::error::{self, SqlResult};
use crate::session::planned::plan_error;

/// How rows have to be read for a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In any order, without a look inside: [`Merger::admits`] decides.
    Forward,
    /// In any order: [`Merger::keeps`] decides about each.
    Filter,
    /// The least of all shards' next rows first, by [`Merger::compare`]: [`Merger::keeps`] decides about each.
    Ordered,
    /// In any order into [`Merger::collect`]: the result is what [`Merger::finish`] gives.
    Groups,
}

/// The state of one merge.
pub struct Merger<'m> {
    plan: &'m Merge,
    bindings: &'m Bindings<'m>,
    columns: &'m [ColumnInfo],
    groups: Option<Groups>,
    distinct: Option<Distinct>,
    order: RowOrder,
    skip: u64,
    take: u64,
    bytes_max: usize,
}

impl<'m> Merger<'m> {
    /// A merge of rows of these columns, hidden ones included, that holds up to `bytes_max` bytes.
    ///
    /// # Errors
    /// 1235 for a column whose type does not merge in the gateway.
    pub fn new(
        plan: &'m Merge,
        columns: &'m [ColumnInfo],
        bindings: &'m Bindings<'m>,
        bytes_max: usize,
    ) -> SqlResult<Self> {
        let groups = plan
            .aggregate
            .as_ref()
            .map(|aggregate| Groups::new(aggregate, columns, plan.hidden));
        let distinct = plan
            .distinct
            .as_ref()
            .map(|keys| Distinct::new(keys, columns, plan.hidden));
        let (skip, take) = match &plan.limit {
            Some(limit) => window(limit, bindings)?,
            None => (0, u64::MAX),
        };
        Ok(Self {
            plan,
            bindings,
            columns,
            groups: groups.transpose().map_err(plan_error)?,
            distinct: distinct.transpose().map_err(plan_error)?,
            order: RowOrder::new(&plan.order, columns, plan.hidden).map_err(plan_error)?,
            skip,
            take,
            bytes_max,
        })
    }

    /// How rows have to be read.
    pub fn way(&self) -> Way {
        if self.groups.is_some() {
            Way::Groups
        } else if !self.order.is_empty() {
            Way::Ordered
        } else if self.distinct.is_some() || self.plan.having.is_some() || self.plan.hidden > 0 {
            Way::Filter
        } else {
            Way::Forward
        }
    }

    /// Columns that the client gets to see.
    pub fn visible(&self) -> usize {
        self.columns.len().saturating_sub(usize::from(self.plan.hidden))
    }

    /// Whether the next row of the result is within its LIMIT.
    pub fn admits(&mut self) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        let admitted = self.take > 0;
        self.take = self.take.saturating_sub(1);
        admitted
    }

    /// Whether a row belongs to the result.
    ///
    /// # Errors
    /// 1104 when the distinct rows need more than the bound, 1235 for a condition over a type that does not compare here.
    pub fn keeps(&mut self, row: &Row) -> SqlResult<bool> {
        if let Some(having) = &self.plan.having {
            let held = holds(having, row, self.columns, self.plan.hidden, self.bindings);
            if held.map_err(plan_error)? != Some(true) {
                return Ok(false);
            }
        }
        if let Some(distinct) = &mut self.distinct {
            if !distinct.insert(row) {
                return Ok(false);
            }
            if distinct.size() > self.bytes_max {
                return Err(error::result_too_large(self.bytes_max));
            }
        }
        Ok(self.admits())
    }

    /// The order of two rows.
    pub fn compare(&self, left: &Row, right: &Row) -> Ordering {
        self.order.compare(left, right)
    }

    /// Takes a row into its group.
    ///
    /// # Errors
    /// 1104 when the groups need more than the bound.
    pub fn collect(&mut self, row: Row) -> SqlResult<()> {
        let Some(groups) = &mut self.groups else {
            return Err(error::internal("rows without groups were collected"));
        };
        groups.push(row);
        if groups.size() > self.bytes_max {
            return Err(error::result_too_large(self.bytes_max));
        }
        Ok(())
    }

    /// The rows of the groups that were collected.
    ///
    /// # Errors
    /// As [`Self::keeps`].
    pub fn finish(&mut self) -> SqlResult<Vec<Row>> {
        let mut rows: Vec<Row> = match self.groups.take() {
            Some(groups) => groups.finish().collect(),
            None => Vec::new(),
        };
        // LIMIT comes last, so it waits until the rows are in order.
        let (skip, take) = (self.skip, self.take);
        (self.skip, self.take) = (0, u64::MAX);
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows.drain(..) {
            if self.keeps(&row)? {
                kept.push(row);
            }
        }
        kept.sort_by(|left, right| self.order.compare(left, right));
        let index = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        kept.drain(..index(skip).min(kept.len()));
        kept.truncate(index(take));
        Ok(kept)
    }
}

/// Rows to skip, and to take after them.
fn window(limit: &Limit, bindings: &Bindings<'_>) -> SqlResult<(u64, u64)> {
    let number = |source| {
        bindings
            .count(source)
            .ok_or_else(|| error::unsupported("a LIMIT that is not a whole number"))
    };
    let skip = limit.offset.as_ref().map_or(Ok(0), number)?;
    Ok((skip, number(&limit.count)?))
}

#[cfg(test)]
mod tests {
    use planner::plan::{Aggregate, Col, SortKey, Source, Template};
    use planner::value::Charset;
    use sql::fingerprint::Fingerprint;
    use sql::mode::LexMode;

    use super::*;

    const INTEGER: ColumnInfo = ColumnInfo {
        kind: planner::merge::ColumnKind::Integer,
        decimals: 0,
    };

    fn plan() -> Merge {
        Merge {
            query: Template::default(),
            hidden: 0,
            aggregate: None,
            having: None,
            distinct: None,
            order: [].into(),
            limit: None,
        }
    }

    fn row(number: i32) -> Row {
        Row::from_cells([Some(number.to_string().as_bytes())])
    }

    fn by_first() -> Box<[SortKey]> {
        [SortKey {
            value: Col::Visible(0),
            proxy: None,
            descending: true,
        }]
        .into()
    }

    fn with<T>(plan: &Merge, bytes_max: usize, test: impl FnOnce(&mut Merger<'_>) -> T) -> T {
        let fingerprint = Fingerprint::new();
        let bindings = Bindings {
            text: b"",
            fingerprint: &fingerprint,
            params: &[],
            lex_mode: LexMode::NONE,
            charset: Charset::Utf8,
            user_var: None,
        };
        test(&mut Merger::new(plan, &[INTEGER], &bindings, bytes_max).unwrap())
    }

    #[test]
    fn rows_outside_of_the_limit_are_left_out() {
        let mut plan = plan();
        plan.limit = Some(Limit {
            offset: Some(Source::Int(1)),
            count: Source::Int(2),
        });
        with(&plan, 0, |merger| {
            assert_eq!(merger.way(), Way::Forward);
            assert_eq!(
                [(); 5].map(|()| merger.admits()),
                [false, true, true, false, false]
            );
        });
    }

    #[test]
    fn distinct_rows_are_held_up_to_the_bound() {
        let mut plan = plan();
        plan.distinct = Some([].into());
        with(&plan, 100, |merger| {
            assert_eq!(merger.way(), Way::Filter);
            assert_eq!(merger.keeps(&row(1)), Ok(true));
            assert_eq!(merger.keeps(&row(1)), Ok(false));
            let refused = (2..20)
                .map(|number| merger.keeps(&row(number)))
                .find_map(Result::err);
            assert_eq!(refused.map(|wrong| wrong.code), Some(1104));
        });
    }

    #[test]
    fn groups_are_combined_then_ordered_then_cut() {
        let mut plan = plan();
        plan.aggregate = Some(Aggregate {
            keys: by_first(),
            columns: [].into(),
        });
        plan.order = by_first();
        plan.limit = Some(Limit {
            offset: Some(Source::Int(1)),
            count: Source::Int(2),
        });
        with(&plan, 1 << 20, |merger| {
            assert_eq!(merger.way(), Way::Groups);
            for number in [3, 1, 2, 3, 10, 1] {
                merger.collect(row(number)).unwrap();
            }
            assert_eq!(merger.finish().unwrap(), [row(3), row(2)]);
        });
        with(&plan, 10, |merger| {
            assert_eq!(merger.collect(row(1)).map_err(|wrong| wrong.code), Err(1104));
        });
    }
}
