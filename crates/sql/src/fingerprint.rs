//! One pass over a statement that separates its literals from the rest: the plan cache's key and the values for a cached plan.
//!
//! The key is the text with every literal replaced by `?`. A list of literals after `IN` or `VALUES` is replaced as a whole, so that the key
//! does not depend on its length: by byte 0x01, or, for rows, by byte 0x02, the number of columns and 0x02. These bytes cannot start a token,
//! so a key has one reading. Spaces and comments stay as they are, so a place in one text can be found again in another text with the same key
//! ([`Anchor`]). NULL, TRUE, FALSE, introducers, hints and everything inside `/*! */` stay in the key.
//!
//! The key says nothing about `sql_mode`, character set or schema: a cache adds what its plans depend on.

mod hash;
mod list;
mod slot;
mod verb;

pub use hash::hash64;
pub use slot::{Anchor, Element, Found, Slot, SlotClass};
pub use verb::Verb;

use crate::ast::LiteralKind;
use crate::error::ParseError;
use crate::keyword::Kw;
use crate::lexer::LexOptions;
use crate::mode::LexMode;
use crate::scan::{self, Block, Class, Number};
use crate::span::Span;

/// The result of the pass, and the buffers for the next one: reuse it, and a pass allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Fingerprint {
    key: Vec<u8>,
    slots: Vec<Slot>,
    elements: Vec<Element>,
    hash: u64,
    verb: Verb,
    params: u32,
    semicolon: Option<u32>,
}

/// What stands before the current place, as far as a minus sign or a list depends on it.
#[derive(Clone, Copy)]
enum Previous {
    Operator,
    Operand,
    /// An unquoted word that may be a keyword.
    Word(usize, usize),
    /// An unquoted name after a point.
    Name(usize),
}

impl Fingerprint {
    /// Empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a statement. On an error the result is unspecified, but the buffers can be used again.
    ///
    /// # Errors
    /// When the text has an unfinished literal or comment, or a byte that no token starts with.
    pub fn read(&mut self, text: &[u8], options: LexOptions) -> Result<(), ParseError> {
        self.key.clear();
        self.slots.clear();
        self.elements.clear();
        self.verb = Verb::Empty;
        self.params = 0;
        self.semicolon = None;
        if u32::try_from(text.len()).is_err() {
            return Err(ParseError::new(text, 0, "Statement is too long"));
        }
        match self.scan(text, options) {
            Ok(()) => {
                self.hash = hash64(&self.key);
                Ok(())
            }
            Err(at) => Err(ParseError::syntax(text, at)),
        }
    }

    /// The text without its literals.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// A hash of [`Self::key`], equal for equal keys within one version of this crate.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The literals and lists in the order of the text.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The elements of all lists; a list slot says which are its own.
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// What the first word is.
    pub fn verb(&self) -> Verb {
        self.verb
    }

    /// How many `?` the statement has.
    pub fn params(&self) -> u32 {
        self.params
    }

    /// Where the first `;` stands, if there is one: only then the text can hold several statements.
    pub fn semicolon(&self) -> Option<u32> {
        self.semicolon
    }

    /// The pass; an error is the offset of what cannot be read.
    fn scan(&mut self, text: &[u8], options: LexOptions) -> Result<(), usize> {
        let mut at = 0;
        // Up to here the text is in the key.
        let mut copied = 0;
        let mut previous = Previous::Operator;
        let mut versioned = false;
        loop {
            let start = at;
            // Set when a literal ends at `at`.
            let mut literal = None;
            match scan::class(text, start) {
                Class::Space => {
                    at += 1;
                    continue;
                }
                Class::Letter => {
                    at = scan::ident_end(text, start, options.charset);
                    self.see_word(text, start, at);
                    previous = Previous::Word(start, at);
                    continue;
                }
                Class::Prefix => {
                    if scan::byte(text, start + 1) != b'\'' {
                        at = scan::ident_end(text, start, options.charset);
                        self.see_word(text, start, at);
                        previous = Previous::Word(start, at);
                        continue;
                    }
                    if matches!(scan::byte(text, start), b'n' | b'N') {
                        self.see_symbol();
                        at = start + 1;
                        previous = Previous::Operand;
                        continue;
                    }
                    let (kind, end) = scan::quoted_bits_end(text, start).ok_or(start)?;
                    at = end;
                    literal = Some(kind);
                }
                Class::Dollar => {
                    self.see_symbol();
                    match scan::dollar_quoted_end(text, start) {
                        Some(end) => {
                            at = end;
                            previous = Previous::Operand;
                        }
                        None => {
                            at = scan::ident_end(text, start, options.charset);
                            previous = Previous::Word(start, at);
                        }
                    }
                    continue;
                }
                Class::Digit => match scan::number(text, start) {
                    Number::Literal(kind, end) => {
                        at = end;
                        literal = Some(kind);
                    }
                    Number::Word => {
                        self.see_symbol();
                        at = scan::ident_end(text, start, options.charset);
                        previous = Previous::Word(start, at);
                        continue;
                    }
                    Number::Bad => return Err(start),
                },
                Class::Quote => {
                    at = scan::string_end(text, start, options).ok_or(start)?;
                    literal = Some(LiteralKind::String);
                }
                Class::DoubleQuote => {
                    if options.mode.has(LexMode::ANSI_QUOTES) {
                        at = scan::quoted_ident_end(text, start, options.charset).ok_or(start)?;
                    } else {
                        at = scan::string_end(text, start, options).ok_or(start)?;
                        literal = Some(LiteralKind::String);
                    }
                }
                Class::Backtick => at = scan::quoted_ident_end(text, start, options.charset).ok_or(start)?,
                Class::Minus => {
                    if scan::is_dash_comment(text, start) {
                        at = scan::line_end(text, start);
                        continue;
                    }
                    match scan::signed_number(text, start) {
                        Some((kind, end)) if takes_sign(text, previous) => {
                            at = end;
                            literal = Some(kind);
                        }
                        _ => {
                            self.see_symbol();
                            at = start + 1;
                            previous = Previous::Operator;
                            continue;
                        }
                    }
                }
                Class::Slash => {
                    match scan::block(text, start, options.server_version) {
                        Block::No => {
                            self.see_symbol();
                            at = start + 1;
                            previous = Previous::Operator;
                        }
                        Block::Comment(end) | Block::Hint(end) => at = end,
                        Block::Versioned(content) => {
                            versioned = true;
                            at = content;
                        }
                        Block::Endless => return Err(start),
                    }
                    continue;
                }
                Class::Star if versioned && scan::byte(text, start + 1) == b'/' => {
                    versioned = false;
                    at = start + 2;
                    continue;
                }
                Class::Hash => {
                    at = scan::line_end(text, start);
                    continue;
                }
                Class::Dot => {
                    let touches_name =
                        matches!(previous, Previous::Word(_, end) | Previous::Name(end) if end == start);
                    if !touches_name && scan::is_digit(text, start + 1) {
                        let Number::Literal(kind, end) = scan::number(text, start) else {
                            return Err(start);
                        };
                        at = end;
                        literal = Some(kind);
                    } else {
                        self.see_symbol();
                        at = start + 1;
                        previous = Previous::Operator;
                        if scan::is_ident(text, at) {
                            at = scan::ident_end(text, at, options.charset);
                            previous = Previous::Name(at);
                        }
                        continue;
                    }
                }
                Class::At => {
                    if scan::byte(text, start + 1) == b'@' {
                        self.see_symbol();
                        at = start + 2;
                        previous = Previous::Operand;
                        if scan::is_ident(text, at) {
                            at = scan::ident_end(text, at, options.charset);
                            previous = Previous::Name(at);
                        }
                        continue;
                    }
                    at = scan::user_var_end(text, start, options).ok_or(start)?;
                }
                Class::Question => {
                    at = start + 1;
                    self.see_symbol();
                    if !versioned {
                        self.copy(text, copied, start);
                        self.key.push(b'?');
                        copied = at;
                        self.slots.push(Slot {
                            span: span(start, at),
                            class: SlotClass::Param(self.params),
                            negative: false,
                        });
                    }
                    self.params += 1;
                }
                Class::Open => {
                    self.see_paren();
                    if !versioned
                        && let Previous::Word(from, to) = previous
                        && let Some(end) = self.list(text, (from, to), start, options)
                    {
                        let list = self.slots.last().map_or(Span::default(), |slot| slot.span);
                        self.copy(text, copied, list.start as usize);
                        self.push_list_marker();
                        copied = list.end as usize;
                        at = end;
                        previous = Previous::Operand;
                        continue;
                    }
                    at = start + 1;
                    previous = Previous::Operator;
                    continue;
                }
                Class::Close | Class::CloseBrace => at = start + 1,
                Class::Semicolon => {
                    self.semicolon = self.semicolon.or(Some(start as u32));
                    at = start + 1;
                    previous = Previous::Operator;
                    continue;
                }
                Class::Comma | Class::Operator | Class::Star => {
                    at = start + 1;
                    previous = Previous::Operator;
                    continue;
                }
                Class::Bad => {
                    if start < text.len() || versioned {
                        return Err(start);
                    }
                    self.copy(text, copied, start);
                    return Ok(());
                }
            }
            self.see_symbol();
            previous = Previous::Operand;
            if let Some(kind) = literal
                && !versioned
            {
                self.copy(text, copied, start);
                self.key.push(b'?');
                copied = at;
                let span = span(start, at);
                let (class, negative) = slot::classify(text, span, kind);
                self.slots.push(Slot {
                    span,
                    class,
                    negative,
                });
            }
        }
    }

    fn copy(&mut self, text: &[u8], from: usize, to: usize) {
        self.key.extend_from_slice(text.get(from..to).unwrap_or_default());
    }

    fn see_word(&mut self, text: &[u8], start: usize, end: usize) {
        if self.verb == Verb::Empty {
            self.verb = Verb::of(text.get(start..end).unwrap_or_default());
        }
    }

    fn see_symbol(&mut self) {
        if self.verb == Verb::Empty {
            self.verb = Verb::Other;
        }
    }

    fn see_paren(&mut self) {
        if self.verb == Verb::Empty {
            self.verb = Verb::Paren;
        }
    }
}

/// Whether a number's sign may stand after what came before.
fn takes_sign(text: &[u8], previous: Previous) -> bool {
    match previous {
        Previous::Operator => true,
        Previous::Operand | Previous::Name(_) => false,
        Previous::Word(start, end) => text.get(start..end).is_some_and(|word| Kw::of(word).takes_sign()),
    }
}

fn span(start: usize, end: usize) -> Span {
    Span::new(start as u32, end as u32)
}

#[cfg(test)]
mod tests;
