//! The values of string literals and quoted identifiers.

use std::borrow::Cow;

use crate::ast::{Literal, LiteralKind};
use crate::charset::ClientCharset;
use crate::lexer::LexOptions;
use crate::mode::LexMode;

impl<'a> Literal<'a> {
    /// The bytes of a string, hex or bit literal in the client's character set, escapes undone; `None` for numbers.
    pub fn bytes(&self, options: LexOptions) -> Option<Cow<'a, [u8]>> {
        match self.kind {
            LiteralKind::String => Some(unescape(self.raw, options)),
            LiteralKind::Hex => Some(Cow::Owned(hex(digits(self.raw)))),
            LiteralKind::Bit => Some(Cow::Owned(bits(digits(self.raw)))),
            LiteralKind::Integer | LiteralKind::Decimal | LiteralKind::Float => None,
        }
    }
}

/// The value of a string literal given with its quotes: doubled quotes and, unless NO_BACKSLASH_ESCAPES, backslash sequences undone.
pub fn unescape(raw: &[u8], options: LexOptions) -> Cow<'_, [u8]> {
    let Some((quote, inner)) = inside(raw) else {
        return Cow::Borrowed(raw);
    };
    let escapes = !options.mode.has(LexMode::NO_BACKSLASH_ESCAPES);
    if memchr::memchr2(quote, if escapes { b'\\' } else { quote }, inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut value = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((&first, after)) = rest.split_first() {
        if let Some((character, after)) = options
            .charset
            .multibyte_len(rest)
            .and_then(|len| rest.split_at_checked(len))
        {
            value.extend_from_slice(character);
            rest = after;
            continue;
        }
        rest = after;
        if first == b'\\' && escapes {
            let Some((&escaped, after)) = rest.split_first() else {
                break;
            };
            rest = after;
            match escaped {
                b'0' => value.push(0),
                b'b' => value.push(8),
                b'n' => value.push(b'\n'),
                b'r' => value.push(b'\r'),
                b't' => value.push(b'\t'),
                b'Z' => value.push(26),
                // The backslash stays for LIKE.
                b'%' | b'_' => value.extend_from_slice(&[b'\\', escaped]),
                other => value.push(other),
            }
        } else {
            if first == quote {
                rest = rest.strip_prefix(&[quote]).unwrap_or(rest);
            }
            value.push(first);
        }
    }
    Cow::Owned(value)
}

/// The name in a quoted identifier given with its quotes.
pub fn unquote_ident(raw: &[u8], charset: ClientCharset) -> Cow<'_, [u8]> {
    let Some((quote, inner)) = inside(raw) else {
        return Cow::Borrowed(raw);
    };
    if memchr::memchr(quote, inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut value = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((&first, after)) = rest.split_first() {
        if let Some((character, after)) = charset
            .multibyte_len(rest)
            .and_then(|len| rest.split_at_checked(len))
        {
            value.extend_from_slice(character);
            rest = after;
            continue;
        }
        rest = after;
        if first == quote {
            rest = rest.strip_prefix(&[quote]).unwrap_or(rest);
        }
        value.push(first);
    }
    Cow::Owned(value)
}

/// The quote and what stands between it and its twin.
fn inside(raw: &[u8]) -> Option<(u8, &[u8])> {
    match raw {
        [quote, inner @ .., _] => Some((*quote, inner)),
        _ => None,
    }
}

/// The digits of `0x4D`, `x'4D'`, `0b1` or `b'1'`.
fn digits(raw: &[u8]) -> &[u8] {
    let digits = raw.get(2..).unwrap_or_default();
    digits.strip_suffix(b"'").unwrap_or(digits)
}

fn hex(digits: &[u8]) -> Vec<u8> {
    let value = |digit: &u8| match digit {
        b'0'..=b'9' => digit - b'0',
        other => (other | 0x20).wrapping_sub(b'a').wrapping_add(10),
    };
    // An odd number of digits has a zero in front.
    digits
        .rchunks(2)
        .rev()
        .map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | value(digit)))
        .collect()
}

fn bits(digits: &[u8]) -> Vec<u8> {
    digits
        .rchunks(8)
        .rev()
        .map(|bits| bits.iter().fold(0, |byte, bit| (byte << 1) | (bit & 1)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undoes_escapes() {
        let options = LexOptions::default();
        assert_eq!(
            unescape(br"'a\'b''c\n\0\Z\%\_\x\\'", options).as_ref(),
            b"a'b'c\n\0\x1A\\%\\_x\\"
        );
        assert!(matches!(unescape(b"'plain'", options), Cow::Borrowed(b"plain")));
        let raw = LexOptions {
            mode: LexMode::NO_BACKSLASH_ESCAPES,
            ..options
        };
        assert_eq!(unescape(br"'a\n''b'", raw).as_ref(), br"a\n'b");
        let gbk = LexOptions {
            charset: ClientCharset::Gbk,
            ..options
        };
        assert_eq!(unescape(b"'\xBF\x5Cn'", gbk).as_ref(), b"\xBF\x5Cn");
        assert_eq!(unescape(br#""a""b'""#, options).as_ref(), b"a\"b'");
    }

    #[test]
    fn reads_hex_and_bits() {
        assert_eq!(hex(digits(b"0x414")), [0x04, 0x14]);
        assert_eq!(hex(digits(b"x'4d4E'")), b"MN");
        assert_eq!(bits(digits(b"b'100000001'")), [1, 1]);
        assert_eq!(bits(digits(b"0b1")), [1]);
    }

    #[test]
    fn unquotes_identifiers() {
        assert_eq!(
            unquote_ident(b"`a``b`", ClientCharset::AsciiSafe).as_ref(),
            b"a`b"
        );
        assert_eq!(
            unquote_ident(b"`\x81\x60`", ClientCharset::Gbk).as_ref(),
            b"\x81\x60"
        );
    }
}
