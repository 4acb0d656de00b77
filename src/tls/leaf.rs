//! A server name becomes the certificate the browser sees.
//!
//! [`Identity::Minted`] signs P-256 leaves on demand, for allowed names only, keeps them, and replaces them long before
//! they expire; time is an argument. [`Identity::Own`] serves one certificate that the user brought along.
//! Chains are sent with the CA in them: a browser may be told to trust the CA's key alone.

use super::ca::{Ca, Scope, instant, serial, validity};
use super::certificate::{describe, spki_sha256};
use crate::capture::observation::Certificate;
use crate::clock::Moment;
use crate::stored::{Readers, refuse_other_readers};
use anyhow::{Context as _, anyhow};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SanType};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Common name of every minted certificate: with blanks, so that nobody takes it for a DNS name and holds it against the
/// name constraints.
pub const COMMON_NAME: &str = "finesse-tap on this machine";

/// Life of a leaf from the moment it is minted. With its backdate it stays below the 199 days Chromium allows.
pub const LEAF_LIFE_DAYS: i64 = 90;

/// A leaf is replaced when less than this is left of it.
pub const RENEW_DAYS: i64 = 30;

const DAY_SECONDS: i64 = 86_400;

/// Who the proxy is to the browser.
pub enum Identity {
    /// Leaves of our own CAs, by server name.
    Minted(Box<Minter>),
    /// One certificate for all.
    Own(Own),
}

impl Identity {
    /// Whether a ClientHello with this server name is answered. One without a name always is.
    #[must_use]
    pub fn allows(&self, sni: Option<&str>) -> bool {
        match (self, sni) {
            (_, None) => true,
            (Self::Minted(minter), Some(name)) => minter.allows(name),
            (Self::Own(own), Some(name)) => own.covers(name),
        }
    }

    /// Whether this is the name of a fronted server, which `localhost` is not unless it is one's host.
    #[must_use]
    pub fn fronts(&self, name: &str) -> bool {
        match self {
            Self::Minted(minter) => minter.host(name).is_some(),
            Self::Own(_) => true,
        }
    }

    /// The keys that vouch for all certificates: SHA-256 of each SubjectPublicKeyInfo, lower-case hex. Every chain that
    /// is sent holds one of them.
    #[must_use]
    pub fn spki_sha256(&self) -> Vec<String> {
        match self {
            Self::Minted(minter) => minter.cas().map(|ca| ca.listing().spki_sha256.clone()).collect(),
            Self::Own(own) => own.chain.first().and_then(|leaf| spki_sha256(leaf)).into_iter().collect(),
        }
    }

    /// The certificate for this server name at this time; none for a name that is not allowed. Without a name the first
    /// server is meant.
    ///
    /// # Errors
    /// Minting failed: no random numbers, or a clock out of range.
    pub fn leaf(&self, sni: Option<&str>, now: Moment) -> anyhow::Result<Option<Arc<Leaf>>> {
        match self {
            Self::Minted(minter) => minter.leaf(sni, now),
            Self::Own(own) => Ok(Some(Arc::clone(&own.leaf))),
        }
    }
}

/// A certificate with its key, and how it describes itself.
pub struct Leaf {
    /// Chain and key as rustls takes them.
    pub key: Arc<CertifiedKey>,
    /// The end-entity certificate.
    pub certificate: Certificate,
}

/// Mints leaves for the fronted hosts; `localhost` and loopback addresses are in each.
pub struct Minter {
    cas: Vec<Ca>,
    hosts: Vec<String>,
    ips: Vec<IpAddr>,
    minted: Mutex<HashMap<String, Arc<Leaf>>>,
}

impl Minter {
    /// Leaves for `hosts` (DNS names and addresses; the first is meant when no name is sent), each signed by the first
    /// CA that permits it, as [`Ca::open_all`] gives them. Each leaf also holds the addresses among `hosts` and in
    /// `listening`, as far as its CA permits them, or it would be refused.
    #[must_use]
    pub fn new<'h>(
        cas: Vec<Ca>,
        hosts: impl IntoIterator<Item = &'h str>,
        listening: impl IntoIterator<Item = IpAddr>,
    ) -> Self {
        let hosts: Vec<String> = hosts.into_iter().map(str::to_ascii_lowercase).collect();
        let mut scope = Scope::of(hosts.iter().map(String::as_str));
        listening.into_iter().for_each(|ip| scope.add_address(ip));
        for ip in &scope.ips {
            if !cas.iter().any(|ca| ca.permits(&ip.to_string())) {
                tracing::warn!(address = %ip, "the CA was made without this address: browsers will refuse it as a name");
            }
        }
        Self { cas, hosts, ips: scope.ips, minted: Mutex::default() }
    }

    /// The CAs that sign, one at least.
    pub fn cas(&self) -> impl Iterator<Item = &Ca> {
        self.cas.iter()
    }

    fn allows(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case("localhost") || self.host(name).is_some()
    }

    /// A fronted host as it is kept.
    fn host(&self, name: &str) -> Option<&String> {
        self.hosts.iter().find(|host| host.eq_ignore_ascii_case(name))
    }

    fn leaf(&self, sni: Option<&str>, now: Moment) -> anyhow::Result<Option<Arc<Leaf>>> {
        let Some(primary) = self.hosts.first() else { return Ok(None) };
        let name = sni.unwrap_or(primary).to_ascii_lowercase();
        if !self.allows(&name) {
            return Ok(None);
        }
        let now_s = now.wall_us / 1_000_000;
        // A poisoned lock guards a map that is whole between any two statements.
        let mut minted = self.minted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(leaf) = minted.get(&name)
            && leaf.certificate.not_before <= now_s
            && now_s < leaf.certificate.not_after - RENEW_DAYS * DAY_SECONDS
        {
            return Ok(Some(Arc::clone(leaf)));
        }
        let leaf = Arc::new(self.mint(&name, now_s)?);
        tracing::debug!(name, not_after = leaf.certificate.not_after, "leaf minted");
        // At most one entry an allowed name: the map cannot grow further.
        minted.insert(name, Arc::clone(&leaf));
        Ok(Some(leaf))
    }

    fn mint(&self, name: &str, now_s: i64) -> anyhow::Result<Leaf> {
        let mut params = CertificateParams::default();
        let (from, to) = validity(now_s, LEAF_LIFE_DAYS);
        params.not_before = instant(from)?;
        params.not_after = instant(to)?;
        params.serial_number = Some(serial()?);
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, COMMON_NAME);
        let ca = self.cas.iter().find(|ca| ca.permits(name)).context("no CA permits this name")?;
        let mut dns = vec!["localhost"];
        if name.parse::<IpAddr>().is_err() && name != "localhost" {
            dns.insert(0, name);
        }
        for name in dns {
            params.subject_alt_names.push(SanType::DnsName(name.try_into().context("a name that is not ASCII")?));
        }
        let permitted = self.ips.iter().copied().filter(|ip| ca.permits(&ip.to_string()));
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        params.subject_alt_names.extend(loopback.into_iter().chain(permitted).map(SanType::IpAddress));

        let key = KeyPair::generate().context("make a key")?;
        let certificate = params.signed_by(&key, ca.issuer()).context("sign a leaf")?;
        let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let signer = super::provider().key_provider.load_private_key(private).context("load the leaf's key")?;
        let der = certificate.der().clone();
        let described = describe(&der);
        let chain = vec![der, ca.der().clone()];
        Ok(Leaf { key: Arc::new(CertifiedKey::new(chain, signer)), certificate: described })
    }
}

/// A certificate the user brought along.
pub struct Own {
    leaf: Arc<Leaf>,
    chain: Vec<CertificateDer<'static>>,
}

impl Own {
    /// Reads a PEM chain, end entity first, and its PEM key.
    ///
    /// # Errors
    /// A file that cannot be read, holds no certificate or key, or a key that does not belong to the certificate.
    pub fn load(cert: &Path, key: &Path) -> anyhow::Result<Self> {
        let (chain, certified) = certified_key(cert, key)?;
        let end_entity = chain.first().ok_or_else(|| anyhow!("{} holds no certificate", cert.display()))?;
        let leaf = Arc::new(Leaf { certificate: describe(end_entity), key: Arc::new(certified) });
        Ok(Self { leaf, chain })
    }

    fn covers(&self, name: &str) -> bool {
        let Some(end_entity) = self.chain.first() else { return false };
        let (Ok(parsed), Ok(name)) = (ParsedCertificate::try_from(end_entity), ServerName::try_from(name)) else {
            return false;
        };
        rustls::client::verify_server_name(&parsed, &name).is_ok()
    }
}

/// Reads a PEM chain and its PEM key, and checks that they belong together.
pub(super) fn certified_key(cert: &Path, key: &Path) -> anyhow::Result<(Vec<CertificateDer<'static>>, CertifiedKey)> {
    let chain: Vec<_> =
        CertificateDer::pem_file_iter(cert).and_then(Iterator::collect).map_err(|error| unreadable(error, cert))?;
    anyhow::ensure!(
        !chain.is_empty(),
        "{} holds no certificate in PEM form\nhint: openssl x509 -inform der -in FILE makes PEM of DER",
        cert.display()
    );
    let unread = || format!("read {}", key.display());
    let file = File::open(key).with_context(unread)?;
    refuse_other_readers(&file, key, Readers::Group)?;
    // The parser's error is dropped unless it is about the file: it may quote the key.
    let private = PrivateKeyDer::from_pem_reader(file).map_err(|error| match error {
        rustls::pki_types::pem::Error::Io(io) => anyhow::Error::new(io).context(unread()),
        _ => anyhow!("{} holds no private key in PEM form\nhint: an encrypted one is decrypted by openssl pkey -in FILE -out PLAIN", key.display()),
    })?;
    let certified = CertifiedKey::from_der(chain.clone(), private, &super::provider())
        .with_context(|| format!("use {} with {}", key.display(), cert.display()))?;
    Ok((chain, certified))
}

/// That the certificates at `path` cannot be read.
pub(super) fn unreadable(error: rustls::pki_types::pem::Error, path: &Path) -> anyhow::Error {
    let what = format!("read certificates from {}", path.display());
    match error {
        rustls::pki_types::pem::Error::Io(io) => anyhow::Error::new(io).context(what),
        broken => anyhow!("{what}: {broken}"),
    }
}

// rustls asks a resolver for Debug; keys have none.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minted(_) => "Identity::Minted",
            Self::Own(_) => "Identity::Own",
        })
    }
}
