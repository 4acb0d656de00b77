//! The tap as a thread: what its queue bounds, and how it ends without time.

use super::*;
use crate::bus::{CAPTURE_QUEUE_BYTES, Duty, Lot};
use crate::capture::observation::{Closed, End, How, Opened};
use crate::capture::policy::Level;
use crate::capture::{Door, Redactor};
use crate::conn::{Authority, Kind, Peers};
use crate::session::Tracker;
use bytes::Bytes;
use serde_json::Value;
use std::sync::Mutex;

fn opened(conn: ConnId) -> Opened {
    let peers = Peers {
        conn,
        client: "127.0.0.1:51734".parse().unwrap(),
        server: Authority { host: "f.test".into(), port: 8445 },
    };
    let (listener, at) = ("127.0.0.1:8445".parse().unwrap(), clock::now());
    Opened { peers, at, listener, sni: None, upstream: None, connect_us: None, kind: Kind::Https }
}

fn closed() -> Closed {
    Closed { at: clock::now(), by: End::Client, how: How::Fin, unclean: false, c2s_bytes: 0, s2c_bytes: 0, why: None }
}

/// The events that come of what is queued.
fn events(intake: Intake, receiver: &Receiver<Message>, budget: &Budget, hurry: bool) -> Vec<Value> {
    drop(intake);
    let redactor = Redactor::with_key(Level::Auth, &[7; 32]).unwrap();
    let door = Door::new(redactor, String::from("01TAP"), 8_000);
    let lines = Arc::new(Mutex::new(Vec::new()));
    let mut bus = Bus::new();
    let kept = Arc::clone(&lines);
    bus.attach("kept", Duty::Keep, 8 * CAPTURE_QUEUE_BYTES, move |receiver| {
        while let Some(items) = receiver.take() {
            let mut lot = Lot::default();
            for item in items {
                kept.lock().unwrap().extend(item.record().map(|record| record.line().to_vec()));
                lot.add(item);
            }
            receiver.written(&lot);
        }
    })
    .unwrap();
    run(receiver, budget, Decoder::new(door, Tracker::new(7)), &bus, &AtomicBool::new(hurry));
    assert!(bus.finish(Duration::from_secs(60)).iter().all(|done| done.returned));
    lines.lock().unwrap().iter().map(|line| serde_json::from_slice(line).unwrap()).collect()
}

#[test]
fn without_time_what_waits_is_counted_and_every_connection_is_closed() {
    let (intake, receiver, budget) = Intake::new(QUEUE_BYTES);
    let mut feed = intake.feed(ConnId(1));
    feed.opened(opened(ConnId(1)));
    for _ in 0..100 {
        feed.bytes(Direction::C2s, clock::now(), Bytes::from_static(b"GET /desktop/ HTTP/1.1\r\nHost: f\r\n\r\n"));
    }
    feed.closed(closed());
    assert!(budget.used() > 0);
    let events = events(intake, &receiver, &budget, true);
    let actions: Vec<&str> = events.iter().map(|event| event["event"]["action"].as_str().unwrap()).collect();
    assert_eq!(actions[0], "connection-opened");
    assert!(!actions.contains(&"http-exchange"), "{actions:?}");
    assert_eq!(actions.iter().filter(|action| **action == "connection-closed").count(), 1);
    let gap = events.iter().find(|event| event["event"]["action"] == "capture-gap").unwrap();
    assert_eq!(gap["finesse"]["gap"]["bytes"], 100 * 35, "{gap}");
    assert_eq!(budget.used(), 0);
}

#[test]
fn connections_that_come_faster_than_they_are_recorded_are_counted_and_bounded() {
    let (intake, receiver, budget) = Intake::new(QUEUE_BYTES);
    let mut last = None;
    for number in 1..=feed::MAX_FACTS as u64 + 10 {
        let mut feed = intake.feed(ConnId(number));
        feed.opened(opened(ConnId(number)));
        if number == 1 {
            last = Some(feed);
        } else if number > feed::MAX_FACTS as u64 {
            assert!(!feed.is_on());
            feed.bytes(Direction::C2s, clock::now(), Bytes::from_static(b"x"));
            feed.closed(closed());
        }
    }
    // One that is recorded is so up to its end.
    last.unwrap().closed(closed());
    let events = events(intake, &receiver, &budget, false);
    let count = |action: &str| events.iter().filter(|event| event["event"]["action"] == action).count();
    assert_eq!((count("connection-opened"), count("connection-closed")), (feed::MAX_FACTS, 1));
    let gap = events.iter().find(|event| event["event"]["action"] == "capture-gap").unwrap();
    assert_eq!((&gap["finesse"]["gap"]["at"], &gap["finesse"]["gap"]["events"]), (&"tap".into(), &10.into()), "{gap}");
}
