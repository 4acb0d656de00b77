//! What the page asks, answered as JSON: the state of everything, a window of rows, one line, the timeline.

use super::Shared;
use super::index::{Entry, Index};
use super::people::People;
use super::query::{Query, Wanted};
use super::spans::Lane;
use super::store::lock;
use crate::clock;
use crate::stored::view::Line;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// Rows of one answer.
const MAX_ROWS: usize = 500;
/// How long an answer may look for more before it says how far it is.
const PATIENCE: Duration = Duration::from_millis(150);
/// Buckets of a timeline.
const MAX_BUCKETS: usize = 1_000;
/// Spans of one lane.
const MAX_LANE_SPANS: usize = 2_000;
/// Actions that are REST or other HTTP.
const HTTP: &str = "http-exchange";

/// Parameters of a request.
pub(super) type Parameters = HashMap<String, String>;

fn number<T: std::str::FromStr>(parameters: &Parameters, name: &str) -> Option<T> {
    parameters.get(name)?.parse().ok()
}

/// Agents, servers, problems, and how far everything was read.
pub(super) fn state(shared: &Shared) -> Value {
    let index = super::read(&shared.index);
    let find = |beside: u32, sequence: u64| {
        let run = index.entries.get(beside as usize)?.run;
        index.find(run, u32::try_from(sequence).ok()?)
    };
    let agents: Vec<Value> = index
        .people
        .agents()
        .map(|(number, agent)| {
            let (state, since) = agent.state.clone().map_or((None, None), |(state, at)| (Some(state), Some(at)));
            json!({
                "name": agent.names.first(), "names": agent.names, "online": !agent.sockets.is_empty(), "state": state,
                "state_since": since, "problems": index.problems.of(&index.people, number),
            })
        })
        .collect();
    let servers: Vec<Value> = index
        .people
        .servers
        .iter()
        .map(|(name, server)| json!({"name": name, "status": server.status, "trouble": server.trouble}))
        .collect();
    let exports: Vec<Value> =
        shared.exports.iter().map(|export| json!({"name": export.name, "title": export.title})).collect();
    json!({
        "title": shared.title, "live": shared.marks.is_some(), "level": index.level, "total": index.entries.len(),
        "indexed_bytes": index.read_bytes, "total_bytes": shared.total_bytes(), "foreign": index.foreign,
        "agents": agents, "servers": servers, "problems": index.problems.standing(&index.people, find),
        "nodes": index.nodes(), "exports": exports,
    })
}

/// A window of the rows that pass.
///
/// # Errors
/// The expression is none.
pub(super) fn rows(shared: &Shared, parameters: &Parameters) -> Result<Value, String> {
    let wanted = Wanted {
        expression: parameters.get("q").cloned().unwrap_or_default(),
        keepalives: parameters.get("pings").is_some_and(|wanted| wanted == "1"),
        time_us: number(parameters, "since").unwrap_or(i64::MIN)..number(parameters, "until").unwrap_or(i64::MAX),
        upto: number(parameters, "upto").unwrap_or(usize::MAX),
    };
    let count = number(parameters, "count").unwrap_or(100).min(MAX_ROWS);
    let around: Option<u32> = number(parameters, "around");
    let wants_last = parameters.contains_key("last");
    let from: Option<usize> = number(parameters, "from");
    let mut queries = lock(&shared.queries);
    let query = queries.get(&wanted)?;
    let began = clock::now();
    query.refresh(&shared.index);
    let satisfied = |query: &Query| match (from, around) {
        (Some(from), _) if !wants_last => query.matches.len() >= from + count,
        _ => false,
    };
    if !satisfied(query) {
        query.advance(&shared.sources(), &shared.index, |query| {
            satisfied(query) || clock::now().since(began) >= PATIENCE
        });
    }
    let index = super::read(&shared.index);
    let total = index.entries.len().min(wanted.upto);
    let at = around.map(|around| query.matches.partition_point(|number| *number < around));
    let from = match (at, from) {
        (Some(at), _) => at.saturating_sub(count / 2),
        (None, Some(from)) if !wants_last => from,
        _ => query.matches.len().saturating_sub(count),
    };
    let chosen: Vec<(u32, Entry)> = query
        .matches
        .iter()
        .skip(from)
        .take(count)
        .filter_map(|number| Some((*number, *index.entries.get(*number as usize)?)))
        .collect();
    let rows: Vec<Value> = chosen.iter().map(|(number, entry)| row(shared, &index, *number, entry)).collect();
    let mut answer = json!({
        "total": total, "matched": query.matches.len(), "scanned": query.scanned, "done": query.scanned >= total,
        "epoch": query.epoch, "from": from, "rows": rows,
    });
    if let (Some(at), Some(around), Some(answer)) = (at, around, answer.as_object_mut())
        && query.matches.get(at) == Some(&around)
    {
        answer.insert(String::from("at"), json!(at));
    }
    Ok(answer)
}

fn row(shared: &Shared, index: &Index, number: u32, entry: &Entry) -> Value {
    let text = shared.text(entry);
    let line = Line::read(&text).ok();
    let direction = match line.as_ref() {
        Some(line) if line.is_sent() => 0,
        Some(line) if line.is_received() => 1,
        _ => 2,
    };
    let gist = line.as_ref().map_or("no longer held in memory", |line| &*line.message);
    let agent = index.people.agent(entry.agent).and_then(|agent| agent.names.first());
    let agent = agent.map(String::as_str).or_else(|| line.as_ref().and_then(Line::session));
    let mut row = Map::new();
    for (name, value) in [
        ("n", json!(number)),
        ("t", json!(entry.at_us)),
        ("agent", json!(agent)),
        ("dir", json!(direction)),
        ("action", json!(index.actions.word(entry.action))),
        ("level", json!(["info", "warn", "error"].get(usize::from(entry.level)))),
        ("gist", json!(gist)),
    ] {
        row.insert(name.to_owned(), value);
    }
    if entry.took_us != u32::MAX {
        row.insert(String::from("ms"), json!(f64::from(entry.took_us) / 1_000.0));
    }
    if entry.keepalive {
        row.insert(String::from("keepalive"), json!(true));
    }
    Value::Object(row)
}

/// One line, with what caused it and what it caused.
pub(super) fn line(shared: &Shared, parameters: &Parameters) -> Option<Value> {
    let n: usize = number(parameters, "n")?;
    let index = super::read(&shared.index);
    let entry = *index.entries.get(n)?;
    let text = shared.text(&entry);
    let whole: Value = serde_json::from_slice(&text).ok()?;
    let refer = |at: usize| {
        let entry = index.entries.get(at)?;
        let text = shared.text(entry);
        let gist = Line::read(&text).map_or_else(|_| String::new(), |line| line.message.to_string());
        Some(json!({"n": at, "sequence": entry.sequence, "gist": gist}))
    };
    let cause = (entry.cause > 0).then(|| index.find(entry.run, entry.cause)).flatten().and_then(refer);
    let effects: Vec<Value> = index.effects(n).into_iter().filter_map(refer).collect();
    let evidence: Vec<Value> = whole["finesse"]["finding"]["evidence"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|sequence| refer(index.find(entry.run, u32::try_from(sequence.as_u64()?).ok()?)?))
        .collect();
    let ladder = Line::read(&text).ok().and_then(|line| index.ladders.of(entry.run, &line, &index.entries));
    Some(json!({
        "n": n, "t": entry.at_us, "line": whole, "cause": cause, "effects": effects, "evidence": evidence, "ladder": ladder,
    }))
}

/// The timeline in buckets and spans, or the line nearest to a time.
pub(super) fn timeline(shared: &Shared, parameters: &Parameters) -> Value {
    let index = super::read(&shared.index);
    if let Some(nearest) = number::<i64>(parameters, "nearest") {
        let distance = |entry: &Entry| entry.at_us.abs_diff(nearest);
        let found = index.entries.iter().enumerate().min_by_key(|(_, entry)| distance(entry));
        return found.map_or_else(|| json!({}), |(number, _)| json!({"n": number}));
    }
    let agent = parameters.get("agent").map(|name| index.people.find(name).unwrap_or(People::NOBODY));
    let of_agent = |number: u32| agent.is_none_or(|agent| index.people.root(number) == agent);
    let times = || index.entries.iter().map(|entry| entry.at_us);
    let from = number(parameters, "since").or_else(|| times().min()).unwrap_or(0);
    let to = number(parameters, "until").or_else(|| times().max()).unwrap_or(0).max(from + 1);
    let buckets = number(parameters, "buckets").unwrap_or(200).clamp(1, MAX_BUCKETS);
    let mut counts: [(&str, Vec<u64>); 4] =
        ["problems", "updates", "REST", "pings"].map(|name| (name, vec![0_u64; buckets]));
    let (finding, update, http) =
        (index.actions.find("finding"), index.actions.find("finesse-update"), index.actions.find(HTTP));
    for entry in index.entries.iter().filter(|entry| (from..=to).contains(&entry.at_us) && of_agent(entry.agent)) {
        let action = Some(entry.action);
        let lane = match () {
            () if action == finding => 0,
            () if action == update => 1,
            () if action == http => 2,
            () if entry.keepalive => 3,
            () => continue,
        };
        let at = i128::from(entry.at_us - from) * buckets as i128 / (i128::from(to - from) + 1);
        if let Some(count) = usize::try_from(at).ok().and_then(|at| counts.get_mut(lane)?.1.get_mut(at)) {
            *count += 1;
        }
    }
    let spans = |lane: Lane| -> Vec<Value> {
        let drawn = index.spans.spans.iter().filter(|span| span.lane == lane && of_agent(span.agent));
        let drawn = drawn.filter(|span| span.from_us <= to && span.to_us.is_none_or(|end| end >= from));
        let name = |number| index.people.agent(number).and_then(|agent| agent.names.first());
        drawn
            .take(MAX_LANE_SPANS)
            .map(|span| {
                json!({
                    "name": span.name, "from": span.from_us.max(from), "to": span.to_us.unwrap_or(to).min(to),
                    "agent": name(span.agent),
                })
            })
            .collect()
    };
    // States of many agents over one another tell nothing.
    let states = agent.is_some() || index.people.agents().count() == 1;
    let mut lanes = vec![json!({"name": "sockets", "spans": spans(Lane::Socket)})];
    if states {
        lanes.push(json!({"name": "states", "spans": spans(Lane::State)}));
    }
    lanes.push(json!({"name": "calls", "spans": spans(Lane::Call)}));
    lanes.extend(counts.into_iter().map(|(name, counts)| {
        let some = counts.iter().any(|count| *count > 0);
        json!({"name": name, "counts": if some { counts } else { Vec::new() }})
    }));
    json!({"from": from, "to": to, "lanes": lanes})
}
