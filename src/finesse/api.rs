//! The REST API's calls: what a method and a path mean.

/// A REST call named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Api {
    /// Node class: `User`, `User/Dialogs`, `Dialog`, `SystemInfo` …
    pub resource: String,
    /// Plain word for method + resource + body: `sign-in`, `sign-out`, `change-state`, `read`, `make-call`, `answer`, `drop` …
    pub operation: Option<&'static str>,
    /// The object's id as in the path, percent-decoded.
    pub object_id: Option<String>,
}

impl Api {
    /// Reads a call. `body` is the decoded request content if it was kept.
    #[must_use]
    pub fn read(method: &str, path: &str, body: Option<&str>) -> Option<Self> {
        let _ = (method, path, body);
        todo!()
    }
}
