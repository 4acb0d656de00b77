//! Pages, REST calls and what stands for a click: what a browser says over HTTP.

use super::run::{START_US, Step};
use super::script::{Words, milliseconds};
use super::wire::{self, PASSWORD, TOKEN, element};
use super::world::{Auth, RTT_MS, World, api_error, host, system_info};
use finesse_tap::capture::observation::{End, How};
use finesse_tap::conn::{Direction, Kind};
use std::collections::BTreeMap;

impl World {
    /// `asks STATE [changed=8] [reason=3]`: the agent is read, and the server says this.
    pub(super) fn asks(&mut self, who: &str, words: &Words) {
        let path = format!("/finesse/api/User/{}", self.agents[who].path);
        let user = self.user(who, words.at(0).unwrap(), words);
        self.rest_call(who, "GET", &path, 200, &[], "", &user);
    }

    /// `polls STATUS [statusReason=…] [at=fin2]`: SystemInfo is read; a number is the answer's own status.
    pub(super) fn polls(&mut self, who: &str, words: &Words) {
        let status = words.at(0).unwrap();
        let at = words.get("at").map_or_else(|| self.agents[who].host.clone(), host);
        let more = words.get("statusReason").map(|reason| element("statusReason", reason)).unwrap_or_default();
        let info = system_info(&at, status, &self.deployment.clone(), &more);
        let (status, info) = match status.parse() {
            Ok(status) => (status, api_error("Service Unavailable", "503", "")),
            Err(_) => (200, info),
        };
        let options: Vec<(&str, &str)> =
            words.get("at").map(|at| ("at", at)).into_iter().chain([("auth", "none")]).collect();
        self.rest_call(who, "GET", "/finesse/api/SystemInfo", status, &options, "", &info);
    }

    /// `gadget URL STATUS`: a gadget's request through the container, whose own answer is good.
    pub(super) fn gadget(&mut self, who: &str, words: &Words) {
        let (url, status) = (words.at(0).unwrap().to_owned(), words.at(1).unwrap().to_owned());
        let coded = url.replace(':', "%3A").replace('/', "%2F");
        let path = format!("/gadgets/makeRequest?refresh=0&httpMethod=GET&url={coded}");
        let answer = format!("throw 1; < don't be evil' >{{\"{url}\":{{\"body\":\"\",\"rc\":{status}}}}}");
        self.rest_call(who, "GET", &path, 200, &[("type", "application/json"), ("auth", "none")], "", &answer);
    }

    /// The page, its parts, and what is asked before anybody is signed in.
    pub(super) fn page(&mut self, who: &str, words: &Words) {
        if let Some(name) = words.get("at") {
            self.agent(who).host = host(name);
        }
        let agent = &self.agents[who];
        let (name, host) = (agent.name.clone(), agent.host.clone());
        self.rest_call(who, "GET", "/desktop/container/", 200, &[], "", "<html></html>");
        self.rest_call(who, "GET", "/desktop/assets/js/desktop.js", 304, &[("auth", "none")], "", "");
        self.rest_call(who, "GET", "/desktop/theme/finesse/logo.png", 404, &[("auth", "none")], "", "");
        let info = system_info(&host, "IN_SERVICE", &self.deployment.clone(), "");
        self.rest_call(who, "GET", "/finesse/api/SystemInfo", 200, &[("auth", "none")], "", &info);
        if self.agents[who].auth == Auth::Bearer {
            let mode = "<UserAuthMode><authMode>SSO</authMode></UserAuthMode>";
            self.rest_call(
                who,
                "GET",
                &format!("/finesse/api/UserAuthMode/{name}"),
                200,
                &[("auth", "none")],
                "",
                mode,
            );
            let token = format!(
                "{{\"token\":\"{TOKEN}\",\"refresh_token\":\"{TOKEN}-r\",\"expires_in\":300,\"user_id\":\"{name}\"}}"
            );
            let path = format!("/desktop/sso/token?cc_username={name}&return_refresh_token=true");
            self.rest_call(who, "GET", &path, 200, &[("auth", "none")], "", &token);
        }
        let (id, path) = (self.agents[who].id.clone(), self.agents[who].path.clone());
        let user = self.user(who, "LOGOUT", &Words::default());
        assert!(!id.is_empty());
        self.rest_call(who, "GET", &format!("/finesse/api/User/{path}"), 200, &[], "", &user);
    }

    /// What a desktop reads when it has signed in; some of it is not there.
    pub(super) fn reads(&mut self, who: &str) {
        let (id, team) = (self.agents[who].path.clone(), self.agents[who].team.clone());
        for (path, status) in [
            (format!("User/{id}/Dialogs"), 200),
            (format!("User/{id}/Media"), 200),
            (format!("User/{id}/ReasonCodes?category=NOT_READY"), 200),
            (format!("Team/{team}/WrapUpReasons"), 304),
            (format!("Team/{team}/PhoneBooks"), 200),
            (format!("User/{id}/Queues"), 404),
            ("ChatConfig".to_owned(), 404),
        ] {
            let answer = if status == 404 {
                api_error("Not Found", "HTTP Status code: 404 (Not Found)", path.split('/').next().unwrap())
            } else {
                String::new()
            };
            self.rest_call(who, "GET", &format!("/finesse/api/{path}"), status, &[], "", &answer);
        }
    }

    /// A request and its response on the agent's connection for such; gives when the response came.
    #[allow(clippy::too_many_arguments, reason = "a request and its response")]
    pub(super) fn rest_call(
        &mut self,
        who: &str,
        method: &str,
        path: &str,
        status: u16,
        options: &[(&str, &str)],
        body: &str,
        answer: &str,
    ) {
        let options: BTreeMap<&str, &str> = options.iter().copied().collect();
        let agent = &self.agents[who];
        let at = options.get("at").map_or_else(|| agent.host.clone(), |name| host(name));
        let key = format!("{at} {}", options.get("conn").copied().unwrap_or_default());
        let (client, known) = (agent.client, agent.rest.get(&key).copied());
        let conn = known.unwrap_or_else(|| {
            let conn = self.open(client, &at, 8445, Kind::Https);
            self.agent(who).rest.insert(key, conn);
            conn
        });
        let agent = &self.agents[who];
        let mut fields =
            vec![("User-Agent", agent.browser.clone()), ("Cookie", format!("JSESSIONID=Canary-{}", agent.id))];
        if options.get("cookie") == Some(&"no") {
            fields.pop();
        }
        match (options.get("auth").copied(), agent.auth) {
            (Some("none"), _) => {}
            (None, Auth::Basic) | (Some("basic"), _) => {
                fields
                    .push(("Authorization", format!("Basic {}", wire::base64(&format!("{}:{PASSWORD}", agent.basic)))));
            }
            _ => fields.push(("Authorization", format!("Bearer {TOKEN}"))),
        }
        if let Some(id) = options.get("id").filter(|id| !id.is_empty()) {
            fields.push(("requestId", (*id).to_owned()));
        }
        if let Some(origin) = options.get("origin") {
            fields.push(("Origin", (*origin).to_owned()));
            if method == "OPTIONS" {
                fields
                    .push(("Access-Control-Request-Method", options.get("asks").copied().unwrap_or("POST").to_owned()));
            }
        }
        let mut back = vec![("Server", "openresty".to_owned())];
        if let Some(id) = options.get("id-back") {
            back.push(("requestId", (*id).to_owned()));
        }
        if status == 401 {
            back.push(("WWW-Authenticate", "Basic realm=\"Cisco Finesse\"".to_owned()));
        }
        for (option, field) in [
            ("retry-after", "Retry-After"),
            ("location", "Location"),
            ("allows", "Access-Control-Allow-Origin"),
            ("type", "Content-Type"),
        ] {
            if let Some(value) = options.get(option) {
                back.push((field, (*value).to_owned()));
            }
        }
        if let (Some(ahead_ms), true) = (self.clock_ms, path.starts_with("/finesse/api/")) {
            let at_ms = START_US / 1_000 + i64::try_from(self.now_ms).unwrap() + ahead_ms;
            let date = jiff::Timestamp::from_millisecond(at_ms).unwrap();
            back.push(("Date", date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()));
        }
        let request = wire::request(method, path, &at, &fields, body);
        self.emit(conn, Step::Bytes(Direction::C2s, request));
        let took_ms = options.get("took").map_or(RTT_MS, |time| milliseconds(time));
        if status == 0 {
            if let Some(by) = options.get("cut") {
                self.pass(took_ms);
                let by = if *by == "client" { End::Client } else { End::Upstream };
                self.emit(conn, Step::Close(by, How::Rst));
                self.agent(who).rest.retain(|_, known| *known != conn);
            }
            return;
        }
        self.pass(took_ms);
        if answer.starts_with('<') && !options.contains_key("type") {
            back.push(("Content-Type", "application/xml".to_owned()));
        }
        self.emit(conn, Step::Bytes(Direction::S2c, wire::response(status, &back, answer)));
    }

    /// `rest METHOD PATH STATUS`
    pub(super) fn any_rest(&mut self, who: &str, words: &Words, number: usize) {
        let (Some(method), Some(path), Some(status)) = (words.at(0), words.at(1), words.at(2)) else {
            panic!("line {number}: rest METHOD PATH STATUS [body=…] [answer=…]");
        };
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/finesse/api/{path}") };
        let path = path.replace("ME", &self.agents[who].path);
        let mut options: Vec<(&str, &str)> = words.named.iter().map(|(name, value)| (&**name, &**value)).collect();
        let next = self.next_request(who, words);
        if !next.is_empty() {
            options.retain(|(name, _)| *name != "id");
            options.push(("id", &next));
        }
        let answer = match words.get("error") {
            Some(error) => api_error(error, words.or("message", error), words.or("data", "")),
            None => words.or("answer", "").to_owned(),
        };
        let body = words.or("body", "").to_owned();
        self.rest_call(who, method, &path, status.parse().unwrap(), &options, &body, &answer);
    }

    /// The requestId of a request that changes something, unless `id=no`.
    pub(super) fn next_request(&mut self, who: &str, words: &Words) -> String {
        let agent = self.agent(who);
        let id = match words.get("id") {
            Some("no") => String::new(),
            Some(id) => id.to_owned(),
            None if words.at(0) == Some("GET") => return String::new(),
            None => {
                agent.requests += 1;
                format!("{}-{}", agent.id, agent.requests)
            }
        };
        agent.last_request.clone_from(&id);
        id
    }

    /// `state STATE`: PUT, 202, event.
    pub(super) fn state(&mut self, who: &str, words: &Words) {
        let state = words.at(0).unwrap().to_owned();
        let id = self.next_request(who, words);
        let agent = &self.agents[who];
        let reason = words.get("reason").map(|reason| element("reasonCodeId", reason)).unwrap_or_default();
        let extension = if state == "LOGIN" { element("extension", &agent.extension) } else { String::new() };
        let body = format!("<User><state>{state}</state>{extension}{reason}</User>");
        let path = format!("/finesse/api/User/{}", agent.path);
        let came = match (&*state, words.get("becomes")) {
            (_, Some(state)) => state.to_owned(),
            ("LOGIN", None) => "NOT_READY".to_owned(),
            _ => state,
        };
        let mut details = words.clone();
        details.plain.clear();
        details
            .named
            .insert("request".into(), if words.get("echo") == Some("no") { String::new() } else { id.clone() });
        details.named.remove("reason");
        let status: u16 = words.or("status", "202").parse().unwrap();
        let event = words.or("event", if status == 202 { "yes" } else { "no" }).to_owned();
        if event == "before" {
            self.user_event(who, &came, &details);
        }
        let mut options: Vec<(&str, &str)> = ["auth", "conn", "took", "cookie", "at"]
            .into_iter()
            .filter_map(|name| Some((name, words.get(name)?)))
            .collect();
        if words.get("id") == Some("answer") {
            options.push(("id-back", &id));
        } else {
            options.push(("id", &id));
        }
        let answer = words
            .get("error")
            .map(|error| api_error(error, words.or("message", error), words.or("data", "")))
            .unwrap_or_default();
        self.rest_call(who, "PUT", &path, status, &options, &body, &answer);
        if event == "yes" {
            self.pass(RTT_MS);
            self.user_event(who, &came, &details);
        }
    }

    /// `dialog ID ACTION [state=…]`: PUT, 202, event.
    pub(super) fn dialog(&mut self, who: &str, words: &Words) {
        let (dialog, action) = (words.at(0).unwrap().to_owned(), words.at(1).unwrap().to_owned());
        let id = self.next_request(who, words);
        let body = format!(
            "<Dialog><requestedAction>{action}</requestedAction><targetMediaAddress>{}</targetMediaAddress></Dialog>",
            self.agents[who].extension
        );
        let status: u16 = words.or("status", "202").parse().unwrap();
        let answer = words
            .get("error")
            .map(|error| api_error(error, words.or("message", error), words.or("data", "")))
            .unwrap_or_default();
        self.rest_call(who, "PUT", &format!("/finesse/api/Dialog/{dialog}"), status, &[("id", &id)], &body, &answer);
        if words.or("event", if status == 202 { "yes" } else { "no" }) == "yes" {
            self.pass(RTT_MS);
            let state = words.or("state", if action == "DROP" { "DROPPED" } else { "ACTIVE" }).to_owned();
            let mut details = words.clone();
            details.named.insert("request".into(), if words.get("echo") == Some("no") { String::new() } else { id });
            self.dialog_event(who, "Dialog", "PUT", &dialog, &state, &details);
        }
    }

    /// `makes ID to=NUMBER`: POST, 202, Dialogs event.
    pub(super) fn make_call(&mut self, who: &str, words: &Words) {
        let dialog = words.at(0).unwrap().to_owned();
        let id = self.next_request(who, words);
        let agent = &self.agents[who];
        let body = format!(
            "<Dialog><requestedAction>MAKE_CALL</requestedAction><fromAddress>{}</fromAddress><toAddress>{}</toAddress></Dialog>",
            agent.extension,
            words.or("to", "3000")
        );
        let path = format!("/finesse/api/User/{}/Dialogs", agent.path);
        self.rest_call(who, "POST", &path, 202, &[("id", &id)], &body, "");
        if words.or("event", "yes") == "yes" {
            self.pass(RTT_MS);
            let mut details = words.clone();
            details.named.insert("request".into(), if words.get("echo") == Some("no") { String::new() } else { id });
            self.dialog_event(who, "Dialogs", "POST", &dialog, "INITIATING", &details);
        }
    }

    /// A whole incoming call.
    pub(super) fn call(&mut self, who: &str, words: &Words) {
        let dialog = words.at(0).unwrap().to_owned();
        let none = Words::default();
        self.user_event(who, "RESERVED", &none);
        self.dialog_event(who, "Dialogs", "POST", &dialog, "ALERTING", &none);
        self.pass(2_000);
        self.dialog(who, &Words { plain: vec![dialog.clone(), "ANSWER".into()], ..Words::default() });
        self.user_event(who, "TALKING", &none);
        self.pass(milliseconds(words.or("talk", "15")));
        let drop = BTreeMap::from([("state".to_owned(), "DROPPED".to_owned())]);
        self.dialog(who, &Words { plain: vec![dialog.clone(), "DROP".into()], named: drop });
        self.dialog_event(who, "Dialogs", "DELETE", &dialog, "DROPPED", &none);
        self.user_event(who, "WORK_READY", &none);
        self.pass(2_000);
        self.state(who, &Words { plain: vec!["READY".into()], ..Words::default() });
    }
}
