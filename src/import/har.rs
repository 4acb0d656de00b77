//! An entry of a HAR 1.2 with its makers' extensions, as far as it is used.
//!
//! Chrome, Edge, Firefox, Safari, Playwright, HTTP Toolkit, mitmproxy, Charles, Fiddler, Proxyman and Reqable differ in
//! what they leave out, set to `null`, write as text instead of a number, or add; here all of that becomes one form. What
//! is of another type than promised counts as absent. Holds secrets, so nothing here has `Debug`.

use super::lenient::{number, object, pairs, text};
use crate::conn::Authority;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;

/// One entry, without its WebSocket messages.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Entry {
    pub(super) started_date_time: Value,
    #[serde(deserialize_with = "number")]
    pub(super) time: Option<f64>,
    #[serde(deserialize_with = "object")]
    pub(super) request: Request,
    #[serde(deserialize_with = "object")]
    pub(super) response: Response,
    #[serde(deserialize_with = "object")]
    pub(super) timings: Timings,
    #[serde(deserialize_with = "text")]
    pub(super) connection: String,
    #[serde(rename = "serverIPAddress", deserialize_with = "text")]
    pub(super) server_ip: String,
    #[serde(rename = "_webSocketClose")]
    pub(super) close: Value,
    #[serde(rename = "_error", deserialize_with = "text")]
    error: String,
    #[serde(rename = "_errorMessage", deserialize_with = "text")]
    error_message: String,
}

/// What was asked.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Request {
    #[serde(deserialize_with = "text")]
    pub(super) method: String,
    #[serde(deserialize_with = "text")]
    pub(super) url: String,
    #[serde(deserialize_with = "pairs")]
    pub(super) headers: Vec<Pair>,
    #[serde(deserialize_with = "number")]
    body_size: Option<f64>,
    #[serde(deserialize_with = "object")]
    post_data: Content,
    /// HTTP Toolkit: what is no text.
    #[serde(rename = "_content", deserialize_with = "object")]
    content: Content,
}

/// What was answered.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Response {
    #[serde(deserialize_with = "number")]
    status: Option<f64>,
    #[serde(deserialize_with = "pairs")]
    pub(super) headers: Vec<Pair>,
    #[serde(deserialize_with = "object")]
    content: Content,
    /// Chrome and mitmproxy.
    #[serde(rename = "_error", deserialize_with = "text")]
    error: String,
    /// Playwright.
    #[serde(rename = "_failureText", deserialize_with = "text")]
    failure: String,
}

/// A header field or a form's field.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Pair {
    #[serde(deserialize_with = "text")]
    pub(super) name: String,
    #[serde(deserialize_with = "text")]
    pub(super) value: String,
}

/// Content of a request or a response, its coding undone: a text, or a form's fields.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Content {
    #[serde(deserialize_with = "text")]
    text: String,
    #[serde(deserialize_with = "text")]
    encoding: String,
    #[serde(deserialize_with = "number")]
    size: Option<f64>,
    #[serde(deserialize_with = "pairs")]
    params: Vec<Pair>,
}

/// What a HAR knows of a body.
pub(super) enum Body<'e> {
    /// All of it.
    Known(Cow<'e, [u8]>),
    /// How long it was, bytes; the HAR was saved without it.
    Size(u64),
}

/// Milliseconds; negative or absent where unknown.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Timings {
    #[serde(deserialize_with = "number")]
    pub(super) blocked: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub(super) dns: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub(super) connect: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub(super) wait: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub(super) send: Option<f64>,
}

/// One message of `_webSocketMessages`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct SocketMessage {
    #[serde(rename = "type", deserialize_with = "text")]
    pub(super) kind: String,
    pub(super) time: Value,
    #[serde(deserialize_with = "number")]
    pub(super) opcode: Option<f64>,
    #[serde(deserialize_with = "text")]
    pub(super) data: String,
}

/// Where a request went.
pub(super) struct Url {
    pub(super) server: Authority,
    /// Path and query, fit for a request line.
    pub(super) target: String,
    /// Its scheme is `ws` or `wss`.
    pub(super) is_socket: bool,
}

impl Entry {
    /// The URL, if it is one of HTTP or WebSocket.
    pub(super) fn url(&self) -> Option<Url> {
        let (scheme, rest) = self.request.url.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let port = match scheme.as_str() {
            "https" | "wss" => 443,
            "http" | "ws" => 80,
            _ => return None,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        // A proxy's request names its server again (RFC 9112 section 3.2.2): some put its own name in front of that.
        let (server, target) = match Authority::parse(host, port) {
            Ok(server) => (server, target),
            Err(_) => rest
                .split_at_checked(authority_end(rest)?)
                .and_then(|(authority, target)| Some((Authority::parse(authority, port).ok()?, target)))?,
        };
        let target = target.split('#').next().unwrap_or_default();
        let mut clean = String::with_capacity(target.len() + 1);
        let path = target.split('?').next().unwrap_or_default();
        if !path.starts_with('/') && !path.contains("://") {
            clean.push('/');
        }
        for byte in target.bytes() {
            match byte {
                0x21..=0x7e => clean.push(char::from(byte)),
                _ => clean.push_str(&format!("%{byte:02X}")),
            }
        }
        Some(Url { server, target: clean, is_socket: scheme.starts_with("ws") })
    }

    /// The response's status; `None` if there was no response.
    pub(super) fn status(&self) -> Option<u16> {
        let status = self.response.status?;
        (100.0..1_000.0).contains(&status).then(|| scaled(status, 1.0)).and_then(|status| u16::try_from(status).ok())
    }

    /// Why there was no response, in the browser's words.
    pub(super) fn failure(&self) -> Option<&str> {
        let texts = [&self.response.error, &self.response.failure, &self.error, &self.error_message];
        texts.into_iter().map(|text| text.trim()).find(|text| !text.is_empty())
    }

    /// The request's content.
    pub(super) fn sent(&self) -> Body<'_> {
        let Request { post_data, content, body_size, .. } = &self.request;
        if post_data.text.is_empty() && !post_data.params.is_empty() {
            // A browser that took the form apart has left its fields, some of them still escaped.
            let pairs: Vec<String> =
                post_data.params.iter().map(|pair| format!("{}={}", pair.name, pair.value)).collect();
            return Body::Known(pairs.join("&").into_bytes().into());
        }
        let kept = if post_data.text.is_empty() { content } else { post_data };
        kept.body(post_data.size.or(content.size).or(*body_size))
    }

    /// The response's content.
    pub(super) fn received(&self) -> Body<'_> {
        self.response.content.body(self.response.content.size)
    }
}

/// Where the port that follows the first name ends.
fn authority_end(text: &str) -> Option<usize> {
    let (name, rest) = text.split_once(':')?;
    Some(name.len() + 1 + rest.bytes().take_while(u8::is_ascii_digit).count())
}

impl Content {
    fn body(&self, size: Option<f64>) -> Body<'_> {
        let size = size.map_or(0, |size| scaled(size, 1.0)).unsigned_abs();
        if self.text.is_empty() {
            return if size > 0 { Body::Size(size) } else { Body::Known(Cow::Borrowed(&[])) };
        }
        if !self.encoding.trim().eq_ignore_ascii_case("base64") {
            return Body::Known(Cow::Borrowed(self.text.as_bytes()));
        }
        from_base64(&self.text).map_or(Body::Size(size), |bytes| Body::Known(bytes.into()))
    }
}

/// Bytes of base64 in any of its spellings: either alphabet (RFC 4648 sections 4 and 5), padded or not, in lines.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    const ANY_PADDING: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let is_plain = text.bytes().all(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'-' | b'_'));
    let text = if is_plain {
        Cow::Borrowed(text)
    } else {
        let standard = text.chars().filter(|c| !c.is_ascii_whitespace()).map(|c| match c {
            '-' => '+',
            '_' => '/',
            c => c,
        });
        Cow::Owned(standard.collect())
    };
    GeneralPurpose::new(&STANDARD, ANY_PADDING).decode(text.as_bytes()).ok()
}

/// When something was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Date {
    /// Microseconds since 1970.
    pub(super) us: i64,
    /// It does not say its zone, and is taken for UTC.
    pub(super) is_zoneless: bool,
}

/// An ISO 8601 date (or that of RFC 2822, or a number since 1970).
pub(super) fn date(value: &Value) -> Option<Date> {
    let Some(text) = value.as_str().map(str::trim) else {
        return epoch_us(value).map(|us| Date { us, is_zoneless: false });
    };
    let zoned = text.parse::<jiff::Timestamp>().ok();
    let zoned = zoned.or_else(|| Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp()));
    if let Some(time) = zoned {
        return Some(Date { us: time.as_microsecond(), is_zoneless: false });
    }
    if let Ok(civil) = text.parse::<jiff::civil::DateTime>() {
        let time = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        return Some(Date { us: time.as_microsecond(), is_zoneless: true });
    }
    text.parse::<f64>().ok().and_then(epoch).map(|us| Date { us, is_zoneless: false })
}

/// Milliseconds as microseconds; 0 where negative, absent or absurd.
pub(super) fn ms_as_us(ms: Option<f64>) -> i64 {
    scaled(ms.unwrap_or_default(), 1e3)
}

/// A message's time: seconds since 1970, as Chrome writes it, or milliseconds, or a date, in microseconds since 1970.
pub(super) fn epoch_us(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => epoch(number.as_f64()?),
        Value::String(_) => date(value).map(|date| date.us),
        _ => None,
    }
}

fn epoch(time: f64) -> Option<i64> {
    // Before 1973 there is no HAR; what is smaller is a time within something.
    if time < 1e8 {
        return None;
    }
    // As seconds, 1e11 would be in the year 5138; as milliseconds, 1e14.
    Some(match time {
        ..1e11 => scaled(time, 1e6),
        ..1e14 => scaled(time, 1e3),
        _ => scaled(time, 1.0),
    })
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to what fits")]
fn scaled(value: f64, by: f64) -> i64 {
    (value * by).round().clamp(0.0, 8e15) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dates_in_every_spelling() {
        let us = |value: Value| date(&value).map(|date| (date.us, date.is_zoneless));
        let expected = 1_768_468_360_500_000;
        for zoned in [
            json!("2026-01-15T09:12:40.500Z"),
            json!("2026-01-15T10:12:40.5000000+01:00"),
            json!("2026-01-15T10:12:40.500+0100"),
            json!(1_768_468_360.5),
            json!(1_768_468_360_500_u64),
            json!("1768468360500"),
        ] {
            assert_eq!(us(zoned.clone()), Some((expected, false)), "{zoned}");
        }
        assert_eq!(us(json!("2026-01-15T09:12:40.500000")), Some((expected, true)));
        assert_eq!(us(json!("2026-01-15 09:12:40.5")), Some((expected, true)));
        assert_eq!(us(json!("Thu, 15 Jan 2026 09:12:40 GMT")), Some((expected - 500_000, false)));
        for none in [json!(null), json!(""), json!("yesterday"), json!(-1), json!([])] {
            assert_eq!(us(none.clone()), None, "{none}");
        }
    }

    #[test]
    fn urls_become_a_server_and_a_target() {
        let read = |url: &str| {
            let entry = Entry { request: Request { url: url.to_owned(), ..Request::default() }, ..Entry::default() };
            entry.url().map(|url| (url.server.to_string(), url.target))
        };
        let is = |server: &str, target: &str| Some((server.to_owned(), target.to_owned()));
        assert_eq!(read("https://u:p@h.test:8445/a b?c#d"), is("h.test:8445", "/a%20b?c"));
        assert_eq!(read("WSS://h.test?x"), is("h.test:443", "/?x"));
        assert_eq!(read("https://h.test:8445https://i.test/a"), is("h.test:8445", "https://i.test/a"));
        assert_eq!(read("https://h.test:8445*"), is("h.test:8445", "/*"));
        assert_eq!(read("gopher://h.test/"), None);
        assert_eq!(read("https://"), None);
    }

    #[test]
    fn base64_in_every_spelling() {
        let bytes = b"\xfb\xff\xfe?>a".to_vec();
        for text in ["+//+Pz5h", "-__-Pz5h", "+//+\nPz5h\n"] {
            assert_eq!(from_base64(text), Some(bytes.clone()), "{text}");
        }
        assert_eq!(from_base64("YQ=="), from_base64("YQ"));
        assert_eq!(from_base64("no base64!"), None);
    }
}
