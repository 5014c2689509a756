//! Whether the rows of a block lie together on one shard each, and stay so through grouping.

use sql::ast::{GroupModifier, Select, SelectItem, WindowSpec};
use sql::visit::Visit;

use super::inspect::{Inspect, WindowCheck};
use super::query::Locality;
use super::{Analysis, Inst, InstanceKind, Node, OutColumn, Scope};
use crate::error::PlanError;

impl Analysis<'_, '_> {
    /// Whether grouping, DISTINCT and windows of a block stay within the root's shard.
    pub(super) fn after_grouping(
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
        let together = |root: &&Inst| own.iter().all(|inst| inst == *root || self.tied(*inst, **root));
        match root {
            Some(root) => Locality::Rooted(*root),
            None if own.iter().any(|root| together(&root)) && !subqueries.is_empty() => {
                Locality::Not(PlanError::unsupported(format_args!(
                    "a subquery on {} across shards",
                    self.names_of(subqueries)
                )))
            }
            None => Locality::Not(PlanError::unsupported(format_args!(
                "a join of {} across shards",
                self.names_of(&own)
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
