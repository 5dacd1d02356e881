//! TLS of a client.

use std::fmt;

use tonic::transport::{Certificate, ClientTlsConfig};

/// How a client speaks to an `https` URL. Start from [`Tls::default`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tls {
    /// The authorities whose certificates are trusted, in PEM. Default: those of the system.
    pub roots_pem: Option<Vec<u8>>,
    /// What the client shows of itself, for servers that ask for it. Default nothing.
    pub identity: Option<Identity>,
    /// The name that the server's certificate has to bear. Default: the host of the URL.
    pub server_name: Option<String>,
}

/// A client's certificate and its key. `Debug` hides them.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    certificate_pem: Vec<u8>,
    key_pem: Vec<u8>,
}

impl Identity {
    /// From the certificate, with what leads to its authority behind it, and the key, in PEM. They are looked at when the client connects.
    pub fn from_pem(certificate_pem: impl Into<Vec<u8>>, key_pem: impl Into<Vec<u8>>) -> Self {
        Self {
            certificate_pem: certificate_pem.into(),
            key_pem: key_pem.into(),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(hidden)")
    }
}

impl Tls {
    pub(super) fn config(&self) -> ClientTlsConfig {
        let Self {
            roots_pem,
            identity,
            server_name,
        } = self;
        let mut config = ClientTlsConfig::new();
        config = match roots_pem {
            Some(roots) => config.ca_certificate(Certificate::from_pem(roots)),
            None => config.with_native_roots(),
        };
        if let Some(Identity {
            certificate_pem,
            key_pem,
        }) = identity
        {
            let identity = tonic::transport::Identity::from_pem(certificate_pem, key_pem);
            config = config.identity(identity);
        }
        if let Some(name) = server_name {
            config = config.domain_name(name);
        }
        config
    }
}
