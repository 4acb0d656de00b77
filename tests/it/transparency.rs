//! What goes in comes out, byte for byte, both ways, and the tap's copy is the same.

use crate::support::frames::odd_stream;
use crate::support::rig::{ClientEnd, UpstreamEnd};
use crate::support::{Dice, HOST, Rig, Setup, soon, wire};
use finesse_tap::capture::observation::{End, How};
use std::future::poll_fn;
use std::pin::Pin;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf, split};

/// Bytes each way through one connection; a gigabyte when `FINESSE_TAP_LONG=1`.
fn bulk_bytes() -> usize {
    let long = std::env::var_os("FINESSE_TAP_LONG").is_some_and(|value| value == "1");
    if long { 1 << 30 } else { 32 << 20 }
}

static OLD: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];

/// Sends in pieces of random size, flushing after each.
async fn send(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8], piece_max: usize, seed: u64) {
    let mut dice = Dice::new(seed);
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(1 + dice.below(piece_max)));
        stream.write_all(piece).await.unwrap();
        stream.flush().await.unwrap();
        rest = after;
    }
}

async fn receive(stream: &mut (impl AsyncRead + Unpin), len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

/// Both at once over one connection; then the client ends it, then the upstream.
async fn exchange(rig: &Rig, what: &str, c2s: &[u8], s2c: &[u8], piece_max: usize, seed: u64) {
    let (client, upstream) = rig.pair().await;
    let (mut client_in, mut client_out): (ReadHalf<ClientEnd>, WriteHalf<ClientEnd>) = split(client);
    let (mut upstream_in, mut upstream_out): (ReadHalf<UpstreamEnd>, WriteHalf<UpstreamEnd>) = split(upstream);
    let all = async {
        tokio::join!(
            send(&mut client_out, c2s, piece_max, seed),
            send(&mut upstream_out, s2c, piece_max, seed + 1),
            receive(&mut upstream_in, c2s.len()),
            receive(&mut client_in, s2c.len()),
        )
    };
    let ((), (), got_c2s, got_s2c) = soon(what, all).await;
    assert!(got_c2s == c2s, "{what}: the client's bytes were changed");
    assert!(got_s2c == s2c, "{what}: the server's bytes were changed");
    client_out.shutdown().await.unwrap();
    assert_eq!(upstream_in.read(&mut [0]).await.unwrap(), 0, "{what}: more came than was sent");
    upstream_out.shutdown().await.unwrap();
    assert_eq!(client_in.read(&mut [0]).await.unwrap(), 0, "{what}: more came than was sent");
    let capture = rig.closed().await;
    assert!(capture.c2s == c2s, "{what}: the tap's copy of the client's bytes differs");
    assert!(capture.s2c == s2c, "{what}: the tap's copy of the server's bytes differs");
    let ending = capture.ending();
    assert_eq!((ending.by, ending.how, ending.unclean), (End::Client, How::Fin, false), "{what}");
}

/// The client and the server have agreed on HTTP/2: nothing is different for the relay.
async fn over_http2() -> Rig {
    let both: &[&str] = &["h2", "http/1.1"];
    Rig::with(Setup { alpns: Some([both, both]), ..Setup::default() }).await
}

/// A connection's recorded bytes of one direction, each read by itself in its file.
fn recorded(text: &str, mark: &str) -> Vec<u8> {
    let hex = |line: &str| -> Vec<u8> {
        (0..line.len()).step_by(2).map(|at| u8::from_str_radix(&line[at..at + 2], 16).unwrap()).collect()
    };
    text.lines().filter_map(|line| line.strip_prefix(mark)).flat_map(|line| hex(line.trim())).collect()
}

#[tokio::test]
async fn http_2_as_it_was_recorded_and_what_is_none() {
    let rig = over_http2().await;
    let recordings = [
        include_str!("../../src/http2/tests/curl.txt"),
        include_str!("../../src/http2/tests/nghttp.txt"),
        include_str!("../../src/http2/tests/h2load.txt"),
        include_str!("../../src/http2/tests/scripted.txt"),
    ];
    for (seed, text) in recordings.into_iter().enumerate() {
        for piece_max in [1, 9, 4096] {
            let (c2s, s2c) = (recorded(text, ">>"), recorded(text, "<<"));
            exchange(&rig, "recorded HTTP/2", &c2s, &s2c, piece_max, seed as u64).await;
        }
    }
    // Frames with the reserved bit, of no known type, longer than allowed, for streams that are none; a second preface.
    let mut dice = Dice::new(40);
    let mut odd = recorded(recordings[0], ">>");
    for kind in [0_u8, 1, 4, 6, 9, 10, 200, 255] {
        odd.extend([0, 0, 20, kind, 0xff, 0x80, 0, 0, kind]);
        odd.extend(dice.bytes(20));
    }
    odd.extend(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\x00");
    exchange(&rig, "odd HTTP/2", &odd, &odd, 50, 41).await;
    for (index, (what, request, response)) in wire::CASES.iter().enumerate().take(6) {
        exchange(&rig, what, request.as_bytes(), response.as_bytes(), 7, index as u64).await;
    }
    for seed in 50..52 {
        let mut dice = Dice::new(seed);
        let (c2s, s2c) = (dice.bytes(100_000), dice.bytes(150_000));
        exchange(&rig, "random bytes", &c2s, &s2c, 3_000, seed).await;
    }
}

#[tokio::test]
async fn http_oddities() {
    let rig = Rig::new().await;
    for (index, (what, request, response)) in wire::CASES.iter().enumerate() {
        for piece_max in [1, 7, 4096] {
            exchange(&rig, what, request.as_bytes(), response.as_bytes(), piece_max, index as u64).await;
        }
    }
}

#[tokio::test]
async fn websocket_oddities_glued_to_the_upgrade() {
    let rig = Rig::new().await;
    let request = b"GET /ws/ HTTP/1.1\r\nHost: f\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let response = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    for (seed, piece_max) in [(1, 200_000), (2, 20_000), (3, 1_500), (4, 300)] {
        let c2s = [&request[..], &odd_stream(true, seed)].concat();
        let s2c = [&response[..], &odd_stream(false, seed)].concat();
        exchange(&rig, "websocket frames", &c2s, &s2c, piece_max, seed).await;
    }
}

#[tokio::test]
async fn what_arrives_in_one_write_with_the_101_is_not_lost() {
    let rig = Rig::new().await;
    let (mut client, mut upstream) = rig.pair().await;
    client.write_all(b"GET /ws/ HTTP/1.1\r\n\r\n\x81\x80abcd").await.unwrap();
    client.flush().await.unwrap();
    assert_eq!(receive(&mut upstream, 27).await, b"GET /ws/ HTTP/1.1\r\n\r\n\x81\x80abcd"[..27]);
    upstream.write_all(b"HTTP/1.1 101 \r\n\r\n\x81\x02hi").await.unwrap();
    upstream.flush().await.unwrap();
    assert_eq!(receive(&mut client, 21).await, b"HTTP/1.1 101 \r\n\r\n\x81\x02hi");
}

#[tokio::test]
async fn random_bytes_in_random_pieces() {
    let rig = Rig::new().await;
    for seed in 10..14 {
        let mut dice = Dice::new(seed);
        let (c2s, s2c) = (dice.bytes(100_000), dice.bytes(150_000));
        exchange(&rig, "random bytes", &c2s, &s2c, 3_000, seed).await;
    }
}

#[tokio::test]
async fn tls_1_2_on_both_legs_and_without_a_tap() {
    let rig = Rig::with(Setup { tapped: false, tls_versions: OLD, ..Setup::default() }).await;
    let (client, mut upstream) = tokio::join!(rig.client_offering(HOST, OLD), rig.upstream());
    let mut client = client.unwrap();
    let bytes = Dice::new(5).bytes(300_000);
    let ((), got) = tokio::join!(send(&mut client, &bytes, 50_000, 5), receive(&mut upstream, bytes.len()));
    assert!(got == bytes);
    let ((), got) = tokio::join!(send(&mut upstream, &bytes, 50_000, 6), receive(&mut client, bytes.len()));
    assert!(got == bytes);
}

/// A TLS stream buffers like a `BufWriter`: what is accepted has to be flushed though nothing more comes.
#[tokio::test]
async fn a_slow_reader_gets_the_last_byte_too() {
    let rig = Rig::new().await;
    let (mut client, mut upstream) = rig.pair().await;
    let mut sent = 0_usize;
    let piece = Dice::new(9).bytes(16_000);
    // Until every buffer on the way is full.
    poll_fn(|cx| {
        loop {
            match Pin::new(&mut upstream).poll_write(cx, &piece) {
                std::task::Poll::Ready(written) => sent += written.unwrap(),
                std::task::Poll::Pending => return std::task::Poll::Ready(()),
            }
            if sent > 64 << 20 {
                panic!("nobody pushes back");
            }
        }
    })
    .await;
    let reading = async {
        let mut got = 0;
        let mut buffer = [0; 1000];
        while got < sent {
            got += client.read(&mut buffer).await.unwrap();
        }
        got
    };
    let (flushed, got) = soon("the last byte", async { tokio::join!(upstream.flush(), reading) }).await;
    flushed.unwrap();
    assert_eq!(got, sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lot_through_one_connection() {
    let rig = Rig::with(Setup { tapped: false, ..Setup::default() }).await;
    let (client, upstream) = rig.pair().await;
    let (mut client_in, mut client_out) = split(client);
    let (mut upstream_in, mut upstream_out) = split(upstream);
    let total = bulk_bytes();
    let all = async {
        tokio::join!(
            bulk_out(&mut client_out, total, 1),
            bulk_out(&mut upstream_out, total, 2),
            bulk_in(&mut upstream_in, total, 1),
            bulk_in(&mut client_in, total, 2),
        )
    };
    tokio::time::timeout(std::time::Duration::from_secs(900), all).await.expect("it got stuck");
}

const PIECE: usize = 1 << 16;

/// As many different pieces as this, before they repeat.
const PIECES: usize = 4099;

/// Bytes of which every piece is a window, each at another place.
fn bulk_pattern(seed: u64) -> Vec<u8> {
    Dice::new(seed).bytes(PIECE + PIECES)
}

fn bulk_piece(pattern: &[u8], at: usize) -> &[u8] {
    &pattern[at / PIECE * 31 % PIECES..][..PIECE]
}

async fn bulk_out(stream: &mut (impl AsyncWrite + Unpin), total: usize, seed: u64) {
    let pattern = bulk_pattern(seed);
    for at in (0..total).step_by(PIECE) {
        stream.write_all(bulk_piece(&pattern, at)).await.unwrap();
    }
    stream.flush().await.unwrap();
}

async fn bulk_in(stream: &mut (impl AsyncRead + Unpin), total: usize, seed: u64) {
    let pattern = bulk_pattern(seed);
    let mut piece = vec![0; PIECE];
    for at in (0..total).step_by(PIECE) {
        stream.read_exact(&mut piece).await.unwrap();
        assert!(piece == bulk_piece(&pattern, at), "changed within {PIECE} bytes of {at}");
    }
}
