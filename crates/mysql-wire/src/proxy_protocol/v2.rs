//! Version 2: a binary header.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Claim, Decoded, ProxyError, V2_SIGNATURE};

/// Signature, version and command, family, length.
pub(super) const FIXED_BYTES: usize = 16;
/// Longest content after the fixed part that is accepted: unix addresses take 216 bytes, certificate extensions some
/// hundreds.
const CONTENT_BYTES_MAX: usize = 4096;
/// Bytes of one unix socket path, padded with NUL.
const UNIX_PATH_BYTES: usize = 108;

const COMMAND_LOCAL: u8 = 0;
const COMMAND_PROXY: u8 = 1;
const FAMILY_UNSPECIFIED: u8 = 0x00;
const FAMILY_TCP4: u8 = 0x11;
const FAMILY_TCP6: u8 = 0x21;
const FAMILY_UNIX_STREAM: u8 = 0x31;

/// Decodes what follows the signature.
pub(super) fn decode(rest: &[u8]) -> Result<Decoded, ProxyError> {
    if let Some(version) = rest.first().map(|b| b >> 4).filter(|&v| v != 2) {
        return Err(ProxyError::Version(version));
    }
    let Some((&[version_command, family, high, low], content)) = rest.split_first_chunk::<4>() else {
        return Ok(Decoded::NeedMore(FIXED_BYTES - V2_SIGNATURE.len() - rest.len()));
    };
    let bytes = usize::from(u16::from_be_bytes([high, low]));
    if bytes > CONTENT_BYTES_MAX {
        return Err(ProxyError::TooLong {
            bytes,
            limit: CONTENT_BYTES_MAX,
        });
    }
    let command = version_command & 0x0F;
    if command != COMMAND_LOCAL && command != COMMAND_PROXY {
        return Err(ProxyError::Command(command));
    }
    let Some(content) = content.get(..bytes) else {
        return Ok(Decoded::NeedMore(bytes - content.len()));
    };
    // A LOCAL header's family and content must be skipped unread.
    let claim = if command == COMMAND_LOCAL {
        Claim::Local
    } else {
        claim(family, content)?
    };
    Ok(Decoded::Header {
        consumed: FIXED_BYTES + bytes,
        claim,
    })
}

fn claim(family: u8, content: &[u8]) -> Result<Claim, ProxyError> {
    let (claim, extensions) = match family {
        FAMILY_UNSPECIFIED => return Ok(Claim::Local),
        FAMILY_TCP4 => {
            let (source, rest) = take::<4>(content)?;
            let (destination, rest) = take::<4>(rest)?;
            let (ports, rest) = take::<4>(rest)?;
            (
                tcp(
                    Ipv4Addr::from(source).into(),
                    Ipv4Addr::from(destination).into(),
                    ports,
                ),
                rest,
            )
        }
        FAMILY_TCP6 => {
            let (source, rest) = take::<16>(content)?;
            let (destination, rest) = take::<16>(rest)?;
            let (ports, rest) = take::<4>(rest)?;
            (
                tcp(
                    Ipv6Addr::from(source).into(),
                    Ipv6Addr::from(destination).into(),
                    ports,
                ),
                rest,
            )
        }
        FAMILY_UNIX_STREAM => {
            let (source, rest) = take::<UNIX_PATH_BYTES>(content)?;
            let (destination, rest) = take::<UNIX_PATH_BYTES>(rest)?;
            (
                Claim::Unix {
                    source: path(&source),
                    destination: path(&destination),
                },
                rest,
            )
        }
        other => return Err(ProxyError::Family(other)),
    };
    check_extensions(extensions)?;
    Ok(claim)
}

fn take<const N: usize>(content: &[u8]) -> Result<([u8; N], &[u8]), ProxyError> {
    content
        .split_first_chunk::<N>()
        .map(|(a, rest)| (*a, rest))
        .ok_or(ProxyError::ShortAddresses)
}

fn tcp(source: std::net::IpAddr, destination: std::net::IpAddr, [s0, s1, d0, d1]: [u8; 4]) -> Claim {
    Claim::Tcp {
        source: SocketAddr::new(source, u16::from_be_bytes([s0, s1])),
        destination: SocketAddr::new(destination, u16::from_be_bytes([d0, d1])),
    }
}

fn path(padded: &[u8]) -> Vec<u8> {
    padded.split(|&b| b == 0).next().unwrap_or_default().to_vec()
}

/// The extensions' content is not used, but damaged ones mean that the addresses can't be trusted either.
fn check_extensions(mut rest: &[u8]) -> Result<(), ProxyError> {
    while !rest.is_empty() {
        let (&[_type, high, low], value) = rest.split_first_chunk::<3>().ok_or(ProxyError::Extension)?;
        let bytes = usize::from(u16::from_be_bytes([high, low]));
        rest = value.get(bytes..).ok_or(ProxyError::Extension)?;
    }
    Ok(())
}
