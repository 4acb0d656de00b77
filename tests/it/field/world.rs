//! Who takes part in a scenario, and what the verbs of its lines come to on the wire.
//!
//! Each agent has a browser at an address, a connection for REST calls, and XMPP over a WebSocket, BOSH or a connection of
//! its own, on which pings go on by themselves while time passes.

use super::run::{Event, Step, Timeline};
use super::script::{Line, Script, Words, milliseconds};
use super::wire::{PASSWORD, TOKEN};
use finesse_tap::capture::observation::{End, How};
use finesse_tap::conn::{Authority, Direction, Kind};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// From a question to its answer.
pub(super) const RTT_MS: u64 = 40;
/// From one ping of the desktop to the next, unless a line says otherwise.
pub(super) const PING_MS: u64 = 10_000;
/// What item ids begin with.
const PROCESS: &str = "a6ca891f-8b34-443f-8c7d-dac020d41838";

/// What carries an agent's XMPP.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    WebSocket,
    Bosh,
    Xmpp,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Auth {
    Basic,
    Bearer,
}

pub(super) struct Socket {
    pub(super) conn: u64,
    /// BOSH: the connection of the request that the server holds, and the other one.
    pub(super) held: Option<u64>,
    pub(super) rid: u64,
    pub(super) next_ping_ms: Option<u64>,
}

pub(super) struct Agent {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) extension: String,
    pub(super) team: String,
    pub(super) client: IpAddr,
    pub(super) browser: String,
    pub(super) over: Over,
    pub(super) auth: Auth,
    /// What it signs in to XMPP with, and what REST calls carry and paths hold.
    pub(super) jid: String,
    pub(super) basic: String,
    pub(super) path: String,
    pub(super) resource: String,
    pub(super) host: String,
    pub(super) rest: BTreeMap<String, u64>,
    pub(super) sockets: Vec<Socket>,
    pub(super) ping_ms: Option<u64>,
    pub(super) pong_ms: Option<u64>,
    pub(super) last_request: String,
    pub(super) requests: u64,
    pub(super) iqs: u64,
}

/// A scenario while it is written down step by step.
pub struct World {
    pub(super) agents: BTreeMap<String, Agent>,
    pub timeline: Timeline,
    pub(super) now_ms: u64,
    pub(super) conns: u64,
    pub(super) items: u64,
    pub(super) process: String,
    /// How far the server's clock is ahead, if its answers tell the time.
    pub(super) clock_ms: Option<i64>,
    /// UCCE or UCCX.
    pub(super) deployment: String,
}

impl World {
    /// The timeline of a scenario.
    pub fn play(script: &Script) -> Timeline {
        let fronted = ["fin1", "fin2"].map(|name| Authority { host: host(name), port: 8445 });
        let timeline = Timeline { fronted: fronted.into(), ..Timeline::default() };
        let agents = BTreeMap::from([
            ("ann".to_owned(), Agent::new("1001", "avint", "2001", 11)),
            ("bob".to_owned(), Agent::new("1002", "bking", "2002", 12)),
            ("cat".to_owned(), Agent::new("1003", "clund", "2003", 13)),
            ("sue".to_owned(), Agent::new("1009", "sreed", "2009", 19)),
        ]);
        let mut world = Self {
            agents,
            timeline,
            now_ms: 0,
            conns: 0,
            items: 300,
            process: PROCESS.to_owned(),
            clock_ms: None,
            deployment: String::from("UCCE"),
        };
        for line in &script.lines {
            world.pass(line.after_ms);
            world.line(line);
        }
        world.timeline.end_ms = world.now_ms + 40_000;
        world.timeline.events.sort_by_key(|event| event.at_ms);
        world.timeline
    }

    pub(super) fn line(&mut self, line: &Line) {
        let Line { number, who, verb, words, .. } = line;
        if who == "proxy" {
            return match (&**verb, words.at(0)) {
                ("stalls", Some(time)) => self.timeline.stalls.push((self.now_ms, self.now_ms + milliseconds(time))),
                ("fronts", _) => {
                    let front = |name: &String| Authority { host: host(name), port: 8445 };
                    self.timeline.fronted = words.plain.iter().map(front).collect();
                }
                _ => panic!("line {number}: the proxy `stalls TIME` or `fronts NAME…`"),
            };
        }
        if who == "server" {
            return match &**verb {
                "restarts" => self.process = words.at(0).unwrap_or("b7db902a-9c45-554a-9d8e-ebd131e52949").to_owned(),
                "is" => self.deployment = words.at(0).unwrap().to_owned(),
                "clock" => {
                    let ahead: f64 = words.at(0).unwrap().parse().unwrap();
                    self.clock_ms = Some((ahead * 1_000.0) as i64);
                }
                _ => panic!(
                    "line {number}: the server `restarts`, `is UCCX` or `clock -90`; what it says it says to somebody"
                ),
            };
        }
        if who == "quiet" {
            return;
        }
        assert!(self.agents.contains_key(who), "line {number}: there is no `{who}`: ann, bob, cat and sue are");
        self.verb(who, verb, words, *number);
    }

    pub(super) fn verb(&mut self, who: &str, verb: &str, words: &Words, number: usize) {
        match verb {
            "is" => self.agent(who).describe(words, number),
            "login" => {
                self.page(who, words);
                self.socket(who, words);
                if words.get("until").is_none() {
                    self.state(who, &Words { plain: vec!["LOGIN".into()], ..words.clone() });
                    self.reads(who);
                }
            }
            "page" => self.page(who, words),
            "asks" => self.asks(who, words),
            "polls" => self.polls(who, words),
            "gadget" => self.gadget(who, words),
            "unreached" => self.unreached(who, words),
            "distrusted" => self.distrusted(who, words),
            "reads" => self.reads(who),
            "socket" => self.socket(who, words),
            "subscribes" => self.subscribe(who, words),
            "unsubscribes" => self.unsubscribe(who, words),
            "state" => self.state(who, words),
            "rest" => self.any_rest(who, words, number),
            "dialog" => self.dialog(who, words),
            "makes" => self.make_call(who, words),
            "call" => self.call(who, words),
            "event" => self.event(who, words, number),
            "pings" => self.agent(who).ping_ms = time_or_off(words.at(0), PING_MS),
            "pongs" => self.agent(who).pong_ms = time_or_off(words.at(0), RTT_MS),
            "ping" => self.ping(who),
            "says" => self.say(who, Direction::C2s, words.at(0).unwrap_or_default()),
            "hears" => self.say(who, Direction::S2c, words.at(0).unwrap_or_default()),
            "terminates" => {
                self.bosh(who, Direction::S2c, "", &format!("type='terminate' condition='{}'", words.at(0).unwrap()));
                self.agent(who).sockets.pop();
            }
            "frame" => self.frame(who, words, number),
            "logout" => self.logout(who, words),
            "closes" => self.close(who, words),
            "cut" => self.cut(who, words),
            "tls" => self.tls(who, words),
            "bytes" => self.bytes(who, words),
            "http2" => self.http2(who, words),
            _ => panic!("line {number}: there is no `{verb}`"),
        }
    }

    pub(super) fn agent(&mut self, who: &str) -> &mut Agent {
        self.agents.get_mut(who).unwrap()
    }

    /// Time passes; desktops that ping do.
    pub(super) fn pass(&mut self, ms: u64) {
        let until = self.now_ms + ms;
        loop {
            let due = self.agents.iter().filter_map(|(who, agent)| {
                let at = agent.sockets.last()?.next_ping_ms?;
                agent.ping_ms?;
                (at <= until).then(|| (at, who.clone()))
            });
            let Some((at, who)) = due.min() else { break };
            self.now_ms = at.max(self.now_ms);
            let every = self.agents[&who].ping_ms.unwrap();
            self.agent(&who).sockets.last_mut().unwrap().next_ping_ms = Some(at + every);
            self.ping(&who);
        }
        self.now_ms = until;
    }

    pub(super) fn emit(&mut self, conn: u64, step: Step) {
        self.emit_at(self.now_ms, conn, step);
    }

    pub(super) fn emit_at(&mut self, at_ms: u64, conn: u64, step: Step) {
        self.timeline.events.push(Event { at_ms, conn, step });
    }

    pub(super) fn open(&mut self, client: IpAddr, server: &str, port: u16, kind: Kind) -> u64 {
        self.conns += 1;
        self.emit(self.conns, Step::Open { client, server: server.to_owned(), port, kind });
        self.conns
    }
}

impl World {
    /// Frames by their names, with pauses, on a connection of its own.
    fn http2(&mut self, who: &str, words: &Words) {
        let agent = &self.agents[who];
        let (client, server) = (agent.client, agent.host.clone());
        let conn = self.open(client, &server, 8445, Kind::Https);
        self.emit(conn, Step::Http2);
        for pair in words.plain.chunks(2) {
            match &*pair[0] {
                "pause" => self.pass(milliseconds(&pair[1])),
                from => {
                    let direction = if from == "client" { Direction::C2s } else { Direction::S2c };
                    self.emit(conn, Step::Bytes(direction, super::http2::frames(&pair[1])));
                    self.pass(RTT_MS);
                }
            }
        }
        if words.get("cut").is_some() {
            self.emit(
                conn,
                Step::Close(
                    finesse_tap::capture::observation::End::Client,
                    finesse_tap::capture::observation::How::Fin,
                ),
            );
        }
    }
}

impl Agent {
    pub(super) fn new(id: &str, name: &str, extension: &str, address: u8) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            extension: extension.to_owned(),
            team: "5007".to_owned(),
            client: IpAddr::from([192, 0, 2, address]),
            browser: "Mozilla/5.0 Chrome/131".to_owned(),
            over: Over::WebSocket,
            auth: Auth::Basic,
            jid: id.to_owned(),
            basic: id.to_owned(),
            path: id.to_owned(),
            resource: "desktop".to_owned(),
            host: host("fin1"),
            rest: BTreeMap::new(),
            sockets: Vec::new(),
            ping_ms: Some(PING_MS),
            pong_ms: Some(RTT_MS),
            last_request: String::new(),
            requests: 0,
            iqs: 0,
        }
    }

    /// `is over=bosh auth=bearer …`
    pub(super) fn describe(&mut self, words: &Words, number: usize) {
        for (name, value) in &words.named {
            let value = value.clone();
            match &**name {
                "id" => {
                    (self.id, self.jid, self.basic, self.path) = (value.clone(), value.clone(), value.clone(), value)
                }
                "name" => self.name = value,
                "extension" => self.extension = value,
                "team" => self.team = value,
                "client" => self.client = value.parse().unwrap(),
                "browser" => self.browser = value,
                "jid" => self.jid = value,
                "basic" => self.basic = value,
                "path" => self.path = value,
                "resource" => self.resource = value,
                "at" => self.host = host(&value),
                "auth" => self.auth = if value == "bearer" { Auth::Bearer } else { Auth::Basic },
                "over" => {
                    self.over = match &*value {
                        "websocket" => Over::WebSocket,
                        "bosh" => Over::Bosh,
                        "xmpp" => Over::Xmpp,
                        _ => panic!("line {number}: over=websocket|bosh|xmpp"),
                    };
                }
                other => panic!("line {number}: nobody is `{other}`"),
            }
        }
    }

    pub(super) fn is_bosh(&self) -> bool {
        self.over == Over::Bosh
    }

    pub(super) fn is_xmpp(&self) -> bool {
        self.over == Over::Xmpp
    }

    pub(super) fn names(&self) -> (String, String, String) {
        (self.host.clone(), self.jid.clone(), self.resource.clone())
    }

    pub(super) fn secret(&self) -> &'static str {
        if self.auth == Auth::Bearer { TOKEN } else { PASSWORD }
    }

    pub(super) fn node(&self) -> String {
        format!("/finesse/api/User/{}", self.id)
    }
}

pub(super) fn host(name: &str) -> String {
    format!("{name}.example.test")
}

fn time_or_off(word: Option<&str>, default_ms: u64) -> Option<u64> {
    match word {
        Some("off") => None,
        Some("on") | None => Some(default_ms),
        Some(time) => Some(milliseconds(time)),
    }
}

pub(super) fn api_error(kind: &str, message: &str, data: &str) -> String {
    format!(
        "<ApiErrors><ApiError><ErrorType>{kind}</ErrorType><ErrorMessage>{message}</ErrorMessage><ErrorData>{data}</ErrorData></ApiError></ApiErrors>"
    )
}

pub(super) fn system_info(host: &str, status: &str, deployment: &str, more: &str) -> String {
    format!(
        "<SystemInfo><deploymentType>{deployment}</deploymentType><primaryNode><host>fin1.example.test</host></primaryNode>\
         <secondaryNode><host>fin2.example.test</host></secondaryNode><status>{status}</status>{more}<xmppDomain>{host}</xmppDomain></SystemInfo>"
    )
}
