//! Reads.

use sql::ast::{Limit as LimitClause, Query, Select, SelectItem, SetExpr, SetOperation};
use sql::span::Span;

use super::edits::{Edits, Part};
use super::{Builder, Home};
use crate::analyze::{
    Analysis, BestRouting, BlockReport, Inst, Instance, InstanceKind, Locality, Scope, source_of,
};
use crate::catalog::KeyspaceIndex;
use crate::error::PlanError;
use crate::plan::{Limit, Merge, Pin, PlanNode, Route, Routing, Several, SortKey};
use crate::survey::{Found, Mention};

impl Builder<'_, '_> {
    pub(crate) fn read(&mut self, query: &Query<'_>) -> Result<PlanNode, PlanError> {
        let index = match self.home()? {
            Home::Nowhere => {
                let (keyspace, routing) = self.tableless()?;
                return self.pass(keyspace, routing);
            }
            Home::Keyspace(index) => index,
        };
        if let Some(target) = self.target(index) {
            return self.pass(index, target);
        }
        if !self.sharded(index) {
            return self.pass(index, Routing::Unsharded);
        }
        let mut analysis = Analysis::new(self.ctx, self.slots, index);
        let report = analysis.top(query)?;
        self.check_all_seen(&analysis)?;
        let routing = analysis.union_routing();
        let several = match routing {
            Routing::AnyShard | Routing::Target(_) => Several::AnyOne,
            _ => match self.merge(query, &analysis, &report) {
                Ok(merge) => Several::Merge(Box::new(merge)),
                Err(error) => {
                    self.fix_structure(query);
                    Several::refused(error)
                }
            },
        };
        if let Several::Refused(error) = &several {
            self.refuse_if_several(index, &routing, error)?;
        }
        Ok(PlanNode::Route(Route {
            keyspace: index,
            routing,
            query: self.template()?,
            several,
        }))
    }

    /// Each sharded table that the statement names has to be an instance of the analysis: one in a place that it does not look into
    /// would be read on too few shards.
    pub(crate) fn check_all_seen(&self, analysis: &Analysis<'_, '_>) -> Result<(), PlanError> {
        if self.keyspace(analysis.keyspace)?.shard_count() == 1 {
            return Ok(());
        }
        for mention in self.survey.mentions.iter().filter(|mention| !mention.inserted) {
            let Found::Table(_, table) = mention.found else {
                continue;
            };
            let named = |other: &&Mention<'_>| !other.inserted && other.name == mention.name;
            let seen = |instance: &&Instance<'_>| matches!(instance.kind, InstanceKind::Base { table: other, .. } if std::ptr::eq(other, table));
            let (mentions, instances) = (
                self.survey.mentions.iter().filter(named).count(),
                analysis.instances.iter().filter(seen).count(),
            );
            if table.is_partitioned() && instances < mentions {
                let span = (mention.span.start, mention.span.end);
                return Err(PlanError::unsupported("a sharded table in this place").at(span));
            }
        }
        Ok(())
    }

    /// The refusal may rest on literals that are positions or names.
    fn fix_structure(&mut self, query: &Query<'_>) {
        self.exact.extend(query.order_by.as_ref().map(|order| order.span));
        if let SetExpr::Select(select) = &query.body {
            self.exact.push(select.items_span);
            self.exact
                .extend(select.group_by.as_ref().map(|group| group.span));
            self.exact
                .extend(select.having.as_ref().map(|having| having.span));
        }
    }

    /// A statement that always goes to several shards is refused at once.
    pub(crate) fn refuse_if_several(
        &self,
        keyspace: KeyspaceIndex,
        routing: &Routing,
        error: &PlanError,
    ) -> Result<(), PlanError> {
        match routing {
            Routing::AllShards if self.keyspace(keyspace)?.shard_count() > 1 => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// What the session's functions forbid when several shards evaluate them.
    pub(crate) fn check_several(&self) -> Result<(), PlanError> {
        let effects = &self.survey.effects;
        let what = if let Some(span) = self.survey.stored_function {
            return Err(
                PlanError::unsupported("a stored function over several shards").at((span.start, span.end))
            );
        } else if effects.pins.contains(Pin::UserLock) {
            "GET_LOCK over several shards"
        } else if !effects.user_vars_written.is_empty() {
            "assignment of user variables over several shards"
        } else if effects.sets_last_insert_id {
            "LAST_INSERT_ID(expr) over several shards"
        } else if effects.calc_found_rows {
            "SQL_CALC_FOUND_ROWS over several shards"
        } else {
            return Ok(());
        };
        Err(PlanError::unsupported(what))
    }

    fn merge(
        &mut self,
        query: &Query<'_>,
        analysis: &Analysis<'_, '_>,
        report: &BlockReport,
    ) -> Result<Merge, PlanError> {
        if let Locality::Not(error) = &report.rows {
            return Err(error.clone());
        }
        self.check_several()?;
        if query.into.is_some() {
            return Err(PlanError::unsupported("SELECT .. INTO over several shards"));
        }
        match &query.body {
            SetExpr::Select(select) => self.merge_select(query, select, analysis, report),
            SetExpr::Table(_) => {
                if query.order_by.is_some() {
                    return Err(PlanError::unsupported("TABLE .. ORDER BY over several shards"));
                }
                self.merge_plain(query, self.edits(), Vec::new(), None)
            }
            SetExpr::SetOp(op) => self.merge_union(query, op, report),
            SetExpr::Paren(inner, _)
                if query.order_by.is_none() && query.limit.is_none() && query.with.is_none() =>
            {
                self.merge(inner, analysis, report)
            }
            SetExpr::Paren(..) => Err(PlanError::unsupported(
                "a query in parentheses with a clause of its own over several shards",
            )),
            SetExpr::Values(_) => Err(PlanError::unsupported("VALUES over several shards")),
        }
    }

    fn merge_select(
        &mut self,
        query: &Query<'_>,
        select: &Select<'_>,
        analysis: &Analysis<'_, '_>,
        report: &BlockReport,
    ) -> Result<Merge, PlanError> {
        let scope = Scope {
            instances: report.instances.clone(),
            merged: report.merged.clone(),
            parent: None,
        };
        if let Locality::Not(error) = &report.whole {
            let distinct_only = select.group_by.is_none() && !report.aggregates && !report.windows;
            return match (
                distinct_only && select.options.distinct,
                report.windows || select.qualify.is_some(),
            ) {
                (_, true) => Err(error.clone()),
                (true, false) => self.merge_rows(query, select, analysis, &scope, true, false),
                (false, false) => self.merge_groups(query, select, analysis, &scope),
            };
        }
        let grouped = select.group_by.is_some() || report.aggregates;
        self.merge_rows(query, select, analysis, &scope, false, grouped)
    }

    /// UNION: rows of all operands; the operators decide about duplicates.
    fn merge_union(
        &mut self,
        query: &Query<'_>,
        op: &SetOperation<'_>,
        report: &BlockReport,
    ) -> Result<Merge, PlanError> {
        if let (Locality::Not(error), None) = (&report.whole, op.rest.iter().find(|term| !term.all)) {
            return Err(error.clone());
        }
        let all = op.rest.iter().filter(|term| term.all).count();
        let last_distinct = op.rest.last().is_some_and(|term| !term.all);
        if all != op.rest.len() && !last_distinct {
            return Err(PlanError::unsupported(
                "UNION DISTINCT before UNION ALL over several shards",
            ));
        }
        let mut order = Vec::new();
        for item in query.order_by.iter().flat_map(|order| &order.items) {
            self.exact.push(item.expr.span);
            let column = super::outputs::position(&item.expr)
                .map(|position| position.saturating_sub(1))
                .or_else(|| super::outputs::named_output(&item.expr, report.columns.as_deref()?))
                .ok_or_else(|| {
                    PlanError::unsupported("ORDER BY of an expression of a UNION over several shards")
                })?;
            order.push(SortKey {
                value: crate::plan::Col::Visible(column),
                proxy: None,
                descending: item.descending,
            });
        }
        let distinct = last_distinct.then(Box::default);
        self.merge_plain(query, self.edits(), order, distinct)
    }

    /// A merge without hidden columns.
    fn merge_plain(
        &self,
        query: &Query<'_>,
        mut edits: Edits,
        order: Vec<SortKey>,
        distinct: Option<Box<[SortKey]>>,
    ) -> Result<Merge, PlanError> {
        let limit = self.limit(query.limit.as_ref())?;
        if let (Some(limit), Some(clause)) = (&limit, &query.limit) {
            push_limit(&mut edits, clause.span, limit);
        }
        Ok(Merge {
            query: edits.build(self.slots)?,
            hidden: 0,
            aggregate: None,
            having: None,
            distinct,
            order: order.into_boxed_slice(),
            limit,
        })
    }

    /// LIMIT's numbers as sources.
    pub(crate) fn limit(&self, limit: Option<&LimitClause<'_>>) -> Result<Option<Limit>, PlanError> {
        let Some(limit) = limit else { return Ok(None) };
        let source = |expr| {
            source_of(self.slots, expr)
                .ok_or_else(|| PlanError::unsupported("this LIMIT over several shards"))
        };
        Ok(Some(Limit {
            offset: limit.offset.as_ref().map(source).transpose()?,
            count: source(&limit.count)?,
        }))
    }
}

/// Replaces a LIMIT clause by that for each shard.
pub(crate) fn push_limit(edits: &mut Edits, span: Span, limit: &Limit) {
    let number = Part::Limit {
        offset: limit.offset.clone(),
        count: limit.count.clone(),
    };
    edits.put(span, vec![Part::Text(b"LIMIT ".to_vec()), number]);
}

impl Analysis<'_, '_> {
    /// Analyses a whole query; its LIMIT does not count against its locality.
    pub(crate) fn top(&mut self, query: &Query<'_>) -> Result<BlockReport, PlanError> {
        self.query_rows(query, None, None)
    }

    /// The shards of all sharded tables together.
    pub(crate) fn union_routing(&self) -> Routing {
        let mut parts: Vec<Routing> = Vec::new();
        for inst in 0..self.instances.len() as Inst {
            let Some(InstanceKind::Base { table, .. }) = self.instance(inst).map(|instance| &instance.kind)
            else {
                continue;
            };
            if !table.is_partitioned() {
                continue;
            }
            let BestRouting { routing, .. } = self.route_instance(inst);
            if routing == Routing::AllShards {
                return routing;
            }
            if !parts.contains(&routing) {
                parts.push(routing);
            }
        }
        match (parts.pop(), parts.is_empty()) {
            (None, _) => Routing::AnyShard,
            (Some(routing), true) => routing,
            (Some(routing), false) => {
                parts.push(routing);
                Routing::Any(parts.into_boxed_slice())
            }
        }
    }
}

/// Whether a select list has a star.
pub(crate) fn has_star(select: &Select<'_>) -> bool {
    select
        .items
        .iter()
        .any(|item| matches!(item, SelectItem::Wildcard { .. }))
}
