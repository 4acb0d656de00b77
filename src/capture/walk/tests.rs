//! Levels `share` and `minimal`, over stored lines; level `auth` over stanzas; the proof of the fast path.

use super::clean::is_clean;
use super::{Pass, Tally};
use crate::capture::guard::{Guard, Guards};
use crate::capture::policy::Level;
use crate::capture::policy::user::UserRules;
use crate::capture::redact::{Picked, Redactor};
use crate::capture::token::{Key, Tokens, is_token};
use crate::session::findings::Code;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use serde_json::{Value, json};

fn redactor(level: Level) -> Redactor {
    ruled(level, UserRules::default())
}

fn ruled(level: Level, rules: UserRules) -> Redactor {
    let key = Key { master: [9; 32], case: "test".into() };
    Redactor::with(level, Tokens::of(&key).unwrap(), rules)
}

/// An event with `more` laid over it.
fn stored(action: &str, more: Value) -> Vec<u8> {
    let mut event = json!({
        "@timestamp": "2026-01-15T09:12:40.561300Z",
        "event": {"sequence": 1, "id": "01TEST-1", "kind": "event", "action": action, "dataset": "finesse.event"},
        "log": {"level": "info"}, "message": "", "finesse": {"schema": "1.0"}, "ecs": {"version": "8.17.0"},
    });
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    event.to_string().into_bytes()
}

fn line(redactor: &mut Redactor, stored: &[u8]) -> String {
    let kept = redactor.line(stored, &Picked::default(), &mut Guards::default());
    String::from_utf8(kept.ok().unwrap().unwrap().line).unwrap()
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    crate::xmpp::parse::escape(text, &mut out);
    out
}

fn stanza(payload: &str) -> String {
    format!(
        "<message xmlns=\"jabber:client\" from=\"pubsub.hq.example.test\" to=\"ann.smith@hq.example.test\" \
         id=\"/finesse/api/User/ann.smith__ann.smith@hq.example.test__J056a\"><event xmlns=\"http://jabber.org/protocol/pubsub#event\">\
         <items node=\"/finesse/api/User/ann.smith/Dialogs\"><item id=\"0be528bc-744b-4c44-a9ed-b564c97397ba1102\">\
         <notification xmlns=\"http://jabber.org/protocol/pubsub\">{}</notification></item></items></event></message>",
        escaped(payload)
    )
}

fn xml(level: Level, text: &str) -> String {
    let line = line(&mut redactor(level), &stored("xmpp-stanza", json!({"finesse": {"xml": text}})));
    let value: Value = serde_json::from_str(&line).unwrap();
    value["finesse"]["xml"].as_str().unwrap_or_default().to_owned()
}

/// Hosts, JIDs and URLs hold others of their kind; a stack is not as deep as a text is long.
#[test]
fn no_text_is_taken_apart_without_end() {
    const TIMES: usize = 20_000;
    let long = |unit: &str| unit.repeat(TIMES);
    for text in [
        long("pubsub."),
        format!("h{}", long(":1")),
        long("a@b/"),
        long("a/b@c"),
        long("/a?url="),
        format!("https://h/{}", long("x?url=https://h/")),
        long("__"),
        long("/a/"),
        long("[a:"),
        long("%25"),
        long("&amp;"),
    ] {
        for level in [Level::Share, Level::Minimal] {
            let stanza = format!("<iq from='{text}' node='{text}' id='{text}'><error><text>{text}</text></error></iq>");
            let more = json!({
                "url": {"path": text, "query": format!("url={text}&redirect_uri={text}")},
                "user_agent": {"original": text},
                "error": {"message": text},
                "finesse": {"xml": stanza, "xmpp": {"kind": "iq", "from": text, "to": text, "id": text, "resource": text}},
            });
            let line = line(&mut redactor(level), &stored("connection-closed", more));
            assert!(line.ends_with("}\n"));
        }
    }
}

#[test]
fn an_update_keeps_what_happened_and_loses_to_whom() {
    let payload = "<Update><data><dialog><fromAddress>+1 202 555 0143</fromAddress><id>146937347</id><mediaProperties><DNIS>7073</DNIS>\
        <callType>PREROUTE_ACD_IN</callType><queueName>Gold</queueName><wrapUpReason>Angry</wrapUpReason><callvariables><CallVariable>\
        <name>user.microapp.ToExtVXML[2]</name><value>to0=CVP;to1=5200;CV4=2025550143</value></CallVariable></callvariables></mediaProperties>\
        <participants><Participant><mediaAddress>2830</mediaAddress><state>ACTIVE</state>\
        <stateChangeTime>2019-05-21T04:07:38.017Z</stateChangeTime></Participant></participants><state>ACTIVE</state>\
        <uri>/finesse/api/Dialog/146937347</uri><odd>Canary</odd></dialog></data><event>PUT</event>\
        <requestId>6f1c2a2e-0000-4000-8000-000000000001</requestId><source>/finesse/api/User/ann.smith/Dialogs</source></Update>";
    let share = xml(Level::Share, &stanza(payload));
    let minimal = xml(Level::Minimal, &stanza(payload));
    for kept in [
        "146937347",
        "PREROUTE_ACD_IN",
        "ACTIVE",
        "2019-05-21T04:07:38.017Z",
        "6f1c2a2e-0000-4000-8000-000000000001",
        "/finesse/api/Dialog/146937347",
        "0be528bc-744b-4c44-a9ed-b564c97397ba1102",
        "PUT",
    ] {
        assert!(share.contains(kept) && minimal.contains(kept), "{kept} is gone in\n{share}\n{minimal}");
    }
    assert!(share.contains("user.microapp.ToExtVXML[2]") && share.contains("[text:16-31]"), "{share}");
    assert!(minimal.contains("[customer:1]"), "{minimal}");
    for gone in ["ann", "hq.example", "202", "7073", "Gold", "Angry", "CVP", "5200", "2830", "Canary"] {
        for text in [&share, &minimal] {
            assert!(!text.contains(gone), "{gone} is left in\n{text}");
        }
    }
    let outer = crate::xmpp::parse::parse(&share);
    assert!(outer.malformed().is_none());
    let id = outer.roots().next().unwrap().attribute("id").unwrap().into_owned();
    let jid = outer.roots().next().unwrap().attribute("to").unwrap().into_owned();
    let (local, host) = jid.split_once('@').unwrap();
    assert!(is_token(local) && is_token(host), "{jid}");
    let generated = id.strip_prefix(&format!("/finesse/api/User/{local}__{jid}__")).unwrap();
    assert!(is_token(generated), "{id}");
}

#[test]
fn the_same_in_json() {
    let payload = json!({"Update": {"data": {"user": {"loginId": "ann.smith", "firstName": "Ann", "extension": 2830,
        "state": "READY", "reasonCodeId": -1, "odd": "Canary", "password": "Canary"},
        "dialog": {"callvariables": {"CallVariable": [{"name": "callVariable1", "value": "Canary"}]}}}}})
    .to_string();
    for level in [Level::Share, Level::Minimal] {
        let text = xml(level, &stanza(&payload));
        for gone in ["ann.smith", "Ann", "2830", "Canary"] {
            assert!(!text.contains(gone), "{gone} is left in\n{text}");
        }
        assert!(text.contains("READY") && text.contains("-1"), "{text}");
    }
}

#[test]
fn a_broken_or_cut_payload_is_measured() {
    for broken in
        ["<Update><data><user><loginId>Canary</loginId>", "<a>Canary</b>", "{\"a\":\"Canary\"", "Canary {}", "Canary"]
    {
        for level in [Level::Share, Level::Minimal] {
            let whole = stanza(broken);
            let text = xml(level, &whole);
            assert!(!text.contains("Canary"), "{broken} is left in\n{text}");
            let cut = whole.get(..whole.len() - 40).unwrap();
            assert!(!xml(level, cut).contains("Canary"));
        }
    }
}

/// Every class in every place it can stand, in six encodings.
#[test]
fn no_canary_of_a_removed_class_is_left() {
    let secret = "Zebra\"Canary&7391046285";
    let mut entity = escaped(secret);
    entity = entity.replace("Z", "&#90;");
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let forms = [
        secret.to_owned(),
        STANDARD.encode(secret),
        percent.clone(),
        utf8_percent_encode(&percent, NON_ALPHANUMERIC).to_string(),
        entity,
        serde_json::to_string(secret).unwrap(),
    ];
    for form in &forms {
        let e = escaped(form);
        let xml = format!(
            "<iq xmlns=\"jabber:client\" from=\"{e}@{e}/{e}\" to=\"{e}\" id=\"{e}\" odd=\"{e}\"><a xmlns=\"urn:{e}\">{e}</a><User><loginId>{e}</loginId>\
             <firstName>{e}</firstName><extension>{e}</extension><teamName>{e}</teamName><wrapUpReason>{e}</wrapUpReason>\
             <password>{e}</password><odd a=\"{e}\">{e}</odd><uri>/finesse/api/User/{e}</uri><CallVariable><name>v</name><value>{e}</value>\
             </CallVariable><body>{e}</body><id>{e}</id><state>{e}</state></User><!-- {e} --></iq>"
        );
        let places = json!({
            "client": {"domain": form, "ip": form, "port": 1}, "server": {"domain": form, "ip": form, "port": 2},
            "user": {"name": form}, "user_agent": {"original": format!("{form}@x\u{7}")},
            "url": {"path": format!("/finesse/api/User/{form}/{form};jsessionid={form}"), "query": format!("odd={form}&code={form}&id={form}&{form}&url={form}")},
            "trace": {"id": form}, "transaction": {"id": form},
            "http": {"version": "1.1", "request": {"method": form, "bytes": 1, "mime_type": form, "body": {"bytes": 1, "content": form}},
                "response": {"status_code": 200, "bytes": 1, "body": {"bytes": 1, "content": json!({"odd": form, "loginId": form, form: 1}).to_string()}}},
            "tls": {"established": true, "resumed": false, "cipher": form, "next_protocol": form, "client": {"server_name": form},
                "server": {"subject": format!("CN={form},O={form}"), "issuer": form, "not_before": form, "not_after": form,
                    "hash": {"sha256": form}, "x509": {"alternative_names": [format!("DNS:{form}"), form]}}},
            "finesse": {"schema": "1.0", "session": {"id": form}, "conn": {"id": "c1", "sni": form, "upstream": {"ip": form}},
                "ws": {"id": "w1", "protocol": form, "protocols_offered": [form], "extensions": form, "extensions_offered": form, "opcode": form},
                "http": {"request_headers": [{"name": "X-Odd", "value": form}, {"name": "Cookie", "value": format!("a={form}; cc_username={form}; {form}")},
                    {"name": "Authorization", "value": format!("Basic {form}")}, {"name": "Host", "value": form}, {"name": "Referer", "value": form},
                    {"name": "requestId", "value": form}], "response_headers": [{"name": "Set-Cookie", "value": format!("a={form}; Domain={form}")},
                    {"name": "Location", "value": format!("https://{form}/{form}?{form}#{form}")}, {"name": "WWW-Authenticate", "value": format!("Basic realm=\"{form}\"")}]},
                "api": {"resource": format!("User/{form}"), "object_id": form, "request_id": form, "state": form},
                "sasl": {"mechanism": form, "reason": form},
                "xmpp": {"kind": "iq", "name": form, "type": form, "id": form, "from": form, "to": format!("{form}@x"), "payload": {"name": form, "namespace": form},
                    "pubsub": {"action": form, "node": form, "item_id": form, "subscription": form, "jid": form}, "resource": form, "jid": form, "mechanisms": [form]},
                "update": {"object": "User", "event": form, "object_name": form, "source": form, "request_id": form,
                    "user": {"id": form, "name": form, "extension": form, "state": form, "team_id": form, "reason_code": form},
                    "dialog": {"id": form, "state": form, "from_address": form, "to_address": form, "call_type": form, "participants": [{"address": form, "state": form, "actions": [form]}]},
                    "thing": {"id": form, "name": form, "state": form}, "api_error": {"type": format!("{form}1"), "data": form, "peripheral_code": form}},
                "gap": {"at": form, "events": 1, "bytes": 1}, "xml": xml},
            "odd": {"a": form},
        });
        for level in [Level::Share, Level::Minimal] {
            let out = line(&mut redactor(level), &stored("finesse-update", places.clone()));
            for piece in ["Zebra", "Canary", "7391046285", "WmVicmE", &STANDARD.encode("Canary"), "%5A", "&#90;"] {
                // Base64 of a form may look like a word of somebody's; what must not be there is the whole of it.
                let at = out.floor_char_boundary(out.find(piece).unwrap_or_default().saturating_sub(200));
                assert!(!out.contains(piece), "{piece} of {form} is left at {level}:\n{}", &out[at..]);
            }
        }
    }
}

#[test]
fn restricting_again_changes_nothing_and_the_key_decides() {
    let event = stored(
        "finesse-update",
        json!({"user": {"name": "ann"}, "client": {"ip": "10.1.2.3", "port": 1}, "server": {"domain": "hq.example.test", "ip": "2001:db8::7", "port": 2},
            "tls": {"established": true, "resumed": false, "server": {"subject": "CN=hq.example.test", "issuer": "CN=Some CA,O=X", "not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z", "hash": {"sha256": "ab"}, "x509": {"alternative_names": ["DNS:hq.example.test", "IP:10.1.2.3"]}}},
            "error": {"message": "connect to hq.example.test:8445 (10.1.2.3:8445): ann@hq.example.test called +1 (202) 555-0143"},
            "finesse": {"xml": stanza("<Update><data><user><loginId>ann</loginId><extension>2830</extension><teamName>Gold</teamName></user></data></Update>"),
              "http": {"request_headers": [{"name": "Cookie", "value": "JSESSIONID=abc; attemptsMade=2"}, {"name": "Referer", "value": "https://hq.example.test:8445/desktop/container/?locale=en_US"}]}}}),
    );
    for level in [Level::Share, Level::Minimal] {
        let once = line(&mut redactor(level), &event);
        assert_eq!(once, line(&mut redactor(level), &event), "not determined");
        let twice = line(&mut redactor(level), once.as_bytes());
        let strip = |text: &str| text.split("\"redaction\"").next().unwrap().to_owned();
        assert_eq!(strip(&once), strip(&twice));
        for gone in ["ann", "10.1.2.3", "hq.example", "2001:db8", "555", "2830", "Gold", "Some CA", "abc"] {
            assert!(!once.contains(gone), "{gone} is left in\n{once}");
        }
        let stricter = line(&mut redactor(Level::Minimal), once.as_bytes());
        let again = line(&mut redactor(Level::Share), stricter.as_bytes());
        assert!(again.contains("\"level\":\"minimal\""), "less strict again: {again}");
    }
    let other = Tokens::of(&Key { master: [9; 32], case: "other".into() }).unwrap();
    let mut other = Redactor::with(Level::Share, other, UserRules::default());
    assert_ne!(line(&mut redactor(Level::Share), &event), line(&mut other, &event));
}

#[test]
fn a_user_may_add_rules() {
    let mut rules = UserRules::default();
    rules.deny("header:user-agent=unknown").unwrap();
    rules.deny("xml:user/state").unwrap();
    rules.allow("variable:callVariable7").unwrap();
    rules.allow("header:x-trace").unwrap();
    let event = stored(
        "xmpp-stanza",
        json!({"finesse": {"http": {"request_headers": [{"name": "User-Agent", "value": "Mozilla/5.0"}, {"name": "X-Trace", "value": "abc def"}]},
            "xml": stanza("<user><state>READY</state><CallVariable><name>callVariable7</name><value>EN</value></CallVariable>\
                <CallVariable><name>callVariable8</name><value>Canary</value></CallVariable></user>")}}),
    );
    let out = line(&mut ruled(Level::Share, rules.clone()), &event);
    assert!(!out.contains("Mozilla") && !out.contains("READY") && !out.contains("Canary"), "{out}");
    assert!(out.contains("abc def") && out.contains("EN&lt;/value"), "{out}");
    // At auth, only what was denied goes.
    let out = line(&mut ruled(Level::Auth, rules), &event);
    assert!(!out.contains("Mozilla") && !out.contains("READY") && out.contains("Canary"), "{out}");
}

#[test]
fn a_call_variables_name_is_kept_on_request_with_or_without_its_value() {
    let variable =
        |name: &str, value: &str| format!("<CallVariable><name>{name}</name><value>{value}</value></CallVariable>");
    let all = [("user.tier", "Canary1"), ("user.lang", "EN"), ("user.canary", "x"), ("callVariable1", "Canary2")];
    let xml: String = all.iter().map(|(name, value)| variable(name, value)).collect();
    let list: Vec<Value> = all.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let body = json!({"callvariables": {"CallVariable": list}}).to_string();
    let event = stored(
        "xmpp-stanza",
        json!({"http": {"request": {"method": "PUT", "mime_type": "application/json", "body": {"bytes": 9, "content": body}}},
            "finesse": {"xml": stanza(&format!("<user>{xml}</user>"))}}),
    );
    let mut rules = UserRules::default();
    rules.allow("variable-name:user.tier").unwrap();
    rules.allow("variable:user.lang").unwrap();
    rules.deny("variable-name:callVariable1").unwrap();
    let out = line(&mut ruled(Level::Share, rules.clone()), &event).to_lowercase();
    assert!(!out.contains("canary") && !out.contains("callvariable1"), "{out}");
    for (kept, times) in [("user.tier", 2), ("user.lang", 2), ("en&lt;/value", 1), (r#"\"en\""#, 1)] {
        assert_eq!(out.matches(kept).count(), times, "{kept}: {out}");
    }
    // Only what was denied, at auth.
    let out = line(&mut ruled(Level::Auth, rules), &event);
    assert!(out.contains("user.canary") && out.contains("Canary2") && !out.contains("callVariable1"), "{out}");
    let out = line(&mut redactor(Level::Share), &event);
    assert!(!out.contains("user.tier") && !out.contains("user.lang") && out.contains("callVariable1"), "{out}");
}

#[test]
fn a_session_in_a_sentence_of_our_own_has_a_token_at_share_only() {
    for message in ["cut at /ws/;jsessionid=8F3ACanary", "cut at /ws/;jsessionid=k-7f8f1f9frb"] {
        let event = stored("decode-error", json!({"error": {"message": message}}));
        let shared = line(&mut redactor(Level::Share), &event);
        assert!(shared.contains("/ws/;jsessionid=k-") && !shared.contains("Canary"), "{shared}");
        let minimal = line(&mut redactor(Level::Minimal), &event);
        assert!(minimal.contains("/ws/;jsessionid=[session]") && !minimal.contains("k-"), "{minimal}");
    }
}

#[test]
fn a_name_that_a_peer_chose_is_no_protocols() {
    let own = json!({"sasl": {"mechanism": "SCRAM-SHA-256-PLUS", "reason": "not-authorized"},
        "xmpp": {"kind": "iq", "mechanisms": ["PLAIN"], "pubsub": {"action": "subscribe"}},
        "stream": {"id": "b1", "close": {"by": "client", "how": "terminate", "condition": "other-request"}},
        "xml": "<auth xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\" mechanism=\"PLAIN\"/>"});
    let somebodys = own.to_string();
    let somebodys = ["SCRAM-SHA-256-PLUS", "PLAIN", "not-authorized", "subscribe", "other-request"].iter().fold(
        somebodys,
        |text, name| {
            text.replace(&format!("{name}\""), "ann-canary\"").replace(&format!("{name}\\\""), "ann-canary\\\"")
        },
    );
    let somebodys: Value = serde_json::from_str(&somebodys).unwrap();
    for level in [Level::Share, Level::Minimal] {
        let kept = line(&mut redactor(level), &stored("sasl-auth-sent", json!({"finesse": own})));
        let kept: Value = serde_json::from_str(&kept).unwrap();
        for part in ["sasl", "xmpp", "stream", "xml"] {
            assert_eq!(kept["finesse"][part], own[part], "{part} at {level}");
        }
        assert_eq!(kept["message"], "auth SCRAM-SHA-256-PLUS");
        let gone = line(
            &mut redactor(level),
            &stored("sasl-auth-sent", json!({"finesse": somebodys, "error": {"code": "ann-canary"}})),
        );
        assert!(!gone.contains("canary") && gone.contains("auth unknown"), "{gone}");
    }
}

#[test]
fn of_a_content_types_parameters_the_charset_stays_wherever_it_stands() {
    for (value, kept) in [
        ("text/html; charset=utf-8; boundary=canary", "text/html; charset=utf-8"),
        ("multipart/form-data; boundary=canary; charset=\"UTF-8\"", "multipart/form-data; charset=\"UTF-8\""),
        ("text/html; charset=canary", "text/html"),
        ("text/html;charset=utf-8;", "text/html;charset=utf-8;"),
    ] {
        let headers = json!([{"name": "Content-Type", "value": value}]);
        let event = stored("http-exchange", json!({"finesse": {"http": {"response_headers": headers}}}));
        for level in [Level::Share, Level::Minimal] {
            let out: Value = serde_json::from_str(&line(&mut redactor(level), &event)).unwrap();
            assert_eq!(out["finesse"]["http"]["response_headers"][0]["value"], kept);
        }
    }
}

#[test]
fn what_is_not_ours_is_refused() {
    for foreign in ["", "{}", "[1]", "nonsense", "{\"a\":1}", "{\"event\":{\"action\":\"xmpp-stanza\"}}"] {
        assert!(
            redactor(Level::Share).line(foreign.as_bytes(), &Picked::default(), &mut Guards::default()).is_err(),
            "{foreign}"
        );
    }
    let forged = stored("Canary", json!({}));
    assert!(redactor(Level::Share).line(&forged, &Picked::default(), &mut Guards::default()).is_err());
    assert!(redactor(Level::Share).line(b"\xff\xfe", &Picked::default(), &mut Guards::default()).is_err());
}

#[test]
fn every_golden_line_comes_back_the_same_at_auth() {
    let entries = std::fs::read_dir("tests/playbook").unwrap().map(|entry| entry.unwrap().path());
    let paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|kind| kind == "ndjson")).collect();
    assert!(paths.len() >= 5, "the playbooks are gone");
    for path in paths {
        for stored in std::fs::read_to_string(&path).unwrap().lines() {
            let back = line(&mut redactor(Level::Auth), stored.as_bytes());
            assert_eq!(back.trim_end(), stored, "{}", path.display());
        }
    }
}

#[test]
fn facts_of_findings_are_judged_by_their_names() {
    let facts = json!([
        {"name": "host", "value": "uccx2.canary.test"}, {"name": "client", "value": "192.0.2.44"},
        {"name": "node", "value": "/finesse/api/User/canary1/Dialogs"}, {"name": "resource", "value": "User/canary1"},
        {"name": "message", "value": "Canary Jones is not allowed"}, {"name": "rtt_ms", "value": "2500"},
        {"name": "times", "value": "Canary"}, {"name": "offered", "value": "EXTERNAL SCRAM-SHA-1, xmpp canary"},
        {"name": "selected", "value": "canary"}, {"name": "reason", "value": "canary"}, {"name": "condition", "value": "none given"},
    ]);
    let (title, advice) = (Code::Conflict.title(), Code::Conflict.advice());
    let finding = json!({"code": "conflict", "title": title, "confidence": "certain", "count": 2,
        "evidence": [3, 9], "facts": facts, "advice": advice});
    let event = stored("finding", json!({"finesse": {"finding": finding}}));
    for level in [Level::Share, Level::Minimal] {
        let out = line(&mut redactor(level), &event);
        assert!(!out.to_lowercase().contains("canary") && !out.contains("192.0.2.44"), "{out}");
        let out: Value = serde_json::from_str(&out).unwrap();
        let kept = &out["finesse"]["finding"];
        assert_eq!(
            (&kept["evidence"], &kept["title"], &kept["advice"]),
            (&json!([3, 9]), &json!(title), &json!(advice))
        );
        let names: Vec<&str> =
            kept["facts"].as_array().unwrap().iter().map(|fact| fact["name"].as_str().unwrap()).collect();
        assert_eq!(
            names,
            ["host", "client", "node", "resource", "rtt_ms", "offered", "selected", "reason", "condition"]
        );
        assert_eq!(kept["facts"][4]["value"], "2500");
        assert!(kept["facts"][5]["value"].as_str().unwrap().starts_with("EXTERNAL SCRAM-SHA-1, xmpp "));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_anywhere_is_survived(text in "\\PC{0,80}", mark in "[<>&\"'{}@/;=: ]{0,12}") {
        let text = format!("{mark}{text}{mark}");
        let event = stored("finesse-update", json!({"user": {"name": text}, "url": {"path": text, "query": text},
            "error": {"message": text}, "finesse": {"xml": text, "xmpp": {"kind": "iq", "id": text, "from": text}}}));
        for level in [Level::Share, Level::Minimal] {
            let once = line(&mut redactor(level), &event);
            prop_assert!(serde_json::from_str::<Value>(&once).is_ok());
        }
    }

    #[test]
    fn no_person_and_no_telephone_comes_through(person in "[a-z]{5,12}zq", phone in "[1-9][0-9]{9}") {
        let payload = format!("<Update><data><user><loginId>{person}</loginId><extension>{phone}</extension><x>{person}</x></user></data></Update>");
        let event = stored("finesse-update", json!({"user": {"name": person}, "url": {"path": format!("/finesse/api/User/{person}/Dialogs")},
            "error": {"message": format!("call {phone} of {person} failed")},
            "finesse": {"update": {"object": "User", "user": {"id": person, "extension": phone}}, "xml": stanza(&payload)}}));
        for level in [Level::Share, Level::Minimal] {
            let out = line(&mut redactor(level), &event);
            prop_assert!(!out.contains(&person) && !out.contains(&phone), "{}", out);
        }
    }
}

/// Each element asked for its namespace on its own would read the attributes of all around it: minutes here.
#[test]
fn many_attributes_around_many_elements_are_read_once() {
    use crate::xmpp::parse::{MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS};
    let attributes: String = (1..MAX_ATTRIBUTES).map(|n| format!(" a{n}=''")).collect();
    let levels = MAX_DEPTH - 1;
    let elements = (MAX_ELEMENTS - levels) / 2;
    let (start, end) = (format!("<iq{attributes}>").repeat(levels), "</iq>".repeat(levels));
    let written = xml(Level::Share, &format!("{start}{}{end}", "<iq/><p:iq/>".repeat(elements)));
    assert_eq!(written.matches("<iq/>").count(), 2 * elements);
}

/// A stanza at `auth`.
fn at_auth(xml: &str) -> String {
    pass(Level::Auth, |pass| pass.stanza(xml).into_owned())
}

fn pass<T>(level: Level, with: impl FnOnce(&mut Pass<'_>) -> T) -> T {
    let (mut tokens, rules) = (Tokens::under(&[7; 32]).unwrap(), UserRules::default());
    let (mut tally, mut guard) = (Tally::default(), Guard::default());
    with(&mut Pass {
        level,
        tokens: &mut tokens,
        rules: &rules,
        tally: &mut tally,
        guard: &mut guard,
        user: None,
        count: 0,
        is_clean: false,
        is_broken: false,
        masks: false,
        masked: 0,
        judged: None,
    })
}

fn sentence(level: Level, text: &str) -> String {
    let once = pass(level, |pass| pass.sentence(text));
    assert_eq!(pass(level, |pass| pass.sentence(&once)), once, "the same once more");
    once
}

#[test]
fn credentials_go_at_auth_and_new_names_stay() {
    let token = regex::Regex::new("k-[0-9a-z]{10}").unwrap();
    for (text, expected) in [
        ("<auth>hunter2-hunter2</auth>", "<auth>[cred:sasl]</auth>"),
        ("<AUTH mechanism='PLAIN'>hunter2</AUTH>", "<AUTH mechanism=\"PLAIN\">[cred:sasl]</AUTH>"),
        ("<s:response>hunter2-hunter2</s:response>", "<s:response>[cred:sasl]</s:response>"),
        (
            "<iq><auth x='hunter2'><y>hunter2</y></auth></iq>",
            "<iq><auth x=\"[cred:sasl]\"><y>[cred:sasl]</y></auth></iq>",
        ),
        ("<handshake>hunter2</handshake>", "<handshake>[cred:sasl]</handshake>"),
        ("<x:resume x:previd='8F3AABJ77B1C'/>", "<x:resume x:previd=\"k-\"/>"),
        (
            "<field var='password'><value>hunter2</value></field>",
            "<field var=\"password\"><value>[cred:password]</value></field>",
        ),
        ("<property name='password' value='hunter2'/>", "<property name=\"password\" value=\"[cred:password]\"/>"),
        ("<Password value='hunter2'/>", "<Password value=\"[cred:password]\"/>"),
        (
            "<CallVariable><name>user.password</name><value>hunter2</value></CallVariable>",
            "<CallVariable><name>user.password</name><value>[cred:password]</value></CallVariable>",
        ),
        ("<a><userPin>4711</userPin></a>", "<a><userPin>[cred:password]</userPin></a>"),
        ("<a><brandNew>Rq9aejLm4xTz7vPw2</brandNew></a>", "<a><brandNew>[cred:secret]</brandNew></a>"),
        ("<a><brandNew>anything at all</brandNew></a>", "<a><brandNew>anything at all</brandNew></a>"),
        ("<a><device>SEP0050568A1B2C</device></a>", "<a><device>SEP0050568A1B2C</device></a>"),
        ("<a><b eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.signature1='1' id='7'/></a>", "<a><b id=\"7\"/></a>"),
        ("<o:x xmlns:o='urn:example:odd'>hunter2</o:x>", "<o:x xmlns:o=\"urn:example:odd\">[text:4-7]</o:x>"),
    ] {
        let kept = at_auth(text);
        let kept = token.replace_all(&kept, "k-").into_owned();
        assert_eq!(kept, expected);
    }
}

#[test]
fn json_is_judged_by_names_and_pairs() {
    for (text, expected) in [
        (r#"{"name":"password","value":"hunter2"}"#, r#"{"name":"password","value":"[cred:password]"}"#),
        (
            r#"{"pin":"4711","otp":4712,"jwt":"x","auth":"y","bearer":"z"}"#,
            r#"{"pin":"[cred:password]","otp":"[cred:password]","jwt":"[cred:jwt]","auth":"[cred:secret]","bearer":"[cred:bearer]"}"#,
        ),
        (r#"{"key":"locale","value":"en"}"#, r#"{"key":"locale","value":"en"}"#),
        (r#"{"loginId":"ann","odd":"new"}"#, r#"{"loginId":"ann","odd":"new"}"#),
        (r#"{"passwordExpired":false}"#, r#"{"passwordExpired":false}"#),
    ] {
        assert_eq!(pass(Level::Auth, |pass| pass.content(text, "application/json").into_owned()), expected);
    }
    let kept = pass(Level::Auth, |pass| pass.content(r#"{"sessionId":"8F3AAEA77B1C9D2E4F5"}"#, "").into_owned());
    assert!(kept.starts_with(r#"{"sessionId":"k-"#), "{kept}");
}

#[test]
fn headers_keep_what_their_grammar_knows() {
    let header = |level, name: &str, value: &str| {
        pass(level, |pass| {
            pass.header(name.to_owned().into(), value.to_owned().into()).map(|(_, value)| value.into_owned())
        })
    };
    for (name, value, auth, share) in [
        (
            "WWW-Authenticate",
            "Negotiate oYG2Rq9abnLm4==, Basic realm=\"finesse\"",
            "Negotiate [cred:negotiate], Basic realm=\"finesse\"",
            Some("Negotiate [cred:negotiate], Basic"),
        ),
        (
            "Sec-WebSocket-Protocol",
            "xmpp, access_token, hunter2",
            "xmpp, access_token, [cred:token]",
            Some("xmpp, [text:8-15], [text:4-7]"),
        ),
        ("Vary", "Origin, x-zebra", "Origin, x-zebra", Some("Origin")),
        ("Access-Control-Allow-Methods", "GET, ZEBRA", "GET, ZEBRA", Some("GET")),
        ("Accept-Language", "de-DE,de;q=0.9,zebra", "de-DE,de;q=0.9,zebra", Some("de-DE, de;q=0.9")),
        (
            "Accept",
            "text/html;q=0.9, application/json",
            "text/html;q=0.9, application/json",
            Some("text/html;q=0.9, application/json"),
        ),
        ("Cache-Control", "max-age=3600, private", "max-age=3600, private", Some("max-age=3600, private")),
        ("X-Odd", "zebra", "[text:4-7]", None),
        ("X-Api-Key", "zebra", "[cred:key]", Some("[cred:key]")),
    ] {
        assert_eq!(header(Level::Auth, name, value).as_deref(), Some(auth), "{name}");
        assert_eq!(header(Level::Share, name, value).as_deref(), share, "{name}");
    }
}

#[test]
fn paths_and_urls_lose_what_names_a_session_or_a_user() {
    let url = |text: &str| pass(Level::Auth, |pass| pass.url(text));
    for (text, expected) in [
        ("/d?url=https%3A%2F%2Fu%3Aa%40Rq9%40h.test%2Fx", "/d?url=https://[cred:userinfo]@h.test/x"),
        ("/finesse/api/User/1001?x=1", "/finesse/api/User/1001?x=[digits:1-1]"),
        ("/d?locale=en_US&_=17", "/d?locale=en_US&_=17"),
    ] {
        assert_eq!(url(text), expected);
    }
    assert!(url("/cuic/x;PHPSESSID=8F3AADE77B1C9D2E4F5").starts_with("/cuic/x;PHPSESSID=k-"));
    let long = format!("/{}?url=https://u:{}", "a".repeat(2_030), "p".repeat(40));
    assert!(!url(&format!("{long}@h/x")).contains("ppp"));
}

#[test]
fn sentences_keep_listed_words_and_forms_only() {
    for (text, minimal) in [
        ("request 10a3d6b2-aa05-411a-9123-4567890001a3 failed", "request 10a3d6b2-aa05-411a-9123-4567890001a3 failed"),
        ("java.net.SocketTimeoutException: Read timed out", "java.net.SocketTimeoutException: Read timed out"),
        ("Zorajzbald Not Found", "[word] Not Found"),
        ("ZQAQALTD", "[word]"),
        ("CORP\\zorajvov is not allowed", "[word]\\[word] is not allowed"),
        ("Quimajwe\u{301}'s session expired", "[word]'s session expired"),
        ("node srvamd is down", "node [word] is down"),
        ("call \u{ff17}\u{ff13}\u{ff19}\u{ff11}\u{ff10}\u{ff14}\u{ff16} failed", "call [phone] failed"),
        ("call 739\u{a0}104\u{a0}6291 failed", "call [phone] failed"),
        ("call 739104 failed at 12:30:05", "call [phone] failed at 12:30:05"),
        ("bind failed: password=ab,Rq9aet;Rq9 end", "bind failed: password=[cred:password] end"),
        ("ann@hq.example.test is at 10.1.2.3:8445", "[person]@[host] is at [host]:8445"),
        ("reason code 50002, error 34", "reason code 50002, error 34"),
        ("no \u{202e}zebra\u{200b}x here", "no [word] here"),
        ("NOT_READY after TALKING", "NOT_READY after TALKING"),
    ] {
        assert_eq!(sentence(Level::Minimal, text), minimal);
        let share = sentence(Level::Share, text);
        for gone in
            ["oraj", "ZQAQ", "Quimaj", "srvamd", "739", "Rq9", "ann", "example", "10.1.2.3", "zebra", "\u{ff17}"]
        {
            assert!(!share.contains(gone), "{gone} is left: {share}");
        }
    }
    assert!(sentence(Level::Share, "zoraj left").starts_with("w-"));
}

#[test]
fn what_names_nobody_is_left_as_it_is_in_our_own_sentences() {
    for text in [
        "the client reset the connection before it was answered",
        "received fatal alert: UnknownCA",
        "invalid peer certificate: UnknownIssuer",
        "the TLS handshake failed: peer is incompatible: NoCipherSuitesInCommon",
        "the server refused the TLS handshake with the alert protocol_version",
        "Connection reset by peer (os error 104)",
        "it expired on 2026-01-15",
        "peer is incompatible: Tls12NotOffered; TLSv1.2, TLSv1_3, SHA-256, sha1, X509, x.509, http/1.1, h2",
        "no answer within 7.5 s",
    ] {
        assert_eq!(pass(Level::Minimal, |pass| pass.own_sentence(text)), text);
    }
    let own = |text| pass(Level::Minimal, |pass| pass.own_sentence(text));
    assert_eq!(
        own("nobody we trust vouches for its issuer, CN=Zq Root CA 7, O=Zq Holding"),
        "nobody we trust vouches for its issuer, CN=[word] Root CA 7, O=[word] [word]"
    );
    assert_eq!(
        own("nobody listens at 10.1.2.3:8445 (connection refused)"),
        "nobody listens at [host]:8445 (connection refused)"
    );
}

/// The fast path lets a text through only if the walkers leave it as it is.
#[test]
fn what_the_fast_path_lets_through_of_every_playbook_the_walkers_leave_alone() {
    let entries = std::fs::read_dir("tests/playbook").unwrap().map(|entry| entry.unwrap().path());
    let mut clean = 0;
    for path in entries.filter(|path| path.extension().is_some_and(|kind| kind == "ndjson")) {
        for stored in std::fs::read_to_string(&path).unwrap().lines() {
            let value: Value = serde_json::from_str(stored).unwrap();
            let Some(xml) = value["finesse"]["xml"].as_str() else { continue };
            clean += usize::from(is_clean(xml));
            assert_walkers_agree(xml);
        }
    }
    assert!(clean > 20, "{clean} stanzas take the fast way");
}

fn assert_walkers_agree(xml: &str) {
    if is_clean(xml) {
        let count = pass(Level::Auth, |pass| {
            // Whoever asks for judgements gets the slow way.
            pass.judged = Some(Vec::new());
            pass.stanza(xml);
            pass.count
        });
        assert!(
            count == 0 || crate::xmpp::parse::parse(xml).malformed().is_some(),
            "{count} values would go from {xml}"
        );
    }
}

/// Pieces of documents that rules are about, and what is only like them.
const PIECES: &[&str] = &[
    "<a>",
    "</a>",
    "<a ",
    "='",
    "' ",
    "'>",
    "/>",
    "&lt;",
    "&gt;",
    "&amp;",
    "=",
    ":",
    "\"",
    "{",
    "}",
    "name",
    "value",
    "password",
    "userPin",
    "pin",
    "ping",
    "key",
    "callKeyCallId",
    "auth",
    "author",
    "sid",
    "AGENT_INSIDE",
    "token",
    "<resume previd='1'/>",
    "<auth>x</auth>",
    "Rq9aejLm4xTz7vPw2",
    "0be528bc-744b-4c44-a9ed-b564c97397ba1102",
    "146937347",
    "SEP0050568A1B2C",
    "https://u:p@h/x",
    "//u@h",
    "xmlns='urn:odd'",
    "xmlns='jabber:client'",
    "Basic ",
    "abcdefgh",
    "%3D",
    "code=",
    "st",
    "<field var='otp'><value>1</value></field>",
    "{\"session\":\"x1\"}",
    "true",
    "<![CDATA[",
    "]]>",
    "READY",
    " ",
    "2019-05-21T04:07:38.017Z",
    "<enabled id='7'/>",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn the_fast_path_is_as_strict_as_the_walkers(pieces in proptest::collection::vec(0..PIECES.len(), 1..14), odd in "\\PC{0,12}") {
        let text: String = pieces.iter().map(|at| PIECES[*at]).collect();
        for xml in [format!("<iq>{text}</iq>"), format!("<iq><n>{text}</n>{odd}</iq>"), format!("<iq id='{text}'/>"), format!("<iq {text}/>")] {
            assert_walkers_agree(&xml);
        }
    }
}
