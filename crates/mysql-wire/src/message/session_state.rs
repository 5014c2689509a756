//! Session state changes of an OK packet.

use crate::{
    error::DecodeError,
    packet::{Reader, Writer},
};

/// The changes as they lie in the packet, checked to be decodable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionState<'a> {
    entries: &'a [u8],
}

/// One change of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateChange<'a> {
    /// A system variable has a new value.
    SystemVariable {
        /// The variable's name.
        name: &'a [u8],
        /// Its value as text.
        value: &'a [u8],
    },
    /// The default database changed.
    Schema(&'a [u8]),
    /// Whether the session's context changed in any way (`session_track_state_change`).
    Context(bool),
    /// GTIDs of the transaction (`session_track_gtids`).
    Gtids(&'a [u8]),
    /// Statements that start an equal transaction.
    TransactionCharacteristics(&'a [u8]),
    /// Eight characters of transaction state.
    TransactionState(&'a [u8]),
    /// A type that is not known.
    Other {
        /// The type's code.
        kind: u8,
        /// Its data.
        data: &'a [u8],
    },
}

impl<'a> SessionState<'a> {
    /// Takes the entries of an OK packet, without their total length.
    pub fn decode(entries: &'a [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(entries);
        while !r.is_empty() {
            StateChange::decode(&mut r)?;
        }
        Ok(Self { entries })
    }

    /// Whether there are no changes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The encoded entries.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.entries
    }

    /// The changes in the order of the packet.
    pub fn iter(&self) -> impl Iterator<Item = StateChange<'a>> + use<'a> {
        let mut r = Reader::new(self.entries);
        std::iter::from_fn(move || StateChange::decode(&mut r).ok())
    }
}

impl<'a> StateChange<'a> {
    fn decode(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let kind = r.int1()?;
        let data = r.lenenc_bytes()?;
        let mut d = Reader::new(data);
        Ok(match kind {
            0 => Self::SystemVariable {
                name: d.lenenc_bytes()?,
                value: d.lenenc_bytes()?,
            },
            1 => Self::Schema(d.lenenc_bytes()?),
            2 => Self::Context(d.lenenc_bytes()? == b"1"),
            3 => {
                // An encoding byte, always 0: text.
                d.skip(1)?;
                Self::Gtids(d.lenenc_bytes()?)
            }
            4 => Self::TransactionCharacteristics(d.lenenc_bytes()?),
            5 => Self::TransactionState(d.lenenc_bytes()?),
            _ => Self::Other { kind, data },
        })
    }

    /// Encodes one entry; entries one after the other are what [`SessionState::decode`] reads.
    pub fn encode(&self, w: &mut Writer<'_>) {
        match *self {
            Self::SystemVariable { name, value } => {
                w.int1(0);
                w.lenenc_int(lenenc_len(name) + lenenc_len(value));
                w.lenenc_bytes(name);
                w.lenenc_bytes(value);
            }
            Self::Schema(name) => entry(w, 1, name),
            Self::Context(on) => entry(w, 2, if on { b"1" } else { b"0" }),
            Self::Gtids(gtids) => {
                w.int1(3);
                w.lenenc_int(1 + lenenc_len(gtids));
                w.int1(0);
                w.lenenc_bytes(gtids);
            }
            Self::TransactionCharacteristics(text) => entry(w, 4, text),
            Self::TransactionState(text) => entry(w, 5, text),
            Self::Other { kind, data } => {
                w.int1(kind);
                w.lenenc_bytes(data);
            }
        }
    }
}

fn entry(w: &mut Writer<'_>, kind: u8, text: &[u8]) {
    w.int1(kind);
    w.lenenc_int(lenenc_len(text));
    w.lenenc_bytes(text);
}

/// Bytes that `string<lenenc>` takes.
fn lenenc_len(bytes: &[u8]) -> u64 {
    let len = bytes.len() as u64;
    len + match len {
        0..=0xfa => 1,
        0xfb..=0xffff => 3,
        0x1_0000..=0xff_ffff => 4,
        _ => 9,
    }
}
