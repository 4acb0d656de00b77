//! Canaries: a secret planted in every place that holds credentials or sessions, in every encoding that a place allows.
//! None may come out of the door in any encoding, and what stands beside it must.

mod class;
mod levels;
// Ends the program by a signal.
#[cfg(unix)]
mod outputs;
mod place;
pub mod table;
mod wire;

use crate::support::HOST;
use crate::support::frames::{Length, deflate, frame};
use crate::support::stage::{Stage, values};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use finesse_tap::capture::policy::Level;
use finesse_tap::conn::Direction::{self, C2s, S2c};
use flate2::{Compress, Compression};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use place::Says::{self, Chunked, Client, Close, Desktop, Gzipped, Request, Response, Server, Upgrade};
use place::{PLACES, XML};
use std::fmt::Write as _;
use std::io::Write as _;

/// Invented, and long enough to be searched for in the middle of anything.
const SECRET: &str = "Qz7vCanaryXk4WmTq9";

/// How a planted secret is written.
#[derive(Clone, Copy, Debug)]
enum Encoding {
    Raw,
    Base64,
    Percent,
    PercentTwice,
    Entities,
    Json,
}

const ENCODINGS: [Encoding; 6] =
    [Encoding::Raw, Encoding::Base64, Encoding::Percent, Encoding::PercentTwice, Encoding::Entities, Encoding::Json];

impl Encoding {
    fn write(self, secret: &str) -> String {
        let each = |write: &dyn Fn(u8) -> String| secret.bytes().map(write).collect::<String>();
        match self {
            Self::Raw => secret.to_owned(),
            Self::Base64 => STANDARD.encode(secret),
            Self::Percent => each(&|b| format!("%{b:02X}")),
            Self::PercentTwice => each(&|b| format!("%25{b:02x}")),
            Self::Entities => each(&|b| if b % 2 == 0 { format!("&#{b};") } else { format!("&#x{b:X};") }),
            Self::Json => each(&|b| format!("\\u{b:04x}")),
        }
    }
}

#[test]
fn no_canary_comes_out_in_any_encoding() {
    let mut leaks = String::new();
    for place in PLACES {
        for encoding in ENCODINGS {
            let lines = act(&place.says, encoding);
            let found = lines.iter().find(|line| is_in(line));
            if let Some(line) = found {
                writeln!(leaks, "LEAK {} {encoding:?}: {line}", place.name).unwrap();
            }
            let log = lines.concat();
            if log.contains("\"masked\":") {
                writeln!(leaks, "BLOCKED {} {encoding:?}: the rules missed it", place.name).unwrap();
            }
            if !fits(encoding, &place.says) {
                continue;
            }
            for wanted in place
                .keeps
                .iter()
                .filter(|wanted| !log.contains(&wanted.replace('"', "\\\"")) && !log.contains(**wanted))
            {
                writeln!(leaks, "USELESS {} {encoding:?}: no {wanted} in {log}", place.name).unwrap();
            }
        }
    }
    assert!(leaks.is_empty(), "\n{leaks}");
}

/// At level `off` every canary is there, or the test above proves nothing.
#[test]
fn without_redaction_every_canary_comes_out() {
    let hidden = ["Close reason, scheme", "entity declared", "plain text", "fragment"];
    for place in PLACES.iter().filter(|place| !hidden.contains(&place.name)) {
        let lines = act_at(Level::Off, &place.says, Encoding::Raw);
        assert!(lines.iter().any(|line| is_in(line)), "{}: {}", place.name, lines.concat());
    }
}

/// Whether what stands beside the secret can be expected: `&` and `#` end a name in a URL, a form and a header.
fn fits(encoding: Encoding, says: &Says) -> bool {
    let fields = match says {
        Request(_, fields, _) | Gzipped(_, fields, _) | Chunked(_, fields, _) | Response(_, fields, _) => *fields,
        Upgrade(_) => &[],
        Client(_) | Server(_) | Close(_) | Desktop(_) => XML,
    };
    !matches!(encoding, Encoding::Entities) || fields == XML
}

/// Whether the secret is in a line, however often it is encoded.
fn is_in(line: &str) -> bool {
    Haystack::of(line).holds(SECRET)
}

/// A text as it is and as it reads once, twice and three times decoded.
struct Haystack(Vec<(String, String)>);

impl Haystack {
    fn of(text: &str) -> Self {
        let mut layers = Vec::new();
        let mut text = text.to_owned();
        for _ in 0..4 {
            let next = percent_decode_str(&unescape_json(&unescape_xml(&text))).decode_utf8_lossy().into_owned();
            let is_plain = next == text;
            layers.push((text.to_lowercase(), text));
            if is_plain {
                break;
            }
            text = next;
        }
        Self(layers)
    }

    /// Whether `secret` is in it in any case, or its base64 whatever stands before and behind it.
    fn holds(&self, secret: &str) -> bool {
        let lower = secret.to_lowercase();
        let base64 = (0..3).map(|before| {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(secret.as_bytes());
            let encoded = STANDARD_NO_PAD.encode(&bytes);
            let end = encoded.len() - usize::from(bytes.len() % 3 != 0);
            encoded[[0, 2, 3][before]..end].to_owned()
        });
        let base64: Vec<String> = base64.collect();
        self.0.iter().any(|(lowered, text)| lowered.contains(&lower) || base64.iter().any(|form| text.contains(form)))
    }
}

fn unescape_xml(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(';').filter(|end| *end < 9);
        let c = end.and_then(|end| match &rest[1..end] {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            name => {
                let digits = name.strip_prefix('#')?;
                let hex = digits.strip_prefix('x').map(|hex| u32::from_str_radix(hex, 16));
                char::from_u32(hex.unwrap_or_else(|| digits.parse()).ok()?)
            }
        });
        out.push(c.unwrap_or('&'));
        rest = &rest[if c.is_some() { end.unwrap() + 1 } else { 1 }..];
    }
    out + rest
}

fn unescape_json(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let unit = rest.get(at + 2..at + 6).filter(|_| rest[at + 1..].starts_with('u'));
        let c = unit.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
        out.extend(c);
        rest = &rest[at + if c.is_some() { 6 } else { 1 }..];
    }
    out + rest
}

fn act(says: &Says, encoding: Encoding) -> Vec<String> {
    act_at(Level::Auth, says, encoding)
}

fn act_at(level: Level, says: &Says, encoding: Encoding) -> Vec<String> {
    let mut stage = Stage::new(level, 16 << 20);
    stage.play(&script(says, encoding, SECRET));
    stage.end()
}

/// Who says what.
#[derive(Default)]
struct Script(Vec<(Direction, Vec<u8>)>);

impl Script {
    fn say(&mut self, direction: Direction, bytes: &[u8]) -> &mut Self {
        self.0.push((direction, bytes.to_vec()));
        self
    }
}

fn script(says: &Says, encoding: Encoding, secret: &str) -> Vec<(Direction, Vec<u8>)> {
    let mut stage = Script::default();
    let fill = |text: &str| fill(text, encoding, secret);
    let http = |line: &str, fields: &[&str], body: &[u8], extra: &str| {
        http(line, &fields.iter().map(|field| fill(field)).collect::<Vec<_>>(), body, extra)
    };
    match says {
        Request(line, fields, body) => {
            stage.say(C2s, &http(&fill(line), fields, fill(body).as_bytes(), ""));
            stage.say(S2c, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
        Gzipped(line, fields, body) => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
            gzip.write_all(fill(body).as_bytes()).unwrap();
            let body = gzip.finish().unwrap();
            stage.say(C2s, &http(&fill(line), fields, &body, "Content-Encoding: gzip\r\n"));
            stage.say(S2c, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
        Chunked(line, fields, body) => {
            let mut bytes = format!("{}\r\nTransfer-Encoding: chunked\r\n", fill(line)).into_bytes();
            fields.iter().for_each(|field| bytes.extend(format!("{}\r\n", fill(field)).bytes()));
            bytes.extend(b"\r\n");
            for chunk in fill(body).as_bytes().chunks(5) {
                bytes.extend(format!("{:x};x=y\r\n", chunk.len()).bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\n\r\n");
            stage.say(C2s, &bytes);
            stage.say(S2c, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
        Response(line, fields, body) => {
            stage.say(C2s, b"GET /finesse/api/User/1001 HTTP/1.1\r\nHost: f\r\n\r\n");
            stage.say(S2c, &http(&fill(line), fields, fill(body).as_bytes(), ""));
        }
        Upgrade(target) => upgrade(&mut stage, &fill(target), ""),
        Client(text) => {
            upgrade(&mut stage, "/ws/", "");
            stage.say(C2s, &message(C2s, &fill(text)));
        }
        Server(text) => {
            upgrade(&mut stage, "/ws/", "");
            stage.say(S2c, &message(S2c, &fill(text)));
        }
        Desktop(messages) => {
            upgrade(&mut stage, "/ws/", "");
            for (direction, text) in *messages {
                stage.say(*direction, &message(*direction, &fill(text)));
            }
        }
        Close(reason) => {
            upgrade(&mut stage, "/ws/", "");
            let mut payload = 1008_u16.to_be_bytes().to_vec();
            payload.extend(fill(reason).bytes().take(123));
            stage.say(S2c, &frame(0x88, None, Length::Minimal, &payload));
        }
    }
    stage.0
}

/// The template with the secret in its places.
fn fill(text: &str, encoding: Encoding, secret: &str) -> String {
    let basic = STANDARD.encode(format!("1001:{secret}"));
    let plain = STANDARD.encode(format!("1001@{HOST}\0{}\0{secret}", "1001"));
    let login = STANDARD.encode(format!("\0{secret}\0Pw-of-nobody-7"));
    let text = text.replace("{U}", &basic).replace("{P}", &plain).replace("{L}", &login);
    let text = text.replace("{S}", &encoding.write(secret));
    let Some((before, rest)) = text.split_once("{EVENT}") else { return text };
    let (update, after) = rest.split_once("{/EVENT}").unwrap();
    let escaped = update.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "{before}<message xmlns='jabber:client' from='pubsub.{HOST}' to='1001@{HOST}' id='e1'><event xmlns=\
         'http://jabber.org/protocol/pubsub#event'><items node='/finesse/api/User/1001'><item id='i1'><notification \
         xmlns='http://jabber.org/protocol/pubsub'>{escaped}</notification></item></items></event></message>{after}"
    )
}

fn http(line: &str, fields: &[String], body: &[u8], extra: &str) -> Vec<u8> {
    let mut out = format!("{line}\r\n{extra}Content-Length: {}\r\n", body.len());
    fields.iter().for_each(|field| out += &format!("{field}\r\n"));
    let mut out = (out + "\r\n").into_bytes();
    out.extend_from_slice(body);
    out
}

fn upgrade(stage: &mut Script, target: &str, extensions: &str) {
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: f\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: xmpp\r\n{extensions}\r\n"
    );
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: xmpp\r\n{extensions}\r\n"
    );
    stage.say(C2s, request.as_bytes()).say(S2c, response.as_bytes());
}

/// A WebSocket on a stage.
fn open(stage: &mut Stage, extensions: &str) {
    let mut opening = Script::default();
    upgrade(&mut opening, "/ws/", extensions);
    stage.play(&opening.0);
}

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn message(direction: Direction, text: &str) -> Vec<u8> {
    frame(0x81, (direction == C2s).then_some(KEY), Length::Minimal, text.as_bytes())
}

fn auth() -> String {
    fill("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{P}</auth>", Encoding::Raw, SECRET)
}

#[test]
fn a_login_in_compressed_fragments_is_read_and_masked() {
    let mut stage = Stage::new(Level::Auth, 8_000);
    open(&mut stage, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    let payload = deflate(&mut Compress::new(Compression::default(), false), auth().as_bytes());
    for (n, piece) in payload.chunks(7).enumerate() {
        let last = (n + 1) * 7 >= payload.len();
        let first = if n == 0 { 0x41 } else { 0 } | if last { 0x80 } else { 0 };
        stage.say(C2s, &frame(first, Some(KEY), Length::Minimal, piece));
        stage.say(C2s, &frame(0x89, Some(KEY), Length::Minimal, b"ping"));
    }
    let lines = stage.end();
    assert!(!lines.iter().any(|line| is_in(line)), "{}", lines.concat());
    assert!(lines.concat().contains("sasl-auth-sent") && lines.concat().contains("auth PLAIN as 1001"));
}

#[test]
fn a_login_cut_anywhere_by_the_connections_end_tells_nothing() {
    let whole = message(C2s, &auth());
    for cut in 1..whole.len() {
        let mut stage = Stage::new(Level::Auth, 8_000);
        open(&mut stage, "");
        stage.say(C2s, &whole[..cut]);
        let lines = stage.end();
        let log = lines.concat();
        let beginning = &STANDARD.encode(format!("1001@{HOST}\0"))[..20];
        assert!(!log.contains(beginning), "cut at {cut}: {log}");
        assert!(log.contains("websocket-closed") && log.contains("connection-closed"));
    }
}

#[test]
fn credentials_that_are_not_utf8_are_masked() {
    let mut credentials = b"1001:\xff\xfe".to_vec();
    credentials.extend(SECRET.bytes());
    let blob = STANDARD.encode(&credentials);
    for scheme in ["Basic", "Negotiate", "Odd"] {
        let mut stage = Stage::new(Level::Auth, 8_000);
        let mut request =
            format!("GET / HTTP/1.1\r\nHost: f\r\nAuthorization: {scheme} {blob}\r\nX-Raw: ").into_bytes();
        request.extend(b"\xff\xfe\r\nCookie: \xe4=");
        request.extend(SECRET.bytes());
        request.extend(b"\r\n\r\n");
        stage.say(C2s, &request).say(S2c, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let lines = stage.end();
        assert!(!lines.iter().any(|line| is_in(line) || line.contains(&blob)), "{}", lines.concat());
    }
}

/// The net below the rules: a secret that was seen comes back where no rule expects one.
#[test]
fn an_echoed_secret_is_masked_where_it_stands() {
    let secret = "Qz7v <Canary> & \"Co\"/+%";
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let twice = utf8_percent_encode(&percent, NON_ALPHANUMERIC).to_string();
    let entities: String = secret.chars().map(|c| format!("&#{};", u32::from(c))).collect();
    let echoes = [
        ("raw", secret.replace('&', "&amp;").replace('<', "&lt;")),
        ("base64", STANDARD.encode(format!("so {secret} it is"))),
        ("percent", percent),
        ("percent twice", twice),
        ("entities within an Update", format!("&lt;x&gt;{}&lt;/x&gt;", entities.replace('&', "&amp;"))),
        ("entities", entities),
        ("JSON", serde_json::to_string(secret).unwrap().replace('&', "&amp;").replace('<', "&lt;")),
    ];
    for (name, echo) in echoes {
        let mut stage = Stage::new(Level::Auth, 8_000);
        let basic = STANDARD.encode(format!("1001:{secret}"));
        stage.say(C2s, format!("GET / HTTP/1.1\r\nHost: f\r\nAuthorization: Basic {basic}\r\n\r\n").as_bytes());
        stage.say(S2c, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        open(&mut stage, "");
        stage.say(S2c, &message(S2c, &format!("<message id='m1'><body>{echo}</body></message>")));
        stage.say(S2c, &message(S2c, "<message id='m2'><body>hello</body></message>"));
        let lines = stage.end();
        let log = lines.concat();
        assert!(!log.contains("Canary") && !log.contains(&echo), "{name}: {log}");
        assert!(log.contains("\"masked\":1") && log.contains("[cred:seen]"), "{name}: {log}");
        assert!(log.contains("m2"), "what follows is written: {log}");
        let sequences: Vec<u64> =
            values(&lines).iter().map(|line| line["event"]["sequence"].as_u64().unwrap()).collect();
        assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>(), "no hole where a value was masked");
    }
}

/// `<passwordExpired>false</passwordExpired>` must not mask every `false`.
#[test]
fn a_flag_under_a_credentials_name_masks_nothing() {
    let mut stage = Stage::new(Level::Auth, 8_000);
    let body = "<User><passwordExpired>false</passwordExpired><tokenState>READY</tokenState><resetToken>true</resetToken></User>";
    stage.play(&script(&Response("HTTP/1.1 200 OK", XML, body), Encoding::Raw, SECRET));
    open(&mut stage, "");
    stage.say(S2c, &message(S2c, "<message id='m1'><body>READY true false</body></message>"));
    let log = stage.end().concat();
    assert!(log.contains("READY true false") && !log.contains("\"masked\":"), "{log}");
}

#[test]
fn no_peer_can_make_more_lines_of_a_stanza_than_the_limit() {
    let mut stage = Stage::new(Level::Auth, 8_000);
    open(&mut stage, "");
    let items = "<item><n/></item>".repeat(1_000);
    let event =
        format!("<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='/n'>{items}</items></event>");
    stage.say(S2c, &message(S2c, &format!("<message from='p.{HOST}'>{event}</message>")));
    let lines = stage.end();
    assert_eq!(lines.iter().filter(|line| line.contains("<items")).count(), 64);
    assert!(lines.iter().any(|line| line.contains("more notifications in one stanza")));
}

#[test]
fn no_peer_can_make_a_line_longer_than_the_limit() {
    let long = "x".repeat(20_000);
    let basic = STANDARD.encode(format!("{long}:pass"));
    let plain = STANDARD.encode(format!("\0{long}\0pass"));
    let mut stage = Stage::new(Level::Auth, 4_000);
    let protocols = vec![format!("p{}", "\u{1}y".repeat(100)); 40].join(", ");
    stage.say(
        C2s,
        format!("GET /{long} HTTP/1.1\r\nAuthorization: Basic {basic}\r\nRequestId: {long}\r\n\r\n").as_bytes(),
    );
    stage.say(S2c, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    open(&mut stage, &format!("X: y\r\nSec-WebSocket-Protocol: {protocols}\r\n"));
    stage.say(
        C2s,
        &message(C2s, &format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>")),
    );
    stage.say(S2c, &message(S2c, &format!("<iq id='{long}' from='{long}' to='{long}'><{long} xmlns='{long}'/></iq>")));
    stage.say(S2c, &message(S2c, &format!("<presence from='{}'/>", "\u{202e}\u{1}".repeat(2_000))));
    let lines = stage.end();
    assert!(lines.len() >= 8, "{}", lines.concat());
    for line in &lines {
        assert!(line.len() <= 4_000, "{} bytes: {}", line.len(), &line[..600]);
    }
    values(&lines);
}
