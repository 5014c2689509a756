//! Where tokens end: the rules that lexer and fingerprint share, so that they cannot disagree.

use crate::ast::LiteralKind;
use crate::charset::ClientCharset;
use crate::lexer::LexOptions;
use crate::mode::LexMode;

/// What a token that starts with a given byte can be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Space,
    /// A letter, `_` or a byte from 0x80 on.
    Letter,
    /// `b`, `n`, `x` (and upper case): a letter that may also prefix a quoted literal.
    Prefix,
    Dollar,
    Digit,
    Quote,
    DoubleQuote,
    Backtick,
    Minus,
    Slash,
    Star,
    Hash,
    Dot,
    At,
    Question,
    Open,
    Close,
    Comma,
    Semicolon,
    CloseBrace,
    /// The other characters that operators consist of.
    Operator,
    /// No token starts with it.
    Bad,
}

/// The class of every byte.
pub(crate) static CLASS: [Class; 256] = {
    let mut table = [Class::Bad; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'\t'..=b'\r' | b' ' => Class::Space,
            b'b' | b'B' | b'n' | b'N' | b'x' | b'X' => Class::Prefix,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80..=0xFF => Class::Letter,
            b'$' => Class::Dollar,
            b'0'..=b'9' => Class::Digit,
            b'\'' => Class::Quote,
            b'"' => Class::DoubleQuote,
            b'`' => Class::Backtick,
            b'-' => Class::Minus,
            b'/' => Class::Slash,
            b'*' => Class::Star,
            b'#' => Class::Hash,
            b'.' => Class::Dot,
            b'@' => Class::At,
            b'?' => Class::Question,
            b'(' => Class::Open,
            b')' => Class::Close,
            b',' => Class::Comma,
            b';' => Class::Semicolon,
            b'}' => Class::CloseBrace,
            b'+' | b'%' | b'^' | b'~' | b'&' | b'|' | b'!' | b'=' | b'<' | b'>' | b':' | b'{' => {
                Class::Operator
            }
            _ => Class::Bad,
        };
        byte += 1;
    }
    table
};

/// Which bytes may stand inside an unquoted identifier.
pub(crate) static IDENT: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] =
            matches!(byte as u8, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'$' | 0x80..=0xFF);
        byte += 1;
    }
    table
};

/// The byte at `at`, 0 at the end of the text (as MySQL's lexer sees it).
pub(crate) fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

pub(crate) fn class(text: &[u8], at: usize) -> Class {
    CLASS[usize::from(byte(text, at))]
}

pub(crate) fn is_ident(text: &[u8], at: usize) -> bool {
    IDENT[usize::from(byte(text, at))]
}

pub(crate) fn is_digit(text: &[u8], at: usize) -> bool {
    byte(text, at).is_ascii_digit()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ')
}

/// The end of an unquoted identifier of which `at` is inside or at the end.
pub(crate) fn ident_end(text: &[u8], mut at: usize, charset: ClientCharset) -> usize {
    if charset.is_ascii_safe() {
        while is_ident(text, at) {
            at += 1;
        }
        return at;
    }
    while is_ident(text, at) {
        at += text
            .get(at..)
            .and_then(|rest| charset.multibyte_len(rest))
            .unwrap_or(1);
    }
    at
}

/// The offset after the closing quote of a string whose opening quote is at `at`; `None` when it never ends.
pub(crate) fn string_end(text: &[u8], at: usize, options: LexOptions) -> Option<usize> {
    let quote = byte(text, at);
    let mut at = at + 1;
    let escapes = !options.mode.has(LexMode::NO_BACKSLASH_ESCAPES);
    if options.charset.is_ascii_safe() {
        loop {
            let rest = text.get(at..)?;
            let found = if escapes {
                memchr::memchr2(quote, b'\\', rest)?
            } else {
                memchr::memchr(quote, rest)?
            };
            at += found;
            // A backslash and the byte after it, or a doubled quote.
            if byte(text, at) != quote || byte(text, at + 1) == quote {
                at += 2;
            } else {
                return Some(at + 1);
            }
        }
    }
    loop {
        let rest = text.get(at..)?;
        let first = *rest.first()?;
        if let Some(len) = options.charset.multibyte_len(rest) {
            at += len;
        } else if first == b'\\' && escapes {
            // MySQL skips one byte after a backslash, even when it starts a character.
            at += 2;
        } else if first != quote {
            at += 1;
        } else if byte(text, at + 1) == quote {
            at += 2;
        } else {
            return Some(at + 1);
        }
    }
}

/// The offset after the closing quote of an identifier whose opening quote is at `at`. NUL is not allowed inside.
pub(crate) fn quoted_ident_end(text: &[u8], at: usize, charset: ClientCharset) -> Option<usize> {
    let quote = byte(text, at);
    let mut at = at + 1;
    loop {
        let rest = text.get(at..)?;
        let first = *rest.first()?;
        if let Some(len) = charset.multibyte_len(rest) {
            at += len;
        } else if first == 0 {
            return None;
        } else if first != quote {
            at += 1;
        } else if byte(text, at + 1) == quote {
            at += 2;
        } else {
            return Some(at + 1);
        }
    }
}

/// The number that starts at `at` with a digit, or with a point and a digit, and its end.
///
/// `None` means that it is an identifier that starts with a digit (`1a`, `1e`, `0x`), or, after digits and a point, no token (`1.5e`).
pub(crate) fn number(text: &[u8], at: usize) -> Number {
    let first = byte(text, at);
    let mut end = at;
    if first == b'0' && byte(text, at + 1) == b'x' {
        end = digits_end(text, at + 2, |byte| byte.is_ascii_hexdigit());
        return if end > at + 2 && !is_ident(text, end) {
            Number::Literal(LiteralKind::Hex, end)
        } else {
            Number::Word
        };
    }
    if first == b'0' && byte(text, at + 1) == b'b' {
        end = digits_end(text, at + 2, |byte| matches!(byte, b'0' | b'1'));
        return if end > at + 2 && !is_ident(text, end) {
            Number::Literal(LiteralKind::Bit, end)
        } else {
            Number::Word
        };
    }
    if first != b'.' {
        end = digits_end(text, at, |byte| byte.is_ascii_digit());
        if is_ident(text, end) {
            return match exponent_end(text, end) {
                Some(end) => Number::Literal(LiteralKind::Float, end),
                None => Number::Word,
            };
        }
        if byte(text, end) != b'.' {
            return Number::Literal(LiteralKind::Integer, end);
        }
    }
    end = digits_end(text, end + 1, |byte| byte.is_ascii_digit());
    if !matches!(byte(text, end), b'e' | b'E') {
        return Number::Literal(LiteralKind::Decimal, end);
    }
    match exponent_end(text, end) {
        Some(end) => Number::Literal(LiteralKind::Float, end),
        None => Number::Bad,
    }
}

/// What [`number`] finds.
pub(crate) enum Number {
    /// A literal and its end.
    Literal(LiteralKind, usize),
    /// An identifier.
    Word,
    /// Nothing that MySQL accepts.
    Bad,
}

fn digits_end(text: &[u8], mut at: usize, is_digit: impl Fn(u8) -> bool) -> usize {
    while is_digit(byte(text, at)) {
        at += 1;
    }
    at
}

/// The end of an exponent (`e5`, `E-5`) that starts at `at`.
fn exponent_end(text: &[u8], at: usize) -> Option<usize> {
    if !matches!(byte(text, at), b'e' | b'E') {
        return None;
    }
    let digits = if matches!(byte(text, at + 1), b'+' | b'-') {
        at + 2
    } else {
        at + 1
    };
    is_digit(text, digits).then(|| digits_end(text, digits, |byte| byte.is_ascii_digit()))
}

/// The number that a minus sign at `at` would belong to, and its end.
pub(crate) fn signed_number(text: &[u8], at: usize) -> Option<(LiteralKind, usize)> {
    let digits = if byte(text, at + 1) == b'.' {
        at + 2
    } else {
        at + 1
    };
    if !is_digit(text, digits) {
        return None;
    }
    match number(text, at + 1) {
        Number::Literal(kind @ (LiteralKind::Integer | LiteralKind::Decimal | LiteralKind::Float), end) => {
            Some((kind, end))
        }
        _ => None,
    }
}

/// The end of `x'4D'` or `b'1'` that starts at `at` (whose quote is at `at + 1`); `None` when it is malformed.
pub(crate) fn quoted_bits_end(text: &[u8], at: usize) -> Option<(LiteralKind, usize)> {
    let (kind, end) = if matches!(byte(text, at), b'x' | b'X') {
        (
            LiteralKind::Hex,
            digits_end(text, at + 2, |byte| byte.is_ascii_hexdigit()),
        )
    } else {
        (
            LiteralKind::Bit,
            digits_end(text, at + 2, |byte| matches!(byte, b'0' | b'1')),
        )
    };
    if byte(text, end) != b'\'' || (kind == LiteralKind::Hex && (end - at) % 2 == 1) {
        return None;
    }
    Some((kind, end + 1))
}

/// The end of a line comment that starts at `at`: its line feed, or the end of the text.
pub(crate) fn line_end(text: &[u8], at: usize) -> usize {
    text.get(at..)
        .and_then(|rest| memchr::memchr(b'\n', rest))
        .map_or(text.len(), |found| at + found)
}

/// Whether `--` at `at` starts a comment: a space, a control character or the end must follow.
pub(crate) fn is_dash_comment(text: &[u8], at: usize) -> bool {
    byte(text, at + 1) == b'-' && {
        let next = byte(text, at + 2);
        is_space(next) || next.is_ascii_control()
    }
}

/// What a `/` at some place starts.
pub(crate) enum Block {
    /// No comment.
    No,
    /// A comment, up to the given end.
    Comment(usize),
    /// `/*+ ... */`, up to the given end; it only is a hint after certain words.
    Hint(usize),
    /// `/*!` whose content this server reads, from the given offset on.
    Versioned(usize),
    /// A comment that never ends.
    Endless,
}

/// Classifies the `/` at `at`.
pub(crate) fn block(text: &[u8], at: usize, server_version: u32) -> Block {
    if byte(text, at + 1) != b'*' {
        return Block::No;
    }
    match byte(text, at + 2) {
        b'!' => match version(text, at + 3) {
            None => Block::Versioned(at + 3),
            Some((version, content)) if version <= server_version => Block::Versioned(content),
            Some((_, content)) => nested_comment_end(text, content).map_or(Block::Endless, Block::Comment),
        },
        b'+' => comment_end(text, at + 2).map_or(Block::Endless, Block::Hint),
        _ => comment_end(text, at + 2).map_or(Block::Endless, Block::Comment),
    }
}

/// The version number of `/*!`: five digits, or six when a space follows them.
fn version(text: &[u8], at: usize) -> Option<(u32, usize)> {
    let digits = digits_end(text, at, |byte| byte.is_ascii_digit()) - at;
    let len = match digits {
        0..=4 => return None,
        6 if is_space(byte(text, at + 6)) => 6,
        _ => 5,
    };
    let number = text
        .get(at..at + len)?
        .iter()
        .fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    Some((number, at + len))
}

/// The offset after the next `*/`.
fn comment_end(text: &[u8], at: usize) -> Option<usize> {
    memchr::memmem::find(text.get(at..)?, b"*/").map(|found| at + found + 2)
}

/// The offset after the `*/` that ends a skipped `/*!` comment, in which one level of plain comments may stand.
fn nested_comment_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let found = memchr::memchr2(b'*', b'/', text.get(at..)?)? + at;
        match (byte(text, found), byte(text, found + 1)) {
            (b'/', b'*') => at = comment_end(text, found + 2)?,
            (b'*', b'/') => return Some(found + 2),
            _ => at = found + 1,
        }
    }
}

/// The end of a dollar-quoted string (`$tag$ ... $tag$`) that starts at `at`; `None` when `$` starts an identifier.
pub(crate) fn dollar_quoted_end(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let tag = 1 + rest
        .get(1..)?
        .iter()
        .position(|&byte| byte == b'$' || !IDENT[usize::from(byte)])?;
    if rest.get(tag) != Some(&b'$') {
        return None;
    }
    let (opening, body) = rest.split_at_checked(tag + 1)?;
    memchr::memmem::find(body, opening).map(|found| at + opening.len() + found + opening.len())
}

/// The end of a user variable whose `@` is at `at`; the name may be quoted, or empty.
pub(crate) fn user_var_end(text: &[u8], at: usize, options: LexOptions) -> Option<usize> {
    match byte(text, at + 1) {
        b'`' => quoted_ident_end(text, at + 1, options.charset),
        b'"' if options.mode.has(LexMode::ANSI_QUOTES) => quoted_ident_end(text, at + 1, options.charset),
        b'\'' | b'"' => string_end(text, at + 1, options),
        _ => {
            let mut end = at + 1;
            while is_ident(text, end) || byte(text, end) == b'.' {
                end += text
                    .get(end..)
                    .and_then(|rest| options.charset.multibyte_len(rest))
                    .unwrap_or(1);
            }
            Some(end)
        }
    }
}
