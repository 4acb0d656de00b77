//! The places: one line each, what is said with the secret in it, and what the capture must still hold.

use finesse_tap::conn::Direction;

/// Where a secret stands. `{S}` is the secret as encoded, `{U}` Basic credentials and `{P}` a PLAIN response that hold
/// it as the password, `{L}` a PLAIN response of a user of that name. `keeps` must still be in the capture.
pub struct Place {
    pub name: &'static str,
    pub says: Says,
    pub keeps: &'static [&'static str],
}

pub enum Says {
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
    /// Text messages both ways.
    Desktop(&'static [(Direction, &'static str)]),
    /// A Close frame's reason from the server.
    Close(&'static str),
    /// The target of the upgrade.
    Upgrade(&'static str),
}

pub const REST: &str = "PUT /finesse/api/User/1001 HTTP/1.1";
/// A BOSH post.
pub const BIND: &str = "POST /http-bind/ HTTP/1.1";
pub const XML: &[&str] = &["Content-Type: application/xml"];
pub const JSON: &[&str] = &["Content-Type: application/json"];
pub const FORM: &[&str] = &["Content-Type: application/x-www-form-urlencoded"];

const fn place(name: &'static str, says: Says, keeps: &'static [&'static str]) -> Place {
    Place { name, says, keeps }
}

use Says::{Chunked, Client, Close, Gzipped, Request, Response, Server, Upgrade};

pub const PLACES: &[Place] = &[
    // BOSH bodies.
    place(
        "BOSH sid",
        Request(BIND, XML, "<body rid='7' sid='{S}' xmlns='http://jabber.org/protocol/httpbind'/>"),
        &["/http-bind/", "\"sid\":\"k-"],
    ),
    place(
        "BOSH sid of a restart",
        Request(BIND, XML, "<body rid='7' sid='{S}' xmpp:restart='true' xmlns='http://jabber.org/protocol/httpbind'/>"),
        &["sid=\\\"k-", "[cred:secret]"],
    ),
    place(
        "BOSH keys",
        Request(BIND, XML, "<body rid='7' key='{S}' newkey='{S}' xmlns='http://jabber.org/protocol/httpbind'/>"),
        &["key=\\\"[cred:key]"],
    ),
    place(
        "BOSH PLAIN",
        Request(
            BIND,
            XML,
            "<body rid='7' sid='x' xmlns='http://jabber.org/protocol/httpbind'><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{P}</auth></body>",
        ),
        &["[cred:sasl]"],
    ),
    place(
        "BOSH PLAIN, gzip",
        Gzipped(
            BIND,
            XML,
            "<body rid='7' sid='x' xmlns='http://jabber.org/protocol/httpbind'><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{P}</auth></body>",
        ),
        &["[cred:sasl]"],
    ),
    place(
        "BOSH PLAIN, chunked",
        Chunked(
            BIND,
            XML,
            "<body rid='7' sid='x' xmlns='http://jabber.org/protocol/httpbind'><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{P}</auth></body>",
        ),
        &["[cred:sasl]"],
    ),
    place("BOSH in the query", Request("GET /http-bind/?%3Cbody+sid='{S}'/%3E HTTP/1.1", &[], ""), &["/http-bind/"]),
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
        "passcode",
        Request(REST, XML, "<User><state>LOGIN</state><passcode>{S}</passcode><pass>{S}</pass></User>"),
        &["LOGIN", "[cred:password]"],
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
        "BOSH body's keys, over a WebSocket",
        Client("<body xmlns='http://jabber.org/protocol/httpbind' authid='{S}' newkey = '{S}'/>"),
        &["httpbind", "authid"],
    ),
    place("rid, apart from its equals sign", Client("<body xmlns='jabber:client' rid\n='{S}'/>"), &["rid"]),
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
    place(
        "ampersand in a password",
        Client("<message id='m5'><body>https://ann:x&amp;{S}@h/x</body></message>"),
        &["m5", "@h/x"],
    ),
    place(
        "escaped slashes in a message",
        Client("<message id='m6'><body>https:\\/\\/ann:{S}@h\\/x</body></message>"),
        &["m6"],
    ),
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
        "JSON Update, escaped slashes",
        Server(
            "{EVENT}{\"Update\":{\"event\":\"PUT\",\"data\":{\"user\":{\"state\":\"READY\",\"uri\":\"https:\\/\\/ann:{S}@h\\/x\"}}}}{/EVENT}",
        ),
        &["READY"],
    ),
    place(
        "JSON Update, token in a name",
        Server(
            "{EVENT}{\"Update\":{\"event\":\"PUT\",\"data\":{\"user\":{\"state\":\"READY\",\"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x_token\":\"{S}\"}}}}{/EVENT}",
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
