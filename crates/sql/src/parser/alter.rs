//! ALTER.

use super::{Parse, Parser};
use crate::ast::{AlterAction, AlterKind, AlterTable, Ddl, Ident, KeyKind, OtherKind, StatementKind};
use crate::keyword::Kw;
use crate::lexer::Tok;

impl<'a> Parser<'a> {
    pub(super) fn alter(&mut self) -> Parse<StatementKind<'a>> {
        let start = self.start();
        match self.peek().kw {
            Kw::TABLE => {
                return Ok(StatementKind::Ddl(Box::new(Ddl::AlterTable(Box::new(
                    self.alter_table()?,
                )))));
            }
            Kw::DATABASE | Kw::SCHEMA => {
                self.bump();
                self.bump();
                // The name may be missing: `ALTER DATABASE CHARACTER SET utf8mb4`.
                let is_option =
                    self.at_any(&[Kw::DEFAULT, Kw::CHARACTER, Kw::CHARSET, Kw::COLLATE, Kw::READ])
                        || (self.at_kw(Kw::ENCRYPTION) && matches!(self.peek().tok, Tok::Eq | Tok::String));
                let name = if is_option { None } else { Some(self.ident()?) };
                let options = self.rest_of_statement()?;
                return Ok(StatementKind::Ddl(Box::new(Ddl::AlterDatabase { name, options })));
            }
            _ => {}
        }
        match self.object_kind() {
            Some(OtherKind::NewObject) => match self.create_view(true)? {
                Some(view) => Ok(StatementKind::Ddl(Box::new(Ddl::CreateView(Box::new(view))))),
                None => self.other(start, OtherKind::NewObject),
            },
            Some(kind) => self.other(start, kind),
            None => self.fail_after_word(),
        }
    }

    fn alter_table(&mut self) -> Parse<AlterTable<'a>> {
        let start = self.bump().span.start;
        self.expect_kw(Kw::TABLE)?;
        let name = self.object_name()?;
        let mut actions = Vec::new();
        while !matches!(self.current.tok, Tok::Eof | Tok::Semicolon) {
            let start = self.start();
            let kind = self.alter_action()?;
            actions.push(AlterAction {
                span: self.since(start),
                kind,
            });
            // The partitioning clause comes last and without a comma.
            if !self.eat(Tok::Comma) && !self.at_any(&[Kw::PARTITION, Kw::REMOVE]) {
                break;
            }
        }
        Ok(AlterTable {
            span: self.since(start),
            name,
            actions,
        })
    }

    fn alter_action(&mut self) -> Parse<AlterKind<'a>> {
        let next = self.peek();
        match self.current.kw {
            Kw::ADD if next.kw == Kw::PARTITION => self.partitioning(),
            Kw::DROP if next.kw == Kw::PARTITION => self.partitioning(),
            Kw::ADD => self.alter_add(),
            Kw::DROP => self.alter_drop(),
            Kw::MODIFY => {
                self.bump();
                self.eat_kw(Kw::COLUMN);
                let column = self.column_def()?;
                self.column_place()?;
                Ok(AlterKind::ModifyColumn(column))
            }
            Kw::CHANGE => {
                self.bump();
                self.eat_kw(Kw::COLUMN);
                let old = self.ident()?;
                let column = self.column_def()?;
                self.column_place()?;
                Ok(AlterKind::ChangeColumn(old, column))
            }
            Kw::RENAME => self.alter_rename(),
            Kw::ALTER => {
                self.bump();
                let column = if self.eat_any(&[Kw::INDEX, Kw::CHECK, Kw::CONSTRAINT]).is_some() {
                    None
                } else {
                    self.eat_kw(Kw::COLUMN);
                    Some(())
                };
                let name = self.ident()?;
                self.skip_action()?;
                Ok(if column.is_some() {
                    AlterKind::AlterColumn(name)
                } else {
                    AlterKind::Option
                })
            }
            Kw::DISCARD | Kw::IMPORT => {
                self.skip_action()?;
                Ok(AlterKind::Tablespace)
            }
            Kw::PARTITION
            | Kw::COALESCE
            | Kw::REORGANIZE
            | Kw::EXCHANGE
            | Kw::TRUNCATE
            | Kw::REBUILD
            | Kw::OPTIMIZE
            | Kw::ANALYZE
            | Kw::CHECK
            | Kw::REPAIR
            | Kw::REMOVE => self.partitioning(),
            Kw::ORDER => {
                self.bump();
                self.expect_kw(Kw::BY)?;
                self.list(|parser| {
                    parser.column_name()?;
                    parser.eat_any(&[Kw::ASC, Kw::DESC]);
                    Ok(())
                })?;
                Ok(AlterKind::Option)
            }
            _ if self.at(Tok::Word) => {
                self.skip_action()?;
                Ok(AlterKind::Option)
            }
            _ => self.fail(),
        }
    }

    /// Skips to the end of an action: a comma outside parentheses, PARTITION BY, or the end.
    fn skip_action(&mut self) -> Parse<()> {
        loop {
            match self.current.tok {
                Tok::Eof | Tok::Semicolon | Tok::Comma => return Ok(()),
                Tok::Bad | Tok::RParen => return self.fail(),
                Tok::LParen => {
                    self.skip_parens()?;
                }
                Tok::Word
                    if self.at_pair(Kw::PARTITION, Kw::BY) || self.at_pair(Kw::REMOVE, Kw::PARTITIONING) =>
                {
                    return Ok(());
                }
                _ => {
                    self.bump();
                }
            }
        }
    }

    /// Partition management, to the end of the statement.
    fn partitioning(&mut self) -> Parse<AlterKind<'a>> {
        let mut exchange_with = None;
        if self.eat_kw(Kw::EXCHANGE) {
            self.expect_kw(Kw::PARTITION)?;
            self.ident()?;
            self.expect_kw(Kw::WITH)?;
            self.expect_kw(Kw::TABLE)?;
            exchange_with = Some(self.object_name()?);
        }
        self.skip_to_statement_end()?;
        Ok(AlterKind::Partitioning { exchange_with })
    }

    fn alter_add(&mut self) -> Parse<AlterKind<'a>> {
        self.bump();
        if self.at_key_def() {
            return Ok(AlterKind::AddKey(self.key_def()?));
        }
        self.eat_kw(Kw::COLUMN);
        if !self.at(Tok::LParen) {
            let column = self.column_def()?;
            self.column_place()?;
            return Ok(AlterKind::AddColumns(vec![column]));
        }
        self.bump();
        let mut columns = Vec::new();
        loop {
            if self.at_key_def() {
                self.key_def()?;
            } else {
                columns.push(self.column_def()?);
            }
            if !self.eat(Tok::Comma) {
                break;
            }
        }
        self.expect(Tok::RParen)?;
        Ok(AlterKind::AddColumns(columns))
    }

    /// `FIRST`, `AFTER column`.
    fn column_place(&mut self) -> Parse<()> {
        if self.eat_kw(Kw::AFTER) {
            self.ident()?;
        } else {
            self.eat_kw(Kw::FIRST);
        }
        Ok(())
    }

    fn alter_drop(&mut self) -> Parse<AlterKind<'a>> {
        self.bump();
        let kind = match self.current.kw {
            Kw::INDEX | Kw::KEY => KeyKind::Index,
            Kw::PRIMARY => {
                self.bump();
                self.expect_kw(Kw::KEY)?;
                return Ok(AlterKind::DropKey(KeyKind::Primary, None));
            }
            Kw::FOREIGN => {
                self.bump();
                KeyKind::Foreign
            }
            Kw::CHECK | Kw::CONSTRAINT => KeyKind::Check,
            _ => {
                self.eat_kw(Kw::COLUMN);
                let name = self.ident()?;
                self.eat_any(&[Kw::RESTRICT, Kw::CASCADE]);
                return Ok(AlterKind::DropColumn(name));
            }
        };
        self.bump();
        Ok(AlterKind::DropKey(kind, Some(self.ident()?)))
    }

    fn alter_rename(&mut self) -> Parse<AlterKind<'a>> {
        self.bump();
        match self.current.kw {
            Kw::COLUMN => {
                self.bump();
                let (from, to) = self.rename_pair()?;
                Ok(AlterKind::RenameColumn(from, to))
            }
            Kw::INDEX | Kw::KEY => {
                self.bump();
                let (from, to) = self.rename_pair()?;
                Ok(AlterKind::RenameIndex(from, to))
            }
            _ => {
                if self.eat_any(&[Kw::TO, Kw::AS]).is_none() {
                    self.eat(Tok::Eq);
                }
                Ok(AlterKind::RenameTable(self.object_name()?))
            }
        }
    }

    fn rename_pair(&mut self) -> Parse<(Ident<'a>, Ident<'a>)> {
        let from = self.ident()?;
        self.expect_kw(Kw::TO)?;
        Ok((from, self.ident()?))
    }
}
