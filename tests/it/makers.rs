//! HARs as their makers write them, with what each leaves out, spells otherwise or adds: nothing is lost in silence.

use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const HOST: &str = "uccxpub.example.test";
/// 2026-01-15T09:12:40Z
const START_S: f64 = 1_768_468_360.0;

/// Files of one import, in a directory of their own.
struct Desk {
    dir: TempDir,
}

/// What an import said, and what it made.
struct Imported {
    output: Output,
    events: Vec<Value>,
    capture: PathBuf,
}

impl Desk {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn import(&self, files: &[&Path]) -> Imported {
        let capture = self.dir.path().join("out");
        let _ = std::fs::remove_dir_all(&capture);
        let mut command = Command::new(env!("CARGO_BIN_EXE_finesse-tap"));
        let output = command.arg("import").args(files).arg("--capture").arg(&capture).output().unwrap();
        let text = std::fs::read_dir(&capture).map_or_else(
            |_| String::new(),
            |entries| entries.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect(),
        );
        crate::contract::assert_valid(&text);
        let events = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Imported { output, events, capture }
    }
}

impl Imported {
    fn said(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    fn actions(&self, action: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event["event"]["action"] == action).collect()
    }

    fn findings(&self) -> Vec<&str> {
        self.actions("finding").into_iter().filter_map(|event| event["finesse"]["finding"]["code"].as_str()).collect()
    }
}

fn import(har: &Value) -> Imported {
    import_text(har.to_string())
}

fn import_text(text: impl AsRef<[u8]>) -> Imported {
    let desk = Desk::new();
    let path = desk.put("a.har", text);
    desk.import(&[&path])
}

fn har(entries: &[Value]) -> Value {
    json!({ "log": { "version": "1.2", "creator": { "name": "x", "version": "1" }, "entries": entries } })
}

fn get(path: &str) -> Value {
    json!({
        "startedDateTime": "2026-01-15T09:12:40.000Z", "time": 50,
        "request": { "method": "GET", "url": format!("https://{HOST}:8445{path}"), "headers": [{ "name": "Host", "value": HOST }] },
        "response": { "status": 200, "headers": [], "content": { "size": 0, "text": "" } },
        "timings": { "send": 1, "wait": 48, "receive": 1 },
    })
}

fn message(kind: &str, after_s: f64, data: &str) -> Value {
    json!({ "type": kind, "time": START_S + after_s, "opcode": 1, "data": data })
}

fn socket() -> Value {
    let header = |name: &str, value: &str| json!({ "name": name, "value": value });
    json!({
        "startedDateTime": "2026-01-15T09:12:40.000Z", "time": 9_000, "_resourceType": "websocket",
        "request": {
            "method": "GET", "url": format!("wss://{HOST}:8445/ws/"),
            "headers": [
                header("Upgrade", "websocket"), header("Sec-WebSocket-Protocol", "xmpp"),
                header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ],
        },
        "response": {
            "status": 101,
            "headers": [
                header("Upgrade", "websocket"), header("Sec-WebSocket-Protocol", "xmpp"),
                header("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            ],
        },
        "_webSocketMessages": [
            message("send", 1.0, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='h' version='1.0'/>"),
            message("receive", 2.0, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='h' id='1' version='1.0'/>"),
        ],
    })
}

#[test]
fn bytes_that_are_no_unicode_cost_nothing_but_themselves() {
    let mut entry = socket();
    entry["_webSocketMessages"].as_array_mut().unwrap().extend([
        message("receive", 3.0, "<message><body>M@ller</body></message>"),
        message("receive", 4.0, "<message><body>LONE</body></message>"),
        message("receive", 5.0, "<message><body>last</body></message>"),
    ]);
    entry["request"]["headers"].as_array_mut().unwrap().push(json!({ "name": "Cookie", "value": "cc_username=LONE" }));
    let text = har(&[entry, get("/finesse/api/SystemInfo")]).to_string().replace("LONE", "a\\ud83d b\\udcfc");
    let bytes: Vec<u8> = text.bytes().map(|byte| if byte == b'@' { 0xfc } else { byte }).collect();
    let imported = import_text(bytes);
    assert_eq!(imported.code(), Some(0), "{}", imported.said());
    assert_eq!(imported.actions("xmpp-stanza").len(), 5);
    assert_eq!(imported.actions("http-exchange").len(), 1);
    assert!(imported.said().contains("3 entries or messages with bytes that are no Unicode"), "{}", imported.said());
}

#[test]
fn dates_without_a_zone_are_utc_and_that_is_said() {
    let mut entry = get("/finesse/api/SystemInfo");
    entry["startedDateTime"] = json!("2026-01-15T09:12:40.000000");
    let imported = import(&har(&[entry]));
    assert_eq!(imported.actions("http-exchange")[0]["@timestamp"], "2026-01-15T09:12:40.050000Z");
    assert!(imported.said().contains("1 date without a time zone, taken for UTC"), "{}", imported.said());
    assert_eq!(imported.code(), Some(0));
}

#[test]
fn what_is_left_out_is_counted_named_and_an_error() {
    let mut undated = get("/finesse/api/SystemInfo");
    undated["startedDateTime"] = json!("yesterday");
    let mut odd = socket();
    odd["_webSocketMessages"].as_array_mut().unwrap().extend([message("whisper", 3.0, "x"), json!(null)]);
    let local = json!({ "startedDateTime": "2026-01-15T09:12:40Z", "request": { "method": "GET", "url": "data:text/plain,x" } });
    let nowhere =
        json!({ "startedDateTime": "2026-01-15T09:12:40Z", "request": { "method": "GET", "url": "gopher://x/" } });
    let imported = import(&har(&[undated, odd, local, nowhere, get("/desktop/")]));
    let said = imported.said();
    for part in [
        "1 request, 1 WebSocket, 2 messages",
        "1 entry passed over that used no network",
        "1 entry left out: no startedDateTime",
        "1 entry left out: no HTTP request",
        "2 WebSocket messages left out",
        "error: 4 entries or messages were left out",
    ] {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
    assert_eq!(imported.code(), Some(1));
}

#[test]
fn absent_headers_are_unknown_and_not_stripped() {
    for (side, headers) in [("response", json!([])), ("response", Value::Null), ("request", json!([]))] {
        let mut entry = socket();
        entry[side]["headers"] = headers;
        let imported = import(&har(&[entry]));
        assert_eq!(imported.actions("websocket-opened").len(), 1);
        assert_eq!(imported.findings(), [] as [&str; 0], "without the headers of the {side}");
    }
    // What is there counts.
    let mut stripped = socket();
    stripped["response"]["headers"].as_array_mut().unwrap().remove(1);
    assert_eq!(import(&har(&[stripped])).findings(), ["subprotocol-not-echoed"]);
    // A request for the path whose head is unknown, and one refused whose URL says what it was.
    let mut bare = get("/ws/");
    bare["request"]["headers"] = json!([]);
    let mut refused = socket();
    refused["response"] = json!({ "status": 403, "headers": [] });
    refused["_webSocketMessages"] = json!([]);
    assert_eq!(import(&har(&[bare, refused])).findings(), ["upgrade-refused"]);
}

#[test]
fn sockets_are_known_without_their_kind() {
    let mut entry = socket();
    entry.as_object_mut().unwrap().remove("_resourceType");
    let mut silent = entry.clone();
    silent["_webSocketMessages"] = Value::Null;
    let mut by_head = silent.clone();
    by_head["request"]["url"] = json!(format!("https://{HOST}:8445/ws/"));
    by_head.as_object_mut().unwrap().remove("_webSocketMessages");
    for entry in [entry, silent, by_head] {
        let imported = import(&har(&[entry]));
        assert_eq!((imported.actions("websocket-opened").len(), imported.code()), (1, Some(0)), "{}", imported.said());
        assert_eq!(imported.actions("decode-error").len(), 0);
    }
}

#[test]
fn numbers_may_be_texts_and_texts_numbers() {
    let mut entry = socket();
    entry["time"] = json!("9000");
    entry["response"]["status"] = json!("101");
    for message in entry["_webSocketMessages"].as_array_mut().unwrap() {
        message["time"] = json!(message["time"].to_string());
        message["opcode"] = json!("1");
    }
    let mut other = get("/finesse/api/SystemInfo");
    other["response"]["status"] = json!("200");
    other["connection"] = json!(7);
    other["request"]["headers"] = json!({ "Host": HOST, "X": 1 });
    let imported = import(&har(&[entry, other]));
    let stanzas = imported.actions("xmpp-stanza");
    assert_eq!(
        stanzas.iter().map(|stanza| &stanza["@timestamp"]).collect::<Vec<_>>(),
        ["2026-01-15T09:12:41.000000Z", "2026-01-15T09:12:42.000000Z"]
    );
    assert_eq!(imported.actions("http-exchange")[0]["http"]["response"]["status_code"], 200);
    assert_eq!(imported.code(), Some(0), "{}", imported.said());
}

#[test]
fn a_tunnel_is_no_request_of_its_connection() {
    let mut tunnel = get("");
    tunnel["request"]["method"] = json!("CONNECT");
    let mut entries = vec![tunnel, get("/finesse/api/SystemInfo"), get("/finesse/api/User/1001")];
    for entry in &mut entries {
        entry["connection"] = json!("ClientPort:51234;EgressPort:51235");
    }
    let imported = import(&har(&entries));
    assert_eq!(imported.actions("http-exchange").len(), 2);
    assert_eq!(imported.actions("decode-error").len(), 0);
    assert!(imported.said().contains("1 CONNECT passed over"), "{}", imported.said());
    assert_eq!(imported.code(), Some(0));
}

#[test]
fn what_the_browser_says_of_a_failure_is_kept_and_judged() {
    let reason = |imported: &Imported| imported.actions("connection-closed")[0]["error"]["message"].clone();

    let mut entry = socket();
    entry["_webSocketMessages"] = json!([]);
    entry["response"] = json!({ "status": 0, "headers": [], "_error": "net::ERR_CERT_AUTHORITY_INVALID" });
    let imported = import(&har(&[entry.clone()]));
    assert_eq!(imported.findings(), ["certificate-refused"]);
    assert_eq!(reason(&imported), "the browser says: net::ERR_CERT_AUTHORITY_INVALID");

    // Playwright's name for it, and that of others, beside the response.
    for (object, name) in [("response", "_failureText"), ("", "_error"), ("", "_errorMessage")] {
        let mut entry = socket();
        entry["_webSocketMessages"] = json!([]);
        entry["response"] = json!({ "status": -1 });
        let place = if object.is_empty() { &mut entry } else { &mut entry[object] };
        place[name] = json!("net::ERR_CONNECTION_RESET");
        let imported = import(&har(&[entry]));
        assert_eq!(imported.findings(), ["upgrade-refused"], "{object} {name}");
        assert_eq!(reason(&imported), "the browser says: net::ERR_CONNECTION_RESET");
        assert_eq!(imported.actions("http-exchange")[0]["error"]["message"], "net::ERR_CONNECTION_RESET");
    }
    // An error among the messages is why the socket ended.
    let mut entry = socket();
    let error = json!({ "type": "error", "time": START_S + 3.0, "opcode": -1, "data": "Invalid frame header" });
    entry["_webSocketMessages"].as_array_mut().unwrap().push(error);
    let imported = import(&har(&[entry]));
    assert_eq!(reason(&imported), "the browser says: Invalid frame header");
    assert!(imported.findings().contains(&"ended-without-close"), "{:?}", imported.findings());
    assert_eq!(imported.code(), Some(0), "{}", imported.said());
    assert!(imported.said().contains("1 failure noted by the browser"), "{}", imported.said());
}

#[test]
fn a_failures_words_are_a_peers_and_hold_no_secret() {
    let mut entry = get("/finesse/api/SystemInfo");
    entry["request"]["headers"] =
        json!([{ "name": "Authorization", "value": "Basic MTAwMTpDYW5hcnktU2VjcmV0LTlmM2E=" }]);
    entry["response"] = json!({ "status": 0, "_error": "failed for https://1001:Canary-Secret-9f3a@host/" });
    let imported = import(&har(&[entry]));
    assert!(!format!("{:?}", imported.events).contains("Canary-Secret"), "{:?}", imported.events);
}

#[test]
fn base64_in_every_spelling_also_of_what_was_sent() {
    let body = "<SystemInfo><status>IN??SERVICE</status></SystemInfo>";
    let standard = "PFN5c3RlbUluZm8+PHN0YXR1cz5JTj8/U0VSVklDRTwvc3RhdHVzPjwvU3lzdGVtSW5mbz4=";
    let spellings = [
        (standard.to_owned(), "base64"),
        (standard.replace('+', "-").replace('/', "_").replace('=', ""), "BASE64"),
        (format!("{}\r\n{}", &standard[..20], &standard[20..]), "Base64"),
    ];
    for (text, encoding) in spellings {
        let mut entry = get("/finesse/api/SystemInfo");
        entry["request"]["method"] = json!("PUT");
        entry["request"]["postData"] = json!({ "mimeType": "application/xml", "text": text, "encoding": encoding });
        entry["response"]["content"] = json!({ "size": 1, "text": text, "encoding": encoding });
        let mut toolkit = entry.clone();
        toolkit["request"].as_object_mut().unwrap().remove("postData");
        toolkit["request"]["_content"] = json!({ "text": text, "encoding": encoding });
        for entry in [entry, toolkit] {
            let imported = import(&har(&[entry]));
            let http = &imported.actions("http-exchange")[0]["http"];
            assert_eq!(
                (&http["request"]["body"]["content"], &http["response"]["body"]["content"]),
                (&json!(body), &json!(body))
            );
        }
    }
}

#[test]
fn bodies_that_the_har_does_not_hold_keep_their_size() {
    let mut playwright = get("/finesse/api/SystemInfo");
    playwright["response"]["content"] = json!({ "size": 51, "_file": "3f1b.xml", "_sha1": "3f1b" });
    let mut posted = get("/finesse/api/User/1001");
    posted["request"]["method"] = json!("PUT");
    posted["request"]["bodySize"] = json!(33);
    posted["response"] = json!({ "status": 202, "headers": [{ "name": "Content-Length", "value": "0" }] });
    let mut unmodified = get("/desktop/");
    unmodified["response"] = json!({ "status": 304, "headers": [], "content": { "size": 900 } });
    let imported = import(&har(&[playwright, posted, unmodified]));
    let sizes: Vec<_> = imported
        .actions("http-exchange")
        .iter()
        .map(|event| {
            (event["http"]["request"]["body"]["bytes"].clone(), event["http"]["response"]["body"]["bytes"].clone())
        })
        .collect();
    assert_eq!(sizes, [(json!(0), json!(51)), (json!(33), json!(0)), (json!(0), json!(0))]);
    assert!(imported.said().contains("2 bodies that the HAR does not hold"), "{}", imported.said());
    assert!(imported.events.iter().all(|event| event["finesse"]["http"]["cut"].is_null()));
}

/// A missing response is no answer at all, and is not a change of protocol.
#[test]
fn a_missing_response_is_missing() {
    let mut entry = get("/finesse/api/SystemInfo");
    entry["response"] = Value::Null;
    let mut other = get("/finesse/api/SystemInfo");
    other.as_object_mut().unwrap().remove("response");
    let imported = import(&har(&[entry, other]));
    assert_eq!(imported.actions("http-exchange").len(), 2);
    assert_eq!(imported.code(), Some(0), "{}", imported.said());
    assert_eq!(imported.findings(), [] as [&str; 0]);
}

#[test]
fn several_hars_are_merged_by_time_in_any_order() {
    let desk = Desk::new();
    let mut put = get("/finesse/api/User/1001");
    put["startedDateTime"] = json!("2026-01-15T09:12:41.500Z");
    put["connection"] = json!("1");
    let mut first = get("/finesse/api/SystemInfo");
    first["connection"] = json!("1");
    let (a, b) = (desk.put("a.har", har(&[put]).to_string()), desk.put("b.har", har(&[socket(), first]).to_string()));
    let told = |imported: &Imported| {
        let line = |event: &Value| format!("{} {}", event["@timestamp"], event["event"]["action"]);
        imported.events.iter().skip(1).map(line).collect::<Vec<_>>()
    };
    let one = told(&desk.import(&[&a, &b]));
    assert_eq!(told(&desk.import(&[&b, &a])), one);
    let exchange = one.iter().rposition(|line| line.contains("http-exchange")).unwrap();
    let stanzas: Vec<usize> = (0..one.len()).filter(|at| one[*at].contains("xmpp-stanza")).collect();
    assert!(stanzas[0] < exchange && exchange < stanzas[1], "{one:?}");
    // The same name in two HARs is not the same connection.
    assert_eq!(one.iter().filter(|line| line.contains("connection-opened")).count(), 3);
}

#[test]
fn packed_hars_are_unpacked() {
    let desk = Desk::new();
    let text = har(&[socket(), get("/finesse/api/SystemInfo")]).to_string();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in [
        ("one.har", text.as_bytes()),
        ("deep/two.har.gz", &gzip),
        ("__MACOSX/._one.har", b"junk"),
        ("readme.txt", b"hello"),
    ] {
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    let zip = zip.finish().unwrap().into_inner();
    let utf16: Vec<u8> = [0xfeff_u16].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let unmarked: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    for (name, bytes, copies) in [
        ("a.har.gz", &gzip[..], 1),
        ("gzip.har", &gzip, 1),
        ("a.zip", &zip, 2),
        ("utf16.har", &utf16, 1),
        ("unmarked.har", &unmarked, 1),
        ("marked.har", &marked, 1),
    ] {
        let path = desk.put(name, bytes);
        let imported = desk.import(&[&path]);
        assert_eq!(imported.code(), Some(0), "{name}: {}", imported.said());
        assert_eq!(imported.actions("xmpp-stanza").len(), 2 * copies, "{name}");
        assert_eq!(imported.actions("http-exchange").len(), copies, "{name}");
    }
    let empty = desk.put("empty.zip", {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.start_file("readme.txt", options).unwrap();
        zip.finish().unwrap().into_inner()
    });
    let imported = desk.import(&[&empty]);
    assert_eq!(imported.code(), Some(1));
    assert!(imported.said().contains("no .har is in this zip archive"), "{}", imported.said());
}

#[test]
fn the_period_of_a_report_is_that_of_the_events() {
    let desk = Desk::new();
    let path = desk.put("a.har", har(&[socket()]).to_string());
    let imported = desk.import(&[&path]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_finesse-tap"));
    let report = command.arg("report").arg(&imported.capture).output().unwrap();
    let report = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(report.lines().any(|line| line.starts_with("2026-01-15 09:12:40 – 09:12:49 UTC")), "{report}");
}
