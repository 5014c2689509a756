//! Splitting a text into statements, as CLIENT_MULTI_STATEMENTS needs it.
//!
//! The same lexer reads texts here and in the parser, and a backend never gets more than one statement at a time, so that a disagreement with
//! MySQL about where a statement ends is a syntax error and no injection.

use crate::keyword::Kw;
use crate::lexer::{LexOptions, Lexer, Tok, Token};
use crate::span::Span;

/// The statements of `text`, lazily: each from its first to its last token, without its `;`.
///
/// Spaces, comments and `;` at the end of the text are no statement; an empty statement in between is one with an empty span. A text that
/// cannot be read is part of the last statement, and the parser tells where.
pub fn split(text: &[u8], options: LexOptions) -> Statements<'_> {
    Statements { text, options, at: 0 }
}

/// See [`split`].
#[derive(Clone, Debug)]
pub struct Statements<'a> {
    text: &'a [u8],
    options: LexOptions,
    /// Where the next statement's text begins.
    at: usize,
}

impl Statements<'_> {
    /// Whether nothing but spaces, comments and `;` is left.
    fn is_done(&self) -> bool {
        let mut lexer = Lexer::starting_at(self.text, self.at, self.options);
        loop {
            match lexer.next().tok {
                Tok::Semicolon => {}
                tok => return tok == Tok::Eof,
            }
        }
    }
}

impl Iterator for Statements<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        if self.is_done() {
            return None;
        }
        let mut lexer = Lexer::starting_at(self.text, self.at, self.options);
        let mut program = Program::default();
        let mut span: Option<Span> = None;
        loop {
            let token = lexer.next();
            match token.tok {
                Tok::Semicolon if program.ends_here() => {
                    self.at = token.span.end as usize;
                    return Some(span.unwrap_or(Span::empty(token.span.start)));
                }
                Tok::Eof => {
                    self.at = self.text.len();
                    return span;
                }
                Tok::Bad => {
                    self.at = self.text.len();
                    return Some(span.map_or(token.span, |span| span.to(token.span)));
                }
                _ => {
                    program.see(token, &lexer);
                    span = Some(span.map_or(token.span, |span| span.to(token.span)));
                }
            }
        }
    }
}

/// Follows the compound statements of a stored program's body, in which a `;` does not end the statement.
#[derive(Default)]
struct Program {
    /// Tokens seen so far, up to a few.
    seen: u32,
    /// CREATE, or ALTER of an event.
    creates: bool,
    /// It is a procedure, function, trigger or event.
    is_program: bool,
    /// Open BEGIN, IF, CASE, LOOP, WHILE, REPEAT.
    open: u32,
    /// The last token.
    last: Option<Token>,
}

impl Program {
    fn ends_here(&self) -> bool {
        self.open == 0
    }

    fn see(&mut self, token: Token, lexer: &Lexer<'_>) {
        self.seen = self.seen.saturating_add(1);
        if self.seen == 1 {
            self.creates = matches!(token.kw, Kw::CREATE | Kw::ALTER);
        }
        let after_end = self.last.is_some_and(|last| last.kw == Kw::END);
        if self.is_program {
            self.see_in_program(token, after_end, lexer);
        } else if self.creates && self.seen < 24 {
            self.is_program = matches!(token.kw, Kw::PROCEDURE | Kw::FUNCTION | Kw::TRIGGER | Kw::EVENT);
        }
        self.last = Some(token);
    }

    fn see_in_program(&mut self, token: Token, after_end: bool, lexer: &Lexer<'_>) {
        match token.kw {
            Kw::END => self.open = self.open.saturating_sub(1),
            Kw::CASE if !after_end => self.open += 1,
            Kw::BEGIN | Kw::LOOP | Kw::WHILE if !after_end && self.at_statement() => self.open += 1,
            Kw::IF | Kw::REPEAT if !after_end && self.at_statement() && !is_exists_clause(token, *lexer) => {
                self.open += 1
            }
            _ => {}
        }
    }

    /// Whether a statement of the body can start after the last token, and no expression.
    fn at_statement(&self) -> bool {
        match self.last {
            None => true,
            Some(last) => match last.tok {
                Tok::Semicolon | Tok::Colon | Tok::RParen => true,
                // The end of a characteristic: `COMMENT 'x'`, `SQLSTATE '02000'`, `HANDLER FOR 1062`, `CHAR BINARY`.
                Tok::String | Tok::Integer => true,
                Tok::Word => !last.kw.takes_sign() || matches!(last.kw, Kw::ELSE | Kw::THEN | Kw::BINARY),
                _ => false,
            },
        }
    }
}

/// Whether `token` is the IF of IF EXISTS or IF NOT EXISTS before a name.
fn is_exists_clause(token: Token, mut lexer: Lexer<'_>) -> bool {
    if token.kw != Kw::IF {
        return false;
    }
    let mut next = lexer.next();
    if next.kw == Kw::NOT {
        next = lexer.next();
    }
    next.kw == Kw::EXISTS && lexer.next().tok != Tok::LParen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<&str> {
        split(text.as_bytes(), LexOptions::default())
            .map(|span| &text[span.start as usize..span.end as usize])
            .collect()
    }

    #[test]
    fn splits_at_semicolons_outside_of_tokens() {
        assert_eq!(
            parts("select 1; select ';', `;`, \";\" /* ; */ -- ;\n; select 3"),
            ["select 1", "select ';', `;`, \";\"", "select 3"]
        );
        assert_eq!(parts("select 1;"), ["select 1"]);
        assert_eq!(parts(" select 1 ; ; \n -- end"), ["select 1"]);
        assert_eq!(parts("select 1;;select 2"), ["select 1", "", "select 2"]);
        assert_eq!(parts(""), [""; 0]);
        assert_eq!(parts("select 1; select 'open"), ["select 1", "select 'open"]);
    }

    #[test]
    fn keeps_bodies_of_stored_programs_together() {
        let body = "create procedure p() begin select 1; if a then select case b when 1 then 2 end; end if; \
                    while x do set y = if(1, 2, 3); end while; begin end; end";
        assert_eq!(parts(&format!("{body}; select 2")), [body, "select 2"]);
        assert_eq!(
            parts("create procedure p() select 1; select 2"),
            ["create procedure p() select 1", "select 2"]
        );
        let event = "create definer=`a`@`b` event e on schedule every 1 day do begin delete from t; end";
        assert_eq!(parts(&format!("{event}; select 2")), [event, "select 2"]);
        let trigger = "create trigger if not exists t before insert on t for each row if (new.a) then set new.a = 1; end if";
        assert_eq!(parts(&format!("{trigger}; select 2")), [trigger, "select 2"]);
        let function = "create function f() returns int return if(1, repeat('a', 2), 3)";
        assert_eq!(parts(&format!("{function}; select 2")), [function, "select 2"]);
        let handlers = "create procedure p() comment '' begin declare exit handler for 1062 begin end; declare exit handler for \
                        sqlstate '23000' begin end; end";
        assert_eq!(parts(&format!("{handlers}; select 2")), [handlers, "select 2"]);
        let labels = "create procedure p() a: loop leave a; end loop a";
        assert_eq!(parts(&format!("{labels}; select 2")), [labels, "select 2"]);
    }
}
