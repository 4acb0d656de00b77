//! The REST API's errors in plain words (Cisco Finesse Web Services Developer Guide, "API Errors").

use super::{Code, Confidence, Fact, Finding};

/// An error as the API tells it, in an answer or in an event.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::session) struct Told<'t> {
    pub(in crate::session) error_type: Option<&'t str>,
    pub(in crate::session) message: Option<&'t str>,
    pub(in crate::session) status: Option<u16>,
    /// The request it answers.
    pub(in crate::session) asked: Option<u64>,
    pub(in crate::session) sequence: u64,
}

/// Whether a status only says what a deployment does not have, or asks for credentials: desktops read many resources that
/// may not be there. An agent who is not there is another matter.
pub(in crate::session) fn is_expected(operation: &str, resource: &str, status: u16) -> bool {
    match status {
        401 => true,
        403 | 404 | 405 | 501 => operation == "read" && resource != "User",
        _ => false,
    }
}

/// What a client asks for that has it already: it goes on as if it had been told so.
fn is_harmless(told: Told<'_>) -> bool {
    [told.error_type, told.message].into_iter().flatten().any(|text| text.contains("AGENT_ALREADY_LOGGED_IN"))
}

/// An error that the server told, or a status that means one.
pub(in crate::session) fn refused(told: Told<'_>) -> Option<Finding> {
    if told.error_type.is_none() && told.message.is_none() && told.status.is_none_or(|status| status < 500) {
        return None;
    }
    if is_harmless(told) {
        return None;
    }
    let by_status = told.status.map(|status| format!("HTTP {status}"));
    let subject = told.error_type.or(told.message).map(str::to_owned).or(by_status).unwrap_or_default();
    let finding = Finding::new(Code::ApiError, Confidence::Certain).about(subject);
    let finding = finding.seen(told.asked.into_iter().chain([told.sequence]));
    Some(
        finding
            .fact(Fact::Meaning, meaning(told))
            .maybe(Fact::Type, told.error_type)
            .maybe(Fact::Message, told.message)
            .maybe(Fact::Status, told.status),
    )
}

/// One sentence a person understands.
fn meaning(told: Told<'_>) -> &'static str {
    let word = told.error_type.unwrap_or_default().to_ascii_lowercase().replace([' ', '_'], "");
    match &*word {
        "invalidinput" => "a value in the request is not allowed",
        "parametermissing" => "the request lacks a value it needs",
        "invalidauthorizationuserspecified" => "the agent may do this for itself only",
        "authenticationfailure" | "unauthorized" => "user name or password was wrong",
        "authorizationfailure" | "invalidauthorization" => "the agent is not allowed to do this",
        "usernotfound" => "there is no such agent, or it is not signed in",
        "dialognotfound" | "notfound" => "there is no such call any more",
        "invaliddevice" => "the extension is not one of the agent's phones: check it, and that the phone is registered",
        "devicebusy" => "the phone is in use: end the call on it first",
        "deviceconflict" => "another agent is signed in on that extension",
        "agentalreadyloggedin" => "the agent is signed in elsewhere",
        "invalidstate" => "the agent's state does not allow this change",
        "invaliddestination" => "that number cannot be called",
        "internalservererror" => "the server failed by itself: look at its logs",
        "serviceunavailable" => "the server is not ready: the CTI server or its link is out",
        _ => match told.status {
            Some(500..) => "the server failed by itself: look at its logs",
            _ => "the call-control side refused it: message and peripheral code say why",
        },
    }
}
