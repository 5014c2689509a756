//! What equalities and facts together say: routings of tables, and ties between them.

use smallvec::SmallVec;

use vschema::keyspace::Placement;
use vschema::vindex::Coverage;

use super::{Analysis, Fact, Inst, InstanceKind, Node};
use crate::catalog::TableVindex;
use crate::plan::{InList, Routing, RoutingColumn, Source};

/// The routing of a table and how good it is.
#[derive(Debug, Clone)]
pub(crate) struct BestRouting {
    pub(crate) routing: Routing,
    /// Lower is better: 0 one keyspace id, 1 a list, 2 a range, 3 all shards.
    pub(crate) rank: u8,
}

impl Analysis<'_, '_> {
    /// All columns whose values a column shares, itself first.
    pub(crate) fn reachable(&self, node: Node) -> SmallVec<[Node; 8]> {
        let mut seen: SmallVec<[Node; 8]> = SmallVec::from_slice(&[node]);
        let mut next = 0;
        while let Some(node) = seen.get(next).copied() {
            for edge in self.edges.iter().filter(|edge| edge.from == node) {
                if !seen.contains(&edge.to) {
                    seen.push(edge.to);
                }
            }
            next += 1;
        }
        seen
    }

    /// Whether every row of `from` that matters has the value of `to`.
    pub(crate) fn reaches(&self, from: Node, to: Node) -> bool {
        from == to || self.reachable(from).contains(&to)
    }

    fn facts_of(&self, node: Node) -> SmallVec<[&Fact; 4]> {
        let nodes = self.reachable(node);
        self.facts
            .iter()
            .filter(|(of, _)| nodes.contains(of))
            .map(|(_, fact)| fact)
            .collect()
    }

    /// The best routing of a sharded table.
    pub(crate) fn route_instance(&self, inst: Inst) -> BestRouting {
        let everywhere = BestRouting {
            routing: Routing::AllShards,
            rank: 3,
        };
        let Some(InstanceKind::Base { table, .. }) = self.instance(inst).map(|instance| &instance.kind)
        else {
            return everywhere;
        };
        if let (Placement::Pinned(id), Some(keyspace)) =
            (&table.placement, self.ctx.catalog.keyspace(self.keyspace))
        {
            return BestRouting {
                routing: Routing::Target(keyspace.shard_of(id)),
                rank: 0,
            };
        }
        let routings = table
            .vindexes
            .iter()
            .filter_map(|vindex| self.route_vindex(inst, vindex));
        routings.min_by_key(|best| best.rank).unwrap_or(everywhere)
    }

    fn route_vindex(&self, inst: Inst, vindex: &TableVindex) -> Option<BestRouting> {
        let ordinals = vindex.ordinals.as_ref()?;
        let columns: SmallVec<[(&RoutingColumn, SmallVec<[&Fact; 4]>); 2]> = vindex
            .columns
            .iter()
            .zip(ordinals)
            .map(|(column, col)| (column, self.facts_of(Node { inst, col: *col })))
            .collect();
        let equal = |(column, facts): &(&RoutingColumn, SmallVec<[&Fact; 4]>)| {
            let source = facts.iter().find_map(|fact| match fact {
                Fact::Equal(source) => Some(source.clone()),
                _ => None,
            })?;
            Some(((*column).clone(), source))
        };
        let leading: Vec<(RoutingColumn, Source)> = columns.iter().map_while(equal).collect();
        if leading.len() == columns.len() {
            let routing = Routing::Equal {
                vindex: vindex.vindex,
                columns: leading.into_boxed_slice(),
            };
            return Some(BestRouting { routing, rank: 0 });
        }
        if let Some(routing) = route_list(vindex, &columns) {
            return Some(BestRouting { routing, rank: 1 });
        }
        let function = self.ctx.catalog.keyspace(self.keyspace)?.vindex(vindex.vindex)?;
        if !leading.is_empty() && function.maps_prefixes() {
            let routing = Routing::Equal {
                vindex: vindex.vindex,
                columns: leading.into_boxed_slice(),
            };
            return Some(BestRouting { routing, rank: 2 });
        }
        match columns.as_slice() {
            [(column, facts)] => route_single(vindex.vindex, column, facts, function.is_ordered()),
            _ => None,
        }
    }

    /// Whether each row of `inst` that matters lies on the shard of the row of `root` that it is combined with.
    pub(crate) fn tied(&self, inst: Inst, root: Inst) -> bool {
        let roots = self.placements(root);
        self.placements(inst).iter().any(|(vindex, nodes)| {
            roots.iter().any(|(other, targets)| {
                vindex == other
                    && nodes
                        .iter()
                        .zip(targets)
                        .all(|(node, target)| self.reaches(*node, *target))
            })
        })
    }

    /// The vindexes that place an instance's rows, with their columns.
    pub(crate) fn placements(&self, inst: Inst) -> SmallVec<[(u16, SmallVec<[Node; 2]>); 2]> {
        match self.instance(inst).map(|instance| &instance.kind) {
            Some(InstanceKind::Base { table, .. }) => {
                // Only the primary vindex places rows.
                let primary = table.vindexes.first().into_iter().filter(|vindex| {
                    vindex
                        .columns
                        .iter()
                        .all(|column| column.coverage == Coverage::All)
                });
                primary
                    .filter_map(|vindex| {
                        let nodes = vindex
                            .ordinals
                            .as_ref()?
                            .iter()
                            .map(|col| Node { inst, col: *col })
                            .collect();
                        Some((vindex.vindex, nodes))
                    })
                    .collect()
            }
            Some(InstanceKind::Derived {
                columns: Some(columns),
                locality: super::Locality::Rooted(root),
            }) => {
                let outputs = |target: &Node| {
                    let place = columns.iter().position(|column| {
                        column.origin.is_some_and(|origin| {
                            self.reaches(origin, *target) && !self.is_null_supplied(origin)
                        })
                    })?;
                    Some(Node {
                        inst,
                        col: place as u16,
                    })
                };
                self.placements(*root)
                    .into_iter()
                    .filter_map(|(vindex, nodes)| {
                        Some((vindex, nodes.iter().map(outputs).collect::<Option<_>>()?))
                    })
                    .collect()
            }
            _ => SmallVec::new(),
        }
    }

    /// Whether an outer join, here or within a derived table, may fill the column with NULL.
    pub(crate) fn is_null_supplied(&self, node: Node) -> bool {
        let mut node = node;
        for _ in 0..=self.instances.len() {
            let Some(instance) = self.instance(node.inst) else {
                return true;
            };
            if instance.null_supplied {
                return true;
            }
            let InstanceKind::Derived { columns, .. } = &instance.kind else {
                return false;
            };
            let column = columns
                .as_ref()
                .and_then(|columns| columns.get(usize::from(node.col)));
            match column.and_then(|column| column.origin) {
                Some(origin) => node = origin,
                None => return true,
            }
        }
        true
    }
}

/// All columns come from one list of tuples.
fn route_list(vindex: &TableVindex, columns: &[(&RoutingColumn, SmallVec<[&Fact; 4]>)]) -> Option<Routing> {
    let lists = |facts: &SmallVec<[&Fact; 4]>| -> SmallVec<[(InList, u16); 2]> {
        let list = |fact: &&Fact| match fact {
            Fact::In { list, position } => Some((list.clone(), *position)),
            _ => None,
        };
        facts.iter().filter_map(list).collect()
    };
    let (_, first) = columns.first()?;
    for (list, _) in lists(first) {
        let positions: Option<Box<[(RoutingColumn, u16)]>> = columns
            .iter()
            .map(|(column, facts)| {
                let (_, position) = lists(facts).into_iter().find(|(other, _)| *other == list)?;
                Some(((*column).clone(), position))
            })
            .collect();
        if let Some(columns) = positions {
            return Some(Routing::In {
                vindex: vindex.vindex,
                columns,
                list,
            });
        }
    }
    None
}

fn route_single(vindex: u16, column: &RoutingColumn, facts: &[&Fact], ordered: bool) -> Option<BestRouting> {
    let alternatives = facts.iter().find_map(|fact| match fact {
        Fact::OneOf(facts) => route_alternatives(vindex, column, facts),
        _ => None,
    });
    if let Some(routing) = alternatives {
        return Some(BestRouting { routing, rank: 1 });
    }
    if !ordered || !column.ordered {
        return None;
    }
    let (mut lower, mut upper) = (None, None);
    for fact in facts {
        if let Fact::Range { from, to } = fact {
            lower = lower.or_else(|| from.clone());
            upper = upper.or_else(|| to.clone());
        }
    }
    if lower.is_none() && upper.is_none() {
        return None;
    }
    let routing = Routing::Range {
        vindex,
        column: column.clone(),
        from: lower,
        to: upper,
    };
    Some(BestRouting { routing, rank: 2 })
}

fn route_alternatives(vindex: u16, column: &RoutingColumn, facts: &[Fact]) -> Option<Routing> {
    let one = |fact: &Fact| match fact {
        Fact::Equal(source) => Some(Routing::Equal {
            vindex,
            columns: Box::new([(column.clone(), source.clone())]),
        }),
        Fact::In { list, position } => Some(Routing::In {
            vindex,
            columns: Box::new([(column.clone(), *position)]),
            list: list.clone(),
        }),
        Fact::Range { .. } => None,
        Fact::OneOf(facts) => route_alternatives(vindex, column, facts),
    };
    Some(Routing::Any(facts.iter().map(one).collect::<Option<Box<[_]>>>()?))
}
