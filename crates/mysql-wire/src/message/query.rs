//! COM_QUERY with its query attributes.

use super::params::{RawParams, decode_count, encode_param_types, skip_value};
use crate::{
    Capabilities,
    error::DecodeError,
    packet::{Reader, Writer},
};

/// The body of COM_QUERY, without the command byte.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query<'a> {
    /// The attributes; their types carry the names, and there are as many as types.
    pub attributes: RawParams<'a>,
    /// The statement's text.
    pub text: &'a [u8],
}

impl<'a> Query<'a> {
    /// What a client with QUERY_ATTRIBUTES sends before the text when it has none: no parameters, one set of them.
    const NO_ATTRIBUTES: &'static [u8] = &[0, 1];

    /// A query without attributes.
    #[must_use]
    pub fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            ..Self::default()
        }
    }

    /// Decodes the body.
    pub fn decode(body: &'a [u8], capabilities: Capabilities) -> Result<Self, DecodeError> {
        if !capabilities.contains(Capabilities::QUERY_ATTRIBUTES) {
            return Ok(Self::new(body));
        }
        if let Some(text) = body.strip_prefix(Self::NO_ATTRIBUTES) {
            return Ok(Self::new(text));
        }
        let mut r = Reader::new(body);
        let count = decode_count(&mut r)?;
        match r.lenenc_int()? {
            1 => {}
            value => {
                return Err(DecodeError::Invalid {
                    what: "parameter set count",
                    value,
                });
            }
        }
        if count == 0 {
            return Ok(Self::new(r.rest()));
        }
        let mut attributes = RawParams::decode(&mut r, count, true)?;
        let Some(types) = &attributes.types else {
            return Err(DecodeError::Invalid {
                what: "new params bound flag",
                value: 0,
            });
        };
        let mut values = Reader::new(attributes.values);
        for (index, ty) in types.iter().enumerate() {
            if !attributes.is_null(index) {
                skip_value(&mut values, ty.column_type)?;
            }
        }
        let (of_attributes, text) = attributes.values.split_at(values.position());
        attributes.values = of_attributes;
        Ok(Self { attributes, text })
    }

    /// Encodes the body; attributes are left out when the connection has not agreed on them.
    pub fn encode(&self, capabilities: Capabilities, w: &mut Writer<'_>) {
        if capabilities.contains(Capabilities::QUERY_ATTRIBUTES) {
            let types = self.attributes.types.as_deref().unwrap_or_default();
            w.lenenc_int(types.len() as u64);
            w.lenenc_int(1);
            if !types.is_empty() {
                w.bytes(self.attributes.null_bitmap);
                encode_param_types(w, types, true);
                w.bytes(self.attributes.values);
            }
        }
        w.bytes(self.text);
    }
}
