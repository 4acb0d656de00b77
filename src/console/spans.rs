//! What lasts: sockets, agents' states, calls. For the timeline.

use crate::stored::view::Line;
use std::collections::HashMap;

/// Spans remembered; the newest beyond it are not drawn.
const MAX_SPANS: usize = 200_000;

/// Which lane of the timeline.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Lane {
    /// A WebSocket's life.
    Socket,
    /// An agent's state.
    State,
    /// A call's life.
    Call,
}

/// Something that lasted.
#[derive(Clone, Debug)]
pub(super) struct Span {
    /// Where it is drawn.
    pub(super) lane: Lane,
    /// Number of its agent.
    pub(super) agent: u32,
    /// What it is called.
    pub(super) name: String,
    /// Its begin, microseconds since 1970.
    pub(super) from_us: i64,
    /// Its end; [`None`] as long as none was seen.
    pub(super) to_us: Option<i64>,
}

/// All of them, in the order they began.
#[derive(Default)]
pub(super) struct Spans {
    /// By begin.
    pub(super) spans: Vec<Span>,
    open: HashMap<(Lane, u16, String), usize>,
}

impl Spans {
    /// Takes what a line tells.
    pub(super) fn see(&mut self, run: u16, agent: u32, line: &Line<'_>) {
        if let Some(ws) = line.ws() {
            let key = (Lane::Socket, run, ws.to_owned());
            match &*line.event.action {
                "websocket-closed" => self.end(&key, line.at_us),
                _ => self.begin(key, agent, "socket", line.at_us),
            }
        }
        let Some(update) = line.finesse.update.as_ref() else { return };
        if let Some(user) = &update.user
            && let (Some(id), Some(state)) = (user.id.as_deref(), user.state.as_deref())
        {
            let key = (Lane::State, run, id.to_owned());
            let same = self.open.get(&key).and_then(|at| self.spans.get(*at)).is_some_and(|span| span.name == state);
            if !same {
                self.end(&key, line.at_us);
                self.begin(key, agent, state, line.at_us);
            }
        }
        if let Some(dialog) = &update.dialog
            && let Some(id) = dialog.id.as_deref()
        {
            let key = (Lane::Call, run, id.to_owned());
            let over = update.event.as_deref().is_some_and(|event| event.eq_ignore_ascii_case("delete"));
            if over { self.end(&key, line.at_us) } else { self.begin(key, agent, "call", line.at_us) }
        }
    }

    fn begin(&mut self, key: (Lane, u16, String), agent: u32, name: &str, from_us: i64) {
        if let Some(span) = self.open.get(&key).and_then(|at| self.spans.get_mut(*at)) {
            if span.agent == u32::MAX {
                span.agent = agent;
            }
            return;
        }
        if self.spans.len() < MAX_SPANS {
            self.spans.push(Span { lane: key.0, agent, name: name.to_owned(), from_us, to_us: None });
            self.open.insert(key, self.spans.len() - 1);
        }
    }

    fn end(&mut self, key: &(Lane, u16, String), to_us: i64) {
        if let Some(span) = self.open.remove(key).and_then(|at| self.spans.get_mut(at)) {
            span.to_us = Some(to_us);
        }
    }
}
