//! Sort and group keys: which column of a shard's row holds them, and what stands in where values do not order as text.

use sql::ast::{Expr, ExprKind, OrderItem, Query, Select};
use sql::span::Span;

use super::Builder;
use super::edits::{Edits, Part, quoted};
use super::outputs::{KeyKind, Output, expr_kind, outputs, position};
use super::read::push_limit;
use crate::analyze::{Analysis, Inspect, Scope, bare};
use crate::error::PlanError;
use crate::plan::{Col, Merge, Proxy, SortKey};

/// Builds the shards' text and the keys of a merge.
pub(crate) struct Merging<'m, 'c, 's> {
    pub(crate) analysis: &'m Analysis<'c, 's>,
    pub(crate) scope: &'m Scope<'m>,
    pub(crate) text: &'s [u8],
    pub(crate) outputs: Vec<Output>,
    pub(crate) edits: Edits,
    /// Hidden columns, as text.
    hidden: Vec<Vec<Part>>,
    /// Expressions outside of aggregates need ANY_VALUE around them, or MySQL may not see that groups determine them.
    pub(crate) grouped: bool,
}

impl<'m, 'c, 's> Merging<'m, 'c, 's> {
    pub(crate) fn new(
        analysis: &'m Analysis<'c, 's>,
        scope: &'m Scope<'m>,
        select: &Select<'_>,
        edits: Edits,
        grouped: bool,
    ) -> Self {
        let text = analysis.slots.text();
        let outputs = outputs(analysis, scope, select, text);
        Self {
            analysis,
            scope,
            text,
            outputs,
            edits,
            hidden: Vec::new(),
            grouped,
        }
    }

    /// The output that an expression of ORDER BY (or GROUP BY) means.
    pub(crate) fn find_output(&self, expr: &Expr<'_>) -> Result<Option<Output>, PlanError> {
        if let Some(position) = position(expr) {
            let found = self
                .outputs
                .iter()
                .find(|output| output.column.is_some_and(|column| column + 1 == position));
            return match found {
                Some(output) => Ok(Some(output.clone())),
                None => Err(PlanError::unsupported(
                    "this position in ORDER BY or GROUP BY over several shards",
                )),
            };
        }
        let expr = bare(expr);
        let known = |output: &&Output| output.column.is_some();
        if let ExprKind::Column(column) = &expr.kind {
            let named =
                |output: &&Output| output.aliased && output.name.eq_ignore_ascii_case(&column.column.value);
            if column.table.is_none()
                && let Some(output) = self.outputs.iter().filter(known).find(named)
            {
                return Ok(Some(output.clone()));
            }
            if let Some(node) = self.analysis.resolve(self.scope, column) {
                return Ok(self
                    .outputs
                    .iter()
                    .filter(known)
                    .find(|output| output.node == Some(node))
                    .cloned());
            }
            return Ok(None);
        }
        let text = expr.span.of(self.text);
        let same = |output: &&Output| output.span.is_some_and(|span| span.of(self.text) == text);
        Ok(self.outputs.iter().filter(known).find(same).cloned())
    }

    /// A hidden column: `before`, a copy of a part of the text, `after`.
    pub(crate) fn hide(&mut self, before: &str, span: Span, after: &str) -> Result<Col, PlanError> {
        if self.edits.touches(span) {
            return Err(PlanError::unsupported(
                "a session function in a key or aggregate over several shards",
            ));
        }
        let text = |text: &str| Part::Text(text.as_bytes().to_vec());
        Ok(self.hide_parts(vec![text(before), Part::Copy(span), text(after)]))
    }

    fn hide_parts(&mut self, parts: Vec<Part>) -> Col {
        let place = self
            .hidden
            .iter()
            .position(|known| *known == parts)
            .unwrap_or_else(|| {
                self.hidden.push(parts);
                self.hidden.len() - 1
            });
        Col::Hidden(place as u16)
    }

    pub(crate) fn hidden(&self) -> u16 {
        self.hidden.len() as u16
    }

    /// How an expression's values compare.
    pub(crate) fn kind(&self, expr: &Expr<'_>) -> KeyKind {
        expr_kind(self.analysis, self.scope, expr)
    }

    /// The stand-in for a value, where it needs one. `inner`: the text to copy, wrapped by `wrap`.
    pub(crate) fn proxy(
        &mut self,
        kind: KeyKind,
        span: Span,
        wrap: (&str, &str),
    ) -> Result<Option<Proxy>, PlanError> {
        let (open, close) = wrap;
        Ok(match kind {
            KeyKind::Plain => None,
            KeyKind::Weight => Some(Proxy::Weight(self.hide(
                &format!("WEIGHT_STRING({open}"),
                span,
                &format!("{close})"),
            )?)),
            KeyKind::Float => Some(Proxy::Number(self.hide(
                &format!("CAST({open}"),
                span,
                &format!("{close} AS DOUBLE)"),
            )?)),
            KeyKind::Timestamp => Some(Proxy::Number(self.hide(
                &format!("UNIX_TIMESTAMP({open}"),
                span,
                &format!("{close})"),
            )?)),
            KeyKind::Index => Some(Proxy::Number(self.hide(
                &format!("{open}("),
                span,
                &format!(")+0{close}"),
            )?)),
            KeyKind::Json | KeyKind::EnumExtreme => return Err(kind.refused()),
        })
    }

    /// What goes around an expression that is evaluated per group.
    pub(crate) fn wrap(&self, aggregates: bool) -> (&'static str, &'static str) {
        if self.grouped && !aggregates {
            ("ANY_VALUE(", ")")
        } else {
            ("", "")
        }
    }

    /// The key of an ORDER BY element outside of merged groups. `visible_only`: the value must be an output.
    pub(crate) fn order_key(
        &mut self,
        item: &OrderItem<'_>,
        visible_only: bool,
    ) -> Result<SortKey, PlanError> {
        let output = self.find_output(&item.expr)?;
        let mut inspect = Inspect::default();
        inspect.look(&item.expr);
        if let Some(Output {
            column: Some(column),
            span,
            kind,
            aggregates,
            ..
        }) = output
        {
            let source = match span {
                Some(span) => span,
                // A column of a star: ORDER BY names it.
                None if position(&item.expr).is_none() => bare(&item.expr).span,
                None => return self.star_key(column, kind, item.descending),
            };
            let wrap = self.wrap(aggregates || inspect.aggregates);
            let proxy = self.proxy(kind, source, wrap)?;
            return Ok(SortKey {
                value: Col::Visible(column),
                proxy,
                descending: item.descending,
            });
        }
        if visible_only {
            return Err(PlanError::unsupported(
                "ORDER BY of what SELECT DISTINCT leaves out over several shards",
            ));
        }
        let kind = self.kind(&item.expr);
        let span = bare(&item.expr).span;
        let (open, close) = self.wrap(inspect.aggregates || inspect.windows);
        let value = self.hide(open, span, close)?;
        let proxy = self.proxy(kind, span, (open, close))?;
        Ok(SortKey {
            value,
            proxy,
            descending: item.descending,
        })
    }

    /// ORDER BY the n-th column of a star.
    fn star_key(&mut self, column: u16, kind: KeyKind, descending: bool) -> Result<SortKey, PlanError> {
        let proxy = self.star_proxy(column, kind)?;
        Ok(SortKey {
            value: Col::Visible(column),
            proxy,
            descending,
        })
    }

    /// The stand-in for a column that a star brings.
    fn star_proxy(&mut self, column: u16, kind: KeyKind) -> Result<Option<Proxy>, PlanError> {
        let unknown = || PlanError::unsupported("a key within a star over several shards");
        let node = self
            .outputs
            .iter()
            .find(|output| output.column == Some(column))
            .and_then(|output| output.node)
            .ok_or_else(unknown)?;
        let instance = self.analysis.instance(node.inst).ok_or_else(unknown)?;
        let name = self
            .outputs
            .iter()
            .find(|output| output.column == Some(column))
            .map(|output| output.name.clone());
        let mut text = quoted(&instance.alias);
        text.push(b'.');
        text.extend(quoted(&name.unwrap_or_default()));
        let around = |open: &str, close: &str| {
            let mut parts = open.as_bytes().to_vec();
            parts.extend_from_slice(&text);
            parts.extend_from_slice(close.as_bytes());
            vec![Part::Text(parts)]
        };
        Ok(match kind {
            KeyKind::Plain => None,
            KeyKind::Weight => Some(Proxy::Weight(self.hide_parts(around("WEIGHT_STRING(", ")")))),
            KeyKind::Float => Some(Proxy::Number(self.hide_parts(around("CAST(", " AS DOUBLE)")))),
            KeyKind::Timestamp => Some(Proxy::Number(self.hide_parts(around("UNIX_TIMESTAMP(", ")")))),
            KeyKind::Index => Some(Proxy::Number(self.hide_parts(around("", "+0")))),
            KeyKind::Json | KeyKind::EnumExtreme => return Err(kind.refused()),
        })
    }

    /// Keys of all output columns, for DISTINCT.
    fn distinct_keys(&mut self) -> Result<Box<[SortKey]>, PlanError> {
        let mut keys = Vec::with_capacity(self.outputs.len());
        for output in self.outputs.clone() {
            let column = output.column.ok_or_else(|| {
                PlanError::unsupported("SELECT DISTINCT with a star of unknown columns over several shards")
            })?;
            let kind = output.kind;
            let proxy = match output.span {
                Some(span) => self.proxy(kind, span, ("", ""))?,
                None => self.star_proxy(column, kind)?,
            };
            keys.push(SortKey {
                value: Col::Visible(column),
                proxy,
                descending: false,
            });
        }
        Ok(keys.into_boxed_slice())
    }

    /// Adds the hidden columns to the text.
    pub(crate) fn append_hidden(&mut self, at: u32) {
        for parts in std::mem::take(&mut self.hidden) {
            let mut all = vec![Part::Text(b", ".to_vec())];
            all.extend(parts);
            self.edits.put(Span::empty(at), all);
        }
    }
}

impl Builder<'_, '_> {
    /// A merge of rows: order, DISTINCT, LIMIT. `grouped`: the shards group, each group being on one shard.
    pub(crate) fn merge_rows(
        &mut self,
        query: &Query<'_>,
        select: &Select<'_>,
        analysis: &Analysis<'_, '_>,
        scope: &Scope<'_>,
        distinct: bool,
        grouped: bool,
    ) -> Result<Merge, PlanError> {
        let mut merging = Merging::new(analysis, scope, select, self.edits(), grouped);
        let order_by = query.order_by.as_ref();
        let mut order = Vec::new();
        for item in order_by.iter().flat_map(|order| &order.items) {
            order.push(merging.order_key(item, select.options.distinct)?);
        }
        let distinct = if distinct {
            Some(merging.distinct_keys()?)
        } else {
            None
        };
        if !order.is_empty() || distinct.is_some() {
            self.exact.push(select.items_span);
            self.exact.extend(order_by.map(|order| order.span));
        }
        let limit = self.limit(query.limit.as_ref())?;
        if let (Some(limit), Some(clause)) = (&limit, &query.limit) {
            push_limit(&mut merging.edits, clause.span, limit);
        }
        let hidden = merging.hidden();
        merging.append_hidden(select.items_span.end);
        Ok(Merge {
            query: merging.edits.build(self.slots)?,
            hidden,
            aggregate: None,
            having: None,
            distinct,
            order: order.into_boxed_slice(),
            limit,
        })
    }
}
