//! The secret that a store's clients send with every call.

use std::fmt;
use std::path::{Path, PathBuf};

use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Request, Status};

/// Name of the metadata that carries it.
const METADATA: &str = "authorization";

/// Shortest secret, in characters: 16 random bytes in hex are twice that.
const CHARACTERS_MIN: usize = 16;

/// A bearer secret, hidden from `Debug`.
#[derive(Clone)]
pub struct Secret(MetadataValue<Ascii>);

/// Why there is no secret in a file.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The error.
        source: std::io::Error,
    },
    /// The content is no secret.
    #[error("{path}: a secret is one line of at least 16 printable ASCII characters")]
    Form {
        /// The file.
        path: PathBuf,
    },
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    /// A secret of that text; None when it is too short or holds anything but printable ASCII.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if text.len() < CHARACTERS_MIN || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let mut value: MetadataValue<Ascii> = format!("Bearer {text}").parse().ok()?;
        value.set_sensitive(true);
        Some(Self(value))
    }

    /// Reads a file; white space around the secret is no part of it.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no secret.
    pub fn from_file(path: &Path) -> Result<Self, SecretError> {
        let text = std::fs::read_to_string(path).map_err(|source| SecretError::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::new(text.trim()).ok_or_else(|| SecretError::Form {
            path: path.to_owned(),
        })
    }

    /// Puts it into a call.
    pub(crate) fn attach<T>(&self, request: &mut Request<T>) {
        request.metadata_mut().insert(METADATA, self.0.clone());
    }

    /// Passes a call that carries it.
    pub(super) fn check(&self, request: Request<()>) -> Result<Request<()>, Status> {
        let sent = request
            .metadata()
            .get(METADATA)
            .map(MetadataValue::as_bytes)
            .unwrap_or_default();
        if equal(sent, self.0.as_bytes()) {
            Ok(request)
        } else {
            Err(Status::unauthenticated("the store's secret is missing or wrong"))
        }
    }
}

/// Compares in a time that says nothing about where two texts of one length differ.
fn equal(left: &[u8], right: &[u8]) -> bool {
    let differences = left
        .iter()
        .zip(right)
        .fold(0, |found, (left, right)| found | (left ^ right));
    left.len() == right.len() && std::hint::black_box(differences) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_secret_passes() {
        let secret = Secret::new("0123456789abcdef").unwrap();
        let send = |secret: Option<Secret>| {
            let mut request = Request::new(());
            if let Some(secret) = secret {
                secret.attach(&mut request);
            }
            request
        };
        assert!(secret.check(send(Some(secret.clone()))).is_ok());
        for other in [
            None,
            Secret::new("0123456789abcdeF"),
            Secret::new("0123456789abcdef0"),
        ] {
            assert!(secret.check(send(other)).is_err());
        }
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }

    #[test]
    fn weak_and_broken_secrets_are_refused() {
        for text in ["", "short", "0123456789 abcdef", "0123456789abcdefé"] {
            assert!(Secret::new(text).is_none(), "{text}");
        }
    }
}
