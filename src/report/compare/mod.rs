//! `compare`: a session that works beside one that does not, step by step, and where they part first.
//!
//! `trace` makes steps of both; here they are laid side by side and their differences named: a missing step, another order,
//! another status, header or certificate, another timing.

mod trace;

use super::model::Mark;
use super::page::{Block, Cell, Kind, Page, Piece, Style, Table, Tone, cell};
use super::words::Zone;
use super::{Format, model, write};
use crate::filter::Filter;
use crate::stored;
use crate::stored::Sources;
use anyhow::bail;
use serde::Serialize;
use std::path::{Path, PathBuf};
use trace::{Step, Traces};

/// Timing is another if it is so many times as long …
const SLOWER_TIMES: u64 = 3;
/// … and by so much longer, microseconds.
const SLOWER_US: u64 = 500_000;

/// What is compared, and into what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The one that works.
    pub good: Wanted,
    /// The one that does not.
    pub bad: Wanted,
    /// In which form.
    pub format: Format,
    /// Where to; none is standard output.
    pub output: Option<PathBuf>,
}

/// One session of a capture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// The capture.
    pub capture: PathBuf,
    /// Its session, or its agent; none is the one that suits best.
    pub who: Option<String>,
}

impl From<&Path> for Wanted {
    /// `FILE#SESSION` is a session of a file, unless a file is called so.
    fn from(path: &Path) -> Self {
        let text = path.to_string_lossy();
        match text.rsplit_once('#') {
            Some((file, who)) if !path.exists() && !who.is_empty() => {
                Self { capture: PathBuf::from(file), who: Some(who.to_owned()) }
            }
            _ => Self { capture: path.to_owned(), who: None },
        }
    }
}

/// Two sessions side by side.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// Version of this shape.
    pub schema: &'static str,
    /// The one that works.
    pub good: Side,
    /// The one that does not.
    pub bad: Side,
    /// The first step that differs, by its place in `steps`; absent if none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts_at: Option<usize>,
    /// The steps of both: in the order of the one that works, others behind what they follow.
    pub steps: Vec<Pair>,
}

/// A session that is compared.
#[derive(Debug, Serialize)]
pub struct Side {
    /// Where it was read from.
    pub capture: String,
    /// Its id.
    pub session: String,
    /// Its run.
    pub run: String,
    /// The agent's names.
    pub agent: Vec<String>,
}

/// A step of both, or of one.
#[derive(Debug, Serialize)]
pub struct Pair {
    /// What it is.
    pub name: String,
    /// In the session that works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub good: Option<Step>,
    /// In the one that does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bad: Option<Step>,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// A difference.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Difference {
    /// It is not in the session that does not work.
    Missing,
    /// It is only in the session that does not work.
    Extra,
    /// It comes at another place.
    Order,
    /// A status, header or certificate is another; none where it is absent.
    Fact {
        /// Which.
        name: String,
        /// In the one that works.
        good: Option<String>,
        /// In the one that does not.
        bad: Option<String>,
    },
    /// It took longer: more than three times as long, and half a second.
    Slower,
}

impl Difference {
    fn in_words(&self) -> String {
        match self {
            Self::Missing => String::from("missing"),
            Self::Extra => String::from("only here"),
            Self::Order => String::from("in another order"),
            Self::Slower => String::from("slower"),
            Self::Fact { name, good, bad } => {
                let said = |value: &Option<String>| value.clone().unwrap_or_else(|| String::from("absent"));
                format!("{name}: {} instead of {}", said(bad), said(good))
            }
        }
    }
}

/// Compares and writes.
///
/// # Errors
/// A capture cannot be read, the session is not in it, or the result cannot be written.
pub fn run(request: &Request, good: &Sources, bad: &Sources) -> anyhow::Result<()> {
    if let Some(out) = &request.output {
        stored::promises(out, request.format.written(), request.format.endings())?;
        good.apart(out)?;
        bad.apart(out)?;
    }
    let rendered = rendered(request, good, bad, super::columns(request.output.is_none()))?;
    write(&rendered, request.output.as_deref(), "comparison")
}

/// Compares, in the form that is asked for.
///
/// # Errors
/// A capture cannot be read, or a session is not in it.
pub fn rendered(request: &Request, good: &Sources, bad: &Sources, columns: usize) -> anyhow::Result<String> {
    let comparison = compare((&request.good, good), (&request.bad, bad))?;
    Ok(match request.format {
        Format::Json => serde_json::to_string_pretty(&comparison)? + "\n",
        Format::Text => super::text::render(&page(&comparison), &report(&comparison), &Zone::default(), columns),
        Format::Html => super::html::render(&page(&comparison), &report(&comparison), &Zone::default()),
    })
}

/// Lays two sessions side by side.
///
/// # Errors
/// A capture cannot be read, or the session is not in it.
pub fn compare(good: (&Wanted, &Sources), bad: (&Wanted, &Sources)) -> anyhow::Result<Comparison> {
    let (good, good_sources) = good;
    let (bad, bad_sources) = bad;
    let good_traces = read(good_sources, 0)?;
    let bad_traces = read(bad_sources, 1)?;
    let works = pick(&good_traces, good, None, |session| (!session.is_signed_in, session.troubles))?;
    // In one capture the other session is another one.
    let is_one = good.capture == bad.capture;
    let not = (is_one && bad.who.is_none()).then_some(works);
    let fails = pick(&bad_traces, bad, not, |session| (session.is_signed_in, u64::MAX - session.troubles))?;
    if is_one && works == fails {
        bail!(
            "both are session {} of {}\nhint: name two: finesse-tap compare FILE#s1 FILE#s2",
            side(&good_traces, good, works).session,
            good.capture.display()
        );
    }
    let steps = pairs(good_traces.steps(works), bad_traces.steps(fails));
    Ok(Comparison {
        schema: "1.0",
        good: side(&good_traces, good, works),
        bad: side(&bad_traces, bad, fails),
        parts_at: steps.iter().position(|pair| !pair.differences.is_empty()),
        steps,
    })
}

/// All that is in some captures; lines are told as of `file`.
fn read(sources: &Sources, file: u32) -> anyhow::Result<Traces> {
    let mut traces = Traces::default();
    sources.each(&Filter::default(), &mut |_, _| (), &mut |seen| {
        if let Ok(read) = &seen.read {
            let mark = Mark { file, line: seen.mark.number, sequence: 0, offset_bytes: seen.mark.offset_bytes };
            traces.line(&read.line, mark);
        }
        Ok(())
    })?;
    Ok(traces)
}

/// The session that is asked for, or the one that is first by `rank`.
fn pick(
    traces: &Traces,
    wanted: &Wanted,
    not: Option<usize>,
    rank: impl Fn(&trace::Session) -> (bool, u64),
) -> anyhow::Result<usize> {
    let fits = |session: &trace::Session| wanted.who.as_deref().is_none_or(|who| session.goes_by(who));
    let sessions = traces.sessions.iter().enumerate().filter(|(index, session)| Some(*index) != not && fits(session));
    match sessions.min_by_key(|(_, session)| rank(session)) {
        Some((index, _)) => Ok(index),
        None => {
            let there = traces.sessions.iter().take(20).map(|session| match session.names.first() {
                Some(name) => format!("{} (agent {name})", session.id),
                None => session.id.clone(),
            });
            let there = there.collect::<Vec<_>>().join(", ");
            let who =
                wanted.who.as_ref().map_or_else(|| String::from("no other session"), |who| format!("no session {who}"));
            let hint = if there.is_empty() {
                String::from("nobody signed in there")
            } else {
                format!("sessions there: {there}")
            };
            bail!("there is {who} in {}\nhint: {hint}", wanted.capture.display())
        }
    }
}

fn side(traces: &Traces, wanted: &Wanted, index: usize) -> Side {
    let session = traces.sessions.get(index);
    Side {
        capture: wanted.capture.display().to_string(),
        session: session.map(|session| session.id.clone()).unwrap_or_default(),
        run: session.map(|session| session.run.clone()).unwrap_or_default(),
        agent: session.map(|session| session.names.clone()).unwrap_or_default(),
    }
}

/// Both sides by the names of their steps.
fn pairs(good: Vec<Step>, mut bad: Vec<Step>) -> Vec<Pair> {
    let places: Vec<Option<usize>> =
        good.iter().map(|step| bad.iter().position(|other| other.name == step.name)).collect();
    let in_order = in_order(&places);
    let names: Vec<String> = good.iter().map(|step| step.name.clone()).collect();
    let mut pairs: Vec<Pair> = Vec::new();
    for ((step, place), in_order) in good.into_iter().zip(&places).zip(in_order) {
        let other = place.and_then(|place| bad.get(place)).cloned();
        let mut differences = match &other {
            None => vec![Difference::Missing],
            Some(other) => differing(&step, other),
        };
        if other.is_some() && !in_order {
            differences.insert(0, Difference::Order);
        }
        pairs.push(Pair { name: step.name.clone(), good: Some(step), bad: other, differences });
    }
    // What only one has stands behind the step that it follows there.
    let mut behind: Option<String> = None;
    for step in bad.drain(..) {
        let name = step.name.clone();
        if !names.contains(&name) {
            let at = behind.as_ref().and_then(|behind| pairs.iter().position(|pair| pair.name == *behind));
            let pair = Pair { name: name.clone(), good: None, bad: Some(step), differences: vec![Difference::Extra] };
            pairs.insert(at.map_or(0, |at| at + 1), pair);
        }
        behind = Some(name);
    }
    pairs
}

/// Which of the places belong to the longest run that only rises.
fn in_order(places: &[Option<usize>]) -> Vec<bool> {
    let mut best: Vec<(usize, Option<usize>)> = Vec::with_capacity(places.len());
    for (index, place) in places.iter().enumerate() {
        let before = places.iter().zip(&best).enumerate().take(index);
        let before = before.filter(|(_, (other, _))| other.is_some() && *other < place);
        let longest = before.max_by_key(|(_, (_, (length, _)))| *length).map(|(at, (_, (length, _)))| (at, *length));
        best.push(match (place, longest) {
            (None, _) => (0, None),
            (Some(_), None) => (1, None),
            (Some(_), Some((at, length))) => (length + 1, Some(at)),
        });
    }
    let mut rising = vec![false; places.len()];
    let mut next = best.iter().enumerate().max_by_key(|(_, (length, _))| *length).map(|(at, _)| at);
    while let Some(at) = next {
        if let Some(is_rising) = rising.get_mut(at) {
            *is_rising = places.get(at).is_some_and(Option::is_some);
        }
        next = best.get(at).and_then(|(_, before)| *before);
    }
    rising
}

fn differing(good: &Step, bad: &Step) -> Vec<Difference> {
    let value = |step: &Step, name: &str| {
        let values = step.facts.iter().filter(|(known, _)| known == name).map(|(_, value)| &**value);
        let values = values.collect::<Vec<_>>().join(", ");
        (!values.is_empty()).then_some(values)
    };
    let mut differences: Vec<Difference> = Vec::new();
    for (name, _) in good.facts.iter().chain(&bad.facts) {
        let (good, bad) = (value(good, name), value(bad, name));
        let difference = Difference::Fact { name: name.clone(), good, bad };
        if let Difference::Fact { good, bad, .. } = &difference
            && good != bad
            && !differences.contains(&difference)
        {
            differences.push(difference);
        }
    }
    if let (Some(good), Some(bad)) = (good.took_us, bad.took_us)
        && bad > good.saturating_mul(SLOWER_TIMES)
        && bad - good > SLOWER_US
    {
        differences.push(Difference::Slower);
    }
    differences
}

/// The files that lines are named by.
fn report(comparison: &Comparison) -> model::Report {
    let file = |side: &Side| model::File { path: side.capture.clone(), bytes: 0, lines: 0 };
    model::Report { files: vec![file(&comparison.good), file(&comparison.bad)], ..model::Report::default() }
}

fn page(comparison: &Comparison) -> Page {
    let who = |side: &Side| match side.agent.first() {
        Some(agent) => format!("agent {agent} ({} of {})", side.session, side.capture),
        None => format!("{} of {}", side.session, side.capture),
    };
    let (good, bad) = (who(&comparison.good), who(&comparison.bad));
    let verdict = match comparison.parts_at.and_then(|at| comparison.steps.get(at)) {
        None => Block::Verdict(Tone::Good, cell!["No step differs."]),
        Some(pair) => {
            let what = pair.differences.iter().take(3).map(Difference::in_words).collect::<Vec<_>>().join("; ");
            Block::Verdict(Tone::Bad, cell![format!("They part at “{}”: {what}", pair.name)])
        }
    };
    let same = comparison.steps.iter().filter(|pair| pair.differences.is_empty()).count();
    let counted =
        format!("{same} of {} steps are the same. Times are since each session's first step.", comparison.steps.len());
    let side = |step: Option<&Step>| match step {
        None => (Cell::new(), Cell::new(), Cell::new()),
        Some(step) => (
            cell!["+", Piece::Took(step.after_us)],
            step.took_us.map(|us| vec![Piece::Took(us)]).unwrap_or_default(),
            cell![step.line],
        ),
    };
    let rows = comparison.steps.iter().enumerate().map(|(index, pair)| {
        let (good_at, good_took, good_line) = side(pair.good.as_ref());
        let (bad_at, bad_took, bad_line) = side(pair.bad.as_ref());
        let tone = match pair.differences.is_empty() {
            true => Tone::Good,
            false if comparison.parts_at == Some(index) => Tone::Bad,
            false => Tone::Warn,
        };
        let words = pair.differences.iter().map(Difference::in_words).collect::<Vec<_>>().join("; ");
        vec![
            cell![Piece::Symbol(tone)],
            cell![pair.name.clone()],
            good_at,
            good_took,
            good_line,
            bad_at,
            bad_took,
            bad_line,
            cell![words],
        ]
    });
    let number = Kind::Number;
    let table = Table {
        title: String::from("Step by step"),
        columns: vec![
            ("", Kind::Words),
            ("step", Kind::Words),
            ("good at", number),
            ("took", number),
            ("line", number),
            ("bad at", number),
            ("took", number),
            ("line", number),
            ("difference", Kind::Words),
        ],
        rows: rows.collect(),
        left_out: 0,
        is_whole: true,
    };
    let title = cell![format!("{good} beside {bad}")];
    let facts = vec![("good", cell![good]), ("bad", cell![bad])];
    Page {
        name: title,
        title: cell!["Two sessions side by side"],
        blocks: vec![verdict, Block::Facts(facts), Block::Paragraph(Style::Quiet, cell![counted]), Block::Table(table)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(good: &str, bad: &str) -> anyhow::Result<Comparison> {
        let open = |wanted: &Wanted| Sources::open(std::slice::from_ref(&wanted.capture), &mut |_| unreachable!());
        let (good, bad) = (Wanted::from(Path::new(good)), Wanted::from(Path::new(bad)));
        compare((&good, &open(&good)?), (&bad, &open(&bad)?))
    }

    #[test]
    fn a_login_that_is_refused_parts_where_it_is() {
        let comparison = compared("tests/playbook/login.ndjson", "tests/playbook/refused.ndjson").unwrap();
        let missing = |name: &str| {
            let pair = comparison.steps.iter().find(|pair| pair.name == name).unwrap();
            pair.bad.is_none() && pair.differences == [Difference::Missing]
        };
        assert!(missing("login: auth"), "{:?}", comparison.steps);
        let refused = comparison.steps.iter().find(|pair| pair.name == "login: refused").unwrap();
        assert_eq!(refused.differences, [Difference::Extra]);
    }

    #[test]
    fn a_session_beside_itself_is_refused_and_a_copy_is_the_same() {
        let path = "tests/playbook/login.ndjson";
        let error = compared(path, path).unwrap_err().to_string();
        assert!(error.contains("no other session") && error.contains("hint: sessions there: s1"), "{error}");
        let error = compared(path, &format!("{path}#s1")).unwrap_err().to_string();
        assert!(error.contains("both are session s1"), "{error}");
        let dir = tempfile::tempdir().unwrap();
        let copy = dir.path().join("copy.ndjson");
        std::fs::copy(path, &copy).unwrap();
        let comparison = compared(path, copy.to_str().unwrap()).unwrap();
        assert!(comparison.steps.len() > 5);
        assert_eq!(comparison.parts_at, None, "{:?}", comparison.steps);
    }

    fn step(name: &str, took_us: u64, facts: &[(&str, &str)]) -> Step {
        let facts: Vec<(String, String)> = facts.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        Step::new(name.to_owned(), Some(took_us), facts)
    }

    #[test]
    fn each_kind_of_difference_has_its_name() {
        let good = vec![
            step("a", 100, &[("certificate", "CN=x by CA 1"), ("status", "200")]),
            step("b", 100_000, &[]),
            step("c", 100, &[("request header origin", "https://x")]),
            step("d", 100, &[]),
            step("e", 100_000, &[]),
        ];
        let bad = vec![
            step("a", 100, &[("certificate", "CN=x by CA 2"), ("status", "200")]),
            step("b", 700_000, &[]),
            step("d", 100, &[]),
            step("x", 100, &[]),
            step("c", 100, &[]),
            // Slow, but by less than half a second.
            step("e", 590_000, &[]),
        ];
        let pairs = pairs(good, bad);
        let found: Vec<(&str, Vec<String>)> = pairs
            .iter()
            .map(|pair| (&*pair.name, pair.differences.iter().map(Difference::in_words).collect()))
            .collect();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            found,
            [
                ("a", words(&["certificate: CN=x by CA 2 instead of CN=x by CA 1"])),
                ("b", words(&["slower"])),
                ("c", words(&["in another order", "request header origin: absent instead of https://x"])),
                ("d", words(&[])),
                ("x", words(&["only here"])),
                ("e", words(&[])),
            ]
        );
    }
}
