//! The columns of a result, and how their values compare.

use sql::ast::{BinaryOp, Call, CastKind, Expr, ExprKind, LiteralKind, Select, SelectItem, UnaryOp};
use sql::span::Span;
use vschema::table::{ColumnType, TypeClass};

use crate::analyze::{Analysis, Inspect, Node, OutColumn, Scope, bare};
use crate::error::PlanError;

/// An element of the result, and what it is made of.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    /// Its place in the row; None after a star of unknown width.
    pub(crate) column: Option<u16>,
    /// The expression's place in the text; None for a column of a star.
    pub(crate) span: Option<Span>,
    /// The alias, or the column's own name.
    pub(crate) name: Vec<u8>,
    pub(crate) aliased: bool,
    /// The column that it passes on.
    pub(crate) node: Option<Node>,
    /// How its values compare.
    pub(crate) kind: KeyKind,
    /// Its expression has aggregates or window functions.
    pub(crate) aggregates: bool,
}

/// How values of an expression compare in the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// By the column definition: numbers, dates, bytes.
    Plain,
    /// By WEIGHT_STRING if it is a string.
    Weight,
    /// FLOAT: as DOUBLE.
    Float,
    /// TIMESTAMP: in UTC.
    Timestamp,
    /// ENUM and SET: by number.
    Index,
    /// JSON: not in the gateway.
    Json,
    /// MIN or MAX of ENUM or SET: a string that MySQL orders by the number of the value.
    EnumExtreme,
}

impl KeyKind {
    /// The error for kinds that do not compare in the gateway.
    pub(crate) fn refused(self) -> PlanError {
        match self {
            Self::EnumExtreme => {
                PlanError::unsupported("ordering by MIN or MAX of an ENUM or SET over several shards")
            }
            _ => PlanError::unsupported("ordering or grouping by JSON over several shards"),
        }
    }
}

/// The number of a position in ORDER BY or GROUP BY.
pub(crate) fn position(expr: &Expr<'_>) -> Option<u16> {
    match &expr.kind {
        ExprKind::Literal(literal) if literal.kind == LiteralKind::Integer => {
            std::str::from_utf8(literal.raw).ok()?.parse().ok()
        }
        _ => None,
    }
}

/// The output column that an unqualified name means.
pub(crate) fn named_output(expr: &Expr<'_>, columns: &[OutColumn]) -> Option<u16> {
    let ExprKind::Column(column) = &bare(expr).kind else {
        return None;
    };
    if column.table.is_some() {
        return None;
    }
    let place = columns
        .iter()
        .position(|output| output.name.eq_ignore_ascii_case(&column.column.value))?;
    u16::try_from(place).ok()
}

/// The outputs of a SELECT.
pub(crate) fn outputs(
    analysis: &Analysis<'_, '_>,
    scope: &Scope<'_>,
    select: &Select<'_>,
    text: &[u8],
) -> Vec<Output> {
    let mut outputs = Vec::with_capacity(select.items.len());
    let mut next = Some(0u16);
    for item in &select.items {
        match item {
            SelectItem::Wildcard { table, .. } => {
                let table = table.as_ref().map(|table| &*table.name.value);
                match analysis.star(scope, table) {
                    Some(columns) => {
                        for (name, node) in columns {
                            outputs.push(Output {
                                column: next,
                                span: None,
                                name,
                                aliased: false,
                                node: Some(node),
                                kind: node_kind(analysis, node),
                                aggregates: false,
                            });
                            next = next.and_then(|column| column.checked_add(1));
                        }
                    }
                    None => {
                        next = None;
                        outputs.push(Output {
                            column: None,
                            span: None,
                            name: Vec::new(),
                            aliased: false,
                            node: None,
                            kind: KeyKind::Weight,
                            aggregates: false,
                        });
                    }
                }
            }
            SelectItem::Expr { expr, alias, .. } => {
                let mut inspect = Inspect::default();
                inspect.look(expr);
                let (name, node) = match &bare(expr).kind {
                    ExprKind::Column(column) => (
                        column.column.value.to_vec(),
                        analysis.resolve(scope, column).filter(|node| scope.owns(*node)),
                    ),
                    _ => (expr.span.of(text).to_vec(), None),
                };
                let name = alias.as_ref().map_or(name, |alias| alias.value.to_vec());
                outputs.push(Output {
                    column: next,
                    span: Some(expr.span),
                    name,
                    aliased: alias.is_some(),
                    node,
                    kind: expr_kind(analysis, scope, expr),
                    aggregates: inspect.aggregates || inspect.windows,
                });
                next = next.and_then(|column| column.checked_add(1));
            }
        }
    }
    outputs
}

/// How the values of an expression compare.
pub(crate) fn expr_kind(analysis: &Analysis<'_, '_>, scope: &Scope<'_>, expr: &Expr<'_>) -> KeyKind {
    match &bare(expr).kind {
        ExprKind::Column(column) => analysis
            .resolve(scope, column)
            .map_or(KeyKind::Weight, |node| node_kind(analysis, node)),
        ExprKind::Call(call) if call.name.is("min") || call.name.is("max") => {
            match call
                .args
                .first()
                .map(|argument| expr_kind(analysis, scope, argument))
            {
                None => KeyKind::Weight,
                Some(KeyKind::Index) => KeyKind::EnumExtreme,
                Some(kind) => kind,
            }
        }
        other if is_plain(other) => KeyKind::Plain,
        _ => KeyKind::Weight,
    }
}

/// How the values of a column compare.
pub(crate) fn node_kind(analysis: &Analysis<'_, '_>, node: Node) -> KeyKind {
    let Some(column) = analysis.column(node) else {
        return KeyKind::Weight;
    };
    match column.class() {
        TypeClass::Text => KeyKind::Weight,
        TypeClass::Enum | TypeClass::Set => KeyKind::Index,
        TypeClass::Json => KeyKind::Json,
        _ => match column.data_type {
            ColumnType::Float => KeyKind::Float,
            ColumnType::Timestamp => KeyKind::Timestamp,
            _ => KeyKind::Plain,
        },
    }
}

/// Whether an expression's values surely are numbers (FLOAT aside) or dates.
fn is_plain(expr: &ExprKind<'_>) -> bool {
    match expr {
        ExprKind::Literal(literal) => {
            matches!(
                literal.kind,
                LiteralKind::Integer | LiteralKind::Decimal | LiteralKind::Float
            )
        }
        ExprKind::Bool(_)
        | ExprKind::Is { .. }
        | ExprKind::InList(_)
        | ExprKind::InSubquery(_)
        | ExprKind::Between(_)
        | ExprKind::Like(_)
        | ExprKind::Exists(_)
        | ExprKind::And(_)
        | ExprKind::Or(_)
        | ExprKind::Extract(..) => true,
        ExprKind::Unary(op, _) => !matches!(op, UnaryOp::Binary | UnaryOp::Plus | UnaryOp::BitNot),
        ExprKind::Binary(binary) => match binary.op {
            // With an interval these give dates, or strings.
            BinaryOp::Add | BinaryOp::Sub => {
                let interval = |side: &Expr<'_>| matches!(bare(side).kind, ExprKind::Interval(..));
                !interval(&binary.left) && !interval(&binary.right)
            }
            BinaryOp::Mul | BinaryOp::Div | BinaryOp::IntDiv | BinaryOp::Mod | BinaryOp::Xor => true,
            op => op.is_comparison(),
        },
        ExprKind::Cast(cast) => matches!(
            cast.ty.kind,
            CastKind::Signed
                | CastKind::Unsigned
                | CastKind::Decimal
                | CastKind::Double
                | CastKind::Date
                | CastKind::DateTime
        ),
        ExprKind::Call(call) => is_plain_call(call),
        _ => false,
    }
}

/// Functions whose results are integers, DECIMAL, DOUBLE or dates whatever their arguments are.
fn is_plain_call(call: &Call<'_>) -> bool {
    const NAMES: &[&str] = &[
        "avg",
        "bit_count",
        "bit_length",
        "ceil",
        "ceiling",
        "char_length",
        "character_length",
        "count",
        "crc32",
        "cume_dist",
        "curdate",
        "current_date",
        "current_timestamp",
        "date",
        "datediff",
        "day",
        "dayofmonth",
        "dayofweek",
        "dayofyear",
        "dense_rank",
        "exp",
        "field",
        "find_in_set",
        "floor",
        "from_days",
        "hour",
        "instr",
        "last_day",
        "length",
        "ln",
        "locate",
        "log",
        "log10",
        "log2",
        "microsecond",
        "minute",
        "mod",
        "month",
        "now",
        "ntile",
        "octet_length",
        "ord",
        "percent_rank",
        "pi",
        "position",
        "pow",
        "power",
        "quarter",
        "rand",
        "rank",
        "round",
        "row_number",
        "second",
        "sign",
        "sqrt",
        "std",
        "stddev",
        "strcmp",
        "sum",
        "timestampdiff",
        "to_days",
        "to_seconds",
        "truncate",
        "unix_timestamp",
        "week",
        "weekday",
        "weekofyear",
        "year",
        "yearweek",
    ];
    call.schema.is_none() && NAMES.iter().any(|name| call.name.is(name))
}
