//! OVER and window definitions.

use super::{Parse, Parser};
use crate::ast::{Expr, Frame, NamedWindow, Over, OverWindow, WindowSpec};
use crate::keyword::Kw;
use crate::lexer::Tok;

impl<'a> Parser<'a> {
    /// What may follow a function's `)`: `FROM FIRST` and `RESPECT NULLS` of the functions that have them, OVER.
    pub(super) fn over(&mut self, function: Kw) -> Parse<Option<Over<'a>>> {
        let start = self.start();
        if function == Kw::NTH_VALUE && self.at_kw(Kw::FROM) {
            // `FROM first` may as well be the FROM clause.
            let (order, next) = (self.peek().kw, self.peek_at(2).kw);
            if matches!(order, Kw::FIRST | Kw::LAST) && matches!(next, Kw::RESPECT | Kw::IGNORE | Kw::OVER) {
                self.bump();
                self.bump();
            }
        }
        if matches!(
            function,
            Kw::NTH_VALUE | Kw::LEAD | Kw::LAG | Kw::FIRST_VALUE | Kw::LAST_VALUE
        ) && self.at_any(&[Kw::RESPECT, Kw::IGNORE])
        {
            self.bump();
            self.expect_kw(Kw::NULLS)?;
        }
        if !self.at_kw(Kw::OVER) {
            return if self.start() == start {
                Ok(None)
            } else {
                self.fail()
            };
        }
        self.bump();
        let window = if self.at(Tok::LParen) {
            OverWindow::Spec(self.window_spec()?)
        } else {
            OverWindow::Name(self.ident()?)
        };
        Ok(Some(Over {
            span: self.since(start),
            window,
        }))
    }

    /// `WINDOW a AS (...), b AS (...)`.
    pub(super) fn named_windows(&mut self) -> Parse<Vec<NamedWindow<'a>>> {
        if !self.eat_kw(Kw::WINDOW) {
            return Ok(Vec::new());
        }
        self.list(|parser| {
            let name = parser.ident()?;
            parser.expect_kw(Kw::AS)?;
            Ok(NamedWindow {
                name,
                spec: parser.window_spec()?,
            })
        })
    }

    fn window_spec(&mut self) -> Parse<WindowSpec<'a>> {
        let start = self.expect(Tok::LParen)?.span.start;
        let base = if self.at_ident() {
            Some(self.ident()?)
        } else {
            None
        };
        let mut partition_by = Vec::new();
        if self.eat_kw(Kw::PARTITION) {
            self.expect_kw(Kw::BY)?;
            partition_by = self.list(Self::expr)?;
        }
        let order_by = self.order_by()?;
        let frame = self.frame()?;
        self.expect(Tok::RParen)?;
        Ok(WindowSpec {
            span: self.since(start),
            base,
            partition_by,
            order_by,
            frame,
        })
    }

    fn frame(&mut self) -> Parse<Option<Frame<'a>>> {
        let start = self.start();
        if self.eat_any(&[Kw::ROWS, Kw::RANGE, Kw::GROUPS]).is_none() {
            return Ok(None);
        }
        let mut bounds = Vec::new();
        if self.eat_kw(Kw::BETWEEN) {
            bounds.extend(self.frame_bound()?);
            self.expect_kw(Kw::AND)?;
        }
        bounds.extend(self.frame_bound()?);
        if self.eat_kw(Kw::EXCLUDE) {
            while self.at(Tok::Word) {
                self.bump();
            }
        }
        Ok(Some(Frame {
            span: self.since(start),
            bounds,
        }))
    }

    /// One bound; its expression, if it has one.
    fn frame_bound(&mut self) -> Parse<Option<Expr<'a>>> {
        if self.eat_kws(&[Kw::CURRENT, Kw::ROW]) {
            return Ok(None);
        }
        let bound = if self.eat_kw(Kw::UNBOUNDED) {
            None
        } else {
            Some(self.bit_expr()?)
        };
        match self.eat_any(&[Kw::PRECEDING, Kw::FOLLOWING]) {
            Some(_) => Ok(bound),
            None => self.fail(),
        }
    }
}
