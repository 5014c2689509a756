//! One file against the transactions that another server has.

use std::io::{Read, Seek};

use crate::event::Event;
use crate::gtid::GtidSet;
use crate::reader::{Located, ReadError, Reader};

/// What a file holds, seen from the other server.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Whether the file was being written to when its server ended.
    pub in_use: bool,
    /// What had been executed when the file was begun.
    pub previous: GtidSet,
    /// Where the first transaction begins that the other server does not have.
    pub cut: Option<u64>,
    /// All such transactions.
    pub missing: GtidSet,
    /// How many transactions are in the file.
    pub transactions: u64,
    /// How many of them begin at `cut` or behind it, be they missing or not.
    pub behind_cut: u64,
    /// Whether it holds a commit that the next file was not begun before.
    pub awaited: bool,
    /// Where the file stops to be readable; none when it is whole.
    pub broken: Option<u64>,
    /// Its length.
    pub length: u64,
}

/// Why a file cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A transaction without an id cannot be told from another.
    #[error("the transaction at byte {0} has no id")]
    Anonymous(u64),
    /// The file does not begin with what had been executed before it.
    #[error("the file does not say what was executed before it")]
    NoPrevious,
}

/// Compares a file with the transactions that are `known` elsewhere.
pub fn compare<R: Read + Seek>(input: R, known: &GtidSet) -> Result<Comparison, CompareError> {
    let reader = Reader::new(input)?;
    let mut out = Comparison {
        length: reader.length(),
        ..Comparison::default()
    };
    let mut previous = None;
    for located in reader {
        let Located { at, event } = match located {
            Err(ReadError::Broken(at)) if previous.is_some() => {
                out.broken = Some(at);
                break;
            }
            located => located?,
        };
        match event {
            Event::Format { in_use, .. } => out.in_use = in_use,
            Event::Previous(set) => previous = Some(set),
            _ if previous.is_none() => return Err(CompareError::NoPrevious),
            Event::Begin(gtid) => {
                out.transactions += 1;
                if !known.contains(&gtid.source, gtid.number) {
                    out.missing.insert(&gtid.source, gtid.number);
                    out.cut.get_or_insert(at);
                }
                out.behind_cut += u64::from(out.cut.is_some());
            }
            Event::Anonymous => return Err(CompareError::Anonymous(at)),
            Event::Awaited => out.awaited = true,
            Event::Other => {}
        }
    }
    out.previous = previous.ok_or(CompareError::NoPrevious)?;
    Ok(out)
}
