//! What is said on the wire: the login of a Finesse desktop and the stanzas of the steady state.
//!
//! Every stanza is valid and differs from the one before in ids, states and times, so that no proxy can profit from
//! equality. Sizes are part of the measurement: see [`UPDATE_BYTES`] and [`CHAT_BYTES`].

use std::fmt::Write as _;

use base64::Engine as _;

/// The server's name: SNI, Host and XMPP domain.
pub(crate) const HOST: &str = "bench.test";

/// Size of a stanza made by [`update`], ± 20 for varying values.
pub(crate) const UPDATE_BYTES: usize = 2_000;

/// Size of a stanza made by [`chat`].
pub(crate) const CHAT_BYTES: usize = 700;

/// One step of the login: what the client sends and what the server answers, message by message.
pub(crate) struct Step {
    pub(crate) ask: String,
    pub(crate) answers: Vec<String>,
}

/// The login Cisco documents: stream, SASL PLAIN, stream again, bind, session, presence, one subscription.
pub(crate) fn login(agent: u32) -> Vec<Step> {
    let jid = format!("{agent}@{HOST}/desktop");
    let node = format!("/finesse/api/User/{agent}");
    let credential = base64::engine::general_purpose::STANDARD
        .encode(format!("{agent}@{HOST}\0{agent}\0Pw-{:08x}!", agent.wrapping_mul(2_654_435_761)));
    let open = format!("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{HOST}' version='1.0'/>");
    let opened = format!(
        "<open from='{HOST}' id='st{agent:08}' xmlns='urn:ietf:params:xml:ns:xmpp-framing' xml:lang='en' version='1.0'/>"
    );
    let features = |inner: &str| {
        format!("<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{inner}</stream:features>")
    };
    let step = |ask: String, answers: Vec<String>| Step { ask, answers };
    vec![
        step(
            open.clone(),
            vec![
                opened.clone(),
                features(
                    "<mechanisms xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"><mechanism>PLAIN</mechanism></mechanisms>",
                ),
            ],
        ),
        step(
            format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{credential}</auth>"),
            vec!["<success xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"/>".to_owned()],
        ),
        step(
            open,
            vec![
                opened,
                features(
                    "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>",
                ),
            ],
        ),
        step(
            "<iq type='set' id='_bind_auth_2' xmlns='jabber:client'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
             <resource>desktop</resource></bind></iq>"
                .to_owned(),
            vec![format!(
                "<iq xmlns=\"jabber:client\" type=\"result\" id=\"_bind_auth_2\">\
                 <bind xmlns=\"urn:ietf:params:xml:ns:xmpp-bind\"><jid>{jid}</jid></bind></iq>"
            )],
        ),
        step(
            "<iq type='set' id='_session_auth_2' xmlns='jabber:client'>\
             <session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>"
                .to_owned(),
            vec![format!("<iq xmlns=\"jabber:client\" type=\"result\" id=\"_session_auth_2\" to=\"{jid}\"/>")],
        ),
        step(
            "<presence xmlns='jabber:client'/>".to_owned(),
            vec![format!("<presence xmlns=\"jabber:client\" from=\"finesse@{HOST}/User\" to=\"{jid}\"/>")],
        ),
        step(
            format!(
                "<iq from='{jid}' to='pubsub.{HOST}' type='set' id='{agent}:subscribenode' xmlns='jabber:client'>\
                 <pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='{node}' jid='{jid}'/></pubsub></iq>"
            ),
            vec![format!(
                "<iq xmlns=\"jabber:client\" type=\"result\" id=\"{agent}:subscribenode\" from=\"pubsub.{HOST}\" to=\"{jid}\">\
                 <pubsub xmlns=\"http://jabber.org/protocol/pubsub\"><subscription node=\"{node}\" jid=\"{jid}\" \
                 subid=\"sub{agent}\" subscription=\"subscribed\"/></pubsub></iq>"
            )],
        ),
    ]
}

/// A user event as the server pushes it: about [`UPDATE_BYTES`] with the `<Update>` escaped once as character data.
pub(crate) fn update(out: &mut String, agent: u32, serial: u64) {
    const STATES: [&str; 5] = ["READY", "NOT_READY", "RESERVED", "TALKING", "WORK"];
    let state_of = |serial: u64| STATES.get((serial % 5) as usize).copied().unwrap_or("READY");
    let (state, previous) = (state_of(serial), state_of(serial + 4));
    let (minute, second, millisecond) = (serial / 60_000 % 60, serial / 1_000 % 60, serial % 1_000);
    out.clear();
    let written = write!(
        out,
        "<message xmlns=\"jabber:client\" from=\"pubsub.{HOST}\" to=\"{agent}@{HOST}\" id=\"{HOST}__{agent}__{serial:08}\">\
         <event xmlns=\"http://jabber.org/protocol/pubsub#event\"><items node=\"/finesse/api/User/{agent}\">\
         <item id=\"5d3c1c52-90e4-4d0b-8f0a-6b1f3b7f2a10{serial}\">\
         <notification xmlns=\"http://jabber.org/protocol/pubsub\">&lt;Update&gt;&lt;data&gt;&lt;user&gt;\
         &lt;dialogs&gt;/finesse/api/User/{agent}/Dialogs&lt;/dialogs&gt;\
         &lt;extension&gt;{extension}&lt;/extension&gt;\
         &lt;firstName&gt;Robin&lt;/firstName&gt;&lt;lastName&gt;Example {agent}&lt;/lastName&gt;\
         &lt;loginId&gt;{agent}&lt;/loginId&gt;&lt;loginName&gt;robin.{agent}&lt;/loginName&gt;\
         &lt;mediaType&gt;1&lt;/mediaType&gt;&lt;pendingState&gt;&lt;/pendingState&gt;\
         &lt;previousState&gt;{previous}&lt;/previousState&gt;\
         &lt;reasonCodeId&gt;{reason}&lt;/reasonCodeId&gt;\
         &lt;roles&gt;&lt;role&gt;Agent&lt;/role&gt;&lt;role&gt;Supervisor&lt;/role&gt;&lt;/roles&gt;\
         &lt;settings&gt;&lt;wrapUpOnIncoming&gt;OPTIONAL&lt;/wrapUpOnIncoming&gt;\
         &lt;wrapUpOnOutgoing&gt;OPTIONAL&lt;/wrapUpOnOutgoing&gt;&lt;deviceSelection&gt;DISABLED&lt;/deviceSelection&gt;&lt;/settings&gt;\
         &lt;state&gt;{state}&lt;/state&gt;\
         &lt;stateChangeTime&gt;2026-01-15T09:{minute:02}:{second:02}.{millisecond:03}Z&lt;/stateChangeTime&gt;\
         &lt;teamId&gt;17&lt;/teamId&gt;&lt;teamName&gt;Billing &amp;amp; Care&lt;/teamName&gt;\
         &lt;teams&gt;&lt;Team&gt;&lt;id&gt;18&lt;/id&gt;&lt;name&gt;Sales North&lt;/name&gt;&lt;uri&gt;/finesse/api/Team/18&lt;/uri&gt;&lt;/Team&gt;&lt;/teams&gt;\
         &lt;uri&gt;/finesse/api/User/{agent}&lt;/uri&gt;&lt;wrapUpTimer&gt;120&lt;/wrapUpTimer&gt;\
         &lt;/user&gt;&lt;/data&gt;&lt;event&gt;PUT&lt;/event&gt;\
         &lt;requestId&gt;6f1c2a2e-{serial:012x}&lt;/requestId&gt;\
         &lt;source&gt;/finesse/api/User/{agent}&lt;/source&gt;&lt;/Update&gt;</notification></item></items></event></message>",
        extension = 20_000 + agent,
        reason = serial % 40,
    );
    debug_assert!(written.is_ok(), "a String takes everything");
}

/// A chat message of exactly [`CHAT_BYTES`].
pub(crate) fn chat(out: &mut String, agent: u32, serial: u64) {
    let (head, tail) = (
        format_args!("<message xmlns='jabber:client' to='{agent}@{HOST}' type='chat' id='m{serial:010}'><body>"),
        "</body></message>",
    );
    fill(out, head, tail, CHAT_BYTES, serial);
}

/// A chat message of exactly `bytes`, for the long haul through one socket.
pub(crate) fn long_chat(out: &mut String, agent: u32, serial: u64, bytes: usize) {
    let (head, tail) = (
        format_args!("<message xmlns='jabber:client' to='{agent}@{HOST}' type='chat' id='b{serial:010}'><body>"),
        "</body></message>",
    );
    fill(out, head, tail, bytes, serial);
}

/// The desktop's ping (XEP-0199).
pub(crate) fn ping(out: &mut String, serial: u64) {
    out.clear();
    let written = write!(
        out,
        "<iq type='get' to='{HOST}' id='{serial:012}:ping' xmlns='jabber:client'><ping xmlns='urn:xmpp:ping'/></iq>"
    );
    debug_assert!(written.is_ok(), "a String takes everything");
}

/// The server's answer to [`ping`].
pub(crate) fn pong(out: &mut String, agent: u32, serial: u64) {
    out.clear();
    let written = write!(
        out,
        "<iq xmlns=\"jabber:client\" type=\"result\" id=\"{serial:012}:ping\" from=\"{HOST}\" to=\"{agent}@{HOST}/desktop\"/>"
    );
    debug_assert!(written.is_ok(), "a String takes everything");
}

fn fill(out: &mut String, head: std::fmt::Arguments<'_>, tail: &str, bytes: usize, serial: u64) {
    const WORDS: &str = "The caller asks whether the invoice of last month was sent twice, please look before lunch. ";
    out.clear();
    let written = out.write_fmt(head);
    debug_assert!(written.is_ok(), "a String takes everything");
    let mut rest = bytes.saturating_sub(out.len() + tail.len());
    let mut start = (serial % WORDS.len() as u64) as usize;
    while rest > 0 {
        let words = WORDS.get(start..).unwrap_or(WORDS);
        let words = words.get(..rest).unwrap_or(words);
        out.push_str(words);
        rest -= words.len();
        start = 0;
    }
    out.push_str(tail);
}
