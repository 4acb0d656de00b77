//! The notification's payload: one XML (or JSON) document escaped once as character data.

use std::borrow::Cow;

/// A notification's text as it is, before it is read: XML, JSON, or neither.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notification {
    /// Begins with `<`.
    Xml,
    /// Contains `{` and ends with `}`.
    Json,
    /// Neither, or empty.
    Text,
}

impl Notification {
    /// Looks at the first and last visible characters.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let _ = text;
        todo!()
    }
}

/// What changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Object {
    /// `<user>`
    User,
    /// `<dialog>`, `<Dialog>`
    Dialog,
    /// `<dialogs>`
    Dialogs,
    /// `<team>`
    Team,
    /// `<Queue>`
    Queue,
    /// `<Queues>`
    Queues,
    /// `<Media>`
    Media,
    /// `<Devices>`
    Devices,
    /// `<TeamMessage>`
    TeamMessage,
    /// `<systemInfo>`
    SystemInfo,
    /// `<apiErrors>`
    ApiErrors,
    /// Anything else.
    Other,
}

impl Object {
    /// As the event stream writes it: `User`, `Dialog`, `ApiErrors` …
    #[must_use]
    pub fn as_str(self) -> &'static str {
        todo!()
    }
}

/// A notification, read. Every text has its entities resolved; empty elements are `None`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Update<'a> {
    /// `PUT`, `POST`, `DELETE` in upper case as far as known, else as written; absent for a bare object.
    pub event: Option<Cow<'a, str>>,
    /// What changed.
    pub object: Object,
    /// The object's element name as written.
    pub object_name: Cow<'a, str>,
    /// `<source>`.
    pub source: Option<Cow<'a, str>>,
    /// `<requestId>`.
    pub request_id: Option<Cow<'a, str>>,
    /// For a user.
    pub user: Option<User<'a>>,
    /// For dialogs, one each.
    pub dialogs: Vec<Dialog<'a>>,
    /// For apiErrors, one each.
    pub api_errors: Vec<ApiError<'a>>,
    /// For a queue's statistics, a media's or team's: id, name, state.
    pub thing: Option<Thing<'a>>,
}

/// `<user>`: operational parts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct User<'a> {
    /// `loginId`.
    pub login_id: Option<Cow<'a, str>>,
    /// `loginName`.
    pub login_name: Option<Cow<'a, str>>,
    /// `extension`.
    pub extension: Option<Cow<'a, str>>,
    /// `state`.
    pub state: Option<Cow<'a, str>>,
    /// `pendingState`.
    pub pending_state: Option<Cow<'a, str>>,
    /// `stateChangeTime` as written.
    pub state_change_time: Option<Cow<'a, str>>,
    /// `reasonCodeId`, or the code inside `reasonCode`.
    pub reason_code: Option<Cow<'a, str>>,
    /// `reasonCode/label`.
    pub reason_label: Option<Cow<'a, str>>,
    /// `teamId`.
    pub team_id: Option<Cow<'a, str>>,
}

/// `<Dialog>`: operational parts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dialog<'a> {
    /// `id`.
    pub id: Option<Cow<'a, str>>,
    /// `state`.
    pub state: Option<Cow<'a, str>>,
    /// `mediaProperties/callType`.
    pub call_type: Option<Cow<'a, str>>,
    /// `mediaType`.
    pub media_type: Option<Cow<'a, str>>,
    /// `fromAddress`.
    pub from_address: Option<Cow<'a, str>>,
    /// `toAddress`.
    pub to_address: Option<Cow<'a, str>>,
    /// `participants/Participant`.
    pub participants: Vec<Participant<'a>>,
}

/// `<Participant>`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Participant<'a> {
    /// `mediaAddress`.
    pub media_address: Option<Cow<'a, str>>,
    /// `state`.
    pub state: Option<Cow<'a, str>>,
    /// `stateChangeTime` as written.
    pub state_change_time: Option<Cow<'a, str>>,
    /// `actions/action`, in order.
    pub actions: Vec<Cow<'a, str>>,
}

/// `<apiError>` (or the REST API's `<ApiErrors>`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ApiError<'a> {
    /// `errorType` / `ErrorType`.
    pub error_type: Option<Cow<'a, str>>,
    /// `errorMessage` / `ErrorMessage`.
    pub message: Option<Cow<'a, str>>,
    /// `errorData` / `ErrorData`.
    pub data: Option<Cow<'a, str>>,
    /// `peripheralErrorCode`.
    pub peripheral_code: Option<Cow<'a, str>>,
    /// `peripheralErrorText`.
    pub peripheral_text: Option<Cow<'a, str>>,
}

/// Any other object's common parts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Thing<'a> {
    /// `id`, or the last part of `uri`.
    pub id: Option<Cow<'a, str>>,
    /// `name`.
    pub name: Option<Cow<'a, str>>,
    /// `state` or `status`.
    pub state: Option<Cow<'a, str>>,
}

impl<'a> Update<'a> {
    /// Reads a notification's XML. Lenient: `None` only if there is no element at all.
    #[must_use]
    pub fn read_xml(document: &crate::xmpp::Document<'a>) -> Option<Self> {
        let _ = document;
        todo!()
    }

    /// Reads a notification's JSON; the same shapes. `None` if it is not a JSON object.
    #[must_use]
    pub fn read_json(text: &'a str) -> Option<Update<'static>> {
        let _ = text;
        todo!()
    }
}
