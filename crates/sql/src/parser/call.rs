//! Function calls, and the syntaxes that some functions have of their own.

use super::{Failure, Parse, Parser, Reason};
use crate::ast::{Call, CallSyntax, Cast, Expr, ExprKind, Ident, Match, MatchMode, Trim, TrimSide};
use crate::keyword::Kw;
use crate::lexer::{Tok, Token};
use crate::span::Span;

impl<'a> Parser<'a> {
    /// An expression whose first word, a keyword, was just read.
    pub(super) fn keyword_expr(&mut self, word: Token) -> Parse<Expr<'a>> {
        if self.at(Tok::LParen) {
            match word.kw {
                Kw::CAST => return self.cast(word),
                Kw::CONVERT => return self.convert(word),
                Kw::EXTRACT => return self.extract(word),
                Kw::TRIM => return self.trim(word),
                Kw::SUBSTRING | Kw::SUBSTR | Kw::MID => return self.substring(word),
                Kw::POSITION => return self.position(word),
                Kw::CHAR => return self.char_call(word),
                Kw::TIMESTAMPADD | Kw::TIMESTAMPDIFF => return self.timestamp_add(word),
                Kw::GET_FORMAT => return self.get_format(word),
                Kw::WEIGHT_STRING | Kw::JSON_VALUE => return self.call_with_tail(word),
                Kw::MATCH => return self.match_against(word),
                kw if !kw.is_reserved(self.options.server_version) => return self.name_expr(word),
                kw if is_reserved_function(kw) => {
                    let name = self.to_ident(word);
                    return self.call(None, name, kw);
                }
                _ => {}
            }
        } else {
            match word.kw {
                Kw::CURRENT_DATE
                | Kw::CURRENT_TIME
                | Kw::CURRENT_TIMESTAMP
                | Kw::CURRENT_USER
                | Kw::LOCALTIME
                | Kw::LOCALTIMESTAMP
                | Kw::UTC_DATE
                | Kw::UTC_TIME
                | Kw::UTC_TIMESTAMP => {
                    let call = new_call(self.to_ident(word), CallSyntax::Bare, Vec::new());
                    return Ok(Expr {
                        span: word.span,
                        kind: ExprKind::Call(Box::new(call)),
                    });
                }
                Kw::MATCH => return self.match_against(word),
                kw if !kw.is_reserved(self.options.server_version) => return self.name_expr(word),
                _ => {}
            }
        }
        Err(Failure {
            at: word.span.start,
            reason: Reason::Syntax,
        })
    }

    /// A call in the common form; the name was just read.
    pub(super) fn call(&mut self, schema: Option<Ident<'a>>, name: Ident<'a>, kw: Kw) -> Parse<Expr<'a>> {
        let start = schema
            .as_ref()
            .map_or(name.span.start, |schema| schema.span.start);
        self.expect(Tok::LParen)?;
        let distinct = self.eat_kw(Kw::DISTINCT);
        if !distinct {
            self.eat_kw(Kw::ALL);
        }
        let mut call = new_call(name, CallSyntax::Args, Vec::new());
        call.schema = schema;
        call.distinct = distinct;
        if self.at(Tok::Star) && self.peek().tok == Tok::RParen {
            self.bump();
            call.syntax = CallSyntax::Star;
        } else if !self.at(Tok::RParen) {
            call.args = self.list(Self::argument)?;
        }
        if kw == Kw::GROUP_CONCAT {
            call.order_by = self.order_by()?;
            if self.eat_kw(Kw::SEPARATOR) {
                call.separator = Some(self.literal()?);
            }
        }
        if matches!(kw, Kw::JSON_ARRAYAGG | Kw::JSON_OBJECTAGG) && !self.at(Tok::RParen) {
            // `NULL ON NULL`, `ABSENT ON NULL`
            call.extra = Some(self.skip_to_close()?);
        }
        self.expect(Tok::RParen)?;
        call.over = self.over(kw)?;
        Ok(self.finish_call(start, call))
    }

    /// An argument; those of loadable functions may have names.
    fn argument(&mut self) -> Parse<Expr<'a>> {
        let expr = self.expr()?;
        self.select_alias()?;
        Ok(expr)
    }

    fn finish_call(&self, start: u32, call: Call<'a>) -> Expr<'a> {
        Expr {
            span: self.since(start),
            kind: ExprKind::Call(Box::new(call)),
        }
    }

    /// A call in the common form whose arguments were read.
    pub(super) fn plain_call(&self, start: u32, name: Ident<'a>, args: Vec<Expr<'a>>) -> Expr<'a> {
        self.finish_call(start, new_call(name, CallSyntax::Args, args))
    }

    /// `CAST(expr [AT TIME ZONE zone] AS type)`.
    fn cast(&mut self, word: Token) -> Parse<Expr<'a>> {
        self.expect(Tok::LParen)?;
        let expr = self.expr()?;
        self.eat_kws(&[Kw::AT, Kw::LOCAL]);
        let time_zone = if self.eat_kws(&[Kw::AT, Kw::TIME, Kw::ZONE]) {
            self.eat_kw(Kw::INTERVAL);
            Some(self.expr()?)
        } else {
            None
        };
        self.expect_kw(Kw::AS)?;
        let ty = self.cast_type()?;
        self.expect(Tok::RParen)?;
        let kind = ExprKind::Cast(Box::new(Cast { expr, time_zone, ty }));
        Ok(Expr {
            span: self.since(word.span.start),
            kind,
        })
    }

    /// `CONVERT(expr, type)` or `CONVERT(expr USING charset)`.
    fn convert(&mut self, word: Token) -> Parse<Expr<'a>> {
        self.expect(Tok::LParen)?;
        let expr = self.expr()?;
        let kind = if self.eat_kw(Kw::USING) {
            let charset = self.charset_name()?;
            ExprKind::ConvertUsing(Box::new(expr), Box::new(charset))
        } else {
            self.expect(Tok::Comma)?;
            let ty = self.cast_type()?;
            ExprKind::Cast(Box::new(Cast {
                expr,
                time_zone: None,
                ty,
            }))
        };
        self.expect(Tok::RParen)?;
        Ok(Expr {
            span: self.since(word.span.start),
            kind,
        })
    }

    fn extract(&mut self, word: Token) -> Parse<Expr<'a>> {
        self.expect(Tok::LParen)?;
        let unit = self.interval_unit()?;
        self.expect_kw(Kw::FROM)?;
        let expr = self.expr()?;
        self.expect(Tok::RParen)?;
        Ok(Expr {
            span: self.since(word.span.start),
            kind: ExprKind::Extract(unit, Box::new(expr)),
        })
    }

    fn trim(&mut self, word: Token) -> Parse<Expr<'a>> {
        self.expect(Tok::LParen)?;
        let side = match self.eat_any(&[Kw::BOTH, Kw::LEADING, Kw::TRAILING]) {
            Some(Kw::BOTH) => Some(TrimSide::Both),
            Some(Kw::LEADING) => Some(TrimSide::Leading),
            Some(_) => Some(TrimSide::Trailing),
            None => None,
        };
        let first = if side.is_some() && self.at_kw(Kw::FROM) {
            None
        } else {
            Some(self.expr()?)
        };
        let (remove, expr) = if self.eat_kw(Kw::FROM) {
            (first, self.expr()?)
        } else {
            match first {
                Some(expr) if side.is_none() => (None, expr),
                _ => return self.fail(),
            }
        };
        self.expect(Tok::RParen)?;
        let kind = ExprKind::Trim(Box::new(Trim { side, remove, expr }));
        Ok(Expr {
            span: self.since(word.span.start),
            kind,
        })
    }

    /// `SUBSTRING(a, b[, c])` or `SUBSTRING(a FROM b [FOR c])`.
    fn substring(&mut self, word: Token) -> Parse<Expr<'a>> {
        self.expect(Tok::LParen)?;
        let mut args = vec![self.expr()?];
        let mut syntax = CallSyntax::Args;
        if self.eat_kw(Kw::FROM) {
            syntax = CallSyntax::FromFor;
            args.push(self.expr()?);
            if self.eat_kw(Kw::FOR) {
                args.push(self.expr()?);
            }
        } else {
            while self.eat(Tok::Comma) {
                args.push(self.expr()?);
            }
        }
        self.expect(Tok::RParen)?;
        let call = new_call(self.to_ident(word), syntax, args);
        Ok(self.finish_call(word.span.start, call))
    }

    /// `POSITION(a IN b)`.
    fn position(&mut self, word: Token) -> Parse<Expr<'a>> {
        self.expect(Tok::LParen)?;
        let needle = self.bit_expr()?;
        self.expect_kw(Kw::IN)?;
        let haystack = self.expr()?;
        self.expect(Tok::RParen)?;
        let call = new_call(self.to_ident(word), CallSyntax::In, vec![needle, haystack]);
        Ok(self.finish_call(word.span.start, call))
    }

    /// `CHAR(a, b [USING charset])`.
    fn char_call(&mut self, word: Token) -> Parse<Expr<'a>> {
        self.expect(Tok::LParen)?;
        let args = self.list(Self::expr)?;
        let mut call = new_call(self.to_ident(word), CallSyntax::Args, args);
        if self.eat_kw(Kw::USING) {
            call.using = Some(self.charset_name()?);
        }
        self.expect(Tok::RParen)?;
        Ok(self.finish_call(word.span.start, call))
    }

    /// `TIMESTAMPADD(unit, a, b)`.
    fn timestamp_add(&mut self, word: Token) -> Parse<Expr<'a>> {
        self.expect(Tok::LParen)?;
        let unit = self.interval_unit()?;
        self.expect(Tok::Comma)?;
        let args = self.list(Self::expr)?;
        self.expect(Tok::RParen)?;
        let mut call = new_call(self.to_ident(word), CallSyntax::Args, args);
        call.unit = Some(unit);
        Ok(self.finish_call(word.span.start, call))
    }

    /// `GET_FORMAT(DATE, expr)`.
    fn get_format(&mut self, word: Token) -> Parse<Expr<'a>> {
        self.expect(Tok::LParen)?;
        if !self.at_any(&[Kw::DATE, Kw::TIME, Kw::DATETIME, Kw::TIMESTAMP]) {
            return self.fail();
        }
        let extra = self.bump().span;
        self.expect(Tok::Comma)?;
        let args = vec![self.expr()?];
        self.expect(Tok::RParen)?;
        let mut call = new_call(self.to_ident(word), CallSyntax::Args, args);
        call.extra = Some(extra);
        Ok(self.finish_call(word.span.start, call))
    }

    /// A call whose arguments end in words that have no nodes: WEIGHT_STRING and JSON_VALUE.
    fn call_with_tail(&mut self, word: Token) -> Parse<Expr<'a>> {
        self.expect(Tok::LParen)?;
        let args = self.list(Self::expr)?;
        let mut call = new_call(self.to_ident(word), CallSyntax::Args, args);
        if !self.at(Tok::RParen) {
            call.extra = Some(self.skip_to_close()?);
        }
        self.expect(Tok::RParen)?;
        Ok(self.finish_call(word.span.start, call))
    }

    /// Skips to the `)` that closes the parentheses around here.
    pub(super) fn skip_to_close(&mut self) -> Parse<Span> {
        let start = self.start();
        while !self.at(Tok::RParen) {
            match self.current.tok {
                Tok::LParen => {
                    self.skip_parens()?;
                }
                Tok::Eof | Tok::Bad | Tok::Semicolon => return self.fail(),
                _ => {
                    self.bump();
                }
            }
        }
        Ok(self.since(start))
    }

    /// `MATCH (a, b) AGAINST (expr mode)`, the first parentheses being optional.
    fn match_against(&mut self, word: Token) -> Parse<Expr<'a>> {
        let columns = if self.at(Tok::LParen) {
            self.paren_list(Self::match_column)?
        } else {
            self.list(Self::match_column)?
        };
        self.expect_kw(Kw::AGAINST)?;
        self.expect(Tok::LParen)?;
        let against = self.bit_expr()?;
        let mut mode = MatchMode::Natural;
        if self.eat_kw(Kw::IN) {
            if self.eat_kw(Kw::BOOLEAN) {
                mode = MatchMode::Boolean;
            } else {
                self.expect_kw(Kw::NATURAL)?;
                self.expect_kw(Kw::LANGUAGE)?;
            }
            self.expect_kw(Kw::MODE)?;
        }
        if mode == MatchMode::Natural && self.eat_kws(&[Kw::WITH, Kw::QUERY, Kw::EXPANSION]) {
            mode = MatchMode::Expansion;
        }
        self.expect(Tok::RParen)?;
        let kind = ExprKind::Match(Box::new(Match {
            columns,
            against,
            mode,
        }));
        Ok(Expr {
            span: self.since(word.span.start),
            kind,
        })
    }

    fn match_column(&mut self) -> Parse<Expr<'a>> {
        let column = self.column_name()?;
        Ok(Expr {
            span: column.span(),
            kind: ExprKind::Column(Box::new(column)),
        })
    }
}

fn new_call<'a>(name: Ident<'a>, syntax: CallSyntax, args: Vec<Expr<'a>>) -> Call<'a> {
    Call {
        schema: None,
        name,
        syntax,
        distinct: false,
        args,
        order_by: None,
        separator: None,
        unit: None,
        using: None,
        extra: None,
        over: None,
    }
}

/// Reserved words that name functions.
fn is_reserved_function(kw: Kw) -> bool {
    matches!(
        kw,
        Kw::CUME_DIST
            | Kw::CURRENT_DATE
            | Kw::CURRENT_TIME
            | Kw::CURRENT_TIMESTAMP
            | Kw::CURRENT_USER
            | Kw::DATABASE
            | Kw::DENSE_RANK
            | Kw::FIRST_VALUE
            | Kw::GROUPING
            | Kw::IF
            | Kw::INSERT
            | Kw::LAG
            | Kw::LAST_VALUE
            | Kw::LEAD
            | Kw::LEFT
            | Kw::LOCALTIME
            | Kw::LOCALTIMESTAMP
            | Kw::MOD
            | Kw::NTH_VALUE
            | Kw::NTILE
            | Kw::PERCENT_RANK
            | Kw::RANK
            | Kw::REPEAT
            | Kw::REPLACE
            | Kw::RIGHT
            | Kw::ROW_NUMBER
            | Kw::SCHEMA
            | Kw::UTC_DATE
            | Kw::UTC_TIME
            | Kw::UTC_TIMESTAMP
    )
}
