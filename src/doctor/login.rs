//! The desktop's login on an open WebSocket (RFC 6120, RFC 7395, XEP-0060, XEP-0199), from features to subscription and out.
//!
//! Binds [`RESOURCE`](super::RESOURCE), announces itself with a negative priority, and subscribes its own full JID only, so
//! that an agent who works meanwhile notices nothing. Shows names of conditions, never what the server says in prose.

use super::step::{Fault, Outcome};
use super::stream::{Stream, escape};
use super::{Credentials, RESOURCE, clock};
use crate::xmpp::stanza::Kind;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::time::Duration;
use tokio::time::timeout;

/// How long a desktop waits for the presence of `finesse@`.
const PRESENCE_LIMIT: Duration = Duration::from_secs(10);
/// A desktop takes a slower ping for a lost connection, if it is not alone.
const PING_WARN_MS: u64 = 5_000;

/// Opens the stream; found if it takes a password.
pub(super) async fn open(stream: &mut Stream) -> (Outcome, Option<()>) {
    let heard = async {
        stream.say_open().await?;
        stream
            .hear(|stanza| {
                let mechanisms: Vec<String> = stanza.mechanisms.iter().map(ToString::to_string).collect();
                let features: Vec<String> = stanza.element.children().map(|child| child.name().to_owned()).collect();
                (stanza.kind == Kind::Features).then_some((mechanisms, features))
            })
            .await
    };
    let (mechanisms, features) = match heard.await {
        Ok(heard) => heard,
        Err(fault) => return (fault.into(), None),
    };
    let plain = mechanisms.iter().any(|mechanism| mechanism == "PLAIN");
    let offered = if mechanisms.is_empty() { "none".to_owned() } else { mechanisms.join(", ") };
    let outcome = if plain {
        Outcome::ok(format!("stream open to {}, PLAIN offered", stream.domains.server))
    } else {
        Outcome::fail(
            format!("PLAIN is not offered, only {offered}: a desktop cannot sign in"),
            "set Openfire's property sasl.mechs to PLAIN, or ask whoever hardened the server",
        )
    };
    (outcome.fact("mechanisms", offered).fact("features", features.join(", ")), plain.then_some(()))
}

/// The password in the forms in which it is sent.
pub(super) fn secrets(credentials: &Credentials, domain: &str) -> Vec<String> {
    vec![credentials.password.clone(), STANDARD.encode(&credentials.password), response(credentials, domain)]
}

fn response(Credentials { user, password }: &Credentials, domain: &str) -> String {
    STANDARD.encode(format!("{user}@{domain}\0{user}\0{password}"))
}

/// SASL PLAIN (RFC 4616), with the bare JID as authorization identity as the desktop does it.
pub(super) async fn authenticate(stream: &mut Stream, credentials: &Credentials) -> (Outcome, Option<()>) {
    let user = &credentials.user;
    let response = response(credentials, &stream.domains.server);
    let heard = async {
        stream
            .say(format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{response}</auth>"))
            .await?;
        stream
            .hear(|stanza| match stanza.kind {
                Kind::Success => Some(Ok(())),
                Kind::Failure => {
                    let condition = stanza.error.as_ref().and_then(|error| error.condition);
                    Some(Err(condition.unwrap_or("no reason").to_owned()))
                }
                _ => None,
            })
            .await
    };
    match heard.await {
        Ok(Ok(())) => (Outcome::ok(format!("signed in as {user}")).fact("user", user), Some(())),
        Ok(Err(condition)) => {
            let advice = match &*condition {
                "not-authorized" => {
                    "wrong ID or password: it is the agent's ID, case counts, and too many attempts lock the account; \
                     with single sign-on an access token stands in for the password"
                }
                "account-disabled" => "the account is locked or disabled",
                "credentials-expired" => "the password has expired",
                "temporary-auth-failure" => "the server could not look: is it cut off from its user directory?",
                _ => "the notification service's log tells more",
            };
            let outcome = Outcome::fail(format!("{user} is refused: {condition}"), advice);
            (outcome.fact("condition", &condition), None)
        }
        Err(fault) => (fault.into(), None),
    }
}

/// Stream restart, resource and session.
pub(super) async fn bind(stream: &mut Stream) -> (Outcome, Option<()>) {
    let id = stream.next_id();
    let bound = async {
        stream.say_open().await?;
        let session = stream
            .hear(|stanza| (stanza.kind == Kind::Features).then(|| stanza.element.child("session").is_some()))
            .await?;
        let iq = format!(
            "<iq xmlns='jabber:client' type='set' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
             <resource>{RESOURCE}</resource></bind></iq>"
        );
        let jid = stream.ask(&id, iq, |stanza| stanza.bind.as_ref()?.jid.as_ref().map(ToString::to_string)).await?;
        let Ok(Some(jid)) = jid else { return Ok(Err(jid.err().unwrap_or_else(|| "no JID was given".to_owned()))) };
        stream.jid = jid;
        if !session {
            return Ok(Ok(()));
        }
        let id = stream.next_id();
        let iq = format!(
            "<iq xmlns='jabber:client' type='set' id='{id}'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>"
        );
        stream.ask(&id, iq, |_| ()).await
    };
    match bound.await {
        Ok(Ok(())) => {
            let theirs = stream.jid.rsplit_once('/').is_some_and(|(_, resource)| resource != RESOURCE);
            let outcome = if theirs {
                let advice = "a desktop insists on the resource `desktop`: does the server allow clients to choose?";
                Outcome::warn("the server chose another resource than was asked for", advice)
            } else {
                Outcome::ok(format!("bound {}", stream.jid))
            };
            (outcome, Some(()))
        }
        Ok(Err(condition)) => {
            let advice = "no session can be had: are there too many of this agent's open?";
            (Outcome::fail(format!("refused: {condition}"), advice).fact("condition", &condition), None)
        }
        Err(fault) => (fault.into(), None),
    }
}

/// Presence; a desktop counts as connected only when that of `finesse@` arrives.
pub(super) async fn presence(stream: &mut Stream, limit: Duration) -> (Outcome, Option<()>) {
    let limit = limit.saturating_sub(limit / 10).min(PRESENCE_LIMIT);
    let heard = async {
        // The negative priority keeps what is meant for the agent away from us (RFC 6121 section 4.7.2.3).
        stream.say("<presence xmlns='jabber:client'><priority>-1</priority></presence>".to_owned()).await?;
        stream
            .hear(|stanza| {
                let from = stanza.from.as_deref().filter(|_| stanza.kind == Kind::Presence)?;
                let local = from.split('@').next().unwrap_or_default();
                let server = local == "finesse" || local.contains("cuic.") || local.contains("ccx.");
                let gone = stanza.stanza_type.as_deref() == Some("unavailable");
                server.then_some(if gone { Err(()) } else { Ok(()) })
            })
            .await
    };
    let advice = "Finesse's Tomcat is not connected to its notification service: a desktop hangs after signing in; \
                  the administrator may have to restart Finesse";
    match timeout(limit, heard).await {
        Ok(Ok(Ok(()))) => (Outcome::ok("the server's own user, finesse@, is there"), Some(())),
        Ok(Ok(Err(()))) => (Outcome::fail("the server's own user, finesse@, is unavailable", advice), None),
        Ok(Err(fault)) => (fault.into(), None),
        Err(_) => {
            let seen = format!("no presence of finesse@ within {}", super::reach::seconds(limit));
            (Outcome::fail(seen, advice), None)
        }
    }
}

/// Subscribes to the agent's own events. Found: the subscription's id, which may be empty.
pub(super) async fn subscribe(stream: &mut Stream, credentials: &Credentials) -> (Outcome, Option<String>) {
    let node = node(credentials);
    let id = format!("{}:subscribenode", stream.next_id());
    let iq = pubsub(stream, &id, &format!("<subscribe node='{}' jid='{}'/>", escape(&node), escape(&stream.jid)));
    let answer = stream
        .ask(&id, iq, |stanza| {
            let subscription = stanza.element.child("pubsub")?.child("subscription")?;
            let text = |name| subscription.attribute(name).map(|value| value.to_string()).unwrap_or_default();
            Some((text("subscription"), text("subid")))
        })
        .await;
    match answer {
        Ok(Ok(said)) => {
            let (state, subid) = said.unwrap_or_default();
            let outcome = if state.is_empty() || state == "subscribed" {
                Outcome::ok(format!("subscribed to {node}"))
            } else {
                let advice = "events come only once somebody approves: are the node's options as Finesse makes them?";
                Outcome::fail(format!("the subscription to {node} is {state}"), advice)
            };
            (outcome.fact("node", &node), Some(subid))
        }
        Ok(Err(condition)) => {
            let advice = match &*condition {
                "item-not-found" => {
                    "there is no such node: is the agent known to Finesse? A desktop ignores this and gets no events"
                }
                _ => "a desktop ignores this and gets no events; the notification service's log tells more",
            };
            let outcome = Outcome::fail(format!("the subscription to {node} is refused: {condition}"), advice);
            (outcome.fact("node", &node).fact("condition", &condition), None)
        }
        Err(fault) => (fault.into(), None),
    }
}

/// XEP-0199 to the server and back.
pub(super) async fn ping(stream: &mut Stream) -> (Outcome, Option<()>) {
    let id = stream.next_id();
    let to = escape(&stream.domains.server);
    let iq = format!("<iq xmlns='jabber:client' type='get' to='{to}' id='{id}'><ping xmlns='urn:xmpp:ping'/></iq>");
    let since = clock::now();
    match stream.ask(&id, iq, |_| ()).await {
        Ok(Ok(())) => {
            let took_ms = clock::now().ms_since(since);
            let outcome = if took_ms >= PING_WARN_MS {
                let advice = "a desktop gives up at 10 s: what slows the server or the line?";
                Outcome::warn("answered, but slowly", advice)
            } else {
                Outcome::ok("answered")
            };
            (outcome, Some(()))
        }
        Ok(Err(condition)) => {
            let advice = "a desktop takes any answer for a sign of life, so it may work all the same";
            (Outcome::warn(format!("answered with {condition}"), advice), Some(()))
        }
        Err(fault) => (fault.into(), None),
    }
}

/// Ends the subscription, the presence, the stream and the WebSocket.
pub(super) async fn log_out(
    stream: &mut Stream,
    credentials: &Credentials,
    subscribed: Option<String>,
) -> (Outcome, Option<()>) {
    let left = async {
        if let Some(subid) = subscribed {
            let id = format!("{}:unsubscribenode", stream.next_id());
            let subid = if subid.is_empty() { String::new() } else { format!(" subid='{}'", escape(&subid)) };
            let (node, jid) = (escape(&node(credentials)), escape(&stream.jid));
            let iq = pubsub(stream, &id, &format!("<unsubscribe node='{node}' jid='{jid}'{subid}/>"));
            if let Err(condition) = stream.ask(&id, iq, |_| ()).await? {
                return Ok::<_, Fault>(Err(condition));
            }
        }
        stream.say("<presence xmlns='jabber:client' type='unavailable'/>".to_owned()).await?;
        stream.close().await?;
        Ok(Ok(()))
    };
    match left.await {
        Ok(Ok(())) => (Outcome::ok("unsubscribed, signed out, closed"), Some(())),
        Ok(Err(condition)) => {
            let advice = "the subscription ends with its session; where many pile up, events come more than once";
            (Outcome::warn(format!("the subscription could not be ended: {condition}"), advice), Some(()))
        }
        Err(fault) => (fault.into(), None),
    }
}

fn node(credentials: &Credentials) -> String {
    format!("/finesse/api/User/{}", credentials.user)
}

fn pubsub(stream: &Stream, id: &str, inner: &str) -> String {
    let (from, to) = (escape(&stream.jid), escape(&stream.domains.pubsub));
    format!(
        "<iq xmlns='jabber:client' from='{from}' to='{to}' type='set' id='{id}'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'>{inner}</pubsub></iq>"
    )
}
