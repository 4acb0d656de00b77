//! What of an exchange's content is read, by its path: calls of the REST API, what a desktop asks before them, calls that
//! gadgets make through their container, and uploaded logs.
//!
//! Content is undone of its coding here, and cut into what is written and what is only read: a gadget's request carries
//! the agent's password, an uploaded log a whole shift.

use super::http::{content, path};
use crate::finesse::{Api, ClientLog, Gadget, GadgetAnswer, Notification, Token};
use crate::http1::{Exchange, Field, RequestHead};
use std::borrow::Cow;

/// Largest answer whose object is read into fields, bytes; a longer one is a list of a whole company.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// What an exchange's content is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Carries {
    /// Nothing that is looked into.
    Nothing,
    /// A call of the REST API, or what answers in its manner.
    Call,
    /// A call inside `makeRequest`.
    Gadget,
    /// A desktop's log.
    ClientLog,
}

impl Carries {
    pub(super) fn of(request: &RequestHead) -> Self {
        let path = path(&request.target);
        if path.starts_with("/finesse/api/") {
            // Only uploads; there is nothing to read back.
            if path.contains("ClientLog") { Self::ClientLog } else { Self::Call }
        } else if path.starts_with("/desktop/api/") || Token::is_at(path) {
            Self::Call
        } else if Gadget::is_at(path) {
            Self::Gadget
        } else {
            Self::Nothing
        }
    }
}

/// Content of both bodies, and what is wrong with it.
pub(super) struct Contents<'e> {
    pub(super) carries: Carries,
    pub(super) request: Option<Cow<'e, [u8]>>,
    pub(super) response: Option<Cow<'e, [u8]>>,
    pub(super) request_fault: Option<&'static str>,
    pub(super) response_fault: Option<&'static str>,
}

impl<'e> Contents<'e> {
    pub(super) fn of(exchange: &'e Exchange) -> Self {
        let carries = Carries::of(&exchange.request);
        let response_fields = exchange.response.as_ref().map(|response| &response.fields[..]).unwrap_or_default();
        let decoded = |body, fields: &[Field]| match content(body, fields) {
            _ if carries == Carries::Nothing || body.content_bytes == 0 => (None, None),
            Ok(content) => (Some(content), None),
            Err(why) => (None, Some(why)),
        };
        let (request, request_fault) = decoded(&exchange.request_body, &exchange.request.fields);
        let (response, response_fault) = decoded(&exchange.response_body, response_fields);
        Self { carries, request, response, request_fault, response_fault }
    }

    /// What the exchange was, as far as its content tells.
    pub(super) fn read<'r>(&'r self, request: &'r RequestHead, status: Option<u16>) -> Reading<'r> {
        let target = path(&request.target);
        let text = |content: &'r Option<Cow<'e, [u8]>>| content.as_deref().and_then(|bytes| str::from_utf8(bytes).ok());
        let (asked, answered) = (text(&self.request), text(&self.response));
        let mut reading = Reading {
            method: Cow::Borrowed(&request.method),
            status,
            request_id: header(request, "requestid").map(Cow::Borrowed),
            authorization: header(request, "authorization").map(Cow::Borrowed),
            api: None,
            gadget: None,
            gadget_status: None,
            token: None,
            client_log: None,
            answer: None,
        };
        match self.carries {
            Carries::Nothing => {}
            Carries::Call => {
                reading.api = Api::read(&request.method, target, asked);
                reading.answer = answered.map(Cow::Borrowed);
                reading.token = answered.filter(|_| Token::is_at(target)).and_then(Token::read);
            }
            Carries::ClientLog => {
                reading.api = Api::read(&request.method, target, None);
                reading.client_log = asked.filter(|_| request.method == "POST").map(ClientLog::read);
                reading.answer = answered.map(Cow::Borrowed);
            }
            Carries::Gadget => {
                let Some(gadget) = Gadget::read(target, asked) else { return reading };
                let answer = answered.map(GadgetAnswer::read).unwrap_or_default();
                reading.api = Api::read(&gadget.method, gadget.path(), gadget.body.as_deref());
                reading.method = Cow::Owned(gadget.method.clone());
                reading.request_id = gadget.request_id.clone().map(Cow::Owned);
                reading.authorization = gadget.authorization.clone().map(Cow::Owned);
                reading.gadget_status = answer.status;
                reading.status = answer.status.or(status);
                reading.answer = answer.body.map(Cow::Owned);
                reading.gadget = Some(gadget);
            }
        }
        reading.answer = reading.answer.take().filter(|answer| {
            // What is answered to an error is short, whatever was asked.
            answer.len() <= MAX_ANSWER_BYTES && Notification::of(answer) != Notification::Text
        });
        reading
    }

    /// What is written of the content: request and response.
    pub(super) fn written(&self) -> (Option<&[u8]>, Option<&[u8]>) {
        match self.carries {
            Carries::Call => (self.request.as_deref(), self.response.as_deref()),
            _ => (None, None),
        }
    }
}

/// An exchange as the REST API sees it: what stands inside where a gadget sent it.
pub(super) struct Reading<'r> {
    pub(super) method: Cow<'r, str>,
    pub(super) status: Option<u16>,
    pub(super) request_id: Option<Cow<'r, str>>,
    pub(super) authorization: Option<Cow<'r, str>>,
    pub(super) api: Option<Api>,
    pub(super) gadget: Option<Gadget>,
    /// The status inside.
    pub(super) gadget_status: Option<u16>,
    pub(super) token: Option<Token>,
    pub(super) client_log: Option<ClientLog>,
    /// The answer's document, XML or JSON.
    pub(super) answer: Option<Cow<'r, str>>,
}

fn header<'r>(request: &'r RequestHead, name: &str) -> Option<&'r str> {
    request.field(name).and_then(|value| str::from_utf8(value).ok()).filter(|value| !value.is_empty())
}
