//! An entry of a HAR 1.2 with Chrome's and HTTP Toolkit's extensions, as far as it is used.
//!
//! Lenient: what is missing, null or of another type than promised counts as absent, except where nothing would be left.
//! Holds secrets, so nothing here has `Debug`.

use crate::conn::Authority;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// One entry, without its WebSocket messages.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Entry {
    #[serde(deserialize_with = "or_default")]
    pub(super) started_date_time: String,
    pub(super) time: Value,
    #[serde(deserialize_with = "or_default")]
    pub(super) request: Request,
    #[serde(deserialize_with = "or_default")]
    pub(super) response: Response,
    #[serde(deserialize_with = "or_default")]
    pub(super) timings: Timings,
    pub(super) connection: Value,
    #[serde(rename = "serverIPAddress")]
    pub(super) server_ip: Value,
    #[serde(rename = "_webSocketClose")]
    pub(super) close: Value,
}

/// What was asked.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Request {
    #[serde(deserialize_with = "or_default")]
    pub(super) method: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) url: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) headers: Vec<Pair>,
    #[serde(deserialize_with = "or_default")]
    pub(super) post_data: PostData,
}

/// What was answered.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Response {
    pub(super) status: Value,
    #[serde(deserialize_with = "or_default")]
    pub(super) headers: Vec<Pair>,
    #[serde(deserialize_with = "or_default")]
    pub(super) content: Content,
}

/// A header field or a form's field.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Pair {
    #[serde(deserialize_with = "or_default")]
    pub(super) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) value: String,
}

/// A request's content: its text, or a form's fields.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PostData {
    #[serde(deserialize_with = "or_default")]
    pub(super) text: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) params: Vec<Pair>,
}

/// A response's content, its coding undone by the browser.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Content {
    #[serde(deserialize_with = "or_default")]
    pub(super) text: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) encoding: String,
}

/// Milliseconds; negative or absent where unknown.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Timings {
    pub(super) blocked: Value,
    pub(super) dns: Value,
    pub(super) connect: Value,
    pub(super) wait: Value,
    pub(super) send: Value,
}

/// One message of `_webSocketMessages`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct SocketMessage {
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub(super) kind: String,
    pub(super) time: Value,
    pub(super) opcode: Value,
    #[serde(deserialize_with = "or_default")]
    pub(super) data: String,
}

/// Where a request went.
pub(super) struct Url {
    pub(super) server: Authority,
    /// Path and query, fit for a request line.
    pub(super) target: String,
}

impl Entry {
    /// The URL, if it is one of HTTP or WebSocket.
    pub(super) fn url(&self) -> Option<Url> {
        let (scheme, rest) = self.request.url.split_once("://")?;
        let port = match scheme.to_ascii_lowercase().as_str() {
            "https" | "wss" => 443,
            "http" | "ws" => 80,
            _ => return None,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let target = target.split('#').next().unwrap_or_default();
        let mut clean = String::with_capacity(target.len() + 1);
        if !target.starts_with('/') {
            clean.push('/');
        }
        for byte in target.bytes() {
            match byte {
                0x21..=0x7e => clean.push(char::from(byte)),
                _ => clean.push_str(&format!("%{byte:02X}")),
            }
        }
        Some(Url { server: Authority::parse(host, port).ok()?, target: clean })
    }

    /// When it began, microseconds since 1970.
    pub(super) fn started_us(&self) -> Option<i64> {
        date_us(&self.started_date_time)
    }

    /// The response's status; `None` if there was no response.
    pub(super) fn status(&self) -> Option<u16> {
        let status = self.response.status.as_u64().and_then(|status| u16::try_from(status).ok())?;
        (100..1_000).contains(&status).then_some(status)
    }
}

/// An ISO 8601 date with its zone, in microseconds since 1970.
pub(super) fn date_us(text: &str) -> Option<i64> {
    Some(text.parse::<jiff::Timestamp>().ok()?.as_microsecond())
}

/// Milliseconds as microseconds; 0 where negative, absent or absurd.
pub(super) fn ms_as_us(value: &Value) -> i64 {
    let ms = value.as_f64().unwrap_or(0.0);
    scaled(ms, 1e3)
}

/// A message's time: seconds since 1970, as Chrome writes it, or milliseconds, in microseconds since 1970.
pub(super) fn epoch_us(value: &Value) -> Option<i64> {
    let time = value.as_f64().filter(|time| *time > 0.0)?;
    // As seconds, 1e11 would be in the year 5138.
    Some(if time < 1e11 { scaled(time, 1e6) } else { scaled(time, 1e3) })
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to what fits")]
fn scaled(value: f64, by: f64) -> i64 {
    (value * by).round().clamp(0.0, 8e15) as i64
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
