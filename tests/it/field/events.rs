//! Updates: what the server tells an agent's socket.

use super::run::START_US;
use super::script::{Words, milliseconds};
use super::wire::{self, element};
use super::world::World;
use finesse_tap::conn::Direction;

impl World {
    /// `event WHAT …`: see the README.
    pub(super) fn event(&mut self, who: &str, words: &Words, number: usize) {
        let id = self.agents[who].id.clone();
        let word = |index: usize| words.at(index).unwrap_or_else(|| panic!("line {number}: the event lacks a word"));
        match word(0) {
            "User" => self.user_event(who, word(1), words),
            what @ ("Dialogs" | "Dialog") => self.dialog_event(who, what, word(1), word(2), word(3), words),
            "Task" => self.dialog_event(who, "Task", word(1), word(2), word(3), words),
            "Media" => {
                let (media, state) = (word(1), word(2));
                let source = format!("/finesse/api/User/{id}/Media/{media}");
                let data = format!("<Media><id>{media}</id><state>{state}</state><uri>{source}</uri></Media>");
                self.notify(who, &format!("/finesse/api/User/{id}/Media"), &data, "put", words, &source);
            }
            "Team" => {
                let team = format!("/finesse/api/Team/{}/Users", self.agents[who].team);
                let other = word(1);
                let data = format!(
                    "<user><loginId>{other}</loginId><state>{}</state><stateChangeTime>{}</stateChangeTime></user>",
                    word(2),
                    self.ago(words)
                );
                self.notify(who, &team, &data, "put", words, &format!("/finesse/api/User/{other}"));
            }
            "Queue" => {
                let node = format!("/finesse/api/Queue/{}", word(1));
                let data =
                    format!("<Queue><uri>{node}</uri><statistics><callsInQueue>3</callsInQueue></statistics></Queue>");
                self.notify(who, &node, &data, "put", words, &node);
            }
            "Queues" => {
                let node = format!("/finesse/api/User/{id}/Queues");
                let data = format!("<Queues><Queue><uri>/finesse/api/Queue/{}</uri></Queue></Queues>", word(1));
                self.notify(who, &node, &data, "post", words, &node);
            }
            "SystemInfo" => {
                let node = "/finesse/api/SystemInfo";
                let extra = ["statusReason", "finesseMMode", "ctiMMode", "lastCTIHeartbeatStatus"];
                let extra: String =
                    extra.into_iter().filter_map(|name| Some(element(name, words.get(name)?))).collect();
                let data = format!("<systemInfo><status>{}</status>{extra}</systemInfo>", word(1));
                self.notify(who, node, &data, "PUT", words, node);
            }
            "TeamMessage" => {
                let node = format!("/finesse/api/Team/{}/TeamMessages", self.agents[who].team);
                let data = "<TeamMessage><id>be15</id><content>Lunch at noon</content></TeamMessage>";
                self.notify(who, &node, data, "POST", words, "/finesse/api/TeamMessage/be15");
            }
            "error" => {
                let source = match words.or("source", "User") {
                    "User" => format!("/finesse/api/User/{id}"),
                    other => format!("/finesse/api/{}", other.replace("ME", &id)),
                };
                let below = if source.contains("/Dialog") {
                    "/Dialogs"
                } else if source.contains("/Media") {
                    "/Media"
                } else {
                    ""
                };
                let data = format!(
                    "<apiErrors><apiError><errorData>{}</errorData><errorMessage>{}</errorMessage><errorType>{}</errorType></apiError></apiErrors>",
                    words.or("data", "22"),
                    words.or("message", "CF_INVALID_OBJECT_STATE"),
                    word(1)
                );
                self.notify(
                    who,
                    &format!("/finesse/api/User/{id}{below}"),
                    &data,
                    words.or("verb", "PUT"),
                    words,
                    &source,
                );
            }
            "raw" => {
                let node = words.or("node", "ME").replace("ME", &format!("/finesse/api/User/{id}"));
                let payload = words.or("payload", "");
                self.publish(who, &node, payload, words.get("item"));
            }
            other => panic!("line {number}: there is no event `{other}`"),
        }
    }

    pub(super) fn user_event(&mut self, who: &str, state: &str, words: &Words) {
        let data = self.user(who, state, words);
        let path = format!("/finesse/api/User/{}", self.agents[who].id);
        self.notify(who, &path, &data, words.or("verb", "PUT"), words, &path);
    }

    pub(super) fn user(&self, who: &str, state: &str, words: &Words) -> String {
        let agent = &self.agents[who];
        let reason = words.get("reason").map(|code| {
            format!(
                "<reasonCode><category>{state}</category><code>{code}</code><id>7</id><label>{}</label></reasonCode>",
                words.or("label", "x")
            )
        });
        let fields = [
            element("dialogs", &format!("/finesse/api/User/{}/Dialogs", agent.id)),
            element("extension", &agent.extension),
            element("loginId", &agent.id),
            element("loginName", &agent.name),
            element("mediaType", "1"),
            element("pendingState", words.or("pending", "")),
            reason.unwrap_or_else(|| element("reasonCodeId", words.or("key", "-1"))),
            element("roles", "<role>Agent</role>"),
            element("state", state),
            element("stateChangeTime", &self.ago(words)),
            element("teamId", &agent.team),
            element("uri", &format!("/finesse/api/User/{}", agent.id)),
        ];
        element("user", &fields.concat())
    }

    /// The server's time, `changed` ago, its clock `skew` ahead.
    pub(super) fn ago(&self, words: &Words) -> String {
        let ago_ms = i64::try_from(milliseconds(words.or("changed", "0.02"))).unwrap();
        let at_ms = START_US / 1_000 + i64::try_from(self.now_ms).unwrap() - ago_ms;
        format!("{:.3}", jiff::Timestamp::from_millisecond(at_ms).unwrap())
    }

    pub(super) fn dialog_event(&mut self, who: &str, what: &str, verb: &str, dialog: &str, state: &str, words: &Words) {
        let agent = &self.agents[who];
        let actions = match state {
            "ALERTING" => "<action>ANSWER</action>",
            "ACTIVE" => {
                "<action>HOLD</action><action>DROP</action><action>CONSULT_CALL</action><action>TRANSFER_SST</action>"
            }
            "HELD" => "<action>RETRIEVE</action><action>DROP</action>",
            "OFFERED" => "<action>ACCEPT</action>",
            _ => "",
        };
        let time = self.ago(words);
        let participant = |address: &str, kind: &str, state: &str, actions: &str| {
            format!(
                "<Participant><actions>{actions}</actions><mediaAddress>{address}</mediaAddress><mediaAddressType>{kind}</mediaAddressType>\
                 <startTime>{time}</startTime><state>{state}</state><stateCause>{}</stateCause><stateChangeTime>{time}</stateChangeTime></Participant>",
                words.or("cause", "")
            )
        };
        let own = participant(&agent.extension, "AGENT_DEVICE", words.or("own", state), actions);
        let others = participant(words.or("from", "441632960000"), "", state, "");
        let inner = format!(
            "<associatedDialogUri>{}</associatedDialogUri><fromAddress>{}</fromAddress><id>{dialog}</id><mediaProperties><DNIS>7000</DNIS>\
             <callType>{}</callType><callvariables></callvariables></mediaProperties><mediaType>{}</mediaType><participants>{own}{others}</participants>\
             <state>{state}</state><toAddress>{}</toAddress><uri>/finesse/api/Dialog/{dialog}</uri>",
            words.or("with", ""),
            words.or("from", "441632960000"),
            words.or("type", "ACD_IN"),
            if what == "Task" { "Cisco_Chat_MRD" } else { "Voice" },
            words.or("to", "8213"),
        );
        let id = agent.id.clone();
        let (node, source, data) = match (what, verb) {
            ("Dialogs", _) => {
                let node = format!("/finesse/api/User/{id}/Dialogs");
                (node.clone(), node, format!("<dialogs><Dialog>{inner}</Dialog></dialogs>"))
            }
            ("Dialog", _) => (
                format!("/finesse/api/User/{id}/Dialogs"),
                format!("/finesse/api/Dialog/{dialog}"),
                element("dialog", &inner),
            ),
            (_, "PUT") => (
                format!("/finesse/api/User/{id}/Dialogs/Media"),
                format!("/finesse/api/Dialog/{dialog}"),
                element("dialog", &inner),
            ),
            _ => (
                format!("/finesse/api/User/{id}/Dialogs/Media"),
                format!("/finesse/api/User/{id}/Media/5000/Dialogs"),
                format!("<dialogs><Dialog>{inner}</Dialog></dialogs>"),
            ),
        };
        self.notify(who, &node, &data, verb, words, &source);
    }

    /// An Update to the agent's socket.
    pub(super) fn notify(&mut self, who: &str, node: &str, data: &str, verb: &str, words: &Words, source: &str) {
        let request = match words.or("request", "") {
            "last" => self.agents[who].last_request.clone(),
            other => other.to_owned(),
        };
        let update = wire::update(data, verb, &request, source);
        let node = words.or("node", node).to_owned();
        self.publish(who, &node, &update, words.get("item"));
    }

    pub(super) fn publish(&mut self, who: &str, node: &str, payload: &str, item: Option<&str>) {
        self.items += 1;
        let item = match item {
            Some("again") => {
                self.items -= 1;
                format!("{}{}", self.process, self.items)
            }
            Some(process) => format!("{process}{}", self.items),
            None => format!("{}{}", self.process, self.items),
        };
        let agent = &self.agents[who];
        let message = wire::message(&agent.host, &agent.jid, node, &item, payload);
        self.say(who, Direction::S2c, &message);
    }
}
