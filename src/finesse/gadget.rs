//! `/gadgets/makeRequest`: how a gadget calls the REST API through its container (Apache Shindig).
//!
//! The real method, URL and header fields are form fields of the request (or in its query); the real status and body stand
//! in the answer, as JSON behind `throw 1; < don't be evil' >`. Never fails: what cannot be read is absent.

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What the gadget asks for. Holds what may open something in `authorization`: no `Debug`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Gadget {
    /// `httpMethod`, in upper case; `GET` if the form names none.
    pub method: String,
    /// `url`.
    pub url: String,
    /// `requestId` among `headers`.
    pub request_id: Option<String>,
    /// `Authorization` among `headers`.
    pub authorization: Option<String>,
    /// `postData`.
    pub body: Option<String>,
}

/// What the container says that came back.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GadgetAnswer {
    /// `rc`.
    pub status: Option<u16>,
    /// `body`.
    pub body: Option<String>,
}

/// Longest text of one form field that is read, bytes.
const MAX_FIELD_BYTES: usize = 64 << 10;

impl Gadget {
    /// Whether a path (with or without its query) is that of `makeRequest`.
    #[must_use]
    pub fn is_at(path: &str) -> bool {
        path.split('?').next() == Some("/gadgets/makeRequest")
    }

    /// Reads a request by its path with query and its form. `None` without a URL.
    #[must_use]
    pub fn read(path: &str, form: Option<&str>) -> Option<Self> {
        let mut gadget = Self { method: String::from("GET"), ..Self::default() };
        let query = path.split_once('?').map_or("", |(_, query)| query);
        for (name, value) in pairs(query).chain(pairs(form.unwrap_or_default())) {
            match name {
                "url" => gadget.url = decoded(value),
                "httpMethod" => gadget.method = decoded(value).to_ascii_uppercase(),
                "postData" => gadget.body = Some(decoded(value)).filter(|body| !body.is_empty()),
                "headers" => gadget.read_headers(&decoded(value)),
                _ => {}
            }
        }
        Some(gadget).filter(|gadget| !gadget.url.is_empty())
    }

    /// Header fields are a form inside the form.
    fn read_headers(&mut self, headers: &str) {
        for (name, value) in pairs(headers) {
            match name.to_ascii_lowercase().as_str() {
                "requestid" => self.request_id = Some(decoded(value)).filter(|id| !id.is_empty()),
                "authorization" => self.authorization = Some(decoded(value)),
                _ => {}
            }
        }
    }

    /// Path and query of its URL.
    #[must_use]
    pub fn path(&self) -> &str {
        match self.url.split_once("://") {
            Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
            None => &self.url,
        }
    }
}

impl GadgetAnswer {
    /// Reads the container's answer.
    #[must_use]
    pub fn read(content: &str) -> Self {
        #[derive(Deserialize)]
        struct Told {
            rc: Option<u16>,
            body: Option<String>,
        }
        let json = content.find('{').and_then(|at| content.get(at..)).unwrap_or_default();
        let answers: BTreeMap<String, Told> = serde_json::from_str(json).unwrap_or_default();
        let told = answers.into_values().next();
        told.map(|Told { rc, body }| Self { status: rc, body: body.filter(|body| !body.is_empty()) })
            .unwrap_or_default()
    }
}

fn pairs(form: &str) -> impl Iterator<Item = (&str, &str)> {
    form.split('&').filter_map(|pair| pair.split_once('=')).filter(|(_, value)| value.len() <= MAX_FIELD_BYTES)
}

fn decoded(value: &str) -> String {
    let value = if value.contains('+') { Cow::Owned(value.replace('+', " ")) } else { Cow::Borrowed(value) };
    percent_decode_str(&value).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_request_stands_inside() {
        let form = "url=https%3A%2F%2Ffin1.example.test%3A8445%2Ffinesse%2Fapi%2FUser%2F1001%3Fa%3D1&httpMethod=put&\
                    headers=Authorization%3DBasic%2520MTAwMTph%26requestId%3D6f1c%26Content-Type%3Dapplication%252Fxml&\
                    postData=%3CUser%3E%3Cstate%3EREADY%3C%2Fstate%3E%3C%2FUser%3E&fullHeaders=true&st=abc&refresh=0";
        let gadget = Gadget::read("/gadgets/makeRequest", Some(form)).unwrap();
        assert_eq!((&*gadget.method, gadget.path()), ("PUT", "/finesse/api/User/1001?a=1"));
        assert_eq!(gadget.request_id.as_deref(), Some("6f1c"));
        assert_eq!(gadget.authorization.as_deref(), Some("Basic MTAwMTph"));
        assert_eq!(gadget.body.as_deref(), Some("<User><state>READY</state></User>"));

        let query = "/gadgets/makeRequest?url=http%3A%2F%2Flocalhost%3A8082%2Ffinesse%2Fapi%2FSystemInfo&refresh=0";
        let gadget = Gadget::read(query, None).unwrap();
        assert_eq!((&*gadget.method, gadget.path()), ("GET", "/finesse/api/SystemInfo"));
        assert!(Gadget::read("/gadgets/makeRequest", Some("httpMethod=GET")).is_none());
        assert!(Gadget::is_at(query) && !Gadget::is_at("/gadgets/ifr"));
    }

    #[test]
    fn the_real_answer_stands_inside() {
        let answer = "throw 1; < don't be evil' >{\"https://fin1.example.test/finesse/api/User/1001\":{\"body\":\
                      \"<ApiErrors/>\",\"rc\":400,\"headers\":{\"date\":[\"x\"]}}}";
        let expected = GadgetAnswer { status: Some(400), body: Some(String::from("<ApiErrors/>")) };
        assert_eq!(GadgetAnswer::read(answer), expected);
        let accepted = "throw 1; < don't be evil' >{\"u\":{\"rc\":202,\"body\":\"\"}}";
        assert_eq!(GadgetAnswer::read(accepted), GadgetAnswer { status: Some(202), body: None });
        for damaged in ["", "throw 1;", "{", "{}", "{\"u\":1}", "<html>"] {
            assert_eq!(GadgetAnswer::read(damaged), GadgetAnswer::default(), "{damaged}");
        }
    }
}
