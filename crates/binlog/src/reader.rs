//! The events of one binary log file, in order.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use crate::event::{CHECKSUM_LEN, Event, HEADER_LEN, Header, checksum_holds};

/// What a file begins with.
pub const MAGIC: [u8; 4] = *b"\xfebin";
const ENCRYPTED: [u8; 4] = *b"\xfdbin";
/// Bodies that are looked at are small, but for sets of ids, which are small too on a server that takes any load.
const BODY_MAX: usize = 64 << 20;

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It begins like none.
    #[error("this is no binary log")]
    NotABinlog,
    /// mysqld was told to encrypt it.
    #[error("the binary log is encrypted")]
    Encrypted,
    /// What follows is no whole event: normal at the end of the last file of a server that was killed.
    #[error("the binary log is broken at byte {0}")]
    Broken(u64),
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// An event and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Its first byte.
    pub at: u64,
    /// The event.
    pub event: Event,
}

/// Reads events. After an error there are no more.
#[derive(Debug)]
pub struct Reader<R> {
    input: BufReader<R>,
    at: u64,
    length: u64,
    /// Known after the first event.
    checksums: Option<bool>,
}

impl<R: Read + Seek> Reader<R> {
    /// Begins with a file.
    pub fn new(mut input: R) -> Result<Reader<R>, ReadError> {
        let length = input.seek(SeekFrom::End(0))?;
        input.rewind()?;
        let mut reader = Reader {
            input: BufReader::with_capacity(1 << 16, input),
            at: MAGIC.len() as u64,
            length,
            checksums: None,
        };
        if length < reader.at {
            return Err(ReadError::NotABinlog);
        }
        let mut magic = [0; MAGIC.len()];
        reader.input.read_exact(&mut magic)?;
        match magic {
            MAGIC => Ok(reader),
            ENCRYPTED => Err(ReadError::Encrypted),
            _ => Err(ReadError::NotABinlog),
        }
    }

    /// How long the file is.
    pub fn length(&self) -> u64 {
        self.length
    }

    fn event(&mut self) -> Result<Event, ReadError> {
        let broken = ReadError::Broken(self.at);
        let left = self.length - self.at;
        if left < HEADER_LEN as u64 {
            return Err(broken);
        }
        let mut bytes = [0; HEADER_LEN];
        self.input.read_exact(&mut bytes)?;
        let Some(header) = Header::read(&bytes) else {
            return Err(broken);
        };
        // The first event says whether the others have a checksum, and has one itself.
        let tail = match (self.checksums, header.is_format()) {
            (None, true) | (Some(true), false) => CHECKSUM_LEN,
            (Some(false), false) => 0,
            (None, false) | (Some(_), true) => return Err(broken),
        };
        let body = (header.size as usize).checked_sub(HEADER_LEN + tail);
        let Some(body) = body.filter(|_| u64::from(header.size) <= left) else {
            return Err(broken);
        };
        let event = match header.plain() {
            Some(event) => {
                self.input.seek_relative(body as i64 + tail as i64)?;
                event
            }
            None => {
                if body > BODY_MAX {
                    return Err(broken);
                }
                let mut bytes_left = vec![0; body + tail];
                self.input.read_exact(&mut bytes_left)?;
                let (body, checksum) = bytes_left.split_at(body);
                match header.body(body) {
                    Some(Event::Format { in_use, checksums }) => {
                        self.checksums = Some(checksums);
                        if checksums && !checksum_holds(&bytes, body, checksum) {
                            return Err(broken);
                        }
                        Event::Format { in_use, checksums }
                    }
                    Some(event) if tail == 0 || checksum_holds(&bytes, body, checksum) => event,
                    _ => return Err(broken),
                }
            }
        };
        self.at += u64::from(header.size);
        Ok(event)
    }
}

impl<R: Read + Seek> Iterator for Reader<R> {
    type Item = Result<Located, ReadError>;

    fn next(&mut self) -> Option<Result<Located, ReadError>> {
        if self.at == self.length {
            return None;
        }
        let at = self.at;
        let result = self.event();
        if result.is_err() {
            self.at = self.length;
        }
        Some(result.map(|event| Located { at, event }))
    }
}

#[cfg(test)]
mod tests;
