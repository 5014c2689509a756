//! From template to text: pure, and without a copy when nothing is spliced.

use smallvec::SmallVec;
use sql::fingerprint::{Fingerprint, SlotClass};
use sql::span::Span;

use crate::bindings::Bindings;
use crate::error::PlanError;
use crate::plan::{Fill, InsertRows, Pos, SessionValue, Template};

/// What a template needs to become text.
pub struct Rendering<'r> {
    /// The statement's own text and values.
    pub bindings: Bindings<'r>,
    /// Writes a session value as an SQL literal.
    pub session: &'r dyn Fn(&SessionValue, &mut Vec<u8>),
    /// The rows of the shard, for the split text of an INSERT.
    pub rows: Option<(&'r InsertRows, &'r [u32])>,
}

/// Ordinals of the client's parameters in the order in which `?` stand in a rendered text.
pub type ParamOrder = SmallVec<[u32; 8]>;

impl Rendering<'_> {
    /// Appends the text of a template to `out`; the result says which parameters its `?` are.
    ///
    /// # Errors
    /// 1235 when the template does not belong to this text, or a LIMIT is not a number.
    pub fn render(&self, template: &Template, out: &mut Vec<u8>) -> Result<ParamOrder, PlanError> {
        let mut writer = Writer {
            rendering: self,
            out,
            params: ParamOrder::new(),
        };
        let mut at = 0;
        for piece in &template.pieces {
            let (start, end) = (self.offset(piece.start)?, self.offset(piece.end)?);
            writer.copy(Span::new(at, start));
            for fill in &piece.fill {
                writer.fill(fill)?;
            }
            at = end;
        }
        writer.copy(Span::new(at, self.bindings.text.len() as u32));
        Ok(writer.params)
    }

    fn offset(&self, pos: Pos) -> Result<u32, PlanError> {
        self.bindings.fingerprint.offset(pos).ok_or_else(stale)
    }
}

fn stale() -> PlanError {
    PlanError::unsupported("a plan of another statement")
}

struct Writer<'w, 'r> {
    rendering: &'w Rendering<'r>,
    out: &'w mut Vec<u8>,
    params: ParamOrder,
}

impl Writer<'_, '_> {
    /// Copies a part of the client's text.
    fn copy(&mut self, span: Span) {
        let text = self.rendering.bindings.text;
        let fingerprint = self.rendering.bindings.fingerprint;
        if fingerprint.params() == 0 {
            self.out.extend_from_slice(span.of(text));
            return;
        }
        let mut at = span.start;
        for (place, ordinal) in params_within(fingerprint, span) {
            self.out.extend_from_slice(Span::new(at, place.start).of(text));
            self.params.push(ordinal);
            self.out.push(b'?');
            at = place.end;
        }
        self.out.extend_from_slice(Span::new(at, span.end).of(text));
    }

    fn fill(&mut self, fill: &Fill) -> Result<(), PlanError> {
        let bindings = &self.rendering.bindings;
        match fill {
            Fill::Text(text) => self.out.extend_from_slice(text),
            Fill::Copy { start, end } => {
                let span = Span::new(self.rendering.offset(*start)?, self.rendering.offset(*end)?);
                self.copy(span);
            }
            Fill::Session(value) => (self.rendering.session)(value, self.out),
            Fill::ShardLimit { offset, count } => {
                let number = |source| {
                    bindings
                        .count(source)
                        .ok_or_else(|| PlanError::unsupported("this LIMIT"))
                };
                let skipped = offset.as_ref().map_or(Ok(0), number)?;
                let rows = number(count)?.saturating_add(skipped);
                self.out.extend_from_slice(rows.to_string().as_bytes());
            }
            Fill::Rows => self.rows()?,
        }
        Ok(())
    }

    fn rows(&mut self) -> Result<(), PlanError> {
        let (rows, wanted) = self.rendering.rows.ok_or_else(stale)?;
        for (n, row) in wanted.iter().enumerate() {
            if n > 0 {
                self.out.push(b',');
            }
            let span = row_span(&self.rendering.bindings, rows, *row).ok_or_else(stale)?;
            self.copy(span);
        }
        Ok(())
    }
}

/// Where a row stands, parentheses included.
fn row_span(bindings: &Bindings<'_>, rows: &InsertRows, row: u32) -> Option<Span> {
    match rows {
        InsertRows::Rows(rows) => {
            let row = rows.get(row as usize)?;
            Some(Span::new(
                bindings.fingerprint.offset(row.start)?,
                bindings.fingerprint.offset(row.end)?,
            ))
        }
        InsertRows::List { slot, width } => {
            let list = bindings.fingerprint.slots().get(*slot as usize)?;
            let elements = bindings.elements(*slot);
            let width = usize::from(*width).max(1);
            let first = row as usize * width;
            let elements = elements.get(first..first + width)?;
            // Only spaces stand between the elements and the parentheses around a collapsed row.
            let before = Span::new(list.span.start, elements.first()?.span.start).of(bindings.text);
            let open = before.iter().rposition(|byte| *byte == b'(')?;
            let after = elements.last()?.span.end;
            let close = Span::new(after, list.span.end)
                .of(bindings.text)
                .iter()
                .position(|byte| *byte == b')')?;
            Some(Span::new(list.span.start + open as u32, after + close as u32 + 1))
        }
    }
}

/// The `?` of a part of the text, lists' elements included.
fn params_within(fingerprint: &Fingerprint, span: Span) -> impl Iterator<Item = (Span, u32)> {
    let slots = fingerprint.slots();
    let first = slots.partition_point(|slot| slot.span.end <= span.start);
    slots
        .get(first..)
        .unwrap_or_default()
        .iter()
        .take_while(move |slot| slot.span.start < span.end)
        .flat_map(|slot| match slot.class {
            SlotClass::List { .. } => fingerprint.list_elements(slot),
            _ => std::slice::from_ref(slot),
        })
        .filter(move |slot| span.contains(slot.span))
        .filter_map(|slot| match slot.class {
            SlotClass::Param(ordinal) => Some((slot.span, ordinal)),
            _ => None,
        })
}
