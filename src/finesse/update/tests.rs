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
        reason_is_key: false,
        reason_label: some("Connection & more"),
        team_id: some("7"),
        team_name: some("Sales"),
    };
    assert_eq!(update.user, Some(expected));
    assert!(update.dialogs.is_empty() && update.api_errors.is_empty() && update.things.is_empty());
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
            ..Default::default()
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
            ..Default::default()
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
        ..Default::default()
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
        ("<apiError/>", "ApiErrors"),
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
        ("<Devices><Device><deviceId>SEP0</deviceId></Device></Devices>", ("SEP0", "", "")),
        ("<team><uri>/finesse/api/Team/7/</uri></team>", ("", "", "")),
    ];
    for (text, (id, name, state)) in cases {
        let filled = |text| Some(text).filter(|text: &&str| !text.is_empty()).map(Cow::Borrowed);
        let things = read(text).things;
        let first = things.first().map(|thing| (thing.id.clone(), thing.name.clone(), thing.state.clone()));
        assert_eq!(first, Some((filled(id), filled(name), filled(state))), "{text}");
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
    assert_eq!(update.things, [Thing { id: some("5000"), name: some("Chat"), ..Thing::default() }]);
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
    assert_eq!(update.things[0].id, some("10"));

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

#[test]
fn a_call_tells_why_it_failed_and_which_call_it_belongs_to() {
    let text = "<Update><data><dialog><associatedDialogUri>/finesse/api/Dialog/100</associatedDialogUri><id>101</id>\
        <mediaProperties><callType>CONSULT</callType><dialedNumber>2002</dialedNumber><queueNumber>5022</queueNumber>\
        <queueName>Sales</queueName><callKeyPrefix>154200</callKeyPrefix><callKeyCallId>217</callKeyCallId></mediaProperties>\
        <participants><Participant><mediaAddress>2001</mediaAddress><mediaAddressType>AGENT_DEVICE</mediaAddressType>\
        <state>FAILED</state><stateCause>BUSY</stateCause></Participant></participants><secondaryId>100</secondaryId>\
        <state>FAILED</state></dialog></data></Update>";
    let dialog = &read(text).dialogs[0];
    assert_eq!((&dialog.associated_id, &dialog.secondary_id), (&some("100"), &some("100")));
    assert_eq!(dialog.state_cause(), Some(&Cow::Borrowed("BUSY")));
    assert_eq!((&dialog.queue_id, &dialog.queue_name), (&some("5022"), &some("Sales")));
    assert_eq!((&dialog.call_key_day, &dialog.call_key), (&some("154200"), &some("217")));
    assert_eq!(dialog.participants[0].media_address_type, some("AGENT_DEVICE"));
}

#[test]
fn errors_come_alone_in_lists_and_as_json() {
    let alone = read(
        "<Update><data><apiError><errorData>34</errorData><errorType>Call Operation Failure</errorType>\
                      <errorMedia>5001</errorMedia><peripheralErrorMsg>PERERR_X</peripheralErrorMsg></apiError></data></Update>",
    );
    assert_eq!((alone.object, alone.api_errors.len()), (Object::ApiErrors, 1));
    let error = &alone.api_errors[0];
    assert_eq!((&error.data, &error.media, &error.peripheral_name), (&some("34"), &some("5001"), &some("PERERR_X")));
    for (json, count) in [
        (r#"{"status":400,"apiErrors":{"errorType":"Bad Request","errorMessage":"m","errorData":"d"}}"#, 1),
        (r#"{"status":400,"apiErrors":[{"errorType":"Bad Request"},{"errorType":"Other"}]}"#, 2),
        (r#"{"apiErrors":{"apiError":[{"errorType":"Bad Request"},{"errorType":"Other"}]}}"#, 2),
        (r#"{"ApiErrors":{"ApiError":{"ErrorType":"Bad Request"}}}"#, 1),
    ] {
        let update = Update::read_json(json).unwrap();
        assert_eq!((update.object, update.api_errors.len()), (Object::ApiErrors, count), "{json}");
        assert_eq!(update.api_errors[0].error_type, some("Bad Request"), "{json}");
    }
}

#[test]
fn the_state_of_the_servers_is_whole() {
    let text = "<SystemInfo><currentTimestamp>2026-11-30T20:00:00.000Z</currentTimestamp><deploymentType>UCCE</deploymentType>\
        <status>OUT_OF_SERVICE</status><statusReason>CTI server connection lost</statusReason>\
        <systemAuthMode>HYBRID</systemAuthMode><lastCTIHeartbeatStatus>failure</lastCTIHeartbeatStatus>\
        <ctiHeartbeatInterval>5</ctiHeartbeatInterval><ctiMMode>IN_PROGRESS</ctiMMode><finesseMMode/>\
        <finesseTimeInMMode>-1</finesseTimeInMMode><peripheralId>5000</peripheralId><xmppDomain>a.test</xmppDomain>\
        <primaryNode><host>a.test</host></primaryNode><secondaryNode><host>b.test</host></secondaryNode>\
        <ctiServers><ctiServer><host>pg-a.test</host><active>false</active></ctiServer>\
        <ctiServer><host>pg-b.test</host><active>true</active></ctiServer></ctiServers></SystemInfo>";
    let system = *read(text).system.unwrap();
    let expected = System {
        status: some("OUT_OF_SERVICE"),
        status_reason: some("CTI server connection lost"),
        deployment: some("UCCE"),
        auth_mode: some("HYBRID"),
        cti_heartbeat: some("failure"),
        cti_heartbeat_interval_s: Some(5),
        cti_maintenance: some("IN_PROGRESS"),
        finesse_maintenance_s: Some(-1),
        peripheral_id: some("5000"),
        current_time: some("2026-11-30T20:00:00.000Z"),
        xmpp_domain: some("a.test"),
        primary_host: some("a.test"),
        secondary_host: some("b.test"),
        cti_host: some("pg-b.test"),
        ..System::default()
    };
    assert_eq!(system, expected);
    let desktop = r#"{"deploymentType":"UCCX","systemStatus":"IN_SERVICE","systemAuthMode":"NON_SSO","host":"a.test:8445",
        "isAlternateSystemAvailable":true,"redirectToAlternateHost":false,"alternateHost":"b.test"}"#;
    let update = Update::read_json(desktop).unwrap();
    assert_eq!(update.object, Object::DesktopConfig);
    let system = *update.system.unwrap();
    assert_eq!((system.deployment, system.status), (some("UCCX"), some("IN_SERVICE")));
    assert_eq!((system.alternate_available, system.redirects_to_alternate), (Some(true), Some(false)));
}

#[test]
fn messages_media_and_several_queues_are_read() {
    let message = "<TeamMessage><uri>/finesse/api/TeamMessage/be15</uri><createdBy><id>1001050</id></createdBy>\
        <createdAt>1537418173</createdAt><duration>100</duration><content>x</content><teams><team>5052</team>\
        <team><id>5000</id></team></teams></TeamMessage>";
    let expected = Message {
        id: some("be15"),
        created_by: some("1001050"),
        created_at_s: Some(1_537_418_173),
        duration_s: Some(100),
        content: some("x"),
        teams: vec!["5052".into(), "5000".into()],
    };
    assert_eq!(read(message).message, Some(Box::new(expected)));
    let media = read(
        "<Media><id>5001</id><state>NOT_READY</state><reasonCodeId>7</reasonCodeId><ReasonCode><code>50002</code>\
                      <label>Connection Failure</label></ReasonCode></Media>",
    );
    assert_eq!(
        (&media.things[0].reason_code, &media.things[0].reason_label),
        (&some("50002"), &some("Connection Failure"))
    );
    let queues = read(
        "<Queues><Queue><uri>/finesse/api/Queue/10</uri><statistics><callsInQueue>3</callsInQueue>\
                       <agentsTalkingInbound>1</agentsTalkingInbound><agentsTalkingInternal>2</agentsTalkingInternal>\
                       <agentsReady>-1</agentsReady></statistics></Queue><queue><id>11</id></queue></Queues>",
    );
    let ids: Vec<_> = queues.things.iter().map(|thing| thing.id.clone()).collect();
    assert_eq!(ids, [some("10"), some("11")]);
    let expected = Statistics { calls: Some(3), talking: Some(3), ..Statistics::default() };
    assert_eq!(queues.things[0].statistics, Some(expected));
}
