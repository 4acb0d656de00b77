//! The REST API's errors in plain words (Cisco Finesse Web Services Developer Guide, "API Errors").

use super::{Code, Confidence, Fact, Finding};
use crate::finesse::dictionary::{self, ApiErrorTold};

/// An error as the API tells it, in an answer or in an event.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::session) struct Told<'t> {
    pub(in crate::session) error_type: Option<&'t str>,
    pub(in crate::session) message: Option<&'t str>,
    /// `errorData`, `errorMedia`, `peripheralErrorCode`.
    pub(in crate::session) data: Option<&'t str>,
    pub(in crate::session) media: Option<&'t str>,
    pub(in crate::session) peripheral_code: Option<&'t str>,
    /// First part of the resource: `User`, `Dialog` …
    pub(in crate::session) object: Option<&'t str>,
    pub(in crate::session) status: Option<u16>,
    /// It answers a request to sign in.
    pub(in crate::session) signs_in: bool,
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

/// Whether the CTI server's code is one of a sign-in alone: id or password, the agent, the phone, the account.
pub(in crate::session) fn is_of_sign_in(data: Option<&str>) -> bool {
    matches!(data, Some("256" | "258" | "259" | "260" | "283" | "289" | "293"))
}

/// What a client asks for that has it already: it goes on as if it had been told so.
fn is_harmless(told: Told<'_>) -> bool {
    [told.error_type, told.message].into_iter().flatten().any(|text| text.contains("AGENT_ALREADY_LOGGED_IN"))
}

/// An error that the server told, or a status that means one.
pub(in crate::session) fn refused(told: Told<'_>) -> Option<Finding> {
    let least = if told.signs_in { 400 } else { 500 };
    if told.error_type.is_none() && told.message.is_none() && told.status.is_none_or(|status| status < least) {
        return None;
    }
    if is_harmless(told) {
        return None;
    }
    let by_status = told.status.map(|status| format!("HTTP {status}"));
    let subject = told.error_type.or(told.message).map(str::to_owned).or(by_status).unwrap_or_default();
    let code = if told.signs_in { Code::LoginRefused } else { Code::ApiError };
    let finding = Finding::new(code, Confidence::Certain).about(subject);
    let finding = finding.seen(told.asked.into_iter().chain([told.sequence]));
    let known = dictionary::explain(ApiErrorTold {
        error_type: told.error_type,
        message: told.message,
        data: told.data,
        peripheral_code: told.peripheral_code,
        status: told.status,
        object: told.object,
    });
    Some(
        finding
            .fact(Fact::Meaning, known.map_or(dictionary::UNKNOWN, |entry| entry.meaning))
            .maybe(Fact::Remedy, known.and_then(|entry| entry.remedy))
            .maybe(Fact::Type, told.error_type)
            .maybe(Fact::Message, told.message)
            .maybe(Fact::ErrorData, told.data)
            .maybe(Fact::ErrorMedia, told.media.filter(|_| !told.signs_in))
            .maybe(Fact::PeripheralCode, told.peripheral_code)
            .maybe(Fact::Status, told.status),
    )
}
