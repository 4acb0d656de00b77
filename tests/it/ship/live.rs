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
    assert!(ended.stderr.contains("the next start goes on") && !ended.stderr.contains("canary"), "{}", ended.stderr);
}
