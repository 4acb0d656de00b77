//! What stands between a shipper and its receiver: balancers, proxies, redirects, and what takes no gzip.

use super::ack::ship_with;
use super::site::Site;
use crate::support::bulk::Bulk;
use crate::support::hec::{Acks, Hec};
use crate::support::program::{Program, run};
use crate::support::receiver::{Asked, Contract, Mishap, Receiver, Reply, Wire};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::time::Duration;

/// Two HECs behind a balancer that keeps clients with a node by a cookie.
struct Balanced {
    nodes: [Hec; 2],
    next: usize,
    cookies: Stickiness,
    /// From the so manieth question for acknowledgements on, the first node is no longer there.
    first_leaves_at: usize,
    questions: usize,
    answers: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Stickiness {
    /// The same value in every answer.
    Steady,
    /// Set where it was not sent, or another node was meant.
    Once,
    /// Another value each time, for the same node.
    Rotating,
}

impl Balanced {
    fn start(nodes: [Acks; 2], cookies: Stickiness, first_leaves_at: usize) -> Receiver<Self> {
        let nodes = nodes.map(|acks| Hec { acks: Some(acks), ..Hec::default() });
        Receiver::start(Self { nodes, next: 0, cookies, first_leaves_at, questions: 0, answers: 0 }, Wire::Plain)
    }
}

impl Contract for Balanced {
    fn is_delivery(path: &str) -> bool {
        Hec::is_delivery(path)
    }

    fn answer(&mut self, asked: &Asked) -> Reply {
        self.questions += usize::from(!Self::is_delivery(&asked.path));
        let sent = asked.fields.get("cookie").map(|field| field.to_str().unwrap().to_owned());
        let wanted = sent.as_deref().and_then(|sent| sent.strip_prefix("NODE=")?[..1].parse().ok());
        let mut node = wanted.unwrap_or_else(|| {
            self.next += 1;
            (self.next - 1) % 2
        });
        if self.questions >= self.first_leaves_at {
            node = 1;
        }
        let mut reply = self.nodes[node].answer(asked);
        self.answers += 1;
        let value = match self.cookies {
            Stickiness::Rotating => format!("{node}.{}", self.answers),
            Stickiness::Steady | Stickiness::Once => node.to_string(),
        };
        if self.cookies != Stickiness::Once || wanted != Some(node) {
            reply.fields.push(("set-cookie", format!("NODE={value}; Path=/; HttpOnly")));
        }
        reply
    }
}

fn assert_complete(site: &Site, balanced: &Receiver<Balanced>, most: usize) {
    let contract = balanced.contract.lock().unwrap();
    let ids: BTreeSet<&String> = contract.nodes.iter().flat_map(|node| node.events.keys()).collect();
    assert_eq!(ids.len(), 3_000, "events that are indexed somewhere; {}", site.dir().display());
    let times: usize = contract.nodes.iter().flat_map(|node| node.events.values()).map(|(_, times)| times).sum();
    assert!(times <= most, "{times} in all");
}

#[tokio::test]
async fn behind_a_balancer_each_node_is_asked_for_its_own_acknowledgements() {
    for cookies in [Stickiness::Steady, Stickiness::Once, Stickiness::Rotating] {
        let healthy = || Acks { after_polls: 2, ..Acks::default() };
        let (site, balanced) = (Site::new(), Balanced::start([healthy(), healthy()], cookies, usize::MAX));
        site.write(1, 1..=3_000);
        let summary = ship_with(site.dir(), &balanced.url(), Duration::from_secs(60)).await.unwrap();
        assert_eq!((summary.counts.delivered, summary.counts.errors), (3_000, 0));
        assert_complete(&site, &balanced, 3_000);
    }
}

#[tokio::test]
async fn a_node_that_indexes_nothing_is_left_for_another() {
    for cookies in [Stickiness::Steady, Stickiness::Once, Stickiness::Rotating] {
        let dead = Acks { after_polls: 1, lost_batches: usize::MAX, ..Acks::default() };
        let healthy = Acks { after_polls: 1, ..Acks::default() };
        let (site, balanced) = (Site::new(), Balanced::start([dead, healthy], cookies, usize::MAX));
        site.write(1, 1..=3_000);
        let summary = ship_with(site.dir(), &balanced.url(), Duration::from_millis(300)).await.unwrap();
        assert_eq!(summary.counts.delivered, 3_000);
        assert!(summary.counts.errors > 0, "{:?}", summary.counts);
        assert_complete(&site, &balanced, 3_000);
    }
}

/// Both nodes number from 0, so that the second one's word about a number could be taken for the first one's.
#[tokio::test]
async fn the_word_of_another_node_confirms_nothing() {
    for cookies in [Stickiness::Steady, Stickiness::Once] {
        for leaves_at in [2, 3, 5] {
            let held = Acks { after_polls: 50, ..Acks::default() };
            let healthy = Acks { after_polls: 1, acknowledged: (0..40).collect(), ..Acks::default() };
            let (site, balanced) = (Site::new(), Balanced::start([held, healthy], cookies, leaves_at));
            site.write(1, 1..=3_000);
            let summary = ship_with(site.dir(), &balanced.url(), Duration::from_secs(60)).await.unwrap();
            assert_eq!(summary.counts.delivered, 3_000);
            assert_complete(&site, &balanced, 3_000);
        }
    }
}

#[test]
fn what_the_failure_store_took_is_no_delivery() {
    let (site, elastic) = (Site::new(), Receiver::start(Bulk { failure_store: 3, ..Bulk::ready() }, Wire::Plain));
    site.write(1, 1..=100);
    let ended = site.ship_to_elastic(&elastic, &[]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("delivered 97 events") && ended.stderr.contains("3 refused"), "{}", ended.stderr);
    let letters = std::fs::read_to_string(&site.kept(".dead.ndjson")[0]).unwrap();
    assert_eq!(letters.lines().filter(|line| line.contains("failure store")).count(), 3, "{letters}");

    // All of them: something is wrong there, and nothing is given up.
    let (site, elastic) =
        (Site::new(), Receiver::start(Bulk { failure_store: usize::MAX, ..Bulk::ready() }, Wire::Plain));
    site.write(1, 1..=100);
    let ended = site.ship_to_elastic(&elastic, &[]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("failure store") && !ended.stderr.contains("delivered 100"), "{}", ended.stderr);
    elastic.contract.lock().unwrap().failure_store = 0;
    let ended = site.ship_to_elastic(&elastic, &[]);
    assert!(ended.code == Some(0) && ended.stderr.contains("delivered 100"), "{}", ended.stderr);
}

#[test]
fn redirects_are_told_and_not_followed() {
    let (site, splunk) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain));
    site.write(1, 1..=10);
    for (status, to, hint) in [
        (307, "https://hec.example:8088/services/collector/event?x=1", "--splunk https://hec.example:8088"),
        (302, "/login", "give --splunk the address"),
    ] {
        splunk.suffer([Mishap::Say(status, vec![("location", to.into())], String::new())]);
        let ended = site.ship_to_splunk(&splunk, &[]);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains(hint) && !ended.stderr.contains("x=1"), "{}", ended.stderr);
    }
    assert_eq!(site.ship_to_splunk(&splunk, &[]).code, Some(0));
    site.assert_indexed(&splunk, 1..=10);
}

/// Refuses what is compressed.
struct Plain(Hec, u16);

impl Contract for Plain {
    fn is_delivery(path: &str) -> bool {
        Hec::is_delivery(path)
    }

    fn answer(&mut self, asked: &Asked) -> Reply {
        if asked.fields.contains_key("content-encoding") {
            return Reply { status: self.1, fields: Vec::new(), body: String::from("what is this?") };
        }
        self.0.answer(asked)
    }
}

#[test]
fn who_takes_no_gzip_gets_it_plain() {
    for status in [415, 400] {
        let (site, splunk) = (Site::new(), Receiver::start(Plain(Hec::default(), status), Wire::Plain));
        site.write(1, 1..=100);
        let args = ["ship", "captures", "--splunk", &splunk.url(), "--splunk-token-file", "token"];
        let ended = run(site.dir(), &args);
        assert!(ended.code == Some(0) && ended.stderr.contains("delivered 100 events"), "{}", ended.stderr);
        assert_eq!(splunk.contract.lock().unwrap().0.events.len(), 100);
    }
}

#[test]
fn the_proxy_of_the_environment_is_used_and_sees_no_event() {
    let (site, splunk) = (Site::new(), Receiver::start(Hec::default(), Wire::Tls));
    site.write(1, 1..=50);
    let (proxy, to) = (TcpListener::bind("127.0.0.1:0").unwrap(), splunk.address);
    let variable = format!("http://agent:pass-canary@{}", proxy.local_addr().unwrap());
    std::thread::spawn(move || {
        for client in proxy.incoming() {
            let mut client = client.unwrap();
            let head: Vec<String> =
                BufReader::new(&client).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let is_known = head.iter().any(|line| line.contains("Basic YWdlbnQ6cGFzcy1jYW5hcnk="));
            if head[0] != "CONNECT hec.example.test:8088 HTTP/1.1" || !is_known {
                let _ = client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
                continue;
            }
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
            let server = std::net::TcpStream::connect(to).unwrap();
            let (mut from, mut into) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut into));
            let mut server = server;
            std::thread::spawn(move || std::io::copy(&mut client, &mut server));
        }
    });
    let pin = splunk.certificate.as_ref().unwrap().1.clone();
    let args = ["ship", "captures", "--splunk", "https://hec.example.test:8088", "--splunk-pin", &pin];
    let args = [&args[..], &["--splunk-token-file", "token", "--give-up", "5s"]].concat();
    let ended = Program::start_in(site.dir(), &args, &[("HTTPS_PROXY", &variable)]).end();
    assert!(ended.code == Some(0) && ended.stderr.contains("delivered 50 events"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("canary"), "{}", ended.stderr);
    site.assert_indexed(&splunk, 1..=50);
    site.forget();
    let wrong = variable.replace("pass-canary", "other");
    let ended = Program::start_in(site.dir(), &args, &[("HTTPS_PROXY", &wrong)]).end();
    assert!(ended.code == Some(1) && ended.stderr.contains("407"), "{}", ended.stderr);
    let ended = Program::start_in(site.dir(), &args, &[("HTTPS_PROXY", &variable), ("NO_PROXY", "example.test")]).end();
    assert!(ended.code == Some(1) && ended.stderr.contains("is not found"), "{}", ended.stderr);
}
