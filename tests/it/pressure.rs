//! What is too much: taps and sinks that cannot keep up, disks that are full or gone, messages without end, connections
//! cut everywhere. Traffic passes unchanged, memory and descriptors stay bounded, and every loss is counted and told.

#![cfg(target_os = "linux")]

use crate::support::frames::{Length, deflate, frame};
use crate::support::program::{Program, Upstream, actions, assert_without_holes, captures, tapping};
use crate::support::stage::{Stage, values};
use crate::support::{Rig, Setup, soon};
use finesse_tap::capture::policy::Level;
use finesse_tap::conn::Direction;
use finesse_tap::tap::feed::Message;
use flate2::{Compress, Compression};
use socket2::SockRef;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const KEY: [u8; 4] = [0; 4];
const UPGRADE: &str = "HTTP/1.1\r\nHost: f\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
const MB: usize = 1 << 20;

/// Sends bytes in at one end while they are read and compared at the other.
async fn pass(from: &mut (impl AsyncWrite + Unpin), to: &mut (impl AsyncRead + Unpin), bytes: &[u8]) {
    let send = async {
        from.write_all(bytes).await.unwrap();
        from.flush().await.unwrap();
    };
    let take = async {
        let mut part = vec![0; 64 * 1024];
        let mut seen = 0;
        while seen < bytes.len() {
            let n = to.read(&mut part).await.unwrap();
            assert!(n > 0, "ended after {seen} of {} bytes", bytes.len());
            assert!(part[..n] == bytes[seen..seen + n], "changed after {seen} bytes");
            seen += n;
        }
    };
    soon("bytes pass", async { tokio::join!(send, take) }).await;
}

async fn upgrade(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    server: &mut (impl AsyncRead + AsyncWrite + Unpin),
) {
    pass(client, server, format!("GET /ws/ {UPGRADE}").as_bytes()).await;
    pass(server, client, SWITCH.as_bytes()).await;
}

/// A tap that never takes anything: the relay does not notice, and what it lost is known to the byte.
#[tokio::test]
async fn a_stopped_tap_never_delays_the_relay() {
    let rig = Rig::with(Setup { queue_bytes: 256 * 1024, ..Setup::default() }).await;
    let (mut client, mut server) = rig.pair().await;
    let bulk: Vec<u8> = (0..8 * MB).map(|n| (n % 251) as u8).collect();
    pass(&mut client, &mut server, &bulk).await;
    pass(&mut server, &mut client, &bulk).await;
    client.shutdown().await.unwrap();
    server.shutdown().await.unwrap();
    drop((client, server));
    let (_, messages) = rig.finished().await;
    let mut kept = [Vec::new(), Vec::new()];
    let mut lost = [0, 0];
    let index = |direction: Direction| usize::from(direction == Direction::S2c);
    for message in &messages {
        match message {
            Message::Bytes { direction, bytes, .. } => {
                assert_eq!(lost[index(*direction)], 0, "bytes behind a hole");
                kept[index(*direction)].extend_from_slice(bytes);
            }
            Message::Lost { direction, .. } => lost[index(*direction)] += 1,
            _ => {}
        }
    }
    let Some(Message::Closed(_, closed, lost_bytes)) = messages.last() else { panic!("the end is missing") };
    assert_eq!(lost, [1, 1], "told once a direction");
    for (way, total) in [closed.c2s_bytes, closed.s2c_bytes].into_iter().enumerate() {
        assert_eq!(total, bulk.len() as u64);
        assert_eq!(kept[way].len() as u64 + lost_bytes[way], total);
        assert!(kept[way] == bulk[..kept[way].len()]);
    }
    assert!(kept[0].len() + kept[1].len() <= 256 * 1024);
}

#[test]
fn a_hole_makes_a_direction_opaque_and_is_told() {
    let mut stage = Stage::new(Level::Auth, 8_000);
    stage.say(Direction::C2s, format!("GET /ws/ {UPGRADE}").as_bytes()).say(Direction::S2c, SWITCH.as_bytes());
    stage.say(Direction::S2c, &frame(0x81, None, Length::Minimal, b"<presence from='a@h'/>"));
    stage.lose(Direction::S2c);
    stage.say(Direction::C2s, &frame(0x81, Some(KEY), Length::Minimal, b"<presence from='b@h'/>"));
    let lines = stage.end();
    let lines = values(&lines);
    let of = |from: &str| lines.iter().any(|line| line["finesse"]["xmpp"]["from"] == from);
    assert!(of("a@h") && of("b@h"), "the other direction is read on");
    let hole = lines.iter().find(|line| line["event"]["action"] == "decode-error").unwrap();
    assert_eq!((&hole["finesse"]["decode"]["opaque"], &hole["finesse"]["direction"]), (&true.into(), &"s2c".into()));
}

#[test]
fn a_hole_in_http_makes_both_directions_opaque_once() {
    let mut stage = Stage::new(Level::Auth, 8_000);
    stage.say(Direction::C2s, b"GET /a HTTP/1.1\r\n\r\n").lose(Direction::S2c).lose(Direction::C2s);
    let lines = stage.end();
    let holes = values(&lines).into_iter().filter(|line| line["event"]["action"] == "decode-error");
    let told: Vec<String> = holes.map(|hole| hole["finesse"]["direction"].to_string()).collect();
    assert_eq!(told, [r#""s2c""#, r#""c2s""#]);
}

/// Traffic that makes at least `bytes` of capture.
async fn chatter(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    server: &mut (impl AsyncRead + AsyncWrite + Unpin),
    bytes: usize,
) {
    let body = "x".repeat(2_000);
    for n in 0..bytes / 2_000 {
        let stanza = format!("<message id='m{n}'><body>{body}</body></message>");
        pass(server, client, &frame(0x81, None, Length::Minimal, stanza.as_bytes())).await;
    }
}

#[tokio::test]
async fn a_full_disk_behind_standard_output_costs_counted_events_only() {
    let (dir, upstream) = (tempfile::tempdir().unwrap(), Upstream::new().await);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut program = tapping_into(dir.path(), &upstream, full.into());
    let (mut client, server) = tokio::join!(program.client(), upstream.accept());
    let mut server = server.unwrap();
    program.line("capture cannot be written");
    upgrade(&mut client, &mut server).await;
    chatter(&mut client, &mut server, 200_000).await;
    drop((client, server));
    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("events were lost"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_reader_that_stops_reading_or_leaves_delays_nothing() {
    let (dir, upstream) = (tempfile::tempdir().unwrap(), Upstream::new().await);
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut program = tapping_into(dir.path(), &upstream, writer.into());
    let (mut client, server) = tokio::join!(program.client(), upstream.accept());
    let mut server = server.unwrap();
    upgrade(&mut client, &mut server).await;
    // Many times what a pipe holds.
    chatter(&mut client, &mut server, MB).await;
    drop((client, server));
    let read = std::thread::spawn(move || {
        let mut text = String::new();
        reader.by_ref().take(64 << 20).read_to_string(&mut text).unwrap();
        text
    });
    assert_eq!(program.stop().code, Some(0));
    let text = read.join().unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_without_holes(&lines);
    assert_eq!(actions(&lines).last(), Some(&"connection-closed"));

    let (reader, writer) = std::io::pipe().unwrap();
    let mut program = tapping_into(dir.path(), &upstream, writer.into());
    let (mut client, server) = tokio::join!(program.client(), upstream.accept());
    let mut server = server.unwrap();
    drop(reader);
    upgrade(&mut client, &mut server).await;
    chatter(&mut client, &mut server, 100_000).await;
    program.line("nobody reads standard output");
    drop((client, server));
    assert_eq!(program.stop().code, Some(0));
}

fn tapping_into(dir: &Path, upstream: &Upstream, stdout: Stdio) -> Program {
    let mut args = crate::support::program::to(upstream.address);
    args.extend([upstream.pin(), "--capture=-".to_owned()]);
    Program::spawn(dir, &args.iter().map(String::as_str).collect::<Vec<_>>(), stdout)
}

#[tokio::test]
async fn a_capture_directory_that_vanishes_is_made_again_and_the_loss_told() {
    let (dir, upstream) = (tempfile::tempdir().unwrap(), Upstream::new().await);
    let mut program = tapping(dir.path(), &upstream, &[]);
    let (mut client, server) = tokio::join!(program.client(), upstream.accept());
    let mut server = server.unwrap();
    upgrade(&mut client, &mut server).await;
    chatter(&mut client, &mut server, 20_000).await;
    let path = dir.path().join("captures");
    std::fs::remove_dir_all(&path).unwrap();
    let again = async {
        while !path.exists() {
            chatter(&mut client, &mut server, 2_000).await;
        }
    };
    soon("a new file", again).await;
    chatter(&mut client, &mut server, 20_000).await;
    drop((client, server));
    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let files = captures(&path);
    let lines: Vec<_> = files.iter().flat_map(|(_, lines)| lines).collect();
    let gap = lines.iter().find(|line| line["event"]["action"] == "capture-gap").expect("the loss is told");
    let gap = &gap["finesse"]["gap"];
    let range = |name: &str| gap[name].as_u64().unwrap();
    assert_eq!(range("last_sequence") - range("first_sequence") + 1, range("events"), "{gap}");
    let sequences: Vec<u64> = lines.iter().filter_map(|line| line["event"]["sequence"].as_u64()).collect();
    assert!(sequences.windows(2).all(|pair| pair[0] + 1 == pair[1]), "no hole behind the loss");
    assert!(sequences[0] <= range("last_sequence") + 1, "{sequences:?} {gap}");
    assert_eq!(actions(&files.last().unwrap().1).last(), Some(&"connection-closed"));
}

#[tokio::test]
async fn a_full_file_system_is_written_on_when_there_is_room() {
    let (dir, upstream) = (tempfile::tempdir().unwrap(), Upstream::new().await);
    let path = dir.path().join("captures");
    std::fs::create_dir(&path).unwrap();
    let mount = |options: &str| {
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", options, "finesse-tap-test"]).arg(&path).output();
        status.is_ok_and(|output| output.status.success())
    };
    if !mount("size=64k") {
        eprintln!("SKIPPED: a small file system cannot be mounted here (needs root)");
        return;
    }
    let mut program = tapping(dir.path(), &upstream, &[]);
    let (mut client, server) = tokio::join!(program.client(), upstream.accept());
    let mut server = server.unwrap();
    upgrade(&mut client, &mut server).await;
    chatter(&mut client, &mut server, 300_000).await;
    program.line("capture cannot be written");
    let remounted = mount("remount,size=16m");
    program.line("capture is written again");
    chatter(&mut client, &mut server, 20_000).await;
    drop((client, server));
    let ended = program.stop();
    let files = captures(&path);
    let unmounted = Command::new("umount").arg(&path).status().unwrap().success();
    assert!(remounted && unmounted);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_without_holes(files.iter().flat_map(|(_, lines)| lines));
    assert_eq!(actions(&files.last().unwrap().1).last(), Some(&"connection-closed"));
}

/// A field of `/proc/PID/status`, bytes.
fn memory(pid: u32, field: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// Each of them on a connection of its own, towards the server and back again.
fn monsters() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: String| frame(0x81, Some(KEY), Length::Minimal, text.as_bytes());
    let mut giant = b"<message><body>".to_vec();
    giant.resize(100 * MB, b'a');
    let mut claims = vec![0x81, 0xff];
    claims.extend((1_u64 << 63).to_be_bytes());
    claims.extend(KEY);
    claims.resize(MB, b'<');
    let bomb = deflate(&mut Compress::new(Compression::best(), false), &vec![b' '; 64 * MB]);
    let entities: String =
        (1..20).map(|n| format!("<!ENTITY e{n} \"{}\">", format!("&e{};", n - 1).repeat(10))).collect();
    vec![
        ("a stanza of 100 MB", frame(0x81, Some(KEY), Length::Minimal, &giant)),
        ("a frame that claims 2^63 bytes", claims),
        ("a deflate bomb", frame(0xc1, Some(KEY), Length::Minimal, &bomb)),
        ("10,000 nested elements", text(format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000)))),
        ("a DTD", text("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>".to_owned())),
        ("an entity bomb", text(format!("<!DOCTYPE a [<!ENTITY e0 'ha'>{entities}]><a>&e19;</a>"))),
        ("100,000 attributes", text(format!("<a {}/>", "x='' ".repeat(100_000)))),
        ("an Update without end", text(update(&"&lt;a&gt;".repeat(100_000)))),
    ]
}

fn update(escaped: &str) -> String {
    format!(
        "<message><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='/finesse/api/User/1'><item>\
         <notification xmlns='http://jabber.org/protocol/pubsub'>{escaped}</notification></item></items></event></message>"
    )
}

#[tokio::test]
async fn monsters_pass_unchanged_in_bounded_memory_and_are_told() {
    let (dir, upstream) = (tempfile::tempdir().unwrap(), Upstream::new().await);
    let mut program = tapping(dir.path(), &upstream, &[]);
    program.line("browser ");
    let before = memory(program.pid(), "VmRSS");
    let monsters = monsters();
    for (name, bytes) in &monsters {
        let (mut client, server) = tokio::join!(program.client(), upstream.accept());
        let mut server = server.unwrap();
        upgrade(&mut client, &mut server).await;
        eprintln!("{name}: {} bytes", bytes.len());
        pass(&mut client, &mut server, bytes).await;
        pass(&mut server, &mut client, b"\x81\x17<presence from='s@h'/>!").await;
    }
    // A head of 1 MB, each way.
    let (mut client, server) = tokio::join!(program.client(), upstream.accept());
    let mut server = server.unwrap();
    let filler = "y".repeat(MB);
    pass(&mut client, &mut server, format!("GET / HTTP/1.1\r\nX: {filler}\r\n\r\n").as_bytes()).await;
    pass(&mut server, &mut client, format!("HTTP/1.1 200 OK\r\nX: {filler}\r\nContent-Length: 0\r\n\r\n").as_bytes())
        .await;
    drop((client, server));

    let (after, peak) = (memory(program.pid(), "VmRSS"), memory(program.pid(), "VmHWM"));
    // The queue to the tap may hold 64 MB while the tap is behind.
    assert!(peak < before + 160 * MB, "peak {} MB over {} MB", peak / MB, before / MB);
    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    eprintln!("resident: {} MB before, {} MB after, {} MB at the peak", before / MB, after / MB, peak / MB);
    let files = captures(&dir.path().join("captures"));
    let lines: Vec<_> = files.iter().flat_map(|(_, lines)| lines).collect();
    let mut untold = BTreeMap::new();
    for conn in 1..=monsters.len() + 1 {
        let id = format!("c{conn}");
        let name = monsters.get(conn - 1).map_or("a head of 1 MB", |(name, _)| name);
        untold.insert(id, name);
    }
    for line in &lines {
        if line["event"]["action"] == "decode-error" {
            untold.remove(line["finesse"]["conn"]["id"].as_str().unwrap());
        }
        assert!(line.to_string().len() <= 8_000);
    }
    assert!(untold.is_empty(), "not told: {untold:?}");
    assert_without_holes(lines);
}

const CUTS: usize = 50;

#[tokio::test]
async fn connections_cut_in_every_phase_end_once_and_leave_nothing() {
    let (dir, upstream) = (tempfile::tempdir().unwrap(), Upstream::new().await);
    let mut program = tapping(dir.path(), &upstream, &[]);
    let (address, roots) = (program.address(), program.roots());
    let descriptors = || std::fs::read_dir(format!("/proc/{}/fd", program.pid())).unwrap().count();
    program_is_idle(address).await;
    let before = descriptors();

    let mut servers = JoinSet::new();
    let mut clients = JoinSet::new();
    let cutting = async {
        for n in 0..6 * CUTS {
            let roots = roots.clone();
            clients.spawn(async move { cut(n % 6, n % 2 == 0, address, roots).await });
            if clients.len() >= 16 {
                clients.join_next().await.unwrap().unwrap();
            }
        }
        while let Some(done) = clients.join_next().await {
            done.unwrap();
        }
    };
    tokio::select! {
        () = cutting => {}
        () = async { loop {
            if let Ok(server) = upstream.accept().await {
                servers.spawn(serve(server));
            }
        } } => {}
    }
    drop(upstream);
    let quiet = async {
        while descriptors() > before {
            program_is_idle(address).await;
        }
    };
    soon("descriptors are given back", quiet).await;
    servers.abort_all();
    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let files = captures(&dir.path().join("captures"));
    let lines: Vec<_> = files.iter().flat_map(|(_, lines)| lines).collect();
    let mut counts: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for line in &lines {
        let Some(id) = line["finesse"]["conn"]["id"].as_str() else { continue };
        let count = counts.entry(id).or_default();
        match line["event"]["action"].as_str().unwrap() {
            "connection-opened" => count.0 += 1,
            "connection-closed" => count.1 += 1,
            // What is concluded of a connection may be told behind its end.
            "finding" => {}
            _ => assert_eq!(*count, (1, 0), "between its opening and its end: {line}"),
        }
    }
    assert!(counts.len() > 6 * CUTS);
    assert!(counts.values().all(|count| *count == (1, 1)), "{counts:?}");
    assert_without_holes(lines);
}

/// One visit that the program answers by itself: when it is over, so is what came before it.
async fn program_is_idle(address: std::net::SocketAddr) {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let _ = soon("the hint page", tcp.read_to_end(&mut Vec::new())).await;
}

/// Answers what a client wants before it leaves, and reads on until it has.
async fn serve(mut server: tokio_rustls::server::TlsStream<TcpStream>) {
    let mut seen = Vec::new();
    while let Ok(1..) = server.read_buf(&mut seen).await {
        let answer: &[u8] = match &*seen {
            seen if !seen.ends_with(b"\r\n\r\n") => b"",
            seen if seen.starts_with(b"GET /half") => &SWITCH.as_bytes()[..40],
            _ => SWITCH.as_bytes(),
        };
        if !answer.is_empty() && (server.write_all(answer).await.is_err() || server.flush().await.is_err()) {
            return;
        }
    }
}

/// A client that leaves in one of six phases, by a reset or a plain end.
async fn cut(phase: usize, reset: bool, address: std::net::SocketAddr, roots: std::sync::Arc<rustls::RootCertStore>) {
    let linger = |tcp: &TcpStream| SockRef::from(tcp).set_linger(reset.then_some(Duration::ZERO)).unwrap();
    if phase < 2 {
        let mut tcp = TcpStream::connect(address).await.unwrap();
        linger(&tcp);
        if phase == 1 {
            tcp.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await.unwrap();
        }
        return;
    }
    let mut client = crate::support::program::tls(address, roots).await.unwrap();
    linger(client.get_ref().0);
    let (request, answer): (String, usize) = match phase {
        2 => (String::new(), 0),
        3 => ("PUT /finesse/api/User/1 HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf".to_owned(), 0),
        4 => (format!("GET /half {UPGRADE}"), 40),
        _ => (format!("GET /ws/ {UPGRADE}"), SWITCH.len()),
    };
    client.write_all(request.as_bytes()).await.unwrap();
    client.flush().await.unwrap();
    soon("the answer", client.read_exact(&mut vec![0; answer])).await.unwrap();
    if phase == 5 {
        let whole = frame(0x81, Some(KEY), Length::Minimal, b"<presence from='cut@h'/>");
        client.write_all(&whole[..10]).await.unwrap();
        client.flush().await.unwrap();
    }
}
