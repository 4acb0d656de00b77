//! Canaries: a secret planted in every place that holds credentials or sessions, in every encoding that a place allows.
//! None may come out of the door in any encoding, and what stands beside it must.

use crate::support::HOST;
use crate::support::frames::{Length, deflate, frame};
use crate::support::stage::{Stage, values};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use finesse_tap::capture::rules::Level;
use finesse_tap::conn::Direction::{self, C2s, S2c};
use flate2::{Compress, Compression};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::fmt::Write as _;
use std::io::Write as _;

/// Invented, and long enough to be searched for in the middle of anything.
const SECRET: &str = "Qz7vCanaryXk4WmTq9";

/// How a planted secret is written.
#[derive(Clone, Copy, Debug)]
enum Encoding {
    Raw,
    Base64,
    Percent,
    PercentTwice,
    Entities,
    Json,
}

const ENCODINGS: [Encoding; 6] =
    [Encoding::Raw, Encoding::Base64, Encoding::Percent, Encoding::PercentTwice, Encoding::Entities, Encoding::Json];

impl Encoding {
    fn write(self, secret: &str) -> String {
        let each = |write: &dyn Fn(u8) -> String| secret.bytes().map(write).collect::<String>();
        match self {
            Self::Raw => secret.to_owned(),
            Self::Base64 => STANDARD.encode(secret),
            Self::Percent => each(&|b| format!("%{b:02X}")),
            Self::PercentTwice => each(&|b| format!("%25{b:02x}")),
            Self::Entities => each(&|b| if b % 2 == 0 { format!("&#{b};") } else { format!("&#x{b:X};") }),
            Self::Json => each(&|b| format!("\\u{b:04x}")),
        }
    }
}

/// Where a secret stands. `{S}` is the secret as encoded, `{U}` Basic credentials and `{P}` a PLAIN response that hold it.
/// `keeps` must still be in the capture.
struct Place {
    name: &'static str,
    says: Says,
    keeps: &'static [&'static str],
}

enum Says {
    /// A request with these header lines and body.
    Request(&'static str, &'static [&'static str], &'static str),
    /// The same with the body gzipped, or chunked.
    Gzipped(&'static str, &'static [&'static str], &'static str),
    Chunked(&'static str, &'static [&'static str], &'static str),
    /// A response likewise.
    Response(&'static str, &'static [&'static str], &'static str),
    /// Text messages on a WebSocket.
    Client(&'static str),
    Server(&'static str),
    /// A Close frame's reason from the server.
    Close(&'static str),
    /// The target of the upgrade.
    Upgrade(&'static str),
}

const REST: &str = "PUT /finesse/api/User/1001 HTTP/1.1";
const XML: &[&str] = &["Content-Type: application/xml"];
const JSON: &[&str] = &["Content-Type: application/json"];
const FORM: &[&str] = &["Content-Type: application/x-www-form-urlencoded"];

const fn place(name: &'static str, says: Says, keeps: &'static [&'static str]) -> Place {
    Place { name, says, keeps }
}

use Says::{Chunked, Client, Close, Gzipped, Request, Response, Server, Upgrade};

const PLACES: &[Place] = &[
    // Header fields.
    place(
        "Basic",
        Request("GET /desktop/ HTTP/1.1", &["Authorization: Basic {U}", "Accept: a/b"], ""),
        &["Basic [cred:basic]", "a/b", "\"name\":\"1001\""],
    ),
    place("Basic in lower case", Request("GET /a HTTP/1.1", &["authorization: basic {U}"], ""), &["[cred:basic]"]),
    place("Basic without colon", Request("GET /a HTTP/1.1", &["Authorization: Basic {S}"], ""), &["[cred:basic]"]),
    place("Basic, two blanks", Request("GET /a HTTP/1.1", &["Authorization: Basic  {U}"], ""), &["[cred:basic]"]),
    place("Basic, tab", Request("GET /a HTTP/1.1", &["Authorization: Basic\t{U}"], ""), &["/a"]),
    place("Bearer", Request("GET /a HTTP/1.1", &["Authorization: Bearer {S}"], ""), &["Bearer [cred:bearer]"]),
    place(
        "Digest",
        Request("GET /a HTTP/1.1", &["Authorization: Digest username=\"1001\", response=\"{S}\""], ""),
        &["[cred:digest]"],
    ),
    place("odd scheme", Request("GET /a HTTP/1.1", &["Authorization: Hawk id={S}"], ""), &["[cred:authorization]"]),
    place("bare authorization", Request("GET /a HTTP/1.1", &["Authorization: {S}"], ""), &["[cred:authorization]"]),
    place(
        "Proxy-Authorization",
        Request("GET /a HTTP/1.1", &["Proxy-Authorization: Basic {U}"], ""),
        &["Proxy-Authorization"],
    ),
    place(
        "Authorization twice",
        Request("GET /a HTTP/1.1", &["Authorization: Basic eA==", "X-Y: z", "Authorization: Bearer {S}"], ""),
        &["[cred:bearer]"],
    ),
    place("Authorization folded", Request("GET /a HTTP/1.1", &["Authorization: Basic\r\n {U}"], ""), &[]),
    place(
        "cookie",
        Request("GET /a HTTP/1.1", &["Cookie: JSESSIONID={S}; cc_username=1001; other={S}"], ""),
        &["JSESSIONID=k-", "other=k-", "cc_username=1001"],
    ),
    place(
        "cookies by comma",
        Request("GET /a HTTP/1.1", &["Cookie: cc_username=1001, JSESSIONIDSSO={S}"], ""),
        &["cc_username"],
    ),
    place("bare cookie", Request("GET /a HTTP/1.1", &["Cookie: {S}"], ""), &["Cookie"]),
    place("X-Api-Key", Request("GET /a HTTP/1.1", &["X-Api-Key: {S}"], ""), &["X-Api-Key"]),
    place("unknown header", Request("GET /a HTTP/1.1", &["X-Cisco-Odd: {S}"], ""), &["X-Cisco-Odd", "[text:"]),
    place(
        "token in a known header",
        Request("GET /a HTTP/1.1", &["User-Agent: x token={S} Browser/1.0"], ""),
        &["Browser/1.0"],
    ),
    place("Negotiate", Response("HTTP/1.1 401 No", &["WWW-Authenticate: Negotiate {S}"], ""), &["401"]),
    place(
        "challenge",
        Response("HTTP/1.1 401 No", &["WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", token=\"{S}\""], ""),
        &["401"],
    ),
    place(
        "Set-Cookie",
        Response("HTTP/1.1 200 OK", &["Set-Cookie: JSESSIONID={S}; Path=/desktop; HttpOnly"], ""),
        &["JSESSIONID=k-", "Path=/desktop", "HttpOnly"],
    ),
    place(
        "Set-Cookie joined",
        Response("HTTP/1.1 200 OK", &["Set-Cookie: a=b; Path=/, JSESSIONIDSSO={S}; Secure"], ""),
        &["Secure"],
    ),
    place("Set-Cookie, odd attribute", Response("HTTP/1.1 200 OK", &["Set-Cookie: a=b; Session={S}"], ""), &["200"]),
    // URLs.
    place(
        "jsessionid in the path",
        Request("GET /desktop/x;jsessionid={S}/y?nocache=1 HTTP/1.1", &[], ""),
        &["/desktop/x;jsessionid=k-", "nocache=1"],
    ),
    place(
        "jsessionid in the path, escaped",
        Request("GET /desktop/x%3Bjsessionid%3D{S} HTTP/1.1", &[], ""),
        &["/desktop/x"],
    ),
    place(
        "jsessionid in a REST id",
        Request("GET /finesse/api/User/1001;jsessionid={S} HTTP/1.1", &[], ""),
        &["/finesse/api/User/1001"],
    ),
    place(
        "token behind a REST path",
        Request("GET /finesse/api/User/1001?token={S} HTTP/1.1", &[], ""),
        &["[cred:token]"],
    ),
    place(
        "tokens in the query",
        Request("GET /d?access_token={S}&id_token={S}&code={S}&state=up&SAMLResponse={S} HTTP/1.1", &[], ""),
        &["access_token=[cred:token]"],
    ),
    place("unknown key", Request("GET /d?odd={S} HTTP/1.1", &[], ""), &["odd=[text:"]),
    place("bare query", Request("GET /d?{S} HTTP/1.1", &[], ""), &["[text:"]),
    place("key with an escaped name", Request("GET /d?pass%77ord={S} HTTP/1.1", &[], ""), &["[cred:password]"]),
    place(
        "URL in the query",
        Request("GET /d?url=https%3A%2F%2Fu%3A{S}%40h%2Fx&locale=en HTTP/1.1", &[], ""),
        &["locale=en"],
    ),
    place("URL in the path", Request("GET /proxy/https%3A%2F%2Fu%3A{S}%40h%2Fx HTTP/1.1", &[], ""), &["/proxy/"]),
    place(
        "absolute form",
        Request("GET https://u:{S}@finesse.example.test:8445/desktop/?token={S} HTTP/1.1", &[], ""),
        &["/desktop/"],
    ),
    place(
        "userinfo without a colon",
        Request("GET /d HTTP/1.1", &["Referer: https://{S}@finesse.example.test/x"], ""),
        &["finesse.example.test/x"],
    ),
    place(
        "Referer",
        Request(
            "GET /d HTTP/1.1",
            &["Referer: https://h/desktop/;jsessionid={S}?code={S}&locale=en#access_token={S}"],
            "",
        ),
        &["https://h/desktop/;jsessionid=k-", "locale=en"],
    ),
    place(
        "Location",
        Response(
            "HTTP/1.1 302 Found",
            &["Location: https://h/desktop/j;jsessionid={S}?code={S}&RelayState={S}&locale=en"],
            "",
        ),
        &["locale=en", "302"],
    ),
    place(
        "Refresh",
        Response("HTTP/1.1 200 OK", &["Refresh: 0; url=https://h/?token={S}&locale=en"], ""),
        &["locale=en"],
    ),
    place(
        "makeRequest",
        Request(
            "GET /gadgets/makeRequest?url=https%3A%2F%2Flocalhost%2Ffinesse%2Fapi&httpMethod=GET&headers=Authorization%3DBasic%2520{S}%26requestId%3D7&authz= HTTP/1.1",
            &[],
            "",
        ),
        &["httpMethod=GET"],
    ),
    place(
        "makeRequest headers within a URL",
        Request(
            "GET /d?url=https%3A%2F%2Fh%2FmakeRequest%3Fheaders%3DAuthorization%253DBasic%252520{S} HTTP/1.1",
            &[],
            "",
        ),
        &["/d"],
    ),
    place("fragment", Request("GET /d#token={S} HTTP/1.1", &[], ""), &["/d"]),
    // REST bodies.
    place(
        "XML body",
        Request(REST, XML, "<User><state>LOGIN</state><password>{S}</password></User>"),
        &["LOGIN", "[cred:password]", "sign-in"],
    ),
    place(
        "XML body, gzipped",
        Gzipped(REST, XML, "<User><state>LOGIN</state><newPassword>{S}</newPassword></User>"),
        &["LOGIN"],
    ),
    place("XML body, chunked", Chunked(REST, XML, "<User><state>LOGIN</state><token>{S}</token></User>"), &["LOGIN"]),
    place(
        "attributes",
        Request(REST, XML, "<User accessToken='{S}' kind=\"agent\"><state>READY</state></User>"),
        &["READY", "agent"],
    ),
    place("comment", Request(REST, XML, "<User><!-- {S} --><state>READY</state></User>"), &["READY"]),
    place(
        "processing instruction",
        Request(REST, XML, "<?xml version=\"1.0\"?><?auth {S}?><User><state>READY</state></User>"),
        &["READY"],
    ),
    place(
        "entity declared",
        Request(REST, XML, "<!DOCTYPE User [<!ENTITY e \"{S}\">]><User><state>&e;</state></User>"),
        &["PUT"],
    ),
    place(
        "CDATA",
        Request(REST, XML, "<User><state>READY</state><password><![CDATA[{S}]]></password></User>"),
        &["READY"],
    ),
    place(
        "password in pieces",
        Request(REST, XML, "<User><state>READY</state><v>&lt;password&gt;<![CDATA[{S}]]>&lt;/password&gt;</v></User>"),
        &["READY"],
    ),
    place(
        "key and value in pieces",
        Request(REST, XML, "<User><state>READY</state><v>password=<!-- --><![CDATA[{S}]]></v></User>"),
        &["READY"],
    ),
    place("broken XML", Request(REST, XML, "<User><state>READY</state><x <password>{S}</password></User>"), &["PUT"]),
    place(
        "JSON body",
        Request(REST, JSON, "{\"User\":{\"state\":\"LOGIN\",\"password\":\"{S}\"}}"),
        &["LOGIN", "sign-in"],
    ),
    place(
        "JSON number-like and list",
        Request(REST, JSON, "{\"state\":\"READY\",\"tokens\":[\"{S}\",[\"{S}\"]]}"),
        &["READY"],
    ),
    place(
        "object under a credential's name",
        Request(REST, JSON, "{\"state\":\"READY\",\"credentials\":{\"a\":\"{S}\",\"b\":[{\"c\":\"{S}\"}]}}"),
        &["READY"],
    ),
    place(
        "element under a credential's name",
        Request(REST, XML, "<User><state>READY</state><credentials><a>{S}</a><b c='{S}'/></credentials></User>"),
        &["READY"],
    ),
    place("broken JSON", Request(REST, JSON, "{\"state\":\"READY\",\"password\":\"{S}\""), &["PUT"]),
    place(
        "JSON in a JSON string",
        Request(REST, JSON, r#"{"state":"READY","x":"{\"p\\u0061ssword\":\"{S}\"}"}"#),
        &["READY"],
    ),
    place(
        "XML in a JSON string",
        Request(REST, JSON, r#"{"state":"READY","x":"<User><password>{S}</password></User>"}"#),
        &["READY"],
    ),
    place(
        "form",
        Request(REST, FORM, "state=x&j_password={S}&locale=en"),
        &["j_password=[cred:password]", "locale=en"],
    ),
    place("plain text", Request(REST, &["Content-Type: text/plain"], "the password is {S}"), &["[unparsed:"]),
    place(
        "error texts",
        Response(
            "HTTP/1.1 401 Unauthorized",
            XML,
            "<ApiErrors><ApiError><ErrorType>Authorization</ErrorType><ErrorMessage>Authorization: Basic {S} was refused</ErrorMessage></ApiError></ApiErrors>",
        ),
        &["ApiErrors", "was refused"],
    ),
    place(
        "URL in an answer",
        Response("HTTP/1.1 200 OK", XML, "<User><uri>https://1001:{S}@h/x</uri><state>READY</state></User>"),
        &["READY"],
    ),
    // XMPP.
    place(
        "SASL PLAIN",
        Client("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{P}</auth>"),
        &["PLAIN", "[cred:sasl]", "\"name\":\"1001\""],
    ),
    place(
        "SASL, prefixed",
        Client("<s:auth xmlns:s='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{P}</s:auth>"),
        &["PLAIN"],
    ),
    place(
        "SASL, CDATA",
        Client("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'><![CDATA[{P}]]></auth>"),
        &["PLAIN"],
    ),
    place(
        "SASL, in an element",
        Client("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='X'><initial>{S}</initial></auth>"),
        &["mechanism"],
    ),
    place(
        "SASL, in a stranger's element",
        Client(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='X'><initial xmlns='jabber:client' x='{S}'>{S}</initial></auth>",
        ),
        &["mechanism"],
    ),
    place(
        "SASL response",
        Client("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{S}</response>"),
        &["[cred:sasl]"],
    ),
    place(
        "SASL challenge",
        Server("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{S}</challenge>"),
        &["[cred:sasl]"],
    ),
    place(
        "SASL success data",
        Server("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{S}</success>"),
        &["auth succeeded"],
    ),
    place(
        "SASL failure text",
        Server(
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/><text>Basic {S} is wrong</text></failure>",
        ),
        &["not-authorized"],
    ),
    place(
        "SASL 2",
        Client(
            "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>{P}</initial-response></authenticate>",
        ),
        &["authenticate"],
    ),
    place(
        "jabber:iq:auth",
        Client(
            "<iq type='set' id='a1'><query xmlns='jabber:iq:auth'><username>1001</username><password>{S}</password><digest>{S}</digest></query></iq>",
        ),
        &["a1", "username"],
    ),
    place("sm enabled", Server("<enabled xmlns='urn:xmpp:sm:3' id='{S}' resume='true'/>"), &["resume"]),
    place("sm enabled, prefixed", Server("<m:enabled xmlns:m='urn:xmpp:sm:3' id='{S}' max='300'/>"), &["300"]),
    place("sm resume", Client("<resume xmlns='urn:xmpp:sm:3' h='7' previd='{S}'/>"), &["resume"]),
    place("sm resumed", Server("<resumed xmlns='urn:xmpp:sm:2' h='7' previd='{S}'/>"), &["resumed"]),
    place("BOSH body", Client("<body xmlns='http://jabber.org/protocol/httpbind' sid='{S}' rid='7'/>"), &["httpbind"]),
    place(
        "unknown namespace",
        Client("<iq type='set' id='u1'><x xmlns='urn:example:odd' secretless='{S}'>{S}<y>{S}</y></x></iq>"),
        &["u1", "urn:example:odd"],
    ),
    place(
        "stream error",
        Server(
            "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>token={S} replaced</text></stream:error>",
        ),
        &["conflict", "replaced"],
    ),
    place(
        "JID with a session",
        Server("<presence from='finesse@h/jsessionid={S}' id='token={S}' to='1001@h'/>"),
        &["1001@h"],
    ),
    place(
        "credential in the node",
        Server(
            "<iq type='result' id='s1'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscription node='/finesse/api/User/1001;jsessionid={S}' subscription='subscribed'/></pubsub></iq>",
        ),
        &["subscribed"],
    ),
    place("message body", Client("<message id='m1'><body>my password: {S}</body></message>"), &["m1"]),
    place("scheme in a message", Client("<message id='m2'><body>Negotiate {S}</body></message>"), &["m2"]),
    place("escaped scheme in a message", Client("<message id='m3'><body>Basic%20{S}</body></message>"), &["m3"]),
    place("escaped code in a message", Client("<message id='m4'><body>%26code%3D{S}</body></message>"), &["m4"]),
    place(
        "Update",
        Server(
            "{EVENT}<Update><event>PUT</event><source>/finesse/api/User/1001</source><data><user><state>READY</state><password>{S}</password></user></data></Update>{/EVENT}",
        ),
        &["READY", "/finesse/api/User/1001"],
    ),
    place(
        "Update, jsessionid in its source",
        Server(
            "{EVENT}<Update><event>PUT</event><source>/finesse/api/User/1001;jsessionid={S}</source><data><user><state>READY</state></user></data></Update>{/EVENT}",
        ),
        &["READY"],
    ),
    place(
        "Update, comments and instructions",
        Server(
            "{EVENT}<Update><!--{S}--><?x {S}?><event>PUT</event><data><user><state>READY</state></user></data></Update>{/EVENT}",
        ),
        &["READY"],
    ),
    place(
        "Update, CDATA",
        Server(
            "{EVENT}<Update><event>PUT</event><data><user><state>READY</state><token><![CDATA[{S}]]></token></user></data></Update>{/EVENT}",
        ),
        &["READY"],
    ),
    place(
        "Update, attribute",
        Server(
            "{EVENT}<Update><event>PUT</event><data><user secret='{S}'><state>READY</state></user></data></Update>{/EVENT}",
        ),
        &["READY"],
    ),
    place(
        "Update, API error",
        Server(
            "{EVENT}<Update><data><apiErrors><apiError><errorType>Unauthorized</errorType><errorMessage>Authorization: Basic {S} refused</errorMessage><errorData>token={S}</errorData><peripheralErrorText>password={S}</peripheralErrorText></apiError></apiErrors></data><event>PUT</event></Update>{/EVENT}",
        ),
        &["Unauthorized", "refused"],
    ),
    place(
        "call variable, form",
        Server(
            "{EVENT}<Update><data><dialogs><Dialog><id>7</id><state>ACTIVE</state><mediaProperties><callvariables><CallVariable><name>callVariable1</name><value>user=9&amp;password={S}&amp;x=y</value></CallVariable></callvariables></mediaProperties></Dialog></dialogs></data><event>POST</event></Update>{/EVENT}",
        ),
        &["ACTIVE", "callVariable1"],
    ),
    place(
        "call variable, JSON",
        Server(
            "{EVENT}<Update><data><dialog><id>7</id><state>ACTIVE</state><value>{\"access_token\":\"{S}\",\"city\":\"Bonn\"}</value></dialog></data><event>PUT</event></Update>{/EVENT}",
        ),
        &["ACTIVE", "Bonn"],
    ),
    place(
        "call variable, XML",
        Server(
            "{EVENT}<Update><data><dialog><id>7</id><state>ACTIVE</state><value>&lt;login&gt;&lt;password&gt;{S}&lt;/password&gt;&lt;city&gt;Bonn&lt;/city&gt;&lt;/login&gt;</value></dialog></data><event>PUT</event></Update>{/EVENT}",
        ),
        &["ACTIVE", "Bonn"],
    ),
    place(
        "call variable, XML five deep",
        Server(
            "{EVENT}<Update><data><dialog><id>7</id><state>ACTIVE</state><value>&lt;a&gt;&amp;lt;b&amp;gt;&amp;amp;lt;c&amp;amp;gt;&amp;amp;amp;lt;password&amp;amp;amp;gt;{S}&amp;amp;amp;lt;/password&amp;amp;amp;gt;&amp;amp;lt;/c&amp;amp;gt;&amp;lt;/b&amp;gt;&lt;/a&gt;</value></dialog></data><event>PUT</event></Update>{/EVENT}",
        ),
        &["ACTIVE"],
    ),
    place(
        "XML within text",
        Server(
            "{EVENT}<Update><data><dialog><id>7</id><state>ACTIVE</state><value>said &lt;password&gt;{S}&lt;/password&gt; so</value></dialog></data><event>PUT</event></Update>{/EVENT}",
        ),
        &["ACTIVE"],
    ),
    place(
        "JSON Update",
        Server(
            "{EVENT}{\"Update\":{\"event\":\"PUT\",\"data\":{\"user\":{\"state\":\"READY\",\"refreshToken\":\"{S}\"}}}}{/EVENT}",
        ),
        &["READY"],
    ),
    place(
        "JSON Update, escaped name",
        Server(
            "{EVENT}{\"Update\":{\"event\":\"PUT\",\"data\":{\"user\":{\"state\":\"READY\",\"p\\u0061ssword\":\"{S}\"}}}}{/EVENT}",
        ),
        &["READY"],
    ),
    place(
        "text behind an Update",
        Server(
            "{EVENT}<Update><event>PUT</event><data><user><state>READY</state></user></data></Update>token={S}{/EVENT}",
        ),
        &["READY"],
    ),
    place("neither XML nor JSON", Server("{EVENT}password is {S}{/EVENT}"), &["[unparsed:"]),
    place(
        "Update in place",
        Server(
            "<message id='i1'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='/finesse/api/User/1001'><item id='x'><notification xmlns='http://jabber.org/protocol/pubsub'><Update><event>PUT</event><data><user><state>READY</state><password>{S}</password></user></data></Update></notification></item></items></event></message>",
        ),
        &["READY"],
    ),
    place("Close reason, key", Close("token={S} expired"), &["expired"]),
    place("Close reason, scheme", Close("Bearer {S}"), &["1008"]),
    place("WebSocket query", Upgrade("/ws/?sid={S}&any={S}&{S}"), &["/ws/"]),
    place("WebSocket path", Upgrade("/ws/;jsessionid={S}/"), &["/ws/;jsessionid=k-"]),
];

#[test]
fn no_canary_comes_out_in_any_encoding() {
    let mut leaks = String::new();
    for place in PLACES {
        for encoding in ENCODINGS {
            let lines = act(&place.says, encoding);
            let found = lines.iter().find(|line| is_in(line));
            if let Some(line) = found {
                writeln!(leaks, "LEAK {} {encoding:?}: {line}", place.name).unwrap();
            }
            let log = lines.concat();
            if log.contains("redaction-blocked") {
                writeln!(leaks, "BLOCKED {} {encoding:?}: the rules missed it", place.name).unwrap();
            }
            if !fits(encoding, &place.says) {
                continue;
            }
            for wanted in place
                .keeps
                .iter()
                .filter(|wanted| !log.contains(&wanted.replace('"', "\\\"")) && !log.contains(**wanted))
            {
                writeln!(leaks, "USELESS {} {encoding:?}: no {wanted} in {log}", place.name).unwrap();
            }
        }
    }
    assert!(leaks.is_empty(), "\n{leaks}");
}

/// At level `off` every canary is there, or the test above proves nothing.
#[test]
fn without_redaction_every_canary_comes_out() {
    let hidden = ["Close reason, scheme", "entity declared", "plain text", "fragment"];
    for place in PLACES.iter().filter(|place| !hidden.contains(&place.name)) {
        let lines = act_at(Level::Off, &place.says, Encoding::Raw);
        assert!(lines.iter().any(|line| is_in(line)), "{}: {}", place.name, lines.concat());
    }
}

/// Whether what stands beside the secret can be expected: `&` and `#` end a name in a URL, a form and a header.
fn fits(encoding: Encoding, says: &Says) -> bool {
    let fields = match says {
        Request(_, fields, _) | Gzipped(_, fields, _) | Chunked(_, fields, _) | Response(_, fields, _) => *fields,
        Upgrade(_) => &[],
        Client(_) | Server(_) | Close(_) => XML,
    };
    !matches!(encoding, Encoding::Entities) || fields == XML
}

/// Whether the secret is in a line, however often it is encoded.
fn is_in(line: &str) -> bool {
    let mut text = line.to_owned();
    for _ in 0..4 {
        if text.contains(SECRET) || holds_base64(&text) {
            return true;
        }
        text = percent_decode_str(&unescape_json(&unescape_xml(&text))).decode_utf8_lossy().into_owned();
    }
    false
}

/// Whether base64 of the secret is in a text, whatever stands before and behind it.
fn holds_base64(text: &str) -> bool {
    (0..3).any(|before| {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(SECRET.as_bytes());
        let encoded = STANDARD_NO_PAD.encode(&bytes);
        let start = [0, 2, 3][before];
        let end = encoded.len() - usize::from(bytes.len() % 3 != 0);
        text.contains(&encoded[start..end])
    })
}

fn unescape_xml(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("&") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(';').filter(|end| *end < 9);
        let c = end.and_then(|end| match &rest[1..end] {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            name => {
                let digits = name.strip_prefix('#')?;
                let hex = digits.strip_prefix('x').map(|hex| u32::from_str_radix(hex, 16));
                char::from_u32(hex.unwrap_or_else(|| digits.parse()).ok()?)
            }
        });
        out.push(c.unwrap_or('&'));
        rest = &rest[if c.is_some() { end.unwrap() + 1 } else { 1 }..];
    }
    out + rest
}

fn unescape_json(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let unit = rest.get(at + 2..at + 6).filter(|_| rest[at + 1..].starts_with('u'));
        let c = unit.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
        out.extend(c);
        rest = &rest[at + if c.is_some() { 6 } else { 1 }..];
    }
    out + rest
}

fn act(says: &Says, encoding: Encoding) -> Vec<String> {
    act_at(Level::Auth, says, encoding)
}

fn act_at(level: Level, says: &Says, encoding: Encoding) -> Vec<String> {
    let mut stage = Stage::new(level, 16 << 20);
    let fill = |text: &str| fill(text, encoding);
    match says {
        Request(line, fields, body) => {
            stage.say(C2s, &http(&fill(line), fields, &encoding, fill(body).as_bytes(), ""));
            stage.say(S2c, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
        Gzipped(line, fields, body) => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
            gzip.write_all(fill(body).as_bytes()).unwrap();
            let body = gzip.finish().unwrap();
            stage.say(C2s, &http(&fill(line), fields, &encoding, &body, "Content-Encoding: gzip\r\n"));
            stage.say(S2c, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
        Chunked(line, fields, body) => {
            let mut bytes = format!("{}\r\nTransfer-Encoding: chunked\r\n", fill(line)).into_bytes();
            fields.iter().for_each(|field| bytes.extend(format!("{}\r\n", fill(field)).bytes()));
            bytes.extend(b"\r\n");
            for chunk in fill(body).as_bytes().chunks(5) {
                bytes.extend(format!("{:x};x=y\r\n", chunk.len()).bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\n\r\n");
            stage.say(C2s, &bytes);
            stage.say(S2c, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
        Response(line, fields, body) => {
            stage.say(C2s, b"GET /finesse/api/User/1001 HTTP/1.1\r\nHost: f\r\n\r\n");
            stage.say(S2c, &http(&fill(line), fields, &encoding, fill(body).as_bytes(), ""));
        }
        Upgrade(target) => upgrade(&mut stage, &fill(target), ""),
        Client(text) => {
            upgrade(&mut stage, "/ws/", "");
            stage.say(C2s, &message(C2s, &fill(text)));
        }
        Server(text) => {
            upgrade(&mut stage, "/ws/", "");
            stage.say(S2c, &message(S2c, &fill(text)));
        }
        Close(reason) => {
            upgrade(&mut stage, "/ws/", "");
            let mut payload = 1008_u16.to_be_bytes().to_vec();
            payload.extend(fill(reason).bytes().take(123));
            stage.say(S2c, &frame(0x88, None, Length::Minimal, &payload));
        }
    }
    stage.end()
}

/// The template with the secret in its places.
fn fill(text: &str, encoding: Encoding) -> String {
    let secret = encoding.write(SECRET);
    let basic = STANDARD.encode(format!("1001:{SECRET}"));
    let plain = STANDARD.encode(format!("1001@{HOST}\0{}\0{SECRET}", "1001"));
    let text = text.replace("{U}", &basic).replace("{P}", &plain).replace("{S}", &secret);
    let Some((before, rest)) = text.split_once("{EVENT}") else { return text };
    let (update, after) = rest.split_once("{/EVENT}").unwrap();
    let escaped = update.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "{before}<message xmlns='jabber:client' from='pubsub.{HOST}' to='1001@{HOST}' id='e1'><event xmlns=\
         'http://jabber.org/protocol/pubsub#event'><items node='/finesse/api/User/1001'><item id='i1'><notification \
         xmlns='http://jabber.org/protocol/pubsub'>{escaped}</notification></item></items></event></message>{after}"
    )
}

fn http(line: &str, fields: &[&str], encoding: &Encoding, body: &[u8], extra: &str) -> Vec<u8> {
    let mut out = format!("{line}\r\n{extra}Content-Length: {}\r\n", body.len());
    fields.iter().for_each(|field| out += &format!("{}\r\n", fill(field, *encoding)));
    let mut out = (out + "\r\n").into_bytes();
    out.extend_from_slice(body);
    out
}

fn upgrade(stage: &mut Stage, target: &str, extensions: &str) {
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: f\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: xmpp\r\n{extensions}\r\n"
    );
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: xmpp\r\n{extensions}\r\n"
    );
    stage.say(C2s, request.as_bytes()).say(S2c, response.as_bytes());
}

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn message(direction: Direction, text: &str) -> Vec<u8> {
    frame(0x81, (direction == C2s).then_some(KEY), Length::Minimal, text.as_bytes())
}

fn auth() -> String {
    fill("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{P}</auth>", Encoding::Raw)
}

#[test]
fn a_login_in_compressed_fragments_is_read_and_masked() {
    let mut stage = Stage::new(Level::Auth, 8_000);
    upgrade(&mut stage, "/ws/", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    let payload = deflate(&mut Compress::new(Compression::default(), false), auth().as_bytes());
    for (n, piece) in payload.chunks(7).enumerate() {
        let last = (n + 1) * 7 >= payload.len();
        let first = if n == 0 { 0x41 } else { 0 } | if last { 0x80 } else { 0 };
        stage.say(C2s, &frame(first, Some(KEY), Length::Minimal, piece));
        stage.say(C2s, &frame(0x89, Some(KEY), Length::Minimal, b"ping"));
    }
    let lines = stage.end();
    assert!(!lines.iter().any(|line| is_in(line)), "{}", lines.concat());
    assert!(lines.concat().contains("sasl-auth-sent") && lines.concat().contains("auth PLAIN as 1001"));
}

#[test]
fn a_login_cut_anywhere_by_the_connections_end_tells_nothing() {
    let whole = message(C2s, &auth());
    for cut in 1..whole.len() {
        let mut stage = Stage::new(Level::Auth, 8_000);
        upgrade(&mut stage, "/ws/", "");
        stage.say(C2s, &whole[..cut]);
        let lines = stage.end();
        let log = lines.concat();
        let beginning = &STANDARD.encode(format!("1001@{HOST}\0"))[..20];
        assert!(!log.contains(beginning), "cut at {cut}: {log}");
        assert!(log.contains("websocket-closed") && log.contains("connection-closed"));
    }
}

#[test]
fn credentials_that_are_not_utf8_are_masked() {
    let mut credentials = b"1001:\xff\xfe".to_vec();
    credentials.extend(SECRET.bytes());
    let blob = STANDARD.encode(&credentials);
    for scheme in ["Basic", "Negotiate", "Odd"] {
        let mut stage = Stage::new(Level::Auth, 8_000);
        let mut request =
            format!("GET / HTTP/1.1\r\nHost: f\r\nAuthorization: {scheme} {blob}\r\nX-Raw: ").into_bytes();
        request.extend(b"\xff\xfe\r\nCookie: \xe4=");
        request.extend(SECRET.bytes());
        request.extend(b"\r\n\r\n");
        stage.say(C2s, &request).say(S2c, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let lines = stage.end();
        assert!(!lines.iter().any(|line| is_in(line) || line.contains(&blob)), "{}", lines.concat());
    }
}

/// The net below the rules: a secret that was seen comes back where no rule expects one.
#[test]
fn an_echoed_secret_withholds_the_line() {
    let secret = "Qz7v <Canary> & \"Co\"/+%";
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let twice = utf8_percent_encode(&percent, NON_ALPHANUMERIC).to_string();
    let entities: String = secret.chars().map(|c| format!("&#{};", u32::from(c))).collect();
    let echoes = [
        ("raw", secret.replace('&', "&amp;").replace('<', "&lt;")),
        ("base64", STANDARD.encode(format!("so {secret} it is"))),
        ("percent", percent),
        ("percent twice", twice),
        ("entities within an Update", format!("<x>{}</x>", entities.replace('&', "&amp;"))),
        ("entities", entities),
        ("JSON", serde_json::to_string(secret).unwrap().replace('&', "&amp;").replace('<', "&lt;")),
    ];
    for (name, echo) in echoes {
        let mut stage = Stage::new(Level::Auth, 8_000);
        let basic = STANDARD.encode(format!("1001:{secret}"));
        stage.say(C2s, format!("GET / HTTP/1.1\r\nHost: f\r\nAuthorization: Basic {basic}\r\n\r\n").as_bytes());
        stage.say(S2c, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        upgrade(&mut stage, "/ws/", "");
        stage.say(S2c, &message(S2c, &format!("<message id='m1'><body>hello {echo}</body></message>")));
        stage.say(S2c, &message(S2c, "<message id='m2'><body>hello</body></message>"));
        let lines = stage.end();
        let log = lines.concat();
        assert!(!log.contains("Canary") && !log.contains(&echo), "{name}: {log}");
        assert!(log.contains("redaction-blocked"), "{name}: {log}");
        assert!(log.contains("m2"), "what follows is written: {log}");
        let sequences: Vec<u64> =
            values(&lines).iter().map(|line| line["event"]["sequence"].as_u64().unwrap()).collect();
        assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>(), "no hole where a line was withheld");
    }
}

#[test]
fn no_peer_can_make_a_line_longer_than_the_limit() {
    let long = "x".repeat(20_000);
    let basic = STANDARD.encode(format!("{long}:pass"));
    let plain = STANDARD.encode(format!("\0{long}\0pass"));
    let mut stage = Stage::new(Level::Auth, 4_000);
    let protocols = vec![format!("p{}", "\u{1}y".repeat(100)); 40].join(", ");
    stage.say(
        C2s,
        format!("GET /{long} HTTP/1.1\r\nAuthorization: Basic {basic}\r\nRequestId: {long}\r\n\r\n").as_bytes(),
    );
    stage.say(S2c, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    upgrade(&mut stage, "/ws/", &format!("X: y\r\nSec-WebSocket-Protocol: {protocols}\r\n"));
    stage.say(
        C2s,
        &message(C2s, &format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>")),
    );
    stage.say(S2c, &message(S2c, &format!("<iq id='{long}' from='{long}' to='{long}'><{long} xmlns='{long}'/></iq>")));
    stage.say(S2c, &message(S2c, &format!("<presence from='{}'/>", "\u{202e}\u{1}".repeat(2_000))));
    let lines = stage.end();
    assert!(lines.len() >= 8, "{}", lines.concat());
    for line in &lines {
        assert!(line.len() <= 4_000, "{} bytes: {}", line.len(), &line[..600]);
    }
    values(&lines);
}
