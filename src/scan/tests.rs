//! The scan as a whole: what is wrapped, what is named, what is cut, and what is clean.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use std::io::{Cursor, Write as _};

const PASSWORD: &str = "S3cr\"t<&>pä ss/w+rd";

fn hits(scanner: &Scanner, text: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    scanner.text("file", text, &mut |hit| hits.push(hit));
    hits
}

fn kinds(level: Level, text: &str) -> Vec<&'static str> {
    hits(&Scanner::new(level, []), text).into_iter().map(|hit| hit.kind).collect()
}

fn percent(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn entities(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&apos;")
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// SASL PLAIN of an agent, as the desktop sends it.
fn sasl() -> String {
    STANDARD.encode("1001@finesse.example\0\x31001\0Hunter-2-Hunter")
}

#[test]
fn a_known_secret_is_found_in_every_encoding() {
    let scanner = Scanner::new(Level::Auth, [PASSWORD]);
    let json = quoted(PASSWORD);
    let numeric: String = PASSWORD.chars().map(|c| format!("&#x{:x};", u32::from(c))).collect();
    let decimal: String = PASSWORD.chars().map(|c| format!("&#{};", u32::from(c))).collect();
    for (name, form) in [
        ("raw", PASSWORD.to_owned()),
        ("json", json.trim_matches('"').to_owned()),
        ("json twice", quoted(&json)),
        ("unicode escapes", PASSWORD.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()),
        ("entities", entities(PASSWORD)),
        ("hexadecimal references", numeric),
        ("decimal references", decimal),
        ("percent", percent(PASSWORD)),
        ("percent, lower case", percent(PASSWORD).to_lowercase()),
        ("percent twice", percent(&percent(PASSWORD))),
        ("base64", STANDARD.encode(PASSWORD)),
        ("base64 behind one byte", STANDARD.encode(format!("x{PASSWORD}y"))),
        ("base64 behind two bytes", STANDARD.encode(format!("xx{PASSWORD}yy"))),
        ("base64 of SASL", STANDARD.encode(format!("a@b\0a\0{PASSWORD}"))),
        ("base64 in percent", percent(&STANDARD.encode(PASSWORD))),
    ] {
        for text in [format!("a {form} b"), format!(r#"{{"message":{},"n":1}}"#, quoted(&format!("a {form} b")))] {
            let hits = hits(&scanner, &text);
            assert!(hits.iter().any(|hit| hit.class == Class::Credential), "{name} is not found in {text}");
            for hit in hits {
                assert!(!hit_as_text(&hit).contains(&form) && !hit_as_json(&hit).contains(PASSWORD), "{name} is shown");
            }
        }
    }
    assert!(hits(&scanner, r#"{"message":"nothing of it"}"#).is_empty());
}

#[test]
fn short_secrets_count_as_words() {
    let scanner = Scanner::new(Level::Auth, ["4711", "abc"]);
    assert_eq!(hits(&scanner, "pin 4711.").len(), 1);
    assert_eq!(hits(&scanner, r#"{"pin":4711}"#).len(), 1);
    assert!(hits(&scanner, "147112 abc").is_empty());
}

#[test]
fn credentials_are_found_by_name_and_shape_at_every_level() {
    let basic = STANDARD.encode("1001:Hunter-2");
    for (text, kind) in [
        (format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{}</auth>", sasl()), "sasl-plain"),
        (format!("x={basic}"), "basic"),
        (format!("/path/{basic}/end"), "basic"),
        (format!(r#"{{"name":"Authorization","value":"Basic {basic}"}}"#), "authorization"),
        (format!("Authorization: Basic {basic}"), "authorization"),
        (r#"{"password":"hunter"}"#.into(), "password"),
        (r#"{"a":"{\"access_token\":\"abc123\"}"}"#.into(), "token"),
        (r#""text": "j_username=1001&j_password=hunter%21","#.into(), "password"),
        ("<User><password>hunter</password></User>".into(), "password"),
        ("<x password='hunter'/>".into(), "password"),
        ("&lt;password&gt;hunter&lt;/password&gt;".into(), "password"),
        ("password: hunter".into(), "password"),
        ("q?code=4711abc&x=1".into(), "sso"),
        ("login%3Fpassword%3Dhunter%26x".into(), "password"),
        ("Cookie: lang=en; JSESSIONID=DE305E551040000".into(), "session-id"),
        (r#"{"name":"Set-Cookie","value":"JSESSIONID=DE305E551040; Path=/; Secure"}"#.into(), "session-id"),
        (r#"{"cookies":[{"name":"JSESSIONID","value":"DE305E551040"}]}"#.into(), "session-id"),
        // What is left of a value that was replaced in part.
        ("said password=[cred:password]</hunter2 so".into(), "password"),
        ("said password=[cred:password]&lt;/hunter2 so".into(), "password"),
        ("<password>[cred:password]</hunter2".into(), "password"),
        ("Authorization: [cred:authorization]</hunter2".into(), "authorization"),
        ("Authorization: [cred:authorization] hunter2 refused".into(), "authorization"),
        ("/ws/;jsessionid=k-0123456789#hunter2".into(), "session-id"),
        ("key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(), "random"),
    ] {
        for level in [Level::Auth, Level::Share, Level::Minimal] {
            assert!(kinds(level, &text).contains(&kind), "{text}: {:?}", kinds(level, &text));
        }
    }
}

#[test]
fn personal_data_is_found_unless_the_level_keeps_it() {
    for (text, kind) in [
        ("<fromAddress>5550100114</fromAddress>", "phone"),
        ("&lt;DNIS&gt;6500&lt;/DNIS&gt;", "phone"),
        (r#"{"update":{"user":{"extension":"2001"}}}"#, "phone"),
        (r#"{"extension":2001}"#, "phone"),
        (r#"{"participants":[{"address":"2001","state":"ACTIVE"}]}"#, "phone"),
        ("finesse_ag_extension=2001", "phone"),
        (r#"{"user":{"name":"1001"}}"#, "login"),
        (r#"{"api":{"resource":"User","object_id":"1001"}}"#, "login"),
        ("GET /finesse/api/User/1001/Dialogs", "login"),
        (r#"{"message":"User 1001 READY → TALKING"}"#, "login"),
        ("<firstName>Alma</firstName>", "person-name"),
        ("to='1001@finesse.demo.test/desktop'", "jid"),
        ("mail jm+hotline@post.test", "email"),
        ("<Team><id>5</id><name>Demo Hotline</name></Team>", "team-or-queue"),
        ("<CallVariable><name>callVariable2</name><value>Jörg</value></CallVariable>", "customer-data"),
        ("CV4=14155550118;", "customer-data"),
        (r#"{"conn":{"sni":"finesse"}}"#, "host"),
        (r#"{"client":{"ip":"10.1.2.3"}}"#, "host"),
        ("https://finesse.demo.test:8445/desktop", "host"),
        ("10.1.2.3", "ip-address"),
        ("card 4111-1111-1111-1111", "payment-card"),
    ] {
        assert!(kinds(Level::Share, text).contains(&kind), "{text}: {:?}", kinds(Level::Share, text));
        assert_eq!(kinds(Level::Auth, text), [""; 0], "{text}");
    }
}

#[test]
fn a_shared_capture_is_clean_and_its_tokens_are_not_minimal() {
    let capture = include_str!("tests/share.ndjson");
    assert_eq!(hits(&Scanner::new(Level::Share, ["Demo-Secret-1001!"]), capture), []);
    assert!(kinds(Level::Minimal, capture).contains(&"token"));
}

#[test]
fn what_is_harmless_is_passed() {
    for text in [
        r#"{"transaction":{"id":"4111111111111111"},"trace":{"id":"x"}}"#,
        r#"{"authorization":"Basic [cred:basic]","password":"[cred:password]","sid":"k-0123456789"}"#,
        r#"{"token_type":"Bearer","password":null,"passwordPolicy":"strict","secret":""}"#,
        r#"{"policy_sha256":"384ce9c11bd34e5859eda496b31f0f62f3ce999562a3ef3b0d6f6ceac719b1bb"}"#,
        r#"{"trace":{"id":"6b4e61414f75250866e89df133b5f8e3"},"transaction":{"id":"a1d01fa9f0d0f5c0"}}"#,
        r#"{"name":"Sec-WebSocket-Key","value":"dGhlIHNhbXBsZSBub25jZQ=="}"#,
        "sha256:384ce9c11bd34e5859eda496b31f0f62f3ce999562a3ef3b0d6f6ceac719b1bb",
        "384ce9c11bd34e5859eda496b31f0f62f3ce999562a3ef3b0d6f6ceac719b1bb  report.txt",
        "the password: see below for what was removed",
        "<errorMessage>Authorization: [cred:authorization] refused</errorMessage><errorData>token=[cred:token]</errorData>",
        "&lt;e&gt;Authorization: [cred:authorization] was refused&lt;/e&gt;&lt;d&gt;token=[cred:token]&lt;/d&gt; hunter2",
        "/ws/;jsessionid=k-0123456789/desktop/?code=[cred:sso]&sid=k-0123456789",
        "credential: SASL data, Authorization, passwords, tokens, JWTs, SSO codes",
        "finesse-h-0123456789.invalid-20261122T162738Z-01M821BAF546QR1F94ZT0JYCBX-0001.ndjson",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36",
        "<c xmlns=\"http://jabber.org/protocol/caps\" hash=\"sha-1\" node=\"https://www.igniterealtime.org/projects/openfire/\"/>",
        "https://198.18.3.4:8445/finesse/api/User/u-0123456789?nocache=1700000000000",
    ] {
        assert_eq!(kinds(Level::Share, text), [""; 0], "{text}");
    }
}

#[test]
fn the_password_in_a_sanitized_har_is_found() {
    let stanza = format!("<auth xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\" mechanism=\"PLAIN\">{}</auth>", sasl());
    let har = serde_json::json!({"log": {"version": "1.2", "entries": [{
        "_resourceType": "websocket",
        "_webSocketMessages": [{"type": "send", "time": 1_700_000_000.5, "opcode": 1, "data": stanza}],
        "request": {"method": "GET", "url": "wss://h-0123456789.invalid/ws/", "headers": [], "cookies": [], "headersSize": -1},
    }]}});
    for text in [har.to_string(), serde_json::to_string_pretty(&har).unwrap()] {
        let hits = hits(&Scanner::new(Level::Share, []), &text);
        assert_eq!(hits.iter().map(|hit| hit.kind).collect::<Vec<_>>(), ["sasl-plain"], "{text}");
        let at = usize::try_from(hits[0].place.offset).unwrap();
        assert!(text[at..].starts_with(&sasl()), "the place is wrong: {:?}", hits[0].place);
    }
}

#[test]
fn headers_pair_up_across_the_lines_of_an_indented_document() {
    let text = "{\n \"headers\": [\n  {\n   \"name\": \"X-Api-Key\",\n   \"value\": \"hunter\"\n  }\n ]\n}\n";
    let hits = hits(&Scanner::new(Level::Auth, []), text);
    assert_eq!((hits[0].kind, hits[0].place.line, hits[0].place.column), ("key", 5, 14));
}

#[test]
fn places_are_lines_columns_and_offsets() {
    let text = "first\r\nsecond 10.1.2.3\n{\"xml\":\"<a b=\\\"c\\\">10.1.2.4</a>\"}";
    let places: Vec<_> =
        hits(&Scanner::new(Level::Share, []), text).into_iter().map(|hit| hit.place.to_string()).collect();
    assert_eq!(places, ["file:2:8", "file:3:20"]);
}

#[test]
fn torn_and_foreign_lines_are_looked_at_as_text() {
    let torn = r#"{"a":1,"xml":"<auth>password=\"hunter\""#;
    assert_eq!(kinds(Level::Auth, torn), ["password"]);
    assert_eq!(kinds(Level::Auth, r#"[12:00] INFO {"password":"hunter"}"#), ["password"]);
    assert_eq!(kinds(Level::Auth, r#"log: "{\"password\":\"hunter\"}""#), ["password"]);
}

#[test]
fn gzip_utf_16_and_binary_files_are_read() {
    let scanner = Scanner::new(Level::Auth, ["Demo-Secret-1001!"]);
    let look = |bytes: Vec<u8>| {
        let mut hits = Vec::new();
        let place = Place { file: "f".into(), ..Place::default() };
        let scanned = scanner.stream(&mut Cursor::new(bytes), &place, &mut |_| (), &mut |hit| hits.push(hit)).unwrap();
        (scanned.binary, hits.into_iter().map(|hit| hit.place.to_string()).collect::<Vec<_>>())
    };
    let text = "one\nx Demo-Secret-1001! y\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    assert_eq!(look(gzip.finish().unwrap()), (0, vec!["f:2:3".to_owned()]));
    let wide: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(look(wide), (0, vec!["f:2:3".to_owned()]));
    // The secret stands across the border of two reads.
    let mut binary = vec![0_u8; (256 << 10) - 5];
    binary.extend_from_slice(b"Demo-Secret-1001!");
    binary.resize(1 << 20, 0);
    assert_eq!(look(binary), (1, vec![format!("f:{}", (256 << 10) - 5)]));
}

#[test]
fn every_member_of_an_archive_is_looked_at_names_included() {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, text) in [
        ("README.txt", "all is well"),
        ("a/capture.ndjson", "{\"x\":1}\n{\"password\":\"hunter\"}\n"),
        ("finesse-finesse.demo.test.ndjson", ""),
        ("inner.zip", "PK\x03\x04"),
    ] {
        zip.start_file(name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    let mut hits = Vec::new();
    let scanner = Scanner::new(Level::Share, []);
    scanner
        .archive("b.zip", zip.finish().unwrap(), &mut |hit| hits.push(format!("{} {}", hit.place, hit.kind)))
        .unwrap();
    assert_eq!(
        hits,
        [
            "b.zip/a/capture.ndjson:2:14 password",
            "b.zip/finesse-finesse.demo.test.ndjson:0 host",
            "b.zip/inner.zip:0 not-scanned"
        ]
    );
    let broken = scanner.archive("b.zip", Cursor::new(b"PK\x03\x04broken".to_vec()), &mut |_| ());
    assert!(broken.is_err());
}

/// The offsets of the hits in one line, looked at in windows of this size.
fn in_windows(text: &str, max_line_bytes: usize) -> Vec<u64> {
    let scanner = Scanner::new(Level::Share, []);
    let mut offsets = Vec::new();
    let mut keep = |hit: Hit| offsets.push(hit.place.offset);
    let mut lines = lines::Lines::new(&scanner, &Place::default(), &mut keep);
    lines.max_line_bytes = max_line_bytes;
    lines.feed(text.as_bytes());
    lines.finish();
    offsets
}

#[test]
fn a_line_longer_than_memory_is_looked_at_in_windows() {
    const WINDOW_BYTES: usize = 2 * lines::OVERLAP_BYTES;
    let filler = r#"{"a":"bcd efg"},"#.repeat(WINDOW_BYTES / 16 - 1);
    // The window ends in the name, before and behind the colon, in the value, before and behind the number, in `true`.
    for shift in 0..48 {
        let text = format!("[{filler}{}{{\"password\":\"hunter\"}},12,true,{filler}1]", " ".repeat(shift));
        assert_eq!(in_windows(&text, WINDOW_BYTES), [text.find("hunter").unwrap() as u64], "{shift}");
    }
    // Text that is no JSON, with an address where the windows' own parts meet, and an escape in the second one.
    for shift in 0..16 {
        let mut text = "x".repeat(WINDOW_BYTES - lines::OVERLAP_BYTES / 2 - shift);
        text.push_str(" 10.11.12.13 ");
        text.push_str(&"y".repeat(WINDOW_BYTES));
        text.push_str(r" pass\u0077ord=hunter ");
        let expected = ["10.11", "hunter"].map(|value| text.find(value).unwrap() as u64);
        assert_eq!(in_windows(&text, WINDOW_BYTES), expected, "{shift}");
    }
}

#[test]
fn of_a_long_value_the_beginning_counts() {
    for text in [format!("password={}", "x1".repeat(1 << 15)), format!("<password>{}</password>", "x1".repeat(1 << 10))]
    {
        let hits = hits(&Scanner::new(Level::Auth, []), &text);
        assert_eq!(
            hits.iter().map(|hit| (hit.kind, hit.place.column)).collect::<Vec<_>>(),
            [("password", 10 + u64::from(text.starts_with('<')))]
        );
    }
}

/// Each would take minutes if a byte were looked at again for every byte behind it.
#[test]
fn text_that_is_made_to_take_long_is_looked_at_in_linear_time() {
    const BYTES: usize = 128 << 10;
    for (unit, most) in [
        ("password:", BYTES / 400),
        ("phone=", 1),
        ("-AKIA0123456789ABCDEF-eyJaaaaaaaa", BYTES / 30),
        ("://a:", 1),
        ("&lt;password&gt;", 1),
        ("User/", BYTES / 5),
        ("a@b.", BYTES),
        ("\\\\\\\"", 1),
        ("%25", 1),
        ("<a>", 1),
        ("1-", 1),
    ] {
        let text = unit.repeat(BYTES / unit.len());
        let hits = hits(&Scanner::new(Level::Share, ["secret-secret"]), &text).len();
        assert!(hits <= most, "{hits} in {unit}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_panics_and_cutting_changes_nothing(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "\"", "\\", "\\u00", "\\ud83d", ":", ",", "=", "&", "&#", "&lt;", ";", "%", "%3", "%25", "<", ">",
            "</a>", "<password>", "password", "name", "value", "\n", " ", "ä", "\u{1f600}", "@", ".", "1001", "10.1.2.3",
            "+1 415 555 0118", "Basic ", "MTAwMTpzZWNyZXQ=", "User/", "::", "Cookie", "JSESSIONID", "a.example.com", "eyJ", "-",
        ]), 0..40),
        cuts in prop::collection::vec(0_usize..400, 0..6),
    ) {
        let text = pieces.concat();
        let scanner = Scanner::new(Level::Share, ["secret-secret"]);
        let whole = hits(&scanner, &text);
        let mut cut = Vec::new();
        let place = Place { file: "file".into(), ..Place::default() };
        let mut keep = |hit| cut.push(hit);
        let mut lines = lines::Lines::new(&scanner, &place, &mut keep);
        let mut rest = text.as_bytes();
        for at in cuts {
            let (head, tail) = rest.split_at(at.min(rest.len()));
            lines.feed(head);
            rest = tail;
        }
        lines.feed(rest);
        lines.finish();
        prop_assert_eq!(whole, cut);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let scanner = Scanner::new(Level::Minimal, ["secret-secret"]);
        let place = Place::default();
        scanner.stream(&mut Cursor::new(bytes.clone()), &place, &mut |_| (), &mut |_| ()).unwrap();
        let mut keep = |_| ();
        let mut lines = lines::Lines::new(&scanner, &place, &mut keep);
        lines.feed(&bytes);
        lines.finish();
        let _ = scanner.archive("x", Cursor::new(bytes), &mut |_| ());
    }
}
