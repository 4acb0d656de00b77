//! Questions answered by events that stand for what captures hold, and texts that are no questions.

use super::*;

#[derive(Default, Clone)]
struct Event {
    at_us: i64,
    action: &'static str,
    session: Option<&'static str>,
    agent: Option<&'static str>,
    conn: Option<&'static str>,
    is_trouble: bool,
    is_shared: bool,
    took_us: u64,
    text: &'static str,
}

impl Facts for Event {
    fn at_us(&self) -> i64 {
        self.at_us
    }
    fn run(&self) -> &str {
        "01RUN"
    }
    fn action(&self) -> &str {
        self.action
    }
    fn session(&self) -> Option<&str> {
        self.session
    }
    fn trace(&self) -> Option<&str> {
        self.session.map(|_| "0af7")
    }
    fn agent(&self) -> Option<&str> {
        self.agent
    }
    fn carriers(&self) -> [Option<&str>; 3] {
        [self.conn, None, None]
    }
    fn is_trouble(&self) -> bool {
        self.is_trouble
    }
    fn is_shared(&self) -> bool {
        self.is_shared
    }
    fn took_us(&self) -> u64 {
        self.took_us
    }
    fn node(&self) -> Option<&str> {
        Some("/finesse/api/Team/5")
    }
    fn holds(&self, folded: &str) -> bool {
        self.text.to_lowercase().contains(folded)
    }
}

const NOW_US: i64 = 1_768_468_360_000_000;

fn event(action: &'static str) -> Event {
    Event { at_us: NOW_US, action, ..Event::default() }
}

/// Two agents on connections of their own, a stranger, and what is nobody's.
fn events() -> Vec<(&'static str, Event)> {
    let of = |name, action, session, agent, conn| (name, Event { session, agent, conn, ..event(action) });
    vec![
        of("opening", "log-opened", None, None, None),
        of("her connection", "connection-opened", None, None, Some("c1")),
        of("his connection", "connection-opened", None, None, Some("c2")),
        of("stranger", "tls-handshake", None, None, Some("c3")),
        of("her login", "sasl-auth-result", Some("s1"), Some("1001@finesse.test"), Some("c1")),
        of("her update", "finesse-update", Some("s1"), None, Some("c1")),
        of("his login", "sasl-auth-result", Some("s2"), Some("1002"), Some("c2")),
        of("gap", "capture-gap", None, None, None),
        ("struck all", Event { session: Some("s2"), is_shared: true, ..event("finding") }),
    ]
}

fn taken(filter: &str) -> Vec<&'static str> {
    let filter = Filter::parse(filter, NOW_US).unwrap();
    let mut owners = Owners::default();
    events().iter().for_each(|(_, event)| owners.learn(event));
    events().iter().filter(|(_, event)| filter.takes(event, &owners)).map(|(name, _)| *name).collect()
}

#[test]
fn an_agent_is_chosen_with_all_that_belongs_to_the_agent() {
    let hers = ["opening", "her connection", "her login", "her update", "gap", "struck all"];
    for filter in [
        "agent 1001",
        "user 1001@FINESSE.test",
        "session s1",
        "session S1 and agent 1001",
        "not agent 1002 and not conn c3",
    ] {
        assert_eq!(taken(filter), hers, "{filter}");
    }
    let both = taken("agent 1001 or agent 1002");
    assert!(both.len() == events().len() - 1 && !both.contains(&"stranger"), "{both:?}");
    assert_eq!(taken("agent 1001 kind update"), ["opening", "her update"]);
    assert_eq!(taken("agent 1001 and (kind login or kind gap)"), ["opening", "her login", "gap"]);
    assert_eq!(taken("conn c3"), ["opening", "stranger"]);
    assert_eq!(taken("").len(), events().len());
    assert_eq!(taken("run 01ru").len(), events().len());
}

#[test]
fn each_word_asks_one_thing() {
    let owners = Owners::default();
    let takes = |filter: &str, event: &Event| Filter::parse(filter, NOW_US).unwrap().takes(event, &owners);
    let slow = Event { took_us: 500_000, is_trouble: true, text: "State NOT_READY", ..event("http-exchange") };
    for filter in [
        "errors",
        "slow 500ms",
        "slow 0.5s",
        "kind request",
        "kind requests",
        "kind http-exchange",
        "node team",
        "text not_ready",
        "\"ready\"",
        "since 1h",
        "since 2026-01-15T09:12:40Z",
        "not until 1s",
        "not kind update",
        "(not (errors and not slow 1us))",
    ] {
        assert!(takes(filter, &slow), "{filter}");
    }
    for filter in ["not errors", "slow 501ms", "kind update", "node user", "text ready_not", "until 2026-01-15"] {
        assert!(!takes(filter, &slow), "{filter}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (filter, column, why) in [
        ("agent", 1, "as in `agent 1001`"),
        ("agent 1 and", 12, "something is missing: agent, session"),
        ("agent 1 ageent 2", 9, "`ageent` is no word"),
        ("(errors", 1, "not closed"),
        ("errors)", 7, "closes nothing"),
        ("slow soon", 6, "500ms"),
        ("since then", 7, "1h (ago)"),
        ("kind updaet", 6, "update, request"),
        ("text \"é", 6, "quotes"),
        ("and errors", 1, "joins two terms"),
    ] {
        let wrong = Filter::parse(filter, NOW_US).unwrap_err().to_string();
        assert!(wrong.contains(why) && wrong.contains(&format!("character {column} ")), "{filter}: {wrong}");
    }
    let deep = "(".repeat(10_000);
    assert!(Filter::parse(&deep, 0).is_err() && Filter::parse(&"not ".repeat(4_000), 0).is_err());
}

#[test]
fn short_forms_are_spelled_as_an_expression() {
    let spelled = Filter::spelled([("agent", "a \"b\\"), ("since", "1h")]);
    assert_eq!(spelled, r#"agent "a \"b\\" and since "1h""#);
    assert!(Filter::parse(&spelled, NOW_US).unwrap().names_somebody());
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_the_parser(text in r#"([a-z0-9() "\\é]|agent |not |or |kind |slow |since ){0,40}"#) {
        let _ = Filter::parse(&text, NOW_US);
    }
}
