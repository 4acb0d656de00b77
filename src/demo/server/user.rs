//! One agent as the server sees him: which state, since when, at which phone; what he may ask for; how that is written.
//!
//! Time comes in as microseconds of wall clock. Knows nothing of HTTP, XMPP or other agents.

use crate::demo::Agent;
use crate::demo::xml::{Element, leaf};

/// The team every demo agent belongs to.
pub(super) const TEAM: (&str, &str) = ("5", "Demo Hotline");

/// What an agent does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Logout,
    NotReady,
    Ready,
    /// A call rings.
    Reserved,
    Talking,
    Hold,
    /// After a call, before the next.
    Work,
}

impl State {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "LOGOUT",
            Self::NotReady => "NOT_READY",
            Self::Ready => "READY",
            Self::Reserved => "RESERVED",
            Self::Talking => "TALKING",
            Self::Hold => "HOLD",
            Self::Work => "WORK",
        }
    }
}

/// Why an agent is not ready or gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reason {
    pub(super) id: &'static str,
    category: &'static str,
    code: &'static str,
    label: &'static str,
}

/// The reason codes this server knows.
const REASONS: [Reason; 4] = [
    Reason { id: "11", category: "NOT_READY", code: "101", label: "Lunch" },
    Reason { id: "12", category: "NOT_READY", code: "102", label: "Paperwork" },
    Reason { id: "13", category: "NOT_READY", code: "103", label: "Team meeting" },
    Reason { id: "21", category: "LOGOUT", code: "201", label: "End of shift" },
];

/// What a `PUT /finesse/api/User/{id}` asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Change {
    Login { extension: String },
    Ready,
    NotReady { reason: Option<Reason> },
    Logout { reason: Option<Reason> },
}

impl Change {
    /// Reads a `<User>` body.
    pub(super) fn read(body: &Element) -> Result<Self, ApiError> {
        let state = body.text_at(&["state"]).ok_or(PARAMETER_MISSING)?;
        match state {
            "LOGIN" => {
                let extension = body.text_at(&["extension"]).ok_or(PARAMETER_MISSING)?;
                Ok(Self::Login { extension: extension.to_owned() })
            }
            "READY" => Ok(Self::Ready),
            "NOT_READY" => Ok(Self::NotReady { reason: reason(body, state)? }),
            "LOGOUT" => Ok(Self::Logout { reason: reason(body, state)? }),
            _ => Err(INVALID_INPUT),
        }
    }
}

fn reason(body: &Element, category: &str) -> Result<Option<Reason>, ApiError> {
    let Some(id) = body.text_at(&["reasonCodeId"]) else { return Ok(None) };
    REASONS.into_iter().find(|r| r.id == id && r.category == category).map(Some).ok_or(INVALID_INPUT)
}

/// A refusal as the API words it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ApiError {
    pub(super) error_type: &'static str,
    pub(super) message: &'static str,
    pub(super) code: &'static str,
}

impl ApiError {
    /// As the body of an HTTP answer.
    pub(super) fn body(self) -> String {
        let inner =
            leaf("ErrorType", self.error_type) + &leaf("ErrorMessage", self.message) + &leaf("ErrorData", self.code);
        format!("<ApiErrors><ApiError>{inner}</ApiError></ApiErrors>")
    }

    /// As the data of an event.
    pub(super) fn event(self) -> String {
        let inner =
            leaf("errorType", self.error_type) + &leaf("errorMessage", self.message) + &leaf("errorData", self.code);
        format!("<apiErrors><apiError>{inner}</apiError></apiErrors>")
    }
}

pub(super) const INVALID_INPUT: ApiError =
    ApiError { error_type: "Invalid Input", message: "HTTP Status code: 400 (Bad Request)", code: "" };
pub(super) const PARAMETER_MISSING: ApiError =
    ApiError { error_type: "Parameter Missing", message: "HTTP Status code: 400 (Bad Request)", code: "" };
pub(super) const INVALID_STATE: ApiError =
    ApiError { error_type: "Invalid State", message: "CF_INVALID_OBJECT_STATE", code: "22" };
const INVALID_DEVICE: ApiError =
    ApiError { error_type: "Invalid Device", message: "CF_INVALID_LOGON_DEVICE_SPECIFIED", code: "260" };

/// An agent with his state.
pub(super) struct User {
    pub(super) agent: Agent,
    pub(super) state: State,
    reason: Option<Reason>,
    changed_us: i64,
}

impl User {
    /// Signed out since `now_us`.
    pub(super) fn new(agent: Agent, now_us: i64) -> Self {
        Self { agent, state: State::Logout, reason: None, changed_us: now_us }
    }

    /// Does what the agent asks for, if he may in this state.
    pub(super) fn change(&mut self, change: &Change, now_us: i64) -> Result<(), ApiError> {
        use State::{Logout, NotReady, Ready, Work};
        let (state, reason) = match (change, self.state) {
            (Change::Login { extension }, Logout) if *extension == self.agent.extension => (NotReady, None),
            (Change::Login { .. }, Logout) => return Err(INVALID_DEVICE),
            (Change::Ready, NotReady | Work) => (Ready, None),
            (Change::NotReady { reason }, NotReady | Ready | Work) => (NotReady, *reason),
            (Change::Logout { reason }, NotReady) => (Logout, *reason),
            _ => return Err(INVALID_STATE),
        };
        (self.state, self.reason, self.changed_us) = (state, reason, now_us);
        Ok(())
    }

    /// Follows a call.
    pub(super) fn set(&mut self, state: State, now_us: i64) {
        (self.state, self.reason, self.changed_us) = (state, None, now_us);
    }

    /// `/finesse/api/User/{id}`.
    pub(super) fn uri(&self) -> String {
        format!("/finesse/api/User/{}", self.agent.id)
    }

    /// `<user>…</user>` for an event, `<User>…</User>` for an answer.
    pub(super) fn xml(&self, root: &str) -> String {
        let (first_name, last_name) = self.agent.name.split_once(' ').unwrap_or((&self.agent.name, ""));
        let (team_id, team_name) = TEAM;
        let extension = if self.state == State::Logout { "" } else { &self.agent.extension };
        let team_uri = format!("/finesse/api/Team/{team_id}");
        let fields = [
            leaf("dialogs", &format!("{}/Dialogs", self.uri())),
            leaf("extension", extension),
            leaf("firstName", first_name),
            leaf("lastName", last_name),
            leaf("loginId", &self.agent.id),
            leaf("loginName", &self.agent.name.to_lowercase().replace(' ', ".")),
            leaf("mediaType", "1"),
            leaf("pendingState", ""),
            self.reason.map(reason_xml).unwrap_or_default(),
            leaf("reasonCodeId", self.reason.map_or("-1", |r| r.id)),
            "<roles><role>Agent</role></roles>".to_owned(),
            "<settings><wrapUpOnIncoming>REQUIRED</wrapUpOnIncoming></settings>".to_owned(),
            leaf("state", self.state.as_str()),
            leaf("stateChangeTime", &iso(self.changed_us)),
            leaf("teamId", team_id),
            leaf("teamName", team_name),
            format!(
                "<teams><Team>{}{}{}</Team></teams>",
                leaf("id", team_id),
                leaf("name", team_name),
                leaf("uri", &team_uri)
            ),
            leaf("uri", &self.uri()),
            leaf("wrapUpTimer", "7200"),
        ];
        format!("<{root}>{}</{root}>", fields.concat())
    }
}

fn reason_xml(reason: Reason) -> String {
    let uri = format!("/finesse/api/ReasonCode/{}", reason.id);
    let fields = [
        leaf("category", reason.category),
        leaf("code", reason.code),
        leaf("forAll", "true"),
        leaf("id", reason.id),
        leaf("label", reason.label),
        leaf("uri", &uri),
    ];
    format!("<reasonCode>{}</reasonCode>", fields.concat())
}

/// Wall clock in microseconds as `2026-01-15T09:12:40.561Z`.
pub(super) fn iso(wall_us: i64) -> String {
    format!("{:.3}", jiff::Timestamp::from_microsecond(wall_us).unwrap_or_default())
}
