//! Conditions that must hold, taken apart into facts about columns and equalities between them.

use sql::ast::{Binary, BinaryOp, ColumnRef, Expr, ExprKind, InList as InListExpr, UnaryOp};

use super::{Analysis, Edge, Fact, Inst, Node, Scope};
use crate::domain::comparable;
use crate::plan::{InList, KeyBound, Source};
use crate::slots::Slots;

/// The expression inside parentheses.
pub(crate) fn bare<'n, 'a>(expr: &'n Expr<'a>) -> &'n Expr<'a> {
    let mut expr = expr;
    while let ExprKind::Paren(inner) = &expr.kind {
        expr = inner;
    }
    expr
}

/// Where an expression's value comes from, if it is constant during the statement and known before.
pub(crate) fn source_of(slots: &Slots<'_>, expr: &Expr<'_>) -> Option<Source> {
    let expr = bare(expr);
    Some(match &expr.kind {
        ExprKind::Literal(literal) => Source::Slot(slots.scalar(literal.span)?),
        ExprKind::Param(_) => Source::Slot(slots.scalar(expr.span)?),
        ExprKind::Introduced(introduced) => Source::Introduced {
            slot: slots.scalar(introduced.literal.span)?,
            charset: String::from_utf8_lossy(&introduced.charset.value)
                .to_lowercase()
                .into(),
        },
        ExprKind::Null => Source::Null,
        ExprKind::Bool(value) => Source::Int(i64::from(*value)),
        ExprKind::UserVar(name) => {
            Source::UserVar(String::from_utf8_lossy(&name.value).to_lowercase().into())
        }
        ExprKind::Unary(UnaryOp::Plus, inner) => return source_of(slots, inner),
        _ => return None,
    })
}

impl Analysis<'_, '_> {
    /// Records what a condition says about the instances in `allowed`, which only keep rows for which it is true.
    pub(crate) fn assume(&mut self, scope: &Scope<'_>, allowed: &[Inst], condition: &Expr<'_>) {
        match &bare(condition).kind {
            ExprKind::And(terms) => terms.iter().for_each(|term| self.assume(scope, allowed, term)),
            ExprKind::Binary(binary) if binary.op == BinaryOp::Eq => {
                self.assume_equal(scope, allowed, &binary.left, &binary.right);
            }
            ExprKind::Or(terms) => self.assume_alternatives(scope, allowed, terms),
            _ => {
                for (node, fact) in self.single_facts(scope, condition) {
                    self.add_fact(allowed, node, fact);
                }
            }
        }
    }

    fn add_fact(&mut self, allowed: &[Inst], node: Node, fact: Fact) {
        if allowed.contains(&node.inst) {
            self.facts.push((node, fact));
        }
    }

    fn column_node(&self, scope: &Scope<'_>, expr: &Expr<'_>) -> Option<Node> {
        match &bare(expr).kind {
            ExprKind::Column(column) => self.resolve(scope, column),
            _ => None,
        }
    }

    fn assume_equal(&mut self, scope: &Scope<'_>, allowed: &[Inst], left: &Expr<'_>, right: &Expr<'_>) {
        if let (ExprKind::Row(lefts), ExprKind::Row(rights)) = (&bare(left).kind, &bare(right).kind) {
            if lefts.len() == rights.len() {
                for (left, right) in lefts.iter().zip(rights) {
                    self.assume_equal(scope, allowed, left, right);
                }
            }
            return;
        }
        match (self.column_node(scope, left), self.column_node(scope, right)) {
            (Some(left), Some(right)) => self.add_edges(allowed, left, right),
            (Some(node), None) => {
                if let Some(source) = source_of(self.slots, right) {
                    self.add_fact(allowed, node, Fact::Equal(source));
                }
            }
            (None, Some(node)) => {
                if let Some(source) = source_of(self.slots, left) {
                    self.add_fact(allowed, node, Fact::Equal(source));
                }
            }
            (None, None) => {}
        }
    }

    /// Equality of two columns, for those sides that it restricts.
    pub(crate) fn add_edges(&mut self, allowed: &[Inst], left: Node, right: Node) {
        let same = match (self.column(left), self.column(right)) {
            (Some(left), Some(right)) => comparable(left, right),
            _ => false,
        };
        if same {
            for (from, to) in [(left, right), (right, left)] {
                if allowed.contains(&from.inst) {
                    self.edges.push(Edge { from, to });
                }
            }
        }
    }

    /// Facts of a condition that is neither AND nor OR.
    fn single_facts(&self, scope: &Scope<'_>, condition: &Expr<'_>) -> Vec<(Node, Fact)> {
        match &bare(condition).kind {
            ExprKind::Binary(binary) => self.comparison(scope, binary).into_iter().collect(),
            ExprKind::InList(list) if !list.negated => self.in_list(scope, list),
            ExprKind::Between(between) if !between.negated => {
                let Some(node) = self.column_node(scope, &between.expr) else {
                    return Vec::new();
                };
                // The type of one end decides how the other is compared, so neither is left out.
                let bound = |expr| KeyBound {
                    value: source_of(self.slots, expr).unwrap_or(Source::Opaque),
                    inclusive: true,
                };
                vec![(
                    node,
                    Fact::Range {
                        from: Some(bound(&between.low)),
                        to: Some(bound(&between.high)),
                    },
                )]
            }
            _ => Vec::new(),
        }
    }

    fn comparison(&self, scope: &Scope<'_>, binary: &Binary<'_>) -> Option<(Node, Fact)> {
        let (node, value, op) = match self.column_node(scope, &binary.left) {
            Some(node) => (node, source_of(self.slots, &binary.right)?, binary.op),
            None => {
                let mirrored = match binary.op {
                    BinaryOp::Lt => BinaryOp::Gt,
                    BinaryOp::Le => BinaryOp::Ge,
                    BinaryOp::Gt => BinaryOp::Lt,
                    BinaryOp::Ge => BinaryOp::Le,
                    op => op,
                };
                (
                    self.column_node(scope, &binary.right)?,
                    source_of(self.slots, &binary.left)?,
                    mirrored,
                )
            }
        };
        let bound = |inclusive| {
            Some(KeyBound {
                value: value.clone(),
                inclusive,
            })
        };
        let fact = match op {
            BinaryOp::Eq => Fact::Equal(value),
            BinaryOp::Lt => Fact::Range {
                from: None,
                to: bound(false),
            },
            BinaryOp::Le => Fact::Range {
                from: None,
                to: bound(true),
            },
            BinaryOp::Gt => Fact::Range {
                from: bound(false),
                to: None,
            },
            BinaryOp::Ge => Fact::Range {
                from: bound(true),
                to: None,
            },
            _ => return None,
        };
        Some((node, fact))
    }

    fn in_list(&self, scope: &Scope<'_>, list: &InListExpr<'_>) -> Vec<(Node, Fact)> {
        let columns: Vec<(Node, u16)> = match &bare(&list.expr).kind {
            ExprKind::Row(columns) => (0..)
                .zip(columns)
                .filter_map(|(position, column)| Some((self.column_node(scope, column)?, position)))
                .collect(),
            _ => self
                .column_node(scope, &list.expr)
                .map(|node| (node, 0))
                .into_iter()
                .collect(),
        };
        let width = match &bare(&list.expr).kind {
            ExprKind::Row(columns) => columns.len(),
            _ => 1,
        };
        if columns.is_empty() {
            return Vec::new();
        }
        let Some(elements) = self.list_elements(&list.list, width) else {
            return Vec::new();
        };
        columns
            .into_iter()
            .map(|(node, position)| {
                (
                    node,
                    Fact::In {
                        list: elements.clone(),
                        position,
                    },
                )
            })
            .collect()
    }

    fn list_elements(&self, list: &[Expr<'_>], width: usize) -> Option<InList> {
        if let Some(slot) = self.slots.list(list) {
            return Some(InList::Slot {
                slot,
                width: width as u16,
            });
        }
        let mut values = Vec::with_capacity(list.len() * width);
        for element in list {
            match &bare(element).kind {
                ExprKind::Row(parts) if width > 1 => {
                    if parts.len() != width {
                        return None;
                    }
                    values.extend(
                        parts
                            .iter()
                            .map(|part| source_of(self.slots, part).unwrap_or(Source::Opaque)),
                    );
                }
                _ if width == 1 => values.push(source_of(self.slots, element)?),
                _ => return None,
            }
        }
        Some(InList::Items {
            width: width as u16,
            values: values.into_boxed_slice(),
        })
    }

    /// `a = 1 OR a IN (2, 3)`: columns of which each alternative says something.
    fn assume_alternatives(&mut self, scope: &Scope<'_>, allowed: &[Inst], terms: &[Expr<'_>]) {
        let mut alternatives = terms.iter().map(|term| self.term_facts(scope, term));
        let Some(first) = alternatives.next() else { return };
        let mut common: Vec<(Node, Vec<Fact>)> =
            first.into_iter().map(|(node, fact)| (node, vec![fact])).collect();
        for alternative in alternatives {
            common.retain_mut(|(node, facts)| {
                let Some((_, fact)) = alternative.iter().find(|(other, _)| other == node) else {
                    return false;
                };
                facts.push(fact.clone());
                true
            });
        }
        for (node, facts) in common {
            self.add_fact(allowed, node, Fact::OneOf(facts));
        }
    }

    fn term_facts(&self, scope: &Scope<'_>, term: &Expr<'_>) -> Vec<(Node, Fact)> {
        match &bare(term).kind {
            ExprKind::And(terms) => terms
                .iter()
                .flat_map(|term| self.single_facts(scope, term))
                .collect(),
            _ => self.single_facts(scope, term),
        }
    }

    /// The node of a column reference that stands alone.
    pub(crate) fn node_of(&self, scope: &Scope<'_>, expr: &Expr<'_>) -> Option<Node> {
        self.column_node(scope, expr)
    }

    /// The node of a column by its reference.
    pub(crate) fn node_of_ref(&self, scope: &Scope<'_>, column: &ColumnRef<'_>) -> Option<Node> {
        self.resolve(scope, column)
    }
}
