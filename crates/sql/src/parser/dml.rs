//! INSERT, REPLACE, UPDATE, DELETE, LOAD DATA, CALL.

use super::{Parse, Parser};
use crate::ast::{
    Assignment, CallProcedure, ColumnRef, Delete, Expr, Insert, InsertRow, InsertSource, LoadData,
    ObjectName, OnDuplicate, OtherKind, RowAlias, StatementKind, TableRef, Update, With,
};
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::span::Span;

impl<'a> Parser<'a> {
    pub(super) fn insert(&mut self) -> Parse<Insert<'a>> {
        let start = self.start();
        let replace = self.bump().kw == Kw::REPLACE;
        let hints = self.hints();
        let priority = self
            .at_any(&[Kw::LOW_PRIORITY, Kw::DELAYED, Kw::HIGH_PRIORITY])
            .then(|| self.bump().span);
        let ignore = self.eat_kw(Kw::IGNORE);
        self.eat_kw(Kw::INTO);
        let table = self.object_name()?;
        let partitions = self.partitions()?;
        let mut columns = None;
        let mut columns_span = None;
        if self.at(Tok::LParen) && !self.at_query_in_parens() {
            let open = self.start();
            columns = Some(self.insert_columns()?);
            columns_span = Some(self.since(open));
        }
        let source = self.insert_source(columns.is_none())?;
        let row_alias = match source {
            InsertSource::Query(_) => None,
            _ => self.row_alias()?,
        };
        let on_duplicate = self.on_duplicate()?;
        Ok(Insert {
            span: self.since(start),
            replace,
            hints,
            priority,
            ignore,
            table,
            partitions,
            columns,
            columns_span,
            source,
            row_alias,
            on_duplicate,
        })
    }

    fn insert_columns(&mut self) -> Parse<Vec<ColumnRef<'a>>> {
        self.expect(Tok::LParen)?;
        if self.eat(Tok::RParen) {
            return Ok(Vec::new());
        }
        let columns = self.list(Self::column_name)?;
        self.expect(Tok::RParen)?;
        Ok(columns)
    }

    fn insert_source(&mut self, set_allowed: bool) -> Parse<InsertSource<'a>> {
        let start = self.start();
        match self.current.kw {
            Kw::VALUES if self.peek().kw == Kw::ROW => {}
            Kw::VALUES | Kw::VALUE => {
                self.bump();
                let rows = self.list(Self::insert_row)?;
                return Ok(InsertSource::Values {
                    span: self.since(start),
                    rows,
                });
            }
            Kw::SET if set_allowed => {
                self.bump();
                let assignments = self.list(Self::assignment)?;
                return Ok(InsertSource::Set {
                    span: self.since(start),
                    assignments,
                });
            }
            _ => {}
        }
        if self.at_query_word() || self.at(Tok::LParen) {
            return Ok(InsertSource::Query(Box::new(self.query()?)));
        }
        self.fail()
    }

    fn insert_row(&mut self) -> Parse<InsertRow<'a>> {
        let start = self.expect(Tok::LParen)?.span.start;
        let values = if self.at(Tok::RParen) {
            Vec::new()
        } else {
            self.list(Self::expr)?
        };
        self.expect(Tok::RParen)?;
        Ok(InsertRow {
            span: self.since(start),
            values,
        })
    }

    fn row_alias(&mut self) -> Parse<Option<RowAlias<'a>>> {
        let start = self.start();
        if !self.eat_kw(Kw::AS) {
            return Ok(None);
        }
        let alias = self.ident()?;
        let columns = self.optional_ident_list()?;
        Ok(Some(RowAlias {
            span: self.since(start),
            alias,
            columns,
        }))
    }

    fn on_duplicate(&mut self) -> Parse<Option<OnDuplicate<'a>>> {
        let start = self.start();
        if !self.eat_kws(&[Kw::ON, Kw::DUPLICATE, Kw::KEY, Kw::UPDATE]) {
            return Ok(None);
        }
        let assignments = self.list(Self::assignment)?;
        Ok(Some(OnDuplicate {
            span: self.since(start),
            assignments,
        }))
    }

    /// `column = value`; `:=` means the same here.
    fn assignment(&mut self) -> Parse<Assignment<'a>> {
        let start = self.start();
        let column = self.column_name()?;
        if !self.eat(Tok::Eq) && !self.eat(Tok::Assign) {
            return self.fail();
        }
        let value = self.expr()?;
        Ok(Assignment {
            span: self.since(start),
            column,
            value,
        })
    }

    /// UPDATE, whose text starts at `start` (with its WITH clause).
    pub(super) fn update(&mut self, start: u32, with: Option<With<'a>>) -> Parse<Update<'a>> {
        self.bump();
        let hints = self.hints();
        let low_priority = self.eat_kw(Kw::LOW_PRIORITY);
        let ignore = self.eat_kw(Kw::IGNORE);
        let tables_start = self.start();
        let tables = self.table_refs()?;
        let tables_span = self.since(tables_start);
        self.expect_kw(Kw::SET)?;
        let assignments = self.list(Self::assignment)?;
        let where_clause = self.condition(Kw::WHERE)?;
        let order_by = self.order_by()?;
        let limit = self.limit()?;
        Ok(Update {
            span: self.since(start),
            with,
            hints,
            low_priority,
            ignore,
            tables,
            tables_span,
            assignments,
            where_clause,
            order_by,
            limit,
        })
    }

    /// DELETE, whose text starts at `start` (with its WITH clause).
    pub(super) fn delete(&mut self, start: u32, with: Option<With<'a>>) -> Parse<Delete<'a>> {
        self.bump();
        let hints = self.hints();
        let (mut low_priority, mut quick, mut ignore) = (false, false, false);
        loop {
            match self.current.kw {
                Kw::LOW_PRIORITY => low_priority = true,
                // QUICK is not reserved, but `DELETE quick FROM ..` would be the multi-table form.
                Kw::QUICK if !matches!(self.peek().tok, Tok::Comma | Tok::Dot) => quick = true,
                Kw::IGNORE => ignore = true,
                _ => break,
            }
            self.bump();
        }
        let (targets, tables, tables_span) = self.delete_tables()?;
        let where_clause = self.condition(Kw::WHERE)?;
        let order_by = self.order_by()?;
        let limit = self.limit()?;
        Ok(Delete {
            span: self.since(start),
            with,
            hints,
            low_priority,
            quick,
            ignore,
            targets,
            tables,
            tables_span,
            where_clause,
            order_by,
            limit,
        })
    }

    /// `FROM t`, `a, b FROM tables` or `FROM a, b USING tables`.
    fn delete_tables(&mut self) -> Parse<(Vec<ObjectName<'a>>, Vec<TableRef<'a>>, Span)> {
        if !self.eat_kw(Kw::FROM) {
            let targets = self.list(Self::delete_target)?;
            self.expect_kw(Kw::FROM)?;
            let start = self.start();
            let tables = self.table_refs()?;
            return Ok((targets, tables, self.since(start)));
        }
        let start = self.start();
        if self.is_multi_delete() {
            let targets = self.list(Self::delete_target)?;
            self.expect_kw(Kw::USING)?;
            let start = self.start();
            let tables = self.table_refs()?;
            return Ok((targets, tables, self.since(start)));
        }
        let table = TableRef::Table(Box::new(self.named_table()?));
        Ok((Vec::new(), vec![table], self.since(start)))
    }

    /// Whether USING follows the names after `DELETE FROM`.
    fn is_multi_delete(&self) -> bool {
        let mut lexer = self.lexer;
        let mut token = self.current;
        loop {
            match token.tok {
                Tok::Word if token.kw == Kw::USING => return true,
                Tok::Word if !self.is_ident(token) => return false,
                Tok::Word | Tok::QuotedIdent | Tok::Dot | Tok::Star => {}
                Tok::Comma => return true,
                _ => return false,
            }
            token = lexer.next();
        }
    }

    /// `t`, `db.t`, `t.*`, `db.t.*`.
    fn delete_target(&mut self) -> Parse<ObjectName<'a>> {
        let first = self.ident()?;
        let mut name = ObjectName {
            schema: None,
            name: first,
        };
        while self.eat(Tok::Dot) {
            if self.eat(Tok::Star) {
                break;
            }
            let part = self.ident_after_dot()?;
            name = ObjectName {
                schema: Some(name.name),
                name: part,
            };
        }
        Ok(name)
    }

    pub(super) fn load(&mut self) -> Parse<StatementKind<'a>> {
        let start = self.bump().span.start;
        if self.at_kw(Kw::INDEX) {
            return self.other(start, OtherKind::LoadIndex);
        }
        if self.eat_any(&[Kw::DATA, Kw::XML]).is_none() {
            return self.fail();
        }
        let mut local = false;
        while !self.at(Tok::String) {
            match self.current.kw {
                Kw::LOCAL => local = true,
                _ if self.at(Tok::Word) => {}
                _ => return self.fail(),
            }
            self.bump();
        }
        let file = self.string_literal()?;
        while !self.at_pair(Kw::INTO, Kw::TABLE) {
            if matches!(self.current.tok, Tok::Eof | Tok::Bad | Tok::Semicolon) {
                return self.fail();
            }
            self.bump();
        }
        self.bump();
        self.bump();
        let table = self.object_name()?;
        self.skip_to_statement_end()?;
        Ok(StatementKind::LoadData(Box::new(LoadData {
            span: self.since(start),
            local,
            file,
            table,
        })))
    }

    pub(super) fn call_procedure(&mut self) -> Parse<CallProcedure<'a>> {
        let start = self.bump().span.start;
        let name = self.object_name()?;
        let mut args: Vec<Expr<'a>> = Vec::new();
        if self.eat(Tok::LParen) {
            if !self.at(Tok::RParen) {
                args = self.list(Self::expr)?;
            }
            self.expect(Tok::RParen)?;
        }
        Ok(CallProcedure {
            span: self.since(start),
            name,
            args,
        })
    }
}
