//! XMPP without HTTP, as third-party clients of the notification service speak it: slixmpp and OpenSSL against Prosody.

use super::client::Endpoint;
use super::process::run;
use super::server::Server;
use super::tap::Tap;
use super::{HOST, PASSWORD, ready, scripts};
use std::process::Command;

/// The programs a login with slixmpp needs.
const SLIXMPP: &[&str] = &["prosody", "node", "openssl", "python3"];
/// How slixmpp says that all came about.
const STEPS: [&str; 5] = ["session", "ready", "event", "pong", "end"];

#[test]
fn slixmpp_logs_in_with_tls_at_once_and_with_starttls() {
    if !ready("slixmpp", SLIXMPP) {
        return;
    }
    assert!(scripts().join("python/slixmpp").is_dir(), "slixmpp is not there: run tests/run");
    let server = Server::prosody();
    let [starttls, direct] = server.xmpp();
    for (tls, scheme, port) in [("direct", "xmpps", direct), ("starttls", "xmpp", starttls)] {
        let itself = Endpoint { port, ca: server.certificate().to_owned() };
        assert_eq!(itself.login_with_slixmpp(&server, tls), STEPS, "{tls}, without the proxy");
        let tap = Tap::leading(&server, &format!("0={scheme}://{HOST}:{port}"));
        assert_eq!(tap.endpoint().login_with_slixmpp(&server, tls), STEPS, "{tls}");
        let capture = tap.stop();
        capture.is_whole();
        let legs: Vec<_> = capture.all("tls-handshake").map(|event| event["finesse"]["tls"]["leg"].clone()).collect();
        assert_eq!(legs, ["client", "upstream"], "{tls}");
        for event in capture.all("xmpp-stanza") {
            assert_eq!(
                (&event["network"]["protocol"], &event["network"]["transport"]),
                (&"xmpp".into(), &"tcp".into())
            );
        }
        let stages: Vec<_> = capture.events.iter().filter_map(|event| event["finesse"]["stage"].as_str()).collect();
        for stage in ["open", "features", "auth", "restart", "bind", "user-subscription", "first-event"] {
            assert!(stages.contains(&stage), "{tls}: {stage} is not among {stages:?}");
        }
        let kinds: Vec<_> =
            capture.all("xmpp-stanza").filter_map(|event| event["finesse"]["xmpp"]["kind"].as_str()).collect();
        assert!(kinds.contains(&"space"), "{tls}: no keep-alive among {kinds:?}");
        let updates: Vec<_> = capture.all("finesse-update").map(|event| &event["finesse"]["update"]).collect();
        assert_eq!(updates.len(), 1, "{tls}");
        assert_eq!(updates[0]["user"]["state"], "READY");
        let findings: Vec<_> = capture.all("finding").map(|event| event["message"].clone()).collect();
        assert!(findings.is_empty(), "{tls}: {findings:?}");
        capture.is_free_of(&[PASSWORD.to_owned(), "canary".to_owned()]);
    }
}

#[test]
fn openssl_turns_to_tls_and_accepts_the_chain() {
    if !ready("STARTTLS with OpenSSL", &["prosody", "node", "openssl"]) {
        return;
    }
    let server = Server::prosody();
    let [port, _] = server.xmpp();
    let tap = Tap::leading(&server, &format!("0=xmpp://{HOST}:{port}"));
    let endpoint = tap.endpoint();
    let mut command = Command::new("openssl");
    command.args(["s_client", "-starttls", "xmpp", "-xmpphost", HOST, "-servername", HOST]);
    command.args([
        "-connect",
        &format!("127.0.0.1:{}", endpoint.port),
        "-verify_return_error",
        "-verify_hostname",
        HOST,
    ]);
    let session = run(command.arg("-CAfile").arg(&endpoint.ca)).stdout.join("\n");
    assert!(session.contains("Verify return code: 0 (ok)"), "{session}");
    let capture = tap.stop();
    let names: Vec<_> =
        capture.all("xmpp-stanza").filter_map(|event| event["finesse"]["xmpp"]["name"].as_str()).collect();
    assert_eq!(names, ["starttls", "proceed"]);
}
