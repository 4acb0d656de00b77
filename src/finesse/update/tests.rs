//! Notifications in the shapes Cisco's guide and published captures show, whole, damaged, and as JSON.

use super::*;
use crate::xmpp::parse::parse;

const USER: &str = "<Update><data><user><dialogs>/finesse/api/User/1001/Dialogs</dialogs><extension>2001</extension>\
    <firstName>Ann</firstName><loginId>1001</loginId><loginName>ann</loginName><mediaType>1</mediaType>\
    <pendingState></pendingState><reasonCode><category>NOT_READY</category><code>255</code><forAll>true</forAll>\
    <id>17</id><label>Connection &amp; more</label><uri>/finesse/api/ReasonCode/17</uri></reasonCode>\
    <reasonCodeId>17</reasonCodeId><roles><role>Agent</role></roles><state>NOT_READY</state>\
    <stateChangeTime>2026-01-15T09:12:40.561Z</stateChangeTime><teamId>7</teamId><teamName>Sales</teamName>\
    <teams><Team><id>7</id><name>Sales</name></Team></teams><uri>/finesse/api/User/1001</uri></user></data>\
    <event>PUT</event><requestId>6f1c</requestId><source>/finesse/api/User/1001</source></Update>";

const DIALOGS: &str = "<Update><source>/finesse/api/User/1001/Dialogs</source><event>post</event><requestId/><data><dialogs>\
    <Dialog><fromAddress>5550100</fromAddress><id>42</id><mediaProperties><DNIS>6007</DNIS>\
    <callType>PREROUTE_ACD_IN</callType><callvariables><CallVariable><name>callVariable1</name><value>v</value>\
    </CallVariable></callvariables></mediaProperties><mediaType>Voice</mediaType><participants><Participant>\
    <actions><action>HOLD</action><action>DROP</action></actions><mediaAddress>2001</mediaAddress>\
    <startTime>2026-01-15T09:00:00.000Z</startTime><state>ACTIVE</state>\
    <stateChangeTime>2026-01-15T09:00:01.000Z</stateChangeTime></Participant><Participant><actions></actions>\
    <mediaAddress>5550100</mediaAddress><state>ACTIVE</state></Participant></participants><state>ACTIVE</state>\
    <toAddress>6007</toAddress><uri>/finesse/api/Dialog/42</uri></Dialog>\
    <Dialog><id>43</id><state>ALERTING</state></Dialog></dialogs></data></Update>";

fn read(text: &str) -> Update<'_> {
    Update::read_xml(&parse(text)).unwrap()
}

fn some<'a>(text: &'a str) -> Option<Cow<'a, str>> {
    Some(Cow::Borrowed(text))
}

#[test]
fn a_user_is_read() {
    let update = read(USER);
    assert_eq!((update.event, update.object.as_str(), update.object_name), (some("PUT"), "User", "user".into()));
    assert_eq!((update.source, update.request_id), (some("/finesse/api/User/1001"), some("6f1c")));
    let expected = User {
        login_id: some("1001"),
        login_name: some("ann"),
        extension: some("2001"),
        state: some("NOT_READY"),
        pending_state: None,
        state_change_time: some("2026-01-15T09:12:40.561Z"),
        reason_code: some("255"),
        reason_label: some("Connection & more"),
        team_id: some("7"),
    };
    assert_eq!(update.user, Some(expected));
    assert!(update.dialogs.is_empty() && update.api_errors.is_empty() && update.thing.is_none());
}

#[test]
fn a_reason_is_a_code_or_absent() {
    let cases = [
        ("<reasonCodeId>-1</reasonCodeId>", None),
        ("<reasonCodeId></reasonCodeId>", None),
        ("<reasonCodeId>4</reasonCodeId>", Some("4")),
        ("<reasonCode><code>98</code></reasonCode><reasonCodeId>4</reasonCodeId>", Some("98")),
        ("<reasonCodeId>4</reasonCodeId><reasonCode><code>98</code></reasonCode>", Some("98")),
        ("<reasonCode><code>-1</code></reasonCode><reasonCodeId>4</reasonCodeId>", Some("4")),
        ("", None),
    ];
    for (fields, expected) in cases {
        let text = format!("<user>{fields}</user>");
        assert_eq!(read(&text).user.unwrap().reason_code.as_deref(), expected, "{fields}");
    }
}

#[test]
fn dialogs_are_read() {
    let update = read(DIALOGS);
    assert_eq!((update.event, update.object, update.request_id), (some("POST"), Object::Dialogs, None));
    let participants = vec![
        Participant {
            media_address: some("2001"),
            state: some("ACTIVE"),
            state_change_time: some("2026-01-15T09:00:01.000Z"),
            actions: vec!["HOLD".into(), "DROP".into()],
        },
        Participant { media_address: some("5550100"), state: some("ACTIVE"), ..Default::default() },
    ];
    let expected = [
        Dialog {
            id: some("42"),
            state: some("ACTIVE"),
            call_type: some("PREROUTE_ACD_IN"),
            media_type: some("Voice"),
            from_address: some("5550100"),
            to_address: some("6007"),
            participants,
        },
        Dialog { id: some("43"), state: some("ALERTING"), ..Default::default() },
    ];
    assert_eq!(update.dialogs, expected);
}

#[test]
fn api_errors_come_by_event_and_by_rest() {
    let event = "<Update><data><apiErrors><apiError><peripheralErrorCode>10125</peripheralErrorCode>\
        <errorType>Invalid Device</errorType><errorMessage>CF_INVALID</errorMessage>\
        <peripheralErrorText>No such device</peripheralErrorText><errorData>260</errorData></apiError></apiErrors></data>\
        <event>put</event></Update>";
    let rest = "<ApiErrors><ApiError><ErrorType>Invalid Input</ErrorType><ErrorMessage>HTTP 400</ErrorMessage>\
        <ErrorData>state</ErrorData></ApiError><ApiError><ErrorType>Parameter Missing</ErrorType></ApiError></ApiErrors>";
    let update = read(event);
    assert_eq!((update.object, update.event), (Object::ApiErrors, some("PUT")));
    let expected = ApiError {
        error_type: some("Invalid Device"),
        message: some("CF_INVALID"),
        data: some("260"),
        peripheral_code: some("10125"),
        peripheral_text: some("No such device"),
    };
    assert_eq!(update.api_errors, [expected]);
    let update = read(rest);
    assert_eq!((update.object, update.api_errors.len()), (Object::ApiErrors, 2));
    assert_eq!(update.api_errors[0].error_type, some("Invalid Input"));
    assert_eq!(update.api_errors[1].error_type, some("Parameter Missing"));
}

#[test]
fn every_object_has_its_name_in_either_case() {
    let cases = [
        ("<user/>", "User"),
        ("<User/>", "User"),
        ("<dialog/>", "Dialog"),
        ("<Dialog/>", "Dialog"),
        ("<dialogs/>", "Dialogs"),
        ("<team/>", "Team"),
        ("<queue/>", "Queue"),
        ("<Queues/>", "Queues"),
        ("<Media/>", "Media"),
        ("<Devices/>", "Devices"),
        ("<TeamMessage/>", "TeamMessage"),
        ("<SystemInfo/>", "SystemInfo"),
        ("<systemInfo/>", "SystemInfo"),
        ("<apiErrors/>", "ApiErrors"),
        ("<ApiErrors/>", "ApiErrors"),
        ("<workflow/>", "Other"),
    ];
    for (object, name) in cases {
        let wrapped = format!("<Update><event>{{put}}</event><data>{object}</data></Update>");
        let update = read(&wrapped);
        assert_eq!((update.object.as_str(), update.event.as_deref()), (name, Some("{put}")), "{object}");
        assert_eq!((read(object).object.as_str(), read(object).event), (name, None), "{object}");
        assert_eq!(read(object).object_name, object.trim_matches(['<', '/', '>']));
    }
    assert_eq!(read("<Update/>").object, Object::Other);
    assert_eq!(Update::read_xml(&parse("  text ")), None);
}

#[test]
fn things_have_id_name_and_state() {
    let cases = [
        (
            "<Queue><uri>/finesse/api/Queue/10</uri><name>Sales</name><statistics><id>9</id></statistics></Queue>",
            ("10", "Sales", ""),
        ),
        ("<Queues><Queue><id>10</id><name>A</name></Queue><Queue><id>11</id></Queue></Queues>", ("10", "A", "")),
        ("<Media><id>5000</id><name>Chat</name><state>NOT_READY</state></Media>", ("5000", "Chat", "NOT_READY")),
        ("<systemInfo><status>OUT_OF_SERVICE</status></systemInfo>", ("", "", "OUT_OF_SERVICE")),
        (
            "<TeamMessage><id>be15</id><createdBy><id>1</id></createdBy><content>x</content></TeamMessage>",
            ("be15", "", ""),
        ),
        ("<Devices><Device><deviceId>SEP0</deviceId></Device></Devices>", ("SEP0", "", "")),
        ("<team><uri>/finesse/api/Team/7/</uri></team>", ("", "", "")),
    ];
    for (text, (id, name, state)) in cases {
        let filled = |text| Some(text).filter(|text: &&str| !text.is_empty()).map(Cow::Borrowed);
        let expected = Thing { id: filled(id), name: filled(name), state: filled(state), ..Thing::default() };
        assert_eq!(read(text).thing, Some(expected), "{text}");
    }
}

#[test]
fn texts_are_trimmed_and_resolved() {
    let text = "<?xml version='1.0'?>\n<Update>\n <data>\n <user>\n  <state>\n READY </state><loginName>a&#38;b</loginName>\
                <extension> &lt; </extension></user></data></Update>";
    let user = read(text).user.unwrap();
    assert_eq!((user.state, user.login_name, user.extension), (some("READY"), some("a&b"), some("<")));
}

#[test]
fn a_published_slip_does_not_hide_the_rest() {
    let text = "<Update><event>put</event><source>/finesse/api/User/1/Media/5000</source><data><Media><id>5000</id>\
        <name>Chat</name><ReasonCode><category>NOT_READY</category\n<code>10</code></ReasonCode><state>READY</state>\
        </Media></data></Update>";
    let update = read(text);
    assert_eq!((update.event, update.object), (some("PUT"), Object::Media));
    assert_eq!(update.thing, Some(Thing { id: some("5000"), name: some("Chat"), ..Thing::default() }));
}

#[test]
fn an_update_cut_anywhere_tells_nothing_false() {
    for (text, whole) in [(USER, read(USER)), (DIALOGS, read(DIALOGS))] {
        for cut in "<Update>".len()..text.len() {
            let update = read(&text[..cut]);
            assert!(update.event.is_none() || update.event == whole.event);
            assert!(update.source.is_none() || update.source == whole.source);
            if let (Some(user), Some(whole)) = (update.user, &whole.user) {
                assert!(user.state.is_none() || user.state == whole.state, "{cut}");
                assert!(user.login_name.is_none() || user.login_name == whole.login_name, "{cut}");
            }
            for (dialog, whole) in update.dialogs.iter().zip(&whole.dialogs) {
                assert!(dialog.state.is_none() || dialog.state == whole.state, "{cut}");
                assert!(whole.participants.len() >= dialog.participants.len());
            }
        }
    }
}

#[test]
fn an_update_damaged_anywhere_is_still_read() {
    for at in 0..USER.len() {
        for other in ["<", ">", "&", "\"", "/", "\0", "é", ""] {
            let damaged = format!("{}{other}{}", &USER[..at], &USER[at + 1..]);
            let update = Update::read_xml(&parse(&damaged));
            assert!(update.is_some() || at < "<Update>".len(), "{at} {other}");
        }
    }
}

#[test]
fn json_says_the_same_as_xml() {
    let user = r#"{"Update": {"event": "put", "requestId": null, "source": "/finesse/api/User/1001", "data": {"user":
        {"loginId": 1001, "loginName": " ann ", "state": "READY", "pendingState": "", "teamId": 7, "reasonCodeId": -1,
         "wrapUp": true}}}}"#;
    let update = Update::read_json(user).unwrap();
    let xml = "<Update><event>put</event><requestId/><source>/finesse/api/User/1001</source><data><user>\
        <loginId>1001</loginId><loginName> ann </loginName><state>READY</state><pendingState/><teamId>7</teamId>\
        <reasonCodeId>-1</reasonCodeId></user></data></Update>";
    assert_eq!(update, read(xml));

    let dialog = |participants: &str| {
        format!(
            r#"{{"dialogs": {{"Dialog": {{"id": "42", "state": "ACTIVE", "mediaProperties": {{"callType": "OUT"}},
            "participants": {participants}, "toAddress": "6007"}}}}}}"#
        )
    };
    let participant = r#"{"mediaAddress": "2001", "actions": {"action": ["HOLD", "DROP"]}}"#;
    let other = r#"{"mediaAddress": "2002", "actions": {"action": "ANSWER"}}"#;
    let xml = "<dialogs><Dialog><id>42</id><state>ACTIVE</state><mediaProperties><callType>OUT</callType></mediaProperties>\
        <participants><Participant><mediaAddress>2001</mediaAddress><actions><action>HOLD</action><action>DROP</action>\
        </actions></Participant><Participant><mediaAddress>2002</mediaAddress><actions><action>ANSWER</action></actions>\
        </Participant></participants><toAddress>6007</toAddress></Dialog></dialogs>";
    for participants in [
        format!(r#"[{{"Participant": {participant}}}, {{"Participant": {other}}}]"#),
        format!(r#"{{"Participant": [{participant}, {other}]}}"#),
    ] {
        assert_eq!(Update::read_json(&dialog(&participants)).unwrap(), read(xml));
    }

    let inside = r#"{"data": {"Queue": {"uri": "/finesse/api/Queue/10"}}, "event": "DELETE"}"#;
    let update = Update::read_json(inside).unwrap();
    assert_eq!((update.object, update.event), (Object::Queue, some("DELETE")));
    assert_eq!(update.thing.unwrap().id, some("10"));

    let several = r#"{"data": {"dialogs": {"Dialog": [{"id": 1}, {"id": 2}]}}}"#;
    assert_eq!(Update::read_json(several).unwrap().dialogs.len(), 2);
    assert_eq!(Update::read_json("{}").unwrap(), Update::default());
    for other in ["", "[]", "1", "{", "{\"a\": }", "text {}"] {
        assert_eq!(Update::read_json(other), None, "{other}");
    }
}

#[test]
fn notifications_are_told_apart() {
    let cases = [
        ("<Update/>", Notification::Xml),
        ("\u{feff}\n <user/>\n", Notification::Xml),
        ("{}", Notification::Json),
        (" {\"a\": 1}\n", Notification::Json),
        ("", Notification::Text),
        ("}", Notification::Text),
        ("hello", Notification::Text),
        ("{ open", Notification::Text),
    ];
    for (text, expected) in cases {
        assert_eq!(Notification::of(text), expected, "{text}");
    }
}
