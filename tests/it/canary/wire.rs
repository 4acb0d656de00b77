//! Secrets that the wire carries in odd ways: in other charsets, between the parts of a message, behind its end.

use self::Bare::{Shown, ShownUnreadable, Unreadable, Unwritten};
use super::{KEY, SECRET, is_in, open};
use crate::support::frames::{Length, frame};
use crate::support::stage::Stage;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use finesse_tap::capture::policy::Level;
use finesse_tap::conn::Direction::{self, C2s, S2c};

type Said = Vec<(Direction, Vec<u8>)>;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// What a case comes to without redaction; if it came to less, it would prove nothing with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bare {
    /// The canary is written.
    Shown,
    /// Nothing but that it cannot be read.
    Unreadable,
    /// Both: read in spite of its mistake.
    ShownUnreadable,
    /// Read, and written at no level: an event of this kind without it.
    Unwritten(&'static str),
}

/// What is said, by what is odd about it.
fn odd() -> Vec<(String, Bare, Said)> {
    let mut all: Vec<(String, Bare, Said)> = Vec::new();
    let mut asked = |name: &str, bare: Bare, bytes: Vec<u8>| {
        all.push((name.to_owned(), bare, vec![(C2s, bytes), (S2c, OK.to_vec())]));
    };
    let xml = format!("<User><state>LOGIN</state><password>{SECRET}</password></User>");
    let json = format!("{{\"state\":\"LOGIN\",\"password\":\"{SECRET}\"}}");
    for (form, text) in [("xml", &xml), ("json", &json)] {
        for (charset, to_bytes) in [("LE", u16::to_le_bytes as fn(u16) -> [u8; 2]), ("BE", u16::to_be_bytes)] {
            for mark in ["", "\u{feff}"] {
                let units = format!("{mark}{text}");
                let body: Vec<u8> = units.encode_utf16().flat_map(to_bytes).collect();
                asked(
                    &format!("{form} in UTF-16{charset} {mark:?}"),
                    Shown,
                    put(&format!("application/{form}"), "", &body),
                );
            }
        }
    }
    let multipart = format!(
        "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n{SECRET}\r\n--b\r\nContent-Disposition: form-data; name=\"u\"\r\n\r\n{xml}\r\n--b--\r\n"
    );
    asked("multipart", Shown, put("multipart/form-data; boundary=b", "", multipart.as_bytes()));
    asked("multipart, called XML", Shown, put("application/xml", "", multipart.as_bytes()));
    asked(
        "content twice coded",
        Unreadable,
        put("application/xml", "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", xml.as_bytes()),
    );
    let chunked = |extension: &str, trailer: &str| {
        let head =
            "PUT /finesse/api/User/1001 HTTP/1.1\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";
        format!("{head}4{extension}\r\nabcd\r\n0{extension}\r\n{trailer}\r\n").into_bytes()
    };
    asked("chunk extension", Unwritten("http-exchange"), chunked(&format!(";token={SECRET};\"{SECRET}\""), ""));
    asked(
        "trailer",
        Unwritten("http-exchange"),
        chunked("", &format!("X-Auth-Token: {SECRET}\r\nAuthorization: Basic {SECRET}\r\n")),
    );
    asked(
        "beyond the body",
        Unreadable,
        [put("text/plain", "", b"x"), format!("j_password={SECRET}&x=y").into_bytes()].concat(),
    );
    asked("a request line of more", Shown, format!("GET /a b password={SECRET} HTTP/1.1\r\n\r\n").into_bytes());
    asked("a request line of less", Unreadable, format!("GET /?password={SECRET}\r\n\r\n").into_bytes());
    asked("another version", Unreadable, format!("GET /?password={SECRET} HTTP/7.3\r\n\r\n").into_bytes());
    asked(
        "a head without names",
        Unwritten("http-exchange"),
        format!("GET / HTTP/1.1\r\npassword={SECRET}\r\n\r\n").into_bytes(),
    );
    asked("a head of line feeds", Shown, format!("GET / HTTP/1.1\nAuthorization: Basic {SECRET}\n\n").into_bytes());
    let jwt = format!("eyJhbGciOiJub25lIn0.{}.{SECRET}", STANDARD.encode(SECRET).trim_end_matches('='));
    asked("a token for a method", Shown, format!("{jwt} /a HTTP/1.1\r\n\r\n").into_bytes());
    asked("a token for a header's name", Shown, format!("GET / HTTP/1.1\r\n{jwt}: x\r\n\r\n").into_bytes());
    asked("a token in a path", Shown, format!("GET /a/{jwt}/b HTTP/1.1\r\n\r\n").into_bytes());
    asked(
        "a token for a field's name",
        Shown,
        put("application/x-www-form-urlencoded", "", format!("{jwt}=1").as_bytes()),
    );
    asked(
        "a token for an element's name",
        Shown,
        put("application/xml", "", format!("<User><{jwt}>1</{jwt}></User>").as_bytes()),
    );
    asked("a token for a member's name", Shown, put("application/json", "", format!("{{\"{jwt}\":1}}").as_bytes()));
    let socket = |name: &str, bare, direction, first, payload: &[u8]| {
        let key = (direction == C2s).then_some(KEY);
        (name.to_owned(), bare, vec![(direction, frame(first, key, Length::Minimal, payload))])
    };
    let named = |element: &str| format!("<{element}><{jwt}/></{}>", element.split(' ').next().unwrap_or_default());
    let basic = STANDARD.encode(format!("1001:{SECRET}"));
    let answered = |name: &str, bare, bytes: String| {
        (
            name.to_owned(),
            bare,
            vec![(C2s, b"GET /finesse/api/User/1001 HTTP/1.1\r\n\r\n".to_vec()), (S2c, bytes.into_bytes())],
        )
    };
    all.extend([
        answered(
            "a reason phrase",
            Unwritten("http-exchange"),
            format!("HTTP/1.1 401 token={SECRET}\r\nContent-Length: 0\r\n\r\n"),
        ),
        answered(
            "an interim answer",
            Unwritten("http-exchange"),
            format!(
                "HTTP/1.1 103 x\r\nSet-Cookie: JSESSIONID={SECRET}\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
            ),
        ),
        answered("no answer at all", Unreadable, format!("password={SECRET}\r\n\r\n")),
        socket("binary", Unwritten("websocket-message"), S2c, 0x82, xml.as_bytes()),
        socket("ping", Unwritten("websocket-control"), S2c, 0x89, SECRET.as_bytes()),
        socket("close without a code", Unreadable, S2c, 0x88, b"x"),
        socket(
            "close, Basic",
            Shown,
            S2c,
            0x88,
            &[&1008_u16.to_be_bytes()[..], format!("Basic {basic}").as_bytes()].concat(),
        ),
        socket(
            "text that is no UTF-8",
            Unreadable,
            S2c,
            0x81,
            &[b"<a><password>", SECRET.as_bytes(), b"\xff</password></a>"].concat(),
        ),
        socket("NULs", Shown, S2c, 0x81, xml.replace('>', ">\0").as_bytes()),
        socket(
            "a mechanism",
            Shown,
            C2s,
            0x81,
            format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='token={SECRET}'>{basic}</auth>")
                .as_bytes(),
        ),
        socket(
            "a token for a failure's reason",
            Shown,
            S2c,
            0x81,
            named("failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'").as_bytes(),
        ),
        socket(
            "a token for a stream error's condition",
            Shown,
            S2c,
            0x81,
            named("stream:error xmlns:stream='http://etherx.jabber.org/streams'").as_bytes(),
        ),
        socket(
            "a token for a stanza error's condition",
            Shown,
            S2c,
            0x81,
            format!("<iq type='error'>{}</iq>", named("error")).as_bytes(),
        ),
        socket(
            "a token for a pub-sub action",
            Shown,
            C2s,
            0x81,
            format!("<iq type='set'>{}</iq>", named("pubsub xmlns='http://jabber.org/protocol/pubsub'")).as_bytes(),
        ),
        socket("a reserved bit", ShownUnreadable, S2c, 0xc1, xml.as_bytes()),
        socket("a reserved opcode", Unreadable, S2c, 0x83, xml.as_bytes()),
    ]);
    all
}

fn put(mime_type: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "PUT /finesse/api/User/1001 HTTP/1.1\r\nContent-Type: {mime_type}\r\n{fields}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The lines that come of it.
fn lines(level: Level, said: &Said) -> Vec<String> {
    let mut stage = Stage::new(level, 16 << 20);
    if said.len() == 1 {
        open(&mut stage, "");
    }
    stage.play(said);
    // A charset of two bytes leaves a NUL, escaped, between any two letters.
    stage.end().iter().map(|line| line.replace("\\u0000", "")).collect()
}

#[test]
fn no_canary_comes_out_however_oddly_it_is_carried() {
    let mut leaks = Vec::new();
    for level in [Level::Auth, Level::Share, Level::Minimal] {
        for (name, _, said) in odd() {
            let lines = lines(level, &said);
            leaks.extend(lines.into_iter().filter(|line| is_in(line)).map(|line| format!("{name} at {level}: {line}")));
        }
    }
    assert!(leaks.is_empty(), "\n{}", leaks.join("\n"));
}

#[test]
fn without_redaction_every_odd_case_is_read_as_the_table_says() {
    for (name, bare, said) in odd() {
        let lines = lines(Level::Off, &said);
        let has = |action: &str| lines.iter().any(|line| line.contains(&format!("\"action\":\"{action}\"")));
        let found = (lines.iter().any(|line| is_in(line)), has("decode-error"));
        let wanted = match bare {
            Shown => (true, false),
            Unreadable => (false, true),
            ShownUnreadable => (true, true),
            Unwritten(action) => {
                assert!(has(action), "{name}: no {action} in {}", lines.concat());
                (false, false)
            }
        };
        assert_eq!(found, wanted, "{name}, {bare:?}: {}", lines.concat());
    }
}
