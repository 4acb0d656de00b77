//! A directory becomes a certificate authority that is good for the fronted servers' names and nothing else.
//!
//! `CERTS_DIR/<host>/ca.pem` and `ca.key` are made on first use (ECDSA P-256, key readable by its owner only) and loaded
//! and checked ever after. A critical name constraint (RFC 5280 section 4.2.1.10) permits exactly the names in its
//! [`Scope`], loopback included, so that a stolen key signs for nothing else. The pair appears at once, by renaming a
//! directory: programs that start together end up with the same CA.
//!
//! Servers named together share one CA, so that there is one to trust. A CA never changes and is used for as long as it
//! lasts: a server added later gets a CA of its own beside it, and what was trusted stays trusted.

use super::certificate::{address, describe, spki_sha256};
use crate::capture::observation::Certificate;
use crate::clock::Moment;
use crate::stored::keep_from_others;
use anyhow::{Context as _, anyhow, bail, ensure};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData as _, SerialNumber,
};
use ring::rand::SecureRandom as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Life of a CA from its creation. Apple refuses user-installed roots of more than 825 days.
pub const CA_LIFE_DAYS: i64 = 800;

/// How far back validity begins, against clocks that are behind.
pub const BACKDATE_DAYS: i64 = 1;

const DAY_SECONDS: i64 = 86_400;
const CERTIFICATE_FILE: &str = "ca.pem";
const KEY_FILE: &str = "ca.key";
const COMMON_NAME_MAX: usize = 64;

/// The names a CA is good for. `localhost`, 127.0.0.0/8 and `::1` always are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scope {
    /// DNS names, lower case, without `localhost`.
    pub dns: Vec<String>,
    /// Addresses outside loopback, each alone.
    pub ips: Vec<IpAddr>,
}

impl Scope {
    /// The scope of hosts as they are typed: DNS names and addresses.
    #[must_use]
    pub fn of<'a>(hosts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut scope = Self::default();
        for host in hosts {
            match host.parse::<IpAddr>() {
                Ok(ip) => scope.add_address(ip),
                Err(_) if host.eq_ignore_ascii_case("localhost") => {}
                Err(_) => {
                    let name = host.to_ascii_lowercase();
                    if !scope.dns.contains(&name) {
                        scope.dns.push(name);
                    }
                }
            }
        }
        scope
    }

    /// Adds an address, such as one a listener is bound to; loopback and unspecified addresses add nothing.
    pub fn add_address(&mut self, ip: IpAddr) {
        if !ip.is_loopback() && !ip.is_unspecified() && !self.ips.contains(&ip) {
            self.ips.push(ip);
        }
    }
}

/// A certificate authority, loaded and checked.
pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
    listing: Listing,
}

/// What a person wants to know of a CA; without its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listing {
    /// Where the certificate lies.
    pub path: PathBuf,
    /// Subject, validity and fingerprint.
    pub certificate: Certificate,
    /// SHA-256 of the public key (SubjectPublicKeyInfo), lower-case hex.
    pub spki_sha256: String,
    /// The names it may sign for, as its name constraints say: `DNS:name`, `IP:address/mask`.
    pub permitted: Vec<String>,
}

impl Ca {
    /// The CA for `scope` in `certs_dir/<host>`: made if it is not there, else loaded and checked.
    ///
    /// # Errors
    /// Files that cannot be read or written; a certificate that is no CA, has expired, does not belong to the key, or
    /// does not cover `scope.dns` and `host`. The text ends in what to do.
    pub fn open(certs_dir: &Path, host: &str, scope: &Scope, now: Moment) -> anyhow::Result<Self> {
        let folder = certs_dir.join(folder_name(host)?);
        if !folder.join(CERTIFICATE_FILE).exists() && !folder.join(KEY_FILE).exists() {
            create(certs_dir, &folder, host, scope, now)?;
        }
        Self::load(&folder, host, scope, now)
            .with_context(|| format!("the CA in {} cannot be used", folder.display()))
            .map_err(|error| anyhow!("{error:#}\nhint: move that directory away and a new CA is made; trust it then"))
    }

    /// The CAs for `hosts`, as few as possible: those already in `certs_dir`, valid and permitting a host (its own first,
    /// then any other), and for hosts that none permits one new CA, under the first such host's name, that also permits
    /// the addresses in `listening`. Of the CAs returned, the first to permit a host is the one to sign for it.
    ///
    /// # Errors
    /// As those of [`open`](Self::open): a host's own CA that cannot be used is never passed over.
    pub fn open_all(certs_dir: &Path, hosts: &[&str], listening: &[IpAddr], now: Moment) -> anyhow::Result<Vec<Self>> {
        let mut chosen: Vec<Self> = Vec::new();
        let mut missing: Vec<&str> = Vec::new();
        for host in hosts {
            let own = certs_dir.join(folder_name(host)?);
            if chosen.iter().any(|ca| ca.permits(host)) {
                continue;
            }
            if own.join(CERTIFICATE_FILE).exists() || own.join(KEY_FILE).exists() {
                chosen.push(Self::open(certs_dir, host, &Scope::default(), now)?);
            } else if let Some(other) = another(certs_dir, host, now)? {
                chosen.push(other);
            } else {
                missing.push(host);
            }
        }
        if let Some(first) = missing.first() {
            let mut scope = Scope::of(missing.iter().copied());
            listening.iter().for_each(|ip| scope.add_address(*ip));
            chosen.push(Self::open(certs_dir, first, &scope, now)?);
        }
        Ok(chosen)
    }

    fn load(folder: &Path, host: &str, scope: &Scope, now: Moment) -> anyhow::Result<Self> {
        let path = folder.join(CERTIFICATE_FILE);
        let pem = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        let der = CertificateDer::from_pem_slice(&pem).map_err(|_| anyhow!("{CERTIFICATE_FILE} is not PEM"))?;
        let key_path = folder.join(KEY_FILE);
        let unread = || format!("read {}", key_path.display());
        let mut key_file = fs::File::open(&key_path).with_context(unread)?;
        keep_from_others(&key_file, &key_path)?;
        let mut key_pem = String::new();
        key_file.read_to_string(&mut key_pem).with_context(unread)?;
        // The parser's error is dropped: it may quote the file.
        let key = KeyPair::from_pem(&key_pem).map_err(|_| anyhow!("{KEY_FILE} holds no usable private key"))?;

        let (_, x509) = X509Certificate::from_der(&der).map_err(|_| anyhow!("{CERTIFICATE_FILE} is no certificate"))?;
        ensure!(x509.is_ca(), "{CERTIFICATE_FILE} is not a CA certificate");
        ensure!(
            x509.public_key().raw == key.subject_public_key_info(),
            "{KEY_FILE} does not belong to the certificate"
        );
        let listing = listing(&path, &der)?;
        let now_s = now.wall_us / 1_000_000;
        ensure!(
            listing.certificate.not_after > now_s,
            "it expired on {}",
            super::certificate::date(listing.certificate.not_after)
        );
        let issuer = Issuer::from_ca_cert_der(&der, key).context("read the CA's subject")?;
        drop(x509);
        let ca = Self { issuer, der, listing };
        let missing: Vec<&str> =
            scope.dns.iter().map(String::as_str).chain([host]).filter(|name| !ca.permits(name)).collect();
        if !missing.is_empty() {
            bail!("its name constraints do not permit {}", missing.join(", "));
        }
        Ok(ca)
    }

    /// Whether the name constraints permit this DNS name or address. Loopback always is permitted.
    #[must_use]
    pub fn permits(&self, host: &str) -> bool {
        let Ok((_, x509)) = X509Certificate::from_der(&self.der) else { return false };
        let Ok(Some(constraints)) = x509.name_constraints() else { return true };
        let ip = host.parse::<IpAddr>().ok();
        constraints.value.permitted_subtrees.iter().flatten().any(|subtree| match (&subtree.base, ip) {
            (GeneralName::DNSName(name), None) => name.eq_ignore_ascii_case(host),
            (GeneralName::IPAddress(bytes), Some(ip)) => within(ip, bytes),
            _ => false,
        })
    }

    /// The certificate.
    #[must_use]
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// What a person wants to know of it.
    #[must_use]
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    pub(super) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }
}

/// Where the certificate of the CA for `host` lies, or would lie.
///
/// # Errors
/// `host` cannot be a directory's name.
pub fn certificate_path(certs_dir: &Path, host: &str, now: Moment) -> anyhow::Result<PathBuf> {
    let own = certs_dir.join(folder_name(host)?).join(CERTIFICATE_FILE);
    match own.exists() {
        true => Ok(own),
        false => Ok(another(certs_dir, host, now)?.map_or(own, |ca| ca.listing.path)),
    }
}

/// A usable CA that was made for another host and permits this one, too.
fn another(certs_dir: &Path, host: &str, now: Moment) -> anyhow::Result<Option<Ca>> {
    let usable = |listing: Listing| {
        let folder = listing.path.parent()?;
        Ca::load(folder, host, &Scope::default(), now).ok()
    };
    Ok(list(certs_dir)?.into_iter().find_map(usable))
}

/// All CAs below a directory, by name; files that are no certificates are passed over.
///
/// # Errors
/// The directory exists and cannot be read.
pub fn list(certs_dir: &Path) -> anyhow::Result<Vec<Listing>> {
    let entries = match fs::read_dir(certs_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("read {}", certs_dir.display())),
    };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path().join(CERTIFICATE_FILE);
        let half_made = entry.file_name().to_string_lossy().starts_with('.');
        if half_made {
            continue;
        }
        if let Ok(der) = CertificateDer::from_pem_file(&path)
            && let Ok(listing) = listing(&path, &der)
        {
            found.push(listing);
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// A random positive serial number, 127 bits. (rcgen's default is a hash of the public key.)
pub(super) fn serial() -> anyhow::Result<SerialNumber> {
    let mut bytes = [0_u8; 16];
    ring::rand::SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow!("the system has no random numbers"))?;
    let [first, ..] = &mut bytes;
    *first &= 0x7f;
    Ok(SerialNumber::from_slice(&bytes))
}

/// Seconds since 1970 as rcgen wants them.
pub(super) fn instant(seconds: i64) -> anyhow::Result<time::OffsetDateTime> {
    time::OffsetDateTime::from_unix_timestamp(seconds).context("the clock shows an impossible date")
}

/// Begin and end of a validity of `life_days` from `now_s`, backdated.
pub(super) fn validity(now_s: i64, life_days: i64) -> (i64, i64) {
    (now_s - BACKDATE_DAYS * DAY_SECONDS, now_s + life_days * DAY_SECONDS)
}

/// Makes the pair in a fresh directory beside its place, then renames the directory.
fn create(certs_dir: &Path, folder: &Path, host: &str, scope: &Scope, now: Moment) -> anyhow::Result<()> {
    let key = KeyPair::generate().context("make a key")?;
    let certificate = parameters(host, scope, now)?.self_signed(&key).context("sign the CA")?;
    private_dir(certs_dir)?;
    let scratch = certs_dir.join(format!(".new-{}", super::certificate::hex(&serial()?.to_bytes())));
    private_dir(&scratch)?;
    let placed = write_private(&scratch.join(KEY_FILE), &key.serialize_pem())
        .and_then(|()| write_private(&scratch.join(CERTIFICATE_FILE), &certificate.pem()))
        .and_then(|()| place(&scratch, folder));
    if placed.is_err() || scratch.exists() {
        let _ = fs::remove_dir_all(&scratch);
    }
    placed
}

fn place(scratch: &Path, folder: &Path) -> anyhow::Result<()> {
    // Windows cannot rename onto a directory, not even an empty one; a full one stays as it is.
    let _ = fs::remove_dir(folder);
    match fs::rename(scratch, folder) {
        Ok(()) => Ok(()),
        // Another program was faster: its CA is the CA.
        Err(_) if folder.join(CERTIFICATE_FILE).exists() => Ok(()),
        Err(error) => Err(error).with_context(|| format!("put the CA into {}", folder.display())),
    }
}

fn parameters(host: &str, scope: &Scope, now: Moment) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::default();
    let (from, to) = validity(now.wall_us / 1_000_000, CA_LIFE_DAYS);
    params.not_before = instant(from)?;
    params.not_after = instant(to)?;
    params.serial_number = Some(serial()?);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "finesse-tap");
    params.distinguished_name.push(DnType::CommonName, common_name(host));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Names are constrained by type; the purpose closes the types that have none here (mail, code signing).
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let mut permitted = vec![
        GeneralSubtree::DnsName("localhost".into()),
        GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
        GeneralSubtree::IpAddress(single(IpAddr::from(std::net::Ipv6Addr::LOCALHOST))),
    ];
    let own = Scope::of([host]);
    let names: Vec<&String> = own.dns.iter().chain(&scope.dns).collect();
    for (index, name) in names.iter().enumerate() {
        if !names.iter().take(index).any(|earlier| earlier == name) {
            permitted.push(GeneralSubtree::DnsName((*name).clone()));
        }
    }
    let mut addresses = own;
    scope.ips.iter().for_each(|ip| addresses.add_address(*ip));
    permitted.extend(addresses.ips.into_iter().map(|ip| GeneralSubtree::IpAddress(single(ip))));
    params.name_constraints = Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: Vec::new() });
    Ok(params)
}

/// The subnet of one address.
fn single(ip: IpAddr) -> CidrSubnet {
    CidrSubnet::from_addr_prefix(ip, if ip.is_ipv4() { 32 } else { 128 })
}

/// Says in a certificate store what this is, within the 64 characters of X.520.
fn common_name(host: &str) -> String {
    let full = format!("finesse-tap CA for {host} (this machine only)");
    let short = format!("finesse-tap CA for {host}");
    [full, short].into_iter().find(|name| name.len() <= COMMON_NAME_MAX).unwrap_or("finesse-tap CA".to_owned())
}

/// A host as a directory name, on Windows too: there no colon may stand in it, no dot at its end, and what is before the first
/// dot may be no device.
fn folder_name(host: &str) -> anyhow::Result<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':');
    ensure!(!host.is_empty() && !host.starts_with('.') && host.bytes().all(plain), "`{host}` is not a host name");
    let name = host.to_ascii_lowercase().replace(':', "-");
    let stem = name.split('.').next().unwrap_or_default();
    let numbered = ["com", "lpt"].iter().find_map(|device| stem.strip_prefix(device));
    let is_device = matches!(stem, "con" | "prn" | "aux" | "nul")
        || numbered.is_some_and(|number| number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit()));
    Ok(match name.strip_suffix('.').unwrap_or(&name) {
        name if is_device => format!("_{name}"),
        name => name.to_owned(),
    })
}

fn listing(path: &Path, der: &[u8]) -> anyhow::Result<Listing> {
    let (_, x509) = X509Certificate::from_der(der).map_err(|_| anyhow!("not a certificate"))?;
    let permitted = match x509.name_constraints() {
        Ok(Some(constraints)) => constraints
            .value
            .permitted_subtrees
            .iter()
            .flatten()
            .filter_map(|subtree| match &subtree.base {
                GeneralName::DNSName(name) => Some(format!("DNS:{name}")),
                GeneralName::IPAddress(bytes) => {
                    let (ip, mask) = bytes.split_at_checked(bytes.len() / 2)?;
                    let prefix: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
                    Some(format!("IP:{}/{prefix}", address(ip)?))
                }
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    Ok(Listing {
        path: path.to_owned(),
        certificate: describe(der),
        spki_sha256: spki_sha256(der).unwrap_or_default(),
        permitted,
    })
}

/// Whether an address lies in a subtree: as many bytes of address as of mask (RFC 5280 section 4.2.1.10).
fn within(ip: IpAddr, subtree: &[u8]) -> bool {
    let octets: Vec<u8> = match ip {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let Some((base, mask)) = subtree.split_at_checked(subtree.len() / 2) else { return false };
    base.len() == octets.len() && octets.iter().zip(base).zip(mask).all(|((ip, base), mask)| ip & mask == base & mask)
}

/// Makes a directory, and those above it, for its owner only.
pub(crate) fn private_dir(path: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).with_context(|| format!("make the directory {}", path.display()))
}

/// Makes a file for its owner only.
pub(crate) fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("make {}", path.display()))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(|| format!("write {}", path.display()))
}
