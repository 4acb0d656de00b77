//! The desktop's REST calls: one keep-alive connection, `Authorization: Basic` on every call of the agent's, a fresh `requestId` on
//! every change, the session cookie once the server has set it.
//!
//! An answer that is not the one hoped for is an error that names method, path and status. Bodies are at most
//! [`MAX_BODY_BYTES`].

use super::line::Line;
use crate::demo::xml::Element;
use crate::demo::{Agent, uuid};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::task::JoinSet;

const MAX_BODY_BYTES: usize = 256 * 1024;

/// The connection, and what has gone over it.
pub(super) struct Rest {
    /// Answered as hoped.
    requests: u32,
    sender: SendRequest<Full<Bytes>>,
    host: String,
    authorization: String,
    user_agent: &'static str,
    cookies: String,
    /// Drives the connection; ends with it.
    connection: JoinSet<()>,
}

impl Rest {
    pub(super) async fn connect(line: &Line, agent: &Agent) -> Result<Self> {
        let (sender, connection) = http1::handshake(TokioIo::new(line.connect().await?)).await?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "demo desktop connection ended");
            }
        });
        Ok(Self {
            requests: 0,
            sender,
            host: line.host(),
            authorization: agent.basic(),
            user_agent: line.user_agent,
            // Left by the desktop's own script at an earlier sign-in.
            cookies: format!("finesse_ag_extension={}; attemptsMade=0", agent.extension),
            connection: driver,
        })
    }

    /// Loads something without looking at it.
    pub(super) async fn page(&mut self, path: &str) -> Result<()> {
        self.send(Method::GET, path, "text/html", None, Bytes::new(), StatusCode::OK).await.map(|_| ())
    }

    /// Reads an API object.
    pub(super) async fn object(&mut self, path: &str) -> Result<Element> {
        let body = self.send(Method::GET, path, "application/xml", None, Bytes::new(), StatusCode::OK).await?;
        let text = std::str::from_utf8(&body).with_context(|| format!("GET {path}: not UTF-8"))?;
        Element::read(text).with_context(|| format!("GET {path}"))
    }

    /// Asks for a change; gives the `requestId` its outcome will carry.
    pub(super) async fn put(&mut self, path: &str, body: String) -> Result<String> {
        let request_id = uuid();
        self.send(Method::PUT, path, "application/xml", Some(&request_id), body.into(), StatusCode::ACCEPTED).await?;
        Ok(request_id)
    }

    /// What gadgets do through their container: the agent's credentials travel inside a form field, encoded twice.
    pub(super) async fn gadget_request(&mut self) -> Result<()> {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let url = format!("https://{}/finesse/api/Queue/1", self.host);
        let headers = format!("Authorization={}", encode(&self.authorization));
        let form = format!("url={}&httpMethod=GET&headers={}&contentType=TEXT", encode(&url), encode(&headers));
        let form_type = "application/x-www-form-urlencoded";
        self.send(Method::POST, "/gadgets/makeRequest", form_type, None, form.into(), StatusCode::OK).await.map(|_| ())
    }

    /// Ends the connection cleanly. Says how many requests were answered as hoped.
    pub(super) async fn close(mut self) -> u32 {
        drop(self.sender);
        while self.connection.join_next().await.is_some() {}
        self.requests
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        content_type: &str,
        request_id: Option<&str>,
        body: Bytes,
        hoped: StatusCode,
    ) -> Result<Bytes> {
        let mut request = Request::builder()
            .method(&method)
            .uri(path)
            .header(header::HOST, &self.host)
            .header(header::USER_AGENT, self.user_agent)
            .header(header::COOKIE, &self.cookies);
        // The page and SystemInfo come before anybody has signed in.
        if !path.starts_with("/desktop/") && !path.ends_with("/SystemInfo") {
            request = request.header(header::AUTHORIZATION, &self.authorization);
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, content_type);
        } else {
            request = request.header(header::ACCEPT, content_type);
        }
        if let Some(request_id) = request_id {
            request = request.header("requestId", request_id);
        }
        let what = format!("{method} {path}");
        self.sender.ready().await.with_context(|| format!("{what}: connection lost"))?;
        let answer = self.sender.send_request(request.body(Full::new(body))?).await.with_context(|| what.clone())?;
        let status = answer.status();
        self.keep_session(answer.headers());
        let Ok(collected) = Limited::new(answer.into_body(), MAX_BODY_BYTES).collect().await else {
            bail!("{what}: the answer broke off or was too long");
        };
        if status != hoped {
            bail!("{what}: answered {status}");
        }
        self.requests += 1;
        Ok(collected.to_bytes())
    }

    fn keep_session(&mut self, headers: &header::HeaderMap) {
        let set = headers.get(header::SET_COOKIE).and_then(|value| value.to_str().ok());
        if let Some(cookie) = set.and_then(|value| value.split(';').next()) {
            self.cookies = format!("{cookie}; {}", self.cookies);
        }
    }
}
