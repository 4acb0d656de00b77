//! One call between a customer and an agent: what may be done with it when, and how it is written as a Dialog.
//!
//! Time comes in as microseconds of wall clock. The customers are invented, their numbers come from the range kept free
//! for fiction (555-0100 to 555-0199), and their data sits where sites really put it: in call variables, one value often
//! holding several fields, a few with characters that have to be escaped.

use super::user::{ApiError, INVALID_STATE, State, iso};
use crate::demo::xml::leaf;

const DNIS: &str = "6500";

/// Somebody who calls.
struct Customer {
    number: &'static str,
    name: &'static str,
    mail: &'static str,
    account: &'static str,
    subject: &'static str,
}

const CUSTOMERS: [Customer; 4] = [
    Customer {
        number: "+12025550143",
        name: "Mara O'Quinn",
        mail: "mara.oquinn@mail.test",
        account: "4000123456",
        subject: "Invoice <2024-11> & refund",
    },
    Customer {
        number: "+14155550118",
        name: "Jörg Müller-Süß",
        mail: "jm+hotline@post.test",
        account: "4000771903",
        subject: "Contract \"Basic\"",
    },
    Customer {
        number: "+13125550167",
        name: "Zoë Lindqvist",
        mail: "zoe@lindqvist.test",
        account: "4000365011",
        subject: "Delivery late; call back after 17:00",
    },
    Customer {
        number: "+16465550101",
        name: "山田 花子",
        mail: "hanako@yamada.test",
        account: "4000980022",
        subject: "Password reset",
    },
];

/// How far a call has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    Alerting,
    Active,
    Held,
    /// Over, while the agent wraps up.
    Dropped,
}

/// What a `PUT /finesse/api/Dialog/{id}` asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Action {
    Answer,
    Hold,
    Retrieve,
    Drop,
    /// `UPDATE_CALL_DATA` with a wrap-up reason.
    WrapUp(String),
}

/// A call and its parties.
pub(super) struct Call {
    pub(super) id: u64,
    pub(super) agent: String,
    extension: String,
    customer: &'static Customer,
    stage: Stage,
    wrap_up: String,
    started_us: i64,
    changed_us: i64,
}

impl Call {
    /// Rings at `extension` since `now_us`.
    pub(super) fn new(id: u64, agent: &str, extension: &str, now_us: i64) -> Self {
        let [first, ..] = &CUSTOMERS;
        let turn = usize::try_from(id).unwrap_or_default() % CUSTOMERS.len();
        Self {
            id,
            agent: agent.to_owned(),
            extension: extension.to_owned(),
            customer: CUSTOMERS.get(turn).unwrap_or(first),
            stage: Stage::Alerting,
            wrap_up: String::new(),
            started_us: now_us,
            changed_us: now_us,
        }
    }

    /// Does what the agent asks for, if it can be done now. Says what the agent's state becomes, if it changes.
    pub(super) fn act(&mut self, action: Action, now_us: i64) -> Result<Option<State>, ApiError> {
        let (stage, state) = match (action, self.stage) {
            (Action::Answer, Stage::Alerting) => (Stage::Active, State::Talking),
            (Action::Hold, Stage::Active) => (Stage::Held, State::Hold),
            (Action::Retrieve, Stage::Held) => (Stage::Active, State::Talking),
            (Action::Drop, Stage::Active | Stage::Held) => (Stage::Dropped, State::Work),
            (Action::WrapUp(reason), Stage::Active | Stage::Held | Stage::Dropped) => {
                self.wrap_up = reason;
                return Ok(None);
            }
            _ => return Err(INVALID_STATE),
        };
        (self.stage, self.changed_us) = (stage, now_us);
        Ok(Some(state))
    }

    /// Whether it is talked on.
    pub(super) fn is_active(&self) -> bool {
        self.stage == Stage::Active
    }

    /// The agent has handed it on.
    pub(super) fn leave(&mut self, now_us: i64) {
        (self.stage, self.changed_us) = (Stage::Dropped, now_us);
    }

    /// It rings at somebody else's phone.
    pub(super) fn ring_at(&mut self, agent: &str, extension: &str, now_us: i64) {
        (self.agent, self.extension) = (agent.to_owned(), extension.to_owned());
        (self.stage, self.changed_us) = (Stage::Alerting, now_us);
    }

    /// `/finesse/api/Dialog/{id}`.
    pub(super) fn uri(&self) -> String {
        format!("/finesse/api/Dialog/{}", self.id)
    }

    /// `<Dialog>…</Dialog>`, or with another `root` as an event wants it.
    pub(super) fn xml(&self, root: &str) -> String {
        let media = [
            leaf("DNIS", DNIS),
            leaf("callType", "ACD_IN"),
            leaf("dialedNumber", DNIS),
            leaf("outboundClassification", ""),
            leaf("queueName", "Demo Queue"),
            leaf("wrapUpReason", &self.wrap_up),
            format!("<callvariables>{}</callvariables>", self.variables()),
        ];
        let (own, other) = self.participants();
        let state = match self.stage {
            Stage::Alerting => "ALERTING",
            Stage::Active | Stage::Held => "ACTIVE",
            Stage::Dropped => "DROPPED",
        };
        let fields = [
            leaf("associatedDialogUri", ""),
            leaf("fromAddress", self.customer.number),
            leaf("id", &self.id.to_string()),
            format!("<mediaProperties>{}</mediaProperties>", media.concat()),
            leaf("mediaType", "Voice"),
            format!("<participants>{own}{other}</participants>"),
            leaf("state", state),
            leaf("toAddress", DNIS),
            leaf("uri", &self.uri()),
        ];
        format!("<{root}>{}</{root}>", fields.concat())
    }

    fn variables(&self) -> String {
        let Customer { number, name, mail, account, subject } = self.customer;
        let digits = number.trim_start_matches('+');
        [
            ("callVariable1", format!("{account}______________________")),
            ("callVariable2", (*name).to_owned()),
            ("callVariable3", (*mail).to_owned()),
            ("callVariable4", format!("{digits}_____{digits}_____")),
            ("callVariable5", (*subject).to_owned()),
            ("callVariable6", String::new()),
            ("callVariable7", "EN".to_owned()),
            ("callVariable8", String::new()),
            ("callVariable9", String::new()),
            ("callVariable10", "GOLD|3".to_owned()),
            ("user.microapp.ToExtVXML[0]", format!("application=1000;CV1={account};CV4={digits};CV7={mail};")),
            ("user.microapp.locale", "en-us".to_owned()),
            ("user.demo.callback", (*number).to_owned()),
        ]
        .iter()
        .map(|(name, value)| format!("<CallVariable>{}{}</CallVariable>", leaf("name", name), leaf("value", value)))
        .collect()
    }

    /// The agent's leg and the customer's.
    fn participants(&self) -> (String, String) {
        const TALKING: &[&str] = &["TRANSFER_SST", "CONSULT_CALL", "HOLD", "UPDATE_CALL_DATA", "SEND_DTMF", "DROP"];
        let (own, own_actions, other, other_actions): (_, &[&str], _, &[&str]) = match self.stage {
            Stage::Alerting => ("ALERTING", &["ANSWER"], "INITIATED", &["UPDATE_CALL_DATA", "DROP"]),
            Stage::Active => ("ACTIVE", TALKING, "ACTIVE", TALKING),
            Stage::Held => ("HELD", &["RETRIEVE", "UPDATE_CALL_DATA", "DROP"], "ACTIVE", TALKING),
            Stage::Dropped => ("WRAP_UP", &["UPDATE_CALL_DATA"], "DROPPED", &[]),
        };
        (
            self.participant(&self.extension, "AGENT_DEVICE", own, own_actions),
            self.participant(self.customer.number, "", other, other_actions),
        )
    }

    fn participant(&self, address: &str, address_type: &str, state: &str, actions: &[&str]) -> String {
        let actions: String = actions.iter().map(|action| leaf("action", action)).collect();
        let fields = [
            format!("<actions>{actions}</actions>"),
            leaf("mediaAddress", address),
            leaf("mediaAddressType", address_type),
            leaf("startTime", &iso(self.started_us)),
            leaf("state", state),
            leaf("stateCause", ""),
            leaf("stateChangeTime", &iso(self.changed_us)),
        ];
        format!("<Participant>{}</Participant>", fields.concat())
    }
}
