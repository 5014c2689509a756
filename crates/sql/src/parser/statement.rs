//! Which statement it is.

use super::{Parse, Parser};
use crate::ast::{Other, OtherKind, Statement, StatementKind, TableAdmin, TableAdminOp};
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::span::Span;

impl<'a> Parser<'a> {
    /// The whole text.
    pub(super) fn statement_to_end(&mut self) -> Parse<Statement<'a>> {
        let statement = self.statement()?;
        while self.eat(Tok::Semicolon) {}
        if self.at(Tok::Eof) {
            Ok(statement)
        } else {
            self.fail()
        }
    }

    pub(super) fn statement(&mut self) -> Parse<Statement<'a>> {
        self.enter()?;
        let start = self.start();
        if matches!(self.current.tok, Tok::Eof | Tok::Semicolon) {
            return Ok(Statement {
                span: Span::empty(start),
                params: 0,
                definer: None,
                kind: StatementKind::Empty,
            });
        }
        let definer = self.definer();
        let kind = self.statement_kind()?;
        self.leave();
        Ok(Statement {
            span: self.since(start),
            params: self.params,
            definer,
            kind,
        })
    }

    fn statement_kind(&mut self) -> Parse<StatementKind<'a>> {
        Ok(match self.current.kw {
            Kw::SELECT | Kw::TABLE | Kw::VALUES => StatementKind::Query(Box::new(self.query()?)),
            Kw::WITH => return self.with_statement(),
            Kw::INSERT | Kw::REPLACE => StatementKind::Insert(Box::new(self.insert()?)),
            Kw::UPDATE => {
                let start = self.start();
                StatementKind::Update(Box::new(self.update(start, None)?))
            }
            Kw::DELETE => {
                let start = self.start();
                StatementKind::Delete(Box::new(self.delete(start, None)?))
            }
            Kw::LOAD => return self.load(),
            Kw::CALL => StatementKind::Call(Box::new(self.call_procedure()?)),
            Kw::DO => {
                self.bump();
                let items = self.list(|parser| {
                    let expr = parser.expr()?;
                    parser.select_alias()?;
                    Ok(expr)
                })?;
                StatementKind::Do(items)
            }
            Kw::SET => StatementKind::Set(self.set()?),
            Kw::USE => {
                self.bump();
                StatementKind::Use(self.ident()?)
            }
            Kw::SHOW => StatementKind::Show(Box::new(self.show()?)),
            Kw::BEGIN | Kw::COMMIT | Kw::ROLLBACK | Kw::SAVEPOINT | Kw::RELEASE => {
                StatementKind::Transaction(self.transaction()?)
            }
            Kw::START if self.peek().kw == Kw::TRANSACTION => StatementKind::Transaction(self.transaction()?),
            Kw::LOCK => return self.lock(),
            Kw::UNLOCK => return self.unlock(),
            Kw::EXPLAIN | Kw::DESCRIBE | Kw::DESC | Kw::VEXPLAIN => {
                StatementKind::Explain(Box::new(self.explain()?))
            }
            Kw::CREATE => return self.create(),
            Kw::ALTER => return self.alter(),
            Kw::DROP => return self.drop_object(),
            Kw::TRUNCATE | Kw::RENAME => return self.truncate_or_rename(),
            Kw::ANALYZE => return self.table_admin(TableAdminOp::Analyze),
            Kw::CHECK => return self.table_admin(TableAdminOp::Check),
            Kw::CHECKSUM => return self.table_admin(TableAdminOp::Checksum),
            Kw::OPTIMIZE => return self.table_admin(TableAdminOp::Optimize),
            Kw::REPAIR => return self.table_admin(TableAdminOp::Repair),
            Kw::KILL => StatementKind::Kill(Box::new(self.kill()?)),
            Kw::PREPARE | Kw::EXECUTE | Kw::DEALLOCATE => StatementKind::Prepared(Box::new(self.prepared()?)),
            _ if self.at(Tok::LParen) => StatementKind::Query(Box::new(self.query()?)),
            _ => return self.other_statement(),
        })
    }

    fn with_statement(&mut self) -> Parse<StatementKind<'a>> {
        let start = self.start();
        let with = self.with()?;
        match self.current.kw {
            Kw::UPDATE => Ok(StatementKind::Update(Box::new(self.update(start, with)?))),
            Kw::DELETE => Ok(StatementKind::Delete(Box::new(self.delete(start, with)?))),
            _ => {
                let first = self.set_operand()?;
                Ok(StatementKind::Query(Box::new(
                    self.query_from(start, with, first)?,
                )))
            }
        }
    }

    /// `ANALYZE|CHECK|... [LOCAL|NO_WRITE_TO_BINLOG] TABLE[S] a, b options`.
    fn table_admin(&mut self, op: TableAdminOp) -> Parse<StatementKind<'a>> {
        self.bump();
        self.eat_any(&[Kw::LOCAL, Kw::NO_WRITE_TO_BINLOG]);
        if self.eat_any(&[Kw::TABLE, Kw::TABLES]).is_none() {
            return self.fail();
        }
        let tables = self.list(Self::object_name)?;
        self.skip_to_statement_end()?;
        Ok(StatementKind::TableAdmin(TableAdmin { op, tables }))
    }

    /// Skips what has no nodes, up to the end or a `;`.
    pub(super) fn skip_to_statement_end(&mut self) -> Parse<()> {
        while !matches!(self.current.tok, Tok::Eof | Tok::Semicolon) {
            if self.at(Tok::Bad) {
                return self.fail();
            }
            self.bump();
        }
        Ok(())
    }

    /// A statement that is only named, from `start` to its end. Bodies of stored programs may hold a `;`.
    pub(super) fn other(&mut self, start: u32, kind: OtherKind) -> Parse<StatementKind<'a>> {
        match kind {
            OtherKind::CreateProcedure
            | OtherKind::CreateFunction
            | OtherKind::CreateTrigger
            | OtherKind::CreateEvent
            | OtherKind::AlterEvent => self.skip_all()?,
            _ => self.skip_to_statement_end()?,
        }
        Ok(StatementKind::Other(Other {
            kind,
            span: self.since(start),
        }))
    }
}
