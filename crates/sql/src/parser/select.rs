//! One SELECT.

use super::{Parse, Parser};
use crate::ast::{
    Condition, Expr, FromClause, GroupBy, GroupModifier, ObjectName, Select, SelectItem, SelectOptions,
};
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::span::Span;

impl<'a> Parser<'a> {
    pub(super) fn select(&mut self) -> Parse<Select<'a>> {
        let keyword = self.expect_kw(Kw::SELECT)?.span;
        let hints = self.hints();
        let options = self.select_options();
        let items_start = self.start();
        let items = self.select_items()?;
        let items_span = self.since(items_start);
        if self.at_kw(Kw::INTO) {
            self.into = self.clause_into()?;
        }
        let from = self.clause_from()?;
        let where_clause = self.condition(Kw::WHERE)?;
        let group_by = self.group_by()?;
        let having = self.condition(Kw::HAVING)?;
        let windows = self.named_windows()?;
        let qualify = if Kw::QUALIFY.is_reserved(self.options.server_version) {
            self.condition(Kw::QUALIFY)?
        } else {
            None
        };
        let span = self.since(keyword.start);
        Ok(Select {
            span,
            keyword,
            hints,
            options,
            items,
            items_span,
            from,
            where_clause,
            group_by,
            having,
            windows,
            qualify,
        })
    }

    /// The hint comment after a statement's first word.
    pub(super) fn hints(&mut self) -> Option<Span> {
        self.at(Tok::Hint).then(|| self.bump().span)
    }

    fn select_options(&mut self) -> SelectOptions {
        let mut options = SelectOptions::default();
        let start = self.start();
        let mut read = false;
        loop {
            match self.current.kw {
                Kw::DISTINCT | Kw::DISTINCTROW => options.distinct = true,
                Kw::ALL => options.all = true,
                Kw::HIGH_PRIORITY => options.high_priority = true,
                Kw::STRAIGHT_JOIN => options.straight_join = true,
                Kw::SQL_SMALL_RESULT => options.small_result = true,
                Kw::SQL_BIG_RESULT => options.big_result = true,
                Kw::SQL_BUFFER_RESULT => options.buffer_result = true,
                Kw::SQL_NO_CACHE => options.no_cache = true,
                Kw::SQL_CALC_FOUND_ROWS => options.calc_found_rows = true,
                _ => break,
            }
            self.bump();
            read = true;
        }
        options.span = if read {
            self.since(start)
        } else {
            Span::empty(start)
        };
        options
    }

    fn select_items(&mut self) -> Parse<Vec<SelectItem<'a>>> {
        if !self.at(Tok::Star) {
            return self.list(Self::select_item);
        }
        // A lone `*` may only come first.
        let mut items = vec![SelectItem::Wildcard {
            span: self.bump().span,
            table: None,
        }];
        while self.eat(Tok::Comma) {
            items.push(self.select_item()?);
        }
        Ok(items)
    }

    fn select_item(&mut self) -> Parse<SelectItem<'a>> {
        let start = self.start();
        if self.at_table_wildcard() {
            let first = self.ident()?;
            self.expect(Tok::Dot)?;
            let table = if self.at(Tok::Star) {
                ObjectName {
                    schema: None,
                    name: first,
                }
            } else {
                let name = self.ident_after_dot()?;
                self.expect(Tok::Dot)?;
                ObjectName {
                    schema: Some(first),
                    name,
                }
            };
            self.expect(Tok::Star)?;
            return Ok(SelectItem::Wildcard {
                span: self.since(start),
                table: Some(table),
            });
        }
        let expr = self.expr()?;
        let alias = self.select_alias()?;
        Ok(SelectItem::Expr {
            span: self.since(start),
            expr,
            alias,
        })
    }

    /// Whether `t.*` or `db.t.*` stands here.
    fn at_table_wildcard(&self) -> bool {
        if !self.at_ident() {
            return false;
        }
        let mut lexer = self.lexer;
        if lexer.next().tok != Tok::Dot {
            return false;
        }
        match lexer.next().tok {
            Tok::Star => true,
            Tok::Word | Tok::QuotedIdent => lexer.next().tok == Tok::Dot && lexer.next().tok == Tok::Star,
            _ => false,
        }
    }

    fn clause_from(&mut self) -> Parse<Option<FromClause<'a>>> {
        let start = self.start();
        if !self.eat_kw(Kw::FROM) {
            return Ok(None);
        }
        let tables = if self.eat_kw(Kw::DUAL) {
            Vec::new()
        } else {
            self.table_refs()?
        };
        Ok(Some(FromClause {
            span: self.since(start),
            tables,
        }))
    }

    /// WHERE, HAVING or QUALIFY, if it is there.
    pub(super) fn condition(&mut self, word: Kw) -> Parse<Option<Condition<'a>>> {
        let start = self.start();
        if !self.eat_kw(word) {
            return Ok(None);
        }
        let expr = self.expr()?;
        Ok(Some(Condition {
            span: self.since(start),
            expr,
        }))
    }

    fn group_by(&mut self) -> Parse<Option<GroupBy<'a>>> {
        let start = self.start();
        if !self.eat_kw(Kw::GROUP) {
            return Ok(None);
        }
        self.expect_kw(Kw::BY)?;
        let modifier = match self.current.kw {
            Kw::ROLLUP if self.peek().tok == Tok::LParen => GroupModifier::Rollup,
            Kw::CUBE if self.peek().tok == Tok::LParen => GroupModifier::Cube,
            Kw::GROUPING if self.peek().kw == Kw::SETS => {
                let items = self.grouping_sets()?;
                return Ok(Some(GroupBy {
                    span: self.since(start),
                    items,
                    modifier: GroupModifier::Cube,
                }));
            }
            _ => GroupModifier::None,
        };
        if modifier != GroupModifier::None {
            self.bump();
            let items = self.paren_list(Self::expr)?;
            return Ok(Some(GroupBy {
                span: self.since(start),
                items,
                modifier,
            }));
        }
        let items = self.list(|parser| {
            let expr = parser.expr()?;
            Ok(expr)
        })?;
        let modifier = if self.eat_kws(&[Kw::WITH, Kw::ROLLUP]) {
            GroupModifier::Rollup
        } else {
            GroupModifier::None
        };
        Ok(Some(GroupBy {
            span: self.since(start),
            items,
            modifier,
        }))
    }

    /// The expressions of `GROUPING SETS ((a, b), ())`, those of all sets in order.
    fn grouping_sets(&mut self) -> Parse<Vec<Expr<'a>>> {
        self.bump();
        self.bump();
        let sets = self.paren_list(|parser| {
            if parser.at(Tok::LParen) && parser.peek().tok == Tok::RParen {
                parser.bump();
                parser.bump();
                return Ok(Vec::new());
            }
            if parser.at(Tok::LParen) {
                parser.paren_list(Self::expr)
            } else {
                Ok(vec![parser.expr()?])
            }
        })?;
        Ok(sets.into_iter().flatten().collect())
    }
}
