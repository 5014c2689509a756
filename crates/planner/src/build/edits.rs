//! Replacements in the text, collected by byte offsets.

use sql::span::Span;

use crate::error::PlanError;
use crate::plan::{Fill, Piece, SessionValue, Source, Template};
use crate::slots::Slots;

/// What an edit writes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Text(Vec<u8>),
    Copy(Span),
    Session(SessionValue),
    Limit { offset: Option<Source>, count: Source },
    Rows,
}

/// Replacements, in no order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edits {
    edits: Vec<(Span, Vec<Part>)>,
}

impl Edits {
    pub(crate) fn session(&mut self, span: Span, value: SessionValue) {
        self.edits.push((span, vec![Part::Session(value)]));
    }

    pub(crate) fn replace(&mut self, span: Span, text: Vec<u8>) {
        self.edits.push((span, vec![Part::Text(text)]));
    }

    pub(crate) fn insert(&mut self, at: u32, text: Vec<u8>) {
        self.edits.push((Span::empty(at), vec![Part::Text(text)]));
    }

    pub(crate) fn put(&mut self, span: Span, parts: Vec<Part>) {
        self.edits.push((span, parts));
    }

    /// Whether a replacement lies within a range: a copy of the range would lack it.
    pub(crate) fn touches(&self, range: Span) -> bool {
        self.edits
            .iter()
            .any(|(span, _)| !span.is_empty() && range.contains(*span))
    }

    /// The template. Replacements inside larger ones are dropped.
    pub(crate) fn build(mut self, slots: &Slots<'_>) -> Result<Template, PlanError> {
        // Stable: insertions at one place stay in the order in which they were made.
        self.edits
            .sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
        let mut pieces: Vec<Piece> = Vec::with_capacity(self.edits.len());
        let mut end = 0;
        for (span, parts) in self.edits {
            if span.end < end || (span.start < end && !span.is_empty()) {
                continue;
            }
            end = span.end;
            let pos = |offset| {
                slots
                    .pos(offset)
                    .ok_or_else(|| PlanError::unsupported("a replacement within a literal"))
            };
            let fill = parts.into_iter().map(|part| {
                Ok(match part {
                    Part::Text(text) => Fill::Text(text.into()),
                    Part::Copy(span) => Fill::Copy {
                        start: pos(span.start)?,
                        end: pos(span.end)?,
                    },
                    Part::Session(value) => Fill::Session(value),
                    Part::Limit { offset, count } => Fill::ShardLimit { offset, count },
                    Part::Rows => Fill::Rows,
                })
            });
            let fill = fill.collect::<Result<Box<[Fill]>, PlanError>>()?;
            pieces.push(Piece {
                start: pos(span.start)?,
                end: pos(span.end)?,
                fill,
            });
        }
        Ok(Template {
            pieces: pieces.into_boxed_slice(),
        })
    }
}

/// A name in backticks.
pub(crate) fn quoted(name: &[u8]) -> Vec<u8> {
    let mut text = vec![b'`'];
    for byte in name {
        text.push(*byte);
        if *byte == b'`' {
            text.push(b'`');
        }
    }
    text.push(b'`');
    text
}

/// ` AS` and the column name that MySQL gives to an expression with this text: at most 256 characters of it.
pub(crate) fn alias(text: &[u8]) -> Vec<u8> {
    const NAME_CHARS_MAX: usize = 256;
    let cut = match std::str::from_utf8(text) {
        Ok(text) => text
            .char_indices()
            .nth(NAME_CHARS_MAX)
            .map_or(text.len(), |(at, _)| at),
        Err(_) => text.len().min(NAME_CHARS_MAX),
    };
    let mut alias = b" AS ".to_vec();
    alias.extend(quoted(text.get(..cut).unwrap_or(text).trim_ascii_end()));
    alias
}
