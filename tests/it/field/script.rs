//! The text of a scenario, taken apart: lines, words, expectations. `tests/field/README.md` describes the format.

use std::collections::BTreeMap;

/// Which lines of a file count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading {
    /// Those of the fault: with `!`, without `~`.
    Fault,
    /// Those of its healthy twin: with `~`, without `!`.
    Twin,
}

/// A scenario as it is written.
pub struct Script {
    /// Number of each line, how long after the one before it happens (ms), who, what, with what.
    pub lines: Vec<Line>,
    pub expected: Vec<Expected>,
    /// Words that the report's first sentence holds, and its advice.
    pub headline: Option<String>,
    pub advice: Option<String>,
    /// It strikes the whole server: whoever works beside is at the other node.
    pub strikes_all: bool,
    /// Whether it also goes through the real proxy.
    pub through_proxy: bool,
    /// Whether any line is marked, so that it has a twin.
    pub has_twin: bool,
}

pub struct Line {
    pub number: usize,
    pub after_ms: u64,
    pub who: String,
    pub verb: String,
    pub words: Words,
}

/// A finding, or something else that must come of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expected {
    pub code: String,
    pub facts: BTreeMap<String, String>,
}

/// What stands behind a verb.
#[derive(Clone, Default)]
pub struct Words {
    pub plain: Vec<String>,
    pub named: BTreeMap<String, String>,
}

impl Words {
    fn read(text: &str) -> Self {
        let mut words = Self::default();
        for word in split(text) {
            match word.split_once('=') {
                Some((name, value)) if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') => {
                    words.named.insert(name.to_owned(), value.to_owned());
                }
                _ => words.plain.push(word),
            }
        }
        words
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.named.get(name).map(String::as_str)
    }

    pub fn or<'w>(&'w self, name: &str, default: &'w str) -> &'w str {
        self.get(name).unwrap_or(default)
    }

    pub fn at(&self, index: usize) -> Option<&str> {
        self.plain.get(index).map(String::as_str)
    }
}

impl Script {
    pub fn read(text: &str, reading: Reading) -> Self {
        let mut script = Self {
            lines: Vec::new(),
            expected: Vec::new(),
            headline: None,
            advice: None,
            strikes_all: false,
            through_proxy: false,
            has_twin: false,
        };
        for (index, line) in text.lines().enumerate() {
            script.line(index + 1, line.trim(), reading);
        }
        script
    }

    fn line(&mut self, number: usize, line: &str, reading: Reading) {
        let mut line = line;
        for (mark, of) in [('!', Reading::Fault), ('~', Reading::Twin)] {
            if let Some(rest) = line.strip_prefix(mark) {
                self.has_twin = true;
                if of != reading {
                    return;
                }
                line = rest.trim_start();
            }
        }
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        let mut after_ms = 0;
        if let Some(rest) = line.strip_prefix('+') {
            let (time, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            after_ms = milliseconds(time);
            line = rest.trim_start();
        }
        let (who, rest) = line.split_once(' ').unwrap_or((line, ""));
        match who {
            "expect" => {
                if reading == Reading::Fault {
                    let words = Words::read(rest);
                    let code = words.at(0).unwrap_or_else(|| panic!("line {number}: expect what?")).to_owned();
                    self.expected.push(Expected { code, facts: words.named });
                }
            }
            "headline" => self.headline = Words::read(rest).plain.first().cloned(),
            "advice" => self.advice = Words::read(rest).plain.first().cloned(),
            "everybody" => self.strikes_all = true,
            "through" => self.through_proxy = true,
            _ => {
                let (verb, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                let (who, verb) = (who.to_owned(), verb.to_owned());
                self.lines.push(Line { number, after_ms, who, verb, words: Words::read(rest) });
            }
        }
    }
}

/// `7`, `0.5` (seconds), `2m`, `1h`.
pub fn milliseconds(text: &str) -> u64 {
    let (number, unit_ms) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(number) if text.ends_with('m') => (number, 60_000.0),
        Some(number) if text.ends_with('h') => (number, 3_600_000.0),
        Some(number) => (number, 1_000.0),
        None => (text, 1_000.0),
    };
    let number: f64 = number.parse().unwrap_or_else(|_| panic!("`{text}` is no time: write 7, 0.5, 2m or 1h"));
    (number * unit_ms).round() as u64
}

/// Words with blanks between them; quotes keep blanks, also behind a `name=`.
fn split(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.next_if_eq(&'"').is_some() => {
                word.push('"');
                any = true;
            }
            '"' => {
                quoted = !quoted;
                any = true;
            }
            ' ' if !quoted => {
                if any {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            _ => {
                word.push(c);
                any = true;
            }
        }
    }
    if any {
        words.push(word);
    }
    words
}
