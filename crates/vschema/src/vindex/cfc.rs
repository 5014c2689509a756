//! `cfc`: fixed-width pieces of one concatenated key, hashed piece by piece.

use md5::{Digest, Md5};
use xxhash_rust::xxh64::xxh64;

use super::Mapped;
use super::params::{ParamError, Params};
use crate::keyspace_id::KeyspaceId;

/// How pieces are hashed and where they end.
#[derive(Clone, Debug)]
pub(super) struct Cfc(Option<(Hash, Vec<usize>)>);

#[derive(Clone, Copy, Debug)]
enum Hash {
    Md5,
    Xxhash64,
}

impl Cfc {
    pub(super) fn build(params: &mut Params<'_>) -> Result<Self, ParamError> {
        let offsets = params.optional("offsets");
        let hash = match params.optional("hash") {
            None | Some("") => return Ok(Self(None)),
            Some("md5") => Hash::Md5,
            Some("xxhash64") => Hash::Xxhash64,
            Some(_) => return Err(ParamError::new("hash", "expected nothing, md5 or xxhash64")),
        };
        let wrong = || {
            ParamError::new(
                "offsets",
                "a hash needs offsets: growing positive numbers, as in [2,4]",
            )
        };
        let offsets: Vec<usize> = serde_json::from_str(offsets.unwrap_or_default()).map_err(|_| wrong())?;
        let grows = offsets
            .iter()
            .zip(offsets.iter().skip(1))
            .all(|(left, right)| left < right);
        match offsets.first() {
            Some(1..) if grows => Ok(Self(Some((hash, offsets)))),
            _ => Err(wrong()),
        }
    }

    /// The id of a whole key; None when it is too short to have all pieces.
    pub(super) fn map(&self, key: &[u8]) -> Option<KeyspaceId> {
        let Some((_, offsets)) = &self.0 else {
            return Some(KeyspaceId::new(key));
        };
        match key.len() >= *offsets.last()? {
            true => Some(self.pieces(key)),
            false => None,
        }
    }

    /// The ids of keys that begin with `prefix`: pieces that it does not fill cannot narrow.
    pub(super) fn map_prefix(&self, prefix: &[u8]) -> Mapped {
        let Some((_, offsets)) = &self.0 else {
            return Mapped::from_prefix(prefix);
        };
        let whole = offsets
            .iter()
            .copied()
            .take_while(|offset| *offset <= prefix.len())
            .last()
            .unwrap_or(0);
        Mapped::from_prefix(self.pieces(prefix.get(..whole).unwrap_or_default()).as_bytes())
    }

    /// Hashes every piece that is there, and what follows the last offset.
    fn pieces(&self, key: &[u8]) -> KeyspaceId {
        let Some((hash, offsets)) = &self.0 else {
            return KeyspaceId::new(key);
        };
        let mut id = KeyspaceId::default();
        let mut start = 0;
        for end in offsets.iter().copied().chain([key.len()]) {
            if let Some(piece) = key.get(start..end).filter(|piece| !piece.is_empty()) {
                hash.append(piece, &mut id);
                start = end;
            }
        }
        id
    }
}

impl Hash {
    /// Appends the hash of a piece, cut to the piece's own length.
    fn append(self, piece: &[u8], id: &mut KeyspaceId) {
        match self {
            Self::Md5 => id.extend(first(&Md5::digest(piece), piece.len())),
            Self::Xxhash64 => id.extend(first(&xxh64(piece, 0).to_le_bytes(), piece.len())),
        }
    }
}

fn first(bytes: &[u8], most: usize) -> &[u8] {
    bytes.get(..most).unwrap_or(bytes)
}
