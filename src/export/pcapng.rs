//! A pcapng for Wireshark: the capture's HTTP and WebSockets over made-up TCP, and each stanza as an exported PDU.
//!
//! Lengths are those of what the capture holds, so that redacted payloads keep their framing. What a capture does not know
//! is plausible and no more: sequence numbers, the order of requests in flight, addresses from 198.18.0.0/15 (RFC 2544)
//! where redaction took them. Packets come in the order of the capture; a request has its own, earlier time.

use super::line::{Before, Captures, Told, not_kept, payload, reason};
use super::packet::{ACK, Blocks, FIN, LINKTYPE_RAW, LINKTYPE_UPPER_PDU, PSH, RST, SYN, Segment, pdu};
use crate::conn::Direction;
use crate::stored::view::{Endpoint, Header, HttpMessage, Line, Url};
use crate::ws::frame;
use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Largest payload of one segment, bytes.
const SEGMENT_BYTES: usize = 60_000;
/// Where addresses are missing.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 18, 0, 1));
const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 18, 0, 2));
/// The interfaces.
const HTTP: u32 = 0;
const XMPP: u32 = 1;
/// How a message was carried, which is not how it is carried here.
const CARRIAGE: &[&str] = &["content-length", "transfer-encoding", "content-encoding", "connection", "upgrade"];

/// Writes a pcapng of `captures` to `out`.
///
/// # Errors
/// Reading or writing failed, or an event is not known.
pub fn pcapng(captures: Captures<'_>, out: &mut dyn Write, progress: &mut dyn FnMut(u64, u64)) -> anyhow::Result<Told> {
    let program = concat!("finesse-tap ", env!("CARGO_PKG_VERSION"));
    let comment = "Made from a redacted capture: TCP is made up, payloads are what redaction left.";
    let mut blocks = Blocks::begin(out, program, comment)?;
    blocks.interface(LINKTYPE_RAW, "http")?;
    blocks.interface(LINKTYPE_UPPER_PDU, "xmpp")?;
    let mut wire = Wire { blocks, streams: HashMap::new(), count: 0 };
    captures.each(progress, &mut |_, line| wire.line(line))
}

struct Wire<'w> {
    blocks: Blocks<'w>,
    /// Open connections by run and number.
    streams: HashMap<(String, String), Stream>,
    count: u16,
}

/// A made-up TCP connection.
struct Stream {
    client: SocketAddr,
    server: SocketAddr,
    /// Sequence numbers of the client's and the server's next bytes.
    c2s: u32,
    s2c: u32,
    before: Before,
}

impl Wire<'_> {
    fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        let Some(conn) = line.conn() else { return Ok(()) };
        let key = (line.run().to_owned(), conn.to_owned());
        let mut stream = match self.streams.remove(&key) {
            Some(stream) => stream,
            None => self.open(line)?,
        };
        let is_over = &*line.event.action == "connection-closed";
        match &*line.event.action {
            "http-exchange" | "websocket-opened" => self.exchange(&mut stream, line)?,
            "websocket-control" => self.control(&mut stream, line)?,
            "connection-closed" => self.close(&mut stream, line)?,
            _ if line.is_message() => self.message(&mut stream, line)?,
            _ => {}
        }
        if !is_over {
            self.streams.insert(key, stream);
        }
        Ok(())
    }

    /// The handshake of a connection's first line.
    fn open(&mut self, line: &Line<'_>) -> io::Result<Stream> {
        self.count = self.count.wrapping_add(1);
        let address = |end: Option<&Endpoint<'_>>, unknown| {
            let ip = end.and_then(|end| end.ip.as_deref()?.parse().ok()).filter(|ip: &IpAddr| !ip.is_unspecified());
            SocketAddr::new(ip.unwrap_or(unknown), end.map_or(0, |end| end.port))
        };
        let (mut client, mut server) = (address(line.client.as_ref(), CLIENT), address(line.server.as_ref(), SERVER));
        // An unknown port still has to tell connections apart; Wireshark takes 443 for TLS whatever it holds.
        if client.port() == 0 {
            client.set_port(1_024 + self.count % 60_000);
        }
        if server.port() == 443 {
            server.set_port(80);
        }
        let mut stream = Stream { client, server, c2s: 0, s2c: 0, before: Before::default() };
        let at_us = line.start_us();
        for (way, flags) in [(Direction::C2s, SYN), (Direction::S2c, SYN | ACK), (Direction::C2s, ACK)] {
            let comment = if flags == SYN && &*line.event.action == "connection-opened" { &*line.message } else { "" };
            self.segment(&mut stream, way, flags, at_us, comment, &[])?;
        }
        Ok(stream)
    }

    fn close(&mut self, stream: &mut Stream, line: &Line<'_>) -> io::Result<()> {
        let conn = line.finesse.conn.as_ref();
        let first = match conn.and_then(|conn| conn.by.as_deref()) {
            Some("client") => Direction::C2s,
            _ => Direction::S2c,
        };
        if conn.and_then(|conn| conn.how.as_deref()) == Some("rst") {
            return self.segment(stream, first, RST | ACK, line.at_us, &line.message, &[]);
        }
        let second = first.opposite();
        for (way, flags, comment) in [(first, FIN | ACK, &*line.message), (second, FIN | ACK, ""), (first, ACK, "")] {
            self.segment(stream, way, flags, line.at_us, comment, &[])?;
        }
        Ok(())
    }

    fn exchange(&mut self, stream: &mut Stream, line: &Line<'_>) -> io::Result<()> {
        let Some(http) = &line.http else { return Ok(()) };
        let facts = line.finesse.http.as_ref();
        let upgrade = if &*line.event.action == "websocket-opened" {
            "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        } else {
            ""
        };
        let method = http.request.method.as_deref().unwrap_or("GET");
        let target = line.url.as_ref().map_or_else(|| String::from("/"), Url::target);
        let headers = facts.map_or(&[][..], |facts| &facts.request_headers);
        let mut request = format!("{} {} HTTP/{}\r\n{upgrade}", word(method), word(&target), http.version);
        if !headers.iter().any(|header| header.name.eq_ignore_ascii_case("host")) {
            let server = line.server.as_ref();
            let domain = server.and_then(|server| server.domain.as_deref()).unwrap_or_default();
            request += &format!("Host: {domain}:{}\r\n", server.map_or(0, |server| server.port));
        }
        fields(&mut request, headers);
        content(&mut request, &http.request);
        self.data(stream, Direction::C2s, line.start_us(), &line.message, request.as_bytes())?;

        let Some(answer) = &http.response else { return Ok(()) };
        let status = answer.status_code.unwrap_or(0);
        let mut response = format!("HTTP/{} {status} {}\r\n{upgrade}", http.version, reason(status));
        fields(&mut response, facts.map_or(&[], |facts| &facts.response_headers));
        match status {
            100..=199 | 204 | 304 => response += "\r\n",
            // An answer to HEAD has no content (RFC 9110 section 9.3.2).
            _ if method == "HEAD" => response += "\r\n",
            _ => content(&mut response, answer),
        }
        self.data(stream, Direction::S2c, line.at_us, "", response.as_bytes())
    }

    fn message(&mut self, stream: &mut Stream, line: &Line<'_>) -> io::Result<()> {
        if stream.before.is_same(line) {
            return Ok(());
        }
        let ws = line.finesse.ws.as_ref();
        let opcode = if ws.is_some_and(|ws| ws.opcode.as_deref() == Some("binary")) { 2 } else { 1 };
        let payload = payload(line);
        let way = way(line);
        match line.stream() {
            None => {
                self.data(stream, way, line.at_us, &line.message, &frame::encode(way, opcode, payload.as_bytes()))?
            }
            // What HTTP carried stands in its body, which is not kept: the stanza is told by itself.
            Some(id) if id.starts_with('b') => {}
            Some(_) => self.data(stream, way, line.at_us, &line.message, payload.as_bytes())?,
        }
        if line.finesse.xml.is_none() {
            return Ok(());
        }
        let (from, to) = stream.ends(way);
        let pdu = pdu("xmpp", from, to, payload.as_bytes());
        self.blocks.packet(XMPP, line.at_us, &line.message, &pdu)
    }

    fn control(&mut self, stream: &mut Stream, line: &Line<'_>) -> io::Result<()> {
        let Some(ws) = &line.finesse.ws else { return Ok(()) };
        let bytes = usize::try_from(ws.payload_bytes.unwrap_or(0)).unwrap_or(0).min(125);
        let (opcode, payload) = match ws.opcode.as_deref() {
            Some("ping") => (9, vec![b'.'; bytes]),
            Some("pong") => (10, vec![b'.'; bytes]),
            Some("close") => match ws.close.as_ref().filter(|close| close.code != 1005) {
                None => (8, Vec::new()),
                Some(close) => {
                    let reason = close.reason.as_deref().unwrap_or_default();
                    let reason = reason.get(..reason.floor_char_boundary(123)).unwrap_or_default();
                    (8, [&close.code.to_be_bytes()[..], reason.as_bytes()].concat())
                }
            },
            _ => return Ok(()),
        };
        let way = way(line);
        self.data(stream, way, line.at_us, &line.message, &frame::encode(way, opcode, &payload))
    }

    fn data(&mut self, stream: &mut Stream, way: Direction, at_us: i64, comment: &str, bytes: &[u8]) -> io::Result<()> {
        for (part, comment) in bytes.chunks(SEGMENT_BYTES).zip(std::iter::once(comment).chain(std::iter::repeat(""))) {
            self.segment(stream, way, PSH | ACK, at_us, comment, part)?;
        }
        Ok(())
    }

    fn segment(
        &mut self,
        stream: &mut Stream,
        way: Direction,
        flags: u8,
        at_us: i64,
        comment: &str,
        payload: &[u8],
    ) -> io::Result<()> {
        let (from, to) = stream.ends(way);
        let (own, other) = match way {
            Direction::C2s => (&mut stream.c2s, stream.s2c),
            Direction::S2c => (&mut stream.s2c, stream.c2s),
        };
        let acknowledged = if flags & ACK == 0 { 0 } else { other };
        let packet = Segment { from, to, sequence: *own, acknowledged, flags, payload }.packet();
        // SYN and FIN take a number each (RFC 9293 section 3.4).
        let taken = payload.len() + usize::from(flags & (SYN | FIN) != 0);
        *own = own.wrapping_add(u32::try_from(taken).unwrap_or(0));
        self.blocks.packet(HTTP, at_us, comment, &packet)
    }
}

impl Stream {
    fn ends(&self, way: Direction) -> (SocketAddr, SocketAddr) {
        match way {
            Direction::C2s => (self.client, self.server),
            Direction::S2c => (self.server, self.client),
        }
    }
}

fn way(line: &Line<'_>) -> Direction {
    if line.is_sent() { Direction::C2s } else { Direction::S2c }
}

/// A word of a start line.
fn word(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || c == ' ' { '_' } else { c }).collect()
}

fn fields(out: &mut String, headers: &[Header]) {
    for header in headers {
        let is_carriage = CARRIAGE.iter().any(|name| header.name.eq_ignore_ascii_case(name));
        if !is_carriage {
            let line = format!("{}: {}", header.name, header.value);
            out.extend(line.chars().map(|c| if c.is_control() { ' ' } else { c }));
            out.push_str("\r\n");
        }
    }
}

/// The length, the end of the head, and the content that is there or a mark for one that was never kept.
fn content(out: &mut String, message: &HttpMessage) {
    let content = match &message.body.content {
        Some(content) => content.to_string(),
        None if message.body.bytes > 0 => not_kept(message.body.bytes),
        None => String::new(),
    };
    if message.method.is_none() || !content.is_empty() {
        *out += &format!("Content-Length: {}\r\n", content.len());
    }
    *out += "\r\n";
    *out += &content;
}
