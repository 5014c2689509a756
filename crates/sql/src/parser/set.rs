//! SET.

use super::{Parse, Parser};
use crate::ast::{ColumnRef, Expr, ExprKind, Isolation, Set, SetItem, SetKind, SetOther, SysVar, VarScope};
use crate::keyword::Kw;
use crate::lexer::Tok;

impl<'a> Parser<'a> {
    pub(super) fn set(&mut self) -> Parse<Set<'a>> {
        let start = self.bump().span.start;
        let other = match (self.current.kw, self.peek().kw) {
            (Kw::PASSWORD, _) => Some(SetOther::Password),
            (Kw::ROLE, _) => Some(SetOther::Role),
            (Kw::DEFAULT, Kw::ROLE) => Some(SetOther::DefaultRole),
            (Kw::RESOURCE, Kw::GROUP) => Some(SetOther::ResourceGroup),
            _ => None,
        };
        if let Some(other) = other {
            let from = self.start();
            self.skip_to_statement_end()?;
            let item = SetItem {
                span: self.since(from),
                kind: SetKind::Other(other),
            };
            return Ok(Set {
                span: self.since(start),
                items: vec![item],
            });
        }
        let items = self.list(Self::set_item)?;
        Ok(Set {
            span: self.since(start),
            items,
        })
    }

    fn set_item(&mut self) -> Parse<SetItem<'a>> {
        let start = self.start();
        let kind = match self.current.tok {
            Tok::UserVar => {
                let token = self.bump();
                let name = self.user_var_name(token);
                self.set_equals()?;
                SetKind::UserVar {
                    name,
                    value: self.expr()?,
                }
            }
            Tok::AtAt => {
                let var = self.at_at_var()?;
                self.set_equals()?;
                SetKind::SysVar {
                    var,
                    value: self.set_value()?,
                }
            }
            _ => self.set_words()?,
        };
        Ok(SetItem {
            span: self.since(start),
            kind,
        })
    }

    /// An item that starts with a word.
    fn set_words(&mut self) -> Parse<SetKind<'a>> {
        let next = self.peek();
        let scope = match self.current.kw {
            // A variable may be called like a scope.
            _ if matches!(next.tok, Tok::Eq | Tok::Assign | Tok::Dot) => None,
            Kw::GLOBAL => Some(VarScope::Global),
            Kw::SESSION | Kw::LOCAL => Some(VarScope::Session),
            Kw::PERSIST => Some(VarScope::Persist),
            Kw::PERSIST_ONLY => Some(VarScope::PersistOnly),
            Kw::NAMES => return self.set_names(),
            Kw::CHARSET => {
                self.bump();
                return self.set_charset();
            }
            Kw::CHARACTER | Kw::CHAR if next.kw == Kw::SET => {
                self.bump();
                self.bump();
                return self.set_charset();
            }
            _ => None,
        };
        if scope.is_some() {
            self.bump();
        }
        let scope = scope.unwrap_or(VarScope::Implicit);
        if self.at_kw(Kw::TRANSACTION) {
            self.bump();
            return self.set_transaction(scope);
        }
        let first = self.ident()?;
        let (prefix, name) = if self.eat(Tok::Dot) {
            (Some(first), self.ident_after_dot()?)
        } else {
            (None, first)
        };
        self.set_equals()?;
        let var = SysVar {
            at: false,
            scope,
            prefix,
            name,
        };
        Ok(SetKind::SysVar {
            var,
            value: self.set_value()?,
        })
    }

    fn set_equals(&mut self) -> Parse<()> {
        if self.eat(Tok::Eq) || self.eat(Tok::Assign) {
            Ok(())
        } else {
            self.fail()
        }
    }

    /// An expression, or one of the reserved words that may stand for a value.
    fn set_value(&mut self) -> Parse<Expr<'a>> {
        let is_word = self.at_any(&[Kw::ON, Kw::ALL, Kw::BINARY, Kw::ROW, Kw::SYSTEM])
            && matches!(self.peek().tok, Tok::Comma | Tok::Semicolon | Tok::Eof);
        if !is_word {
            return self.expr();
        }
        let token = self.bump();
        let column = ColumnRef {
            schema: None,
            table: None,
            column: self.to_ident(token),
        };
        Ok(Expr {
            span: token.span,
            kind: ExprKind::Column(Box::new(column)),
        })
    }

    fn set_names(&mut self) -> Parse<SetKind<'a>> {
        self.bump();
        if self.eat_kw(Kw::DEFAULT) {
            return Ok(SetKind::Names {
                charset: None,
                collation: None,
            });
        }
        let charset = Some(self.charset_name()?);
        let mut collation = None;
        if self.eat_kw(Kw::COLLATE) && !self.eat_kw(Kw::DEFAULT) {
            collation = Some(self.charset_name()?);
        }
        Ok(SetKind::Names { charset, collation })
    }

    fn set_charset(&mut self) -> Parse<SetKind<'a>> {
        if self.eat_kw(Kw::DEFAULT) {
            return Ok(SetKind::CharacterSet(None));
        }
        Ok(SetKind::CharacterSet(Some(self.charset_name()?)))
    }

    /// The characteristics after TRANSACTION.
    fn set_transaction(&mut self, scope: VarScope) -> Parse<SetKind<'a>> {
        let mut isolation = None;
        let mut read_only = None;
        loop {
            if self.eat_kws(&[Kw::ISOLATION, Kw::LEVEL]) {
                isolation = Some(self.isolation()?);
            } else if self.eat_kws(&[Kw::READ, Kw::ONLY]) {
                read_only = Some(true);
            } else if self.eat_kws(&[Kw::READ, Kw::WRITE]) {
                read_only = Some(false);
            } else {
                return self.fail();
            }
            if !self.eat(Tok::Comma) {
                return Ok(SetKind::Transaction {
                    scope,
                    isolation,
                    read_only,
                });
            }
        }
    }

    fn isolation(&mut self) -> Parse<Isolation> {
        for (words, level) in [
            (&[Kw::READ, Kw::UNCOMMITTED][..], Isolation::ReadUncommitted),
            (&[Kw::READ, Kw::COMMITTED], Isolation::ReadCommitted),
            (&[Kw::REPEATABLE, Kw::READ], Isolation::RepeatableRead),
            (&[Kw::SERIALIZABLE], Isolation::Serializable),
        ] {
            if self.eat_kws(words) {
                return Ok(level);
            }
        }
        self.fail()
    }
}
