//! Stopping a shipper: while a request hangs, again while it waits, and what is remembered of what was confirmed.

use super::site::Site;
use crate::support::hec::Hec;
use crate::support::receiver::{Asked, Contract, Mishap, Receiver, Reply, Step, Wire};
use crate::support::{Deadline, PATIENCE, soon};
use finesse_tap::filter::Filter;
use finesse_tap::ship::{self, Ack, End, Kind, Orders, Pace, Plan, Status, Url};
use finesse_tap::tls::upstream::Trust;
use std::io::Read as _;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

/// Longer than any test waits.
const EVER: Duration = Duration::from_secs(600);

#[test]
fn setup_is_stopped_although_the_receiver_does_not_answer() {
    let (site, silent) = (Site::new(), std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let url = format!("http://{}", silent.local_addr().unwrap());
    let args = ["ship", "captures", "--elastic", &url, "--elastic-api-key-file", "key", "--elastic-setup"];
    let program = site.start(&args.map(str::to_owned));
    let (mut asking, _) = silent.accept().unwrap();
    asking.read_exact(&mut [0; 3]).unwrap();
    let ended = program.stop();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("error: stopped before elastic http://127.0.0.1:"), "{}", ended.stderr);
}

#[test]
fn what_is_on_its_way_is_waited_for_until_the_second_stop() {
    let (site, splunk) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain));
    site.write(1, 1..=10);
    for signals in ["one", "many"] {
        let (is_read, read) = mpsc::channel();
        splunk.on_step(move |step| {
            if step == Step::Read {
                let _ = is_read.send(());
            }
        });
        splunk.suffer([Mishap::Slow(EVER)]);
        let mut program = site.start(&Site::splunk(&splunk, &[]));
        read.recv_timeout(PATIENCE).unwrap();
        program.signal("INT");
        program.line("press Ctrl-C again to force");
        while signals == "many" && program.is_running() {
            program.signal("INT");
        }
        let ended = program.end();
        if signals == "many" {
            assert_eq!(ended.code, Some(130), "{}", ended.stderr);
        } else {
            assert_eq!(ended.code, Some(1), "{}", ended.stderr);
            assert!(ended.stderr.contains("bytes to go\nhint: the same command goes on"), "{}", ended.stderr);
        }
    }
    assert_eq!(site.ship_to_splunk(&splunk, &[]).code, Some(0));
    site.assert_indexed(&splunk, 1..=10);
}

/// Takes the first event and what comes with it, and then hangs.
struct Hanging {
    hec: Hec,
    has_first: bool,
    hangs: UnboundedSender<()>,
    until_dropped: mpsc::Receiver<()>,
}

impl Contract for Hanging {
    fn is_delivery(path: &str) -> bool {
        Hec::is_delivery(path)
    }

    fn answer(&mut self, asked: &Asked) -> Reply {
        if memchr::memmem::find(&asked.body, b"\"sequence\":1,").is_some() {
            self.has_first = true;
            return self.hec.answer(asked);
        }
        if self.has_first {
            let _ = self.hangs.send(());
            let _ = self.until_dropped.recv();
        }
        Reply::json(503, r#"{"text":"Server is busy","code":9}"#)
    }
}

#[tokio::test]
async fn what_was_confirmed_is_remembered_before_the_rest_is_waited_for() {
    let (hangs, mut hanging) = unbounded_channel();
    let (_release, until_dropped) = mpsc::channel();
    let contract = Hanging { hec: Hec::default(), has_first: false, hangs, until_dropped };
    let (site, splunk) = (Site::new(), Receiver::start(contract, Wire::Plain));
    site.write(1, 1..=20);
    let token = ship::secret::Source::File(site.path("token"));
    let kind = Kind::Splunk { token, index: None, ack: Ack::IfOffered };
    let receiver = ship::Receiver { url: Url::parse(&splunk.url()).unwrap(), trust: Trust::System, kind };
    let pace = Pace { batch_events: 10, commit: EVER, grace: EVER, request: EVER, ..Pace::default() };
    let captures = site.path("captures");
    let plan = Plan {
        state: captures.clone(),
        captures,
        filter: Filter::default(),
        receiver,
        end: End::Delivered,
        give_up: None,
        pace,
    };
    let (status, orders) = (Arc::new(Status::new(plan.receiver.name())), Orders::default());
    let mut shipping = JoinSet::new();
    shipping.spawn({
        let (status, orders) = (Arc::clone(&status), orders.clone());
        async move { ship::run(&plan, &status, &orders).await }
    });
    soon("the second batch hangs", hanging.recv()).await;
    let deadline = Deadline::after(PATIENCE);
    while status.snapshot().delivered < 10 {
        assert!(!deadline.is_over(), "the first batch was never confirmed");
        tokio::task::yield_now().await;
    }
    let [checkpoint] = &site.kept(".json")[..] else { panic!("no checkpoint") };
    let is_remembered = || std::fs::read_to_string(checkpoint).unwrap().contains("offset");
    assert!(!is_remembered(), "too early to show anything");
    orders.stop.cancel();
    let deadline = Deadline::after(PATIENCE);
    while !is_remembered() {
        assert!(!deadline.is_over(), "what was confirmed is forgotten");
        tokio::task::yield_now().await;
    }
    assert!(shipping.try_join_next().is_none(), "the second batch may still arrive");
}
