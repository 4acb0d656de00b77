//! The places of every class of the policy: what stands where, and from which level on it may not come out.

use super::place::Says::{self, Client, Close, Desktop, Request, Response, Server, Upgrade};
use super::place::{FORM, JSON, REST, XML};
use finesse_tap::capture::policy::{Class, Level};
use finesse_tap::conn::Direction::{C2s, S2c};

/// Values of a class, and something said with one of them in the place of `{S}`.
pub struct Planted {
    pub name: &'static str,
    pub class: Class,
    pub values: &'static [&'static str],
    pub says: Says,
}

impl Planted {
    /// Whether a level removes it.
    pub fn is_removed_at(&self, level: Level) -> bool {
        level >= Level::Share || matches!(self.class, Class::Credential | Class::Session) && level == Level::Auth
    }
}

/// Every value that is planted, each long and odd enough to stand nowhere by chance.
const SECRET: &[&str] = &["Qz7vCanaryXk4WmTq9", "zqcanarypw"];
const JWT: &[&str] = &["eyJhbGciOiJub25lIn0.eyJzdWIiOiJ6cWNhbmFyeSJ9.c2lnbmF0dXJlenFjYW5hcnk"];
const SESSION: &[&str] = &["8F3AQz7vCanaryB1C9D2E4F5", "zq7canarysid"];
const LOGIN: &[&str] = &["zqcanaryov", "Zq7Canary", "7391046"];
const PERSON: &[&str] = &["Zebedee Zqcanary", "zq.canary@corp-zq.test", "zqcanaryov"];
const PHONE: &[&str] = &["7391046285", "+17391046285"];
const CUSTOMER: &[&str] = &["Gold Zqcanary 47", "7391046285", "zqcanaryov"];
const HOST: &[&str] = &["zq7canary.corp-zq.test", "10.173.91.46"];
const LABEL: &[&str] = &["Zqcanary Team", "zqcanaryteam"];
const ODD: &[&str] = &["Uz7vCanaryXk4WmTq9", "zqcanaryodd", "7391046285", "10.173.91.46"];
/// What is recognised in free text, whoever wrote it.
const IN_TEXT: &[&str] = &["zq.canary@corp-zq.test", "7391046285", "10.173.91.46", "zq7canary.corp-zq.test", JWT[0]];

const fn at(name: &'static str, class: Class, values: &'static [&'static str], says: Says) -> Planted {
    Planted { name, class, values, says }
}

const ASK: &str = "GET /finesse/api/User/1001 HTTP/1.1";
const OK: &str = "HTTP/1.1 200 OK";

pub const PLANTED: &[Planted] = &[
    // Credentials where no rule by name of a REST call expects them.
    at("JWT as Bearer", Class::Credential, JWT, Request(ASK, &["Authorization: Bearer {S}"], "")),
    at("JWT in a message", Class::Credential, JWT, Client("<message id='m1'><body>see {S} there</body></message>")),
    at(
        "SSO code in Location",
        Class::Credential,
        SECRET,
        Response("HTTP/1.1 302 Found", &["Location: https://h/desktop/sso/authcode?code={S}&state=7"], ""),
    ),
    at(
        "SSO code in Referer",
        Class::Credential,
        SECRET,
        Request(ASK, &["Referer: https://h/desktop/sso/authcode?code={S}"], ""),
    ),
    at(
        "token in JSON",
        Class::Credential,
        SECRET,
        Response(OK, JSON, "{\"access_token\":\"{S}\",\"expires_in\":3600,\"refresh_token\":\"{S}\"}"),
    ),
    at("token in a form", Class::Credential, SECRET, Request(REST, FORM, "grant_type=refresh_token&refresh_token={S}")),
    at(
        "SASL",
        Class::Credential,
        SECRET,
        Client("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{P}</auth>"),
    ),
    at(
        "ECC variable of a credential's name",
        Class::Credential,
        SECRET,
        Server(
            "{EVENT}<Update><event>PUT</event><data><dialogs><Dialog><id>7</id><mediaProperties><callvariables><CallVariable><name>user.pin.password</name><value>password={S}</value></CallVariable></callvariables></mediaProperties></Dialog></dialogs></data></Update>{/EVENT}",
        ),
    ),
    at("Close reason", Class::Credential, SECRET, Close("token={S} expired")),
    at("WebSocket query", Class::Credential, SECRET, Upgrade("/ws/?any={S}")),
    // Sessions.
    at(
        "cookies",
        Class::Session,
        SESSION,
        Request(ASK, &["Cookie: JSESSIONID={S}; JSESSIONIDSSO={S}; odd={S}; {S}"], ""),
    ),
    at("Set-Cookie", Class::Session, SESSION, Response(OK, &["Set-Cookie: JSESSIONID={S}; Path=/; Secure"], "")),
    at(
        "BOSH sid",
        Class::Session,
        SESSION,
        Client("<body xmlns='http://jabber.org/protocol/httpbind' sid='{S}' rid='7'/>"),
    ),
    at("jsessionid", Class::Session, SESSION, Request("GET /desktop/x;jsessionid={S}?sid={S} HTTP/1.1", &[], "")),
    at("sm", Class::Session, SESSION, Server("<enabled xmlns='urn:xmpp:sm:3' id='{S}' resume='true'/>")),
    at("method, a token", Class::Credential, JWT, Request("{S} /finesse/api/User/1001 HTTP/1.1", &[], "")),
    at("header's name, a token", Class::Credential, JWT, Request(ASK, &["{S}: x"], "")),
    // Names of things that no rule knows.
    at("method", Class::Unknown, LOGIN, Request("{S} /finesse/api/User/1001 HTTP/1.1", &[], "")),
    at(
        "content type's parameter",
        Class::Unknown,
        ODD,
        Request(REST, &["Content-Type: application/xml; name={S}"], "<User/>"),
    ),
    at("content type, answered", Class::Unknown, ODD, Response(OK, &["Content-Type: text/plain; name=\"{S}\""], "x")),
    at(
        "stream's from",
        Class::Person,
        LOGIN,
        Client("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='{S}@h' to='h' version='1.0'/>"),
    ),
    at(
        "header's name",
        Class::Unknown,
        &["X-Zqcanary-Odd", "X-Zqcanary-Token", "X-7391046285"],
        Request(ASK, &["{S}: x"], ""),
    ),
    at(
        "cookie's name",
        Class::Person,
        LOGIN,
        Request(ASK, &["Cookie: finesse_ma_{S}=x; activeDeviceId{S}=y; {S}=z; JSESSIONID=w"], ""),
    ),
    at("cookie's name, set", Class::Person, LOGIN, Response(OK, &["Set-Cookie: finesse_ma_{S}=x; Path=/"], "")),
    at("query key", Class::Unknown, ODD, Request("GET /d?{S}=1&{S}token=2&x={S} HTTP/1.1", &[], "")),
    at("form key", Class::Unknown, ODD, Request(REST, FORM, "{S}=1&{S}password=2&{S}")),
    at(
        "element's name",
        Class::Unknown,
        &["zqcanary", "zqcanarytoken", "z7391046285"],
        Request(
            REST,
            XML,
            "<User><{S}>1</{S}><a><{S}><state>READY</state></{S}></a><{S}:state xmlns:{S}='jabber:client'>READY</{S}:state></User>",
        ),
    ),
    at(
        "element's name in a stanza",
        Class::Unknown,
        &["zqcanary", "z7391046285"],
        Client("<iq type='set' id='1'><{S} xmlns='jabber:client' {S}='' {S}token='1'><{S}/></{S}></iq>"),
    ),
    at("root's name", Class::Unknown, &["zqcanary", "z7391046285"], Client("<{S} xmlns='jabber:client'/>")),
    at(
        "Update's object",
        Class::Unknown,
        &["zqcanary", "z7391046285"],
        Server("{EVENT}<Update><event>PUT</event><data><{S}><state>READY</state></{S}></data></Update>{/EVENT}"),
    ),
    at(
        "attribute's name",
        Class::Unknown,
        &["zqcanary", "z7391046285"],
        Request(REST, XML, "<User {S}=\"1\" {S}token=\"2\"><state>READY</state></User>"),
    ),
    at(
        "JSON member's name",
        Class::Unknown,
        ODD,
        Request(
            REST,
            JSON,
            "{\"state\":\"READY\",\"{S}\":{\"state\":\"READY\"},\"a{S}\":[1],\"{S}token\":\"x\",\"b{S}\":null,\"c{S}\":true}",
        ),
    ),
    at(
        "call variable's name",
        Class::Customer,
        &["zqcanary", "user.zqcanary", "user.7391046285", "zq.canary@corp-zq.test"],
        Server(
            "{EVENT}<Update><event>PUT</event><data><dialogs><Dialog><id>7</id><mediaProperties><callvariables><CallVariable><name>{S}</name><value>x</value></CallVariable></callvariables></mediaProperties></Dialog></dialogs></data></Update>{/EVENT}",
        ),
    ),
    at(
        "call variable's name in JSON",
        Class::Customer,
        &["zqcanary", "user.zqcanary"],
        Request(REST, JSON, "{\"callvariables\":{\"CallVariable\":[{\"name\":\"{S}\",\"value\":\"x\"}]}}"),
    ),
    at(
        "subprotocol",
        Class::Unknown,
        &["Uz7vCanaryXk4WmTq9", "zqcanaryodd"],
        Request(
            "GET /ws/ HTTP/1.1",
            &[
                "Connection: Upgrade",
                "Upgrade: websocket",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Protocol: xmpp, {S}",
            ],
            "",
        ),
    ),
    // Persons.
    at("Basic user", Class::Person, LOGIN, Request(ASK, &["Authorization: Basic {L}", "X-User: {S}"], "")),
    at("REST path", Class::Person, LOGIN, Request("GET /finesse/api/User/{S} HTTP/1.1", &[], "")),
    at("REST path, deeper", Class::Person, LOGIN, Request("PUT /finesse/api/User/{S}/Dialogs?x=1 HTTP/1.1", &[], "")),
    at(
        "REST path, odd object",
        Class::Person,
        &["zqcanaryov", "Zq7Canary", "zq.canary@corp-zq.test"],
        Request("GET /finesse/api/Odd/{S} HTTP/1.1", &[], ""),
    ),
    at("other path", Class::Person, LOGIN, Request("GET /cuic/{S}/home.jsp HTTP/1.1", &[], "")),
    at("file's name", Class::Person, LOGIN, Request("GET /files/{S}.js HTTP/1.1", &[], "")),
    at("cookie value", Class::Person, PERSON, Request(ASK, &["Cookie: cc_username={S}"], "")),
    at("Referer path", Class::Person, LOGIN, Request(ASK, &["Referer: https://h/desktop/{S}?user={S}"], "")),
    at(
        "XML body",
        Class::Person,
        PERSON,
        Response(
            OK,
            XML,
            "<User><loginId>{S}</loginId><loginName>{S}</loginName><firstName>{S}</firstName><lastName>{S}</lastName><email>{S}</email></User>",
        ),
    ),
    at(
        "XML list",
        Class::Person,
        PERSON,
        Response(OK, XML, "<Users><User><loginId>{S}</loginId><uri>/finesse/api/User/{S}</uri></User></Users>"),
    ),
    at(
        "JSON body",
        Class::Person,
        PERSON,
        Response(
            OK,
            JSON,
            "{\"User\":{\"loginId\":\"{S}\",\"firstName\":\"{S}\",\"dialogs\":\"/finesse/api/User/{S}/Dialogs\"}}",
        ),
    ),
    at("form body", Class::Person, PERSON, Request(REST, FORM, "username={S}&state=READY&user={S}")),
    at(
        "makeRequest",
        Class::Person,
        LOGIN,
        Request(
            "GET /gadgets/makeRequest?url=https%3A%2F%2Fh%2Ffinesse%2Fapi%2FUser%2F{S}&httpMethod=GET HTTP/1.1",
            &[],
            "",
        ),
    ),
    at(
        "Contact",
        Class::Person,
        PERSON,
        Response(
            OK,
            XML,
            "<Contact><firstName>{S}</firstName><lastName>{S}</lastName><phoneNumber>1</phoneNumber><description>{S}</description></Contact>",
        ),
    ),
    at(
        "stanza's from and to",
        Class::Person,
        LOGIN,
        Server("<presence xmlns='jabber:client' from='{S}@h/desktop' to='{S}@h'/>"),
    ),
    at("JID's resource", Class::Person, LOGIN, Server("<presence xmlns='jabber:client' from='1001@h/{S}'/>")),
    at(
        "iq id",
        Class::Person,
        LOGIN,
        Client("<iq xmlns='jabber:client' type='get' id='{S}'><ping xmlns='urn:xmpp:ping'/></iq>"),
    ),
    at(
        "iq id, composed",
        Class::Person,
        LOGIN,
        Client(
            "<iq xmlns='jabber:client' type='get' id='/finesse/api/User/{S}__{S}@h__x'><ping xmlns='urn:xmpp:ping'/></iq>",
        ),
    ),
    at(
        "iq id, ping",
        Class::Person,
        LOGIN,
        Client("<iq xmlns='jabber:client' type='get' id='{S}:ping'><ping xmlns='urn:xmpp:ping'/></iq>"),
    ),
    at(
        "bind",
        Class::Person,
        LOGIN,
        Server(
            "<iq xmlns='jabber:client' type='result' id='_bind_auth_2'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>{S}@h/desktop</jid></bind></iq>",
        ),
    ),
    at(
        "node",
        Class::Person,
        LOGIN,
        Client(
            "<iq xmlns='jabber:client' type='set' id='1:subscribenode'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='/finesse/api/User/{S}/Dialogs' jid='{S}@h'/></pubsub></iq>",
        ),
    ),
    at(
        "node, odd",
        Class::Person,
        LOGIN,
        Client(
            "<iq xmlns='jabber:client' type='set' id='1:subscribenode'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='{S}' jid='x@h'/></pubsub></iq>",
        ),
    ),
    at(
        "JID in a text",
        Class::Person,
        &["zqcanaryov", "7391046"],
        Client(
            "<message xmlns='jabber:client' id='1'><subject>x</subject><body>ask {S}@h.test/desktop please</body></message>",
        ),
    ),
    at(
        "mail in a text",
        Class::Person,
        &["zq.canary@corp-zq.test"],
        Server(
            "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>replaced by {S}</text></stream:error>",
        ),
    ),
    at(
        "Update",
        Class::Person,
        PERSON,
        Server(
            "{EVENT}<Update><event>PUT</event><source>/finesse/api/User/{S}</source><data><user><loginId>{S}</loginId><firstName>{S}</firstName><state>READY</state><uri>/finesse/api/User/{S}</uri></user></data></Update>{/EVENT}",
        ),
    ),
    at(
        "Update in JSON",
        Class::Person,
        PERSON,
        Server(
            "{EVENT}{\"Update\":{\"event\":\"PUT\",\"source\":\"/finesse/api/User/{S}\",\"data\":{\"user\":{\"loginId\":\"{S}\",\"state\":\"READY\"}}}}{/EVENT}",
        ),
    ),
    at(
        "API error",
        Class::Person,
        &["zq.canary@corp-zq.test"],
        Response(
            "HTTP/1.1 401 Unauthorized",
            XML,
            "<ApiErrors><ApiError><ErrorType>Authorization</ErrorType><ErrorData>{S}</ErrorData><ErrorMessage>{S} is not signed in</ErrorMessage></ApiError></ApiErrors>",
        ),
    ),
    at(
        "API error of an Update",
        Class::Person,
        LOGIN,
        Server(
            "{EVENT}<Update><event>PUT</event><data><apiErrors><apiError><errorData>{S}</errorData><errorType>Generic</errorType><peripheralErrorCode>{S}</peripheralErrorCode></apiError></apiErrors></data></Update>{/EVENT}",
        ),
    ),
    at(
        "a desktop's session",
        Class::Person,
        LOGIN,
        Desktop(&[
            (C2s, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='h' version='1.0'/>"),
            (S2c, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='h' id='1' version='1.0'/>"),
            (C2s, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{L}</auth>"),
            (S2c, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
            (
                C2s,
                "<iq xmlns='jabber:client' type='set' id='_bind_auth_2'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>desktop</resource></bind></iq>",
            ),
            (
                S2c,
                "<iq xmlns='jabber:client' type='result' id='_bind_auth_2'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>{S}@h/desktop</jid></bind></iq>",
            ),
            (
                C2s,
                "<iq xmlns='jabber:client' type='set' id='{S}'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='/finesse/api/User/{S}' jid='{S}@h'/></pubsub></iq>",
            ),
            (
                S2c,
                "<iq xmlns='jabber:client' type='error' id='{S}' to='{S}@h/desktop'><error type='auth' code='403'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>{S} may not</text></error></iq>",
            ),
            (
                S2c,
                "<presence xmlns='jabber:client' from='{S}@h/desktop' to='{S}@h/desktop'><status>{S}</status></presence>",
            ),
            (
                S2c,
                "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>replaced by {S}</text></stream:error>",
            ),
        ]),
    ),
    at(
        "refused login",
        Class::Person,
        LOGIN,
        Desktop(&[
            (C2s, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{L}</auth>"),
            (
                S2c,
                "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/><text>{S} is unknown</text></failure>",
            ),
        ]),
    ),
    // Telephones.
    at(
        "extension",
        Class::Phone,
        PHONE,
        Request(REST, XML, "<User><state>LOGIN</state><extension>{S}</extension></User>"),
    ),
    at(
        "extension in JSON",
        Class::Phone,
        PHONE,
        Request(REST, JSON, "{\"User\":{\"state\":\"LOGIN\",\"extension\":\"{S}\"}}"),
    ),
    at(
        "extension as a number",
        Class::Phone,
        &["7391046285"],
        Request(REST, JSON, "{\"User\":{\"extension\":7391046285}}"),
    ),
    at("extension in a form", Class::Phone, PHONE, Request(REST, FORM, "extension={S}&dn={S}")),
    at("query", Class::Phone, PHONE, Request("GET /finesse/api/User/1001/Dialogs?number={S}&id={S} HTTP/1.1", &[], "")),
    at("path", Class::Phone, PHONE, Request("GET /finesse/api/User/1001/Call/{S} HTTP/1.1", &[], "")),
    at("path, other", Class::Phone, PHONE, Request("GET /cuic/call/{S} HTTP/1.1", &[], "")),
    at("cookie", Class::Phone, PHONE, Request(ASK, &["Cookie: finesse_ag_extension={S}"], "")),
    at(
        "Dialog",
        Class::Phone,
        PHONE,
        Server(
            "{EVENT}<Update><event>POST</event><data><dialogs><Dialog><id>7</id><state>ACTIVE</state><fromAddress>{S}</fromAddress><toAddress>{S}</toAddress><mediaProperties><DNIS>{S}</DNIS><dialedNumber>{S}</dialedNumber></mediaProperties><participants><Participant><mediaAddress>{S}</mediaAddress><mediaAddressType>AGENT_DEVICE</mediaAddressType><state>ACTIVE</state></Participant></participants></Dialog></dialogs></data></Update>{/EVENT}",
        ),
    ),
    at(
        "make a call",
        Class::Phone,
        PHONE,
        Request(
            "POST /finesse/api/User/1001/Dialogs HTTP/1.1",
            XML,
            "<Dialog><requestedAction>MAKE_CALL</requestedAction><fromAddress>{S}</fromAddress><toAddress>{S}</toAddress></Dialog>",
        ),
    ),
    at(
        "device",
        Class::Phone,
        PHONE,
        Response(OK, XML, "<Devices><Device><deviceId>{S}</deviceId><deviceName>{S}</deviceName></Device></Devices>"),
    ),
    at("phone book", Class::Phone, PHONE, Response(OK, XML, "<Contact><phoneNumber>{S}</phoneNumber></Contact>")),
    at("in a text", Class::Phone, &["7391046285", "+1 739 104 6285"], Close("call {S} instead")),
    at(
        "in an error",
        Class::Phone,
        PHONE,
        Response(
            "HTTP/1.1 400 Bad Request",
            XML,
            "<ApiErrors><ApiError><ErrorType>Invalid Input</ErrorType><ErrorData>{S}</ErrorData><ErrorMessage>cannot dial {S}</ErrorMessage><peripheralErrorText>{S} is busy</peripheralErrorText></ApiError></ApiErrors>",
        ),
    ),
    // Customer data.
    at(
        "call variables",
        Class::Customer,
        CUSTOMER,
        Server(
            "{EVENT}<Update><event>PUT</event><data><dialogs><Dialog><id>7</id><state>ACTIVE</state><mediaProperties><callvariables><CallVariable><name>callVariable1</name><value>{S}</value></CallVariable><CallVariable><name>user.microapp.ToExtVXML[2]</name><value>{S}</value></CallVariable></callvariables></mediaProperties></Dialog></dialogs></data></Update>{/EVENT}",
        ),
    ),
    at(
        "call variable, composite",
        Class::Customer,
        CUSTOMER,
        Server(
            "{EVENT}<Update><event>PUT</event><data><dialogs><Dialog><id>7</id><mediaProperties><callvariables><CallVariable><name>callVariable1</name><value>a={S}&amp;b={S}|{S};{\"c\":\"{S}\"}</value></CallVariable><CallVariable><name>callVariable2</name><value>&lt;c&gt;&lt;name&gt;{S}&lt;/name&gt;&lt;/c&gt;</value></CallVariable><CallVariable><name>callVariable3</name><value>{\"state\":\"{S}\",\"d\":[\"{S}\"]}</value></CallVariable></callvariables></mediaProperties></Dialog></dialogs></data></Update>{/EVENT}",
        ),
    ),
    at(
        "call variables in JSON",
        Class::Customer,
        CUSTOMER,
        Request(
            REST,
            JSON,
            "{\"Dialog\":{\"callvariables\":{\"CallVariable\":[{\"name\":\"callVariable1\",\"value\":\"{S}\"}]},\"mediaProperties\":{\"wrapUpReason\":\"{S}\"}}}",
        ),
    ),
    at(
        "outbound option",
        Class::Customer,
        CUSTOMER,
        Server(
            "{EVENT}<Update><event>PUT</event><data><dialogs><Dialog><id>7</id><mediaProperties><callvariables><CallVariable><name>BACustomerName</name><value>{S}</value></CallVariable></callvariables><BAAccountNumber>{S}</BAAccountNumber></mediaProperties></Dialog></dialogs></data></Update>{/EVENT}",
        ),
    ),
    at(
        "wrap-up",
        Class::Customer,
        CUSTOMER,
        Server(
            "{EVENT}<Update><event>PUT</event><data><dialogs><Dialog><id>7</id><mediaProperties><wrapUpReason>{S}</wrapUpReason><wrapUpItems><wrapUpItem>{S}</wrapUpItem></wrapUpItems></mediaProperties></Dialog></dialogs></data></Update>{/EVENT}",
        ),
    ),
    at(
        "wrap-up reasons",
        Class::Customer,
        CUSTOMER,
        Response(
            OK,
            XML,
            "<WrapUpReasons><WrapUpReason><label>{S}</label><forAll>true</forAll></WrapUpReason></WrapUpReasons>",
        ),
    ),
    at(
        "chat",
        Class::Customer,
        CUSTOMER,
        Server(
            "<message xmlns='jabber:client' from='a@h' to='b@h' type='chat' id='1'><subject>{S}</subject><body>{S}</body></message>",
        ),
    ),
    at(
        "chat, marked up",
        Class::Customer,
        CUSTOMER,
        Server(
            "<message xmlns='jabber:client' from='a@h' to='b@h' type='chat' id='1'><body>x</body><html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><p>{S}</p></body></html></message>",
        ),
    ),
    at(
        "team message",
        Class::Customer,
        CUSTOMER,
        Server(
            "{EVENT}<Update><event>POST</event><data><TeamMessage><content>{S}</content></TeamMessage></data></Update>{/EVENT}",
        ),
    ),
    at(
        "presence status",
        Class::Customer,
        CUSTOMER,
        Client("<presence xmlns='jabber:client'><status>{S}</status></presence>"),
    ),
    at("odd text", Class::Customer, CUSTOMER, Server("{EVENT}{S}{/EVENT}")),
    at("plain body", Class::Customer, CUSTOMER, Request(REST, &["Content-Type: text/plain"], "{S}")),
    at(
        "HTML body",
        Class::Customer,
        CUSTOMER,
        Response(OK, &["Content-Type: text/html"], "<html><body>{S}</body></html>"),
    ),
    at("broken XML", Class::Customer, CUSTOMER, Response(OK, XML, "<User><state>READY</state><x>{S}</y></User>")),
    at("comment", Class::Customer, CUSTOMER, Response(OK, XML, "<User><!-- {S} --><state>READY</state></User>")),
    // Infrastructure.
    at(
        "Host",
        Class::Infrastructure,
        HOST,
        Request(
            ASK,
            &["Host: {S}:8445", "Origin: https://{S}:8445", "Referer: https://{S}/desktop/", "Via: 1.1 {S}"],
            "",
        ),
    ),
    at(
        "answer",
        Class::Infrastructure,
        HOST,
        Response(
            "HTTP/1.1 302 Found",
            &[
                "Location: https://{S}:8445/desktop/",
                "Server: {S}",
                "Access-Control-Allow-Origin: https://{S}",
                "Content-Security-Policy: frame-ancestors https://{S}",
                "Set-Cookie: a=b; Domain={S}",
                "Alt-Svc: h2=\"{S}:443\"",
                "Warning: 199 {S} stale",
                "WWW-Authenticate: Basic realm=\"{S}\"",
            ],
            "",
        ),
    ),
    at(
        "forwarded",
        Class::Infrastructure,
        HOST,
        Request(ASK, &["X-Forwarded-For: {S}", "Forwarded: for={S}", "X-Forwarded-Host: {S}"], ""),
    ),
    at(
        "absolute form",
        Class::Infrastructure,
        &["zq7canary.corp-zq.test", "10.173.91.46"],
        Request("GET https://{S}:8445/desktop/ HTTP/1.1", &[], ""),
    ),
    at(
        "user agent",
        Class::Infrastructure,
        &["10.173.91.46", "zq7canary.corp-zq.test", "zqcanary"],
        Request(ASK, &["User-Agent: Mozilla/5.0 ({S}; Linux) {S}/1.0"], ""),
    ),
    at(
        "known header",
        Class::Infrastructure,
        HOST,
        Request(
            ASK,
            &["Accept: {S}", "Keep-Alive: {S}", "X-Requested-With: {S}", "Content-Language: {S}", "Cache-Control: {S}"],
            "",
        ),
    ),
    at(
        "SystemInfo",
        Class::Infrastructure,
        HOST,
        Response(
            OK,
            XML,
            "<SystemInfo><status>IN_SERVICE</status><xmppDomain>{S}</xmppDomain><xmppPubSubDomain>pubsub.{S}</xmppPubSubDomain><primaryNode><host>{S}</host></primaryNode><secondaryNode><host>{S}</host></secondaryNode></SystemInfo>",
        ),
    ),
    at(
        "SystemInfo in JSON",
        Class::Infrastructure,
        HOST,
        Response(
            OK,
            JSON,
            "{\"SystemInfo\":{\"status\":\"IN_SERVICE\",\"primaryNode\":{\"host\":\"{S}\"},\"xmppDomain\":\"{S}\"}}",
        ),
    ),
    at(
        "teams and queues",
        Class::Infrastructure,
        LABEL,
        Response(
            OK,
            XML,
            "<User><teamName>{S}</teamName><teams><Team><id>1</id><name>{S}</name></Team></teams><Queue><name>{S}</name></Queue><mediaProperties><queueName>{S}</queueName><skillGroupName>{S}</skillGroupName></mediaProperties></User>",
        ),
    ),
    at(
        "queue Update",
        Class::Infrastructure,
        LABEL,
        Server(
            "{EVENT}<Update><event>PUT</event><data><Queue><uri>/finesse/api/Queue/10</uri><name>{S}</name><statistics><callsInQueue>3</callsInQueue></statistics></Queue></data></Update>{/EVENT}",
        ),
    ),
    at(
        "team in a path",
        Class::Infrastructure,
        &["zqcanaryteam"],
        Request("GET /finesse/api/Team/{S}/Users HTTP/1.1", &[], ""),
    ),
    at(
        "stream's host",
        Class::Infrastructure,
        HOST,
        Desktop(&[
            (C2s, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{S}' version='1.0'/>"),
            (S2c, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='{S}' id='1' version='1.0'/>"),
            (
                S2c,
                "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>{S}</see-other-host></stream:error>",
            ),
        ]),
    ),
    at(
        "disco",
        Class::Infrastructure,
        HOST,
        Server(
            "<iq xmlns='jabber:client' type='result' id='1' from='pubsub.{S}'><query xmlns='http://jabber.org/protocol/disco#items'><item jid='conference.{S}' name='{S}'/></query></iq>",
        ),
    ),
    at("host in a text", Class::Infrastructure, HOST, Close("go to {S}: now")),
    at("a URL in a text", Class::Infrastructure, HOST, Close("see https://{S}:8445/x?y=1 now")),
    // Unknown things.
    at(
        "unknown header",
        Class::Unknown,
        ODD,
        Request(ASK, &["X-Odd: {S}", "X-Api-Key: {S}", "traceparent: 00-{S}-01"], ""),
    ),
    at("unknown answer header", Class::Unknown, ODD, Response(OK, &["X-Odd: {S}", "ETag: \"{S}\""], "")),
    at(
        "unknown element",
        Class::Unknown,
        ODD,
        Request(REST, XML, "<User><odd a='{S}'>{S}</odd><state>READY</state></User>"),
    ),
    at(
        "unknown member",
        Class::Unknown,
        ODD,
        Request(REST, JSON, "{\"odd\":\"{S}\",\"odds\":[\"{S}\",{\"x\":\"{S}\"}]}"),
    ),
    at("unknown pair", Class::Unknown, ODD, Request("GET /finesse/api/User/1001?odd={S}&{S}&id={S} HTTP/1.1", &[], "")),
    at(
        "unknown namespace",
        Class::Unknown,
        ODD,
        Client("<iq type='set' id='1'><x xmlns='urn:{S}:odd' a='{S}'>{S}<y>{S}</y></x></iq>"),
    ),
    at(
        "request id",
        Class::Unknown,
        ODD,
        Request(REST, &["requestId: {S}", "Content-Type: application/xml"], "<User><state>READY</state></User>"),
    ),
    at("text that anybody wrote", Class::Unknown, IN_TEXT, Close("so {S} it is")),
    at(
        "text of a stream error",
        Class::Unknown,
        IN_TEXT,
        Server(
            "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>so {S} it is</text></stream:error>",
        ),
    ),
    at(
        "text of an error",
        Class::Unknown,
        IN_TEXT,
        Response(
            "HTTP/1.1 500 No",
            XML,
            "<ApiErrors><ApiError><ErrorType>x</ErrorType><ErrorMessage>so {S} it is</ErrorMessage></ApiError></ApiErrors>",
        ),
    ),
];
