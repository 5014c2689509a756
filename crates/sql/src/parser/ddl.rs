//! CREATE, DROP, TRUNCATE and RENAME of tables, indexes, views and schemas.

use super::{Failure, Parse, Parser, Reason};
use crate::ast::{
    CreateDatabase, CreateIndex, CreateTable, CreateView, Ddl, DropIndex, DropObjects, KeyKind, OtherKind,
    Query, StatementKind,
};
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::span::Span;

fn ddl(ddl: Ddl<'_>) -> StatementKind<'_> {
    StatementKind::Ddl(Box::new(ddl))
}

impl<'a> Parser<'a> {
    pub(super) fn create(&mut self) -> Parse<StatementKind<'a>> {
        let start = self.start();
        let next = self.peek().kw;
        match next {
            Kw::TABLE | Kw::TEMPORARY | Kw::EXTERNAL => {
                return Ok(ddl(Ddl::CreateTable(Box::new(self.create_table()?))));
            }
            Kw::INDEX | Kw::UNIQUE | Kw::FULLTEXT => {
                return Ok(ddl(Ddl::CreateIndex(Box::new(self.create_index()?))));
            }
            Kw::SPATIAL if self.peek_at(2).kw == Kw::INDEX => {
                return Ok(ddl(Ddl::CreateIndex(Box::new(self.create_index()?))));
            }
            Kw::DATABASE | Kw::SCHEMA => {
                self.bump();
                self.bump();
                let if_not_exists = self.eat_kws(&[Kw::IF, Kw::NOT, Kw::EXISTS]);
                let name = self.ident()?;
                let options = self.rest_of_statement()?;
                return Ok(ddl(Ddl::CreateDatabase(CreateDatabase {
                    name,
                    if_not_exists,
                    options,
                })));
            }
            _ => {}
        }
        match self.object_kind() {
            Some(OtherKind::NewObject) => match self.create_view(false)? {
                Some(view) => Ok(ddl(Ddl::CreateView(Box::new(view)))),
                None => self.other(start, OtherKind::NewObject),
            },
            Some(kind) => self.other(start, kind),
            None => self.fail_after_word(),
        }
    }

    /// A syntax error at the token after the current one.
    pub(super) fn fail_after_word<T>(&self) -> Parse<T> {
        Err(Failure {
            at: self.peek().span.start,
            reason: Reason::Syntax,
        })
    }

    /// What has no nodes, up to the end.
    pub(super) fn rest_of_statement(&mut self) -> Parse<Span> {
        let start = self.start();
        self.skip_to_statement_end()?;
        Ok(if self.end > start {
            self.since(start)
        } else {
            Span::empty(start)
        })
    }

    fn create_table(&mut self) -> Parse<CreateTable<'a>> {
        let start = self.bump().span.start;
        let temporary = self.eat_kw(Kw::TEMPORARY);
        let external = self.eat_kw(Kw::EXTERNAL);
        self.expect_kw(Kw::TABLE)?;
        let if_not_exists = self.eat_kws(&[Kw::IF, Kw::NOT, Kw::EXISTS]);
        let name = self.object_name()?;
        let mut table = CreateTable {
            span: Span::empty(start),
            temporary,
            external,
            if_not_exists,
            name,
            like: None,
            columns: Vec::new(),
            keys: Vec::new(),
            definitions_span: None,
            options: Span::empty(self.end),
            partitioning: None,
            duplicates: None,
            query: None,
        };
        if self.eat_kw(Kw::LIKE) {
            table.like = Some(self.object_name()?);
        } else if self.at(Tok::LParen) && self.peek().kw == Kw::LIKE {
            self.bump();
            self.bump();
            table.like = Some(self.object_name()?);
            self.expect(Tok::RParen)?;
        } else {
            self.create_table_body(&mut table)?;
        }
        table.span = self.since(start);
        Ok(table)
    }

    fn create_table_body(&mut self, table: &mut CreateTable<'a>) -> Parse<()> {
        if self.at(Tok::LParen) && !self.at_query_in_parens() {
            let open = self.bump().span.start;
            loop {
                if self.at_key_def() {
                    table.keys.push(self.key_def()?);
                } else {
                    table.columns.push(self.column_def()?);
                }
                if !self.eat(Tok::Comma) {
                    break;
                }
            }
            self.expect(Tok::RParen)?;
            table.definitions_span = Some(self.since(open));
        }
        table.options = self.table_options()?;
        if self.at_pair(Kw::PARTITION, Kw::BY) {
            table.partitioning = Some(self.table_options_until(false)?);
        }
        if self.at_any(&[Kw::IGNORE, Kw::REPLACE]) {
            table.duplicates = Some(self.bump().span);
        }
        self.eat_kw(Kw::AS);
        if self.at_query_word() || self.at(Tok::LParen) {
            table.query = Some(self.query()?);
        }
        Ok(())
    }

    /// ENGINE and its kin: everything up to PARTITION BY, a query or the end.
    fn table_options(&mut self) -> Parse<Span> {
        self.table_options_until(true)
    }

    fn table_options_until(&mut self, partition: bool) -> Parse<Span> {
        let start = self.start();
        while !matches!(self.current.tok, Tok::Eof | Tok::Semicolon) {
            match self.current.kw {
                Kw::PARTITION if partition => break,
                Kw::IGNORE | Kw::REPLACE | Kw::AS | Kw::SELECT | Kw::WITH | Kw::TABLE => break,
                Kw::VALUES if self.peek().kw == Kw::ROW => break,
                _ => {}
            }
            if self.at_query_in_parens() {
                break;
            }
            match self.current.tok {
                Tok::LParen => {
                    self.skip_parens()?;
                }
                Tok::Bad | Tok::RParen => return self.fail(),
                _ => {
                    self.bump();
                }
            }
        }
        Ok(if self.end > start {
            self.since(start)
        } else {
            Span::empty(start)
        })
    }

    fn create_index(&mut self) -> Parse<CreateIndex<'a>> {
        let start = self.bump().span.start;
        let kind = match self.eat_any(&[Kw::UNIQUE, Kw::FULLTEXT, Kw::SPATIAL]) {
            Some(Kw::UNIQUE) => KeyKind::Unique,
            Some(Kw::FULLTEXT) => KeyKind::Fulltext,
            Some(_) => KeyKind::Spatial,
            None => KeyKind::Index,
        };
        self.expect_kw(Kw::INDEX)?;
        let name = self.ident()?;
        self.index_type()?;
        self.expect_kw(Kw::ON)?;
        let table = self.object_name()?;
        let parts = self.paren_list(Self::key_part)?;
        self.skip_to_statement_end()?;
        Ok(CreateIndex {
            span: self.since(start),
            name,
            table,
            kind,
            parts,
        })
    }

    /// CREATE or ALTER VIEW; `None` when something else stands between the words (then nothing is read).
    pub(super) fn create_view(&mut self, alter: bool) -> Parse<Option<CreateView<'a>>> {
        let bookmark = (self.lexer, self.current, self.end, self.params);
        let start = self.bump().span.start;
        let or_replace = self.eat_kws(&[Kw::OR, Kw::REPLACE]);
        let options_start = self.start();
        if !self.view_options()? || !self.at_kw(Kw::VIEW) {
            (self.lexer, self.current, self.end, self.params) = bookmark;
            return Ok(None);
        }
        let options = if self.end > options_start {
            self.since(options_start)
        } else {
            Span::empty(options_start)
        };
        self.bump();
        let if_not_exists = self.eat_kws(&[Kw::IF, Kw::NOT, Kw::EXISTS]);
        let name = self.object_name()?;
        let columns = self.optional_ident_list()?;
        self.expect_kw(Kw::AS)?;
        let query: Query<'a> = self.query()?;
        let mut check_option = false;
        if self.eat_kw(Kw::WITH) {
            self.eat_any(&[Kw::CASCADED, Kw::LOCAL]);
            self.expect_kw(Kw::CHECK)?;
            self.expect_kw(Kw::OPTION)?;
            check_option = true;
        }
        let span = self.since(start);
        Ok(Some(CreateView {
            span,
            or_replace,
            alter,
            if_not_exists,
            options,
            name,
            columns,
            query,
            check_option,
        }))
    }

    /// ALGORITHM, DEFINER, SQL SECURITY; false when there is something that a view does not have.
    fn view_options(&mut self) -> Parse<bool> {
        loop {
            match self.current.kw {
                Kw::VIEW => return Ok(true),
                Kw::ALGORITHM => {
                    self.bump();
                    self.expect(Tok::Eq)?;
                    self.bump();
                }
                Kw::DEFINER => {
                    self.bump();
                    self.expect(Tok::Eq)?;
                    self.account()?;
                }
                Kw::SQL => {
                    self.bump();
                    self.bump();
                    self.bump();
                }
                _ => return Ok(false),
            }
        }
    }

    /// `user`, `user@host`, `CURRENT_USER[()]`.
    fn account(&mut self) -> Parse<()> {
        if self.eat_kw(Kw::CURRENT_USER) {
            if self.eat(Tok::LParen) {
                self.expect(Tok::RParen)?;
            }
            return Ok(());
        }
        self.ident_or_text()?;
        self.eat(Tok::UserVar);
        Ok(())
    }

    pub(super) fn drop_object(&mut self) -> Parse<StatementKind<'a>> {
        let start = self.start();
        match (self.peek().kw, self.peek_at(2).kw) {
            (Kw::TABLE | Kw::TABLES, _) | (Kw::TEMPORARY, Kw::TABLE | Kw::TABLES) => {
                self.bump();
                let temporary = self.eat_kw(Kw::TEMPORARY);
                self.bump();
                Ok(ddl(Ddl::DropTable(self.drop_names(temporary)?)))
            }
            (Kw::VIEW, _) => {
                self.bump();
                self.bump();
                Ok(ddl(Ddl::DropView(self.drop_names(false)?)))
            }
            (Kw::DATABASE | Kw::SCHEMA, _) => {
                self.bump();
                self.bump();
                let if_exists = self.eat_kws(&[Kw::IF, Kw::EXISTS]);
                Ok(ddl(Ddl::DropDatabase {
                    name: self.ident()?,
                    if_exists,
                }))
            }
            (Kw::INDEX, _) => {
                self.bump();
                self.bump();
                let name = if self.at_kw(Kw::PRIMARY) {
                    let token = self.bump();
                    self.to_ident(token)
                } else {
                    self.ident()?
                };
                self.expect_kw(Kw::ON)?;
                let table = self.object_name()?;
                self.skip_to_statement_end()?;
                Ok(ddl(Ddl::DropIndex(Box::new(DropIndex { name, table }))))
            }
            (Kw::PREPARE, _) => {
                self.bump();
                self.bump();
                let name = self.ident()?;
                Ok(StatementKind::Prepared(Box::new(
                    crate::ast::Prepared::Deallocate { name },
                )))
            }
            _ => match self.object_kind() {
                Some(kind) => self.other(start, kind),
                None => self.fail_after_word(),
            },
        }
    }

    fn drop_names(&mut self, temporary: bool) -> Parse<DropObjects<'a>> {
        let if_exists = self.eat_kws(&[Kw::IF, Kw::EXISTS]);
        let names = self.list(Self::object_name)?;
        self.eat_any(&[Kw::RESTRICT, Kw::CASCADE]);
        Ok(DropObjects {
            temporary,
            if_exists,
            names,
        })
    }

    pub(super) fn truncate_or_rename(&mut self) -> Parse<StatementKind<'a>> {
        let word = self.bump();
        if word.kw == Kw::TRUNCATE {
            self.eat_kw(Kw::TABLE);
            return Ok(ddl(Ddl::TruncateTable(self.object_name()?)));
        }
        if self.at_kw(Kw::USER) {
            return self.other(word.span.start, OtherKind::RenameUser);
        }
        if self.eat_any(&[Kw::TABLE, Kw::TABLES]).is_none() {
            return self.fail();
        }
        let pairs = self.list(|parser| {
            let from = parser.object_name()?;
            parser.expect_kw(Kw::TO)?;
            Ok((from, parser.object_name()?))
        })?;
        Ok(ddl(Ddl::RenameTable(pairs)))
    }
}
