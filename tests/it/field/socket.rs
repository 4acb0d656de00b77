//! Sockets: XMPP over a WebSocket, BOSH or by itself, and connections that come to nothing.

use super::run::Step;
use super::script::Words;
use super::wire;
use super::world::{Over, PING_MS, RTT_MS, Socket, World, host};
use finesse_tap::capture::observation::{End, How, Leg};
use finesse_tap::conn::{Direction, Kind};
use std::collections::BTreeMap;

impl World {
    /// The socket and its login, up to a stage.
    pub(super) fn socket(&mut self, who: &str, words: &Words) {
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

    pub(super) fn ping(&mut self, who: &str) {
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

    pub(super) fn subscribe(&mut self, who: &str, words: &Words) {
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

    pub(super) fn unsubscribe(&mut self, who: &str, words: &Words) {
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
    pub(super) fn node(&self, who: &str, name: &str) -> String {
        let agent = &self.agents[who];
        match name {
            "User" => format!("/finesse/api/User/{}", agent.id),
            "Dialogs" | "Media" | "Queues" | "Dialogs/Media" => format!("/finesse/api/User/{}/{name}", agent.id),
            "Team" => format!("/finesse/api/Team/{}/Users", agent.team),
            "TeamMessages" => format!("/finesse/api/Team/{}/TeamMessages", agent.team),
            other => format!("/finesse/api/{other}"),
        }
    }

    pub(super) fn frame(&mut self, who: &str, words: &Words, number: usize) {
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
    pub(super) fn logout(&mut self, who: &str, words: &Words) {
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
    pub(super) fn close(&mut self, who: &str, words: &Words) {
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
    pub(super) fn cut(&mut self, who: &str, words: &Words) {
        let Some(socket) = self.agent(who).sockets.pop() else { return };
        let by = if words.or("by", "server") == "client" { End::Client } else { End::Upstream };
        let how = match words.or("how", "rst") {
            "fin" => How::Fin,
            "timeout" => How::Timeout,
            _ => How::Rst,
        };
        self.emit(socket.conn, Step::Close(by, how));
    }

    pub(super) fn tls(&mut self, who: &str, words: &Words) {
        let agent = &self.agents[who];
        let at = words.get("at").map_or_else(|| agent.host.clone(), host);
        let port = words.or("port", "8445").parse().unwrap();
        let conn = self.open(self.agents[who].client, &at, port, Kind::Https);
        let alert = words.at(0).filter(|alert| *alert != "made" && *alert != "silence").map(str::to_owned);
        let made = words.at(0) == Some("made");
        self.emit(
            conn,
            Step::Tls { leg: Leg::Client, made, alert, sni: at, why: "the browser ended the handshake".into() },
        );
        self.emit(conn, Step::Close(End::Client, How::TlsAlert));
    }

    /// `unreached WHY`: the proxy does not reach the server.
    pub(super) fn unreached(&mut self, who: &str, words: &Words) {
        let agent = &self.agents[who];
        let conn = self.open(agent.client, &agent.host.clone(), 8445, Kind::Https);
        self.emit(conn, Step::Unreached { why: words.at(0).unwrap().to_owned() });
    }

    /// `distrusted WHY [alert=…]`: the proxy does not accept the server's certificate.
    pub(super) fn distrusted(&mut self, who: &str, words: &Words) {
        let agent = &self.agents[who];
        let (sni, why) = (agent.host.clone(), words.at(0).unwrap().to_owned());
        let conn = self.open(agent.client, &sni, 8445, Kind::Https);
        let alert = words.get("alert").map(str::to_owned);
        self.emit(conn, Step::Tls { leg: Leg::Upstream, made: false, alert, sni, why: why.clone() });
        self.emit(conn, Step::Unreached { why });
    }

    /// `bytes client "…" server "…"`: raw text on a connection of its own; `\r\n` are understood.
    pub(super) fn bytes(&mut self, who: &str, words: &Words) {
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
