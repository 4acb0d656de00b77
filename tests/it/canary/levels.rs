//! Every class at every level through decoder and door: what the level removes comes out in no spelling.

use super::class::{PLANTED, Planted};
use super::place::PLACES;
use super::{ENCODINGS, Encoding, Haystack, SECRET, Stage, act_at, script};
use finesse_tap::capture::policy::Level;
use std::fmt::Write as _;

const STRICT: [Level; 2] = [Level::Share, Level::Minimal];

#[test]
fn no_level_lets_out_what_it_removes() {
    let mut leaks = String::new();
    for planted in PLANTED {
        for level in [Level::Auth, Level::Share, Level::Minimal] {
            if !planted.is_removed_at(level) {
                continue;
            }
            for value in planted.values {
                for encoding in ENCODINGS {
                    for line in played(level, planted, encoding, value) {
                        if line.contains("\"masked\":") {
                            writeln!(leaks, "BLOCKED {}, {value} {encoding:?} at {level}", planted.name).unwrap();
                        }
                        if Haystack::of(&line).holds(value) {
                            writeln!(leaks, "LEAK {}, {value} {encoding:?} at {level}: {line}", planted.name).unwrap();
                        }
                    }
                }
            }
        }
    }
    assert!(leaks.is_empty(), "\n{leaks}");
}

/// What is removed by default is removed by every stricter level too.
#[test]
fn a_stricter_level_lets_out_no_credential() {
    let mut leaks = String::new();
    for place in PLACES {
        for (level, encoding) in STRICT.into_iter().flat_map(|level| ENCODINGS.map(|encoding| (level, encoding))) {
            for line in act_at(level, &place.says, encoding) {
                if Haystack::of(&line).holds(SECRET) {
                    writeln!(leaks, "LEAK {} {encoding:?} at {level}: {line}", place.name).unwrap();
                }
            }
        }
    }
    assert!(leaks.is_empty(), "\n{leaks}");
}

/// Without redaction every canary is there, or the tests above prove nothing.
#[test]
fn without_redaction_every_planted_value_comes_out() {
    // Of these only the size is ever written.
    let measured = ["odd text", "plain body", "HTML body", "broken XML"];
    for planted in PLANTED.iter().filter(|planted| !measured.contains(&planted.name)) {
        for value in planted.values {
            let log = played(Level::Off, planted, Encoding::Raw, value).concat();
            assert!(Haystack::of(&log).holds(value), "{}, {value}: {log}", planted.name);
        }
    }
}

fn played(level: Level, planted: &Planted, encoding: Encoding, value: &str) -> Vec<String> {
    let mut stage = Stage::new(level, 16 << 20);
    stage.play(&script(&planted.says, encoding, value));
    stage.end()
}
