//! Lists of literals after IN and VALUES.

use super::{Element, Fingerprint, Slot, SlotClass, slot, span};
use crate::ast::LiteralKind;
use crate::lexer::LexOptions;
use crate::mode::LexMode;
use crate::scan::{self, Class, Number};

impl Fingerprint {
    /// Tries to read a list at the `(` at `open` that follows a word. On success the list's slot is the last one, and the result is the
    /// offset where reading goes on; otherwise nothing changes.
    pub(super) fn list(
        &mut self,
        text: &[u8],
        (from, to): (usize, usize),
        open: usize,
        options: LexOptions,
    ) -> Option<usize> {
        let word = text.get(from..to)?;
        let is_in = word.eq_ignore_ascii_case(b"IN");
        if !is_in && !word.eq_ignore_ascii_case(b"VALUES") && !word.eq_ignore_ascii_case(b"VALUE") {
            return None;
        }
        let (first, params) = (self.elements.len(), self.params);
        let read = if is_in {
            self.in_list(text, open, options)
        } else {
            self.rows(text, open, options)
        };
        match read {
            Some((from, to, columns)) => {
                let len = (self.elements.len() - first) as u32;
                let class = SlotClass::List {
                    first: first as u32,
                    len,
                    columns,
                };
                self.slots.push(Slot {
                    span: span(from, to),
                    class,
                    negative: false,
                });
                Some(to)
            }
            None => {
                self.elements.truncate(first);
                self.params = params;
                None
            }
        }
    }

    /// Writes what stands in the key for the list that was just read.
    pub(super) fn push_list_marker(&mut self) {
        match self.slots.last().map(|slot| slot.class) {
            Some(SlotClass::List { columns, .. }) if columns > 0 => {
                self.key.push(2);
                let mut digits = [0; 10];
                let mut at = digits.len();
                let mut rest = columns;
                while rest > 0 && at > 0 {
                    at -= 1;
                    digits[at] = b'0' + (rest % 10) as u8;
                    rest /= 10;
                }
                self.key.extend_from_slice(digits.get(at..).unwrap_or_default());
                self.key.push(2);
            }
            _ => self.key.push(1),
        }
    }

    /// `(1, 2)` or `((1, 2), (3, 4))`: the range of the elements and the columns.
    fn in_list(&mut self, text: &[u8], open: usize, options: LexOptions) -> Option<(usize, usize, u32)> {
        let first = skip_spaces(text, open + 1);
        let (from, to, columns) = if scan::class(text, first) == Class::Open {
            self.rows(text, first, options)?
        } else {
            let (from, to, _) = self.row(text, open, options)?;
            (from, to, 0)
        };
        (scan::class(text, skip_spaces(text, to)) == Class::Close).then_some((from, to, columns))
    }

    /// `(1, 2), (3, 4)` from the first `(` to the last `)`, and the columns.
    fn rows(&mut self, text: &[u8], open: usize, options: LexOptions) -> Option<(usize, usize, u32)> {
        let mut row = open;
        let mut columns = None;
        loop {
            let (_, to, len) = self.row(text, row, options)?;
            if *columns.get_or_insert(len) != len {
                return None;
            }
            let close = skip_spaces(text, to);
            let comma = skip_spaces(text, close + 1);
            if scan::class(text, comma) != Class::Comma {
                return Some((open, close + 1, len));
            }
            row = skip_spaces(text, comma + 1);
            if scan::class(text, row) != Class::Open {
                // In `IN ((1, 2), 3)` the element would be missed; in VALUES a comma must be followed by a row.
                return None;
            }
        }
    }

    /// The elements between the `(` at `open` and its `)`: from the first to the last one, and how many.
    fn row(&mut self, text: &[u8], open: usize, options: LexOptions) -> Option<(usize, usize, u32)> {
        let from = skip_spaces(text, open + 1);
        let mut at = from;
        let mut len = 0;
        loop {
            let element = self.element(text, at, options)?;
            self.elements.push(element);
            len += 1;
            let end = element.span.end as usize;
            let next = skip_spaces(text, end);
            match scan::class(text, next) {
                Class::Comma => at = skip_spaces(text, next + 1),
                Class::Close => return Some((from, end, len)),
                _ => return None,
            }
        }
    }

    /// The literal or `?` at `at`.
    fn element(&mut self, text: &[u8], at: usize, options: LexOptions) -> Option<Element> {
        let (kind, end) = match scan::class(text, at) {
            Class::Digit => literal(scan::number(text, at))?,
            Class::Dot if scan::is_digit(text, at + 1) => literal(scan::number(text, at))?,
            Class::Quote => (LiteralKind::String, scan::string_end(text, at, options)?),
            Class::DoubleQuote if !options.mode.has(LexMode::ANSI_QUOTES) => {
                (LiteralKind::String, scan::string_end(text, at, options)?)
            }
            Class::Minus => scan::signed_number(text, at)?,
            Class::Prefix
                if scan::byte(text, at + 1) == b'\'' && !matches!(scan::byte(text, at), b'n' | b'N') =>
            {
                scan::quoted_bits_end(text, at)?
            }
            Class::Question => {
                let class = SlotClass::Param(self.params);
                self.params += 1;
                return Some(Element {
                    span: span(at, at + 1),
                    class,
                    negative: false,
                });
            }
            _ => return None,
        };
        let span = span(at, end);
        let (class, negative) = slot::classify(text, span, kind);
        Some(Element {
            span,
            class,
            negative,
        })
    }
}

fn literal(number: Number) -> Option<(LiteralKind, usize)> {
    match number {
        Number::Literal(kind, end) => Some((kind, end)),
        Number::Word | Number::Bad => None,
    }
}

fn skip_spaces(text: &[u8], mut at: usize) -> usize {
    while scan::class(text, at) == Class::Space {
        at += 1;
    }
    at
}
