//! One event of a binary log: its header, and the bodies that tell of transactions.

use std::fmt::Write as _;

use crate::bytes::Bytes;
use crate::gtid::{GtidSet, NUMBER_MAX};

/// Length of an event's header.
pub const HEADER_LEN: usize = 19;
/// Where an event's flags begin.
pub const FLAGS_AT: usize = 17;
/// The flag of a file's first event while the file is written to, which also tells a crash: mysqld recovers its engines by the last
/// file if it finds the flag set there, and by no file otherwise.
pub const IN_USE: u16 = 1;
/// Length of the checksum at the end of an event.
pub(crate) const CHECKSUM_LEN: usize = 4;

const FORMAT_DESCRIPTION: u8 = 15;
const XID: u8 = 16;
const GTID: u8 = 33;
const ANONYMOUS_GTID: u8 = 34;
const PREVIOUS_GTIDS: u8 = 35;
const XA_PREPARE: u8 = 38;
const TRANSACTION_PAYLOAD: u8 = 40;
const GTID_TAGGED: u8 = 42;

/// The id of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gtid {
    /// A UUID in lower case, with `:tag` where tagged.
    pub source: String,
    /// Its number.
    pub number: u64,
}

/// An event, as far as it tells of transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The first event of a file, which says how the others are written.
    Format {
        /// Whether the file was being written to when its server ended.
        in_use: bool,
        /// Whether the other events end in a checksum.
        checksums: bool,
    },
    /// What had been executed when the file was begun.
    Previous(GtidSet),
    /// A transaction begins.
    Begin(Gtid),
    /// A transaction without an id begins.
    Anonymous,
    /// A commit that the next file is not begun before, or an XA PREPARE. COMMIT and ROLLBACK of a prepared branch do not wait like
    /// this (MySQL bug 118797), and are [`Event::Other`].
    Awaited,
    /// Anything else.
    Other,
}

/// An event's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: u8,
    /// Length of the whole event.
    pub(crate) size: u32,
    pub(crate) flags: u16,
}

impl Header {
    pub(crate) fn read(bytes: &[u8; HEADER_LEN]) -> Option<Header> {
        let mut b = Bytes(bytes);
        b.u32()?;
        let kind = b.u8()?;
        b.u32()?;
        let size = b.u32()?;
        b.u32()?;
        let flags = b.u16()?;
        (kind != 0 && size as usize >= HEADER_LEN).then_some(Header { kind, size, flags })
    }

    pub(crate) fn is_format(&self) -> bool {
        self.kind == FORMAT_DESCRIPTION
    }

    /// What needs no look at the body; none when the body says it.
    pub(crate) fn plain(&self) -> Option<Event> {
        match self.kind {
            FORMAT_DESCRIPTION | GTID | GTID_TAGGED | PREVIOUS_GTIDS => None,
            ANONYMOUS_GTID => Some(Event::Anonymous),
            XID | XA_PREPARE | TRANSACTION_PAYLOAD => Some(Event::Awaited),
            _ => Some(Event::Other),
        }
    }

    /// Reads the body, without its checksum.
    pub(crate) fn body(&self, body: &[u8]) -> Option<Event> {
        match self.kind {
            GTID => gtid(body).map(Event::Begin),
            GTID_TAGGED => tagged(body).map(Event::Begin),
            PREVIOUS_GTIDS => previous(body).map(Event::Previous),
            FORMAT_DESCRIPTION => {
                let (algorithm, _) = body.split_last()?;
                Some(Event::Format {
                    in_use: self.flags & IN_USE != 0,
                    checksums: match algorithm {
                        0 => false,
                        1 => true,
                        _ => return None,
                    },
                })
            }
            _ => self.plain(),
        }
    }
}

/// Whether an event, header and checksum included, is what its checksum says.
pub(crate) fn checksum_holds(header: &[u8; HEADER_LEN], body: &[u8], checksum: &[u8]) -> bool {
    let mut header = *header;
    // The flag is set and cleared in place, without a new checksum.
    if header[4] == FORMAT_DESCRIPTION {
        header[FLAGS_AT] &= !(IN_USE as u8);
    }
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&header);
    hasher.update(body);
    hasher.finalize().to_le_bytes() == checksum
}

fn gtid(body: &[u8]) -> Option<Gtid> {
    let mut b = Bytes(body);
    b.u8()?;
    let source = uuid(b.take(16)?);
    valid(source, b.u64()?)
}

/// MySQL's serialisation: version, length, the last field that a reader has to know, then fields with their numbers before them.
fn tagged(body: &[u8]) -> Option<Gtid> {
    let mut b = Bytes(body);
    if b.varlen()? != 1 {
        return None;
    }
    b.varlen()?;
    b.varlen()?;
    let (mut id, mut tag, mut number) = ([0u8; 16], "", None);
    while !b.0.is_empty() {
        match b.varlen()? {
            0 => {
                b.varlen()?;
            }
            1 => {
                for byte in &mut id {
                    *byte = u8::try_from(b.varlen()?).ok()?;
                }
            }
            // Signed: the lowest bit is the sign.
            2 => number = Some(b.varlen()?).filter(|n| n & 1 == 0).map(|n| n >> 1),
            3 => tag = b.string()?,
            _ => break,
        }
    }
    valid(with_tag(uuid(&id), tag)?, number?)
}

/// A set of ids as [`Event::Previous`] holds it: the old form, or the one for sets with tags (8.3 and later).
fn previous(body: &[u8]) -> Option<GtidSet> {
    let mut b = Bytes(body);
    let first = b.u64()?;
    let (tags, sources) = match first >> 56 {
        0 => (false, first),
        1 => (true, (first >> 8) & 0xffff_ffff_ffff),
        _ => return None,
    };
    let mut set = GtidSet::default();
    for _ in 0..sources {
        let id = uuid(b.take(16)?);
        let source = if tags { with_tag(id, b.string()?)? } else { id };
        for _ in 0..b.u64()? {
            // The end is the first number that is not in it.
            let (from, end) = (b.u64()?, b.u64()?);
            if from == 0 || end <= from || end > NUMBER_MAX + 1 {
                return None;
            }
            set.insert_range(&source, from, end - 1);
        }
    }
    b.0.is_empty().then_some(set)
}

fn valid(source: String, number: u64) -> Option<Gtid> {
    (1..=NUMBER_MAX)
        .contains(&number)
        .then_some(Gtid { source, number })
}

fn uuid(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn with_tag(mut uuid: String, tag: &str) -> Option<String> {
    if !tag.is_empty() {
        let well_formed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if tag.len() > 32 || !tag.bytes().all(well_formed) {
            return None;
        }
        uuid.push(':');
        uuid.push_str(tag);
    }
    Some(uuid)
}
