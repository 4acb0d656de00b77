//! URLs, paths with their parameters, query strings and forms.
//!
//! At `auth` what hides behind percent-encoding is looked for as well, a value may be a URL again, and unknown keys keep the
//! shape of their value. At stricter levels words of the product stay, and of the rest nothing. Texts are treated whole and cut
//! afterwards: half a credential looks like none.

use super::{Pass, WEBSOCKET, cut};
use crate::capture::policy::mark::is_mark;
use crate::capture::policy::table::{self, Place, What};
use crate::capture::policy::user::RulePlace;
use crate::capture::policy::{Class, Level, mark, name, words};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;

/// Longest path, query or URL written, bytes.
const MAX_URL_BYTES: usize = 2_048;

/// What a value may not hold unescaped.
const VALUE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'&').add(b'<').add(b'>').add(b'%').add(b'+');

impl Pass<'_> {
    /// A URL, absolute or not.
    pub(super) fn url(&mut self, url: &str) -> String {
        // An OAuth answer may travel behind the `#`.
        let (url, fragment) = url.split_once('#').map_or((url, None), |(url, fragment)| (url, Some(fragment)));
        let mut out = if self.level == Level::Auth { self.path(url) } else { self.strict_url(url) };
        match fragment {
            Some(fragment) if self.level == Level::Auth && fragment.contains('=') => {
                out = format!("{out}#{}", self.pairs(fragment, ""));
            }
            Some(fragment) if self.level == Level::Auth && !fragment.is_empty() => {
                self.removed(Class::Unknown);
                out = format!("{out}#{}", mark::shape(fragment));
            }
            _ => {}
        }
        out
    }

    fn strict_url(&mut self, url: &str) -> String {
        let Some((scheme, rest)) = url.split_once("://") else {
            return if matches!(url, "null" | "*") { url.to_owned() } else { self.path(url) };
        };
        let known = matches!(scheme, "http" | "https" | "ws" | "wss");
        let scheme = if known { scheme.to_owned() } else { self.segment(scheme) };
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        format!("{scheme}://{}{}", self.host(host), self.path(path))
    }

    /// A path, a node's name, a `uri`, perhaps with a query.
    pub(super) fn path(&mut self, value: &str) -> String {
        let (path, query) = value.split_once('?').map_or((value, None), |(path, query)| (path, Some(query)));
        let kept = if self.level == Level::Auth { self.path_of_anything(path) } else { self.path_of_words(path) };
        let mut out = cut(Cow::Owned(kept), MAX_URL_BYTES).into_owned();
        if let Some(query) = query {
            out.push('?');
            out.push_str(&self.pairs(query, ""));
        }
        out
    }

    /// Everything stays but credentials and what parameters name sessions.
    fn path_of_anything(&mut self, path: &str) -> String {
        let once = percent_decode_str(path).decode_utf8_lossy();
        let twice = percent_decode_str(&once).decode_utf8_lossy();
        let scrubbed = self.text(&twice);
        let path = if scrubbed == twice {
            Cow::Borrowed(path)
        } else {
            Cow::Owned(utf8_percent_encode(&scrubbed, VALUE).to_string())
        };
        if !path.contains(';') {
            return path.into_owned();
        }
        let segment = |this: &mut Self, segment: &str| {
            let mut parts = segment.split(';');
            let mut out = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                out.push(';');
                out.push_str(&this.matrix(part));
            }
            out
        };
        path.split('/').map(|part| segment(self, part)).collect::<Vec<_>>().join("/")
    }

    /// A parameter of a path's segment, at `auth`.
    fn matrix(&mut self, part: &str) -> String {
        let Some((name, raw)) = part.split_once('=') else { return part.to_owned() };
        let value = decoded(raw);
        if crate::capture::token::is_token(&value) || is_mark(&value) {
            return part.to_owned();
        }
        match self.judge(Place::Matrix, "", &decoded(name)) {
            what @ (What::Session | What::Credential) => format!("{name}={}", self.value(what, name, &value)),
            _ => format!("{name}={}", self.value(What::Unknown, name, &value)),
        }
    }

    /// Words of the product stay, ids do not.
    fn path_of_words(&mut self, path: &str) -> String {
        let path = path.split('#').next().unwrap_or(path);
        let api = path.starts_with("/finesse/api/");
        let mut out = String::with_capacity(path.len());
        let mut before = String::new();
        for (place, segment) in path.split('/').enumerate() {
            if place > 0 {
                out.push('/');
            }
            let (segment, parameters) =
                segment.split_once(';').map_or((segment, None), |(segment, rest)| (segment, Some(rest)));
            let plain = percent_decode_str(segment).decode_utf8_lossy().into_owned();
            let kept = if api && place > 3 { self.api_segment(&before, &plain) } else { self.segment(&plain) };
            out.push_str(&kept);
            for parameter in parameters.into_iter().flat_map(|rest| rest.split(';')) {
                let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
                if table::find(Place::Matrix, "", name) == Some(What::Session) {
                    out.push_str(&format!(";{name}={}", self.session(value)));
                } else {
                    self.removed(Class::Unknown);
                }
            }
            before = plain;
        }
        out
    }

    /// A segment behind `/finesse/api/OBJECT`; `before` stands in front of it.
    fn api_segment(&mut self, before: &str, segment: &str) -> String {
        match before {
            _ if segment.is_empty() => String::new(),
            "User" | "Users" | "UserAuthMode" => self.login(segment),
            _ if words::is_path_word(segment) => segment.to_owned(),
            _ if words::is_path_word(before) && segment.bytes().all(|b| b.is_ascii_digit() || b == b'_') => {
                self.number(segment)
            }
            "Team" | "Queue" | "Media" => self.label(segment),
            _ => self.id(segment),
        }
    }

    fn segment(&mut self, segment: &str) -> String {
        const FILES: [&str; 14] =
            ["js", "css", "html", "htm", "jsp", "png", "svg", "gif", "jpg", "ico", "woff", "woff2", "json", "xml"];
        if matches!(segment, "" | "-") || words::is_path_word(segment) || is_mark(segment) {
            return segment.to_owned();
        }
        let file = segment.rsplit_once('.').filter(|(_, extension)| FILES.contains(extension));
        if file.is_some_and(|(name, _)| name == "-") {
            return segment.to_owned();
        }
        self.removed(Class::Unknown);
        file.map_or_else(|| String::from("-"), |(_, extension)| format!("-.{extension}"))
    }

    /// `name=value&…` of a query or an `application/x-www-form-urlencoded` body; of a WebSocket's every value is a credential.
    pub(super) fn pairs(&mut self, text: &str, used: &str) -> String {
        let kept: Vec<String> = text.split('&').filter_map(|pair| self.pair(pair, used)).collect();
        cut(Cow::Owned(kept.join("&")), MAX_URL_BYTES).into_owned()
    }

    fn pair(&mut self, pair: &str, used: &str) -> Option<String> {
        let strict = self.level > Level::Auth;
        let Some((written, raw)) = pair.split_once('=') else {
            // A bare word: a name without value, or the value itself (`?TOKEN`).
            return if strict { self.left_out() } else { Some(self.value(What::Unknown, "", pair).into_owned()) };
        };
        let (key, once) = (decoded(written), decoded(raw));
        if let Some(value) = self.ruled(RulePlace::Pair, &key.to_lowercase(), &once) {
            return Some(format!("{written}={value}"));
        }
        let what = if used == WEBSOCKET { What::Credential } else { self.judge(Place::Pair, "", &key) };
        if !strict {
            let kept = match what {
                What::Credential | What::Session | What::Unknown => self.value(what, &key, &once).into_owned(),
                // A value may be a URL or a header again, encoded once more or twice.
                _ => self.encoded(raw, &once),
            };
            return Some(format!("{}={kept}", self.text(written)));
        }
        let is_known = table::find(Place::Pair, "", &key).is_some() || name::is_telling(&key);
        let kept = match what {
            What::Structure | What::Unknown => return self.left_out(),
            What::Credential | What::Session if !is_known => return self.left_out(),
            // Without its query, in which there may be a URL again, and so on.
            What::Url => self.url(once.split('?').next().unwrap_or_default()),
            _ => self.value(what, &key, &once).into_owned(),
        };
        Some(format!("{written}={}", if kept == once { raw } else { &kept }))
    }

    fn encoded(&mut self, raw: &str, once: &str) -> String {
        let twice = decoded(once);
        let scrubbed = self.text(&twice);
        if scrubbed == twice { raw.to_owned() } else { utf8_percent_encode(&scrubbed, VALUE).to_string() }
    }

    fn left_out(&mut self) -> Option<String> {
        self.removed(Class::Unknown);
        None
    }
}

fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}
