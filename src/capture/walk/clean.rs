//! The fast path: whether a stanza's text holds nothing that a rule of level `auth` could remove.
//!
//! One scan for the words that such rules look for, and for values that look random; what it lets through the walkers leave
//! unchanged, which a property test holds (`walk::tests`). It errs towards the slow way.

use super::looks;
use crate::capture::policy::table::Place;
use crate::capture::policy::{What, name, table, words};
use aho_corasick::{AhoCorasick, MatchKind};
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// From `xmlns` to behind the quote that opens its value, at the most; whatever is longer takes the slow way.
const MAX_DECLARATION_BYTES: usize = 64;

/// Words beside [`name::LONG`] that send a text to the walkers: looks of credentials, elements of SASL and XEP-0198.
///
/// All are of at least four bytes: one search for these takes a fraction of what it takes for shorter ones.
const HINTS: [&str; 23] = [
    "basic",
    "negotiate",
    "ntlm",
    "splunk",
    "digest",
    "samlre",
    "-----begin",
    "xmpp-sasl",
    "urn:xmpp:sm",
    "challenge",
    "success",
    "response",
    "handshake",
    "authenticate",
    "abort>",
    "enabled",
    "resume",
    "failed",
    "zxlk",
    "ewog",
    "ewok",
    "ew0k",
    // Behind an escape there may be any of these.
    "\\u00",
];

/// The same, of three bytes, and [`name::SHORT`]: where the word around is not a name that the table knows.
const SHORT_HINTS: [&str; 2] = ["eyj", "eya"];

/// The same in front of `=`, white space between them or not, or of a percent-encoding.
const KEY_HINTS: [&str; 8] = ["code", "st", "rid", "headers", "sig", "key", "authid", "newkey"];

/// The same in front of `%`: `ey` percent-encoded once and twice.
const ENCODED_HINTS: [&str; 2] = ["%65", "%2565"];

static HINTED: LazyLock<[AhoCorasick; 2]> = LazyLock::new(|| [search(&HINTS), search(name::LONG)]);
static SHORT: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let all: Vec<&str> = SHORT_HINTS.iter().chain(name::SHORT).copied().collect();
    search(&all)
});
static AUTHORITY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("//"));
/// JSON may write a slash so, and one of an authority too.
static ESCAPED_SLASH: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\\/"));
static DECLARATION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("xmlns"));

#[expect(clippy::expect_used, reason = "constant words: the automaton builds or no test passes")]
fn search(words: &[&str]) -> AhoCorasick {
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(words).expect("constant")
}

/// Whether no rule of level `auth` can apply to a stanza's text. With a NUL it is no XML, but may be a charset of two bytes.
#[must_use]
pub fn is_clean(xml: &str) -> bool {
    if xml.contains('\0') {
        return false;
    }
    // The searches are several times faster on one case than on both; the copy costs next to nothing.
    let lower = xml.to_ascii_lowercase();
    !HINTED.iter().any(|words| words.is_match(&lower))
        && !has_secret_name(xml, &lower)
        && !has_key(lower.as_bytes())
        && !has_mark(lower.as_bytes())
        && !names_a_user(xml)
        && !has_random(xml)
        && ESCAPED_SLASH.find(xml.as_bytes()).is_none()
        && namespaces(xml).all(words::is_known_namespace)
}

/// Whether a short word of secrets stands in a name that says so, and that the table does not know as something else.
fn has_secret_name(xml: &str, lower: &str) -> bool {
    SHORT.find_iter(lower).any(|hit| {
        let bytes = xml.as_bytes();
        let part = |b: &u8| b.is_ascii_alphanumeric() || b"_-.".contains(b) || *b >= 0x80;
        let start = bytes.get(..hit.start()).unwrap_or_default().iter().rposition(|b| !part(b)).map_or(0, |at| at + 1);
        let rest = bytes.get(hit.end()..).unwrap_or_default();
        let end = hit.end() + rest.iter().position(|b| !part(b)).unwrap_or(rest.len());
        let Some(word) = xml.get(start..end) else { return true };
        let is_attribute = bytes.get(end).is_some_and(|b| b"= \t\r\n".contains(b));
        let is_jwt = SHORT_HINTS.iter().any(|hint| lower.get(hit.range()) == Some(hint));
        is_jwt || name::secret(word).is_some() && (is_attribute || !is_harmless(word))
    })
}

/// Whether the table knows a name as a value that is no secret.
fn is_harmless(word: &str) -> bool {
    let what = table::find(Place::Member, "", word);
    what.is_some_and(|what| !matches!(what, What::Credential | What::Session | What::Structure))
}

/// Whether a value looks random: the words around digits are looked at.
fn has_random(xml: &str) -> bool {
    const BLOCK: usize = 16;
    let bytes = xml.as_bytes();
    let mut next = 0;
    while let Some(rest) = bytes.get(next..).filter(|rest| !rest.is_empty()) {
        // Looked at without a branch between them, so that the compiler makes vector instructions of it.
        let blocks = rest.as_chunks::<BLOCK>().0;
        let plain =
            blocks.iter().take_while(|block| !block.iter().fold(false, |any, b| any | b.is_ascii_digit())).count()
                * BLOCK;
        let Some(digit) = rest.get(plain..).and_then(|rest| rest.iter().position(u8::is_ascii_digit)) else {
            return false;
        };
        let at = next + plain + digit;
        let part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-';
        let start = bytes.get(..at).unwrap_or_default().iter().rposition(|b| !part(b)).map_or(0, |at| at + 1);
        let behind = bytes.get(at..).unwrap_or_default();
        let end = at + behind.iter().position(|b| !part(b)).unwrap_or(behind.len());
        if end - start >= looks::MIN_RANDOM_BYTES && xml.get(start..end).is_none_or(looks::is_random) {
            return true;
        }
        next = end.max(at + 1);
    }
    false
}

/// Whether a key in front of its `=` is a credential's, or something is percent-encoded that may be a token.
fn has_key(lower: &[u8]) -> bool {
    memchr::memchr2_iter(b'=', b'%', lower).any(|at| {
        let (before, from) = lower.split_at(at);
        let is_encoded =
            from.first() == Some(&b'%') && ENCODED_HINTS.iter().any(|hint| before.ends_with(hint.as_bytes()));
        let key = before.trim_ascii_end();
        is_encoded || KEY_HINTS.iter().any(|hint| key.ends_with(hint.as_bytes()))
    })
}

/// Whether there is a declaration, comment, processing instruction or character reference, escaped or not.
fn has_mark(lower: &[u8]) -> bool {
    memchr::memchr3_iter(b'!', b'?', b'#', lower).any(|at| {
        let (before, from) = lower.split_at(at);
        let openings = if from.first() == Some(&b'#') { ["&", "amp;"] } else { ["<", "&lt;"] };
        openings.iter().any(|opening| before.ends_with(opening.as_bytes()))
    })
}

/// Whether a URL names a user (`https://user:password@host`). Namespaces are URLs too, and name none. A `&` is an escaped
/// character, of a password perhaps.
fn names_a_user(xml: &str) -> bool {
    AUTHORITY.find_iter(xml.as_bytes()).any(|at| {
        let authority = xml.bytes().skip(at + 2).take_while(|b| !b"/\"'<> ".contains(b));
        authority.into_iter().any(|b| b == b'@')
    })
}

/// Values of everything that looks like an `xmlns` declaration. An unusual spelling yields an unknown namespace, which
/// only costs the slow way.
fn namespaces(xml: &str) -> impl Iterator<Item = &str> {
    DECLARATION.find_iter(xml.as_bytes()).map(|at| {
        let rest = xml.get(at..).unwrap_or_default();
        let name = rest.as_bytes().get(..rest.len().min(MAX_DECLARATION_BYTES)).unwrap_or_default();
        let value = memchr::memchr2(b'"', b'\'', name).and_then(|open| {
            let quote = *rest.as_bytes().get(open)?;
            let value = rest.get(open + 1..)?;
            value.get(..memchr::memchr(quote, value.as_bytes())?)
        });
        value.unwrap_or("?")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_few_and_long_enough() {
        for words in [&HINTS[..], name::LONG] {
            assert!(words.len() <= 32 && words.iter().filter(|word| word.len() < 4).count() <= 2, "{words:?}");
        }
    }

    #[test]
    fn what_names_or_looks_like_a_secret_is_not_clean() {
        for text in [
            "<a><userPin>4711</userPin></a>",
            "<a auth='x'/>",
            "<AUTH>x</AUTH>",
            "<a>Rq9aejLm4xTz7vPw2</a>",
            "<a>https://u:p@h</a>",
            "<a>//u:p@h</a>",
            "<a xmlns='urn:odd'/>",
            "<a>&#65;</a>",
            "<x:resume previd='1'/>",
            "<key>1</key>",
            "<callKeyCallId key='1'/>",
        ] {
            assert!(!is_clean(text), "{text}");
        }
        for text in [
            "<presence from='1001@h/desktop'/>",
            "<iq type='get' id='7'><ping xmlns='urn:xmpp:ping'/></iq>",
            "<x><item id='0be528bc-744b-4c44-a9ed-b564c97397ba1102'>&lt;callKeyCallId&gt;146937347&lt;/callKeyCallId&gt;&lt;callType&gt;AGENT_INSIDE&lt;/callType&gt;</item></x>",
            "<stateChangeTime>2019-05-21T04:07:38.017Z</stateChangeTime>",
        ] {
            assert!(is_clean(text), "{text}");
        }
    }
}
