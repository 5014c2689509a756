//! Version 1: one line of text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::{Claim, Decoded, ProxyError, V1_PREFIX};

/// Longest line with CR LF by the protocol's text.
pub(super) const LINE_BYTES_MAX: usize = 107;
/// `PROXY UNKNOWN` with CR LF.
pub(super) const LINE_BYTES_MIN: usize = 15;

/// Decodes what follows `PROXY `.
pub(super) fn decode(rest: &[u8]) -> Result<Decoded, ProxyError> {
    let window = rest.get(..LINE_BYTES_MAX - V1_PREFIX.len()).unwrap_or(rest);
    let Some(end) = memchr::memchr(b'\n', window) else {
        return if window.len() == LINE_BYTES_MAX - V1_PREFIX.len() {
            Err(ProxyError::LineTooLong)
        } else {
            let shortest = LINE_BYTES_MIN - V1_PREFIX.len();
            Ok(Decoded::NeedMore(shortest.saturating_sub(rest.len()).max(1)))
        };
    };
    let line = window
        .get(..end)
        .and_then(|l| l.strip_suffix(b"\r"))
        .ok_or(wrong("it ends without CR"))?;
    let line = std::str::from_utf8(line).map_err(|_| wrong("it is not ASCII"))?;
    Ok(Decoded::Header {
        consumed: V1_PREFIX.len() + end + 1,
        claim: claim(line)?,
    })
}

fn claim(line: &str) -> Result<Claim, ProxyError> {
    let mut words = line.split(' ');
    let (source, destination) = match words.next() {
        // Whatever follows UNKNOWN must be ignored.
        Some("UNKNOWN") => return Ok(Claim::Local),
        Some("TCP4") => (
            address::<Ipv4Addr>(words.next())?,
            address::<Ipv4Addr>(words.next())?,
        ),
        Some("TCP6") => (
            address::<Ipv6Addr>(words.next())?,
            address::<Ipv6Addr>(words.next())?,
        ),
        _ => return Err(wrong("the protocol is none of TCP4, TCP6, UNKNOWN")),
    };
    let (source_port, destination_port) = (port(words.next())?, port(words.next())?);
    if words.next().is_some() {
        return Err(wrong("words follow the ports"));
    }
    Ok(Claim::Tcp {
        source: SocketAddr::new(source, source_port),
        destination: SocketAddr::new(destination, destination_port),
    })
}

fn address<A: FromStr + Into<IpAddr>>(word: Option<&str>) -> Result<IpAddr, ProxyError> {
    let word = word.ok_or(wrong("an address is missing"))?;
    word.parse::<A>()
        .map(Into::into)
        .map_err(|_| wrong("an address does not fit the protocol"))
}

fn port(word: Option<&str>) -> Result<u16, ProxyError> {
    let word = word.ok_or(wrong("a port is missing"))?;
    // Rust's parser takes a leading plus sign, the protocol does not.
    if word.bytes().any(|b| !b.is_ascii_digit()) {
        return Err(wrong("a port is not a number"));
    }
    word.parse()
        .map_err(|_| wrong("a port is not a number up to 65535"))
}

fn wrong(reason: &'static str) -> ProxyError {
    ProxyError::Line { reason }
}
