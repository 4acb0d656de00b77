//! The server side: an [`Identity`] becomes the rustls configuration the browser meets.
//!
//! One configuration for all connections of a listener, with one store for all, so that sessions resume; the certificate
//! is chosen by server name when the handshake asks for it. Client certificates are never asked for: the proxy could not pass them on.

use super::Protocol;
use super::keylog::KeyLogFile;
use super::leaf::{Identity, Leaf};
use crate::clock::{self, Moment};
use crate::conn::Kind;
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
    config: Arc<ServerConfig>,
}

impl Front {
    /// A server for `identity`.
    ///
    /// # Errors
    /// The cryptography does not support the versions in use (never with ring).
    pub fn new(identity: Identity, keylog: Option<Arc<KeyLogFile>>) -> anyhow::Result<Self> {
        let identity = Arc::new(identity);
        let nobody = ByName { identity: Arc::clone(&identity), meant: String::new() };
        let mut config = ServerConfig::builder_with_provider(super::provider())
            .with_protocol_versions(super::VERSIONS)
            .context("set TLS versions")?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(nobody));
        if let Some(keylog) = keylog {
            config.key_log = keylog;
        }
        Ok(Self { identity, config: Arc::new(config) })
    }

    /// The configurations of a listener where `kind` is spoken and `host` is meant by clients that name no fronted server.
    #[must_use]
    pub fn meaning(&self, host: &str, kind: Kind) -> Meaning {
        let resolver = Arc::new(ByName { identity: Arc::clone(&self.identity), meant: host.to_owned() });
        // Sessions are in a store that all of them share.
        let speaking = |protocols: Vec<Vec<u8>>| {
            let mut config = ServerConfig::clone(&self.config);
            config.cert_resolver = Arc::clone(&resolver) as Arc<dyn ResolvesServerCert>;
            config.alpn_protocols = protocols;
            Arc::new(config)
        };
        let only = |protocol: Protocol| speaking(vec![protocol.as_str().into()]);
        Meaning {
            fixed: speaking(super::alpn(kind)),
            http2: only(Protocol::Http2),
            http1: only(Protocol::Http1),
            silent: speaking(Vec::new()),
        }
    }

    /// What a client is shown that asks for `sni` where `meant` is meant without it.
    ///
    /// # Errors
    /// Minting failed: no random numbers, or a clock out of range.
    pub fn leaf(&self, sni: Option<&str>, meant: &str, now: Moment) -> anyhow::Result<Option<Arc<Leaf>>> {
        leaf(&self.identity, sni, meant, now)
    }
}

/// One listener's configurations, which differ in what ALPN answers.
pub struct Meaning {
    /// What its kind speaks, whatever the server would.
    pub fixed: Arc<ServerConfig>,
    http2: Arc<ServerConfig>,
    http1: Arc<ServerConfig>,
    silent: Arc<ServerConfig>,
}

impl Meaning {
    /// The one that agrees on this protocol; without one ALPN is not answered.
    #[must_use]
    pub fn agreeing(&self, protocol: Option<Protocol>) -> &Arc<ServerConfig> {
        match protocol {
            Some(Protocol::Http2) => &self.http2,
            Some(Protocol::Http1) => &self.http1,
            None => &self.silent,
        }
    }
}

fn leaf(identity: &Identity, sni: Option<&str>, meant: &str, now: Moment) -> anyhow::Result<Option<Arc<Leaf>>> {
    let fronted = sni.filter(|name| identity.fronts(name));
    identity.leaf(fronted.or(Some(meant)), now)
}

#[derive(Debug)]
struct ByName {
    identity: Arc<Identity>,
    meant: String,
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match leaf(&self.identity, hello.server_name(), &self.meant, clock::now()) {
            Ok(leaf) => leaf.map(|leaf| Arc::clone(&leaf.key)),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "no certificate could be minted");
                None
            }
        }
    }
}
