//! Where a gRPC service listens.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A unix socket or a TCP address; written `unix:PATH` or `HOST:PORT` (`[::1]:PORT` for IPv6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// Path of the socket.
    Unix(PathBuf),
    /// Host name or address, and port.
    Tcp(String, u16),
}

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no address: expected unix:PATH or HOST:PORT")]
pub struct AddressError(String);

impl Address {
    /// The address as the URI of a gRPC endpoint.
    #[must_use]
    pub fn uri(&self) -> String {
        match self {
            Self::Unix(path) => format!("unix:{}", path.display()),
            Self::Tcp(..) => format!("http://{self}"),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let error = || AddressError(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() {
                Err(error())
            } else {
                Ok(Self::Unix(PathBuf::from(path)))
            };
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(error)?;
        let host = match host.strip_prefix('[') {
            Some(inner) => inner.strip_suffix(']').ok_or_else(error)?,
            None if host.contains(':') => return Err(error()),
            None => host,
        };
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'%');
        if host.is_empty() || !host.bytes().all(plain) {
            return Err(error());
        }
        Ok(Self::Tcp(host.to_owned(), port.parse().map_err(|_| error())?))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for text in [
            "unix:/run/topology.sock",
            "127.0.0.1:1",
            "localhost:65535",
            "[::1]:80",
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "unix:",
            "localhost",
            ":1",
            "a:",
            "a:65536",
            "::1:80",
            "[::1:80",
            "a b:1",
            "http://a:1",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_round_trips(text in ".{0,40}") {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert_eq!(address.to_string().parse::<Address>().unwrap(), address);
            }
        }
    }
}
