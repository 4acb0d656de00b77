//! The notification's payload: one XML (or JSON) document escaped once as character data, to what changed.
//!
//! Reads `<Update>` and bare objects alike, children in any order, one walk over each level. What a malformed document
//! told before its break is told; what Finesse sends and this file does not name is skipped. Checks no value: a state or
//! a time is a text. Shapes: Cisco Finesse Web Services Developer Guide, "Notifications" and "APIs".

mod agent;
mod call;
mod error;
mod object;
mod system;
mod thing;

pub use agent::User;
pub use call::{Dialog, Participant};
pub use error::ApiError;
pub use object::Object;
pub use system::System;
pub use thing::{Message, Statistics, Thing};

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
    /// For SystemInfo and the desktop's configuration.
    pub system: Option<Box<System<'a>>>,
    /// For a team message.
    pub message: Option<Box<Message<'a>>>,
    /// For queues, media, teams, devices and anything else, one each.
    pub things: Vec<Thing<'a>>,
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
                // Texts beside an object are about the answer (`status`), not the object.
                let objects = whole.branches().filter(|member| member.value.is_object() && !member.is_empty());
                if System::is_configuration(whole) {
                    update.object = Object::DesktopConfig;
                    update.object_name = Cow::Borrowed(Object::DesktopConfig.as_str());
                    update.system = Some(Box::new(System::read(whole)));
                } else {
                    objects.for_each(|object| update.read_object(object));
                }
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
            Object::ApiErrors => self.read_errors(branch),
            Object::SystemInfo | Object::DesktopConfig => self.system = Some(Box::new(System::read(branch))),
            Object::TeamMessage => self.message = Some(Box::new(Message::read(branch))),
            Object::Queues => self.things.extend(members(branch, "Queue").map(Thing::read)),
            Object::Devices => self.things.extend(members(branch, "Device").map(Thing::read)),
            _ => self.things.push(Thing::read(branch)),
        }
    }

    /// A list of errors, or in its place one error: `<apiError>` alone, and JSON's object without a list.
    fn read_errors(&mut self, branch: impl Branch<'a>) {
        let before = self.api_errors.len();
        self.api_errors.extend(members(branch, "ApiError").map(ApiError::read));
        if self.api_errors.len() == before {
            self.api_errors.extend(Some(ApiError::read(branch)).filter(|error| *error != ApiError::default()));
        }
    }
}

/// The root of a notification that says what happened to its object.
const UPDATE: &str = "Update";

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

/// The last part of a path: an object's id.
fn last_part(uri: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let part = match uri {
        Cow::Borrowed(uri) => Cow::Borrowed(uri.rsplit('/').next()?),
        Cow::Owned(uri) => Cow::Owned(uri.rsplit('/').next()?.to_owned()),
    };
    Some(part).filter(|part| !part.is_empty())
}

fn number<'a>(branch: impl Branch<'a>) -> Option<i64> {
    branch.text()?.parse().ok()
}

fn flag<'a>(branch: impl Branch<'a>) -> Option<bool> {
    match &*branch.text()? {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
