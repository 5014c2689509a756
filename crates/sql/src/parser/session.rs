//! Transactions, LOCK TABLES, PREPARE, KILL.

use super::{Parse, Parser};
use crate::ast::{Completion, Kill, LockTables, OtherKind, Prepared, StatementKind, TableLock, Transaction};
use crate::keyword::Kw;
use crate::lexer::Tok;

impl<'a> Parser<'a> {
    pub(super) fn transaction(&mut self) -> Parse<Transaction<'a>> {
        let word = self.bump().kw;
        match word {
            Kw::BEGIN => {
                self.eat_kw(Kw::WORK);
                Ok(Transaction::Begin {
                    consistent_snapshot: false,
                    read_only: None,
                })
            }
            Kw::START => {
                self.expect_kw(Kw::TRANSACTION)?;
                self.start_transaction()
            }
            Kw::SAVEPOINT => Ok(Transaction::Savepoint(self.ident()?)),
            Kw::RELEASE => {
                self.expect_kw(Kw::SAVEPOINT)?;
                Ok(Transaction::Release(self.ident()?))
            }
            Kw::COMMIT => {
                self.eat_kw(Kw::WORK);
                Ok(Transaction::Commit(self.completion()?))
            }
            _ => {
                self.eat_kw(Kw::WORK);
                if self.eat_kw(Kw::TO) {
                    self.eat_kws(&[Kw::SAVEPOINT]);
                    return Ok(Transaction::RollbackTo(self.ident()?));
                }
                Ok(Transaction::Rollback(self.completion()?))
            }
        }
    }

    fn start_transaction(&mut self) -> Parse<Transaction<'a>> {
        let (mut consistent_snapshot, mut read_only) = (false, None);
        if !matches!(self.current.tok, Tok::Eof | Tok::Semicolon) {
            loop {
                if self.eat_kws(&[Kw::WITH, Kw::CONSISTENT, Kw::SNAPSHOT]) {
                    consistent_snapshot = true;
                } else if self.eat_kws(&[Kw::READ, Kw::ONLY]) {
                    read_only = Some(true);
                } else if self.eat_kws(&[Kw::READ, Kw::WRITE]) {
                    read_only = Some(false);
                } else {
                    return self.fail();
                }
                if !self.eat(Tok::Comma) {
                    break;
                }
            }
        }
        Ok(Transaction::Begin {
            consistent_snapshot,
            read_only,
        })
    }

    /// `[AND [NO] CHAIN] [[NO] RELEASE]`.
    fn completion(&mut self) -> Parse<Completion> {
        let mut completion = Completion::default();
        if self.eat_kw(Kw::AND) {
            completion.chain = Some(!self.eat_kw(Kw::NO));
            self.expect_kw(Kw::CHAIN)?;
        }
        if completion.chain != Some(true) && self.eat_kw(Kw::RELEASE) {
            completion.release = Some(true);
        } else if self.eat_kws(&[Kw::NO, Kw::RELEASE]) {
            completion.release = Some(false);
        }
        Ok(completion)
    }

    /// `LOCK TABLES ...` or `LOCK INSTANCE FOR BACKUP`.
    pub(super) fn lock(&mut self) -> Parse<StatementKind<'a>> {
        let start = self.bump().span.start;
        if self.at_kw(Kw::INSTANCE) {
            return self.other(start, OtherKind::LockInstance);
        }
        if self.eat_any(&[Kw::TABLE, Kw::TABLES]).is_none() {
            return self.fail();
        }
        let locks = self.list(|parser| {
            let start = parser.start();
            let table = parser.object_name()?;
            let alias = if parser.at_any(&[Kw::READ, Kw::WRITE, Kw::LOW_PRIORITY]) {
                None
            } else {
                parser.table_alias()?
            };
            let write = if parser.eat_kw(Kw::READ) {
                parser.eat_kw(Kw::LOCAL);
                false
            } else {
                parser.eat_kw(Kw::LOW_PRIORITY);
                parser.expect_kw(Kw::WRITE)?;
                true
            };
            Ok(TableLock {
                span: parser.since(start),
                table,
                alias,
                write,
            })
        })?;
        Ok(StatementKind::LockTables(LockTables { locks }))
    }

    /// `UNLOCK TABLES` or `UNLOCK INSTANCE`.
    pub(super) fn unlock(&mut self) -> Parse<StatementKind<'a>> {
        let start = self.bump().span.start;
        if self.at_kw(Kw::INSTANCE) {
            return self.other(start, OtherKind::LockInstance);
        }
        if self.eat_any(&[Kw::TABLE, Kw::TABLES]).is_none() {
            return self.fail();
        }
        Ok(StatementKind::UnlockTables)
    }

    pub(super) fn prepared(&mut self) -> Parse<Prepared<'a>> {
        match self.bump().kw {
            Kw::PREPARE => {
                let name = self.ident()?;
                self.expect_kw(Kw::FROM)?;
                if !matches!(self.current.tok, Tok::String | Tok::UserVar) {
                    return self.fail();
                }
                Ok(Prepared::Prepare {
                    name,
                    source: self.primary()?,
                })
            }
            Kw::EXECUTE => {
                let name = self.ident()?;
                let using = if self.eat_kw(Kw::USING) {
                    self.list(Self::user_variable)?
                } else {
                    Vec::new()
                };
                Ok(Prepared::Execute { name, using })
            }
            _ => {
                self.expect_kw(Kw::PREPARE)?;
                Ok(Prepared::Deallocate { name: self.ident()? })
            }
        }
    }

    fn user_variable(&mut self) -> Parse<crate::ast::Expr<'a>> {
        if self.at(Tok::UserVar) {
            self.primary()
        } else {
            self.fail()
        }
    }

    pub(super) fn kill(&mut self) -> Parse<Kill<'a>> {
        self.bump();
        let query = self.eat_any(&[Kw::QUERY, Kw::CONNECTION]) == Some(Kw::QUERY);
        Ok(Kill {
            query,
            id: self.expr()?,
        })
    }
}
