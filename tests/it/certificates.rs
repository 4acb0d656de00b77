//! The minted chain before other judges: openssl, curl, webpki. And the CA's files.

use crate::support::{HOST, Rig, Setup, have, soon, write_private};
use finesse_tap::clock::{self, Moment};
use finesse_tap::tls::ca::{self, CA_LIFE_DAYS, Ca, Scope};
use finesse_tap::tls::leaf::{Identity, LEAF_LIFE_DAYS, Leaf, Minter, Own, RENEW_DAYS};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const DAY: Duration = Duration::from_secs(86_400);

fn open(dir: &Path, host: &str, now: Moment) -> anyhow::Result<Ca> {
    Ca::open(dir, host, &Scope::of([host]), now)
}

fn minted(dir: &Path, host: &str) -> Identity {
    Identity::Minted(Box::new(Minter::new(vec![open(dir, host, clock::now()).unwrap()], [host], [])))
}

fn leaf(identity: &Identity, sni: Option<&str>, now: Moment) -> Option<Arc<Leaf>> {
    identity.leaf(sni, now).unwrap()
}

fn pem(der: &[u8], what: &str) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line)).collect();
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", lines.join("\n"))
}

fn tool(name: &str, args: &[&str]) -> Output {
    Command::new(name).args(args).output().unwrap_or_else(|error| panic!("{name} does not run: {error}"))
}

fn openssl_accepts(dir: &Path, ca: &Ca, leaf: &Leaf, extra: &[&str]) -> bool {
    let (root, end) = (dir.join("root.pem"), dir.join("leaf.pem"));
    std::fs::write(&root, pem(ca.der(), "CERTIFICATE")).unwrap();
    std::fs::write(&end, pem(&leaf.key.cert[0], "CERTIFICATE")).unwrap();
    let (root, end) = (root.to_str().unwrap(), end.to_str().unwrap());
    let args = [&["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", root], extra, &[end]].concat();
    tool("openssl", &args).status.success()
}

#[test]
fn openssl_accepts_the_leaf_for_its_names_and_no_other() {
    if !have("openssl_accepts_the_leaf_for_its_names_and_no_other", &["openssl"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let ca = open(dir.path(), HOST, clock::now()).unwrap();
    let identity = minted(dir.path(), HOST);
    let leaf = leaf(&identity, Some(HOST), clock::now()).unwrap();
    for name in [HOST, "localhost"] {
        assert!(openssl_accepts(dir.path(), &ca, &leaf, &["-verify_hostname", name]), "{name}");
    }
    for ip in ["127.0.0.1", "::1"] {
        assert!(openssl_accepts(dir.path(), &ca, &leaf, &["-verify_ip", ip]), "{ip}");
    }
    assert!(!openssl_accepts(dir.path(), &ca, &leaf, &["-verify_hostname", "other.example.test"]));
    assert!(!openssl_accepts(dir.path(), &ca, &leaf, &["-verify_ip", "192.0.2.1"]));
}

/// A thief of the CA's key signs a leaf for another name: nobody accepts it.
#[test]
fn a_stolen_ca_is_good_for_nothing_else() {
    if !have("a_stolen_ca_is_good_for_nothing_else", &["openssl"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let ca = open(dir.path(), HOST, clock::now()).unwrap();
    let key = std::fs::read_to_string(dir.path().join(HOST).join("ca.key")).unwrap();
    let thief = rcgen::KeyPair::from_pem(&key).unwrap();
    let issuer = rcgen::Issuer::from_ca_cert_der(ca.der(), thief).unwrap();
    let forge = |name: &str| {
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        let now = time::OffsetDateTime::from_unix_timestamp(clock::now().wall_us / 1_000_000).unwrap();
        params.not_before = now - DAY;
        params.not_after = now + DAY;
        params.use_authority_key_identifier_extension = true;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, "a forged leaf");
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        params.is_ca = rcgen::IsCa::ExplicitNoCa;
        let key = rcgen::KeyPair::generate().unwrap();
        params.signed_by(&key, &issuer).unwrap()
    };
    let mut roots = rustls::RootCertStore::empty();
    roots.add(ca.der().clone()).unwrap();
    let judge =
        rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), crate::support::rig::provider())
            .build()
            .unwrap();
    let root = dir.path().join("root.pem");
    std::fs::write(&root, pem(ca.der(), "CERTIFICATE")).unwrap();
    for (name, fine) in
        [(HOST, true), ("127.0.0.9", true), ("bank.example", false), ("192.0.2.1", false), ("2001:db8::1", false)]
    {
        let forged = forge(name);
        let end = dir.path().join("forged.pem");
        std::fs::write(&end, forged.pem()).unwrap();
        let openssl = tool("openssl", &["verify", "-CAfile", root.to_str().unwrap(), end.to_str().unwrap()]);
        assert_eq!(openssl.status.success(), fine, "openssl on {name}: {openssl:?}");
        use rustls::client::danger::ServerCertVerifier as _;
        let webpki = judge.verify_server_cert(
            forged.der(),
            &[],
            &name.to_owned().try_into().unwrap(),
            &[],
            rustls::pki_types::UnixTime::now(),
        );
        assert_eq!(webpki.is_ok(), fine, "webpki on {name}: {webpki:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_accepts_the_chain_by_name_and_by_address() {
    if !have("curl_accepts_the_chain_by_name_and_by_address", &["curl"]) {
        return;
    }
    let rig = Rig::new().await;
    let root = rig.certs.path().join(HOST).join("ca.pem");
    let port = rig.address.port();
    let by_name = (format!("https://{HOST}:{port}/"), vec!["--resolve".to_owned(), format!("{HOST}:{port}:127.0.0.1")]);
    let by_address = (format!("https://127.0.0.1:{port}/"), vec![]);
    for (url, extra) in [by_name, by_address] {
        let root = root.to_str().unwrap().to_owned();
        let curl = tokio::task::spawn_blocking(move || {
            // The last for Windows' own curl, which would ask a revocation list of a CA that has none.
            let mut args =
                vec!["-sS", "--noproxy", "*", "--http1.1", "--max-time", "30", "--cacert", &root, "--ssl-no-revoke"];
            args.extend(extra.iter().map(String::as_str));
            args.push(&url);
            tool("curl", &args)
        });
        let serve = async {
            let mut upstream = rig.upstream().await;
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(upstream.read_u8().await.unwrap());
            }
            upstream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthere").await.unwrap();
            upstream.flush().await.unwrap();
            upstream
        };
        let (curl, _upstream) = soon("curl", async { tokio::join!(curl, serve) }).await;
        let curl = curl.unwrap();
        assert_eq!(curl.stdout, b"there", "{}", String::from_utf8_lossy(&curl.stderr));
    }
}

#[test]
fn a_leaf_is_replaced_long_before_it_expires() {
    let dir = tempfile::tempdir().unwrap();
    let identity = minted(dir.path(), HOST);
    let start = clock::now();
    let first = leaf(&identity, Some(HOST), start).unwrap();
    let whole_life = first.certificate.not_after - first.certificate.not_before;
    assert!(whole_life < 199 * 86_400, "{whole_life} s");
    let days = |n: i64| start.plus(DAY * u32::try_from(n).unwrap());
    let same = leaf(&identity, Some(&HOST.to_uppercase()), days(LEAF_LIFE_DAYS - RENEW_DAYS - 1)).unwrap();
    assert_eq!(same.certificate.sha256, first.certificate.sha256);
    let next = leaf(&identity, Some(HOST), days(LEAF_LIFE_DAYS - RENEW_DAYS + 1)).unwrap();
    assert_ne!(next.certificate.sha256, first.certificate.sha256);
    assert!(next.certificate.not_after > first.certificate.not_after);
    // A clock that was wrong and is set back: a leaf from the future is of no use.
    let back = leaf(&identity, Some(HOST), start).unwrap();
    assert!(back.certificate.not_before <= start.wall_us / 1_000_000);
    assert_eq!(next.key.cert.len(), 2, "the CA is sent along");
}

#[test]
fn leaves_are_for_allowed_names_only() {
    let dir = tempfile::tempdir().unwrap();
    let identity = minted(dir.path(), HOST);
    let now = clock::now();
    assert!(identity.allows(None) && identity.allows(Some("LOCALHOST")));
    assert!(!identity.allows(Some("sub.finesse.example.test")));
    assert!(leaf(&identity, Some("other.example"), now).is_none());
    let sans = &leaf(&identity, None, now).unwrap().certificate.sans;
    assert_eq!(sans, &["DNS:finesse.example.test", "DNS:localhost", "IP:127.0.0.1", "IP:::1"]);
}

#[test]
fn the_ca_is_made_once_and_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let now = clock::now();
    let first = open(dir.path(), HOST, now).unwrap();
    let again = open(dir.path(), HOST, now).unwrap();
    assert_eq!(first.der(), again.der());
    let listed = ca::list(dir.path()).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(&listed[0], first.listing());
    assert_eq!(listed[0].permitted, ["DNS:localhost", "IP:127.0.0.0/8", "IP:::1/128", "DNS:finesse.example.test"]);
    assert!(listed[0].certificate.subject.contains("finesse-tap CA for finesse.example.test (this machine only)"));
    let life = listed[0].certificate.not_after - listed[0].certificate.not_before;
    assert!(life < 825 * 86_400);
    assert!(ca::list(&dir.path().join("nothing")).unwrap().is_empty());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode =
            |path: &str| std::fs::metadata(dir.path().join(HOST).join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("ca.key"), mode("")), (0o600, 0o700));
    }
}

#[test]
fn programs_that_start_together_share_one_ca() {
    let dir = tempfile::tempdir().unwrap();
    let made: Vec<_> = std::thread::scope(|scope| {
        let open = || open(dir.path(), HOST, clock::now()).map(|ca| ca.der().clone());
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
    });
    assert!(made.windows(2).all(|pair| pair[0] == pair[1]));
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [HOST], "no scratch is left behind");
}

#[test]
fn a_ca_that_cannot_serve_is_refused_with_a_way_out() {
    let now = clock::now();
    let spoil = |how: &dyn Fn(&Path)| {
        let dir = tempfile::tempdir().unwrap();
        drop(open(dir.path(), HOST, now).unwrap());
        how(&dir.path().join(HOST));
        let error = format!("{:#}", open(dir.path(), HOST, now).err().expect("a spoilt CA was taken"));
        assert!(error.contains("hint: "), "{error}");
        error
    };
    let foreign_key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let text = spoil(&|folder| std::fs::write(folder.join("ca.key"), &foreign_key).unwrap());
    assert!(text.contains("does not belong"), "{text}");
    let text = spoil(&|folder| std::fs::remove_file(folder.join("ca.key")).unwrap());
    assert!(text.contains("read "), "{text}");
    let text = spoil(&|folder| std::fs::write(folder.join("ca.pem"), "nonsense").unwrap());
    assert!(text.contains("is not PEM"), "{text}");
    let text = spoil(&|folder| {
        std::fs::write(folder.join("ca.key"), "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
            .unwrap()
    });
    assert!(text.contains("no usable private key") && !text.contains("c2VjcmV0"), "{text}");
    let leaf = rcgen::generate_simple_self_signed(vec![HOST.to_owned()]).unwrap();
    let text = spoil(&|folder| {
        std::fs::write(folder.join("ca.pem"), leaf.cert.pem()).unwrap();
        std::fs::write(folder.join("ca.key"), leaf.signing_key.serialize_pem()).unwrap();
    });
    assert!(text.contains("not a CA"), "{text}");

    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path(), HOST, now).unwrap());
    let later = now.plus(DAY * u32::try_from(CA_LIFE_DAYS + 1).unwrap());
    let text = format!("{:#}", open(dir.path(), HOST, later).err().unwrap());
    assert!(text.contains("it expired on"), "{text}");
    let wider = Scope::of([HOST, "second.example.test"]);
    let text = format!("{:#}", Ca::open(dir.path(), HOST, &wider, now).err().unwrap());
    assert!(text.contains("do not permit second.example.test"), "{text}");
    for bad in ["", "..", ".hidden", "a/b"] {
        assert!(Ca::open(dir.path(), bad, &Scope::default(), now).is_err(), "{bad}");
    }
}

#[test]
fn an_upstream_that_is_an_address_and_one_with_a_long_name() {
    if !have("an_upstream_that_is_an_address_and_one_with_a_long_name", &["openssl"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for host in ["192.0.2.7", "2001:db8::7"] {
        let ca = open(dir.path(), host, clock::now()).unwrap();
        let identity = minted(dir.path(), host);
        let leaf = leaf(&identity, None, clock::now()).unwrap();
        assert!(openssl_accepts(dir.path(), &ca, &leaf, &["-verify_ip", host]), "{host}");
        assert!(!openssl_accepts(dir.path(), &ca, &leaf, &["-verify_ip", "192.0.2.8"]), "{host}");
    }
    let long = format!("{}.example.test", "finesse-publisher-node.".repeat(6).trim_end_matches('.'));
    let ca = open(dir.path(), &long, clock::now()).unwrap();
    let identity = minted(dir.path(), &long);
    let leaf = leaf(&identity, Some(&long), clock::now()).unwrap();
    assert!(openssl_accepts(dir.path(), &ca, &leaf, &["-verify_hostname", &long]));
}

/// Windows has no file of a device's name, whatever follows its first dot, and none with a colon.
#[test]
fn a_ca_has_a_directory_that_every_system_can_have() {
    let dir = tempfile::tempdir().unwrap();
    for (host, folder) in [
        ("aux.example.test", "_aux.example.test"),
        ("COM1", "_com1"),
        ("com10.example.test", "com10.example.test"),
        ("2001:db8::7", "2001-db8--7"),
    ] {
        let ca = open(dir.path(), host, clock::now()).unwrap();
        assert_eq!(ca.listing().path, dir.path().join(folder).join("ca.pem"));
    }
}

/// A listener's own address is in the leaf if the CA was made with it, and left out if not: or nothing would be accepted.
#[test]
fn a_listeners_address_is_served_where_the_ca_permits_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut scope = Scope::of([HOST]);
    scope.add_address([192, 0, 2, 9].into());
    scope.add_address([0, 0, 0, 0].into());
    let now = clock::now();
    let with = |ca: Ca| {
        let listening = [[192, 0, 2, 9].into(), [0, 0, 0, 0].into()];
        let identity = Identity::Minted(Box::new(Minter::new(vec![ca], [HOST], listening)));
        leaf(&identity, None, now).unwrap().certificate.sans.clone()
    };
    let ca = Ca::open(&dir.path().join("with"), HOST, &scope, now).unwrap();
    assert!(with(ca).contains(&"IP:192.0.2.9".to_owned()));
    let ca = open(&dir.path().join("without"), HOST, now).unwrap();
    assert!(!with(ca).contains(&"IP:192.0.2.9".to_owned()));
}

/// As few CAs to trust as possible, and none that is trusted stops working.
#[test]
fn servers_named_together_share_a_ca_and_one_added_later_leaves_it_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (now, pub_, sub, cuic) = (clock::now(), "pub.example.test", "sub.example.test", "cuic.example.test");
    let open = |hosts: &[&str], now| Ca::open_all(dir.path(), hosts, &[[192, 0, 2, 9].into()], now);
    let marks = |hosts: &[&str]| -> Vec<String> {
        let cas = open(hosts, now).unwrap();
        cas.iter().map(|ca| ca.listing().certificate.sha256.clone()).collect()
    };
    let both = marks(&[pub_, sub, "localhost", "192.0.2.9"]);
    assert_eq!(both.len(), 1);
    for hosts in [&[sub][..], &[pub_], &[sub, pub_], &["localhost"]] {
        assert_eq!(marks(hosts), both, "{hosts:?}");
    }
    let three = marks(&[cuic, sub, pub_]);
    assert_eq!((three.len(), three.contains(&both[0])), (2, true));
    assert_eq!(marks(&[pub_, sub, cuic]).len(), 2);
    assert_eq!(ca::list(dir.path()).unwrap().len(), 2);
    assert_eq!(ca::certificate_path(dir.path(), sub, now).unwrap(), dir.path().join(pub_).join("ca.pem"));

    let minter = Minter::new(open(&[pub_, cuic], now).unwrap(), [pub_, cuic], []);
    let identity = Identity::Minted(Box::new(minter));
    assert_eq!(identity.spki_sha256().len(), 2);
    let issuer = |name| leaf(&identity, Some(name), now).unwrap().certificate.issuer.clone();
    assert!(issuer(pub_).contains(pub_) && issuer(cuic).contains(cuic));
    assert!(leaf(&identity, Some(sub), now).is_none(), "the CA would permit it, but it is not fronted");

    let later = now.plus(DAY * u32::try_from(CA_LIFE_DAYS + 1).unwrap());
    let error = format!("{:#}", open(&[pub_], later).err().unwrap());
    assert!(error.contains("it expired on") && error.contains("hint: move that directory away"), "{error}");
    assert_eq!(open(&[sub], later).unwrap()[0].listing().path, dir.path().join(sub).join("ca.pem"));
}

#[test]
fn a_certificate_of_ones_own_is_served_for_its_names() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(vec!["*.corp.example".to_owned()]).unwrap();
    std::fs::write(&cert, made.cert.pem()).unwrap();
    write_private(&key, &made.signing_key.serialize_pem());
    let own = Identity::Own(Own::load(&cert, &key).unwrap());
    assert!(own.allows(Some("debug.corp.example")) && own.allows(None));
    assert!(!own.allows(Some("corp.example")));
    write_private(&key, &rcgen::KeyPair::generate().unwrap().serialize_pem());
    assert!(Own::load(&cert, &key).is_err(), "a key of somebody else");
    assert!(Own::load(&key, &key).is_err() && Own::load(&cert, &cert).is_err());
}

#[cfg(unix)]
#[test]
fn keys_that_others_can_read_are_repaired_or_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let open = || Ca::open(dir.path(), HOST, &Scope::of([HOST]), clock::now());
    open().unwrap();
    let key = std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path().join("ca.key");
    let mode = || std::fs::metadata(&key).unwrap().permissions().mode() & 0o777;
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    open().unwrap();
    assert_eq!(mode(), 0o600, "a key of our own is repaired");

    let cert = dir.path().join("cert.pem");
    let made = rcgen::generate_simple_self_signed(vec![HOST.to_owned()]).unwrap();
    std::fs::write(&cert, made.cert.pem()).unwrap();
    let key = dir.path().join("key.pem");
    write_private(&key, &made.signing_key.serialize_pem());
    Own::load(&cert, &key).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = Own::load(&cert, &key).err().unwrap().to_string();
    assert!(refused.contains("can be read by everybody on this machine\nhint: chmod o-rwx "), "{refused}");
}

#[tokio::test]
async fn the_key_log_is_written_where_it_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.log");
    let rig = Rig::with(Setup { keylog: Some(path.clone()), ..Setup::default() }).await;
    let pair = rig.pair().await;
    drop(pair);
    rig.closed().await;
    let text = std::fs::read_to_string(&path).unwrap();
    let secrets = text.lines().filter(|line| line.starts_with("SERVER_TRAFFIC_SECRET_0 ")).count();
    assert_eq!(secrets, 2, "one a leg");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn handshakes_are_told_leg_by_leg() {
    let rig = Rig::new().await;
    for resumed in [false, true] {
        let _ = resumed;
        let (mut client, mut upstream) = rig.pair().await;
        client.shutdown().await.unwrap();
        upstream.shutdown().await.unwrap();
        let _ = client.read_to_end(&mut Vec::new()).await;
        let capture = rig.closed().await;
        let [ours, theirs] = &capture.tls[..] else { panic!("{:?}", capture.tls) };
        for leg in [ours, theirs] {
            assert_eq!((leg.version, leg.sni.as_deref()), (Some("1.3"), Some(HOST)));
            assert!(leg.cipher.as_ref().unwrap().starts_with("TLS_AES_"), "{leg:?}");
            assert!(leg.failure.is_none());
        }
        // The server answers no ALPN, so the client gets no answer either.
        assert_eq!((ours.alpn.as_deref(), &ours.offered[..]), (None, &["http/1.1"][..]));
        assert_eq!((theirs.alpn.as_deref(), &theirs.offered[..]), (None, &["http/1.1"][..]));
        assert!(ours.certificate.as_ref().unwrap().issuer.contains("finesse-tap CA"));
        assert_eq!(
            theirs.certificate.as_ref().unwrap().sha256,
            finesse_tap::tls::certificate::sha256_hex(&rig.upstream_cert)
        );
        let opened = capture.opened.unwrap();
        assert_eq!((opened.sni.as_deref(), opened.listener), (Some(HOST), rig.address));
        assert!(opened.upstream.is_some() && opened.connect_us.is_some());
    }
}

/// A server that wants to know who we are gets no certificate, or ours; that it asked is noted either way.
#[tokio::test]
async fn a_request_for_a_client_certificate_is_noted_and_answered() {
    use finesse_tap::tls::upstream::{ClientCertificate, Trust, Upstream};
    use rustls::server::WebPkiClientVerifier;
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["desk.example".to_owned()]).unwrap();
    let files = ClientCertificate { cert: dir.path().join("cert.pem"), key: dir.path().join("key.pem") };
    std::fs::write(&files.cert, made.cert.pem()).unwrap();
    write_private(&files.key, &made.signing_key.serialize_pem());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = crate::support::rig::provider();
    let asks = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .unwrap();
    let (cert, key) = crate::support::rig::self_signed(HOST);
    for versions in [&[&rustls::version::TLS13], &[&rustls::version::TLS12]] {
        let server = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .unwrap()
            .with_client_cert_verifier(asks.clone())
            .with_single_cert(vec![cert.clone()], key.clone_key())
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
        for client in [None, Some(&files)] {
            let upstream = Upstream::new(&Trust::Insecure, client, None).unwrap();
            let (near, far) = tokio::io::duplex(1 << 16);
            let (connected, served) = soon("the handshake", async {
                tokio::join!(upstream.connect(HOST, clock::now(), near), acceptor.accept(far))
            })
            .await;
            assert!(connected.ok().unwrap().handshake.client_certificate_requested);
            let served = served.unwrap();
            assert_eq!(served.get_ref().1.peer_certificates().is_some(), client.is_some());
        }
    }
}

/// OpenSSL, with either version and an ALPN list that begins with a protocol the proxy does not speak.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openssl_connects_with_tls_1_2_and_1_3() {
    if !have("openssl_connects_with_tls_1_2_and_1_3", &["openssl"]) {
        return;
    }
    let rig = Rig::new().await;
    let root = rig.certs.path().join(HOST).join("ca.pem").to_str().unwrap().to_owned();
    for version in ["-tls1_2", "-tls1_3"] {
        let (address, root) = (rig.address.to_string(), root.clone());
        let openssl = tokio::task::spawn_blocking(move || {
            let args = ["s_client", "-connect", &address, "-servername", HOST, "-verify_hostname", HOST];
            let more = ["-CAfile", &root, "-verify_return_error", "-alpn", "h2,http/1.1", "-brief", version];
            let mut command = Command::new("openssl");
            command.args(args).args(more).stdin(std::process::Stdio::null()).output().unwrap()
        });
        let (openssl, _upstream) = soon("openssl", async { tokio::join!(openssl, rig.upstream()) }).await;
        let said = String::from_utf8_lossy(&openssl.as_ref().unwrap().stderr).into_owned();
        assert!(openssl.unwrap().status.success() && said.contains("Verification: OK"), "{said}");
    }
}
