//! One accepted connection, from its first byte to its one ending.
//!
//! Peeks (TLS, plain HTTP or neither), reads the ClientHello, then makes both handshakes side by side: the browser's, and
//! the upstream's under the name the browser asked for. Where the upstream fails, a browser gets a page saying why; an XMPP
//! client is hung up on. XMPP that turns to TLS by itself begins in [`super::starttls`].
//! Handshakes are bounded in time; what [`super::relay`] does afterwards is not.

use super::Shared;
use super::account::{Account, Ending};
use super::alpn::Speech;
use super::answer::{DRAIN_LIMIT, Spoken, answer, answer_plain_http};
use super::dial::Unreachable;
use super::filter::Filter;
use super::page::{Page, Status};
use super::preface::{self, Preface};
use super::relay::{Duplex, is_reset};
use super::route::{Gate, Plan, Route};
use super::starttls::{self, Turn};
use crate::capture::observation::{Certificate, End, How, Leg, Opened, TlsFailure, TlsHandshake};
use crate::clock::{self, Moment};
use crate::conn::{ConnId, Kind, Peers};
use crate::tls::certificate::date;
use crate::tls::hello::SEEN_BYTES;
use crate::tls::upstream::{Connected, cipher_name, version_name};
use crate::tls::{self, Protocol};
use rustls::{AlertDescription, HandshakeKind, ServerConfig};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::{LazyConfigAcceptor, StartHandshake, client, server};

/// First byte of a TLS handshake record (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// A fatal alert `unrecognized_name` (RFC 6066 section 3) as a record, before any version is agreed.
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

type ClientLeg = server::TlsStream<TcpStream>;
type UpstreamLeg = client::TlsStream<TcpStream>;

/// A connection's two ends, ready to be relayed between.
#[expect(clippy::large_enum_variant, reason = "it lives for a moment; a box would be an allocation a connection")]
enum Legs {
    Tls(ClientLeg, UpstreamLeg, Filter),
    /// XMPP whose server or client would have no TLS.
    Clear(TcpStream, TcpStream),
}

/// Where a connection arrived, whose it is, and what held then.
pub(crate) struct Arrival {
    pub(crate) conn: ConnId,
    pub(crate) client: SocketAddr,
    pub(crate) at: Moment,
    pub(crate) plan: Arc<Plan>,
    pub(crate) gate: Arc<Gate>,
}

impl Arrival {
    /// An account with the tap, with what is known so far.
    pub(crate) fn account(&self, shared: &Shared) -> Account {
        let peers = Peers { conn: self.conn, client: self.client, server: self.gate.first.upstream.clone() };
        let opened = Opened {
            peers,
            at: self.at,
            listener: self.gate.address,
            sni: None,
            upstream: None,
            connect_us: None,
            kind: self.gate.first.kind,
        };
        Account::new(shared.intake.feed(self.conn), opened)
    }
}

/// Serves one connection until it is over or `shared.cut` is cancelled, and closes its account.
pub(crate) async fn serve(tcp: TcpStream, arrival: Arrival, shared: &Shared) {
    let mut account = arrival.account(shared);
    let ending = tokio::select! {
        biased;
        ending = relay(tcp, &arrival, shared, &mut account) => ending,
        () = shared.cut.cancelled() => Ending::new(End::Proxy, How::Shutdown, "the proxy is shutting down"),
    };
    tracing::debug!(conn = %arrival.conn, by = ending.by.as_str(), how = ending.how.as_str(), why = ending.why, "closed");
    account.close(ending);
}

async fn relay(tcp: TcpStream, arrival: &Arrival, shared: &Shared, account: &mut Account) -> Ending {
    // Boxed, so that what a handshake needs is gone while the relay runs.
    match Box::pin(establish(tcp, arrival, shared, account)).await {
        Ok(Legs::Tls(client, upstream, filter)) => Duplex::new(client, upstream, filter, account).await,
        Ok(Legs::Clear(client, upstream)) => Duplex::new(client, upstream, Filter::default(), account).await,
        Err(ending) => ending,
    }
}

async fn establish(
    mut tcp: TcpStream,
    arrival: &Arrival,
    shared: &Shared,
    account: &mut Account,
) -> Result<Legs, Ending> {
    let deadline = Instant::now() + shared.limits.handshake;
    if arrival.plan.preface == Preface::ProxyProtocol {
        match timeout_at(deadline, preface::read(&mut tcp)).await {
            Ok(Ok(client)) => client.into_iter().for_each(|client| account.came_from(client)),
            Ok(Err(preface::Error::Io(error))) => return Err(left(&error, "before its PROXY protocol header")),
            Ok(Err(error)) => {
                tracing::warn!(client = %arrival.client, why = %error, "connection refused");
                return Err(Ending::new(End::Client, How::Refused, format!("the connection is refused: {error}")));
            }
            Err(_) => return Err(too_slow("sent no PROXY protocol header", shared.limits.handshake)),
        }
    }
    let first = match timeout_at(deadline, first_byte(&tcp)).await {
        Ok(Ok(byte)) => byte,
        Ok(Err(error)) => return Err(left(&error, "before it said anything")),
        Err(_) => return Err(too_slow("sent nothing", shared.limits.handshake)),
    };
    let Arrival { plan, gate, .. } = arrival;
    let why = match (gate.first.kind, first) {
        (Kind::Https | Kind::Xmpps, TLS_HANDSHAKE) => None,
        (Kind::Https, b'A'..=b'Z') => return Err(answer_plain_http(tcp, arrival, shared).await),
        (Kind::Https, _) => Some("the client sent something that is neither TLS nor HTTP"),
        (Kind::Xmpps, _) => {
            Some("the client did not begin with TLS, as an xmpps:// route wants; STARTTLS needs an xmpp:// one")
        }
        (Kind::XmppStartTls, TLS_HANDSHAKE) => Some(
            "the client began with TLS, but this is an xmpp:// route, where STARTTLS comes first; TLS at once needs an xmpps:// one",
        ),
        (Kind::XmppStartTls, _) => return begin_in_the_clear(tcp, arrival, shared, account).await,
    };
    if let Some(why) = why {
        return Err(Ending::new(End::Client, How::Refused, why));
    }
    let is_own = first == TLS_HANDSHAKE && plan.upstream.is_own_hello(&beginning(&tcp).await);
    let Hello { start, sni, started } = hear_hello(tcp, deadline, arrival, shared, account).await?;

    // Answered without a server, what dialled shows our certificate to itself.
    let looped = |route: &Route| Unreachable::looped(&route.upstream, "the connection is this proxy's own");
    let route = plan.route(gate, sni.as_deref()).and_then(|route| if is_own { Err(looped(route)) } else { Ok(route) });
    if let Ok(route) = &route {
        account.routed(&route.upstream);
    }
    let speech = {
        let hello = start.client_hello();
        plan.speech(gate, route.as_ref().unwrap_or(&&gate.first), sni.as_deref(), hello.alpn())
    };
    let reaching = async {
        match &route {
            Ok(route) => reach(route, &speech, plan, shared).await,
            Err(trouble) => Err(trouble.clone()),
        }
    };
    let hello = Hello { start, sni: sni.clone(), started };
    let (client, mut client_handshake, reached) = match &speech {
        Speech::Mirrored(offer) if !offer.is_empty() => {
            mirror(hello, reaching, offer, arrival, shared, account).await?
        }
        Speech::Mirrored(_) => {
            let silent = gate.tls.agreeing(None);
            shake_both(hello, silent, reaching, deadline, arrival, shared, account).await?
        }
        Speech::Fixed(_) => shake_both(hello, &gate.tls.fixed, reaching, deadline, arrival, shared, account).await?,
    };
    if let Speech::Fixed(why) = speech {
        client_handshake.pinned = why;
    }
    match reached {
        Ok(upstream) => {
            account.dialled(Some(upstream.address), Some(upstream.connect_us));
            account.tls(client_handshake);
            account.tls(upstream.connected.handshake);
            let filter = route.as_ref().map_or_else(|_| Filter::default(), |route| plan.filter(route, sni.as_deref()));
            Ok(Legs::Tls(client, upstream.connected.stream, filter))
        }
        Err(mut trouble) => {
            tracing::warn!(conn = %arrival.conn, why = trouble.why, hint = trouble.hint, "upstream unreachable");
            account.dialled(trouble.address, trouble.connect_us);
            account.tls(client_handshake);
            let handshake = trouble.handshake.take();
            let page = page(&trouble, handshake.as_deref().and_then(|handshake| handshake.certificate.as_ref()));
            if let Some(handshake) = handshake {
                account.tls(*handshake);
            }
            if gate.first.kind == Kind::Https {
                answer_unreachable(client, &page, shared, account).await;
            }
            Err(Ending::new(trouble.by, How::Unreachable, trouble.why))
        }
    }
}

/// An XMPP connection that turns to TLS by itself, or never does. Which server is meant a client says only behind its TLS, so
/// that is the listener's first.
async fn begin_in_the_clear(
    mut client: TcpStream,
    arrival: &Arrival,
    shared: &Shared,
    account: &mut Account,
) -> Result<Legs, Ending> {
    let Arrival { plan, gate, .. } = arrival;
    let route = &gate.first;
    let unreachable = |trouble: Unreachable| {
        tracing::warn!(conn = %arrival.conn, why = trouble.why, hint = trouble.hint, "upstream unreachable");
        Ending::new(trouble.by, How::Unreachable, trouble.why)
    };
    let dialled = plan.dialer.dial(&route.upstream).await.map_err(unreachable)?;
    let (address, connect_us, mut upstream) = (dialled.address, dialled.connect_us, dialled.tcp);
    account.dialled(Some(address), Some(connect_us));
    account.open();
    let limit = shared.limits.handshake;
    match timeout(limit, starttls::negotiate(&mut client, &mut upstream, account)).await {
        Ok(Ok(Turn::Tls)) => {}
        Ok(Ok(Turn::Clear)) => return Ok(Legs::Clear(client, upstream)),
        Ok(Err(ending)) => return Err(ending),
        Err(_) => return Err(too_slow("did not turn to TLS", limit)),
    }
    let deadline = Instant::now() + limit;
    let hello = hear_hello(client, deadline, arrival, shared, account).await?;
    let meant = plan.route(gate, hello.sni.as_deref()).ok().filter(|meant| meant.upstream == route.upstream);
    if meant.is_none() {
        let name = hello.sni.unwrap_or_default();
        return Err(refuse_name(hello.start, name, hello.started, gate, account).await);
    }
    let shaking = shake(route, &Speech::Fixed(None), address, connect_us, upstream, plan, shared);
    let (client, handshake, reached) =
        shake_both(hello, &gate.tls.fixed, shaking, deadline, arrival, shared, account).await?;
    account.tls(handshake);
    match reached {
        Ok(reached) => {
            account.tls(reached.connected.handshake);
            Ok(Legs::Tls(client, reached.connected.stream, Filter::default()))
        }
        Err(mut trouble) => {
            if let Some(handshake) = trouble.handshake.take() {
                account.tls(*handshake);
            }
            Err(unreachable(trouble))
        }
    }
}

/// A ClientHello, and when it was waited for.
struct Hello {
    start: StartHandshake<TcpStream>,
    sni: Option<String>,
    started: Moment,
}

/// What a ClientHello said, and when it was waited for.
#[derive(Clone, Default)]
struct About {
    sni: Option<String>,
    offered: Vec<&'static str>,
    started: Moment,
}

impl Hello {
    fn about(&self) -> About {
        let offered = self.start.client_hello().alpn().map_or_else(Vec::new, tls::offer_names);
        About { sni: self.sni.clone(), offered, started: self.started }
    }
}

/// Reads the ClientHello; a name that is not fronted is refused.
async fn hear_hello(
    tcp: TcpStream,
    deadline: Instant,
    arrival: &Arrival,
    shared: &Shared,
    account: &mut Account,
) -> Result<Hello, Ending> {
    let started = clock::now();
    let hello = timeout_at(deadline, LazyConfigAcceptor::new(Default::default(), tcp)).await;
    let start = match hello {
        Ok(Ok(start)) => start,
        Ok(Err(error)) => return Err(client_failed(&error, &About { started, ..About::default() }, account)),
        Err(_) => return Err(client_stalled(&About { started, ..About::default() }, shared, account)),
    };
    let sni = start.client_hello().server_name().map(str::to_owned);
    account.named(sni.clone());
    let Arrival { plan, gate, .. } = arrival;
    if !plan.front.identity.allows(sni.as_deref()) {
        return Err(refuse_name(start, sni.unwrap_or_default(), started, gate, account).await);
    }
    Ok(Hello { start, sni, started })
}

/// Makes the client's handshake while `reaching` reaches the server; a client that fails is not kept waiting for the server.
async fn shake_both<U>(
    hello: Hello,
    tls: &Arc<ServerConfig>,
    reaching: impl Future<Output = U>,
    deadline: Instant,
    arrival: &Arrival,
    shared: &Shared,
    account: &mut Account,
) -> Result<(ClientLeg, TlsHandshake, U), Ending> {
    let mut reaching = pin!(reaching);
    let mut reached = None;
    let (client, handshake) = {
        let mut shaking = pin!(shake_client(hello, tls, deadline, arrival, shared, account));
        loop {
            tokio::select! {
                biased;
                shaken = &mut shaking => break shaken?,
                outcome = &mut reaching, if reached.is_none() => reached = Some(outcome),
            }
        }
    };
    let reached = match reached {
        Some(outcome) => outcome,
        None => reaching.await,
    };
    Ok((client, handshake, reached))
}

/// Reaches the server first, with the client's offer in ALPN, then makes the client's handshake with the server's choice.
async fn mirror(
    hello: Hello,
    reaching: impl Future<Output = Result<Reached, Unreachable>>,
    offer: &[Protocol],
    arrival: &Arrival,
    shared: &Shared,
    account: &mut Account,
) -> Result<(ClientLeg, TlsHandshake, Result<Reached, Unreachable>), Ending> {
    let waited = clock::now();
    let reached = tokio::select! {
        biased;
        reached = reaching => reached,
        error = gone(&hello.start.io) => return Err(client_failed(&error, &hello.about(), account)),
    };
    let agreed = match &reached {
        Ok(upstream) => upstream.connected.handshake.alpn.as_deref().and_then(|name| Protocol::named(name.as_bytes())),
        // The page is written in HTTP/1.1 if that will do.
        Err(_) => offer.iter().find(|protocol| **protocol == Protocol::Http1).or(offer.first()).copied(),
    };
    if let Ok(upstream) = &reached {
        account.dialled(Some(upstream.address), Some(upstream.connect_us));
    }
    let waited_us = clock::now().us_since(waited);
    let deadline = Instant::now() + shared.limits.handshake;
    match shake_client(hello, arrival.gate.tls.agreeing(agreed), deadline, arrival, shared, account).await {
        Ok((client, mut handshake)) => {
            handshake.took_us = handshake.took_us.saturating_sub(waited_us);
            Ok((client, handshake, reached))
        }
        Err(ending) => {
            if let Ok(upstream) = reached {
                account.tls(upstream.connected.handshake);
            }
            Err(ending)
        }
    }
}

/// Ends when the client leaves before it was answered, with how it did.
async fn gone(tcp: &TcpStream) -> io::Error {
    match tcp.peek(&mut [0]).await {
        Ok(0) => io::ErrorKind::UnexpectedEof.into(),
        // It goes on talking: that is looked at once it is answered.
        Ok(_) => std::future::pending().await,
        Err(error) => error,
    }
}

/// Makes the client's handshake.
async fn shake_client(
    hello: Hello,
    tls: &Arc<ServerConfig>,
    deadline: Instant,
    arrival: &Arrival,
    shared: &Shared,
    account: &mut Account,
) -> Result<(ClientLeg, TlsHandshake), Ending> {
    let about = hello.about();
    match timeout_at(deadline, hello.start.into_stream(Arc::clone(tls))).await {
        Ok(Ok(stream)) => {
            let handshake = client_shaken(&stream, about, arrival);
            Ok((stream, handshake))
        }
        Ok(Err(error)) => Err(client_failed(&error, &about, account)),
        Err(_) => Err(client_stalled(&about, shared, account)),
    }
}

/// An upstream connection with its handshake made.
struct Reached {
    address: SocketAddr,
    connect_us: u64,
    connected: Connected<TcpStream>,
}

/// Dials a route's server and makes the TLS handshake under its name.
async fn reach(route: &Route, speech: &Speech, plan: &Plan, shared: &Shared) -> Result<Reached, Unreachable> {
    let dialled = plan.dialer.dial(&route.upstream).await?;
    shake(route, speech, dialled.address, dialled.connect_us, dialled.tcp, plan, shared).await
}

/// Makes the TLS handshake with a route's server, dialled at `address`.
async fn shake(
    route: &Route,
    speech: &Speech,
    address: SocketAddr,
    connect_us: u64,
    tcp: TcpStream,
    plan: &Plan,
    shared: &Shared,
) -> Result<Reached, Unreachable> {
    let server = &route.upstream;
    let trouble = |by, why, hint, handshake| Unreachable {
        why,
        hint,
        by,
        address: Some(address),
        connect_us: Some(connect_us),
        handshake,
    };
    let since = clock::now();
    let upstream = match speech {
        Speech::Mirrored(offer) => plan.upstream.offering(offer),
        Speech::Fixed(_) => plan.upstream.with(route.kind),
    };
    let handshake = upstream.connect(&server.host, since, tcp);
    let Ok(outcome) = timeout(shared.limits.handshake, handshake).await else {
        let limit = shared.limits.handshake.as_secs_f32();
        let why = format!("the server at {address} did not finish the TLS handshake within {limit} s");
        return Err(trouble(End::Upstream, why, None, None));
    };
    let shown = match &outcome {
        Ok(connected) => connected.handshake.certificate.as_ref(),
        Err(refused) => refused.handshake.certificate.as_ref(),
    };
    if shown.is_some_and(|shown| plan.is_own_leaf(shown, server)) {
        let looped = Unreachable::looped(server, &format!("{address} shows our own certificate"));
        return Err(Unreachable { address: Some(address), connect_us: Some(connect_us), ..looped });
    }
    match outcome {
        Ok(connected) => Ok(Reached { address, connect_us, connected }),
        Err(refused) => {
            let failure = refused.handshake.failure.as_ref();
            let by = failure.map_or(End::Upstream, |failure| failure.by);
            let why = failure.map_or_else(String::new, |failure| failure.why.clone());
            Err(trouble(by, why, refused.hint, Some(Box::new(refused.handshake))))
        }
    }
}

/// What a refused upstream looks like to the person at the browser.
fn page(trouble: &Unreachable, certificate: Option<&Certificate>) -> Page {
    let facts = certificate.map_or_else(Vec::new, |shown| {
        vec![
            ("Subject", shown.subject.clone()),
            ("Issuer", shown.issuer.clone()),
            ("Names", shown.sans.join(", ")),
            ("Valid until", date(shown.not_after)),
            ("SHA-256", shown.sha256.clone()),
        ]
    });
    Page { why: format!("Finesse cannot be reached: {}.", trouble.why), hint: trouble.hint.clone(), facts }
}

/// What has come of a connection's first record, left where it is.
async fn beginning(tcp: &TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; SEEN_BYTES];
    let came = tcp.peek(&mut bytes).await.unwrap_or_default();
    bytes.truncate(came);
    bytes
}

/// Waits for the first byte and leaves it where it is.
async fn first_byte(tcp: &TcpStream) -> io::Result<u8> {
    let mut first = [0];
    match tcp.peek(&mut first).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(first[0]),
    }
}

async fn refuse_name(
    mut start: StartHandshake<TcpStream>,
    name: String,
    started: Moment,
    gate: &Gate,
    account: &mut Account,
) -> Ending {
    let told = async {
        start.io.write_all(&UNRECOGNIZED_NAME).await?;
        start.io.shutdown().await
    };
    let _ = timeout(DRAIN_LIMIT, told).await;
    let why = format!("the client asked for {name}; this proxy stands for {}", gate.names());
    let alert = Some(tls::alert_name(AlertDescription::UnrecognisedName));
    let about = About { sni: Some(name), started, ..About::default() };
    account.tls(failed(&about, TlsFailure { alert, by: End::Proxy, why: why.clone() }));
    Ending::new(End::Proxy, How::Refused, why)
}

/// Answers with a page in the protocol that was agreed on.
async fn answer_unreachable(mut client: ClientLeg, page: &Page, shared: &Shared, account: &mut Account) {
    let is_http2 = client.get_ref().1.alpn_protocol().and_then(Protocol::named) == Some(Protocol::Http2);
    let spoken = if is_http2 { Spoken::Http2 } else { Spoken::Http1 };
    answer(&mut client, spoken, page, Status::BadGateway, shared, Some(account)).await;
}

fn client_shaken(stream: &ClientLeg, about: About, arrival: &Arrival) -> TlsHandshake {
    let About { sni, offered, started } = about;
    let (_, session) = stream.get_ref();
    let at = clock::now();
    let Arrival { plan, gate, .. } = arrival;
    let leaf = plan.front.leaf(sni.as_deref(), &gate.first.upstream.host, at).ok().flatten();
    TlsHandshake {
        leg: Leg::Client,
        at,
        took_us: at.us_since(started),
        version: version_name(session.protocol_version()),
        cipher: session.negotiated_cipher_suite().map(|suite| cipher_name(suite.suite())),
        alpn: session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        offered,
        pinned: None,
        sni,
        resumed: session.handshake_kind() == Some(HandshakeKind::Resumed),
        client_certificate_requested: false,
        certificate: leaf.map(|leaf| leaf.certificate.clone()),
        failure: None,
    }
}

/// The client's handshake failed.
fn client_failed(error: &io::Error, about: &About, account: &mut Account) -> Ending {
    let (ending, alert) = match tls::cause(error) {
        Some(rustls::Error::AlertReceived(alert)) => {
            use AlertDescription as A;
            let name = tls::alert_name(*alert);
            let advice = match alert {
                A::UnknownCA | A::CertificateUnknown | A::BadCertificate => {
                    ": it does not trust our CA (`finesse-tap ca` tells how to)"
                }
                _ => "",
            };
            let why = format!("the client refused the TLS handshake with the alert {name}{advice}");
            (Ending::new(End::Client, How::TlsAlert, why), Some(name))
        }
        Some(cause) => {
            let (why, alert) = tls::unanswerable(cause);
            (Ending::new(End::Proxy, How::TlsAlert, why), alert)
        }
        None => (left(error, "during the TLS handshake"), None),
    };
    let why = ending.why.clone().unwrap_or_default();
    account.tls(failed(about, TlsFailure { alert, by: ending.by, why }));
    ending
}

fn client_stalled(about: &About, shared: &Shared, account: &mut Account) -> Ending {
    let ending = too_slow("did not finish the TLS handshake", shared.limits.handshake);
    let why = ending.why.clone().unwrap_or_default();
    account.tls(failed(about, TlsFailure { alert: None, by: End::Client, why }));
    ending
}

fn failed(about: &About, failure: TlsFailure) -> TlsHandshake {
    let at = clock::now();
    let About { sni, offered, started } = about.clone();
    TlsHandshake {
        leg: Leg::Client,
        at,
        took_us: at.us_since(started),
        version: None,
        cipher: None,
        alpn: None,
        offered,
        pinned: None,
        sni,
        resumed: false,
        client_certificate_requested: false,
        certificate: None,
        failure: Some(failure),
    }
}

/// The client went away before there was anything to relay.
fn left(error: &io::Error, when: &str) -> Ending {
    match error.kind() {
        _ if is_reset(error) => Ending::new(End::Client, How::Rst, format!("the client reset the connection {when}")),
        io::ErrorKind::UnexpectedEof => {
            let why = format!("the client left {when}");
            Ending { unclean: true, ..Ending::new(End::Client, How::Fin, why) }
        }
        _ => Ending::new(End::Client, How::Error, format!("the client failed {when}: {error}")),
    }
}

fn too_slow(what: &str, limit: Duration) -> Ending {
    Ending::new(End::Client, How::Timeout, format!("the client {what} within {} s", limit.as_secs_f32()))
}
