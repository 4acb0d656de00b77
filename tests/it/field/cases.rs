//! Inputs that are no days: what a browser's HAR notes of sockets that failed, and one agent whom a capture tells apart.

use super::run;
use super::script::{Reading, Script};
use super::world::World;
use finesse_tap::capture::policy::Level;
use finesse_tap::capture::{Door, Redactor};
use finesse_tap::import;
use finesse_tap::session::Tracker;
use finesse_tap::tap::Decoder;
use serde_json::json;

/// A frame that stands for an error, and a socket that never opened: the browser's words are kept, and judged.
#[test]
fn what_a_browser_notes_of_its_sockets_is_found() {
    let headers = json!([{"name": "Upgrade", "value": "websocket"}, {"name": "Sec-WebSocket-Key", "value": "dGhlIHNhbXBsZSBub25jZQ=="}]);
    let entry = |seconds: u32, status: u16, messages: serde_json::Value, error: serde_json::Value| {
        json!({
            "startedDateTime": format!("2026-01-15T09:12:{seconds}.000Z"), "time": 9000, "_resourceType": "websocket",
            "request": {"method": "GET", "url": "wss://fin1.example.test:8445/ws/", "httpVersion": "http/1.1", "headers": headers},
            "response": {"status": status, "httpVersion": "http/1.1", "headers": [], "content": {"size": 0}},
            "timings": {"send": 0, "wait": 0, "receive": 0}, "_webSocketMessages": messages, "_error": error,
        })
    };
    let open = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='fin1.example.test' version='1.0'/>";
    let messages = json!([
        {"type": "send", "time": 1_768_468_360.0, "opcode": 1, "data": open},
        {"type": "error", "time": 1_768_468_365.0, "opcode": -1, "data": "Close received after close"},
    ]);
    let entries =
        [entry(40, 101, messages, json!(null)), entry(50, 0, json!(null), json!("net::ERR_CONNECTION_RESET"))];
    let har =
        json!({"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "1"}, "entries": entries}});
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), har.to_string()).unwrap();
    let hars = import::open(file.path(), &mut |_, _| {}).unwrap();
    let door = Door::new(Redactor::with_key(Level::Auth, &[7; 32]).unwrap(), String::from("01FIELD"), 64 << 10);
    let mut decoder = Decoder::new(door, Tracker::new(7));
    let mut lines = String::new();
    let mut feed =
        |message| decoder.take(message, &mut |record| lines.push_str(str::from_utf8(record.line()).unwrap()));
    import::play(&hars, &mut feed, &mut |_, _| {}).unwrap();
    for words in ["Close received after close", "net::ERR_CONNECTION_RESET"] {
        assert!(lines.contains(words), "{words} is kept");
    }
    let codes: Vec<String> = run::findings(&lines).into_iter().map(|(code, _)| code).collect();
    assert!(codes.contains(&String::from("upgrade-refused")), "{codes:?}");
}

/// REST by the login name, XMPP by the id: the proxy finds out in the middle, the report knows from the beginning.
#[test]
fn one_agent_under_two_names_is_one_session_of_the_report() {
    let day = "ann is basic=avint path=avint\nann rest GET SystemInfo 200\n+1 ann socket\n+2 ann asks NOT_READY\n+5 ann logout";
    let told = World::play(&Script::read(day, Reading::Fault)).run();
    assert!(told.lines.contains("\"reason\":\"merged\""), "the day tells the agent apart at first");
    let report = run::report(&told.lines, Default::default());
    assert_eq!(report.sessions.len(), 1);
    for name in ["1001", "avint", "AVINT@fin1.example.test"] {
        let filter = finesse_tap::report::Filter { user: Some(name.to_owned()), ..Default::default() };
        assert_eq!(run::report(&told.lines, filter).sessions.len(), 1, "--user {name}");
    }
}

/// What is concluded from the end of a socket stands behind its own last line, in front of its connection's.
#[test]
fn findings_stand_in_front_of_the_connections_last_line() {
    for text in ["ann socket\n+20 ann cut by=server", "ann unreached \"connection refused\""] {
        let told = World::play(&Script::read(text, Reading::Fault)).run();
        let actions: Vec<&str> =
            told.lines.lines().filter_map(|line| line.split("\"action\":\"").nth(1)?.split('"').next()).collect();
        let last = actions.iter().position(|action| *action == "connection-closed").unwrap();
        let found = actions.iter().rposition(|action| *action == "finding").unwrap();
        assert!(found < last, "{text}: {actions:?}");
    }
}
