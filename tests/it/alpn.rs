//! What either leg agrees on in ALPN: what client and server would without the proxy.

use crate::support::rig::{Target, nowhere, self_signed};
use crate::support::{HOST, Rig, Setup, soon};
use finesse_tap::capture::observation::{End, How};
use finesse_tap::proxy::{Alpn, Rewriting};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const H2: &str = "h2";
const H1: &str = "http/1.1";

/// What a client with this offer gets from a server with these protocols, and what the server was told.
async fn agreed(setup: Setup, name: &str) -> (Option<String>, Option<String>, Rig) {
    let rig = Rig::with(setup).await;
    let (client, upstream) = tokio::join!(rig.client_as(name), rig.upstream());
    let text = |name: Option<&[u8]>| name.map(|name| String::from_utf8(name.to_vec()).unwrap());
    let (client, upstream) = (client.unwrap(), upstream);
    let both = (text(client.get_ref().1.alpn_protocol()), text(upstream.get_ref().1.alpn_protocol()));
    (both.0, both.1, rig)
}

fn speaking(client: &'static [&'static str], server: &'static [&'static str]) -> Setup {
    Setup { alpns: Some([client, server]), ..Setup::default() }
}

#[tokio::test]
async fn the_client_gets_what_the_server_chose() {
    let cases: [(&[&str], &[&str], Option<&str>); 8] = [
        (&[H2, H1], &[H2, H1], Some(H2)),
        (&[H2, H1], &[H1], Some(H1)),
        (&[H2, H1], &[H1, H2], Some(H1)),
        (&[H2, H1], &[H2], Some(H2)),
        (&[H2], &[H1, H2], Some(H2)),
        (&[H1], &[H2, H1], Some(H1)),
        (&[H2, H1], &[], None),
        (&[], &[H2, H1], None),
    ];
    for (client, server, expected) in cases {
        let (ours, theirs, rig) = agreed(speaking(client, server), HOST).await;
        assert_eq!((ours.as_deref(), theirs.as_deref()), (expected, expected), "{client:?} {server:?}");
        let capture = rig.closed().await;
        let [front, back] = &capture.tls[..] else { panic!("{:?}", capture.tls) };
        assert_eq!((front.alpn.as_deref(), back.alpn.as_deref()), (expected, expected));
        assert_eq!((&front.offered[..], &back.offered[..], front.pinned), (client, client, None));
    }
}

/// What nobody here could read is not handed on; what is left is, in its order.
#[tokio::test]
async fn only_what_can_be_read_is_handed_on() {
    let (ours, theirs, rig) = agreed(speaking(&["acme-tls/1", H2, "http/1.0", H1], &["http/1.0", H2]), HOST).await;
    assert_eq!((ours.as_deref(), theirs.as_deref()), (Some(H2), Some(H2)));
    let capture = rig.closed().await;
    assert_eq!(capture.tls[0].offered, ["other", H2, "http/1.0", H1]);
    assert_eq!(capture.tls[1].offered, [H2, H1]);

    // With nothing left the client learns so, by the alert's name.
    let rig = Rig::with(speaking(&["acme-tls/1"], &[H1])).await;
    let refused = soon("an alert", rig.client_as(HOST)).await.unwrap_err();
    assert!(refused.to_string().contains("NoApplicationProtocol"), "{refused}");
    let capture = rig.closed().await;
    let failure = capture.tls[0].failure.as_ref().unwrap();
    assert_eq!((failure.alert.as_deref(), failure.by), (Some("no_application_protocol"), End::Proxy));
}

#[tokio::test]
async fn what_pins_it_is_said() {
    let both: &[&str] = &[H2, H1];
    let pinned = |setup: Setup, name: &'static str| async move {
        let (ours, theirs, rig) = agreed(setup, name).await;
        assert_eq!((ours.as_deref(), theirs.as_deref()), (Some(H1), Some(H1)));
        rig.stop();
        let (_, messages) = rig.finished().await;
        messages.into_iter().find_map(|message| match message {
            finesse_tap::tap::feed::Message::Tls(_, handshake) => handshake.pinned,
            _ => None,
        })
    };
    assert_eq!(pinned(Setup { alpn: Alpn::Http1, ..speaking(both, both) }, HOST).await, Some("option"));
    assert_eq!(pinned(Setup { rewriting: Rewriting::Always, ..speaking(both, both) }, HOST).await, Some("rewriting"));
    assert_eq!(pinned(speaking(both, both), "localhost").await, Some("rewriting"));
}

/// A server that takes nothing of what the client offers: the client reads why.
#[tokio::test]
async fn a_server_that_takes_none_is_told_of_with_the_alerts_name() {
    let rig = Rig::with(speaking(&[H1], &[H2])).await;
    let (client, refused) = tokio::join!(rig.client_as(HOST), async { rig.accept_tls(rig.upstream_tcp().await).await });
    assert!(refused.is_err());
    let mut client = client.unwrap();
    assert_eq!(client.get_ref().1.alpn_protocol(), Some(H1.as_bytes()));
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut page = String::new();
    soon("a page", client.read_to_string(&mut page)).await.unwrap();
    assert!(page.starts_with("HTTP/1.1 502 ") && page.contains("no_application_protocol"), "{page}");
    let capture = rig.closed().await;
    let failure = capture.tls[1].failure.as_ref().unwrap();
    assert_eq!((failure.alert.as_deref(), failure.by), (Some("no_application_protocol"), End::Upstream));
}

/// Without a server there is a page, in HTTP/1.1 if the client offers that, else in HTTP/2.
#[tokio::test]
async fn a_client_without_a_server_gets_a_page_it_can_read() {
    let away = || Some(Target::Address(nowhere()));
    for offer in [&[H2, H1][..], &[H1], &[]] {
        let rig = Rig::with(Setup { upstream: away(), ..speaking(offer, &[]) }).await;
        let mut client = rig.client_as(HOST).await.unwrap();
        assert_eq!(client.get_ref().1.alpn_protocol(), offer.last().map(|name| name.as_bytes()));
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut page = String::new();
        soon("a page", client.read_to_string(&mut page)).await.unwrap();
        assert!(page.starts_with("HTTP/1.1 502 "), "{page}");
        assert_eq!(rig.closed().await.ending().how, How::Unreachable);
    }
    let rig = Rig::with(Setup { upstream: away(), ..speaking(&[H2], &[]) }).await;
    let client = rig.client_as(HOST).await.unwrap();
    assert_eq!(client.get_ref().1.alpn_protocol(), Some(H2.as_bytes()));
    let io = hyper_util::rt::TokioIo::new(client);
    let (mut sender, connection) =
        soon("HTTP/2", hyper::client::conn::http2::handshake(hyper_util::rt::TokioExecutor::new(), io)).await.unwrap();
    let _driven = tokio_util::task::AbortOnDropHandle::new(tokio_util::task::TaskTracker::new().spawn(connection));
    let request = hyper::Request::get(format!("https://{HOST}/desktop")).body(String::new()).unwrap();
    let response = soon("a page", sender.send_request(request)).await.unwrap();
    assert_eq!(response.status(), 502);
    let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("Finesse cannot be reached"));
}

/// Who leaves before the server has answered is not kept.
#[tokio::test]
async fn a_client_that_leaves_early_ends_the_dialling() {
    let _ = self_signed;
    let rig = Rig::with(speaking(&[H2, H1], &[H2])).await;
    let tcp = rig.tcp().await;
    let mut hello = Box::pin(rig.secure(tcp, HOST, rustls::ALL_VERSIONS));
    // The server never answers.
    let server = tokio::select! { server = rig.upstream_tcp() => server, _ = &mut hello => panic!("nobody answered") };
    drop(hello);
    let capture = rig.closed().await;
    assert_eq!(capture.ending().by, End::Client);
    assert!(capture.tls[0].failure.as_ref().unwrap().why.contains("during the TLS handshake"));
    drop(server);
}
