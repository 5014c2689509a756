//! Walks query blocks: scopes, conditions, and whether each block's result is the union of the shards' results.

use sql::ast::{
    ExprKind, GroupModifier, OrderBy, Query, Select, SelectItem, SetExpr, SetOperation, SetOperator, With,
};

use super::facts::bare;
use super::inspect::Inspect;
use super::{Analysis, Inst, Node, OutColumn, Scope};
use crate::error::PlanError;

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
    pub(super) fn of(whole: Locality, located: Vec<Inst>) -> Self {
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
    pub(super) with: &'n With<'a>,
    /// How many of them are visible.
    pub(super) visible: usize,
    pub(super) outer: Option<&'p Ctes<'n, 'a, 'p>>,
    /// Names that hide outer ones, too.
    pub(super) depth: u32,
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

impl Analysis<'_, '_> {
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
}
