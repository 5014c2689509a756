//! Walks query blocks: scopes, conditions, and whether each block's result is the union of the shards' results.

use std::ops::ControlFlow;

use sql::ast::{
    Call, Condition, Cte, Expr, ExprKind, GroupModifier, JoinCondition, JoinKind, NamedTable, OrderBy,
    OverWindow, Query, Select, SelectItem, SetExpr, SetOperation, SetOperator, TableRef, WindowSpec, With,
};
use sql::visit::{Visit, walk_expr};

use super::facts::bare;
use super::{Analysis, Inst, Instance, InstanceKind, Node, OutColumn, Scope};
use crate::builtin::is_aggregate;
use crate::error::PlanError;
use crate::survey::{Found, find_table};

/// How a block's result lies on the shards.
#[derive(Debug, Clone)]
pub(crate) enum Locality {
    /// The same on every shard: no sharded table.
    Everywhere,
    /// The union of the shards' results; each row lies where the row of this instance does that it comes from.
    Rooted(Inst),
    /// The union of the shards' results, without a common root (UNION ALL).
    Spread,
    /// Shards cannot answer alone.
    Not(PlanError),
}

impl Locality {
    pub(crate) fn is_local(&self) -> bool {
        matches!(self, Self::Rooted(_) | Self::Spread)
    }
}

/// What the analysis of a block says.
pub(crate) struct BlockReport {
    /// Output columns; None when they are not known.
    pub(crate) columns: Option<Vec<OutColumn>>,
    /// The rows before grouping, DISTINCT, windows, and LIMIT.
    pub(crate) rows: Locality,
    /// The whole result.
    pub(crate) whole: Locality,
    /// Instances that have to be tied to the enclosing block when this is a subquery.
    pub(crate) located: Vec<Inst>,
    /// Output columns hand rows through one by one, so that a restriction of them restricts the tables.
    pub(crate) transparent: bool,
    /// Columns that a plain SELECT groups by: a restriction of these restricts whole groups.
    pub(crate) group_nodes: Vec<Node>,
    /// A plain SELECT has aggregates.
    pub(crate) aggregates: bool,
    /// A plain SELECT has window functions.
    pub(crate) windows: bool,
    /// The scope of a plain SELECT.
    pub(crate) instances: Vec<Inst>,
    pub(crate) merged: Vec<(Vec<u8>, Node)>,
}

impl BlockReport {
    /// A block of which no more is known.
    fn of(whole: Locality, located: Vec<Inst>) -> Self {
        Self {
            columns: None,
            rows: whole.clone(),
            whole,
            located,
            transparent: false,
            group_nodes: Vec::new(),
            aggregates: false,
            windows: false,
            instances: Vec::new(),
            merged: Vec::new(),
        }
    }
}

/// Common table expressions in scope.
#[derive(Clone, Copy)]
pub(crate) struct Ctes<'n, 'a, 'p> {
    with: &'n With<'a>,
    /// How many of them are visible.
    visible: usize,
    outer: Option<&'p Ctes<'n, 'a, 'p>>,
    /// Names that hide outer ones, too.
    depth: u32,
}

const DEPTH_MAX: u32 = 40;

impl<'n, 'a> Ctes<'n, 'a, '_> {
    /// The common table expressions of a statement's WITH.
    pub(crate) fn of(with: &'n With<'a>) -> Self {
        Self {
            with,
            visible: with.tables.len(),
            outer: None,
            depth: 0,
        }
    }
}

impl<'c, 's> Analysis<'c, 's> {
    /// Analyses a query but for its LIMIT. `parent`: the scope around a subquery.
    pub(crate) fn query_rows<'n, 'a>(
        &mut self,
        query: &'n Query<'a>,
        parent: Option<&Scope<'_>>,
        ctes: Option<&Ctes<'n, 'a, '_>>,
    ) -> Result<BlockReport, PlanError> {
        let depth = ctes.map_or(0, |ctes| ctes.depth);
        if depth > DEPTH_MAX {
            return Err(PlanError::unsupported(
                "common table expressions nested this deep",
            ));
        }
        let own;
        let ctes = match &query.with {
            Some(with) => {
                own = Ctes {
                    with,
                    visible: with.tables.len(),
                    outer: ctes,
                    depth: depth + 1,
                };
                Some(&own)
            }
            None => ctes,
        };
        self.body(&query.body, query.order_by.as_ref(), parent, ctes)
    }

    /// The same, with LIMIT held against locality.
    pub(crate) fn query<'n, 'a>(
        &mut self,
        query: &'n Query<'a>,
        parent: Option<&Scope<'_>>,
        ctes: Option<&Ctes<'n, 'a, '_>>,
    ) -> Result<BlockReport, PlanError> {
        let mut report = self.query_rows(query, parent, ctes)?;
        if query.limit.is_some() {
            report.transparent = false;
            report.group_nodes.clear();
            if report.whole.is_local() {
                report.whole = Locality::Not(PlanError::unsupported(
                    "LIMIT within a statement over several shards",
                ));
            }
        }
        Ok(report)
    }

    fn body<'n, 'a>(
        &mut self,
        body: &'n SetExpr<'a>,
        order_by: Option<&'n OrderBy<'a>>,
        parent: Option<&Scope<'_>>,
        ctes: Option<&Ctes<'n, 'a, '_>>,
    ) -> Result<BlockReport, PlanError> {
        match body {
            SetExpr::Select(select) => self.select(select, order_by, parent, ctes),
            SetExpr::Paren(inner, _) => self.query(inner, parent, ctes),
            SetExpr::SetOp(op) => self.set_operation(op, parent, ctes),
            SetExpr::Table(table) => {
                let mut scope = Scope::new(parent);
                self.named(&table.table, None, false, &mut scope, ctes)?;
                let rows = self.tie(&scope, &[]);
                let columns = scope.instances.first().and_then(|inst| self.column_names(*inst));
                let columns = columns.map(|columns| {
                    columns
                        .into_iter()
                        .map(|(name, node)| OutColumn {
                            name,
                            origin: Some(node),
                        })
                        .collect()
                });
                let located = self.located(&scope);
                Ok(BlockReport {
                    columns,
                    transparent: true,
                    ..BlockReport::of(rows, located)
                })
            }
            SetExpr::Values(values) => {
                let scope = Scope::new(parent);
                let mut located = Vec::new();
                for expr in values.rows.iter().flatten() {
                    self.subqueries(expr, &scope, ctes, &mut located)?;
                }
                let whole = self.tie(&scope, &located);
                Ok(BlockReport::of(whole, located))
            }
        }
    }

    fn set_operation<'n, 'a>(
        &mut self,
        op: &'n SetOperation<'a>,
        parent: Option<&Scope<'_>>,
        ctes: Option<&Ctes<'n, 'a, '_>>,
    ) -> Result<BlockReport, PlanError> {
        let first = self.body(&op.first, None, parent, ctes)?;
        let mut located = first.located;
        let mut parts = vec![first.whole];
        for term in &op.rest {
            let report = self.body(&term.operand, None, parent, ctes)?;
            located.extend(report.located);
            parts.push(report.whole);
        }
        // UNION: the rows of all operands; whether duplicates may be left to the caller is in `rows`.
        let unions = op.rest.iter().all(|term| term.op == SetOperator::Union);
        let all = op.rest.iter().all(|term| term.all);
        let everywhere = parts
            .iter()
            .filter(|part| matches!(part, Locality::Everywhere))
            .count();
        let failed = parts.iter().find_map(|part| match part {
            Locality::Not(error) => Some(error.clone()),
            _ => None,
        });
        let rows = match failed {
            Some(error) => Locality::Not(error),
            None if everywhere == parts.len() => Locality::Everywhere,
            None if !unions => {
                Locality::Not(PlanError::unsupported("EXCEPT or INTERSECT over several shards"))
            }
            None if everywhere > 0 && all => Locality::Not(PlanError::unsupported(
                "UNION ALL of sharded and unsharded operands over several shards",
            )),
            None => Locality::Spread,
        };
        let whole = match &rows {
            Locality::Spread if !all => Locality::Not(PlanError::unsupported(
                "UNION DISTINCT within a statement over several shards",
            )),
            rows => rows.clone(),
        };
        let columns = first.columns.map(|columns| {
            columns
                .into_iter()
                .map(|column| OutColumn {
                    name: column.name,
                    origin: None,
                })
                .collect()
        });
        Ok(BlockReport {
            columns,
            whole,
            ..BlockReport::of(rows, located)
        })
    }

    fn select<'n, 'a>(
        &mut self,
        select: &'n Select<'a>,
        order_by: Option<&'n OrderBy<'a>>,
        parent: Option<&Scope<'_>>,
        ctes: Option<&Ctes<'n, 'a, '_>>,
    ) -> Result<BlockReport, PlanError> {
        let mut scope = Scope::new(parent);
        let mut located = Vec::new();
        for table in select.from.iter().flat_map(|from| &from.tables) {
            self.table(table, false, &mut scope, ctes, &mut located)?;
        }
        let allowed = scope.instances.clone();
        if let Some(condition) = &select.where_clause {
            self.condition(condition, &scope, &allowed, ctes, &mut located)?;
        }
        let mut rest = Inspect::default();
        for item in &select.items {
            if let SelectItem::Expr { expr, .. } = item {
                self.subqueries(expr, &scope, ctes, &mut located)?;
                rest.look(expr);
            }
        }
        let having = select
            .having
            .iter()
            .chain(&select.qualify)
            .map(|condition| &condition.expr);
        let groups = select.group_by.iter().flat_map(|group| &group.items);
        let orders = order_by
            .into_iter()
            .flat_map(|order| &order.items)
            .map(|item| &item.expr);
        for expr in having.chain(groups).chain(orders) {
            self.subqueries(expr, &scope, ctes, &mut located)?;
            rest.look(expr);
        }
        let columns = self.outputs(select, &scope);
        let rows = self.tie(&scope, &located);
        let whole = match &rows {
            Locality::Rooted(root) => self.after_grouping(select, &rest, columns.as_deref(), *root, &scope),
            other => other.clone(),
        };
        let transparent =
            !(rest.aggregates || rest.windows || select.group_by.is_some() || select.having.is_some());
        let groups = select
            .group_by
            .iter()
            .filter(|group| group.modifier == GroupModifier::None && !rest.windows);
        let group_nodes = groups
            .flat_map(|group| &group.items)
            .filter_map(|item| self.node_of(&scope, item))
            .collect();
        let mut all_located = self.located(&scope);
        all_located.extend(located);
        Ok(BlockReport {
            columns,
            rows,
            whole,
            located: all_located,
            transparent,
            group_nodes,
            aggregates: rest.aggregates,
            windows: rest.windows,
            instances: scope.instances,
            merged: scope.merged,
        })
    }

    /// Whether grouping, DISTINCT and windows of a block stay within the root's shard.
    fn after_grouping(
        &self,
        select: &Select<'_>,
        rest: &Inspect,
        columns: Option<&[OutColumn]>,
        root: Inst,
        scope: &Scope<'_>,
    ) -> Locality {
        let not = |what: &str| Locality::Not(PlanError::unsupported(what));
        if rest.windows && !self.windows_within(select, root, scope) {
            return not("a window over rows of several shards");
        }
        if let Some(group) = &select.group_by {
            if group.modifier != GroupModifier::None {
                return not("GROUP BY WITH ROLLUP over several shards");
            }
            let nodes: Vec<Node> = group
                .items
                .iter()
                .filter_map(|item| self.node_of(scope, item))
                .collect();
            if !self.covers_root(&nodes, root) {
                return not("GROUP BY without the vindex columns within a statement over several shards");
            }
        } else if rest.aggregates {
            return not("an aggregate within a statement over several shards");
        }
        if select.options.distinct {
            let nodes: Vec<Node> = columns
                .unwrap_or_default()
                .iter()
                .filter_map(|column| column.origin)
                .collect();
            if !self.covers_root(&nodes, root) {
                return not("DISTINCT without the vindex columns within a statement over several shards");
            }
        }
        Locality::Rooted(root)
    }

    /// Whether equal values of these columns mean the same shard.
    pub(crate) fn covers_root(&self, nodes: &[Node], root: Inst) -> bool {
        self.placements(root).iter().any(|(_, targets)| {
            targets.iter().all(|target| {
                nodes
                    .iter()
                    .any(|node| !self.is_null_supplied(*node) && self.reaches(*node, *target))
            })
        })
    }

    fn windows_within(&self, select: &Select<'_>, root: Inst, scope: &Scope<'_>) -> bool {
        let named = |name: &[u8]| {
            select
                .windows
                .iter()
                .find(|window| window.name.value.eq_ignore_ascii_case(name))
        };
        let partitioned = |spec: &WindowSpec<'_>| {
            let mut nodes: Vec<Node> = spec
                .partition_by
                .iter()
                .filter_map(|expr| self.node_of(scope, expr))
                .collect();
            if let Some(base) = spec.base.as_ref().and_then(|base| named(&base.value)) {
                nodes.extend(
                    base.spec
                        .partition_by
                        .iter()
                        .filter_map(|expr| self.node_of(scope, expr)),
                );
            }
            self.covers_root(&nodes, root)
        };
        let mut check = WindowCheck {
            partitioned: &partitioned,
            named: &named,
            ok: true,
        };
        for item in &select.items {
            if let SelectItem::Expr { expr, .. } = item {
                let _ = check.expr(expr);
            }
        }
        check.ok && select.windows.iter().all(|window| partitioned(&window.spec))
    }

    /// Output columns of a SELECT; None when a star's columns are not known.
    fn outputs(&self, select: &Select<'_>, scope: &Scope<'_>) -> Option<Vec<OutColumn>> {
        let mut columns = Vec::with_capacity(select.items.len());
        for item in &select.items {
            match item {
                SelectItem::Wildcard { table, .. } => {
                    let star = self.star(scope, table.as_ref().map(|table| &*table.name.value))?;
                    columns.extend(star.into_iter().map(|(name, node)| OutColumn {
                        name,
                        origin: Some(node),
                    }));
                }
                SelectItem::Expr { expr, alias, .. } => {
                    let origin = self.node_of(scope, expr).filter(|node| scope.owns(*node));
                    let name = match (alias, &bare(expr).kind) {
                        (Some(alias), _) => alias.value.to_vec(),
                        (None, ExprKind::Column(column)) => column.column.value.to_vec(),
                        (None, _) => expr.span.of(self.slots.text()).to_vec(),
                    };
                    columns.push(OutColumn { name, origin });
                }
            }
        }
        Some(columns)
    }

    /// The columns of `*` or `table.*`; None when they are not known.
    pub(crate) fn star(&self, scope: &Scope<'_>, table: Option<&[u8]>) -> Option<Vec<(Vec<u8>, Node)>> {
        if table.is_none() && !scope.merged.is_empty() {
            return None;
        }
        let mut columns = Vec::new();
        for inst in &scope.instances {
            let alias = &self.instance(*inst)?.alias;
            if table.is_none_or(|table| *alias == *table) {
                columns.extend(self.column_names(*inst)?);
            }
        }
        Some(columns)
    }

    /// A FROM element. `null_supplied`: an outer join around it may fill its columns with NULL.
    pub(crate) fn table<'n, 'a>(
        &mut self,
        table: &'n TableRef<'a>,
        null_supplied: bool,
        scope: &mut Scope<'_>,
        ctes: Option<&Ctes<'n, 'a, '_>>,
        located: &mut Vec<Inst>,
    ) -> Result<Vec<Inst>, PlanError> {
        match table {
            TableRef::Table(table) => Ok(vec![self.named_table(table, null_supplied, scope, ctes)?]),
            TableRef::Paren(paren) => {
                let mut instances = Vec::new();
                for table in &paren.tables {
                    instances.extend(self.table(table, null_supplied, scope, ctes, located)?);
                }
                Ok(instances)
            }
            TableRef::JsonTable(json) => {
                self.subqueries(&json.doc, scope, ctes, located)?;
                let columns = json.columns.iter().map(|column| column.value.to_vec()).collect();
                let alias = json
                    .alias
                    .as_ref()
                    .map(|alias| alias.value.to_vec())
                    .unwrap_or_default();
                let kind = InstanceKind::Local {
                    columns: Some(columns),
                };
                let inst = self.add_instance(Instance {
                    alias,
                    kind,
                    null_supplied,
                })?;
                scope.instances.push(inst);
                Ok(vec![inst])
            }
            TableRef::Derived(derived) => {
                let alias = derived
                    .alias
                    .as_ref()
                    .map(|alias| alias.value.to_vec())
                    .unwrap_or_default();
                let names: Vec<Vec<u8>> = derived
                    .columns
                    .iter()
                    .map(|column| column.value.to_vec())
                    .collect();
                let report = match derived.lateral {
                    true => {
                        let report = self.query(&derived.query, Some(scope), ctes)?;
                        // A lateral table is evaluated for each row to its left, as a subquery is.
                        located.extend(&report.located);
                        BlockReport {
                            whole: Locality::Everywhere,
                            ..report
                        }
                    }
                    false => self.query(&derived.query, scope.parent, ctes)?,
                };
                let inst = self.derived(alias, &names, report, null_supplied)?;
                scope.instances.push(inst);
                Ok(vec![inst])
            }
            TableRef::Join(join) => {
                let (left_null, right_null) = match join.kind {
                    JoinKind::Left | JoinKind::NaturalLeft => (false, true),
                    JoinKind::Right | JoinKind::NaturalRight => (true, false),
                    JoinKind::Full => (true, true),
                    JoinKind::Inner | JoinKind::Straight | JoinKind::Natural => (false, false),
                };
                let left = self.table(&join.left, null_supplied || left_null, scope, ctes, located)?;
                let right = self.table(&join.right, null_supplied || right_null, scope, ctes, located)?;
                // A condition restricts only the sides whose rows it can drop.
                let allowed: Vec<Inst> = match (left_null, right_null) {
                    (false, false) => left.iter().chain(&right).copied().collect(),
                    (false, true) => right.clone(),
                    (true, false) => left.clone(),
                    (true, true) => Vec::new(),
                };
                self.join_condition(join, &allowed, (&left, &right), scope, ctes, located)?;
                Ok(left.into_iter().chain(right).collect())
            }
        }
    }

    fn join_condition<'n, 'a>(
        &mut self,
        join: &'n sql::ast::Join<'a>,
        allowed: &[Inst],
        (left, right): (&[Inst], &[Inst]),
        scope: &mut Scope<'_>,
        ctes: Option<&Ctes<'n, 'a, '_>>,
        located: &mut Vec<Inst>,
    ) -> Result<(), PlanError> {
        let natural = matches!(
            join.kind,
            JoinKind::Natural | JoinKind::NaturalLeft | JoinKind::NaturalRight
        );
        let names: Vec<Vec<u8>> = match &join.condition {
            JoinCondition::On(expr) => {
                // Within ON only the joined tables (and outer blocks) are in scope.
                let instances = left.iter().chain(right).copied().collect();
                let inner = Scope {
                    instances,
                    merged: scope.merged.clone(),
                    parent: scope.parent,
                };
                self.assume(&inner, allowed, expr);
                return self.conditional_subqueries(expr, &inner, allowed, ctes, located);
            }
            JoinCondition::Using(columns) => columns.iter().map(|column| column.value.to_vec()).collect(),
            JoinCondition::None if natural => self.common_columns(left, right)?,
            JoinCondition::None => return Ok(()),
        };
        for name in names {
            let side = |instances: &[Inst]| {
                let mut nodes = instances.iter().filter_map(|inst| self.column_of(*inst, &name));
                let node = nodes.next();
                // A column that was merged before, by another USING.
                node.filter(|_| nodes.next().is_none()).or_else(|| {
                    scope
                        .merged
                        .iter()
                        .find(|(merged, _)| merged.eq_ignore_ascii_case(&name))
                        .map(|(_, node)| *node)
                })
            };
            if let (Some(left_node), Some(right_node)) = (side(left), side(right)) {
                self.add_edges(allowed, left_node, right_node);
                let kept = if matches!(join.kind, JoinKind::Right | JoinKind::NaturalRight) {
                    right_node
                } else {
                    left_node
                };
                scope
                    .merged
                    .retain(|(merged, _)| !merged.eq_ignore_ascii_case(&name));
                scope.merged.push((name, kept));
            }
        }
        Ok(())
    }

    fn common_columns(&self, left: &[Inst], right: &[Inst]) -> Result<Vec<Vec<u8>>, PlanError> {
        let names = |instances: &[Inst]| {
            let columns = instances
                .iter()
                .map(|inst| self.column_names(*inst))
                .collect::<Option<Vec<_>>>();
            columns.map(|columns| {
                columns
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name)
                    .collect::<Vec<_>>()
            })
        };
        let (Some(left), Some(right)) = (names(left), names(right)) else {
            return Err(PlanError::unsupported(
                "NATURAL JOIN with columns that are not known",
            ));
        };
        Ok(left
            .into_iter()
            .filter(|name| right.iter().any(|other| other.eq_ignore_ascii_case(name)))
            .collect())
    }

    fn named_table<'n, 'a>(
        &mut self,
        table: &'n NamedTable<'a>,
        null_supplied: bool,
        scope: &mut Scope<'_>,
        ctes: Option<&Ctes<'n, 'a, '_>>,
    ) -> Result<Inst, PlanError> {
        self.named(&table.name, table.alias.as_ref(), null_supplied, scope, ctes)
    }

    fn named<'n, 'a>(
        &mut self,
        name: &'n sql::ast::ObjectName<'a>,
        alias: Option<&sql::ast::Ident<'a>>,
        null_supplied: bool,
        scope: &mut Scope<'_>,
        ctes: Option<&Ctes<'n, 'a, '_>>,
    ) -> Result<Inst, PlanError> {
        let alias = alias.unwrap_or(&name.name).value.to_vec();
        let cte = if name.schema.is_none() {
            find_cte(ctes, &name.name.value)
        } else {
            None
        };
        let inst = match cte {
            Some((cte, ctes)) => self.cte(cte, ctes, alias, null_supplied)?,
            None => {
                let kind = match find_table(&self.ctx, name)? {
                    Found::Table(keyspace, table) => InstanceKind::Base { keyspace, table },
                    Found::Unknown(_) | Found::System => InstanceKind::Local { columns: None },
                };
                self.add_instance(Instance {
                    alias,
                    kind,
                    null_supplied,
                })?
            }
        };
        scope.instances.push(inst);
        Ok(inst)
    }

    fn cte<'n, 'a>(
        &mut self,
        cte: &'n Cte<'a>,
        ctes: Ctes<'n, 'a, '_>,
        alias: Vec<u8>,
        null_supplied: bool,
    ) -> Result<Inst, PlanError> {
        let names: Vec<Vec<u8>> = cte.columns.iter().map(|column| column.value.to_vec()).collect();
        let recursive = ctes.with.recursive && mentions(&cte.query, &cte.name.value);
        let mut report = match recursive {
            true => self.recursive(&cte.query)?,
            false => self.query(
                &cte.query,
                None,
                Some(&Ctes {
                    depth: ctes.depth + 1,
                    ..ctes
                }),
            )?,
        };
        report.located.clear();
        self.derived(alias, &names, report, null_supplied)
    }

    /// A recursive common table expression: nothing is known of its rows; its sharded tables count as read whole.
    fn recursive(&mut self, query: &Query<'_>) -> Result<BlockReport, PlanError> {
        let mut tables = TableNames { names: Vec::new() };
        let _ = tables.query(query);
        let mut whole = Locality::Everywhere;
        for name in tables.names {
            if let Ok(Found::Table(keyspace, table)) = find_table(&self.ctx, &name)
                && table.is_partitioned()
            {
                let (alias, kind) = (name.name.value.to_vec(), InstanceKind::Base { keyspace, table });
                self.add_instance(Instance {
                    alias,
                    kind,
                    null_supplied: false,
                })?;
                whole = Locality::Not(PlanError::unsupported(
                    "a recursive common table expression over several shards",
                ));
            }
        }
        Ok(BlockReport::of(whole, Vec::new()))
    }

    /// Makes a table of a block's result.
    fn derived(
        &mut self,
        alias: Vec<u8>,
        names: &[Vec<u8>],
        report: BlockReport,
        null_supplied: bool,
    ) -> Result<Inst, PlanError> {
        let mut columns = report.columns;
        if !names.is_empty() {
            columns = match columns {
                Some(known) if known.len() == names.len() => Some(
                    names
                        .iter()
                        .zip(known)
                        .map(|(name, column)| OutColumn {
                            name: name.clone(),
                            ..column
                        })
                        .collect(),
                ),
                _ => Some(
                    names
                        .iter()
                        .map(|name| OutColumn {
                            name: name.clone(),
                            origin: None,
                        })
                        .collect(),
                ),
            };
        }
        let edges: Vec<(u16, Node)> = (0..)
            .zip(columns.iter().flatten())
            .filter_map(|(col, column)| Some((col, column.origin?)))
            .collect();
        let kind = InstanceKind::Derived {
            columns,
            locality: report.whole,
        };
        let inst = self.add_instance(Instance {
            alias,
            kind,
            null_supplied,
        })?;
        for (col, origin) in edges {
            let output = Node { inst, col };
            self.edges.push(super::Edge {
                from: output,
                to: origin,
            });
            if report.transparent {
                self.edges.push(super::Edge {
                    from: origin,
                    to: output,
                });
            }
        }
        Ok(inst)
    }

    fn condition<'n, 'a>(
        &mut self,
        condition: &'n Condition<'a>,
        scope: &Scope<'_>,
        allowed: &[Inst],
        ctes: Option<&Ctes<'n, 'a, '_>>,
        located: &mut Vec<Inst>,
    ) -> Result<(), PlanError> {
        self.assume(scope, allowed, &condition.expr);
        self.conditional_subqueries(&condition.expr, scope, allowed, ctes, located)
    }

    /// The same for the WHERE of UPDATE and DELETE.
    pub(crate) fn where_clause<'n, 'a>(
        &mut self,
        condition: Option<&'n Condition<'a>>,
        scope: &Scope<'_>,
        ctes: Option<&Ctes<'n, 'a, '_>>,
        located: &mut Vec<Inst>,
    ) -> Result<(), PlanError> {
        let allowed = scope.instances.clone();
        match condition {
            Some(condition) => self.condition(condition, scope, &allowed, ctes, located),
            None => Ok(()),
        }
    }

    /// Subqueries of a condition; `column IN (SELECT ..)` among its terms also ties the two.
    fn conditional_subqueries<'n, 'a>(
        &mut self,
        condition: &'n Expr<'a>,
        scope: &Scope<'_>,
        allowed: &[Inst],
        ctes: Option<&Ctes<'n, 'a, '_>>,
        located: &mut Vec<Inst>,
    ) -> Result<(), PlanError> {
        match &bare(condition).kind {
            ExprKind::And(terms) => terms
                .iter()
                .try_for_each(|term| self.conditional_subqueries(term, scope, allowed, ctes, located)),
            ExprKind::InSubquery(test) if !test.negated => {
                self.subqueries(&test.expr, scope, ctes, located)?;
                let report = self.query(&test.query, Some(scope), ctes)?;
                let lefts: Vec<&Expr<'a>> = match &bare(&test.expr).kind {
                    ExprKind::Row(columns) => columns.iter().collect(),
                    _ => vec![&test.expr],
                };
                let columns = report.columns.unwrap_or_default();
                for (left, column) in lefts.into_iter().zip(&columns) {
                    if let (Some(left), Some(right)) = (self.node_of(scope, left), column.origin) {
                        let mut sides = allowed.to_vec();
                        if report.transparent || report.group_nodes.contains(&right) {
                            sides.push(right.inst);
                        }
                        self.add_edges(&sides, left, right);
                    }
                }
                located.extend(report.located);
                Ok(())
            }
            _ => self.subqueries(condition, scope, ctes, located),
        }
    }

    /// Analyses the subqueries of an expression.
    pub(crate) fn subqueries<'n, 'a>(
        &mut self,
        expr: &'n Expr<'a>,
        scope: &Scope<'_>,
        ctes: Option<&Ctes<'n, 'a, '_>>,
        located: &mut Vec<Inst>,
    ) -> Result<(), PlanError> {
        if matches!(
            expr.kind,
            ExprKind::Column(_) | ExprKind::Literal(_) | ExprKind::Param(_)
        ) {
            return Ok(());
        }
        let mut walk = Subqueries {
            analysis: self,
            scope,
            ctes,
            located,
        };
        match walk.expr(expr) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(error),
        }
    }

    /// Instances of a block that lie on shards.
    pub(crate) fn located(&self, scope: &Scope<'_>) -> Vec<Inst> {
        let on_shards = |inst: &Inst| match self.instance(*inst).map(|instance| &instance.kind) {
            Some(InstanceKind::Base { table, .. }) => table.is_partitioned(),
            Some(InstanceKind::Derived { locality, .. }) => !matches!(locality, Locality::Everywhere),
            _ => false,
        };
        scope.instances.iter().copied().filter(on_shards).collect()
    }

    /// Whether all located instances of a block, and of its subqueries, are tied to one root.
    pub(crate) fn tie(&self, scope: &Scope<'_>, subqueries: &[Inst]) -> Locality {
        let own = self.located(scope);
        for inst in own.iter().chain(subqueries) {
            if let Some(InstanceKind::Derived {
                locality: Locality::Not(error),
                ..
            }) = self.instance(*inst).map(|instance| &instance.kind)
            {
                return Locality::Not(error.clone());
            }
        }
        match (own.as_slice(), subqueries) {
            ([], []) => return Locality::Everywhere,
            ([], _) => {
                return Locality::Not(PlanError::unsupported(
                    "a subquery over several shards without a table around it",
                ));
            }
            ([only], []) => {
                let null_supplied = self.instance(*only).is_none_or(|instance| instance.null_supplied);
                return match null_supplied {
                    true => Locality::Not(PlanError::unsupported(
                        "an outer join that keeps rows of a table that is not sharded",
                    )),
                    false => Locality::Rooted(*only),
                };
            }
            _ => {}
        }
        let root = own.iter().find(|root| {
            self.instance(**root)
                .is_some_and(|instance| !instance.null_supplied)
                && own
                    .iter()
                    .chain(subqueries)
                    .all(|inst| inst == *root || self.tied(*inst, **root))
        });
        match root {
            Some(root) => Locality::Rooted(*root),
            None if own.len() > 1 => Locality::Not(PlanError::unsupported(format_args!(
                "a join of {} across shards",
                self.names_of(&own)
            ))),
            None => Locality::Not(PlanError::unsupported(format_args!(
                "a subquery on {} across shards",
                self.names_of(subqueries)
            ))),
        }
    }

    fn names_of(&self, instances: &[Inst]) -> String {
        let names: Vec<String> = instances
            .iter()
            .filter_map(|inst| self.instance(*inst))
            .map(|instance| format!("'{}'", String::from_utf8_lossy(&instance.alias)))
            .collect();
        names.join(" and ").replace('\'', "")
    }
}

fn find_cte<'n, 'a, 'p>(
    ctes: Option<&Ctes<'n, 'a, 'p>>,
    name: &[u8],
) -> Option<(&'n Cte<'a>, Ctes<'n, 'a, 'p>)> {
    let mut next = ctes;
    while let Some(ctes) = next {
        let visible = ctes.with.tables.get(..ctes.visible).unwrap_or_default();
        if let Some(place) = visible.iter().rposition(|cte| *cte.name.value == *name) {
            let cte = visible.get(place)?;
            // A common table expression sees those before it, and (RECURSIVE) itself, which is found by its own rule.
            return Some((
                cte,
                Ctes {
                    visible: place,
                    ..*ctes
                },
            ));
        }
        next = ctes.outer;
    }
    None
}

fn mentions(query: &Query<'_>, name: &[u8]) -> bool {
    let mut tables = TableNames { names: Vec::new() };
    let _ = tables.query(query);
    tables
        .names
        .iter()
        .any(|table| table.schema.is_none() && *table.name.value == *name)
}

struct TableNames<'a> {
    names: Vec<sql::ast::ObjectName<'a>>,
}

impl<'a> Visit<'a> for TableNames<'a> {
    type Break = ();

    fn named_table(&mut self, table: &NamedTable<'a>) -> ControlFlow<()> {
        self.names.push(table.name.clone());
        ControlFlow::Continue(())
    }
}

struct Subqueries<'x, 'c, 's, 'n, 'a, 'p> {
    analysis: &'x mut Analysis<'c, 's>,
    scope: &'x Scope<'p>,
    ctes: Option<&'x Ctes<'n, 'a, 'p>>,
    located: &'x mut Vec<Inst>,
}

impl<'a> Visit<'a> for Subqueries<'_, '_, '_, '_, 'a, '_> {
    type Break = PlanError;

    fn query(&mut self, query: &Query<'a>) -> ControlFlow<PlanError> {
        match self.analysis.query(query, Some(self.scope), self.ctes) {
            Ok(report) => {
                self.located.extend(report.located);
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// What an expression of a block contains, subqueries aside.
#[derive(Default)]
pub(crate) struct Inspect {
    pub(crate) aggregates: bool,
    pub(crate) windows: bool,
    /// Columns outside of subqueries, or subqueries.
    pub(crate) columns: bool,
}

impl Inspect {
    pub(crate) fn look(&mut self, expr: &Expr<'_>) {
        let _ = self.expr(expr);
    }

    fn call(&mut self, call: &Call<'_>) {
        match &call.over {
            Some(_) => self.windows = true,
            None => {
                let name = String::from_utf8_lossy(&call.name.value).to_ascii_lowercase();
                self.aggregates |= call.schema.is_none() && is_aggregate(&name);
            }
        }
    }
}

impl<'a> Visit<'a> for Inspect {
    type Break = ();

    fn query(&mut self, _: &Query<'a>) -> ControlFlow<()> {
        self.columns = true;
        ControlFlow::Continue(())
    }

    fn expr(&mut self, expr: &Expr<'a>) -> ControlFlow<()> {
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::Param(_) => return ControlFlow::Continue(()),
            ExprKind::Column(_) => self.columns = true,
            ExprKind::Call(call) => self.call(call),
            _ => {}
        }
        walk_expr(self, expr)
    }
}

struct WindowCheck<'x, 'n, 'a> {
    partitioned: &'x dyn Fn(&WindowSpec<'_>) -> bool,
    named: &'x dyn Fn(&[u8]) -> Option<&'n sql::ast::NamedWindow<'a>>,
    ok: bool,
}

impl<'a> Visit<'a> for WindowCheck<'_, '_, '_> {
    type Break = ();

    fn query(&mut self, _: &Query<'a>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn expr(&mut self, expr: &Expr<'a>) -> ControlFlow<()> {
        if let ExprKind::Call(call) = &expr.kind
            && let Some(over) = &call.over
        {
            self.ok &= match &over.window {
                OverWindow::Spec(spec) => (self.partitioned)(spec),
                OverWindow::Name(name) => {
                    (self.named)(&name.value).is_some_and(|window| (self.partitioned)(&window.spec))
                }
            };
        }
        walk_expr(self, expr)
    }
}
