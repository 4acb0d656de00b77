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
    // A character written as a JSON or XML escape; an escaped delimiter is a boundary that `\b` does not see.
    let escape = r"\\u[0-9A-F]{4} | &\#x?[0-9A-F]+;";
    let start = r"(?: \b | %(?:25)*[0-9A-F]{2} )";
    let equals = r"(?: = | %(?:25)*3D )";
    let blank = r"(?: \s+ | %(?:25)*20 | \+ )";
    let scheme = "basic|bearer|digest|negotiate|ntlm|splunk";
    let value = format!(r#"(?: [^\s&;,"'<>\\] | {escape} )+"#);
    Regex::new(&format!(
        r#"(?xi)
        (?P<pem> -----BEGIN\ [A-Z\ ]+-----[^-]*(?:-----END\ [A-Z\ ]+-----)? )
      | (?P<jwt> \beyJ[A-Za-z0-9_-]{{5,}}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*
          | \bZXlK[A-Za-z0-9+/_-]{{16,}}=*
          | %(?:25)*65 %(?:25)*79 %(?:25)*4A (?: %(?:25)*[0-9A-F]{{2}} | [A-Za-z0-9._-] ){{8,}}
          | \\u0065\\u0079\\u004A (?: {escape} | [A-Za-z0-9._-] ){{8,}} )
      | (?P<before> {start} ) (?P<scheme> {scheme} ) {blank} (?: [A-Za-z0-9+/_.~=%-] | {escape} ){{6,}}
      | (?P<userinfo> : (?: \\*/ ){{2}} (?: [^\s/?\#@<>"'] | {escape} )+ @ )
      | (?P<session> {start} (?:jsessionid[A-Za-z]*|sid) {equals} )
        (?P<sid> (?: [^\s&;,"'<>%?/\#\\] | %(?:25)*(?:[4-7][0-9A-F]|3[0-9]) | {escape} )+ )
      | (?P<word> {start} (?P<what> code|st|headers|assertion|signature|sig|ticket|uniqueid ) {equals} ) {value}
      | (?P<key> \b[A-Za-z0-9_.-]*
            (?: password|passwd|passphrase|passcode|pwd|token|secret|api[_-]?key|authorization|samlrequest|samlresponse|relaystate )
            [A-Za-z0-9_.-]* )
        (?P<sep> \s*{equals}\s*\\?["']? | \\?["']\s*:\s*\\?["']? | :\s? | (?: > | &(?:amp;)*gt; ) )
        (?P<value> (?: (?:{scheme}) {blank} )? {value} )
    "#
    ))
    .expect("constant")
});

/// `text` without what looks like a credential, and how many were found; `session` makes a session identifier's token.
pub(in crate::capture) fn scrub<'t>(text: &'t str, mut session: impl FnMut(&str) -> String) -> (Cow<'t, str>, u64) {
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
            return format!("{}{} [cred:{}]", part("before"), part("scheme"), part("scheme").to_lowercase());
        }
        if hit.name("session").is_some() {
            return part("session").to_owned() + &session(part("sid"));
        }
        if hit.name("word").is_some() {
            return format!("{}[cred:{}]", part("word"), rules::kind_of(&part("what").to_lowercase()));
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
            ("x ZXlKaGJHY2lPaUpJVXpJMU5pSjkuZQ== y", "x [cred:jwt] y"),
            ("x %65%79%4a%68%62%47%63%69%4f%69%4a%49%55%7a y", "x [cred:jwt] y"),
            ("x %2565%2579%254ahbGciOiJIUzI1NiJ9.e30 y", "x [cred:jwt] y"),
            (r"x \u0065\u0079\u004ahbGciOiJIUzI1NiJ9.e30 y", "x [cred:jwt] y"),
            ("/x;jsessionid=ABC?y", "/x;jsessionid=k-3?y"),
            ("https://u:p@h/x", "https://[cred:userinfo]@h/x"),
            ("a=1&password=hunter2&b=2", "a=1&password=[cred:password]&b=2"),
            (r#"{"access_token":"abc","x":1}"#, r#"{"access_token":"[cred:token]","x":1}"#),
            ("j_password%3Dhunter2%26x", "j_password%3D[cred:password]"),
            ("code=4711&state=READY", "code=[cred:sso]&state=READY"),
            ("a%26code%3D4711", "a%26code%3D[cred:sso]"),
            ("x%3Bjsessionid%3D%41BC", "x%3Bjsessionid%3Dk-5"),
            ("headers%3DBasic%2520abcdefgh", "headers%3D[cred:authorization]"),
            ("x%3DBasic%20abcdefgh", "x%3DBasic [cred:basic]"),
            (r"Basic \u0041\u0042\u0043\u0044\u0045\u0046.", "Basic [cred:basic]"),
            ("token=&#65;&#x42; end", "token=[cred:token] end"),
            ("said <password>hunter2</password> so", "said <password>[cred:password]</password> so"),
            (r#"nonce="n", token="hunter2""#, r#"nonce="n", token="[cred:token]""#),
            (r"https:\/\/u:p@h\/x", r"https://[cred:userinfo]@h\/x"),
            ("https://u:p&#65;&#x42;@h/x", "https://[cred:userinfo]@h/x"),
            ("https://TOKEN@h/x", "https://[cred:userinfo]@h/x"),
            ("https://h/x?mail=a@b", "https://h/x?mail=a@b"),
            ("passcode=4711", "passcode=[cred:password]"),
            ("reasonCode=4711", "reasonCode=4711"),
            ("error code: 404", "error code: 404"),
            ("-----BEGIN EC PRIVATE KEY-----\nabc\n-----END EC PRIVATE KEY-----.", "[cred:pem]."),
        ] {
            assert_eq!(scrubbed(text), expected);
        }
    }
}
