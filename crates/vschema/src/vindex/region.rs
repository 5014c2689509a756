//! `region_experimental` and `region_json`: a region's number in front of the hash of an id.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::params::{ParamError, Params};
use super::text::{Text, number};
use super::{Mapped, VindexValue};
use crate::des;
use crate::keyspace_id::KeyspaceId;

/// The map of `region_json` from countries to region numbers.
#[derive(Debug)]
pub(super) struct RegionJson {
    regions: HashMap<Vec<u8>, u64>,
    bytes: usize,
}

impl RegionJson {
    pub(super) fn build(params: &mut Params<'_>) -> Result<Self, ParamError> {
        let bytes = region_bytes(params)?;
        let file = params.file("region_map")?;
        let regions: BTreeMap<String, u64> = serde_json::from_slice(&file).map_err(|error| {
            ParamError::new(
                "region_map",
                format!("expected a JSON object of country to number: {error}"),
            )
        })?;
        let regions = regions
            .into_iter()
            .map(|(country, region)| (country.into_bytes(), region))
            .collect();
        Ok(Self { regions, bytes })
    }

    /// The columns come as (id, country), the other way round than the id's bytes.
    pub(super) fn map(&self, id: VindexValue<'_>, country: VindexValue<'_>) -> Mapped {
        let region = self.regions.get(Text::of(country).bytes());
        match (number(id), region) {
            (Some(id), Some(region)) => {
                let mut mapped = region_id(*region, self.bytes);
                mapped.extend(&des::encrypt_with_null_key(id));
                Mapped::KeyspaceId(mapped)
            }
            _ => Mapped::None,
        }
    }
}

/// The param `region_bytes`.
pub(super) fn region_bytes(params: &mut Params<'_>) -> Result<usize, ParamError> {
    match params.required("region_bytes")? {
        "1" => Ok(1),
        "2" => Ok(2),
        _ => Err(ParamError::new("region_bytes", "expected 1 or 2")),
    }
}

/// The low one or two bytes of a region's number, big-endian.
pub(super) fn region_id(region: u64, bytes: usize) -> KeyspaceId {
    let all = region.to_be_bytes();
    KeyspaceId::new(all.get(all.len() - bytes..).unwrap_or_default())
}
