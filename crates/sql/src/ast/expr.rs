//! Expressions.

use super::{Call, ColumnRef, Ident, JsonExtract, Literal, Match, Query};
use crate::span::Span;

/// An expression with its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr<'a> {
    /// From its first to its last byte; enclosing parentheses belong to [`ExprKind::Paren`].
    pub span: Span,
    /// What it is.
    pub kind: ExprKind<'a>,
}

/// The forms of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind<'a> {
    /// A number, string, hex or bit literal.
    Literal(Literal<'a>),
    /// `'a' 'b'`: adjacent string literals, concatenated by the lexical rules.
    Adjacent(Vec<Literal<'a>>),
    /// `_utf8mb4'x'`, `_binary 0x41`: a literal with a character set introducer.
    Introduced(Box<Introduced<'a>>),
    /// `N'x'`: the span of the literal excludes the `N`. With further strings after it: [`ExprKind::Introduced`] by utf8mb3.
    National(Literal<'a>),
    /// `DATE '...'`, `TIME '...'`, `TIMESTAMP '...'`.
    Temporal(TemporalKind, Literal<'a>),
    /// `NULL`.
    Null,
    /// `TRUE` or `FALSE`.
    Bool(bool),
    /// `?`, counted from 0 within the statement.
    Param(u32),
    /// A column (also an alias in GROUP BY, HAVING and ORDER BY).
    Column(Box<ColumnRef<'a>>),
    /// `@name`; the name is unquoted, the expression's span starts at `@`.
    UserVar(Box<Ident<'a>>),
    /// `@@[scope.][component.]name`.
    SysVar(Box<SysVar<'a>>),
    /// `@name := value`; the left side is a [`ExprKind::UserVar`].
    Assign(Box<Expr<'a>>, Box<Expr<'a>>),
    /// `( expr )`.
    Paren(Box<Expr<'a>>),
    /// `(a, b)` or `ROW(a, b)`.
    Row(Vec<Expr<'a>>),
    /// A prefix operator.
    Unary(UnaryOp, Box<Expr<'a>>),
    /// An infix operator other than AND and OR.
    Binary(Box<Binary<'a>>),
    /// `a AND b AND c`: two or more operands of one chain; nested parentheses stay nested.
    And(Vec<Expr<'a>>),
    /// `a OR b OR c` (also `||` unless PIPES_AS_CONCAT).
    Or(Vec<Expr<'a>>),
    /// `expr IS [NOT] NULL|TRUE|FALSE|UNKNOWN`.
    Is {
        /// The tested expression.
        expr: Box<Expr<'a>>,
        /// `IS NOT`.
        negated: bool,
        /// What it is tested for.
        test: IsTest,
    },
    /// `expr [NOT] IN (a, b, ...)`.
    InList(Box<InList<'a>>),
    /// `expr [NOT] IN (SELECT ...)`.
    InSubquery(Box<InSubquery<'a>>),
    /// `expr [NOT] BETWEEN low AND high`.
    Between(Box<Between<'a>>),
    /// `expr [NOT] LIKE pattern [ESCAPE e]`.
    Like(Box<Like<'a>>),
    /// `expr [NOT] REGEXP pattern` (or RLIKE).
    Regexp(Box<Like<'a>>),
    /// `value MEMBER [OF] (array)`.
    MemberOf(Box<Expr<'a>>, Box<Expr<'a>>),
    /// `EXISTS (SELECT ...)`.
    Exists(Box<Query<'a>>),
    /// `(SELECT ...)` used as a value or row. The span includes the parentheses, the query's span does not.
    Subquery(Box<Query<'a>>),
    /// `left op ANY|SOME|ALL (SELECT ...)`.
    Quantified(Box<Quantified<'a>>),
    /// `CASE [operand] WHEN .. THEN .. [ELSE ..] END`.
    Case(Box<Case<'a>>),
    /// `CAST(expr AS type)` and `CONVERT(expr, type)`.
    Cast(Box<Cast<'a>>),
    /// `CONVERT(expr USING charset)`.
    ConvertUsing(Box<Expr<'a>>, Box<Ident<'a>>),
    /// `EXTRACT(unit FROM expr)`.
    Extract(IntervalUnit, Box<Expr<'a>>),
    /// `TRIM([BOTH|LEADING|TRAILING] [remove] FROM expr)` and `TRIM(expr)`.
    Trim(Box<Trim<'a>>),
    /// `INTERVAL expr unit`, as the right (or left) operand of `+`, right of `-`, or as an argument of DATE_ADD and its kin.
    Interval(Box<Expr<'a>>, IntervalUnit),
    /// A function call: built-in, loadable, stored, aggregate or window function.
    Call(Box<Call<'a>>),
    /// `MATCH (a, b) AGAINST (expr mode)`.
    Match(Box<Match<'a>>),
    /// `expr COLLATE name`.
    Collate(Box<Expr<'a>>, Box<Ident<'a>>),
    /// `column -> 'path'`, `column ->> 'path'`.
    JsonExtract(Box<JsonExtract<'a>>),
    /// `DEFAULT` where a value may stand in INSERT, REPLACE, UPDATE and SET.
    Default,
    /// `DEFAULT(column)`.
    DefaultOf(Box<ColumnRef<'a>>),
    /// `VALUES(column)` in ON DUPLICATE KEY UPDATE.
    ValuesOf(Box<ColumnRef<'a>>),
    /// `{identifier expr}`: ODBC escapes such as `{d '2020-01-01'}` and `{fn now()}`.
    Odbc(Box<Ident<'a>>, Box<Expr<'a>>),
}

/// A literal with an introducer.
#[derive(Clone, Debug, PartialEq)]
pub struct Introduced<'a> {
    /// The character set's name with the leading underscore stripped; the span includes it.
    pub charset: Ident<'a>,
    /// The literal.
    pub literal: Literal<'a>,
    /// String literals right after it, concatenated to it.
    pub more: Vec<Literal<'a>>,
}

/// Which typed literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemporalKind {
    /// `DATE '...'`
    Date,
    /// `TIME '...'`
    Time,
    /// `TIMESTAMP '...'`
    Timestamp,
}

/// A system variable's scope, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VarScope {
    /// `@@x`, or plain `x` in SET: session if it exists there, else global.
    Implicit,
    /// `@@session.x`, `@@local.x`, `SESSION x`, `LOCAL x`.
    Session,
    /// `@@global.x`, `GLOBAL x`.
    Global,
    /// `@@persist.x`, `PERSIST x`.
    Persist,
    /// `@@persist_only.x`, `PERSIST_ONLY x`.
    PersistOnly,
}

/// A system variable.
#[derive(Clone, Debug, PartialEq)]
pub struct SysVar<'a> {
    /// Whether it was written with `@@`.
    pub at: bool,
    /// The scope.
    pub scope: VarScope,
    /// The component or key cache before the name: `hot_cache` of `@@hot_cache.key_buffer_size`.
    pub prefix: Option<Ident<'a>>,
    /// The variable's name.
    pub name: Ident<'a>,
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `NOT`
    Not,
    /// `!`
    Bang,
    /// `-`, unless it is part of a number literal
    Minus,
    /// `+`
    Plus,
    /// `~`
    BitNot,
    /// `BINARY`
    Binary,
}

/// An infix operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Binary<'a> {
    /// The operator.
    pub op: BinaryOp,
    /// Where the operator stands.
    pub op_span: Span,
    /// Left operand.
    pub left: Expr<'a>,
    /// Right operand.
    pub right: Expr<'a>,
}

/// Infix operators except AND and OR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `XOR`
    Xor,
    /// `=`
    Eq,
    /// `<=>`
    NullSafeEq,
    /// `<>`, `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `SOUNDS LIKE`
    SoundsLike,
    /// `|`
    BitOr,
    /// `&`
    BitAnd,
    /// `<<`
    ShiftLeft,
    /// `>>`
    ShiftRight,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `DIV`
    IntDiv,
    /// `%`, `MOD`
    Mod,
    /// `^`
    BitXor,
    /// `||` under PIPES_AS_CONCAT
    Concat,
}

impl BinaryOp {
    /// Whether it compares its operands and gives a boolean.
    pub const fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Eq | Self::NullSafeEq | Self::Ne | Self::Lt | Self::Le | Self::Gt | Self::Ge
        )
    }
}

/// What `IS` tests for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsTest {
    /// `NULL`
    Null,
    /// `TRUE`
    True,
    /// `FALSE`
    False,
    /// `UNKNOWN`
    Unknown,
}

/// `expr [NOT] IN (list)`.
#[derive(Clone, Debug, PartialEq)]
pub struct InList<'a> {
    /// The tested expression (a [`ExprKind::Row`] for tuples).
    pub expr: Expr<'a>,
    /// `NOT IN`.
    pub negated: bool,
    /// The list's elements, at least one.
    pub list: Vec<Expr<'a>>,
    /// From `(` to `)`.
    pub list_span: Span,
}

/// `expr [NOT] IN (SELECT ...)`.
#[derive(Clone, Debug, PartialEq)]
pub struct InSubquery<'a> {
    /// The tested expression.
    pub expr: Expr<'a>,
    /// `NOT IN`.
    pub negated: bool,
    /// The query inside the parentheses.
    pub query: Query<'a>,
}

/// `expr [NOT] BETWEEN low AND high`.
#[derive(Clone, Debug, PartialEq)]
pub struct Between<'a> {
    /// The tested expression.
    pub expr: Expr<'a>,
    /// `NOT BETWEEN`.
    pub negated: bool,
    /// Lower bound.
    pub low: Expr<'a>,
    /// Upper bound.
    pub high: Expr<'a>,
}

/// `expr [NOT] LIKE|REGEXP pattern [ESCAPE e]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Like<'a> {
    /// The tested expression.
    pub expr: Expr<'a>,
    /// `NOT`.
    pub negated: bool,
    /// The pattern.
    pub pattern: Expr<'a>,
    /// The escape character (LIKE only).
    pub escape: Option<Expr<'a>>,
}

/// Which rows of a subquery a comparison must hold for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// `ANY` or `SOME`
    Any,
    /// `ALL`
    All,
}

/// `left op ANY|ALL (SELECT ...)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantified<'a> {
    /// Left operand.
    pub left: Expr<'a>,
    /// A comparison.
    pub op: BinaryOp,
    /// ANY or ALL.
    pub quantifier: Quantifier,
    /// The query.
    pub query: Query<'a>,
}

/// `CASE`.
#[derive(Clone, Debug, PartialEq)]
pub struct Case<'a> {
    /// The compared value, when written.
    pub operand: Option<Expr<'a>>,
    /// WHEN and THEN pairs, at least one.
    pub whens: Vec<(Expr<'a>, Expr<'a>)>,
    /// The ELSE value.
    pub else_value: Option<Expr<'a>>,
}

/// `CAST` or `CONVERT` to a type.
#[derive(Clone, Debug, PartialEq)]
pub struct Cast<'a> {
    /// The converted expression.
    pub expr: Expr<'a>,
    /// The `AT TIME ZONE` literal, when written.
    pub time_zone: Option<Expr<'a>>,
    /// The target.
    pub ty: CastType<'a>,
}

/// The target type of a cast.
#[derive(Clone, Debug, PartialEq)]
pub struct CastType<'a> {
    /// The type's text.
    pub span: Span,
    /// The type.
    pub kind: CastKind,
    /// From `(` to `)` of length or precision and scale.
    pub args: Option<Span>,
    /// `CHARACTER SET name` (CHAR only).
    pub charset: Option<Ident<'a>>,
    /// Whether `ARRAY` follows.
    pub array: bool,
}

/// The types that CAST knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CastKind {
    /// `SIGNED [INTEGER]`
    Signed,
    /// `UNSIGNED [INTEGER]`
    Unsigned,
    /// `BINARY`
    Binary,
    /// `CHAR`
    Char,
    /// `NCHAR`
    NChar,
    /// `DATE`
    Date,
    /// `TIME`
    Time,
    /// `DATETIME`
    DateTime,
    /// `YEAR`
    Year,
    /// `DECIMAL`
    Decimal,
    /// `FLOAT`
    Float,
    /// `REAL` or `DOUBLE`
    Double,
    /// `JSON`
    Json,
    /// A spatial type, by its text.
    Spatial,
}

/// `TRIM`.
#[derive(Clone, Debug, PartialEq)]
pub struct Trim<'a> {
    /// Which ends, when written.
    pub side: Option<TrimSide>,
    /// What is removed, when written.
    pub remove: Option<Expr<'a>>,
    /// The string.
    pub expr: Expr<'a>,
}

/// The ends that TRIM works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrimSide {
    /// `BOTH`
    Both,
    /// `LEADING`
    Leading,
    /// `TRAILING`
    Trailing,
}

/// Units of intervals and EXTRACT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are MySQL's own")]
pub enum IntervalUnit {
    Microsecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    SecondMicrosecond,
    MinuteMicrosecond,
    MinuteSecond,
    HourMicrosecond,
    HourSecond,
    HourMinute,
    DayMicrosecond,
    DaySecond,
    DayMinute,
    DayHour,
    YearMonth,
}
