//! kill -9 of the shipper at every step, and outages in between: every event arrives, counted once by its id.

use super::site::Site;
use crate::support::bulk::Bulk;
use crate::support::hec::{Acks, Hec};
use crate::support::receiver::{Contract, Mishap, Receiver, Step, Wire};
use crate::support::{Dice, long};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Events of the test; 100,000 when `FINESSE_TAP_LONG=1`.
fn events() -> u64 {
    if long() { 100_000 } else { 2_400 }
}

/// Where a run is killed.
#[derive(Clone, Copy, Debug)]
enum Point {
    /// At this step of the so manieth delivery.
    At(Step, usize),
    /// When the checkpoint is being written, as soon as its new form is seen.
    InCheckpoint,
    /// Nowhere.
    Never,
}

const POINTS: [Point; 12] = [
    Point::At(Step::Begun, 1),
    Point::At(Step::Read, 1),
    Point::At(Step::Taken, 1),
    Point::At(Step::Answered, 1),
    Point::InCheckpoint,
    Point::At(Step::Begun, 3),
    Point::At(Step::Read, 4),
    Point::At(Step::Taken, 5),
    Point::At(Step::Answered, 6),
    Point::InCheckpoint,
    Point::At(Step::Taken, 2),
    Point::At(Step::Answered, 2),
];

fn kill(pid: u32) {
    let _ =
        std::process::Command::new("kill").args(["-9", &pid.to_string()]).stderr(std::process::Stdio::null()).status();
}

/// Runs the shipper, kills it at the point, and says whether it came to its end all the same.
fn run<C: Contract>(site: &Site, receiver: &Receiver<C>, args: &[String], point: Point) -> bool {
    let pid: Arc<Mutex<Option<u32>>> = Arc::default();
    let is_over = Arc::new(AtomicBool::new(false));
    if let Point::At(wanted, nth) = point {
        let (pid, mut seen) = (Arc::clone(&pid), 0);
        receiver.on_step(move |step| {
            seen += usize::from(step == wanted);
            if step == wanted && seen == nth {
                // The lock is held until the process has one.
                pid.lock().unwrap().iter().for_each(|pid| kill(*pid));
            }
        });
    }
    let mut held = pid.lock().unwrap();
    let program = site.start(args);
    *held = Some(program.pid());
    drop(held);
    let watcher = matches!(point, Point::InCheckpoint).then(|| {
        let (dir, pid, is_over) = (site.path("captures"), program.pid(), Arc::clone(&is_over));
        std::thread::spawn(move || {
            // The first one is written at the start: what counts is one after events have been taken.
            let mut seen = 0;
            while seen < 3 && !is_over.load(Ordering::SeqCst) {
                let is_new = |name: &str| name.ends_with(".json.new");
                let there = std::fs::read_dir(&dir).unwrap();
                let there = there.filter_map(Result::ok).any(|entry| is_new(entry.file_name().to_str().unwrap()));
                seen += usize::from(there);
            }
            if !is_over.load(Ordering::SeqCst) {
                kill(pid);
            }
        })
    });
    let ended = program.end();
    is_over.store(true, Ordering::SeqCst);
    if let Some(watcher) = watcher {
        watcher.join().unwrap();
    }
    receiver.no_hook();
    assert!(matches!(ended.code, None | Some(0)), "{:?}: {}", ended.code, ended.stderr);
    ended.code == Some(0)
}

/// All points in turn, then random ones with mishaps and outages, then to the end.
fn torment<C: Contract>(site: &Site, receiver: &Receiver<C>, args: &[String], count: impl Fn(&C) -> usize) {
    let mut dice = Dice::new(7);
    let (mut written, total) = (0, events());
    let mut killed = 0;
    for round in 0..2 * POINTS.len() {
        // Files come while the shipper is dead and alive.
        let upto = (total * (round as u64 + 1)) / (2 * POINTS.len() as u64);
        site.write(u32::try_from(round / 5).unwrap() + 1, written + 1..=upto);
        written = upto;
        let point = match round {
            round if round < POINTS.len() => POINTS[round],
            _ => POINTS[dice.below(POINTS.len())],
        };
        if round % 3 == 2 {
            let unavailable = Mishap::Say(503, Vec::new(), String::new());
            receiver.suffer([[Mishap::CutBeforeAnswer, Mishap::CutInBody, unavailable][round / 3 % 3].clone()]);
        }
        killed += usize::from(!run(site, receiver, args, point));
    }
    assert!(killed >= POINTS.len() / 2, "{killed} runs were killed");
    assert!(run(site, receiver, args, Point::Never));
    assert_eq!(count(&receiver.contract.lock().unwrap()) as u64, total);
    assert!(site.kept(".dead.ndjson").is_empty());
}

#[test]
fn splunk_has_all_events_whenever_the_shipper_is_killed() {
    let (site, splunk) = (Site::new(), Receiver::start(Hec::default(), Wire::Plain));
    torment(&site, &splunk, &Site::splunk(&splunk, &[]), |hec| hec.events.len());
    site.assert_indexed(&splunk, 1..=events());
}

#[test]
fn splunk_with_acknowledgements_has_all_events_whenever_the_shipper_is_killed() {
    let contract = Hec { acks: Some(Acks { after_polls: 1, ..Acks::default() }), ..Hec::default() };
    let (site, splunk) = (Site::new(), Receiver::start(contract, Wire::Plain));
    torment(&site, &splunk, &Site::splunk(&splunk, &["--splunk-ack"]), |hec| hec.events.len());
    site.assert_indexed(&splunk, 1..=events());
}

#[test]
fn elasticsearch_has_each_event_once_whenever_the_shipper_is_killed() {
    let (site, elastic) = (Site::new(), Receiver::start(Bulk::ready(), Wire::Plain));
    torment(&site, &elastic, &Site::elastic(&elastic, &[]), |bulk| bulk.documents.len());
    site.assert_stored(&elastic, 1..=events());
}
