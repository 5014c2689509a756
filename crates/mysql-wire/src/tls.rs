//! The server's end of TLS.

use std::sync::Arc;

use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::{TlsAcceptor, TlsStream};

use crate::{Error, Transport};

/// A configuration from a PEM certificate chain and its PEM private key, with the ring provider and TLS 1.2 and 1.3.
pub fn server_config(certificates: &[u8], private_key: &[u8]) -> Result<Arc<rustls::ServerConfig>, Error> {
    let pem_error = |error: rustls_pki_types::pem::Error| Error::Tls(format!("PEM: {error}"));
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates)
        .collect::<Result<_, _>>()
        .map_err(pem_error)?;
    let key = PrivateKeyDer::from_pem_slice(private_key).map_err(pem_error)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| Error::Tls(error.to_string()))?;
    Ok(Arc::new(config))
}

/// Runs the server's end of the TLS handshake on a plain connection.
pub async fn accept(transport: Transport, config: Arc<rustls::ServerConfig>) -> Result<Transport, Error> {
    let Transport::Plain(socket) = transport else {
        return Err(Error::Unexpected("request for TLS inside TLS"));
    };
    let stream = TlsAcceptor::from(config)
        .accept(socket)
        .await
        .map_err(|error| Error::Tls(error.to_string()))?;
    Ok(Transport::Tls(Box::new(TlsStream::Server(stream))))
}
