//! HTTP heads and bodies through the policy.

use super::scrub::Scrub;
use super::{json, url, xml};
use crate::capture::event::Header;
use crate::capture::rules::{self, Class, Field, Level, Treatment};
use crate::finesse::Notification;
use crate::http1::head;
use std::borrow::Cow;

/// Header fields written per message at the most.
const MAX_FIELDS: usize = 64;
/// Longest header value written, bytes.
const MAX_VALUE_BYTES: usize = 1_024;

/// Header fields, by allow-list: unknown ones keep their name and the shape of their value.
pub(super) fn fields(scrub: &mut Scrub<'_>, fields: &[head::Field]) -> Vec<Header<'static>> {
    fields.iter().take(MAX_FIELDS).map(|field| one(scrub, field)).collect()
}

fn one(scrub: &mut Scrub<'_>, field: &head::Field) -> Header<'static> {
    let name = String::from_utf8_lossy(&field.name);
    let value = String::from_utf8_lossy(&field.value);
    let lower = name.to_lowercase();
    let value = match rules::field(&lower) {
        Field::Text(class) => scrub.value(class, &lower, &value),
        Field::Url => url::url(scrub, &value),
        // A challenge names a realm; a bare blob behind the scheme (Negotiate) is one side of a credential.
        Field::Challenge if value.contains("=\"") || !value.trim().contains(' ') => {
            let (scheme, parameters) = value.split_once(' ').unwrap_or((&value, ""));
            Cow::Owned(format!("{scheme} {}", scrub.text(parameters)).trim_end().to_owned())
        }
        Field::Challenge | Field::Authorization => scrub.authorization(&value),
        Field::Cookie => Cow::Owned(join(value.split(';').map(|pair| cookie(scrub, pair)))),
        Field::SetCookie => {
            let mut parts = value.split(';');
            let pair = cookie(scrub, parts.next().unwrap_or_default());
            Cow::Owned(join(std::iter::once(pair).chain(parts.map(|part| attribute(scrub, part.trim())))))
        }
    };
    let name = scrub.name(&name).into_owned();
    let mut value = value.into_owned();
    value.truncate(value.floor_char_boundary(MAX_VALUE_BYTES));
    Header { name: Cow::Owned(name), value: Cow::Owned(value) }
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("; ")
}

fn cookie(scrub: &mut Scrub<'_>, pair: &str) -> String {
    // A value without a name may end in base64's padding.
    let named = pair.trim().split_once('=').filter(|(_, value)| !value.trim_matches('=').is_empty());
    let (name, value) = named.unwrap_or(("", pair.trim()));
    let class = rules::cookie(&name.to_lowercase());
    // Some join cookies by commas: then there is another one in the value.
    let kept = scrub.level == Level::Off || scrub.level.treatment(class) == Treatment::Keep && !value.contains('=');
    let value = value.trim_matches('"');
    match (class, name) {
        (_, "") => scrub.value(Class::Session, "", value).into_owned(),
        _ if kept => format!("{name}={}", scrub.value(class, name, value)),
        _ => format!("{name}={}", scrub.session(value)),
    }
}

/// An attribute of a `Set-Cookie`. What RFC 6265 and its successors do not name, or what holds another cookie behind a
/// comma, is treated as a cookie.
fn attribute(scrub: &mut Scrub<'_>, part: &str) -> String {
    const KNOWN: [&str; 9] =
        ["path", "domain", "expires", "max-age", "secure", "httponly", "samesite", "partitioned", "priority"];
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    if scrub.level == Level::Off || KNOWN.contains(&&*name.to_lowercase()) && !value.contains('=') {
        return scrub.text(part).into_owned();
    }
    cookie(scrub, part)
}

/// A REST body: XML, JSON or a form is redacted by its structure; anything else is only measured.
pub(super) fn body(scrub: &mut Scrub<'_>, mime_type: &str, content: &[u8]) -> String {
    let Ok(text) = simdutf8::basic::from_utf8(content) else {
        return if scrub.level == Level::Off {
            String::from_utf8_lossy(content).into_owned()
        } else {
            scrub.unparsed(content.len())
        };
    };
    if scrub.level == Level::Off || text.trim().is_empty() {
        return text.to_owned();
    }
    match Notification::of(text) {
        _ if mime_type.contains("x-www-form-urlencoded") => url::pairs(scrub, text, url::Use::Http),
        Notification::Xml if !mime_type.contains("html") => {
            xml::payload(scrub, &crate::xmpp::parse::parse(text)).into_owned()
        }
        Notification::Json => json::text(scrub, text, 1),
        _ => scrub.unparsed(content.len()),
    }
}
