//! Names.

use std::borrow::Cow;

use super::{Parse, Parser};
use crate::ast::{ColumnRef, Ident, ObjectName};
use crate::keyword::Kw;
use crate::lexer::{Tok, Token};
use crate::mode::LexMode;
use crate::text;

impl<'a> Parser<'a> {
    /// Whether the token can be an identifier.
    pub(super) fn is_ident(&self, token: Token) -> bool {
        match token.tok {
            Tok::QuotedIdent => true,
            Tok::Word => token.kw == Kw::None || !token.kw.is_reserved(self.options.server_version),
            _ => false,
        }
    }

    pub(super) fn at_ident(&self) -> bool {
        self.is_ident(self.current)
    }

    /// The identifier that a token spells.
    pub(super) fn to_ident(&self, token: Token) -> Ident<'a> {
        let raw = token.span.of(self.text);
        let value = match token.tok {
            Tok::QuotedIdent => text::unquote_ident(raw, self.options.charset),
            Tok::String => text::unescape(raw, self.options),
            _ => Cow::Borrowed(raw),
        };
        Ident {
            value,
            span: token.span,
            quoted: token.tok != Tok::Word,
        }
    }

    pub(super) fn ident(&mut self) -> Parse<Ident<'a>> {
        if !self.at_ident() {
            return self.fail();
        }
        let token = self.bump();
        Ok(self.to_ident(token))
    }

    /// The name after a point, where reserved words are names, too.
    pub(super) fn ident_after_dot(&mut self) -> Parse<Ident<'a>> {
        if !matches!(self.current.tok, Tok::QuotedIdent | Tok::Word) {
            return self.fail();
        }
        let token = self.bump();
        Ok(self.to_ident(token))
    }

    /// An identifier, or a string in its place.
    pub(super) fn ident_or_text(&mut self) -> Parse<Ident<'a>> {
        if self.at(Tok::String) {
            let token = self.bump();
            return Ok(self.to_ident(token));
        }
        self.ident()
    }

    /// The name of a character set or collation: an identifier, a string, or BINARY.
    pub(super) fn charset_name(&mut self) -> Parse<Ident<'a>> {
        if self.at_kw(Kw::BINARY) {
            let token = self.bump();
            return Ok(self.to_ident(token));
        }
        self.ident_or_text()
    }

    /// `[schema.]name`.
    pub(super) fn object_name(&mut self) -> Parse<ObjectName<'a>> {
        let first = self.ident()?;
        if self.eat(Tok::Dot) {
            let name = self.ident_after_dot()?;
            return Ok(ObjectName {
                schema: Some(first),
                name,
            });
        }
        Ok(ObjectName {
            schema: None,
            name: first,
        })
    }

    /// `[[schema.]table.]column`.
    pub(super) fn column_name(&mut self) -> Parse<ColumnRef<'a>> {
        let first = self.ident()?;
        self.column_after(first)
    }

    /// The rest of a column's name after its first part.
    pub(super) fn column_after(&mut self, first: Ident<'a>) -> Parse<ColumnRef<'a>> {
        if !self.eat(Tok::Dot) {
            return Ok(ColumnRef {
                schema: None,
                table: None,
                column: first,
            });
        }
        let second = self.ident_after_dot()?;
        if !self.eat(Tok::Dot) {
            return Ok(ColumnRef {
                schema: None,
                table: Some(first),
                column: second,
            });
        }
        let column = self.ident_after_dot()?;
        Ok(ColumnRef {
            schema: Some(first),
            table: Some(second),
            column,
        })
    }

    /// `[AS] alias` where an alias may be a string (select list).
    pub(super) fn select_alias(&mut self) -> Parse<Option<Ident<'a>>> {
        if self.eat_kw(Kw::AS) {
            return self.ident_or_text().map(Some);
        }
        if self.at_ident() || self.at(Tok::String) {
            return self.ident_or_text().map(Some);
        }
        Ok(None)
    }

    /// `[AS] alias` of a table.
    pub(super) fn table_alias(&mut self) -> Parse<Option<Ident<'a>>> {
        if self.eat_kw(Kw::AS) || self.at_ident() {
            return self.ident().map(Some);
        }
        Ok(None)
    }

    /// `(a, b)`, or nothing.
    pub(super) fn optional_ident_list(&mut self) -> Parse<Vec<Ident<'a>>> {
        if self.at(Tok::LParen) {
            self.paren_list(Self::ident)
        } else {
            Ok(Vec::new())
        }
    }

    /// The name of a user variable token, without `@`.
    pub(super) fn user_var_name(&self, token: Token) -> Ident<'a> {
        let raw = token.span.of(self.text);
        let name = raw.get(1..).unwrap_or_default();
        let (value, quoted) = match name.first() {
            Some(b'`') => (text::unquote_ident(name, self.options.charset), true),
            Some(b'"') if self.options.mode.has(LexMode::ANSI_QUOTES) => {
                (text::unquote_ident(name, self.options.charset), true)
            }
            Some(b'\'' | b'"') => (text::unescape(name, self.options), true),
            _ => (Cow::Borrowed(name), false),
        };
        Ident {
            value,
            span: token.span,
            quoted,
        }
    }
}
