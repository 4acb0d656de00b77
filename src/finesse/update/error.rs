//! `<apiError>`: why a request failed, by event or in an answer of the REST API.
//!
//! Events write the names in lower case, answers of the REST API with capitals, `/desktop/api/` JSON in lower case again.

use super::super::branch::Branch;
use std::borrow::Cow;

/// `<apiError>` (or the REST API's `<ApiError>`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ApiError<'a> {
    /// `errorType`.
    pub error_type: Option<Cow<'a, str>>,
    /// `errorMessage`.
    pub message: Option<Cow<'a, str>>,
    /// `errorData`: the CTI server's code, or what the request lacked.
    pub data: Option<Cow<'a, str>>,
    /// `errorMedia`: the media routing domain it is about.
    pub media: Option<Cow<'a, str>>,
    /// `peripheralErrorCode`.
    pub peripheral_code: Option<Cow<'a, str>>,
    /// `peripheralErrorMsg`: the code's name.
    pub peripheral_name: Option<Cow<'a, str>>,
    /// `peripheralErrorText`.
    pub peripheral_text: Option<Cow<'a, str>>,
}

impl<'a> ApiError<'a> {
    pub(super) fn read(branch: impl Branch<'a>) -> Self {
        let mut error = Self::default();
        for child in branch.branches() {
            let field = match child.name() {
                "errorType" | "ErrorType" => &mut error.error_type,
                "errorMessage" | "ErrorMessage" => &mut error.message,
                "errorData" | "ErrorData" => &mut error.data,
                "errorMedia" | "ErrorMedia" => &mut error.media,
                "peripheralErrorCode" | "PeripheralErrorCode" => &mut error.peripheral_code,
                "peripheralErrorMsg" | "PeripheralErrorMsg" => &mut error.peripheral_name,
                "peripheralErrorText" | "PeripheralErrorText" => &mut error.peripheral_text,
                _ => continue,
            };
            *field = child.text();
        }
        error
    }
}
