//! The registered vindex types and how each is made from its params.

use std::collections::BTreeMap;

use super::functions::Function;
use super::params::{ParamError, Params, ReadFile};
use super::{Vindex, cfc, multicol, region, static_map};

/// A vindex type, as the field `type` of a vindex names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the vindex type of that name")]
pub enum VindexKind {
    Binary,
    BinaryMd5,
    Cfc,
    ConsistentLookup,
    ConsistentLookupUnique,
    Hash,
    Lookup,
    LookupCost,
    LookupHash,
    LookupHashUnique,
    LookupUnicodeLooseMd5Hash,
    LookupUnicodeLooseMd5HashUnique,
    LookupUnique,
    Multicol,
    Null,
    Numeric,
    NumericStaticMap,
    RegionExperimental,
    RegionJson,
    ReverseBits,
    UnicodeLooseMd5,
    UnicodeLooseXxhash,
    Xxhash,
}

use VindexKind as K;

const NAMES: [(&str, VindexKind); 23] = [
    ("binary", K::Binary),
    ("binary_md5", K::BinaryMd5),
    ("cfc", K::Cfc),
    ("consistent_lookup", K::ConsistentLookup),
    ("consistent_lookup_unique", K::ConsistentLookupUnique),
    ("hash", K::Hash),
    ("lookup", K::Lookup),
    ("lookup_cost", K::LookupCost),
    ("lookup_hash", K::LookupHash),
    ("lookup_hash_unique", K::LookupHashUnique),
    ("lookup_unicodeloosemd5_hash", K::LookupUnicodeLooseMd5Hash),
    (
        "lookup_unicodeloosemd5_hash_unique",
        K::LookupUnicodeLooseMd5HashUnique,
    ),
    ("lookup_unique", K::LookupUnique),
    ("multicol", K::Multicol),
    ("null", K::Null),
    ("numeric", K::Numeric),
    ("numeric_static_map", K::NumericStaticMap),
    ("region_experimental", K::RegionExperimental),
    ("region_json", K::RegionJson),
    ("reverse_bits", K::ReverseBits),
    ("unicode_loose_md5", K::UnicodeLooseMd5),
    ("unicode_loose_xxhash", K::UnicodeLooseXxhash),
    ("xxhash", K::Xxhash),
];

/// The params that every lookup vindex knows.
const LOOKUP_PARAMS: [&str; 10] = [
    "table",
    "from",
    "to",
    "autocommit",
    "multi_shard_autocommit",
    "write_only",
    "no_verify",
    "read_lock",
    "ignore_nulls",
    "batch_lookup",
];

impl VindexKind {
    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, kind)| *kind)
    }

    /// The name in the vschema.
    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }

    /// True for those that keep their mapping in a table.
    pub fn is_lookup(self) -> bool {
        matches!(
            self,
            K::ConsistentLookup
                | K::ConsistentLookupUnique
                | K::Lookup
                | K::LookupCost
                | K::LookupHash
                | K::LookupHashUnique
                | K::LookupUnicodeLooseMd5Hash
                | K::LookupUnicodeLooseMd5HashUnique
                | K::LookupUnique
        )
    }

    /// True when a value has at most one keyspace id.
    pub fn is_unique(self) -> bool {
        !matches!(
            self,
            K::ConsistentLookup | K::Lookup | K::LookupHash | K::LookupUnicodeLooseMd5Hash
        )
    }

    /// How many columns a functional vindex of this type takes, when the type alone says so.
    pub fn fixed_columns(self) -> Option<usize> {
        match self {
            K::Multicol => None,
            K::RegionExperimental | K::RegionJson => Some(2),
            kind if kind.is_lookup() => None,
            _ => Some(1),
        }
    }

    /// Checks the params of a lookup vindex; gives the unknown ones.
    ///
    /// # Errors
    /// When a needed param is missing or a known one has an impossible value.
    pub fn check_lookup_params(self, params: &BTreeMap<String, String>) -> Result<Vec<String>, ParamError> {
        let no_files = |_: &str| Err(std::io::ErrorKind::Unsupported.into());
        let mut params = Params::new(params, &no_files);
        for name in ["table", "from", "to"] {
            params.required(name)?;
        }
        for name in [
            "autocommit",
            "multi_shard_autocommit",
            "write_only",
            "no_verify",
            "ignore_nulls",
            "batch_lookup",
        ] {
            params.boolean(name)?;
        }
        if let Some(lock) = params.optional("read_lock")
            && !["exclusive", "shared", "none"].contains(&lock)
        {
            return Err(ParamError::new("read_lock", "expected exclusive, shared or none"));
        }
        if self == K::LookupCost {
            params.required("cost")?;
        }
        Ok(params.unknown(&LOOKUP_PARAMS))
    }
}

impl Vindex {
    /// Makes a functional vindex from its params. Beside it come the names of params that it does not know, which
    /// deserve a warning. `read_file` opens the files that `json_path` and `region_map` name.
    ///
    /// # Errors
    /// When a param is missing or impossible, or for a lookup type, which is not made here.
    pub fn new(
        name: &str,
        kind: VindexKind,
        params: &BTreeMap<String, String>,
        read_file: ReadFile<'_>,
    ) -> Result<(Self, Vec<String>), ParamError> {
        let mut params = Params::new(params, read_file);
        let assume_exact = params.boolean("assume_exact")?.unwrap_or(false);
        let function = Function::build(kind, &mut params)?;
        let unknown = params.unknown(&[]);
        Ok((
            Self {
                name: name.to_owned(),
                kind,
                function,
                assume_exact,
            },
            unknown,
        ))
    }
}

impl Function {
    /// Makes the function of a type; it takes what it knows from the params.
    pub(super) fn build(kind: VindexKind, params: &mut Params<'_>) -> Result<Self, ParamError> {
        Ok(match kind {
            K::Binary => Self::Binary,
            K::BinaryMd5 => Self::BinaryMd5,
            K::Cfc => Self::Cfc(cfc::Cfc::build(params)?),
            K::Hash => Self::Hash,
            K::Multicol => Self::Multicol(multicol::Multicol::build(params)?),
            K::Null => Self::Null,
            K::Numeric => Self::Numeric,
            K::NumericStaticMap => Self::NumericStaticMap(static_map::StaticMap::build(params)?.into()),
            K::RegionExperimental => Self::RegionExperimental(region::region_bytes(params)?),
            K::RegionJson => Self::RegionJson(region::RegionJson::build(params)?.into()),
            K::ReverseBits => Self::ReverseBits,
            K::UnicodeLooseMd5 => Self::UnicodeLooseMd5,
            K::UnicodeLooseXxhash => Self::UnicodeLooseXxhash,
            K::Xxhash => Self::Xxhash,
            K::ConsistentLookup
            | K::ConsistentLookupUnique
            | K::Lookup
            | K::LookupCost
            | K::LookupHash
            | K::LookupHashUnique
            | K::LookupUnicodeLooseMd5Hash
            | K::LookupUnicodeLooseMd5HashUnique
            | K::LookupUnique => {
                return Err(ParamError::new(
                    "",
                    "a lookup vindex maps through its table, not by a function",
                ));
            }
        })
    }
}
