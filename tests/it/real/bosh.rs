//! The reference login over BOSH: Strophe in Node and in Chromium, Prosody and ejabberd, through the real binary.

use super::client::{Endpoint, Library, Seen};
use super::server::Server;
use super::tap::{Capture, Tap};
use super::{BROWSER, NODE, PASSWORD, is_the_reference_login, ready};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

#[test]
fn a_login_over_bosh_in_node_is_decoded() {
    if !ready("BOSH in Node", NODE) {
        return;
    }
    let server = Server::prosody();
    for library in [Library::Desktop, Library::Current] {
        is_the_reference_login(&Endpoint::direct(&server).login_in_node_over_bosh(&server, library));
        let tap = Tap::before(&server);
        let seen = tap.endpoint().login_in_node_over_bosh(&server, library);
        holds_the_session(&tap.stop(), &seen);
    }
}

#[test]
fn a_login_over_bosh_at_ejabberd_is_decoded() {
    if !ready("BOSH at ejabberd", &["ejabberdctl", "erl", "curl", "node", "openssl"]) {
        return;
    }
    let server = Server::ejabberd();
    let tap = Tap::before(&server);
    let seen = tap.endpoint().login_in_node_over_bosh(&server, Library::Current);
    holds_the_session(&tap.stop(), &seen);
}

#[test]
fn a_login_over_bosh_in_chromium_is_decoded() {
    if !ready("BOSH in Chromium", BROWSER) {
        return;
    }
    let server = Server::prosody();
    for library in [Library::Desktop, Library::Current] {
        let tap = Tap::before(&server);
        let seen = tap.endpoint().login_in_chromium_over_bosh(&server, library);
        holds_the_session(&tap.stop(), &seen);
    }
}

/// The capture is the login the client saw, as one session that logged in and said goodbye, without its secrets.
fn holds_the_session(capture: &Capture, seen: &Seen) {
    is_the_reference_login(seen);
    capture.is_whole();
    let frames = seen.until_close();
    capture.holds(frames, 0);
    let [opened, closed] = ["stream-opened", "stream-closed"].map(|action| {
        let found: Vec<_> = capture.all(action).map(|event| &event["finesse"]["stream"]).collect();
        let [only] = found[..] else { panic!("{} of {action}", found.len()) };
        only
    });
    assert!(opened["sid"].as_str().expect("a sid").starts_with("k-"));
    for term in ["wait_s", "hold", "inactivity_s"] {
        assert!(opened[term].is_u64(), "{term}: {opened}");
    }
    assert_eq!((&closed["close"]["by"], &closed["close"]["how"]), (&"client".into(), &"terminate".into()), "{closed}");
    let stages: Vec<_> = capture.events.iter().filter_map(|event| event["finesse"]["stage"].as_str()).collect();
    for stage in [
        "handshake",
        "open",
        "features",
        "auth",
        "restart",
        "bind",
        "finesse-presence",
        "user-subscription",
        "first-event",
    ] {
        assert!(stages.contains(&stage), "{stage} is not among {stages:?}");
    }
    let numbers: Vec<_> =
        capture.all("http-exchange").filter_map(|event| event["finesse"]["stream"]["request"].as_u64()).collect();
    assert!((0..numbers.len() as u64).all(|number| numbers.contains(&number)), "requests {numbers:?}");
    let findings: Vec<_> = capture.all("finding").map(|event| event["message"].clone()).collect();
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(capture.all("finesse-update").count(), 1);
    let encoded = BASE64_STANDARD.encode(format!("xy{PASSWORD}"));
    capture.is_free_of(&[PASSWORD.to_owned(), "canary".to_owned(), encoded[4..encoded.len() - 4].to_owned()]);
}
