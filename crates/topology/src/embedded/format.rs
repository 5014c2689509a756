//! The bytes of the store's file: pure encoding and decoding.
//!
//! Numbers are little-endian, checksums CRC-32 (IEEE).
//!
//! | part | bytes |
//! |---|---|
//! | header | magic 8, store id 16, base revision 8, base entries 8, checksum of these 4 |
//! | record | length of the body 4, checksum of that length and the record's offset 4, checksum of the body 4, body |
//! | body | kind 1 (1 put, 2 delete), revision 8, length of the key 2, key, value (of a put) |
//!
//! The file begins with its compacted state: as many puts as the header says, with revisions up to the base
//! revision. They were synced before the file got its name, so nothing in there can be cut off by a crash.
//! After them come the writes since, each one revision above the one before, each synced before the next was
//! begun, so only the last one can be cut off.

use crate::store::{Entry, KEY_BYTES_MAX};
use crate::table::{Change, Table};

const MAGIC: [u8; 8] = *b"vtrltop1";
const HEADER_BYTES: usize = 44;
const RECORD_HEADER_BYTES: usize = 12;
const KIND_PUT: u8 = 1;
const KIND_DELETE: u8 = 2;

/// Disks write sectors of at least this size as a whole.
const SECTOR_BYTES: usize = 512;

/// What a file holds.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) store_id: [u8; 16],
    pub(super) table: Table,
    /// Length of the part that is whole; what follows is a write that a crash cut off.
    pub(super) whole_bytes: usize,
}

/// Where and why a file is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) offset: usize,
    pub(super) why: &'static str,
}

/// The bytes of a compacted file.
pub(super) fn encode_compacted(store_id: [u8; 16], table: &Table) -> Vec<u8> {
    let entries = table.list("").entries;
    let mut out = Vec::with_capacity(HEADER_BYTES);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&store_id);
    out.extend_from_slice(&table.revision().to_le_bytes());
    out.extend_from_slice(&(entries.len() as u64).to_le_bytes());
    let checksum = crc32fast::hash(&out);
    out.extend_from_slice(&checksum.to_le_bytes());
    for entry in entries {
        let offset = out.len();
        out.extend_from_slice(&encode_record(&Change::Put(entry), offset as u64));
    }
    out
}

/// The bytes of one record that will lie at `offset`.
pub(super) fn encode_record(change: &Change, offset: u64) -> Vec<u8> {
    let mut body = Vec::new();
    let (kind, value): (u8, &[u8]) = match change {
        Change::Put(entry) => (KIND_PUT, &entry.value),
        Change::Delete { .. } => (KIND_DELETE, &[]),
    };
    body.push(kind);
    body.extend_from_slice(&change.revision().to_le_bytes());
    // Keys and values were checked against their limits, which fit.
    body.extend_from_slice(&(change.key().len() as u16).to_le_bytes());
    body.extend_from_slice(change.key().as_bytes());
    body.extend_from_slice(value);
    let length = (body.len() as u32).to_le_bytes();
    let mut out = Vec::with_capacity(RECORD_HEADER_BYTES + body.len());
    out.extend_from_slice(&length);
    out.extend_from_slice(&length_checksum(length, offset).to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    out.extend_from_slice(&body);
    out
}

/// Includes the offset, so that a block that a disk put in the wrong place is no record.
fn length_checksum(length: [u8; 4], offset: u64) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(&offset.to_le_bytes());
    hasher.finalize()
}

/// Reads a file.
pub(super) fn decode(file: &[u8]) -> Result<Decoded, Damage> {
    let (store_id, base_revision, base_entries) = decode_header(file).ok_or(Damage {
        offset: 0,
        why: "no header of a topology store",
    })?;
    let mut table = Table::at_revision(base_revision);
    let mut offset = HEADER_BYTES;
    let mut count = 0;
    while offset < file.len() || count < base_entries {
        let compacted = count < base_entries;
        match decode_record(file, offset) {
            Ok((change, end)) => {
                if !follows(&table, &change, compacted, base_revision) {
                    return Err(Damage {
                        offset,
                        why: "a record out of order",
                    });
                }
                table.apply(&change);
                offset = end;
                count = count.saturating_add(1);
            }
            Err(Bad::CutOff) if !compacted => break,
            Err(Bad::CutOff) => {
                return Err(Damage {
                    offset,
                    why: "the compacted part ends too early",
                });
            }
            Err(Bad::Damaged(why)) => return Err(Damage { offset, why }),
        }
    }
    Ok(Decoded {
        store_id,
        table,
        whole_bytes: offset,
    })
}

fn follows(table: &Table, change: &Change, compacted: bool, base_revision: u64) -> bool {
    if compacted {
        matches!(change, Change::Put(entry) if entry.version <= base_revision)
    } else {
        table.revision().checked_add(1) == Some(change.revision())
    }
}

fn decode_header(file: &[u8]) -> Option<([u8; 16], u64, u64)> {
    let (covered, rest) = file.split_at_checked(HEADER_BYTES - 4)?;
    let mut rest = Reader(rest);
    if crc32fast::hash(covered) != rest.u32()? {
        return None;
    }
    let mut reader = Reader(covered);
    if reader.array::<8>()? != MAGIC {
        return None;
    }
    Some((reader.array()?, reader.u64()?, reader.u64()?))
}

/// Why there is no record at an offset.
enum Bad {
    /// The last write before a crash: the file ends within it, or sectors of it were never written.
    CutOff,
    /// Everything else.
    Damaged(&'static str),
}

/// The record at `offset` and the offset after it.
fn decode_record(file: &[u8], offset: usize) -> Result<(Change, usize), Bad> {
    let mut reader = Reader(file.get(offset..).unwrap_or_default());
    let (Some(length), Some(checksum), Some(body_checksum)) =
        (reader.array::<4>(), reader.u32(), reader.u32())
    else {
        return Err(Bad::CutOff);
    };
    if length_checksum(length, offset as u64) != checksum {
        // The length cannot be trusted, so the rest of the file counts as this record.
        return Err(cut_off_or(
            file,
            offset,
            file.len(),
            "a record's length has a wrong checksum",
        ));
    }
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    let Some(body) = reader.0.get(..length) else {
        return Err(Bad::CutOff);
    };
    let end = offset + RECORD_HEADER_BYTES + length;
    if crc32fast::hash(body) != body_checksum {
        let why = "a record has a wrong checksum";
        return Err(if end == file.len() {
            cut_off_or(file, offset, end, why)
        } else {
            Bad::Damaged(why)
        });
    }
    let change = decode_body(body).ok_or(Bad::Damaged("a record that this version does not know"))?;
    Ok((change, end))
}

/// A write that a crash cut off may have left sectors of zeros where the file had grown already. A bad record
/// without one was written whole, and changed later.
fn cut_off_or(file: &[u8], start: usize, end: usize, why: &'static str) -> Bad {
    let mut at = start;
    while at < end {
        let next = (at / SECTOR_BYTES + 1).saturating_mul(SECTOR_BYTES).min(end);
        if file
            .get(at..next)
            .is_some_and(|sector| sector.iter().all(|byte| *byte == 0))
        {
            return Bad::CutOff;
        }
        at = next;
    }
    Bad::Damaged(why)
}

fn decode_body(body: &[u8]) -> Option<Change> {
    let mut reader = Reader(body);
    let [kind] = reader.array::<1>()?;
    let revision = reader.u64()?;
    let key_length = usize::from(u16::from_le_bytes(reader.array()?));
    let (key, value) = reader.0.split_at_checked(key_length)?;
    let key = std::str::from_utf8(key)
        .ok()
        .filter(|key| key.len() <= KEY_BYTES_MAX)?
        .to_owned();
    match kind {
        KIND_PUT => Some(Change::Put(Entry {
            key,
            value: value.into(),
            version: revision,
        })),
        KIND_DELETE if value.is_empty() => Some(Change::Delete { key, revision }),
        _ => None,
    }
}

/// Takes numbers off the front of a slice.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*array)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}
