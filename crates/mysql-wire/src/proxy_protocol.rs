//! The PROXY protocol, versions 1 and 2: how a load balancer tells the real client's address before the first byte of
//! MySQL. Decoding only. Source: HAProxy's `proxy-protocol.txt`.
//!
//! A header is a claim that anybody can make, so a server reads it only from peers that [`AllowedPeers`] names.

mod allowed;
#[cfg(test)]
mod tests;
mod v1;
mod v2;

use std::{io, net::SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt};

pub use allowed::{AllowedPeers, NetworkError};

/// The fixed bytes that start a version 2 header.
const V2_SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// The fixed bytes that start a version 1 header.
const V1_PREFIX: &[u8; 6] = b"PROXY ";

/// What a proxy says about the connection that it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The proxy talks for itself (health checks), or does not know: use the socket's own addresses.
    Local,
    /// A TCP connection over IPv4 or IPv6.
    Tcp {
        /// The client.
        source: SocketAddr,
        /// Where the client connected to.
        destination: SocketAddr,
    },
    /// A connection over unix sockets. Paths end at the first NUL and need not be UTF-8.
    Unix {
        /// The client's socket path, often empty.
        source: Vec<u8>,
        /// The path that the client connected to.
        destination: Vec<u8>,
    },
}

/// What [`decode`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// The header is not complete: at least this many further bytes are needed.
    NeedMore(usize),
    /// A whole header.
    Header {
        /// Bytes that the header took, type-length-value extensions included.
        consumed: usize,
        /// What it says.
        claim: Claim,
    },
}

/// Why the first bytes of a connection are no usable PROXY header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// The bytes begin neither header.
    #[error("expected a PROXY protocol header, got other bytes")]
    Missing,
    /// A version 1 line does not end within the 107 bytes that the protocol allows.
    #[error("a PROXY v1 line must end with CR LF within {} bytes", v1::LINE_BYTES_MAX)]
    LineTooLong,
    /// A version 1 line is wrong.
    #[error("PROXY v1 line: {reason}")]
    Line {
        /// What is wrong.
        reason: &'static str,
    },
    /// The version nibble is not 2.
    #[error("PROXY v2 signature with version {0}")]
    Version(u8),
    /// The command nibble is neither LOCAL nor PROXY.
    #[error("PROXY v2 command {0} is unknown")]
    Command(u8),
    /// The family and protocol byte is not one that carries MySQL.
    #[error("PROXY v2 address family and protocol {0:#04x} is not TCP or a unix stream")]
    Family(u8),
    /// The header is longer than any that a proxy has a reason to send.
    #[error("PROXY v2 header of {bytes} bytes exceeds the limit of {limit}")]
    TooLong {
        /// Length after the fixed 16 bytes.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The announced length does not hold the addresses of the family.
    #[error("PROXY v2 header ends inside its addresses")]
    ShortAddresses,
    /// The extensions after the addresses do not add up to the announced length.
    #[error("PROXY v2 extension exceeds the header")]
    Extension,
}

/// Reads a header of either version from the first bytes of a connection. Never asks for bytes beyond the header.
///
/// # Errors
/// [`ProxyError`] as soon as the bytes can't become a valid header.
pub fn decode(input: &[u8]) -> Result<Decoded, ProxyError> {
    if let Some(rest) = input.strip_prefix(V2_SIGNATURE) {
        return v2::decode(rest);
    }
    if let Some(rest) = input.strip_prefix(V1_PREFIX) {
        return v1::decode(rest);
    }
    if V1_PREFIX.starts_with(input) || V2_SIGNATURE.starts_with(input) {
        // The shortest header of each: `PROXY UNKNOWN` with CR LF, and the fixed part of version 2.
        let shortest = if V1_PREFIX.starts_with(input) {
            v1::LINE_BYTES_MIN
        } else {
            v2::FIXED_BYTES
        };
        return Ok(Decoded::NeedMore(shortest - input.len()));
    }
    Err(ProxyError::Missing)
}

/// Reads a header from the start of a connection, and no byte after it.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] with a [`ProxyError`] inside when there is no valid header; other kinds when the
/// connection failed or ended. The caller limits the time.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Claim> {
    let mut header = Vec::new();
    loop {
        match decode(&header).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))? {
            Decoded::Header { claim, .. } => return Ok(claim),
            Decoded::NeedMore(missing) => {
                let have = header.len();
                header.resize(have + missing, 0);
                stream
                    .read_exact(header.get_mut(have..).unwrap_or_default())
                    .await?;
            }
        }
    }
}
