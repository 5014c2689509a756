//! `numeric_static_map`: numbers replaced through a JSON object.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::functions::Function;
use super::params::{ParamError, Params};
use super::registry::VindexKind;
use super::text::{number, parse_unsigned};
use super::{Mapped, VindexValue};
use crate::keyspace_id::KeyspaceId;

/// The map, and the function for numbers that it does not hold.
#[derive(Debug)]
pub(super) struct StaticMap {
    map: HashMap<u64, u64>,
    fallback: Option<Function>,
}

impl StaticMap {
    pub(super) fn build(params: &mut Params<'_>) -> Result<Self, ParamError> {
        let (param, text) = match (params.optional("json"), params.optional("json_path")) {
            (Some(json), None) => ("json", json.as_bytes().to_vec()),
            (None, Some(_)) => ("json_path", params.file("json_path")?),
            (Some(_), Some(_)) => return Err(ParamError::new("json", "excludes json_path")),
            (None, None) => return Err(ParamError::new("json", "json or json_path is required")),
        };
        let wrong = |why: String| {
            ParamError::new(
                param,
                format!("expected a JSON object of number to number: {why}"),
            )
        };
        let entries: BTreeMap<String, u64> =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        let mut map = HashMap::with_capacity(entries.len());
        for (key, value) in entries {
            let number =
                parse_unsigned(key.as_bytes()).ok_or_else(|| wrong(format!("\"{key}\" is no number")))?;
            map.insert(number, value);
        }
        let fallback = params
            .optional("fallback_type")
            .map(|name| fallback(name, params))
            .transpose()?;
        Ok(Self { map, fallback })
    }

    pub(super) fn map(&self, value: VindexValue<'_>) -> Option<KeyspaceId> {
        let key = number(value)?;
        match (self.map.get(&key), &self.fallback) {
            (Some(mapped), _) => Some(mapped.to_be_bytes().into()),
            (None, Some(fallback)) => match fallback.map_one(value) {
                Mapped::KeyspaceId(id) => Some(id),
                _ => None,
            },
            (None, None) => Some(key.to_be_bytes().into()),
        }
    }
}

fn fallback(name: &str, params: &mut Params<'_>) -> Result<Function, ParamError> {
    match VindexKind::from_name(name) {
        Some(kind) if kind.fixed_columns() == Some(1) && kind != VindexKind::NumericStaticMap => {
            Function::build(kind, params)
        }
        _ => Err(ParamError::new(
            "fallback_type",
            format!("\"{name}\" is no single-column functional vindex"),
        )),
    }
}
