//! Playbooks: what a browser and a server say, beside the events that must come of it.
//!
//! `tests/playbook/NAME.play` is a script, `NAME.ndjson` the golden event stream. Adding a case is adding a script and
//! running with `UPDATE=1`. Every case is fed whole and byte by byte: the events must be the same.
//!
//! ```text
//! # a comment
//! +250ms               time passes
//! >> GET / HTTP/1.1\r\n     raw bytes from the client: \r \n \\ \xHH are understood, a trailing newline is not sent
//! << HTTP/1.1 ...           raw bytes from the server
//! >ws <open .../>      a WebSocket text message from the client, masked
//! <ws <open .../>      a WebSocket text message from the server
//! >ping TEXT, <pong TEXT, >close 1000 REASON, …
//! >end, <end           that side ends
//! @2 192.0.2.7         what follows happens on connection 2 (of this client, if it says), opened when first named
//! xmpp 2               connection 2 is opened and speaks XMPP by itself: >> and << are its bytes
//! bosh N <body .../> => STATUS <body .../>   a BOSH post and its response, none yet if "=> later"; SID and RID in a body are
//!                      the session's id and the request's, 1000+N
//! answer STATUS <body .../>  the response to the last post on this connection that has none
//! closed upstream rst  this connection is over: by whom, how; those still open at the end are closed by the client
//! tls unknown_ca       the browser ends the TLS handshake with this alert
//! login 1001           the reference login, in a moment; "until STAGE" stops in front of that stage, "as NAME" is the User-Agent
//! update 1001 READY    an Update of this user comes; "request=ID", "reason=CODE", "late=MS", "node=NODE", "item=ID"
//! put 1001 READY 202   a REST request for a state and its status; "request=ID", "auth=none|bearer", "body=TEXT"
//! event NODE PAYLOAD   a notification comes on this node, with this text in it: XML or JSON
//! call METHOD PATH [BODY] => STATUS [BODY]   a request of 1001 and its answer; the bodies are XML, JSON or else a form
//! expect CODE          this finding must come (in `findings/`)
//! ```
//!
//! `tests/playbook/findings/CODE.play` holds several scripts: first one that the finding must come of, behind `--- also:` others,
//! behind `--- not:` such as are close to it and give none. What each gives is compared as a whole: `expect` names all findings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use finesse_tap::capture::observation::{Closed, End, How, Leg, Opened, TlsFailure, TlsHandshake};
use finesse_tap::capture::policy::Level;
use finesse_tap::capture::policy::user::UserRules;
use finesse_tap::capture::redact::Picked;
use finesse_tap::capture::token::{Key, Tokens};
use finesse_tap::capture::{Door, Guards, Redactor};
use finesse_tap::clock::Moment;
use finesse_tap::conn::{Authority, ConnId, Direction, Kind, Peers};
use finesse_tap::session::Tracker;
use finesse_tap::session::findings::{COMPLAINTS, Code, Fact, Gravity, Scope};
use finesse_tap::tap::Decoder;
use finesse_tap::tap::feed::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame};

#[test]
fn every_playbook_gives_its_events() {
    let mut paths: Vec<_> = std::fs::read_dir("tests/playbook").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "play"));
    paths.sort();
    assert!(paths.len() >= 5, "the playbooks are gone");
    for path in paths {
        check(&path);
    }
}

fn check(path: &Path) {
    let script = std::fs::read_to_string(path).unwrap();
    let script = Script::read(&script);
    let golden = path.with_extension("ndjson");
    let whole = play(&script, usize::MAX);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&golden, &whole).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    assert_same(path, "fed whole", &expected, &whole);
    stored_and_live_are_the_same(path, &script, &expected);
    for piece in [1, 7] {
        assert_same(path, &format!("fed by {piece}"), &expected, &play(&script, piece));
    }
}

/// What is redacted while it passes is what comes of redacting the stored lines with the same key.
fn stored_and_live_are_the_same(path: &Path, script: &Script, stored: &str) {
    for level in [Level::Auth, Level::Share, Level::Minimal] {
        let mut redactor = redactor(level);
        let kept = stored.lines().map(|line| {
            redactor.line(line.as_bytes(), &Picked::default(), &mut Guards::default()).unwrap().unwrap().line
        });
        let from_stored = kept.map(|line| String::from_utf8(line).unwrap()).collect::<String>();
        assert_same(path, "stored", &uncounted(&play_at(script, usize::MAX, level)), &uncounted(&from_stored));
        if level == Level::Auth {
            assert_same(path, "read back", stored, &from_stored);
            continue;
        }
        for gone in ["1001", "uccxpub", "2830", "Ada", "Canary", "192.0.2.10", "127.0.0.1"] {
            // A duration may hold any four digits.
            let digit = |text: &str| text.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
            let place = from_stored
                .match_indices(gone)
                .map(|(at, _)| at)
                .find(|at| !digit(&from_stored[at - 1..]) && !digit(&from_stored[at + gone.len()..]))
                .map(|at| &from_stored[from_stored.floor_char_boundary(at.saturating_sub(200))..at + gone.len()]);
            assert!(place.is_none(), "{}: {gone} is left at {level}: {}", path.display(), place.unwrap_or_default());
        }
    }
}

/// Lines without how many values were removed: of a stored line, some were removed twice, once at each level.
fn uncounted(lines: &str) -> String {
    regex::Regex::new(r#""count":[0-9]+([^}]*}(?:,"xml|},"ecs))"#).unwrap().replace_all(lines, "$1").into_owned()
}

fn redactor(level: Level) -> Redactor {
    let key = Key { master: [7; 32], case: String::new() };
    Redactor::with(level, Tokens::of(&key).unwrap(), UserRules::default())
}

fn assert_same(path: &Path, how: &str, expected: &str, found: &str) {
    for (number, (expected, found)) in expected.lines().zip(found.lines()).enumerate() {
        assert_eq!(found, expected, "{} {how}, line {} (found, expected)", path.display(), number + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count(), "{} {how}: number of events", path.display());
}

enum Step {
    Wait(Duration),
    On(ConnId, Option<IpAddr>),
    Xmpp(ConnId),
    Bytes(Direction, Vec<u8>),
    End(Direction),
    Closed(End, How),
    Tls(String),
}

/// A script's steps and the findings it expects.
#[derive(Default)]
struct Script {
    steps: Vec<Step>,
    expected: BTreeSet<String>,
    items: u64,
    at_ms: u64,
}

impl Script {
    fn read(text: &str) -> Self {
        let mut script = Self::default();
        text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).for_each(|line| script.line(line));
        script
    }

    fn line(&mut self, line: &str) {
        if let Some(ms) = line.strip_prefix('+') {
            let ms = ms.trim_end_matches("ms").parse().unwrap();
            self.at_ms += ms;
            self.steps.push(Step::Wait(Duration::from_millis(ms)));
            return;
        }
        let (verb, text) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "expect" => drop(self.expected.insert(text.to_owned())),
            "login" => self.login(text),
            "update" => self.update(text),
            "put" => self.put(text),
            "event" => {
                let (node, payload) = text.split_once(' ').unwrap();
                self.items += 1;
                let item = format!("a6ca891f-8b34-443f-8c7d-dac020d41838{}", self.items);
                self.notify(node, &item, payload);
            }
            "call" => self.call(text),
            "tls" => self.steps.push(Step::Tls(text.to_owned())),
            "closed" => {
                let (by, how) = text.split_once(' ').unwrap();
                let by = [End::Client, End::Upstream, End::Proxy].into_iter().find(|end| end.as_str() == by).unwrap();
                let hows = [How::Fin, How::Rst, How::Timeout, How::Shutdown];
                self.steps.push(Step::Closed(by, hows.into_iter().find(|known| known.as_str() == how).unwrap()));
            }
            "xmpp" => self.steps.push(Step::Xmpp(ConnId(text.parse().unwrap()))),
            "bosh" => self.bosh(text),
            "answer" => self.answer(text),
            _ if verb.starts_with('@') => {
                let client = (!text.is_empty()).then(|| text.parse().unwrap());
                self.steps.push(Step::On(ConnId(verb[1..].parse().unwrap()), client));
            }
            _ => self.traffic(verb, text),
        }
    }

    fn traffic(&mut self, verb: &str, text: &str) {
        let direction = if verb.starts_with('>') { Direction::C2s } else { Direction::S2c };
        let frame = match &verb[1..] {
            ">" | "<" => return self.steps.push(Step::Bytes(direction, unescape(text))),
            "end" => return self.steps.push(Step::End(direction)),
            "ws" => Frame::message(text.as_bytes().to_vec(), OpCode::Data(Data::Text), true),
            "binary" => Frame::message(unescape(text), OpCode::Data(Data::Binary), true),
            "ping" => Frame::ping(text.as_bytes().to_vec()),
            "pong" => Frame::pong(text.as_bytes().to_vec()),
            "close" => {
                let (code, reason) = text.split_once(' ').unwrap_or((text, ""));
                let code = code.parse::<u16>().ok().map(CloseCode::from);
                Frame::close(code.map(|code| CloseFrame { code, reason: reason.into() }))
            }
            other => panic!("no such step: {other}"),
        };
        self.steps.push(Step::Bytes(direction, encode(direction, frame)));
    }

    /// `bosh N BODY => STATUS BODY`
    fn bosh(&mut self, text: &str) {
        let (number, text) = text.split_once(' ').unwrap();
        let (body, answer) = text.split_once(" => ").unwrap();
        let rid = (1_000 + number.parse::<u64>().unwrap()).to_string();
        let body = body.replace("RID", &rid).replace("SID", BOSH_SID);
        let head = "POST /http-bind/ HTTP/1.1\r\nHost: h\r\nContent-Type: text/xml\r\nContent-Length:";
        self.steps.push(Step::Bytes(Direction::C2s, format!("{head} {}\r\n\r\n{body}", body.len()).into_bytes()));
        if answer != "later" {
            self.line("+20ms");
            self.answer(answer);
        }
    }

    /// `answer STATUS BODY`
    fn answer(&mut self, text: &str) {
        let (status, body) = text.split_once(' ').unwrap_or((text, ""));
        let body = body.replace("SID", BOSH_SID);
        let head = format!("HTTP/1.1 {status} X\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n", body.len());
        self.steps.push(Step::Bytes(Direction::S2c, format!("{head}{body}").into_bytes()));
    }

    /// `login USER [as NAME] [until STAGE]`
    fn login(&mut self, text: &str) {
        let (text, until) = text.split_once(" until ").unwrap_or((text, "nothing"));
        let (user, browser) = text.split_once(" as ").unwrap_or((text, "Browser"));
        let plain = BASE64.encode(format!("\0{user}\0Canary-Password-1"));
        let blocks = LOGIN.replace("BROWSER", browser).replace("USER", user).replace("PLAIN64", &plain);
        for block in blocks.split("== ").skip(1) {
            let (stage, lines) = block.split_once('\n').unwrap();
            if stage == until {
                break;
            }
            lines.lines().filter(|line| !line.is_empty()).for_each(|line| self.line(line));
        }
    }

    /// `update USER STATE [name=value]…`
    fn update(&mut self, text: &str) {
        let mut words = text.split(' ');
        let (user, state) = (words.next().unwrap(), words.next().unwrap());
        let options: BTreeMap<&str, &str> = words.map(|word| word.split_once('=').unwrap()).collect();
        let option = |name| options.get(name).copied();
        self.items += 1;
        let item = option("item").map_or(format!("a6ca891f-8b34-443f-8c7d-dac020d41838{}", self.items), str::to_owned);
        let default = format!("/finesse/api/User/{user}");
        let node = option("node").unwrap_or(&default);
        let late_ms: i64 = option("late").map_or(20, |ms| ms.parse().unwrap());
        let changed_ms = START_US / 1_000 + i64::try_from(self.at_ms).unwrap() - late_ms;
        let changed = jiff::Timestamp::from_millisecond(changed_ms).unwrap();
        let reason = option("reason").map(|code| format!("<reasonCode><code>{code}</code></reasonCode>"));
        let update = format!(
            "<Update><data><user><loginId>{user}</loginId>{}<state>{state}</state><stateChangeTime>{changed:.3}</stateChangeTime>\
             </user></data><event>PUT</event><requestId>{}</requestId><source>{default}</source></Update>",
            reason.unwrap_or_default(),
            option("request").unwrap_or_default()
        );
        self.notify(node, &item, &update);
    }

    /// A notification with `payload` as its text.
    fn notify(&mut self, node: &str, item: &str, payload: &str) {
        let escaped = payload.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        self.traffic(
            "<ws",
            &format!(
                "<message xmlns='jabber:client' from='pubsub.uccxpub.example.test'><event xmlns='http://jabber.org/protocol/pubsub#event'>\
                 <items node='{node}'><item id='{item}'><notification xmlns='http://jabber.org/protocol/pubsub'>{escaped}\
                 </notification></item></items></event></message>"
            ),
        );
    }

    /// `call METHOD PATH [BODY] => STATUS [BODY]`
    fn call(&mut self, text: &str) {
        let (asked, answered) = text.split_once(" => ").unwrap();
        let mut words = asked.splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (method, path, body) = (word(), word(), word());
        let (status, answer) = answered.split_once(' ').unwrap_or((answered, ""));
        let head = |body: &str| {
            let mime = match body.as_bytes().first() {
                None => return String::from("Content-Length: 0"),
                Some(b'<') => "application/xml",
                Some(b'{' | b't') => "application/json",
                Some(_) => "application/x-www-form-urlencoded",
            };
            format!("Content-Type: {mime}\r\nContent-Length: {}", body.len())
        };
        let basic = BASE64.encode("1001:Canary-Password-1");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {basic}\r\n{}\r\n\r\n{body}",
            head(body)
        );
        let response = format!("HTTP/1.1 {status} X\r\n{}\r\n\r\n{answer}", head(answer));
        self.steps.push(Step::Bytes(Direction::C2s, request.into_bytes()));
        self.line("+20ms");
        self.steps.push(Step::Bytes(Direction::S2c, response.into_bytes()));
    }

    /// `put USER STATE STATUS [name=value]…`
    fn put(&mut self, text: &str) {
        let mut words = text.splitn(4, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (user, state, status, rest) = (word(), word(), word(), word());
        let (rest, answer) = rest.split_once("body=").unwrap_or((rest, ""));
        let options: BTreeMap<&str, &str> = rest.split_whitespace().map(|word| word.split_once('=').unwrap()).collect();
        let basic = format!("Authorization: Basic {}\r\n", BASE64.encode(format!("{user}:Canary-Password-1")));
        let authorization = match options.get("auth") {
            Some(&"none") => String::new(),
            Some(&"bearer") => String::from("Authorization: Bearer Canary-Bearer\r\n"),
            _ => basic,
        };
        let id = options.get("request").map(|id| format!("requestId: {id}\r\n")).unwrap_or_default();
        let body = format!("<User><state>{state}</state></User>");
        let request = format!(
            "PUT /finesse/api/User/{user} HTTP/1.1\r\nHost: h\r\n{authorization}{id}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let response = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
        self.steps.push(Step::Bytes(Direction::C2s, request.into_bytes()));
        self.line("+20ms");
        self.steps.push(Step::Bytes(Direction::S2c, response.into_bytes()));
    }
}

/// The session id of every BOSH session.
const BOSH_SID: &str = "Canary-sid-5f0c1e9b";

/// The reference login, a block a stage.
const LOGIN: &str = "\
== handshake
>> GET /ws/ HTTP/1.1\\r\\nHost: uccxpub.example.test:8445\\r\\nUser-Agent: BROWSER\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\nSec-WebSocket-Protocol: xmpp\\r\\n\\r\\n
<< HTTP/1.1 101 Switching Protocols\\r\\nConnection: upgrade\\r\\nUpgrade: WebSocket\\r\\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\\r\\nSec-WebSocket-Protocol: xmpp\\r\\n\\r\\n
+1ms
== open
>ws <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='uccxpub.example.test' version='1.0'/>
<ws <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='uccxpub.example.test' version='1.0'/>
== features
<ws <stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>
+1ms
== auth
>ws <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>PLAIN64</auth>
<ws <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
== restart
>ws <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='uccxpub.example.test' version='1.0'/>
<ws <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='uccxpub.example.test' version='1.0'/>
<ws <stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>
== bind
>ws <iq type='set' id='b' xmlns='jabber:client'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>desktop</resource></bind></iq>
<ws <iq xmlns='jabber:client' type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>USER@uccxpub.example.test/desktop</jid></bind></iq>
== session
>ws <iq type='set' id='s' xmlns='jabber:client'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>
<ws <iq xmlns='jabber:client' type='result' id='s'/>
== presence
>ws <presence xmlns='jabber:client'/>
== finesse-presence
<ws <presence xmlns='jabber:client' from='finesse@uccxpub.example.test/User' to='USER@uccxpub.example.test/desktop'/>
== user-subscription
>ws <iq type='set' id='u:subscribenode' to='pubsub.uccxpub.example.test' xmlns='jabber:client'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='/finesse/api/User/USER' jid='USER@uccxpub.example.test/desktop'/></pubsub></iq>
<ws <iq xmlns='jabber:client' type='result' id='u:subscribenode'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscription node='/finesse/api/User/USER' subscription='subscribed'/></pubsub></iq>
== team-subscription
>ws <iq type='set' id='t:subscribenode' to='pubsub.uccxpub.example.test' xmlns='jabber:client'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='/finesse/api/Team/7/Users' jid='USER@uccxpub.example.test/desktop'/></pubsub></iq>
<ws <iq xmlns='jabber:client' type='result' id='t:subscribenode'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscription node='/finesse/api/Team/7/Users' subscription='subscribed'/></pubsub></iq>
";

fn encode(direction: Direction, frame: Frame) -> Vec<u8> {
    let mut header = frame.header().clone();
    let mut payload = frame.into_payload().to_vec();
    if direction == Direction::C2s {
        let mask = [0x37, 0xfa, 0x21, 0x3d];
        header.mask = Some(mask);
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    }
    let mut bytes = Vec::new();
    header.format(payload.len() as u64, &mut bytes).unwrap();
    assert!(!matches!(header.opcode, OpCode::Control(Control::Reserved(_))));
    bytes.extend(payload);
    bytes
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('r')) => out.push(b'\r'),
            ('\\', Some('n')) => out.push(b'\n'),
            ('\\', Some('\\')) => out.push(b'\\'),
            ('\\', Some('x')) => {
                let hex: String = chars.by_ref().take(2).collect();
                out.push(u8::from_str_radix(&hex, 16).unwrap());
            }
            ('\\', other) => panic!("no such escape: \\{other:?}"),
            _ => out.extend(c.to_string().bytes()),
        }
    }
    out
}

/// The events of a script whose bytes are fed in pieces of at most `piece` bytes.
fn play(script: &Script, piece: usize) -> String {
    play_at(script, piece, Level::Auth)
}

fn play_at(script: &Script, piece: usize, level: Level) -> String {
    let door = Door::new(redactor(level), String::from("01PLAYBOOK"), 16 << 20);
    let door = door.observed_by(String::from("tap-1"));
    let tracker = Tracker::new(7).fronting([Authority { host: String::from("uccxpub.example.test"), port: 8445 }]);
    let mut stage = Stage {
        decoder: Decoder::new(door, tracker),
        at: Moment { wall_us: START_US, mono_ns: 1_000_000_000 },
        open: BTreeMap::new(),
        lines: String::new(),
    };
    let mut conn = ConnId(1);
    let named_first = matches!(script.steps.first(), Some(Step::On(..) | Step::Xmpp(_)));
    if !named_first {
        stage.open(conn, None, Kind::Https);
    }
    for step in &script.steps {
        match step {
            Step::Wait(time) => stage.wait(*time),
            Step::On(next, client) => {
                conn = *next;
                stage.open(conn, *client, Kind::Https);
            }
            Step::Xmpp(next) => {
                conn = *next;
                stage.open(conn, None, Kind::Xmpps);
            }
            Step::End(direction) => {
                let at = stage.at;
                stage.take(Message::Ended { conn, direction: *direction, at });
            }
            Step::Bytes(direction, bytes) => {
                if let Some(bytes_each) = stage.open.get_mut(&conn) {
                    bytes_each[usize::from(*direction == Direction::S2c)] += bytes.len() as u64;
                }
                for part in bytes.chunks(piece.min(bytes.len()).max(1)) {
                    let (at, bytes) = (stage.at, Bytes::copy_from_slice(part));
                    stage.take(Message::Bytes { conn, direction: *direction, at, bytes });
                }
            }
            Step::Closed(by, how) => stage.close(conn, *by, *how),
            Step::Tls(alert) => stage.refuse(conn, alert),
        }
    }
    while let Some((conn, _)) = stage.open.first_key_value() {
        stage.close(*conn, End::Client, How::Fin);
    }
    let Stage { decoder, at, lines, .. } = &mut stage;
    decoder.finish(*at, &mut |record| lines.push_str(str::from_utf8(record.line()).unwrap()));
    if piece == usize::MAX {
        crate::contract::assert_valid(lines);
    }
    stage.lines
}

/// When every script begins, microseconds since 1970.
const START_US: i64 = 1_768_468_360_000_000;

/// A script under way.
struct Stage {
    decoder: Decoder,
    at: Moment,
    /// Connections with their bytes each way.
    open: BTreeMap<ConnId, [u64; 2]>,
    lines: String,
}

impl Stage {
    fn take(&mut self, message: Message) {
        let Self { decoder, lines, .. } = self;
        decoder.take(message, &mut |record| lines.push_str(str::from_utf8(record.line()).unwrap()));
    }

    /// Time ticks once a second, as the tap's thread does.
    fn wait(&mut self, time: Duration) {
        let mut rest = time;
        while !rest.is_zero() {
            let step = rest.min(Duration::from_secs(1));
            rest -= step;
            self.at = self.at.plus(step);
            let Self { decoder, lines, at, .. } = self;
            decoder.tick(*at, &mut |record| lines.push_str(str::from_utf8(record.line()).unwrap()));
        }
    }

    fn open(&mut self, conn: ConnId, client: Option<IpAddr>, kind: Kind) {
        if self.open.contains_key(&conn) {
            return;
        }
        self.open.insert(conn, [0; 2]);
        let client = client.unwrap_or(IpAddr::from([127, 0, 0, 1]));
        let port = 51_733 + u16::try_from(conn.0).unwrap();
        let opened = Opened {
            peers: Peers {
                conn,
                client: (client, port).into(),
                server: Authority { host: "uccxpub.example.test".into(), port: 8445 },
            },
            at: self.at,
            listener: "127.0.0.1:8445".parse().unwrap(),
            sni: Some("uccxpub.example.test".into()),
            upstream: Some("192.0.2.10:8445".parse().unwrap()),
            connect_us: Some(350),
            kind,
        };
        self.take(Message::Opened(Box::new(opened)));
    }

    fn close(&mut self, conn: ConnId, by: End, how: How) {
        let Some([c2s_bytes, s2c_bytes]) = self.open.remove(&conn) else { return };
        let closed = Closed { at: self.at, by, how, unclean: false, c2s_bytes, s2c_bytes, why: None };
        self.take(Message::Closed(conn, Box::new(closed), [0; 2]));
    }

    fn refuse(&mut self, conn: ConnId, alert: &str) {
        let why = String::from("the browser ended the handshake");
        let handshake = TlsHandshake {
            leg: Leg::Client,
            at: self.at,
            took_us: 900,
            version: None,
            cipher: None,
            alpn: None,
            offered: Vec::new(),
            pinned: None,
            sni: Some("uccxpub.example.test".into()),
            resumed: false,
            client_certificate_requested: false,
            certificate: None,
            failure: Some(TlsFailure { alert: Some(alert.to_owned()), by: End::Client, why }),
        };
        self.take(Message::Tls(conn, Box::new(handshake)));
    }
}

/// Each script of a finding gives it, and one like it does not.
#[test]
fn every_finding_is_found_and_not_found() {
    for code in Code::ALL {
        let path = format!("tests/playbook/findings/{}.play", code.as_str());
        // Newer findings have their scenarios in `tests/field`.
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        assert!(text.contains("\n--- not:"), "{path} has no negative script");
        let text = format!("also:\n{text}");
        for script in text.split("\n--- ") {
            let (title, steps) = script.split_once('\n').unwrap();
            let script = Script::read(steps);
            let is_expected = script.expected.contains(code.as_str());
            assert_eq!(is_expected, title.starts_with("also:"), "{path}, {title}: its own finding");
            let whole = play(&script, usize::MAX);
            assert_eq!(found(&whole), script.expected, "{path}, {title}");
            assert_same(Path::new(&path), "fed by 7", &whole, &play(&script, 7));
            stored_and_live_are_the_same(Path::new(&path), &script, &whole);
        }
    }
}

/// The codes of the findings, net of those that were taken back.
fn found(lines: &str) -> BTreeSet<String> {
    crate::field::run::findings(lines).into_iter().map(|(code, _)| code).collect()
}

/// `docs/findings.md` is the table of findings in words, behind a head that is written by hand; `UPDATE=1` writes it anew.
#[test]
fn every_finding_is_documented() {
    let path = "docs/findings.md";
    let mut committed = std::fs::read_to_string(path).unwrap().replace("\r\n", "\n");
    let head = committed.split(COMPLAINTS_HEAD).next().unwrap();
    let sections = Code::ALL.map(documented).concat();
    let complaints: String = COMPLAINTS.iter().map(complaint).collect();
    let generated = format!("{head}{COMPLAINTS_HEAD}{complaints}{sections}");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &generated).unwrap();
        committed.clone_from(&generated);
    }
    assert!(committed == generated, "{path} is not what the table of findings says; UPDATE=1 rewrites it");
}

const COMPLAINTS_HEAD: &str =
    "## From the complaint to the code\n\n| what people say | findings to look for |\n|---|---|\n";

fn complaint((said, codes): &(&str, &[Code])) -> String {
    let codes: Vec<String> = codes.iter().map(|code| format!("[`{0}`](#{0})", code.as_str())).collect();
    format!("| {said} | {} |\n", codes.join(", "))
}

fn documented(code: Code) -> String {
    let level = if code.gravity() == Gravity::Error { "error" } else { "warn" };
    let whose = match code.scope() {
        Scope::Agent => "an agent's",
        Scope::Server => "the server's, told once for all agents",
        Scope::Browser => "a browser's",
    };
    let fact = |fact: &Fact| format!("- `{}`: {}\n", fact.as_str(), fact.about());
    let facts: String = code.facts().iter().map(fact).collect();
    let facts = if facts.is_empty() { facts } else { format!("\n{facts}") };
    let explained: Vec<_> = Code::ALL.into_iter().filter(|other| code.explains(*other)).collect();
    let names: Vec<_> = explained.iter().map(|code| format!("`{}`", code.as_str())).collect();
    let symptoms = match names.as_slice() {
        [] => String::new(),
        names => format!("\n**Explains**: {}.\n", names.join(", ")),
    };
    let (name, title, trouble) = (code.as_str(), code.title(), code.trouble().as_str());
    let (looks, advice) = (code.looks(), code.advice());
    format!(
        "\n## {name}\n\n**{title}.** Level `{level}`; {whose}; {trouble}.\n\n**Looks like**: {looks}\n{facts}{symptoms}\n\
         **What to do**: {advice}\n"
    )
}
