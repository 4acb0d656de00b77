//! The table of places (`places.txt`): what a level removes leaves it neither live nor by way of a stored capture; what must
//! stay does.
//!
//! A place is a line; adding one is adding a line. Every place is played at every level, and captures of `auth` and of `off` are
//! redacted again as a bundle's are.

use super::outputs::Said;
use super::place::Says::{self, Client, Close, Request, Response, Server};
use super::place::{FORM, JSON, REST, XML};
use super::{Encoding, Haystack, Stage, script};
use finesse_tap::capture::policy::Level;
use finesse_tap::capture::redact::Picked;
use finesse_tap::capture::{Guards, Redactor};
use percent_encoding::percent_decode_str;
use std::fmt::Write as _;

const PLACES: &str = include_str!("places.txt");
/// A word of somebody's.
pub(super) const WORD: &str = "Zebrazq7Canary";

/// One line of the table.
struct Place {
    class: &'static str,
    says: Says,
    keeps: Option<&'static str>,
    line: &'static str,
}

fn places() -> Vec<Place> {
    let lines = PLACES.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| read(line).unwrap_or_else(|| panic!("no place: {line}"))).collect()
}

fn read(line: &'static str) -> Option<Place> {
    let mut parts = line.split(" | ");
    let (class, place, text) = (parts.next()?, parts.next()?, parts.next()?);
    let leaked = |text: String| -> &'static str { text.leak() };
    let text = if text.contains("\\n") { leaked(text.replace("\\n", "\n")) } else { text };
    let headers = || -> &'static [&'static str] { vec![text].leak() };
    let says = match place {
        "rest-xml" => Request(REST, XML, text),
        "answer-xml" => Response("HTTP/1.1 200 OK", XML, text),
        "answer-json" => Response("HTTP/1.1 200 OK", JSON, text),
        "form" => Request(REST, FORM, text),
        "query" => Request(leaked(format!("GET /d?{text} HTTP/1.1")), &[], ""),
        "path" => Request(leaked(format!("GET {text} HTTP/1.1")), &[], ""),
        "header" => Request("GET /a HTTP/1.1", headers(), ""),
        "answer-header" => Response("HTTP/1.1 200 OK", headers(), ""),
        "update" => Server(leaked(format!("{{EVENT}}<Update>{text}<event>PUT</event></Update>{{/EVENT}}"))),
        "c2s" => Client(text),
        "s2c" => Server(text),
        "close" => Close(text),
        _ => return None,
    };
    Some(Place { class, says, keeps: parts.next(), line })
}

/// What is planted in a place of a class, and from which level on it may not come out.
fn planted(class: &str) -> (&'static [&'static str], Level) {
    match class {
        "credential" | "session" => (&["Qz7vCanaryXk4WmTq9", "zqcanarypw"], Level::Auth),
        "random" => (&["Qz7vCanaryXk4WmTq9"], Level::Auth),
        "phone" | "phoneword" => (&["7391046285"], Level::Share),
        _ => (&[WORD], Level::Share),
    }
}

/// What the table says, for the test of all outputs; values that a level keeps are left out.
pub(super) fn said(level: Level) -> Vec<Said> {
    let places = places().into_iter().filter(|place| place.keeps.is_none());
    let said = places.filter_map(|place| {
        let (values, from) = planted(place.class);
        let is_said = level == Level::Off || level >= from;
        let says: &'static Says = Box::leak(Box::new(place.says));
        is_said.then_some(Said { name: place.line, says, value: values[0], encoding: Encoding::Raw })
    });
    said.collect()
}

fn play(level: Level, says: &Says, value: &str) -> Vec<String> {
    let mut stage = Stage::new(level, 16 << 20);
    stage.play(&script(says, Encoding::Raw, value));
    stage.end_unchecked()
}

/// The lines of a capture as a bundle has them.
pub fn shared(level: Level, lines: &[String]) -> Vec<String> {
    let (mut redactor, mut guards) = (Redactor::with_key(level, &[9; 32]).unwrap(), Guards::default());
    lines.iter().for_each(|line| redactor.learn(line.as_bytes(), &mut guards));
    let mut kept = Vec::new();
    for line in lines {
        let line = redactor.line(line.trim_end().as_bytes(), &Picked::default(), &mut guards).unwrap().unwrap();
        kept.push(String::from_utf8(line.line).unwrap());
    }
    kept
}

#[test]
fn there_are_five_hundred_places_and_more() {
    assert!(places().len() >= 500, "{}", places().len());
}

#[test]
fn no_place_lets_out_what_its_level_removes() {
    let mut leaks = String::new();
    for place in places().iter().filter(|place| place.keeps.is_none()) {
        let (values, from) = planted(place.class);
        for value in values {
            let off = play(Level::Off, &place.says, value);
            let auth = play(Level::Auth, &place.says, value);
            let mut outputs = vec![("auth, live", Level::Auth, auth.clone())];
            for level in [Level::Share, Level::Minimal] {
                outputs.push(("live", level, play(level, &place.says, value)));
                outputs.push(("of auth", level, shared(level, &auth)));
                outputs.push(("of off", level, shared(level, &off)));
            }
            for (output, level, lines) in outputs.iter().filter(|(_, level, _)| *level >= from) {
                let lower = value.to_lowercase();
                let spells =
                    |line: &&String| percent_decode_str(&line.to_lowercase()).decode_utf8_lossy().contains(&lower);
                if let Some(line) = lines.iter().find(spells) {
                    writeln!(leaks, "LEAK at {level} {output}, {value}: {}\n    {line}", place.line).unwrap();
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{} leaks\n{leaks}", leaks.matches("LEAK").count());
}

#[test]
fn what_must_stay_stays() {
    let mut lost = String::new();
    for place in places() {
        let Some(kept) = place.keeps else { continue };
        let level: Level = place.class.strip_prefix("keep ").unwrap().parse().unwrap();
        let log = play(level, &place.says, "").concat();
        if !Haystack::of(&log).holds(kept) && !log.contains(kept) {
            writeln!(lost, "LOST {}\n    {log}", place.line).unwrap();
        }
    }
    assert!(lost.is_empty(), "{} lost\n{lost}", lost.matches("LOST").count());
}
