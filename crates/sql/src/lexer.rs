//! The lexer: tokens on demand, without allocation.

use crate::ast::LiteralKind;
use crate::charset::ClientCharset;
use crate::keyword::Kw;
use crate::mode::LexMode;
use crate::scan::{self, Block, Class, Number};
use crate::span::Span;

/// What decides how a text is read, apart from the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LexOptions {
    /// The session's `sql_mode` bits.
    pub mode: LexMode,
    /// The session's `character_set_client`.
    pub charset: ClientCharset,
    /// The version of the servers behind, 90704 for 9.7.4: `/*!` comments up to it are read, and it decides which words are reserved.
    pub server_version: u32,
}

impl Default for LexOptions {
    fn default() -> Self {
        Self {
            mode: LexMode::NONE,
            charset: ClientCharset::default(),
            server_version: 90700,
        }
    }
}

/// Kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tok {
    Eof,
    /// A byte or an unfinished literal or comment that no token starts with.
    Bad,
    /// An unquoted word; [`Token::kw`] tells which.
    Word,
    QuotedIdent,
    /// `'..'`, or `".."` unless ANSI_QUOTES.
    String,
    /// `$tag$ .. $tag$`
    DollarString,
    /// The `N` of `N'..'`.
    National,
    Integer,
    Decimal,
    Float,
    Hex,
    Bit,
    Param,
    /// `@name` with its name, which may be quoted or empty.
    UserVar,
    AtAt,
    /// `/*+ .. */` after SELECT, INSERT, REPLACE, UPDATE, DELETE.
    Hint,
    LParen,
    RParen,
    LBrace,
    RBrace,
    Comma,
    Semicolon,
    Dot,
    Colon,
    Assign,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Caret,
    Tilde,
    Amp,
    AmpAmp,
    Pipe,
    PipePipe,
    Bang,
    Eq,
    NullSafeEq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    ShiftLeft,
    ShiftRight,
    Arrow,
    LongArrow,
}

impl From<LiteralKind> for Tok {
    fn from(kind: LiteralKind) -> Self {
        match kind {
            LiteralKind::Integer => Self::Integer,
            LiteralKind::Decimal => Self::Decimal,
            LiteralKind::Float => Self::Float,
            LiteralKind::String => Self::String,
            LiteralKind::Hex => Self::Hex,
            LiteralKind::Bit => Self::Bit,
        }
    }
}

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) tok: Tok,
    /// The keyword of an unquoted word that may be one.
    pub(crate) kw: Kw,
    pub(crate) span: Span,
}

/// Reads tokens; a copy of it is a bookmark.
#[derive(Clone, Copy)]
pub(crate) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    options: LexOptions,
    /// Inside `/*! .. */`.
    versioned: bool,
    /// Whether a `-` that touches a number here is its sign.
    sign: bool,
    /// The last token was SELECT, INSERT, REPLACE, UPDATE or DELETE.
    hint: bool,
    /// Where the last token ended, if that was an unquoted word.
    word_end: Option<usize>,
    /// The last token was a point, and an identifier character touches it.
    after_dot: bool,
    /// The last token was `@@`.
    after_at: bool,
}

impl<'a> Lexer<'a> {
    /// Starts at the beginning of `text`, which must be shorter than 4 GiB.
    pub(crate) fn new(text: &'a [u8], options: LexOptions) -> Self {
        Self::starting_at(text, 0, options)
    }

    /// Starts at a place between two tokens of `text`.
    pub(crate) fn starting_at(text: &'a [u8], at: usize, options: LexOptions) -> Self {
        Self {
            text,
            at,
            options,
            versioned: false,
            sign: true,
            hint: false,
            word_end: None,
            after_dot: false,
            after_at: false,
        }
    }

    /// The next token; [`Tok::Eof`] again and again at the end, and [`Tok::Bad`] again and again where the text cannot be read.
    pub(crate) fn next(&mut self) -> Token {
        if !self.after_dot
            && let Some(token) = self.skip_to_token()
        {
            return token;
        }
        let start = self.at;
        let text = self.text;
        let class = scan::class(text, start);
        if self.after_dot || (self.after_at && scan::is_ident(text, start)) {
            return self.word(start, !self.after_dot);
        }
        match class {
            Class::Letter => self.word(start, true),
            Class::Prefix => self.prefixed(start),
            Class::Dollar => match scan::dollar_quoted_end(text, start) {
                Some(end) => self.operand(Tok::DollarString, start, end),
                None => self.word(start, true),
            },
            Class::Digit => self.number(start),
            Class::Quote => self.string(start),
            Class::DoubleQuote if self.options.mode.has(LexMode::ANSI_QUOTES) => self.quoted_ident(start),
            Class::DoubleQuote => self.string(start),
            Class::Backtick => self.quoted_ident(start),
            Class::Minus => self.minus(start),
            Class::Dot if self.word_end != Some(start) && scan::is_digit(text, start + 1) => {
                self.number(start)
            }
            Class::Dot => {
                let token = self.operator(Tok::Dot, start, 1);
                self.after_dot = scan::is_ident(text, start + 1);
                token
            }
            Class::At => self.at_sign(start),
            Class::Question => self.operand(Tok::Param, start, start + 1),
            Class::Open => self.operator(Tok::LParen, start, 1),
            Class::Close => self.operand(Tok::RParen, start, start + 1),
            Class::CloseBrace => self.operand(Tok::RBrace, start, start + 1),
            Class::Comma => self.operator(Tok::Comma, start, 1),
            Class::Semicolon => self.operator(Tok::Semicolon, start, 1),
            Class::Slash => match scan::block(text, start, self.options.server_version) {
                Block::Hint(end) => {
                    let sign = self.sign;
                    let token = self.token(Tok::Hint, Kw::None, start, end);
                    self.sign = sign;
                    token
                }
                Block::Endless => self.bad(start),
                _ => self.operator(Tok::Slash, start, 1),
            },
            Class::Star => self.operator(Tok::Star, start, 1),
            Class::Operator => self.punctuation(start),
            Class::Space | Class::Hash | Class::Bad => self.bad(start),
        }
    }

    /// Skips spaces and comments; gives the token when the text ends or cannot be read on.
    fn skip_to_token(&mut self) -> Option<Token> {
        let text = self.text;
        loop {
            let at = self.at;
            match scan::class(text, at) {
                Class::Space => self.at += 1,
                Class::Hash => self.at = scan::line_end(text, at),
                Class::Minus if scan::is_dash_comment(text, at) => self.at = scan::line_end(text, at),
                Class::Slash => match scan::block(text, at, self.options.server_version) {
                    Block::Comment(end) => self.at = end,
                    Block::Hint(end) if !self.hint => self.at = end,
                    Block::Versioned(content) => {
                        self.versioned = true;
                        self.at = content;
                    }
                    Block::No | Block::Hint(_) | Block::Endless => return None,
                },
                Class::Star if self.versioned && scan::byte(text, at + 1) == b'/' => {
                    self.versioned = false;
                    self.at += 2;
                }
                Class::Bad if at >= text.len() => {
                    return Some(if self.versioned {
                        self.bad(at)
                    } else {
                        self.token(Tok::Eof, Kw::None, at, at)
                    });
                }
                _ => return None,
            }
        }
    }

    fn token(&mut self, tok: Tok, kw: Kw, start: usize, end: usize) -> Token {
        self.at = end;
        self.sign = false;
        self.hint = false;
        self.word_end = None;
        self.after_dot = false;
        self.after_at = false;
        Token {
            tok,
            kw,
            span: Span::new(start as u32, end as u32),
        }
    }

    /// A token that does not move on: what follows cannot be read.
    fn bad(&mut self, start: usize) -> Token {
        Token {
            tok: Tok::Bad,
            kw: Kw::None,
            span: Span::new(start as u32, self.text.len() as u32),
        }
    }

    fn operand(&mut self, tok: Tok, start: usize, end: usize) -> Token {
        self.token(tok, Kw::None, start, end)
    }

    fn operator(&mut self, tok: Tok, start: usize, len: usize) -> Token {
        let token = self.token(tok, Kw::None, start, start + len);
        self.sign = true;
        token
    }

    fn word(&mut self, start: usize, keyword: bool) -> Token {
        let end = scan::ident_end(self.text, start, self.options.charset);
        // A word that touches a point is a name: `t.c` works for a table called like a keyword.
        let is_name = !keyword
            || (scan::byte(self.text, end) == b'.' && scan::is_ident(self.text, end + 1) && !self.after_at);
        let kw = match self.text.get(start..end) {
            Some(word) if !is_name => Kw::of(word),
            _ => Kw::None,
        };
        let sign = kw.takes_sign() && !self.after_at;
        let token = self.token(Tok::Word, kw, start, end);
        self.sign = sign;
        self.hint = matches!(
            kw,
            Kw::SELECT | Kw::INSERT | Kw::REPLACE | Kw::UPDATE | Kw::DELETE
        );
        self.word_end = Some(end);
        token
    }

    /// A word, or one of `N'..'`, `x'..'`, `b'..'`.
    fn prefixed(&mut self, start: usize) -> Token {
        if scan::byte(self.text, start + 1) != b'\'' {
            return self.word(start, true);
        }
        if matches!(scan::byte(self.text, start), b'n' | b'N') {
            return self.operand(Tok::National, start, start + 1);
        }
        match scan::quoted_bits_end(self.text, start) {
            Some((kind, end)) => self.operand(kind.into(), start, end),
            None => self.bad(start),
        }
    }

    fn number(&mut self, start: usize) -> Token {
        match scan::number(self.text, start) {
            Number::Literal(kind, end) => self.operand(kind.into(), start, end),
            Number::Word => self.word(start, true),
            Number::Bad => self.bad(start),
        }
    }

    fn string(&mut self, start: usize) -> Token {
        match scan::string_end(self.text, start, self.options) {
            Some(end) => self.operand(Tok::String, start, end),
            None => self.bad(start),
        }
    }

    fn quoted_ident(&mut self, start: usize) -> Token {
        match scan::quoted_ident_end(self.text, start, self.options.charset) {
            Some(end) => self.operand(Tok::QuotedIdent, start, end),
            None => self.bad(start),
        }
    }

    fn minus(&mut self, start: usize) -> Token {
        let text = self.text;
        if self.sign
            && let Some((kind, end)) = scan::signed_number(text, start)
        {
            return self.operand(kind.into(), start, end);
        }
        match (scan::byte(text, start + 1), scan::byte(text, start + 2)) {
            (b'>', b'>') => self.operator(Tok::LongArrow, start, 3),
            (b'>', _) => self.operator(Tok::Arrow, start, 2),
            _ => self.operator(Tok::Minus, start, 1),
        }
    }

    fn at_sign(&mut self, start: usize) -> Token {
        let text = self.text;
        if scan::byte(text, start + 1) == b'@' {
            let token = self.operand(Tok::AtAt, start, start + 2);
            self.after_at = true;
            return token;
        }
        match scan::user_var_end(text, start, self.options) {
            Some(end) => self.operand(Tok::UserVar, start, end),
            None => self.bad(start),
        }
    }

    fn punctuation(&mut self, start: usize) -> Token {
        let second = scan::byte(self.text, start + 1);
        let (tok, len) = match (scan::byte(self.text, start), second) {
            (b'+', _) => (Tok::Plus, 1),
            (b'%', _) => (Tok::Percent, 1),
            (b'^', _) => (Tok::Caret, 1),
            (b'~', _) => (Tok::Tilde, 1),
            (b'{', _) => (Tok::LBrace, 1),
            (b'&', b'&') => (Tok::AmpAmp, 2),
            (b'&', _) => (Tok::Amp, 1),
            (b'|', b'|') => (Tok::PipePipe, 2),
            (b'|', _) => (Tok::Pipe, 1),
            (b'!', b'=') => (Tok::Ne, 2),
            (b'!', _) => (Tok::Bang, 1),
            (b'=', _) => (Tok::Eq, 1),
            (b'<', b'=') if scan::byte(self.text, start + 2) == b'>' => (Tok::NullSafeEq, 3),
            (b'<', b'=') => (Tok::Le, 2),
            (b'<', b'>') => (Tok::Ne, 2),
            (b'<', b'<') => (Tok::ShiftLeft, 2),
            (b'<', _) => (Tok::Lt, 1),
            (b'>', b'=') => (Tok::Ge, 2),
            (b'>', b'>') => (Tok::ShiftRight, 2),
            (b'>', _) => (Tok::Gt, 1),
            (b':', b'=') => (Tok::Assign, 2),
            (b':', _) => (Tok::Colon, 1),
            _ => return self.bad(start),
        };
        self.operator(tok, start, len)
    }
}

#[cfg(test)]
mod tests;
