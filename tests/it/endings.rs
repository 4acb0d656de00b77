//! How connections end: each end is passed on as it came, and told to the tap once.

use crate::support::{HOST, PATIENCE, Rig, Setup, soon};
use finesse_tap::capture::observation::{End, How};
use finesse_tap::conn::Direction;
use finesse_tap::proxy::Limits;
use socket2::SockRef;
use std::io::ErrorKind;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn a_clean_half_close_leaves_the_other_direction_alive() {
    let rig = Rig::new().await;
    let (mut client, mut upstream) = rig.pair().await;
    client.write_all(b"request").await.unwrap();
    client.shutdown().await.unwrap();
    let mut got = Vec::new();
    soon("EOF upstream", upstream.read_to_end(&mut got)).await.unwrap();
    assert_eq!(got, b"request");
    upstream.write_all(b"a late response").await.unwrap();
    upstream.flush().await.unwrap();
    let mut response = [0; 15];
    soon("the response", client.read_exact(&mut response)).await.unwrap();
    upstream.shutdown().await.unwrap();
    assert_eq!(soon("EOF", client.read(&mut [0])).await.unwrap(), 0);
    let capture = rig.closed().await;
    let ending = capture.ending();
    assert_eq!((ending.by, ending.how, ending.unclean), (End::Client, How::Fin, false));
    assert_eq!(capture.ended, [Direction::C2s, Direction::S2c]);
    assert_eq!(ending.why, None);
}

#[tokio::test]
async fn a_bare_fin_stays_bare() {
    let rig = Rig::new().await;
    // From the upstream, while the client goes on talking.
    let (mut client, mut upstream) = rig.pair().await;
    upstream.write_all(b"cut sho").await.unwrap();
    upstream.flush().await.unwrap();
    upstream.get_mut().0.shutdown().await.unwrap();
    let mut got = Vec::new();
    let error = soon("FIN", client.read_to_end(&mut got)).await.unwrap_err();
    assert_eq!((error.kind(), &got[..]), (ErrorKind::UnexpectedEof, &b"cut sho"[..]));
    client.write_all(b"still here").await.unwrap();
    client.shutdown().await.unwrap();
    got.clear();
    soon("the rest", upstream.read_to_end(&mut got)).await.unwrap();
    assert_eq!(got, b"still here");
    let capture = rig.closed().await;
    let ending = capture.ending();
    assert_eq!((ending.by, ending.how, ending.unclean), (End::Upstream, How::Fin, true));

    // From the client.
    let (mut client, mut upstream) = rig.pair().await;
    client.get_mut().0.shutdown().await.unwrap();
    let error = soon("FIN", upstream.read(&mut [0])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    drop(upstream);
    let error = soon("FIN", client.read(&mut [0])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    let capture = rig.closed().await;
    let ending = capture.ending();
    assert_eq!((ending.by, ending.how, ending.unclean), (End::Client, How::Fin, true));
}

#[tokio::test]
async fn a_reset_is_passed_on_as_a_reset() {
    let rig = Rig::new().await;
    let (mut client, mut upstream) = rig.pair().await;
    // The proxy knows that the client's handshake is over.
    client.write_all(b"x").await.unwrap();
    client.flush().await.unwrap();
    soon("a byte", upstream.read_exact(&mut [0])).await.unwrap();
    SockRef::from(client.get_ref().0).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    let error = soon("reset", upstream.read(&mut [0])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let capture = rig.closed().await;
    assert_eq!((capture.ending().by, capture.ending().how), (End::Client, How::Rst));
    assert_eq!(capture.ended.len(), 2, "both directions are over");

    let (mut client, upstream) = rig.pair().await;
    SockRef::from(upstream.get_ref().0).set_linger(Some(Duration::ZERO)).unwrap();
    drop(upstream);
    let error = soon("reset", client.read(&mut [0])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let capture = rig.closed().await;
    assert_eq!((capture.ending().by, capture.ending().how), (End::Upstream, How::Rst));
}

#[tokio::test]
async fn a_tls_alert_ends_the_connection_and_says_who() {
    let rig = Rig::new().await;
    let (mut client, mut upstream) = rig.pair().await;
    // Bytes that are no record of this session.
    upstream
        .get_mut()
        .0
        .write_all(&[23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20])
        .await
        .unwrap();
    let error = soon("the end", client.read(&mut [0])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "no clean end is invented");
    let capture = rig.closed().await;
    assert_eq!((capture.ending().by, capture.ending().how), (End::Upstream, How::TlsAlert));
}

#[tokio::test]
async fn shutdown_lets_connections_finish() {
    let rig = Rig::new().await;
    let (mut client, mut upstream) = rig.pair().await;
    rig.stop();
    client.write_all(b"last words").await.unwrap();
    client.shutdown().await.unwrap();
    let mut got = Vec::new();
    soon("last words", upstream.read_to_end(&mut got)).await.unwrap();
    assert_eq!(got, b"last words");
    upstream.shutdown().await.unwrap();
    let capture = rig.closed().await;
    assert_eq!(capture.ending().how, How::Fin);
    let (summary, _) = rig.finished().await;
    assert_eq!((summary.accepted, summary.cut), (1, 0));
}

#[tokio::test]
async fn shutdown_cuts_what_outlives_the_grace() {
    let limits = Limits { grace: Duration::from_millis(20), ..Limits::default() };
    let rig = Rig::with(Setup { limits, ..Setup::default() }).await;
    let (_client, _upstream) = rig.pair().await;
    // One that never got further than TCP.
    let (_idle, opened) = (rig.tcp().await, rig.client_as(HOST));
    let (opened, _second) = tokio::join!(opened, rig.upstream());
    let _opened = opened.unwrap();
    rig.stop();
    let (first, second, third) = (rig.closed_any().await, rig.closed_any().await, rig.closed_any().await);
    for closed in [first, second, third] {
        assert_eq!((closed.by, closed.how), (End::Proxy, How::Shutdown));
    }
    let (summary, left) = rig.finished().await;
    assert_eq!((summary.accepted, summary.cut), (3, 3));
    assert!(left.is_empty());
}

#[tokio::test]
async fn above_the_limit_connections_are_turned_away_and_told() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let rig = Rig::with(Setup { limits, ..Setup::default() }).await;
    let (mut client, mut upstream) = rig.pair().await;
    let mut second = rig.tcp().await;
    assert_eq!(soon("turned away", second.read(&mut [0])).await.unwrap(), 0);
    let closed = rig.closed_any().await;
    assert_eq!((closed.by, closed.how), (End::Proxy, How::Limit));
    // The first is untouched, and its place is free again once it is gone.
    client.write_all(b"x").await.unwrap();
    soon("relayed", upstream.read_exact(&mut [0])).await.unwrap();
    client.shutdown().await.unwrap();
    upstream.shutdown().await.unwrap();
    assert_eq!(rig.closed_any().await.how, How::Fin);
    let again = async {
        loop {
            // The slot is given back after the close was told.
            if let Ok(client) = rig.client_as(HOST).await {
                return client;
            }
        }
    };
    let (_client, _upstream) =
        tokio::time::timeout(PATIENCE, async { tokio::join!(again, rig.upstream()) }).await.unwrap();
    let (summary, _) = rig.finished().await;
    assert!(summary.over_limit >= 1);
}
