//! Table references.

use super::{Parse, Parser};
use crate::ast::{
    Derived, Ident, IndexHint, IndexHintAction, Join, JoinCondition, JoinKind, JsonTable, NamedTable, Query,
    SetExpr, TableParen, TableRef,
};
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::span::Span;

/// What stands in parentheses where a table may stand.
enum Parens<'a> {
    /// A query, with the range of the parentheses.
    Query(Box<Query<'a>>, Span),
    Tables(TableRef<'a>),
}

impl<'a> Parser<'a> {
    /// Tables separated by commas.
    pub(super) fn table_refs(&mut self) -> Parse<Vec<TableRef<'a>>> {
        self.list(Self::table_ref)
    }

    /// A table with what is joined to it.
    fn table_ref(&mut self) -> Parse<TableRef<'a>> {
        self.enter()?;
        let outer = std::mem::take(&mut self.height);
        let first = self.table_factor()?;
        let table = self.joins(first)?;
        self.height = self.height.max(outer);
        self.leave();
        Ok(table)
    }

    /// What is joined to `left`. As in MySQL's grammar, the right side of a join takes all joins up to the next condition that is not theirs:
    /// in `a JOIN b JOIN c ON .. ON ..` it is `b JOIN c ON ..`.
    fn joins(&mut self, mut left: TableRef<'a>) -> Parse<TableRef<'a>> {
        while let Some((kind, op_span)) = self.join_operator()? {
            self.grow()?;
            let mut right = self.table_factor()?;
            let natural = matches!(
                kind,
                JoinKind::Natural | JoinKind::NaturalLeft | JoinKind::NaturalRight
            );
            if !natural {
                self.enter()?;
                right = self.joins(right)?;
                self.leave();
            }
            let join = match self.join_condition(kind)? {
                // Without a condition of its own the join comes first: `a JOIN b LEFT JOIN c ON ..` is `(a JOIN b) LEFT JOIN c ON ..`.
                JoinCondition::None if !natural => join_leftmost(left, kind, op_span, right),
                condition => {
                    let span = self.since(left.span().start);
                    TableRef::Join(Box::new(Join {
                        span,
                        kind,
                        op_span,
                        left,
                        right,
                        condition,
                    }))
                }
            };
            left = join;
        }
        Ok(left)
    }

    fn join_operator(&mut self) -> Parse<Option<(JoinKind, Span)>> {
        let start = self.start();
        let kind = match self.current.kw {
            Kw::JOIN => JoinKind::Inner,
            Kw::STRAIGHT_JOIN => {
                self.bump();
                return Ok(Some((JoinKind::Straight, self.since(start))));
            }
            Kw::INNER | Kw::CROSS => {
                self.bump();
                JoinKind::Inner
            }
            Kw::LEFT => {
                self.bump();
                self.eat_kw(Kw::OUTER);
                JoinKind::Left
            }
            Kw::RIGHT => {
                self.bump();
                self.eat_kw(Kw::OUTER);
                JoinKind::Right
            }
            Kw::FULL if self.peek().kw == Kw::OUTER => {
                self.bump();
                self.bump();
                JoinKind::Full
            }
            Kw::NATURAL => {
                self.bump();
                match self.eat_any(&[Kw::LEFT, Kw::RIGHT, Kw::INNER]) {
                    Some(Kw::LEFT) => {
                        self.eat_kw(Kw::OUTER);
                        JoinKind::NaturalLeft
                    }
                    Some(Kw::RIGHT) => {
                        self.eat_kw(Kw::OUTER);
                        JoinKind::NaturalRight
                    }
                    _ => JoinKind::Natural,
                }
            }
            _ => return Ok(None),
        };
        self.expect_kw(Kw::JOIN)?;
        Ok(Some((kind, self.since(start))))
    }

    fn join_condition(&mut self, kind: JoinKind) -> Parse<JoinCondition<'a>> {
        if matches!(
            kind,
            JoinKind::Natural | JoinKind::NaturalLeft | JoinKind::NaturalRight
        ) {
            return Ok(JoinCondition::None);
        }
        // `INSERT .. SELECT .. FROM a JOIN b ON DUPLICATE KEY UPDATE ..`
        if self.at_kw(Kw::ON) && self.peek().kw != Kw::DUPLICATE {
            self.bump();
            return Ok(JoinCondition::On(self.expr()?));
        }
        if self.at_kw(Kw::ON) && self.peek_at(2).kw != Kw::KEY {
            self.bump();
            return Ok(JoinCondition::On(self.expr()?));
        }
        if self.at_pair_tok(Kw::USING, Tok::LParen) {
            self.bump();
            return Ok(JoinCondition::Using(self.paren_list(Self::ident)?));
        }
        match kind {
            JoinKind::Left | JoinKind::Right | JoinKind::Full => self.fail(),
            _ => Ok(JoinCondition::None),
        }
    }

    fn at_pair_tok(&self, word: Kw, tok: Tok) -> bool {
        self.at_kw(word) && self.peek().tok == tok
    }

    fn table_factor(&mut self) -> Parse<TableRef<'a>> {
        match self.current.tok {
            Tok::LParen => match self.table_parens()? {
                Parens::Query(query, span) => self.derived(span.start, false, *query),
                Parens::Tables(table) => Ok(table),
            },
            Tok::LBrace => {
                let start = self.bump().span.start;
                self.expect_kw(Kw::OJ)?;
                let table = self.table_ref()?;
                self.expect(Tok::RBrace)?;
                Ok(TableRef::Paren(Box::new(TableParen {
                    span: self.since(start),
                    tables: vec![table],
                })))
            }
            Tok::Word if self.at_kw(Kw::LATERAL) => {
                let start = self.bump().span.start;
                let (query, _) = self.subquery()?;
                self.derived(start, true, query)
            }
            Tok::Word if self.at_pair_tok(Kw::JSON_TABLE, Tok::LParen) => self.json_table(),
            _ => Ok(TableRef::Table(Box::new(self.named_table()?))),
        }
    }

    fn table_parens(&mut self) -> Parse<Parens<'a>> {
        self.enter()?;
        let start = self.expect(Tok::LParen)?.span.start;
        let parens = if self.at_query_word() {
            let query = self.query()?;
            self.expect(Tok::RParen)?;
            Parens::Query(Box::new(query), self.since(start))
        } else if self.at_query_in_parens() {
            match self.table_parens()? {
                Parens::Query(query, span) if self.at(Tok::RParen) || self.at_query_tail() => {
                    let first = SetExpr::Paren(query, span);
                    let query = self.query_from(span.start, None, first)?;
                    self.expect(Tok::RParen)?;
                    Parens::Query(Box::new(query), self.since(start))
                }
                Parens::Query(query, span) => {
                    let first = self.derived(span.start, false, *query)?;
                    self.tables_in_parens(start, first)?
                }
                Parens::Tables(first) => self.tables_in_parens(start, first)?,
            }
        } else {
            let first = self.table_factor()?;
            self.tables_in_parens(start, first)?
        };
        self.leave();
        Ok(parens)
    }

    /// The rest of parenthesised tables after their first one.
    fn tables_in_parens(&mut self, start: u32, first: TableRef<'a>) -> Parse<Parens<'a>> {
        let mut tables = vec![self.joins(first)?];
        while self.eat(Tok::Comma) {
            tables.push(self.table_ref()?);
        }
        self.expect(Tok::RParen)?;
        Ok(Parens::Tables(TableRef::Paren(Box::new(TableParen {
            span: self.since(start),
            tables,
        }))))
    }

    /// The rest of a derived table after its query.
    fn derived(&mut self, start: u32, lateral: bool, query: Query<'a>) -> Parse<TableRef<'a>> {
        let alias = self.table_alias()?;
        let columns = if alias.is_some() {
            self.optional_ident_list()?
        } else {
            Vec::new()
        };
        Ok(TableRef::Derived(Box::new(Derived {
            span: self.since(start),
            lateral,
            query,
            alias,
            columns,
        })))
    }

    pub(super) fn named_table(&mut self) -> Parse<NamedTable<'a>> {
        let start = self.start();
        let name = self.object_name()?;
        let mut partitions = self.partitions()?;
        let alias = self.table_alias()?;
        if partitions.is_empty() {
            // A single-table DELETE has them the other way round.
            partitions = self.partitions()?;
        }
        let mut index_hints = Vec::new();
        while let Some(hint) = self.index_hint()? {
            index_hints.push(hint);
            self.eat_index_hint_comma();
        }
        let sample = self.table_sample()?;
        Ok(NamedTable {
            span: self.since(start),
            name,
            partitions,
            alias,
            index_hints,
            sample,
        })
    }

    pub(super) fn partitions(&mut self) -> Parse<Vec<Ident<'a>>> {
        if !self.at_pair_tok(Kw::PARTITION, Tok::LParen) {
            return Ok(Vec::new());
        }
        self.bump();
        self.paren_list(Self::ident)
    }

    fn index_hint(&mut self) -> Parse<Option<IndexHint<'a>>> {
        let start = self.start();
        if !matches!(self.peek().kw, Kw::INDEX | Kw::KEY) {
            return Ok(None);
        }
        let action = match self.current.kw {
            Kw::USE => IndexHintAction::Use,
            Kw::FORCE => IndexHintAction::Force,
            Kw::IGNORE => IndexHintAction::Ignore,
            _ => return Ok(None),
        };
        self.bump();
        self.bump();
        if self.eat_kw(Kw::FOR) {
            let known = self.eat_kw(Kw::JOIN)
                || self.eat_kws(&[Kw::ORDER, Kw::BY])
                || self.eat_kws(&[Kw::GROUP, Kw::BY]);
            if !known {
                return self.fail();
            }
        }
        self.expect(Tok::LParen)?;
        let mut indexes = Vec::new();
        if !self.at(Tok::RParen) {
            indexes = self.list(|parser| {
                if parser.at_kw(Kw::PRIMARY) {
                    let token = parser.bump();
                    return Ok(parser.to_ident(token));
                }
                parser.ident()
            })?;
        }
        self.expect(Tok::RParen)?;
        Ok(Some(IndexHint {
            span: self.since(start),
            action,
            indexes,
        }))
    }

    /// Old MySQL separated index hints by commas, too.
    fn eat_index_hint_comma(&mut self) {
        if self.at(Tok::Comma)
            && matches!(self.peek().kw, Kw::USE | Kw::FORCE | Kw::IGNORE)
            && matches!(self.peek_at(2).kw, Kw::INDEX | Kw::KEY)
        {
            self.bump();
        }
    }

    fn table_sample(&mut self) -> Parse<Option<Span>> {
        let start = self.start();
        if !Kw::TABLESAMPLE.is_reserved(self.options.server_version) || !self.eat_kw(Kw::TABLESAMPLE) {
            return Ok(None);
        }
        self.ident()?;
        self.skip_parens()?;
        Ok(Some(self.since(start)))
    }

    fn json_table(&mut self) -> Parse<TableRef<'a>> {
        let start = self.bump().span.start;
        self.expect(Tok::LParen)?;
        let doc = self.expr()?;
        self.expect(Tok::Comma)?;
        let path = self.string_literal()?;
        let columns_start = self.start();
        self.expect_kw(Kw::COLUMNS)?;
        let mut columns = Vec::new();
        self.json_columns(&mut columns)?;
        let columns_span = self.since(columns_start);
        self.expect(Tok::RParen)?;
        let alias = self.table_alias()?;
        let span = self.since(start);
        Ok(TableRef::JsonTable(Box::new(JsonTable {
            span,
            doc,
            path,
            columns,
            columns_span,
            alias,
        })))
    }

    /// `( column, NESTED PATH .. COLUMNS (..), ... )`.
    fn json_columns(&mut self, columns: &mut Vec<Ident<'a>>) -> Parse<()> {
        self.enter()?;
        self.expect(Tok::LParen)?;
        loop {
            if self.at_kw(Kw::NESTED) && (self.peek().kw == Kw::PATH || self.peek().tok == Tok::String) {
                self.bump();
                self.eat_kw(Kw::PATH);
                self.string_literal()?;
                self.expect_kw(Kw::COLUMNS)?;
                self.json_columns(columns)?;
            } else {
                columns.push(self.ident()?);
                self.json_column_rest()?;
            }
            if !self.eat(Tok::Comma) {
                break;
            }
        }
        self.expect(Tok::RParen)?;
        self.leave();
        Ok(())
    }

    /// Type, path and error clauses of a column.
    fn json_column_rest(&mut self) -> Parse<()> {
        loop {
            match self.current.tok {
                Tok::Comma | Tok::RParen => return Ok(()),
                Tok::LParen => {
                    self.skip_parens()?;
                }
                Tok::Eof | Tok::Bad | Tok::Semicolon => return self.fail(),
                _ => {
                    self.bump();
                }
            }
        }
    }
}

/// Joins `left` without condition to the leftmost table of `right`.
fn join_leftmost<'a>(left: TableRef<'a>, kind: JoinKind, op_span: Span, right: TableRef<'a>) -> TableRef<'a> {
    match right {
        TableRef::Join(mut join) => {
            join.span = left.span().to(join.span);
            join.left = join_leftmost(left, kind, op_span, join.left);
            TableRef::Join(join)
        }
        factor => {
            let span = left.span().to(factor.span());
            TableRef::Join(Box::new(Join {
                span,
                kind,
                op_span,
                left,
                right: factor,
                condition: JoinCondition::None,
            }))
        }
    }
}
