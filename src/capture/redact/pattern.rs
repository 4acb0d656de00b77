//! Credentials recognised by their looks in free text: `Basic …`, JWTs, PEM keys, `password=…`, `;jsessionid=…`,
//! `https://user:password@host`.
//!
//! The second line behind the rules by name. Errs towards removing: a word behind "basic" may go with it.

use crate::capture::rules;
use regex::{Captures, Regex};
use std::borrow::Cow;
use std::sync::LazyLock;

#[expect(clippy::expect_used, reason = "a constant pattern: it compiles or no test passes")]
static LOOKS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?xi)
        (?P<pem> -----BEGIN\ [A-Z\ ]+-----[^-]*(?:-----END\ [A-Z\ ]+-----)? )
      | (?P<jwt> \beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)* )
      | \b(?P<scheme> basic|bearer|digest|negotiate|ntlm|splunk )
        (?: \s+ | %20 | %2520 | \+ ) (?P<blob> [A-Za-z0-9+/_.~=%-]{6,} )
      | (?P<userinfo> :// [^\s/@:<>"']+ : [^\s/@<>"']+ @ )
      | (?P<session> ;?\b(?:jsessionid|sid) ) (?P<ssep> = | %3D | %253D ) (?P<sid> [^\s&;,"'<>%?/\#]+ )
      | (?P<word> \b(?:code|st|headers|assertion|signature|sig|ticket|uniqueid) ) (?P<wsep> = | %3D | %253D )
        [^\s&;,"'<>\\]+
      | (?P<key> \b[A-Za-z0-9_.-]*
            (?: password|passwd|passphrase|pwd|token|secret|api[_-]?key|authorization|samlrequest|samlresponse|relaystate )
            [A-Za-z0-9_.-]* )
        (?P<sep> \s*(?:=|%3D|%253D)\s* | \\?["']\s*:\s*\\?["']? | :\s? )
        (?P<value> (?: (?:basic|bearer|digest|negotiate|ntlm|splunk) (?:\s+|%20|%2520|\+) )? [^\s&;,"'<>\\]+ )
    "#,
    )
    .expect("constant")
});

/// `text` without what looks like a credential, and how many were found; `session` makes a session identifier's token.
pub(in crate::capture) fn scrub<'t>(text: &'t str, session: impl Fn(&str) -> String) -> (Cow<'t, str>, u64) {
    let mut found = 0;
    let scrubbed = LOOKS.replace_all(text, |hit: &Captures<'_>| {
        found += 1;
        let part = |name| hit.name(name).map_or("", |m| m.as_str());
        if hit.name("pem").is_some() {
            return String::from("[cred:pem]");
        }
        if hit.name("jwt").is_some() {
            return String::from("[cred:jwt]");
        }
        if hit.name("userinfo").is_some() {
            return String::from("://[cred:userinfo]@");
        }
        if hit.name("scheme").is_some() {
            return format!("{} [cred:{}]", part("scheme"), part("scheme").to_lowercase());
        }
        if hit.name("session").is_some() {
            return format!("{}{}{}", part("session"), part("ssep"), session(part("sid")));
        }
        if hit.name("word").is_some() {
            return format!("{}{}[cred:{}]", part("word"), part("wsep"), rules::kind_of(&part("word").to_lowercase()));
        }
        if part("value").starts_with('[') {
            // Already masked.
            found -= 1;
            return part("key").to_owned() + part("sep") + part("value");
        }
        format!("{}{}[cred:{}]", part("key"), part("sep"), rules::kind_of(&part("key").to_lowercase()))
    });
    (scrubbed, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_recognised() {
        let scrubbed = |text| scrub(text, |s| format!("k-{}", s.len())).0.into_owned();
        for (text, expected) in [
            ("hello, agent 1001 is READY", "hello, agent 1001 is READY"),
            ("Authorization: Basic MTAwMTpzZWNyZXQ=", "Authorization: [cred:authorization]"),
            ("auth Basic MTAwMTpzZWNyZXQ= end", "auth Basic [cred:basic] end"),
            ("Bearer abcdef.ghi", "Bearer [cred:bearer]"),
            ("x eyJhbGciOi.eyJzdWIi.c2ln y", "x [cred:jwt] y"),
            ("/x;jsessionid=ABC?y", "/x;jsessionid=k-3?y"),
            ("https://u:p@h/x", "https://[cred:userinfo]@h/x"),
            ("a=1&password=hunter2&b=2", "a=1&password=[cred:password]&b=2"),
            (r#"{"access_token":"abc","x":1}"#, r#"{"access_token":"[cred:token]","x":1}"#),
            ("j_password%3Dhunter2%26x", "j_password%3D[cred:password]"),
            ("code=4711&state=READY", "code=[cred:sso]&state=READY"),
            ("reasonCode=4711", "reasonCode=4711"),
            ("error code: 404", "error code: 404"),
            ("-----BEGIN EC PRIVATE KEY-----\nabc\n-----END EC PRIVATE KEY-----.", "[cred:pem]."),
        ] {
            assert_eq!(scrubbed(text), expected);
        }
    }
}
