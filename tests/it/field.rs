//! The field bench: what agents' desktops and servers really say, and what may be concluded from it.
//!
//! `tests/field/healthy` holds days without trouble: nothing may be found in them, nor when their beginning was not seen, nor
//! beside another agent. `tests/field/fault` holds troubles: exactly what is expected is found, and nothing in the twin, the
//! same without the fault. A new scenario is a new file; `tests/field/README.md` tells how to write one.

mod cases;
mod events;
mod http2;
mod login;
mod proxied;
pub mod run;
mod script;
mod socket;
mod web;
mod wire;
mod world;

use crate::canary::table::shared;
use finesse_tap::capture::policy::Level;
use finesse_tap::session::findings::Code;
use run::{Event, Step, Timeline, Told};
use script::{Expected, Reading, Script};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use world::World;

fn files(kind: &str) -> Vec<PathBuf> {
    let only = std::env::var("FIELD").unwrap_or_default();
    let mut paths: Vec<_> =
        std::fs::read_dir(format!("tests/field/{kind}")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        path.extension().is_some_and(|extension| extension == "day") && path.to_string_lossy().contains(&only)
    });
    paths.sort();
    paths
}

/// Every file through `check`, several at a time; all complaints together.
fn each(paths: &[PathBuf], check: impl Fn(&Path, &str) -> Vec<String> + Sync) {
    let complaints = std::sync::Mutex::new(Vec::new());
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(path) = paths.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let text = std::fs::read_to_string(path).unwrap();
                    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(path, &text)));
                    let told = told.unwrap_or_else(|panic| {
                        let why = panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "it panicked".into());
                        vec![why]
                    });
                    complaints
                        .lock()
                        .unwrap()
                        .extend(told.into_iter().map(|told| format!("{}: {told}", path.display())));
                }
            });
        }
    });
    let mut complaints = complaints.into_inner().unwrap();
    complaints.sort();
    assert!(complaints.is_empty(), "{} of {} scenarios:\n{}", complaints.len(), paths.len(), complaints.join("\n"));
}

#[test]
fn nothing_is_found_on_a_healthy_day() {
    let (another, elsewhere) = others();
    each(&files("healthy"), |_, text| {
        let script = Script::read(text, Reading::Fault);
        let day = World::play(&script);
        let ways = [
            ("as it is", day.clone()),
            ("seen from its second third on", late(&day, Sockets::Unseen)),
            ("its frames seen from the second third on", late(&day, Sockets::Opened)),
            ("beside another agent", beside(&day, if script.strikes_all { &elsewhere } else { &another })),
        ];
        let mut complaints = Vec::new();
        if !script.expected.is_empty() || script.has_twin {
            complaints.push("a healthy day expects nothing and has no twin".to_owned());
        }
        for (way, timeline) in ways {
            complaints.extend(differences(&[], &timeline.run()).into_iter().map(|told| format!("{way}: {told}")));
        }
        complaints
    });
}

/// A dozen of them through the real proxy.
#[tokio::test]
async fn a_healthy_day_is_one_behind_the_proxy() {
    let mut days = 0;
    for path in files("healthy") {
        let script = Script::read(&std::fs::read_to_string(&path).unwrap(), Reading::Fault);
        if script.through_proxy {
            days += 1;
            let complaints = differences(&[], &proxied::relay(&World::play(&script)).await);
            assert!(complaints.is_empty(), "{}: {complaints:?}", path.display());
        }
    }
    assert!(days >= 12 || std::env::var_os("FIELD").is_some(), "only {days} days say `through proxy`");
}

#[test]
fn every_fault_is_named_and_its_twin_is_not() {
    let (another, elsewhere) = others();
    each(&files("fault"), |_, text| {
        let script = Script::read(text, Reading::Fault);
        let mut complaints = Vec::new();
        if script.expected.is_empty() || !script.has_twin {
            complaints.push("a fault expects something and has a twin: mark its lines with ! (and ~)".to_owned());
        }
        let day = World::play(&script);
        let told = day.run();
        complaints.extend(differences(&script.expected, &told));
        complaints.extend(misread(&script, &told.lines));
        complaints.extend(lost_on_the_way(&script, &told.lines));
        let another = if script.strikes_all { &elsewhere } else { &another };
        let crowd = differences(&script.expected, &beside(&day, another).run());
        complaints.extend(crowd.into_iter().map(|told| format!("beside another agent: {told}")));
        let twin = World::play(&Script::read(text, Reading::Twin)).run();
        complaints.extend(differences(&[], &twin).into_iter().map(|told| format!("its twin: {told}")));
        complaints
    });
}

#[test]
fn every_finding_has_a_scenario() {
    let mut texts: String = files("fault").iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for entry in std::fs::read_dir("tests/playbook/findings").unwrap() {
        texts += &std::fs::read_to_string(entry.unwrap().path()).unwrap();
    }
    for code in Code::ALL.map(Code::as_str) {
        let is_expected = texts
            .lines()
            .any(|line| line.strip_prefix("expect ").and_then(|rest| rest.split(' ').next()) == Some(code));
        assert!(is_expected, "{code} comes of no scenario");
    }
}

/// What was expected and not found, and what was found and not expected.
fn differences(expected: &[Expected], told: &Told) -> Vec<String> {
    let mut rest: Vec<&(String, BTreeMap<String, String>)> = told.findings.iter().collect();
    let mut complaints = Vec::new();
    for wanted in expected {
        let fits = |found: &&(String, BTreeMap<String, String>)| {
            found.0 == wanted.code
                && wanted
                    .facts
                    .iter()
                    .all(|(name, value)| found.1.get(name).is_some_and(|known| value == "*" || known == value))
        };
        match rest.iter().position(fits) {
            Some(index) => drop(rest.remove(index)),
            None => complaints.push(format!("no {} {:?}; found {:?}", wanted.code, wanted.facts, told.findings)),
        }
    }
    complaints.extend(rest.into_iter().map(|(code, facts)| format!("says {code} {facts:?}")));
    assert!(!told.lines.contains("Canary"), "a secret is in the lines");
    complaints
}

/// What the report says first: the cause, which a scenario expects first, in the scenario's words and with its advice.
fn misread(script: &Script, lines: &str) -> Vec<String> {
    let stories = run::stories(lines);
    let Some([code, text, advice]) = stories.first() else { return vec![String::from("the report tells no story")] };
    let mut complaints = Vec::new();
    let cause = script.expected.first().map_or("", |expected| &*expected.code);
    if code != cause {
        complaints.push(format!("the report begins with {code}, not {cause}: {text}"));
    }
    for (what, wanted, said) in [("headline", &script.headline, text), ("advice", &script.advice, advice)] {
        match wanted {
            Some(wanted) if !said.contains(&**wanted) => {
                complaints.push(format!("the {what} lacks `{wanted}`: {said}"))
            }
            None if what == "headline" => complaints.push(format!("a fault has a headline; the report says `{said}`")),
            _ => {}
        }
    }
    complaints
}

/// A bundle of it is useful to whoever gets it: its report begins with the same cause.
fn lost_on_the_way(script: &Script, lines: &str) -> Option<String> {
    let lines: Vec<String> = lines.lines().map(str::to_owned).collect();
    let stories = run::stories(&format!("{}\n", shared(Level::Share, &lines).join("\n")));
    let cause = script.expected.first().map_or("", |expected| &*expected.code);
    match stories.first() {
        Some([code, ..]) if code == cause => None,
        Some([code, text, _]) => Some(format!("a bundle's report begins with {code}, not {cause}: {text}")),
        None => Some(String::from("a bundle's report tells no story")),
    }
}

/// What is seen of sockets that opened before anybody looked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sockets {
    /// Nothing: the proxy came later.
    Unseen,
    /// Their opening, and not what passed until then: as in a HAR.
    Opened,
}

/// The same with its first third missing.
fn late(day: &Timeline, sockets: Sockets) -> Timeline {
    let span = day.events.last().map_or(0, |event| event.at_ms);
    let from_ms = span / 3;
    let mut kept: Vec<Event> = Vec::new();
    let mut opened: BTreeMap<u64, Event> = BTreeMap::new();
    let mut gone: BTreeSet<u64> = BTreeSet::new();
    let mut answered: BTreeSet<u64> = BTreeSet::new();
    // XMPP by itself cannot be read from its middle.
    let mut headless: BTreeSet<u64> = BTreeSet::new();
    for event in &day.events {
        if event.at_ms >= from_ms {
            break;
        }
        match &event.step {
            Step::Open { .. } => drop(opened.insert(event.conn, event.clone())),
            Step::Close(..) => drop(opened.remove(&event.conn)),
            Step::Bytes(_, bytes) if bytes.starts_with(b"GET /ws/") || bytes.starts_with(b"<?xml") => {
                gone.insert(event.conn);
                if bytes.starts_with(b"<?xml") {
                    headless.insert(event.conn);
                }
            }
            Step::Unreached { .. } => drop(opened.remove(&event.conn)),
            Step::Http2 | Step::Bytes(..) | Step::Tls { .. } => {}
        }
    }
    for (conn, open) in &opened {
        if !gone.contains(conn) || sockets == Sockets::Opened && !headless.contains(conn) {
            kept.push(Event { at_ms: from_ms, ..open.clone() });
        }
    }
    if sockets == Sockets::Opened {
        let handshake = |event: &&Event| {
            let Step::Bytes(_, bytes) = &event.step else { return false };
            opened.contains_key(&event.conn)
                && gone.contains(&event.conn)
                && (bytes.starts_with(b"GET /ws/") || bytes.starts_with(b"HTTP/1.1 101"))
        };
        kept.extend(day.events.iter().filter(handshake).map(|event| Event { at_ms: from_ms, ..event.clone() }));
        gone = headless;
    }
    for event in day.events.iter().filter(|event| event.at_ms >= from_ms && !gone.contains(&event.conn)) {
        // An answer to a request that was not seen is not seen either.
        if let (Step::Bytes(direction, bytes), true) = (&event.step, opened.contains_key(&event.conn)) {
            let is_answer = *direction == finesse_tap::conn::Direction::S2c && bytes.starts_with(b"HTTP/1.1 ");
            if is_answer && !answered.contains(&event.conn) {
                continue;
            }
            answered.insert(event.conn);
        }
        kept.push(event.clone());
    }
    Timeline { events: kept, ..day.clone() }
}

/// The same while another agent works beside.
fn beside(day: &Timeline, another: &Timeline) -> Timeline {
    let mut events = day.events.clone();
    events.extend(another.events.iter().map(|event| Event { conn: event.conn + 10_000, ..event.clone() }));
    events.sort_by_key(|event| event.at_ms);
    Timeline { events, end_ms: day.end_ms.max(another.end_ms), ..day.clone() }
}

/// Another agent's day, at the same node and at the other one, where item ids go on.
fn others() -> (Timeline, Timeline) {
    let play = |text: &str| World::play(&Script::read(text, Reading::Fault));
    (play(ANOTHER), play(&ANOTHER.replace("cat login", "cat login at=fin2")))
}

/// An agent's day, to go on beside others; at the address of one of them.
const ANOTHER: &str = "
cat is client=192.0.2.11
+0.3 cat login
+2 cat state READY
+3 cat call 900
+20 cat state NOT_READY reason=3
+30 cat state READY
+20 cat logout
";
