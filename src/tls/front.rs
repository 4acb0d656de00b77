//! The server side: an [`Identity`] becomes the rustls configuration the browser meets.
//!
//! One configuration for all connections, so that sessions resume; the certificate is chosen by server name when the
//! handshake asks for it. Client certificates are never asked for: the proxy could not pass them on.

use super::keylog::KeyLogFile;
use super::leaf::Identity;
use crate::clock;
use anyhow::Context as _;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::sync::Arc;

/// The browser's TLS server.
#[derive(Clone)]
pub struct Front {
    /// Who it is.
    pub identity: Arc<Identity>,
    /// How it speaks.
    pub config: Arc<ServerConfig>,
}

impl Front {
    /// A server for `identity`.
    ///
    /// # Errors
    /// The cryptography does not support the versions in use (never with ring).
    pub fn new(identity: Identity, keylog: Option<Arc<KeyLogFile>>) -> anyhow::Result<Self> {
        let identity = Arc::new(identity);
        let mut config = ServerConfig::builder_with_provider(super::provider())
            .with_protocol_versions(super::VERSIONS)
            .context("set TLS versions")?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(ByName(Arc::clone(&identity))));
        config.alpn_protocols = vec![super::ALPN.to_vec()];
        if let Some(keylog) = keylog {
            config.key_log = keylog;
        }
        Ok(Self { identity, config: Arc::new(config) })
    }
}

#[derive(Debug)]
struct ByName(Arc<Identity>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match self.0.leaf(hello.server_name(), clock::now()) {
            Ok(leaf) => leaf.map(|leaf| Arc::clone(&leaf.key)),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "no certificate could be minted");
                None
            }
        }
    }
}
