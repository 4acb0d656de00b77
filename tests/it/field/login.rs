//! The login that Cisco documents, stage by stage, over whatever carries it.

use super::script::Words;
use super::wire;
use super::world::World;
use finesse_tap::conn::Direction::{C2s, S2c};

/// Says everything up to the stage `until`, which is not reached.
pub(super) fn login(world: &mut World, who: &str, until: &str, words: &Words) {
    let (host, jid, resource) = world.agent(who).names();
    let (bosh, xmpp) = (world.agent(who).is_bosh(), world.agent(who).is_xmpp());
    let open = |from: &str| match (xmpp, from) {
        (true, "to") => format!(
            "<?xml version='1.0'?><stream:stream to='{host}' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
        ),
        (true, _) => format!(
            "<?xml version='1.0'?><stream:stream from='{host}' id='x1' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
        ),
        (false, "to") => format!("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{host}' version='1.0'/>"),
        (false, _) => format!(
            "<open from='{host}' id='x1' xmlns='urn:ietf:params:xml:ns:xmpp-framing' xml:lang='en' version='1.0'/>"
        ),
    };
    let mechanism = words.or("mechanism", "PLAIN");
    let features = |inner: &str| {
        format!("<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{inner}</stream:features>")
    };
    let mechanisms = features(&format!(
        "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>{mechanism}</mechanism></mechanisms>"
    ));
    let bind_features = features(
        "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>",
    );
    if until == "open" {
        return;
    }
    if bosh {
        world.bosh(who, C2s, "", &format!("content='text/xml; charset=utf-8' hold='1' to='{host}' ver='1.6' wait='60' xml:lang='en' xmpp:version='1.0'"));
        world.bosh(who, S2c, &mechanisms, &format!("sid='SID' wait='60' hold='1' requests='2' inactivity='30' polling='5' ver='1.6' from='{host}' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'"));
    } else {
        world.stanza(who, C2s, &open("to"));
        world.stanza(who, S2c, &open("from"));
        if until == "features" {
            return;
        }
        world.stanza(who, S2c, &mechanisms);
    }
    if until == "auth" {
        return;
    }
    let plain = wire::base64(&format!("{jid}@{host}\0{jid}\0{}", world.agent(who).secret()));
    world.stanza(who, C2s, &format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>"));
    if words.get("auth") == Some("refused") {
        world.stanza(who, S2c, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>");
        return;
    }
    world.stanza(who, S2c, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    if until == "restart" {
        return;
    }
    if bosh {
        world.bosh(who, C2s, "", &format!("to='{host}' xml:lang='en' xmpp:restart='true'"));
        world.bosh(who, S2c, &bind_features, "");
    } else {
        world.stanza(who, C2s, &open("to"));
        world.stanza(who, S2c, &open("from"));
        world.stanza(who, S2c, &bind_features);
    }
    if until == "bind" {
        return;
    }
    let asked = format!(
        "<iq type='set' id='_bind_auth_2' xmlns='jabber:client'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource></bind></iq>"
    );
    world.stanza(who, C2s, &asked);
    world.stanza(who, S2c, &format!("<iq xmlns=\"jabber:client\" type=\"result\" id=\"_bind_auth_2\"><bind xmlns=\"urn:ietf:params:xml:ns:xmpp-bind\"><jid>{jid}@{host}/{resource}</jid></bind></iq>"));
    if until == "session" {
        return;
    }
    world.stanza(who, C2s, "<iq type='set' id='_session_auth_2' xmlns='jabber:client'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>");
    world.stanza(
        who,
        S2c,
        &format!("<iq xmlns=\"jabber:client\" type=\"result\" id=\"_session_auth_2\" to=\"{jid}@{host}/{resource}\"/>"),
    );
    if until == "presence" {
        return;
    }
    world.stanza(who, C2s, "<presence xmlns='jabber:client'/>");
    world.begin_pings(who);
    if until == "finesse-presence" {
        return;
    }
    world.stanza(
        who,
        S2c,
        &format!("<presence xmlns=\"jabber:client\" from=\"finesse@{host}/User\" to=\"{jid}@{host}/{resource}\"/>"),
    );
    assert!(!world.agent(who).node().is_empty());
}
