//! What strangers send, and upstreams that are not there: an answer where one can be given, one ending each, no hang.

use crate::support::rig::{Target, nowhere, self_signed};
use crate::support::{HOST, Rig, Setup, soon};
use finesse_tap::capture::observation::{End, How, Leg};
use finesse_tap::proxy::{self, Limits};
use finesse_tap::tls::certificate::sha256_hex;
use finesse_tap::tls::upstream::{Pin, Trust};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Sends bytes over TCP and reads all that comes back, until either end of the connection.
async fn say(rig: &Rig, bytes: &[u8]) -> Vec<u8> {
    let mut tcp = rig.tcp().await;
    tcp.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A reset is an answer as well.
    let _ = soon("an answer", tcp.read_to_end(&mut answer)).await;
    answer
}

/// A whole ClientHello, as a record.
fn client_hello(name: &str) -> Vec<u8> {
    let config = rustls::ClientConfig::builder_with_provider(crate::support::rig::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let name = name.to_owned().try_into().unwrap();
    let mut session = rustls::ClientConnection::new(std::sync::Arc::new(config), name).unwrap();
    let mut hello = Vec::new();
    session.write_tls(&mut hello).unwrap();
    hello
}

fn quick() -> Limits {
    let short = Duration::from_millis(50);
    Limits { handshake: short, connect: short, ..Limits::default() }
}

#[tokio::test]
async fn garbage_instead_of_tls_is_refused() {
    let rig = Rig::new().await;
    for garbage in [&b"\0\0\0\0"[..], b"\xff\xfe", b"\x80\x2e\x01\x03\x01"] {
        assert!(say(&rig, garbage).await.is_empty());
        let ending = rig.closed().await.ending().clone();
        assert_eq!((ending.by, ending.how), (End::Client, How::Refused), "{garbage:?}");
        assert_eq!((ending.c2s_bytes, ending.s2c_bytes), (0, 0));
    }
}

#[tokio::test]
async fn garbage_within_tls_is_answered_with_an_alert() {
    let rig = Rig::new().await;
    let answer = say(&rig, b"\x16\x03\x01\x00\x04\x01\x00\x00\x00").await;
    assert_eq!(answer.first(), Some(&21), "an alert record: {answer:?}");
    let capture = rig.closed().await;
    assert_eq!((capture.ending().by, capture.ending().how), (End::Proxy, How::TlsAlert));
    let failure = capture.tls[0].failure.as_ref().unwrap();
    assert_eq!((capture.tls[0].leg, failure.by), (Leg::Client, End::Proxy));
}

#[tokio::test]
async fn plain_http_gets_a_page_with_the_way_in() {
    let rig = Rig::new().await;
    let answer = say(&rig, b"GET /desktop HTTP/1.1\r\nHost: whatever\r\n\r\n").await;
    let text = String::from_utf8(answer).unwrap();
    assert!(text.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{text}");
    assert!(text.contains(&format!("https://{HOST}:{}/", rig.address.port())), "{text}");
    let capture = rig.closed().await;
    assert_eq!((capture.ending().by, capture.ending().how), (End::Proxy, How::Refused));
    assert!(capture.c2s.is_empty() && capture.s2c.is_empty(), "nothing was relayed");
}

#[tokio::test]
async fn a_request_head_without_end_gets_no_page() {
    let rig = Rig::new().await;
    let mut endless = b"GET / HTTP/1.1\r\nX: ".to_vec();
    endless.resize(1 << 20, b'x');
    let mut tcp = rig.tcp().await;
    let _ = tcp.write_all(&endless).await;
    assert_eq!(rig.closed().await.ending().how, How::Refused);
}

#[tokio::test]
async fn a_client_that_leaves_early_is_told_so() {
    let rig = Rig::new().await;
    drop(rig.tcp().await);
    let ending = rig.closed().await.ending().clone();
    assert_eq!((ending.by, ending.how, ending.unclean), (End::Client, How::Fin, true));
    let hello = client_hello(HOST);
    for cut in [1, 5, 60, hello.len() - 1] {
        let mut tcp = rig.tcp().await;
        tcp.write_all(&hello[..cut]).await.unwrap();
        tcp.shutdown().await.unwrap();
        let capture = rig.closed().await;
        assert_eq!((capture.ending().by, capture.ending().how), (End::Client, How::Fin), "cut at {cut}");
        assert!(capture.tls[0].failure.is_some());
    }
}

#[tokio::test]
async fn a_client_that_stalls_runs_into_the_limit() {
    let rig = Rig::with(Setup { limits: quick(), ..Setup::default() }).await;
    let hello = client_hello(HOST);
    for part in [0, 1, 40, hello.len()] {
        let mut tcp = rig.tcp().await;
        tcp.write_all(&hello[..part]).await.unwrap();
        let capture = rig.closed().await;
        assert_eq!((capture.ending().by, capture.ending().how), (End::Client, How::Timeout), "after {part} bytes");
    }
}

#[tokio::test]
async fn without_a_name_the_first_server_is_meant() {
    let rig = Rig::new().await;
    // An address is never sent as a server name; the leaf names it, though.
    let (client, mut upstream) = tokio::join!(rig.client_as("127.0.0.1"), rig.upstream());
    let mut client = client.unwrap();
    assert_eq!(upstream.get_ref().1.server_name(), Some(HOST), "upstream is asked for by its own name");
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    soon("relayed", upstream.read_exact(&mut [0; 18])).await.unwrap();
    drop((client, upstream));
    let capture = rig.closed().await;
    assert_eq!(capture.opened.unwrap().sni, None);

    let (client, upstream) = tokio::join!(rig.client_as("localhost"), rig.upstream());
    assert_eq!(upstream.get_ref().1.server_name(), Some(HOST));
    drop((client, upstream));
    assert_eq!(rig.closed().await.opened.unwrap().sni.as_deref(), Some("localhost"));
}

#[tokio::test]
async fn a_name_that_is_not_fronted_is_refused_by_its_alert() {
    let rig = Rig::new().await;
    let error = rig.client_as("other.example.test").await.unwrap_err();
    let cause = finesse_tap::tls::cause(&error).unwrap();
    assert_eq!(cause, &rustls::Error::AlertReceived(rustls::AlertDescription::UnrecognisedName));
    let capture = rig.closed().await;
    assert_eq!((capture.ending().by, capture.ending().how), (End::Proxy, How::Refused));
    assert!(capture.ending().why.as_ref().unwrap().contains("other.example.test"));
    assert_eq!(capture.tls[0].failure.as_ref().unwrap().alert.as_deref(), Some("unrecognized_name"));
}

#[tokio::test]
async fn a_client_that_does_not_trust_us_is_told_from_others() {
    let rig = Rig::new().await;
    let config = rustls::ClientConfig::builder_with_provider(crate::support::rig::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let connect = connector.connect(HOST.try_into().unwrap(), rig.tcp().await);
    assert!(soon("refused", connect).await.is_err());
    let capture = rig.closed().await;
    assert_eq!((capture.ending().by, capture.ending().how), (End::Client, How::TlsAlert));
    assert_eq!(capture.tls[0].failure.as_ref().unwrap().alert.as_deref(), Some("unknown_ca"));
    assert!(capture.ending().why.as_ref().unwrap().contains("finesse-tap ca"));
}

/// Asks for a page and returns it whole.
async fn ask(rig: &Rig) -> String {
    let mut client = rig.client_as(HOST).await.unwrap();
    client.write_all(b"GET /desktop HTTP/1.1\r\nHost: f\r\n\r\n").await.unwrap();
    client.flush().await.unwrap();
    let mut page = Vec::new();
    soon("the page", client.read_to_end(&mut page)).await.unwrap();
    client.shutdown().await.unwrap();
    String::from_utf8(page).unwrap()
}

#[tokio::test]
async fn an_upstream_that_refuses_connections_gets_the_browser_a_502() {
    let rig = Rig::with(Setup { upstream: Some(Target::Address(nowhere())), ..Setup::default() }).await;
    let page = ask(&rig).await;
    assert!(page.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{page}");
    assert!(page.contains("Cache-Control: no-store") && page.contains("connection refused"), "{page}");
    let capture = rig.closed().await;
    assert_eq!((capture.ending().by, capture.ending().how), (End::Upstream, How::Unreachable));
    assert_eq!(capture.c2s, b"GET /desktop HTTP/1.1\r\nHost: f\r\n\r\n");
    assert_eq!(capture.s2c, page.as_bytes(), "the tap sees what the browser sees");
    assert!(page.contains(capture.ending().why.as_ref().unwrap()), "the page says what the log says");
    assert_eq!(capture.opened.unwrap().upstream, None);
}

#[tokio::test]
async fn an_upstream_that_stalls_gets_the_browser_a_502() {
    let limits = Limits { handshake: Duration::from_millis(500), ..Limits::default() };
    let rig = Rig::with(Setup { limits, ..Setup::default() }).await;
    let (page, _silent) = tokio::join!(ask(&rig), rig.upstream_tcp());
    assert!(page.contains("did not finish the TLS handshake within 0.5 s"), "{page}");
    assert_eq!(rig.closed().await.ending().how, How::Unreachable);
}

#[tokio::test]
async fn a_refused_certificate_shows_itself_and_the_pin_that_would_accept_it() {
    let (_, other) = (0, Pin::of(b"another certificate"));
    let (stranger, _) = self_signed("somebody.example");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pem(&stranger)).unwrap();
    for (trust, cause) in
        [(Trust::Pins(vec![other]), "not the pinned certificate"), (Trust::Ca(file.path().to_owned()), "self-signed")]
    {
        let rig = Rig::with(Setup { trust: Some(trust), ..Setup::default() }).await;
        let (page, _) = tokio::join!(ask(&rig), async {
            let tcp = rig.upstream_tcp().await;
            let _ = rig.accept_tls(tcp).await;
        });
        let sha256 = sha256_hex(&rig.upstream_cert);
        assert!(page.contains(cause), "{page}");
        assert!(page.contains(&format!("--upstream-pin sha256:{sha256}")), "{page}");
        assert!(page.contains("DNS:finesse.example.test") && page.contains("Valid until"), "{page}");
        let capture = rig.closed().await;
        assert_eq!((capture.ending().by, capture.ending().how), (End::Proxy, How::Unreachable));
        let upstream = &capture.tls[1];
        assert_eq!(
            (upstream.leg, upstream.certificate.as_ref().unwrap().sha256.as_str()),
            (Leg::Upstream, sha256.as_str())
        );
        assert!(upstream.failure.is_some());
    }
}

#[tokio::test]
async fn the_pin_in_the_hint_is_accepted() {
    let (cert, _) = self_signed(HOST);
    let shown = format!("sha256:{}", sha256_hex(&cert));
    assert_eq!(shown.parse::<Pin>().unwrap(), Pin::of(&cert));
    let openssl_style = shown[7..]
        .to_uppercase()
        .as_bytes()
        .chunks(2)
        .map(|c| String::from_utf8_lossy(c))
        .collect::<Vec<_>>()
        .join(":");
    assert_eq!(format!("SHA256:{openssl_style}").parse::<Pin>().unwrap(), Pin::of(&cert));
    for bad in ["", "sha256:", "sha1:00", &shown[..70], "sha256:zz", &shown[7..]] {
        assert!(bad.parse::<Pin>().is_err(), "{bad}");
    }
}

#[tokio::test]
async fn an_upstream_without_tls_gets_the_browser_a_502() {
    let rig = Rig::new().await;
    let (page, _) = tokio::join!(ask(&rig), async {
        let mut tcp = rig.upstream_tcp().await;
        tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = tcp.read_to_end(&mut Vec::new()).await;
    });
    assert!(page.contains("something that is not TLS"), "{page}");
    let capture = rig.closed().await;
    assert_eq!((capture.ending().by, capture.ending().how), (End::Upstream, How::Unreachable));
}

#[tokio::test]
async fn an_upstream_of_the_wrong_name_is_refused_by_name() {
    let rig = Rig::new().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pem(&rig.upstream_cert)).unwrap();
    let upstream = finesse_tap::tls::upstream::Upstream::new(&Trust::Ca(file.path().to_owned()), None, None).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (served, _) = listener.accept().await.unwrap();
    let (refused, _) =
        tokio::join!(upstream.connect("elsewhere.example", finesse_tap::clock::now(), tcp), rig.accept_tls(served));
    let refused = refused.err().unwrap();
    let failure = refused.handshake.failure.unwrap();
    assert!(failure.why.contains("not for elsewhere.example"), "{}", failure.why);
}

#[tokio::test]
async fn a_proxy_that_would_dial_itself_says_so() {
    let rig = Rig::with(Setup { upstream: Some(Target::Itself), ..Setup::default() }).await;
    let page = ask(&rig).await;
    assert!(page.contains("leads back to this proxy"), "{page}");
    assert!(page.contains("--resolve finesse.example.test:ADDRESS"), "{page}");
    assert_eq!(rig.closed().await.ending().how, How::Unreachable);
    let (summary, _) = rig.finished().await;
    assert_eq!(summary.accepted, 1, "it never dialled");
}

/// A loop that no address shows (a load balancer, a forwarded port): the certificate is our own.
#[tokio::test]
async fn a_proxy_that_reaches_itself_through_another_address_says_so() {
    let detour = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = Target::Address(detour.local_addr().unwrap());
    let rig = Rig::with(Setup { upstream: Some(there), trust: Some(Trust::Insecure), ..Setup::default() }).await;
    let forward = async {
        let (mut tcp, _) = detour.accept().await.unwrap();
        let mut back = rig.tcp().await;
        let _ = tokio::io::copy_bidirectional(&mut tcp, &mut back).await;
    };
    let page = tokio::select! { page = ask(&rig) => page, () = async { forward.await; std::future::pending().await } => unreachable!() };
    assert!(page.contains("shows our own certificate"), "{page}");
}

#[tokio::test]
async fn the_loop_is_found_at_start() {
    let certs = tempfile::tempdir().unwrap();
    let server = "127.0.0.1:8445".parse().unwrap();
    let at = |listener: &str| crate::support::rig::config(certs.path(), listener.parse().unwrap(), server);
    let mut looped = proxy::upstream_addresses(&at("127.0.0.1:8445")).await;
    assert!(looped.remove(0).unwrap_err().hint.unwrap().contains("--resolve"));
    assert_eq!(proxy::upstream_addresses(&at("127.0.0.1:8446")).await, [Ok(vec![server])]);
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line)).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
