//! Query expressions: WITH, set operations, ORDER BY, LIMIT, locking, INTO.

use super::{Parse, Parser};
use crate::ast::{
    Cte, IntoClause, IntoTarget, Limit, LockStrength, LockWait, Locking, OrderBy, OrderItem, Query, SetExpr,
    SetOperation, SetOperator, SetTerm, TableQuery, ValuesQuery, With,
};
use crate::keyword::Kw;
use crate::lexer::Tok;

impl<'a> Parser<'a> {
    /// A query without enclosing parentheses (or whose first operand is in parentheses).
    pub(super) fn query(&mut self) -> Parse<Query<'a>> {
        self.enter()?;
        let start = self.start();
        let with = self.with()?;
        let first = self.set_operand()?;
        let query = self.query_from(start, with, first)?;
        self.leave();
        Ok(query)
    }

    /// The rest of a query after WITH and its first operand.
    pub(super) fn query_from(
        &mut self,
        start: u32,
        with: Option<With<'a>>,
        first: SetExpr<'a>,
    ) -> Parse<Query<'a>> {
        let body = self.set_chain(first)?;
        let order_by = self.order_by()?;
        let limit = self.limit()?;
        let mut into = self.into.take();
        let mut locking = Vec::new();
        loop {
            if self.at_kw(Kw::INTO) {
                into = self.clause_into()?;
            } else if let Some(clause) = self.locking()? {
                locking.push(clause);
            } else {
                break;
            }
        }
        Ok(Query {
            span: self.since(start),
            with,
            body,
            order_by,
            limit,
            locking,
            into,
        })
    }

    /// Whether the current token continues a query after an operand in parentheses.
    pub(super) fn at_query_tail(&self) -> bool {
        self.at_any(&[Kw::UNION, Kw::EXCEPT, Kw::ORDER, Kw::LIMIT]) || self.at_intersect()
    }

    fn at_intersect(&self) -> bool {
        self.at_kw(Kw::INTERSECT) && Kw::INTERSECT.is_reserved(self.options.server_version)
    }

    pub(super) fn with(&mut self) -> Parse<Option<With<'a>>> {
        let start = self.start();
        if !self.eat_kw(Kw::WITH) {
            return Ok(None);
        }
        let recursive = self.eat_kw(Kw::RECURSIVE);
        let tables = self.list(|parser| {
            let start = parser.start();
            let name = parser.ident()?;
            let columns = parser.optional_ident_list()?;
            parser.expect_kw(Kw::AS)?;
            let (query, _) = parser.subquery()?;
            Ok(Cte {
                span: parser.since(start),
                name,
                columns,
                query,
            })
        })?;
        Ok(Some(With {
            span: self.since(start),
            recursive,
            tables,
        }))
    }

    /// UNION and EXCEPT from the left, INTERSECT first.
    fn set_chain(&mut self, first: SetExpr<'a>) -> Parse<SetExpr<'a>> {
        let first = self.intersect_chain(first)?;
        let mut rest = Vec::new();
        while self.at_any(&[Kw::UNION, Kw::EXCEPT]) {
            let (op, all, op_span) = self.set_operator()?;
            let operand = self.set_operand()?;
            let operand = self.intersect_chain(operand)?;
            rest.push(SetTerm {
                op,
                all,
                op_span,
                operand,
            });
        }
        Ok(self.set_operation(first, rest))
    }

    fn intersect_chain(&mut self, first: SetExpr<'a>) -> Parse<SetExpr<'a>> {
        let mut rest = Vec::new();
        while self.at_intersect() {
            let (op, all, op_span) = self.set_operator()?;
            let operand = self.set_operand()?;
            rest.push(SetTerm {
                op,
                all,
                op_span,
                operand,
            });
        }
        Ok(self.set_operation(first, rest))
    }

    fn set_operation(&self, first: SetExpr<'a>, rest: Vec<SetTerm<'a>>) -> SetExpr<'a> {
        match rest.last() {
            None => first,
            Some(last) => {
                let span = first.span().to(last.operand.span());
                SetExpr::SetOp(Box::new(SetOperation { span, first, rest }))
            }
        }
    }

    fn set_operator(&mut self) -> Parse<(SetOperator, bool, crate::span::Span)> {
        let word = self.bump();
        let op = match word.kw {
            Kw::UNION => SetOperator::Union,
            Kw::EXCEPT => SetOperator::Except,
            _ => SetOperator::Intersect,
        };
        let all = self.eat_kw(Kw::ALL);
        if !all {
            self.eat_kw(Kw::DISTINCT);
        }
        Ok((op, all, self.since(word.span.start)))
    }

    /// One operand of a set operation.
    pub(super) fn set_operand(&mut self) -> Parse<SetExpr<'a>> {
        let start = self.start();
        match self.current.kw {
            Kw::SELECT => Ok(SetExpr::Select(Box::new(self.select()?))),
            Kw::TABLE => {
                self.bump();
                let table = self.object_name()?;
                Ok(SetExpr::Table(Box::new(TableQuery {
                    span: self.since(start),
                    table,
                })))
            }
            Kw::VALUES => {
                self.bump();
                let rows = self.list(Self::row_constructor)?;
                Ok(SetExpr::Values(Box::new(ValuesQuery {
                    span: self.since(start),
                    rows,
                })))
            }
            _ if self.at(Tok::LParen) => {
                let (query, span) = self.subquery()?;
                Ok(SetExpr::Paren(Box::new(query), span))
            }
            _ => self.fail(),
        }
    }

    /// `ROW(1, DEFAULT)`.
    fn row_constructor(&mut self) -> Parse<Vec<crate::ast::Expr<'a>>> {
        self.expect_kw(Kw::ROW)?;
        self.expect(Tok::LParen)?;
        let mut row = Vec::new();
        if !self.at(Tok::RParen) {
            row = self.list(Self::expr)?;
        }
        self.expect(Tok::RParen)?;
        Ok(row)
    }

    pub(super) fn order_by(&mut self) -> Parse<Option<OrderBy<'a>>> {
        let start = self.start();
        if !self.eat_kw(Kw::ORDER) {
            return Ok(None);
        }
        self.expect_kw(Kw::BY)?;
        let items = self.list(|parser| {
            let start = parser.start();
            let expr = parser.expr()?;
            let descending = parser.eat_kw(Kw::DESC);
            if !descending {
                parser.eat_kw(Kw::ASC);
            }
            Ok(OrderItem {
                span: parser.since(start),
                expr,
                descending,
            })
        })?;
        Ok(Some(OrderBy {
            span: self.since(start),
            items,
        }))
    }

    pub(super) fn limit(&mut self) -> Parse<Option<Limit<'a>>> {
        let start = self.start();
        if !self.eat_kw(Kw::LIMIT) {
            return Ok(None);
        }
        let first = self.limit_value()?;
        let (count, offset) = if self.eat(Tok::Comma) {
            (self.limit_value()?, Some(first))
        } else if self.eat_kw(Kw::OFFSET) {
            let offset = self.limit_value()?;
            (first, Some(offset))
        } else {
            (first, None)
        };
        Ok(Some(Limit {
            span: self.since(start),
            count,
            offset,
        }))
    }

    /// A number, `?`, or the name of a stored program's variable.
    fn limit_value(&mut self) -> Parse<crate::ast::Expr<'a>> {
        match self.current.tok {
            Tok::Integer if self.current.span.of(self.text).first() == Some(&b'-') => self.fail(),
            Tok::Integer | Tok::Hex | Tok::Bit | Tok::Param | Tok::Word | Tok::QuotedIdent => self.primary(),
            _ => self.fail(),
        }
    }

    fn locking(&mut self) -> Parse<Option<Locking<'a>>> {
        let start = self.start();
        let mut of = Vec::new();
        let mut wait = LockWait::Wait;
        let strength = if self.at_pair(Kw::LOCK, Kw::IN) {
            if !self.eat_kws(&[Kw::LOCK, Kw::IN, Kw::SHARE, Kw::MODE]) {
                return self.fail();
            }
            return Ok(Some(Locking {
                span: self.since(start),
                strength: LockStrength::Share,
                of,
                wait,
            }));
        } else if self.eat_kws(&[Kw::FOR, Kw::UPDATE]) {
            LockStrength::Update
        } else if self.eat_kws(&[Kw::FOR, Kw::SHARE]) {
            LockStrength::Share
        } else {
            return Ok(None);
        };
        if self.eat_kw(Kw::OF) {
            of = self.list(Self::object_name)?;
        }
        if self.eat_kw(Kw::NOWAIT) {
            wait = LockWait::NoWait;
        } else if self.eat_kws(&[Kw::SKIP, Kw::LOCKED]) {
            wait = LockWait::SkipLocked;
        }
        Ok(Some(Locking {
            span: self.since(start),
            strength,
            of,
            wait,
        }))
    }

    /// INTO, if it is there.
    pub(super) fn clause_into(&mut self) -> Parse<Option<IntoClause<'a>>> {
        let start = self.start();
        if !self.eat_kw(Kw::INTO) {
            return Ok(None);
        }
        let target = if self.eat_kw(Kw::OUTFILE) {
            let file = self.string_literal()?;
            self.outfile_options()?;
            IntoTarget::Outfile(file)
        } else if self.eat_kw(Kw::DUMPFILE) {
            IntoTarget::Dumpfile(self.string_literal()?)
        } else {
            IntoTarget::Variables(self.list(Self::variable_into)?)
        };
        Ok(Some(IntoClause {
            span: self.since(start),
            target,
        }))
    }

    fn variable_into(&mut self) -> Parse<crate::ast::Expr<'a>> {
        match self.current.tok {
            Tok::UserVar | Tok::Word | Tok::QuotedIdent => self.primary(),
            _ => self.fail(),
        }
    }

    /// The character set, FIELDS and LINES of OUTFILE.
    fn outfile_options(&mut self) -> Parse<()> {
        if self.eat_kw(Kw::CHARSET)
            || self.eat_kws(&[Kw::CHARACTER, Kw::SET])
            || self.eat_kws(&[Kw::CHAR, Kw::SET])
        {
            self.charset_name()?;
        }
        while self
            .eat_any(&[
                Kw::FIELDS,
                Kw::COLUMNS,
                Kw::LINES,
                Kw::TERMINATED,
                Kw::OPTIONALLY,
                Kw::ENCLOSED,
                Kw::ESCAPED,
                Kw::STARTING,
                Kw::BY,
            ])
            .is_some()
        {
            while matches!(self.current.tok, Tok::String | Tok::Hex | Tok::Bit) {
                self.bump();
            }
        }
        Ok(())
    }
}
