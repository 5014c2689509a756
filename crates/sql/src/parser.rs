//! The parser: recursive descent over the lexer's tokens, operators by binding power.
//!
//! It accepts what MySQL 8.0 to 9.7 accept, and in some corners a little more (an option twice, a clause that MySQL refuses later): the server
//! behind has the last word. It must never read an accepted text differently from MySQL.

mod alter;
mod call;
mod ddl;
mod definer;
mod dml;
mod explain;
mod expr;
mod keys;
mod names;
mod operators;
mod other;
mod primary;
mod query;
mod select;
mod session;
mod set;
mod show;
mod statement;
mod syntax;
mod table;
mod window;

use crate::ast::{IntoClause, Statement};
use crate::error::ParseError;
use crate::keyword::Kw;
use crate::lexer::{LexOptions, Lexer, Tok, Token};
use crate::span::Span;

/// How deep parentheses, subqueries and calls may nest; a pair of parentheses counts twice. MySQL's own limit depends on its thread stack and
/// is higher. At this depth the parser fits the 2 MiB stack of a Rust thread even in a debug build.
const MAX_NESTING: u32 = 160;
/// How high an expression's tree may get by chains of operators such as `a + b + c`, so that whoever walks it recursively fits the stack, too.
/// The operands of one AND or OR chain are siblings and do not count.
const MAX_HEIGHT: u32 = 500;

/// Parses one statement; a `;` at its end is allowed.
///
/// # Errors
/// A text that MySQL's grammar does not have (or that this parser does not know), with the place and a message like MySQL's; also one that
/// nests too deeply.
pub fn parse(text: &[u8], options: LexOptions) -> Result<Statement<'_>, ParseError> {
    if u32::try_from(text.len()).is_err() {
        return Err(ParseError::new(text, 0, "Statement is too long"));
    }
    let mut parser = Parser::new(text, options);
    parser.statement_to_end().map_err(|failure| match failure.reason {
        Reason::Syntax => ParseError::syntax(text, failure.at as usize),
        Reason::TooDeep => ParseError::new(text, failure.at as usize, "Statement is nested too deeply"),
    })
}

/// Why and where parsing stopped.
#[derive(Clone, Copy, Debug)]
struct Failure {
    at: u32,
    reason: Reason,
}

#[derive(Clone, Copy, Debug)]
enum Reason {
    Syntax,
    TooDeep,
}

type Parse<T> = Result<T, Failure>;

struct Parser<'a> {
    text: &'a [u8],
    options: LexOptions,
    lexer: Lexer<'a>,
    /// The token to be read next.
    current: Token,
    /// Where the last read token ended.
    end: u32,
    /// How many `?` were read.
    params: u32,
    /// Open recursions.
    nesting: u32,
    /// Greatest height of an expression since the enclosing one began.
    height: u32,
    /// The INTO clause that was read inside a SELECT and belongs to its query.
    into: Option<IntoClause<'a>>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a [u8], options: LexOptions) -> Self {
        let mut lexer = Lexer::new(text, options);
        let current = lexer.next();
        Self {
            text,
            options,
            lexer,
            current,
            end: current.span.start,
            params: 0,
            nesting: 0,
            height: 0,
            into: None,
        }
    }

    /// Reads the current token.
    fn bump(&mut self) -> Token {
        let token = self.current;
        self.end = token.span.end;
        self.params += u32::from(token.tok == Tok::Param);
        self.current = self.lexer.next();
        token
    }

    /// The token after the current one.
    fn peek(&self) -> Token {
        let mut lexer = self.lexer;
        lexer.next()
    }

    /// The token `distance` tokens after the current one.
    fn peek_at(&self, distance: usize) -> Token {
        let mut lexer = self.lexer;
        (1..distance).for_each(|_| {
            lexer.next();
        });
        lexer.next()
    }

    fn at(&self, tok: Tok) -> bool {
        self.current.tok == tok
    }

    fn at_kw(&self, kw: Kw) -> bool {
        self.current.kw == kw
    }

    fn at_any(&self, kws: &[Kw]) -> bool {
        self.current.kw != Kw::None && kws.contains(&self.current.kw)
    }

    /// Whether the current token is the first keyword and the next one the second.
    fn at_pair(&self, first: Kw, second: Kw) -> bool {
        self.at_kw(first) && self.peek().kw == second
    }

    fn eat(&mut self, tok: Tok) -> bool {
        let found = self.at(tok);
        if found {
            self.bump();
        }
        found
    }

    fn eat_kw(&mut self, kw: Kw) -> bool {
        let found = self.at_kw(kw);
        if found {
            self.bump();
        }
        found
    }

    /// Reads one of the keywords, if it is there.
    fn eat_any(&mut self, kws: &[Kw]) -> Option<Kw> {
        if self.at_any(kws) {
            Some(self.bump().kw)
        } else {
            None
        }
    }

    /// Reads the keywords when all of them follow each other here.
    fn eat_kws(&mut self, kws: &[Kw]) -> bool {
        let mut lexer = self.lexer;
        let mut token = self.current;
        for kw in kws {
            if token.kw != *kw {
                return false;
            }
            token = lexer.next();
        }
        kws.iter().for_each(|_| {
            self.bump();
        });
        true
    }

    fn expect(&mut self, tok: Tok) -> Parse<Token> {
        if self.at(tok) {
            Ok(self.bump())
        } else {
            self.fail()
        }
    }

    fn expect_kw(&mut self, kw: Kw) -> Parse<Token> {
        if self.at_kw(kw) {
            Ok(self.bump())
        } else {
            self.fail()
        }
    }

    /// A syntax error at the current token.
    fn fail<T>(&self) -> Parse<T> {
        Err(Failure {
            at: self.current.span.start,
            reason: Reason::Syntax,
        })
    }

    /// From `start` to the end of the last read token.
    fn since(&self, start: u32) -> Span {
        Span::new(start, self.end.max(start))
    }

    fn start(&self) -> u32 {
        self.current.span.start
    }

    /// Enters a recursion; every call is paired with [`Self::leave`] unless the parse fails.
    fn enter(&mut self) -> Parse<()> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(Failure {
                at: self.current.span.start,
                reason: Reason::TooDeep,
            });
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.nesting -= 1;
    }

    /// Counts one more level of the tree that is being built.
    fn grow(&mut self) -> Parse<()> {
        self.height += 1;
        if self.height > MAX_HEIGHT {
            return Err(Failure {
                at: self.current.span.start,
                reason: Reason::TooDeep,
            });
        }
        Ok(())
    }

    /// Items separated by commas, at least one.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parse<T>) -> Parse<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat(Tok::Comma) {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// A list in parentheses.
    fn paren_list<T>(&mut self, item: impl FnMut(&mut Self) -> Parse<T>) -> Parse<Vec<T>> {
        self.expect(Tok::LParen)?;
        let items = self.list(item)?;
        self.expect(Tok::RParen)?;
        Ok(items)
    }

    /// Skips a balanced `( ... )` and gives its range.
    fn skip_parens(&mut self) -> Parse<Span> {
        let start = self.expect(Tok::LParen)?.span.start;
        let mut open = 1u32;
        while open > 0 {
            match self.current.tok {
                Tok::LParen => open += 1,
                Tok::RParen => open -= 1,
                Tok::Eof | Tok::Bad | Tok::Semicolon => return self.fail(),
                _ => {}
            }
            self.bump();
        }
        Ok(self.since(start))
    }

    /// Reads every token up to the end of the text; a `;` inside is read, too (bodies of stored programs).
    fn skip_all(&mut self) -> Parse<()> {
        loop {
            match self.current.tok {
                Tok::Eof => return Ok(()),
                Tok::Bad => return self.fail(),
                Tok::Semicolon => {
                    // A `;` at the very end is not part of the statement.
                    let end = self.end;
                    self.bump();
                    if self.at(Tok::Eof) {
                        self.end = end;
                    }
                }
                _ => {
                    self.bump();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
