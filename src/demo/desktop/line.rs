//! A TLS connection as a browser would make it: to one address, asking for a name, offering `http/1.1`.

use super::Story;
use crate::conn::Authority;
use anyhow::{Context, Result};
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The port browsers leave out of the Host field.
const HTTPS_PORT: u16 = 443;

/// How to reach the server.
pub(super) struct Line {
    dial: SocketAddr,
    server: Authority,
    pub(super) user_agent: &'static str,
    tls: TlsConnector,
}

impl Line {
    pub(super) fn new(story: &Story) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(story.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            dial: story.dial,
            server: story.server.clone(),
            user_agent: story.user_agent,
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    pub(super) async fn connect(&self) -> Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(self.dial).await.with_context(|| format!("connect to {}", self.dial))?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from(self.server.host.clone())?;
        self.tls.connect(name, tcp).await.context("TLS handshake")
    }

    /// The value of the Host field.
    pub(super) fn host(&self) -> String {
        if self.server.port == HTTPS_PORT { self.server.host.clone() } else { self.server.to_string() }
    }
}
