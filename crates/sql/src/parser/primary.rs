//! Primary expressions.

use super::{Parse, Parser};
use crate::ast::{
    Case, ColumnRef, Expr, ExprKind, Ident, Introduced, JsonExtract, Literal, LiteralKind, Query, SetExpr,
    SysVar, TemporalKind, VarScope,
};
use crate::keyword::Kw;
use crate::lexer::{Tok, Token};
use crate::span::Span;

impl<'a> Parser<'a> {
    pub(super) fn primary(&mut self) -> Parse<Expr<'a>> {
        match self.current.tok {
            Tok::Word => self.word_expr(),
            Tok::Integer | Tok::Decimal | Tok::Float | Tok::Hex | Tok::Bit => {
                let literal = self.literal()?;
                Ok(Expr {
                    span: literal.span,
                    kind: ExprKind::Literal(literal),
                })
            }
            Tok::String => self.strings(),
            Tok::Param => {
                let index = self.params;
                let span = self.bump().span;
                Ok(Expr {
                    span,
                    kind: ExprKind::Param(index),
                })
            }
            Tok::LParen => self.paren(),
            Tok::QuotedIdent => {
                let token = self.bump();
                self.name_expr(token)
            }
            Tok::UserVar => self.user_var(),
            Tok::AtAt => self.sys_var_expr(),
            Tok::National => self.national(),
            Tok::LBrace => self.odbc(),
            _ => self.fail(),
        }
    }

    /// A literal token.
    pub(super) fn literal(&mut self) -> Parse<Literal<'a>> {
        let kind = match self.current.tok {
            Tok::Integer => LiteralKind::Integer,
            Tok::Decimal => LiteralKind::Decimal,
            Tok::Float => LiteralKind::Float,
            Tok::String => LiteralKind::String,
            Tok::Hex => LiteralKind::Hex,
            Tok::Bit => LiteralKind::Bit,
            _ => return self.fail(),
        };
        let span = self.bump().span;
        let raw = span.of(self.text);
        let negative = raw.first() == Some(&b'-');
        Ok(Literal {
            span,
            kind,
            negative,
            raw,
        })
    }

    /// A string literal.
    pub(super) fn string_literal(&mut self) -> Parse<Literal<'a>> {
        if self.at(Tok::String) {
            self.literal()
        } else {
            self.fail()
        }
    }

    fn strings(&mut self) -> Parse<Expr<'a>> {
        let first = self.literal()?;
        if !self.at(Tok::String) {
            return Ok(Expr {
                span: first.span,
                kind: ExprKind::Literal(first),
            });
        }
        let mut all = vec![first];
        while self.at(Tok::String) {
            all.push(self.literal()?);
        }
        Ok(Expr {
            span: self.since(first.span.start),
            kind: ExprKind::Adjacent(all),
        })
    }

    fn more_strings(&mut self) -> Parse<Vec<Literal<'a>>> {
        let mut more = Vec::new();
        while self.at(Tok::String) {
            more.push(self.literal()?);
        }
        Ok(more)
    }

    fn national(&mut self) -> Parse<Expr<'a>> {
        let prefix = self.bump().span;
        let literal = self.string_literal()?;
        let more = self.more_strings()?;
        let kind = if more.is_empty() {
            ExprKind::National(literal)
        } else {
            let charset = Ident {
                value: b"utf8mb3".into(),
                span: prefix,
                quoted: false,
            };
            ExprKind::Introduced(Box::new(Introduced {
                charset,
                literal,
                more,
            }))
        };
        Ok(Expr {
            span: self.since(prefix.start),
            kind,
        })
    }

    fn introduced(&mut self, token: Token) -> Parse<Expr<'a>> {
        let name = token.span.of(self.text).get(1..).unwrap_or_default();
        let charset = Ident {
            value: name.into(),
            span: token.span,
            quoted: false,
        };
        let literal = self.literal()?;
        let more = if literal.kind == LiteralKind::String {
            self.more_strings()?
        } else {
            Vec::new()
        };
        let kind = ExprKind::Introduced(Box::new(Introduced {
            charset,
            literal,
            more,
        }));
        Ok(Expr {
            span: self.since(token.span.start),
            kind,
        })
    }

    /// An expression that starts with an unquoted word.
    fn word_expr(&mut self) -> Parse<Expr<'a>> {
        let constant = match self.current.kw {
            Kw::None => return self.plain_word_expr(),
            Kw::NULL => ExprKind::Null,
            Kw::TRUE => ExprKind::Bool(true),
            Kw::FALSE => ExprKind::Bool(false),
            Kw::CASE => return self.case(),
            Kw::INTERVAL => return self.leading_interval(),
            Kw::EXISTS => {
                let start = self.bump().span.start;
                let (query, _) = self.subquery()?;
                return Ok(Expr {
                    span: self.since(start),
                    kind: ExprKind::Exists(Box::new(query)),
                });
            }
            Kw::ROW if self.peek().tok == Tok::LParen => {
                let start = self.bump().span.start;
                let items = self.paren_list(Self::expr)?;
                return Ok(Expr {
                    span: self.since(start),
                    kind: ExprKind::Row(items),
                });
            }
            Kw::DEFAULT => return self.default_expr(),
            Kw::VALUES => {
                let start = self.bump().span.start;
                self.expect(Tok::LParen)?;
                let column = self.column_name()?;
                self.expect(Tok::RParen)?;
                return Ok(Expr {
                    span: self.since(start),
                    kind: ExprKind::ValuesOf(Box::new(column)),
                });
            }
            Kw::DATE | Kw::TIME | Kw::TIMESTAMP if self.peek().tok == Tok::String => {
                let word = self.bump();
                let kind = match word.kw {
                    Kw::DATE => TemporalKind::Date,
                    Kw::TIME => TemporalKind::Time,
                    _ => TemporalKind::Timestamp,
                };
                let literal = self.literal()?;
                return Ok(Expr {
                    span: self.since(word.span.start),
                    kind: ExprKind::Temporal(kind, literal),
                });
            }
            _ => {
                let word = self.bump();
                return self.keyword_expr(word);
            }
        };
        let span = self.bump().span;
        Ok(Expr { span, kind: constant })
    }

    /// An expression that starts with a word that is no keyword.
    fn plain_word_expr(&mut self) -> Parse<Expr<'a>> {
        let token = self.bump();
        if matches!(self.current.tok, Tok::String | Tok::Hex | Tok::Bit) && self.is_introducer(token) {
            return self.introduced(token);
        }
        self.name_expr(token)
    }

    /// A name that was just read: a function call or a column.
    pub(super) fn name_expr(&mut self, token: Token) -> Parse<Expr<'a>> {
        let first = self.to_ident(token);
        if self.at(Tok::LParen) {
            return self.call(None, first, token.kw);
        }
        if !self.at(Tok::Dot) {
            return self.json_path(ColumnRef {
                schema: None,
                table: None,
                column: first,
            });
        }
        self.bump();
        let second = self.ident_after_dot()?;
        if self.at(Tok::LParen) {
            return self.call(Some(first), second, Kw::None);
        }
        let column = if self.eat(Tok::Dot) {
            let column = self.ident_after_dot()?;
            ColumnRef {
                schema: Some(first),
                table: Some(second),
                column,
            }
        } else {
            ColumnRef {
                schema: None,
                table: Some(first),
                column: second,
            }
        };
        self.json_path(column)
    }

    /// A column, with `->` or `->>` after it or not.
    fn json_path(&mut self, column: ColumnRef<'a>) -> Parse<Expr<'a>> {
        let column = Expr {
            span: column.span(),
            kind: ExprKind::Column(Box::new(column)),
        };
        let unquote = match self.current.tok {
            Tok::Arrow => false,
            Tok::LongArrow => true,
            _ => return Ok(column),
        };
        self.bump();
        let path = self.string_literal()?;
        let span = column.span.to(path.span);
        Ok(Expr {
            span,
            kind: ExprKind::JsonExtract(Box::new(JsonExtract {
                column,
                path,
                unquote,
            })),
        })
    }

    fn user_var(&mut self) -> Parse<Expr<'a>> {
        let token = self.bump();
        let kind = ExprKind::UserVar(Box::new(self.user_var_name(token)));
        let var = Expr {
            span: token.span,
            kind,
        };
        if !self.eat(Tok::Assign) {
            return Ok(var);
        }
        let value = self.expr()?;
        let span = var.span.to(value.span);
        Ok(Expr {
            span,
            kind: ExprKind::Assign(Box::new(var), Box::new(value)),
        })
    }

    fn sys_var_expr(&mut self) -> Parse<Expr<'a>> {
        let start = self.start();
        let var = self.at_at_var()?;
        Ok(Expr {
            span: self.since(start),
            kind: ExprKind::SysVar(Box::new(var)),
        })
    }

    /// `@@[scope.][prefix.]name`.
    pub(super) fn at_at_var(&mut self) -> Parse<SysVar<'a>> {
        self.expect(Tok::AtAt)?;
        let scope = match self.current.kw {
            _ if self.peek().tok != Tok::Dot => VarScope::Implicit,
            Kw::GLOBAL => VarScope::Global,
            Kw::SESSION | Kw::LOCAL => VarScope::Session,
            Kw::PERSIST => VarScope::Persist,
            Kw::PERSIST_ONLY => VarScope::PersistOnly,
            _ => VarScope::Implicit,
        };
        if scope != VarScope::Implicit {
            self.bump();
            self.bump();
        }
        let first = self.ident_after_dot()?;
        if self.eat(Tok::Dot) {
            let name = self.ident_after_dot()?;
            return Ok(SysVar {
                at: true,
                scope,
                prefix: Some(first),
                name,
            });
        }
        Ok(SysVar {
            at: true,
            scope,
            prefix: None,
            name: first,
        })
    }

    fn odbc(&mut self) -> Parse<Expr<'a>> {
        let start = self.bump().span.start;
        let word = self.ident()?;
        let inner = self.expr()?;
        self.expect(Tok::RBrace)?;
        Ok(Expr {
            span: self.since(start),
            kind: ExprKind::Odbc(Box::new(word), Box::new(inner)),
        })
    }

    fn case(&mut self) -> Parse<Expr<'a>> {
        let start = self.bump().span.start;
        let operand = if self.at_kw(Kw::WHEN) {
            None
        } else {
            Some(self.expr()?)
        };
        let mut whens = Vec::new();
        while self.eat_kw(Kw::WHEN) {
            let when = self.expr()?;
            self.expect_kw(Kw::THEN)?;
            whens.push((when, self.expr()?));
        }
        if whens.is_empty() {
            return self.fail();
        }
        let else_value = if self.eat_kw(Kw::ELSE) {
            Some(self.expr()?)
        } else {
            None
        };
        self.expect_kw(Kw::END)?;
        Ok(Expr {
            span: self.since(start),
            kind: ExprKind::Case(Box::new(Case {
                operand,
                whens,
                else_value,
            })),
        })
    }

    /// `DEFAULT(column)`, or DEFAULT alone, which only has a meaning as a whole value.
    fn default_expr(&mut self) -> Parse<Expr<'a>> {
        let span = self.bump().span;
        if !self.eat(Tok::LParen) {
            return Ok(Expr {
                span,
                kind: ExprKind::Default,
            });
        }
        let column = self.column_name()?;
        self.expect(Tok::RParen)?;
        Ok(Expr {
            span: self.since(span.start),
            kind: ExprKind::DefaultOf(Box::new(column)),
        })
    }

    /// Whether a query starts here behind one or more `(`; then [`Self::paren`] decides what it is part of.
    pub(super) fn at_query_in_parens(&self) -> bool {
        let mut lexer = self.lexer;
        let mut token = self.current;
        if token.tok != Tok::LParen {
            return false;
        }
        while token.tok == Tok::LParen {
            token = lexer.next();
        }
        matches!(token.kw, Kw::SELECT | Kw::WITH | Kw::TABLE)
            || (token.kw == Kw::VALUES && lexer.next().kw == Kw::ROW)
    }

    /// Whether the token starts a query without parentheses.
    pub(super) fn at_query_word(&self) -> bool {
        match self.current.kw {
            Kw::SELECT | Kw::WITH | Kw::TABLE => true,
            Kw::VALUES => self.peek().kw == Kw::ROW,
            _ => false,
        }
    }

    /// Something in parentheses: an expression, a row or a subquery.
    pub(super) fn paren(&mut self) -> Parse<Expr<'a>> {
        self.enter()?;
        let start = self.expect(Tok::LParen)?.span.start;
        let expr = if self.at_query_word() {
            let query = self.query()?;
            self.expect(Tok::RParen)?;
            self.subquery_expr(start, query)
        } else if self.at_query_in_parens() {
            self.paren_after_paren(start)?
        } else {
            let first = self.expr()?;
            self.paren_rest(start, first)?
        };
        self.leave();
        Ok(expr)
    }

    /// What stands in the parentheses that were opened at `start` and go on with another `(` and, somewhere inside, a query.
    fn paren_after_paren(&mut self, start: u32) -> Parse<Expr<'a>> {
        let inner = self.paren()?;
        match inner.kind {
            ExprKind::Subquery(query) if self.at(Tok::RParen) || self.at_query_tail() => {
                let first = SetExpr::Paren(query, inner.span);
                let query = self.query_from(inner.span.start, None, first)?;
                self.expect(Tok::RParen)?;
                Ok(self.subquery_expr(start, query))
            }
            _ => {
                let first = self.continue_expr(inner)?;
                self.paren_rest(start, first)
            }
        }
    }

    fn subquery_expr(&self, start: u32, query: Query<'a>) -> Expr<'a> {
        Expr {
            span: self.since(start),
            kind: ExprKind::Subquery(Box::new(query)),
        }
    }

    /// The rest of `( first` or `( first, second, ...`.
    fn paren_rest(&mut self, start: u32, first: Expr<'a>) -> Parse<Expr<'a>> {
        if self.eat(Tok::RParen) {
            return Ok(Expr {
                span: self.since(start),
                kind: ExprKind::Paren(Box::new(first)),
            });
        }
        let mut items = vec![first];
        while self.eat(Tok::Comma) {
            items.push(self.expr()?);
        }
        self.expect(Tok::RParen)?;
        Ok(Expr {
            span: self.since(start),
            kind: ExprKind::Row(items),
        })
    }

    /// A query in parentheses, where nothing else may stand; with the range of the parentheses.
    pub(super) fn subquery(&mut self) -> Parse<(Query<'a>, Span)> {
        let start = self.expect(Tok::LParen)?.span.start;
        let query = self.query()?;
        self.expect(Tok::RParen)?;
        Ok((query, self.since(start)))
    }
}
