//! Groups whose rows lie on several shards: partial aggregates from the shards, combined in the gateway.

use std::ops::ControlFlow;

use sql::ast::{Call, Expr, ExprKind, Query, Select, SelectItem};
use sql::span::Span;
use sql::visit::{Visit, walk_expr};

use super::Builder;
use super::keys::Merging;
use super::outputs::{KeyKind, Output, position};
use super::read::has_star;
use crate::analyze::{Analysis, Inspect, Locality, Scope, bare};
use crate::error::PlanError;
use crate::plan::{Accumulate, Aggregate, AggregateColumn, Col, Merge, SortKey};

/// The aggregate of a call, lower case, if it is one.
fn aggregate_name(call: &Call<'_>) -> String {
    String::from_utf8_lossy(&call.name.value).to_ascii_lowercase()
}

/// Accumulated columns, found again by the text of their expressions.
pub(crate) struct Groups<'m, 'c, 's> {
    pub(crate) merging: Merging<'m, 'c, 's>,
    columns: Vec<AggregateColumn>,
    /// Group keys with the text they were written as.
    keys: Vec<(Span, SortKey)>,
    /// Aggregates already accumulated: their text, their column, their sort key if they have one.
    known: Vec<(Span, Col, Option<SortKey>)>,
}

impl Groups<'_, '_, '_> {
    fn unsupported(call: &Call<'_>, what: &str) -> PlanError {
        let name = aggregate_name(call).to_ascii_uppercase();
        let span = call.name.span;
        PlanError::unsupported(format_args!("{name}{what} over several shards")).at((span.start, span.end))
    }

    /// Accumulates an aggregate that stands in `column` of each shard's row. The result is its sort key, if it orders.
    fn accumulate(
        &mut self,
        expr: &Expr<'_>,
        call: &Call<'_>,
        column: Option<Col>,
    ) -> Result<Option<SortKey>, PlanError> {
        let text = expr.span.of(self.merging.text);
        if column.is_none()
            && let Some((.., key)) = self
                .known
                .iter()
                .find(|(span, ..)| span.of(self.merging.text) == text)
        {
            return Ok(key.clone());
        }
        let name = aggregate_name(call);
        if call.over.is_some() {
            return Err(Self::unsupported(call, " with a window"));
        }
        let column = match column {
            Some(column) => column,
            None => self.merging.hide("", expr.span, "")?,
        };
        let arguments = call
            .args
            .first()
            .zip(call.args.last())
            .map(|(first, last)| first.span.to(last.span));
        if call.distinct && !matches!(name.as_str(), "min" | "max") && !self.distinct_is_local(call) {
            return Err(Self::unsupported(call, "(DISTINCT)"));
        }
        let mut kind = KeyKind::Plain;
        let how = match (name.as_str(), arguments) {
            ("count", _) => Accumulate::Count,
            ("sum", Some(_)) => Accumulate::Sum,
            ("avg", Some(span)) => {
                let distinct = if call.distinct { "DISTINCT " } else { "" };
                let sum = self.merging.hide(&format!("SUM({distinct}"), span, ")")?;
                let count = self.merging.hide(&format!("COUNT({distinct}"), span, ")")?;
                Accumulate::Average { sum, count }
            }
            ("min" | "max", Some(span)) => {
                kind = call
                    .args
                    .first()
                    .map_or(KeyKind::Weight, |argument| self.merging.kind(argument));
                // MIN and MAX compare ENUM and SET values as strings.
                let by = if kind == KeyKind::Index {
                    KeyKind::Weight
                } else {
                    kind
                };
                let open = format!("{}(", name.to_ascii_uppercase());
                let proxy = self.merging.proxy(by, span, (&open, ")"))?;
                if name == "min" {
                    Accumulate::Min { proxy }
                } else {
                    Accumulate::Max { proxy }
                }
            }
            ("bit_and", Some(_)) => Accumulate::BitAnd,
            ("bit_or", Some(_)) => Accumulate::BitOr,
            ("bit_xor", Some(_)) => Accumulate::BitXor,
            _ => return Err(Self::unsupported(call, "")),
        };
        let proxy = match how {
            Accumulate::Min { proxy } | Accumulate::Max { proxy } => proxy,
            _ => None,
        };
        let key = SortKey {
            value: column,
            proxy,
            descending: false,
        };
        self.columns.push(AggregateColumn { column, how });
        // Ordering by this value is another matter.
        let order = (kind != KeyKind::Index).then_some(key);
        self.known.push((expr.span, column, order.clone()));
        Ok(order)
    }

    /// DISTINCT values that are on one shard each: the partial results add up.
    fn distinct_is_local(&self, call: &Call<'_>) -> bool {
        let analysis = self.merging.analysis;
        let nodes: Vec<_> = call
            .args
            .iter()
            .filter_map(|arg| analysis.node_of(self.merging.scope, arg))
            .collect();
        match analysis.tie(self.merging.scope, &[]) {
            Locality::Rooted(root) => nodes.len() == call.args.len() && analysis.covers_root(&nodes, root),
            _ => false,
        }
    }

    /// A GROUP BY element.
    fn add_key(&mut self, expr: &Expr<'_>) -> Result<(), PlanError> {
        let column_first = matches!(&bare(expr).kind, ExprKind::Column(column)
            if self.merging.analysis.resolve(self.merging.scope, column).is_some());
        let found = self.merging.find_output(expr)?;
        // In GROUP BY a name means a column before it means an alias.
        let found =
            found.filter(|output| !column_first || output.node.is_some() && !self.shadowed(expr, output));
        let key = match found {
            Some(Output {
                column: Some(column),
                span: Some(span),
                kind,
                ..
            }) => {
                let proxy = self.merging.proxy(kind, span, ("ANY_VALUE(", ")"))?;
                SortKey {
                    value: Col::Visible(column),
                    proxy,
                    descending: false,
                }
            }
            _ => {
                if position(expr).is_some() {
                    return Err(PlanError::unsupported(
                        "GROUP BY a position within a star over several shards",
                    ));
                }
                let kind = self.merging.kind(expr);
                let span = bare(expr).span;
                let value = self.merging.hide("ANY_VALUE(", span, ")")?;
                let proxy = self.merging.proxy(kind, span, ("ANY_VALUE(", ")"))?;
                SortKey {
                    value,
                    proxy,
                    descending: false,
                }
            }
        };
        self.keys.push((bare(expr).span, key));
        Ok(())
    }

    /// Whether an alias of the same name hides another column than the one that GROUP BY means.
    fn shadowed(&self, expr: &Expr<'_>, output: &Output) -> bool {
        let node = self.merging.analysis.node_of(self.merging.scope, expr);
        node.is_some() && node != output.node
    }

    /// The key of an ORDER BY element, or an operand of HAVING.
    pub(crate) fn value_of(&mut self, expr: &Expr<'_>) -> Result<SortKey, PlanError> {
        let inner = bare(expr);
        if let ExprKind::Call(call) = &inner.kind {
            let mut inspect = Inspect::default();
            inspect.look(inner);
            if inspect.aggregates && is_aggregate_call(call) {
                let key = self.accumulate(inner, call, None)?;
                return key.ok_or_else(|| KeyKind::EnumExtreme.refused());
            }
        }
        let text = inner.span.of(self.merging.text);
        let node = self.merging.analysis.node_of(self.merging.scope, inner);
        let same_key = |(span, _): &&(Span, SortKey)| {
            span.of(self.merging.text) == text || node.is_some_and(|node| self.span_node(*span) == Some(node))
        };
        if let Some(output) = self.merging.find_output(expr)?
            && let Some(column) = output.column
        {
            let col = Col::Visible(column);
            if let Some((.., key)) = self.known.iter().find(|(_, known, _)| *known == col) {
                return key.clone().ok_or_else(|| KeyKind::EnumExtreme.refused());
            }
            if let Some((_, key)) = self.keys.iter().find(|(_, key)| key.value == col) {
                return Ok(key.clone());
            }
            let span = output
                .span
                .ok_or_else(|| PlanError::unsupported("a key within a star over several shards"))?;
            let kind = output.kind;
            let proxy = self.merging.proxy(kind, span, ("ANY_VALUE(", ")"))?;
            return Ok(SortKey {
                value: col,
                proxy,
                descending: false,
            });
        }
        if let Some((_, key)) = self.keys.iter().find(same_key) {
            return Ok(key.clone());
        }
        let mut inspect = Inspect::default();
        inspect.look(inner);
        if inspect.aggregates || inspect.windows {
            let span = inner.span;
            return Err(
                PlanError::unsupported("an expression of aggregates over several shards")
                    .at((span.start, span.end)),
            );
        }
        let kind = self.merging.kind(inner);
        let value = self.merging.hide("ANY_VALUE(", inner.span, ")")?;
        let proxy = self.merging.proxy(kind, inner.span, ("ANY_VALUE(", ")"))?;
        Ok(SortKey {
            value,
            proxy,
            descending: false,
        })
    }

    /// Whether a condition depends on the group's keys alone: no aggregate, and no alias of one.
    pub(crate) fn is_of_keys(&self, term: &Expr<'_>) -> bool {
        let mut inspect = Inspect::default();
        inspect.look(term);
        let mut names = Names {
            outputs: &self.merging.outputs,
            aggregates: false,
        };
        let _ = names.expr(term);
        !self.keys.is_empty() && !inspect.aggregates && !inspect.windows && !names.aggregates
    }

    /// Whether a name is both a column and the alias of something else: HAVING prefers the one that is grouped by.
    pub(crate) fn is_ambiguous(&self, expr: &Expr<'_>) -> bool {
        let ExprKind::Column(column) = &bare(expr).kind else {
            return false;
        };
        let node = self.merging.analysis.resolve(self.merging.scope, column);
        let other = |output: &Output| {
            output.aliased && output.node != node && output.name.eq_ignore_ascii_case(&column.column.value)
        };
        column.table.is_none() && node.is_some() && self.merging.outputs.iter().any(other)
    }

    fn span_node(&self, span: Span) -> Option<crate::analyze::Node> {
        self.merging
            .outputs
            .iter()
            .find(|output| output.span == Some(span))
            .and_then(|output| output.node)
    }
}

/// Looks for aliases of aggregates.
struct Names<'o> {
    outputs: &'o [Output],
    aggregates: bool,
}

impl<'a> Visit<'a> for Names<'_> {
    type Break = ();

    fn expr(&mut self, expr: &Expr<'a>) -> ControlFlow<()> {
        if let ExprKind::Column(column) = &expr.kind {
            self.aggregates |= self
                .outputs
                .iter()
                .any(|output| output.aggregates && output.name.eq_ignore_ascii_case(&column.column.value));
        }
        walk_expr(self, expr)
    }
}

fn is_aggregate_call(call: &Call<'_>) -> bool {
    call.over.is_none() && call.schema.is_none() && crate::builtin::is_aggregate(&aggregate_name(call))
}

impl Builder<'_, '_> {
    /// Partial aggregates from the shards.
    pub(crate) fn merge_groups(
        &mut self,
        query: &Query<'_>,
        select: &Select<'_>,
        analysis: &Analysis<'_, '_>,
        scope: &Scope<'_>,
    ) -> Result<Merge, PlanError> {
        if let Some(group) = &select.group_by
            && group.modifier != sql::ast::GroupModifier::None
        {
            return Err(PlanError::unsupported("GROUP BY WITH ROLLUP over several shards"));
        }
        if select.options.distinct {
            return Err(PlanError::unsupported(
                "SELECT DISTINCT of groups over several shards",
            ));
        }
        if has_star(select) {
            return Err(PlanError::unsupported(
                "a star beside aggregates over several shards",
            ));
        }
        let merging = Merging::new(analysis, scope, select, self.edits(), true);
        let mut groups = Groups {
            merging,
            columns: Vec::new(),
            keys: Vec::new(),
            known: Vec::new(),
        };
        for item in select.group_by.iter().flat_map(|group| &group.items) {
            groups.add_key(item)?;
        }
        for (column, item) in (0..).zip(&select.items) {
            let SelectItem::Expr { expr, .. } = item else {
                continue;
            };
            group_item(&mut groups, expr, Col::Visible(column), select.group_by.is_some())?;
        }
        let mut order = Vec::new();
        for item in query.order_by.iter().flat_map(|order| &order.items) {
            let key = groups.value_of(&item.expr)?;
            order.push(SortKey {
                descending: item.descending,
                ..key
            });
        }
        let having = match &select.having {
            Some(condition) => self.split_having(condition, &mut groups)?,
            None => None,
        };
        let limit = self.limit(query.limit.as_ref())?;
        let clauses = query
            .order_by
            .iter()
            .map(|order| order.span)
            .chain(query.limit.iter().map(|limit| limit.span));
        for span in clauses {
            groups.merging.edits.put(span, Vec::new());
        }
        self.exact.push(select.items_span);
        self.exact.extend(select.group_by.iter().map(|group| group.span));
        self.exact.extend(query.order_by.iter().map(|order| order.span));
        let Groups {
            mut merging,
            columns,
            keys,
            ..
        } = groups;
        let hidden = merging.hidden();
        merging.append_hidden(select.items_span.end);
        Ok(Merge {
            query: merging.edits.build(self.slots)?,
            hidden,
            aggregate: Some(Aggregate {
                keys: keys.into_iter().map(|(_, key)| key).collect(),
                columns: columns.into_boxed_slice(),
            }),
            having,
            distinct: None,
            order: order.into_boxed_slice(),
            limit,
        })
    }
}

/// An element of the select list: an aggregate, or something that the group determines.
fn group_item(
    groups: &mut Groups<'_, '_, '_>,
    expr: &Expr<'_>,
    column: Col,
    grouped: bool,
) -> Result<(), PlanError> {
    let inner = bare(expr);
    let mut inspect = Inspect::default();
    inspect.look(inner);
    let at = |error: PlanError| error.at((expr.span.start, expr.span.end));
    if let ExprKind::Call(call) = &inner.kind
        && is_aggregate_call(call)
    {
        return groups.accumulate(inner, call, Some(column)).map(drop);
    }
    if inspect.aggregates {
        return Err(at(PlanError::unsupported(
            "an expression of aggregates over several shards",
        )));
    }
    // Without GROUP BY a shard without rows answers NULL for a column.
    if !grouped && inspect.columns {
        return Err(at(PlanError::unsupported(
            "a column beside aggregates without GROUP BY over several shards",
        )));
    }
    Ok(())
}
