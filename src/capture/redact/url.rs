//! URLs, query strings and forms through the policy.

use super::scrub::Scrub;
use crate::capture::rules::{self, Class, Level};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;

/// Longest URL or query written, bytes; the rest is measured.
const MAX_URL_BYTES: usize = 2_048;

/// What a query value may not hold unescaped.
const VALUE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'&').add(b'<').add(b'>').add(b'%').add(b'+');

/// Whose URL it is: a WebSocket's query is a credential whatever its keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Http,
    WebSocket,
}

/// A request target or URL as (everything before `?`, query).
pub(super) fn target<'u>(scrub: &mut Scrub<'_>, target: &'u str, used: Use) -> (Cow<'u, str>, Option<Cow<'u, str>>) {
    if scrub.level == Level::Off {
        return match target.split_once('?') {
            Some((path, query)) => (Cow::Borrowed(path), Some(Cow::Borrowed(query))),
            None => (Cow::Borrowed(target), None),
        };
    }
    let target = target.split('#').next().unwrap_or(target);
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    (path_text(scrub, limited(path)), query.map(|query| Cow::Owned(pairs(scrub, query, used))))
}

/// A URL as it stands in a header: path and query redacted, put together again.
pub(super) fn url<'u>(scrub: &mut Scrub<'_>, url: &'u str) -> Cow<'u, str> {
    if scrub.level == Level::Off {
        return Cow::Borrowed(url);
    }
    // An OAuth answer may travel behind the `#`.
    let (url, fragment) = url.split_once('#').map_or((url, None), |(url, fragment)| (url, Some(fragment)));
    let (path, query) = target(scrub, url, Use::Http);
    let mut out = path;
    if let Some(query) = query {
        out = Cow::Owned(format!("{out}?{query}"));
    }
    match fragment {
        None | Some("") => out,
        Some(fragment) if fragment.contains('=') => Cow::Owned(format!("{out}#{}", pairs(scrub, fragment, Use::Http))),
        Some(fragment) => Cow::Owned(format!("{out}#{}", scrub.value(Class::Unknown, "fragment", fragment))),
    }
}

/// `name=value&…` of a query or an `application/x-www-form-urlencoded` body.
pub(super) fn pairs(scrub: &mut Scrub<'_>, text: &str, used: Use) -> String {
    if scrub.level == Level::Off {
        return text.to_owned();
    }
    let text = limited(text);
    let mut out = String::with_capacity(text.len());
    for (place, pair) in text.split('&').enumerate() {
        if place > 0 {
            out.push('&');
        }
        let Some((name, raw)) = pair.split_once('=') else {
            // A bare word: a name without value, or the value itself (`?TOKEN`).
            out.push_str(&scrub.value(Class::Unknown, "", pair));
            continue;
        };
        let key = decoded(name).to_lowercase();
        let class = match used {
            Use::WebSocket => Class::Credential,
            Use::Http => rules::query(&key),
        };
        out.push_str(&scrub.text(name));
        out.push('=');
        if class == Class::Operational {
            // A value may be a URL or a header again, encoded once more or twice.
            let once = decoded(raw);
            let twice = decoded(&once);
            let scrubbed = scrub.text(&twice);
            if scrubbed == twice {
                out.push_str(raw);
            } else {
                out.extend(utf8_percent_encode(&scrubbed, VALUE));
            }
        } else {
            out.push_str(&scrub.value(class, &key, &decoded(raw)));
        }
    }
    out
}

/// Everything before the query. What hides behind percent-encoding is looked for as well.
fn path_text<'p>(scrub: &mut Scrub<'_>, path: &'p str) -> Cow<'p, str> {
    let once = percent_decode_str(path).decode_utf8_lossy();
    let twice = percent_decode_str(&once).decode_utf8_lossy();
    let scrubbed = scrub.text(&twice);
    if scrubbed == twice { Cow::Borrowed(path) } else { Cow::Owned(utf8_percent_encode(&scrubbed, VALUE).to_string()) }
}

fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

fn limited(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_URL_BYTES)).unwrap_or(text)
}
