//! The scan as a whole: what is wrapped, what is named, what is cut, and what is clean.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use std::io::{Cursor, Write as _};
use std::time::Duration;

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
        r#"{"cookies":[{"name":"JSESSIONID","value":"k-0123456789","path":"/desktop","expires":"2027-01-01T00:00:00Z"}]}"#,
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
fn packed_and_wide_text_is_read() {
    let scanner = Scanner::new(Level::Auth, ["Demo-Secret-1001!"]);
    let look = |bytes: Vec<u8>| {
        let mut hits = Vec::new();
        let place = Place { file: "f".into(), ..Place::default() };
        let scanned = scanner.stream(&mut Cursor::new(bytes), &place, &mut |_| (), &mut |hit| hits.push(hit)).unwrap();
        assert!(scanned.bytes > 0);
        hits.into_iter().map(|hit| format!("{} {}", hit.place, hit.kind)).collect::<Vec<_>>()
    };
    let text = "one\nx Demo-Secret-1001! y\n";
    let found = "f:2:3 known-secret".to_owned();
    let packed = |bytes: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    };
    assert_eq!(look(packed(text.as_bytes())), std::slice::from_ref(&found));
    assert_eq!(look(packed(&packed(text.as_bytes()))), std::slice::from_ref(&found));
    let units = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> { text.encode_utf16().flat_map(bytes).collect() };
    for bom in ["\u{feff}", ""] {
        let text = format!("{bom}{text}");
        assert_eq!(look(units(&text, u16::to_le_bytes)), std::slice::from_ref(&found), "{bom:?}");
        assert_eq!(look(units(&text, u16::to_be_bytes)), std::slice::from_ref(&found), "{bom:?}");
    }
    let wide: Vec<u8> = format!("\u{feff}{text}").chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    assert_eq!(look(wide), [found]);
}

#[test]
fn what_is_no_text_is_not_clean_and_its_words_are_looked_at() {
    let look = |bytes: Vec<u8>| {
        let mut kinds = Vec::new();
        let place = Place { file: "f".into(), ..Place::default() };
        let scanner = Scanner::new(Level::Auth, ["Demo-Secret-1001!"]);
        scanner.stream(&mut Cursor::new(bytes), &place, &mut |_| (), &mut |hit| kinds.push(hit.kind)).unwrap();
        kinds
    };
    // The secret stands across the border of two reads.
    let mut binary = vec![0_u8; (256 << 10) - 5];
    binary.extend_from_slice(b"Demo-Secret-1001!");
    binary.resize(1 << 20, 0);
    assert_eq!(look(binary), ["not-scanned", "known-secret"]);
    assert_eq!(look(b"{\"a\":1}\n{\"\0password\":\"hunter\"}\n".to_vec()), ["not-scanned", "password"]);
    let late = [vec![b' '; 20 << 10], b"\0 password=hunter".to_vec()].concat();
    assert_eq!(look(late), ["not-scanned", "password"]);
    assert_eq!(look(b"\x01\x02\x03 password=hunter".to_vec()), ["not-scanned", "password"]);
    for magic in [&b"BZh91AY"[..], b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"Rar!\x1a", b"PK\x03\x04torn"] {
        assert_eq!(look(magic.to_vec()), ["not-scanned"]);
    }
    assert!(look(b"colours: \x1b[31mred\x1b[0m\n".to_vec()).is_empty());
}

#[test]
fn members_of_tar_archives_are_looked_at_packed_or_not() {
    let mut builder = ::tar::Builder::new(Vec::new());
    let mut add = |name: &str, text: &[u8]| {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append_data(&mut header, name, text).unwrap();
    };
    add("a.ndjson", b"{\"password\":\"hunter\"}\n");
    add("logs/finesse.demo.test.log", b"fine\n");
    add("b.zip", b"PK\x03\x04");
    let plain = builder.into_inner().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).unwrap();
    for bytes in [plain, gzip.finish().unwrap()] {
        let mut hits = Vec::new();
        let place = Place { file: "f".into(), ..Place::default() };
        let mut keep = |hit: Hit| hits.push(format!("{} {}", hit.place, hit.kind));
        Scanner::new(Level::Share, []).stream(&mut Cursor::new(bytes), &place, &mut |_| (), &mut keep).unwrap();
        assert_eq!(hits, ["f/a.ndjson:1:14 password", "f/logs/finesse.demo.test.log:0 host", "f/b.zip:0 not-scanned"]);
    }
}

#[test]
fn packets_are_looked_at_flow_by_flow() {
    use pcap_file::DataLink;
    use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};
    let segment = |port: u16, payload: &[u8]| {
        let builder = etherparse::PacketBuilder::ethernet2([1; 6], [2; 6]).ipv4([127, 0, 0, 1], [127, 0, 0, 2], 64);
        let builder = builder.tcp(port, 8445, 1, 1_000);
        let mut bytes = Vec::new();
        builder.write(&mut bytes, payload).unwrap();
        bytes
    };
    let header = PcapHeader { datalink: DataLink::ETHERNET, ..PcapHeader::default() };
    let mut writer = PcapWriter::with_header(Vec::new(), header).unwrap();
    // Two flows, and a secret that is cut.
    for (port, payload) in [(1_000, "Authorization: Basic MTAwMTpz"), (2_000, "GET / "), (1_000, "ZWNyZXQ=\r\n")] {
        let data = segment(port, payload.as_bytes());
        let length = u32::try_from(data.len()).unwrap();
        writer.write_packet(&PcapPacket::new(Duration::ZERO, length, &data)).unwrap();
    }
    let look = |bytes: Vec<u8>| {
        let mut kinds = Vec::new();
        let keep = &mut |hit: Hit| kinds.push(hit.kind);
        Scanner::new(Level::Auth, []).stream(&mut Cursor::new(bytes), &Place::default(), &mut |_| (), keep).unwrap();
        kinds
    };
    let plain = writer.into_writer();
    assert_eq!(look(plain.clone()), ["authorization"]);
    assert_eq!(look(plain[..plain.len() - 4].to_vec()), ["authorization", "not-scanned"]);
}

#[test]
fn tables_yaml_and_server_logs_have_names_for_their_values() {
    let kinds = |text: &str| {
        let mut kinds = Vec::new();
        let keep = &mut |hit: Hit| kinds.push(hit.kind);
        let input = &mut Cursor::new(text.as_bytes().to_vec());
        Scanner::new(Level::Share, []).stream(input, &Place::default(), &mut |_| (), keep).unwrap();
        kinds
    };
    for (text, expected) in [
        ("user,password\n1001,Rq9scanLm4x\n", &["login", "password"][..]),
        ("\"Login ID\";\"First Name\";Extension\r\n1001;\"A;B\";2001\r\n", &["login", "person-name", "phone"]),
        (
            "agent:\n  firstName: Alma B\n  extension: 2001\n  password: |\n    hunter two\n",
            &["person-name", "phone", "password"],
        ),
        (
            "CTICallDeliveredEvent [callingDeviceID=0441632960124, calledDeviceID=8213, agentExtension=2001, agentInstrument=2001]",
            &["phone", "phone", "phone", "phone"],
        ),
        (
            "[09/Feb/2026:07:24:25 +0000] client:\"198.51.100.7\" host:\"fin1.example.test\" user:\"1001\" cookie:\"JSESSIONID=AB12CD34EF\" referer:\"-\"",
            &["ip-address", "host", "login", "session-id"],
        ),
        (
            "2026.11.30 21:10:14 WARN [x]: o.j.o - error while processing stanza: <auth mechanism=\"PLAIN\">ADEwMDEAaHVudGVy</auth>",
            &["sasl-plain"],
        ),
        ("x: requestId='u', POST_DATA='<User><extension>2001</extension></User>'", &["phone"]),
    ] {
        let mut found = kinds(text);
        found.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{text}");
    }
    for clean in [
        "Dear customer, thank you\nyours, me\n",
        "host: the server's name, see below\nNote: all is well\n",
        "a,b\n1,2\n",
    ] {
        assert!(kinds(clean).is_empty(), "{clean}: {:?}", kinds(clean));
    }
}

#[test]
fn in_a_har_the_entry_and_the_message_are_named() {
    let entry = |url: &str| {
        let headers = serde_json::json!([{"name": "Authorization", "value": "Basic MTAwMTpodW50ZXI="}]);
        serde_json::json!({"request": {"method": "GET", "url": url, "headers": headers}, "_webSocketMessages": [
            {"type": "send", "data": "<a/>"}, {"type": "send", "data": "<password>hunter</password>"}]})
    };
    let har = serde_json::json!({"log": {"entries": [entry("https://h/desktop/"), entry("wss://h/ws/?x=1")]}});
    let mut groups = Groups::default();
    for hit in hits(&Scanner::new(Level::Auth, []), &har.to_string()) {
        groups.add(hit);
    }
    let lines: Vec<String> = groups.lines().collect();
    let ends = [
        ", in entry 1, /desktop/",
        ", in entry 1, message 2, /desktop/",
        ", in entry 2, /ws/",
        ", in entry 2, message 2, /ws/",
    ];
    assert_eq!(lines.len(), 4, "{lines:#?}");
    for (line, end) in lines.iter().zip(ends) {
        assert!(line.ends_with(end), "{lines:#?}");
    }
}

#[test]
fn the_gravest_come_first_and_names_of_files_forge_no_line() {
    let mut groups = Groups::default();
    let scanner = Scanner::new(Level::Share, []);
    scanner.text("a\nb", "10.1.2.3\n10.1.2.4\n+1 415 555 0118\npassword=hunter\n", &mut |hit| groups.add(hit));
    let lines: Vec<String> = groups.lines().collect();
    let kinds: Vec<&str> = lines.iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(kinds, ["password", "ip-address", "phone"], "{lines:#?}");
    assert!(lines[1].ends_with(", and 1 more up to line 2") && lines.iter().all(|line| !line.contains('\n')));
}

#[test]
fn a_program_that_unpacks_itself_is_an_archive() {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("a.txt", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(b"password=hunter").unwrap();
    let zip = zip.finish().unwrap().into_inner();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), [b"MZ\0\0 stub ".to_vec(), zip].concat()).unwrap();
    let mut kinds = Vec::new();
    Scanner::new(Level::Auth, []).file(file.path(), &mut |_| (), &mut |hit| kinds.push(hit.kind)).unwrap();
    assert_eq!(kinds, ["password", "not-scanned"]);
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
