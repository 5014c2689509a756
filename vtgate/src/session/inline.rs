//! Values in place of a text's parameters, for statements that the gateway takes apart again or that MySQL does not prepare.

use mysql_wire::SqlError;
use mysql_wire::value::literal::LiteralStyle;
use planner::plan::Template;
use sql::fingerprint::{Fingerprint, SlotClass};
use sql::lexer::LexOptions;
use sql::mode::LexMode;

use super::Session;
use super::execute::{Input, Protocol};
use crate::error::{self, SqlResult};

impl Session {
    /// A template as text without parameters: with literals of the execution's values.
    ///
    /// # Errors
    /// 1235 for a value that has no literal.
    pub(super) fn render_with_values(&self, template: &Template, input: &Input<'_>) -> SqlResult<Vec<u8>> {
        let (text, order) = self.render(template, input, None)?;
        let Protocol::Binary(execution) = input.protocol else {
            return Ok(text);
        };
        let style = LiteralStyle {
            no_backslash_escapes: self.context.lex.has(LexMode::NO_BACKSLASH_ESCAPES),
            charset: &self.context.character_set,
        };
        with_values(&text, self.lex_options(), |place, out| {
            let ordinal = order.get(place).copied().unwrap_or(u32::MAX);
            execution.write_literal(ordinal, &style, out)
        })
    }
}

/// The text with what `write` appends for the n-th parameter in its place.
///
/// # Errors
/// 1064 for a text that cannot be read, and what `write` says.
pub(super) fn with_values(
    text: &[u8],
    options: LexOptions,
    mut write: impl FnMut(usize, &mut Vec<u8>) -> Result<(), SqlError>,
) -> SqlResult<Vec<u8>> {
    let mut fingerprint = Fingerprint::new();
    fingerprint.read(text, options).map_err(error::syntax)?;
    let places = fingerprint.slots().iter().flat_map(|slot| match slot.class {
        SlotClass::List { .. } => fingerprint.list_elements(slot),
        _ => std::slice::from_ref(slot),
    });
    let mut out = Vec::with_capacity(text.len() + 32);
    let mut at = 0;
    for slot in places {
        let SlotClass::Param(place) = slot.class else {
            continue;
        };
        out.extend_from_slice(text.get(at..slot.span.start as usize).unwrap_or_default());
        write(place as usize, &mut out)?;
        at = slot.span.end as usize;
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_the_parameters_stood() {
        let text = b"SET @a = ? + 1, @b = f('?', (?, 2), ?) -- ?";
        let values = ["41", "'x'", "NULL"];
        let inlined = with_values(text, LexOptions::default(), |place, out| {
            out.extend_from_slice(values[place].as_bytes());
            Ok(())
        });
        assert_eq!(
            inlined.unwrap(),
            b"SET @a = 41 + 1, @b = f('?', ('x', 2), NULL) -- ?"
        );
    }
}
