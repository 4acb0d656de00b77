//! XMPP as a route kind: TLS from the first byte, and TLS that both sides agree to begin.

use crate::support::rig::Target;
use crate::support::{HOST, Rig, Setup, soon};
use finesse_tap::capture::observation::{End, How, Leg};
use finesse_tap::conn::Kind;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

const HEADER: &[u8] = b"<?xml version='1.0'?><stream:stream to='finesse.example.test' xmlns='jabber:client' \
                        xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";
const OFFER: &[u8] =
    b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>";
const START: &[u8] = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const PROCEED: &[u8] = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const FAILURE: &[u8] = b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>";

async fn rig(kind: Kind) -> Rig {
    Rig::with(Setup { kind, ..Setup::default() }).await
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
}

async fn hears(stream: &mut (impl AsyncRead + Unpin), bytes: &[u8]) {
    let mut heard = vec![0; bytes.len()];
    soon("the other side's words", stream.read_exact(&mut heard)).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&heard), String::from_utf8_lossy(bytes));
}

/// All that still comes; a reset ends it as well.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = soon("the end", stream.read_to_end(&mut rest)).await;
    rest
}

/// Client and server up to the server's offer of TLS.
async fn in_the_clear(rig: &Rig) -> (TcpStream, TcpStream) {
    let mut client = rig.tcp().await;
    client.set_nodelay(true).unwrap();
    say(&mut client, HEADER).await;
    let mut server = rig.upstream_tcp().await;
    hears(&mut server, HEADER).await;
    say(&mut server, &[HEADER, OFFER].concat()).await;
    hears(&mut client, &[HEADER, OFFER].concat()).await;
    (client, server)
}

#[tokio::test]
async fn tls_from_the_first_byte_relays_the_stream_and_agrees_on_xmpp() {
    let rig = rig(Kind::Xmpps).await;
    let (mut client, mut server) = rig.pair().await;
    assert_eq!(client.get_ref().1.alpn_protocol(), Some(&b"xmpp-client"[..]));
    assert_eq!(server.get_ref().1.alpn_protocol(), Some(&b"xmpp-client"[..]));
    say(&mut client, HEADER).await;
    hears(&mut server, HEADER).await;
    say(&mut server, b"</stream:stream>").await;
    hears(&mut client, b"</stream:stream>").await;
    client.shutdown().await.unwrap();
    server.shutdown().await.unwrap();
    let capture = rig.closed().await;
    assert_eq!(capture.opened.as_ref().unwrap().kind, Kind::Xmpps);
    assert_eq!((&*capture.c2s, &*capture.s2c), (HEADER, &b"</stream:stream>"[..]));
}

#[tokio::test]
async fn whoever_does_not_fit_the_kind_is_refused_without_a_page() {
    let rig = rig(Kind::Xmpps).await;
    for words in [&b"GET / HTTP/1.1\r\n\r\n"[..], HEADER] {
        let mut client = rig.tcp().await;
        say(&mut client, words).await;
        assert_eq!(rest(&mut client).await, b"");
        let closed = rig.closed_any().await;
        assert_eq!((closed.by, closed.how), (End::Client, How::Refused));
    }
    let setup = Setup {
        kind: Kind::Xmpps,
        upstream: Some(Target::Address(crate::support::rig::nowhere())),
        ..Setup::default()
    };
    let rig = Rig::with(setup).await;
    let mut client = rig.client_as(HOST).await.unwrap();
    assert_eq!(rest(&mut client).await, b"");
    assert_eq!(rig.closed_any().await.how, How::Unreachable);
}

#[tokio::test]
async fn starttls_becomes_tls_on_both_legs() {
    let rig = rig(Kind::XmppStartTls).await;
    let (mut client, mut server) = in_the_clear(&rig).await;
    // Byte by byte, with white space behind the last.
    let (last, before) = START.split_last().unwrap();
    for byte in before {
        say(&mut client, &[*byte]).await;
    }
    say(&mut client, &[*last, b'\n']).await;
    hears(&mut server, &[START, b"\n"].concat()).await;
    for byte in PROCEED {
        say(&mut server, &[*byte]).await;
    }
    hears(&mut client, PROCEED).await;
    let (client, server) = tokio::join!(rig.secure(client, HOST, rustls::ALL_VERSIONS), rig.accept_tls(server));
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    say(&mut client, HEADER).await;
    hears(&mut server, HEADER).await;
    say(&mut server, b"<stream:features/>").await;
    hears(&mut client, b"<stream:features/>").await;
    server.shutdown().await.unwrap();
    assert_eq!(rest(&mut client).await, b"");
    client.shutdown().await.unwrap();
    let capture = rig.closed().await;
    assert_eq!(capture.c2s, [HEADER, START, b"\n", HEADER].concat());
    assert_eq!(capture.s2c, [HEADER, OFFER, PROCEED, b"<stream:features/>"].concat());
    let legs: Vec<Leg> = capture.tls.iter().map(|handshake| handshake.leg).collect();
    assert_eq!(legs, [Leg::Client, Leg::Upstream]);
    assert!(capture.tls.iter().all(|handshake| handshake.failure.is_none()));
    let closed = capture.ending();
    assert_eq!((closed.by, closed.how, closed.unclean), (End::Upstream, How::Fin, false));
}

#[tokio::test]
async fn a_server_that_refuses_is_heard_out() {
    let rig = rig(Kind::XmppStartTls).await;
    let (mut client, mut server) = in_the_clear(&rig).await;
    say(&mut client, START).await;
    hears(&mut server, START).await;
    say(&mut server, FAILURE).await;
    server.shutdown().await.unwrap();
    assert_eq!(rest(&mut client).await, FAILURE);
    client.shutdown().await.unwrap();
    let capture = rig.closed().await;
    assert_eq!(capture.s2c, [HEADER, OFFER, FAILURE].concat());
    assert_eq!((capture.ending().by, capture.ending().how), (End::Upstream, How::Fin));
}

#[tokio::test]
async fn who_never_asks_for_tls_is_relayed_as_it_is() {
    let rig = rig(Kind::XmppStartTls).await;
    let (mut client, mut server) = in_the_clear(&rig).await;
    say(&mut client, b"<auth>x</auth>").await;
    hears(&mut server, b"<auth>x</auth>").await;
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut server).await, b"");
    // Half-closed: the server still has something to say.
    say(&mut server, b"<success/></stream:stream>").await;
    server.shutdown().await.unwrap();
    assert_eq!(rest(&mut client).await, b"<success/></stream:stream>");
    assert_eq!((rig.closed_any().await.by), End::Client);
}

#[tokio::test]
async fn a_client_that_begins_with_tls_is_told_so_in_the_log() {
    let rig = rig(Kind::XmppStartTls).await;
    assert!(rig.client_as(HOST).await.is_err());
    let closed = rig.closed_any().await;
    assert_eq!((closed.by, closed.how), (End::Client, How::Refused));
    assert!(closed.why.unwrap().contains("xmpps://"));
}

#[tokio::test]
async fn what_is_injected_behind_starttls_reaches_nobody() {
    let rig = rig(Kind::XmppStartTls).await;
    let evil = b"<message to='victim'/>";

    // In one breath with the client's <starttls/>.
    let (mut client, mut server) = in_the_clear(&rig).await;
    say(&mut client, &[START, evil].concat()).await;
    assert_eq!(rest(&mut server).await, b"");
    assert_eq!(rest(&mut client).await, b"");
    let closed = rig.closed().await;
    assert_eq!((closed.ending().by, closed.ending().how), (End::Client, How::Refused));
    assert_eq!(closed.c2s, HEADER);

    // Behind it, before the server has answered.
    let (mut client, mut server) = in_the_clear(&rig).await;
    say(&mut client, START).await;
    hears(&mut server, START).await;
    say(&mut client, evil).await;
    say(&mut server, PROCEED).await;
    assert_eq!(rest(&mut client).await, b"");
    assert_eq!(rest(&mut server).await, b"");
    assert_eq!((rig.closed_any().await.how), How::Refused);

    // In one breath with the server's <proceed/>.
    let (mut client, mut server) = in_the_clear(&rig).await;
    say(&mut client, START).await;
    hears(&mut server, START).await;
    say(&mut server, &[PROCEED, evil].concat()).await;
    assert_eq!(rest(&mut client).await, b"");
    let closed = rig.closed_any().await;
    assert_eq!((closed.by, closed.how), (End::Upstream, How::Refused));
}

#[tokio::test]
async fn a_server_whose_tls_fails_after_proceed_ends_the_connection() {
    let rig = rig(Kind::XmppStartTls).await;
    let (mut client, mut server) = in_the_clear(&rig).await;
    say(&mut client, START).await;
    hears(&mut server, START).await;
    say(&mut server, PROCEED).await;
    hears(&mut client, PROCEED).await;
    drop(server);
    let secured = rig.secure(client, HOST, rustls::ALL_VERSIONS).await;
    if let Ok(mut client) = secured {
        assert_eq!(rest(&mut client).await, b"");
    }
    let capture = rig.closed().await;
    assert_eq!(capture.ending().how, How::Unreachable);
    assert!(capture.tls.iter().any(|handshake| handshake.leg == Leg::Upstream && handshake.failure.is_some()));
}
