//! OK packet, also in the form that ends a result set for clients with DEPRECATE_EOF.

use super::{EofPacket, SessionState};
use crate::{
    Capabilities, StatusFlags,
    error::DecodeError,
    packet::{Reader, Writer},
};

/// Which first byte an OK packet has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum OkHeader {
    /// The answer to a statement without result set, or to another command.
    Ok = 0x00,
    /// The end of a result set.
    Eof = 0xfe,
}

/// An OK packet of the 4.1 protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OkPacket<'a> {
    /// Number of rows that the statement changed.
    pub affected_rows: u64,
    /// The AUTO_INCREMENT value of the statement's first row, or 0.
    pub last_insert_id: u64,
    /// The session's status.
    pub status: StatusFlags,
    /// Number of warnings.
    pub warnings: u16,
    /// Text for people, for example how many rows matched.
    pub info: &'a [u8],
    /// Changes of the session; sent only to peers with SESSION_TRACK.
    pub session_state: SessionState<'a>,
}

impl<'a> OkPacket<'a> {
    /// Decodes the payload, whose first byte may be that of either [`OkHeader`].
    pub fn decode(payload: &'a [u8], capabilities: Capabilities) -> Result<Self, DecodeError> {
        let mut r = Reader::new(payload);
        let header = r.int1()?;
        if header != OkHeader::Ok as u8 && header != OkHeader::Eof as u8 {
            return Err(DecodeError::Invalid {
                what: "OK packet",
                value: u64::from(header),
            });
        }
        let mut ok = Self {
            affected_rows: r.lenenc_int()?,
            last_insert_id: r.lenenc_int()?,
            status: StatusFlags::from_bits(r.int2()?),
            warnings: r.int2()?,
            ..Self::default()
        };
        if r.is_empty() {
            return Ok(ok);
        }
        if capabilities.contains(Capabilities::SESSION_TRACK) {
            ok.info = r.lenenc_bytes()?;
            if ok.status.contains(StatusFlags::SESSION_STATE_CHANGED) && !r.is_empty() {
                ok.session_state = SessionState::decode(r.lenenc_bytes()?)?;
            }
        } else {
            // Documented as the rest of the packet, sent with a length by MySQL.
            let mut with_len = r;
            ok.info = match with_len.lenenc_bytes() {
                Ok(info) if with_len.is_empty() => info,
                _ => r.rest(),
            };
        }
        Ok(ok)
    }

    /// Encodes the payload. The status flag SESSION_STATE_CHANGED is set to whether changes are sent.
    pub fn encode(&self, header: OkHeader, capabilities: Capabilities, w: &mut Writer<'_>) {
        let tracked = capabilities.contains(Capabilities::SESSION_TRACK) && !self.session_state.is_empty();
        w.int1(header as u8);
        w.lenenc_int(self.affected_rows);
        w.lenenc_int(self.last_insert_id);
        w.int2(
            self.status
                .with(StatusFlags::SESSION_STATE_CHANGED, tracked)
                .bits(),
        );
        w.int2(self.warnings);
        if tracked || !self.info.is_empty() {
            w.lenenc_bytes(self.info);
        }
        if tracked {
            w.lenenc_bytes(self.session_state.as_bytes());
        }
    }
}

impl From<EofPacket> for OkPacket<'_> {
    fn from(eof: EofPacket) -> Self {
        Self {
            status: eof.status,
            warnings: eof.warnings,
            ..Self::default()
        }
    }
}
