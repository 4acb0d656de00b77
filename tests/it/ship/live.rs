//! Shippers beside a running proxy: what the capture holds arrives, and the relay does not notice.

use super::fault::wait_for;
use super::site::Site;
use crate::support::hec::{Hec, TOKEN};
use crate::support::program::{Program, Upstream, captures, tapping};
use crate::support::receiver::{Receiver, Wire};
use crate::support::soon;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const REQUEST: &[u8] = b"GET /desktop/ HTTP/1.1\r\nHost: finesse.example.test\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async fn exchange(program: &mut Program, upstream: &Upstream) {
    let (mut client, server) = tokio::join!(program.client(), upstream.accept());
    let mut server = server.unwrap();
    let mut bytes = vec![0; REQUEST.len()];
    client.write_all(REQUEST).await.unwrap();
    soon("the request", server.read_exact(&mut bytes)).await.unwrap();
    server.write_all(ANSWER).await.unwrap();
    let mut bytes = vec![0; ANSWER.len()];
    soon("the answer", client.read_exact(&mut bytes)).await.unwrap();
    assert_eq!(bytes, ANSWER);
}

/// Every line of the captures, by id.
fn lines(site: &Site) -> std::collections::BTreeMap<String, serde_json::Value> {
    site.forget();
    let files = captures(&site.path("captures"));
    let lines = files.into_iter().flat_map(|(_, lines)| lines);
    lines.map(|line| (line["event"]["id"].as_str().unwrap().to_owned(), line)).collect()
}

/// Waits until the captures have so many lines.
fn written(site: &Site, wanted: usize) {
    let count = || -> usize {
        let files = std::fs::read_dir(site.path("captures")).unwrap().map(|entry| entry.unwrap().path());
        let texts = files.filter(|path| path.extension().is_some_and(|end| end == "ndjson")).map(std::fs::read);
        texts.map(|text| text.unwrap().iter().filter(|byte| **byte == b'\n').count()).sum()
    };
    let deadline = crate::support::Deadline::after(crate::support::PATIENCE);
    while count() < wanted {
        assert!(!deadline.is_over(), "{} lines are written", count());
        std::thread::yield_now();
    }
}

fn assert_all_there(site: &Site, splunk: &Receiver<Hec>) {
    let contract = splunk.contract.lock().unwrap();
    let found = contract.events.iter();
    let found = found.map(|(id, (line, _))| (id.clone(), serde_json::from_str(line).unwrap())).collect();
    assert_eq!(lines(site), found);
}

#[tokio::test]
async fn a_run_delivers_all_that_it_captures() {
    let (site, splunk, upstream) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain), Upstream::new().await);
    let url = splunk.url();
    let mut program = tapping(site.dir(), &upstream, &["--splunk", &url, "--splunk-token-file", "token"]);
    exchange(&mut program, &upstream).await;
    // The opening line, and what the connection's beginning gave.
    wait_for(&splunk, 4);
    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains(TOKEN));
    assert_all_there(&site, &splunk);
}

#[tokio::test]
async fn a_receiver_that_is_away_costs_the_relay_nothing_and_gets_everything_the_next_time() {
    let (site, splunk, upstream) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain), Upstream::new().await);
    let url = splunk.url();
    let receiver = ["--splunk", &url, "--splunk-token-file", "token"];
    splunk.away(true);
    let mut program = tapping(site.dir(), &upstream, &receiver);
    exchange(&mut program, &upstream).await;
    program.line("not delivered yet");
    exchange(&mut program, &upstream).await;
    // What is in the file outlives the process: the opening line, and three for each exchange.
    written(&site, 7);
    program.signal("KILL");
    assert_eq!(program.end().code, None);
    splunk.away(false);

    let program = tapping(site.dir(), &upstream, &receiver);
    wait_for(&splunk, 8);
    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_all_there(&site, &splunk);
}

#[tokio::test]
async fn a_wrong_token_is_said_and_the_relay_goes_on() {
    let (site, splunk, upstream) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain), Upstream::new().await);
    let url = splunk.url();
    site.secret("token", "wrong-canary");
    let mut program = tapping(site.dir(), &upstream, &["--splunk", &url, "--splunk-token-file", "token"]);
    let line = program.line("delivery stopped");
    assert!(line.contains("code 4"), "{line}");
    exchange(&mut program, &upstream).await;
    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let told = ended.stderr.lines().find(|line| line.contains("delivery had stopped")).unwrap_or_default();
    assert!(told.contains("once that is put right, the next start goes on") && told.contains("code 4"), "{told}");
    assert!(!ended.stderr.contains("canary"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_capture_beyond_its_limit_loses_the_oldest_and_tells_the_receiver_of_the_gap() {
    let (site, splunk, upstream) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain), Upstream::new().await);
    let url = splunk.url();
    // An earlier run's, which nobody has had yet.
    site.append(1, &format!("{}\n", super::site::event(7)).repeat(4_000));
    splunk.away(true);
    let receiver = ["--splunk", &url, "--splunk-token-file", "token", "--capture-limit", "1MB"];
    let mut program = tapping(site.dir(), &upstream, &receiver);
    program.line("removed before all of it was delivered");
    assert!(!site.file(1).exists());
    splunk.away(false);
    exchange(&mut program, &upstream).await;
    let gap = || {
        let contract = splunk.contract.lock().unwrap();
        contract.events.values().map(|(line, _)| line.clone()).find(|line| line.contains("\"capture-gap\""))
    };
    let since = finesse_tap::clock::now();
    let gap = loop {
        match gap() {
            Some(gap) => break gap,
            None => assert!(finesse_tap::clock::now().ms_since(since) < 60_000, "the gap never came"),
        }
        std::thread::yield_now();
    };
    let gap: serde_json::Value = serde_json::from_str(&gap).unwrap();
    assert_eq!(
        (gap["finesse"]["gap"]["events"].as_u64(), &gap["error"]["code"]),
        (Some(4_000), &"removed_undelivered".into())
    );
    assert!(gap["finesse"]["gap"].get("first_sequence").is_none(), "they were another run's: {gap}");
    assert_eq!(program.stop().code, Some(0));
}
