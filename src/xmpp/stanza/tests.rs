//! Stanzas in the shapes Openfire and a desktop's Strophe write them.

use super::*;
use crate::xmpp::Document;
use crate::xmpp::parse::parse;

fn read<'d, 'a>(document: &'d Document<'a>) -> Stanza<'d, 'a> {
    assert_eq!(document.malformed(), None);
    Stanza::read(document.roots().next().unwrap())
}

#[test]
fn kinds_are_told_apart() {
    let cases = [
        ("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='uccx.example.test' version='1.0'/>", "open"),
        ("<stream:stream xmlns:stream='http://etherx.jabber.org/streams'/>", "open"),
        ("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", "close"),
        ("<stream:features/>", "features"),
        ("<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>", "stream-error"),
        ("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>", "auth"),
        ("<auth mechanism='PLAIN'/>", "auth"),
        ("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "challenge"),
        ("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "response"),
        ("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "success"),
        ("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>", "failure"),
        ("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "abort"),
        ("<iq xmlns='jabber:client'/>", "iq"),
        ("<message/>", "message"),
        ("<presence/>", "presence"),
        ("<r xmlns='urn:xmpp:sm:3'/>", "stream-management"),
        ("<a xmlns='urn:xmpp:sm:2' h='1'/>", "stream-management"),
        ("<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true'/>", "stream-management"),
        ("<a/>", "other"),
        ("<body xmlns='http://jabber.org/protocol/httpbind'/>", "other"),
    ];
    for (text, kind) in cases {
        assert_eq!(read(&parse(text)).kind.as_str(), kind, "{text}");
    }
}

#[test]
fn a_subscription_goes_both_ways() {
    let asked = parse(
        "<iq from='ann@uccx.example.test/desktop' to='pubsub.uccx.example.test' type='set' id='7:subscribenode' \
         xmlns='jabber:client'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe \
         node='/finesse/api/User/ann' jid='ann@uccx.example.test/desktop'/></pubsub></iq>",
    );
    let stanza = read(&asked);
    assert_eq!(stanza.stanza_type.as_deref(), Some("set"));
    assert_eq!(stanza.id.as_deref(), Some("7:subscribenode"));
    assert_eq!(stanza.from.as_deref(), Some("ann@uccx.example.test/desktop"));
    assert_eq!(stanza.to.as_deref(), Some("pubsub.uccx.example.test"));
    assert_eq!(stanza.payload, Some(Payload { name: "pubsub", namespace: "http://jabber.org/protocol/pubsub".into() }));
    let pubsub = stanza.pubsub.unwrap();
    assert_eq!((pubsub.action, pubsub.node.as_deref()), ("subscribe", Some("/finesse/api/User/ann")));
    assert_eq!((pubsub.subscription, pubsub.items), (None, 0));

    let granted = parse(
        "<iq type='result' id='7:subscribenode'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <subscription node='/finesse/api/User/ann' jid='ann@uccx.example.test' subid='x' subscription='subscribed'>\
         <subscribe-options/></subscription></pubsub></iq>",
    );
    let pubsub = read(&granted).pubsub.unwrap();
    assert_eq!((pubsub.action, pubsub.subscription.as_deref()), ("subscription", Some("subscribed")));
    assert_eq!(pubsub.jid.as_deref(), Some("ann@uccx.example.test"));
}

#[test]
fn events_and_lists_are_counted() {
    let event = parse(
        "<message><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='/finesse/api/Team/1&amp;2'>\
         <item id='u-1'><notification>one</notification></item> <item id='u-2'><notification>two</notification></item>\
         </items></event></message>",
    );
    let pubsub = read(&event).pubsub.unwrap();
    assert_eq!((pubsub.action, pubsub.node.as_deref()), ("event", Some("/finesse/api/Team/1&2")));
    assert_eq!((pubsub.items, pubsub.item_id.as_deref()), (2, Some("u-1")));
    assert_eq!(pubsub.payloads.iter().map(|payload| payload.text()).collect::<Vec<_>>(), ["one", "two"]);

    let retracted = parse(
        "<message><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><retract id='u-3'/></items>\
         </event></message>",
    );
    let pubsub = read(&retracted).pubsub.unwrap();
    assert_eq!((pubsub.items, pubsub.item_id.as_deref(), pubsub.payloads.len()), (1, Some("u-3"), 0));

    let purged =
        parse("<message><event xmlns='http://jabber.org/protocol/pubsub#event'><purge node='n'/></event></message>");
    let pubsub = read(&purged).pubsub.unwrap();
    assert_eq!((pubsub.action, pubsub.node.as_deref()), ("purge", Some("n")));

    let listed = parse(
        "<iq type='result'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscriptions>\
         <subscription node='n' jid='j' subscription='subscribed'/><subscription node='m'/></subscriptions></pubsub></iq>",
    );
    let pubsub = read(&listed).pubsub.unwrap();
    assert_eq!((pubsub.action, pubsub.items, pubsub.node.as_deref()), ("subscriptions", 2, Some("n")));

    let published = parse(
        "<iq type='set'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'><item><x/></item></publish>\
         </pubsub></iq>",
    );
    let pubsub = read(&published).pubsub.unwrap();
    assert_eq!((pubsub.action, pubsub.items, pubsub.payloads.len()), ("publish", 1, 1));

    for empty in ["<iq><pubsub xmlns='http://jabber.org/protocol/pubsub'/></iq>", "<iq><event xmlns='urn:other'/></iq>"]
    {
        let document = parse(empty);
        let pubsub = read(&document).pubsub.map(|pubsub| pubsub.action);
        assert_eq!(pubsub, empty.contains("pubsub").then_some("pubsub"));
    }
}

#[test]
fn errors_are_read_wherever_they_stand() {
    let error = |error_type: Option<&'static str>, condition, text: Option<&'static str>| {
        Some(StanzaError { error_type: error_type.map(Cow::Borrowed), condition, text: text.map(Cow::Borrowed) })
    };
    let cases = [
        (
            "<iq type='error'><pubsub xmlns='http://jabber.org/protocol/pubsub'/><error code='404' type='cancel'>\
             <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
            error(Some("cancel"), Some("item-not-found"), None),
        ),
        ("<iq type='error' id='1'/>", error(None, None, None)),
        (
            "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text>Replaced</text></stream:error>",
            error(None, Some("conflict"), Some("Replaced")),
        ),
        (
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><text>No &amp; no</text><not-authorized/></failure>",
            error(None, Some("not-authorized"), Some("No & no")),
        ),
        (
            "<failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>",
            error(None, Some("item-not-found"), None),
        ),
        ("<iq type='result'/>", None),
        ("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", None),
    ];
    for (text, expected) in cases {
        assert_eq!(read(&parse(text)).error, expected, "{text}");
    }
    let document = parse("<iq type='error'><error/><ping xmlns='urn:xmpp:ping'/></iq>");
    assert_eq!(read(&document).payload.unwrap().name, "ping");
}

#[test]
fn sign_in_is_followed() {
    let offered = parse(
        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms \
         xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism><mechanism>SCRAM-SHA-1</mechanism>\
         </mechanisms></stream:features>",
    );
    let stanza = read(&offered);
    assert_eq!(stanza.mechanisms, ["PLAIN", "SCRAM-SHA-1"]);
    assert_eq!(stanza.payload.unwrap().name, "mechanisms");

    let after = parse("<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>");
    let stanza = read(&after);
    assert_eq!((stanza.bind, stanza.payload.unwrap().name), (None, "bind"));
    let mixed =
        parse("<stream:features><sub/><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><ver/></stream:features>");
    assert_eq!(read(&mixed).payload.unwrap().name, "bind");

    let asked =
        parse("<iq type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>desktop</resource></bind></iq>");
    assert_eq!(read(&asked).bind, Some(Bind { resource: Some("desktop".into()), jid: None }));
    let given = parse(
        "<iq type='result'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>ann@uccx.example.test/desktop</jid></bind></iq>",
    );
    assert_eq!(read(&given).bind, Some(Bind { resource: None, jid: Some("ann@uccx.example.test/desktop".into()) }));
}

#[test]
fn pings_are_recognised() {
    let cases = [
        ("<iq type='get' id='1:ping'><ping xmlns='urn:xmpp:ping'/></iq>", true),
        ("<iq type='result' id='1:ping'/>", false),
        ("<iq type='get'><ping/></iq>", false),
        ("<iq type='set'><ping xmlns='urn:xmpp:ping'/></iq>", false),
        ("<message type='get'><ping xmlns='urn:xmpp:ping'/></message>", false),
    ];
    for (text, expected) in cases {
        assert_eq!(read(&parse(text)).is_ping(), expected, "{text}");
    }
}
