//! Column and key definitions.

use super::{Parse, Parser};
use crate::ast::{ColumnDef, Expr, ExprKind, KeyDef, KeyKind, KeyPart, ObjectName};
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::span::Span;

impl<'a> Parser<'a> {
    /// Whether a key or constraint starts here, not a column.
    pub(super) fn at_key_def(&self) -> bool {
        self.at_any(&[
            Kw::CONSTRAINT,
            Kw::PRIMARY,
            Kw::UNIQUE,
            Kw::INDEX,
            Kw::KEY,
            Kw::FULLTEXT,
            Kw::SPATIAL,
            Kw::FOREIGN,
            Kw::CHECK,
        ])
    }

    pub(super) fn column_def(&mut self) -> Parse<ColumnDef<'a>> {
        let start = self.start();
        let name = self.ident()?;
        let type_start = self.start();
        let serial = self.at_kw(Kw::SERIAL);
        self.data_type()?;
        let type_span = self.since(type_start);
        let mut column = ColumnDef {
            span: Span::empty(start),
            name,
            type_span,
            options: Span::empty(self.end),
            auto_increment: serial,
            nullable: serial.then_some(false),
            primary: false,
            unique: serial,
            invisible: false,
            generated: None,
            default: None,
            references: None,
        };
        let options_start = self.start();
        let before = self.end;
        while self.column_option(&mut column)? {}
        if self.end > before {
            column.options = self.since(options_start);
        }
        column.span = self.since(start);
        Ok(column)
    }

    /// A type with its length, sign and character set.
    fn data_type(&mut self) -> Parse<()> {
        if !self.at(Tok::Word) {
            return self.fail();
        }
        let first = self.bump().kw;
        match first {
            Kw::DOUBLE => {
                self.eat_kw(Kw::PRECISION);
            }
            Kw::LONG => {
                self.eat_any(&[Kw::VARCHAR, Kw::VARBINARY, Kw::VARCHARACTER]);
                if self.eat_any(&[Kw::CHAR, Kw::CHARACTER]).is_some() {
                    self.eat_kw(Kw::VARYING);
                }
            }
            Kw::CHAR | Kw::CHARACTER | Kw::NCHAR => {
                self.eat_any(&[Kw::VARYING, Kw::VARCHAR, Kw::VARCHARACTER]);
            }
            Kw::NATIONAL => {
                self.eat_any(&[Kw::CHAR, Kw::CHARACTER, Kw::VARCHAR, Kw::VARCHARACTER]);
                self.eat_kw(Kw::VARYING);
            }
            _ => {}
        }
        if self.at(Tok::LParen) {
            self.skip_parens()?;
        }
        loop {
            match self.current.kw {
                Kw::UNSIGNED
                | Kw::SIGNED
                | Kw::ZEROFILL
                | Kw::BINARY
                | Kw::ASCII
                | Kw::UNICODE
                | Kw::BYTE => {
                    self.bump();
                }
                Kw::CHARSET => {
                    self.bump();
                    self.charset_name()?;
                }
                Kw::CHARACTER | Kw::CHAR if self.peek().kw == Kw::SET => {
                    self.bump();
                    self.bump();
                    self.charset_name()?;
                }
                Kw::COLLATE => {
                    self.bump();
                    self.charset_name()?;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Reads one attribute of a column; false when there is none.
    fn column_option(&mut self, column: &mut ColumnDef<'a>) -> Parse<bool> {
        match self.current.kw {
            Kw::NOT => {
                self.bump();
                match self.eat_any(&[Kw::NULL, Kw::SECONDARY, Kw::ENFORCED]) {
                    Some(Kw::NULL) => column.nullable = Some(false),
                    Some(_) => {}
                    None => return self.fail(),
                }
            }
            Kw::NULL => {
                self.bump();
                column.nullable = Some(true);
            }
            Kw::DEFAULT => {
                self.bump();
                column.default = Some(self.default_value()?);
            }
            Kw::ON => {
                self.bump();
                self.expect_kw(Kw::UPDATE)?;
                self.bit_expr()?;
            }
            Kw::AUTO_INCREMENT => {
                self.bump();
                column.auto_increment = true;
            }
            Kw::SERIAL => {
                self.bump();
                self.expect_kw(Kw::DEFAULT)?;
                self.expect_kw(Kw::VALUE)?;
                column.auto_increment = true;
                column.nullable = Some(false);
                column.unique = true;
            }
            Kw::PRIMARY => {
                self.bump();
                self.eat_kw(Kw::KEY);
                column.primary = true;
            }
            Kw::KEY => {
                self.bump();
                column.primary = true;
            }
            Kw::UNIQUE => {
                self.bump();
                self.eat_kw(Kw::KEY);
                column.unique = true;
            }
            Kw::COMMENT => {
                self.bump();
                self.string_literal()?;
            }
            Kw::COLLATE => {
                self.bump();
                self.charset_name()?;
            }
            Kw::COLUMN_FORMAT | Kw::STORAGE => {
                self.bump();
                self.bump();
            }
            Kw::ENGINE_ATTRIBUTE | Kw::SECONDARY_ENGINE_ATTRIBUTE => {
                self.bump();
                self.eat(Tok::Eq);
                self.string_literal()?;
            }
            Kw::MASKING => {
                self.bump();
                self.expect_kw(Kw::POLICY)?;
                self.ident()?;
            }
            Kw::SRID => {
                self.bump();
                self.literal()?;
            }
            Kw::INVISIBLE => {
                self.bump();
                column.invisible = true;
            }
            Kw::VISIBLE | Kw::VIRTUAL | Kw::STORED | Kw::ENFORCED => {
                self.bump();
            }
            Kw::GENERATED => {
                self.bump();
                self.expect_kw(Kw::ALWAYS)?;
                self.expect_kw(Kw::AS)?;
                column.generated = Some(self.paren()?);
            }
            Kw::AS => {
                self.bump();
                column.generated = Some(self.paren()?);
            }
            Kw::REFERENCES => {
                let (table, _) = self.references()?;
                column.references = Some(table);
            }
            Kw::CONSTRAINT => {
                self.bump();
                if !self.at_kw(Kw::CHECK) {
                    self.ident()?;
                }
                self.expect_kw(Kw::CHECK)?;
                self.paren()?;
            }
            Kw::CHECK => {
                self.bump();
                self.paren()?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A literal, NOW or an expression in parentheses.
    fn default_value(&mut self) -> Parse<Expr<'a>> {
        if self.at(Tok::Word) && matches!(self.current.kw, Kw::NULL) {
            let span = self.bump().span;
            return Ok(Expr {
                span,
                kind: ExprKind::Null,
            });
        }
        self.expr_above(super::operators::PREFIX)
    }

    /// `REFERENCES t (a, b) MATCH .. ON DELETE .. ON UPDATE ..`.
    fn references(&mut self) -> Parse<(ObjectName<'a>, Vec<crate::ast::Ident<'a>>)> {
        self.expect_kw(Kw::REFERENCES)?;
        let table = self.object_name()?;
        let columns = self.optional_ident_list()?;
        if self.eat_kw(Kw::MATCH) {
            self.bump();
        }
        while self.at_kw(Kw::ON) && matches!(self.peek().kw, Kw::DELETE | Kw::UPDATE) {
            self.bump();
            self.bump();
            let known = self.eat_any(&[Kw::RESTRICT, Kw::CASCADE]).is_some()
                || self.eat_kws(&[Kw::SET, Kw::NULL])
                || self.eat_kws(&[Kw::SET, Kw::DEFAULT])
                || self.eat_kws(&[Kw::NO, Kw::ACTION]);
            if !known {
                return self.fail();
            }
        }
        Ok((table, columns))
    }

    pub(super) fn key_def(&mut self) -> Parse<KeyDef<'a>> {
        let start = self.start();
        let mut constraint = None;
        if self.eat_kw(Kw::CONSTRAINT) && self.at_ident() {
            constraint = Some(self.ident()?);
        }
        let kind = match self.current.kw {
            Kw::PRIMARY => KeyKind::Primary,
            Kw::UNIQUE => KeyKind::Unique,
            Kw::INDEX | Kw::KEY => KeyKind::Index,
            Kw::FULLTEXT => KeyKind::Fulltext,
            Kw::SPATIAL => KeyKind::Spatial,
            Kw::FOREIGN => KeyKind::Foreign,
            Kw::CHECK => KeyKind::Check,
            _ => return self.fail(),
        };
        self.bump();
        let mut key = KeyDef {
            span: Span::empty(start),
            kind,
            constraint,
            name: None,
            parts: Vec::new(),
            references: None,
            check: None,
        };
        match kind {
            KeyKind::Check => {
                key.check = Some(self.paren()?);
                self.eat_kw(Kw::NOT);
                self.eat_kw(Kw::ENFORCED);
            }
            _ => {
                match kind {
                    KeyKind::Primary | KeyKind::Foreign => {
                        self.expect_kw(Kw::KEY)?;
                    }
                    KeyKind::Index => {}
                    _ => {
                        self.eat_any(&[Kw::INDEX, Kw::KEY]);
                    }
                }
                if self.at_ident() && !self.at_kw(Kw::TYPE) {
                    key.name = Some(self.ident()?);
                }
                self.index_type()?;
                key.parts = self.paren_list(Self::key_part)?;
                if kind == KeyKind::Foreign {
                    key.references = Some(self.references()?);
                } else {
                    self.index_options()?;
                }
            }
        }
        key.span = self.since(start);
        Ok(key)
    }

    /// `USING BTREE`, `TYPE BTREE`.
    pub(super) fn index_type(&mut self) -> Parse<()> {
        if self.eat_any(&[Kw::USING, Kw::TYPE]).is_some() {
            self.ident()?;
        }
        Ok(())
    }

    /// `column [(length)] [ASC|DESC]` or `(expr) [ASC|DESC]`.
    pub(super) fn key_part(&mut self) -> Parse<KeyPart<'a>> {
        let part = if self.at(Tok::LParen) {
            KeyPart::Expr(self.paren()?)
        } else {
            let name = self.ident()?;
            let prefix = self.at(Tok::LParen);
            if prefix {
                self.skip_parens()?;
            }
            KeyPart::Column { name, prefix }
        };
        self.eat_any(&[Kw::ASC, Kw::DESC]);
        Ok(part)
    }

    fn index_options(&mut self) -> Parse<()> {
        loop {
            match self.current.kw {
                Kw::USING | Kw::TYPE => self.index_type()?,
                Kw::KEY_BLOCK_SIZE | Kw::COMMENT | Kw::ENGINE_ATTRIBUTE | Kw::SECONDARY_ENGINE_ATTRIBUTE => {
                    self.bump();
                    self.eat(Tok::Eq);
                    self.literal()?;
                }
                Kw::WITH => {
                    self.bump();
                    self.expect_kw(Kw::PARSER)?;
                    self.ident()?;
                }
                Kw::VISIBLE | Kw::INVISIBLE => {
                    self.bump();
                }
                _ => return Ok(()),
            }
        }
    }
}
