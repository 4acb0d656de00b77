//! Which events are meant: `agent 1001 and (errors or slow 500ms)`, the one language of all commands and the console.
//!
//! [`Filter`] is a parsed question, [`Facts`] what it asks of an event, whoever holds that: a line of a capture, a record on
//! its way, an entry of an index. [`Owners`] remembers whose a connection is, so that an agent's handshakes, first stanzas
//! and findings belong to the agent although they do not name one. What belongs to nobody in particular (a gap, what
//! struck all agents) belongs to whoever is asked for. Does no I/O; words and forms are in [`HELP`].

mod owner;
mod parse;
mod time;

pub use owner::Owners;
pub use parse::Wrong;
pub use time::time_us;

use std::fmt;

/// The language, for `--help`.
pub const HELP: &str = "\
  agent 1001         what belongs to an agent: login id, JID or token, connections included
  session s3         what belongs to a session, by its id or trace id
  run 01KA9S3Q       one run of finesse-tap, by the beginning of its id
  conn c7            one connection, WebSocket or stream
  kind update        update, request, stanza, login, socket, connection, finding, note, gap, ping, error …
  errors             warnings and errors, failed requests, findings
  slow 500ms         whatever took so long or longer
  node Team          a pubsub node that holds this text
  text \"NOT_READY\"   a line that holds this text, in any case; a text in quotes alone is the same
  since 1h           from then on; until: before it. 1h ago, 2026-01-15T09:12:40Z, or a date, in UTC
  and or not ( )     and may be omitted";

/// What a filter asks of an event.
pub trait Facts {
    /// When, microseconds since 1970.
    fn at_us(&self) -> i64;
    /// The run that wrote it.
    fn run(&self) -> &str;
    /// `event.action`.
    fn action(&self) -> &str;
    /// The session's id.
    fn session(&self) -> Option<&str>;
    /// The session's trace id.
    fn trace(&self) -> Option<&str>;
    /// The agent it names.
    fn agent(&self) -> Option<&str>;
    /// The ids of connection, WebSocket and stream.
    fn carriers(&self) -> [Option<&str>; 3];
    /// Whether it is a warning or worse, or failed.
    fn is_trouble(&self) -> bool;
    /// Whether it concerns all agents, whomever it names.
    fn is_shared(&self) -> bool;
    /// The longest that it tells of, microseconds.
    fn took_us(&self) -> u64;
    /// Its pubsub node.
    fn node(&self) -> Option<&str>;
    /// Whether its text holds `folded`, which is in lower case, in any case.
    fn holds(&self, folded: &str) -> bool;
}

/// A question about events. The default takes all of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    text: String,
    term: Option<Term>,
}

/// What a filter is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Term {
    All(Vec<Term>),
    Any(Vec<Term>),
    Not(Box<Term>),
    /// The part of a login before `@` or `/`, in lower case.
    Agent(String),
    Session(String),
    Run(String),
    Conn(String),
    Kind(Kind),
    Errors,
    SlowUs(u64),
    Node(String),
    Text(String),
    SinceUs(i64),
    UntilUs(i64),
}

/// A family of actions, or one of them.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Kind(String);

/// What a term is for an event. `Open`: it is nobody's in particular, so that it goes with whoever is asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Truth {
    No,
    Open,
    Yes,
}

impl Filter {
    /// Reads an expression. `now_us` is what `1h` is counted from.
    ///
    /// # Errors
    /// What is wrong with it, where, and what is allowed there.
    pub fn parse(text: &str, now_us: i64) -> Result<Self, Wrong> {
        Ok(Self { text: text.trim().to_owned(), term: parse::parse(text, now_us)? })
    }

    /// The expression that short forms stand for: `[("agent", "1001")]`.
    #[must_use]
    pub fn spelled<'s>(short: impl IntoIterator<Item = (&'s str, &'s str)>) -> String {
        let quoted = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"");
        let terms: Vec<String> =
            short.into_iter().map(|(word, value)| format!("{word} \"{}\"", quoted(value))).collect();
        terms.join(" and ")
    }

    /// What both take.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self.term, other.term) {
            (Some(one), Some(two)) => {
                Self { text: format!("({}) and ({})", self.text, other.text), term: Some(Term::All(vec![one, two])) }
            }
            (Some(term), None) => Self { text: self.text, term: Some(term) },
            (None, term) => Self { text: other.text, term },
        }
    }

    /// Whether all events are meant.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.term.is_none()
    }

    /// Whether agents, sessions, runs or connections are chosen, whose events the rest of a capture says nothing about.
    #[must_use]
    pub fn names_somebody(&self) -> bool {
        fn names(term: &Term) -> bool {
            match term {
                Term::All(terms) | Term::Any(terms) => terms.iter().any(names),
                Term::Not(term) => names(term),
                Term::Agent(_) | Term::Session(_) | Term::Run(_) | Term::Conn(_) => true,
                _ => false,
            }
        }
        self.term.as_ref().is_some_and(names)
    }

    /// Whether an event is meant. Whose it is, `owners` has learnt before.
    #[must_use]
    pub fn takes(&self, event: &dyn Facts, owners: &Owners) -> bool {
        // Without its first line a capture does not say what it is.
        self.term.as_ref().is_none_or(|term| event.action() == "log-opened" || term.truth(event, owners) > Truth::No)
    }

    /// Whether an event is asked for by itself, and does not go with whatever is.
    #[must_use]
    pub fn asks_for(&self, event: &dyn Facts, owners: &Owners) -> bool {
        self.term.as_ref().is_none_or(|term| event.action() != "log-opened" && term.truth(event, owners) == Truth::Yes)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Term {
    fn truth(&self, event: &dyn Facts, owners: &Owners) -> Truth {
        let is = |truth: bool| if truth { Truth::Yes } else { Truth::No };
        match self {
            Self::All(terms) => until(terms, Truth::Yes, Truth::No, Ord::min, |term| term.truth(event, owners)),
            Self::Any(terms) => until(terms, Truth::No, Truth::Yes, Ord::max, |term| term.truth(event, owners)),
            Self::Not(term) => match term.truth(event, owners) {
                Truth::No => Truth::Yes,
                Truth::Open => Truth::Open,
                Truth::Yes => Truth::No,
            },
            Self::Agent(wanted) => owners.truth(event, |_, agent| agent.is_some_and(|agent| bare(agent) == *wanted)),
            Self::Session(wanted) => owners.truth(event, |session, _| {
                session.eq_ignore_ascii_case(wanted)
                    || event.session() == Some(session)
                        && event.trace().is_some_and(|trace| trace.eq_ignore_ascii_case(wanted))
            }),
            Self::Run(wanted) => {
                is(event.run().get(..wanted.len()).is_some_and(|head| head.eq_ignore_ascii_case(wanted)))
            }
            Self::Conn(wanted) => {
                is(event.carriers().iter().flatten().any(|carrier| carrier.eq_ignore_ascii_case(wanted)))
            }
            Self::Kind(kind) => is(kind.has(event.action())),
            Self::Errors => is(event.is_trouble()),
            Self::SlowUs(limit) => is(event.took_us() >= *limit),
            Self::Node(text) => is(event.node().is_some_and(|node| node.to_lowercase().contains(text))),
            Self::Text(text) => is(event.holds(text)),
            Self::SinceUs(since) => is(event.at_us() >= *since),
            Self::UntilUs(until) => is(event.at_us() < *until),
        }
    }
}

impl Term {
    fn reads_text(&self) -> bool {
        match self {
            Self::All(terms) | Self::Any(terms) => terms.iter().any(Self::reads_text),
            Self::Not(term) => term.reads_text(),
            term => matches!(term, Self::Text(_)),
        }
    }
}

impl Kind {
    /// Families, and the words of actions that belong to them.
    const FAMILIES: [(&str, &[&str]); 12] = [
        ("update", &["update"]),
        ("request", &["http"]),
        ("stanza", &["xmpp", "sasl"]),
        ("login", &["sasl", "session"]),
        ("socket", &["websocket", "stream"]),
        ("connection", &["connection", "tls"]),
        ("finding", &["finding"]),
        ("gap", &["gap", "blocked"]),
        ("ping", &["control"]),
        ("error", &["error"]),
        ("summary", &["summary"]),
        ("note", &["note"]),
    ];

    fn has(&self, action: &str) -> bool {
        let family = Self::FAMILIES.iter().find(|(name, _)| *name == self.0);
        match family {
            Some((_, words)) => action.split('-').any(|word| words.contains(&word)),
            None => action == self.0,
        }
    }
}

/// Folds what the terms are, and asks no further once it cannot change. What reads the text is asked last: it may have to
/// be fetched for it.
fn until(
    terms: &[Term],
    from: Truth,
    end: Truth,
    fold: fn(Truth, Truth) -> Truth,
    truth: impl Fn(&Term) -> Truth,
) -> Truth {
    let mut so_far = from;
    for reads_text in [false, true] {
        for term in terms.iter().filter(|term| term.reads_text() == reads_text) {
            so_far = fold(so_far, truth(term));
            if so_far == end {
                return so_far;
            }
        }
    }
    so_far
}

/// The part of a login that names the agent, in lower case.
fn bare(login: &str) -> String {
    login.split(['@', '/']).next().unwrap_or(login).to_lowercase()
}

#[cfg(test)]
mod tests;
