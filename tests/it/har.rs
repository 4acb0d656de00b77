//! HARs in and out: a browser's HAR through the decoder, a capture as HAR and transcript, and the way round.

use crate::support::program::actions;
use finesse_tap::capture::policy::Level;
use finesse_tap::capture::{Door, Redactor};
use finesse_tap::export::{Captures, Show, Told, har, text};
use finesse_tap::filter::Filter;
use finesse_tap::import::{Har, Tally};
use finesse_tap::session::Tracker;
use finesse_tap::stored::Sources;
use finesse_tap::tap::Decoder;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const PASSWORD: &str = "Canary-Password-1";
/// SASL PLAIN of 1001 with that password.
const SASL: &str = "MTAwMUB1Y2N4cHViLmV4YW1wbGUudGVzdAAxMDAxAENhbmFyeS1QYXNzd29yZC0x";
const HOST: &str = "uccxpub.example.test";
/// 2026-01-15T09:12:40Z
const START_S: f64 = 1_768_468_360.0;

#[test]
fn a_login_in_a_har_gives_the_events_of_a_live_one_without_the_password() {
    let file = file(&login().to_string());
    assert!(std::fs::read_to_string(file.path()).unwrap().contains(SASL), "the HAR itself holds it");
    let (lines, tally) = imported(file.path());
    for secret in [PASSWORD, SASL, "Canary"] {
        assert!(!lines.contains(secret), "{secret} is in the capture");
    }
    let mut events = events(&lines);
    // The HAR's one Update names a node that it never subscribed.
    events.retain(|event| event["event"]["action"] != "finding");
    assert_eq!(
        actions(&events),
        [
            "connection-opened",
            "websocket-opened",
            "xmpp-stanza",
            "sasl-auth-sent",
            "sasl-auth-result",
            "websocket-message",
            "websocket-message",
            "connection-opened",
            "http-exchange",
            "finesse-update",
            "http-exchange",
            "websocket-control",
            "websocket-closed",
            "connection-closed",
            "connection-closed",
        ]
    );
    assert_eq!((tally.exchanges, tally.sockets, tally.messages, tally.odd_messages, tally.skipped), (2, 1, 6, 1, 2));

    let opened = &events[1]["finesse"]["ws"];
    assert_eq!((&opened["protocol"], &opened["accept_valid"]), (&json!("xmpp"), &json!(true)));
    assert_eq!(events[3]["user"]["name"], "1001");
    assert_eq!(events[5]["finesse"]["keepalive"], true);
    let binary = &events[6]["finesse"]["ws"];
    assert_eq!((&binary["opcode"], &binary["payload_bytes"]), (&json!("binary"), &json!(3)));

    let put = &events[8];
    assert_eq!(put["@timestamp"], "2026-01-15T09:12:42.100000Z");
    assert_eq!(put["event"]["duration"], 99_000_000, "from when it was sent");
    assert_eq!(put["finesse"]["http"]["ttfb_us"], 81_000);
    assert_eq!(put["http"]["request"]["body"]["content"], "<User><state>READY</state></User>");

    let update = &events[9];
    assert_eq!(update["@timestamp"], "2026-01-15T09:12:42.187211Z", "to the microsecond");
    assert_eq!(update["finesse"]["update"]["user"]["state"], "READY");
    assert_eq!(update["finesse"]["update"]["caused_by"]["sequence"], put["event"]["sequence"]);

    // The answer was gzip on the wire, and is text in the HAR; both requests name the same connection.
    assert_eq!(
        events[10]["http"]["response"]["body"]["content"],
        "<SystemInfo><status>IN_SERVICE</status></SystemInfo>"
    );
    assert_eq!(events[10]["finesse"]["conn"]["id"], put["finesse"]["conn"]["id"]);

    assert_eq!(events[12]["finesse"]["ws"]["close"]["code"], 1001);
    for closed in &events[13..] {
        assert_eq!(
            (&closed["finesse"]["conn"]["by"], &closed["finesse"]["conn"]["how"]),
            (&json!("unknown"), &json!("unknown"))
        );
        assert_eq!(closed["log"]["level"], "info");
    }
}

/// What each program's HAR of the same login has of its own.
#[test]
fn the_hars_of_other_programs_give_the_same_stanzas() {
    let expected = stanzas(&imported(file(&login().to_string()).path()).0);
    assert_eq!(expected.len(), 4);
    let closes = |code: u64, reason: Option<&str>, at: &str, lines: &str| {
        let events = events(lines);
        let closed = events.iter().find(|event| event["event"]["action"] == "websocket-closed").unwrap();
        let said = &closed["finesse"]["ws"]["close"];
        assert_eq!((&said["code"], said["reason"].as_str()), (&json!(code), reason), "{closed}");
        assert_eq!(closed["@timestamp"], at);
    };

    // Edge: Chrome's, with who asked and how urgently; nothing about the end.
    let mut edge = login();
    for entry in entries_of(&mut edge) {
        let frames =
            json!([{ "functionName": "connect", "url": format!("https://{HOST}:8445/desktop/a.js"), "lineNumber": 1 }]);
        entry["_initiator"] =
            json!({ "type": "script", "stack": { "callFrames": frames, "parent": { "callFrames": [] } } });
        entry["_priority"] = json!("High");
        entry["_connectionId"] = json!("8445");
        entry["connection"] = json!("8445");
        entry["pageref"] = json!("page_1");
        entry["timings"] = json!({ "blocked": -1, "dns": -1, "ssl": -1, "connect": -1, "send": 0, "wait": 0, "receive": 0,
            "_blocked_queueing": -1, "_workerStart": -1 });
        entry.as_object_mut().unwrap().remove("_webSocketClose");
        entry["response"]["_transferSize"] = json!(0);
        entry["response"]["_error"] = Value::Null;
    }
    let (lines, tally) = imported(file(&edge.to_string()).path());
    assert_eq!((stanzas(&lines), tally.sockets, tally.skipped), (expected.clone(), 1, 2));
    closes(1006, None, "2026-01-15T09:12:45.000500Z", &lines);

    // HTTP Toolkit: how the socket ended, and when; no connections.
    let mut toolkit = login();
    toolkit["log"]["creator"] = json!({ "name": "HTTP Toolkit", "version": "1.20.1" });
    for entry in entries_of(&mut toolkit) {
        let fields = entry.as_object_mut().unwrap();
        for name in ["connection", "_connectionId", "serverIPAddress"] {
            fields.remove(name);
        }
        if fields.contains_key("_webSocketMessages") {
            fields.insert("time".into(), json!(-1));
            let close = json!({ "code": 4001, "reason": "signed out elsewhere", "timestamp": START_S + 7.25 });
            fields.insert("_webSocketClose".into(), close);
        }
    }
    let (lines, _) = imported(file(&toolkit.to_string()).path());
    assert_eq!(stanzas(&lines), expected);
    closes(4001, Some("signed out elsewhere"), "2026-01-15T09:12:47.250000Z", &lines);
    // The same, torn down without a close.
    entries_of(&mut toolkit).for_each(|entry| entry["_webSocketClose"] = json!("aborted"));
    let (lines, _) = imported(file(&toolkit.to_string()).path());
    assert_eq!(stanzas(&lines), expected);
    closes(1006, None, "2026-01-15T09:12:42.187211Z", &lines);

    // Playwright: messages in milliseconds, no timings worth the name, where it runs and with which certificate.
    let mut playwright = login();
    playwright["log"]["creator"] = json!({ "name": "Playwright", "version": "1.61.1" });
    playwright["log"]["browser"] = json!({ "name": "chromium", "version": "143.0.7499.4" });
    for entry in entries_of(&mut playwright) {
        let fields = entry.as_object_mut().unwrap();
        for name in ["connection", "_connectionId", "_webSocketClose"] {
            fields.remove(name);
        }
        fields.extend(
            json!({ "_frameref": "frame@1", "_monotonicTime": 1_234.5, "_serverPort": 8445, "pageref": "page@1",
            "_securityDetails": { "protocol": "TLS 1.3", "issuer": "CA" } })
            .as_object()
            .unwrap()
            .clone(),
        );
        for message in entry["_webSocketMessages"].as_array_mut().into_iter().flatten() {
            message["time"] = json!(message["time"].as_f64().unwrap() * 1e3);
        }
    }
    let (lines, _) = imported(file(&playwright.to_string()).path());
    assert_eq!(stanzas(&lines), expected);
    closes(1006, None, "2026-01-15T09:12:45.000500Z", &lines);
}

fn entries_of(har: &mut Value) -> impl Iterator<Item = &mut Value> {
    har["log"]["entries"].as_array_mut().unwrap().iter_mut()
}

#[test]
fn entries_in_any_order_are_played_by_time() {
    let mut shuffled = login();
    shuffled["log"]["entries"].as_array_mut().unwrap().reverse();
    let strip = |text: &str| text.replace("\"c1\"", "").replace("\"c2\"", "");
    let [expected, found] = [login(), shuffled].map(|har| imported(file(&har.to_string()).path()).0);
    assert_eq!(strip(&found), strip(&expected));
}

#[test]
fn a_har_that_breaks_off_gives_what_came_before_and_the_place() {
    let whole = login().to_string();
    let second = whole.find("\"2026-01-15T09:12:42.000Z\"").unwrap();
    for cut in [second, second + 40, whole.len() - 3] {
        let file = file(&whole[..cut]);
        let har = open(file.path());
        let broken = har.broken().expect("it is broken");
        assert_eq!((broken.why, broken.line, broken.offset), ("the file breaks off", 1, cut as u64));
        assert!(har.entries() >= 1);
        assert!(imported(file.path()).0.contains("sasl-auth-sent"), "cut at {cut}");
    }
    for (text, why) in [
        ("", "the file breaks off"),
        ("{\"log\":{\"entries\":[{]}}", "no JSON"),
        ("{\"log\":{\"entries\":[\"Canary-Password-1\"]}}", "something is not what HAR 1.2 says"),
        ("{\"log\":{}}", "it has no log.entries"),
        ("[]", "something is not what HAR 1.2 says"),
    ] {
        let file = file(text);
        let har = open(file.path());
        let broken = har.broken().unwrap_or_else(|| panic!("{text} was accepted"));
        assert_eq!(broken.why, why, "{text}");
        assert!(!broken.to_string().contains("Canary"), "{broken}");
    }
}

#[test]
fn a_har_cannot_smuggle_in_requests_or_stop_the_import() {
    let request = |method: &str, url: &str, header: &str| {
        json!({
            "startedDateTime": "2026-01-15T09:12:40.000Z", "time": 1, "connection": "7",
            "request": { "method": method, "url": url, "headers": [{ "name": "X-A", "value": header }, { "name": "b\r\nc", "value": "" }] },
            "response": { "status": 200, "headers": null, "content": { "text": "x", "size": null } },
        })
    };
    let url = format!("https://{HOST}/finesse/api/SystemInfo");
    let entries = json!([
        request("GET", &url, "a\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
        request("GET /smuggled HTTP/1.1\r\n\r\n", &url, ""),
        request("GET", &format!("{url} HTTP/1.1\r\n\r\nGET /smuggled"), ""),
        request("HEAD", &url, ""),
        request("GET", "not a URL", ""),
        json!({ "startedDateTime": 7, "time": null, "request": null }),
        json!({ "startedDateTime": "2026-01-15T09:12:40.000Z", "request": [] }),
        json!({}),
    ]);
    let (lines, tally) = imported(file(&json!({ "log": { "entries": entries } }).to_string()).path());
    assert_eq!((tally.exchanges, tally.skipped), (4, 4), "{lines}");
    let events = events(&lines);
    assert_eq!(events.iter().filter(|event| event["event"]["action"] == "http-exchange").count(), 4);
    assert!(events.iter().all(|event| event["event"]["action"] != "decode-error"), "{lines}");
}

#[test]
fn an_exported_har_has_every_number_and_open_sockets() {
    let (lines, _) = imported(file(&login().to_string()).path());
    // Without its end the socket is still open.
    let open: String = lines.split_inclusive('\n').filter(|line| !line.contains("-closed\"")).collect();
    let later: String = lines.split_inclusive('\n').filter(|line| line.contains("finesse-update")).collect();
    for (text, sockets) in [(&lines, 1), (&open, 1), (&later, 1)] {
        let (exported, told) = exported(text);
        assert_eq!(told.left_out.count(), 0);
        let entries = exported["log"]["entries"].as_array().unwrap();
        entries.iter().for_each(is_complete);
        let sockets_found: Vec<&Value> = entries.iter().filter(|entry| entry["_resourceType"] == "websocket").collect();
        assert_eq!(sockets_found.len(), sockets);
        assert_eq!(sockets_found[0]["response"]["status"], 101);
        let messages = sockets_found[0]["_webSocketMessages"].as_array().unwrap();
        let update = messages.iter().find(|message| message["_finesse"]["action"] == "finesse-update").unwrap();
        assert_eq!(update["_finesse"]["update"]["user"]["state"], "READY");
        assert_eq!(update["_xmpp"]["kind"], "message");
        assert!((update["time"].as_f64().unwrap() - START_S - 2.187_211).abs() < 1e-6);
    }
    assert!(!exported(&lines).0.to_string().contains("Canary"));
}

#[test]
fn torn_and_foreign_lines_are_named_and_left_out() {
    let (lines, _) = imported(file(&login().to_string()).path());
    let count = lines.lines().count() as u64;
    let torn = &lines[..lines.len() - 20];
    let text = format!("{{\"foreign\":\"Canary-line\"}}\n\nCanary-words\n{torn}");
    let capture = file(&text);
    let mut out = Vec::new();
    let sources = sources(capture.path());
    let told = finesse_tap::export::text(all(&sources), Show::Xml, &mut out, &mut |_, _| {}).unwrap();
    assert_eq!((told.lines, told.left_out.count()), (count - 1, 3));
    let problems: Vec<String> = told.left_out.to_string().lines().map(str::to_owned).collect();
    let name = capture.path().display();
    assert!(problems[0].starts_with(&format!("left out {name}:1: not a line")), "{problems:?}");
    assert!(problems[1].starts_with(&format!("left out {name}:3: it is torn")), "{problems:?}");
    assert!(problems[2].contains(": the last line is torn"), "{problems:?}");
    let shown = String::from_utf8(out).unwrap();
    assert!(!format!("{shown}{problems:?}").contains("Canary"));
    assert!(shown.contains("09:12:42.187211  s1   ←  User 1001 READY, 186 ms after its PUT\n"), "{shown}");
    assert!(shown.contains("\n            <event xmlns=\"http://jabber.org/protocol/pubsub#event\">\n"), "{shown}");
    // What was escaped is XML to read, too.
    let nested = "\n                    <Update>\n                      <data>\n                        <user>\n                          \
                  <loginId>1001</loginId>\n";
    assert!(shown.contains(nested) && shown.contains("</Update>\n                  </notification>\n"), "{shown}");
}

/// Live capture, HAR, capture: the stanzas are the same.
#[test]
fn a_capture_survives_the_way_through_a_har() {
    let directory = tempfile::tempdir().unwrap();
    let program = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_finesse-tap"));
        let output = command.args(arguments).current_dir(directory.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    program(&["demo", "--capture", "live"]);
    let live = only_file(&directory.path().join("live"));
    program(&["export", "har", live.to_str().unwrap(), "-o", "demo.har"]);
    let said = program(&["import", "demo.har", "--capture", "again"]);
    assert!(said.contains("1 WebSockets"), "{said}");
    let again = only_file(&directory.path().join("again"));
    let [live, again] = [live, again].map(|path| std::fs::read_to_string(path).unwrap());

    let [live_stanzas, again_stanzas] = [&live, &again].map(|text| stanzas(text));
    assert!(live_stanzas.len() > 20);
    assert_eq!(again_stanzas.len(), live_stanzas.len());
    for (again, live) in again_stanzas.iter().zip(&live_stanzas) {
        assert_eq!(again, live);
    }

    let first: Value = serde_json::from_str(again.lines().next().unwrap()).unwrap();
    let settings = first["finesse"]["capture"]["settings"].as_array().unwrap();
    let value =
        |name: &str| settings.iter().find(|setting| setting["name"] == name).map(|setting| setting["value"].clone());
    assert_eq!(value("source"), Some(json!("har")));
    assert!(
        value("unknown").is_some()
            && value("creator").is_some_and(|creator| creator.as_str().unwrap().starts_with("finesse-tap "))
    );
}

/// What a stanza line says, but for numbers and times.
fn stanzas(lines: &str) -> Vec<Value> {
    let kinds = ["xmpp-stanza", "sasl-auth-sent", "sasl-auth-result", "finesse-update"];
    let mut found: Vec<Value> = events(lines)
        .into_iter()
        .filter(|event| kinds.iter().any(|kind| event["event"]["action"] == *kind))
        .map(|event| {
            let mut ours = event["finesse"].clone();
            // The length is the original's, which is gone where something was removed.
            for name in ["session", "conn", "ws", "redaction", "xml_bytes"] {
                ours.as_object_mut().unwrap().remove(name);
            }
            if let Some(xmpp) = ours.get_mut("xmpp").and_then(Value::as_object_mut) {
                xmpp.remove("rtt_us");
                xmpp.remove("in_reply_to");
            }
            if let Some(update) = ours.get_mut("update").and_then(Value::as_object_mut) {
                for joined in ["caused_by", "arrival_ms", "skew_ms"] {
                    update.remove(joined);
                }
                if let Some(dialog) = update.get_mut("dialog").and_then(Value::as_object_mut) {
                    dialog.remove("first_sequence");
                }
            }
            json!({ "at": event["@timestamp"], "action": event["event"]["action"], "finesse": ours })
        })
        .collect();
    found.sort_by_key(|stanza| stanza["at"].as_str().unwrap().to_owned());
    found
}

fn only_file(directory: &Path) -> PathBuf {
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    files.remove(0)
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn open(path: &Path) -> Har {
    Har::open(path, &mut |_, _| {}).unwrap()
}

fn imported(path: &Path) -> (String, Tally) {
    let redactor = Redactor::with_key(Level::Auth, &[7; 32]).unwrap();
    let mut decoder = Decoder::new(Door::new(redactor, "01HAR".into(), 8_000), Tracker::new(1));
    let mut lines = String::new();
    let mut feed =
        |message| decoder.take(message, &mut |record| lines.push_str(str::from_utf8(record.line()).unwrap()));
    let tally = open(path).play(1, &mut feed, &mut |_, _| {}).unwrap();
    crate::contract::assert_valid(&lines);
    (lines, tally)
}

fn events(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn exported(lines: &str) -> (Value, Told) {
    let capture = file(lines);
    let sources = sources(capture.path());
    let mut out = Vec::new();
    let told = har(all(&sources), &mut out, &mut |_, _| {}).unwrap();
    (serde_json::from_slice(&out).unwrap(), told)
}

/// HAR 1.2's required fields, and the numbers without which Chrome refuses the file.
fn is_complete(entry: &Value) {
    for path in [
        "/time",
        "/timings/send",
        "/timings/wait",
        "/timings/receive",
        "/request/headersSize",
        "/request/bodySize",
        "/response/status",
        "/response/headersSize",
        "/response/bodySize",
        "/response/content/size",
    ] {
        assert!(entry.pointer(path).is_some_and(Value::is_number), "{path} of {entry}");
    }
    for path in [
        "/startedDateTime",
        "/request/method",
        "/request/url",
        "/request/httpVersion",
        "/response/statusText",
        "/response/httpVersion",
        "/response/redirectURL",
        "/response/content/mimeType",
    ] {
        assert!(entry.pointer(path).is_some_and(Value::is_string), "{path} of {entry}");
    }
    for path in
        ["/request/cookies", "/request/headers", "/request/queryString", "/response/cookies", "/response/headers"]
    {
        assert!(entry.pointer(path).is_some_and(Value::is_array), "{path} of {entry}");
    }
    assert!(entry["cache"].is_object());
    for message in entry["_webSocketMessages"].as_array().into_iter().flatten() {
        assert!(
            message["time"].is_number() && message["opcode"].is_number() && message["data"].is_string(),
            "{message}"
        );
        assert!(message["type"] == "send" || message["type"] == "receive", "{message}");
    }
}

/// A login as Chrome writes it (messages before the request), with a state change over REST in HTTP/2's clothes.
fn login() -> Value {
    let update = format!(
        "<message xmlns=\"jabber:client\" from=\"pubsub.{HOST}\" to=\"1001@{HOST}\" id=\"Q1\"><event \
         xmlns=\"http://jabber.org/protocol/pubsub#event\"><items node=\"/finesse/api/User/1001\"><item id=\"a1\"><notification \
         xmlns=\"http://jabber.org/protocol/pubsub\">&lt;Update&gt;&lt;data&gt;&lt;user&gt;&lt;loginId&gt;1001&lt;/loginId&gt;\
         &lt;state&gt;READY&lt;/state&gt;&lt;uri&gt;/finesse/api/User/1001&lt;/uri&gt;&lt;/user&gt;&lt;/data&gt;&lt;event&gt;PUT\
         &lt;/event&gt;&lt;requestId&gt;R-1&lt;/requestId&gt;&lt;source&gt;/finesse/api/User/1001&lt;/source&gt;&lt;/Update&gt;\
         </notification></item></items></event></message>"
    );
    let message = |kind: &str, after_s: f64, opcode: i64, data: &str| json!({ "type": kind, "time": START_S + after_s, "opcode": opcode, "data": data });
    let auth = format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{SASL}</auth>");
    let messages = json!([
        message("send", 0.1, 1, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='h' version='1.0'/>"),
        message("send", 0.2, 1, &auth),
        message("receive", 0.3, 1, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
        message("send", 0.4, 1, " "),
        message("receive", 0.5, 2, "AQID"),
        message("error", 0.6, -1, "net::ERR"),
        message("receive", 2.187_211, 1, &update),
    ]);
    let socket = json!({
        "_connectionId": "12", "_resourceType": "websocket", "_webSocketMessages": messages,
        "_webSocketClose": { "code": 1001, "reason": "going away" },
        "cache": {}, "connection": "12",
        "request": {
            "method": "GET", "url": format!("wss://{HOST}:8445/ws/?token=Canary-Token"), "httpVersion": "HTTP/1.1", "cookies": [],
            "headers": [{ "name": "Sec-WebSocket-Protocol", "value": "xmpp" }, { "name": "Sec-WebSocket-Key", "value": "dGhlIHNhbXBsZSBub25jZQ==" }],
        },
        "response": {
            "status": 101, "statusText": "Switching Protocols", "httpVersion": "HTTP/1.1",
            "headers": [
                { "name": "Sec-WebSocket-Accept", "value": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" },
                { "name": "Sec-WebSocket-Protocol", "value": "xmpp" },
                { "name": "Sec-WebSocket-Extensions", "value": "permessage-deflate" },
            ],
            "content": { "size": 0, "mimeType": "x-unknown" },
        },
        "serverIPAddress": "10.1.2.3", "startedDateTime": "2026-01-15T09:12:40.000Z", "time": 5_000.5,
        "timings": { "send": 0, "wait": 0, "receive": 0 },
    });
    let put = json!({
        "connection": "13",
        "request": {
            "method": "PUT", "url": format!("https://{HOST}:8445/finesse/api/User/1001"), "httpVersion": "http/2.0",
            "headers": [
                { "name": ":authority", "value": format!("{HOST}:8445") },
                { "name": "requestId", "value": "R-1" },
                { "name": "authorization", "value": format!("Basic {}", "MTAwMTpDYW5hcnktUGFzc3dvcmQtMQ==") },
                { "name": "content-type", "value": "application/xml" },
                { "name": "content-length", "value": "999" },
            ],
            "postData": { "mimeType": "application/xml", "text": "<User><state>READY</state></User>" },
        },
        "response": { "status": 202, "headers": [], "content": { "size": 0, "mimeType": "" } },
        "startedDateTime": "2026-01-15T09:12:42.000Z", "time": 100,
        "timings": { "blocked": 1, "dns": -1, "connect": -1, "send": 1, "wait": 80, "receive": 18 },
    });
    let info = json!({
        "connection": "13",
        "request": { "method": "GET", "url": format!("https://{HOST}:8445/finesse/api/SystemInfo"), "headers": [] },
        "response": {
            "status": 200,
            "headers": [{ "name": "content-encoding", "value": "gzip" }, { "name": "content-type", "value": "application/xml" }],
            "content": { "size": 5, "text": "PFN5c3RlbUluZm8+PHN0YXR1cz5JTl9TRVJWSUNFPC9zdGF0dXM+PC9TeXN0ZW1JbmZvPg==", "encoding": "base64" },
        },
        "startedDateTime": "2026-01-15T10:12:43.500+01:00", "time": 10.25,
    });
    let foreign = json!({ "request": { "method": "GET", "url": "data:text/plain,x" }, "startedDateTime": "2026-01-15T09:12:42Z" });
    let undated = json!({ "request": { "method": "GET", "url": format!("https://{HOST}/") } });
    json!({ "log": { "version": "1.2", "creator": { "name": "WebInspector", "version": "537.36" }, "pages": [],
                     "entries": [socket, put, info, foreign, undated] } })
}

#[test]
fn a_message_with_several_notifications_is_one_message() {
    let (lines, _) = imported(file(&login().to_string()).path());
    let update = lines.lines().find(|line| line.contains("finesse-update")).unwrap();
    let entry = exported(&format!("{lines}{update}\n{update}\n")).0["log"]["entries"][0].clone();
    let messages = entry["_webSocketMessages"].as_array().unwrap();
    assert_eq!(messages.iter().filter(|message| message["_finesse"]["action"] == "finesse-update").count(), 1);
}

#[test]
fn a_transcript_of_nothing_is_nothing() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("empty.ndjson");
    std::fs::write(&path, "").unwrap();
    let mut out = Vec::new();
    let told = text(all(&sources(&path)), Show::Gist, &mut out, &mut |_, _| {}).unwrap();
    assert_eq!((told.lines, out.len()), (0, 0));
}

fn sources(path: &Path) -> Sources {
    Sources::open(&[path.to_owned()], &mut |_| unreachable!()).unwrap()
}

fn all(sources: &Sources) -> Captures<'_> {
    static ALL: std::sync::LazyLock<Filter> = std::sync::LazyLock::new(Filter::default);
    Captures { sources, filter: &ALL }
}
