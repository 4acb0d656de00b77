//! A browser's own HAR of a real login, and what Wireshark and DevTools make of exports.

use super::client::{Endpoint, Library};
use super::process::run;
use super::server::Server;
use super::tap::{Capture, Tap};
use super::{AGENT, HOST, PASSWORD, holds_the_login, ready, scripts};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn a_sanitized_har_holds_the_password_and_its_import_does_not() {
    if !ready("a HAR from Chromium", &["prosody", "node", "openssl", "chromium", "tshark"]) {
        return;
    }
    let server = Server::prosody();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let recorded = directory.path().join("recorded.har");
    let seen = Endpoint::direct(&server).login_in_chromium_recorded(&server, Library::Desktop, &recorded);
    let har = sanitized(&fs::read_to_string(&recorded).expect("the HAR"));
    fs::write(&recorded, &har).expect("write the HAR");
    let triple = BASE64_STANDARD.encode(format!("{AGENT}@{HOST}\0{AGENT}\0{PASSWORD}"));
    assert!(har.contains(&triple), "the reason for all this: what browsers call sanitized holds the password");

    let imported = directory.path().join("imported");
    let stderr =
        run(ours().args(["import", "--max-line-bytes", "1000000"]).arg(&recorded).arg("-o").arg(&imported)).stderr;
    let capture = Capture::in_directory(&imported, stderr.join("\n"));
    holds_the_login(&capture, &seen);
    assert!(capture.all("http-exchange").any(|event| event["url"]["path"] == "/desktop/index.html"), "the page");

    let captured = only_file(&imported);
    shows_in_wireshark(&captured, &directory.path().join("login.pcapng"));
    for form in ["har", "text"] {
        let out = directory.path().join(form);
        run(ours().args(["export", form]).arg(&captured).arg("-o").arg(&out));
        let text = fs::read_to_string(&out).expect("the export");
        assert!(!text.contains(&triple) && !text.contains("canary"), "the password is in the {form}");
    }
}

/// DevTools' own "Export HAR (sanitized)" of a login that the proxy records at the same time.
#[test]
fn what_devtools_export_of_a_login_is_what_was_seen_live() {
    if !ready("an export of Chromium's DevTools", &["prosody", "node", "openssl", "chromium"]) {
        return;
    }
    let server = Server::prosody();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| directory.path().join(name);
    let tap = Tap::before(&server);
    let seen = tap.endpoint().login_in_chromium_exported(&server, Library::Desktop, &path("desktop.har"));
    let live = tap.stop();
    let har = fs::read_to_string(path("desktop.har")).expect("the HAR");
    let triple = BASE64_STANDARD.encode(format!("{AGENT}@{HOST}\0{AGENT}\0{PASSWORD}"));
    assert!(har.contains("\"_webSocketMessages\"") && har.contains("WebInspector"), "Chrome's own form");
    assert!(har.contains(&triple), "sanitized, and yet it holds the password");

    run(ours().arg("import").arg(path("desktop.har")).arg("-o").arg(path("imported")));
    let imported = Capture::in_directory(&path("imported"), String::new());
    holds_the_login(&imported, &seen);
    for direction in ["c2s", "s2c"] {
        let [live, imported] = [&live, &imported].map(|capture| as_a_har_knows_them(capture, direction));
        assert!(live.len() > 8, "{} stanzas {direction}", live.len());
        for (live, imported) in live.iter().zip(&imported) {
            assert_eq!(imported, live);
        }
        // After its <close/> a browser may no longer look.
        assert!(live.len() - imported.len() <= 1, "{} and {} stanzas {direction}", live.len(), imported.len());
    }

    fs::write(path("secrets"), format!("{PASSWORD}\n")).expect("write the secrets");
    let capture = only_file(&path("imported"));
    run(ours().arg("share").arg(&capture).arg("-o").arg(path("case.zip")));
    let scan = |file: &str, more: &[&str]| {
        let mut command = ours();
        command.current_dir(directory.path()).args(["scan", file]).args(more).output().expect("scan")
    };
    for more in [&[][..], &["--secrets-file", "secrets"]] {
        let found = scan("desktop.har", more);
        let told = String::from_utf8_lossy(&found.stdout).into_owned();
        assert_eq!(found.status.code(), Some(1), "the HAR: {told}");
        assert!(!told.contains("canary") && !told.contains(&triple), "{told}");
        let place = format!("desktop.har:{}:", 1 + har.lines().position(|line| line.contains(&triple)).expect("there"));
        let kinds = ["sasl-plain", "known-secret"];
        let hit = |line: &str| line.starts_with(&place) && kinds.iter().any(|kind| line.contains(kind));
        assert!(told.lines().any(hit), "nothing of the password at {place}\n{told}");
        let found = scan("case.zip", more);
        assert_eq!(found.status.code(), Some(0), "the bundle: {}", String::from_utf8_lossy(&found.stdout));
    }
}

/// What Chromium's Network panel makes of exports: of a login, of one that is still open, and of a bundle of it.
#[test]
fn devtools_list_what_was_exported() {
    if !ready("an import into Chromium's DevTools", &["prosody", "node", "openssl", "chromium"]) {
        return;
    }
    let server = Server::prosody();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| directory.path().join(name);
    let tap = Tap::before(&server);
    tap.endpoint().login_in_node(&server, Library::Desktop);
    let live = tap.stop();
    fs::write(path("whole.ndjson"), &live.text).expect("write");
    let open = live.text.split_inclusive('\n').filter(|line| !line.contains("-closed\""));
    fs::write(path("open.ndjson"), open.collect::<String>()).expect("write");
    for level in ["share", "minimal"] {
        let zip = path(level).with_extension("zip");
        run(ours().arg("share").arg(path("whole.ndjson")).arg("-o").arg(&zip).args(["--level", level]));
        assert_eq!(run(ours().arg("scan").arg(&zip).args(["--for", level])).stdout, ["nothing found"], "at {level}");
    }
    let mut bundle = zip::ZipArchive::new(fs::File::open(path("minimal.zip")).expect("the bundle")).expect("a zip");
    let mut shared = bundle.by_name("captures/0001.ndjson").expect("the capture");
    std::io::copy(&mut shared, &mut fs::File::create(path("minimal.ndjson")).expect("create")).expect("copy");

    let names = ["whole", "open", "minimal"];
    for name in names {
        run(ours().args(["export", "har"]).arg(path(name).with_extension("ndjson")).arg("-o").arg(path(name)));
    }
    let mut devtools = Command::new("node");
    devtools.arg(scripts().join("devtools.mjs")).args(names.map(path));
    let said: Vec<Value> =
        run(&mut devtools).stdout.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let files: Vec<&[Value]> = said.split_inclusive(|thing| thing["seen"] == "imported").collect();
    assert_eq!(files.len(), names.len());
    for (listed, name) in files.into_iter().zip(names) {
        let exported: Value = serde_json::from_slice(&fs::read(path(name)).expect("the export")).expect("JSON");
        let entries = exported["log"]["entries"].as_array().expect("entries");
        assert_eq!(listed.len() - 1, entries.len(), "{name}: every entry is listed");
        for (request, entry) in listed.iter().zip(entries) {
            assert_eq!(
                (&request["url"], &request["method"], &request["status"]),
                (&entry["request"]["url"], &entry["request"]["method"], &entry["response"]["status"])
            );
            assert_eq!(request["requestHeaders"], entry["request"]["headers"].as_array().map_or(0, Vec::len));
            for number in ["start", "end", "size"] {
                assert!(request[number].as_f64().is_some_and(|n| n >= 0.0), "{name}: {number} of {request}");
            }
            let messages = entry["_webSocketMessages"].as_array();
            assert_eq!(request["kind"] == "websocket", messages.is_some());
            let frames = request["frames"].as_array().expect("frames");
            assert_eq!(frames.len(), messages.map_or(0, Vec::len), "{name}: every message is listed");
            for (frame, message) in frames.iter().zip(messages.into_iter().flatten()) {
                assert_eq!(
                    (&frame["type"], &frame["time"], &frame["text"], &frame["opCode"]),
                    (&message["type"], &message["time"], &message["data"], &message["opcode"])
                );
            }
        }
        let frames = listed.iter().filter_map(|request| request["frames"].as_array()).map(Vec::len).max();
        assert!(frames.is_some_and(|frames| frames > 16), "{name}: {frames:?} messages of the login");
    }
}

/// The stanzas of a direction without what only the wire tells: times, numbers, connections.
fn as_a_har_knows_them(capture: &Capture, direction: &str) -> Vec<Value> {
    let of = |event: &&Value| event["finesse"]["direction"] == direction && event["finesse"]["xmpp"].is_object();
    let known = |event: &Value| {
        let mut ours = event["finesse"].clone();
        let fields = ours.as_object_mut().expect("an object");
        for name in ["session", "conn", "ws"] {
            fields.remove(name);
        }
        for (part, names) in
            [("xmpp", &["rtt_us", "in_reply_to"][..]), ("update", &["arrival_ms", "skew_ms", "caused_by"])]
        {
            let part = fields.get_mut(part).and_then(Value::as_object_mut);
            part.into_iter().for_each(|part| names.iter().for_each(|name| drop(part.remove(*name))));
        }
        json!([event["event"]["action"], event["event"]["outcome"], event["user"], ours])
    };
    capture.events.iter().filter(of).map(known).collect()
}

fn only_file(directory: &Path) -> PathBuf {
    fs::read_dir(directory).expect("the capture").next().expect("a file").expect("a file").path()
}

/// tshark sees HTTP, the WebSocket and XMPP, understands every packet, and the password is nowhere.
fn shows_in_wireshark(capture: &Path, pcapng: &Path) {
    run(ours().args(["export", "pcapng"]).arg(capture).arg("-o").arg(pcapng));
    let bytes = fs::read(pcapng).expect("the export");
    assert!(!bytes.windows(6).any(|window| window == b"canary"), "the password is in the pcapng");
    let tshark = |arguments: &[&str]| run(Command::new("tshark").arg("-r").arg(pcapng).args(arguments)).stdout;
    let shown = tshark(&["-T", "fields", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info"]).join("\n");
    for wanted in [
        "HTTP\tGET /desktop/index.html",
        "101 Switching Protocols",
        "WebSocket\tWebSocket Text [FIN] [MASKED]",
        "WebSocket\tWebSocket Text [FIN] \n",
        "AUTH",
        "SUCCESS",
        "IQ(set) BIND",
        "IQ(set) PUBSUB",
        "MESSAGE",
        "PRESENCE",
    ] {
        assert!(shown.contains(wanted), "{wanted:?} is not in\n{shown}");
    }
    let trouble = tshark(&[
        "-o",
        "tcp.check_checksum:TRUE",
        "-o",
        "ip.check_checksum:TRUE",
        "-Y",
        "_ws.malformed || tcp.analysis.lost_segment || tcp.analysis.retransmission || tcp.checksum.status == 0 || ip.checksum.status == 0",
    ]);
    assert_eq!(trouble, Vec::<String>::new());
    let comments = tshark(&["-Y", "frame.comment contains \"User 1001\"", "-T", "fields", "-e", "frame.protocols"]);
    assert!(comments.len() >= 2, "the gist as a comment, on both interfaces: {comments:?}");
}

/// As Chrome's "Export HAR (sanitized)": without Cookie, Set-Cookie and Authorization, all else as it was.
fn sanitized(har: &str) -> String {
    let mut har: Value = serde_json::from_str(har).expect("JSON");
    for entry in har["log"]["entries"].as_array_mut().expect("entries") {
        for side in ["request", "response"] {
            entry[side]["cookies"] = Value::Array(Vec::new());
            if let Some(headers) = entry[side]["headers"].as_array_mut() {
                headers.retain(|header| {
                    let name = header["name"].as_str().unwrap_or_default().to_lowercase();
                    !["cookie", "set-cookie", "authorization"].contains(&&*name)
                });
            }
        }
    }
    har.to_string()
}

fn ours() -> Command {
    Command::new(env!("CARGO_BIN_EXE_finesse-tap"))
}
