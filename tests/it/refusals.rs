//! Certificates and handshakes that go wrong, served by openssl: said in plain words, with advice that works.

use crate::doctor::{diagnose, question, step};
use crate::support::{HOST, have, soon};
use finesse_tap::clock;
use finesse_tap::doctor::{Question, Verdict};
use finesse_tap::tls::upstream::{ClientCertificate, Pin, Refused, Trust, Upstream};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use tokio::net::TcpStream;

/// A directory in which openssl makes certificates.
struct Shop(TempDir);

/// A server that ends with its test.
struct Served {
    child: Child,
    address: SocketAddr,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Shop {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn openssl(&self, line: &str) {
        let mut command = Command::new("openssl");
        let output = command.args(line.split_whitespace()).current_dir(self.0.path()).output().unwrap();
        assert!(output.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// A self-signed certificate `NAME.pem` with its key, of that kind of key.
    fn make(&self, name: &str, key: &str, extra: &str) {
        self.openssl(&format!("genpkey {key} -out {name}.key"));
        self.openssl(&format!(
            "req -x509 -new -key {name}.key -out {name}.pem -days 30 -subj /CN={HOST} -addext subjectAltName=DNS:{HOST} {extra}"
        ));
    }

    fn pin(&self, name: &str) -> Pin {
        Pin::of(&CertificateDer::from_pem_file(self.path(&format!("{name}.pem"))).unwrap())
    }

    fn serve(&self, name: &str, extra: &str) -> Served {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let line = format!("s_server -accept {address} -cert {name}.pem -key {name}.key -www {extra}");
        let mut child = Command::new("openssl")
            .args(line.split_whitespace())
            .current_dir(self.0.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "ACCEPT"), "openssl {line} does not listen");
        Served { child, address }
    }
}

/// RSA as usual.
const RSA: &str = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048";
const EC: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";

async fn connect(server: &Served, trust: &Trust, client: Option<&ClientCertificate>) -> Result<(), Box<Refused>> {
    let upstream = Upstream::new(trust, client, None).unwrap();
    let tcp = TcpStream::connect(server.address).await.unwrap();
    soon("the handshake", upstream.connect(HOST, clock::now(), tcp)).await.map(drop)
}

async fn refusal(server: &Served, trust: &Trust) -> (String, String) {
    let refused = connect(server, trust, None).await.expect_err("it was accepted");
    (refused.handshake.failure.unwrap().why, refused.hint.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pin_accepts_whatever_it_is_offered_for() {
    if !have("a_pin_accepts_whatever_it_is_offered_for", &["openssl"]) {
        return;
    }
    let shop = Shop::new();
    shop.make("other", EC, "");
    shop.make("critical", RSA, "-addext 1.2.3.4.5=critical,ASN1:UTF8String:x");
    shop.make("pss", "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", "");
    shop.make("p521", "-algorithm EC -pkeyopt ec_paramgen_curve:P-521", "");
    shop.openssl(&format!("req -new -newkey rsa:2048 -nodes -keyout v1.key -out v1.csr -subj /CN={HOST}"));
    shop.openssl("x509 -req -in v1.csr -signkey v1.key -days 30 -out v1.pem");
    for (name, extra, words) in [
        ("v1", "-tls1_3", "X.509 version 1"),
        ("v1", "-tls1_2", "X.509 version 1"),
        ("critical", "-tls1_3", "critical extension"),
        ("critical", "-tls1_2", "critical extension"),
        ("pss", "-tls1_3", "a CA's own certificate"),
        ("p521", "-tls1_3", "a CA's own certificate"),
    ] {
        let server = shop.serve(name, extra);
        let (why, hint) = refusal(&server, &Trust::Ca(shop.path("other.pem"))).await;
        assert!(why.contains(words), "{name} {extra}: {why}");
        let pin = shop.pin(name);
        assert!(hint.contains(&format!("--upstream-pin {pin}")), "{name} {extra}: {hint}");
        for trust in [Trust::Pins(vec![pin]), Trust::Insecure] {
            let outcome = connect(&server, &trust, None).await;
            assert!(outcome.is_ok(), "{name} {extra}: {:?}", outcome.err());
        }
    }
}

/// Whoever shows a certificate without holding its key is refused whatever is trusted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_nothing_verifies_gets_no_pin() {
    if !have("a_key_that_nothing_verifies_gets_no_pin", &["openssl"]) {
        return;
    }
    let shop = Shop::new();
    shop.make("other", EC, "");
    shop.make("short", "-algorithm RSA -pkeyopt rsa_keygen_bits:1024", "");
    let server = shop.serve("short", "-cipher DEFAULT@SECLEVEL=0");
    for trust in [Trust::Ca(shop.path("other.pem")), Trust::Insecure] {
        let (_, hint) = refusal(&server, &trust).await;
        assert!(hint.contains("RSA of 1024 bits") && !hint.contains("--upstream-pin"), "{hint}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_wants_a_client_certificate_is_understood() {
    if !have("a_server_that_wants_a_client_certificate_is_understood", &["openssl"]) {
        return;
    }
    let shop = Shop::new();
    shop.make("good", RSA, "");
    shop.make("client", EC, "");
    let pinned = Trust::Pins(vec![shop.pin("good")]);
    let old = shop.serve("good", "-tls1_2 -Verify 1 -verify_return_error");
    let (why, hint) = refusal(&old, &pinned).await;
    assert!(why.contains("alert"), "{why}");
    assert!(hint.contains("--upstream-client-cert") && !hint.contains("cipher"), "{hint}");

    let client = ClientCertificate { cert: shop.path("client.pem"), key: shop.path("client.key") };
    let refused = connect(&old, &pinned, Some(&client)).await.expect_err("openssl does not know it");
    assert!(refused.hint.unwrap().contains("does not take the client certificate"));

    for version in ["-tls1_2", "-tls1_3"] {
        let server = shop.serve("good", &format!("{version} -Verify 1 -verify_return_error"));
        let diagnosis = diagnose(&question(server.address, pinned.clone())).await;
        let tls = step(&diagnosis, "tls");
        assert_eq!(tls.verdict, Verdict::Fail, "{version}: {tls:?}");
        let advice = tls.advice.as_deref().unwrap();
        assert!(advice.contains("--upstream-client-cert") && !advice.contains("cipher"), "{version}: {advice}");
        assert!(diagnosis.next.iter().all(|next| !next.contains("finesse-tap run")), "{:?}", diagnosis.next);
    }
    // One that merely asks is no trouble.
    let server = shop.serve("good", "-verify 1");
    let asked = question(server.address, pinned);
    let diagnosis = diagnose(&Question { client: None, ..asked }).await;
    let tls = step(&diagnosis, "tls");
    assert_eq!((tls.verdict, tls.fact("client certificate")), (Verdict::Ok, Some("asked for")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_expired_is_to_be_renewed_first() {
    if !have("what_is_expired_is_to_be_renewed_first", &["openssl"]) {
        return;
    }
    let shop = Shop::new();
    let (ca, key) = {
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap(), key)
    };
    let leaf_key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new([HOST.to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2001, 1, 1);
    params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    let issuer = rcgen::Issuer::from_ca_cert_der(ca.der(), key).unwrap();
    let leaf = params.signed_by(&leaf_key, &issuer).unwrap();
    put(&shop.path("ca.pem"), &ca.pem());
    put(&shop.path("old.pem"), &leaf.pem());
    put(&shop.path("old.key"), &leaf_key.serialize_pem());
    let server = shop.serve("old", "");
    let (why, hint) = refusal(&server, &Trust::Ca(shop.path("ca.pem"))).await;
    assert!(why.contains("it expired on 2002-01-01"), "{why}");
    assert!(hint.starts_with("renew the server's certificate"), "{hint}");
    assert!(hint.contains("--upstream-pin"), "{hint}");
}

fn put(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}
