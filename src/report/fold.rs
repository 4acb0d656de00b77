//! What one line changes in its socket and its session.
//!
//! Trusts the joins that the capture has made (`caused_by`, `rtt_us`) and makes only those that need no clock of their own: iq
//! and answer by id, REST call and event by request id.

use super::model::{
    Call, CallStep, Effect, Ending, Join, List, MAX_CALL_STEPS, MAX_CALLS, MAX_FINDINGS, MAX_NODES, MAX_ROWS,
    MAX_SLOWEST, MAX_STATES, Mark, Place, Point, Request, Session, Socket, State, Subscription, Trouble,
};
use super::words::{self, plain};
use crate::stored::view::{Line, Pubsub, StreamCount, Update};

/// Questions remembered on a connection until they are answered.
const MAX_ASKED: usize = 64;
/// A ping without an answer for this long is lost, even if the capture ends before its socket does.
const PATIENCE_US: u64 = 10_000_000;

/// What a connection waits for.
#[derive(Default)]
pub(super) struct Track {
    asked: Vec<Asked>,
    /// Nodes subscribed on this socket.
    active: Vec<String>,
    last_us: i64,
}

/// An iq request.
struct Asked {
    id: String,
    what: What,
    place: Place,
}

enum What {
    Ping,
    Subscribe(String),
    Unsubscribe(String),
    Other(String),
}

impl Track {
    /// Takes a line of its connection; tells what it answers: the node of a subscription, or the name of what was asked.
    pub(super) fn feed(&mut self, line: &Line<'_>, place: Place, session: Option<&mut Session>) -> Option<String> {
        self.last_us = place.at_us;
        let xmpp = line.finesse.xmpp.as_ref().filter(|xmpp| &*xmpp.kind == "iq")?;
        let id = xmpp.id.as_deref().unwrap_or_default();
        let payload = xmpp.payload.as_ref().map(|payload| &*payload.name);
        if matches!(xmpp.stanza_type.as_deref(), Some("get" | "set")) {
            if line.is_sent() {
                self.ask(line, place, session);
            }
            return None;
        }
        let found = self.asked.iter().position(|asked| asked.id == id);
        let asked = found.map(|index| self.asked.remove(index));
        let refused = xmpp.stanza_type.as_deref() == Some("error");
        let label = match asked.as_ref().map(|asked| &asked.what) {
            Some(What::Ping) => "ping",
            Some(What::Subscribe(node)) => node,
            Some(What::Unsubscribe(_)) => "unsubscribe",
            Some(What::Other(name)) => name,
            None => match &xmpp.pubsub {
                Some(pubsub) if &*pubsub.action == "subscription" => pubsub.node.as_deref().unwrap_or_default(),
                _ if line.finesse.keepalive => "ping",
                _ => payload.unwrap_or("iq"),
            },
        };
        let label = label.to_owned();
        if let Some(session) = session {
            let took_us = xmpp.rtt_us.or(asked.as_ref().map(|asked| words::between_us(asked.place.at_us, place.at_us)));
            if label == "ping" {
                let point = Point { at_us: place.at_us, rtt_us: took_us.unwrap_or(0), line: place.mark };
                session.pings.xmpp.answered(point);
                session.pings.draw(point);
            } else {
                session.requests.iq += 1;
                let what = match asked.as_ref().map(|asked| &asked.what) {
                    Some(What::Subscribe(node)) => format!("iq subscribe {node}"),
                    Some(What::Unsubscribe(node)) => format!("iq unsubscribe {node}"),
                    _ => format!("iq {label}"),
                };
                let request = Request {
                    what: plain(&what),
                    status: None,
                    at_us: place.at_us,
                    took_us: took_us.unwrap_or(0),
                    line: place.mark,
                };
                slowest(&mut session.requests.slowest, request);
            }
            if let Some(Asked { what: What::Subscribe(node), .. }) = &asked
                && let Some(subscription) = subscription(&mut session.subscriptions, node, place.mark)
            {
                let granted = xmpp.pubsub.as_ref().and_then(|pubsub| pubsub.subscription.as_deref());
                if refused || granted.is_some_and(|granted| granted != "subscribed") {
                    subscription.refused += 1;
                    subscription.line = place.mark;
                    if subscription.refusals.len() < MAX_SLOWEST {
                        subscription.refusals.push(place.mark);
                    }
                    subscription.why = Some(
                        line.error
                            .as_ref()
                            .and_then(|error| error.code.as_deref())
                            .or(granted)
                            .map_or_else(|| String::from("no reason given"), plain),
                    );
                } else {
                    subscription.confirmed += 1;
                }
            }
        }
        if let Some(Asked { what: What::Subscribe(node), .. }) = asked
            && !refused
            && self.active.len() < MAX_NODES
        {
            self.active.push(node);
        }
        Some(label)
    }

    /// The connection is over, or the capture (then `closed` is none).
    pub(super) fn end(&mut self, session: Option<&mut Session>, closed: Option<Place>) {
        let Some(session) = session else { return };
        for asked in self.asked.drain(..).filter(|asked| matches!(asked.what, What::Ping)) {
            let waited_us = words::between_us(asked.place.at_us, closed.map_or(self.last_us, |place| place.at_us));
            if waited_us >= PATIENCE_US || closed.is_some() {
                let point = Point { at_us: asked.place.at_us, rtt_us: 0, line: asked.place.mark };
                session.pings.lost.push(point, MAX_ROWS);
            }
        }
    }

    fn ask(&mut self, line: &Line<'_>, place: Place, session: Option<&mut Session>) {
        let Some(xmpp) = &line.finesse.xmpp else { return };
        let node = |pubsub: &Pubsub<'_>| plain(pubsub.node.as_deref().unwrap_or_default());
        let payload = xmpp.payload.as_ref().map_or("iq", |payload| &*payload.name);
        let what = match &xmpp.pubsub {
            Some(pubsub) if &*pubsub.action == "subscribe" => What::Subscribe(node(pubsub)),
            Some(pubsub) if &*pubsub.action == "unsubscribe" => What::Unsubscribe(node(pubsub)),
            _ if payload == "ping" => What::Ping,
            _ => What::Other(plain(payload)),
        };
        if let Some(session) = session {
            match &what {
                What::Ping => session.pings.xmpp.sent += 1,
                What::Subscribe(node) => {
                    if let Some(subscription) = subscription(&mut session.subscriptions, node, place.mark) {
                        subscription.requested += 1;
                        subscription.doubled += u64::from(self.active.contains(node));
                    }
                }
                What::Unsubscribe(node) => {
                    if let Some(subscription) = subscription(&mut session.subscriptions, node, place.mark) {
                        subscription.unsubscribed += 1;
                    }
                }
                What::Other(_) => {}
            }
        }
        if let What::Unsubscribe(node) = &what {
            self.active.retain(|active| active != node);
        }
        if self.asked.len() >= MAX_ASKED {
            self.asked.remove(0);
        }
        self.asked.push(Asked { id: xmpp.id.as_deref().map(plain).unwrap_or_default(), what, place });
    }
}

/// Takes a line of a socket. `answered` is what [`Track::feed`] told of it.
pub(super) fn socket(socket: &mut Socket, line: &Line<'_>, place: Place, answered: Option<&str>) {
    if socket.ending.is_none() {
        socket.to_us = place.at_us;
    }
    socket.ladder.feed(line, place, answered);
    let conn = line.finesse.conn.as_ref();
    match &*line.event.action {
        "websocket-opened" => {
            socket.from_us = line.start_us();
        }
        "websocket-closed" => {
            let close = line.finesse.ws.as_ref().and_then(|ws| ws.close.as_ref());
            socket.ending = Some(Ending {
                code: Some(close.map_or(1_006, |close| close.code)),
                reason: close.and_then(|close| close.reason.as_deref()).map(plain),
                initiator: close.and_then(|close| close.initiator.as_deref()).map(plain),
                handshake: close.and_then(|close| close.handshake.as_deref()).map(plain),
                line: place.mark,
                ..Ending::default()
            });
        }
        "stream-closed" => {
            let stream = line.finesse.stream.as_ref();
            let close = stream.and_then(|stream| stream.close.as_ref());
            let bytes = |count: Option<&StreamCount>| count.map_or(0, |count| count.bytes);
            socket.ending = Some(Ending {
                reason: close.and_then(|close| close.condition.as_deref()).map(plain),
                by: close.and_then(|close| close.by.as_deref()).map(plain),
                how: close.and_then(|close| close.how.as_deref()).map(plain),
                c2s_bytes: bytes(stream.and_then(|stream| stream.c2s.as_ref())),
                s2c_bytes: bytes(stream.and_then(|stream| stream.s2c.as_ref())),
                line: place.mark,
                ..Ending::default()
            });
        }
        "connection-closed" => {
            let ending = socket.ending.get_or_insert_with(|| Ending {
                code: Some(1_006),
                line: place.mark,
                ..Ending::default()
            });
            if let Some(conn) = conn {
                ending.by = conn.by.as_deref().map(plain);
                ending.how = conn.how.as_deref().map(plain);
                ending.unclean = conn.unclean;
                ending.below_line = Some(place.mark);
                ending.c2s_bytes = conn.c2s_bytes.unwrap_or(0);
                ending.s2c_bytes = conn.s2c_bytes.unwrap_or(0);
            }
        }
        _ => {}
    }
}

/// Takes a line of a session.
pub(super) fn session(session: &mut Session, line: &Line<'_>, place: Place, answered: Option<&str>) {
    session.lines += 1;
    session.from_us = session.from_us.min(place.at_us);
    // A summary comes when nothing more is expected, minutes after the last that happened.
    if &*line.event.action != "session-summary" {
        session.to_us = session.to_us.max(place.at_us);
    }
    if let Some(user) = &line.user {
        session.user.get_or_insert_with(|| plain(&user.name));
        session.name(&user.name);
    }
    if let Some(jid) = line.finesse.xmpp.as_ref().and_then(|xmpp| xmpp.jid.as_deref()) {
        session.name(jid);
    }
    match &*line.event.action {
        "http-exchange" => exchange(session, line, place),
        "finesse-update" => {
            if let Some(told) = &line.finesse.update {
                update(session, line, told, place);
            }
        }
        "websocket-control" => {
            let ws = line.finesse.ws.as_ref();
            let pings = &mut session.pings.websocket;
            match (ws.and_then(|ws| ws.opcode.as_deref()), ws.and_then(|ws| ws.rtt_us)) {
                (Some("ping"), _) => pings.sent += 1,
                (Some("pong"), Some(rtt_us)) => pings.answered(Point { at_us: place.at_us, rtt_us, line: place.mark }),
                _ => {}
            }
        }
        "session-summary" => {
            let summary = line.finesse.summary.as_ref();
            session.summary_stopped_at = summary.and_then(|summary| summary.stopped_at.as_deref()).map(plain);
            let names = summary.iter().flat_map(|summary| &summary.names);
            names.for_each(|name| session.name(name));
            session.merged_into = summary.and_then(|summary| summary.into.as_deref()).map(plain);
            let counted = summary.iter().flat_map(|summary| summary.findings.iter().take(MAX_FINDINGS));
            session.summary_findings = counted.map(|counted| (plain(&counted.code), counted.count)).collect();
        }
        _ => {}
    }
    let is_ping = answered == Some("ping");
    if let Some(trouble) = trouble(line, place).filter(|_| !is_ping) {
        session.troubles.push(trouble, MAX_ROWS);
    }
}

/// A line that is a warning or an error. Findings have a table of their own.
pub(super) fn trouble(line: &Line<'_>, place: Place) -> Option<Trouble> {
    if &*line.event.action == "finding" {
        return None;
    }
    let api_error = line
        .finesse
        .update
        .as_ref()
        .is_some_and(|update| update.api_error.as_ref().is_some_and(|error| error.error_type.is_some()));
    let level = match &*line.log.level {
        "error" => "error",
        "warn" => "warn",
        _ if api_error => "warn",
        _ => return None,
    };
    Some(Trouble { at_us: place.at_us, level, what: plain(&line.message), line: place.mark })
}

/// All lines are read.
pub(super) fn conclude(session: &mut Session) {
    let last_us = session.to_us;
    for socket in session.sockets.iter_mut() {
        let ended_us = socket.ending.as_ref().map(|_| socket.to_us);
        socket.ladder.conclude(ended_us, last_us);
    }
    let next: Vec<i64> = session.states.iter().skip(1).map(|state| state.from_us).chain([last_us]).collect();
    for (state, to_us) in session.states.iter_mut().zip(next) {
        state.to_us = to_us;
    }
    for finding in session.findings.iter_mut() {
        // Not every repetition has a line of its own.
        let counted = session.summary_findings.iter().find(|(code, _)| *code == finding.code);
        finding.count = finding.count.max(counted.map_or(0, |(_, count)| *count));
        finding.evidence.sort();
        finding.evidence.dedup();
    }
    // A request that was refused has no event to wait for.
    session.joins.retain(|join| join.event.is_some() || join.status == Some(202));
}

fn exchange(session: &mut Session, line: &Line<'_>, place: Place) {
    let (method, status) = (line.method(), line.status());
    let path = line.url.as_ref().map_or("?", |url| &*url.path);
    let api = line.finesse.api.as_ref();
    let mut what = format!("{} {}", method.unwrap_or("?"), path.strip_prefix("/finesse/api/").unwrap_or(path));
    let operation = api.and_then(|api| api.operation.as_deref()).filter(|operation| *operation != "read");
    if let Some(operation) = operation {
        what = format!("{what} ({operation})");
    }
    let took_us = line.event.duration.unwrap_or(0) / 1_000;
    let request = Request { what: plain(&what), status, at_us: place.at_us, took_us, line: place.mark };
    let cut = line.finesse.http.as_ref().is_some_and(|http| http.cut);
    if cut || status.is_none_or(|status| status >= 400) {
        session.requests.failed.push(request.clone(), MAX_ROWS);
    }
    let Some(api) = api else {
        session.requests.other += 1;
        return;
    };
    session.requests.rest += 1;
    if matches!(method, Some("PUT" | "POST" | "DELETE")) {
        join(session, &request, api.request_id.as_deref().unwrap_or_default());
    }
    slowest(&mut session.requests.slowest, request);
}

/// A REST call that changes something; its event may have come before its answer.
fn join(session: &mut Session, request: &Request, request_id: &str) {
    let at_us = request.at_us.saturating_sub(i64::try_from(request.took_us).unwrap_or(0));
    let early = session.joins.iter_mut().find(|join| !request_id.is_empty() && join.request_id == request_id);
    if let Some(join) = early.filter(|join| join.line.sequence == 0) {
        join.what.clone_from(&request.what);
        (join.status, join.at_us, join.took_us, join.line) = (request.status, at_us, request.took_us, request.line);
        return;
    }
    let join = Join {
        what: request.what.clone(),
        status: request.status,
        at_us,
        took_us: request.took_us,
        line: request.line,
        event: None,
        request_id: plain(request_id),
    };
    session.joins.push(join, MAX_ROWS);
}

fn update(session: &mut Session, line: &Line<'_>, told: &Update<'_>, place: Place) {
    session.updates += 1;
    let pubsub = line.finesse.xmpp.as_ref().and_then(|xmpp| xmpp.pubsub.as_ref());
    let node = pubsub.and_then(|pubsub| pubsub.node.as_deref()).unwrap_or_default();
    if !node.is_empty()
        && let Some(subscription) = subscription(&mut session.subscriptions, &plain(node), place.mark)
    {
        subscription.events += 1;
    }
    cause(session, line, told, place);
    state(session, told, node, place);
    call(session, told, place);
}

fn cause(session: &mut Session, line: &Line<'_>, told: &Update<'_>, place: Place) {
    let cause = told.caused_by.as_ref();
    let sequence = cause.and_then(|cause| cause.sequence);
    let request_id = told.request_id.as_deref().filter(|id| !id.is_empty());
    let found = session.joins.iter_mut().rev().find(|join| {
        sequence.is_some_and(|sequence| join.line.sequence == sequence)
            || request_id.is_some_and(|id| join.request_id == id)
    });
    let latency = |from_us: i64| words::between_us(from_us, place.at_us);
    let effect = Effect {
        what: plain(&line.message),
        latency_us: cause.and_then(|cause| cause.latency_us),
        confidence: cause.and_then(|cause| cause.confidence.as_deref()).map(plain),
        line: place.mark,
    };
    match found {
        Some(join) if join.event.is_none() => {
            join.event = Some(Effect { latency_us: effect.latency_us.or(Some(latency(join.at_us))), ..effect });
        }
        Some(_) => {}
        // Its request is still being answered.
        None if cause.is_some() && sequence.is_none() => {
            let join = Join {
                what: String::from("a request"),
                status: None,
                at_us: place.at_us,
                took_us: 0,
                line: Mark::default(),
                event: Some(effect),
                request_id: request_id.map(plain).unwrap_or_default(),
            };
            session.joins.push(join, MAX_ROWS);
        }
        None => {}
    }
}

fn state(session: &mut Session, told: &Update<'_>, node: &str, place: Place) {
    let Some(user) = &told.user else { return };
    let of_node = node.rsplit_once("/User/").map(|(_, id)| id);
    let id = user.id.as_deref().or(of_node);
    let own = [id, user.name.as_deref()].into_iter().flatten().any(|name| session.goes_by(name));
    let (true, Some(state)) = (own, user.state.as_deref()) else { return };
    [id, user.name.as_deref()].into_iter().flatten().for_each(|name| session.name(name));
    let fill = |to: &mut Option<String>, from: Option<&str>| {
        if to.is_none() {
            *to = from.map(plain);
        }
    };
    fill(&mut session.name, user.name.as_deref());
    fill(&mut session.extension, user.extension.as_deref());
    fill(&mut session.team, user.team_id.as_deref());
    let changed = user.state_change_time.as_deref().map(plain);
    let reason = user.reason_label.as_deref().or(user.reason_code.as_deref()).map(plain);
    // The same change comes on every socket and node that is subscribed.
    if session.states.last().is_some_and(|last| last.state == state && last.changed == changed && last.reason == reason)
    {
        return;
    }
    let latency_us = told.caused_by.as_ref().and_then(|cause| cause.latency_us);
    let (from_us, to_us) = (place.at_us, place.at_us);
    let state = State { state: plain(state), reason, from_us, to_us, latency_us, line: place.mark, changed };
    session.states.push(state, MAX_STATES);
}

fn call(session: &mut Session, told: &Update<'_>, place: Place) {
    let Some(dialog) = &told.dialog else { return };
    let Some(id) = dialog.id.as_deref() else { return };
    let gone = told.event.as_deref().is_some_and(|event| event.eq_ignore_ascii_case("DELETE"));
    let extension = session.extension.as_deref();
    let part = dialog.participants.iter().find(|part| extension.is_some() && part.address.as_deref() == extension);
    let state = part.and_then(|part| part.state.as_deref()).or(dialog.state.as_deref()).unwrap_or("?");
    let index = match session.calls.iter().rposition(|call| call.id == id) {
        Some(index) => Some(index),
        None => session.calls.push(
            Call {
                id: plain(id),
                call_type: dialog.call_type.as_deref().map(plain),
                from: dialog.from_address.as_deref().map(plain),
                to: dialog.to_address.as_deref().map(plain),
                steps: List::default(),
                ended: false,
                to_us: place.at_us,
            },
            MAX_CALLS,
        ),
    };
    let Some(call) = index.and_then(|index| session.calls.get_mut(index)) else { return };
    call.to_us = place.at_us;
    let over = matches!(dialog.state.as_deref(), Some("DROPPED" | "FAILED"));
    call.ended |= gone || over;
    let state = if gone { "gone" } else { state };
    if call.steps.last().is_none_or(|step| step.state != state) {
        call.steps.push(CallStep { state: plain(state), at_us: place.at_us, line: place.mark }, MAX_CALL_STEPS);
    }
}

fn subscription<'s>(list: &'s mut List<Subscription>, node: &str, line: Mark) -> Option<&'s mut Subscription> {
    let index = match list.iter().position(|subscription| subscription.node == node) {
        Some(index) => index,
        None => {
            let node = node.to_owned();
            let new = Subscription {
                node,
                requested: 0,
                confirmed: 0,
                refused: 0,
                doubled: 0,
                unsubscribed: 0,
                events: 0,
                why: None,
                line,
                refusals: Vec::new(),
            };
            list.push(new, MAX_NODES)?
        }
    };
    list.get_mut(index)
}

/// Keeps the slowest requests, slowest first.
fn slowest(list: &mut Vec<Request>, request: Request) {
    let at = list.partition_point(|other| other.took_us >= request.took_us);
    if at < MAX_SLOWEST {
        list.insert(at, request);
        list.truncate(MAX_SLOWEST);
    }
}
