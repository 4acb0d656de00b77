//! A browser that calls the server `localhost`: which connections are rewritten, what arrives, what the log tells.

use crate::support::rig::{ClientEnd, UpstreamEnd};
use crate::support::{Dice, HOST, Rig, Setup, frames, soon};
use finesse_tap::capture::policy::Level;
use finesse_tap::capture::{Door, Redactor};
use finesse_tap::proxy::Rewriting;
use finesse_tap::session::Tracker;
use finesse_tap::tap::Decoder;
use finesse_tap::tap::feed::Message;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

async fn rig(rewriting: Rewriting) -> Rig {
    Rig::with(Setup { rewriting, ..Setup::default() }).await
}

/// Both ends of a connection by a client that asks for `name`.
async fn pair(rig: &Rig, name: &str) -> (ClientEnd, UpstreamEnd) {
    let (client, upstream) = tokio::join!(rig.client_as(name), rig.upstream());
    (client.unwrap(), upstream)
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), bytes: impl AsRef<[u8]>) {
    stream.write_all(bytes.as_ref()).await.unwrap();
    stream.flush().await.unwrap();
}

async fn receives(stream: &mut (impl tokio::io::AsyncRead + Unpin), expected: impl AsRef<[u8]>) {
    let expected = expected.as_ref();
    let mut bytes = vec![0; expected.len()];
    soon("bytes", stream.read_exact(&mut bytes)).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(expected));
}

/// The events that come of what the tap got.
fn events(messages: Vec<Message>) -> Vec<Value> {
    let door = Door::new(Redactor::with_key(Level::Auth, &[7; 32]).unwrap(), String::from("01REWRITE"), 8_000);
    let mut decoder = Decoder::new(door, Tracker::new(7));
    let mut events = Vec::new();
    for message in messages {
        decoder.take(message, &mut |record| events.push(serde_json::from_slice(record.line()).unwrap()));
    }
    events
}

#[tokio::test]
async fn a_login_over_localhost() {
    let rig = rig(Rewriting::Auto).await;
    let (mut client, mut upstream) = pair(&rig, "localhost").await;
    let ours = format!("localhost:{}", rig.address.port());
    let real = rig.server().to_string();

    let request = |name: &str| {
        format!(
            "GET /desktop HTTP/1.1\r\nHost: {name}\r\nReferer: https://{name}/a\r\nCookie: JSESSIONID=S3cr3tS3ss10n\r\n\r\n"
        )
    };
    send(&mut client, request(&ours)).await;
    receives(&mut upstream, request(&real)).await;
    let response = |name: &str, domain: &str, age: u32| {
        format!(
            "HTTP/1.1 302 Found\r\nLocation: https://{name}/desktop/\r\nSet-Cookie: JSESSIONID=S3cr3tS3ss10n2;{domain} Secure\r\n\
             strict-transport-security: max-age={age}\r\nContent-Length: 0\r\n\r\n"
        )
    };
    send(&mut upstream, response(&real, &format!(" Domain={HOST};"), 31_536_000)).await;
    receives(&mut client, response(&ours, "", 0)).await;

    let upgrade = |name: &str| {
        format!(
            "GET /ws/ HTTP/1.1\r\nHost: {name}\r\nOrigin: https://{name}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n"
        )
    };
    let switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n";
    send(&mut client, upgrade(&ours)).await;
    receives(&mut upstream, upgrade(&real)).await;
    let (c2s, s2c) = (frames::odd_stream(true, 5), frames::odd_stream(false, 6));
    send(&mut upstream, [switching.as_bytes(), &s2c].concat()).await;
    receives(&mut client, switching).await;
    let exact = async {
        let mut back = vec![0; s2c.len()];
        client.read_exact(&mut back).await.unwrap();
        send(&mut client, &c2s).await;
        back
    };
    let there = async {
        let mut there = vec![0; c2s.len()];
        upstream.read_exact(&mut there).await.unwrap();
        there
    };
    let (back, there) = soon("frames", async { tokio::join!(exact, there) }).await;
    assert!(back == s2c && there == c2s, "frames behind the 101 were changed");
    drop((client, upstream));

    let (_, messages) = rig.finished().await;
    let events = events(messages);
    let of = |action: &str| events.iter().find(|event| event["event"]["action"] == action).unwrap();
    let exchange = &of("http-exchange")["finesse"]["http"];
    let rewrite = &exchange["rewrite"];
    assert_eq!(rewrite["count"], 5);
    let header = |list: &str, name: &str| {
        let list = rewrite[list].as_array().unwrap();
        list.iter().find(|header| header["name"] == name).unwrap()["value"].as_str().unwrap().to_owned()
    };
    assert_eq!(header("request_headers", "Host"), real);
    assert_eq!(header("request_headers", "Referer"), format!("https://{real}/a"));
    assert_eq!(header("response_headers", "Location"), format!("https://{ours}/desktop/"));
    assert_eq!(header("response_headers", "strict-transport-security"), "max-age=0");
    assert!(header("response_headers", "Set-Cookie").starts_with("JSESSIONID=k-"));
    // What each side said stays what it said.
    let told = exchange["request_headers"].as_array().unwrap();
    assert!(told.contains(&serde_json::json!({"name": "Host", "value": ours})), "{told:?}");
    assert!(of("http-exchange")["message"].as_str().unwrap().ends_with(", 5 headers rewritten"));
    assert_eq!(of("websocket-opened")["finesse"]["http"]["rewrite"]["count"], 2);
    assert_eq!(of("websocket-opened")["finesse"]["ws"]["accept_valid"], true);
    let all = events.iter().map(Value::to_string).collect::<String>();
    assert!(!all.contains("S3cr3t"), "a cookie is in the log");
}

#[tokio::test]
async fn only_connections_by_another_name_are_rewritten() {
    let get = |host: &str| format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    for (rewriting, name, rewritten) in [
        (Rewriting::Auto, "localhost", true),
        (Rewriting::Auto, "127.0.0.1", true),
        (Rewriting::Auto, HOST, false),
        (Rewriting::Never, "localhost", false),
        (Rewriting::Always, HOST, true),
    ] {
        let rig = rig(rewriting).await;
        let (mut client, mut upstream) = pair(&rig, name).await;
        send(&mut client, get("anybody:1")).await;
        let expected = if rewritten { get(&rig.server().to_string()) } else { get("anybody:1") };
        receives(&mut upstream, expected).await;
    }
}

/// Random pieces, half a head at the end: what is held back comes out when its direction ends, and the end behind it.
#[tokio::test]
async fn nothing_is_kept_back() {
    let rig = rig(Rewriting::Auto).await;
    let (mut client, mut upstream) = pair(&rig, "localhost").await;
    let mut dice = Dice::new(3);
    let body = dice.bytes(300_000);
    let head = |host: &str| format!("PUT / HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n", body.len());
    let half = "GET /next HTTP/1.1\r\nHost: localhost\r\n";
    let sending = async {
        let mut bytes = [head("localhost").as_bytes(), &body, half.as_bytes()].concat();
        while !bytes.is_empty() {
            let rest = bytes.split_off(bytes.len().min(1 + dice.below(9_000)));
            send(&mut client, &bytes).await;
            bytes = rest;
        }
        client.shutdown().await.unwrap();
    };
    let receiving = async {
        let mut came = Vec::new();
        while upstream.read_buf(&mut came).await.unwrap() > 0 {}
        came
    };
    let ((), came) = soon("the request", async { tokio::join!(sending, receiving) }).await;
    assert!(came == [head(&rig.server().to_string()).as_bytes(), &body, half.as_bytes()].concat());
    // A response that is cut off within its head comes as far as it came, and so does its end.
    send(&mut upstream, "HTTP/1.1 200 OK\r\nLoc").await;
    upstream.shutdown().await.unwrap();
    receives(&mut client, "HTTP/1.1 200 OK\r\nLoc").await;
    assert_eq!(soon("the end", client.read(&mut [0])).await.unwrap(), 0);
}

/// What the client sends behind an upgrade that is refused is the next request, and goes on without the client's doing.
#[tokio::test]
async fn a_refused_upgrade_lets_the_next_request_go() {
    let rig = rig(Rewriting::Auto).await;
    let (mut client, mut upstream) = pair(&rig, "localhost").await;
    let upgrade = |host: &str| format!("GET /ws/ HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n\r\n");
    let get = |host: &str| format!("GET /a HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let real = rig.server().to_string();
    send(&mut client, upgrade("localhost") + &get("localhost")).await;
    receives(&mut upstream, upgrade(&real)).await;
    send(&mut upstream, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n").await;
    receives(&mut upstream, get(&real)).await;
    receives(&mut client, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n").await;
}

#[tokio::test]
async fn what_is_no_http_passes_and_is_told() {
    let rig = rig(Rewriting::Auto).await;
    let (mut client, mut upstream) = pair(&rig, "localhost").await;
    let odd = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: \0\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    send(&mut client, odd).await;
    receives(&mut upstream, odd).await;
    let bytes = Dice::new(9).bytes(100_000);
    let (mut reader, mut writer) = tokio::io::split(upstream);
    let mut back = vec![0; bytes.len()];
    let (_, read) =
        soon("bytes", async { tokio::join!(send(&mut writer, &bytes), client.read_exact(&mut back)) }).await;
    read.unwrap();
    assert!(back == bytes);
    client.shutdown().await.unwrap();
    assert_eq!(reader.read(&mut [0]).await.unwrap(), 0);
    drop((reader, writer, client));
    let (_, messages) = rig.finished().await;
    let events = events(messages);
    let notes: Vec<&Value> = events.iter().filter(|event| event["finesse"]["decode"]["layer"] == "rewrite").collect();
    let [note] = notes[..] else { panic!("{} notes", notes.len()) };
    assert_eq!(note["error"]["message"], "a field line with a NUL or a bare CR");
    assert_eq!(note["finesse"]["decode"]["opaque"], false);
}
