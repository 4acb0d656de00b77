//! A browser's own HAR of a real login, and what Wireshark makes of an export.

use super::client::{Endpoint, Library};
use super::process::run;
use super::server::Server;
use super::tap::Capture;
use super::{AGENT, HOST, PASSWORD, holds_the_login, ready};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use std::fs;
use std::path::Path;
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

    let captured = fs::read_dir(&imported).expect("the capture").next().expect("a file").expect("a file").path();
    shows_in_wireshark(&captured, &directory.path().join("login.pcapng"));
    for form in ["har", "text"] {
        let out = directory.path().join(form);
        run(ours().args(["export", form]).arg(&captured).arg("-o").arg(&out));
        let text = fs::read_to_string(&out).expect("the export");
        assert!(!text.contains(&triple) && !text.contains("canary"), "the password is in the {form}");
    }
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
