//! Credentials recognised by their looks: in free text (`Basic …`, JWTs, PEM keys, `password=…`, `;jsessionid=…`,
//! `https://user:password@host`), and as a value by itself (long and random).
//!
//! The second line behind the rules by name. Errs towards removing: a word behind "basic" may go with it.

use crate::capture::policy::{mark, name, words};
use regex::{Captures, Regex};
use std::borrow::Cow;
use std::sync::LazyLock;

/// From this length on a random value may open something, bytes.
pub const MIN_RANDOM_BYTES: usize = 12;

#[expect(clippy::expect_used, reason = "a constant pattern: it compiles or no test passes")]
static LOOKS: LazyLock<Regex> = LazyLock::new(|| {
    // A character written as a JSON or XML escape; an escaped delimiter is a boundary that `\b` does not see.
    let escape = r"\\u[0-9A-F]{4} | &\#x?[0-9A-F]+;";
    let start = r"(?: (?-u:\b) | %(?:25)*[0-9A-F]{2} )";
    let equals = r"(?: =>? | %(?:25)*3D )";
    let blank = r"(?: \s+ | %(?:25)*20 | \+ )";
    let scheme = "basic|bearer|digest|negotiate|ntlm|splunk";
    // To the next white space or quote: a password may hold commas, semicolons and brackets.
    let value = format!(r#"(?: [^\s&"'<>\\] | {escape} )+"#);
    let quoted = r#"(?: " [^"]{1,256} " | ' [^']{1,256} ' | \\" [^"\\]{1,256} \\" | &quot; [^&]{1,256} &quot; | &apos; [^&]{1,256} &apos; )"#;
    Regex::new(&format!(
        r#"(?xi)
        (?P<pem> -----BEGIN\ [A-Z0-9\ ]+-----(?s:.)*?(?: -----END\ [A-Z0-9\ ]+----- | \z ) )
      | (?P<jwt> (?-u:\b)(?: eyJ | eyA | ewog | ewok | ew0K )[A-Za-z0-9_-]{{2,}}\s*\.\s*[A-Za-z0-9_-]{{2,}}(?:\.[A-Za-z0-9_-]*)*
          | (?-u:\b)eyJ[A-Za-z0-9_-]{{5,}}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*
          | (?-u:\b)ZXlK[A-Za-z0-9+/_-]{{16,}}=*
          | %(?:25)*65 %(?:25)*79 %(?:25)*4A (?: %(?:25)*[0-9A-F]{{2}} | [A-Za-z0-9._-] ){{8,}}
          | \\u0065\\u0079\\u004A (?: {escape} | [A-Za-z0-9._-] ){{8,}} )
      | (?P<before> {start} ) (?P<scheme> {scheme} ) {blank} (?: [A-Za-z0-9+/_.~=%-] | {escape} ){{6,}}
      | (?P<userinfo> (?: : | (?-u:\b) | ^ | [\s"'=(<>] ) (?: \\*/ ){{2}} (?: [^\s/?\#<>"'] | {escape} )+ @ )
      | (?P<session> {start} (?:jsessionid[A-Za-z]*|phpsessid|sid) {equals} )
        (?P<sid> (?: [^\s&;,"'<>%?/\#\\] | %(?:25)*(?:[4-7][0-9A-F]|3[0-9]) | {escape} )+ )
      | (?P<word> {start} (?P<what> code|st|headers|assertion|signature|sig|ticket|uniqueid ) {equals} )
        (?P<short> (?: [^\s&;,"'<>\\] | {escape} )+ )
      | (?P<key> (?-u:\b)[A-Za-z0-9_.-]*
            (?: password|passwd|passphrase|passcode|pwd|token|secret|api[_-]?key|authorization|samlrequest|samlresponse|relaystate )
            [A-Za-z0-9_.-]* )
        (?P<sep> \s*{equals}\s* | \\?["']\s*:\s* | \s?:\s* | (?: > | &(?:amp;)*gt; ) )
        (?P<value> {quoted} | (?: \\?["'] )? (?: (?:{scheme}) {blank} )? {value} )
    "#
    ))
    .expect("constant")
});

/// `text` without what looks like a credential, and how many were found; `session` makes a session identifier's token,
/// `learn` is told what was found.
pub fn scrub<'t>(
    text: &'t str,
    mut session: impl FnMut(&str) -> String,
    mut learn: impl FnMut(&str),
) -> (Cow<'t, str>, u64) {
    let mut found = 0;
    let scrubbed = LOOKS.replace_all(text, |hit: &Captures<'_>| {
        let part = |name| hit.name(name).map_or("", |m| m.as_str());
        found += 1;
        if hit.name("pem").is_some() {
            return String::from("[cred:pem]");
        }
        if let Some(token) = hit.name("jwt") {
            learn(token.as_str());
            return String::from("[cred:jwt]");
        }
        if hit.name("userinfo").is_some() {
            let whole = part("userinfo");
            let slashes = whole.find("//").map_or(whole.find('\\').unwrap_or_default(), |at| at);
            if whole.contains("[cred:userinfo]@") {
                found -= 1;
                return whole.to_owned();
            }
            return format!("{}//[cred:userinfo]@", whole.get(..slashes).unwrap_or_default());
        }
        if hit.name("scheme").is_some() {
            return format!("{}{} [cred:{}]", part("before"), part("scheme"), part("scheme").to_lowercase());
        }
        if hit.name("session").is_some() {
            return part("session").to_owned() + &session(part("sid"));
        }
        if hit.name("word").is_some() {
            if mark::leading(part("short")).is_some() {
                found -= 1;
                return part("word").to_owned() + part("short");
            }
            learn(part("short"));
            return format!("{}[cred:{}]", part("word"), name::kind_of(part("what")));
        }
        let (value, quote) = (part("value"), |c: char| "\"'\\".contains(c));
        let bare = value.trim_matches(quote);
        if mark::leading(bare).is_some() || is_flag(bare) {
            found -= 1;
            return part("key").to_owned() + part("sep") + value;
        }
        learn(bare);
        // Quotes that a JSON text opened before the value stay where they were.
        let opened = value.get(..value.len() - value.trim_start_matches(quote).len()).unwrap_or_default();
        let ends = bare.len() < value.trim_start_matches(quote).len();
        let closed = if ends { opened } else { "" };
        format!("{}{}{opened}[cred:{}]{closed}", part("key"), part("sep"), name::kind_of(part("key")))
    });
    (scrubbed, found)
}

/// What opens nothing, whatever it is called.
#[must_use]
pub fn is_flag(value: &str) -> bool {
    matches!(value.trim(), "" | "true" | "false" | "null" | "yes" | "no" | "none" | "*" | "-")
}

/// Whether a value by itself looks like a key or token: [`MIN_RANDOM_BYTES`] and more, with letters and digits that change
/// too often for a word. A UUID, a telephone's name (`SEP0123456789AB`), a dialog's id, a class, a path, a time is none.
#[must_use]
pub fn is_random(value: &str) -> bool {
    let mut parts =
        value.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).filter(|part| part.len() >= MIN_RANDOM_BYTES);
    parts.any(is_random_word)
}

fn is_random_word(word: &str) -> bool {
    #[derive(PartialEq, Clone, Copy)]
    enum Sort {
        Digit,
        Upper,
        Lower,
    }
    let sort = |byte: u8| match byte {
        b'0'..=b'9' => Some(Sort::Digit),
        b'A'..=b'Z' => Some(Sort::Upper),
        b'a'..=b'z' => Some(Sort::Lower),
        _ => None,
    };
    let (mut changes, mut digits, mut letters, mut last) = (0, 0, 0, None);
    for now in word.bytes().filter_map(sort) {
        if now == Sort::Digit {
            digits += 1
        } else {
            letters += 1
        }
        // A word may begin with a capital.
        changes += usize::from(last.is_some_and(|last| last != now && !(last == Sort::Upper && now == Sort::Lower)));
        last = Some(now);
    }
    let length = digits + letters;
    length >= MIN_RANDOM_BYTES && digits > 1 && letters > 1 && changes >= 4.max(length / 6) && !is_of_nobody(word)
}

/// Forms that look random and are known: UUIDs, names of telephones, times.
fn is_of_nobody(word: &str) -> bool {
    const TELEPHONES: [&str; 8] = ["SEP", "CSF", "TCT", "BOT", "TAB", "ATA", "CTI", "UDP"];
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    let is_telephone = |prefix: &str| word.strip_prefix(prefix).is_some_and(|rest| rest.len() == 12 && is_hex(rest));
    TELEPHONES.iter().any(|prefix| is_telephone(prefix)) || words::is_form(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_recognised() {
        let scrubbed = |text| scrub(text, |s| format!("k-{}", s.len()), |_| ()).0.into_owned();
        for (text, expected) in [
            ("hello, agent 1001 is READY", "hello, agent 1001 is READY"),
            ("Authorization: Basic MTAwMTpzZWNyZXQ=", "Authorization: [cred:authorization]"),
            ("auth Basic MTAwMTpzZWNyZXQ= end", "auth Basic [cred:basic] end"),
            ("Bearer abcdef.ghi", "Bearer [cred:bearer]"),
            ("x eyJhbGciOi.eyJzdWIi.c2ln y", "x [cred:jwt] y"),
            ("x eyAiYWxnIjoiSFMyNTYifQ.eyAieCI6MX0.Vk3ahsJd8 y", "x [cred:jwt] y"),
            ("x ZXlKaGJHY2lPaUpJVXpJMU5pSjkuZQ== y", "x [cred:jwt] y"),
            ("x %65%79%4a%68%62%47%63%69%4f%69%4a%49%55%7a y", "x [cred:jwt] y"),
            ("x %2565%2579%254ahbGciOiJIUzI1NiJ9.e30 y", "x [cred:jwt] y"),
            (r"x \u0065\u0079\u004ahbGciOiJIUzI1NiJ9.e30 y", "x [cred:jwt] y"),
            ("/x;jsessionid=ABC?y", "/x;jsessionid=k-3?y"),
            ("https://u:p@h/x", "https://[cred:userinfo]@h/x"),
            ("https://u:a@b@h/x", "https://[cred:userinfo]@h/x"),
            ("see //u:p@h/x", "see //[cred:userinfo]@h/x"),
            ("a=1&password=hunter2&b=2", "a=1&password=[cred:password]&b=2"),
            (r#"{"access_token":"abc","x":1}"#, r#"{"access_token":"[cred:token]","x":1}"#),
            ("password=[hunter2 for 1001", "password=[cred:password] for 1001"),
            (r#"password: "two words" for"#, r#"password: "[cred:password]" for"#),
            ("password => hunter2 for", "password => [cred:password] for"),
            ("password=ab,hunter2;x@y end", "password=[cred:password] end"),
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
            ("passwordExpired=false", "passwordExpired=false"),
            ("reasonCode=4711", "reasonCode=4711"),
            ("error code: 404", "error code: 404"),
            ("-----BEGIN EC PRIVATE KEY-----\nabc\n-----END EC PRIVATE KEY-----.", "[cred:pem]."),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES,AA\n\nabc\n-----END RSA PRIVATE KEY-----",
                "[cred:pem]",
            ),
        ] {
            assert_eq!(scrubbed(text), expected);
            if !expected.contains("k-") {
                assert_eq!(scrubbed(expected), expected, "the same once more");
            }
        }
    }

    #[test]
    fn long_and_random_is_told_from_what_only_looks_so() {
        for value in [
            "Rq9aejLm4xTz7vPw2",
            "8F3AAEA77B1C9D2E4F5",
            "q8zk1xy0lmn3",
            "base64url.bearer.UnE5YWNnTG00eFR6N3Z",
            "a/bc3d4e5f6g7h8/x",
        ] {
            assert!(is_random(value), "{value}");
        }
        for value in [
            "146937347",
            "SEP0050568A1B2C",
            "0be528bc-744b-4c44-a9ed-b564c97397ba1102",
            "com.cisco.Finesse2Exception",
            "/finesse/api/User/1001",
            "2019-05-21T04:07:38.017Z",
            "PREROUTE_ACD_IN",
            "callVariable10",
            "user.microapp.ToExtVXML",
            "uccx1.example.test",
            "151635_312_1",
            "Rq9aejL",
            "Windows10Enterprise",
            "2026-01-15T09:12:40.561300Z",
        ] {
            assert!(!is_random(value), "{value}");
        }
    }
}
