//! UPDATE and DELETE.

use sql::ast::{
    Assignment, Condition, Delete, Expr, ExprKind, Limit, ObjectName, OrderBy, TableRef, Update, With,
};
use sql::span::Span;
use vschema::keyspace::Placement;

use super::{Builder, Home};
use crate::analyze::{Analysis, Ctes, Inst, InstanceKind, Locality, Scope, bare, source_of};
use crate::catalog::{KeyspaceIndex, Table};
use crate::error::PlanError;
use crate::plan::{Guard, PlanNode, Route, Routing, Several, Source};

/// The clauses that UPDATE and DELETE share.
struct Clauses<'n, 'a> {
    verb: &'static str,
    /// From the first to the last table.
    span: Span,
    with: Option<&'n With<'a>>,
    tables: &'n [TableRef<'a>],
    condition: Option<&'n Condition<'a>>,
    order_by: Option<&'n OrderBy<'a>>,
    limit: Option<&'n Limit<'a>>,
}

impl<'c> Builder<'_, 'c> {
    pub(crate) fn update(&mut self, update: &Update<'_>) -> Result<PlanNode, PlanError> {
        let clauses = Clauses {
            verb: "UPDATE",
            span: update.tables_span,
            with: update.with.as_ref(),
            tables: &update.tables,
            condition: update.where_clause.as_ref(),
            order_by: update.order_by.as_ref(),
            limit: update.limit.as_ref(),
        };
        self.write(&clauses, &update.assignments, &[])
    }

    pub(crate) fn delete(&mut self, delete: &Delete<'_>) -> Result<PlanNode, PlanError> {
        let clauses = Clauses {
            verb: "DELETE",
            span: delete.tables_span,
            with: delete.with.as_ref(),
            tables: &delete.tables,
            condition: delete.where_clause.as_ref(),
            order_by: delete.order_by.as_ref(),
            limit: delete.limit.as_ref(),
        };
        self.write(&clauses, &[], &delete.targets)
    }

    fn write(
        &mut self,
        clauses: &Clauses<'_, '_>,
        assignments: &[Assignment<'_>],
        targets: &[ObjectName<'_>],
    ) -> Result<PlanNode, PlanError> {
        let index = match self.home()? {
            Home::Nowhere => {
                let (keyspace, routing) = self.tableless()?;
                return self.pass(keyspace, routing);
            }
            Home::Keyspace(index) => index,
        };
        if let Some(target) = self.target(index) {
            self.mark_written_within(clauses.span, targets);
            return self.pass(index, target);
        }
        if !self.sharded(index) {
            self.mark_written_within(clauses.span, targets);
            return self.pass(index, Routing::Unsharded);
        }
        let mut analysis = Analysis::new(self.ctx, self.slots, index);
        let own = clauses.with.map(Ctes::of);
        let ctes = own.as_ref();
        let mut scope = Scope::new(None);
        let mut located = Vec::new();
        for table in clauses.tables {
            analysis.table(table, false, &mut scope, ctes, &mut located)?;
        }
        analysis.where_clause(clauses.condition, &scope, ctes, &mut located)?;
        let orders = clauses
            .order_by
            .iter()
            .flat_map(|order| &order.items)
            .map(|item| &item.expr);
        for expr in assignments
            .iter()
            .map(|assignment| &assignment.value)
            .chain(orders)
        {
            analysis.subqueries(expr, &scope, ctes, &mut located)?;
        }
        self.check_all_seen(&analysis)?;
        let written = self.written(&analysis, &scope, clauses.tables, assignments, targets)?;
        self.mark_written(&written);
        for assignment in assignments {
            self.check_assignment(&analysis, &scope, assignment)?;
        }
        if written
            .iter()
            .any(|table| matches!(table.placement, Placement::Reference(_)))
        {
            return self.write_reference(index, &analysis);
        }
        let routing = analysis.union_routing();
        let several = match self.write_several(clauses, &analysis, &scope, &located) {
            Ok(()) => Several::AddCounts,
            Err(error) => {
                self.refuse_if_several(index, &routing, &error)?;
                Several::refused(error)
            }
        };
        Ok(PlanNode::Route(Route {
            keyspace: index,
            routing,
            query: self.template()?,
            several,
        }))
    }

    /// Whether each shard may run the statement on its own rows.
    fn write_several(
        &self,
        clauses: &Clauses<'_, '_>,
        analysis: &Analysis<'_, '_>,
        scope: &Scope<'_>,
        located: &[Inst],
    ) -> Result<(), PlanError> {
        if let Some(limit) = clauses.limit {
            let error = PlanError::unsupported(format_args!("{} .. LIMIT over several shards", clauses.verb));
            return Err(error.at((limit.span.start, limit.span.end)));
        }
        self.check_several()?;
        match analysis.tie(scope, located) {
            Locality::Not(error) => Err(error),
            _ => Ok(()),
        }
    }

    /// A write to a reference table goes to every shard, where it has to do the same.
    pub(crate) fn write_reference(
        &self,
        keyspace: KeyspaceIndex,
        analysis: &Analysis<'_, '_>,
    ) -> Result<PlanNode, PlanError> {
        if analysis.union_routing() != Routing::AnyShard {
            return Err(PlanError::unsupported(
                "a write to a reference table that reads sharded tables",
            ));
        }
        self.check_several()?;
        if self.survey.random {
            return Err(PlanError::unsupported(
                "a random value in a write to a reference table",
            ));
        }
        let query = self.template()?;
        Ok(PlanNode::Route(Route {
            keyspace,
            routing: Routing::AllShards,
            query,
            several: Several::SameOnEach,
        }))
    }

    /// The base tables that the statement changes.
    fn written(
        &self,
        analysis: &Analysis<'c, '_>,
        scope: &Scope<'_>,
        tables: &[TableRef<'_>],
        assignments: &[Assignment<'_>],
        targets: &[ObjectName<'_>],
    ) -> Result<Vec<&'c Table>, PlanError> {
        let base = |inst: Inst| match analysis.instance(inst).map(|instance| &instance.kind) {
            Some(InstanceKind::Base { table, .. }) => Some(*table),
            _ => None,
        };
        if let ([TableRef::Table(_)], [only], []) = (tables, scope.instances.as_slice(), targets) {
            return Ok(base(*only).into_iter().collect());
        }
        let mut written = Vec::new();
        for assignment in assignments {
            let node = analysis.node_of_ref(scope, &assignment.column);
            match node.and_then(|node| base(node.inst)) {
                Some(table) => written.push(table),
                None => {
                    let span = assignment.column.span();
                    let error =
                        PlanError::unsupported("UPDATE of several tables with a column that is not known");
                    return Err(error.at((span.start, span.end)));
                }
            }
        }
        for target in targets {
            let found = scope.instances.iter().find(|inst| {
                analysis
                    .instance(**inst)
                    .is_some_and(|instance| instance.alias == *target.name.value)
            });
            match found.and_then(|inst| base(*inst)) {
                Some(table) => written.push(table),
                None => {
                    let name = String::from_utf8_lossy(&target.name.value).into_owned();
                    return Err(PlanError::unknown_multi_table(&name));
                }
            }
        }
        Ok(written)
    }

    fn mark_written(&mut self, tables: &[&Table]) {
        for mention in &mut self.survey.mentions {
            mention.written = tables.iter().any(|table| table.name == mention.name);
        }
    }

    /// Without an analysis: the targets of DELETE if it names some, else all tables outside of conditions.
    fn mark_written_within(&mut self, tables: Span, targets: &[ObjectName<'_>]) {
        let aliased = targets.iter().any(|target| {
            !self
                .survey
                .mentions
                .iter()
                .any(|mention| mention.name.as_bytes() == &*target.name.value)
        });
        for mention in &mut self.survey.mentions {
            let named = targets
                .iter()
                .any(|target| mention.name.as_bytes() == &*target.name.value);
            mention.written = tables.contains(mention.span) && (targets.is_empty() || aliased || named);
        }
    }

    /// Vindex columns keep their values.
    fn check_assignment(
        &mut self,
        analysis: &Analysis<'_, '_>,
        scope: &Scope<'_>,
        assignment: &Assignment<'_>,
    ) -> Result<(), PlanError> {
        let name = &*assignment.column.column.value;
        let node = analysis.node_of_ref(scope, &assignment.column);
        let candidates: Vec<Inst> = node.map_or_else(|| scope.instances.clone(), |node| vec![node.inst]);
        let of_vindex =
            candidates.iter().any(
                |inst| match analysis.instance(*inst).map(|instance| &instance.kind) {
                    Some(InstanceKind::Base { table, .. }) => table
                        .vindexes
                        .iter()
                        .flat_map(|vindex| &vindex.columns)
                        .any(|column| column.name.as_bytes().eq_ignore_ascii_case(name)),
                    _ => false,
                },
            );
        if !of_vindex || self.keeps_value(analysis, scope, assignment) {
            return Ok(());
        }
        let span = (assignment.span.start, assignment.span.end);
        let column = String::from_utf8_lossy(name);
        Err(PlanError::unsupported(format_args!("UPDATE of vindex column '{column}'")).at(span))
    }

    /// `id = id`, or `SET id = 5 .. WHERE id = 5`.
    fn keeps_value(
        &mut self,
        analysis: &Analysis<'_, '_>,
        scope: &Scope<'_>,
        assignment: &Assignment<'_>,
    ) -> bool {
        let Some(node) = analysis.node_of_ref(scope, &assignment.column) else {
            return false;
        };
        if let ExprKind::Column(column) = &bare(&assignment.value).kind {
            return analysis.node_of_ref(scope, column) == Some(node);
        }
        let Some(Source::Slot(slot)) = source_of(self.slots, &assignment.value) else {
            return false;
        };
        let Routing::Equal { columns, .. } = analysis.route_instance(node.inst).routing else {
            return false;
        };
        let name = &*assignment.column.column.value;
        let equal = columns
            .iter()
            .find(|(column, _)| column.name.as_bytes().eq_ignore_ascii_case(name));
        match equal {
            Some((_, Source::Slot(other))) if self.slots.same_literal(slot, *other) => {
                self.guards.push((slot, Guard::EqualTo(*other)));
                true
            }
            _ => false,
        }
    }
}

/// An assignment that leaves the column as it was inserted: `c = c`, `c = VALUES(c)`, `c = alias.c`.
pub(crate) fn keeps_inserted(assignment: &Assignment<'_>, alias: Option<&[u8]>) -> bool {
    let column = &assignment.column.column.value;
    let same = |value: &Expr<'_>| match &bare(value).kind {
        ExprKind::ValuesOf(other) => other.column.value.eq_ignore_ascii_case(column),
        ExprKind::Column(other) => {
            other.column.value.eq_ignore_ascii_case(column)
                && other
                    .table
                    .as_ref()
                    .is_none_or(|table| alias.is_some_and(|alias| *table.value == *alias))
        }
        _ => false,
    };
    same(&assignment.value)
}
