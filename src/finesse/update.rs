//! The notification's payload: one XML (or JSON) document escaped once as character data, to what changed.
//!
//! Reads `<Update>` and bare objects alike, children in any order, one walk over each level. What a malformed document
//! told before its break is told; what Finesse sends and this file does not name is skipped. Checks no value: a state or
//! a time is a text. Shapes: Cisco Finesse Web Services Developer Guide, "Notifications" and "APIs".

use super::branch::{Branch, Member};
use crate::xmpp::Document;
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
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.starts_with('<') {
            Self::Xml
        } else if text.ends_with('}') && text.contains('{') {
            Self::Json
        } else {
            Self::Text
        }
    }
}

/// What changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
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
    #[default]
    Other,
}

impl Object {
    /// As the event stream writes it: `User`, `Dialog`, `ApiErrors` …
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::KNOWN.iter().find(|(object, _)| *object == self).map_or("Other", |(_, name)| name)
    }

    /// The object an element of this name stands for, in either case.
    fn of(name: &str) -> Self {
        Self::KNOWN
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(name))
            .map_or(Self::Other, |(object, _)| *object)
    }

    const KNOWN: [(Self, &'static str); 11] = [
        (Self::User, "User"),
        (Self::Dialog, "Dialog"),
        (Self::Dialogs, "Dialogs"),
        (Self::Team, "Team"),
        (Self::Queue, "Queue"),
        (Self::Queues, "Queues"),
        (Self::Media, "Media"),
        (Self::Devices, "Devices"),
        (Self::TeamMessage, "TeamMessage"),
        (Self::SystemInfo, "SystemInfo"),
        (Self::ApiErrors, "ApiErrors"),
    ];
}

/// A notification, read. Every text has its entities resolved; empty elements are `None`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
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
    /// The code inside `reasonCode` (what agents see, 255 for a lost connection), else `reasonCodeId`, which Finesse
    /// also uses for the code's key in its database. `-1` is no reason.
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

/// Any other object's common parts; of several (`<Queues>`, `<Devices>`) the first one's.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Thing<'a> {
    /// `id`, `deviceId`, or the last part of `uri`.
    pub id: Option<Cow<'a, str>>,
    /// `name`.
    pub name: Option<Cow<'a, str>>,
    /// `state` or `status`.
    pub state: Option<Cow<'a, str>>,
    /// SystemInfo: `statusReason`.
    pub reason: Option<Cow<'a, str>>,
    /// SystemInfo: `finesseMMode`, of planned maintenance.
    pub maintenance: Option<Cow<'a, str>>,
}

impl<'a> Update<'a> {
    /// Reads a notification's XML. Lenient: `None` only if there is no element at all.
    #[must_use]
    pub fn read_xml(document: &Document<'a>) -> Option<Self> {
        document.roots().next().map(Self::read)
    }

    /// Reads a notification's JSON; the same shapes. `None` if it is not a JSON object.
    #[must_use]
    pub fn read_json(text: &'a str) -> Option<Update<'static>> {
        let value: serde_json::Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
        let members = value.as_object()?;
        let whole = Member { name: UPDATE, value: &value };
        let mut named = whole.branches();
        Some(match (named.next(), named.next()) {
            (Some(only), None) if only.name.eq_ignore_ascii_case(UPDATE) => Update::read(only),
            _ if members.contains_key("data") => Update::read(whole),
            _ => {
                let mut update = Update::default();
                whole.branches().for_each(|object| update.read_object(object));
                update
            }
        })
    }

    fn read(root: impl Branch<'a>) -> Self {
        let mut update = Self::default();
        if !root.name().eq_ignore_ascii_case(UPDATE) {
            update.read_object(root);
            return update;
        }
        for child in root.branches() {
            match child.name() {
                "data" => child.branches().for_each(|object| update.read_object(object)),
                "event" => update.event = child.text().map(upper_case_event),
                "source" => update.source = child.text(),
                "requestId" => update.request_id = child.text(),
                _ => {}
            }
        }
        update
    }

    fn read_object(&mut self, branch: impl Branch<'a>) {
        let object = Object::of(branch.name());
        if self.object_name.is_empty() {
            self.object = object;
            self.object_name = branch.owned_name();
        }
        match object {
            Object::User => self.user = Some(User::read(branch)),
            Object::Dialog => self.dialogs.push(Dialog::read(branch)),
            Object::Dialogs => self.dialogs.extend(members(branch, "Dialog").map(Dialog::read)),
            Object::ApiErrors => self.api_errors.extend(members(branch, "ApiError").map(ApiError::read)),
            _ => self.thing = Some(Thing::read(branch)),
        }
    }
}

/// The root of a notification that says what happened to its object.
const UPDATE: &str = "Update";

impl<'a> User<'a> {
    fn read(branch: impl Branch<'a>) -> Self {
        let mut user = Self::default();
        let mut code = None;
        for child in branch.branches() {
            let field = match child.name() {
                "loginId" => &mut user.login_id,
                "loginName" => &mut user.login_name,
                "extension" => &mut user.extension,
                "state" => &mut user.state,
                "pendingState" => &mut user.pending_state,
                "stateChangeTime" => &mut user.state_change_time,
                "reasonCodeId" => &mut user.reason_code,
                "teamId" => &mut user.team_id,
                "reasonCode" | "ReasonCode" => {
                    for part in child.branches() {
                        match part.name() {
                            "code" => code = part.text(),
                            "label" => user.reason_label = part.text(),
                            _ => {}
                        }
                    }
                    continue;
                }
                _ => continue,
            };
            *field = child.text();
        }
        let is_reason = |code: &Cow<'_, str>| code != "-1";
        user.reason_code = code.filter(is_reason).or(user.reason_code.filter(is_reason));
        user
    }
}

impl<'a> Dialog<'a> {
    fn read(branch: impl Branch<'a>) -> Self {
        let mut dialog = Self::default();
        for child in branch.branches() {
            let field = match child.name() {
                "id" => &mut dialog.id,
                "state" => &mut dialog.state,
                "mediaType" => &mut dialog.media_type,
                "fromAddress" => &mut dialog.from_address,
                "toAddress" => &mut dialog.to_address,
                "mediaProperties" => {
                    dialog.call_type = member_text(child, "callType");
                    continue;
                }
                "participants" => {
                    dialog.participants.extend(members(child, "Participant").map(Participant::read));
                    continue;
                }
                _ => continue,
            };
            *field = child.text();
        }
        dialog
    }
}

impl<'a> Participant<'a> {
    fn read(branch: impl Branch<'a>) -> Self {
        let mut participant = Self::default();
        for child in branch.branches() {
            let field = match child.name() {
                "mediaAddress" => &mut participant.media_address,
                "state" => &mut participant.state,
                "stateChangeTime" => &mut participant.state_change_time,
                "actions" => {
                    participant.actions.extend(members(child, "action").filter_map(|action| action.text()));
                    continue;
                }
                _ => continue,
            };
            *field = child.text();
        }
        participant
    }
}

impl<'a> ApiError<'a> {
    fn read(branch: impl Branch<'a>) -> Self {
        let mut error = Self::default();
        for child in branch.branches() {
            let field = match child.name() {
                "errorType" | "ErrorType" => &mut error.error_type,
                "errorMessage" | "ErrorMessage" => &mut error.message,
                "errorData" | "ErrorData" => &mut error.data,
                "peripheralErrorCode" | "PeripheralErrorCode" => &mut error.peripheral_code,
                "peripheralErrorText" | "PeripheralErrorText" => &mut error.peripheral_text,
                _ => continue,
            };
            *field = child.text();
        }
        error
    }
}

impl<'a> Thing<'a> {
    fn read(branch: impl Branch<'a>) -> Self {
        let mut thing = Self::default();
        let mut uri = None;
        for child in branch.branches() {
            match child.name() {
                "id" | "deviceId" => thing.id = child.text(),
                "name" => thing.name = child.text(),
                "state" | "status" => thing.state = child.text(),
                "statusReason" => thing.reason = child.text(),
                "finesseMMode" => thing.maintenance = child.text(),
                "uri" => uri = child.text(),
                "Queue" | "queue" | "Device" | "device" => return Self::read(child),
                _ => {}
            }
        }
        thing.id = thing.id.or_else(|| uri.and_then(last_part));
        thing
    }
}

/// The branches called `name`, in either case.
fn members<'a, B: Branch<'a>>(list: B, name: &str) -> impl Iterator<Item = B> {
    // Collected names differ in the first letter's case only: `Dialog` and `dialog`, `ApiError` and `apiError`.
    list.branches().filter(move |member| member.name().eq_ignore_ascii_case(name))
}

fn member_text<'a>(list: impl Branch<'a>, name: &str) -> Option<Cow<'a, str>> {
    members(list, name).next().and_then(|member| member.text())
}

fn upper_case_event(event: Cow<'_, str>) -> Cow<'_, str> {
    ["PUT", "POST", "DELETE"].into_iter().find(|known| known.eq_ignore_ascii_case(&event)).map_or(event, Cow::Borrowed)
}

fn last_part(uri: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let part = match uri {
        Cow::Borrowed(uri) => Cow::Borrowed(uri.rsplit('/').next()?),
        Cow::Owned(uri) => Cow::Owned(uri.rsplit('/').next()?.to_owned()),
    };
    Some(part).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests;
