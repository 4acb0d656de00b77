//! Marks become evidence: the gist of every line that a claim stands on.
//!
//! Lines are looked up again by where they begin, in order of the file, so that streaming need not remember what no claim
//! turned out to need.

use super::model::{Evidence, Mark, Report, Session};
use super::words;
use crate::stored::Sources;
use crate::stored::view::Line;
use std::collections::BTreeMap;

/// Longest message kept with its line, bytes.
const MAX_RAW_BYTES: usize = 8 << 10;

/// Fills in the evidence of a report. A file that has gone meanwhile leaves gists out.
pub(super) fn fill(report: &mut Report, sources: &Sources) {
    let mut wanted: BTreeMap<Mark, Vec<Option<usize>>> = BTreeMap::new();
    for (index, session) in report.sessions.iter().enumerate() {
        for mark in marks(session) {
            wanted.entry(mark).or_default().push(Some(index));
        }
    }
    for mark in own_marks(report) {
        wanted.entry(mark).or_default().push(None);
    }
    let mut buffer = Vec::new();
    for (mark, mut owners) in wanted {
        if mark.line == 0 {
            continue;
        }
        let source = usize::try_from(mark.file).ok().and_then(|file| sources.files().get(file));
        let text = source.and_then(|source| source.line(mark.offset_bytes, &mut buffer).ok());
        let Some(evidence) = text.and_then(|text| read(text, mark)) else { continue };
        owners.sort();
        owners.dedup();
        for owner in owners {
            let list = match owner {
                Some(index) => report.sessions.get_mut(index).map(|session| &mut session.evidence),
                None => Some(&mut report.evidence),
            };
            if let Some(list) = list {
                list.push(evidence.clone());
            }
        }
    }
}

fn read(text: &[u8], mark: Mark) -> Option<Evidence> {
    let line = Line::read(text).ok()?;
    let on = line.ws().or(line.stream()).or(line.conn()).unwrap_or_default();
    Some(Evidence {
        line: mark,
        at_us: line.at_us,
        action: words::plain(&line.event.action),
        direction: line.finesse.direction.as_deref().map(words::plain).unwrap_or_default(),
        on: words::plain(on),
        gist: words::plain(&line.message),
        raw: raw(&line),
    })
}

/// What was said, as far as the line keeps it.
fn raw(line: &Line<'_>) -> String {
    let http = line.http.as_ref();
    let messages = [http.map(|http| &http.request), http.and_then(|http| http.response.as_ref())];
    let bodies = messages.into_iter().flatten().filter_map(|message| message.body.content.as_ref());
    let mut raw = line.finesse.xml.iter().chain(bodies).map(|text| &**text).collect::<Vec<_>>().join("\n\n");
    if raw.len() > MAX_RAW_BYTES {
        raw.truncate(raw.floor_char_boundary(MAX_RAW_BYTES));
        raw.push('…');
    }
    raw
}

fn own_marks(report: &Report) -> Vec<Mark> {
    let mut marks: Vec<Mark> = report.oddities.iter().map(|oddity| oddity.line).collect();
    marks.extend(report.strangers.iter().map(|stranger| stranger.line));
    for finding in report.findings.iter() {
        marks.push(finding.line);
        marks.extend(&finding.evidence);
    }
    marks
}

fn marks(session: &Session) -> Vec<Mark> {
    let mut marks = Vec::new();
    for socket in session.sockets.iter() {
        marks.push(socket.line);
        marks.extend(socket.ladder.rungs.iter().map(|rung| rung.line));
        marks.extend(socket.ladder.why_line);
        marks.extend(socket.ending.iter().flat_map(|ending| [Some(ending.line), ending.below_line]).flatten());
    }
    marks.extend(session.states.iter().map(|state| state.line));
    marks.extend(session.calls.iter().flat_map(|call| call.steps.iter().map(|step| step.line)));
    marks.extend([&session.pings.xmpp, &session.pings.websocket].iter().filter_map(|pings| Some(pings.slowest?.line)));
    marks.extend(session.pings.lost.iter().map(|point| point.line));
    marks.extend(session.requests.slowest.iter().chain(session.requests.failed.iter()).map(|request| request.line));
    for join in session.joins.iter() {
        marks.push(join.line);
        marks.extend(join.event.as_ref().map(|event| event.line));
    }
    marks.extend(session.subscriptions.iter().map(|subscription| subscription.line));
    marks.extend(session.troubles.iter().map(|trouble| trouble.line));
    for finding in session.findings.iter() {
        marks.push(finding.line);
        marks.extend(&finding.evidence);
    }
    marks
}
