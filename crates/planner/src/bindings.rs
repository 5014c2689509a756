//! The values of one execution: literals of the text, parameters, user variables.

use std::borrow::Cow;

use sql::fingerprint::{Fingerprint, Slot, SlotClass};
use sql::mode::LexMode;

use crate::plan::{SlotIndex, Source};
use crate::value::{Charset, Param, Value, integer_text};

/// What a plan's sources refer to.
#[derive(Clone, Copy)]
pub struct Bindings<'b> {
    /// The statement's text.
    pub text: &'b [u8],
    /// Its fingerprint.
    pub fingerprint: &'b Fingerprint,
    /// Parameters by ordinal.
    pub params: &'b [Param<'b>],
    /// How strings are read.
    pub lex_mode: LexMode,
    /// The character set of the text and of string parameters.
    pub charset: Charset,
    /// The session's user variables, if the gateway knows them: by lower case name.
    pub user_var: Option<&'b dyn Fn(&str) -> Option<Value<'static>>>,
}

impl<'b> Bindings<'b> {
    /// The value of a source; [`Value::Other`] when it is not known.
    pub fn value<'v>(&self, source: &'v Source) -> Value<'v>
    where
        'b: 'v,
    {
        match source {
            Source::Slot(slot) => self.slot(*slot),
            Source::Introduced { slot, charset } => self.introduced(*slot, charset),
            Source::Null => Value::Null,
            Source::Int(number) => Value::Int(i128::from(*number)),
            Source::Text(text) => Value::Str(Cow::Borrowed(text.as_bytes()), Charset::Utf8),
            Source::UserVar(name) => self.user_var.and_then(|find| find(name)).unwrap_or(Value::Other),
            Source::Opaque | Source::Default => Value::Other,
        }
    }

    /// The value of a scalar slot.
    pub fn slot(&self, slot: SlotIndex) -> Value<'b> {
        self.fingerprint
            .slots()
            .get(slot as usize)
            .map_or(Value::Other, |slot| self.literal(slot))
    }

    /// The elements of a list slot.
    pub fn elements(&self, slot: SlotIndex) -> &'b [Slot] {
        let fingerprint = self.fingerprint;
        fingerprint
            .slots()
            .get(slot as usize)
            .map(|slot| fingerprint.list_elements(slot))
            .unwrap_or_default()
    }

    /// A row count or offset of LIMIT; None when it is not a non-negative integer.
    pub fn count(&self, source: &Source) -> Option<u64> {
        match self.value(source) {
            Value::Int(number) => u64::try_from(number).ok(),
            _ => None,
        }
    }

    fn introduced(&self, slot: SlotIndex, charset: &str) -> Value<'b> {
        match self.slot(slot) {
            // ASCII is the same in every character set that the gateway converts, `binary` included.
            Value::Str(bytes, _) if bytes.is_ascii() && Charset::from_name(charset) != Charset::Opaque => {
                Value::Str(bytes, Charset::Utf8)
            }
            Value::Str(bytes, _) => match Charset::from_name(charset) {
                Charset::Binary => Value::Bytes(bytes),
                Charset::Opaque => Value::Other,
                charset => Value::Str(bytes, charset),
            },
            Value::Bytes(bytes) if charset == "binary" => Value::Bytes(bytes),
            _ => Value::Other,
        }
    }

    /// The value of a literal or parameter.
    pub fn literal(&self, slot: &Slot) -> Value<'b> {
        let raw = slot.span.of(self.text);
        match slot.class {
            SlotClass::Integer | SlotClass::Unsigned => integer_text(raw).map_or(Value::Other, Value::Int),
            SlotClass::BigInteger | SlotClass::Decimal => Value::Decimal(Cow::Borrowed(raw)),
            SlotClass::Float => std::str::from_utf8(raw)
                .ok()
                .and_then(|text| text.parse().ok())
                .map_or(Value::Other, Value::Float),
            SlotClass::String => self.string(raw),
            SlotClass::Hex => hex_bytes(raw).map_or(Value::Other, |bytes| Value::Bytes(Cow::Owned(bytes))),
            SlotClass::Bit => bit_bytes(raw).map_or(Value::Other, |bytes| Value::Bytes(Cow::Owned(bytes))),
            SlotClass::Param(ordinal) => self.param(ordinal),
            SlotClass::List { .. } => Value::Other,
        }
    }

    fn param(&self, ordinal: u32) -> Value<'b> {
        match self.params.get(ordinal as usize) {
            None | Some(Param::Other) => Value::Other,
            Some(Param::Null) => Value::Null,
            Some(Param::Int(number)) => Value::Int(i128::from(*number)),
            Some(Param::UInt(number)) => Value::Int(i128::from(*number)),
            Some(Param::Float(number)) => Value::Float(*number),
            Some(Param::Decimal(text)) => Value::Decimal(Cow::Borrowed(text)),
            Some(Param::Str(bytes) | Param::Blob(bytes)) => self.in_charset(Cow::Borrowed(bytes)),
        }
    }

    fn in_charset(&self, bytes: Cow<'b, [u8]>) -> Value<'b> {
        match self.charset {
            // ASCII bytes may be parts of characters here: only pure ASCII is certain.
            Charset::Opaque if bytes.is_ascii() => Value::Str(bytes, Charset::AsciiSuperset),
            Charset::Opaque => Value::Other,
            charset => Value::Str(bytes, charset),
        }
    }

    /// The characters between a string literal's quotes.
    fn string(&self, raw: &'b [u8]) -> Value<'b> {
        let [quote, inner @ .., _] = raw else {
            return Value::Other;
        };
        let backslash = !self.lex_mode.has(LexMode::NO_BACKSLASH_ESCAPES);
        if !inner
            .iter()
            .any(|byte| byte == quote || (backslash && *byte == b'\\'))
        {
            return self.in_charset(Cow::Borrowed(inner));
        }
        if self.charset == Charset::Opaque && !inner.is_ascii() {
            return Value::Other;
        }
        self.in_charset(Cow::Owned(unescape(inner, *quote, backslash)))
    }
}

fn unescape(inner: &[u8], quote: u8, backslash: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte == quote {
            bytes.next_if_eq(&quote);
            out.push(byte);
        } else if byte == b'\\' && backslash {
            match bytes.next() {
                Some(b'0') => out.push(0),
                Some(b'b') => out.push(8),
                Some(b'n') => out.push(b'\n'),
                Some(b'r') => out.push(b'\r'),
                Some(b't') => out.push(b'\t'),
                Some(b'Z') => out.push(0x1a),
                // These two keep the backslash, for LIKE patterns.
                Some(wildcard @ (b'%' | b'_')) => out.extend([b'\\', wildcard]),
                Some(other) => out.push(other),
                None => {}
            }
        } else {
            out.push(byte);
        }
    }
    out
}

/// `0x4D`, `x'4D'`.
fn hex_bytes(raw: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = literal_digits(raw)?
        .iter()
        .map(|digit| char::from(*digit).to_digit(16).map(|d| d as u8))
        .collect::<Option<_>>()?;
    // An odd number of digits means a leading zero.
    let (head, pairs) = digits.split_at(digits.len() % 2);
    let pairs = pairs
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit));
    Some(head.iter().copied().chain(pairs).collect())
}

/// `0b1`, `b'1'`.
fn bit_bytes(raw: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = literal_digits(raw)?
        .iter()
        .map(|digit| char::from(*digit).to_digit(2).map(|d| d as u8))
        .collect::<Option<_>>()?;
    let (head, bytes) = digits.split_at(digits.len() % 8);
    let value = |bits: &[u8]| bits.iter().fold(0, |byte, bit| byte << 1 | bit);
    let first = (!head.is_empty()).then(|| value(head));
    Some(first.into_iter().chain(bytes.chunks(8).map(value)).collect())
}

fn literal_digits(raw: &[u8]) -> Option<&[u8]> {
    match raw {
        [b'0', b'x' | b'b', digits @ ..] => Some(digits),
        [b'x' | b'X' | b'b' | b'B', b'\'', digits @ .., b'\''] => Some(digits),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
