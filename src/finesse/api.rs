//! The REST API's calls: what a method, a path and a body mean.
//!
//! Turns one request into the name Cisco's REST guide gives it. The body decides only where one method and path serve
//! several calls: `<state>` of a user or media, `<requestedAction>` of a dialog. Never fails: what is not known of a
//! call is left general (`update`, `create` …) or absent.

use super::branch::{Branch, Member};
use super::node::Node;
use super::token::Token;
use crate::xmpp::parse::parse;
use percent_encoding::percent_decode_str;

/// A REST call named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Api {
    /// Node class: `User`, `User/Dialogs`, `Dialog`, `SystemInfo` …
    pub resource: String,
    /// Plain word for method + resource + body: `sign-in`, `sign-out`, `change-state`, `read`, `make-call`, `answer`,
    /// `drop` …; `read create update delete` where nothing more is known; absent for other methods.
    pub operation: Option<&'static str>,
    /// The object's id as in the path, percent-decoded.
    pub object_id: Option<String>,
    /// The state that the body asks for, in upper case.
    pub state: Option<String>,
}

impl Api {
    /// Reads a call. `path` may carry a query. `body` is the decoded request content (XML or JSON) if it was kept; cut
    /// short it still counts as far as it goes. `None` if the path is none of the API's, nor of what a desktop asks
    /// before it: `/desktop/api/…` and `/desktop/sso/token`.
    #[must_use]
    pub fn read(method: &str, path: &str, body: Option<&str>) -> Option<Self> {
        let Some(node) = Node::read(path) else { return Self::of_desktop(method, path) };
        Some(Self {
            resource: node.class(),
            operation: operation(method, &node, body.unwrap_or_default()),
            object_id: node.id.map(|id| percent_decode_str(id).decode_utf8_lossy().into_owned()),
            state: body.filter(|_| method == "PUT").and_then(|body| Wish::read(body).state),
        })
    }

    /// What is not the REST API but answers like it.
    fn of_desktop(method: &str, target: &str) -> Option<Self> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (resource, operation) = if Token::is_at(path) {
            let refreshes = query.split('&').any(|pair| pair.starts_with("refresh-token="));
            ("SsoToken", if refreshes { "refresh-token" } else { "get-token" })
        } else {
            let name = path.strip_prefix("/desktop/api/")?.split('/').next()?;
            let is_configuration = name.eq_ignore_ascii_case("DesktopConfig");
            let resource = if is_configuration { "DesktopConfig" } else { "Desktop" };
            (resource, if method == "GET" { "read" } else { "update" })
        };
        Some(Self { resource: resource.to_owned(), operation: Some(operation), object_id: None, state: None })
    }
}

fn operation(method: &str, node: &Node<'_>, body: &str) -> Option<&'static str> {
    let asked = node.asked().unwrap_or(node.object);
    match (method, asked) {
        ("GET", _) => Some("read"),
        ("PUT", "User" | "Media") => Some(match Wish::read(body).state.as_deref() {
            Some("LOGIN") => "sign-in",
            Some("LOGOUT") => "sign-out",
            Some(_) => "change-state",
            None => "update",
        }),
        ("PUT", "Dialog") => Some(dialog_action(body).unwrap_or("update")),
        ("POST", "Dialogs") => Some(dialog_action(body).unwrap_or("create")),
        ("POST", "ClientLog") => Some("upload-client-log"),
        ("POST", "TeamMessage") => Some("send-team-message"),
        ("POST", _) => Some("create"),
        ("PUT", _) => Some("update"),
        ("DELETE", _) => Some("delete"),
        _ => None,
    }
}

/// The word for a dialog's `<requestedAction>`; `other-action` for one that Cisco's guide does not name.
fn dialog_action(body: &str) -> Option<&'static str> {
    let action = Wish::read(body).requested_action?;
    Some(DIALOG_ACTIONS.iter().find(|(name, _)| *name == action).map_or("other-action", |(_, word)| word))
}

/// Calls, outbound reservations and callbacks, non-voice tasks.
const DIALOG_ACTIONS: [(&str, &str); 25] = [
    ("MAKE_CALL", "make-call"),
    ("ANSWER", "answer"),
    ("HOLD", "hold"),
    ("RETRIEVE", "retrieve"),
    ("DROP", "drop"),
    ("PARTICIPANT_DROP", "drop-participant"),
    ("CONSULT_CALL", "consult"),
    ("CONFERENCE", "conference"),
    ("TRANSFER", "transfer"),
    ("TRANSFER_SST", "transfer-single-step"),
    ("UPDATE_CALL_DATA", "update-call-data"),
    ("SEND_DTMF", "send-dtmf"),
    ("START_RECORDING", "start-recording"),
    ("SILENT_MONITOR", "silent-monitor"),
    ("BARGE_CALL", "barge-in"),
    ("ACCEPT", "accept"),
    ("REJECT", "reject"),
    ("CLOSE", "close"),
    ("START", "start"),
    ("PAUSE", "pause"),
    ("RESUME", "resume"),
    ("WRAP_UP", "wrap-up"),
    ("RECLASSIFY", "reclassify"),
    ("UPDATE_SCHEDULED_CALLBACK", "update-callback"),
    ("CANCEL_SCHEDULED_CALLBACK", "cancel-callback"),
];

/// What a request's body asks for.
#[derive(Default)]
struct Wish {
    state: Option<String>,
    requested_action: Option<String>,
}

impl Wish {
    fn read(body: &str) -> Self {
        if body.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
            let Ok(value) = serde_json::from_str(body) else { return Self::default() };
            let root = Member { name: "", value: &value };
            return root.branches().map(Self::of).find(Self::is_some).unwrap_or_else(|| Self::of(root));
        }
        parse(body).roots().next().map(Self::of).unwrap_or_default()
    }

    fn of<'t>(root: impl Branch<'t>) -> Self {
        let mut wish = Self::default();
        for child in root.branches() {
            match child.name() {
                "state" => wish.state = child.text().map(|state| state.to_ascii_uppercase()),
                "requestedAction" => wish.requested_action = child.text().map(|action| action.to_ascii_uppercase()),
                _ => {}
            }
        }
        wish
    }

    fn is_some(&self) -> bool {
        self.state.is_some() || self.requested_action.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(method: &str, path: &str, body: &str) -> Option<&'static str> {
        Api::read(method, path, Some(body).filter(|body| !body.is_empty())).unwrap().operation
    }

    #[test]
    fn calls_are_named() {
        let cases = [
            ("PUT", "User/1001", "<User><state>LOGIN</state><extension>1001</extension></User>", "sign-in"),
            ("PUT", "User/1001", "<User><extension>1001</extension><state>LOGOUT</state></User>", "sign-out"),
            ("PUT", "User/1001", "<User><state>NOT_READY</state><reasonCodeId>3</reasonCodeId></User>", "change-state"),
            ("PUT", "User/1001", "<?xml version='1.0'?>\n<User>\n <state>ready</state>\n</User>", "change-state"),
            ("PUT", "User/1001", r#"{"User": {"state": "LOGIN", "extension": 1001}}"#, "sign-in"),
            ("PUT", "User/1001", r#"{"state": "LOGOUT"}"#, "sign-out"),
            ("PUT", "User/1001", "<User><state>LOGIN</state><ext", "sign-in"),
            ("PUT", "User/1001", "<User><state>LOG", "update"),
            ("PUT", "User/1001", "not readable", "update"),
            ("PUT", "User/1001", "{", "update"),
            ("PUT", "User/1001", "", "update"),
            ("GET", "User/1001", "", "read"),
            ("GET", "User/1001/Dialogs", "", "read"),
            ("GET", "SystemInfo?nocache=1", "", "read"),
            ("GET", "ReasonCodes?category=NOT_READY", "", "read"),
            ("GET", "User/1001/WrapUpReasons", "", "read"),
            ("GET", "User/1001/PhoneBooks", "", "read"),
            ("POST", "User/1001/Dialogs", "<Dialog><requestedAction>MAKE_CALL</requestedAction></Dialog>", "make-call"),
            (
                "POST",
                "User/1/Dialogs",
                "<Dialog><requestedAction>SILENT_MONITOR</requestedAction></Dialog>",
                "silent-monitor",
            ),
            ("POST", "User/1001/Dialogs", "", "create"),
            ("PUT", "Dialog/42", "<Dialog><requestedAction>ANSWER</requestedAction></Dialog>", "answer"),
            ("PUT", "Dialog/42", "<Dialog><requestedAction>HOLD</requestedAction></Dialog>", "hold"),
            (
                "PUT",
                "Dialog/42",
                "<Dialog><requestedAction>TRANSFER_SST</requestedAction></Dialog>",
                "transfer-single-step",
            ),
            ("PUT", "Dialog/42", "<Dialog><requestedAction>CONSULT_CALL</requestedAction></Dialog>", "consult"),
            ("PUT", "Dialog/42", "<Dialog><requestedAction>DANCE</requestedAction></Dialog>", "other-action"),
            ("PUT", "Dialog/42", "<Dialog><mediaProperties/></Dialog>", "update"),
            ("PUT", "User/1001/Media/5000", "<Media><state>LOGIN</state></Media>", "sign-in"),
            ("PUT", "User/1001/Media/5000", "<Media><state>READY</state></Media>", "change-state"),
            ("POST", "User/1001/ClientLog", "<ClientLog><logData>…</logData></ClientLog>", "upload-client-log"),
            ("POST", "ClientLog/1001", "", "upload-client-log"),
            ("POST", "TeamMessage", "<TeamMessage/>", "send-team-message"),
            ("GET", "Team/7/TeamMessages", "", "read"),
            ("DELETE", "TeamMessage/be15", "", "delete"),
            ("PUT", "Team/7/ReasonCodes", "", "update"),
            ("POST", "PhoneBook", "", "create"),
        ];
        for (method, path, body, word) in cases {
            let path = format!("/finesse/api/{path}");
            assert_eq!(operation(method, &path, body), Some(word), "{method} {path} {body}");
        }
        assert_eq!(operation("OPTIONS", "/finesse/api/User/1001", ""), None);
        assert_eq!(Api::read("GET", "/desktop/container/", None), None);
    }

    #[test]
    fn ids_are_decoded_and_stay_out_of_the_resource() {
        let api = Api::read("GET", "/finesse/api/User/ann%40x%2Fy/Dialogs?a=b", None).unwrap();
        assert_eq!((api.resource.as_str(), api.object_id.as_deref()), ("User/Dialogs", Some("ann@x/y")));
    }
}
