//! FROM: tables, joins, derived tables and common table expressions.

use std::ops::ControlFlow;

use sql::ast::{Cte, JoinCondition, JoinKind, NamedTable, Query, TableRef};
use sql::visit::Visit;

use super::query::{BlockReport, Ctes, Locality};
use super::{Analysis, Inst, Instance, InstanceKind, Node, OutColumn, Scope};
use crate::error::PlanError;
use crate::survey::{Found, find_table};

impl Analysis<'_, '_> {
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

    pub(super) fn named<'n, 'a>(
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
