//! Every field of an event, and what it is.

use super::Restrictor;
use super::known;
use super::names::What;
use super::user::Place;
use crate::capture::event::{
    Api, ApiError, Capture, ClientLog, Conn, Endpoint, Event, Fault, Finesse, Gadget, Hash, Header, Http, HttpBody,
    HttpFacts, HttpRequest, HttpResponse, Id, Observer, Participant, Payload, Pubsub, Redaction, Rewrite, Sasl,
    Setting, Stream, StreamClose, System, TeamMessage, Thing, Tls, TlsClient, TlsServer, Update, UpdateDialog,
    UpdateUser, Upstream, Url, User, UserAgent, Ws, WsClose, X509, Xmpp,
};
use crate::capture::rules::{self, Class, Field, Level};
use std::borrow::Cow;

/// Stands for a method that no standard has.
const UNKNOWN_METHOD: &str = "?";

type Text<'a> = Option<Cow<'a, str>>;

impl Restrictor {
    pub(super) fn event<'e>(&mut self, event: Event<'e>) -> Event<'e> {
        let Event {
            timestamp,
            event: meta,
            log,
            message,
            trace,
            transaction,
            observer,
            network,
            client,
            server,
            http,
            tls,
            url,
            user,
            user_agent,
            error,
            finesse,
            ecs,
        } = event;
        let action = meta.action;
        let mime = |mime_type: Option<&Text<'_>>| mime_type.and_then(Option::as_deref).unwrap_or_default().to_owned();
        let mime_types = [
            mime(http.as_ref().map(|http| &http.request.mime_type)),
            mime(http.as_ref().and_then(|http| http.response.as_ref()).map(|response| &response.mime_type)),
        ];
        // Users and hosts first: what is known by then is found in sentences.
        let user = user.map(|User { name }| User { name: self.with(name, Self::login) });
        let client = client.map(|end| self.endpoint(end));
        let server = server.map(|end| self.endpoint(end));
        let finesse = self.finesse(finesse);
        let mut event = Event {
            timestamp,
            event: meta,
            log,
            message,
            trace: trace.map(|id| self.id(id)),
            transaction: transaction.map(|id| self.id(id)),
            observer: observer.and_then(|observer| self.observer(observer)),
            network,
            client,
            server,
            http: http.map(|http| Box::new(self.http(*http, &mime_types))),
            tls: tls.map(|tls| Box::new(self.tls(*tls))),
            url: url.map(|Url { path, query }| Url {
                path: self.with(path, Self::path),
                query: query.map(|query| self.with(query, Self::pairs)).filter(|query| !query.is_empty()),
            }),
            user,
            user_agent: user_agent
                .map(|UserAgent { original }| UserAgent { original: self.with(original, Self::user_agent) }),
            error: error.map(|fault| self.fault(fault, action)),
            finesse,
            ecs,
        };
        if self.count > 0 || event.finesse.redaction.is_some() {
            let before = event.finesse.redaction.map_or(0, |redaction| redaction.count);
            // A line that is stricter already does not become less so.
            let was = event.finesse.redaction.and_then(|redaction| redaction.level.parse().ok()).unwrap_or(Level::Auth);
            let level = self.level.max(was).max(Level::Auth).as_str();
            event.finesse.redaction = Some(Redaction { level, count: before + self.count });
        }
        event
    }

    /// A text through one of the rules; untouched where the level keeps everything.
    pub(super) fn with<'e>(
        &mut self,
        text: Cow<'e, str>,
        rule: impl FnOnce(&mut Self, &str) -> String,
    ) -> Cow<'e, str> {
        if self.level <= Level::Auth && self.rules.is_empty() {
            return text;
        }
        let kept = rule(self, &text);
        if kept == text { text } else { Cow::Owned(kept) }
    }

    fn some<'e>(&mut self, text: Text<'e>, rule: impl FnOnce(&mut Self, &str) -> String) -> Text<'e> {
        text.map(|text| self.with(text, rule)).filter(|text| !text.is_empty())
    }

    fn what<'e>(&mut self, what: What, text: Text<'e>) -> Text<'e> {
        self.some(text, |this, text| this.by_name(what, "", text))
    }

    /// What stands for itself and is infrastructure: gone at the strictest level.
    fn place<'e>(&mut self, text: Text<'e>) -> Text<'e> {
        let kept = self.some(text, Self::machine);
        kept.filter(|_| self.level < Level::Minimal)
    }

    fn id<'e>(&mut self, Id { id }: Id<'e>) -> Id<'e> {
        // Hexadecimal digits of our own making (`trace.id`), a hash of a request's, or the request's own id.
        let own =
            matches!(id.len(), 2..=8 | 16 | 32) && id.bytes().all(|b| b.is_ascii_hexdigit() || b"scw".contains(&b));
        Id { id: if own { id } else { self.with(id, Self::identifier) } }
    }

    /// A machine's name, or what its administrator calls it.
    pub(in crate::capture) fn observer<'e>(&mut self, Observer { name }: Observer<'e>) -> Option<Observer<'e>> {
        self.place(Some(name)).map(|name| Observer { name })
    }

    fn endpoint<'e>(&mut self, Endpoint { domain, ip, port }: Endpoint<'e>) -> Endpoint<'e> {
        Endpoint { domain: self.place(domain), ip: self.place(ip), port }
    }

    fn fault<'e>(&mut self, Fault { kind, code, message }: Fault<'e>, action: &str) -> Fault<'e> {
        let ours = matches!(
            action,
            "decode-error"
                | "capture-gap"
                | "redaction-blocked"
                | "connection-closed"
                | "connection-opened"
                | "tls-handshake"
        );
        Fault {
            kind: self.some(kind, |this, kind| this.sentence_or_word(kind)),
            // A condition or alert by its name, or what a REST error calls its data.
            code: self.some(code, |this, code| {
                if is_number(code) || !(ours || known::element(&code.to_lowercase())) {
                    this.number(code, 3)
                } else {
                    this.word(code)
                }
            }),
            message: self.some(message, |this, message| match action {
                "connection-closed" | "connection-opened" | "tls-handshake" => this.ours(message),
                // Constant sentences.
                _ if ours => this.own_text(message),
                _ => this.text(message),
            }),
        }
    }

    /// `Invalid State`: a peer's code, in words.
    pub(super) fn sentence_or_word(&mut self, value: &str) -> String {
        let words = value.len() <= 48 && value.bytes().all(|b| b.is_ascii_alphabetic() || b" _-".contains(&b));
        if words { self.without_names(value) } else { self.word(value) }
    }

    fn http<'e>(&mut self, http: Http<'e>, [request_type, response_type]: &[String; 2]) -> Http<'e> {
        let Http { version, request: HttpRequest { method, mime_type, bytes, body }, response } = http;
        Http {
            version,
            request: HttpRequest {
                method: self.some(method, Self::method),
                mime_type: self.some(mime_type, Self::word),
                bytes,
                body: self.body(body, request_type),
            },
            response: response.map(|HttpResponse { status_code, mime_type, bytes, body }| HttpResponse {
                status_code,
                mime_type: self.some(mime_type, Self::word),
                bytes,
                body: self.body(body, response_type),
            }),
        }
    }

    fn method(&mut self, method: &str) -> String {
        if self.level > Level::Auth && !rules::is_method(method) && method != UNKNOWN_METHOD {
            self.removed(Class::Unknown);
            return UNKNOWN_METHOD.to_owned();
        }
        method.to_owned()
    }

    fn body<'e>(&mut self, HttpBody { bytes, content }: HttpBody<'e>, mime: &str) -> HttpBody<'e> {
        HttpBody { bytes, content: self.some(content, |this, text| this.content(text, mime)) }
    }

    fn tls<'e>(&mut self, tls: Tls<'e>) -> Tls<'e> {
        let Tls { version, version_protocol, cipher, next_protocol, established, resumed, client, server } = tls;
        let minimal = self.level == Level::Minimal;
        Tls {
            version,
            version_protocol,
            cipher: self.some(cipher, Self::word),
            next_protocol: self.some(next_protocol, Self::word),
            established,
            resumed,
            client: client
                .map(|TlsClient { server_name }| TlsClient { server_name: self.with(server_name, Self::machine) })
                .filter(|_| !minimal),
            server: server.map(|server| self.certificate(server)).filter(|_| !minimal),
        }
    }

    fn certificate<'e>(&mut self, certificate: TlsServer<'e>) -> TlsServer<'e> {
        let TlsServer {
            subject,
            issuer,
            not_before,
            not_after,
            hash: Hash { sha256 },
            x509: X509 { alternative_names },
        } = certificate;
        TlsServer {
            subject: self.with(subject, Self::distinguished_name),
            issuer: self.with(issuer, Self::distinguished_name),
            not_before: self.word(&not_before),
            not_after: self.word(&not_after),
            hash: Hash { sha256: self.with(sha256, Self::label) },
            x509: X509 {
                alternative_names: alternative_names
                    .into_iter()
                    .map(|name| {
                        self.with(name, |this, name| match name.split_once(':') {
                            Some((kind @ ("DNS" | "IP"), value)) => format!("{kind}:{}", this.machine(value)),
                            _ => this.label(name),
                        })
                    })
                    .collect(),
            },
        }
    }

    /// `CN=host, O=…`: of the parts only the common name, as a token (RFC 4514).
    fn distinguished_name(&mut self, value: &str) -> String {
        if self.level <= Level::Auth {
            return value.to_owned();
        }
        let name = value.split(',').find_map(|part| part.trim().strip_prefix("CN=")).unwrap_or(value);
        let host = name.contains('.') && !name.contains(' ');
        format!("CN={}", if host { self.host(name) } else { self.label(name) })
    }

    fn finesse<'e>(&mut self, finesse: Finesse<'e>) -> Finesse<'e> {
        let mut finesse = finesse;
        // In place, as the schema's own version is nobody's business; the fields are listed once more to be complete.
        let Finesse {
            schema: _,
            session,
            conn,
            ws,
            stream,
            direction: _,
            stage: _,
            keepalive: _,
            tls: _,
            http,
            api,
            sasl,
            xmpp,
            update,
            decode: _,
            finding,
            summary,
            gap,
            capture,
            redaction: _,
            xml_bytes: _,
            xml_truncated: _,
            xml,
        } = &mut finesse;
        *session = session.take().map(|id| self.id(id));
        *conn = conn.take().map(|conn| self.conn(conn));
        *ws = ws.take().map(|ws| self.ws(ws));
        *stream = stream.take().map(|stream| Box::new(self.stream(*stream)));
        *http = http.take().map(|facts| Box::new(self.facts(*facts)));
        *api = api.take().map(|api| self.api(api));
        *sasl = sasl.take().map(|Sasl { mechanism, reason }| Sasl {
            mechanism: self.some(mechanism, Self::mechanism),
            reason: self.some(reason, Self::element_name),
        });
        *xmpp = xmpp.take().map(|xmpp| self.xmpp(xmpp));
        *update = update.take().map(|update| self.update(update));
        *finding = finding.take().map(|finding| Box::new(self.finding(*finding)));
        *summary = summary.take().map(|summary| Box::new(self.summary(*summary)));
        if let Some(gap) = gap {
            gap.at = self.word(&gap.at);
        }
        *capture = capture.take().map(|capture| Box::new(self.capture(*capture)));
        *xml = xml.take().map(|xml| self.with(xml, |this, xml| this.xml(xml, 0))).filter(|xml| !xml.is_empty());
        finesse
    }

    fn conn<'e>(&mut self, conn: Conn<'e>) -> Conn<'e> {
        let Conn { id, sni, upstream, by, how, unclean, c2s_bytes, s2c_bytes } = conn;
        let upstream = upstream.map(|Upstream { ip, port, connect_us }| Upstream {
            ip: self.place(ip.map(Cow::Owned)).map(Cow::into_owned),
            port,
            connect_us,
        });
        Conn { id: self.word(&id), sni: self.place(sni), upstream, by, how, unclean, c2s_bytes, s2c_bytes }
    }

    fn ws<'e>(&mut self, ws: Ws<'e>) -> Ws<'e> {
        Ws {
            id: self.word(&ws.id),
            protocols_offered: ws.protocols_offered.into_iter().map(|p| self.with(p, Self::subprotocols)).collect(),
            protocol: self.some(ws.protocol, Self::subprotocols),
            extensions_offered: self.some(ws.extensions_offered, Self::parameters),
            extensions: self.some(ws.extensions, Self::parameters),
            accept_valid: ws.accept_valid,
            opcode: self.some(ws.opcode, Self::word),
            payload_bytes: ws.payload_bytes,
            wire_bytes: ws.wire_bytes,
            fragments: ws.fragments,
            compressed: ws.compressed,
            text: self.some(ws.text, Self::unknown),
            rtt_us: ws.rtt_us,
            idle_ms: ws.idle_ms,
            close: ws.close.map(|WsClose { code, reason, initiator, handshake }| WsClose {
                code,
                reason: self.some(reason, Self::text),
                initiator,
                handshake,
            }),
            c2s: ws.c2s,
            s2c: ws.s2c,
        }
    }

    fn stream<'e>(&mut self, stream: Stream<'e>) -> Stream<'e> {
        let Stream {
            id,
            sid,
            request,
            repeated,
            open_requests,
            wait_s,
            hold,
            most_requests,
            inactivity_s,
            polling_s,
            close,
            requests,
            c2s,
            s2c,
        } = stream;
        Stream {
            id: self.word(&id),
            sid: self.some(sid, Self::session),
            request,
            repeated,
            open_requests,
            wait_s,
            hold,
            most_requests,
            inactivity_s,
            polling_s,
            close: close.map(|StreamClose { by, how, condition }| StreamClose {
                by,
                how,
                condition: self.some(condition, Self::element_name),
            }),
            requests,
            c2s,
            s2c,
        }
    }

    /// `permessage-deflate; client_max_window_bits=15, …`
    fn parameters(&mut self, value: &str) -> String {
        let fine = value.len() <= 256 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=;, \"".contains(&b));
        if fine && value.contains("deflate") { value.to_owned() } else { self.unknown(value) }
    }

    fn facts<'e>(&mut self, facts: HttpFacts<'e>) -> HttpFacts<'e> {
        HttpFacts {
            request_headers: self.headers(facts.request_headers),
            response_headers: self.headers(facts.response_headers),
            rewrite: facts.rewrite.map(|Rewrite { count, request_headers, response_headers }| Rewrite {
                count,
                request_headers: self.headers(request_headers),
                response_headers: self.headers(response_headers),
            }),
            ..facts
        }
    }

    fn headers<'e>(&mut self, headers: Vec<Header<'e>>) -> Vec<Header<'e>> {
        headers.into_iter().filter_map(|header| self.header(header)).collect()
    }

    fn header<'e>(&mut self, Header { name, value }: Header<'e>) -> Option<Header<'e>> {
        let lower = name.to_lowercase();
        if let Some(value) = self.ruled(Place::Header, &lower, &value) {
            let value = Cow::Owned(value);
            return Some(Header { name, value }).filter(|header| !header.value.is_empty());
        }
        if self.level <= Level::Auth {
            return Some(Header { name, value });
        }
        let kept = match rules::field(&lower) {
            Field::Authorization => {
                let (scheme, rest) = value.split_once(' ').unwrap_or(("", &value));
                let known = ["basic", "bearer", "digest", "negotiate", "ntlm"];
                let scheme =
                    if known.contains(&&*scheme.to_lowercase()) { format!("{scheme} ") } else { String::new() };
                format!("{scheme}{}", self.credential("authorization", rest))
            }
            Field::Challenge => {
                let scheme = value.split(' ').next().unwrap_or_default();
                self.word(scheme)
            }
            Field::Cookie => value.split(';').map(|pair| self.cookie(pair.trim())).collect::<Vec<_>>().join("; "),
            Field::SetCookie => {
                let mut parts = value.split(';');
                let pair = self.cookie(parts.next().unwrap_or_default().trim());
                let plain = |part: &&str| {
                    let name = part.split('=').next().unwrap_or_default().to_lowercase();
                    matches!(&*name, "secure" | "httponly" | "samesite" | "max-age" | "expires" | "partitioned")
                };
                let rest: Vec<&str> = parts.map(str::trim).filter(plain).collect();
                std::iter::once(&*pair).chain(rest).collect::<Vec<_>>().join("; ")
            }
            Field::Url => self.url(&value),
            Field::Text(Class::Operational) => match &*lower {
                "user-agent" => self.user_agent(&value),
                "requestid" => self.identifier(&value),
                "sec-websocket-protocol" => self.subprotocols(&value),
                "sec-websocket-extensions" => self.parameters(&value),
                "content-security-policy"
                | "content-disposition"
                | "warning"
                | "access-control-request-headers"
                | "content-language" => return self.dropped(),
                "content-type" => self.content_type(&value),
                _ => self.plain(&lower, &value),
            },
            Field::Text(Class::Infrastructure) if lower == "host" => self.host(&value),
            Field::Text(Class::Credential) if rules::is_telling(&lower) => self.credential(&lower, &value),
            Field::Text(_) => return self.dropped(),
        };
        let value = if kept == value { value } else { Cow::Owned(kept) };
        Some(Header { name, value }).filter(|header| !header.value.is_empty())
    }

    /// The type and its charset, of all parameters.
    fn content_type(&mut self, value: &str) -> String {
        const CHARSETS: [&str; 4] = ["utf-8", "utf-16", "iso-8859-1", "us-ascii"];
        let mut parts = value.split(';');
        let mut kept = self.word(parts.next().unwrap_or_default());
        for parameter in parts {
            let lower = parameter.trim().to_ascii_lowercase().replace('"', "");
            if lower.is_empty() || lower.strip_prefix("charset=").is_some_and(|name| CHARSETS.contains(&name)) {
                kept.push(';');
                kept.push_str(parameter);
            } else {
                self.removed(Class::Unknown);
            }
        }
        kept
    }

    fn dropped<'e>(&mut self) -> Option<Header<'e>> {
        self.removed(Class::Unknown);
        None
    }

    fn cookie(&mut self, pair: &str) -> String {
        // A value without a name may end in base64's padding.
        let named =
            pair.split_once('=').filter(|(name, value)| name.len() <= 64 && !value.trim_matches('=').is_empty());
        let Some((name, value)) = named else { return self.session(pair) };
        let value = value.trim_matches('"');
        let lower = name.to_lowercase();
        let name = match known::cookie_prefix(&lower).and_then(|at| name.split_at_checked(at)) {
            Some((prefix, who)) => Cow::Owned(format!("{prefix}{}", self.login(who))),
            None if known::cookie(&lower) => Cow::Borrowed(name),
            None => Cow::Owned(self.session(name)),
        };
        let kept = match rules::cookie(&lower) {
            Class::Operational => self.number(value, 12),
            Class::Person => self.login(value),
            Class::Phone => self.phone(value),
            _ => self.session(value),
        };
        format!("{name}={kept}")
    }

    fn api<'e>(&mut self, api: Api<'e>) -> Api<'e> {
        let Api { resource, operation, object_id, request_id, state, caused, gadget, token, client_log } = api;
        let user = resource.starts_with("User");
        Api {
            resource: self.with(resource, Self::api_resource),
            operation,
            object_id: self.what(if user { What::Login } else { What::Identifier }, object_id),
            request_id: self.some(request_id, Self::identifier),
            state: self.some(state, Self::word),
            caused,
            gadget: gadget.map(|Gadget { method, url, status_code }| Gadget {
                method: self.some(method, Self::method),
                url: self.some(url, Self::url),
                status_code,
            }),
            token,
            client_log: client_log.map(|log| ClientLog {
                first: self.some(log.first, Self::word),
                last: self.some(log.last, Self::word),
                ..log
            }),
        }
    }

    /// The path of a REST call behind `/finesse/api/`.
    pub(super) fn api_resource(&mut self, resource: &str) -> String {
        let path = self.path(&format!("/finesse/api/{resource}"));
        path.strip_prefix("/finesse/api/").unwrap_or_default().to_owned()
    }

    fn xmpp<'e>(&mut self, xmpp: Xmpp<'e>) -> Xmpp<'e> {
        let Xmpp {
            kind,
            name,
            stanza_type,
            id,
            from,
            to,
            payload,
            pubsub,
            resource,
            jid,
            mechanisms,
            rtt_us,
            in_reply_to,
        } = xmpp;
        Xmpp {
            kind,
            name: self.some(name, Self::element_name),
            stanza_type: self.some(stanza_type, Self::word),
            id: self.some(id, Self::identifier),
            from: self.some(from, Self::jid),
            to: self.some(to, Self::jid),
            payload: payload.map(|Payload { name, namespace }| {
                let known = self.level <= Level::Auth || rules::is_known_namespace(&namespace);
                Payload {
                    name: if known {
                        self.with(name, Self::element_name)
                    } else {
                        self.with(name, |_, _| String::from("unknown"))
                    },
                    namespace: if known { namespace } else { self.with(namespace, Self::unknown) },
                }
            }),
            pubsub: pubsub.map(|Pubsub { action, node, item_id, subscription, jid }| Pubsub {
                action: self.with(action, Self::element_name),
                node: self.what(What::Path, node),
                item_id: self.some(item_id, Self::identifier),
                subscription: self.some(subscription, Self::word),
                jid: self.some(jid, Self::jid),
            }),
            resource: self.some(resource, Self::resource),
            jid: self.some(jid, Self::jid),
            mechanisms: mechanisms.into_iter().map(|mechanism| self.with(mechanism, Self::mechanism)).collect(),
            rtt_us,
            in_reply_to,
        }
    }

    fn update<'e>(&mut self, update: Update<'e>) -> Update<'e> {
        let Update {
            event,
            object,
            object_name,
            source,
            request_id,
            caused_by,
            arrival_ms,
            skew_ms,
            user,
            dialog,
            dialogs,
            api_error,
            api_errors,
            system,
            team_message,
            thing,
            things,
        } = update;
        Update {
            event: self.some(event, Self::word),
            object,
            object_name: self.some(object_name, Self::element_name),
            source: self.what(What::Path, source),
            request_id: self.some(request_id, Self::identifier),
            caused_by: caused_by.map(|mut cause| {
                cause.method = self.method(&cause.method);
                cause
            }),
            arrival_ms,
            skew_ms,
            user: user.map(|user| self.update_user(user)),
            dialog: dialog.map(|dialog| self.update_dialog(dialog)),
            dialogs,
            api_error: api_error.map(|error| self.api_error(error)),
            api_errors,
            system: system.map(|system| Box::new(self.system(*system))),
            team_message: team_message.map(|message| Box::new(self.team_message(*message))),
            thing: thing.map(|thing| self.thing(thing, object)),
            things: things.into_iter().map(|thing| self.thing(thing, object)).collect(),
        }
    }

    fn api_error<'e>(&mut self, error: ApiError<'e>) -> ApiError<'e> {
        let ApiError { error_type, message, data, media, peripheral_code, peripheral_name, peripheral_text } = error;
        ApiError {
            error_type: self.some(error_type, Self::sentence_or_word),
            message: self.some(message, Self::text),
            // A longer one may be a person's: of some errors it is the user.
            data: self.some(data, |this, data| this.number(data, 3)),
            media: self.some(media, |this, media| this.number(media, 6)),
            peripheral_code: self.some(peripheral_code, |this, code| this.number(code, 6)),
            peripheral_name: self.some(peripheral_name, Self::text),
            peripheral_text: self.some(peripheral_text, Self::text),
        }
    }

    fn system<'e>(&mut self, system: System<'e>) -> System<'e> {
        System {
            status: self.some(system.status, Self::word),
            status_reason: self.some(system.status_reason, Self::text),
            deployment: self.some(system.deployment, Self::word),
            auth_mode: self.some(system.auth_mode, Self::word),
            cti_heartbeat: self.some(system.cti_heartbeat, Self::word),
            cti_heartbeat_time: self.some(system.cti_heartbeat_time, Self::word),
            cti_version: self.some(system.cti_version, Self::word),
            cti_maintenance: self.some(system.cti_maintenance, Self::word),
            finesse_maintenance: self.some(system.finesse_maintenance, Self::word),
            peripheral_id: self.some(system.peripheral_id, |this, id| this.number(id, 6)),
            current_time: self.some(system.current_time, Self::word),
            xmpp_domain: self.place(system.xmpp_domain),
            primary_host: self.place(system.primary_host),
            secondary_host: self.place(system.secondary_host),
            cti_host: self.place(system.cti_host),
            alternate_host: self.place(system.alternate_host),
            ..system
        }
    }

    fn team_message<'e>(&mut self, message: TeamMessage<'e>) -> TeamMessage<'e> {
        TeamMessage {
            id: self.what(What::Identifier, message.id),
            created_by: self.some(message.created_by, Self::login),
            content: self.some(message.content, Self::customer),
            teams: message.teams.into_iter().map(|team| self.with(team, |this, id| this.number(id, 12))).collect(),
            ..message
        }
    }

    fn thing<'e>(&mut self, thing: Thing<'e>, object: &str) -> Thing<'e> {
        // A device's id is a phone's name, which holds its MAC address or number.
        let is_device = object == "Devices";
        Thing {
            id: self.what(if is_device { What::Phone } else { What::Identifier }, thing.id),
            name: self.what(What::Label, thing.name).filter(|_| self.level < Level::Minimal),
            state: self.some(thing.state, Self::word),
            state_change_time: self.some(thing.state_change_time, Self::word),
            reason_code: self.some(thing.reason_code, |this, code| this.number(code, 6)),
            reason_label: self.some(thing.reason_label, Self::text),
            ..thing
        }
    }

    fn update_user<'e>(&mut self, user: UpdateUser<'e>) -> UpdateUser<'e> {
        let UpdateUser {
            id,
            name,
            extension,
            state,
            previous_state,
            pending_state,
            state_change_time,
            reason_code,
            reason_label,
            team_id,
            team_name,
        } = user;
        UpdateUser {
            id: self.some(id, Self::login),
            name: self.some(name, Self::login),
            extension: self.some(extension, Self::phone),
            state: self.some(state, Self::word),
            previous_state: self.some(previous_state, Self::word),
            pending_state: self.some(pending_state, Self::word),
            state_change_time: self.some(state_change_time, Self::word),
            reason_code: self.some(reason_code, |this, code| this.number(code, 6)),
            reason_label: self.some(reason_label, Self::text),
            team_id: self.what(What::Identifier, team_id),
            team_name: self.what(What::Label, team_name).filter(|_| self.level < Level::Minimal),
        }
    }

    fn update_dialog<'e>(&mut self, dialog: UpdateDialog<'e>) -> UpdateDialog<'e> {
        let UpdateDialog {
            id,
            associated_id,
            secondary_id,
            state,
            state_cause,
            previous_state,
            call_type,
            media_type,
            from_address,
            to_address,
            dialed_number,
            queue_id,
            queue_name,
            call_key_day,
            call_key,
            first_sequence,
            age_ms,
            agents,
            participants,
        } = dialog;
        UpdateDialog {
            id: self.what(What::Identifier, id),
            associated_id: self.what(What::Identifier, associated_id),
            secondary_id: self.what(What::Identifier, secondary_id),
            state_cause: self.some(state_cause, Self::word),
            state: self.some(state, Self::word),
            previous_state: self.some(previous_state, Self::word),
            call_type: self.some(call_type, Self::word),
            media_type: self.some(media_type, Self::word),
            from_address: self.some(from_address, Self::phone),
            to_address: self.some(to_address, Self::phone),
            dialed_number: self.some(dialed_number, Self::phone),
            queue_id: self.what(What::Identifier, queue_id),
            queue_name: self.what(What::Label, queue_name).filter(|_| self.level < Level::Minimal),
            call_key_day: self.what(What::Identifier, call_key_day),
            call_key: self.what(What::Identifier, call_key),
            first_sequence,
            age_ms,
            agents,
            participants: participants
                .into_iter()
                .map(|party| Participant {
                    address: self.some(party.address, Self::phone),
                    address_type: self.some(party.address_type, Self::word),
                    state: self.some(party.state, Self::word),
                    state_cause: self.some(party.state_cause, Self::word),
                    state_change_time: self.some(party.state_change_time, Self::word),
                    actions: party.actions.into_iter().map(|action| self.with(action, Self::word)).collect(),
                })
                .collect(),
        }
    }

    fn capture<'e>(&mut self, capture: Capture<'e>) -> Capture<'e> {
        let settings: Vec<(String, String)> =
            capture.settings.iter().map(|setting| (setting.name.to_string(), setting.value.to_string())).collect();
        let settings = self.settings(&settings);
        Capture {
            run: self.with(capture.run, Self::word),
            settings: settings
                .into_iter()
                .map(|(name, value)| Setting { name: Cow::Owned(name), value: Cow::Owned(value) })
                .collect(),
            ..capture
        }
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
}
