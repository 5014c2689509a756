//! EXPLAIN, DESCRIBE, VEXPLAIN.

use super::{Parse, Parser};
use crate::ast::{Explain, VExplain};
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::span::Span;

impl<'a> Parser<'a> {
    pub(super) fn explain(&mut self) -> Parse<Explain<'a>> {
        if self.bump().kw == Kw::VEXPLAIN {
            return self.vexplain();
        }
        let start = self.start();
        let mut analyze = false;
        loop {
            match self.current.kw {
                Kw::ANALYZE => {
                    self.bump();
                    analyze = true;
                }
                Kw::FORMAT if self.peek().tok == Tok::Eq => {
                    self.bump();
                    self.bump();
                    self.ident_or_text()?;
                }
                Kw::INTO => {
                    self.bump();
                    self.expect(Tok::UserVar)?;
                }
                Kw::FOR if matches!(self.peek().kw, Kw::SCHEMA | Kw::DATABASE) => {
                    self.bump();
                    self.bump();
                    self.ident()?;
                }
                Kw::FOR => {
                    self.bump();
                    self.expect_kw(Kw::CONNECTION)?;
                    self.expr()?;
                    return Ok(Explain::Connection);
                }
                _ => break,
            }
        }
        let options = if self.start() == start {
            Span::empty(start)
        } else {
            self.since(start)
        };
        if self.at_explainable() {
            let statement = Box::new(self.statement()?);
            return Ok(Explain::Statement {
                analyze,
                options,
                statement,
            });
        }
        if !options.is_empty() {
            return self.fail();
        }
        let table = self.object_name()?;
        let column = if self.at_ident() {
            Some(self.ident()?)
        } else {
            None
        };
        let pattern = if column.is_none() && self.at(Tok::String) {
            Some(self.literal()?)
        } else {
            None
        };
        Ok(Explain::Table {
            table,
            column,
            pattern,
        })
    }

    fn at_explainable(&self) -> bool {
        self.at(Tok::LParen)
            || self.at_any(&[
                Kw::SELECT,
                Kw::TABLE,
                Kw::VALUES,
                Kw::WITH,
                Kw::INSERT,
                Kw::REPLACE,
                Kw::UPDATE,
                Kw::DELETE,
            ])
    }

    fn vexplain(&mut self) -> Parse<Explain<'a>> {
        let kind = match self.eat_any(&[Kw::PLAN, Kw::QUERIES, Kw::TRACE]) {
            Some(Kw::QUERIES) => VExplain::Queries,
            Some(Kw::TRACE) => VExplain::Trace,
            _ => VExplain::Plan,
        };
        let statement = Box::new(self.statement()?);
        Ok(Explain::Vitrail { kind, statement })
    }
}
