//! TLS towards a server: which certificates are trusted, and how far they are checked.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::Error;

/// How far a server's certificate is checked, as MySQL's ssl-mode orders it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// Not at all (REQUIRED): safe from listeners, not from a man in the middle.
    None,
    /// A certificate of one of these authorities, for any name (VERIFY_CA).
    Ca {
        /// The authorities' certificates in PEM form.
        ca_pem: Vec<u8>,
    },
    /// The same, and it must be issued for the host that we connect to (VERIFY_IDENTITY).
    Hostname {
        /// The authorities' certificates in PEM form.
        ca_pem: Vec<u8>,
    },
}

/// TLS settings that connections share.
#[derive(Debug, Clone)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
    server_name: Option<String>,
}

impl ClientTls {
    /// Settings with this verification.
    ///
    /// # Errors
    /// [`Error::Tls`] when the authorities' certificates can't be used.
    pub fn new(verification: &Verification) -> Result<Self, Error> {
        let provider = Arc::new(ring::default_provider());
        let any_name = |chain| {
            Arc::new(AnyName {
                chain,
                provider: provider.clone(),
            })
        };
        let verifier: Arc<dyn ServerCertVerifier> = match verification {
            Verification::None => any_name(None),
            Verification::Ca { ca_pem } => any_name(Some(web_pki(ca_pem, &provider)?)),
            Verification::Hostname { ca_pem } => web_pki(ca_pem, &provider)?,
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(tls)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Self::from_config(Arc::new(config)))
    }

    /// Settings made elsewhere, for example with a client certificate.
    #[must_use]
    pub fn from_config(config: Arc<ClientConfig>) -> Self {
        Self {
            config,
            server_name: None,
        }
    }

    /// Expects the certificate to name this host instead of the one that we connect to.
    #[must_use]
    pub fn with_server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// The settings for rustls.
    #[must_use]
    pub fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    /// The name that the certificate must have when `host` is connected to.
    pub(super) fn server_name(&self, host: &str) -> Result<ServerName<'static>, Error> {
        ServerName::try_from(self.server_name.as_deref().unwrap_or(host).to_owned()).map_err(tls)
    }
}

fn web_pki(ca_pem: &[u8], provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem) {
        roots.add(certificate.map_err(tls)?).map_err(tls)?;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(tls)
}

fn tls(error: impl std::fmt::Display) -> Error {
    Error::Tls(error.to_string())
}

/// Accepts every certificate whose key the server has, if it is one of the known authorities', whatever name is in it.
#[derive(Debug)]
struct AnyName {
    /// Knows the authorities; none: any will do.
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is compared after the chain was found good.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
