//! Who takes part in a scenario, and what the verbs of its lines come to on the wire.
//!
//! Each agent has a browser at an address, a connection for REST calls, and XMPP over a WebSocket, BOSH or a connection of
//! its own, on which pings go on by themselves while time passes.

use super::run::{Event, START_US, Step, Timeline};
use super::script::{Line, Script, Words, milliseconds};
use super::wire::{self, PASSWORD, TOKEN, element};
use finesse_tap::capture::observation::{End, How};
use finesse_tap::conn::{Authority, Direction, Kind};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// From a question to its answer.
const RTT_MS: u64 = 40;
/// From one ping of the desktop to the next, unless a line says otherwise.
const PING_MS: u64 = 10_000;
/// What item ids begin with.
const PROCESS: &str = "a6ca891f-8b34-443f-8c7d-dac020d41838";

/// What carries an agent's XMPP.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    WebSocket,
    Bosh,
    Xmpp,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Auth {
    Basic,
    Bearer,
}

struct Socket {
    conn: u64,
    /// BOSH: the connection of the request that the server holds, and the other one.
    held: Option<u64>,
    rid: u64,
    next_ping_ms: Option<u64>,
}

pub(super) struct Agent {
    id: String,
    name: String,
    extension: String,
    team: String,
    client: IpAddr,
    browser: String,
    over: Over,
    auth: Auth,
    /// What it signs in to XMPP with, and what REST calls carry and paths hold.
    jid: String,
    basic: String,
    path: String,
    resource: String,
    host: String,
    rest: BTreeMap<String, u64>,
    sockets: Vec<Socket>,
    ping_ms: Option<u64>,
    pong_ms: Option<u64>,
    last_request: String,
    requests: u64,
    iqs: u64,
}

/// A scenario while it is written down step by step.
pub struct World {
    agents: BTreeMap<String, Agent>,
    pub timeline: Timeline,
    now_ms: u64,
    conns: u64,
    items: u64,
    process: String,
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
        let mut world = Self { agents, timeline, now_ms: 0, conns: 0, items: 300, process: PROCESS.to_owned() };
        for line in &script.lines {
            world.pass(line.after_ms);
            world.line(line);
        }
        world.timeline.end_ms = world.now_ms + 40_000;
        world.timeline.events.sort_by_key(|event| event.at_ms);
        world.timeline
    }

    fn line(&mut self, line: &Line) {
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
                _ => panic!("line {number}: the server `restarts`; what it says it says to somebody"),
            };
        }
        if who == "quiet" {
            return;
        }
        assert!(self.agents.contains_key(who), "line {number}: there is no `{who}`: ann, bob, cat and sue are");
        self.verb(who, verb, words, *number);
    }

    fn verb(&mut self, who: &str, verb: &str, words: &Words, number: usize) {
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
    fn pass(&mut self, ms: u64) {
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

    fn emit(&mut self, conn: u64, step: Step) {
        self.emit_at(self.now_ms, conn, step);
    }

    fn emit_at(&mut self, at_ms: u64, conn: u64, step: Step) {
        self.timeline.events.push(Event { at_ms, conn, step });
    }

    fn open(&mut self, client: IpAddr, server: &str, port: u16, kind: Kind) -> u64 {
        self.conns += 1;
        self.emit(self.conns, Step::Open { client, server: server.to_owned(), port, kind });
        self.conns
    }

    /// The page, its parts, and what is asked before anybody is signed in.
    fn page(&mut self, who: &str, words: &Words) {
        if let Some(name) = words.get("at") {
            self.agent(who).host = host(name);
        }
        let agent = &self.agents[who];
        let (name, host) = (agent.name.clone(), agent.host.clone());
        self.rest_call(who, "GET", "/desktop/container/", 200, &[], "", "<html></html>");
        self.rest_call(who, "GET", "/desktop/assets/js/desktop.js", 304, &[("auth", "none")], "", "");
        self.rest_call(who, "GET", "/desktop/theme/finesse/logo.png", 404, &[("auth", "none")], "", "");
        let info = system_info(&host, "IN_SERVICE");
        self.rest_call(who, "GET", "/finesse/api/SystemInfo", 200, &[("auth", "none")], "", &info);
        if self.agents[who].auth == Auth::Bearer {
            let mode = "<UserAuthMode><authMode>SSO</authMode></UserAuthMode>";
            self.rest_call(
                who,
                "GET",
                &format!("/finesse/api/UserAuthMode/{name}"),
                200,
                &[("auth", "none")],
                "",
                mode,
            );
            let token = format!(
                "{{\"token\":\"{TOKEN}\",\"refresh_token\":\"{TOKEN}-r\",\"expires_in\":300,\"user_id\":\"{name}\"}}"
            );
            let path = format!("/desktop/sso/token?cc_username={name}&return_refresh_token=true");
            self.rest_call(who, "GET", &path, 200, &[("auth", "none")], "", &token);
        }
        let (id, path) = (self.agents[who].id.clone(), self.agents[who].path.clone());
        let user = self.user(who, "LOGOUT", &Words::default());
        assert!(!id.is_empty());
        self.rest_call(who, "GET", &format!("/finesse/api/User/{path}"), 200, &[], "", &user);
    }

    /// What a desktop reads when it has signed in; some of it is not there.
    fn reads(&mut self, who: &str) {
        let (id, team) = (self.agents[who].path.clone(), self.agents[who].team.clone());
        for (path, status) in [
            (format!("User/{id}/Dialogs"), 200),
            (format!("User/{id}/Media"), 200),
            (format!("User/{id}/ReasonCodes?category=NOT_READY"), 200),
            (format!("Team/{team}/WrapUpReasons"), 304),
            (format!("Team/{team}/PhoneBooks"), 200),
            (format!("User/{id}/Queues"), 404),
            ("ChatConfig".to_owned(), 404),
        ] {
            let answer = if status == 404 {
                api_error("Not Found", "HTTP Status code: 404 (Not Found)", path.split('/').next().unwrap())
            } else {
                String::new()
            };
            self.rest_call(who, "GET", &format!("/finesse/api/{path}"), status, &[], "", &answer);
        }
    }

    /// A request and its response on the agent's connection for such; gives when the response came.
    #[allow(clippy::too_many_arguments, reason = "a request and its response")]
    fn rest_call(
        &mut self,
        who: &str,
        method: &str,
        path: &str,
        status: u16,
        options: &[(&str, &str)],
        body: &str,
        answer: &str,
    ) {
        let options: BTreeMap<&str, &str> = options.iter().copied().collect();
        let agent = &self.agents[who];
        let at = options.get("at").map_or_else(|| agent.host.clone(), |name| host(name));
        let key = format!("{at} {}", options.get("conn").copied().unwrap_or_default());
        let (client, known) = (agent.client, agent.rest.get(&key).copied());
        let conn = known.unwrap_or_else(|| {
            let conn = self.open(client, &at, 8445, Kind::Https);
            self.agent(who).rest.insert(key, conn);
            conn
        });
        let agent = &self.agents[who];
        let mut fields =
            vec![("User-Agent", agent.browser.clone()), ("Cookie", format!("JSESSIONID=Canary-{}", agent.id))];
        if options.get("cookie") == Some(&"no") {
            fields.pop();
        }
        match (options.get("auth").copied(), agent.auth) {
            (Some("none"), _) => {}
            (None, Auth::Basic) | (Some("basic"), _) => {
                fields
                    .push(("Authorization", format!("Basic {}", wire::base64(&format!("{}:{PASSWORD}", agent.basic)))));
            }
            _ => fields.push(("Authorization", format!("Bearer {TOKEN}"))),
        }
        if let Some(id) = options.get("id").filter(|id| !id.is_empty()) {
            fields.push(("requestId", (*id).to_owned()));
        }
        if let Some(origin) = options.get("origin") {
            fields.push(("Origin", (*origin).to_owned()));
            if method == "OPTIONS" {
                fields
                    .push(("Access-Control-Request-Method", options.get("asks").copied().unwrap_or("POST").to_owned()));
            }
        }
        let mut back = vec![("Server", "openresty".to_owned())];
        if let Some(id) = options.get("id-back") {
            back.push(("requestId", (*id).to_owned()));
        }
        if status == 401 {
            back.push(("WWW-Authenticate", "Basic realm=\"Cisco Finesse\"".to_owned()));
        }
        for (option, field) in [
            ("retry-after", "Retry-After"),
            ("location", "Location"),
            ("allows", "Access-Control-Allow-Origin"),
            ("type", "Content-Type"),
        ] {
            if let Some(value) = options.get(option) {
                back.push((field, (*value).to_owned()));
            }
        }
        let request = wire::request(method, path, &at, &fields, body);
        self.emit(conn, Step::Bytes(Direction::C2s, request));
        let took_ms = options.get("took").map_or(RTT_MS, |time| milliseconds(time));
        if status == 0 {
            return;
        }
        self.pass(took_ms);
        if answer.starts_with('<') && !options.contains_key("type") {
            back.push(("Content-Type", "application/xml".to_owned()));
        }
        self.emit(conn, Step::Bytes(Direction::S2c, wire::response(status, &back, answer)));
    }

    /// `rest METHOD PATH STATUS`
    fn any_rest(&mut self, who: &str, words: &Words, number: usize) {
        let (Some(method), Some(path), Some(status)) = (words.at(0), words.at(1), words.at(2)) else {
            panic!("line {number}: rest METHOD PATH STATUS [body=…] [answer=…]");
        };
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/finesse/api/{path}") };
        let path = path.replace("ME", &self.agents[who].path);
        let mut options: Vec<(&str, &str)> = words.named.iter().map(|(name, value)| (&**name, &**value)).collect();
        let next = self.next_request(who, words);
        if !next.is_empty() {
            options.retain(|(name, _)| *name != "id");
            options.push(("id", &next));
        }
        let answer = match words.get("error") {
            Some(error) => api_error(error, words.or("message", error), words.or("data", "")),
            None => words.or("answer", "").to_owned(),
        };
        let body = words.or("body", "").to_owned();
        self.rest_call(who, method, &path, status.parse().unwrap(), &options, &body, &answer);
    }

    /// The requestId of a request that changes something, unless `id=no`.
    fn next_request(&mut self, who: &str, words: &Words) -> String {
        let agent = self.agent(who);
        let id = match words.get("id") {
            Some("no") => String::new(),
            Some(id) => id.to_owned(),
            None if words.at(0) == Some("GET") => return String::new(),
            None => {
                agent.requests += 1;
                format!("{}-{}", agent.id, agent.requests)
            }
        };
        agent.last_request.clone_from(&id);
        id
    }

    /// `state STATE`: PUT, 202, event.
    fn state(&mut self, who: &str, words: &Words) {
        let state = words.at(0).unwrap().to_owned();
        let id = self.next_request(who, words);
        let agent = &self.agents[who];
        let reason = words.get("reason").map(|reason| element("reasonCodeId", reason)).unwrap_or_default();
        let extension = if state == "LOGIN" { element("extension", &agent.extension) } else { String::new() };
        let body = format!("<User><state>{state}</state>{extension}{reason}</User>");
        let path = format!("/finesse/api/User/{}", agent.path);
        let came = match (&*state, words.get("becomes")) {
            (_, Some(state)) => state.to_owned(),
            ("LOGIN", None) => "NOT_READY".to_owned(),
            _ => state,
        };
        let mut details = words.clone();
        details.plain.clear();
        details
            .named
            .insert("request".into(), if words.get("echo") == Some("no") { String::new() } else { id.clone() });
        details.named.remove("reason");
        let status: u16 = words.or("status", "202").parse().unwrap();
        let event = words.or("event", if status == 202 { "yes" } else { "no" }).to_owned();
        if event == "before" {
            self.user_event(who, &came, &details);
        }
        let mut options: Vec<(&str, &str)> = ["auth", "conn", "took", "cookie", "at"]
            .into_iter()
            .filter_map(|name| Some((name, words.get(name)?)))
            .collect();
        if words.get("id") == Some("answer") {
            options.push(("id-back", &id));
        } else {
            options.push(("id", &id));
        }
        let answer = words
            .get("error")
            .map(|error| api_error(error, words.or("message", error), words.or("data", "")))
            .unwrap_or_default();
        self.rest_call(who, "PUT", &path, status, &options, &body, &answer);
        if event == "yes" {
            self.pass(RTT_MS);
            self.user_event(who, &came, &details);
        }
    }

    /// `dialog ID ACTION [state=…]`: PUT, 202, event.
    fn dialog(&mut self, who: &str, words: &Words) {
        let (dialog, action) = (words.at(0).unwrap().to_owned(), words.at(1).unwrap().to_owned());
        let id = self.next_request(who, words);
        let body = format!(
            "<Dialog><requestedAction>{action}</requestedAction><targetMediaAddress>{}</targetMediaAddress></Dialog>",
            self.agents[who].extension
        );
        let status: u16 = words.or("status", "202").parse().unwrap();
        let answer = words
            .get("error")
            .map(|error| api_error(error, words.or("message", error), words.or("data", "")))
            .unwrap_or_default();
        self.rest_call(who, "PUT", &format!("/finesse/api/Dialog/{dialog}"), status, &[("id", &id)], &body, &answer);
        if words.or("event", if status == 202 { "yes" } else { "no" }) == "yes" {
            self.pass(RTT_MS);
            let state = words.or("state", if action == "DROP" { "DROPPED" } else { "ACTIVE" }).to_owned();
            let mut details = words.clone();
            details.named.insert("request".into(), if words.get("echo") == Some("no") { String::new() } else { id });
            self.dialog_event(who, "Dialog", "PUT", &dialog, &state, &details);
        }
    }

    /// `makes ID to=NUMBER`: POST, 202, Dialogs event.
    fn make_call(&mut self, who: &str, words: &Words) {
        let dialog = words.at(0).unwrap().to_owned();
        let id = self.next_request(who, words);
        let agent = &self.agents[who];
        let body = format!(
            "<Dialog><requestedAction>MAKE_CALL</requestedAction><fromAddress>{}</fromAddress><toAddress>{}</toAddress></Dialog>",
            agent.extension,
            words.or("to", "3000")
        );
        let path = format!("/finesse/api/User/{}/Dialogs", agent.path);
        self.rest_call(who, "POST", &path, 202, &[("id", &id)], &body, "");
        if words.or("event", "yes") == "yes" {
            self.pass(RTT_MS);
            let mut details = words.clone();
            details.named.insert("request".into(), if words.get("echo") == Some("no") { String::new() } else { id });
            self.dialog_event(who, "Dialogs", "POST", &dialog, "INITIATING", &details);
        }
    }

    /// A whole incoming call.
    fn call(&mut self, who: &str, words: &Words) {
        let dialog = words.at(0).unwrap().to_owned();
        let none = Words::default();
        self.user_event(who, "RESERVED", &none);
        self.dialog_event(who, "Dialogs", "POST", &dialog, "ALERTING", &none);
        self.pass(2_000);
        self.dialog(who, &Words { plain: vec![dialog.clone(), "ANSWER".into()], ..Words::default() });
        self.user_event(who, "TALKING", &none);
        self.pass(milliseconds(words.or("talk", "15")));
        let drop = BTreeMap::from([("state".to_owned(), "DROPPED".to_owned())]);
        self.dialog(who, &Words { plain: vec![dialog.clone(), "DROP".into()], named: drop });
        self.dialog_event(who, "Dialogs", "DELETE", &dialog, "DROPPED", &none);
        self.user_event(who, "WORK_READY", &none);
        self.pass(2_000);
        self.state(who, &Words { plain: vec!["READY".into()], ..Words::default() });
    }

    /// `event WHAT …`: see the README.
    fn event(&mut self, who: &str, words: &Words, number: usize) {
        let id = self.agents[who].id.clone();
        let word = |index: usize| words.at(index).unwrap_or_else(|| panic!("line {number}: the event lacks a word"));
        match word(0) {
            "User" => self.user_event(who, word(1), words),
            what @ ("Dialogs" | "Dialog") => self.dialog_event(who, what, word(1), word(2), word(3), words),
            "Task" => self.dialog_event(who, "Task", word(1), word(2), word(3), words),
            "Media" => {
                let (media, state) = (word(1), word(2));
                let source = format!("/finesse/api/User/{id}/Media/{media}");
                let data = format!("<Media><id>{media}</id><state>{state}</state><uri>{source}</uri></Media>");
                self.notify(who, &format!("/finesse/api/User/{id}/Media"), &data, "put", words, &source);
            }
            "Team" => {
                let team = format!("/finesse/api/Team/{}/Users", self.agents[who].team);
                let other = word(1);
                let data = format!(
                    "<user><loginId>{other}</loginId><state>{}</state><stateChangeTime>{}</stateChangeTime></user>",
                    word(2),
                    self.ago(words)
                );
                self.notify(who, &team, &data, "put", words, &format!("/finesse/api/User/{other}"));
            }
            "Queue" => {
                let node = format!("/finesse/api/Queue/{}", word(1));
                let data =
                    format!("<Queue><uri>{node}</uri><statistics><callsInQueue>3</callsInQueue></statistics></Queue>");
                self.notify(who, &node, &data, "put", words, &node);
            }
            "Queues" => {
                let node = format!("/finesse/api/User/{id}/Queues");
                let data = format!("<Queues><Queue><uri>/finesse/api/Queue/{}</uri></Queue></Queues>", word(1));
                self.notify(who, &node, &data, "post", words, &node);
            }
            "SystemInfo" => {
                let node = "/finesse/api/SystemInfo";
                let extra = ["statusReason", "finesseMMode", "ctiMMode", "lastCTIHeartbeatStatus"];
                let extra: String =
                    extra.into_iter().filter_map(|name| Some(element(name, words.get(name)?))).collect();
                let data = format!("<systemInfo><status>{}</status>{extra}</systemInfo>", word(1));
                self.notify(who, node, &data, "PUT", words, node);
            }
            "TeamMessage" => {
                let node = format!("/finesse/api/Team/{}/TeamMessages", self.agents[who].team);
                let data = "<TeamMessage><id>be15</id><content>Lunch at noon</content></TeamMessage>";
                self.notify(who, &node, data, "POST", words, "/finesse/api/TeamMessage/be15");
            }
            "error" => {
                let source = match words.or("source", "User") {
                    "User" => format!("/finesse/api/User/{id}"),
                    other => format!("/finesse/api/{}", other.replace("ME", &id)),
                };
                let below = if source.contains("/Dialog") {
                    "/Dialogs"
                } else if source.contains("/Media") {
                    "/Media"
                } else {
                    ""
                };
                let data = format!(
                    "<apiErrors><apiError><errorData>{}</errorData><errorMessage>{}</errorMessage><errorType>{}</errorType></apiError></apiErrors>",
                    words.or("data", "22"),
                    words.or("message", "CF_INVALID_OBJECT_STATE"),
                    word(1)
                );
                self.notify(
                    who,
                    &format!("/finesse/api/User/{id}{below}"),
                    &data,
                    words.or("verb", "PUT"),
                    words,
                    &source,
                );
            }
            "raw" => {
                let node = words.or("node", "ME").replace("ME", &format!("/finesse/api/User/{id}"));
                let payload = words.or("payload", "");
                self.publish(who, &node, payload, words.get("item"));
            }
            other => panic!("line {number}: there is no event `{other}`"),
        }
    }

    fn user_event(&mut self, who: &str, state: &str, words: &Words) {
        let data = self.user(who, state, words);
        let path = format!("/finesse/api/User/{}", self.agents[who].id);
        self.notify(who, &path, &data, words.or("verb", "PUT"), words, &path);
    }

    fn user(&self, who: &str, state: &str, words: &Words) -> String {
        let agent = &self.agents[who];
        let reason = words.get("reason").map(|code| {
            format!(
                "<reasonCode><category>{state}</category><code>{code}</code><id>7</id><label>{}</label></reasonCode>",
                words.or("label", "x")
            )
        });
        let fields = [
            element("dialogs", &format!("/finesse/api/User/{}/Dialogs", agent.id)),
            element("extension", &agent.extension),
            element("loginId", &agent.id),
            element("loginName", &agent.name),
            element("mediaType", "1"),
            element("pendingState", words.or("pending", "")),
            reason.unwrap_or_else(|| element("reasonCodeId", "-1")),
            element("roles", "<role>Agent</role>"),
            element("state", state),
            element("stateChangeTime", &self.ago(words)),
            element("teamId", &agent.team),
            element("uri", &format!("/finesse/api/User/{}", agent.id)),
        ];
        element("user", &fields.concat())
    }

    /// The server's time, `changed` ago, its clock `skew` ahead.
    fn ago(&self, words: &Words) -> String {
        let ago_ms = i64::try_from(milliseconds(words.or("changed", "0.02"))).unwrap();
        let at_ms = START_US / 1_000 + i64::try_from(self.now_ms).unwrap() - ago_ms;
        format!("{:.3}", jiff::Timestamp::from_millisecond(at_ms).unwrap())
    }

    fn dialog_event(&mut self, who: &str, what: &str, verb: &str, dialog: &str, state: &str, words: &Words) {
        let agent = &self.agents[who];
        let actions = match state {
            "ALERTING" => "<action>ANSWER</action>",
            "ACTIVE" => {
                "<action>HOLD</action><action>DROP</action><action>CONSULT_CALL</action><action>TRANSFER_SST</action>"
            }
            "HELD" => "<action>RETRIEVE</action><action>DROP</action>",
            "OFFERED" => "<action>ACCEPT</action>",
            _ => "",
        };
        let time = self.ago(words);
        let participant = |address: &str, kind: &str, state: &str, actions: &str| {
            format!(
                "<Participant><actions>{actions}</actions><mediaAddress>{address}</mediaAddress><mediaAddressType>{kind}</mediaAddressType>\
                 <startTime>{time}</startTime><state>{state}</state><stateCause>{}</stateCause><stateChangeTime>{time}</stateChangeTime></Participant>",
                words.or("cause", "")
            )
        };
        let own = participant(&agent.extension, "AGENT_DEVICE", words.or("own", state), actions);
        let others = participant(words.or("from", "441632960000"), "", state, "");
        let inner = format!(
            "<associatedDialogUri>{}</associatedDialogUri><fromAddress>{}</fromAddress><id>{dialog}</id><mediaProperties><DNIS>7000</DNIS>\
             <callType>{}</callType><callvariables></callvariables></mediaProperties><mediaType>{}</mediaType><participants>{own}{others}</participants>\
             <state>{state}</state><toAddress>{}</toAddress><uri>/finesse/api/Dialog/{dialog}</uri>",
            words.or("with", ""),
            words.or("from", "441632960000"),
            words.or("type", "ACD_IN"),
            if what == "Task" { "Cisco_Chat_MRD" } else { "Voice" },
            words.or("to", "8213"),
        );
        let id = agent.id.clone();
        let (node, source, data) = match (what, verb) {
            ("Dialogs", _) => {
                let node = format!("/finesse/api/User/{id}/Dialogs");
                (node.clone(), node, format!("<dialogs><Dialog>{inner}</Dialog></dialogs>"))
            }
            ("Dialog", _) => (
                format!("/finesse/api/User/{id}/Dialogs"),
                format!("/finesse/api/Dialog/{dialog}"),
                element("dialog", &inner),
            ),
            (_, "PUT") => (
                format!("/finesse/api/User/{id}/Dialogs/Media"),
                format!("/finesse/api/Dialog/{dialog}"),
                element("dialog", &inner),
            ),
            _ => (
                format!("/finesse/api/User/{id}/Dialogs/Media"),
                format!("/finesse/api/User/{id}/Media/5000/Dialogs"),
                format!("<dialogs><Dialog>{inner}</Dialog></dialogs>"),
            ),
        };
        self.notify(who, &node, &data, verb, words, &source);
    }

    /// An Update to the agent's socket.
    fn notify(&mut self, who: &str, node: &str, data: &str, verb: &str, words: &Words, source: &str) {
        let request = match words.or("request", "") {
            "last" => self.agents[who].last_request.clone(),
            other => other.to_owned(),
        };
        let update = wire::update(data, verb, &request, source);
        let node = words.or("node", node).to_owned();
        self.publish(who, &node, &update, words.get("item"));
    }

    fn publish(&mut self, who: &str, node: &str, payload: &str, item: Option<&str>) {
        self.items += 1;
        let item = match item {
            Some("again") => {
                self.items -= 1;
                format!("{}{}", self.process, self.items)
            }
            Some(process) => format!("{process}{}", self.items),
            None => format!("{}{}", self.process, self.items),
        };
        let agent = &self.agents[who];
        let message = wire::message(&agent.host, &agent.jid, node, &item, payload);
        self.say(who, Direction::S2c, &message);
    }

    /// The socket and its login, up to a stage.
    fn socket(&mut self, who: &str, words: &Words) {
        if let Some(name) = words.get("at") {
            self.agent(who).host = host(name);
        }
        let agent = &self.agents[who];
        let (host, client, over, browser) = (agent.host.clone(), agent.client, agent.over, agent.browser.clone());
        let until = words.or("until", "none").to_owned();
        let kind = if over == Over::Xmpp { Kind::Xmpps } else { Kind::Https };
        let port = if over == Over::Xmpp { 5223 } else { 8445 };
        let conn = self.open(client, &host, port, kind);
        self.agent(who).sockets.push(Socket { conn, held: None, rid: 1_000, next_ping_ms: None });
        if over == Over::WebSocket {
            let cookie = format!("JSESSIONID=Canary-{}", self.agents[who].id);
            self.emit(conn, Step::Bytes(Direction::C2s, wire::upgrade(&host, &browser, &cookie)));
            if until == "handshake" {
                return;
            }
            let answer = if words.get("subprotocol") == Some("no") { wire::UPGRADED_BARE } else { wire::UPGRADED };
            self.emit(conn, Step::Bytes(Direction::S2c, answer.into()));
        }
        super::login::login(self, who, &until, words);
    }

    pub(super) fn stanza(&mut self, who: &str, direction: Direction, xml: &str) {
        if direction == Direction::S2c {
            self.pass(2);
        }
        self.say(who, direction, xml);
    }

    /// Text on the agent's newest socket.
    pub(super) fn say(&mut self, who: &str, direction: Direction, xml: &str) {
        let over = self.agents[who].over;
        let Some(socket) = self.agents[who].sockets.last() else { return };
        let conn = socket.conn;
        match over {
            Over::WebSocket => self.emit(conn, Step::Bytes(direction, wire::text_frame(direction, xml))),
            Over::Xmpp => self.emit(conn, Step::Bytes(direction, xml.as_bytes().to_vec())),
            Over::Bosh => self.bosh(who, direction, xml, ""),
        }
    }

    /// BOSH with one request held: the client's stanza goes on the other connection and frees the held one.
    pub(super) fn bosh(&mut self, who: &str, direction: Direction, xml: &str, attributes: &str) {
        let agent = &self.agents[who];
        let (host, client, id) = (agent.host.clone(), agent.client, agent.id.clone());
        let sid = format!("Canary-sid-{id}-{}", agent.sockets.last().unwrap().conn);
        let post = |rid: u64, attributes: &str, xml: &str| {
            let own = if rid == 1_000 { String::new() } else { format!(" sid='{sid}'") };
            let body = format!(
                "<body rid='{rid}'{own} xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' {attributes}>{xml}</body>"
            );
            wire::request("POST", "/http-bind/", &host, &[], &body)
        };
        let answer = |attributes: &str, xml: &str| {
            let body = format!(
                "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams' {attributes}>{xml}</body>"
            );
            wire::response(200, &[("Content-Type", "text/xml".to_owned())], &body)
        };
        let socket = self.agents[who].sockets.last().unwrap();
        let (first, held, rid) = (socket.conn, socket.held, socket.rid);
        match direction {
            Direction::C2s => {
                let on = match held {
                    Some(held) if held == first => {
                        let key = format!("bosh {first}");
                        match self.agents[who].rest.get(&key).copied() {
                            Some(conn) => conn,
                            None => {
                                let conn = self.open(client, &host, 8445, Kind::Https);
                                self.agent(who).rest.insert(key, conn);
                                conn
                            }
                        }
                    }
                    _ => first,
                };
                self.emit(on, Step::Bytes(Direction::C2s, post(rid, attributes, xml)));
                if let Some(held) = held {
                    self.emit(held, Step::Bytes(Direction::S2c, answer("", "")));
                }
                let socket = self.agent(who).sockets.last_mut().unwrap();
                (socket.held, socket.rid) = (Some(on), rid + 1);
            }
            Direction::S2c => {
                let Some(held) = held else { return };
                self.emit(held, Step::Bytes(Direction::S2c, answer(&attributes.replace("SID", &sid), xml)));
                self.agent(who).sockets.last_mut().unwrap().held = None;
                let ready = self.agents[who].sockets.last().unwrap().next_ping_ms.is_some();
                if ready && !attributes.contains("terminate") {
                    self.emit(held, Step::Bytes(Direction::C2s, post(rid, "", "")));
                    let socket = self.agent(who).sockets.last_mut().unwrap();
                    (socket.held, socket.rid) = (Some(held), rid + 1);
                }
            }
        }
    }

    /// The desktop counts as connected: its pings begin.
    pub(super) fn begin_pings(&mut self, who: &str) {
        let now_ms = self.now_ms;
        let agent = self.agent(who);
        let every = agent.ping_ms.unwrap_or(PING_MS);
        if let Some(socket) = agent.sockets.last_mut() {
            socket.next_ping_ms = Some(now_ms + every);
        }
    }

    fn ping(&mut self, who: &str) {
        let agent = self.agent(who);
        agent.iqs += 1;
        let (number, host, pong_ms, jid) = (agent.iqs, agent.host.clone(), agent.pong_ms, agent.jid.clone());
        let id = format!("p{number}:ping");
        self.say(
            who,
            Direction::C2s,
            &format!("<iq type='get' to='{host}' id='{id}' xmlns='jabber:client'><ping xmlns='urn:xmpp:ping'/></iq>"),
        );
        let Some(pong_ms) = pong_ms else { return };
        let pong = format!(
            "<iq xmlns=\"jabber:client\" type=\"result\" id=\"{id}\" from=\"{host}\" to=\"{jid}@{host}/desktop\"/>"
        );
        let now_ms = self.now_ms;
        // An answer that takes long is overtaken by others; over BOSH it comes at once.
        self.now_ms += if self.agents[who].over == Over::Bosh { RTT_MS } else { pong_ms };
        self.say(who, Direction::S2c, &pong);
        self.now_ms = now_ms + if self.agents[who].over == Over::Bosh { RTT_MS } else { 0 };
    }

    fn subscribe(&mut self, who: &str, words: &Words) {
        for node in &words.plain {
            let agent = self.agent(who);
            agent.iqs += 1;
            let (number, host, jid) = (agent.iqs, agent.host.clone(), agent.jid.clone());
            let node = self.node(who, node);
            let id = format!("q{number}:subscribenode");
            self.stanza(who, Direction::C2s, &format!("<iq to='pubsub.{host}' type='set' id='{id}' xmlns='jabber:client'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='{node}' jid='{jid}@{host}/desktop'/></pubsub></iq>"));
            let answer = match words.get("error") {
                Some(condition) => format!(
                    "<iq xmlns=\"jabber:client\" type=\"error\" id=\"{id}\" from=\"pubsub.{host}\"><error type=\"cancel\"><{condition} xmlns=\"urn:ietf:params:xml:ns:xmpp-stanzas\"/></error></iq>"
                ),
                None => format!(
                    "<iq xmlns=\"jabber:client\" type=\"result\" id=\"{id}\" from=\"pubsub.{host}\"><pubsub xmlns=\"http://jabber.org/protocol/pubsub\"><subscription node=\"{node}\" subscription=\"subscribed\"/></pubsub></iq>"
                ),
            };
            if words.get("answer") != Some("no") {
                self.stanza(who, Direction::S2c, &answer);
            }
        }
    }

    fn unsubscribe(&mut self, who: &str, words: &Words) {
        for node in &words.plain {
            let agent = self.agent(who);
            agent.iqs += 1;
            let (number, host, jid) = (agent.iqs, agent.host.clone(), agent.jid.clone());
            let node = self.node(who, node);
            let id = format!("q{number}:unsubscribenode");
            self.stanza(who, Direction::C2s, &format!("<iq to='pubsub.{host}' type='set' id='{id}' xmlns='jabber:client'><pubsub xmlns='http://jabber.org/protocol/pubsub'><unsubscribe node='{node}' jid='{jid}@{host}/desktop'/></pubsub></iq>"));
            self.stanza(
                who,
                Direction::S2c,
                &format!("<iq xmlns=\"jabber:client\" type=\"result\" id=\"{id}\" from=\"pubsub.{host}\"/>"),
            );
        }
    }

    /// `User`, `Dialogs`, `Team`, `Queue/7` …
    fn node(&self, who: &str, name: &str) -> String {
        let agent = &self.agents[who];
        match name {
            "User" => format!("/finesse/api/User/{}", agent.id),
            "Dialogs" | "Media" | "Queues" | "Dialogs/Media" => format!("/finesse/api/User/{}/{name}", agent.id),
            "Team" => format!("/finesse/api/Team/{}/Users", agent.team),
            "TeamMessages" => format!("/finesse/api/Team/{}/TeamMessages", agent.team),
            other => format!("/finesse/api/{other}"),
        }
    }

    fn frame(&mut self, who: &str, words: &Words, number: usize) {
        let (what, from) = (words.at(0).unwrap_or_default(), words.or("by", "server"));
        let direction = if from == "client" { Direction::C2s } else { Direction::S2c };
        let first = match what {
            "ping" => 0x89,
            "pong" => 0x8a,
            "binary" => 0x82,
            "space" => 0x81,
            _ => panic!("line {number}: frame ping|pong|binary|space"),
        };
        let payload = if what == "space" { " " } else { words.or("payload", "k") };
        let conn = self.agents[who].sockets.last().unwrap().conn;
        self.emit(conn, Step::Bytes(direction, wire::any_frame(direction, first, payload.as_bytes())));
    }

    /// State, subscriptions, presence, stream and socket end in order.
    fn logout(&mut self, who: &str, words: &Words) {
        let mut named = words.named.clone();
        named.entry("reason".into()).or_insert("2".into());
        if words.get("state") != Some("no") {
            self.state(who, &Words { plain: vec!["LOGOUT".into()], named });
        }
        let xmlns = if self.agents[who].over == Over::Xmpp { "" } else { " xmlns='jabber:client'" };
        self.say(who, Direction::C2s, &format!("<presence{xmlns} type='unavailable'/>"));
        self.close(
            who,
            &Words {
                named: BTreeMap::from([("by".into(), "client".into()), ("code".into(), "none".into())]),
                ..Words::default()
            },
        );
    }

    /// `closes [by=client|server] [code=1000] [reason=…]`: the stream and the socket end in order.
    fn close(&mut self, who: &str, words: &Words) {
        let by_client = words.or("by", "client") == "client";
        let (one, other) = if by_client { (Direction::C2s, Direction::S2c) } else { (Direction::S2c, Direction::C2s) };
        let over = self.agents[who].over;
        let Some(socket) = self.agents[who].sockets.last() else { return };
        let conn = socket.conn;
        match over {
            Over::WebSocket => {
                if words.get("stream") != Some("no") {
                    self.say(who, one, "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
                }
                let code = words.or("code", "1000").parse().ok();
                self.emit(conn, Step::Bytes(one, wire::close_frame(one, code, words.or("reason", ""))));
                self.pass(5);
                self.emit(conn, Step::Bytes(other, wire::close_frame(other, code, "")));
            }
            Over::Xmpp => {
                self.emit(conn, Step::Bytes(one, b"</stream:stream>".to_vec()));
                self.emit(conn, Step::Bytes(other, b"</stream:stream>".to_vec()));
            }
            Over::Bosh => {
                self.bosh(who, Direction::C2s, "", "type='terminate'");
                self.bosh(who, Direction::S2c, "", "type='terminate'");
            }
        }
        self.agent(who).sockets.pop();
        let by = if by_client { End::Client } else { End::Upstream };
        self.emit(conn, Step::Close(by, How::Fin));
    }

    /// `cut [by=client|server] [how=rst|fin|timeout]`: the connection ends without a word.
    fn cut(&mut self, who: &str, words: &Words) {
        let Some(socket) = self.agent(who).sockets.pop() else { return };
        let by = if words.or("by", "server") == "client" { End::Client } else { End::Upstream };
        let how = match words.or("how", "rst") {
            "fin" => How::Fin,
            "timeout" => How::Timeout,
            _ => How::Rst,
        };
        self.emit(socket.conn, Step::Close(by, how));
    }

    fn tls(&mut self, who: &str, words: &Words) {
        let agent = &self.agents[who];
        let at = words.get("at").map_or_else(|| agent.host.clone(), host);
        let port = words.or("port", "8445").parse().unwrap();
        let conn = self.open(self.agents[who].client, &at, port, Kind::Https);
        self.emit(conn, Step::Tls { alert: words.at(0).unwrap_or("unknown_ca").to_owned(), sni: at });
        self.emit(conn, Step::Close(End::Client, How::TlsAlert));
    }

    /// `bytes client "…" server "…"`: raw text on a connection of its own; `\r\n` are understood.
    fn bytes(&mut self, who: &str, words: &Words) {
        let agent = &self.agents[who];
        let (client, server) = (agent.client, agent.host.clone());
        let conn = self.open(client, &server, words.or("port", "8445").parse().unwrap(), Kind::Https);
        for pair in words.plain.chunks(2) {
            let direction = if pair[0] == "client" { Direction::C2s } else { Direction::S2c };
            let text = pair[1].replace("\\r", "\r").replace("\\n", "\n");
            self.emit(conn, Step::Bytes(direction, text.into_bytes()));
            self.pass(RTT_MS);
        }
        if let Some(by) = words.get("cut") {
            let by = if by == "client" { End::Client } else { End::Upstream };
            self.emit(conn, Step::Close(by, How::Rst));
        }
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
            self.emit(conn, Step::Close(End::Client, How::Fin));
        }
    }
}

impl Agent {
    fn new(id: &str, name: &str, extension: &str, address: u8) -> Self {
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
    fn describe(&mut self, words: &Words, number: usize) {
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

fn host(name: &str) -> String {
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

fn system_info(host: &str, status: &str) -> String {
    format!(
        "<SystemInfo><deploymentType>UCCE</deploymentType><primaryNode><host>fin1.example.test</host></primaryNode>\
         <secondaryNode><host>fin2.example.test</host></secondaryNode><status>{status}</status><xmppDomain>{host}</xmppDomain></SystemInfo>"
    )
}
